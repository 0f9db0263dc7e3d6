//! How requests are written, in both dialects.

use serde::ser::{Serialize, SerializeMap as _, Serializer};

use crate::domain::input::parse_number;
use crate::domain::provider::Dialect;

/// The fields of a request besides its key and its action, in the order in which they go out.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(Vec<(&'static str, String)>);

impl Fields {
    /// None yet.
    pub(super) fn none() -> Self {
        Self::default()
    }

    /// One more. A plain number is written as one where the dialect has numbers, but for ids of
    /// orders and the like, which are texts there.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    /// The body of a request.
    pub(super) fn write(&self, dialect: Dialect, key: &str, action: &str) -> String {
        match dialect {
            Dialect::Form => {
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                form.append_pair("key", key).append_pair("action", action);
                form.extend_pairs(&self.0);
                form.finish()
            }
            // A map of texts and numbers can always be written.
            Dialect::Json => {
                serde_json::to_string(&Body { key, action, fields: &self.0 }).unwrap_or_default()
            }
        }
    }
}

/// The media type of such bodies.
pub(super) const fn content_type(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Form => "application/x-www-form-urlencoded",
        Dialect::Json => "application/json",
    }
}

struct Body<'a> {
    key: &'a str,
    action: &'a str,
    fields: &'a [(&'static str, String)],
}

/// The fields that are numbers where they look like one.
const NUMBERS: &[&str] =
    &["service", "quantity", "min", "max", "posts", "old_posts", "delay", "limit"];

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields.len() + 2))?;
        map.serialize_entry("key", self.key)?;
        map.serialize_entry("action", self.action)?;
        for (name, value) in self.fields {
            match parse_number(value).filter(|_| NUMBERS.contains(name)) {
                Some(number) => map.serialize_entry(name, &number)?,
                None => map.serialize_entry(name, value)?,
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_dialects_say_the_same() {
        let fields = Fields::none()
            .with("service", "7")
            .with("link", "https://example.com/?a=b&c=ü")
            .with("comments", "one\ntwo")
            .with("orders", "1");
        assert_eq!(
            fields.write(Dialect::Form, "k+y", "add"),
            "key=k%2By&action=add&service=7&link=https%3A%2F%2Fexample.com%2F%3Fa%3Db%26c%3D%C3%BC\
             &comments=one%0Atwo&orders=1"
        );
        assert_eq!(
            fields.write(Dialect::Json, "k\"y", "add"),
            "{\"key\":\"k\\\"y\",\"action\":\"add\",\"service\":7,\
             \"link\":\"https://example.com/?a=b&c=ü\",\"comments\":\"one\\ntwo\",\"orders\":\"1\"}"
        );
    }
}
