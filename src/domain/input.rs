//! The fields of an order as customers fill them in, and what their texts have to be.

use std::ops::RangeInclusive;

use super::words;

/// The largest quantity that can be ordered or set as a limit.
pub const QUANTITY_MAX: i64 = 1_000_000_000;

words! {
    /// A field of an order as the customer fills it in. Their order goes into the digest of a
    /// request id: a new one is added at the end, and none is moved.
    pub enum Input {
        Link = "link",
        /// How many, per run.
        Quantity = "quantity",
        /// How often a drip-feed order runs.
        Runs = "runs",
        /// Minutes between two runs.
        Interval = "interval",
        Keywords = "keywords",
        Comments = "comments",
        Usernames = "usernames",
        Hashtags = "hashtags",
        Hashtag = "hashtag",
        Username = "username",
        /// The post whose likers are meant.
        Media = "media",
        /// Which answer to vote for.
        AnswerNumber = "answer_number",
        Groups = "groups",
        /// Where visits come from.
        Country = "country",
        Device = "device",
        /// By what way.
        TypeOfTraffic = "type_of_traffic",
        /// The search that leads to the page.
        GoogleKeyword = "google_keyword",
        /// The page that leads to the page.
        ReferringUrl = "referring_url",
        /// Fewest units for a new post.
        Min = "min",
        /// Most units for a new post.
        Max = "max",
        /// How many new posts; without it, until stopped.
        Posts = "posts",
        /// How many posts that are there already.
        OldPosts = "old_posts",
        /// Minutes to wait after a new post.
        Delay = "delay",
        /// The last day of a subscription, d/m/Y.
        Expiry = "expiry",
    }
}

/// What the text of a field has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One line.
    Line,
    /// A list, one entry a line.
    Lines,
    /// A whole number: the least and the most, whatever the service, which narrows its quantities
    /// further.
    Number(RangeInclusive<i64>),
}

impl Input {
    /// What its text has to be: for reading, for the hint of the form, for its keyboard.
    pub const fn shape(self) -> Shape {
        match self {
            Self::Quantity | Self::Min | Self::Max | Self::Posts | Self::OldPosts => {
                Shape::Number(0..=QUANTITY_MAX)
            }
            // Runs come in any number that is still worth writing down, minutes up to a week.
            Self::Runs | Self::Interval => Shape::Number(1..=10_000),
            Self::Delay => Shape::Number(0..=1440),
            Self::Keywords | Self::Comments | Self::Usernames | Self::Hashtags | Self::Groups => {
                Shape::Lines
            }
            Self::Link
            | Self::Hashtag
            | Self::Username
            | Self::Media
            | Self::AnswerNumber
            | Self::Country
            | Self::Device
            | Self::TypeOfTraffic
            | Self::GoogleKeyword
            | Self::ReferringUrl
            | Self::Expiry => Shape::Line,
        }
    }

    /// Whether the value is a list, one entry a line.
    pub const fn is_list(self) -> bool {
        matches!(self.shape(), Shape::Lines)
    }

    /// Whether the value is a whole number.
    pub const fn is_number(self) -> bool {
        matches!(self.shape(), Shape::Number(_))
    }

    /// The least and the most that a number may be; `None` for a text.
    pub const fn range(self) -> Option<RangeInclusive<i64>> {
        match self.shape() {
            Shape::Number(range) => Some(range),
            Shape::Line | Shape::Lines => None,
        }
    }
}

/// Reads a whole number the way the whole panel does: 1 to 10 digits, no sign, no leading zero,
/// at most [`QUANTITY_MAX`].
pub fn parse_number(text: &str) -> Option<i64> {
    let plain = (1..=10).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text.len() == 1 || !text.starts_with('0'));
    let number = if plain { text.parse().ok()? } else { return None };
    (number <= QUANTITY_MAX).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_plain_digits() {
        for (text, number) in [("0", 0), ("1", 1), ("1000000000", QUANTITY_MAX)] {
            assert_eq!(parse_number(text), Some(number));
        }
        for text in ["", "00", "007", "+5", "-5", "1.5", "1e3", "1000000001", "99999999999", "٣"] {
            assert_eq!(parse_number(text), None, "{text:?}");
        }
    }
}
