//! A full shop to look at: the sample shop, and what is long, large or rare in a real one.

use panelite::commands::catalog_csv;
use panelite::commands::demo::{CATALOGUE, FillDemo};
use panelite::commands::orders::{CancelOrders, RequestRefills, SetRefill};
use panelite::domain::refill::RefillStatus;
use panelite::domain::{Actor, KeyId, OrderId, RefillId, UserId};
use panelite::password::Cost;
use panelite::secret::{self, KeyHash, Secret};

use crate::operator::PASSWORD;
use crate::panel::Panel;

/// The sample shop's admin, whose password is [`PASSWORD`].
pub(crate) const ADMIN: &str = panelite::commands::demo::ADMIN;

const USERS: i64 = 60;

/// The sample shop, and more users than a page has rows. Alice, the first, has all a user can have.
pub(crate) fn shop() -> Panel {
    let panel = Panel::start();
    let kept = || {
        let key = secret::new_api_key();
        (KeyHash::of(key.expose()), secret::shown_prefix(&key).to_owned())
    };
    let fill = FillDemo {
        drafts: catalog_csv::read(CATALOGUE.as_bytes()).unwrap(),
        password_hash: Cost::CHEAP.hash(&Secret::new(PASSWORD.to_owned())),
        alice_key: kept(),
        bob_key: kept(),
    };
    panel.store().write_blocking(fill).unwrap();
    requests(&panel);

    let mut admin = panel.log_in(ADMIN);
    let long = "a-name-as-long-as-names-can-be-and-not-one-blank-in-all-of-it";
    admin.post("/admin/users", &[("name", long)]);
    for number in 0..USERS {
        admin.post("/admin/users", &[("name", &format!("reseller {number}"))]);
    }
    admin.post("/admin/users/2/suspend", &[]);
    let note = "Pays by bank transfer, late.\n".repeat(12);
    admin.post("/admin/users/1/note", &[("note", &note)]);
    admin.post("/admin/users/1/terms", &[("discount", "12.5"), ("credit_limit", "2500")]);
    admin.post("/admin/users/1/rates", &[("service", "1"), ("rate", "0.123456")]);
    admin.post("/admin/users/1/keys", &[("label", &long.repeat(2)[..100])]);
    admin.post_and_confirm("/admin/users/1/keys/3/revoke", &[]);
    let correction = [("kind", "correct-down"), ("amount", "0.000001"), ("note", long)];
    admin.post_and_confirm("/admin/users/1/funds", &correction);
    panel
}

/// Alice wants some orders refilled, each in another state, and those under way canceled.
fn requests(panel: &Panel) {
    let (user, actor) = (UserId(1), Actor::CommandLine);
    let orders = (11..=15).map(OrderId).collect();
    panel.store().write_blocking(RequestRefills { user, orders }).unwrap();
    let states = [
        (2, RefillStatus::InProgress),
        (3, RefillStatus::Completed),
        (4, RefillStatus::Rejected),
        (5, RefillStatus::Error),
    ];
    for (refill, status) in states {
        let (actor, refill) = (actor.clone(), RefillId(refill));
        panel.store().write_blocking(SetRefill { actor, refill, status }).unwrap();
    }
    let cancel = CancelOrders { user, key: KeyId(1), orders: vec![OrderId(2), OrderId(3)] };
    panel.store().write_blocking(cancel).unwrap();
}
