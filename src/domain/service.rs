//! What we sell, and what each kind of service asks of the customer.
//!
//! The kinds and their fields are those of section "add by service type" of the API's contract:
//! every other place that needs to know what a kind asks for looks here.

use super::input::{Input, QUANTITY_MAX};
use super::money::{Discount, Per, Rate};
use super::refusal::OperatorRefusal;
use super::{CategoryId, ProviderId, ServiceId, words};

words! {
    /// Which fields an order of a service needs and how its units are counted.
    pub enum ServiceKind {
        /// A link and a quantity; may be drip-fed.
        Default = "Default",
        /// A link; sold by the piece.
        Package = "Package",
        /// A link, a quantity and the keywords to rank for.
        Seo = "SEO",
        /// A link and one comment a line.
        CustomComments = "Custom Comments",
        /// A link and comments; sold by the piece.
        CustomCommentsPackage = "Custom Comments Package",
        /// A quantity of mentions of the given users.
        Mentions = "Mentions",
        /// The same with hashtags.
        MentionsWithHashtags = "Mentions with Hashtags",
        /// One mention for each user in the list.
        MentionsCustomList = "Mentions Custom List",
        /// Users taken from a hashtag.
        MentionsHashtag = "Mentions Hashtag",
        /// Users taken from an account's followers.
        MentionsUserFollowers = "Mentions User Followers",
        /// Users taken from the likers of a post.
        MentionsMediaLikers = "Mentions Media Likers",
        /// Likes for one user's comment.
        CommentLikes = "Comment Likes",
        /// Votes for one answer.
        Poll = "Poll",
        /// One reply a line to one user's comment.
        CommentReplies = "Comment Replies",
        /// Invitations from the members of groups.
        InvitesFromGroups = "Invites from Groups",
        /// Visits; may be drip-fed.
        WebTraffic = "Web Traffic",
        /// Every new post of a user becomes an order of its own.
        Subscriptions = "Subscriptions",
    }
}

/// What an order is charged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counting {
    /// The quantity, times the runs of a drip-feed.
    Quantity,
    /// The lines of that input that are not blank.
    Lines(Input),
    /// One piece, whatever is in it.
    Piece,
    /// Nothing: each new post becomes a charged order.
    Posts,
}

impl Counting {
    /// The field that says the smallest quantity.
    pub const fn least(self) -> Input {
        match self {
            Self::Lines(input) => input,
            Self::Posts => Input::Min,
            Self::Quantity | Self::Piece => Input::Quantity,
        }
    }

    /// The field that says the largest quantity.
    pub const fn most(self) -> Input {
        match self {
            Self::Posts => Input::Max,
            Self::Lines(_) | Self::Quantity | Self::Piece => self.least(),
        }
    }

    /// The one field whose text is counted, if one is: `check` reads it beside the order.
    pub const fn input(self) -> Option<Input> {
        match self {
            Self::Lines(input) => Some(input),
            Self::Quantity | Self::Piece | Self::Posts => None,
        }
    }

    /// Counts an order: where it is placed, and again by `check` from what is stored of it, so that
    /// both always agree. `named` is the quantity that the customer names, or that is stored; it
    /// counts for nothing where the fields say how many. `runs` is 1 without a drip-feed, `text`
    /// looks up [`Counting::input`]. A factor besides the quantity belongs in `units` alone.
    /// `None` where what is counted is missing, or is more than can be counted.
    pub fn count<'a>(
        self,
        named: i64,
        runs: i64,
        text: impl FnOnce(Input) -> Option<&'a str>,
    ) -> Option<Counted> {
        let quantity = match self {
            Self::Quantity => named,
            Self::Lines(input) => count_lines(text(input)?),
            Self::Piece => 1,
            Self::Posts => 0,
        };
        Some(Counted { quantity, units: quantity.checked_mul(runs)? })
    }
}

/// What an order is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Units of one run, which the service's limits are about.
    pub quantity: i64,
    /// Units charged for and counted down by `remains`, of all runs together.
    pub units: i64,
}

/// The lines of a list that are not blank.
fn count_lines(text: &str) -> i64 {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    // A request is bounded to a megabyte, and with it the number of lines.
    i64::try_from(lines.count()).unwrap_or(i64::MAX)
}

impl ServiceKind {
    /// The field that says where to deliver.
    pub const fn link(self) -> Input {
        match self.counting() {
            Counting::Posts => Input::Username,
            Counting::Quantity | Counting::Lines(_) | Counting::Piece => Input::Link,
        }
    }

    /// How the units of an order are counted.
    pub const fn counting(self) -> Counting {
        match self {
            Self::Package | Self::CustomCommentsPackage => Counting::Piece,
            Self::CustomComments | Self::CommentReplies => Counting::Lines(Input::Comments),
            Self::MentionsCustomList => Counting::Lines(Input::Usernames),
            Self::Subscriptions => Counting::Posts,
            Self::Default
            | Self::Seo
            | Self::Mentions
            | Self::MentionsWithHashtags
            | Self::MentionsHashtag
            | Self::MentionsUserFollowers
            | Self::MentionsMediaLikers
            | Self::CommentLikes
            | Self::Poll
            | Self::InvitesFromGroups
            | Self::WebTraffic => Counting::Quantity,
        }
    }

    /// For how many units the rate of such a service is quoted.
    pub const fn per(self) -> Per {
        match self.counting() {
            Counting::Piece => Per::One,
            Counting::Quantity | Counting::Lines(_) | Counting::Posts => Per::Thousand,
        }
    }

    /// Whether an order may be split into runs, where the service offers that.
    pub const fn can_drip(self) -> bool {
        matches!(self, Self::Default | Self::WebTraffic)
    }

    /// What an order must bring, in the order in which a missing one is named.
    pub const fn required(self) -> &'static [Input] {
        use Input::*;
        match self {
            Self::Default => &[Link, Quantity],
            Self::Package => &[Link],
            Self::Seo => &[Link, Quantity, Keywords],
            Self::CustomComments | Self::CustomCommentsPackage => &[Link, Comments],
            Self::Mentions => &[Link, Quantity, Usernames],
            Self::MentionsWithHashtags => &[Link, Quantity, Usernames, Hashtags],
            Self::MentionsCustomList => &[Link, Usernames],
            Self::MentionsHashtag => &[Link, Quantity, Hashtag],
            Self::MentionsUserFollowers | Self::CommentLikes => &[Link, Quantity, Username],
            Self::MentionsMediaLikers => &[Link, Quantity, Media],
            Self::Poll => &[Link, Quantity, AnswerNumber],
            Self::CommentReplies => &[Link, Username, Comments],
            Self::InvitesFromGroups => &[Link, Quantity, Groups],
            Self::WebTraffic => &[Link, Quantity, Country, Device, TypeOfTraffic],
            Self::Subscriptions => &[Username, Min, Max, Delay],
        }
    }

    /// What an order may bring besides; runs and interval are the drip-feed's own.
    pub const fn optional(self) -> &'static [Input] {
        use Input::*;
        match self {
            Self::WebTraffic => &[GoogleKeyword, ReferringUrl],
            Self::Subscriptions => &[Posts, OldPosts, Expiry],
            Self::Default
            | Self::Package
            | Self::Seo
            | Self::CustomComments
            | Self::CustomCommentsPackage
            | Self::Mentions
            | Self::MentionsWithHashtags
            | Self::MentionsCustomList
            | Self::MentionsHashtag
            | Self::MentionsUserFollowers
            | Self::MentionsMediaLikers
            | Self::CommentLikes
            | Self::Poll
            | Self::CommentReplies
            | Self::InvitesFromGroups => &[],
        }
    }
}

/// A thing we sell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    pub id: ServiceId,
    /// What the shop says about it.
    pub listing: Listing,
}

/// All that an operator decides about a service. A form or a file knows the category by its name:
/// `Listing<String>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing<Category = CategoryId> {
    pub category: Category,
    /// What customers read.
    pub name: String,
    /// Plain text, shown to customers who ask for it.
    pub description: String,
    /// Which fields an order needs.
    pub kind: ServiceKind,
    pub rate: Rate,
    /// The smallest quantity, per run.
    pub quantity_min: i64,
    /// The largest quantity, per run.
    pub quantity_max: i64,
    /// Whether orders may be split into runs.
    pub is_dripfeed: bool,
    /// Whether what drops is delivered again.
    pub is_refill: bool,
    /// For how many days after completion; `None` for ever.
    pub refill_days: Option<i64>,
    /// Whether customers may ask to cancel.
    pub is_cancel: bool,
    /// Whether a second open order of one user for one link is refused.
    pub denies_duplicates: bool,
    /// Whether it can be ordered at all.
    pub is_enabled: bool,
    /// Who delivers; without one, orders are fulfilled by hand.
    pub provider: Option<ProviderId>,
    /// The provider's own name for it.
    pub provider_service: Option<String>,
}

/// Whether a category may be called that.
pub fn check_category_name(name: &str) -> Result<(), OperatorRefusal> {
    let fits = (1..=255).contains(&name.chars().count()) && !name.chars().any(super::is_hidden);
    if fits { Ok(()) } else { Err(OperatorRefusal::BadCategoryName) }
}

/// Where something in a list goes by one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Up,
    Down,
}

impl<Category> Listing<Category> {
    /// The same in a category that is known otherwise: by its number instead of its name.
    pub fn in_category<Other>(self, category: Other) -> Listing<Other> {
        Listing {
            category,
            name: self.name,
            description: self.description,
            kind: self.kind,
            rate: self.rate,
            quantity_min: self.quantity_min,
            quantity_max: self.quantity_max,
            is_dripfeed: self.is_dripfeed,
            is_refill: self.is_refill,
            refill_days: self.refill_days,
            is_cancel: self.is_cancel,
            denies_duplicates: self.denies_duplicates,
            is_enabled: self.is_enabled,
            provider: self.provider,
            provider_service: self.provider_service,
        }
    }

    /// What makes a listing one that can be sold. Every way to write a service goes through this.
    ///
    /// # Errors
    /// The first of its flaws.
    pub fn check(&self) -> Result<(), OperatorRefusal> {
        self.flaws().into_iter().next().map_or(Ok(()), Err)
    }

    /// All that keeps a listing from being sold, for a form that tells of everything at once.
    pub fn flaws(&self) -> Vec<OperatorRefusal> {
        let name_length = self.name.chars().count();
        let limits = 1..=QUANTITY_MAX;
        let are_limits = limits.contains(&self.quantity_min) && limits.contains(&self.quantity_max);
        let days = 1..=3650;
        let rules = [
            (
                (1..=255).contains(&name_length) && !self.name.chars().any(super::is_hidden),
                OperatorRefusal::BadServiceName,
            ),
            (are_limits, OperatorRefusal::BadLimits),
            (!are_limits || self.quantity_min <= self.quantity_max, OperatorRefusal::MinAboveMax),
            (!self.is_dripfeed || self.kind.can_drip(), OperatorRefusal::KindWithoutDripFeed),
            (
                self.refill_days.is_none_or(|refill_days| days.contains(&refill_days)),
                OperatorRefusal::BadRefillDays,
            ),
        ];
        let broken = rules.into_iter().filter(|(is_kept, _)| !is_kept);
        broken.map(|(_, refusal)| refusal).collect()
    }

    /// By how much the price of a unit falls in another listing, if by more than 20 %: so much
    /// that it may be a slip. A type that is sold by the piece quotes its rate for one unit,
    /// others for a thousand.
    pub fn steep_fall(&self, after: &Self) -> Option<Discount> {
        const STEEP: i64 = 2000;
        let price = |of: &Self, other: &Self| {
            i128::from(of.rate.micros()) * i128::from(other.kind.per().units())
        };
        let (before, now) = (price(self, after), price(after, self));
        if before == 0 || (before - now) * 10_000 <= before * i128::from(STEEP) {
            return None;
        }
        let basis_points = i64::try_from((before - now) * 10_000 / before).ok()?;
        Discount::from_basis_points(basis_points)
    }

    /// What differs in another listing, in words: `rate 0.90 → 1.00`. Category and provider are for
    /// those to say who know their names.
    pub fn changes(&self, after: &Self) -> Vec<String> {
        let flag = |is_set: bool| if is_set { "yes" } else { "no" }.to_owned();
        let days = |days: Option<i64>| days.map_or("no limit".to_owned(), |days| days.to_string());
        let of = |a: String, b: String| (a, b);
        let pairs = [
            ("name", of(self.name.clone(), after.name.clone())),
            ("description", of(clipped(&self.description), clipped(&after.description))),
            ("type", of(self.kind.to_string(), after.kind.to_string())),
            ("rate", of(self.rate.to_string(), after.rate.to_string())),
            ("min", of(self.quantity_min.to_string(), after.quantity_min.to_string())),
            ("max", of(self.quantity_max.to_string(), after.quantity_max.to_string())),
            ("drip-feed", of(flag(self.is_dripfeed), flag(after.is_dripfeed))),
            ("refill", of(flag(self.is_refill), flag(after.is_refill))),
            ("refill days", of(days(self.refill_days), days(after.refill_days))),
            ("cancel", of(flag(self.is_cancel), flag(after.is_cancel))),
            (
                "one open order per link",
                of(flag(self.denies_duplicates), flag(after.denies_duplicates)),
            ),
            ("enabled", of(flag(self.is_enabled), flag(after.is_enabled))),
        ];
        let mut changes = Vec::new();
        for (what, (before, now)) in pairs {
            if before != now {
                changes.push(format!("{what} {before} → {now}"));
            }
        }
        let is_listed = changes.iter().any(|change| change.starts_with("desc"));
        if self.description != after.description && !is_listed {
            changes.push("description changed".to_owned());
        }
        changes
    }
}

/// The beginning of a long text.
fn clipped(text: &str) -> String {
    const LENGTH_MAX: usize = 80;
    let mut short: String = text.chars().take(LENGTH_MAX).collect();
    if text.chars().count() > LENGTH_MAX {
        short.push('…');
    }
    format!("“{short}”")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(kind: ServiceKind, rate: &str) -> Listing<()> {
        Listing {
            category: (),
            name: "Likes".to_owned(),
            description: String::new(),
            kind,
            rate: Rate::parse(rate).unwrap(),
            quantity_min: 1,
            quantity_max: 1,
            is_dripfeed: false,
            is_refill: false,
            refill_days: None,
            is_cancel: false,
            denies_duplicates: false,
            is_enabled: true,
            provider: None,
            provider_service: None,
        }
    }

    #[test]
    fn a_price_that_falls_by_more_than_a_fifth_falls_steeply() {
        use super::ServiceKind::{Default, Package, Seo};
        for ((kind, rate), (kind_now, now), expected) in [
            ((Default, "1"), (Default, "0.80"), None),
            ((Default, "1"), (Default, "0.799999"), Some("20%")),
            ((Default, "0.35"), (Seo, "0.05"), Some("85.71%")),
            ((Default, "1"), (Default, "0"), Some("100%")),
            ((Default, "0"), (Default, "0"), None),
            ((Default, "1"), (Default, "5"), None),
            ((Package, "4.50"), (Default, "4.50"), Some("99.9%")),
            ((Default, "4.50"), (Package, "4.50"), None),
        ] {
            let fall = listing(kind, rate).steep_fall(&listing(kind_now, now));
            let fall = fall.map(|fall| fall.to_string());
            assert_eq!(fall.as_deref(), expected, "{kind} {rate} {kind_now} {now}");
        }
    }

    #[test]
    fn every_kind_asks_for_what_it_counts() {
        for kind in ServiceKind::ALL {
            let asked = match kind.counting() {
                Counting::Quantity => Some(Input::Quantity),
                Counting::Lines(input) => Some(input),
                Counting::Piece | Counting::Posts => None,
            };
            assert!(asked.is_none_or(|input| kind.required().contains(&input)), "{kind}");
            assert!(kind.counting().input().is_none_or(Input::is_list), "{kind}");
            assert_eq!(ServiceKind::from_label(kind.label()), Some(*kind));
            assert_eq!(ServiceKind::from_stored(kind.as_str()), Some(*kind));
        }
        assert_eq!(ServiceKind::from_label("custom_COMMENTS"), Some(ServiceKind::CustomComments));
    }
}
