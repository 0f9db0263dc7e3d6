//! The signatures of webhooks, checked by others: the snippets of README in the languages that are
//! on this machine, and the library of Standard Webhooks.

use std::io::Write as _;
use std::process::{Command, Stdio};

use panelite::domain::order::PublicStatus;
use serde_json::json;

use crate::fixture::browser::say;
use crate::fixture::panel::{EPOCH, Panel, stdout};
use crate::fixture::receiver::{Call, Receiver};

const README: &str = include_str!("../../README.md");

/// What calls a snippet: everything comes as JSON on standard input, one answer goes out.
const LANGUAGES: &[(&str, &str, &str)] = &[
    (
        "php",
        "php",
        "$it = json_decode(stream_get_contents(STDIN), true);
         echo json_encode(verify($it['secret'], $it['headers'], $it['body'], $it['now']));",
    ),
    (
        "python",
        "python3",
        "
import json, sys
it = json.load(sys.stdin)
print(json.dumps(verify(it['secret'], it['headers'], it['body'].encode(), it['now'])))",
    ),
    (
        "javascript",
        "node",
        "const it = JSON.parse(require('node:fs').readFileSync(0));
         console.log(verify(it.secret, it.headers, it.body, it.now));",
    ),
];

const LIBRARY: &str = "
const { Webhook } = require('standardwebhooks');
const it = JSON.parse(require('node:fs').readFileSync(0));
Date.now = () => it.now * 1000;
const now = Date;
globalThis.Date = class extends now {
  constructor(...of) { if (of.length) super(...of); else super(it.now * 1000); }
};
let isOurs = true;
try { new Webhook(it.secret).verify(it.body, it.headers); } catch { isOurs = false; }
console.log(isOurs);";

/// The one piece of README in that language.
fn snippet(language: &str) -> String {
    let from = format!("```{language}\n");
    let (_, rest) = README.split_once(&from).unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// Whether there is what the check needs; said aloud where there is not.
fn has(program: &str, args: &[&str]) -> bool {
    let is_there = Command::new(program).args(args).output().is_ok_and(|it| it.status.success());
    if !is_there {
        let what = format!("{program} {}", args.join(" "));
        let is_required = std::env::var_os("PANELITE_LANGUAGES").is_some();
        assert!(!is_required, "`{what}` does not run, and it is required");
        say(&format!("SKIPPED: `{what}` does not run. See \"Tests\" in README.md."));
    }
    is_there
}

/// Runs a program of one file; what it printed.
fn run(program: &str, source: &str, input: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("check.cjs");
    std::fs::write(&file, source).unwrap();
    let mut child = Command::new(program)
        .arg(&file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A call of a panel, and the secret it was signed with.
fn call() -> (Call, String) {
    let (panel, receiver) = (Panel::start(), Receiver::start());
    panel.services(&["1,C,Likes,Default,2.50,1,100000,1,1,1"]);
    let ann = panel.reseller("ann", "10");
    let output = panel.cli(&["user", "webhook", "ann", &receiver.url(), "--allow-insecure"]);
    let order = ann.buys(1, 1000);
    panel.set(order, PublicStatus::Completed, None, None);
    panel.deliver();
    (receiver.calls().remove(0), stdout(&output).trim().to_owned())
}

/// What a check is asked, and what it has to say.
fn questions() -> Vec<(String, &'static str)> {
    let (call, secret) = call();
    let ask = |secret: &str, signature: &str, body: &str, now: i64| {
        let headers = json!({
            "webhook-id": call.id(),
            "webhook-timestamp": call.header("webhook-timestamp"),
            "webhook-signature": signature,
        });
        json!({ "secret": secret, "headers": headers, "body": body, "now": now }).to_string()
    };
    let signature = call.header("webhook-signature");
    let beside = format!("v1,{} {signature}", "A".repeat(44));
    let other = format!("whsec_{}=", "A".repeat(43));
    vec![
        (ask(&secret, signature, &call.body, EPOCH), "true"),
        (ask(&secret, signature, &call.body, EPOCH + 290), "true"),
        (ask(&secret, &beside, &call.body, EPOCH), "true"),
        (ask(&secret, signature, &call.body, EPOCH + 400), "false"),
        (ask(&secret, signature, &call.body.replace("0", "1"), EPOCH), "false"),
        (ask(&other, signature, &call.body, EPOCH), "false"),
        (ask(&secret, &beside[..47], &call.body, EPOCH), "false"),
    ]
}

#[test]
fn the_snippets_of_the_readme_know_a_call_of_ours_from_others() {
    let questions = questions();
    for (language, program, harness) in LANGUAGES {
        if !has(program, &["--version"]) {
            continue;
        }
        let source = format!("{}\n{harness}", snippet(language));
        for (input, expected) in &questions {
            assert_eq!(run(program, &source, input), *expected, "{language}: {input}");
        }
    }
}

#[test]
fn the_library_of_standard_webhooks_takes_our_calls() {
    if !has("node", &["-e", "require('standardwebhooks')"]) {
        return;
    }
    for (input, expected) in questions() {
        assert_eq!(run("node", LIBRARY, &input), expected, "{input}");
    }
}
