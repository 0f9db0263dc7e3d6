//! Words that have gone out of use, so that one thing has one name and nobody is "he".

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::tidy::{Source, assert_tidy};

/// In everything that is ours to write.
const RETIRED: &[&str] = &[
    "he",
    "him",
    "his",
    "himself",
    "wish",
    "wishes",
    "wished",
    "ticked",
    "untick",
    "unticked",
    "purse",
    "purses",
    "kindness",
    "telephone",
    "belongs into",
];

/// On pages, in the command line and in refusals. Punctuation within does not count.
const UNSHOWN: &[&str] = &[
    "movement",
    "own rate",
    "own rates",
    "cancel wishes",
    "wants to cancel",
    "wish to cancel declined",
    "with those that are ticked",
    "no order was ticked",
    "not now",
    "move by hand",
    "held until it ends",
    "end short return the rest",
    "cancel and return all",
    "what happened",
    "what was done last",
    "show the new balance",
    "correct up",
    "a rate of his own",
    "he pays",
    "he can spend",
    "which then held",
    "reverse it",
    "a kindness is not reversed",
    "one thing is not right yet",
    "what you typed is something else",
    "this password is one of the first that are tried",
    "this was not done",
    "this is too much",
    "make the admin and open the panel",
    "password once more",
    "this page opens once",
    "type the sum above",
    "requests at once per rested key",
    "limits of the api",
    "what stands above every page",
    "in which times are shown",
    "counts from the next start",
    "store it where your secrets are",
    "website telephone",
    "codes from an app",
    "ask for codes from now on",
    "where you are logged in",
    "log out the others",
    "of one piece for packages",
    "refill what drops is delivered again",
    "customers may ask to cancel",
    "can be ordered",
    "categories are made as they are met",
    "all of the file is taken or nothing",
    "as they are already",
    "go on",
    "choose again",
    "show the charge",
    "no refill waits",
    "nobody waits to have an order canceled",
    "the first line stands here",
    "of what was delivered",
    "none waits",
    "what you owe in service",
];

/// Not ours to change: what others wrote, what users type, kept files of older schemas. And this.
const LEFT_OUT: &[&str] = &[
    "static/vendor/",
    "src/common_passwords.txt",
    "tests/it/fixture/v1.sql",
    "tests/it/fixture/v2.sql",
    "tests/it/tidy_words.rs",
];

/// A stretch of a file.
struct Piece<'a> {
    file: &'a str,
    /// The root, and whether it is quoted text.
    place: String,
    text: &'a str,
}

/// The retired words that were found, and in which files.
type Found = BTreeMap<&'static str, BTreeSet<String>>;

/// The words of a text in small letters, each with what stands between it and the one before.
fn words(text: &str) -> Vec<(&str, String)> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_alphanumeric()) {
        let (gap, from) = rest.split_at(start);
        let end = from.find(|c: char| !c.is_alphanumeric()).unwrap_or(from.len());
        words.push((gap, from[..end].to_lowercase()));
        rest = &from[end..];
    }
    words
}

/// How often a phrase is in a text: across lines of one sentence, but not across sentences.
fn count(words: &[(&str, String)], phrase: &str) -> usize {
    let phrase: Vec<&str> = phrase.split(' ').collect();
    let is_gap = |gap: &str| gap.chars().all(|c| c.is_whitespace() || ",:/!\\".contains(c));
    let is_it = |window: &&[(&str, String)]| {
        window
            .iter()
            .zip(&phrase)
            .enumerate()
            .all(|(at, ((gap, word), wanted))| word == wanted && (at == 0 || is_gap(gap)))
    };
    words.windows(phrase.len()).filter(is_it).count()
}

fn search(pieces: &[Piece<'_>], list: &[&'static str], found: &mut Found) {
    for piece in pieces {
        let words = words(piece.text);
        for phrase in list.iter().filter(|phrase| count(&words, phrase) > 0) {
            let files = found.entry(phrase).or_default();
            files.insert(piece.file.to_owned());
        }
    }
}

/// The files under a place, with their names from the root on.
fn files(place: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join(place);
    let mut names = Vec::new();
    if path.is_dir() {
        for entry in std::fs::read_dir(&path).unwrap().map(Result::unwrap) {
            names.push(format!("{place}/{}", entry.file_name().into_string().unwrap()));
        }
        return names.iter().flat_map(|name| files(name)).collect();
    }
    let is_ours = LEFT_OUT.iter().all(|left_out| !place.starts_with(left_out));
    let text = std::fs::read_to_string(&path).ok().filter(|_| is_ours);
    text.map(|text| Source { name: place.to_owned(), text }).into_iter().collect()
}

/// A file in pieces: a source's quoted texts are another place than its code and comments.
fn pieces(source: &Source) -> Vec<Piece<'_>> {
    let root = source.name.split('/').next().unwrap();
    let piece = |place: String, text| Piece { file: &source.name, place, text };
    if !source.name.ends_with(".rs") {
        return vec![piece(root.to_owned(), source.text.as_str())];
    }
    let mut pieces = Vec::new();
    let mut rest = source.text.as_str();
    for text in source.quoted() {
        let (before, after) = rest.split_at(text.as_ptr().addr() - rest.as_ptr().addr());
        pieces.push(piece(root.to_owned(), before));
        pieces.push(piece(format!("{root}, quoted"), text));
        rest = &after[text.len()..];
    }
    pieces.push(piece(root.to_owned(), rest));
    pieces
}

/// Whether a piece is read by those who use the panel.
fn is_shown(piece: &Piece<'_>) -> bool {
    let speaks = ["src/admin/", "src/cli/", "src/domain/refusal"];
    match piece.place.as_str() {
        "templates" | "README.md" => true,
        "static" => piece.file == "static/app.js",
        "src, quoted" => speaks.iter().any(|at| piece.file.starts_with(at)),
        _ => false,
    }
}

#[test]
fn retired_words_are_gone() {
    let places = ["src", "templates", "static", "tests", "benches"].into_iter();
    let places = places.chain(["schema.sql", "README.md", "CHANGELOG.md", "CONTRIBUTING.md"]);
    let sources: Vec<Source> = places.flat_map(files).collect();
    assert!(sources.len() > 150, "only {} files were found", sources.len());
    let all: Vec<Piece<'_>> = sources.iter().flat_map(pieces).collect();
    let mut found = Found::new();
    search(&all, RETIRED, &mut found);
    let shown: Vec<Piece<'_>> = all.into_iter().filter(is_shown).collect();
    search(&shown, UNSHOWN, &mut found);

    assert_tidy(found.iter().map(|(word, files)| format!("{word:?} in {files:?}")));
}

#[test]
fn words_are_found_whole_in_any_case_and_across_lines() {
    let count = |text: &str, phrase: &str| count(&words(text), phrase);
    for text in ["Own rate", "/// its own\n    /// rate, or", "an \"own rate\"", "own_x own, rate"]
    {
        assert_eq!(count(text, "own rate"), 1, "{text}");
    }
    for text in ["own rates", "own. Rate", "grown rate", "own; rate", "own-rate", "rate own"] {
        assert_eq!(count(text, "own rate"), 0, "{text}");
    }
    assert_eq!(count("He said he'd; the_he her", "he"), 3);
}
