//! Real answers of panels, broken at random, for all that reads them: nothing may panic, and
//! nothing may be made of them that they do not say.

use super::calls::Calls;
use super::client::{Client, Endpoint};
use super::json::{self, Unreadable};
use crate::domain::ProviderId;
use crate::domain::provider::Dialect;
use crate::secret::Secret;

/// How often each reader is tried.
pub(super) const ROUNDS: usize = 100_000;

const ANSWERS: &[&str] = &[
    r#"{"charge":"0.27819","start_count":"3572","status":"Partial","remains":"157"}"#,
    r#"{"5":{"charge":2.50,"status":"Completed","remains":0},"6":{"error":"Incorrect order ID"}}"#,
    r#"[{"order":5,"status":"In progress","remains":"1,200"},{"order":"6","status":"Canceled"}]"#,
    r#"{"status":"success","data":{"5":{"status":"Pending"},"6":"Not found"}}"#,
    r#"{"orders":[{"id":5,"status":"Completed"},{"id":7,"status":"Completed"}]}"#,
    r#"{"error":"Incorrect request"}"#,
    "<br />\n<b>Warning</b>: x in y on line 1<br />\n{\"5\":{\"status\":\"Completed\"}}",
    r#"[[[{"a":[1,-2.5e3,true,null,"\u00e9\n"]}]],{}]"#,
    "\u{feff}{\"balance\":\"100.84292\",\"currency\":\"USD\"}\n",
];

/// A generator whose seed is all there is to repeat a run.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    /// From 0 on, below `most`.
    pub(super) fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % most
    }
}

fn mutated(dice: &mut Dice) -> Vec<u8> {
    let mut body = ANSWERS[dice.below(ANSWERS.len())].as_bytes().to_vec();
    for _ in 0..dice.below(4) {
        let at = dice.below(body.len().max(1)).min(body.len());
        let to = (at + dice.below(12)).min(body.len());
        match dice.below(5) {
            0 => body.insert(at, b"{}[]\",:019e.-ntf \\\xff"[dice.below(18)]),
            1 => drop(body.drain(at..to)),
            2 => body.truncate(at),
            3 => drop(body.splice(at..at, body[at..to].to_vec())),
            _ => drop(body.splice(at..to, br#""5":{"status":"Partial"},"#.to_vec())),
        }
    }
    body
}

#[test]
fn json_is_what_serde_json_takes_for_it() {
    let mut dice = Dice(0x5eed_0001);
    let mut readable = 0;
    for round in 0..ROUNDS {
        let body = mutated(&mut dice);
        let text = String::from_utf8_lossy(&body).into_owned();
        let plain = text.strip_prefix('\u{feff}').unwrap_or(&text).trim();
        // A bare word or number is no answer.
        let expected = plain.starts_with(['{', '['])
            && serde_json::from_str::<serde_json::Value>(plain).is_ok();
        match json::read(&body) {
            Ok(_) => {
                readable += 1;
                let has_notices = !plain.starts_with(['{', '[']);
                assert!(expected || has_notices, "round {round}: {text}");
            }
            Err(Unreadable::TooDeep) => {}
            Err(_) => {
                let is_text = std::str::from_utf8(&body).is_ok();
                assert!(!expected || !is_text, "round {round}: {text}");
            }
        }
    }
    assert!(readable > ROUNDS / 10, "{readable}");
}

#[test]
fn no_status_is_read_that_is_not_said() {
    let endpoint = Endpoint {
        url: "https://example.com/".to_owned(),
        key: Secret::new("pl_0123456789abcdef".to_owned()),
        dialect: Dialect::Json,
        is_insecure: false,
        timeout_seconds: 1,
    };
    let client = Client::new(&endpoint, Calls::default().book(ProviderId(1)));
    let many = ["5".to_owned(), "6".to_owned()];
    let (mut dice, mut said) = (Dice(0x5eed_0002), 0);
    for round in 0..ROUNDS {
        let body = mutated(&mut dice);
        let Ok(document) = json::read(&body) else { continue };
        let text = String::from_utf8_lossy(&body);
        let ids = &many[..=dice.below(2)];
        for (id, answer) in client.read_statuses(&document.json, ids).unwrap_or_default() {
            assert!(ids.contains(&id), "round {round}: {text}");
            let Ok(answer) = answer else { continue };
            said += 1;
            let is_named = text.contains(&id) || ids.len() == 1;
            let mut parts = answer.word.split(|c: char| !c.is_ascii_alphanumeric());
            let is_said = parts.all(|part| text.contains(part));
            assert!(is_named && is_said, "round {round}: {id} in {text}");
        }
    }
    assert!(said > ROUNDS / 100, "{said}");
}
