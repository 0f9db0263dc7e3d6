//! The audit log: who changed what, from where. It is only ever added to.

use askama::Template;

use crate::admin::frame::answer::Answer;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::figure::grouped_in;
use crate::admin::frame::list::{Address, List, Size};
use crate::admin::frame::shell::{Nav, Shell};
use crate::admin::frame::verb::{Named, path, plain};
use crate::store::audit::{self, Filter, Written};
use crate::store::page::Page;
use crate::store::{self, Read, together};

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
    list: List<Row>,
}

/// A row, and what it says for people.
struct Row {
    written: Written,
    what: String,
    change: String,
}

fn rows(db: &Read<'_>, filter: &Filter) -> store::Result<Page<Row>> {
    let Page { rows, has_newer, has_older } = audit::page(db, filter)?;
    let named = Named::load(db, &rows)?;
    let row = |written: Written| {
        // Who logs in is the actor already.
        let change = if written.change == written.actor { "" } else { &written.change };
        Row { what: named.told(&written), change: grouped_in(change), written }
    };
    Ok(Page { rows: rows.into_iter().map(row).collect(), has_newer, has_older })
}

/// The list.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    let text = |name| cx.form.text(name, TEXT_LENGTH_MAX);
    let (actor, verb, object) = (text("actor"), text("verb"), text("object"));
    let (cursor, size) = (cx.cursor(), cx.size());
    let filter = Filter { actor, verb, object, cursor, size: size.rows };
    let asked = filter.clone();
    let (actors, verbs, page) = cx
        .read(move |db| Ok(together!(db: audit::actors(db), audit::verbs(db), rows(db, &asked))))
        .await?;
    let address = Address::new(PATH)
        .with("actor", &filter.actor)
        .with("verb", &filter.verb)
        .with("object", &filter.object)
        .with("size", size.rows);
    let list = List::new(page, address, |row| row.written.id);
    let shell = cx.shell("Audit", Nav::Audit);
    let page = AuditPage { shell, filter, actors, verbs, size, list };
    cx.list(&page, &page.as_list())
}
