//! What handlers answer with: pages, parts of pages, the way to the next page, questions.

use actix_web::http::StatusCode;
use askama::Template;

use super::answer::{Answer, html, see_other};
use super::ask::Ask;
use super::cx::{Cx, Proof};
use super::error::PageError;
use super::shell::Toast;

impl Cx {
    /// A whole page.
    pub(crate) fn page(&self, page: &impl Template) -> Answer {
        self.page_with(StatusCode::OK, page)
    }

    /// A page whose form was refused.
    pub(crate) fn refused_page(&self, page: &impl Template) -> Answer {
        self.page_with(StatusCode::UNPROCESSABLE_ENTITY, page)
    }

    /// A whole page with a status of its own.
    pub(crate) fn page_with(&self, status: StatusCode, page: &impl Template) -> Answer {
        html(status, page)
    }

    /// The page, or only its list where htmx asks for that.
    pub(crate) fn list(&self, page: &impl Template, list: &impl Template) -> Answer {
        if self.wants_part() { html(StatusCode::OK, list) } else { html(StatusCode::OK, page) }
    }

    /// The same for a form that was refused.
    pub(crate) fn refused_list(&self, page: &impl Template, list: &impl Template) -> Answer {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        if self.wants_part() { html(status, list) } else { html(status, page) }
    }

    /// On to the next page, after something was done.
    pub(crate) fn go(&mut self, path: &str, toast: Toast) -> Answer {
        self.toast = Some(toast);
        Ok(see_other(path))
    }

    /// Goes on once the person has confirmed what is shown; asks first.
    ///
    /// # Errors
    /// `Ask` with the page that asks, until it was answered.
    pub(crate) fn confirm(&self, ask: Ask) -> Result<(), PageError> {
        let is_confirmed = self.form.get("confirmed") == "yes";
        let has_looked = ask.looked.is_none() || self.form.flag("looked");
        let is_meant = is_confirmed && has_looked && ask.is_typed(self.form.get("typed"));
        if is_meant && self.proof == Proof::Given {
            return Ok(());
        }
        Err(PageError::Ask(Box::new(ask)))
    }
}
