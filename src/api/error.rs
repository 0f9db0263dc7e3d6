//! Every way in which the API says no: which HTTP status, which code, which text.

use actix_web::http::StatusCode;

use super::action::Unclear;
use crate::domain::refusal::{OrderRefusal, Refusal};
use crate::store;

/// Why the API refused.
#[derive(Clone, Debug)]
pub(super) enum Error {
    /// The request is no request.
    Unreadable,
    /// The body came encoded.
    Encoded,
    /// The action or a parameter is wrong.
    Unclear(Unclear),
    /// The key is missing, wrong or revoked.
    InvalidKey,
    /// Too many; the seconds after which it is worth trying again.
    RateLimited(u64),
    /// The shop refused, or the store failed.
    Store(store::Error),
    /// The program itself was at fault.
    Panicked,
    NotFound,
    /// Not with this method.
    MethodNotAllowed,
    /// The body did not arrive in time.
    Timeout,
    TooLarge,
}

impl From<Unclear> for Error {
    fn from(unclear: Unclear) -> Self {
        Self::Unclear(unclear)
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

impl From<OrderRefusal> for Error {
    fn from(refusal: OrderRefusal) -> Self {
        Self::Store(refusal.into())
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Store(refusal.into())
    }
}

/// How a failure is told: the status in the JSON dialect, the code in the header, the text.
pub(super) struct Failure {
    /// The HTTP status, before the form dialect has its say.
    pub status: StatusCode,
    /// The value of `X-Error-Code`.
    pub code: &'static str,
    /// The value of `error`.
    pub text: String,
}

impl Failure {
    fn new(status: StatusCode, code: &'static str, text: impl Into<String>) -> Self {
        Self { status, code, text: text.into() }
    }

    /// The table in section 2 of the contract.
    pub(super) fn of(error: &Error) -> Self {
        match error {
            Error::Unreadable => Self::incorrect(""),
            Error::Encoded => Self::incorrect(": Content-Encoding is not supported"),
            Error::Unclear(Unclear::UnknownAction) => {
                Self::new(StatusCode::BAD_REQUEST, "unknown_action", "Incorrect action")
            }
            Error::Unclear(Unclear::Missing(name)) => {
                Self::incorrect(&format!(": {name} is missing"))
            }
            Error::Unclear(Unclear::Invalid(name)) => {
                Self::incorrect(&format!(": {name} is not valid"))
            }
            Error::Unclear(Unclear::Refused(refusal)) => Self::of_order(*refusal),
            Error::Store(store::Error::Refused(refusal)) => Self::of_refusal(refusal),
            Error::InvalidKey => {
                Self::new(StatusCode::UNAUTHORIZED, "invalid_key", "Invalid API key")
            }
            Error::RateLimited(_) => {
                let status = StatusCode::TOO_MANY_REQUESTS;
                Self::new(status, "rate_limited", "Rate limit exceeded")
            }
            Error::Store(store::Error::Busy | store::Error::DiskFull) => Self::busy(),
            Error::Store(fault) if fault.is_away() => Self::busy(),
            Error::Store(store::Error::Storage(_)) | Error::Panicked => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error")
            }
            Error::NotFound => Self::new(StatusCode::NOT_FOUND, "not_found", "Not found"),
            Error::MethodNotAllowed => {
                let status = StatusCode::METHOD_NOT_ALLOWED;
                Self::new(status, "method_not_allowed", "Method not allowed")
            }
            Error::Timeout => {
                Self::new(StatusCode::REQUEST_TIMEOUT, "timeout", "Request timed out")
            }
            Error::TooLarge => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "Request is too large")
            }
        }
    }

    fn busy() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "Service temporarily unavailable")
    }

    fn incorrect(which: &str) -> Self {
        let text = format!("Incorrect request{which}");
        Self::new(StatusCode::BAD_REQUEST, "bad_request", text)
    }

    /// The rows of the table that the shop itself fills. What only operators are told has one
    /// answer: the API asks for nothing of theirs.
    pub(super) fn of_refusal(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::Order(refusal) => Self::of_order(*refusal),
            Refusal::Operator(refusal) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "refused", refusal.to_string())
            }
        }
    }

    fn of_order(refusal: OrderRefusal) -> Self {
        let (status, code) = match refusal {
            OrderRefusal::Missing(_)
            | OrderRefusal::Invalid(_)
            | OrderRefusal::NoDripFeed
            | OrderRefusal::ExpiryIsPast => {
                return Self::incorrect(&format!(": {refusal}"));
            }
            OrderRefusal::RequestConflict => (StatusCode::CONFLICT, "request_conflict"),
            OrderRefusal::ServiceNotFound | OrderRefusal::ServiceUnavailable => {
                (StatusCode::NOT_FOUND, "service_not_found")
            }
            OrderRefusal::BadLink => (StatusCode::UNPROCESSABLE_ENTITY, "bad_link"),
            OrderRefusal::QuantityBelow(_) => (StatusCode::UNPROCESSABLE_ENTITY, "quantity_below"),
            OrderRefusal::QuantityAbove(_) => (StatusCode::UNPROCESSABLE_ENTITY, "quantity_above"),
            OrderRefusal::DuplicateOrder => (StatusCode::CONFLICT, "duplicate_order"),
            OrderRefusal::InsufficientFunds => (StatusCode::PAYMENT_REQUIRED, "insufficient_funds"),
            OrderRefusal::OrderNotFound => (StatusCode::NOT_FOUND, "order_not_found"),
            OrderRefusal::CancelNotOffered | OrderRefusal::OrderIsFinal(_) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "not_cancelable")
            }
            OrderRefusal::RefillNotFound => (StatusCode::NOT_FOUND, "refill_not_found"),
            OrderRefusal::RefillNotOffered
            | OrderRefusal::RefillNotCompleted
            | OrderRefusal::RefillTooLate(_)
            | OrderRefusal::RefillIsOpen => (StatusCode::UNPROCESSABLE_ENTITY, "not_refillable"),
            OrderRefusal::Suspended => (StatusCode::FORBIDDEN, "suspended"),
        };
        Self::new(status, code, refusal.to_string())
    }
}
