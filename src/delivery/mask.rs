//! What is kept, logged or shown of a call never holds the provider's key, nor a part of it that
//! would help to guess it, nor either in another writing.

use std::collections::HashSet;

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD};

use crate::domain::is_hidden;
use crate::secret::Secret;

/// A part of a key that is as long as this is cut out.
const PART_LENGTH: usize = 8;
const STARS: &str = "***";

/// How much of an answer is kept with an order.
pub const ANSWER_LENGTH_MAX: usize = 500;

/// What must not be seen of one key. It holds parts of it, so it shows nothing of itself.
#[derive(Clone)]
pub struct Mask {
    /// Every part, in small letters.
    parts: HashSet<Vec<u8>>,
    length: usize,
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(STARS)
    }
}

impl Mask {
    /// The mask of a key.
    pub fn new(key: &Secret) -> Self {
        let key = key.expose().as_bytes();
        let length = key.len().clamp(1, PART_LENGTH);
        let url: String = url::form_urlencoded::byte_serialize(key).collect();
        let percent = percent_encoding::percent_encode(key, percent_encoding::NON_ALPHANUMERIC);
        let mut forms = vec![key.to_vec(), url.into_bytes(), percent.to_string().into_bytes()];
        // What stands before it in a longer text shifts base64 by 0, 1 or 2 bytes. The characters
        // that depend on the neighbors are left out.
        for shift in 0..3 {
            let shifted = [&vec![0; shift], key].concat();
            for base64 in [BASE64_NOPAD.encode(&shifted), BASE64URL_NOPAD.encode(&shifted)] {
                let from = (shift * 8).div_ceil(6);
                let end = shifted.len() * 8 / 6;
                forms.push(base64.as_bytes().get(from..end).unwrap_or_default().to_vec());
            }
        }
        let parts = forms.iter().flat_map(|form| form.windows(length));
        let parts = parts.map(<[u8]>::to_ascii_lowercase).collect();
        Self { parts: if key.is_empty() { HashSet::new() } else { parts }, length }
    }

    /// The text with every run of the key's parts made `***`.
    pub fn cut(&self, text: &str) -> String {
        let lower = text.to_ascii_lowercase();
        let mut kept = String::with_capacity(text.len());
        let mut covered_to = 0;
        for (at, c) in text.char_indices() {
            let window = lower.as_bytes().get(at..at + self.length);
            if window.is_some_and(|window| self.parts.contains(window)) {
                if covered_to <= at && !kept.ends_with(STARS) {
                    kept.push_str(STARS);
                }
                covered_to = at + self.length;
            }
            if at >= covered_to {
                kept.push(c);
            }
        }
        kept
    }

    /// What may be shown of a text that somebody else wrote: masked, on one line, at most `most`
    /// characters.
    pub fn excerpt(&self, text: &str, most: usize) -> String {
        // No more than could be shown is looked at, and a key at the end of it as well.
        let near: String = text.chars().take(most.saturating_mul(2) + 1000).collect();
        excerpt(&self.cut(&near), most)
    }
}

/// A text on one line, at most `most` characters, with `…` where something is left out.
pub fn excerpt(text: &str, most: usize) -> String {
    let visible = text.split(|c: char| c.is_whitespace() || is_hidden(c));
    let line = visible.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    if line.chars().count() <= most {
        return line;
    }
    let mut short: String = line.chars().take(most.saturating_sub(1)).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(key: &str) -> Mask {
        Mask::new(&Secret::new(key.to_owned()))
    }

    #[test]
    fn a_key_is_cut_out_whole_in_parts_and_in_other_writings() {
        let key = "k3y+with/odd=signs&0123456789abcdef";
        let mask = mask(key);
        let url: String = url::form_urlencoded::byte_serialize(key.as_bytes()).collect();
        for shift in ["", "a", "ab", "abc"] {
            let base64 = BASE64_NOPAD.encode(format!("{shift}{key}{shift}").as_bytes());
            let cut = mask.cut(&base64);
            assert!(cut.contains(STARS) && cut.len() < 16, "{cut}");
        }
        for (text, cut) in [
            (format!("key={key}."), "key=***."),
            (format!("key={}.", key.to_uppercase()), "key=***."),
            (format!("{key}{key} {key}"), "*** ***"),
            (format!("key={url}&action=add"), "key=***&action=add"),
            ("Unknown key 01234567…".to_owned(), "Unknown key ***…"),
            ("Unknown key 0123456".to_owned(), "Unknown key 0123456"),
            ("é ü".to_owned(), "é ü"),
            (String::new(), ""),
        ] {
            assert_eq!(mask.cut(&text), cut);
        }
    }

    #[test]
    fn short_keys_and_none_at_all() {
        assert_eq!(mask("abc").cut("xabcx ab"), "x***x ab");
        assert_eq!(mask("").cut("anything"), "anything");
        assert_eq!(format!("{:?}", mask("secret-secret")), "***");
    }

    #[test]
    fn an_excerpt_is_short_and_on_one_line() {
        let mask = mask("0123456789");
        assert_eq!(mask.excerpt(" a\n\tb\u{202e}c ", 10), "a b c");
        assert_eq!(mask.excerpt("abcdef", 4), "abc…");
        assert_eq!(mask.excerpt("ab 0123456789", 8), "ab ***");
        assert_eq!(mask.excerpt(&"é".repeat(600), 500).chars().count(), 500);
    }
}
