//! A connection to a server: statements prepared once, questions sent together, and a count of the
//! trips they took.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Config, NoTls, Row, Socket, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::hub::{self, Sent};
use super::{fault, hosts, text};
use crate::clock::instant;
use crate::store::error::FaultKind;
use crate::store::place::Dsn;
use crate::store::value::{Bound, Due, Kind, List, Param};
use crate::store::{Error, Result};

const STATEMENTS_MAX: usize = 512;
/// What a host that has let us in may take, beyond the time to get there, to say who it is.
const GREETING_TIMEOUT: Duration = Duration::from_secs(2);
/// The server gives up a statement before that; it is for a server that says nothing at all.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(35);
/// What a connection asks of the server, whatever is set there: nothing that hangs may hold the
/// others up. Who waits for a lock is told that before a statement would be given up.
const SESSION: &str = "SET statement_timeout = '30s';
    SET lock_timeout = '25s';
    SET idle_in_transaction_session_timeout = '10s'";

type Answer<T> = std::result::Result<T, tokio_postgres::Error>;

/// What a statement answered.
pub(in crate::store) struct Answered {
    pub(in crate::store) rows: Vec<Row>,
    /// How many rows it touched.
    pub(in crate::store) touched: u64,
}

/// A connection to a server, used by one thread at a time.
pub(in crate::store) struct Wire {
    pub(super) client: Client,
    made_at: Instant,
    statements: RefCell<HashMap<Box<str>, Statement>>,
    is_lost: Cell<bool>,
    patience: Cell<Duration>,
    changes: Cell<u64>,
    trips: Cell<u64>,
    node: Cell<Option<i64>>,
    /// What goes ahead of the next question, in the same trip.
    opening: Cell<Option<&'static str>>,
}

impl Wire {
    /// Connects, over TLS where the address asks for it, to the first host that answers as asked.
    pub(in crate::store) fn connect(dsn: &Dsn) -> Result<Self> {
        let (tell, told) = mpsc::channel();
        for config in hosts::each(dsn.config()) {
            let tls = dsn.tls().map(|tls| MakeRustlsConnect::new((**tls).clone()));
            let tell = tell.clone();
            hub::spawn(async move {
                match tls {
                    Some(tls) => reach(&tell, &config, tls).await,
                    None => reach(&tell, &config, NoTls).await,
                }
            })
            .map_err(|error| Error::fault(&format!("the wire cannot be started: {error}")))?;
        }
        drop(tell);
        let client = first(told)?;
        let wire = Self {
            client,
            made_at: instant(),
            statements: RefCell::default(),
            is_lost: Cell::new(false),
            patience: Cell::new(ANSWER_TIMEOUT),
            changes: Cell::new(0),
            trips: Cell::new(0),
            node: Cell::new(None),
            opening: Cell::new(None),
        };
        let name = format!("SET application_name = 'panelite {}'", std::process::id());
        wire.run_all(&format!("{name}; {SESSION}"))?;
        Ok(wire)
    }

    /// Lets statements take as long as they take: for what reads everything.
    pub(in crate::store) fn be_patient(&self) -> Result<()> {
        self.patience.set(Duration::MAX);
        self.run_all("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0")
    }

    /// Whether it is good for nothing any more.
    pub(in crate::store) fn is_lost(&self) -> bool {
        self.is_lost.get() || self.client.is_closed()
    }

    /// When it was made.
    pub(in crate::store) const fn made_at(&self) -> Instant {
        self.made_at
    }

    /// How many rows it has ever written.
    pub(in crate::store) fn changes(&self) -> u64 {
        self.changes.get()
    }

    /// How often it has waited for the server.
    pub(in crate::store) fn trips(&self) -> u64 {
        self.trips.get()
    }

    /// The node that writes over it.
    pub(in crate::store) fn node(&self) -> Option<i64> {
        self.node.get()
    }

    /// Says which node writes over it.
    pub(in crate::store) fn set_node(&self, node: i64) {
        self.node.set(Some(node));
    }

    /// The rows of a statement.
    pub(in crate::store) fn query(&self, sql: &str, params: List<'_>) -> Result<Vec<Row>> {
        self.behind(&[], sql, params).map(|answered| answered.rows)
    }

    /// Runs a statement; says how many rows it touched.
    pub(in crate::store) fn execute(&self, sql: &str, params: List<'_>) -> Result<u64> {
        self.behind(&[], sql, params).map(|answered| answered.touched)
    }

    /// Runs statements that have no parameters, one after the other, as they are.
    pub(in crate::store) fn run_all(&self, sql: &str) -> Result<()> {
        self.open()?;
        self.answered(self.client.batch_execute(sql))
    }

    /// Sends such statements without waiting for what becomes of them.
    pub(in crate::store) fn send(&self, sql: &str) {
        if !self.is_lost() {
            hub::send(self.client.batch_execute(sql));
        }
    }

    /// Begins a transaction with the next question, in the same trip.
    pub(in crate::store) fn begin_with_next(&self, sql: &'static str) {
        self.opening.set(Some(sql));
    }

    /// Ends that transaction, if anything was asked. Nobody waits for it.
    pub(in crate::store) fn end(&self) {
        if self.opening.take().is_none() {
            self.send("COMMIT");
        }
    }

    /// Begins what was to begin with the next question, where that cannot take it along.
    fn open(&self) -> Result<()> {
        let Some(sql) = self.opening.take() else { return Ok(()) };
        self.answered(self.client.batch_execute(sql))
    }

    /// Hands each row to `each` as it comes. What comes faster than it is taken waits on the way,
    /// so nothing else may be asked in between.
    pub(in crate::store) fn stream(
        &self,
        sql: &str,
        params: List<'_>,
        mut each: impl FnMut(&Row) -> Result<()>,
    ) -> Result<()> {
        let statement = self.prepare(&[(sql, params)])?.remove(0);
        self.open()?;
        let rows = self.answered(self.client.query_raw(&statement, bound(params)))?;
        let mut rows = Box::pin(rows);
        while let Some(row) = self.waited(rows.try_next())? {
            each(&row)?;
        }
        Ok(())
    }

    /// Asks everything at once: first what has no parameters, such as BEGIN, then the list, then
    /// what has none again, such as COMMIT. Where one fails its error is the answer, the first of
    /// them: a COMMIT behind it says nothing and does nothing.
    pub(in crate::store) fn pipeline(
        &self,
        before: Option<&str>,
        list: &[(&str, List<'_>)],
        after: Option<&str>,
    ) -> Result<Vec<Vec<Row>>> {
        let answers = self.asked(before, list, after)?;
        for (answered, (sql, _)) in answers.iter().zip(list) {
            self.count(sql, answered);
        }
        Ok(answers.into_iter().map(|answered| answered.rows).collect())
    }

    /// Asks one thing behind others, which write what was counted before.
    pub(in crate::store) fn behind(
        &self,
        due: &[Due],
        sql: &str,
        params: List<'_>,
    ) -> Result<Answered> {
        let lists: Vec<Vec<&dyn Param>> = due.iter().map(Due::params).collect();
        let before = due.iter().zip(&lists).map(|(due, list)| (&*due.sql, &list[..]));
        let list: Vec<(&str, List<'_>)> = before.chain([(sql, params)]).collect();
        let last = self.asked(None, &list, None)?.pop();
        let answered = last.ok_or_else(|| Error::fault("a statement without an answer"))?;
        self.count(sql, &answered);
        Ok(answered)
    }

    /// Writes what was counted before, or asks something beside it.
    pub(in crate::store) fn write<'d>(
        &self,
        due: impl IntoIterator<Item = &'d Due>,
    ) -> Result<Vec<Vec<Row>>> {
        let due: Vec<&Due> = due.into_iter().collect();
        let lists: Vec<Vec<&dyn Param>> = due.iter().map(|due| due.params()).collect();
        let list = due.iter().zip(&lists).map(|(due, list)| (&*due.sql, &list[..]));
        let list: Vec<(&str, List<'_>)> = list.collect();
        if list.is_empty() {
            return Ok(Vec::new());
        }
        let answers = self.asked(None, &list, None)?;
        Ok(answers.into_iter().map(|answered| answered.rows).collect())
    }

    /// Asks everything at once, and counts nothing.
    fn asked(
        &self,
        before: Option<&str>,
        list: &[(&str, List<'_>)],
        after: Option<&str>,
    ) -> Result<Vec<Answered>> {
        let statements = self.prepare(list)?;
        let mut sent: Vec<Sent<'_, Answer<Option<Answered>>>> = Vec::with_capacity(list.len() + 3);
        let opening = self.opening.take();
        sent.extend(opening.into_iter().chain(before).map(|sql| self.plain(sql)));
        for ((_, params), statement) in list.iter().zip(statements) {
            let ask = ask(&self.client, statement, bound(params));
            sent.push(Box::pin(async { ask.await.map(Some) }));
        }
        sent.extend(after.map(|sql| self.plain(sql)));
        let answers = self.answered(async {
            hub::in_order(sent).await.into_iter().collect::<Answer<Vec<_>>>()
        })?;
        Ok(answers.into_iter().flatten().collect())
    }

    fn plain<'a>(&'a self, sql: &'a str) -> Sent<'a, Answer<Option<Answered>>> {
        Box::pin(async { self.client.batch_execute(sql).await.map(|()| None) })
    }

    fn count(&self, sql: &str, answered: &Answered) {
        if !text::only_reads(sql) {
            self.changes.set(self.changes.get() + answered.touched);
        }
    }

    /// The statements of a list. Those that are new are prepared together.
    fn prepare(&self, list: &[(&str, List<'_>)]) -> Result<Vec<Statement>> {
        let mut missing = self.missing(list);
        if self.statements.borrow().len() + missing.len() > STATEMENTS_MAX {
            self.statements.borrow_mut().clear();
            missing = self.missing(list);
        }
        if !missing.is_empty() {
            self.prepare_missing(&missing)?;
        }
        let unprepared = || Error::fault("a statement is asked for with two kinds of parameters");
        list.iter().map(|(sql, params)| self.found(sql, params).ok_or_else(unprepared)).collect()
    }

    /// Those that are not prepared, each once.
    fn missing<'l>(&self, list: &[(&'l str, List<'l>)]) -> Vec<(&'l str, List<'l>)> {
        let mut missing: Vec<(&str, List<'_>)> = Vec::new();
        for (sql, params) in list {
            let is_missing = self.found(sql, params).is_none();
            if is_missing && missing.iter().all(|(other, _)| other != sql) {
                missing.push((sql, params));
            }
        }
        missing
    }

    fn prepare_missing(&self, missing: &[(&str, List<'_>)]) -> Result<()> {
        let texts: Vec<_> =
            missing.iter().map(|(sql, params)| (text::translated(sql), types(params))).collect();
        let mut sent: Vec<Sent<'_, Answer<Statement>>> = Vec::with_capacity(texts.len());
        for (text, types) in &texts {
            sent.push(Box::pin(self.client.prepare_typed(text, types)));
        }
        let made = self.answered(async {
            hub::in_order(sent).await.into_iter().collect::<Answer<Vec<_>>>()
        })?;
        let texts = missing.iter().map(|(sql, _)| Box::from(*sql));
        self.statements.borrow_mut().extend(texts.zip(made));
        Ok(())
    }

    /// The statement of that text, if it is prepared for parameters of those kinds.
    fn found(&self, sql: &str, params: List<'_>) -> Option<Statement> {
        let statements = self.statements.borrow();
        let statement = statements.get(sql)?;
        let fits = |(known, param): (&Type, _)| *known == type_of(kind(param));
        let is_same = statement.params().len() == params.len()
            && statement.params().iter().zip(params.iter().copied()).all(fits);
        is_same.then(|| statement.clone())
    }

    /// Waits for an answer: a trip.
    pub(super) fn answered<T>(&self, answer: impl Future<Output = Answer<T>>) -> Result<T> {
        self.trips.set(self.trips.get() + 1);
        self.waited(answer)
    }

    pub(super) fn waited<T>(&self, answer: impl Future<Output = Answer<T>>) -> Result<T> {
        let Some(answer) = hub::wait(answer, self.patience.get()) else {
            self.is_lost.set(true);
            return Err(Error::of_kind(FaultKind::Lost, "the server has stopped answering"));
        };
        answer.map_err(|error| {
            if fault::is_stale_statement(&error) {
                self.statements.borrow_mut().clear();
            }
            let error = fault::of(&error);
            if error.is_of_kind(FaultKind::Lost) {
                self.is_lost.set(true);
            }
            error
        })
    }
}

/// Why a host does not serve us.
struct Refused {
    error: Error,
    /// Whether it was the host that said so.
    is_told: bool,
}

impl From<tokio_postgres::Error> for Refused {
    fn from(error: tokio_postgres::Error) -> Self {
        Self { error: fault::of(&error), is_told: error.as_db_error().is_some() }
    }
}

/// Whichever serves us first; or else why not. What a host has against us says more than that
/// another is away.
fn first<T>(asked: impl IntoIterator<Item = std::result::Result<T, Refused>>) -> Result<T> {
    let mut refused = Refused { error: silent(), is_told: false };
    for asked in asked {
        match asked {
            Ok(found) => return Ok(found),
            Err(next) if next.is_told || !refused.is_told => refused = next,
            Err(next) => tracing::debug!(error = %next.error, "another host"),
        }
    }
    Err(refused.error)
}

fn silent() -> Error {
    Error::of_kind(FaultKind::Lost, "the server does not answer")
}

/// Asks one host, hands the client over if it is still wanted, and serves it until it is dropped or
/// the connection ends.
async fn reach<T>(
    tell: &mpsc::Sender<std::result::Result<Client, Refused>>,
    config: &Config,
    tls: T,
) where
    T: MakeTlsConnect<Socket>,
{
    let most = config.get_connect_timeout().copied().unwrap_or_default() + GREETING_TIMEOUT;
    let reached = match tokio::time::timeout(most, config.connect(tls)).await {
        Ok(reached) => reached.map_err(Refused::from),
        Err(_) => Err(Refused { error: silent(), is_told: false }),
    };
    match reached {
        Ok((client, connection)) => {
            if tell.send(Ok(client)).is_ok()
                && let Err(error) = connection.await
            {
                let error = fault::of(&error);
                tracing::warn!(%error, "a connection to the database has ended");
            }
        }
        Err(Refused { error, is_told }) => {
            let error = error.at(&hosts::name(config));
            drop(tell.send(Err(Refused { error, is_told })));
        }
    }
}

async fn ask(client: &Client, statement: Statement, params: Vec<Bound<'_>>) -> Answer<Answered> {
    let mut stream = Box::pin(client.query_raw(&statement, params).await?);
    let mut rows = Vec::new();
    while let Some(row) = stream.try_next().await? {
        rows.push(row);
    }
    Ok(Answered { rows, touched: stream.rows_affected().unwrap_or(0) })
}

fn bound<'a>(params: List<'a>) -> Vec<Bound<'a>> {
    params.iter().map(|param| Bound(param.value())).collect()
}

fn types(params: List<'_>) -> Vec<Type> {
    params.iter().map(|param| type_of(kind(*param))).collect()
}

fn kind(param: &dyn Param) -> Kind {
    param.value().kind()
}

pub(super) fn type_of(kind: Kind) -> Type {
    match kind {
        Kind::Int => Type::INT8,
        Kind::Text => Type::TEXT,
        Kind::Blob => Type::BYTEA,
        Kind::Ints => Type::INT8_ARRAY,
        Kind::Texts => Type::TEXT_ARRAY,
        Kind::Blobs => Type::BYTEA_ARRAY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_hosts_the_one_that_has_something_against_us_is_told() {
        let asked = |list: &[(&str, bool)]| {
            let refused = |(text, is_told): &(&str, bool)| {
                Err(Refused { error: Error::fault(text), is_told: *is_told })
            };
            first::<()>(list.iter().map(refused)).unwrap_err().to_string()
        };
        let (away, wrong) = (("away", false), ("wrong password", true));
        assert!(asked(&[away, wrong]).contains("wrong password"));
        assert!(asked(&[wrong, away]).contains("wrong password"));
        assert!(asked(&[away]).contains("away"));
        assert!(asked(&[]).contains("does not answer"));
        assert_eq!(first([Err(Refused { error: silent(), is_told: true }), Ok(7)]).unwrap(), 7);
    }
}
