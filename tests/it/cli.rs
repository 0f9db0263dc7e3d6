//! The command line as scripts see it: what it prints, and with what it exits.

use std::path::Path;
use std::process::{Command, Output};

use crate::fixture::engine::file_only;
use crate::fixture::http;
use crate::fixture::panel::{self, Panel, stderr, stdout};
use crate::fixture::server::Server;

const HEADER: &str = "id,category,name,type,rate,min,max,dripfeed,refill,cancel,provider,provider_service,description";

/// Runs a command that must succeed; what it printed, without the line's end.
fn done(db: &Path, args: &[&str]) -> String {
    let output = panel::cli(db, args);
    assert!(output.status.success(), "{args:?}: {}", stderr(&output));
    stdout(&output).trim_end().to_owned()
}

/// Runs a command that must be refused; the sentence.
fn refused(db: &Path, args: &[&str]) -> String {
    let output = panel::cli(db, args);
    assert_eq!(output.status.code(), Some(1), "{args:?}: {}", stdout(&output));
    assert!(stdout(&output).is_empty(), "{args:?}");
    stderr(&output).trim_end().strip_prefix("panelite: ").unwrap().to_owned()
}

fn import(db: &Path, csv: &str) -> Output {
    let file = db.with_file_name("services.csv");
    std::fs::write(&file, csv).unwrap();
    panel::cli(db, &["service", "import", file.to_str().unwrap()])
}

#[test]
fn from_an_empty_folder_to_the_first_order() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("panel.db");
    let log = folder.path().join("log");
    let server = Server::start_logging(&db, &log);
    assert_eq!(done(&db, &["user", "create", "ann"]), "1");
    assert_eq!(done(&db, &["user", "deposit", "ann", "10", "--note", "first"]), "10.00");
    let imported = import(&db, &format!("{HEADER}\n,Likes,Likes,Default,0.90,10,5000,0,0,1,,,\n"));
    assert_eq!(stdout(&imported), "1 created, 0 updated\n");
    let key = done(&db, &["key", "create", "ann", "--label", "shop"]);
    assert!(key.starts_with("pl_") && key.len() == 55);

    let body =
        format!(r#"{{"key":"{key}","action":"add","service":1,"link":"x","quantity":1000}}"#);
    let reply = http::send(server.address, "POST", "/api/v2", &[], body.as_bytes());
    assert_eq!(reply.text(), r#"{"order":"1","currency":"USD"}"#);
    let health = http::send(server.address, "GET", "/healthz", &[], b"");
    assert_eq!((health.status, health.text()), (200, r#"{"status":"ok"}"#));
    assert!(done(&db, &["user", "list"]).contains("ann\t9.10"));
    assert_eq!(
        done(&db, &["order", "set", "1", "--status", "in progress"]),
        "order 1: In progress, refunded 0.00"
    );
    assert_eq!(
        done(&db, &["order", "set", "1", "--status", "PARTIAL", "--remains", "500"]),
        "order 1: Partial, refunded 0.45"
    );
    assert_eq!(
        refused(&db, &["order", "set", "1", "--status", "completed"]),
        "Order is already partially completed"
    );
    assert_eq!(done(&db, &["check"]), "sound");

    assert_eq!(server.terminate().code(), Some(0));
    let log = std::fs::read_to_string(&log).unwrap();
    assert!(log.contains("status=200") && !log.contains(&key[8..]), "{log}");
    assert!(!db.with_file_name("panel.db-wal").exists(), "the WAL is emptied");
    assert_eq!(done(&db, &["check"]), "sound");
}

#[test]
fn a_second_server_on_one_file_is_refused() {
    file_only!("a database has any number of servers");
    let panel = Panel::start();
    let output = panel.cli(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("in use by another panelite"), "{}", stderr(&output));
}

#[test]
fn usage_is_2_and_a_refusal_1() {
    let panel = Panel::start();
    panel.reseller("ann", "1");
    let db = panel.db();
    for args in [
        &["nonsense"][..],
        &["user", "deposit", "ann", "1e3"],
        &["user", "deposit", "ann", "-1"],
        &["user", "deposit", "ann", "0.0000001"],
        &["user", "set", "ann", "--discount", "101"],
        &["user", "set", "ann", "--suspend", "--resume"],
        &["order", "set", "1", "--status", "Done"],
        &["order", "set", "1", "--status", "Partial", "--remains", "-1"],
        &["serve", "--listen", "nowhere"],
    ] {
        assert_eq!(panel::cli(db, args).status.code(), Some(2), "{args:?}");
    }
    for (args, sentence) in [
        (&["user", "create", "ann"][..], "The name is taken"),
        (
            &["user", "create", " "],
            "A name is 1 to 64 printable characters without blanks at its ends",
        ),
        (&["user", "deposit", "bob", "1"], "There is no user with this name"),
        (&["user", "deposit", "ann", "0"], "The amount must not be zero"),
        (&["user", "adjust", "ann", "-1.000001", "--note", "x"], "Not enough funds on balance"),
        (&["user", "adjust", "ann", "1", "--note", " "], "An adjustment needs a note"),
        (&["user", "rate", "ann", "1", "2"], "Incorrect service ID"),
        (&["key", "create", "bob"], "There is no user with this name"),
        (&["key", "revoke", "99"], "There is no such key"),
        (&["order", "set", "1", "--status", "Completed"], "Incorrect order ID"),
        (&["refill", "set", "1", "--status", "Completed"], "Refill not found"),
        (&["setting", "set", "colour", "red"], "There is no such setting"),
        (&["setting", "set", "key_rate", "many"], "The setting cannot have this value"),
        (&["setting", "set", "time_zone", "Mars/Base"], "The setting cannot have this value"),
    ] {
        assert_eq!(refused(db, args), sentence, "{args:?}");
    }
}

#[test]
fn a_missing_file_is_not_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("none.db");
    for args in [&["check"][..], &["user", "list"], &["service", "export"]] {
        assert!(refused(&db, args).starts_with("there is no panel at "), "{args:?}");
    }
    assert!(!db.exists());
}

#[test]
fn credit_and_corrections_keep_their_floor() {
    let panel = Panel::start();
    panel.reseller("ann", "1");
    let db = panel.db();
    done(db, &["user", "set", "ann", "--credit-limit", "5"]);
    assert_eq!(done(db, &["user", "adjust", "ann", "-6", "--note", "fee"]), "-5.00");
    let sentence = "The balance is already below this credit limit";
    assert_eq!(refused(db, &["user", "set", "ann", "--credit-limit", "4.99"]), sentence);
    assert_eq!(done(db, &["user", "adjust", "ann", "+5", "--note", "back"]), "0.00");
    done(db, &["user", "set", "ann", "--credit-limit", "0"]);
    let list = done(db, &["user", "list", "--json"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&list).unwrap()["balance"], "0.00");
}

#[test]
fn settings_are_kept() {
    let panel = Panel::start();
    let db = panel.db();
    done(db, &["setting", "set", "currency", "EUR"]);
    done(db, &["setting", "set", "time_zone", "Europe/Berlin"]);
    let list: serde_json::Value =
        serde_json::from_str(&done(db, &["setting", "list", "--json"])).unwrap();
    assert_eq!((&list["currency"], &list["key_rate"]), (&"EUR".into(), &"200".into()));
}

#[test]
fn keys_are_shown_once() {
    let panel = Panel::start();
    let ann = panel.reseller("ann", "1");
    let list = done(panel.db(), &["key", "list", "ann"]);
    assert!(list.contains(&ann.key[..8]) && !list.contains(&ann.key[..9]), "{list}");
    done(panel.db(), &["key", "revoke", "1"]);
    let list = done(panel.db(), &["key", "list", "ann", "--json"]);
    assert!(serde_json::from_str::<serde_json::Value>(&list).unwrap()["revoked"].is_i64());
    // The file itself does not hold the key either.
    assert_eq!(done(panel.db(), &["check"]), "sound");
    file_only!("a server's files are its own");
    let bytes = std::fs::read(panel.db()).unwrap();
    assert!(!bytes.windows(20).any(|window| window == &ann.key.as_bytes()[9..29]));
}

#[test]
fn an_import_is_all_or_nothing() {
    let panel = Panel::start();
    let db = panel.db();
    let good = "5,Likes,Five,Default,1,10,100,1,1,1,,,first";
    for (csv, sentence) in [
        (
            format!("{HEADER}\n{good}\n6,A,B,Nonsense,1,1,1,0,0,0,,,\n"),
            "line 3: type is not a type of service",
        ),
        (
            format!("{HEADER}\n{good}\n6,A,B,Default,1e3,1,1,0,0,0,,,\n"),
            "line 3: rate is not an amount like 2.50",
        ),
        (
            format!("{HEADER}\n{good}\n6,A,B,Default,1,0,1,0,0,0,,,\n"),
            "line 3: min and max are whole numbers from 1 to 1000000000",
        ),
        (format!("{HEADER}\n{good}\n6,A,B,Default,1,10,5,0,0,0,,,\n"), "line 3: min is above max"),
        (
            format!("{HEADER}\n{good}\n6,A,B,Default,1,1,5,yes,0,0,,,\n"),
            "line 3: dripfeed is not 0 or 1",
        ),
        (
            format!("{HEADER}\n{good}\n6,A,B,Package,1,1,5,1,0,0,,,\n"),
            "line 3: Only Default and Web Traffic can have drip-feed",
        ),
        (
            format!("{HEADER}\n{good}\n6,,B,Default,1,1,5,0,0,0,,,\n"),
            "line 3: A category's name is 1 to 255 printable characters",
        ),
        (
            format!("{HEADER}\n{good}\n6,A,,Default,1,1,5,0,0,0,,,\n"),
            "line 3: A service's name is 1 to 255 printable characters",
        ),
        (
            format!("{HEADER}\n{good}\n6,A,B,Default,1,1,5,0,0,0,nobody,7,\n"),
            "line 3: There is no provider with this name",
        ),
        (format!("{HEADER}\n{good}\n{good}\n"), "line 3: An earlier line has the same id"),
        (
            format!("{HEADER}\n{good}\n0,A,B,Default,1,1,5,0,0,0,,,\n"),
            "line 3: id is not a whole number up to 1000000000",
        ),
        ("id,category\n".to_owned(), "line 1: these columns are missing: name, rate, min, max"),
        (format!("{HEADER},colour\n"), "line 1: this column is unknown: colour"),
    ] {
        let output = import(db, &csv);
        assert_eq!(output.status.code(), Some(1), "{csv}");
        assert!(stderr(&output).trim_end().ends_with(sentence), "{csv}: {}", stderr(&output));
        assert_eq!(done(db, &["service", "list"]), "", "nothing was imported");
    }
}

#[test]
fn an_import_creates_updates_and_leaves_the_rest() {
    let panel = Panel::start();
    let db = panel.db();
    let rows =
        "5,Likes,Five,Default,1,10,100,1,1,1,,,a,0,30,1\n,Likes,Next,Package,2,1,1,0,0,0,,,,,,\n";
    let full = format!("{HEADER},enabled,refill_days,deny_duplicates");
    assert_eq!(stdout(&import(db, &format!("{full}\n{rows}"))), "2 created, 0 updated\n");
    // Without the optional columns they stay as they are.
    let update = format!("{HEADER}\n5,Views,=Renamed,Default,1.5,20,200,0,1,1,,,\"b, c\"\n");
    let report = "service 5 Five: name Five → =Renamed; description “a” → “b, c”; rate 1.00 → 1.50; \
                  min 10 → 20; max 100 → 200; drip-feed yes → no; category Likes → Views\n\
                  0 created, 1 updated\n";
    assert_eq!(stdout(&import(db, &update)), report);
    let expected = format!(
        "{full}\n6,Likes,Next,Package,2.00,1,1,0,0,0,,,,1,,0\n5,Views,'=Renamed,Default,1.50,20,200,0,1,1,,,\"b, c\",0,30,1"
    );
    let exported = done(db, &["service", "export"]);
    assert_eq!(exported, expected);
    assert_eq!(stdout(&import(db, &exported)), "0 created, 0 updated, 2 unchanged\n");
    assert_eq!(done(db, &["service", "export"]), expected, "an export is its own import");
    let cheaper = import(db, "id;category;name;rate;min;max\n5;Views;=Renamed;0,5;20;200\n");
    let report =
        "service 5 =Renamed: price falls by 66.66%: rate 1.50 → 0.50\n0 created, 1 updated\n";
    assert_eq!(stdout(&cheaper), report, "nothing is asked, all of it is said");

    // What was ordered keeps its type.
    let ann = panel.reseller("ann", "10");
    assert_eq!(ann.form("key=KEY&action=add&service=6&link=x").text(), r#"{"order":1}"#);
    let other = import(db, &format!("{HEADER}\n6,Likes,Next,Default,2,1,1,0,0,0,,,\n"));
    let sentence = "line 2: The type of a service that has orders cannot change\n";
    assert!(stderr(&other).ends_with(sentence), "{}", stderr(&other));
}

#[test]
fn what_only_a_file_has_is_not_asked_of_a_server() {
    let run = |address: &str, args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_panelite"));
        let command = command.env("PANELITE_DB", address).env_remove("PANELITE_KEY_FILE");
        let output = command.env("PANELITE_DB_PASSWORD", "hush").args(args).output().unwrap();
        let said = stderr(&output);
        assert!(!said.contains("hush") && !said.contains("other"), "{said}");
        (output.status.code(), said)
    };
    let nowhere = "postgres://panel:other@127.0.0.1:1/panel";
    for (address, args, says) in [
        (
            nowhere,
            &["backup", "x.db"][..],
            "postgres://panel@127.0.0.1:1/panel is a server's: copy",
        ),
        (nowhere, &["restore", "x.db"], "copy it with pg_dump or pgBackRest"),
        (nowhere, &["serve"], "say with --key-file where the key is"),
        ("postgres://panel@db/panel?sslmode=prefer", &["check"], "may fall back to plain text"),
        ("postgres:///panel", &["check"], "names no host"),
    ] {
        let (code, said) = run(address, args);
        assert!(code == Some(2) && said.contains(says), "{args:?}: {code:?} {said}");
    }
    let (code, said) = run(nowhere, &["check"]);
    assert!(matches!(code, Some(1 | 74)) && !said.is_empty(), "{code:?} {said}");
}
