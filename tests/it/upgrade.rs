//! A file of an earlier schema: upgraded by whoever may, with a way back, and whole whatever happens.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::types::Value;
use tempfile::TempDir;

use crate::fixture::engine::file_only;
use crate::fixture::http;
use crate::fixture::panel::{cli, stderr, stdout};
use crate::fixture::server::{self, Server};

/// A file of an earlier schema, filled by the demo of the program that made it, and more.
struct Schema {
    version: i64,
    sql: &'static str,
    /// The key of bob, who has money and can buy service 1.
    key: &'static str,
    /// The latest orders that bob has bought.
    orders: [i64; 2],
    /// What its epoch file says, where it has sent orders.
    epoch: Option<&'static str>,
}

/// Each earlier schema, the oldest first.
const KEPT: &[Schema] = &[
    Schema {
        version: 1,
        sql: include_str!("fixture/v1.sql"),
        key: "pl_pslvjvu2whjjb3q6uccdzngc3fk4znaawdcypuyzpjnhumkqj46q",
        orders: [52, 51],
        epoch: None,
    },
    Schema {
        version: 2,
        sql: include_str!("fixture/v2.sql"),
        key: "pl_uyfbstalfcgw2joqomp4dfmxzcdyqozem44244ucsarkguu2tsdq",
        orders: [68, 67],
        epoch: None,
    },
    Schema {
        version: 3,
        sql: include_str!("fixture/v3.sql"),
        key: "pl_coyayr4jok5fdwq3z4easlf2mwartg4quysxcll4mbzewxnaov4a",
        orders: [654, 653],
        epoch: None,
    },
    // What is due at the provider, which nobody runs, is due in an hour.
    Schema {
        version: 4,
        sql: include_str!("fixture/v4.sql"),
        key: "pl_aiyvfn52mvkpakbpajgbmwammqaqs63rd7d2g74mtikz5nuajliq",
        orders: [658, 657],
        epoch: Some("tmkemlcbfxzvueqw33ror4ykbc 0000000000000000004\n"),
    },
];
const APPLICATION_ID: i64 = 0x506e_6c74;

/// A kept file in a folder of its own.
struct Kept {
    folder: TempDir,
    db: PathBuf,
    version: i64,
}

impl Kept {
    fn new(Schema { version, sql, epoch, .. }: &Schema) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = folder.path().join("panel.db");
        let conn = Connection::open(&db).unwrap();
        conn.pragma_update(None, "foreign_keys", false).unwrap();
        conn.execute_batch(sql).unwrap();
        conn.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        conn.pragma_update(None, "user_version", version).unwrap();
        conn.pragma_update(None, "journal_mode", "WAL").unwrap();
        if let Some(line) = epoch {
            std::fs::write(db.with_file_name("panel.db.epoch"), line).unwrap();
        }
        Self { folder, db, version: *version }
    }

    /// The same file once more, to compare with.
    fn copied(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = folder.path().join("panel.db");
        std::fs::copy(&self.db, &db).unwrap();
        Self { folder, db, version: self.version }
    }

    /// The oldest one.
    fn oldest() -> Self {
        Self::new(&KEPT[0])
    }

    /// The copy that an upgrade leaves.
    fn before(&self) -> PathBuf {
        self.db.with_file_name(format!("panel.db.before-v{}", today()))
    }

    /// The names in the folder, but for the lock and what SQLite has beside a file in use.
    fn files(&self) -> Vec<String> {
        let names = std::fs::read_dir(self.folder.path()).unwrap();
        let names = names.map(|file| file.unwrap().file_name().into_string().unwrap());
        let others =
            ["panel.db-wal", "panel.db-shm", "panel.db.lock", "panel.db.key", "panel.db.epoch"];
        let mut names: Vec<String> = names.filter(|name| !others.contains(&&**name)).collect();
        names.sort();
        names
    }

    fn assert_upgraded(&self) {
        let checked = cli(&self.db, &["check"]);
        assert_eq!(stdout(&checked).trim(), "sound", "{}", stderr(&checked));
        assert_eq!(version(&self.db), today());
    }
}

/// The version that this program makes.
fn today() -> i64 {
    KEPT.last().unwrap().version + 1
}

fn version(db: &Path) -> i64 {
    let conn = Connection::open(db).unwrap();
    conn.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

/// The rows of every table of an earlier schema, as far as that one has their columns.
fn rows(db: &Path, of: &Path) -> BTreeMap<String, Vec<Vec<Value>>> {
    let (conn, of) = (Connection::open(db).unwrap(), Connection::open(of).unwrap());
    let names = |sql: &str| -> Vec<String> {
        let mut statement = of.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let read = |table: String| {
        let columns = names(&format!("SELECT name FROM pragma_table_info('{table}')")).join(", ");
        let mut statement =
            conn.prepare(&format!("SELECT {columns} FROM {table} ORDER BY {columns}")).unwrap();
        let width = statement.column_count();
        let row = |row: &rusqlite::Row<'_>| (0..width).map(|at| row.get(at)).collect();
        let rows = statement.query_map([], row).unwrap().map(Result::unwrap).collect();
        (table, rows)
    };
    names("SELECT name FROM sqlite_schema WHERE type = 'table'").into_iter().map(read).collect()
}

#[test]
fn a_file_of_every_earlier_schema_is_upgraded_and_sells_the_next_order() {
    file_only!("no server has ever had an older schema");
    for schema in KEPT {
        let kept = Kept::new(schema);
        let old = kept.copied();
        let log = kept.folder.path().join("log");
        let log_text = || std::fs::read_to_string(&log).unwrap();
        let server = Server::start_logging(&kept.db, &log);
        assert!(log_text().contains("to go back, stop the panel"), "{}", log_text());
        assert_eq!(rows(&kept.db, &old.db), rows(&old.db, &old.db));

        let ask = |body: &str| {
            let body = format!("key={}&{body}", schema.key);
            let headers = [("Content-Type", "application/x-www-form-urlencoded")];
            http::send(server.address, "POST", "/api/v2", &headers, body.as_bytes())
                .text()
                .to_owned()
        };
        let list = ask("action=orders&limit=2");
        for id in schema.orders {
            assert!(list.contains(&format!("\"order\":{id},")), "{list}");
        }
        let next = schema.orders[0] + 1;
        let order = "action=add&service=1&link=https://example.com/p&quantity=1000&request_id=two";
        assert_eq!(ask(order), format!("{{\"order\":{next}}}"));
        assert_eq!(ask(order), format!("{{\"order\":{next}}}"), "a request id buys once");
        assert!(ask("action=orders").contains(&format!("\"order\":{next},")));
        assert_eq!(server.terminate().code(), Some(0));
        kept.assert_upgraded();

        let before = kept.before();
        assert_eq!(version(&before), kept.version);
        assert_eq!(rows(&before, &old.db), rows(&old.db, &old.db));
        let mode = std::fs::metadata(&before).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn a_command_upgrades_what_nobody_has_open_and_only_once() {
    file_only!("no server has ever had an older schema");
    let kept = Kept::oldest();
    let listed = cli(&kept.db, &["user", "list"]);
    assert!(stdout(&listed).contains("alice"), "{}", stderr(&listed));
    kept.assert_upgraded();
    let files = kept.files();
    assert_eq!(files, ["panel.db".to_owned(), format!("panel.db.before-v{}", today())]);
    kept.assert_upgraded();
    assert_eq!(kept.files(), files);
}

#[test]
fn a_file_in_use_is_upgraded_by_no_command() {
    file_only!("no server has ever had an older schema");
    let kept = Kept::oldest();
    let lock = File::create(kept.db.with_file_name("panel.db.lock")).unwrap();
    lock.lock().unwrap();
    for command in [&["check"][..], &["user", "list"], &["user", "create", "eve"]] {
        let refused = cli(&kept.db, command);
        let answer = stderr(&refused);
        assert_eq!(refused.status.code(), Some(1), "{answer}");
        assert!(
            answer.contains("written by an older version") && answer.contains("in use"),
            "{answer}"
        );
    }
    let refused = cli(&kept.db, &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(refused.status.code(), Some(1), "{}", stderr(&refused));
    assert_eq!((version(&kept.db), kept.files()), (kept.version, vec!["panel.db".to_owned()]));

    // A backup needs no upgrade, and what it made is upgraded where it is put back.
    let backup = kept.folder.path().join("backup.db");
    let made = cli(&kept.db, &["backup", backup.to_str().unwrap()]);
    assert!(made.status.success(), "{}", stderr(&made));
    assert_eq!(version(&backup), kept.version);
    let elsewhere = Kept::oldest();
    std::fs::remove_file(&elsewhere.db).unwrap();
    let restored = cli(&elsewhere.db, &["restore", backup.to_str().unwrap()]);
    assert!(restored.status.success(), "{}", stderr(&restored));
    elsewhere.assert_upgraded();
    assert_eq!(version(&backup), kept.version);
}

#[test]
fn what_would_not_be_sound_is_left_as_it_is() {
    file_only!("no server has ever had an older schema");
    let kept = Kept::oldest();
    let sql = "UPDATE accounts SET balance_micros = balance_micros + 1 WHERE id = 4";
    assert_eq!(Connection::open(&kept.db).unwrap().execute(sql, []).unwrap(), 1);
    let bytes = std::fs::read(&kept.db).unwrap();
    let backup = kept.folder.path().join("backup.db");
    for command in [
        &["check"][..],
        &["serve", "--listen", "127.0.0.1:0"],
        &["backup", backup.to_str().unwrap()],
    ] {
        let refused = cli(&kept.db, command);
        let answer = stderr(&refused);
        assert_eq!(refused.status.code(), Some(1), "{answer}");
        assert!(answer.contains("not sound") && answer.contains("account 4"), "{answer}");
    }
    assert_eq!(kept.files(), ["panel.db"]);
    assert!(std::fs::read(&kept.db).unwrap() == bytes, "the file was changed");
}

#[test]
fn whatever_kills_an_upgrade_leaves_the_old_file_or_the_new_one() {
    file_only!("no server has ever had an older schema");
    for (point, is_upgraded) in [("upgrade-kept", false), ("upgrade", false), ("upgraded", true)] {
        let (kept, old) = (Kept::oldest(), Kept::oldest());
        for _ in 0..2 {
            let mut child = server::spawn(&kept.db, &[("PANELITE_FAIL_AT", point)]);
            if version(&kept.db) == kept.version {
                assert_eq!(child.wait().unwrap().code(), None, "{point}: was not killed");
            } else {
                child.kill().unwrap();
                child.wait().unwrap();
            }
            let then = if is_upgraded { today() } else { kept.version };
            assert_eq!(version(&kept.db), then, "{point}");
            assert_eq!(rows(&kept.db, &old.db), rows(&old.db, &old.db), "{point}");
        }
        kept.assert_upgraded();
        let before = format!("panel.db.before-v{}", today());
        assert_eq!(kept.files(), ["panel.db".to_owned(), before], "{point}");
    }
}

#[test]
fn a_kill_while_copies_are_made_leaves_the_old_file_or_the_new_one() {
    file_only!("no server has ever had an older schema");
    let before = format!("before-v{}", today());
    for seen in [".part", "upgraded.part", before.as_str(), "-shm"] {
        let (kept, old) = (Kept::oldest(), Kept::oldest());
        let mut child = server::spawn(&kept.db, &[]);
        let is_there = || {
            let names = std::fs::read_dir(kept.folder.path()).unwrap();
            names.flatten().any(|file| file.file_name().to_str().unwrap().ends_with(seen))
        };
        while !is_there() && version(&kept.db) != today() {}
        child.kill().unwrap();
        child.wait().unwrap();
        assert!((kept.version..=today()).contains(&version(&kept.db)), "{seen}");
        assert_eq!(rows(&kept.db, &old.db), rows(&old.db, &old.db), "{seen}");
        kept.assert_upgraded();
    }
}
