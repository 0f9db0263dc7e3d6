//! What admins have written down about a user.

use askama::Template;

use super::{Head, head, path};
use crate::admin::frame::answer::Answer;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::form::Form;
use crate::admin::frame::shell::{Nav, Shell, Toast};
use crate::commands::accounts::SetUserNote;

#[derive(Template)]
#[template(path = "admin/users/note.html")]
struct NotePage {
    shell: Shell,
    tab: &'static str,
    head: Head,
    form: Form,
}

/// The note about a user.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    let head = head(cx).await?;
    let shell = cx.shell(&head.user.name, Nav::Users);
    let form = Form::filled([("note", head.note.clone())]);
    cx.page(&NotePage { shell, tab: "/note", head, form })
}

/// Saves it.
pub(crate) async fn set(cx: &mut Cx) -> Answer {
    let head = head(cx).await?;
    let note = cx.form.raw("note").replace("\r\n", "\n");
    let (actor, user) = (cx.actor()?, head.user.id);
    if cx.try_write(SetUserNote { actor, user, note }).await?.is_some() {
        return cx.go(&path(user, "/note"), Toast::new("Note saved"));
    }
    let shell = cx.shell(&head.user.name, Nav::Users);
    let page = NotePage { shell, tab: "/note", head, form: cx.form.clone() };
    cx.refused_page(&page)
}
