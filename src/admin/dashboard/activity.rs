//! What people changed last, a line for each request: many orders moved at once are one line.

use crate::admin::frame::figure::{grouped, grouped_in};
use crate::admin::frame::verb::{self, Named};
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
    let requests = requests(rows.into_iter().filter(|row| !row.verb.starts_with("session.")));
    let named = Named::load(db, requests.iter().filter_map(|rows| rows.last()))?;
    Ok(requests.into_iter().filter_map(|rows| line(rows, &named)).collect())
}

/// The rows of each of the last requests.
fn requests(rows: impl IntoIterator<Item = Written>) -> Vec<Vec<Written>> {
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
    requests
}

/// The line of a request, by its rows from the last to the first.
fn line(mut rows: Vec<Written>, named: &Named) -> Option<Activity> {
    let more = i64::try_from(rows.len()).unwrap_or(i64::MAX) - 1;
    let row = rows.pop()?;
    let (what, change) = match more {
        0 => (named.told(&row), grouped_in(&row.change)),
        more => {
            let first = verb::sentence(&row.verb, &row.object);
            (format!("{first} and {} more", grouped(more)), String::new())
        }
    };
    let path = verb::path(&row.object);
    Some(Activity { at: row.created_at, who: row.actor, what, path, change })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(rows: impl IntoIterator<Item = Written>) -> Vec<Activity> {
        let named = Named::default();
        requests(rows).into_iter().filter_map(|rows| line(rows, &named)).collect()
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
        let lines = lines(rows);
        let whats: Vec<&str> = lines.iter().map(|line| line.what.as_str()).collect();
        assert_eq!(whats, ["Updated order 9", "Updated order 7 and 1 more", "Updated order 6"]);
        assert_eq!((lines[0].change.as_str(), lines[1].change.as_str()), ("to Completed", ""));
        assert_eq!(lines[1].path.as_deref(), Some("/admin/orders/7"));
    }

    #[test]
    fn lines_are_few() {
        let rows = (0..100).map(|id| row(id, &id.to_string(), "user.note"));
        assert_eq!(lines(rows).len(), LINES_MAX);
    }
}
