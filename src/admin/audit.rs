//! The audit log: who changed what, from where. It is only ever added to.

use askama::Template;

use crate::admin::frame::answer::Answer;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::list::{Address, List, Size};
use crate::admin::frame::shell::{Nav, Shell};
use crate::admin::frame::verb::{path, plain, sentence};
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
