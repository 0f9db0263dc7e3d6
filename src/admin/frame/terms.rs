//! The currency of the books, and the sum above which money has to be typed.

use crate::domain::money::Money;
use crate::domain::setting::Setting;
use crate::store::{self, Read, settings};

/// In which currency the books are, and from which sum on money has to be typed.
pub(crate) struct Terms {
    pub(crate) currency: String,
    confirm_above: Option<Money>,
}

impl Terms {
    /// As they are set now.
    pub(crate) fn read(db: &Read<'_>) -> store::Result<Self> {
        Ok(Self {
            currency: settings::get(db, Setting::Currency)?,
            confirm_above: Money::parse(&settings::get(db, Setting::ConfirmAbove)?),
        })
    }

    /// What has to be typed before that much moves, if anything.
    pub(crate) fn typed(&self, sum: Money) -> Option<String> {
        self.confirm_above.filter(|above| sum > *above).map(|_| sum.to_string())
    }
}
