//! Errands: what a provider is asked for besides orders, a cancel or a refill.
//!
//! The answer to a cancel never moves money: the order's status decides, as always. A refill costs
//! nothing, so to ask twice is no harm. What stays unclear waits for a person, who ends the order,
//! its cancel request or its refill; the errand goes with that.

use super::delivery::{Hand, spread};
use super::refill::RefillStatus;
use super::{ErrandId, OrderId, ProviderId, RefillId, Timestamp, words};

words! {
    /// How far an errand is.
    pub enum ErrandStage {
        /// The provider has to be asked.
        Ask = "Ask",
        /// It has said yes.
        Asked = "Asked",
        /// It waits for a person.
        Held = "Held",
    }
}

/// Something that a provider has to be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errand {
    pub id: ErrandId,
    pub order: OrderId,
    /// The refill it is about; `None` for a cancel.
    pub refill: Option<RefillId>,
    pub provider: ProviderId,
    pub stage: ErrandStage,
    /// Their number for the refill.
    pub their_id: Option<String>,
    pub due_at: Timestamp,
    /// Unclear answers in a row.
    pub tries: i64,
    pub hand: Option<Hand>,
    /// What they said last, masked.
    pub answer: String,
}

/// What a provider said to an errand. Texts are masked and fit to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// They do it; a refill under that number of theirs, if they gave one.
    Yes(Option<String>),
    No(String),
    /// Nobody knows whether they do it.
    Unclear(String),
    /// They were not asked, or could not listen just now.
    NotNow(String),
    /// How a refill stands that they were asked for.
    Refill(RefillStatus),
}

/// What an answer leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    /// The errand as it goes on; `None` where it is over.
    pub errand: Option<Errand>,
    /// Where the refill goes.
    pub refill: Option<RefillStatus>,
}

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
/// Unclear answers after which a person looks.
const TRIES_MAX: i64 = 5;
/// A refill is asked for once more.
const REFILL_TRIES_MAX: i64 = 2;
const AGAIN_AFTER: i64 = 10 * MINUTE;
/// What nobody has to look at again by itself.
const NEVER: i64 = 365 * 24 * HOUR;

/// A moment, and how long before it a refill was asked for by its customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    pub now: Timestamp,
    pub age_seconds: i64,
}

impl Errand {
    /// What the answer leads to.
    pub fn after(&self, said: &Said, moment: Moment) -> Next {
        let step = Step { errand: self, moment };
        match (self.refill, self.stage) {
            (None, _) => step.cancel(said),
            (Some(_), ErrandStage::Ask) => step.refill(said),
            (Some(_), ErrandStage::Asked | ErrandStage::Held) => step.refill_status(said),
        }
    }
}

struct Step<'a> {
    errand: &'a Errand,
    moment: Moment,
}

impl Step<'_> {
    fn cancel(&self, said: &Said) -> Next {
        match said {
            Said::Yes(_) | Said::Refill(_) => self.asked(None, NEVER),
            Said::No(text) => self.held(Hand::CancelRefused, text),
            Said::Unclear(text) if self.errand.tries + 1 >= TRIES_MAX => {
                self.held(Hand::CancelRefused, text)
            }
            Said::Unclear(text) => self.again(AGAIN_AFTER, text),
            Said::NotNow(text) => self.later(text),
        }
    }

    fn refill(&self, said: &Said) -> Next {
        let taken_up = |next| Next { refill: Some(RefillStatus::InProgress), ..next };
        match said {
            Said::Yes(Some(their_id)) => taken_up(self.asked(Some(their_id), self.until_look())),
            Said::Yes(None) | Said::Refill(_) => {
                taken_up(self.held(Hand::Refill, "They gave no number for the refill"))
            }
            Said::No(_) => Next { errand: None, refill: Some(RefillStatus::Rejected) },
            Said::Unclear(text) if self.errand.tries + 1 >= REFILL_TRIES_MAX => {
                self.held(Hand::Refill, text)
            }
            Said::Unclear(text) => self.again(HOUR, text),
            Said::NotNow(text) => self.later(text),
        }
    }

    fn refill_status(&self, said: &Said) -> Next {
        match said {
            Said::Refill(status) if status.is_open() => {
                self.asked(self.errand.their_id.as_deref(), self.until_look())
            }
            Said::Refill(status) => Next { errand: None, refill: Some(*status) },
            Said::Yes(_) => self.later(""),
            Said::No(text) | Said::Unclear(text) if self.errand.tries + 1 >= TRIES_MAX => {
                self.held(Hand::Refill, text)
            }
            Said::No(text) | Said::Unclear(text) => self.again(self.until_look(), text),
            Said::NotNow(text) => self.later(text),
        }
    }

    /// A refill is looked at less often the older it is.
    fn until_look(&self) -> i64 {
        (self.moment.age_seconds / 4).clamp(HOUR / 2, 6 * HOUR)
    }

    fn asked(&self, their_id: Option<&str>, seconds: i64) -> Next {
        let (stage, their_id) = (ErrandStage::Asked, their_id.map(str::to_owned));
        let due_at = self.due_in(seconds);
        let (tries, answer) = (0, String::new());
        self.goes_on(Errand { stage, their_id, due_at, tries, answer, ..self.errand.clone() })
    }

    fn held(&self, hand: Hand, text: &str) -> Next {
        let (stage, hand, answer) = (ErrandStage::Held, Some(hand), text.to_owned());
        self.goes_on(Errand { stage, hand, answer, ..self.errand.clone() })
    }

    fn again(&self, seconds: i64, text: &str) -> Next {
        let (due_at, tries) = (self.due_in(seconds), self.errand.tries + 1);
        let answer = text.to_owned();
        self.goes_on(Errand { due_at, tries, answer, ..self.errand.clone() })
    }

    fn later(&self, text: &str) -> Next {
        let (due_at, answer) = (self.due_in(AGAIN_AFTER), text.to_owned());
        self.goes_on(Errand { due_at, answer, ..self.errand.clone() })
    }

    fn due_in(&self, seconds: i64) -> Timestamp {
        Timestamp(self.moment.now.0 + spread(seconds, self.errand.order, self.errand.tries))
    }

    #[expect(clippy::unused_self, reason = "reads as the others do")]
    fn goes_on(&self, errand: Errand) -> Next {
        Next { errand: Some(errand), refill: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn errand(refill: Option<RefillId>, stage: ErrandStage) -> Errand {
        Errand {
            id: ErrandId(1),
            order: OrderId(7),
            refill,
            provider: ProviderId(1),
            stage,
            their_id: (stage == ErrandStage::Asked).then(|| "R1".to_owned()),
            due_at: NOW,
            tries: 0,
            hand: None,
            answer: String::new(),
        }
    }

    /// How the errand stands after all of that, one after the other.
    fn after(mut errand: Errand, said: &[Said]) -> Next {
        let mut next = Next { errand: Some(errand.clone()), refill: None };
        for said in said {
            next = errand.after(said, Moment { now: NOW, age_seconds: 0 });
            match &next.errand {
                Some(goes_on) => errand = goes_on.clone(),
                None => break,
            }
        }
        next
    }

    fn stands(next: &Next) -> Option<(ErrandStage, Option<Hand>, i64)> {
        next.errand.as_ref().map(|it| (it.stage, it.hand, it.tries))
    }

    #[test]
    fn a_cancel_is_asked_for_until_it_is_clear_what_they_say() {
        let cancel = || errand(None, ErrandStage::Ask);
        let unclear = || Said::Unclear("?".to_owned());
        let yes = after(cancel(), &[unclear(), Said::Yes(None)]);
        assert_eq!(stands(&yes), Some((ErrandStage::Asked, None, 0)));
        let no = after(cancel(), &[Said::No("Too late".to_owned())]);
        assert_eq!(stands(&no), Some((ErrandStage::Held, Some(Hand::CancelRefused), 0)));
        assert_eq!(no.errand.unwrap().answer, "Too late");
        let four = after(cancel(), &[unclear(), unclear(), unclear(), unclear()]);
        assert_eq!(stands(&four), Some((ErrandStage::Ask, None, 4)));
        let five = after(four.errand.unwrap(), &[unclear()]);
        assert_eq!(stands(&five), Some((ErrandStage::Held, Some(Hand::CancelRefused), 4)));
        let never = vec![Said::NotNow("down".to_owned()); 50];
        assert_eq!(stands(&after(cancel(), &never)), Some((ErrandStage::Ask, None, 0)));
    }

    #[test]
    fn a_refill_is_asked_for_and_then_looked_at() {
        let refill = |stage| errand(Some(RefillId(3)), stage);
        let unclear = || Said::Unclear("?".to_owned());
        let yes = after(refill(ErrandStage::Ask), &[unclear(), Said::Yes(Some("R9".to_owned()))]);
        assert_eq!(yes.refill, Some(RefillStatus::InProgress));
        assert_eq!(stands(&yes), Some((ErrandStage::Asked, None, 0)));
        assert_eq!(yes.errand.unwrap().their_id.unwrap(), "R9");

        let nameless = after(refill(ErrandStage::Ask), &[Said::Yes(None)]);
        assert_eq!(nameless.refill, Some(RefillStatus::InProgress));
        assert_eq!(stands(&nameless), Some((ErrandStage::Held, Some(Hand::Refill), 0)));

        let no = after(refill(ErrandStage::Ask), &[Said::No("Not yet".to_owned())]);
        assert_eq!((no.errand, no.refill), (None, Some(RefillStatus::Rejected)));
        let twice = after(refill(ErrandStage::Ask), &[unclear(), unclear()]);
        assert_eq!(stands(&twice), Some((ErrandStage::Held, Some(Hand::Refill), 1)));

        let asked = || refill(ErrandStage::Asked);
        for status in RefillStatus::ALL {
            let next = after(asked(), &[unclear(), Said::Refill(*status)]);
            match status.is_open() {
                true => assert_eq!(stands(&next), Some((ErrandStage::Asked, None, 0))),
                false => assert_eq!((next.errand, next.refill), (None, Some(*status))),
            }
        }
        let lost = after(asked(), &vec![Said::No("Refill not found".to_owned()); 5]);
        assert_eq!(stands(&lost), Some((ErrandStage::Held, Some(Hand::Refill), 4)));
    }

    #[test]
    fn an_old_refill_is_looked_at_less_often() {
        let asked = errand(Some(RefillId(3)), ErrandStage::Asked);
        let minutes = |age_seconds| {
            let said = Said::Refill(RefillStatus::InProgress);
            let next = asked.after(&said, Moment { now: NOW, age_seconds });
            (next.errand.unwrap().due_at.0 - NOW.0) / MINUTE
        };
        assert!((24..=36).contains(&minutes(0)), "{}", minutes(0));
        assert!((96..=144).contains(&minutes(8 * HOUR)), "{}", minutes(8 * HOUR));
        assert!((288..=432).contains(&minutes(90 * 24 * HOUR)), "{}", minutes(90 * 24 * HOUR));
    }
}
