//! Looking an order up by our own id: the one proof that it has arrived.

use super::figure::count;
use super::request::Fields;
use super::{CallError, Client};
use crate::delivery::json::Json;
use crate::delivery::outcome::{Body, id_of};

/// An order of theirs that carries our id. Whether it is the one we mean, its service, link and
/// quantity say; what they do not say is empty or 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    pub their_id: String,
    pub service: String,
    pub link: String,
    pub quantity: i64,
}

impl Client {
    /// The orders of theirs that carry our id. Who does not filter by it is not believed: each must
    /// say the id itself. No hit proves nothing.
    ///
    /// # Errors
    /// Where there is no list; `is_unknown_action` where they keep none.
    pub fn find_own(&self, custom_id: &str) -> Result<Vec<Hit>, CallError> {
        let fields = Fields::none().with("custom_id", custom_id);
        self.ask(&self.question("orders", fields), |json| {
            let items = items(json).filter(|_| !Body::of(json).has_error);
            let items = items.ok_or_else(|| self.nothing(json, "orders"))?;
            let is_own = |item: &&Json| {
                item.get("custom_id").and_then(Json::text).is_some_and(|id| id == custom_id)
            };
            Ok(items.iter().filter(is_own).filter_map(hit).collect())
        })
    }
}

fn items(json: &Json) -> Option<&[Json]> {
    json.list().or_else(|| ["orders", "data"].iter().find_map(|key| items(json.get(key)?)))
}

fn hit(item: &Json) -> Option<Hit> {
    let scalar = |key: &str| item.get(key).and_then(Json::scalar).unwrap_or_default().to_owned();
    Some(Hit {
        their_id: item.get("order").or_else(|| item.get("id")).and_then(id_of)?,
        service: scalar("service"),
        link: scalar("link"),
        quantity: item.get("quantity").and_then(count).unwrap_or_default(),
    })
}
