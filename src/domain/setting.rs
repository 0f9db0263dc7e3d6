//! What the operator can set while the panel runs, and what each setting may be.

use super::alert::{self, MailTls};
use super::input::parse_number;
use super::money::Money;
use super::refusal::OperatorRefusal;
use super::words;

words! {
    /// A setting, by its key.
    pub enum Setting {
        Name = "name",
        /// ISO 4217 code of the one currency the books are kept in.
        Currency = "currency",
        /// The zone in which pages show times.
        TimeZone = "time_zone",
        /// The sum from which on moving money must be typed once more.
        ConfirmAbove = "confirm_above",
        /// Requests a second that one API key may send; 0 for no limit.
        KeyRate = "key_rate",
        /// Requests that a rested key may send at once; 0 for no limit.
        KeyBurst = "key_burst",
        /// Wrong keys a minute from one address; 0 for no limit.
        WrongKeyRate = "wrong_key_rate",
        /// Connections at a time; 0 for no limit. Counts from the next start.
        Connections = "connections",
        /// The server that takes our mail; empty where no alerts go by mail.
        MailHost = "mail_host",
        MailPort = "mail_port",
        /// How the connection to it is secured, a word of `MailTls`.
        MailTls = "mail_tls",
        /// Who we log in as there; empty for nobody.
        MailUser = "mail_user",
        MailFrom = "mail_from",
        /// Addresses, separated by commas.
        MailTo = "mail_to",
        /// The chat that a Telegram bot writes to: its number, or `@` and a name; empty for none.
        TelegramChat = "telegram_chat",
        /// When the panel was backed up last, in unix seconds; 0 for never.
        BackedUpAt = "backed_up_at",
    }
}

impl Setting {
    /// The value until somebody sets another.
    pub const fn default(self) -> &'static str {
        match self {
            Self::Name => "Panelite",
            Self::Currency => "USD",
            Self::TimeZone => "UTC",
            Self::ConfirmAbove => "100",
            Self::KeyRate => "200",
            Self::KeyBurst => "400",
            Self::WrongKeyRate => "60",
            Self::Connections => "1024",
            Self::MailHost
            | Self::MailUser
            | Self::MailFrom
            | Self::MailTo
            | Self::TelegramChat => "",
            Self::MailPort => "465",
            Self::MailTls => MailTls::Implicit.as_str(),
            Self::BackedUpAt => "0",
        }
    }

    /// Whether the setting may have that value. A time zone's name is looked up by the caller.
    pub fn check(self, value: &str) -> Result<(), OperatorRefusal> {
        let is_sound = match self {
            Self::Name => {
                (1..=64).contains(&value.chars().count()) && !value.chars().any(super::is_hidden)
            }
            Self::Currency => value.len() == 3 && value.bytes().all(|b| b.is_ascii_uppercase()),
            Self::TimeZone => (1..=64).contains(&value.len()),
            Self::ConfirmAbove => Money::parse(value).is_some(),
            Self::KeyRate | Self::KeyBurst | Self::WrongKeyRate | Self::Connections => {
                parse_number(value).is_some_and(|number| number <= 1_000_000)
            }
            Self::MailHost => value.is_empty() || alert::is_host(value),
            Self::MailPort => value.parse::<u16>().is_ok_and(|port| port > 0),
            Self::MailTls => MailTls::from_stored(value).is_some(),
            Self::MailUser => value.len() <= 254 && !value.chars().any(super::is_hidden),
            Self::MailFrom => value.is_empty() || alert::is_address(value),
            Self::MailTo => value.is_empty() || alert::addresses(value).is_some(),
            Self::TelegramChat => value.is_empty() || alert::is_chat(value),
            Self::BackedUpAt => value.parse::<i64>().is_ok_and(|at| at >= 0),
        };
        if is_sound { Ok(()) } else { Err(OperatorRefusal::BadSetting) }
    }
}

/// The settings that bound what clients may do. 0 is no bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests a second per key.
    pub key_rate: u32,
    /// Requests at once per rested key.
    pub key_burst: u32,
    /// Wrong keys a minute per address.
    pub wrong_key_rate: u32,
    /// Connections at a time.
    pub connections: u32,
}

impl Limits {
    /// A node's part of them, where so many nodes share what comes in: together they permit what
    /// was set. 0 is no limit and stays so.
    #[must_use]
    pub fn shared_by(self, nodes: i64) -> Self {
        let nodes = u32::try_from(nodes.max(1)).unwrap_or(u32::MAX);
        Self {
            key_rate: self.key_rate.div_ceil(nodes),
            key_burst: self.key_burst.div_ceil(nodes),
            wrong_key_rate: self.wrong_key_rate.div_ceil(nodes),
            connections: self.connections,
        }
    }
}
