//! The audit log: who changed what, from where. It is only ever added to.

use askama::Template;

use crate::admin::frame::answer::Answer;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::list::{Address, List, Size};
use crate::admin::frame::shell::{Nav, Shell};
use crate::store::audit::{self, Filter, Written};

const PATH: &str = "/admin/audit";
const TEXT_LENGTH_MAX: usize = 200;

#[derive(Template)]
#[template(path = "admin/audit.html", blocks = ["list"])]
struct AuditPage {
    shell: Shell,
    filter: Filter,
    /// The actors to choose from: as stored, and with the names of admins.
    actors: Vec<(String, String)>,
    /// The verbs to choose from.
    verbs: Vec<String>,
    size: Size,
    list: List<Written>,
}

/// The page of an object, where it has one.
fn path(object: &str) -> Option<String> {
    let words: Vec<&str> = object.split(' ').collect();
    let id = |at: usize| words.get(at)?.parse::<i64>().ok();
    match words.as_slice() {
        ["user", _, "posting", ..] => Some(format!("/admin/ledger/{}", id(3)?)),
        ["user", _, "key", ..] => Some(format!("/admin/users/{}/keys", id(1)?)),
        ["user", ..] => Some(format!("/admin/users/{}", id(1)?)),
        ["order", ..] => Some(format!("/admin/orders/{}", id(1)?)),
        ["service", _] => Some(format!("/admin/services/{}", id(1)?)),
        ["books"] => Some("/admin/ledger".to_owned()),
        _ => None,
    }
}

/// The list.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    let text = |name| cx.form.text(name, TEXT_LENGTH_MAX);
    let (actor, verb, object) = (text("actor"), text("verb"), text("object"));
    let (cursor, size) = (cx.cursor(), cx.size());
    let filter = Filter { actor, verb, object, cursor, size: size.rows };
    let asked = filter.clone();
    let (actors, verbs, page) = cx
        .read(move |db| Ok((audit::actors(db)?, audit::verbs(db)?, audit::page(db, &asked)?)))
        .await?;
    let address = Address::new(PATH)
        .with("actor", &filter.actor)
        .with("verb", &filter.verb)
        .with("object", &filter.object)
        .with("size", size.rows);
    let list = List::new(page, address, |row| row.id);
    let shell = cx.shell("Audit", Nav::Audit);
    let page = AuditPage { shell, filter, actors, verbs, size, list };
    cx.list(&page, &page.as_list())
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn an_object_leads_to_its_page() {
        for (object, expected) in [
            ("user 7", Some("/admin/users/7")),
            ("user 7 key 3", Some("/admin/users/7/keys")),
            ("user 7 posting 9", Some("/admin/ledger/9")),
            ("order 12", Some("/admin/orders/12")),
            ("books", Some("/admin/ledger")),
            ("user x", None),
            ("setting name", None),
            ("", None),
        ] {
            assert_eq!(path(object).as_deref(), expected, "{object}");
        }
    }
}
