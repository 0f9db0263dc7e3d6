//! The layout of the pages: a frame that names no page, a folder for each noun, templates named
//! like the files whose pages they draw.

use std::collections::BTreeSet;
use std::path::Path;

use crate::tidy::{Source, assert_tidy};

/// Files and folders directly under `src/admin`.
const ROOMS_MAX: usize = 14;
const TEMPLATE_LINE_LENGTH_MAX: usize = 200;

/// The floors of the frame, from the ground up. A file names only files of floors below its own.
const FLOORS: &[&str] = &[
    "figure form link tone bulk terms books nav",
    "needs verb",
    "shell",
    "mod ask",
    "error cookies request table",
    "answer",
    "cx",
    "upstream sealed",
    "reply list finish kept",
    "failed",
    "gate",
];

/// Which files of its own folder a page may name besides `mod`: none that names it back.
const PAGES: &[(&str, &str)] = &[
    ("account/mod", "login qr"),
    ("account/setup", "login"),
    ("dashboard/mod", "activity chart"),
    ("ledger/list", "books"),
    ("orders/bulk", "list one"),
    ("orders/cancels", "tabs"),
    ("orders/decide", "hand tabs"),
    ("orders/hand", "tabs"),
    ("orders/list", "hand tabs"),
    ("orders/new", "one"),
    ("orders/one", "parts sent"),
    ("orders/parts", "sent"),
    ("orders/sent", "decide hand"),
    ("providers/calls", "one"),
    ("providers/import", "one"),
    ("providers/list", "trend"),
    ("providers/one", "trend"),
    ("providers/plan", "import one run"),
    ("providers/run", "one"),
    ("refills/drips", "tabs"),
    ("refills/list", "tabs"),
    ("services/bulk", "list"),
    ("services/import", "bulk"),
    ("services/one", "bulk supply"),
    ("users/all_keys", "keys made"),
    ("users/keys", "made"),
];

/// Templates that every page shares and no page draws alone.
const SHARED: &[&str] = &["admin/frame/base.html", "admin/frame/parts.html"];

/// The files of `src/admin`, by what stands between that and `.rs`, with their text. Tests within
/// them may name what they like.
fn pages() -> Vec<(String, String)> {
    let pages = Source::all().into_iter().filter_map(|source| {
        let name = source.name.strip_prefix("admin/")?.strip_suffix(".rs")?.to_owned();
        let code: Vec<&str> = source.code().map(|(_, line)| line).collect();
        let code = code.join("\n");
        Some((name, code.split("#[cfg(test)]").next().unwrap().to_owned()))
    });
    pages.collect()
}

/// The folder and the file of a page's name; what stands directly under `src/admin` has no folder.
fn parts(name: &str) -> (&str, &str) {
    name.split_once('/').unwrap_or(("", name))
}

/// Every path after `before` in the code, as its first names: groups in braces are opened.
fn paths<'a>(code: &'a str, before: &str) -> Vec<&'a str> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let first = |text: &'a str| text.trim().split(|c| !is_name(c)).next().unwrap();
    let mut found = Vec::new();
    for rest in code.split(before).skip(1) {
        match rest.strip_prefix('{') {
            None => found.push(first(rest)),
            Some(group) => {
                let group = group.split(';').next().unwrap();
                let mut depth = 0;
                let parts = group.split(|c| {
                    depth += i32::from(c == '{') - i32::from(c == '}');
                    c == ',' && depth == 0
                });
                found.extend(parts.map(first));
            }
        }
    }
    found.into_iter().filter(|name| !name.is_empty()).collect()
}

/// Which files of its own folder a file names, other than itself.
fn named_in_folder(name: &str, code: &str, files: &BTreeSet<&str>) -> BTreeSet<String> {
    let (folder, file) = parts(name);
    let mut named = paths(code, "super::");
    named.extend(paths(code, &format!("admin::{folder}::")));
    if file == "mod" {
        // A module's own children are named without `super`.
        let uses = files.iter().filter(|file| {
            let is_used = |line: &str| {
                line.trim_start().starts_with(&format!("use {file}::"))
                    || !line.trim_start().starts_with("use ")
                        && line
                            .match_indices(&format!("{file}::"))
                            .any(|(at, _)| !line[..at].ends_with([':', '_']))
            };
            code.lines().any(is_used)
        });
        named.extend(uses.copied());
    }
    let is_type = |name: &str| name.starts_with(|c: char| c.is_ascii_uppercase());
    let in_folder = |name: &&str| *name != file && (files.contains(*name) || is_type(name));
    let in_mod = |name: &str| if is_type(name) { "mod".to_owned() } else { name.to_owned() };
    named.into_iter().filter(in_folder).map(in_mod).filter(|name| name != file).collect()
}

#[test]
fn the_frame_names_no_page() {
    let pages = pages();
    let rooms: BTreeSet<&str> =
        pages.iter().map(|(name, _)| name.split('/').next().unwrap()).collect();
    let mut complaints = Vec::new();
    for (name, code) in pages.iter().filter(|(name, _)| name.starts_with("frame/")) {
        let mut named = paths(code, "admin::");
        named.extend(paths(code, "super::super::"));
        named.retain(|room| *room != "frame" && rooms.contains(room));
        complaints.extend(named.iter().map(|room| format!("src/admin/{name}.rs names {room}")));
    }
    assert_tidy(complaints);
}

#[test]
fn a_page_names_the_frame_and_its_own_folder() {
    let mut complaints = Vec::new();
    for (name, code) in pages().iter().filter(|(name, _)| name != "mod") {
        let (folder, _) = parts(name);
        let mut named = paths(code, "crate::admin::");
        named.retain(|room| !["frame", folder].contains(room));
        complaints.extend(named.iter().map(|room| format!("src/admin/{name}.rs names {room}")));
    }
    assert_tidy(complaints);
}

#[test]
fn imports_go_downwards() {
    let pages = pages();
    let mut complaints = Vec::new();
    for (name, code) in pages.iter().filter(|(name, _)| name.contains('/')) {
        let (folder, file) = parts(name);
        let neighbors = pages.iter().map(|(name, _)| parts(name));
        let neighbors = neighbors.filter(|(of, _)| *of == folder).map(|(_, file)| file).collect();
        let below: Vec<&str> = match folder {
            "frame" => {
                let own = FLOORS.iter().position(|floor| floor.split(' ').any(|it| it == file));
                let Some(own) = own else {
                    complaints.push(format!("src/admin/{name}.rs is on no floor"));
                    continue;
                };
                FLOORS[..own].iter().flat_map(|floor| floor.split(' ')).collect()
            }
            _ => {
                let known = PAGES.iter().find(|(page, _)| page == name);
                let below = known.map_or("", |(_, below)| below).split(' ');
                let module = format!("{folder}/mod");
                let is_below_mod = |(page, below): &(&str, &str)| {
                    *page == module && below.split(' ').any(|it| it == file)
                };
                let may_name_mod = file != "mod" && !PAGES.iter().any(is_below_mod);
                below.chain(may_name_mod.then_some("mod")).collect()
            }
        };
        let named = named_in_folder(name, code, &neighbors);
        let above = named.iter().filter(|it| !below.contains(&it.as_str()));
        complaints.extend(above.map(|it| format!("src/admin/{name}.rs must not name {it}")));
    }
    assert_tidy(complaints);
}

#[test]
fn few_rooms_lie_directly_under_admin() {
    let pages = pages();
    let rooms: BTreeSet<&str> =
        pages.iter().map(|(name, _)| name.split('/').next().unwrap()).collect();
    assert!(rooms.len() <= ROOMS_MAX, "{} rooms: {rooms:?}", rooms.len());
}

/// Every template, as `#[template(path = …)]` names it, with its text.
fn templates() -> Vec<(String, String)> {
    fn collect(folder: &Path, prefix: &str, found: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let name = format!("{prefix}{}", entry.file_name().into_string().unwrap());
            match entry.path().is_dir() {
                true => collect(&entry.path(), &format!("{name}/"), found),
                false => found.push((name, std::fs::read_to_string(entry.path()).unwrap())),
            }
        }
    }
    let mut found = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("templates"), "", &mut found);
    assert!(found.len() > 20, "the templates were not found");
    found
}

/// Whether a template has the name of a file, or that and a word more: `keys`, `keys_made`.
fn is_named_like(template: &str, file: &str) -> bool {
    let stem = template.strip_prefix("admin/").unwrap_or_default().trim_end_matches(".html");
    stem.strip_prefix(file).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

#[test]
fn a_template_is_named_like_its_file() {
    let (pages, mut complaints) = (pages(), Vec::new());
    for (name, code) in &pages {
        for path in code.split("template(path = \"").skip(1) {
            let path = path.split('"').next().unwrap();
            if !is_named_like(path, name) {
                complaints.push(format!("src/admin/{name}.rs draws templates/{path}"));
            }
        }
    }
    for (template, _) in templates() {
        let has_file = pages.iter().any(|(name, _)| is_named_like(&template, name));
        if !has_file && !SHARED.contains(&template.as_str()) {
            complaints.push(format!("templates/{template} belongs to no file"));
        }
    }
    assert_tidy(complaints);
}

#[test]
fn templates_have_short_lines() {
    let mut complaints = Vec::new();
    for (name, text) in templates() {
        for (at, line) in text.lines().enumerate() {
            let length = line.chars().count();
            if length > TEMPLATE_LINE_LENGTH_MAX {
                complaints.push(format!("templates/{name}:{}: {length} characters", at + 1));
            }
        }
    }
    assert_tidy(complaints);
}
