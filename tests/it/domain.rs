//! Orders after they were bought, as tables: every move one may make with what it does to the
//! money, what customers see of it, and when there is a refill.

use panelite::domain::event::{EventKind, EventState};
use panelite::domain::input::Input;
use panelite::domain::ledger::{AccountKind, PostingKind};
use panelite::domain::money::{Money, Per, Rate};
use panelite::domain::order::{
    ByHand, CancelAnswer, Change, DripFeed, Order, OrderStatus, Part, PublicStatus, Settlement,
    Shown,
};
use panelite::domain::refill::{self, RefillStatus};
use panelite::domain::refusal::{OperatorRefusal, OrderRefusal, Refusal};
use panelite::domain::service::{Listing, Service, ServiceKind};
use panelite::domain::setting::Setting;
use panelite::domain::{CategoryId, OrderId, ServiceId, Timestamp, UserId};

use crate::fixture::panel::EPOCH;
use crate::fixture::table::rows;

const DAY: i64 = 86_400;

/// An order of 1000 units at 2.50, of which 400 remain.
fn order(kind: ServiceKind, status: OrderStatus) -> Order {
    Order {
        id: OrderId(1),
        user: UserId(1),
        service: ServiceId(1),
        part: Part::Whole,
        kind,
        link: "https://example.com/p".to_owned(),
        quantity: 1000,
        units: 1000,
        drip_feed: None,
        rate: rate("2.50"),
        charge: money("2.50"),
        refunded: Money::ZERO,
        status,
        shown: Shown::Pending,
        start_count: None,
        remains: 400,
        custom_id: None,
        created_at: Timestamp(EPOCH),
        finished_at: status.is_final().then_some(Timestamp(EPOCH)),
        cancel_requested_at: None,
    }
}

/// A service with everything on offer, 1 to 10 000 units at 2.50.
pub(crate) fn service(kind: ServiceKind) -> Service {
    let listing = Listing {
        category: CategoryId(1),
        name: "Service".to_owned(),
        description: String::new(),
        kind,
        rate: rate("2.50"),
        quantity_min: 1,
        quantity_max: 10_000,
        is_dripfeed: kind.can_drip(),
        is_refill: true,
        refill_days: Some(30),
        is_cancel: true,
        denies_duplicates: false,
        is_enabled: true,
        provider: None,
        provider_service: None,
    };
    assert_eq!(listing.check(), Ok(()));
    Service { id: ServiceId(1), listing }
}

pub(crate) fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

pub(crate) fn rate(text: &str) -> Rate {
    Rate::parse(text).unwrap()
}

/// All that may happen to an order; whatever is not here is refused. By hand with `remains` 400.
const MOVES: &str = "
    status    | event            | becomes               | money
    pending   | Processing       | active as Processing  | waits
    pending   | In progress      | active as In progress | waits
    pending   | Completed        | completed, 0 remain   | kept 2.50, refunded 0.00
    pending   | Partial          | partial, 400 remain   | kept 1.50, refunded 1.00
    pending   | Canceled         | canceled, 400 remain  | kept 0.00, refunded 2.50
    pending   | customer cancels | canceled, 400 remain  | kept 0.00, refunded 2.50
    sending   | customer cancels | the request is kept   | waits
    unknown   | customer cancels | the request is kept   | waits
    active    | Processing       | active as Processing  | waits
    active    | In progress      | active as In progress | waits
    active    | Completed        | completed, 0 remain   | kept 2.50, refunded 0.00
    active    | Partial          | partial, 400 remain   | kept 1.50, refunded 1.00
    active    | Canceled         | canceled, 400 remain  | kept 0.00, refunded 2.50
    active    | customer cancels | the request is kept   | waits
";

#[derive(Clone, Copy, Debug)]
enum Event {
    ByHand(PublicStatus),
    CustomerCancels,
}

impl Event {
    fn all() -> impl Iterator<Item = Self> {
        let by_hand = PublicStatus::ALL.iter().map(|status| Self::ByHand(*status));
        by_hand.chain([Self::CustomerCancels])
    }

    fn label(self) -> &'static str {
        match self {
            Self::ByHand(status) => status.label(),
            Self::CustomerCancels => "customer cancels",
        }
    }

    /// What the event leads to, as the table's last two cells say it.
    fn happen(self, order: &Order) -> Result<[String; 2], Refusal> {
        let change = match self {
            Self::ByHand(status) => set(order, status, Some(400))?,
            Self::CustomerCancels => match order.request_cancel(&service(order.kind).listing)? {
                CancelAnswer::AtOnce(change) => change,
                CancelAnswer::Requested => {
                    return Ok(["the request is kept".to_owned(), "waits".to_owned()]);
                }
            },
        };
        let becomes = match change.status.is_final() {
            true => format!("{}, {} remain", change.status.as_str(), change.remains),
            false => format!("{} as {}", change.status.as_str(), change.shown),
        };
        let money = change.settlement.map_or("waits".to_owned(), |Settlement { kept, refund }| {
            format!("kept {kept}, refunded {refund}")
        });
        Ok([becomes, money])
    }

    /// Why the event cannot happen to an order that stands so.
    fn refusal(self, status: OrderStatus) -> Refusal {
        match status {
            OrderStatus::Completed => OrderRefusal::OrderIsFinal(PublicStatus::Completed).into(),
            OrderStatus::Partial => OrderRefusal::OrderIsFinal(PublicStatus::Partial).into(),
            OrderStatus::Canceled => OrderRefusal::OrderIsFinal(PublicStatus::Canceled).into(),
            OrderStatus::Sending | OrderStatus::Unknown => OperatorRefusal::OrderInHandOver.into(),
            OrderStatus::Pending | OrderStatus::Active => {
                OperatorRefusal::NeverBackToPending.into()
            }
        }
    }
}

fn set(order: &Order, status: PublicStatus, remains: Option<i64>) -> Result<Change, Refusal> {
    order.set(&ByHand { status, start_count: None, remains })
}

#[test]
fn an_order_moves_by_the_table_and_in_no_other_way() {
    let mut table = rows(MOVES);
    for &status in OrderStatus::ALL {
        for event in Event::all() {
            let is_it = |row: &Vec<&str>| row[0] == status.as_str() && row[1] == event.label();
            let row = table.iter().position(is_it).map(|at| table.remove(at));
            let happened = event.happen(&order(ServiceKind::Default, status));
            let expected = match row {
                Some(row) => Ok([row[2].to_owned(), row[3].to_owned()]),
                None => Err(event.refusal(status)),
            };
            assert_eq!(happened, expected, "{status}: {}", event.label());
        }
    }
    assert_eq!(table, Vec::<Vec<&str>>::new(), "rows that name no status or no event");
}

#[test]
fn customers_see_six_words() {
    let table = "
        status    | shown       | public
        pending   | Pending     | Pending
        pending   | Processing  | Pending
        pending   | In progress | Pending
        sending   | Pending     | Processing
        sending   | Processing  | Processing
        sending   | In progress | Processing
        unknown   | Pending     | Processing
        unknown   | Processing  | Processing
        unknown   | In progress | Processing
        active    | Pending     | Pending
        active    | Processing  | Processing
        active    | In progress | In progress
        completed | Pending     | Completed
        completed | Processing  | Completed
        completed | In progress | Completed
        partial   | Pending     | Partial
        partial   | Processing  | Partial
        partial   | In progress | Partial
        canceled  | Pending     | Canceled
        canceled  | Processing  | Canceled
        canceled  | In progress | Canceled
    ";
    let mut seen = Vec::new();
    for &status in OrderStatus::ALL {
        for &shown in Shown::ALL {
            let order = Order { shown, ..order(ServiceKind::Default, status) };
            seen.push(vec![status.as_str(), shown.label(), order.public_status().label()]);
        }
    }
    assert_eq!(seen, rows(table));
}

#[test]
fn a_service_without_cancel_refuses_always() {
    let mut listing = service(ServiceKind::Default).listing;
    listing.is_cancel = false;
    for &status in OrderStatus::ALL {
        let order = order(ServiceKind::Default, status);
        let expected = match status.is_final() {
            true => OrderRefusal::OrderIsFinal(order.public_status()),
            false => OrderRefusal::CancelNotOffered,
        };
        assert_eq!(order.request_cancel(&listing), Err(expected), "{status}");
    }
}

#[test]
fn remains_stay_within_the_order() {
    use PublicStatus::{Canceled, Completed, InProgress, Partial};
    let order = order(ServiceKind::Default, OrderStatus::Active);
    for status in [InProgress, Completed, Partial, Canceled] {
        for remains in [-1, 1001, i64::MIN, i64::MAX] {
            let refused = Err(OperatorRefusal::RemainsAbove(1000).into());
            assert_eq!(set(&order, status, Some(remains)), refused, "{status} {remains}");
        }
    }
    for remains in [0, 1000] {
        assert_eq!(set(&order, InProgress, Some(remains)).unwrap().remains, remains);
        let refused = Err(OperatorRefusal::RemainsForPartial(999).into());
        assert_eq!(set(&order, Partial, Some(remains)), refused, "{remains}");
    }
    // Partial is money: what remains must be given, not assumed.
    assert_eq!(set(&order, Partial, None), Err(OperatorRefusal::RemainsForPartial(999).into()));
    assert_eq!(set(&order, InProgress, None).unwrap().remains, 400);
    assert_eq!(set(&order, Canceled, None).unwrap().remains, 400);
    assert_eq!(set(&order, Completed, None).unwrap().remains, 0);
}

#[test]
fn what_is_offered_by_hand_is_what_can_be_done() {
    use PublicStatus::{Canceled, Completed, InProgress, Partial, Processing};
    let any = [InProgress, Completed, Partial, Canceled, Processing];
    for &status in OrderStatus::ALL {
        let is_movable = matches!(status, OrderStatus::Pending | OrderStatus::Active);
        let offered = if is_movable { &any[..] } else { &[] };
        assert_eq!(order(ServiceKind::Default, status).moves(), offered, "{status}");
    }
    let active = |kind| order(kind, OrderStatus::Active);
    let whole = [InProgress, Completed, Canceled, Processing];
    assert_eq!(active(ServiceKind::Package).moves(), whole);
    let single = Order { remains: 1, units: 1, ..active(ServiceKind::Default) };
    assert_eq!(single.moves(), whole);
    assert_eq!(active(ServiceKind::Subscriptions).moves(), [Canceled]);
}

#[test]
fn the_start_count_is_kept_until_another_is_given() {
    let order = Order { start_count: Some(7), ..order(ServiceKind::Default, OrderStatus::Active) };
    for &status in PublicStatus::ALL.iter().filter(|status| **status != PublicStatus::Pending) {
        let counted = |start_count| {
            order.set(&ByHand { status, start_count, remains: Some(400) }).unwrap().start_count
        };
        assert_eq!((counted(None), counted(Some(0))), (Some(7), Some(0)), "{status}");
    }
}

#[test]
fn one_unit_and_packages_are_whole() {
    let single = Order {
        remains: 1,
        units: 1,
        quantity: 1,
        ..order(ServiceKind::Default, OrderStatus::Active)
    };
    for remains in [None, Some(0), Some(1)] {
        let refused = Err(OperatorRefusal::RemainsForPartial(0).into());
        assert_eq!(set(&single, PublicStatus::Partial, remains), refused, "{remains:?}");
    }
    for kind in [ServiceKind::Package, ServiceKind::CustomCommentsPackage] {
        let package =
            Order { units: 1, quantity: 1, remains: 1, ..order(kind, OrderStatus::Active) };
        for remains in [None, Some(0), Some(1)] {
            let refused = Err(OperatorRefusal::PackageIsWhole.into());
            assert_eq!(set(&package, PublicStatus::Partial, remains), refused, "{kind}");
        }
        let money = |status| set(&package, status, None).unwrap().settlement;
        let all = package.charge;
        let (kept, given_back) = (
            Settlement { kept: all, refund: Money::ZERO },
            Settlement { kept: Money::ZERO, refund: all },
        );
        assert_eq!(money(PublicStatus::InProgress), None);
        assert_eq!(money(PublicStatus::Completed), Some(kept));
        assert_eq!(money(PublicStatus::Canceled), Some(given_back));
    }
}

#[test]
fn a_subscription_can_only_be_canceled() {
    let subscription = |status| Order {
        units: 0,
        quantity: 0,
        remains: 0,
        charge: Money::ZERO,
        ..order(ServiceKind::Subscriptions, status)
    };
    let nothing = Some(Settlement { kept: Money::ZERO, refund: Money::ZERO });
    for status in [OrderStatus::Pending, OrderStatus::Active] {
        for &word in PublicStatus::ALL.iter().filter(|word| **word != PublicStatus::Canceled) {
            let refused = Err(OperatorRefusal::SubscriptionOnlyCancels.into());
            assert_eq!(set(&subscription(status), word, None), refused, "{status} → {word}");
        }
        let canceled = set(&subscription(status), PublicStatus::Canceled, None).unwrap();
        assert_eq!((canceled.status, canceled.settlement), (OrderStatus::Canceled, nothing));
    }
    let listing = service(ServiceKind::Subscriptions).listing;
    let asked = subscription(OrderStatus::Pending).request_cancel(&listing);
    assert!(matches!(asked, Ok(CancelAnswer::AtOnce(change)) if change.settlement == nothing));
}

#[test]
fn a_drip_feed_is_settled_as_one() {
    let parent = Order {
        quantity: 100,
        drip_feed: Some(DripFeed { runs: 10, interval_minutes: 5 }),
        ..order(ServiceKind::Default, OrderStatus::Active)
    };
    let partial = set(&parent, PublicStatus::Partial, Some(999)).unwrap();
    let settlement = Settlement { kept: money("0.0025"), refund: money("2.4975") };
    assert_eq!(partial.settlement, Some(settlement));
}

#[test]
fn a_partial_order_never_costs_more_than_it_was_charged() {
    for micros in [0, 1, 3, 999, 1001, 333_333, 2_500_000] {
        let rate = Rate::from_micros(micros);
        let charge = rate.charge(1000, Per::Thousand).unwrap();
        let order = Order { rate, charge, ..order(ServiceKind::Default, OrderStatus::Active) };
        let mut least = charge;
        for remains in 1..1000 {
            let partial = set(&order, PublicStatus::Partial, Some(remains)).unwrap();
            let Settlement { kept, refund } = partial.settlement.unwrap();
            assert_eq!(kept.checked_add(refund), Some(charge), "{micros} {remains}");
            assert!(Money::ZERO <= kept && kept <= least, "{micros} {remains}: kept {kept}");
            least = kept;
        }
    }
}

#[test]
fn a_refill_is_for_what_was_completed_in_time() {
    let table = "
        status    | days after | window | last refill | answer
        completed | 0          | 30     | none        | yes
        completed | 30         | 30     | none        | yes
        completed | 31         | 30     | none        | Refill was possible for 30 days after completion
        completed | 3000       | none   | none        | yes
        completed | 1          | 30     | Pending     | Order has a refill in progress
        completed | 1          | 30     | In progress | Order has a refill in progress
        completed | 1          | 30     | Completed   | yes
        completed | 1          | 30     | Rejected    | yes
        completed | 1          | 30     | Error       | yes
        pending   | 1          | 30     | none        | Order is not completed
        sending   | 1          | 30     | none        | Order is not completed
        unknown   | 1          | 30     | none        | Order is not completed
        active    | 1          | 30     | none        | Order is not completed
        partial   | 1          | 30     | none        | Order is not completed
        canceled  | 1          | 30     | none        | Order is not completed
    ";
    let mut listing = service(ServiceKind::Default).listing;
    for row in rows(table) {
        let order = order(ServiceKind::Default, OrderStatus::from_stored(row[0]).unwrap());
        let now = Timestamp(EPOCH + row[1].parse::<i64>().unwrap() * DAY);
        listing.refill_days = row[2].parse().ok();
        let answer = refill::request(&order, &listing, RefillStatus::from_label(row[3]), now);
        let text = answer.map_or_else(|refusal| refusal.to_string(), |()| "yes".to_owned());
        assert_eq!(text, row[4], "{row:?}");
    }
    listing.is_refill = false;
    let order = order(ServiceKind::Default, OrderStatus::Completed);
    let answer = refill::request(&order, &listing, None, Timestamp(EPOCH));
    assert_eq!(answer, Err(OrderRefusal::RefillNotOffered));
}

/// What stands in files that are in use. A word here may only change with a migration.
const STORED: &str = "
    enum          | words
    OrderStatus   | pending sending unknown active completed partial canceled
    Shown         | pending processing in_progress
    PublicStatus  | pending in_progress completed partial canceled processing
    RefillStatus  | pending in_progress completed rejected error
    AccountKind   | external escrow revenue user
    PostingKind   | deposit adjustment charge capture refund goodwill
    ServiceKind   | default package seo custom_comments custom_comments_package mentions mentions_with_hashtags mentions_custom_list mentions_hashtag mentions_user_followers mentions_media_likers comment_likes poll comment_replies invites_from_groups web_traffic subscriptions
    Input         | link quantity runs interval keywords comments usernames hashtags hashtag username media answer_number groups country device type_of_traffic google_keyword referring_url min max posts old_posts delay expiry
    EventKind     | order_in_progress order_completed order_partial order_canceled refill_completed refill_rejected balance_low
    EventState    | waiting done failed
    Setting       | name currency time_zone confirm_above key_rate key_burst wrong_key_rate connections mail_host mail_port mail_tls mail_user mail_from mail_to telegram_chat backed_up_at
";

#[test]
fn the_words_in_files_stay_what_they_are() {
    let words = |all: Vec<&str>| all.join(" ");
    let found = [
        words(OrderStatus::ALL.iter().map(|word| word.as_str()).collect()),
        words(Shown::ALL.iter().map(|word| word.as_str()).collect()),
        words(PublicStatus::ALL.iter().map(|word| word.as_str()).collect()),
        words(RefillStatus::ALL.iter().map(|word| word.as_str()).collect()),
        words(AccountKind::ALL.iter().map(|word| word.as_str()).collect()),
        words(PostingKind::ALL.iter().map(|word| word.as_str()).collect()),
        words(ServiceKind::ALL.iter().map(|word| word.as_str()).collect()),
        words(Input::ALL.iter().map(|word| word.as_str()).collect()),
        words(EventKind::ALL.iter().map(|word| word.as_str()).collect()),
        words(EventState::ALL.iter().map(|word| word.as_str()).collect()),
        words(Setting::ALL.iter().map(|word| word.as_str()).collect()),
    ];
    for (row, found) in rows(STORED).into_iter().zip(found) {
        assert_eq!(found, row[1], "{}", row[0]);
    }
}
