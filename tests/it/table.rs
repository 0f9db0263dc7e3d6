//! Tables of text: rules that can be read at a glance and are tested line by line.

/// The cells of a table, without its heading.
pub(crate) fn rows(table: &str) -> Vec<Vec<&str>> {
    let cells = |line| str::split(line, '|').map(str::trim).collect();
    table.trim().lines().skip(1).map(cells).collect()
}
