//! `backup` and `restore`: sound copies of a panel in use, put back only where that is safe.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::fixture::engine::{Held, file_only};
use crate::fixture::panel::{cli, stderr, stdout};
use crate::fixture::server::{Buyer, Load, Server, Shop};

fn back_up(shop: &Shop, name: &str) -> PathBuf {
    let target = shop.folder.path().join(name);
    let output = cli(&shop.db, &["backup", target.to_str().unwrap()]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).contains("panel.db.key"), "says nothing of the key");
    target
}

/// Restores, and says what was printed on standard error if that was refused.
fn restore(db: &Path, backup: &Path) -> Result<(), String> {
    let output = cli(db, &["restore", backup.to_str().unwrap()]);
    if output.status.success() {
        assert!(stdout(&output).contains(".key"), "says nothing of the key");
        return Ok(());
    }
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    Err(stderr(&output))
}

/// Buys so many orders on a server that runs only for that.
fn buy(shop: &Shop, name: &str, orders: usize) {
    let server = Server::start(&shop.db);
    let mut buyer = Buyer::connect(server.address, &shop.key);
    for number in 0..orders {
        assert!(buyer.buy(&format!("{name}-{number}")).is_some());
    }
    drop(buyer);
    assert_eq!(server.terminate().code(), Some(0));
}

/// The names in the shop's folder, all of which nobody else may read.
fn files(shop: &Shop) -> Vec<String> {
    let files = std::fs::read_dir(shop.folder.path()).unwrap().map(|file| {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        let name = file.file_name().into_string().unwrap();
        assert!(name == "services.csv" || mode == 0o600, "{name} has mode {mode:o}");
        name
    });
    let mut files: Vec<String> = files.collect();
    files.sort();
    files
}

#[test]
fn a_backup_under_load_holds_what_was_acknowledged_before() {
    file_only!("a server is copied by its own tools");
    let shop = Shop::new();
    let server = Server::start(&shop.db);
    let load = Load::start(&shop, server.address, 4, "load");
    let before = load.wait_for(150);
    let backup = back_up(&shop, "backup.db");
    let during = load.wait_for(50);
    assert_eq!(during.len(), 50, "no more orders after the backup");
    load.finish();
    server.kill();
    shop.assert_sound();

    let other = shop.folder.path().join("other.db");
    restore(&other, &backup).unwrap();
    assert_eq!(stdout(&cli(&other, &["check"])), "sound\n");
    let server = Server::start(&other);
    let mut buyer = Buyer::connect(server.address, &shop.key);
    for sent in &before {
        assert_eq!(buyer.buy(&sent.request_id), sent.answer, "{sent:?} is not in the backup");
    }
    drop(buyer);
    assert_eq!(server.terminate().code(), Some(0));
    assert!(files(&shop).iter().all(|name| !name.contains(".part")), "{:?}", files(&shop));
}

#[test]
fn a_backup_replaces_nothing_and_a_cut_off_one_is_no_obstacle() {
    file_only!("a server is copied by its own tools");
    let shop = Shop::new();
    let backup = back_up(&shop, "backup.db");
    let bytes = std::fs::read(&backup).unwrap();
    let again = cli(&shop.db, &["backup", backup.to_str().unwrap()]);
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).contains("exists"), "{}", stderr(&again));
    assert_eq!(std::fs::read(&backup).unwrap(), bytes);

    for (name, content) in [("second.db.part", &b"half"[..]), ("second.db.part-journal", b"x")] {
        std::fs::write(shop.folder.path().join(name), content).unwrap();
    }
    let second = back_up(&shop, "second.db");
    assert_eq!(stdout(&cli(&second, &["check"])), "sound\n");

    let nowhere = cli(&shop.folder.path().join("none.db"), &["backup", "/nowhere/backup.db"]);
    assert_eq!(nowhere.status.code(), Some(1), "{}", stderr(&nowhere));
    let failed = cli(&shop.db, &["backup", "/nowhere/backup.db"]);
    assert_eq!(failed.status.code(), Some(74), "{}", stderr(&failed));
}

#[test]
fn a_restore_brings_back_the_backup_and_keeps_what_was_there() {
    file_only!("a server is copied by its own tools");
    let shop = Shop::new();
    buy(&shop, "old", 3);
    let backup = back_up(&shop, "backup.db");
    let bytes = std::fs::read(&backup).unwrap();
    buy(&shop, "new", 4);

    let server = Server::start(&shop.db);
    let refused = restore(&shop.db, &backup).unwrap_err();
    assert!(refused.contains("in use"), "{refused}");
    server.kill();

    restore(&shop.db, &backup).unwrap();
    assert_eq!(shop.orders_paid(), 3);
    shop.assert_sound();
    buy(&shop, "new", 1); // the same request id as before: the old content is really gone
    assert_eq!(shop.orders_paid(), 4);

    restore(&shop.db, &backup).unwrap();
    assert_eq!(shop.orders_paid(), 3);
    assert_eq!(std::fs::read(&backup).unwrap(), bytes, "the backup was changed");
    let kept = |name: &str| {
        let kept = Shop { db: Held::new(shop.folder.path().join(name)), ..Shop::new() };
        kept.assert_sound();
        kept.orders_paid()
    };
    assert_eq!(kept("panel.db.before-restore.1"), 7);
    assert_eq!(kept("panel.db.before-restore"), 4);
    assert!(files(&shop).iter().all(|name| !name.contains(".part")), "{:?}", files(&shop));
}

#[test]
fn a_restore_refuses_what_is_no_sound_panel() {
    file_only!("a server is copied by its own tools");
    let shop = Shop::new();
    buy(&shop, "order", 2);
    let damaged = |name: &str, sql: &str| {
        let backup = back_up(&shop, name);
        Connection::open(&backup).unwrap().execute_batch(sql).unwrap();
        backup
    };
    let text = shop.folder.path().join("text.db");
    std::fs::write(&text, "not a database").unwrap();
    std::fs::set_permissions(&text, PermissionsExt::from_mode(0o600)).unwrap();
    let refused = [
        (shop.folder.path().join("missing.db"), "there is no panel"),
        (text, "not a panel's database"),
        (damaged("foreign.db", "PRAGMA application_id = 7"), "not a panel's database"),
        (damaged("newer.db", "PRAGMA user_version = 99"), "newer version"),
        (damaged("money.db", "UPDATE accounts SET balance_micros = 9 WHERE id = 2"), "not sound"),
        (damaged("guard.db", "DROP TRIGGER postings_stay"), "not sound"),
    ];
    let bytes = std::fs::read(&shop.db).unwrap();
    for (backup, why) in refused {
        let refusal = restore(&shop.db, &backup).unwrap_err();
        assert!(refusal.contains(why), "{}: {refusal}", backup.display());
        assert_eq!(std::fs::read(&shop.db).unwrap(), bytes, "{} changed it", backup.display());
    }
    let files = files(&shop);
    assert!(files.iter().all(|name| !name.contains("restore")), "{files:?}");
}

#[test]
fn a_restore_leaves_alone_what_is_not_ours() {
    file_only!("a server is copied by its own tools");
    let shop = Shop::new();
    let backup = back_up(&shop, "backup.db");
    let diary = shop.folder.path().join("diary.txt");
    std::fs::write(&diary, "dear diary").unwrap();
    let refusal = restore(&diary, &backup).unwrap_err();
    assert!(refusal.contains("not a panel's database"), "{refusal}");
    assert_eq!(std::fs::read_to_string(&diary).unwrap(), "dear diary");
}
