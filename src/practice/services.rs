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

/// A line for each: type, rate, min, max, what it offers, category and name.
const LIST: &str = include_str!("services.txt");

/// All of them, with ids from 1.
pub(super) fn all() -> Vec<Service> {
    (1..).zip(LIST.lines()).filter_map(|(id, line)| service(id, line)).collect()
}

fn service(id: i64, line: &str) -> Option<Service> {
    let fields: Vec<&str> = line.split(';').collect();
    let [kind, rate, min, max, offers, category, name] = *fields else { return None };
    let offers = |what: &str| offers.split(' ').any(|it| it == what);
    Some(Service {
        id,
        name: name.to_owned(),
        category: category.to_owned(),
        kind: kind.to_owned(),
        rate: rate.to_owned(),
        min: min.parse().ok()?,
        max: max.parse().ok()?,
        dripfeed: offers("dripfeed"),
        refill: offers("refill"),
        cancel: offers("cancel"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_service() {
        assert_eq!(all().len(), LIST.lines().count());
    }
}
