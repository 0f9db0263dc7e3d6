//! What the panel finds out about itself: the disk, the books, backups, orders that stand still.

use panelite::delivery::alerts::channels::World;
use panelite::domain::outcome::Outcome;

use crate::fixture::engine::file_only;
use crate::fixture::panel::{Panel, stderr};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

fn frees(panel: &Panel, bytes: u64) {
    panel.delivery().pretend(World { free_bytes: Some(bytes), ..World::default() });
    panel.clock.advance(60);
    panel.deliver();
}

fn execute(panel: &Panel, sql: &str) {
    panel.sql(sql);
}

#[test]
fn a_disk_that_fills_up_is_told_and_at_last_nothing_is_sent() {
    let panel = Panel::start();
    panel.sells_through(20);
    frees(&panel, 2 << 30);
    assert!(panel.open_conditions().is_empty());
    frees(&panel, (1 << 30) - 1);
    assert_eq!(panel.open_conditions(), ["panel: Disk"]);
    frees(&panel, (1 << 30) + 1);
    assert_eq!(panel.open_conditions(), ["panel: Disk"], "it does not come and go");

    frees(&panel, (64 << 20) - 1);
    let order = panel.reseller("ann", "100").buys(20, 10);
    panel.deliver();
    let page = panel.operator("olga").see(&format!("/admin/orders/{order}"));
    assert!(page.contains("Pending"), "{page}");
    let list = String::from_utf8(panel.cli(&["alert", "list"]).stdout).unwrap();
    assert!(list.contains("Nothing is sent to providers until there is room"), "{list}");
    assert!(
        panel
            .delivery()
            .calls()
            .list(panelite::domain::ProviderId(1))
            .iter()
            .all(|call| call.action != "add")
    );

    frees(&panel, 2 << 30);
    assert!(!panel.open_conditions().contains(&"panel: Disk".to_owned()));
    let calls = panel.delivery().calls().list(panelite::domain::ProviderId(1));
    assert!(calls.iter().any(|call| call.action == "add"), "what waited is sent");
}

#[test]
fn a_backup_is_asked_for_after_a_week_and_remembered() {
    file_only!("a server is copied by its own tools");
    let panel = Panel::start();
    panel.reseller("ann", "1");
    panel.clock.advance(7 * DAY);
    panel.deliver();
    assert!(panel.open_conditions().is_empty());
    panel.clock.advance(HOUR);
    panel.deliver();
    assert_eq!(panel.open_conditions(), ["panel: Backup"]);
    let target = panel.db().with_file_name("copy.db");
    let output = panel.cli(&["backup", target.to_str().unwrap()]);
    assert!(output.status.success() && stderr(&output).is_empty(), "{}", stderr(&output));
    assert!(panel.open_conditions().is_empty());
    let output = panel.cli(&["setting", "list"]);
    let list = String::from_utf8(output.stdout).unwrap();
    assert!(list.contains("backed_up_at\t1") || list.contains("backed_up_at\t2"), "{list}");
}

#[test]
fn the_books_are_checked_once_a_day() {
    let panel = Panel::start();
    panel.deliver();
    execute(&panel, "INSERT INTO settings (key, value) VALUES ('mood', 'good')");
    panel.clock.advance(HOUR);
    panel.deliver();
    assert_eq!(panel.open_conditions(), ["books: Books"]);
    let page = panel.operator("olga").see("/admin/alerts");
    assert!(page.contains("1 finding: setting: mood cannot be good"), "{page}");
    execute(&panel, "DELETE FROM settings WHERE key = 'mood'");
    panel.clock.advance(HOUR);
    panel.deliver();
    assert_eq!(panel.open_conditions(), ["books: Books"], "not looked at again yet");
    panel.clock.advance(DAY);
    panel.deliver();
    assert!(panel.open_conditions().is_empty());
}

#[test]
fn orders_that_stand_still_are_told_by_service() {
    let panel = Panel::start();
    let north = panel.sells_through(20);
    let ann = panel.reseller("ann", "100");
    let slow = |panel: &Panel| {
        let open = panel.open_conditions();
        open.into_iter().filter(|it| it.ends_with("Slow")).collect::<Vec<_>>()
    };
    for their_id in ["501", "502"] {
        ann.buys(20, 10);
        panel.sends(north, Outcome::Accepted { their_id: their_id.to_owned() });
    }
    panel.deliver();
    panel.clock.advance(DAY - 1);
    panel.deliver();
    assert!(slow(&panel).is_empty());
    panel.clock.advance(HOUR);
    panel.deliver();
    assert_eq!(slow(&panel), ["service 20: Slow"]);
    let list = String::from_utf8(panel.cli(&["alert", "list"]).stdout).unwrap();
    assert!(list.contains("#20 Bought likes\t2 orders have not moved"), "{list}");

    execute(&panel, "INSERT INTO paces (service_id, completed, seconds) VALUES (20, 9, 86400)");
    panel.clock.advance(HOUR);
    panel.deliver();
    assert!(slow(&panel).is_empty(), "such a service takes its time");
    panel.clock.advance(2 * DAY);
    panel.deliver();
    assert_eq!(slow(&panel), ["service 20: Slow"]);
}
