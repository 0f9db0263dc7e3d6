//! What no template may hold, whatever page it makes.

use std::path::{Path, PathBuf};

use crate::fixture::panel::Panel;

#[test]
fn templates_have_nothing_inline() {
    let mut bad = Vec::new();
    for file in templates(Path::new("templates")) {
        let text = std::fs::read_to_string(&file).unwrap();
        for (at, line) in text.lines().enumerate() {
            let lower = line.to_lowercase();
            let handlers = lower.split(|c: char| c.is_whitespace()).any(|word| {
                word.starts_with("on") && word.contains("=\"") && !word.starts_with("only")
            });
            let is_bad = handlers
                || lower.contains("style=")
                || lower.contains("hx-on")
                || lower.contains("js:")
                || lower.contains("javascript:")
                || lower.contains("<style")
                || lower.contains("http://")
                || lower.contains("https://")
                || lower.contains("<script") && !lower.contains("src=")
                || lower.contains("hx-trigger") && lower.contains('[');
            if is_bad {
                bad.push(format!("{}:{}: {line}", file.display(), at + 1));
            }
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

fn templates(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| match path.is_dir() {
        true => templates(&path),
        false => vec![path],
    });
    let files: Vec<_> = files.collect();
    assert!(!files.is_empty());
    files
}

#[test]
fn only_our_own_hands_escape_what_is_written_into_pages() {
    for file in templates(Path::new("templates")) {
        let text = std::fs::read_to_string(&file).unwrap();
        let raw = text.matches("|safe").count();
        let allowed = usize::from(file.ends_with("parts.html"));
        assert_eq!(raw, allowed, "{}", file.display());
    }
    let panel = Panel::start();
    let mut olga = panel.operator("olga");
    panel.reseller("<script>alert(1)</script>", "0");
    let page = olga.see("/admin/users");
    assert!(page.contains("&#60;script&#62;alert") && !page.contains("<script>alert"));
}
