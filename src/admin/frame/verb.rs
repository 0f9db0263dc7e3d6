//! What the audit log says by its verbs, in words for people.

use std::collections::{BTreeSet, HashMap};

use crate::admin::frame::figure::{money, signed};
use crate::domain::ledger::PostingKind;
use crate::domain::money::Money;
use crate::domain::{PostingId, UserId};
use crate::store::audit::Written;
use crate::store::postings::Entry;
use crate::store::{self, Read, postings, together, users};

/// What was done, standing alone: "Updated order". A verb that is not known any more is "Changed".
pub(crate) fn plain(verb: &str) -> &'static str {
    match verb {
        "books.check" => "Checked the books",
        "condition.mute" => "Muted alert",
        "category.create" => "Created category",
        "category.delete" => "Deleted category",
        "category.disable" => "Disabled category",
        "category.enable" => "Enabled category",
        "category.rename" => "Renamed category",
        "category.shift" => "Moved category",
        "order.adopt" => "Found the provider's number of order",
        "order.buy_post" => "Said what a post was of order",
        "order.create" => "Placed order",
        "order.decline_cancel" => "Declined the cancel request of order",
        "order.give_up" => "Refunded what was not placed, order",
        "order.stop_runs" => "Stopped the runs of order",
        "order.resume_runs" => "Resumed the runs of order",
        "order.move" => "Moved order",
        "order.send_again" => "Sent again order",
        "order.send_elsewhere" => "Sent elsewhere order",
        "order.set" => "Updated order",
        "order.take_over" => "Took over order",
        "posting.reverse" => "Reversed an entry of user",
        "provider.access" => "Replaced address and key of provider",
        "provider.add" => "Added provider",
        "provider.import" => "Imported services of provider",
        "provider.pause" => "Paused provider",
        "provider.remove" => "Removed provider",
        "provider.resume" => "Resumed provider",
        "provider.sync" => "Asked for the list of provider",
        "provider.undo_import" => "Undid an import of provider",
        "provider.update" => "Updated provider",
        "refill.set" => "Updated refill",
        "service.create" => "Created service",
        "service.delete" => "Deleted service",
        "service.disable" => "Disabled service",
        "service.enable" => "Enabled service",
        "service.import" => "Imported services",
        "service.move" => "Changed the category of service",
        "service.rate" => "Changed the rate of service",
        "service.shift" => "Moved service",
        "service.supply" => "Changed where service is bought",
        "service.sync" => "Followed the provider's list with service",
        "service.update" => "Updated service",
        "setting.set" => "Changed setting",
        "secret.set" => "Changed what opens a channel of alerts",
        "backup.create" => "Backed up the panel",
        _ => of_people(verb),
    }
}

/// The same of users and admins, and of what opens the panel to them.
fn of_people(verb: &str) -> &'static str {
    match verb {
        "admin.create" => "Created admin",
        "admin.password" => "Changed the password of admin",
        "admin.recovery_codes" => "Made new recovery codes for admin",
        "admin.totp_off" => "Turned off two-factor authentication for admin",
        "admin.totp_on" => "Turned on two-factor authentication for admin",
        "key.create" => "Created a key for user",
        "key.revoke" => "Revoked key",
        "key.rotate" => "Replaced a key of user",
        "session.end" => "Ended session",
        "session.end_others" => "Ended all other sessions",
        "session.half" => "Gave the right password, not yet the code",
        "session.start" => "Logged in",
        "user.balance" => "Changed the balance of user",
        "user.create" => "Created user",
        "user.credit_limit" => "Changed the credit limit of user",
        "user.discount" => "Changed the discount of user",
        "user.note" => "Changed the note about user",
        "user.rate" => "Changed a custom rate of user",
        "user.resume" => "Resumed user",
        "user.suspend" => "Suspended user",
        "user.webhook" => "Set the webhook of user",
        "user.webhook_again" => "Sent again an event of user",
        "user.webhook_off" => "Turned off the webhook of user",
        "user.webhook_secret" => "Replaced the webhook secret of user",
        _ => "Changed",
    }
}

/// The same with what it was done to: "Updated order 12". `object` is as the log keeps it, such as
/// `order 12` or `user 7 key 3`.
pub(crate) fn sentence(verb: &str, object: &str) -> String {
    let plain = plain(verb);
    if verb == "setting.set" {
        return format!("{plain} {}", object.replace('_', " "));
    }
    let (noun, rest) = object.split_once(' ').unwrap_or((object, ""));
    let name = rest.split(' ').next().unwrap_or_default();
    let is_about_it = plain.rsplit(' ').next() == Some(noun) && !name.is_empty();
    if is_about_it { format!("{plain} {name}") } else { plain.to_owned() }
}

/// What rows of the log are about, each read once: users by their names, entries by their sums.
#[derive(Default)]
pub(crate) struct Named {
    users: HashMap<UserId, String>,
    entries: HashMap<PostingId, (PostingKind, Money)>,
}

impl Named {
    /// Reads what these rows are about.
    pub(crate) fn load<'a>(
        db: &Read<'_>,
        rows: impl IntoIterator<Item = &'a Written>,
    ) -> store::Result<Self> {
        let (mut users, mut postings) = (BTreeSet::new(), BTreeSet::new());
        for (user, posting) in rows.into_iter().filter_map(|row| about(&row.object)) {
            users.insert(user);
            postings.extend(posting);
        }
        let (users, postings) = (Vec::from_iter(users), Vec::from_iter(postings));
        let (users, entries) =
            together!(db: users::find_each(db, &users), postings::find_each(db, &postings));
        let moved = |entry: Entry| {
            let (sum, _) = entry.seen_by_user()?;
            Some((entry.posted.id, (entry.posted.kind, sum)))
        };
        Ok(Self {
            users: users.into_iter().flatten().map(|user| (user.id, user.name)).collect(),
            entries: entries.into_iter().flatten().filter_map(moved).collect(),
        })
    }

    /// What was done, with users by their names and money by its amount: "Added funds to alice,
    /// 50.00".
    pub(crate) fn told(&self, row: &Written) -> String {
        let plain = sentence(&row.verb, &row.object);
        let Some((user, posting)) = about(&row.object) else { return plain };
        let Some(name) = self.users.get(&user) else { return plain };
        match (row.verb.as_str(), posting.and_then(|id| self.entries.get(&id))) {
            ("user.balance", Some((PostingKind::Deposit, sum))) => {
                format!("Added funds to {name}, {}", money(*sum))
            }
            ("user.balance", Some((_, sum))) => {
                format!("Adjusted the balance of {name}, {}", signed(*sum))
            }
            ("posting.reverse", Some((_, sum))) => {
                format!("Reversed an entry of {name}, {}", signed(*sum))
            }
            _ => match plain.strip_suffix(&format!("user {user}")) {
                Some(start) => format!("{start}user {name}"),
                None => plain,
            },
        }
    }
}

/// The user that an object of the log is about, and the entry of theirs.
fn about(object: &str) -> Option<(UserId, Option<PostingId>)> {
    let mut words = object.split(' ');
    let user = words.next().filter(|noun| *noun == "user").and(words.next())?.parse().ok()?;
    let posting = words.next().filter(|noun| *noun == "posting").and(words.next());
    Some((UserId(user), posting.and_then(|id| id.parse().ok()).map(PostingId)))
}

/// The page of an object, where it has one.
pub(crate) fn path(object: &str) -> Option<String> {
    let words: Vec<&str> = object.split(' ').collect();
    let id = |at: usize| words.get(at)?.parse::<i64>().ok();
    match words.as_slice() {
        ["user", _, "posting", ..] => Some(format!("/admin/ledger/{}", id(3)?)),
        ["user", _, "key", ..] => Some(format!("/admin/users/{}/keys", id(1)?)),
        ["user", ..] => Some(format!("/admin/users/{}", id(1)?)),
        ["order", ..] => Some(format!("/admin/orders/{}", id(1)?)),
        ["provider", _] => Some(format!("/admin/providers/{}", id(1)?)),
        ["service", _] => Some(format!("/admin/services/{}", id(1)?)),
        ["books"] => Some("/admin/ledger".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;
    use crate::admin::ROUTES;

    /// Every `"noun.verb"` that a command writes down.
    fn recorded() -> BTreeSet<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/commands");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let is_word = |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let is_verb = |text: &&str| {
            let parts = text.split_once('.');
            parts.is_some_and(|(noun, verb)| {
                !noun.is_empty() && verb != "csv" && is_word(noun) && is_word(verb)
            })
        };
        let read = |path| std::fs::read_to_string(path).unwrap();
        // The folders are made of other commands and record nothing of their own.
        let texts: Vec<String> = files.filter(|path| path.is_file()).map(read).collect();
        let quoted = texts.iter().flat_map(|text| text.split('"').skip(1).step_by(2));
        quoted.filter(is_verb).map(str::to_owned).collect()
    }

    #[test]
    fn every_verb_has_plain_words() {
        let mut verbs = recorded();
        assert!(verbs.len() > 35, "{verbs:?}");
        verbs.extend(ROUTES.iter().map(|route| route.verb.to_owned()));
        verbs.remove("");
        for verb in verbs {
            assert_ne!(plain(&verb), "Changed", "{verb}");
        }
    }

    #[test]
    fn a_sentence_names_what_it_is_about() {
        for (verb, object, expected) in [
            ("order.set", "order 12", "Updated order 12"),
            ("key.create", "user 7 key 3", "Created a key for user 7"),
            ("user.balance", "user 7 posting 9", "Changed the balance of user 7"),
            ("setting.set", "time_zone", "Changed setting time zone"),
            ("session.start", "session 3", "Logged in"),
            ("books.check", "books", "Checked the books"),
            ("service.import", "services", "Imported services"),
            ("of.yore", "thing 3", "Changed"),
        ] {
            assert_eq!(sentence(verb, object), expected, "{verb} {object}");
        }
    }

    #[test]
    fn an_object_leads_to_its_page() {
        for (object, expected) in [
            ("user 7", Some("/admin/users/7")),
            ("user 7 key 3", Some("/admin/users/7/keys")),
            ("user 7 posting 9", Some("/admin/ledger/9")),
            ("order 12", Some("/admin/orders/12")),
            ("books", Some("/admin/ledger")),
            ("user x", None),
            ("setting name", None),
            ("", None),
        ] {
            assert_eq!(path(object).as_deref(), expected, "{object}");
        }
    }
}
