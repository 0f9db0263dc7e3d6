//! A provider's list of services.
//!
//! A list, or an object by id, or either in a wrapper. What cannot be read whole is left out and
//! counted; whether the list as a whole is to be trusted is decided by the command that keeps it.

use std::collections::HashSet;
use std::time::Duration;

use super::figure::{amount, count};
use super::request::Fields;
use super::{CallError, Client};
use crate::delivery::json::Json;
use crate::delivery::outcome::{Body, id_of};
use crate::domain::input::QUANTITY_MAX;
use crate::domain::is_hidden;
use crate::domain::money::Rate;
use crate::domain::service::ServiceKind;

const LIST_BYTES_MAX: usize = 16 * 1024 * 1024;
const LIST_TIME: Duration = Duration::from_secs(120);
const NAME_LENGTH_MAX: usize = 255;
const WRAPPERS: &[&str] = &["services", "data"];

/// What a provider sells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogue {
    pub items: Vec<Item>,
    /// How many more there were that could not be read.
    pub unreadable: usize,
}

/// One service of theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub id: String,
    pub name: String,
    /// May be empty.
    pub category: String,
    pub kind: ServiceKind,
    /// In their currency, for 1000 units (for one package).
    pub rate: Rate,
    /// 1 to 10⁹, as is the most.
    pub min: i64,
    pub max: i64,
    pub is_dripfeed: bool,
    pub is_refill: bool,
    pub is_cancel: bool,
}

impl Client {
    /// Reads their list of services; it may take two minutes and 16 MiB.
    ///
    /// # Errors
    /// Where there is no list.
    pub fn services(&self) -> Result<Catalogue, CallError> {
        let mut question = self.question("services", Fields::none());
        question.timeout = LIST_TIME;
        question.answer_bytes_max = LIST_BYTES_MAX;
        self.ask(&question, |json| {
            let catalogue = read(json).filter(|_| !Body::of(json).has_error);
            catalogue.ok_or_else(|| self.nothing(json, "list of services"))
        })
    }
}

fn read(json: &Json) -> Option<Catalogue> {
    let found: Vec<Option<Item>> = match json {
        Json::List(items) => items.iter().map(|item| read_item(item, None)).collect(),
        Json::Object(entries) => {
            if let Some(wrapped) = WRAPPERS.iter().find_map(|key| json.get(key)) {
                return read(wrapped);
            }
            let is_by_id = !entries.is_empty()
                && entries.iter().all(|(_, item)| matches!(item, Json::Object(_)));
            if !is_by_id {
                return None;
            }
            entries.iter().map(|(key, item)| read_item(item, Some(key))).collect()
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) => return None,
    };
    let all = found.len();
    let mut seen = HashSet::with_capacity(all);
    let mut items: Vec<Item> = Vec::with_capacity(all);
    items.extend(found.into_iter().flatten().filter(|item| seen.insert(item.id.clone())));
    Some(Catalogue { unreadable: all - items.len(), items })
}

fn read_item(item: &Json, key: Option<&str>) -> Option<Item> {
    let named = ["service", "service_id", "id"].iter().find_map(|name| item.get(name));
    let key = key.map(|key| Json::Text(key.to_owned()));
    let id = named.or(key.as_ref()).and_then(id_of)?;
    let name = line(item.get("name")?.scalar()?);
    let category = line(item.get("category").and_then(Json::scalar).unwrap_or_default());
    let kind = ServiceKind::from_label(item.get("type")?.text()?)?;
    let rate = amount(item.get("rate")?).map(|rate| Rate::from_micros(rate.micros()))?;
    let limit = |name: &str| item.get(name).and_then(count).map(|it| it.clamp(1, QUANTITY_MAX));
    let (min, max) = (limit("min")?, limit("max")?);
    let is_sound =
        !name.is_empty() && min <= max && (0..=Rate::MAX.micros()).contains(&rate.micros());
    is_sound.then(|| Item {
        id,
        name,
        category,
        kind,
        rate,
        min,
        max,
        is_dripfeed: is_yes(item.get("dripfeed")),
        is_refill: is_yes(item.get("refill")),
        is_cancel: is_yes(item.get("cancel")),
    })
}

/// A name as it may be kept.
fn line(text: &str) -> String {
    let visible: String = text.trim().chars().filter(|c| !is_hidden(*c)).collect();
    visible.chars().take(NAME_LENGTH_MAX).collect::<String>().trim().to_owned()
}

/// Whether a flag is set: true, 1, or a text that says so.
fn is_yes(json: Option<&Json>) -> bool {
    match json {
        Some(Json::Bool(flag)) => *flag,
        Some(Json::Number(text)) => text == "1",
        Some(Json::Text(text)) => {
            matches!(text.trim().to_lowercase().as_str(), "1" | "true" | "yes")
        }
        Some(Json::Null | Json::List(_) | Json::Object(_)) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::json;

    fn catalogue(body: &str) -> Option<Catalogue> {
        read(&json::read(body.as_bytes()).unwrap().json)
    }

    #[test]
    fn a_list_is_read_in_whatever_it_is_wrapped() {
        let item = r#"{"service":7,"name":"Likes\u202e","type":"default","category":"A",
            "rate":"0.90","min":"50","max":"10000","refill":true,"cancel":1,"dripfeed":"0"}"#;
        let expected = Item {
            id: "7".to_owned(),
            name: "Likes".to_owned(),
            category: "A".to_owned(),
            kind: ServiceKind::Default,
            rate: Rate::from_micros(900_000),
            min: 50,
            max: 10_000,
            is_dripfeed: false,
            is_refill: true,
            is_cancel: true,
        };
        let expected = Some(Catalogue { items: vec![expected], unreadable: 0 });
        let by_id = format!("{{\"7\":{}}}", item.replace("\"service\":7,", ""));
        for body in [
            format!("[{item}]"),
            format!("{{\"data\":[{item}]}}"),
            format!("{{\"services\":{{\"7\":{item}}}}}"),
            by_id,
        ] {
            assert_eq!(catalogue(&body), expected, "{body}");
        }
        for body in ["{}", "7", r#"{"error":"no"}"#, r#"{"7":1}"#] {
            assert_eq!(catalogue(body), None, "{body}");
        }
        assert_eq!(catalogue("[]"), Some(Catalogue::default()));
    }

    #[test]
    fn what_is_not_whole_is_counted() {
        let item = |change: &str, to: &str| {
            r#"{"service":1,"name":"a","type":"Custom_Comments","rate":0,"min":0,"max":1e12}"#
                .replace(change, to)
        };
        let sound = catalogue(&format!("[{}]", item("-", "-"))).unwrap();
        let limits = (sound.items[0].min, sound.items[0].max, sound.items[0].kind);
        assert_eq!(limits, (1, QUANTITY_MAX, ServiceKind::CustomComments));
        for (change, to) in [
            ("\"service\":1,", ""),
            ("\"service\":1", "\"service\":0"),
            ("\"a\"", "\" \""),
            ("Custom_Comments", "Custom"),
            ("\"rate\":0", "\"rate\":-1"),
            ("\"rate\":0", "\"rate\":\"1,200\""),
            ("\"rate\":0", "\"rate\":1e9"),
            ("\"min\":0,", ""),
            ("\"max\":1e12", "\"max\":\"many\""),
            ("\"min\":0,\"max\":1e12", "\"min\":10,\"max\":9"),
        ] {
            let found = catalogue(&format!("[{}]", item(change, to))).unwrap();
            assert_eq!((found.items.len(), found.unreadable), (0, 1), "{change} {to}");
        }
        let twice = catalogue(&format!("[{0},{0},1]", item("-", "-"))).unwrap();
        assert_eq!((twice.items.len(), twice.unreadable), (1, 2));
    }
}
