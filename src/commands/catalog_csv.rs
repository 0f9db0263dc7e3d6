//! The catalogue as a CSV file: what `service export` writes and `service import` reads.
//!
//! Columns are found by their header. Spreadsheets run cells that begin like a formula, so such a
//! cell is written with a `'` before it, which reading takes off again.

use std::io::Read;

use csv::{ReaderBuilder, StringRecord, Trim, Writer};

use super::catalog::Draft;
use crate::domain::ServiceId;
use crate::domain::input::parse_number;
use crate::domain::money::Rate;
use crate::domain::service::{Listing, ServiceKind};
use crate::store::services::{Listed, SERVICES_MAX};

/// The columns that a file must have.
pub const REQUIRED: [&str; 13] = [
    "id",
    "category",
    "name",
    "type",
    "rate",
    "min",
    "max",
    "dripfeed",
    "refill",
    "cancel",
    "provider",
    "provider_service",
    "description",
];
/// The columns that it may have.
pub const OPTIONAL: [&str; 3] = ["enabled", "refill_days", "deny_duplicates"];

/// How many wrong lines are told of at once.
const WRONG_MAX: usize = 20;

/// What is wrong with a file, and on which line.
#[derive(Debug, thiserror::Error)]
pub enum CsvError {
    /// The header lacks a column.
    #[error("line 1: the column {0} is missing")]
    MissingColumn(&'static str),
    /// The header has a column nobody knows, or one twice.
    #[error("line 1: the column {0:?} is unknown or there twice")]
    UnknownColumn(String),
    /// A cell cannot be what it must be.
    #[error("line {line}: {column} {what}")]
    Cell {
        line: u64,
        column: &'static str,
        /// What it must be.
        what: &'static str,
    },
    /// More services than a panel holds.
    #[error("a file holds at most {SERVICES_MAX} services")]
    TooLong,
    /// Not a CSV file in UTF-8.
    #[error("the file is not CSV: {0}")]
    Csv(#[from] csv::Error),
}

/// Reads the services of a file.
///
/// # Errors
/// The first thing that is wrong, with its line.
pub fn read(file: impl Read) -> Result<Vec<Draft>, CsvError> {
    read_all(file).map_err(|mut wrong| wrong.swap_remove(0))
}

/// The same for people who want to know all that is wrong, one thing for each line.
///
/// # Errors
/// The first twenty, at least one.
pub fn read_all(file: impl Read) -> Result<Vec<Draft>, Vec<CsvError>> {
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(file);
    let columns = reader.headers().map_err(CsvError::from).and_then(Columns::find);
    let columns = columns.map_err(|error| vec![error])?;
    let (mut drafts, mut wrong) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let draft = record
            .map_err(CsvError::from)
            .and_then(|record| Line { columns: &columns, record: &record }.draft());
        match draft {
            Ok(draft) => drafts.push(draft),
            Err(error) => wrong.push(error),
        }
        if i64::try_from(drafts.len()).is_ok_and(|count| count > SERVICES_MAX) {
            wrong.push(CsvError::TooLong);
            break;
        }
        if wrong.len() >= WRONG_MAX {
            break;
        }
    }
    if wrong.is_empty() { Ok(drafts) } else { Err(wrong) }
}

/// Where each column stands.
struct Columns(Vec<(&'static str, usize)>);

impl Columns {
    fn find(header: &StringRecord) -> Result<Self, CsvError> {
        let mut columns = Vec::new();
        for (index, title) in header.iter().enumerate() {
            let title = title.trim_start_matches('\u{feff}').to_ascii_lowercase();
            let known = REQUIRED.iter().chain(&OPTIONAL).find(|known| **known == title);
            match known {
                Some(known) if columns.iter().all(|(name, _)| name != known) => {
                    columns.push((*known, index));
                }
                _ => return Err(CsvError::UnknownColumn(title)),
            }
        }
        let is_missing = |name: &&&str| columns.iter().all(|(known, _)| known != *name);
        match REQUIRED.iter().find(is_missing) {
            Some(name) => Err(CsvError::MissingColumn(name)),
            None => Ok(Self(columns)),
        }
    }
}

/// One line of the file.
struct Line<'a> {
    columns: &'a Columns,
    record: &'a StringRecord,
}

impl Line<'_> {
    fn draft(&self) -> Result<Draft, CsvError> {
        let rate = self.text("rate").and_then(Rate::parse);
        let kind = self.text("type").and_then(ServiceKind::from_label);
        let listing = Listing {
            category: self.text("category").unwrap_or_default().to_owned(),
            name: self.text("name").unwrap_or_default().to_owned(),
            description: self.text("description").unwrap_or_default().to_owned(),
            kind: kind.ok_or_else(|| self.wrong("type", "is not a type of service"))?,
            rate: rate.ok_or_else(|| self.wrong("rate", "is not an amount like 2.50"))?,
            quantity_min: self.number("min")?.ok_or_else(|| self.not_a_number("min"))?,
            quantity_max: self.number("max")?.ok_or_else(|| self.not_a_number("max"))?,
            is_dripfeed: self.required_flag("dripfeed")?,
            is_refill: self.required_flag("refill")?,
            refill_days: self.number("refill_days")?,
            is_cancel: self.required_flag("cancel")?,
            denies_duplicates: self.flag("deny_duplicates")?.unwrap_or(false),
            is_enabled: self.flag("enabled")?.unwrap_or(true),
            provider: None,
            provider_service: self.text("provider_service").map(str::to_owned),
        };
        let id = self.number("id")?;
        if id == Some(0) {
            return Err(self.not_a_number("id"));
        }
        Ok(Draft {
            id: id.map(ServiceId),
            provider: self.text("provider").map(str::to_owned),
            listing,
            keeps_enabled: self.text("enabled").is_none(),
            keeps_refill_days: !self.has("refill_days"),
            keeps_duplicates: self.text("deny_duplicates").is_none(),
            line: self.line(),
        })
    }

    fn line(&self) -> u64 {
        self.record.position().map_or(0, csv::Position::line)
    }

    fn has(&self, column: &str) -> bool {
        self.columns.0.iter().any(|(name, _)| *name == column)
    }

    /// The cell's text, `None` where it is empty or the column absent.
    fn text(&self, column: &str) -> Option<&str> {
        let index = self.columns.0.iter().find(|(name, _)| *name == column)?.1;
        let cell = self.record.get(index)?;
        let cell = cell.strip_prefix('\'').filter(|rest| begins_formula(rest)).unwrap_or(cell);
        (!cell.is_empty()).then_some(cell)
    }

    fn number(&self, column: &'static str) -> Result<Option<i64>, CsvError> {
        let Some(text) = self.text(column) else { return Ok(None) };
        parse_number(text).map(Some).ok_or_else(|| self.not_a_number(column))
    }

    fn flag(&self, column: &'static str) -> Result<Option<bool>, CsvError> {
        match self.text(column) {
            None => Ok(None),
            Some("0") => Ok(Some(false)),
            Some("1") => Ok(Some(true)),
            Some(_) => Err(self.wrong(column, "is not 0 or 1")),
        }
    }

    fn required_flag(&self, column: &'static str) -> Result<bool, CsvError> {
        self.flag(column)?.ok_or_else(|| self.wrong(column, "is not 0 or 1"))
    }

    fn not_a_number(&self, column: &'static str) -> CsvError {
        self.wrong(column, "is not a whole number up to 1000000000")
    }

    fn wrong(&self, column: &'static str, what: &'static str) -> CsvError {
        CsvError::Cell { line: self.line(), column, what }
    }
}

fn begins_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// Writes services with all columns.
///
/// # Errors
/// What `csv` cannot write.
pub fn write(services: &[Listed]) -> Result<String, CsvError> {
    let mut writer = Writer::from_writer(Vec::new());
    writer.write_record(REQUIRED.iter().chain(&OPTIONAL))?;
    for Listed { service, category, provider } in services {
        let listing = &service.listing;
        let flag = |is_set: bool| i64::from(is_set).to_string();
        let cells = [
            service.id.to_string(),
            category.clone(),
            listing.name.clone(),
            listing.kind.label().to_owned(),
            listing.rate.to_string(),
            listing.quantity_min.to_string(),
            listing.quantity_max.to_string(),
            flag(listing.is_dripfeed),
            flag(listing.is_refill),
            flag(listing.is_cancel),
            provider.clone().unwrap_or_default(),
            listing.provider_service.clone().unwrap_or_default(),
            listing.description.clone(),
            flag(listing.is_enabled),
            listing.refill_days.map(|days| days.to_string()).unwrap_or_default(),
            flag(listing.denies_duplicates),
        ];
        writer.write_record(cells.iter().map(|cell| shield(cell)))?;
    }
    let bytes = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The cell as a spreadsheet will show it rather than run it.
fn shield(cell: &str) -> String {
    if begins_formula(cell) { format!("'{cell}") } else { cell.to_owned() }
}
