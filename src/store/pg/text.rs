//! Our SQL in PostgreSQL's words: what only advises SQLite's planner is left out. And the inserts
//! whose rows we number, or lay down for many rows at once, made of the inserts of one.

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

/// Whether the statement changes nothing. Ours that begin with WITH are all of that kind.
pub(in crate::store) fn only_reads(sql: &str) -> bool {
    let sql = sql.trim_start();
    sql.starts_with("SELECT ") || sql.starts_with("WITH ")
}

/// An insert in its parts.
struct Insert<'a> {
    table: &'a str,
    columns: &'a str,
    /// What stands behind the columns.
    rest: &'a str,
}

impl<'a> Insert<'a> {
    fn parse(sql: &'a str) -> Option<Self> {
        let (table, rest) = sql.strip_prefix("INSERT INTO ")?.split_once(" (")?;
        let (columns, rest) = rest.split_once(')')?;
        Some(Self { table, columns, rest: rest.trim() })
    }

    /// What is inserted, if that is one row of plain values.
    fn values(&self) -> Option<&'a str> {
        let values = self.rest.strip_prefix("VALUES (")?.strip_suffix(')')?;
        (!values.contains(['(', ')'])).then_some(values)
    }
}

/// The same insert for many rows: each parameter is a column of values, and one more the column of
/// their numbers where we number them. `None` where it inserts anything but one row of values.
pub(in crate::store) fn many(sql: &str, is_numbered: bool) -> Option<String> {
    let insert = Insert::parse(sql)?;
    let (values, count) = of_columns(insert.values()?)?;
    let Insert { table, columns, .. } = insert;
    let numbers = |prefix: &str| {
        let numbers: Vec<String> = (1..=count).map(|n| format!("{prefix}{n}")).collect();
        numbers.join(", ")
    };
    let (from, names) = (numbers("$"), numbers("c"));
    Some(match is_numbered {
        true => format!(
            "INSERT INTO {table} (id, {columns}) SELECT u.id, {values} \
             FROM unnest({from}, ${}) AS u({names}, id)",
            count + 1
        ),
        false => format!(
            "INSERT INTO {table} ({columns}) SELECT {values} FROM unnest({from}) AS u({names})"
        ),
    })
}

/// The values with `u.c1` in place of `$1`, and how many parameters there are.
fn of_columns(values: &str) -> Option<(String, usize)> {
    let mut parts = values.split('$');
    let mut text = parts.next()?.to_owned();
    let mut count = 0;
    for part in parts {
        let digits = part.find(|next: char| !next.is_ascii_digit()).unwrap_or(part.len());
        count = count.max(part[..digits].parse().ok()?);
        text.push_str("u.c");
        text.push_str(part);
    }
    (count > 0).then_some((text, count))
}

/// The same insert of one row that takes the next number of its table and says which. `None` where
/// it inserts anything but values or what a SELECT finds.
pub(in crate::store) fn numbered(sql: &str) -> Option<String> {
    let Insert { table, columns, rest } = Insert::parse(sql)?;
    let next = format!("(SELECT coalesce(max(id), 0) + 1 FROM {table})");
    let (word, rest) = match rest.strip_prefix("VALUES (") {
        Some(values) => ("VALUES (", values),
        None => ("SELECT ", rest.strip_prefix("SELECT ")?),
    };
    Some(format!("INSERT INTO {table} (id, {columns}) {word}{next}, {rest} RETURNING id"))
}

#[cfg(test)]
mod tests {
    use super::{many, numbered, translated};

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

    #[test]
    fn an_insert_of_one_row_becomes_one_of_many() {
        let one = "INSERT INTO a (b, c, d, e)\n  VALUES ($1, 'x', $2,\n $1)";
        assert_eq!(
            many(one, true).unwrap(),
            "INSERT INTO a (id, b, c, d, e) SELECT u.id, u.c1, 'x', u.c2,\n u.c1 \
             FROM unnest($1, $2, $3) AS u(c1, c2, id)"
        );
        assert_eq!(
            many("INSERT INTO a (b) VALUES ($1)", false).unwrap(),
            "INSERT INTO a (b) SELECT u.c1 FROM unnest($1) AS u(c1)"
        );
        for other in [
            "INSERT INTO a (b) SELECT b FROM a WHERE b = $1",
            "INSERT INTO a (b) VALUES ($1) ON CONFLICT DO NOTHING",
            "INSERT INTO a (b) VALUES (abs($1))",
            "INSERT INTO a (b) VALUES ($1), ($2)",
            "INSERT INTO a (b) VALUES (1)",
            "UPDATE a SET b = $1",
        ] {
            assert_eq!(many(other, true), None, "{other}");
        }
    }

    #[test]
    fn a_row_takes_the_next_number() {
        assert_eq!(
            numbered("INSERT INTO a (b) VALUES ($1)").unwrap(),
            "INSERT INTO a (id, b) VALUES ((SELECT coalesce(max(id), 0) + 1 FROM a), $1) \
             RETURNING id"
        );
        assert_eq!(
            numbered("INSERT INTO a (b)\n SELECT b FROM c WHERE d = $1").unwrap(),
            "INSERT INTO a (id, b) SELECT (SELECT coalesce(max(id), 0) + 1 FROM a), b \
             FROM c WHERE d = $1 RETURNING id"
        );
        assert_eq!(numbered("UPDATE a SET b = $1"), None);
    }
}
