//! What people changed last, a line for each request: many orders moved at once are one line.

use crate::admin::frame::figure::{grouped, grouped_in};
use crate::admin::frame::verb;
use crate::domain::Timestamp;
use crate::store::audit::{self, Written};
use crate::store::{self, Read};

/// Lines shown, and rows of the audit log that are looked at for them.
const LINES_MAX: usize = 10;
const ROWS_MAX: i64 = 300;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Activity {
    pub(super) at: Timestamp,
    pub(super) who: String,
    /// What was done: "Updated order 12", "Updated order 12 and 13 more".
    pub(super) what: String,
    /// The page of what was changed, where there is one.
    pub(super) path: Option<String>,
    /// From what to what, where it is one change.
    pub(super) change: String,
}

/// The last changes. Who came and went is left to the audit log.
pub(super) fn read(db: &Read<'_>) -> store::Result<Vec<Activity>> {
    let rows = audit::list(db, i64::MAX, ROWS_MAX)?;
    let rows = rows.into_iter().filter(|row| !row.verb.starts_with("session."));
    lines(rows, |row| verb::told(db, row))
}

/// The lines of these rows. `tell` says what a row alone did.
fn lines(
    rows: impl IntoIterator<Item = Written>,
    tell: impl Fn(&Written) -> store::Result<String>,
) -> store::Result<Vec<Activity>> {
    let mut requests: Vec<Vec<Written>> = Vec::new();
    for row in rows {
        let is_same = |other: &Written| {
            !row.request.is_empty() && (&other.request, &other.verb) == (&row.request, &row.verb)
        };
        let count = requests.len();
        match requests.last_mut() {
            Some(request) if request.last().is_some_and(is_same) => request.push(row),
            Some(_) if count == LINES_MAX => break,
            Some(_) | None => requests.push(vec![row]),
        }
    }
    requests.into_iter().filter_map(|rows| line(rows, &tell)).collect()
}

/// The line of a request, by its rows from the last to the first.
fn line(
    mut rows: Vec<Written>,
    tell: impl Fn(&Written) -> store::Result<String>,
) -> Option<store::Result<Activity>> {
    let more = i64::try_from(rows.len()).unwrap_or(i64::MAX) - 1;
    let row = rows.pop()?;
    let told = match more {
        0 => tell(&row).map(|what| (what, grouped_in(&row.change))),
        more => {
            let first = verb::sentence(&row.verb, &row.object);
            Ok((format!("{first} and {} more", grouped(more)), String::new()))
        }
    };
    let path = verb::path(&row.object);
    Some(told.map(|(what, change)| Activity {
        at: row.created_at,
        who: row.actor,
        what,
        path,
        change,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(rows: impl IntoIterator<Item = Written>) -> Vec<Activity> {
        lines(rows, |row| Ok(verb::sentence(&row.verb, &row.object))).unwrap()
    }

    fn row(id: i64, request: &str, verb: &str) -> Written {
        Written {
            id,
            created_at: Timestamp(id),
            actor: "olga".to_owned(),
            address: String::new(),
            verb: verb.to_owned(),
            object: format!("order {id}"),
            change: "to Completed".to_owned(),
            request: request.to_owned(),
        }
    }

    #[test]
    fn what_came_by_one_request_is_one_line() {
        let set = "order.set";
        let rows = [row(9, "", set), row(8, "b", set), row(7, "b", set), row(6, "a", set)];
        let lines = told(rows);
        let whats: Vec<&str> = lines.iter().map(|line| line.what.as_str()).collect();
        assert_eq!(whats, ["Updated order 9", "Updated order 7 and 1 more", "Updated order 6"]);
        assert_eq!((lines[0].change.as_str(), lines[1].change.as_str()), ("to Completed", ""));
        assert_eq!(lines[1].path.as_deref(), Some("/admin/orders/7"));
    }

    #[test]
    fn lines_are_few() {
        let rows = (0..100).map(|id| row(id, &id.to_string(), "user.note"));
        assert_eq!(told(rows).len(), LINES_MAX);
    }
}
