//! What an operator is told about webhooks: where one is not, or is no longer what was shown, and
//! what to do then.

use std::fmt;

/// A "no" to something about a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookRefusal {
    /// The user never had one.
    NotSet,
    IsOff,
    /// The event is another user's, or was forgotten.
    EventNotFound,
    /// The secret is no longer the one that was there when somebody was asked.
    SecretChanged,
}

impl fmt::Display for WebhookRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotSet => "The user has no webhook",
            Self::IsOff => "The webhook is off: save it to turn it on",
            Self::EventNotFound => "There is no such event",
            Self::SecretChanged => "The secret has changed since you were asked: look again",
        })
    }
}
