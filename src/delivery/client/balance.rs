//! What is in our account at a provider.

use super::figure::amount;
use super::request::Fields;
use super::{CallError, Client};
use crate::delivery::json::Json;
use crate::delivery::outcome::Body;
use crate::domain::money::Money;

/// What is in our account, in their currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    pub amount: Money,
    /// Where they say it, in capital letters.
    pub currency: Option<String>,
}

impl Client {
    /// Reads our balance: also the proof that the provider lives and takes our key.
    ///
    /// # Errors
    /// Where none was said.
    pub fn balance(&self) -> Result<Balance, CallError> {
        self.ask(&self.question("balance", Fields::none()), |json| {
            read(json).ok_or_else(|| self.nothing(json, "balance"))
        })
    }
}

fn read(json: &Json) -> Option<Balance> {
    let said = Body::of(json);
    if said.has_error {
        return None;
    }
    let amount = said.layers.iter().find_map(|layer| layer.get("balance").and_then(amount))?;
    let currency = said.layers.iter().find_map(|layer| currency(layer));
    Some(Balance { amount, currency })
}

/// The currency that an object names.
pub(super) fn currency(json: &Json) -> Option<String> {
    let text = json.get("currency")?.text()?.trim().to_uppercase();
    let is_code = (1..=8).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_uppercase());
    is_code.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::json;

    #[test]
    fn a_balance_is_an_amount_and_perhaps_a_currency() {
        let balance = |micros, currency: Option<&str>| {
            let (amount, currency) = (Money::from_micros(micros), currency.map(str::to_owned));
            Some(Balance { amount, currency })
        };
        for (body, expected) in [
            (r#"{"balance":"100.84292","currency":"USD"}"#, balance(100_842_920, Some("USD"))),
            (r#"{"balance":-1.5,"currency":""}"#, balance(-1_500_000, None)),
            (r#"{"status":"success","data":{"balance":"$1,234.5"}}"#, balance(1_234_500_000, None)),
            (r#"{"balance":"1,200"}"#, None),
            (r#"{"balance":null}"#, None),
            (r#"{"balance":"5","error":"Invalid API key"}"#, None),
            ("[]", None),
        ] {
            assert_eq!(read(&json::read(body.as_bytes()).unwrap().json), expected, "{body}");
        }
    }
}
