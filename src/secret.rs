//! Random keys and tokens, and the hashes that are all we keep of them.
//!
//! A key has 256 random bits, so a plain SHA-256 of it cannot be turned back; passwords, which
//! people choose, are another matter and live in `password.rs`.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};

const API_KEY_PREFIX: &str = "pl_";
const SHOWN_PREFIX_LENGTH: usize = 8;

/// A text that must not be seen: it has no way into a log or an error.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself. Every use of this is a place to look at twice.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The SHA-256 of a key or token: what is stored and looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyHash(pub [u8; 32]);

impl KeyHash {
    /// Hashes what a client sent.
    pub fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }
}

/// A new API key: `pl_` and 52 base32 characters.
///
/// # Panics
/// If the machine has no randomness to give.
pub fn new_api_key() -> Secret {
    Secret(format!("{API_KEY_PREFIX}{}", random_text()))
}

/// The first characters of a key, kept to tell keys apart.
pub fn shown_prefix(key: &Secret) -> &str {
    &key.0[..SHOWN_PREFIX_LENGTH]
}

/// 256 random bits as 52 base32 characters.
fn random_text() -> String {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the machine has no randomness");
    BASE32_NOPAD.encode(&bytes).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_its_shape_and_is_never_shown() {
        let key = new_api_key();
        assert_eq!(key.expose().len(), 3 + 52);
        assert!(key.expose().starts_with("pl_"));
        assert_eq!(shown_prefix(&key).len(), 8);
        assert_eq!(format!("{key:?}"), "***");
        assert_ne!(key.expose(), new_api_key().expose());
        assert_eq!(KeyHash::of(key.expose()), KeyHash::of(key.expose()));
    }
}
