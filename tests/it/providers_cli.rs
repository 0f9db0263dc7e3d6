//! `provider` as scripts see it, and the sample shop that sells through one.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use panelite::clock::Clock;
use panelite::practice::{self, Practice};
use panelite::secret::Sealer;

use crate::fixture::engine;
use crate::fixture::panel::{self, EPOCH, Panel, stderr, stdout};

/// Runs the command line with something on its standard input.
fn cli(db: &Path, args: &[&str], input: &str) -> Output {
    let mut child = engine::tell(&mut Command::new(env!("CARGO_BIN_EXE_panelite")), db)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn done(db: &Path, args: &[&str]) -> String {
    let output = panel::cli(db, args);
    assert!(output.status.success(), "{args:?}: {}", stderr(&output));
    stdout(&output).trim_end().to_owned()
}

fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", stdout(output));
    stderr(output).trim_end().strip_prefix("panelite: ").unwrap().to_owned()
}

fn practice() -> Practice {
    Practice::start(Clock::manual(EPOCH), "127.0.0.1:0".parse().unwrap()).unwrap()
}

/// Adds the practice provider.
fn add(panel: &Panel, practice: &Practice) {
    let url = practice.url();
    let args = ["provider", "add", "Practice", &url, "--key-stdin", "--allow-insecure"];
    let output = cli(panel.db(), &args, &format!("{}\n", practice.key()));
    assert_eq!(stdout(&output), "1\n", "{}", stderr(&output));
}

#[test]
fn from_no_provider_to_services_that_are_sold() {
    let (panel, practice) = (Panel::start(), practice());
    let db = panel.db();
    add(&panel, &practice);
    let tested = done(db, &["provider", "test", "Practice"]);
    let lines: Vec<&str> = tested.lines().collect();
    assert_eq!((lines.len(), lines[0]), (5, "balance 1000.00 USD"));
    assert!(lines[1].starts_with("1\t") && lines[1].ends_with("\tDefault\t0.90"), "{tested}");
    let count = practice.services().len();
    assert_eq!(lines[4], format!("{count} services, 0 unreadable"));

    let synced = format!("{count} services, 0 unreadable; 0 of ours changed");
    let early = ["provider", "import", "Practice", "--percent", "30", "--category", "None"];
    let early = panel.cli(&early);
    assert_eq!(stdout(&early), format!("{synced}\n"), "what was never fetched is fetched");
    assert_eq!(refused(&early), "Nothing was chosen that the provider sells");
    assert_eq!(done(db, &["provider", "sync", "Practice"]), synced);
    let likes = ["--category", "Instagram | Likes"];
    let import = ["provider", "import", "Practice", "--percent", "30", "--step", "0.01"];
    let dry = [&import[..], &likes, &["--dry-run"]].concat();
    let plan = done(db, &dry);
    let first = plan.lines().next().unwrap();
    assert!(first.starts_with("new\t3\tInstagram | Likes\t"), "{plan}");
    assert!(first.ends_with("\t0.14\t0.19\t0.05"), "{plan}");
    assert_eq!(done(db, &["service", "list"]), "");
    assert_eq!(done(db, &[&import[..], &likes].concat()), plan, "a dry run is what happens");
    let services = done(db, &["service", "list", "--json"]);
    let service: serde_json::Value =
        serde_json::from_str(services.lines().next().unwrap()).unwrap();
    assert_eq!((&service["rate"], &service["provider"]), (&"0.19".into(), &"Practice".into()));
    let again = done(db, &[&import[..], &likes].concat());
    assert!(again.ends_with("0 new, 0 changed, 2 skipped"), "{again}");
}

#[test]
fn a_provider_is_shown_and_changed() {
    let (panel, practice) = (Panel::start(), practice());
    let db = panel.db();
    add(&panel, &practice);
    done(db, &["provider", "sync", "Practice"]);
    let json = || -> serde_json::Value {
        serde_json::from_str(&done(db, &["provider", "list", "--json"])).unwrap()
    };
    let (name, state, balance) = (json()["name"].clone(), json()["state"].clone(), "1000.00");
    assert_eq!((name, state), ("Practice".into(), "on".into()));
    assert_eq!((&json()["balance"], &json()["exchange"]), (&balance.into(), &"1.00".into()));
    let line = format!("1\tPractice\t{}\t1000.00 USD\ton", practice.url());
    assert_eq!(done(db, &["provider", "list"]), line);

    done(db, &["provider", "pause", "Practice"]);
    assert_eq!(json()["state"], "paused");
    done(db, &["provider", "resume", "Practice"]);
    let set = ["provider", "set", "Practice", "--rename", "Up", "--dialect", "json", "--low", "5"];
    done(db, &[&set[..], &["--timeout", "9", "--currency", "EUR", "--exchange", "1.08"]].concat());
    let shown = json();
    assert_eq!((&shown["name"], &shown["dialect"]), (&"Up".into(), &"json".into()));
    assert_eq!((&shown["currency"], &shown["exchange"]), (&"EUR".into(), &"1.08".into()));
    let insecure = panel.cli(&["provider", "set", "Up", "--insecure", "no"]);
    assert_eq!(refused(&insecure), "The address must begin with https://");
    let args = ["provider", "set", "Up", "--url", "https://up.example/v2", "--insecure", "no"];
    let moved = cli(db, &[&args[..], &["--key-stdin"]].concat(), "another key\r\n");
    assert!(moved.status.success(), "{}", stderr(&moved));
    assert_eq!(json()["url"], "https://up.example/v2");
    done(db, &["provider", "remove", "Up"]);
    assert_eq!(done(db, &["provider", "list"]), "");
    let gone = panel.cli(&["provider", "pause", "Up"]);
    assert_eq!(refused(&gone), "There is no provider with this name");
}

#[test]
fn what_is_wrong_is_said_in_a_sentence_without_the_key() {
    let (panel, practice) = (Panel::start(), practice());
    let db = panel.db();
    let url = practice.url();
    let args = ["provider", "add", "Practice", &url, "--key-stdin"];
    let plain = cli(db, &args, "a key that is wrong\n");
    assert_eq!(refused(&plain), "The address must begin with https://");
    let insecure = [&args[..], &["--allow-insecure"]].concat();
    assert_eq!(refused(&cli(db, &insecure, "\n")), "A key is 1 to 500 printable characters");
    assert!(cli(db, &insecure, "a key that is wrong\n").status.success());
    let again = [&["provider", "add", "Twice"], &insecure[3..]].concat();
    let twice = cli(db, &again, "a key that is wrong\n");
    assert_eq!(refused(&twice), "This is the account of provider Practice");
    for action in ["test", "sync"] {
        let said = refused(&panel.cli(&["provider", action, "Practice"]));
        assert!(!said.contains("a key that is wrong") && said.contains("key"), "{said}");
    }
    // What only opens the key makes no file to open it with, nor does what seals beside nodes that
    // have one.
    let other = db.with_file_name("other.key");
    let args = ["provider", "test", "Practice", "--key-file", other.to_str().unwrap()];
    let missing = panel.cli(&args);
    assert_eq!(missing.status.code(), Some(74), "{}", stderr(&missing));
    let sentence = format!("cannot use the key file {}: No such file", other.display());
    assert!(stderr(&missing).contains(&sentence), "{}", stderr(&missing));
    assert!(!other.exists());
    if engine::is_server() {
        let hook = ["user", "webhook", "ann", "https://a.example", "--key-file", args[4]];
        panel.reseller("ann", "1");
        let missing = panel.cli(&hook);
        assert!(stderr(&missing).contains(&sentence), "{}", stderr(&missing));
        assert!(!other.exists());
    }
    // With another file the key cannot be read.
    Sealer::open(&other).unwrap();
    let unreadable = refused(&panel.cli(&args));
    let nodes =
        format!("{} is not the key file that the other nodes of this panel have", other.display());
    let file = "The provider's key cannot be read with this key file".to_owned();
    assert_eq!(unreadable, engine::either(file, nodes));

    let keyless = panel.cli(&["provider", "add", "Other", &url]);
    assert_eq!(keyless.status.code(), Some(2), "a key is never an argument");
}

#[test]
fn the_sample_shop_sells_through_the_practice_provider() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("panel.db");
    let shown = done(&db, &["demo", "--practice"]);
    assert!(shown.contains("services 43 to 48 are bought from Practice"), "{shown}");
    let list = done(&db, &["provider", "list"]);
    let url = format!("http://{}/api/v2", practice::ADDRESS);
    assert_eq!(list, format!("1\tPractice\t{url}\t- USD\ton"));
    let services = done(&db, &["service", "export"]);
    let sold: Vec<&str> = services.lines().filter(|line| line.contains(",Practice,")).collect();
    assert_eq!(sold.len(), 6, "{services}");
    assert!(sold[0].contains("Default,1.17,10,200000,"), "0.90 and 30 %: {}", sold[0]);
    assert_eq!(done(&db, &["check"]), "sound");
}

#[test]
fn a_key_is_kept_sealed() {
    let (panel, practice) = (Panel::start(), practice());
    add(&panel, &practice);
    assert!(done(panel.db(), &["provider", "test", "Practice"]).contains("balance"), "it is used");
    let key = practice.key().as_bytes();
    for entry in std::fs::read_dir(panel.db().parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(key.len()).any(|part| part == key), "{}", path.display());
    }
}

#[test]
fn where_a_service_is_bought_is_said_part_by_part() {
    let (panel, practice) = (Panel::start(), practice());
    let db = panel.db();
    add(&panel, &practice);
    done(db, &["provider", "sync", "Practice"]);
    panel.import("id,category,name,type,rate,min,max\n1,C,Likes,Default,5,50,1000\n");
    let supply = |args: &[&str]| {
        let args = [&["service", "supply", "1"], args].concat();
        panel::cli(db, &args)
    };
    let says = |args: &[&str]| {
        let output = supply(args);
        assert!(output.status.success(), "{args:?}: {}", stderr(&output));
        stdout(&output).trim_end().to_owned()
    };
    let bought = says(&["Practice", "1", "--percent", "30", "--follow", "yes"]);
    assert_eq!(bought, "service 1 is bought, rate 1.17");
    let other = practice
        .services()
        .iter()
        .find(|it| it.id != 1 && it.kind == "Default")
        .unwrap()
        .id
        .to_string();
    assert_eq!(says(&["--substitute", "Practice", &other]), "service 1 is bought, rate 1.17");
    assert_eq!(says(&["--percent", "50"]), "service 1 is bought, rate 1.35");
    let places = |db: &panelite::store::Read<'_>| {
        panelite::store::substitutes::list(db, panelite::domain::ServiceId(1))
    };
    assert_eq!(panel.store().page(places).unwrap().len(), 1, "what is not said stays");
    assert_eq!(refused(&supply(&["Nobody", "1"])), "There is no provider with this name");
    assert!(!supply(&["Practice"]).status.success(), "which service of theirs?");
    assert_eq!(says(&["--by-hand"]), "service 1 is fulfilled by hand, rate 1.35");
    assert_eq!(panel.store().page(places).unwrap(), []);
}
