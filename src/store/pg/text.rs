//! Our SQL in PostgreSQL's words: what only advises SQLite's planner is left out.

/// The statement as PostgreSQL takes it. What is quoted stays as it is.
pub(in crate::store) fn translated(sql: &str) -> String {
    let mut kept = String::with_capacity(sql.len());
    for (place, part) in sql.split('\'').enumerate() {
        if place > 0 {
            kept.push('\'');
        }
        match place % 2 {
            0 => translate(part, &mut kept),
            _ => kept.push_str(part),
        }
    }
    kept
}

fn translate(mut rest: &str, kept: &mut String) {
    while let Some(next) = rest.chars().next() {
        let starts_word = !kept.ends_with(|last: char| is_of_word(last) || last == '$');
        let passed = if starts_word { advice(rest) } else { 0 };
        if passed > 0 {
            rest = &rest[passed..];
        } else if starts_word && rest.starts_with("CROSS JOIN") {
            kept.push_str("JOIN");
            rest = &rest["CROSS JOIN".len()..];
        } else if starts_word && rest.starts_with("char(") {
            kept.push_str("chr(");
            rest = &rest["char(".len()..];
        } else if next == '+' && is_unary(kept, rest) {
            rest = &rest[1..];
        } else {
            kept.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
}

/// How long the advice is that the text begins with: which index to take, or none.
fn advice(text: &str) -> usize {
    if let Some(named) = text.strip_prefix("INDEXED BY ") {
        let name = named.find(|next: char| !is_of_word(next)).unwrap_or(named.len());
        return text.len() - named.len() + name;
    }
    if text.starts_with("NOT INDEXED") { "NOT INDEXED".len() } else { 0 }
}

/// Whether a plus stands before a name and behind nothing that could be added to.
fn is_unary(before: &str, plus: &str) -> bool {
    let is_name = plus[1..].starts_with(|next: char| next.is_ascii_alphabetic());
    is_name && before.ends_with([' ', '(', ',', '\n'])
}

fn is_of_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

#[cfg(test)]
mod tests {
    use super::translated;

    #[test]
    fn what_is_for_sqlite_alone_is_left_out() {
        for (ours, theirs) in [
            ("SELECT id FROM a INDEXED BY a_x WHERE b = $1", "SELECT id FROM a  WHERE b = $1"),
            ("FROM a NOT INDEXED WHERE +b = 1", "FROM a  WHERE b = 1"),
            ("a CROSS JOIN b ON (+b.x = a.x)", "a JOIN b ON (b.x = a.x)"),
            ("x < $1 || char(1114111)", "x < $1 || chr(1114111)"),
            ("varchar(3), a + b, a +1", "varchar(3), a + b, a +1"),
            ("' NOT INDEXED +a ''CROSS JOIN' || +a", "' NOT INDEXED +a ''CROSS JOIN' || a"),
        ] {
            assert_eq!(translated(ours), theirs);
        }
    }
}
