//! A new user.

use askama::Template;

use crate::admin::frame::answer::Answer;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::form::Form;
use crate::admin::frame::shell::{Nav, Shell, Toast};
use crate::commands::accounts::CreateUser;

#[derive(Template)]
#[template(path = "admin/users/new.html")]
struct NewUserPage {
    shell: Shell,
    form: Form,
}

/// The form.
pub(crate) async fn show(cx: &mut Cx) -> Answer {
    let page = NewUserPage { shell: cx.shell("New user", Nav::Users), form: cx.form.clone() };
    cx.page(&page)
}

/// Adds a user; adding funds is next.
pub(crate) async fn create(cx: &mut Cx) -> Answer {
    let name = cx.form.required("name", "Enter a name");
    if cx.form.is_sound() {
        let create = CreateUser { actor: cx.actor()?, name: name.clone() };
        if let Some(id) = cx.try_write(create).await? {
            let toast = format!("User {name} added. Add funds, then create an API key");
            return cx.go(&format!("/admin/users/{id}?add=funds"), Toast::new(toast));
        }
    }
    let page = NewUserPage { shell: cx.shell("New user", Nav::Users), form: cx.form.clone() };
    cx.refused_page(&page)
}
