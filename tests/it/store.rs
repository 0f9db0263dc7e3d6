//! The file and its writer: what is opened and what is left alone, who may write, and what one
//! failed command does to the others.

use std::collections::{BTreeMap, HashSet};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Waker};

use futures_util::FutureExt as _;
use panelite::clock::Clock;
use panelite::commands::accounts::{CreateUser, Deposit};
use panelite::domain::money::Money;
use panelite::domain::refusal::{OperatorRefusal, Refusal};
use panelite::domain::{Actor, Timestamp, UserId};
use panelite::store::{
    Command, Error, Missing, OpenError, QUEUE_MAX, Read, Result, Store, Tx, check, check_file,
    users,
};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::fixture::engine::{self, file_only};
use crate::fixture::panel::{EPOCH, Panel, cli, stderr};

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("panel.db");
    (folder, path)
}

fn open(path: &Path) -> std::result::Result<Store, OpenError> {
    Store::open(engine::place(path), Missing::Create, Clock::manual(EPOCH))
}

fn create_user(name: &str) -> CreateUser {
    CreateUser { actor: Actor::CommandLine, name: name.to_owned() }
}

/// A closed panel with one user and some money.
fn small_panel() -> (TempDir, PathBuf) {
    let (folder, path) = folder();
    let store = open(&path).unwrap();
    let user = store.write_blocking(create_user("ann")).unwrap();
    store.write_blocking(deposit(user)).unwrap();
    drop(store);
    (folder, path)
}

fn deposit(user: UserId) -> Deposit {
    let (actor, amount) = (Actor::CommandLine, Money::parse("5").unwrap());
    Deposit { actor, user, amount, note: String::new(), reference: None }
}

/// Every file in a folder with its bytes.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, std::fs::read(entry.path()).unwrap())
        })
        .collect()
}

// ---------------------------------------------------------------------------------------- opening

#[test]
fn what_is_not_ours_is_refused_and_left_alone() {
    file_only!("about the file itself");
    let foreign = |setup: &str| {
        let (_folder, path) = folder();
        Connection::open(&path).unwrap().execute_batch(setup).unwrap();
        std::fs::read(&path).unwrap()
    };
    let (_folder, panel) = small_panel();
    let panel = std::fs::read(panel).unwrap();
    let with_field = |at: usize, value: u32| {
        let mut bytes = panel.clone();
        bytes[at..at + 4].copy_from_slice(&value.to_be_bytes());
        bytes
    };
    let cases = [
        ("a text", b"id,category,name\n1,C,N\n".to_vec(), "not a panel's database"),
        ("a long text", b"key,value\n".repeat(1000), "not a panel's database"),
        ("one byte", vec![0], "not a panel's database"),
        ("another database", foreign("CREATE TABLE t (a)"), "not a panel's database"),
        (
            "another database in WAL mode",
            foreign("PRAGMA journal_mode = WAL; CREATE TABLE t (a)"),
            "not a panel's database",
        ),
        ("another application's", with_field(68, 0x1234), "not a panel's database"),
        ("a panel's first bytes", panel[..99].to_vec(), "not a panel's database"),
        ("a later panel's", with_field(60, 99), "was written by a newer version (schema 99"),
    ];
    for (what, bytes, reason) in cases {
        let (folder, path) = folder();
        std::fs::write(&path, &bytes).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let Err(error) = open(&path) else { panic!("{what} was opened") };
        assert!(error.to_string().contains(reason), "{what}: {error}");
        let output = cli(&path, &["user", "list"]);
        assert_eq!(output.status.code(), Some(1), "{what}");
        assert!(stderr(&output).contains(reason), "{what}: {}", stderr(&output));
        assert_eq!(
            files(folder.path()),
            BTreeMap::from([("panel.db".to_owned(), bytes)]),
            "{what}"
        );
        assert_eq!(mode(&path), 0o640, "{what}");
    }
}

#[test]
fn a_truncated_panel_is_refused_and_left_as_it_is() {
    file_only!("about the file itself");
    let (folder, path) = small_panel();
    let half = std::fs::read(&path).unwrap();
    let half = &half[..half.len() / 2];
    std::fs::write(&path, half).unwrap();
    assert!(matches!(open(&path), Err(OpenError::Database(_))));
    assert_eq!(files(folder.path())["panel.db"], half);
    assert_eq!(cli(&path, &["check"]).status.code(), Some(74));
    assert_eq!(files(folder.path())["panel.db"], half);
}

#[test]
fn a_newer_version_that_only_the_wal_knows_is_refused_too() {
    file_only!("about the file itself");
    let (_live, path) = small_panel();
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch("PRAGMA user_version = 99").unwrap();
    let (folder, copy) = crash(&path);
    let before = files(folder.path());
    assert!(matches!(open(&copy), Err(OpenError::Newer { found: 99, known: 5, .. })));
    let after = files(folder.path());
    for name in ["panel.db", "panel.db-wal"] {
        assert!(after[name] == before[name], "{name} was changed");
    }
}

/// What a crash now would leave of a file that is open.
fn crash(path: &Path) -> (TempDir, PathBuf) {
    let (folder, copy) = folder();
    for suffix in ["", "-wal"] {
        let with_suffix = |path: &Path| format!("{}{suffix}", path.display());
        std::fs::copy(with_suffix(path), with_suffix(&copy)).unwrap();
    }
    (folder, copy)
}

#[test]
fn an_absent_or_empty_file_becomes_a_panel() {
    let (_folder, path) = folder();
    let refused = Store::open(engine::place(&path), Missing::Refuse, Clock::System);
    assert!(matches!(refused, Err(OpenError::NotFound(_))));
    assert!(!path.exists());
    for is_there in [false, true] {
        let (_folder, path) = folder();
        if is_there {
            std::fs::write(&path, "").unwrap();
        }
        let store = open(&path).unwrap();
        store.write_blocking(create_user("ann")).unwrap();
        assert_eq!(store.check().unwrap(), []);
        assert_eq!(store.page(check::quick).unwrap(), []);
    }
}

#[test]
fn what_was_acknowledged_survives_a_crash() {
    file_only!("about the file itself");
    let (_live, path) = folder();
    let store = open(&path).unwrap();
    let user = store.write_blocking(create_user("ann")).unwrap();
    store.write_blocking(deposit(user)).unwrap();
    let (_folder, copy) = crash(&path);
    let found = open(&copy).unwrap().page(|db| users::get_named(db, "ann")).unwrap();
    assert_eq!(found.balance, Money::parse("5").unwrap());
    assert_eq!(check_file(&copy).unwrap(), []);
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// The modes of all files that belong to a panel.
fn modes(folder: &Path) -> BTreeMap<String, u32> {
    files(folder).into_keys().map(|name| (name.clone(), mode(&folder.join(name)))).collect()
}

#[test]
fn nobody_else_can_read_a_panels_files() {
    file_only!("about the file itself");
    let serve = |(folder, path): &(TempDir, PathBuf), name| {
        let store = Store::open_as_server(engine::place(path), Clock::manual(EPOCH), 1).unwrap();
        store.write_blocking(create_user(name)).unwrap();
        let private = ["panel.db", "panel.db-shm", "panel.db-wal", "panel.db.lock"];
        let private = private.map(|name| (name.to_owned(), 0o600));
        assert_eq!(modes(folder.path()), BTreeMap::from(private));
        store
    };
    let fresh = folder();
    let _serving = serve(&fresh, "ann");

    // Also where somebody has left them readable: an empty file, and all that a crash leaves.
    let (empty, crashed) = (folder(), crash(&fresh.1));
    for path in [&empty.1, &crashed.1] {
        for suffix in ["", "-wal", ".lock"] {
            let name = format!("{}{suffix}", path.display());
            std::fs::OpenOptions::new().create(true).append(true).open(&name).unwrap();
            std::fs::set_permissions(name, Permissions::from_mode(0o644)).unwrap();
        }
    }
    serve(&empty, "ann");
    serve(&crashed, "bob");
}

#[test]
fn a_file_has_one_server() {
    file_only!("about the file itself");
    let panel = Panel::start();
    let second = Store::open_as_server(engine::place(panel.db()), Clock::System, 1);
    assert!(matches!(second, Err(OpenError::Locked(_))));
    let output = cli(panel.db(), &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("is in use by another panelite"), "{}", stderr(&output));
    // The command line is no server: it works beside one.
    assert!(panel.cli(&["user", "create", "ann"]).status.success());
    panel.store().page(|db| users::get_named(db, "ann")).unwrap();
}

#[test]
fn what_is_written_down_stays() {
    let (_folder, path) = small_panel();
    for (sql, message) in [
        ("UPDATE postings SET note = 'x'", "postings are never changed"),
        ("DELETE FROM postings", "postings are never deleted"),
        ("UPDATE audit SET change = 'x'", "the audit log is never changed"),
        ("DELETE FROM audit", "the audit log is never shortened"),
    ] {
        assert_eq!(engine::refusal(&path, sql), message, "{sql}");
    }
}

// ----------------------------------------------------------------------------------------- writer

/// Holds the writer until told to go on, so that a test decides what waits behind it.
struct Hold {
    held: Mutex<Sender<()>>,
    released: Mutex<Receiver<()>>,
}

impl Command for Hold {
    type Reply = ();

    fn run(&self, _: &Tx<'_>) -> Result<()> {
        // A rollback runs the command again, when nobody waits for it any more.
        let _ = self.held.lock().unwrap().send(());
        let _ = self.released.lock().unwrap().recv();
        Ok(())
    }
}

/// Stops the writer inside a command. It goes on when the sender is used or dropped.
fn hold(store: &Store) -> Sender<()> {
    let (held, is_held) = channel();
    let (release, released) = channel();
    store.write_soon(Hold { held: Mutex::new(held), released: Mutex::new(released) });
    is_held.recv().unwrap();
    release
}

/// Adds a user without looking whether the name is free: what a command must never do.
struct Careless(&'static str);

impl Command for Careless {
    type Reply = UserId;

    fn run(&self, tx: &Tx<'_>) -> Result<UserId> {
        users::insert(tx, self.0)
    }
}

/// Puts a command into the queue; its answer comes when the future is awaited.
fn queue<C: Command>(
    store: &Store,
    command: C,
) -> Pin<Box<impl Future<Output = Result<C::Reply>> + use<'_, C>>> {
    let mut answer = Box::pin(store.write(command));
    let first_look = answer.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(first_look.is_pending(), "nothing is answered while the writer is held");
    answer
}

fn wait<T>(answer: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(answer)
}

#[test]
fn a_failed_command_harms_only_itself() {
    let (_folder, path) = folder();
    let store = open(&path).unwrap();
    store.write_blocking(create_user("taken")).unwrap();

    let release = hold(&store);
    let good = |number: i64| queue(&store, create_user(&format!("user {number}")));
    let before: Vec<_> = (1..=25).map(good).collect();
    let refused = queue(&store, create_user("taken"));
    let failed = queue(&store, Careless("taken"));
    let after: Vec<_> = (26..=50).map(good).collect();
    drop(release);

    let ids = before.into_iter().chain(after).map(|answer| wait(answer).unwrap());
    assert_eq!(ids.collect::<HashSet<_>>().len(), 50);
    assert!(matches!(
        wait(refused),
        Err(Error::Refused(Refusal::Operator(OperatorRefusal::NameTaken)))
    ));
    assert!(matches!(wait(failed), Err(Error::Storage(_))));
    assert!(!*store.failed().borrow(), "one failed statement is no reason to stop");

    let users = store.page(|db| users::list(db, None, 1000)).unwrap();
    assert_eq!(users.len(), 51);
    // The account that the failed command had already made is gone with it.
    assert_eq!(store.check().unwrap(), []);
}

#[test]
fn a_full_queue_is_overload() {
    let panel = Panel::start();
    panel.services(&["1,C,Service,Default,2.50,50,3000,0,0,1"]);
    let ann = panel.reseller("ann", "100");
    ann.balance(); // the key's use is noted before the queue is full

    let release = hold(panel.store());
    let mut queued = 0;
    while panel.store().write(create_user(&format!("user {queued}"))).now_or_never().is_none() {
        queued += 1;
    }
    let refused = panel.store().write(create_user("one more")).now_or_never();
    assert!(matches!(refused, Some(Err(Error::Busy))));
    assert_eq!(queued, QUEUE_MAX);
    let add = r#"{"key":"KEY","action":"add","service":1,"link":"x","quantity":1000}"#;
    let reply = ann.v2(add);
    let text = r#"{"error":"Service temporarily unavailable"}"#;
    assert_eq!((reply.status, reply.text()), (503, text));
    assert!(reply.header("retry-after").is_some());
    assert_eq!(ann.balance(), "100.00", "reads go on");
    drop(release);

    // What was taken is done, also when nobody waits for it any more.
    panel.store().write_blocking(create_user("last")).unwrap();
    let users = panel.store().page(|db| users::list(db, None, 2000)).unwrap();
    assert_eq!(users.len(), QUEUE_MAX + 2);
    assert_eq!(ann.v2(add).status, 200);
}

/// Says what time it is for a command.
struct Now;

impl Command for Now {
    type Reply = Timestamp;

    fn run(&self, tx: &Tx<'_>) -> Result<Timestamp> {
        Ok(tx.now)
    }
}

#[test]
fn time_never_runs_backwards() {
    let (_folder, path) = folder();
    let clock = Clock::manual(EPOCH);
    let store = Store::open(engine::place(&path), Missing::Create, clock.clone()).unwrap();
    for (moved, seen) in [(0, 0), (60, 60), (-3600, 60), (3599, 60), (2, 61)] {
        clock.advance(moved);
        assert_eq!(store.write_blocking(Now).unwrap(), Timestamp(EPOCH + seen));
    }
}

#[test]
fn a_look_is_at_one_moment() {
    let (_folder, path) = folder();
    let store = open(&path).unwrap();
    let count = |db: &Read<'_>| Ok(users::list(db, None, 10)?.len());
    let seen = store.point(|db| {
        let before = (count(db)?, db.versions()?);
        store.write_blocking(create_user("ann"))?;
        Ok((before, (count(db)?, db.versions()?)))
    });
    let (before, after) = seen.unwrap();
    assert_eq!(before, after);
    assert_eq!(store.page(count).unwrap(), before.0 + 1);
}
