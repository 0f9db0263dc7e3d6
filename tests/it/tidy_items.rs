//! What every item of the source has: a word about what its name does not say, and an end in sight.

use crate::tidy::{Source, assert_tidy};

/// Lines of a function, from the one with its name to its closing brace. A list in one `match` may
/// be longer where it says so to clippy, with the reason.
const FUNCTION_LINES_MAX: usize = 70;
/// The same for all functions but one in a hundred.
const FUNCTION_LINES_P99: usize = 45;

/// What must be documented where it is public. A `pub mod x;` is, by the `//!` of its file.
const ITEMS: &[&str] =
    &["mod", "struct", "enum", "union", "trait", "fn", "const", "static", "type"];

/// A function: where it begins and how long it is.
struct Function<'a> {
    source: &'a Source,
    line: usize,
    length: usize,
    is_excused: bool,
}

/// The source without its module of tests, which stands last.
fn without_tests(source: &Source) -> &str {
    source.text.split("\n#[cfg(test)]\nmod ").next().unwrap()
}

/// Whether a line begins a public item that needs a word. What a macro names comes with its own.
fn is_public_item(line: &str) -> bool {
    let Some(item) = line.strip_prefix("pub ") else { return false };
    let mut words = item.split(' ').skip_while(|word| ["async", "unsafe"].contains(word));
    let kind = words.next().unwrap_or_default();
    let is_file = kind == "mod" && item.ends_with(';');
    let is_of_macro = words.next().unwrap_or_default().starts_with('$');
    ITEMS.contains(&kind) && !is_file && !is_of_macro
}

/// The public items that nothing is said about.
fn undocumented(source: &Source) -> Vec<String> {
    let (mut found, mut is_documented, mut open) = (Vec::new(), false, 0);
    for (at, line) in without_tests(source).lines().enumerate() {
        let line = line.trim();
        let is_attribute = open > 0 || line.starts_with("#[");
        if line.starts_with("///") || line.starts_with("#[doc") {
            is_documented = true;
        }
        if is_attribute {
            open += line.matches('[').count();
            open -= line.matches(']').count();
        } else if !line.starts_with("//") {
            if is_public_item(line) && !is_documented {
                found.push(format!("src/{}:{}: no word about {line}", source.name, at + 1));
            }
            is_documented = false;
        }
    }
    found
}

/// Whether a line begins a function.
fn is_function(line: &str) -> bool {
    let qualifiers = ["pub", "pub(crate)", "pub(super)", "const", "async", "unsafe"];
    let mut words = line.trim_start().split(' ').skip_while(|word| qualifiers.contains(word));
    words.next() == Some("fn")
}

/// The functions with a body, as rustfmt lays them out.
fn functions(source: &Source) -> Vec<Function<'_>> {
    let lines: Vec<&str> = without_tests(source).lines().collect();
    let starts = lines.iter().enumerate().filter(|(_, line)| is_function(line));
    let function = |(at, line): (usize, &&str)| {
        let ends = |line: &&&str| line.ends_with(['{', '}', ';']);
        let head_end = lines[at..].iter().find(ends)?;
        let indent = &line[..line.len() - line.trim_start().len()];
        let end = match head_end.ends_with('{') {
            true => lines[at..].iter().position(|line| *line == format!("{indent}}}"))?,
            false => lines[at..].iter().position(|line| line == head_end)?,
        };
        let is_excused = at > 0 && lines[at - 1].contains("clippy::too_many_lines, reason");
        let function = Function { source, line: at + 1, length: end + 1, is_excused };
        (!head_end.ends_with(';')).then_some(function)
    };
    starts.filter_map(function).collect()
}

#[test]
fn what_is_public_is_documented() {
    assert_tidy(Source::all().iter().flat_map(undocumented));
}

#[test]
fn functions_are_short() {
    let sources = Source::all();
    let mut all: Vec<Function<'_>> = sources.iter().flat_map(functions).collect();
    assert!(all.len() > 500, "only {} functions were found", all.len());
    all.sort_by_key(|function| function.length);
    let most = &all[..all.len() - all.len() / 100];
    let is_long = most.last().is_some_and(|function| function.length > FUNCTION_LINES_P99);
    let limit = if is_long { FUNCTION_LINES_P99 } else { FUNCTION_LINES_MAX };
    let long = all.iter().filter(|function| function.length > limit && !function.is_excused);
    assert_tidy(long.map(|Function { source, line, length, .. }| {
        format!("src/{}:{line}: {length} lines", source.name)
    }));
}

#[test]
fn the_checks_of_items_find_what_they_are_for() {
    let source = |text: &str| Source { name: "x.rs".to_owned(), text: text.to_owned() };
    let bare =
        "pub fn a() {}\n\n#[derive(\n    Debug,\n)]\npub struct B;\n    pub const fn c() {}\n";
    assert_eq!(undocumented(&source(bare)).len(), 3);
    let fine =
        "/// A.\n#[expect(\n    dead_code\n)]\npub fn a() {}\npub mod b;\npub(crate) fn c() {}\n";
    assert!(undocumented(&source(fine)).is_empty());
    let text = "fn a(\n    b: u8,\n) {\n    b;\n}\n    fn c();\n    pub fn d() {}\nfn e() {\n}\n";
    let lengths: Vec<usize> = functions(&source(text)).iter().map(|it| it.length).collect();
    assert_eq!(lengths, [5, 1, 2]);
}
