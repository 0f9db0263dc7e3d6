//! Many rows at once: how they are counted and named in a question, and when their number has to
//! be typed.

use std::fmt::Display;

/// More selected rows than that have to be confirmed by typing their number.
const TYPED_ABOVE: usize = 50;

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
