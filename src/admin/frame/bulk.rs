//! Many rows at once: how they are counted and named in a question, and when their number has to
//! be typed.

use std::collections::BTreeMap;
use std::fmt::Display;

use crate::domain::OrderId;
use crate::domain::refusal::Refusal;

/// More selected rows than that have to be confirmed by typing their number.
const TYPED_ABOVE: usize = 50;
/// Orders that are named for each reason why they stay as they are.
const NAMED_MAX: usize = 8;

/// "1 order", "14 orders".
pub(crate) fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// The first `max` of them, with "…" where there are more.
pub(crate) fn named<T: Display>(rows: impl IntoIterator<Item = T>, max: usize) -> String {
    let mut rows = rows.into_iter();
    let named: Vec<String> = rows.by_ref().take(max).map(|row| row.to_string()).collect();
    let more = if rows.next().is_some() { " …" } else { "" };
    format!("{}{more}", named.join(", "))
}

/// What has to be typed before so many rows change, if anything.
pub(crate) fn typed(count: usize) -> Option<String> {
    (count > TYPED_ABOVE).then(|| count.to_string())
}

/// What a toast says where no row of the form was selected.
pub(crate) fn none_selected(noun: &str) -> String {
    format!("Select at least one {noun}")
}

/// Orders that stay as they are, by the reason.
#[derive(Debug, Default)]
pub(crate) struct Left(BTreeMap<String, Vec<OrderId>>);

impl Left {
    pub(crate) fn push(&mut self, why: &Refusal, id: OrderId) {
        self.0.entry(why.to_string()).or_default().push(id);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// A reason and the numbers of the orders, for each reason.
    pub(crate) fn lines(&self) -> Vec<(String, String)> {
        let line = |(why, ids): (&String, &Vec<OrderId>)| {
            let named: Vec<_> = ids.iter().take(NAMED_MAX).map(ToString::to_string).collect();
            let more = match ids.len().saturating_sub(NAMED_MAX) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            (format!("{} left: {why}", ids.len()), format!("{}{more}", named.join(", ")))
        };
        self.0.iter().map(line).collect()
    }

    /// What to say where none could be moved.
    pub(crate) fn nothing(&self) -> String {
        let why = self.lines().into_iter().map(|(why, ids)| format!("{why} ({ids})"));
        format!("Nothing was changed. {}", why.collect::<Vec<_>>().join(". "))
    }

    /// What to say of them after the others were moved: `; 2 left as they were`, or nothing.
    pub(crate) fn told(&self) -> String {
        match self.count() {
            0 => String::new(),
            left => format!("; {left} left as they were"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_counts_and_names_what_it_is_about() {
        assert_eq!((counted(1, "user"), counted(0, "key")), ("1 user".into(), "0 keys".into()));
        assert_eq!(named([1, 2, 3], 3), "1, 2, 3");
        assert_eq!(named([1, 2, 3], 2), "1, 2 …");
        assert_eq!((typed(50), typed(51)), (None, Some("51".to_owned())));
    }
}
