//! What an answer to an order means, line by line, and that nothing else is ever a refusal.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use panelite::delivery::http::{Answer, Failure, Why};
use panelite::delivery::mask::Mask;
use panelite::delivery::outcome::{Sent, read};
use panelite::domain::outcome::Outcome;
use panelite::secret::Secret;

const KEY: &str = "pl_secret0123456789";
const LINK: &str = "https://example.com/timeout";

fn answer(status: u16, body: &str) -> Answer {
    Answer { status, body: body.as_bytes().to_vec(), ..Answer::default() }
}

/// An outcome in a few words.
fn short(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Accepted { their_id } => format!("accepted {their_id}"),
        Outcome::Refused { family, .. } => format!("refused {}", family.as_str()),
        Outcome::NotSent { .. } => "not sent".to_owned(),
        Outcome::Busy { is_only_said: true, .. } => "busy, as is only said".to_owned(),
        Outcome::Busy { retry_after: None, .. } => "busy".to_owned(),
        Outcome::Busy { retry_after: Some(seconds), .. } => format!("busy for {seconds}"),
        Outcome::Unknown { .. } => "unknown".to_owned(),
    }
}

fn text_of(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Accepted { their_id } => their_id,
        Outcome::Refused { answer, .. }
        | Outcome::NotSent { answer }
        | Outcome::Busy { answer, .. }
        | Outcome::Unknown { answer } => answer,
    }
}

/// The mask takes its time to be made, as there is one for each provider.
static MASK: LazyLock<Mask> = LazyLock::new(|| Mask::new(&Secret::new(KEY.to_owned())));

fn outcome(result: &Result<Answer, Failure>, has_ids: bool) -> Outcome {
    read(result, &Sent { own: &[LINK, "what customers write"], has_ids, mask: &MASK })
}

/// Status | body | what it means.
const TABLE: &str = r#"
200 | {"order":23501} | accepted 23501
201 | {"order":"23501"} | accepted 23501
202 | {"order":123.0,"currency":"USD"} | accepted 123
200 | {"order":"a1_B-2"} | accepted a1_B-2
200 | {"order_id":7} | accepted 7
200 | {"orderId":7,"status":"success"} | accepted 7
200 | {"order":7,"order_id":"7"} | accepted 7
200 | [{"order":7}] | accepted 7
200 | {"status":"success","data":{"order":7}} | accepted 7
200 | {"data":[{"order":7}]} | accepted 7
200 | {"result":{"order":7}} | accepted 7
200 | {"response":{"order":7}} | accepted 7
200 | {"order":7,"error":null} | accepted 7
200 | {"order":7,"error":""} | accepted 7
200 | {"order":7,"error":false} | accepted 7
200 | {"order":7,"error":0,"errors":[]} | accepted 7
200 | Notice: x in y on line 1 {"order":7} | accepted 7
200 | {"order":7,"error":"Not enough funds"} | unknown
200 | {"order":7,"error":true} | unknown
200 | {"order":7,"success":false} | unknown
200 | {"order":7,"success":0} | unknown
200 | {"order":7,"status":"error"} | unknown
200 | {"order":7,"data":{"error":"Bad link"}} | unknown
200 | {"order":7,"order":7} | unknown
200 | {"order":7,"note":{"a":1,"a":2}} | unknown
200 | {"order":7,"order_id":8} | unknown
200 | {"order":7,"data":{"order":8}} | unknown
200 | [{"order":7},{"order":8}] | unknown
200 | {"order":0} | unknown
200 | {"order":"000"} | unknown
200 | {"order":-1} | unknown
200 | {"order":"-1"} | unknown
200 | {"order":1.5} | unknown
200 | {"order":1e9} | unknown
200 | {"order":""} | unknown
200 | {"order":null} | unknown
200 | {"order":true} | unknown
200 | {"order":"success"} | unknown
200 | {"order":"a b"} | unknown
200 | {"order":{"order":7}} | unknown
200 | {"order":[7]} | unknown
200 | {"order":"pl_secret0123456789"} | unknown
200 | {"id":7} | unknown
200 | 7 | unknown
200 | [] | unknown
200 | {} | unknown
200 |  | unknown
200 | OK | unknown
200 | <html>{"order":7}</html> | unknown
200 | {"order":7 | unknown
200 | {"order":7}{"order":7} | unknown
203 | {"order":7} | unknown
204 |  | unknown
400 | {"order":7} | unknown
429 | {"order":7} | unknown
500 | {"order":7} | unknown
200 | {"error":"neworder.error.not_enough_funds"} | refused funds
200 | {"error":"Not enough funds","order":null} | refused funds
200 | {"errors":["Bad link"]} | refused link
200 | {"error":{"message":"Bad link"}} | refused link
200 | {"status":"fail","message":"Bad link"} | refused link
200 | {"status":"failed","msg":"Bad link"} | refused link
200 | {"status":false,"message":"Bad link"} | refused link
200 | {"success":false,"message":"Bad link"} | refused link
200 | {"data":{"error":"Bad link"}} | refused link
200 | {"error":"Bad link https://example.com/timeout"} | refused link
200 | {"error":"Nope: what customers write"} | refused other
400 | {"error":"Quantity less than minimal 50"} | refused quantity
402 | {"error":"Not enough funds on balance"} | refused funds
409 | {"error":"You have active order with this link"} | refused duplicate
410 | {"error":"Service is disabled"} | refused service
422 | {"error":"Nope"} | refused other
401 | {"error":"Nope"} | refused key
401 | {"error":"Internal error"} | unknown
401 | <html>Log in</html> | unknown
403 | {"error":"Your account is suspended"} | refused key
403 | {"error":"Forbidden"} | unknown
404 | {"error":"Incorrect service ID"} | refused service
404 | {"error":"Not found"} | unknown
200 | {"error":"Rate limit exceeded"} | busy, as is only said
400 | {"error":"Please try again later"} | busy, as is only said
403 | {"error":"Under maintenance"} | busy, as is only said
429 | {"error":"Rate limit exceeded"} | busy
429 | <html>Slow down</html> | busy
429 |  | busy
200 | {"error":"Connection timed out"} | unknown
200 | {"error":"SQLSTATE[40001]: temporarily"} | unknown
200 | {"error":"request_id was used"} | unknown
200 | {"error":"Bad link","errors":["Internal error"]} | unknown
200 | {"order":"0","error":"Bad link"} | unknown
200 | {"error":true,"message":"Bad link"} | unknown
200 | {"error":105} | unknown
200 | {"message":"Bad link"} | unknown
200 | {"status":"fail"} | unknown
200 | "Bad link" | unknown
301 | {"error":"Bad link"} | unknown
307 | {"order":7} | unknown
405 | {"error":"Bad link"} | unknown
408 | {"error":"Bad link"} | unknown
413 | {"error":"Bad link"} | unknown
425 | {"error":"Bad link"} | unknown
500 | {"error":"Bad link"} | unknown
502 | <html>Bad gateway</html> | unknown
503 | {"error":"Service temporarily unavailable"} | unknown
"#;

fn lines() -> impl Iterator<Item = (Answer, &'static str)> {
    TABLE.lines().filter(|line| !line.is_empty()).map(|line| {
        let (status, rest) = line.split_once(" | ").unwrap();
        let (body, meaning) = rest.rsplit_once(" | ").unwrap();
        (answer(status.parse().unwrap(), body), meaning)
    })
}

#[test]
fn each_answer_means_what_its_line_says() {
    for (answer, meaning) in lines() {
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        let found = outcome(&Ok(answer.clone()), false);
        assert_eq!(short(&found), meaning, "{} {body}", answer.status);
        let text = text_of(&found);
        assert!(!text.is_empty() && text.chars().count() <= 500, "{text:?}");
        assert!(!text.contains(KEY), "{text}");
    }
}

#[test]
fn without_an_answer_only_a_call_that_never_began_is_not_sent() {
    for why in [Why::Dns, Why::NotPublic, Why::Refused, Why::Tls("x".to_owned()), Why::Timeout] {
        assert_eq!(short(&outcome(&Err(Failure::NotSent(why.clone())), true)), "not sent");
        assert_eq!(short(&outcome(&Err(Failure::Unknown(why)), true)), "unknown");
    }
}

#[test]
fn the_codes_of_a_panelite_win_over_texts() {
    for (status, code, meaning) in [
        (200, "insufficient_funds", "refused funds"),
        (422, "bad_link", "refused link"),
        (409, "request_conflict", "unknown"),
        (200, "rate_limited", "busy"),
        (200, "internal", "unknown"),
        (404, "service_not_found", "refused service"),
        (404, "not_found", "unknown"),
        (403, "address_refused", "refused key"),
        (400, "bad_request", "refused other"),
        (500, "bad_link", "unknown"),
        (200, "somebody-elses", "refused other"),
    ] {
        let mut answer = answer(status, r#"{"error":"Nope"}"#);
        answer.code = Some(code.to_owned());
        assert_eq!(short(&outcome(&Ok(answer), true)), meaning, "{status} {code}");
    }
}

#[test]
fn busy_is_a_promise_only_of_a_panelite_that_knows_our_ids() {
    let mut busy = answer(503, r#"{"error":"Service temporarily unavailable"}"#);
    busy.code = Some("busy".to_owned());
    busy.retry_after = Some(3);
    assert_eq!(short(&outcome(&Ok(busy.clone()), true)), "busy for 3");
    assert_eq!(short(&outcome(&Ok(busy.clone()), false)), "unknown");
    busy.body = br#"{"order":7}"#.to_vec();
    assert_eq!(short(&outcome(&Ok(busy), true)), "unknown");
}

/// A generator whose seed is all there is to repeat a run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(most).unwrap()).unwrap()
    }
}

/// A body with a few bytes changed, left out, doubled, or cut off.
fn mutated(body: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut body = body.to_vec();
    for _ in 0..=dice.below(3) {
        if body.is_empty() {
            break;
        }
        let at = dice.below(body.len());
        let to = (at + dice.below(12)).min(body.len());
        match dice.below(6) {
            0 => body[at] = b"{}[]\",:019e.-ntf \\\xff"[dice.below(18)],
            1 => drop(body.drain(at..to)),
            2 => body.truncate(at),
            3 => body.splice(at..at, body[at..to].to_vec()).for_each(drop),
            4 => body.splice(at..at, br#"{"error":"#.to_vec()).for_each(drop),
            _ => body.splice(at..at, br#","order":8"#.to_vec()).for_each(drop),
        }
    }
    body
}

/// What makes a body a refusal, by the words of the table and by no reader of ours.
fn may_refuse(answer: &Answer) -> bool {
    let body = String::from_utf8_lossy(&answer.body);
    let is_allowed = matches!(answer.status, 200..=202 | 400..=404 | 409 | 410 | 422);
    let has_sign = ["error", "message", "msg"].iter().any(|word| body.contains(word));
    let is_json = |text: &str| serde_json::from_str::<serde_json::Value>(text).is_ok();
    let ends_whole = body.match_indices(['{', '[']).any(|(at, _)| is_json(&body[at..]));
    is_allowed && has_sign && ends_whole
}

#[test]
fn no_broken_answer_is_a_refusal_or_an_order_that_nobody_named() {
    const SEED: u64 = 0x5eed_0bad_cafe_f00d;
    let (answers, mut dice) = (lines().map(|(answer, _)| answer).collect::<Vec<_>>(), Dice(SEED));
    let mut counts = BTreeMap::new();
    for round in 0..100_000 {
        let mut answer = answers[dice.below(answers.len())].clone();
        let original = answer.body.clone();
        answer.body = mutated(&original, &mut dice);
        if dice.below(4) == 0 {
            answer.status = [200, 200, 400, 404, 429, 500, 503, 302][dice.below(8)];
        }
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        let found = outcome(&Ok(answer.clone()), dice.below(2) == 0);
        let says = format!("round {round}: {} {body} is {}", answer.status, short(&found));
        match &found {
            Outcome::NotSent { .. } => panic!("{says}"),
            Outcome::Refused { .. } => assert!(may_refuse(&answer), "{says}"),
            Outcome::Accepted { their_id } => {
                assert!(body.contains(their_id.as_str()) && answer.status <= 202, "{says}");
            }
            Outcome::Busy { is_only_said, .. } => {
                assert!(answer.status == 429 || *is_only_said && may_refuse(&answer), "{says}");
            }
            Outcome::Unknown { .. } => {}
        }
        let kind = short(&found).split([' ', ',']).next().unwrap().to_owned();
        *counts.entry(kind).or_insert(0) += 1;
    }
    assert!(counts.values().all(|count| *count > 500) && counts.len() == 4, "{counts:?}");
}
