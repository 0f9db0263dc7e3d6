//! The audit log: who changed what, from where. It is only ever added to.

use askama::Template;

use super::gate::Cx;
use super::reply::{Answer, encoded};
use super::shell::{Nav, Shell};
use crate::store::audit::{self, Filter, Written};
use crate::store::page::Page;

const SIZES: [i64; 3] = [50, 100, 200];
const TEXT_LENGTH_MAX: usize = 200;

#[derive(Template)]
#[template(path = "admin/audit.html", blocks = ["list"])]
struct AuditPage {
    shell: Shell,
    filter: Filter,
    /// Who has ever done anything: as it is stored, and as people say it.
    actors: Vec<(String, String)>,
    /// What has ever been done.
    verbs: Vec<String>,
    page: Page<Written>,
}

impl AuditPage {
    fn is_filtered(&self) -> bool {
        let Filter { actor, verb, object, .. } = &self.filter;
        [actor, verb, object].iter().any(|text| !text.is_empty())
    }

    fn older(&self) -> Option<String> {
        let last = self.page.rows.last().filter(|_| self.page.has_older)?;
        Some(format!("{}&older={}", self.address(), last.id))
    }

    fn newer(&self) -> Option<String> {
        let first = self.page.rows.first().filter(|_| self.page.has_newer)?;
        Some(format!("{}&newer={}", self.address(), first.id))
    }

    fn address(&self) -> String {
        let Filter { actor, verb, object, size, .. } = &self.filter;
        let [actor, verb, object] = [actor, verb, object].map(|text| encoded(text));
        format!("/admin/audit?actor={actor}&verb={verb}&object={object}&size={size}")
    }
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
pub(super) async fn list(cx: &mut Cx) -> Answer {
    let text = |name: &str| cx.form.get(name).chars().take(TEXT_LENGTH_MAX).collect();
    let filter = Filter {
        actor: text("actor"),
        verb: text("verb"),
        object: text("object"),
        cursor: cx.cursor(),
        size: cx.size(&SIZES),
    };
    let asked = filter.clone();
    let (actors, verbs, page) = cx
        .read(move |db| Ok((audit::actors(db)?, audit::verbs(db)?, audit::page(db, &asked)?)))
        .await?;
    let shell = cx.shell("Audit", Nav::Audit);
    let page = AuditPage { shell, filter, actors, verbs, page };
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
