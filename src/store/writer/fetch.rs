//! What a batch is going to look at, asked for at once.

use crate::domain::{ServiceId, UserId};
use crate::store::desk::{Known, NUMBERED, Wants, What};
use crate::store::pg::WireRow;
use crate::store::value::{Column, Due, Kind, Owned, Param as _, Row, RowResult, params};
use crate::store::{Error, Result, Tx, accounts, requests, services, users, webhooks};

const GREATEST: &str = "SELECT callers, (SELECT coalesce(max(id), 0) FROM orders),
    (SELECT coalesce(max(id), 0) FROM postings), (SELECT coalesce(max(id), 0) FROM audit)
    FROM versions";
impl Tx<'_> {
    /// Fetches what the transaction is going to look at, where it can keep that. A hint, as
    /// [`Wants`] is.
    ///
    /// # Errors
    /// A fault of the database.
    pub fn fetch(&self, wants: &Wants) -> Result<()> {
        let Some((wire, desk)) = self.desk().filter(|_| !wants.is_empty()) else { return Ok(()) };
        let answers = self.ask_all(wire, &statements(wants))?;
        desk.borrow_mut().learn(known(wants, answers)?);
        Ok(())
    }
}

/// The statements that fetch it, in the order that [`known`] takes their answers. What nobody wants
/// is not asked for.
pub(super) fn statements(wants: &Wants) -> Vec<Due> {
    let mut users = [Column::new(Kind::Int)];
    let mut offers = [const { Column::new(Kind::Int) }; 2];
    let mut requests = [Column::new(Kind::Int), Column::new(Kind::Text)];
    for user in &wants.users {
        users[0].push(Owned::of(user.value()));
    }
    for (user, service) in &wants.offers {
        offers[0].push(Owned::of(user.value()));
        offers[1].push(Owned::of(service.value()));
    }
    for (user, text) in &wants.requests {
        requests[0].push(Owned::of(user.value()));
        requests[1].push(Owned::of(text.value()));
    }
    let many: [(&str, &[Column]); 4] = [
        (users::MANY, &users),
        (webhooks::MANY, &users),
        (services::MANY_ON_SALE, &offers),
        (requests::MANY, &requests),
    ];
    let many = many.into_iter().filter(|(_, columns)| !columns[0].is_empty());
    let always: [(&str, &[Column]); 2] = [(GREATEST, &[]), (accounts::HOUSE, &[])];
    let ask = |(sql, columns): (&'static str, &[Column])| Due {
        sql: sql.into(),
        values: columns.iter().cloned().map(Owned::Many).collect(),
    };
    always.into_iter().chain(many).map(ask).collect()
}

/// What is known of it now.
pub(super) fn known(wants: &Wants, answers: Vec<Vec<WireRow>>) -> Result<Known> {
    let mut answers = answers.into_iter();
    let mut answer = |is_asked| if is_asked { answers.next() } else { None }.unwrap_or_default();
    let (greatest, house) = (answer(true), answer(true));
    let has_users = !wants.users.is_empty();
    let (users, webhooks) = (answer(has_users), answer(has_users));
    let (offers, requests) = (answer(!wants.offers.is_empty()), answer(wants.names_requests()));
    let greatest = greatest.first().ok_or_else(|| Error::fault("the database has no versions"))?;
    let mut known = begin(&Row::Pg(greatest))?;
    for user in &wants.users {
        known.expect(What::Webhook, params![user]);
    }
    for (user, service) in &wants.offers {
        known.expect(What::Offer, params![user, service]);
    }
    for (user, text) in &wants.requests {
        known.expect(What::Request, params![user, text]);
    }
    for row in house {
        known.keep_account(&Row::Pg(&row), [0, 1, 2, 3])?;
    }
    for row in users {
        let user: UserId = Row::Pg(&row).get(0)?;
        known.keep_account(&Row::Pg(&row), [2, 3, 7, 8])?;
        known.keep(What::User, params![user], row);
    }
    for row in webhooks {
        let user: UserId = Row::Pg(&row).get(0)?;
        known.keep(What::Webhook, params![user], row);
    }
    for row in offers {
        let (service, user): (ServiceId, UserId) = (Row::Pg(&row).get(0)?, Row::Pg(&row).get(18)?);
        known.keep(What::Offer, params![user, service], row);
    }
    for row in requests {
        let (user, text): (UserId, String) = (Row::Pg(&row).get(2)?, Row::Pg(&row).get(3)?);
        known.keep(What::Request, params![user, text], row);
    }
    Ok(known)
}

fn begin(row: &Row<'_>) -> RowResult<Known> {
    let mut numbers = [0; NUMBERED];
    for (at, number) in (1..).zip(&mut numbers) {
        *number = row.get(at)?;
    }
    Ok(Known::new(row.get(0)?, numbers))
}
