//! The page of a user's webhook.

use panelite::domain::UserId;
use panelite::domain::order::PublicStatus;
use panelite::store::webhooks;

use crate::fixture::operator::{Operator, value_of};
use crate::fixture::panel::Panel;
use crate::fixture::receiver::{Manner, Receiver};

const PATH: &str = "/admin/users/1/webhook";

fn shop() -> (Panel, Operator, Receiver) {
    let panel = Panel::start();
    panel.services(&["1,C,Likes,Default,2.50,1,100000,1,1,1"]);
    panel.reseller("ann", "10");
    let olga = panel.operator("olga");
    (panel, olga, Receiver::start())
}

/// Sets the webhook; the page that shows the secret.
fn set(olga: &mut Operator, receiver: &Receiver) -> String {
    let fields = [("url", receiver.url()), ("low", "5".to_owned()), ("insecure", "1".to_owned())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, it)| (*name, it.as_str())).collect();
    let reply = olga.post(PATH, &fields);
    assert!(matches!(reply.status, 200 | 303), "{}", reply.text());
    reply.text().to_owned()
}

/// The secret that a page shows.
fn secret(page: &str) -> Option<&str> {
    let (_, rest) = page.split_once("whsec_")?;
    rest.split_once('<').map(|(secret, _)| secret)
}

#[test]
fn a_secret_is_shown_once_and_kept_when_the_address_changes() {
    let (panel, mut olga, receiver) = shop();
    let page = olga.see(PATH);
    assert!(page.contains("No events in the last 7 days") && !page.contains("Replace secret"));
    let page = set(&mut olga, &receiver);
    assert_eq!(secret(&page).map(str::len), Some(44), "{page}");
    let page = olga.see(PATH);
    assert_eq!(value_of(&page, "url"), Some(receiver.url()));
    assert_eq!((value_of(&page, "low"), secret(&page)), (Some("5.00".to_owned()), None), "{page}");
    assert!(page.contains(">On<"), "{page}");
    assert_eq!(secret(&set(&mut olga, &receiver)), None, "the secret stays");

    let fields = [("seen", ""), ("confirmed", "yes")];
    let reply = olga.post(&format!("{PATH}/secret"), &fields);
    assert!(secret(reply.text()).is_some(), "{}", reply.text());
    let again = olga.post(&format!("{PATH}/secret"), &fields);
    assert!(again.status == 422 && secret(again.text()).is_none(), "{}", again.text());
    assert!(olga.see(PATH).contains("still counts until"));
    let kept = panel.store().page(|db| webhooks::find(db, UserId(1))).unwrap().unwrap();
    assert_eq!(kept.old_until.map(|until| until.0 - panel.clock.now().0), Some(86_400));
}

#[test]
fn what_was_told_is_seen_and_sent_again() {
    let (panel, mut olga, receiver) = shop();
    set(&mut olga, &receiver);
    receiver.behave(Manner::Says(410));
    let order = crate::fixture::panel::Reseller {
        address: panel.address,
        user: UserId(1),
        key: panel.new_key(UserId(1)),
    }
    .buys(1, 1000);
    panel.set(order, PublicStatus::Completed, None, None);
    panel.deliver();
    let page = olga.see(PATH);
    for text in ["Order completed", "Order 1", "Failed", "HTTP 410", ">Off<", "turn it on"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("Send again: event 1"), "{page}");
    receiver.behave(Manner::Says(204));
    set(&mut olga, &receiver);
    assert!(olga.see(PATH).contains("Send again: event 1"));
    let reply = olga.post(&format!("{PATH}/1/again"), &[]);
    assert_eq!(reply.status, 303, "{}", reply.text());
    panel.deliver();
    let page = olga.see(PATH);
    assert!(page.contains("HTTP 204") && page.contains(">Done<"), "{page}");
    assert_eq!(receiver.calls().len(), 2);
}

#[test]
fn what_is_wrong_stands_beside_its_field() {
    let (panel, mut olga, _) = shop();
    for (url, low, says) in [
        ("http://example.com/events", "", "must begin with https"),
        ("https://example.com:22/", "", "The port must be 443"),
        ("", "", "Enter an address"),
        ("https://example.com/events", "much", "Enter an amount"),
    ] {
        let reply = olga.post(PATH, &[("url", url), ("low", low)]);
        assert_eq!(reply.status, 422, "{url}: {}", reply.text());
        assert!(reply.text().contains(says), "{says}: {}", reply.text());
    }
    assert_eq!(panel.store().page(|db| webhooks::find(db, UserId(1))).unwrap(), None);
    let reply = olga.get("/admin/users/9/webhook");
    assert_eq!(reply.status, 404);
}
