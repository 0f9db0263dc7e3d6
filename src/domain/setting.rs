//! What the operator can set while the panel runs, and what each setting may be.

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
