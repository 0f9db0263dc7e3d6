//! The catalogue as a CSV file: what `service export` writes and `service import` reads.
//!
//! Columns are found by their header, whose line also tells what stands between the cells: a comma,
//! a semicolon or a tab, whichever it has most of. Between semicolons and tabs a comma in a rate is
//! the decimal one, as the spreadsheets write it that make such files. Spreadsheets run cells that
//! begin like a formula, so such a cell is written with a `'` before it, which reading takes off
//! again.

use std::io::{self, Read};

use csv::{ReaderBuilder, StringRecord, Trim, Writer};

use super::catalog::{Draft, Part};
use crate::domain::ServiceId;
use crate::domain::input::parse_number;
use crate::domain::money::{Rate, with_point};
use crate::domain::service::{Listing, ServiceKind};
use crate::store::services::{Listed, SERVICES_MAX};

/// All columns, in the order of an export.
pub const COLUMNS: [&str; 16] = [
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
    "enabled",
    "refill_days",
    "deny_duplicates",
];
/// The columns that a file must have. What it leaves out of the others a service that is there
/// keeps; a new one is a Default without drip-feed, refill and cancel, and enabled.
pub const REQUIRED: [&str; 5] = ["category", "name", "rate", "min", "max"];

/// A file to begin with: the header, and two services that are new.
pub const TEMPLATE: &str = "\
id,category,name,type,rate,min,max,dripfeed,refill,refill_days,cancel,enabled,description
,Instagram,Instagram likes,Default,0.90,10,10000,0,1,30,1,1,\"Starts at once, refilled for 30 days\"
,Telegram,Telegram members pack,Package,4.50,1,1,0,0,,0,1,1000 members in one order
";

/// How many wrong lines are told of at once.
const WRONG_MAX: usize = 20;

/// What is wrong with a file, and on which line, as editors count them.
#[derive(Debug, thiserror::Error)]
pub enum CsvError {
    /// There is not even a header.
    #[error("the file is empty")]
    Empty,
    /// The header lacks these columns.
    #[error("line 1: {} missing: {}", columns_are(.0.len()), .0.join(", "))]
    MissingColumns(Vec<&'static str>),
    /// The header has columns nobody knows.
    #[error("line 1: {} unknown: {}", columns_are(.0.len()), .0.join(", "))]
    UnknownColumns(Vec<String>),
    /// The header has a column twice.
    #[error("line 1: the column {0} is there twice")]
    ColumnTwice(&'static str),
    /// A line has another number of cells than the header.
    #[error(
        "line {line}: there are {cells} cells and the header has {header}: \
         put quotes around a cell with a comma in it"
    )]
    Cells { line: u64, cells: usize, header: usize },
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
    /// Another encoding.
    #[error("the file is not in UTF-8: save it as \"CSV UTF-8\"")]
    NotUtf8,
    #[error("the file cannot be read: {0}")]
    Unreadable(io::Error),
    /// Not a CSV file.
    #[error("the file is not CSV: {0}")]
    Csv(#[from] csv::Error),
}

fn columns_are(count: usize) -> &'static str {
    if count == 1 { "this column is" } else { "these columns are" }
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
    let text = text(file).map_err(|error| vec![error])?;
    let separator = separator(&text);
    let mut reader = ReaderBuilder::new()
        .delimiter(separator)
        .flexible(true)
        .trim(Trim::All)
        .from_reader(text.as_bytes());
    let columns = reader.headers().map_err(|error| vec![error.into()]).and_then(Columns::find)?;
    let mut lines = Lines { text: text.as_bytes(), read: 0, line: 1 };
    let (mut drafts, mut wrong) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let record = record.map_err(|error| vec![error.into()])?;
        if record.iter().all(str::is_empty) {
            continue;
        }
        let line = lines.of(&record);
        match (Line { columns: &columns, record: &record, separator, line }.draft()) {
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

/// The whole file, with one kind of line ends and no mark before it.
fn text(mut file: impl Read) -> Result<String, CsvError> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(CsvError::Unreadable)?;
    let text = String::from_utf8(bytes).map_err(|_| CsvError::NotUtf8)?;
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n");
    if text.trim().is_empty() { Err(CsvError::Empty) } else { Ok(text) }
}

/// What stands between the cells of the header: no title of a column has one of these in it.
fn separator(text: &str) -> u8 {
    let header = text.trim_start().lines().next().unwrap_or_default();
    let count = |separator: u8| header.bytes().filter(|byte| *byte == separator).count();
    let most = b";\t".iter().copied().max_by_key(|separator| count(*separator)).unwrap_or(b',');
    if count(most) > count(b',') { most } else { b',' }
}

/// Counts lines as editors do: a cell may have several, and some are empty.
struct Lines<'a> {
    text: &'a [u8],
    /// So many bytes have been counted.
    read: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line on which a record begins, which is behind those asked about before.
    fn of(&mut self, record: &StringRecord) -> u64 {
        let start = record.position().map_or(0, csv::Position::byte);
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        while let Some(byte) = self.text.get(self.read)
            && (self.read < start || *byte == b'\n')
        {
            self.line += u64::from(*byte == b'\n');
            self.read += 1;
        }
        self.line
    }
}

/// Where each column stands.
struct Columns {
    places: Vec<(&'static str, usize)>,
    count: usize,
}

impl Columns {
    fn find(header: &StringRecord) -> Result<Self, Vec<CsvError>> {
        let (mut places, mut unknown, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
        for (index, title) in header.iter().enumerate() {
            let title = title.to_ascii_lowercase();
            match COLUMNS.iter().find(|known| **known == title) {
                Some(known) if places.iter().any(|(name, _)| name == known) => {
                    wrong.push(CsvError::ColumnTwice(known));
                }
                Some(known) => places.push((*known, index)),
                None => unknown.push(title),
            }
        }
        let is_missing = |name: &&str| places.iter().all(|(known, _)| known != name);
        let missing: Vec<_> = REQUIRED.into_iter().filter(is_missing).collect();
        if !missing.is_empty() {
            wrong.insert(0, CsvError::MissingColumns(missing));
        }
        if !unknown.is_empty() {
            wrong.push(CsvError::UnknownColumns(unknown));
        }
        if wrong.is_empty() { Ok(Self { places, count: header.len() }) } else { Err(wrong) }
    }

    fn place(&self, column: &str) -> Option<usize> {
        self.places.iter().find(|(name, _)| *name == column).map(|(_, place)| *place)
    }
}

/// One line of the file.
struct Line<'a> {
    columns: &'a Columns,
    record: &'a StringRecord,
    separator: u8,
    line: u64,
}

impl Line<'_> {
    fn draft(&self) -> Result<Draft, CsvError> {
        let (cells, header) = (self.record.len(), self.columns.count);
        if cells != header {
            return Err(CsvError::Cells { line: self.line, cells, header });
        }
        let listing = Listing {
            category: self.text("category").unwrap_or_default().to_owned(),
            name: self.text("name").unwrap_or_default().to_owned(),
            description: self.text("description").unwrap_or_default().to_owned(),
            kind: self.kind()?,
            rate: self.rate()?,
            quantity_min: self.number("min")?.ok_or_else(|| self.not_a_number("min"))?,
            quantity_max: self.number("max")?.ok_or_else(|| self.not_a_number("max"))?,
            is_dripfeed: self.flag("dripfeed")?.unwrap_or(false),
            is_refill: self.flag("refill")?.unwrap_or(false),
            refill_days: self.number("refill_days")?,
            is_cancel: self.flag("cancel")?.unwrap_or(false),
            denies_duplicates: self.flag("deny_duplicates")?.unwrap_or(false),
            is_enabled: self.flag("enabled")?.unwrap_or(true),
            provider: None,
            provider_service: self.text("provider_service").map(str::to_owned),
        };
        let id = self.number("id")?;
        if id == Some(0) {
            return Err(self.not_a_number("id"));
        }
        let provider = self.text("provider").map(str::to_owned);
        let (unsaid, line) = (self.unsaid(), self.line);
        Ok(Draft { id: id.map(ServiceId), provider, listing, unsaid, line })
    }

    /// What the line does not say. An empty cell says of a description, of refill days and of a
    /// provider that there are none, and nothing of all else.
    fn unsaid(&self) -> Vec<Part> {
        let has = |column| self.columns.place(column).is_some();
        let says = |column| self.text(column).is_some();
        let said = [
            (Part::Kind, says("type")),
            (Part::Description, has("description")),
            (Part::DripFeed, says("dripfeed")),
            (Part::Refill, says("refill")),
            (Part::RefillDays, has("refill_days")),
            (Part::Cancel, says("cancel")),
            (Part::DenyDuplicates, says("deny_duplicates")),
            (Part::Enabled, says("enabled")),
            (Part::Provider, has("provider") || has("provider_service")),
        ];
        said.into_iter().filter(|(_, is_said)| !is_said).map(|(part, _)| part).collect()
    }

    /// The cell's text, `None` where it is empty or the column absent.
    fn text(&self, column: &str) -> Option<&str> {
        let cell = self.record.get(self.columns.place(column)?)?;
        let cell = cell.strip_prefix('\'').filter(|rest| begins_formula(rest)).unwrap_or(cell);
        (!cell.is_empty()).then_some(cell)
    }

    fn kind(&self) -> Result<ServiceKind, CsvError> {
        let Some(text) = self.text("type") else { return Ok(ServiceKind::Default) };
        let kind = ServiceKind::from_label(text);
        kind.ok_or_else(|| self.wrong("type", "is not a type of service"))
    }

    fn rate(&self) -> Result<Rate, CsvError> {
        let text = self.text("rate").unwrap_or_default();
        let pointed = match self.separator {
            b',' => with_point(text)
                .ok_or_else(|| self.wrong("rate", "is ambiguous: write it with a point"))?,
            _ => text.replacen(',', ".", 1),
        };
        Rate::parse(&pointed).ok_or_else(|| self.wrong("rate", "is not an amount like 2.50"))
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

    fn not_a_number(&self, column: &'static str) -> CsvError {
        self.wrong(column, "is not a whole number up to 1000000000")
    }

    fn wrong(&self, column: &'static str, what: &'static str) -> CsvError {
        CsvError::Cell { line: self.line, column, what }
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
    writer.write_record(COLUMNS)?;
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
