//! The table of routes, read by what stands below it: which routes lead to a path, and where a
//! path belongs that nobody can look at.

use actix_web::http::Method;

use super::{Access, Route};

/// Every page and everything that can be done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table(pub(crate) &'static [Route]);

impl Table {
    fn finds(self, method: &Method, path: &str) -> Option<&'static Route> {
        self.0.iter().find(|route| route.method == *method && leads_to(route.path, path))
    }

    /// Whether a form of somebody who is logged in is posted there. `path` is the whole path.
    pub(super) fn takes_forms(self, path: &str) -> bool {
        let route = below_admin(path).and_then(|path| self.finds(&Method::POST, path));
        route.is_some_and(|route| matches!(route.access, Access::Signed | Access::Proved))
    }

    /// The page of what is posted to a path: the longest beginning that is a page. Nothing where
    /// the path is a page itself, or takes no form.
    pub(super) fn object_of(self, path: &str) -> Option<String> {
        let below = below_admin(path)?;
        let is_post = self.finds(&Method::POST, below).is_some();
        let is_page = self.finds(&Method::GET, below).is_some();
        (is_post && !is_page).then(|| self.page_of(below))
    }

    /// The longest beginning of a path that is a page, the path itself or the dashboard.
    pub(super) fn page_at(self, path: &str) -> String {
        below_admin(path).map_or_else(|| "/admin".to_owned(), |below| self.page_of(below))
    }

    fn page_of(self, below: &str) -> String {
        let mut path = below;
        while self.finds(&Method::GET, path).is_none() && !path.is_empty() {
            path = path.rsplit_once('/').map_or("", |(start, _)| start);
        }
        format!("/admin{path}")
    }
}

fn below_admin(path: &str) -> Option<&str> {
    path.strip_prefix("/admin").filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a path has the form of a route, numbers where the route has a name in braces.
fn leads_to(route: &str, path: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let mut parts = path.split('/');
    let fits = route.split('/').all(|expected| match parts.next() {
        Some(part) if expected.starts_with('{') => is_number(part),
        part => part == Some(expected),
    });
    fits && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::ROUTES;

    #[test]
    fn what_is_posted_belongs_to_a_page() {
        for (path, expected) in [
            ("/admin/users/7/funds", Some("/admin/users/7")),
            ("/admin/users/7/keys/3/revoke", Some("/admin/users/7/keys")),
            ("/admin/orders/bulk", Some("/admin/orders")),
            ("/admin/settings/money", Some("/admin/settings")),
            ("/admin/logout", Some("/admin")),
            ("/admin/users", None),
            ("/admin/users/7", None),
            ("/admin/users/x/funds", None),
            ("/administrator", None),
        ] {
            assert_eq!(Table(ROUTES).object_of(path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn forms_are_taken_where_the_table_says_so() {
        let table = Table(ROUTES);
        assert!(table.takes_forms("/admin/users/7/funds") && table.takes_forms("/admin/users"));
        for path in ["/admin/login", "/admin/users/7", "//evil.example", "/api/v2", ""] {
            assert!(!table.takes_forms(path), "{path}");
        }
    }
}
