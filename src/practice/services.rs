//! What the practice provider sells: one service of each type, and more of the plain one.

/// A service as the list shows it. The texts go out as they are, so that a test can break them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    pub id: i64,
    pub name: String,
    pub category: String,
    /// The type, as clients read it.
    pub kind: String,
    /// For a thousand units, or for one of a type that is sold by the piece.
    pub rate: String,
    pub min: i64,
    pub max: i64,
    pub dripfeed: bool,
    pub refill: bool,
    pub cancel: bool,
}

/// How the units of a type are counted.
pub(super) enum Counting {
    Quantity,
    /// The lines of that input.
    Lines(&'static str),
    Piece,
    Posts,
}

impl Service {
    pub(super) fn counting(&self) -> Counting {
        match self.kind.as_str() {
            "Package" | "Custom Comments Package" => Counting::Piece,
            "Custom Comments" | "Comment Replies" => Counting::Lines("comments"),
            "Mentions Custom List" => Counting::Lines("usernames"),
            "Subscriptions" => Counting::Posts,
            _ => Counting::Quantity,
        }
    }

    /// What an order needs besides what is counted.
    pub(super) fn needs(&self) -> &'static [&'static str] {
        match self.kind.as_str() {
            "SEO" => &["link", "keywords"],
            "Custom Comments Package" => &["link", "comments"],
            "Mentions" => &["link", "usernames"],
            "Mentions with Hashtags" => &["link", "usernames", "hashtags"],
            "Mentions Hashtag" => &["link", "hashtag"],
            "Mentions User Followers" | "Comment Likes" | "Comment Replies" => {
                &["link", "username"]
            }
            "Mentions Media Likers" => &["link", "media"],
            "Poll" => &["link", "answer_number"],
            "Invites from Groups" => &["link", "groups"],
            "Web Traffic" => &["link", "country", "device", "type_of_traffic"],
            "Subscriptions" => &["username", "min", "max", "delay"],
            _ => &["link"],
        }
    }
}

/// Category, name, type, rate, min, max, and what it offers: drip-feed, refill, cancel.
type Line = (&'static str, &'static str, &'static str, &'static str, i64, i64, &'static str);

const LINES: &[Line] = &[
    (
        "Instagram | Followers",
        "Instagram Followers | Max 200K | 30 Days Refill ♻️ | Real Mixed | Start 0-1 Hour | 10K per Day",
        "Default",
        "0.90",
        10,
        200_000,
        "refill cancel",
    ),
    (
        "Instagram | Followers",
        "Instagram Followers | Max 1M | No Refill ⚠️ | Drip-feed | Start 0-3 Hours | 50K per Day",
        "Default",
        "0.38",
        100,
        1_000_000,
        "dripfeed cancel",
    ),
    (
        "Instagram | Likes",
        "Instagram Likes | Max 300K | Lifetime Guarantee ♻️ | Instant Start ⚡ | 30K per Hour",
        "Default",
        "0.14",
        10,
        300_000,
        "dripfeed refill cancel",
    ),
    (
        "Instagram | Followers",
        "Instagram Story Pack | Views + Likes + Poll Vote | One Story | Start 0-30 Minutes",
        "Package",
        "3.60",
        1,
        1,
        "cancel",
    ),
    (
        "Instagram | Comments",
        "Instagram Custom Comments | Real Accounts | Max 1K | One per Line | Start 0-2 Hours",
        "Custom Comments",
        "9.50",
        1,
        1000,
        "cancel",
    ),
    (
        "Instagram | Comments",
        "Instagram Comment Pack | 10 Comments of Your Own | Spread over 24 Hours | Non Drop",
        "Custom Comments Package",
        "4.80",
        1,
        1,
        "",
    ),
    (
        "Instagram | Mentions",
        "Instagram Mentions | List of Users | Max 10K | 2K per Day | Start 0-6 Hours",
        "Mentions",
        "1.10",
        10,
        10_000,
        "cancel",
    ),
    (
        "Instagram | Mentions",
        "Instagram Mentions | Users and Hashtags | Max 10K | 2K per Day | Start 0-6 Hours",
        "Mentions with Hashtags",
        "1.25",
        10,
        10_000,
        "cancel",
    ),
    (
        "Instagram | Mentions",
        "Instagram Mentions | Custom List, One by One | Max 10K | 1 Name = 1 Mention",
        "Mentions Custom List",
        "1.40",
        1,
        10_000,
        "cancel",
    ),
    (
        "Instagram | Mentions",
        "Instagram Mentions | Users of a Hashtag | Max 10K | 2K per Day | Start 0-6 Hours",
        "Mentions Hashtag",
        "0.95",
        10,
        10_000,
        "cancel",
    ),
    (
        "Instagram | Mentions",
        "Instagram Mentions | Followers of a User | Max 10K | 2K per Day | Start 0-6 Hours",
        "Mentions User Followers",
        "1.02",
        10,
        10_000,
        "cancel",
    ),
    (
        "Instagram | Mentions",
        "Instagram Mentions | Likers of a Post | Max 10K | 2K per Day | Start 0-6 Hours",
        "Mentions Media Likers",
        "1.02",
        10,
        10_000,
        "cancel",
    ),
    (
        "Instagram | Comments",
        "Instagram Comment Likes | For One Comment | Max 5K | Start 0-1 Hour | No Refill",
        "Comment Likes",
        "0.55",
        10,
        5000,
        "cancel",
    ),
    (
        "Instagram | Comments",
        "Instagram Replies to a Comment | Custom Text | Max 500 | One per Line | Start 0-12 Hours",
        "Comment Replies",
        "11.80",
        1,
        500,
        "",
    ),
    (
        "Telegram and websites",
        "Telegram Poll Votes | Choose the Answer | Max 20K | Start 0-15 Minutes | 10K per Day",
        "Poll",
        "1.70",
        10,
        20_000,
        "",
    ),
    (
        "Telegram and websites",
        "Telegram Members | Invites from Your Groups | Max 5K | 500 per Day | No Refill",
        "Invites from Groups",
        "6.20",
        10,
        5000,
        "cancel",
    ),
    (
        "Telegram and websites",
        "Website Traffic | By Country, Device and Source | Max 1M | 10K per Day | Google Analytics",
        "Web Traffic",
        "0.24",
        100,
        1_000_000,
        "dripfeed cancel",
    ),
    (
        "Telegram and websites",
        "Website SEO | Searches for Your Keywords with a Click | Max 1K | 50 per Day",
        "SEO",
        "19.00",
        10,
        1000,
        "",
    ),
    (
        "Instagram | Likes",
        "Instagram Auto Likes | Every New Post | Max 10K | Start 1-5 Minutes after Posting",
        "Subscriptions",
        "0.85",
        10,
        10_000,
        "cancel",
    ),
];

/// All of them, with ids from 1.
pub(super) fn all() -> Vec<Service> {
    let service = |(id, line): (i64, &Line)| {
        let (category, name, kind, rate, min, max, offers) = *line;
        let offers = |what: &str| offers.split(' ').any(|it| it == what);
        Service {
            id,
            name: name.to_owned(),
            category: category.to_owned(),
            kind: kind.to_owned(),
            rate: rate.to_owned(),
            min,
            max,
            dripfeed: offers("dripfeed"),
            refill: offers("refill"),
            cancel: offers("cancel"),
        }
    };
    (1..).zip(LINES).map(service).collect()
}
