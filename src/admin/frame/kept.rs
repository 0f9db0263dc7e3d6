//! A form that arrived after its session had ended: it goes along with the log-in and comes back
//! filled in. Nothing of it is done until it is sent again.

use actix_web::http::{Method, StatusCode};
use askama::Template;

use super::answer::{Answer, html, see_other};
use super::cx::Cx;
use super::shell::{Nav, Shell};
use super::table::Table;

/// A longer form is not kept.
const TEXT_BYTES_MAX: usize = 64 * 1024;

/// Secrets, and what belongs to one rendered page alone.
const NEVER: [&str; 15] = [
    "password",
    "key",
    "sealed",
    "mail_password",
    "telegram_token",
    "again",
    "proof",
    "typed",
    "code",
    "seed",
    "csrf",
    "confirmed",
    "returned",
    "back",
    "kept",
];

/// What the field is called by which a form says that it comes back.
const RETURNED: &str = "returned";

/// A form that is kept: where it was posted, and its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) path: String,
    pub(super) fields: Vec<(String, String)>,
}

impl Kept {
    /// The form of a request that came too late; nothing where there is nothing in it to lose.
    pub(super) fn of(cx: &Cx) -> Option<Self> {
        let path = cx.request.uri().path().to_owned();
        if cx.request.method() != Method::POST || !cx.table().takes_forms(&path) {
            return None;
        }
        let kept = Self { path, fields: allowed(cx.form.all()) };
        (!kept.fields.is_empty() && kept.text().len() <= TEXT_BYTES_MAX).then_some(kept)
    }

    /// What the log-in brings along, unless it is not for one of our own forms.
    fn read(cx: &Cx, table: Table) -> Option<Self> {
        let (path, text) = (cx.form.raw("back"), cx.form.raw("kept"));
        if text.is_empty() || text.len() > TEXT_BYTES_MAX || !table.takes_forms(path) {
            return None;
        }
        let fields: Vec<(String, String)> = serde_html_form::from_str(text).ok()?;
        let fields = allowed(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        Some(Self { path: path.to_owned(), fields })
    }

    /// The fields as the value of one field.
    pub(super) fn text(&self) -> String {
        serde_html_form::to_string(&self.fields).unwrap_or_default()
    }
}

fn allowed<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<(String, String)> {
    let fields = fields.filter(|(name, _)| !NEVER.contains(name));
    fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Says that nothing was sent, and leads back to the form.
#[derive(Template)]
#[template(path = "admin/frame/kept.html")]
struct ReturnPage {
    shell: Shell,
    kept: Kept,
}

impl Cx {
    pub(super) fn table(&self) -> Table {
        self.request.app_data::<Table>().copied().unwrap_or(Table(&[]))
    }

    /// Where somebody goes who has just logged in: back to the form that was being filled in, or
    /// to the page that was asked for.
    pub(crate) fn after_log_in(&mut self, next: &str) -> Answer {
        let Some(kept) = Kept::read(self, self.table()) else { return Ok(see_other(next)) };
        let shell = self.shell("You are logged in", Nav::Other);
        html(StatusCode::OK, &ReturnPage { shell, kept })
    }

    /// Lets a form that comes back be shown once more instead of being carried out.
    pub(super) fn take_returned(&mut self) {
        if self.form.has(RETURNED) {
            self.form.remove(RETURNED);
            self.is_returned = true;
            let complaint = "You were logged out before this was sent. Check it and send it again";
            self.form.refuse("", complaint);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_kept() {
        let sent = [("amount", "5"), ("password", "x"), ("proof", "y"), ("csrf", "z")];
        assert_eq!(allowed(sent.into_iter()), [("amount".to_owned(), "5".to_owned())]);
    }
}
