//! How the command line reads and writes what is said of providers.

use std::io::Read as _;

use super::Failure;
use crate::domain::money::Money;
use crate::domain::pricing::Rule;
use crate::domain::provider::{Exchange, Provider};
use crate::secret::Secret;

/// More than any key has.
const INPUT_MAX: u64 = 4096;

type Parsed<T> = Result<T, &'static str>;

/// The balance below which somebody wants to know, or that nobody does.
#[derive(Clone, Copy)]
pub(super) struct Low(pub(super) Option<Money>);

pub(super) fn exchange(text: &str) -> Parsed<Exchange> {
    Exchange::parse(text).ok_or("not an exchange rate like 1.08 (at most nine decimals)")
}

pub(super) fn amount(text: &str) -> Parsed<Money> {
    Money::parse(text).ok_or("not an amount like 10 or 2.50 (at most six decimals)")
}

pub(super) fn percent(text: &str) -> Parsed<i64> {
    Rule::parse_percent(text).ok_or("not a percentage from 0 to 1000 (at most two decimals)")
}

pub(super) fn low(text: &str) -> Parsed<Low> {
    match text {
        "none" => Ok(Low(None)),
        _ => Ok(Low(Some(amount(text)?))),
    }
}

pub(super) fn flag(text: &str) -> Parsed<bool> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("neither yes nor no"),
    }
}

/// A key from standard input, without the newline behind it.
pub(super) fn read_key() -> Result<Secret, Failure> {
    let mut text = String::new();
    let read = std::io::stdin().take(INPUT_MAX).read_to_string(&mut text);
    read.map_err(|error| Failure::File("standard input".to_owned(), error))?;
    Ok(Secret::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}

/// How a provider is, in a word, as far as the file knows.
pub(super) fn state(provider: &Provider) -> &'static str {
    match provider.trouble {
        _ if !provider.is_enabled => "paused",
        Some(trouble) => trouble.as_str(),
        None => "on",
    }
}
