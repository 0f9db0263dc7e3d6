//! Providers as a person adds, changes and removes them, and what their balances tell.

use panelite::commands::providers::{
    AddProvider, PauseProvider, RecordBalance, RecordTrouble, RemoveProvider, ReplaceAccess,
    ResumeProvider, UpdateProvider, seal, unseal,
};
use panelite::domain::condition::ConditionKind;
use panelite::domain::provider::{Dialect, Exchange, Provider, Terms, Trouble};
use panelite::domain::refusal::{OperatorRefusal, ProviderRefusal, Refusal};
use panelite::domain::{Actor, ProviderId, Timestamp};
use panelite::secret::{Sealer, Secret};
use panelite::store::providers::{self, Access};
use panelite::store::{Command, Error, readings};
use url::Url;

use crate::domain::money;
use crate::fixture::engine;
use crate::fixture::panel::{EPOCH, Panel};

const CSV: &str = "id,category,name,type,rate,min,max,provider,provider_service\n";

fn terms(name: &str) -> Terms {
    Terms {
        name: name.to_owned(),
        dialect: Dialect::Form,
        currency: "USD".to_owned(),
        exchange: Exchange::ONE,
        is_insecure: false,
        sends_ids: true,
        timeout_seconds: 30,
        low: Some(money("5")),
    }
}

fn sealer(panel: &Panel) -> Sealer {
    Sealer::open(&engine::key_file(panel.db())).unwrap()
}

fn access(panel: &Panel, url: &str, key: &str) -> Access {
    seal(&sealer(panel), &Url::parse(url).unwrap(), &Secret::new(key.to_owned())).unwrap()
}

fn add(panel: &Panel, name: &str, url: &str, key: &str) -> Result<ProviderId, Refusal> {
    let (actor, terms) = (Actor::CommandLine, terms(name));
    done(panel, AddProvider { actor, terms, access: access(panel, url, key) })
}

fn done<C: Command>(panel: &Panel, command: C) -> Result<C::Reply, Refusal> {
    match panel.store().write_blocking(command) {
        Ok(reply) => Ok(reply),
        Err(Error::Refused(refusal)) => Err(refusal),
        Err(error) => panic!("{error}"),
    }
}

fn get(panel: &Panel, id: ProviderId) -> Provider {
    panel.store().point(|db| providers::get(db, id)).unwrap()
}

#[test]
fn one_account_upstream_is_one_provider() {
    let panel = Panel::start();
    let first = add(&panel, "first", "https://up.example/api/v2", "key one").unwrap();
    let same = |name: &str| Err(ProviderRefusal::SameAccount(name.to_owned()).into());
    for url in ["https://up.example/api/v2", "https://UP.example.:443/other?x=1"] {
        assert_eq!(add(&panel, "second", url, "key one"), same("first"), "{url}");
    }
    let taken = Err(OperatorRefusal::NameTaken.into());
    assert_eq!(add(&panel, "first", "https://up.example/api/v2", "key two"), taken);
    add(&panel, "second", "https://up.example/api/v2", "key two").unwrap();
    add(&panel, "third", "https://up.example:8443/api/v2", "key one").unwrap();

    let key = panel.store().point(|db| unseal(db, &sealer(&panel), first)).unwrap();
    assert_eq!(key.expose(), "key one");
    let folder = tempfile::tempdir().unwrap();
    let other = Sealer::open(&folder.path().join("key")).unwrap();
    let unreadable = panel.store().point(|db| unseal(db, &other, first)).unwrap_err();
    assert_eq!(unreadable.to_string(), ProviderRefusal::KeyUnreadable.to_string());
    let url = Url::parse("https://up.example/").unwrap();
    for key in ["", " key", "a\u{202e}b", &"k".repeat(501)] {
        let refused = seal(&other, &url, &Secret::new(key.to_owned()));
        assert_eq!(refused, Err(ProviderRefusal::BadKey), "{key}");
    }
}

#[test]
fn terms_are_bounded() {
    let panel = Panel::start();
    let id = add(&panel, "first", "https://up.example/api/v2", "key").unwrap();
    let set =
        |terms| done(&panel, UpdateProvider { actor: Actor::CommandLine, provider: id, terms });
    let no = |refusal: ProviderRefusal| Err(refusal.into());
    for currency in ["", "usd", "DOLLARSUS"] {
        let terms = Terms { currency: currency.to_owned(), ..terms("first") };
        assert_eq!(set(terms), no(ProviderRefusal::BadCurrency), "{currency}");
    }
    for timeout_seconds in [0, 61] {
        let terms = Terms { timeout_seconds, ..terms("first") };
        assert_eq!(set(terms), no(ProviderRefusal::BadTimeout), "{timeout_seconds}");
    }
    assert_eq!(set(terms(" first")), Err(OperatorRefusal::BadName.into()));
    let changed = Terms { timeout_seconds: 10, sends_ids: false, low: None, ..terms("renamed") };
    set(changed.clone()).unwrap();
    assert_eq!(get(&panel, id).terms, changed);
    for number in 1..64 {
        add(&panel, &format!("p{number}"), "https://up.example/api/v2", &format!("k{number}"))
            .unwrap();
    }
    let one_more = add(&panel, "p64", "https://up.example/api/v2", "k64");
    assert_eq!(one_more, no(ProviderRefusal::TooManyProviders).map(|()| id));
}

#[test]
fn open_orders_stay_at_their_account() {
    let panel = Panel::start();
    let id = add(&panel, "up", "https://up.example/api/v2", "key").unwrap();
    panel.import(&format!("{CSV}1,C,Likes,Default,1,1,1000,up,7\n"));
    let order = panel.reseller("ann", "1").buys(1, 100);
    let replace = |key: &str, same_account| {
        let access = access(&panel, "https://new.example/api/v2", key);
        let actor = Actor::CommandLine;
        done(&panel, ReplaceAccess { actor, provider: id, access, same_account })
    };
    assert_eq!(replace("new", false), Err(ProviderRefusal::HasOpenOrders.into()));
    assert_eq!(replace("new", true), Ok(()));
    assert_eq!(get(&panel, id).url, "https://new.example/api/v2");
    panel.set(order, panelite::domain::order::PublicStatus::Canceled, None, None);
    assert_eq!(replace("newer", false), Ok(()));
    add(&panel, "other", "https://new.example/", "taken").unwrap();
    let taken = Err(ProviderRefusal::SameAccount("other".to_owned()).into());
    assert_eq!(replace("taken", true), taken);
}

#[test]
fn what_is_named_is_not_removed() {
    let panel = Panel::start();
    let id = add(&panel, "up", "https://up.example/api/v2", "key").unwrap();
    panel.import(&format!("{CSV}1,C,Likes,Default,1,1,1000,up,7\n"));
    let remove = || done(&panel, RemoveProvider { actor: Actor::CommandLine, provider: id });
    assert_eq!(remove(), Err(ProviderRefusal::InUse.into()));
    panel.import(&format!("{CSV}1,C,Likes,Default,1,1,1000,,\n"));
    let balance = RecordBalance { provider: id, balance: money("1"), currency: None };
    done(&panel, balance).unwrap();
    assert_eq!(panel.open_conditions(), ["provider 1: Low balance"]);
    assert_eq!(remove(), Ok(()));
    assert!(panel.open_conditions().is_empty());
    assert_eq!(remove(), Err(OperatorRefusal::ProviderNotFound.into()));
}

#[test]
fn a_provider_is_paused_and_resumed() {
    let panel = Panel::start();
    let (provider, actor) =
        (add(&panel, "up", "https://up.example/api/v2", "key").unwrap(), || Actor::CommandLine);
    for _ in 0..2 {
        done(&panel, PauseProvider { actor: actor(), provider }).unwrap();
        assert!(!get(&panel, provider).is_well(Timestamp(EPOCH)));
    }
    done(&panel, ResumeProvider { actor: actor(), provider }).unwrap();
    assert!(get(&panel, provider).is_well(Timestamp(EPOCH)));
}

#[test]
fn a_balance_ends_what_it_disproves() {
    let panel = Panel::start();
    let provider = add(&panel, "up", "https://up.example/api/v2", "key").unwrap();
    let reads = |balance: &str, currency: Option<&str>| {
        let (balance, currency) = (money(balance), currency.map(str::to_owned));
        done(&panel, RecordBalance { provider, balance, currency }).unwrap();
    };
    let fails = |trouble| {
        let (trouble, answer) = (Some(trouble), "no".repeat(400));
        let paused_until = Some(Timestamp(EPOCH + 600));
        done(&panel, RecordTrouble { provider, trouble, paused_until, answer }).unwrap();
        assert_eq!(get(&panel, provider).answer.len(), 500);
    };
    let trouble = || get(&panel, provider).trouble;

    fails(Trouble::Key);
    assert_eq!(panel.open_conditions(), ["provider 1: Key"]);
    reads("10", Some("USD"));
    assert_eq!((trouble(), get(&panel, provider).paused_until), (None, None));
    assert!(panel.open_conditions().is_empty());

    fails(Trouble::Funds);
    reads("10", Some("USD"));
    assert_eq!(trouble(), Some(Trouble::Funds), "nobody has paid in");
    reads("4.99", Some("USD"));
    assert_eq!(panel.open_conditions(), ["provider 1: Funds", "provider 1: Low balance"]);
    let text = panel.condition(ConditionKind::LowBalance, "provider 1").unwrap();
    assert_eq!(text, "4.99 USD are left");
    reads("100", None);
    assert_eq!(trouble(), None);
    assert_eq!(panel.open_conditions(), ["provider 1: Funds"], "until an order is accepted");

    reads("7", Some("EUR"));
    assert_eq!(get(&panel, provider).balance, Some(money("100")), "another currency counts not");
    assert_eq!(panel.open_conditions(), ["provider 1: Currency", "provider 1: Funds"]);
    reads("90", Some("USD"));
    assert_eq!(panel.open_conditions(), ["provider 1: Funds"]);
}

#[test]
fn readings_are_one_in_ten_minutes_for_thirty_days() {
    let panel = Panel::start();
    let provider = add(&panel, "up", "https://up.example/api/v2", "key").unwrap();
    let read = |balance: &str| {
        let balance = money(balance);
        done(&panel, RecordBalance { provider, balance, currency: None }).unwrap();
    };
    let kept = || {
        let since = Timestamp(0);
        let kept = panel.store().point(|db| readings::list(db, provider, since)).unwrap();
        kept.iter().map(|(at, balance)| (at.0 - EPOCH, balance.to_string())).collect::<Vec<_>>()
    };
    read("10");
    panel.clock.advance(599);
    read("9");
    panel.clock.advance(1);
    read("8");
    assert_eq!(kept(), [(0, "10.00".to_owned()), (600, "8.00".to_owned())]);
    panel.clock.advance(30 * 86_400);
    read("7");
    assert_eq!(kept(), [(600, "8.00".to_owned()), (600 + 30 * 86_400, "7.00".to_owned())]);
}
