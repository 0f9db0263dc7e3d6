//! What providers answer, as JSON that hides nothing: numbers stay as they are written, and a key
//! that stands twice in one object is noticed.
//!
//! serde_json reads, behind bounds on depth and size. Each value is cut into its parts as raw text,
//! level by level, so a text is gone over at most once for each of the levels that it may have.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

const DEPTH_MAX: usize = 32;
/// How much of notices may stand before the JSON: what a server prints when it is set up to.
const NOTICES_BYTES_MAX: usize = 8 * 1024;
const BOM: &str = "\u{feff}";

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    Null,
    Bool(bool),
    /// As it is written.
    Number(String),
    Text(String),
    List(Vec<Json>),
    /// In the order in which it is written, repeated keys too.
    Object(Vec<(String, Json)>),
}

/// One value, and whether some object in it has a key twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub json: Json,
    pub repeats: bool,
}

/// Why a body is no JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    Empty,
    Html,
    /// Neither whole JSON nor a page.
    NotJson,
    TooDeep,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "The answer is empty",
            Self::Html => "HTML instead of JSON",
            Self::NotJson => "The answer is not JSON",
            Self::TooDeep => "The answer is nested too deeply",
        })
    }
}

impl Json {
    /// The value of a key, where it is no null; the first, if it stands there twice.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Self::Object(entries) = self else { return None };
        let found = entries.iter().find(|(name, _)| name == key).map(|(_, value)| value);
        found.filter(|value| **value != Self::Null)
    }

    /// The text, where it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::List(_) | Self::Object(_) => None,
        }
    }

    /// A number or a text, as it is written.
    pub fn scalar(&self) -> Option<&str> {
        match self {
            Self::Number(text) | Self::Text(text) => Some(text),
            Self::Null | Self::Bool(_) | Self::List(_) | Self::Object(_) => None,
        }
    }

    /// The items, where it is a list.
    pub fn list(&self) -> Option<&[Self]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    /// Whether it stands for "no": null, false, 0, an empty text.
    pub fn is_no(&self) -> bool {
        match self {
            Self::Null | Self::Bool(false) => true,
            Self::Number(text) => text.bytes().all(|byte| matches!(byte, b'0' | b'.' | b'-')),
            Self::Text(text) => text.trim().is_empty(),
            Self::Bool(true) | Self::List(_) | Self::Object(_) => false,
        }
    }
}

/// Reads a body that is one JSON value. Before it may stand a byte order mark or notices, if the
/// rest to the end is one value; after it nothing but blanks.
///
/// # Errors
/// What it is instead.
pub fn read(body: &[u8]) -> Result<Document, Unreadable> {
    let text = std::str::from_utf8(body).map_err(|_| Unreadable::NotJson)?;
    let text = text.strip_prefix(BOM).unwrap_or(text).trim();
    if text.is_empty() {
        return Err(Unreadable::Empty);
    }
    let start = start(text).unwrap_or_default();
    let mut repeats = false;
    match value(&text[start..], 0, &mut repeats) {
        Ok(json) => Ok(Document { json, repeats }),
        Err(Unreadable::NotJson) if text.starts_with('<') => Err(Unreadable::Html),
        Err(unreadable) => Err(unreadable),
    }
}

/// Where the value begins behind notices: at the first bracket that looks like the beginning of an
/// answer. There is one candidate only, and none behind what looks like a part of an answer: the
/// tail of a broken one must not pass for a whole one.
fn start(text: &str) -> Option<usize> {
    if text.starts_with(['{', '[']) {
        return None;
    }
    let begins = |(at, _): &(usize, &str)| {
        let mut rest = text[*at..].chars().filter(|c| !c.is_ascii_whitespace());
        matches!((rest.next(), rest.next()), (Some('{'), Some('"' | '}')) | (Some('['), Some('{')))
    };
    let found = text.match_indices(['{', '[']).find(begins).map(|(at, _)| at);
    found.filter(|at| *at <= NOTICES_BYTES_MAX && !text[..*at].contains("\":"))
}

fn value(text: &str, depth: usize, repeats: &mut bool) -> Result<Json, Unreadable> {
    fn parts<'a, T: serde::Deserialize<'a>>(text: &'a str) -> Result<T, Unreadable> {
        serde_json::from_str(text).map_err(|_| Unreadable::NotJson)
    }
    if depth > DEPTH_MAX {
        return Err(Unreadable::TooDeep);
    }
    Ok(match text.as_bytes().first() {
        Some(b'{') => {
            let mut reader = serde_json::Deserializer::from_str(text);
            let entries = reader.deserialize_map(Entries).map_err(|_| Unreadable::NotJson)?;
            reader.end().map_err(|_| Unreadable::NotJson)?;
            let mut seen = HashSet::with_capacity(entries.len());
            *repeats |= !entries.iter().all(|(key, _)| seen.insert(key.as_str()));
            let entries = entries
                .into_iter()
                .map(|(key, raw)| value(raw.get(), depth + 1, repeats).map(|value| (key, value)));
            Json::Object(entries.collect::<Result<_, _>>()?)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = parts(text)?;
            let items = items.into_iter().map(|raw| value(raw.get(), depth + 1, repeats));
            Json::List(items.collect::<Result<_, _>>()?)
        }
        Some(b'"') => Json::Text(parts(text)?),
        Some(b't' | b'f') => Json::Bool(parts(text)?),
        Some(b'n') => parts::<()>(text).map(|()| Json::Null)?,
        _ => parts::<&RawValue>(text).map(|raw| Json::Number(raw.get().to_owned()))?,
    })
}

/// An object's entries, none of them left out.
struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(entries: &[(&str, Json)]) -> Json {
        Json::Object(
            entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect(),
        )
    }

    #[test]
    fn values_keep_what_they_say() {
        let number = |text: &str| Json::Number(text.to_owned());
        let table = [
            ("{}", object(&[])),
            (r#" {"a":1.50} "#, object(&[("a", number("1.50"))])),
            (r#"{"a":1e-5}"#, object(&[("a", number("1e-5"))])),
            (
                r#"{"a":123456789012345678901234}"#,
                object(&[("a", number("123456789012345678901234"))]),
            ),
            (r#"{"\u0061":"\n\"x\u00e9"}"#, object(&[("a", Json::Text("\n\"xé".to_owned()))])),
            ("[1, true, null]", Json::List(vec![number("1"), Json::Bool(true), Json::Null])),
            ("-7", number("-7")),
            ("\u{feff}[]", Json::List(Vec::new())),
            ("<b>Warning</b>: x[0] on line 1<br />\n{\"a\":1}", object(&[("a", number("1"))])),
            ("Notice: x\n[{\"a\":1}]\n", Json::List(vec![object(&[("a", number("1"))])])),
        ];
        for (text, json) in table {
            let found = read(text.as_bytes());
            assert_eq!(found, Ok(Document { json, repeats: false }), "{text}");
        }
    }

    #[test]
    fn what_is_not_whole_is_unreadable() {
        let notices = |length: usize| format!("{}{{\"order\":1}}", "n".repeat(length));
        let deep = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(notices(NOTICES_BYTES_MAX).as_bytes()).is_ok());
        assert!(read(deep(DEPTH_MAX).as_bytes()).is_ok());
        for (text, unreadable) in [
            (String::new(), Unreadable::Empty),
            (" \n".to_owned(), Unreadable::Empty),
            ("<html><body>{\"order\":1}</body></html>".to_owned(), Unreadable::Html),
            ("<b>Warning</b>: x in {} on line 1\n{\"a\":1}".to_owned(), Unreadable::Html),
            ("Just text".to_owned(), Unreadable::NotJson),
            (r#"{"order":1"#.to_owned(), Unreadable::NotJson),
            (r#"{"order":1}}"#.to_owned(), Unreadable::NotJson),
            (r#"{"order":1}{"order":2}"#.to_owned(), Unreadable::NotJson),
            (r#"{"order":1} done"#.to_owned(), Unreadable::NotJson),
            // A cut answer whose tail would be a whole one.
            (r#"{"error":"no","data":{"order":1}"#.to_owned(), Unreadable::NotJson),
            (r#"[{"order":1},{"order":2}"#.to_owned(), Unreadable::NotJson),
            (r#"Notice: {"data":{"order":1}"#.to_owned(), Unreadable::NotJson),
            (r#""order":1,"data":{"order":2}"#.to_owned(), Unreadable::NotJson),
            (r#"{'order':1}"#.to_owned(), Unreadable::NotJson),
            (r#"{"order":01}"#.to_owned(), Unreadable::NotJson),
            (r#"{"order":NaN}"#.to_owned(), Unreadable::NotJson),
            (notices(NOTICES_BYTES_MAX + 1), Unreadable::NotJson),
            (deep(DEPTH_MAX + 1), Unreadable::TooDeep),
            (deep(100_000), Unreadable::TooDeep),
        ] {
            assert_eq!(read(text.as_bytes()), Err(unreadable), "{:.60}", text);
        }
        assert_eq!(read(b"{\"order\":\"\xff\"}"), Err(Unreadable::NotJson));
    }

    #[test]
    fn repeated_keys_are_noticed_at_every_depth() {
        for (text, repeats) in [
            (r#"{"a":1,"b":1}"#, false),
            (r#"[{"a":1},{"a":1}]"#, false),
            (r#"{"a":{"a":1}}"#, false),
            (r#"{"a":1,"a":1}"#, true),
            (r#"{"a":1,"\u0061":2}"#, true),
            (r#"[[{"x":{"a":1,"a":1}}]]"#, true),
        ] {
            assert_eq!(read(text.as_bytes()).unwrap().repeats, repeats, "{text}");
        }
    }
}
