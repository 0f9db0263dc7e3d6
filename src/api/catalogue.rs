//! The catalogue as bytes: built once for all who see the same prices, sent as it is.
//!
//! What a list holds follows from the version of the catalogue, which every change of services and
//! prices moves, also one by another process. The version is read together with the key, so nothing
//! stale is ever sent. A list is built once, however many ask for it at the same time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::web;
use tokio::sync::OnceCell;

use super::error::Error;
use super::fields::Dialect;
use super::{Api, respond, wire};
use crate::domain::Timestamp;
use crate::packed::Packed;
use crate::store::services::{self, PriceList};
use crate::store::{self, Store, paces};

/// Bytes of lists that are kept. One list of the largest catalogue fits.
const BYTES_MAX: usize = 64 * 1024 * 1024;
/// What a list costs besides its bytes.
const LIST_BYTES: usize = 1024;

/// An hour of the clock, so that what moves all the time is built anew once in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Hour(i64);

impl Hour {
    pub(super) const fn of(now: Timestamp) -> Self {
        Self(now.0.div_euclid(3600))
    }
}

/// Which list of services is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Wanted {
    pub prices: PriceList,
    pub dialect: Dialect,
    /// Whether all that is known is in it, and in which hour: how long services take moves without
    /// a change of the catalogue.
    pub extended: Option<Hour>,
}

/// A list that is there or being built.
type List = Arc<OnceCell<Packed>>;

/// The lists of the newest version that anybody has asked for.
#[derive(Default)]
pub(super) struct Catalogue(Mutex<Shelf>);

#[derive(Default)]
struct Shelf {
    version: i64,
    lists: HashMap<Wanted, List>,
    bytes: usize,
}

impl Catalogue {
    /// The place of a list, filled or not.
    fn list(&self, wanted: Wanted) -> List {
        let mut shelf = self.shelf();
        if wanted.prices.version > shelf.version {
            *shelf = Shelf { version: wanted.prices.version, ..Shelf::default() };
        }
        if wanted.prices.version < shelf.version {
            return List::default(); // asked just before a change: built for this one only
        }
        Arc::clone(shelf.lists.entry(wanted).or_default())
    }

    /// Counts a list that was built. Where there are too many, all others go.
    fn count(&self, wanted: Wanted, list: &List, bytes: usize) {
        let mut shelf = self.shelf();
        let is_kept = shelf.lists.get(&wanted).is_some_and(|kept| Arc::ptr_eq(kept, list));
        if !is_kept {
            return;
        }
        shelf.bytes += bytes + LIST_BYTES;
        if shelf.bytes > BYTES_MAX {
            shelf.lists.retain(|kept, _| *kept == wanted);
            shelf.bytes = bytes + LIST_BYTES;
        }
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Api {
    /// The answer to `services`, in the smallest form that the client takes.
    pub(super) async fn services(
        &self,
        headers: &HeaderMap,
        wanted: Wanted,
    ) -> Result<HttpResponse, Error> {
        let list = self.catalogue.list(wanted);
        let build = || async {
            let store = Arc::clone(&self.store);
            let built = web::block(move || build(&store, wanted)).await;
            // Not to be had where the server is stopping.
            let packed = built.unwrap_or(Err(store::Error::Busy))?;
            self.catalogue.count(wanted, &list, packed.pack());
            Ok::<_, Error>(packed)
        };
        let (encoding, body) = list.get_or_try_init(build).await?.chosen(headers);
        let mut response = respond(StatusCode::OK, body.clone());
        let to = response.headers_mut();
        to.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        if let Some(encoding) = encoding {
            to.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        Ok(response)
    }
}

/// Reads the list, and compresses it when nothing of the database is held any more.
fn build(store: &Store, wanted: Wanted) -> store::Result<Packed> {
    let Wanted { prices, dialect, extended } = wanted;
    let (offers, paces) = store.page(|db| {
        let paces = extended.map(|_| paces::all(db)).transpose()?;
        Ok((services::list_offers(db, prices.own)?, paces))
    })?;
    let list = wire::services(dialect, prices, &offers, paces.as_ref());
    let packed = Packed::new(list);
    packed.pack();
    Ok(packed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::UserId;
    use crate::domain::money::Discount;

    fn wanted(version: i64, user: i64) -> Wanted {
        let prices = PriceList { version, discount: Discount::NONE, own: Some(UserId(user)) };
        Wanted { prices, dialect: Dialect::Json, extended: None }
    }

    #[test]
    fn a_list_is_shared_until_the_catalogue_changes() {
        let catalogue = Catalogue::default();
        let first = catalogue.list(wanted(1, 1));
        assert!(Arc::ptr_eq(&first, &catalogue.list(wanted(1, 1))));
        assert!(!Arc::ptr_eq(&first, &catalogue.list(wanted(1, 2))));
        let second = catalogue.list(wanted(2, 1));
        assert!(!Arc::ptr_eq(&first, &second));
        assert!(!Arc::ptr_eq(&first, &catalogue.list(wanted(1, 1))));
        assert!(Arc::ptr_eq(&second, &catalogue.list(wanted(2, 1))));
    }

    #[test]
    fn memory_is_bounded() {
        let catalogue = Catalogue::default();
        for user in 0..100 {
            let list = catalogue.list(wanted(1, user));
            catalogue.count(wanted(1, user), &list, BYTES_MAX / 10);
            assert!(catalogue.shelf().bytes <= BYTES_MAX);
            assert!(catalogue.shelf().lists.len() <= 10);
        }
    }
}
