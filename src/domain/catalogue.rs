//! Whether a provider's list of services can be trusted as a whole.
//!
//! One that is broken takes nothing off sale: it is thrown away, and the last good one stays.

use std::fmt;

/// How many services of one provider are kept.
pub const OFFERS_MAX: usize = 50_000;
/// More of a list that cannot be read than this, in percent, and none of it counts.
const UNREADABLE_MAX: usize = 20;
/// The same for services in use that would vanish at once; a few may always.
const VANISHING_MAX: usize = 30;
const VANISHING_FEW: usize = 10;

/// What a list comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Services that could be read.
    pub read: usize,
    /// Lines that could not.
    pub unreadable: usize,
    /// Services of the last list that are sold here.
    pub used: usize,
    /// Those of them that are not on this one.
    pub vanishing: usize,
}

/// Why a list is thrown away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    Empty,
    /// It has that many services.
    TooLong(usize),
    /// That many of so many lines could not be read.
    Unreadable(usize, usize),
    /// That many of so many services that are sold here are not on it.
    Vanishing(usize, usize),
}

impl Count {
    /// Whether the list may be taken over.
    ///
    /// # Errors
    /// Why not.
    pub const fn check(&self) -> Result<(), Unusable> {
        let Self { read, unreadable, used, vanishing } = *self;
        let lines = read.saturating_add(unreadable);
        if lines == 0 {
            return Err(Unusable::Empty);
        }
        if lines > OFFERS_MAX {
            return Err(Unusable::TooLong(lines));
        }
        if unreadable * 100 > lines * UNREADABLE_MAX {
            return Err(Unusable::Unreadable(unreadable, lines));
        }
        if vanishing > VANISHING_FEW && vanishing * 100 > used * VANISHING_MAX {
            return Err(Unusable::Vanishing(vanishing, used));
        }
        Ok(())
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("The list of services is empty"),
            Self::TooLong(lines) => {
                write!(f, "The list has {lines} services, more than {OFFERS_MAX}")
            }
            Self::Unreadable(unreadable, lines) => {
                write!(f, "{unreadable} of the list's {lines} services cannot be read")
            }
            Self::Vanishing(vanishing, used) => write!(
                f,
                "{vanishing} of the {used} services sold here are missing from the list: if that \
                 is right, disable them and fetch it again"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_taken_whole_or_not_at_all() {
        // read, unreadable, used, vanishing
        let table = [
            ((0, 0, 0, 0), Err(Unusable::Empty)),
            ((1, 0, 0, 0), Ok(())),
            ((50_000, 0, 0, 0), Ok(())),
            ((50_000, 1, 0, 0), Err(Unusable::TooLong(50_001))),
            ((80, 20, 0, 0), Ok(())),
            ((79, 21, 0, 0), Err(Unusable::Unreadable(21, 100))),
            ((0, 3, 0, 0), Err(Unusable::Unreadable(3, 3))),
            ((5, 0, 10, 10), Ok(())),
            ((5, 0, 11, 11), Err(Unusable::Vanishing(11, 11))),
            ((5, 0, 100, 30), Ok(())),
            ((5, 0, 100, 31), Err(Unusable::Vanishing(31, 100))),
        ];
        for ((read, unreadable, used, vanishing), verdict) in table {
            let count = Count { read, unreadable, used, vanishing };
            assert_eq!(count.check(), verdict, "{count:?}");
        }
    }
}
