//! What sells in a sample month: how often, for which links, in which quantities.

use super::dice::Place;
use crate::domain::input::Input;

/// What an order says besides its link and its quantity.
pub(super) type Extras = &'static [(Input, &'static str)];

/// Something that sells.
pub(super) struct Seller {
    /// How much of the orders is its.
    pub weight: i64,
    pub service: i64,
    pub place: Place,
    /// None where the kind of the service asks for no quantity.
    pub quantities: &'static [i64],
    pub extras: Extras,
}

const INSTAGRAM: &[&str] =
    &["", "?igsh=MW**************==", "?utm_source=ig_web_copy_link&igsh=Mz**************=="];
const TIKTOK: &[&str] = &["", "?is_from_webapp=1&sender_device=pc", "?_r=1&_t=ZS-8***********"];
const YOUTUBE: &[&str] = &["", "&si=****************", "&feature=youtu.be"];
const SHORTS: &[&str] = &["", "?si=****************", "?feature=share"];
const TELEGRAM: &[&str] = &[""];

pub(super) const PROFILE: Place =
    Place { target: "https://www.instagram.com/$/", tails: INSTAGRAM };
pub(super) const REEL: Place =
    Place { target: "https://www.instagram.com/reel/DQ*********/", tails: INSTAGRAM };
const POST: Place = Place { target: "https://www.instagram.com/p/DQ*********/", tails: INSTAGRAM };
pub(super) const TIKTOK_VIDEO: Place =
    Place { target: "https://www.tiktok.com/@$/video/757#############", tails: TIKTOK };
const TIKTOK_PROFILE: Place = Place { target: "https://www.tiktok.com/@$", tails: TIKTOK };
pub(super) const VIDEO: Place =
    Place { target: "https://www.youtube.com/watch?v=***********", tails: YOUTUBE };
const SHORT: Place = Place { target: "https://youtube.com/shorts/***********", tails: SHORTS };
const YOUTUBE_CHANNEL: Place = Place { target: "https://www.youtube.com/@$", tails: SHORTS };
pub(super) const CHANNEL: Place = Place { target: "https://t.me/$", tails: TELEGRAM };
const MESSAGE: Place = Place { target: "https://t.me/$/4##", tails: TELEGRAM };
const FACEBOOK: Place =
    Place { target: "https://www.facebook.com/$", tails: &["", "?mibextid=******"] };
const FACEBOOK_POST: Place = Place {
    target: "https://www.facebook.com/$/posts/pfbid0******************************",
    tails: FACEBOOK.tails,
};
const X_POST: Place =
    Place { target: "https://x.com/$/status/199################", tails: &["", "?s=20"] };
const X_PROFILE: Place = Place { target: "https://x.com/$", tails: X_POST.tails };
const TRACK: Place =
    Place { target: "https://open.spotify.com/track/**********************", tails: SHORTS };
const STREAM: Place = Place { target: "https://www.twitch.tv/$", tails: TELEGRAM };
pub(super) const SITE: Place =
    Place { target: "https://www.$.example/shop", tails: &["", "?utm_source=newsletter"] };

pub(super) const COMMENTS: Extras =
    &[(Input::Comments, "Lovely!\nWhere is this?\nMore, please\nSaved for the weekend")];
pub(super) const VISITS: Extras =
    &[(Input::Country, "WW"), (Input::Device, "1"), (Input::TypeOfTraffic, "1")];
const POLL: Extras = &[(Input::AnswerNumber, "2")];
const USERNAMES: Extras = &[(Input::Usernames, "mikaplays\nthehikingtwins\ndjorbit")];
const REPLIES: Extras =
    &[(Input::Username, "kitchenofnora"), (Input::Comments, "So true\nThe second one!")];

const fn sells(weight: i64, service: i64, place: Place, quantities: &'static [i64]) -> Seller {
    Seller { weight, service, place, quantities, extras: &[] }
}

const fn asks(weight: i64, sells: Seller, extras: Extras) -> Seller {
    Seller { weight, extras, ..sells }
}

pub(super) const SHELF: &[Seller] = &[
    sells(9, 1, PROFILE, &[100, 200, 500, 1000, 2000]),
    sells(6, 18, PROFILE, &[500, 1000, 2500, 5000]),
    sells(4, 19, PROFILE, &[1000, 5000]),
    sells(10, 20, POST, &[100, 250, 500, 1000]),
    sells(1, 21, POST, &[50, 100]),
    sells(10, 22, REEL, &[1000, 5000, 10_000, 50_000]),
    sells(4, 23, PROFILE, &[100, 500]),
    sells(7, 24, TIKTOK_VIDEO, &[1000, 10_000, 25_000]),
    sells(6, 25, TIKTOK_VIDEO, &[100, 500, 1000]),
    sells(4, 26, TIKTOK_PROFILE, &[200, 500]),
    sells(5, 28, VIDEO, &[500, 1000, 5000]),
    sells(4, 29, SHORT, &[1000, 5000]),
    sells(2, 31, YOUTUBE_CHANNEL, &[50, 100]),
    sells(4, 32, CHANNEL, &[500, 1000]),
    sells(4, 33, MESSAGE, &[1000, 5000]),
    sells(3, 34, MESSAGE, &[100, 200]),
    sells(2, 35, FACEBOOK, &[500, 1000]),
    sells(2, 36, FACEBOOK_POST, &[100]),
    sells(1, 37, X_PROFILE, &[100, 250]),
    sells(3, 38, X_POST, &[5000, 10_000]),
    sells(2, 39, TRACK, &[1000, 5000]),
    sells(2, 41, STREAM, &[100, 500]),
    sells(1, 2, PROFILE, &[]),
    asks(2, sells(0, 3, POST, &[]), COMMENTS),
    asks(1, sells(0, 7, POST, &[]), USERNAMES),
    asks(1, sells(0, 13, VIDEO, &[]), REPLIES),
    asks(1, sells(0, 14, MESSAGE, &[200, 500]), POLL),
    asks(1, sells(0, 16, SITE, &[5000]), VISITS),
];
