//! The resellers of the sample shop.

use super::dice::Dice;

/// The places of those whose keys are handed out, or who are named elsewhere.
pub(super) const ALICE: usize = 0;
pub(super) const NOVA: usize = 2;
pub(super) const GROW: usize = 3;
pub(super) const PULSE: usize = 4;

/// A reseller. Money is in micro-units, time in days before now.
pub(super) struct Person {
    pub name: &'static str,
    /// What their key is called.
    pub key: &'static str,
    pub joined: i64,
    /// Who left was suspended then.
    pub left: Option<i64>,
    /// How much of the orders is theirs.
    pub weight: i64,
    /// What they pay in when there is little left, and by which way.
    pub pays: i64,
    pub by: &'static str,
    /// Basis points.
    pub discount: i64,
    pub credit: i64,
    /// A custom rate: the service, and micro-units for 1000.
    pub rate: Option<(i64, i64)>,
    /// What other admins should know.
    pub note: &'static str,
}

const PLAIN: Person = Person {
    name: "",
    key: "website",
    joined: 30,
    left: None,
    weight: 0,
    pays: 0,
    by: "",
    discount: 0,
    credit: 0,
    rate: None,
    note: "",
};

/// In the order in which they joined, so that alice is user 1 and bob, who has not paid yet, 2.
pub(super) const PEOPLE: &[Person] = &[
    Person { name: "alice", weight: 6, pays: 500_000_000, by: "USDT TRC-20", ..PLAIN },
    Person { name: "bob", key: "test", ..PLAIN },
    Person {
        name: "nova-social",
        weight: 9,
        pays: 250_000_000,
        by: "Bank transfer",
        discount: 2000,
        rate: Some((22, 28_000)),
        note: "Views only; asks for a better rate every quarter. Agreed on 0.028 for reels.",
        ..PLAIN
    },
    Person { name: "growline.agency", weight: 7, pays: 150_000_000, by: "Wise", ..PLAIN },
    Person {
        name: "PulseMedia",
        key: "mobile app",
        weight: 5,
        pays: 100_000_000,
        by: "PayPal",
        credit: 50_000_000,
        note: "Pays the invoice on Mondays; until then up to 50 below zero.",
        ..PLAIN
    },
    Person { name: "boost-latam", weight: 4, pays: 60_000_000, by: "Pix", joined: 28, ..PLAIN },
    Person {
        name: "cheapviews24",
        key: "bot",
        weight: 5,
        pays: 25_000_000,
        by: "PayPal",
        joined: 26,
        left: Some(11),
        note: "Second chargeback. Stays suspended until PayPal has decided.",
        ..PLAIN
    },
    Person { name: "studio_k", weight: 3, pays: 50_000_000, by: "Stripe", joined: 19, ..PLAIN },
    Person {
        name: "reach.berlin",
        weight: 4,
        pays: 100_000_000,
        by: "SEPA transfer",
        discount: 1000,
        joined: 14,
        ..PLAIN
    },
    Person {
        name: "tunepush",
        key: "bot",
        weight: 3,
        pays: 40_000_000,
        by: "USDT TRC-20",
        joined: 6,
        ..PLAIN
    },
    Person { name: "marta", key: "test", joined: 1, ..PLAIN },
];

/// Who buys something so many days before now; a day is left for their first payment.
pub(super) fn pick_buyer(dice: &mut Dice, days_ago: i64) -> usize {
    let is_here = |person: &Person| {
        person.joined > days_ago && person.left.is_none_or(|left| left < days_ago)
    };
    let here = PEOPLE.iter().enumerate().filter(|(_, person)| is_here(person));
    dice.weigh(here.map(|(at, person)| (person.weight, at))).unwrap_or(ALICE)
}
