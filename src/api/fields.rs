//! Bytes → flat fields, whatever the encoding.
//!
//! A request is JSON, urlencoded or multipart, with a query string besides; what comes out is the
//! same map of trimmed texts. Absent and empty are one thing. A field that cannot be read is kept
//! as broken, so that only an action that needs it complains.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt;

use actix_multipart::Multipart;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap};
use actix_web::web::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream;
use percent_encoding::percent_decode;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Which of the two sets of clients is asking. It follows the encoding of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Dialect {
    /// A JSON body: HTTP status codes mean something, numbers are numbers.
    Json,
    /// Anything else: errors come with status 200, numbers are strings.
    Form,
}

impl Dialect {
    /// A body whose first byte, after blanks or a BOM, is `{` is JSON, whatever it is called.
    pub(super) fn of(body: &[u8]) -> Self {
        match without_bom(body).trim_ascii_start().first() {
            Some(b'{') => Self::Json,
            _ => Self::Form,
        }
    }
}

/// The request cannot be read at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

/// The value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Text(String),
    List(Vec<String>),
    /// Sent twice, an object, or in a broken encoding.
    Broken,
}

/// A field is there, but cannot be read as what it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken;

/// The fields of a request, trimmed, none of them empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields {
    values: BTreeMap<String, Value>,
    /// List entries sent one by one, as `name[]=…` or `name[0]=…`.
    entries: BTreeMap<String, Value>,
}

impl Fields {
    /// Reads the body by its encoding, then what only the query has.
    ///
    /// # Errors
    /// `Unreadable` where the body is broken as a whole.
    pub(super) async fn read(
        dialect: Dialect,
        headers: &HeaderMap,
        query: &str,
        body: Bytes,
    ) -> Result<Self, Unreadable> {
        let mut fields = Self::default();
        match dialect {
            Dialect::Json => fields.read_json(without_bom(&body))?,
            Dialect::Form if body.is_empty() => {}
            Dialect::Form if is_multipart(headers) => fields.read_multipart(headers, body).await?,
            Dialect::Form => fields.read_urlencoded(without_bom(&body)),
        }
        if !query.is_empty() {
            let mut from_query = Self::default();
            from_query.read_urlencoded(query.as_bytes());
            for (name, value) in from_query.values {
                fields.values.entry(name).or_insert(value);
            }
            for (name, value) in from_query.entries {
                fields.entries.entry(name).or_insert(value);
            }
        }
        Ok(fields)
    }

    /// One text: a field that may not be a list.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Broken> {
        match self.values.get(name) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(Value::List(_) | Value::Broken) => Err(Broken),
        }
    }

    /// One text, in which the entries of a list become lines.
    pub(super) fn lines(&self, name: &str) -> Result<Option<Cow<'_, str>>, Broken> {
        match self.values.get(name) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(Cow::Borrowed(text))),
            Some(Value::List(lines)) => Ok(Some(Cow::Owned(lines.join("\n")))),
            Some(Value::Broken) => Err(Broken),
        }
    }

    /// A list: entries sent one by one, a JSON array, or one text with commas. Blanks and repeats
    /// are dropped; what remains may be nothing.
    pub(super) fn list(&self, name: &str) -> Result<Vec<String>, Broken> {
        let mut texts: Vec<&str> = Vec::new();
        for value in [self.values.get(name), self.entries.get(name)].into_iter().flatten() {
            match value {
                Value::Text(text) => texts.extend(text.split(',')),
                Value::List(list) => texts.extend(list.iter().flat_map(|text| text.split(','))),
                Value::Broken => return Err(Broken),
            }
        }
        texts.iter_mut().for_each(|text| *text = trim(text));
        texts.retain(|text| !text.is_empty());
        if texts.len() > 1 {
            let mut seen = HashSet::with_capacity(texts.len());
            texts.retain(|text| seen.insert(*text));
        }
        Ok(texts.into_iter().map(str::to_owned).collect())
    }

    /// What the fields are called, each once.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// Whether the field is there at all.
    pub(super) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Whether entries of the list were sent one by one.
    pub(super) fn has_entries(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    fn add(&mut self, name: String, value: Option<Value>) {
        let Some(value) = value else { return };
        match list_base(&name) {
            Some(base) => self.add_entry(base.to_owned(), value),
            None => {
                let replace = |known: &mut Value| *known = Value::Broken;
                self.values.entry(name).and_modify(replace).or_insert(value);
            }
        }
    }

    fn add_entry(&mut self, name: String, value: Value) {
        let list = self.entries.entry(name).or_insert_with(|| Value::List(Vec::new()));
        match (list, value) {
            (Value::List(list), Value::Text(text)) => list.push(text),
            (Value::List(list), Value::List(more)) => list.extend(more),
            (list, _) => *list = Value::Broken,
        }
    }

    fn read_json(&mut self, body: &[u8]) -> Result<(), Unreadable> {
        let Pairs(pairs) = serde_json::from_slice(body).map_err(|_| Unreadable)?;
        for (name, value) in pairs {
            self.add(name, json_value(value.get()));
        }
        Ok(())
    }

    fn read_urlencoded(&mut self, body: &[u8]) {
        for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let (name, value) = (halves.next().unwrap_or_default(), halves.next());
            // A name that cannot be read is the name of nothing we know.
            let Some(name) = decode(name) else { continue };
            let value = match decode(value.unwrap_or_default()) {
                Some(text) => text_value(&text),
                None => Some(Value::Broken),
            };
            self.add(trim(&name).to_owned(), value);
        }
    }

    async fn read_multipart(&mut self, headers: &HeaderMap, body: Bytes) -> Result<(), Unreadable> {
        let body = stream::once(std::future::ready(Ok(body)));
        let mut parts = Multipart::new(headers, body);
        while let Some(part) = parts.next().await {
            let mut part = part.map_err(|_| Unreadable)?;
            let name = part.name().unwrap_or_default().to_owned();
            let mut bytes = Vec::new();
            while let Some(chunk) = part.next().await {
                bytes.extend_from_slice(&chunk.map_err(|_| Unreadable)?);
            }
            let value = match std::str::from_utf8(&bytes) {
                Ok(text) => text_value(text),
                Err(_) => Some(Value::Broken),
            };
            self.add(trim(&name).to_owned(), value);
        }
        Ok(())
    }
}

/// The name before `[]` or `[3]`.
fn list_base(name: &str) -> Option<&str> {
    let (base, index) = name.strip_suffix(']')?.split_once('[')?;
    index.bytes().all(|byte| byte.is_ascii_digit()).then_some(base)
}

fn without_bom(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

fn is_multipart(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = content_type.and_then(|text| text.split(';').next()).unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("multipart/form-data")
}

/// Space, tab, CR and LF; nothing else is a blank.
fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}

/// What a text says, `None` for the many ways to say nothing.
pub(super) fn given(text: &str) -> Option<&str> {
    let text = trim(text);
    (!matches!(text, "" | "undefined" | "null")).then_some(text)
}

/// A text as a field's value.
fn text_value(text: &str) -> Option<Value> {
    given(text).map(|text| Value::Text(text.to_owned()))
}

/// Undoes percent encoding, strictly.
fn decode(bytes: &[u8]) -> Option<String> {
    let is_escaped = |at: usize| {
        bytes.get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
    };
    let is_sound = |(at, byte): (usize, &u8)| *byte != b'%' || is_escaped(at);
    if !bytes.iter().enumerate().all(is_sound) {
        return None;
    }
    let spaced: Vec<u8> = bytes.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect();
    percent_decode(&spaced).decode_utf8().ok().map(Cow::into_owned)
}

/// The members of a JSON object in the order in which they came, repeats too.
struct Pairs<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Pairs<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// A JSON value as a field's: scalars become text, numbers exactly as they were written.
fn json_value(raw: &str) -> Option<Value> {
    match raw.as_bytes().first() {
        Some(b'"') if !raw.contains('\\') => text_value(raw.trim_matches('"')),
        Some(b'"') => match serde_json::from_str::<String>(raw) {
            Ok(text) => text_value(&text),
            Err(_) => Some(Value::Broken),
        },
        Some(b'[') => {
            let Ok(entries) = serde_json::from_str::<Vec<&RawValue>>(raw) else {
                return Some(Value::Broken);
            };
            let mut texts = Vec::new();
            for entry in entries.iter().map(|entry| entry.get()) {
                if entry.starts_with('[') {
                    return Some(Value::Broken); // a list of lists is no list, however deep
                }
                match json_value(entry) {
                    Some(Value::Text(text)) => texts.push(text),
                    Some(Value::List(_) | Value::Broken) => return Some(Value::Broken),
                    None => {}
                }
            }
            (!texts.is_empty()).then_some(Value::List(texts))
        }
        Some(b'{') => Some(Value::Broken),
        _ => text_value(raw),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urlencoded(body: &str) -> Fields {
        let mut fields = Fields::default();
        fields.read_urlencoded(body.as_bytes());
        fields
    }

    fn json(body: &str) -> Result<Fields, Unreadable> {
        let mut fields = Fields::default();
        fields.read_json(body.as_bytes()).map(|()| fields)
    }

    #[test]
    fn the_dialect_follows_the_first_byte() {
        for body in ["{", " \t\r\n{}", "\u{feff}{\"a\":1}"] {
            assert_eq!(Dialect::of(body.as_bytes()), Dialect::Json, "{body:?}");
        }
        for body in ["", "a={", "[1]", "null", "\"{\""] {
            assert_eq!(Dialect::of(body.as_bytes()), Dialect::Form, "{body:?}");
        }
    }

    #[test]
    fn both_encodings_give_the_same_fields() {
        let form = urlencoded("a=+x+&b=1&list[]=1&list[0]=2&gone=&also=null&c=%7B%C3%A9");
        let json = json(r#"{"a":" x\n","b":1,"list[]":["1","2"],"gone":"","also":null,"c":"{é"}"#);
        assert_eq!(json, Ok(form));
    }

    #[test]
    fn lists_come_in_many_shapes() {
        for body in
            ["o=1,2,,2, 3", "o[]=1&o[]=2&o[]=3&o[]=3", "o[0]=1&o[7]=2&o[2]=3", "o=1,2&o[]=3"]
        {
            assert_eq!(urlencoded(body).list("o").unwrap(), ["1", "2", "3"], "{body}");
        }
        let list = json(r#"{"o":[1,"2",null,"",3]}"#).unwrap();
        assert_eq!(list.list("o").unwrap(), ["1", "2", "3"]);
        assert_eq!(list.lines("o").unwrap().unwrap(), "1\n2\n3");
        assert_eq!(list.text("o"), Err(Broken));
    }

    #[test]
    fn what_cannot_be_read_is_broken_where_it_is() {
        for body in ["a=1&a=2", "a=%", "a=%2", "a=%zz", "a=%ff", "a=%c3%28"] {
            let fields = urlencoded(&format!("b=1&{body}"));
            assert_eq!(fields.text("a"), Err(Broken), "{body}");
            assert_eq!(fields.text("b"), Ok(Some("1")), "{body}");
        }
        for body in [r#"{"a":1,"a":1}"#, r#"{"a":{}}"#, r#"{"a":[[]]}"#, r#"{"a":"\ud800"}"#] {
            let is_broken = json(body).is_ok_and(|fields| fields.text("a") == Err(Broken));
            assert!(is_broken, "{body}");
        }
        for body in ["{", "{}x", "{\"a\"}", "{'a':1}", "{\"a\":01}", "{\"a\":NaN}", "[]", ""] {
            assert_eq!(json(body), Err(Unreadable), "{body}");
        }
    }

    #[test]
    fn numbers_keep_their_spelling() {
        let fields = json(r#"{"a":1e3,"b":1.50,"c":-0,"d":true}"#).unwrap();
        for (name, text) in [("a", "1e3"), ("b", "1.50"), ("c", "-0"), ("d", "true")] {
            assert_eq!(fields.text(name), Ok(Some(text)));
        }
    }
}
