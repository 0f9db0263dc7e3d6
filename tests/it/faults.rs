//! A disk that fails, a disk that is full, a clock that jumps, a second server.
//!
//! The faults come from a small library in C that is loaded before libc (`faults.c`), so that the
//! process under test is the real one. Without a C compiler those tests say so and do nothing.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use panelite::clock::Clock;
use panelite::domain::condition::ConditionKind;
use panelite::store::{Missing, Store, conditions};

use crate::delivery_crash;
use crate::fixture::engine::{self, file_only};
use crate::fixture::panel::{Panel, cli, stderr};
use crate::fixture::server::{Buyer, Load, Sent, Server, Shop};

/// A shop on a disk whose faults are switched on and off.
struct Disk {
    shop: Shop,
    library: PathBuf,
    switch: PathBuf,
}

impl Disk {
    /// `None` where there is no C compiler.
    fn new() -> Option<Self> {
        Self::of(Shop::new())
    }

    /// The same for a shop that is open already.
    fn of(shop: Shop) -> Option<Self> {
        let folder = shop.folder.path();
        let (library, switch) = (folder.join("faults.so"), folder.join("faults.switch"));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixture/faults.c");
        let compiler = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
            .args([&library, &source])
            .status();
        let Ok(status) = compiler else {
            // Past the test harness, which hides what a passing test prints.
            let text = "\nNO C COMPILER (cc): FAULTS OF THE DISK ARE NOT TESTED\n\n";
            std::io::stderr().write_all(text.as_bytes()).unwrap();
            return None;
        };
        assert!(status.success(), "faults.c does not compile");
        let disk = Self { shop, library, switch };
        disk.fails("-");
        Some(disk)
    }

    /// From now on calls fail as `faults.c` says.
    fn fails(&self, how: &str) {
        std::fs::write(&self.switch, how).unwrap();
    }

    fn serve(&self) -> Server {
        self.serve_on(&self.shop.db)
    }

    /// A server whose disk has faults with files that begin like that.
    fn serve_on(&self, files: &Path) -> Server {
        let path = |path: &Path| path.to_str().unwrap().to_owned();
        let environment = [
            ("LD_PRELOAD", path(&self.library)),
            ("FAULTS_ON", path(files)),
            ("FAULTS_BY", path(&self.switch)),
        ];
        let environment = environment.each_ref().map(|(name, value)| (*name, value.as_str()));
        Server::start_with(&self.shop.db, &environment)
    }

    /// Every order that was acknowledged is there, under its request id.
    fn assert_kept(&self, server: &Server, sent: &[Sent]) {
        let mut buyer = Buyer::connect(server.address, &self.shop.key);
        for Sent { request_id, answer } in sent {
            assert_eq!(buyer.buy(request_id), *answer, "{request_id}");
        }
    }
}

/// With syncs or writes failing nothing is acknowledged, the process ends with 74, and what was
/// acknowledged before is there at the next start.
fn a_broken_disk_ends_the_process(how: &str) {
    let Some(disk) = Disk::new() else { return };
    let server = disk.serve();
    let mut buyer = Buyer::connect(server.address, &disk.shop.key);
    let before = (0..20).map(|number| {
        let request_id = format!("before-{number}");
        let answer = buyer.buy(&request_id);
        Sent { request_id, answer }
    });
    let before: Vec<Sent> = before.collect();

    disk.fails(how);
    let mut buyers: Vec<Buyer> =
        (0..8).map(|_| Buyer::connect(server.address, &disk.shop.key)).collect();
    for (number, buyer) in buyers.iter_mut().enumerate() {
        let reply = buyer.add(&format!("during-{number}"));
        let status = reply.map(|reply| reply.status);
        assert!(matches!(status, None | Some(500 | 503)), "acknowledged: {status:?}");
    }
    assert_eq!(server.wait().code(), Some(74));

    disk.fails("-");
    let server = disk.serve();
    disk.assert_kept(&server, &before);
    // Unknown is not failed: under its request id each is bought once, then or now.
    let mut buyer = Buyer::connect(server.address, &disk.shop.key);
    let bought: Vec<Option<i64>> =
        (0..8).map(|number| buyer.buy(&format!("during-{number}"))).collect();
    assert!(bought.iter().all(Option::is_some), "{bought:?}");
    assert_eq!(server.terminate().code(), Some(0));
    assert_eq!(disk.shop.orders_paid(), before.len() + bought.len());
    disk.shop.assert_sound();
}

#[test]
fn a_failed_sync_ends_the_process() {
    file_only!("the disk is the server's");
    a_broken_disk_ends_the_process("s");
}

#[test]
fn a_failed_write_ends_the_process() {
    file_only!("the disk is the server's");
    a_broken_disk_ends_the_process("w");
}

#[test]
fn a_failed_sync_under_load_loses_nothing_acknowledged() {
    file_only!("the disk is the server's");
    let Some(disk) = Disk::new() else { return };
    let server = disk.serve();
    let load = Load::start(&disk.shop, server.address, 8, "load");
    let mut sent = load.wait_for(100);
    disk.fails("s");
    assert_eq!(server.wait().code(), Some(74));
    sent.extend(load.finish());

    disk.fails("-");
    let server = disk.serve();
    sent.retain(|sent| sent.answer.is_some());
    disk.assert_kept(&server, &sent);
    server.kill();
    disk.shop.assert_sound();
}

#[test]
fn a_full_disk_refuses_reads_on_and_recovers() {
    file_only!("the disk is the server's");
    let Some(disk) = Disk::new() else { return };
    let mut server = disk.serve();
    let (shop, address) = (&disk.shop, server.address);
    let mut buyer = Buyer::connect(address, &shop.key);
    assert_eq!(buyer.buy("before"), Some(1));

    disk.fails("f");
    for number in 0..10 {
        let refused = buyer.add(&format!("full-{number}")).unwrap();
        assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
        assert_eq!(refused.header("x-error-code"), Some("busy"));
        assert_eq!(refused.text(), r#"{"error":"Service temporarily unavailable"}"#);
        for body in [
            r#"{"key":"KEY","action":"status","order":"1"}"#,
            r#"{"key":"KEY","action":"balance"}"#,
            r#"{"key":"KEY","action":"services"}"#,
            "key=KEY&action=orders",
        ] {
            let reply = shop.ask(address, body);
            assert_eq!(reply.status, 200, "{body}: {}", reply.text());
        }
    }

    disk.fails("-");
    assert_eq!(buyer.buy("full-3"), Some(2), "a refused order was kept");
    assert_eq!(buyer.buy("after"), Some(3));
    assert!(server.is_running());
    assert_eq!(server.terminate().code(), Some(0));
    assert_eq!(shop.orders_paid(), 3);
    shop.assert_sound();
}

#[test]
fn a_disk_full_under_load_loses_nothing_acknowledged() {
    file_only!("the disk is the server's");
    let Some(disk) = Disk::new() else { return };
    let server = disk.serve();
    let mut buyers: Vec<Buyer> =
        (0..4).map(|_| Buyer::connect(server.address, &disk.shop.key)).collect();
    let mut sent = Vec::new();
    for round in 0..40 {
        let is_full = round % 4 == 3;
        disk.fails(if is_full { "f" } else { "-" });
        for (number, buyer) in buyers.iter_mut().enumerate() {
            let request_id = format!("{round}-{number}");
            let reply = buyer.add(&request_id).unwrap();
            assert_eq!(reply.status, if is_full { 503 } else { 200 });
            let answer = reply.json()["order"].as_str().map(|order| order.parse().unwrap());
            sent.push(Sent { request_id, answer });
        }
    }
    disk.fails("-");
    sent.retain(|sent| sent.answer.is_some());
    disk.assert_kept(&server, &sent);
    server.kill();
    assert_eq!(disk.shop.orders_paid(), sent.len());
    disk.shop.assert_sound();
}

#[test]
fn a_second_server_is_refused() {
    file_only!("the disk is the server's");
    let shop = Shop::new();
    let server = Server::start(&shop.db);
    let second = cli(&shop.db, &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.status.code(), Some(1));
    assert!(stderr(&second).contains("in use by another panelite"), "{}", stderr(&second));

    let mut buyer = Buyer::connect(server.address, &shop.key);
    assert_eq!(buyer.buy("first-server"), Some(1));
    server.kill();
    let third = Server::start(&shop.db); // the lock died with its process
    assert_eq!(third.terminate().code(), Some(0));
}

#[test]
fn a_clock_that_jumps_changes_nothing() {
    file_only!("the disk is the server's");
    let panel = Panel::start();
    panel.services(&["1,Likes,Fast likes,Default,2.50,10,100000,0,0,1"]);
    let reseller = panel.reseller("ann", "100");
    let mut last = 0;
    for seconds in [0, -86_400, 1, 40 * 365 * 86_400, -80 * 365 * 86_400, 3600, -1] {
        panel.clock.advance(seconds);
        let order = reseller.buys(1, 100);
        assert!(order > last, "order {order} after {last}");
        last = order;
        for body in [
            r#"{"key":"KEY","action":"status","order":"1"}"#,
            r#"{"key":"KEY","action":"orders"}"#,
            r#"{"key":"KEY","action":"services"}"#,
        ] {
            assert_eq!(reseller.v2(body).status, 200);
        }
        assert_eq!(
            reseller.v2(&format!(r#"{{"key":"KEY","action":"cancel","order":{order}}}"#)).status,
            200
        );
    }
    assert_eq!(reseller.balance(), "100.00");
}

#[test]
fn where_the_epoch_cannot_be_synced_nothing_leaves_until_it_can() {
    file_only!("the disk is the server's");
    let practice = delivery_crash::practice(Clock::System);
    let Some(disk) = Disk::of(delivery_crash::shop(&practice)) else { return };
    let server = disk.serve_on(&disk.shop.db.with_file_name("panel.db.epoch"));
    disk.fails("s");
    let bought = Buyer::connect(server.address, &disk.shop.key).buy("one");
    let store = Store::open(engine::place(&disk.shop.db), Missing::Refuse, Clock::System).unwrap();
    let is_told =
        || store.point(|db| conditions::is_open(db, ConditionKind::Epoch, "panel")).unwrap();
    while !is_told() {}
    assert_eq!((bought, practice.orders().len()), (Some(1), 0), "an order left");

    disk.fails("-");
    assert!(practice.wait_for_orders(1), "the order was lost");
    while is_told() {}
    drop(store);
    assert_eq!(server.terminate().code(), Some(0));
    assert_eq!(practice.orders().len(), 1);
    disk.shop.assert_sound();
}
