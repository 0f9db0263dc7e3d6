//! One provider's lane at the writer: orders that are claimed, sent and recorded one after the
//! other, and answers about a hundred of them at once. Nobody is called.

use std::path::Path;

use panelite::clock;
use panelite::commands::catalog::ImportServices;
use panelite::commands::catalog_csv;
use panelite::commands::places::Unwell;
use panelite::commands::providers::AddProvider;
use panelite::commands::sending::{Claim, ClaimOrder, RecordSubmission};
use panelite::commands::watching::RecordStatuses;
use panelite::domain::outcome::Outcome;
use panelite::domain::provider::{Dialect, Exchange, Terms};
use panelite::domain::report::Report;
use panelite::domain::{Actor, OrderId, ProviderId, ServiceId};
use panelite::secret::Sealer;
use panelite::store::Store;
use panelite::store::providers::Access;

use crate::postgres::order;

const BOUGHT: ServiceId = ServiceId(2);
const CSV: &str = "id,category,name,type,rate,min,max,provider,provider_service
2,C,Bought,Default,0.9,1,5000,p,3
";
const HEARD: usize = 100;
/// A hundred to be ready, and a hundred that count.
const ORDERS: usize = 2 * HEARD;

/// Sends orders and hears of them, and prints how long that took. The store holds users.
pub(crate) fn report(name: &str, store: &Store, folder: &Path) {
    let provider = add_provider(store);
    for number in (1_000_000..).take(ORDERS) {
        store.write_blocking(order(number, BOUGHT)).unwrap();
    }
    let sealer = Sealer::open(&folder.join("lane.key")).unwrap();
    let send = || {
        let (after, unwell, sealer) = (OrderId(0), Unwell::new(), sealer.clone());
        let claim = store.write_blocking(ClaimOrder { provider, after, unwell, sealer }).unwrap();
        let Claim::Send(sending) = claim else { panic!("nothing to send: {claim:?}") };
        let outcome = Outcome::Accepted { their_id: format!("T{}", sending.order) };
        let (submission, unwell) = (sending.submission, Unwell::new());
        store.write_blocking(RecordSubmission { submission, outcome, unwell }).unwrap();
        sending.order
    };
    let hear = |orders: &[OrderId], word: &str| {
        let report = Report { word: word.to_owned(), remains: Some(0), ..Report::default() };
        let answers = orders.iter().map(|order| (*order, Ok(report.clone()))).collect();
        let begun = clock::instant();
        store.write_blocking(RecordStatuses { provider, answers }).unwrap();
        begun.elapsed().as_secs_f64() * 1000.0
    };
    let first: Vec<OrderId> = (0..HEARD).map(|_| send()).collect();
    let begun = clock::instant();
    let second: Vec<OrderId> = (0..HEARD).map(|_| send()).collect();
    let sent = HEARD as f64 / begun.elapsed().as_secs_f64();
    for word in ["In progress", "Completed"] {
        hear(&first, word);
    }
    let [moved, completed] = ["In progress", "Completed"].map(|word| hear(&second, word));
    println!("{name:<22} {sent:>22.0} {moved:>10.1} {completed:>12.1}");
}

fn add_provider(store: &Store) -> ProviderId {
    let terms = Terms {
        name: "p".to_owned(),
        dialect: Dialect::Form,
        currency: "USD".to_owned(),
        exchange: Exchange::ONE,
        is_insecure: true,
        sends_ids: true,
        timeout_seconds: 30,
        low: None,
    };
    let url = "http://127.0.0.1:9/api/v2".to_owned();
    let access = Access { url, account_mac: vec![2; 32], key_sealed: vec![1; 64] };
    let actor = || Actor::CommandLine;
    let add = AddProvider { actor: actor(), terms, access };
    let provider = store.write_blocking(add).unwrap();
    let drafts = catalog_csv::read(CSV.as_bytes()).unwrap();
    store.write_blocking(ImportServices { actor: actor(), drafts }).unwrap();
    provider
}
