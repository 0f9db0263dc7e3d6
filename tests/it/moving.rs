//! `move`: a whole panel from one place to another, the same to the byte, or nothing at all.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use panelite::clock::Clock;
use panelite::secret::Sealer;
use panelite::store::Store;
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

use crate::fixture::browser::say;
use crate::fixture::engine::{self, Held};
use crate::fixture::http;
use crate::fixture::panel::{stderr, stdout};
use crate::fixture::server::{self, Server};

/// A sample shop in a file, and a folder for whatever it is moved to.
struct Shop {
    folder: TempDir,
    file: PathBuf,
    /// Alice's, who has money.
    key: String,
}

impl Shop {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("demo.db");
        let output = run(file.as_os_str(), &["demo", "--json"], &[]);
        assert!(output.status.success(), "{}", stderr(&output));
        let demo: Value = serde_json::from_slice(&output.stdout).unwrap();
        let key = demo["keys"]["alice"].as_str().unwrap().to_owned();
        Self { folder, file, key }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// An empty database, and the path that it goes by.
    fn server(&self, name: &str) -> (OsString, Held) {
        let db = self.path(name);
        (engine::address(&db), Held::new(db))
    }

    /// What is in the folder, but for what lies beside the sample shop.
    fn others(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.folder.path()).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| !name.starts_with("demo.db")).collect();
        names.sort();
        names
    }

    /// Runs statements past the panel, as nobody should.
    fn spoil(&self, sql: &str) {
        let conn = Connection::open(&self.file).unwrap();
        conn.execute_batch(&format!("PRAGMA foreign_keys = OFF; {sql}")).unwrap();
    }

    /// Sees that no node begins with a key file of that name, nor makes one.
    fn refuses_key(&self, db: &Path, name: &str) {
        let path = self.path(name);
        let serves = || {
            let serve = server::spawn(db, &[("PANELITE_KEY_FILE", path.to_str().unwrap())]);
            serve.wait_with_output().unwrap().status.code()
        };
        if !path.exists() {
            assert_eq!(serves(), Some(74));
            assert!(!path.exists(), "one was made");
            Sealer::open(&path).unwrap();
        }
        assert_eq!(serves(), Some(1));
    }

    /// Sells one more order where the panel lives now; its number.
    fn sells_at(&self, place: &OsStr) -> i64 {
        let server = Server::start_with(
            &self.file,
            &[
                ("PANELITE_DB", place.to_str().unwrap()),
                ("PANELITE_KEY_FILE", self.path("demo.db.key").to_str().unwrap()),
            ],
        );
        let key = &self.key;
        let body = format!("key={key}&action=add&service=1&link=x{place:?}&quantity=100");
        let reply = http::send(server.address, "POST", "/api/v2", &[], body.as_bytes());
        let order = reply.json()["order"].as_i64();
        assert!(server.terminate().success());
        order.unwrap_or_else(|| panic!("not bought: {}", reply.text()))
    }
}

/// Runs the command line on a place.
fn run(place: &OsStr, args: &[&str], environment: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_panelite"))
        .env("PANELITE_DB", place)
        .env_remove("PANELITE_LISTEN")
        .envs(environment.iter().copied())
        .args(args)
        .output()
        .unwrap()
}

fn move_as(from: impl AsRef<OsStr>, to: impl AsRef<OsStr>, environment: &[(&str, &str)]) -> Output {
    let [from, to] = [from.as_ref(), to.as_ref()].map(|place| place.to_str().unwrap());
    run(OsStr::new("no.db"), &["move", "--from", from, "--to", to], environment)
}

/// Moves a panel; the hash of what was moved.
fn moves(from: impl AsRef<OsStr>, to: impl AsRef<OsStr>) -> String {
    let output = move_as(from, to, &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("what lies beside it was not moved"), "{text}");
    let (_, hash) = text.split_once("sha256 ").unwrap();
    hash.lines().next().unwrap().to_owned()
}

/// The sentence with which it is refused to move.
fn refuses(from: impl AsRef<OsStr>, to: impl AsRef<OsStr>) -> String {
    let output = move_as(from, to, &[]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert_eq!(stdout(&output), "");
    let text = stderr(&output);
    text.lines().last().unwrap().strip_prefix("panelite: ").unwrap_or(&text).to_owned()
}

fn assert_sound(place: impl AsRef<OsStr>) {
    assert_eq!(stdout(&run(place.as_ref(), &["check"], &[])), "sound\n");
}

fn last_order(file: &Path) -> i64 {
    let conn = Connection::open(file).unwrap();
    conn.query_row("SELECT max(id) FROM orders", [], |row| row.get(0)).unwrap()
}

/// Whether there is a server to move to; where there is none, that is said past the harness.
fn has_server(test: &str) -> bool {
    if !engine::is_server() {
        say(&format!("SKIPPED: {test}: PANELITE_TEST_PG names no server"));
    }
    engine::is_server()
}

fn bytes(file: &Path) -> Vec<u8> {
    std::fs::read(file).unwrap()
}

#[test]
fn a_panel_moves_from_file_to_file() {
    let shop = Shop::new();
    let [one, two] = ["one.db", "two.db"].map(|name| shop.path(name));
    let before = bytes(&shop.file);
    let hash = moves(&shop.file, &one);
    assert_eq!(bytes(&shop.file), before);
    assert_eq!(moves(&one, &two), hash);
    assert_sound(&two);
    let last = last_order(&two);
    assert!(shop.sells_at(two.as_os_str()) > last);
    assert_sound(&two);
    assert_ne!(moves(&two, shop.path("three.db")), hash, "one order more");
}

#[test]
fn what_is_there_already_is_left_as_it_is() {
    let shop = Shop::new();
    let (there, left) = (shop.path("there.db"), shop.path("left.db"));
    std::fs::write(&there, "mine").unwrap();
    std::fs::write(shop.path("left.db-wal"), "mine").unwrap();
    assert!(refuses(&shop.file, &there).contains("there.db exists"));
    assert!(refuses(&shop.file, &left).contains("left.db-wal exists"));
    assert!(refuses(&shop.file, &shop.file).contains("demo.db exists"));
    assert!(refuses(shop.path("none.db"), shop.path("new.db")).contains("there is no panel"));
    assert_eq!(bytes(&there), b"mine");
    assert_eq!(shop.others(), ["left.db-wal", "there.db"]);
}

#[test]
fn nobody_writes_while_a_panel_moves() {
    let shop = Shop::new();
    let store = Store::open_as_server(&shop.file, Clock::System, 1).unwrap();
    assert!(refuses(&shop.file, shop.path("new.db")).contains("in use by another panelite"));
    drop(store);
    moves(&shop.file, shop.path("new.db"));
}

#[test]
fn a_move_to_a_file_that_fails_leaves_nothing() {
    let shop = Shop::new();
    let new = shop.path("new.db");
    for point in ["move-copied", "move-compared"] {
        assert!(!move_as(&shop.file, &new, &[("PANELITE_FAIL_AT", point)]).status.success());
        assert!(!new.exists(), "{point}");
    }
    moves(&shop.file, &new);
    assert_eq!(shop.others(), ["new.db"], "also what the crash had left");
    shop.spoil("UPDATE accounts SET balance_micros = balance_micros + 1 WHERE kind = 'user'");
    let refused = refuses(&shop.file, shop.path("other.db"));
    assert!(refused.contains("not sound") || refused.contains("balance"), "{refused}");
    assert_eq!(shop.others(), ["new.db"]);
}

#[test]
fn a_panel_moves_to_a_server_and_back() {
    if !has_server("a_panel_moves_to_a_server_and_back") {
        return;
    }
    let shop = Shop::new();
    let (server, db) = shop.server("server");
    let (other, _other_db) = shop.server("other");
    let hash = moves(&shop.file, &server);
    assert_sound(&server);
    assert_eq!(moves(&server, &other), hash, "to another server");
    let back = shop.path("back.db");
    assert_eq!(moves(&server, &back), hash, "to the byte");
    assert_sound(&back);

    let last = engine::number(&db, "SELECT max(id) FROM orders");
    assert_eq!(last, last_order(&back));
    assert!(shop.sells_at(&server) > last);
    assert!(shop.sells_at(back.as_os_str()) > last);
    assert_sound(&server);
    assert_sound(&back);
    let created = run(&server, &["user", "create", "new"], &[]);
    assert!(created.status.success(), "numbers go on: {}", stderr(&created));
}

#[test]
fn a_panel_on_a_server_knows_its_key_file_wherever_it_came_from() {
    if !has_server("a_panel_on_a_server_knows_its_key_file_wherever_it_came_from") {
        return;
    }
    let shop = Shop::new();
    let [(one, one_db), (two, two_db), (three, three_db)] =
        ["one", "two", "three"].map(|name| shop.server(name));
    let elsewhere = shop.path("elsewhere.key");
    shop.sells_at(shop.file.as_os_str()); // which makes the key file
    moves(&shop.file, &one);
    moves(&one, &two);
    std::fs::rename(shop.path("demo.db.key"), &elsewhere).unwrap();
    let named = [("PANELITE_KEY_FILE", elsewhere.to_str().unwrap())];
    assert!(move_as(&shop.file, &three, &named).status.success());
    for db in [&one_db, &two_db, &three_db] {
        shop.refuses_key(db, "another.key");
    }
    std::fs::rename(&elsewhere, shop.path("demo.db.key")).unwrap();
    for place in [&one, &two, &three] {
        shop.sells_at(place);
    }
}

#[test]
fn a_panel_that_is_moved_without_its_key_file_has_that_of_its_first_node() {
    if !has_server("a_panel_that_is_moved_without_its_key_file_has_that_of_its_first_node") {
        return;
    }
    let shop = Shop::new();
    let (server, db) = shop.server("server");
    moves(&shop.file, &server);
    assert!(!shop.path("demo.db.key").exists(), "none was made");
    shop.sells_at(&server); // which makes it
    shop.refuses_key(&db, "another.key");
}

#[test]
fn a_server_that_is_not_empty_is_left_as_it_is() {
    if !has_server("a_server_that_is_not_empty_is_left_as_it_is") {
        return;
    }
    let shop = Shop::new();
    let (server, db) = shop.server("server");
    engine::execute(&db, "CREATE TABLE mine (id BIGINT)");
    assert!(refuses(&shop.file, &server).contains("is not empty"));
    engine::execute(&db, "DROP TABLE mine");
    moves(&shop.file, &server);
    assert!(refuses(&shop.file, &server).contains("is not empty"));
    assert!(refuses(&server, &server).contains("is not empty"));
}

#[test]
fn a_move_to_a_server_that_fails_leaves_nothing() {
    if !has_server("a_move_to_a_server_that_fails_leaves_nothing") {
        return;
    }
    let shop = Shop::new();
    let (server, db) = shop.server("server");
    let things = || {
        let named = "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                     WHERE n.nspname = current_schema()";
        engine::number(&db, named)
    };
    for point in ["move-copied", "move-compared"] {
        assert!(!move_as(&shop.file, &server, &[("PANELITE_FAIL_AT", point)]).status.success());
        assert_eq!(things(), 0, "{point}");
    }
    // A row that no reference allows, one that no CHECK does, and what only the check finds.
    let before = bytes(&shop.file);
    for spoils in [
        "UPDATE orders SET user_id = 999 WHERE id = 1",
        "PRAGMA ignore_check_constraints = ON; UPDATE orders SET quantity = -1 WHERE id = 1",
        "UPDATE accounts SET balance_micros = balance_micros + 1 WHERE id = 2",
        "UPDATE orders SET link = char(0) || 'x' WHERE id = 1",
    ] {
        shop.spoil(spoils);
        let output = move_as(&shop.file, &server, &[]);
        assert!(!output.status.success(), "{spoils}");
        assert_eq!(things(), 0, "{spoils}: {}", stderr(&output));
        for suffix in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(shop.path(&format!("demo.db{suffix}")));
        }
        std::fs::write(&shop.file, &before).unwrap();
    }
    moves(&shop.file, &server);
}

#[test]
fn nobody_moves_what_nodes_write_to() {
    if !has_server("nobody_moves_what_nodes_write_to") {
        return;
    }
    let shop = Shop::new();
    let (server, db) = shop.server("server");
    moves(&shop.file, &server);
    let node = Server::start(&db);
    assert!(refuses(&server, shop.path("new.db")).contains("nodes at work: 1"));
    assert!(node.terminate().success());
    moves(&server, shop.path("new.db"));
}
