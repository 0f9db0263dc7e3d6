//! The house rules that no compiler knows: who may name whom, which crate lives where, how SQL is
//! written so that another engine could run it, and how long things may get.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const LINES_MAX: usize = 500;
const LINE_LENGTH_MAX: usize = 100;

/// What any layer but the domain may name.
const GROUND: &str = "clock config packed password request secret telemetry totp";

/// Which modules a module may name besides itself; `ground` is the ground floor.
const LAYERS: &[(&str, &str)] = &[
    ("domain", ""),
    ("clock", "domain"),
    ("config", "domain ground"),
    ("packed", "domain ground"),
    ("password", "domain ground"),
    ("request", "domain ground"),
    ("secret", "domain ground"),
    ("telemetry", "domain ground"),
    ("totp", "domain ground"),
    ("store", "domain ground"),
    ("commands", "domain store ground"),
    ("assets", "ground"),
    ("practice", "clock config"),
    ("api", "domain store commands ground"),
    ("delivery", "domain store commands ground"),
    ("admin", "domain store commands delivery assets ground"),
    ("app", "domain store commands api admin delivery practice assets ground"),
    ("cli", "domain store commands api admin delivery practice assets app ground"),
    ("lib", ""),
    ("main", ""),
];

/// Who may speak with the driver: the door, and what is about files.
const SQLITE: &str = "store/value/ store/conn.rs store/schema.rs store/upgrade.rs store/copies.rs \
                      store/backup.rs store/moving/";
/// Who may speak with the pools of connections.
const POOLS: &str = "store/pool.rs store/schema.rs";
/// Who may speak with the driver of the other engine.
const POSTGRES: &str = "store/value/ store/pg/ store/place.rs";

/// Where a crate may be named: folders end with `/`.
const CRATES: &[(&str, &str)] = &[
    ("rusqlite", SQLITE),
    ("r2d2", POOLS),
    ("tokio_postgres", POSTGRES),
    ("actix", "api/ admin/ assets.rs packed.rs request.rs telemetry.rs app.rs"),
    ("argon2", "password.rs"),
    ("ureq", "delivery/ telemetry.rs"),
    ("rustls", "delivery/ store/place.rs store/pg/"),
    ("lettre", "delivery/alerts/mail.rs"),
    ("rustix", "delivery/machine.rs"),
    ("clap", "cli/"),
];

/// Words that only the wire knows, and the only files that know the wire.
const WIRE_WORDS: &[&str] = &[
    "multiStatus",
    "multistatus",
    "multi_status",
    "statuses",
    "refillStatus",
    "refillstatus",
    "refill_status",
    "refills",
    "service_id",
    "average_time",
    "idempotency_key",
];
const WIRE_FILES: &str = "api/action.rs api/wire.rs delivery/client/ practice/";

/// What only SQLite would understand, or what changes meaning with the engine.
const NOT_SQL: &[&str] = &[
    "INSERT OR",
    "rowid",
    "json_each",
    "datetime(",
    "strftime(",
    "GLOB",
    "ILIKE",
    "NOW(",
    "::",
    "?",
];

/// A file of `src/`.
pub(crate) struct Source {
    /// From `src/` on.
    pub(crate) name: String,
    pub(crate) text: String,
}

impl Source {
    pub(crate) fn all() -> Vec<Self> {
        let mut sources = Vec::new();
        collect(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").as_path(), "", &mut sources);
        assert!(sources.len() > 30, "the sources were not found");
        sources
    }

    /// The module under the crate's root that the file belongs to.
    pub(crate) fn module(&self) -> &str {
        self.name.split(['/', '.']).next().unwrap()
    }

    /// Whether the file is in a list of files and folders.
    pub(crate) fn is_in(&self, places: &str) -> bool {
        places
            .split(' ')
            .any(|at| self.name == at || at.ends_with('/') && self.name.starts_with(at))
    }

    /// The lines that are code, numbered.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(at, line)| (at + 1, line));
        lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// The texts in quotes. Characters and comments are passed over, escapes stay as written.
    pub(crate) fn quoted(&self) -> Vec<&str> {
        let (mut texts, mut at) = (Vec::new(), 0);
        let rest = |at: usize| self.text.get(at..).unwrap_or_default();
        while let Some(found) = rest(at).find(['"', '\'', '/']) {
            at += found;
            let here = rest(at);
            if here.starts_with("//") {
                at += here.find('\n').unwrap_or(here.len());
            } else if let Some(text) = here.strip_prefix('"') {
                let is_raw = self.text[..at].ends_with("r#");
                let length = if is_raw { text.find("\"#") } else { end_of_text(text) }.unwrap();
                texts.push(&text[..length]);
                at += length + 2;
            } else {
                let quote = ["'\"'", "'\\\"'", "'\\''"].iter().find(|c| here.starts_with(**c));
                at += quote.map_or(1, |character| character.len());
            }
        }
        texts
    }

    /// The statements, whole or in parts.
    fn sql(&self) -> Vec<&str> {
        let is_sql = |text: &&str| {
            let verbs = ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", " = $", "PRAGMA "];
            verbs.iter().any(|word| text.contains(word))
        };
        if self.module() != "store" {
            return Vec::new();
        }
        self.quoted().into_iter().filter(is_sql).collect()
    }
}

fn collect(folder: &Path, prefix: &str, sources: &mut Vec<Source>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = format!("{prefix}{}", entry.file_name().into_string().unwrap());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{name}/"), sources);
        } else if name.ends_with(".rs") {
            sources.push(Source { name, text: std::fs::read_to_string(entry.path()).unwrap() });
        }
    }
}

/// Where a text ends: at a quote that no backslash stands before.
fn end_of_text(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    text.find(|c| {
        let ends = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        ends
    })
}

/// What follows each `before`, as far as it is a name.
fn names_after<'a>(line: &'a str, before: &str) -> impl Iterator<Item = &'a str> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    line.split(before).skip(1).map(move |rest| rest.split(|c| !is_name(c)).next().unwrap())
}

/// No complaints, or all of them at once.
pub(crate) fn assert_tidy(complaints: impl IntoIterator<Item = String>) {
    let complaints: Vec<String> = complaints.into_iter().collect();
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

/// One complaint for each line of code that `is_wrong` dislikes.
fn complain(sources: &[Source], is_wrong: impl Fn(&Source, &str) -> Option<String>) -> Vec<String> {
    let wrong = |source| {
        let of_line = |(at, line)| {
            is_wrong(source, line).map(|what| format!("src/{}:{at}: {what}", source.name))
        };
        source.code().filter_map(of_line).collect::<Vec<_>>()
    };
    sources.iter().flat_map(wrong).collect()
}

#[test]
fn a_layer_names_only_what_is_below_it() {
    let sources = Source::all();
    assert_tidy(complain(&sources, |source, line| {
        let known = LAYERS.iter().find(|(module, _)| *module == source.module());
        let Some((module, below)) = known else { return Some("is in no layer".to_owned()) };
        let below = below.replace("ground", GROUND);
        let is_above = |name: &&str| name != module && !below.split(' ').any(|it| it == *name);
        let named = names_after(line, "crate::").find(is_above)?;
        Some(format!("{module} must not name {named}"))
    }));
}

/// The modules of a folder that each of its files names, by `super::` or the folder's own path.
fn siblings(sources: &[Source], folder: &str) -> BTreeMap<String, BTreeSet<String>> {
    let module = |source: &Source| {
        let rest = source.name.strip_prefix(folder)?.strip_prefix('/')?;
        Some(rest.split(['/', '.']).next().unwrap().to_owned()).filter(|name| name != "mod")
    };
    let modules: BTreeSet<String> = sources.iter().filter_map(module).collect();
    let mut named: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources {
        let Some(module) = module(source) else { continue };
        // What a module's own files name by `super::` is the module itself.
        let own_path = format!("crate::{}::", folder.replace('/', "::"));
        let is_folder = source.name.matches('/').count() > folder.matches('/').count() + 1;
        let before = if is_folder { own_path.as_str() } else { "super::" };
        let code = source.text.split("#[cfg(test)]").next().unwrap();
        let code: String = code.lines().filter(|l| !l.trim_start().starts_with("//")).collect();
        for before in [before, own_path.as_str()] {
            for rest in code.split(before).skip(1) {
                let list = match rest.strip_prefix('{') {
                    Some(list) => list.split('}').next().unwrap(),
                    None => rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap(),
                };
                let names = list.split(|c: char| !c.is_alphanumeric() && c != '_');
                let known = names.filter(|name| modules.contains(*name) && **name != module);
                named.entry(module.clone()).or_default().extend(known.map(str::to_owned));
            }
        }
    }
    named
}

#[test]
fn the_store_has_no_circle() {
    let mut named = siblings(&Source::all(), "store");
    assert!(named.len() > 15, "{named:?}");
    // Whatever names nothing that is left can go; what never can is in a circle.
    while let Some(free) = named
        .iter()
        .find(|(_, names)| !names.iter().any(|name| named.contains_key(name)))
        .map(|(module, _)| module.clone())
    {
        named.remove(&free);
    }
    assert!(named.is_empty(), "each of these names another one: {named:#?}");
}

#[test]
fn a_crate_is_named_where_it_lives() {
    let sources = Source::all();
    assert_tidy(complain(&sources, |source, line| {
        let is_stray =
            |(name, places): &&(&str, &str)| line.contains(name) && !source.is_in(places);
        let (name, _) = CRATES.iter().find(is_stray)?;
        Some(format!("{name} has no place here"))
    }));
}

#[test]
fn the_domain_needs_nothing_but_std_and_a_calendar() {
    let sources = Source::all();
    assert_tidy(complain(&sources, |source, line| {
        let is_outside = |line: &str| {
            let used = line.trim_start().strip_prefix("use ").unwrap_or_default();
            let own =
                ["std::", "super::", "crate::", "Input::", "AccountKind::", "OperatorRefusal"];
            !used.is_empty() && !own.iter().any(|root| used.starts_with(root))
        };
        let is_calendar = source.name == "domain/schedule.rs" && line.contains("use jiff::civil::");
        let is_stray = source.module() == "domain" && is_outside(line) && !is_calendar;
        is_stray.then(|| format!("the domain names std alone: {}", line.trim()))
    }));
}

#[test]
fn the_wire_has_its_own_words() {
    let stray = |source: &Source| {
        let text = source.quoted();
        let is_used = |word: &&&str| text.contains(word);
        let found = WIRE_WORDS.iter().filter(is_used).copied().collect::<Vec<_>>();
        let name = source.name.clone();
        found.into_iter().map(move |word| format!("src/{name} knows {word:?}")).collect::<Vec<_>>()
    };
    let elsewhere = |source: &&Source| !source.is_in(WIRE_FILES) && source.module() != "domain";
    let sources = Source::all();
    assert_tidy(sources.iter().filter(elsewhere).flat_map(stray));
}

#[test]
fn parameters_are_first_seen_in_rising_order() {
    // SQLite numbers `$1`, `$2` … by where they first appear, whatever they are called.
    let mut seen = 0;
    let mut complaints = Vec::new();
    for source in Source::all() {
        for sql in source.sql() {
            let numbers = names_after(sql, "$").filter_map(|digits| digits.parse::<usize>().ok());
            let mut first: Vec<usize> = Vec::new();
            for number in numbers {
                if !first.contains(&number) {
                    first.push(number);
                }
            }
            seen += first.len();
            // A part of a statement, or one with parts to be filled in, may skip some.
            let verbs = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"];
            let is_whole = !sql.contains('{') && verbs.iter().any(|verb| sql.starts_with(verb));
            let holds = if is_whole {
                first.iter().copied().eq(1..=first.len())
            } else {
                first.is_sorted()
            };
            if !holds {
                complaints.push(format!("src/{}: {first:?} in {sql}", source.name));
            }
        }
    }
    assert!(seen > 100, "only {seen} parameters were found");
    assert_tidy(complaints);
}

#[test]
fn sql_is_everybodys() {
    let mut complaints = Vec::new();
    for source in Source::all() {
        for sql in source.sql() {
            let found = NOT_SQL.iter().find(|word| sql.contains(**word));
            complaints.extend(found.map(|word| format!("src/{}: {word} in {sql}", source.name)));
        }
    }
    assert_tidy(complaints);
}

#[test]
fn files_are_short_and_begin_with_what_they_are() {
    let mut complaints = Vec::new();
    for Source { name, text } in Source::all() {
        if !text.starts_with("//!") {
            complaints.push(format!("src/{name} does not say what it is"));
        }
        if text.lines().count() > LINES_MAX {
            complaints.push(format!("src/{name} has {} lines", text.lines().count()));
        }
        for (at, line) in text.lines().enumerate() {
            let words = line.to_lowercase();
            let is_unfinished = ["todo", "fixme", "xxx"].iter().any(|word| words.contains(word));
            let is_long = line.chars().count() > LINE_LENGTH_MAX;
            let wrong = [(is_long, "is too long"), (is_unfinished, "is not finished")];
            for (_, what) in wrong.into_iter().filter(|(is_so, _)| *is_so) {
                complaints.push(format!("src/{name}:{} {what}: {line}", at + 1));
            }
        }
    }
    assert_tidy(complaints);
}
