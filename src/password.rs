//! Passwords: which may be chosen, their argon2id hashes, and the work of comparing them.
//!
//! Hashing is slow on purpose, so at most two run at once and few may wait: more than that is an
//! attack or a mistake. A name that does not exist costs the same work as one that does.

use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version};
use tokio::sync::Semaphore;

use crate::domain::refusal::OperatorRefusal;
use crate::secret::{self, Secret};

const LENGTH_MIN: usize = 12;
const LENGTH_MAX: usize = 256;
const DIFFERENT_MIN: usize = 5;
/// Those of the fifty thousand commonest that are long enough, one a line, in lower case, sorted.
const COMMON: &str = include_str!("common_passwords.txt");

const AT_ONCE: usize = 2;
const WAITING_MAX: usize = 16;

/// How much work a hash is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    memory_kib: u32,
    passes: u32,
}

impl Cost {
    /// 19 MiB and two passes, as OWASP advises.
    pub const STRONG: Self = Self { memory_kib: 19 * 1024, passes: 2 };
    /// Next to nothing: for tests.
    pub const CHEAP: Self = Self { memory_kib: 8, passes: 1 };

    fn hasher(self) -> Argon2<'static> {
        let params = Params::new(self.memory_kib, self.passes, 1, None).unwrap_or_default();
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
    }

    /// Hashes a password, with a salt of its own. Takes its time.
    ///
    /// # Panics
    /// If the machine has no randomness or no memory to give.
    pub fn hash(self, password: &Secret) -> String {
        let hash = self.hasher().hash_password(password.expose().as_bytes());
        hash.expect("argon2 needs memory and randomness").to_string()
    }

    /// Whether a hash was made with this cost.
    fn made(self, hash: &PasswordHash) -> bool {
        Params::try_from(hash).is_ok_and(|params| {
            params.m_cost() == self.memory_kib && params.t_cost() == self.passes
        })
    }

    fn compare(self, password: &Secret, hash: Option<&str>) -> Verdict {
        let Some(hash) = hash.and_then(|hash| PasswordHash::new(hash).ok()) else {
            let _ = self.hash(password);
            return Verdict::Wrong;
        };
        let matches = self.hasher().verify_password(password.expose().as_bytes(), &hash).is_ok();
        match (matches, self.made(&hash)) {
            (false, _) => Verdict::Wrong,
            (true, true) => Verdict::Right { renewed: None },
            (true, false) => Verdict::Right { renewed: Some(self.hash(password)) },
        }
    }
}

/// What comparing a password with a hash says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the password. Where the hash was made at another cost, a new one comes along.
    Right { renewed: Option<String> },
    /// It is not, or there is no such person.
    Wrong,
}

/// Too many passwords are being compared already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

/// Hashes and compares, a few at a time.
pub struct Passwords {
    cost: Cost,
    slots: Semaphore,
    seats: Semaphore,
}

impl Passwords {
    /// Two hash at once, a few more wait.
    pub fn new(cost: Cost) -> Self {
        Self { cost, slots: Semaphore::new(AT_ONCE), seats: Semaphore::new(WAITING_MAX) }
    }

    /// The hash to keep of a new password.
    ///
    /// # Errors
    /// `Busy` where too many wait already.
    pub async fn hash(&self, password: Secret) -> Result<String, Busy> {
        let cost = self.cost;
        self.work(move || cost.hash(&password)).await
    }

    /// Compares a password with the hash of the one who claims it, if there is such a person.
    ///
    /// # Errors
    /// `Busy` where too many wait already.
    pub async fn compare(&self, password: Secret, hash: Option<String>) -> Result<Verdict, Busy> {
        let cost = self.cost;
        self.work(move || cost.compare(&password, hash.as_deref())).await
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let _seat = self.seats.try_acquire().map_err(|_| Busy)?;
        let _slot = self.slots.acquire().await.map_err(|_| Busy)?;
        tokio::task::spawn_blocking(work).await.map_err(|_| Busy)
    }
}

/// Whether a password may be chosen: 12 to 256 bytes, exactly as typed, not one of the commonest.
///
/// # Errors
/// `BadPassword` or `CommonPassword`.
pub fn check(password: &Secret) -> Result<(), OperatorRefusal> {
    let text = password.expose();
    if !(LENGTH_MIN..=LENGTH_MAX).contains(&text.len()) {
        return Err(OperatorRefusal::BadPassword);
    }
    let mut different: Vec<char> = text.chars().collect();
    different.sort_unstable();
    different.dedup();
    let lower = text.to_lowercase();
    if different.len() < DIFFERENT_MIN || COMMON.lines().any(|common| common == lower) {
        return Err(OperatorRefusal::CommonPassword);
    }
    Ok(())
}

/// A password nobody had to think of: 26 base32 characters, 130 bits.
pub fn generate() -> Secret {
    secret::new_token(26)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[test]
    fn the_commonest_and_the_short_are_refused() {
        assert_eq!(check(&secret("elevenbytes")), Err(OperatorRefusal::BadPassword));
        assert_eq!(check(&secret(&"x1y2z3".repeat(43))), Err(OperatorRefusal::BadPassword));
        for common in ["1qaz2wsx3edc", "Password1234", "aaaaaaaaaaaaaaaa", "121212121212"] {
            assert_eq!(check(&secret(common)), Err(OperatorRefusal::CommonPassword), "{common}");
        }
        for good in ["twelve bytes", "ключики", " leading blanks count", generate().expose()]
        {
            assert_eq!(check(&secret(good)), Ok(()), "{good}");
        }
    }

    #[test]
    fn a_hash_fits_its_password_and_is_renewed_when_the_cost_changes() {
        let hash = Cost::CHEAP.hash(&secret("correct horse"));
        assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{hash}");
        let compare = |cost: Cost, text| cost.compare(&secret(text), Some(&hash));
        assert_eq!(compare(Cost::CHEAP, "correct horse"), Verdict::Right { renewed: None });
        assert_eq!(compare(Cost::CHEAP, "correct horse "), Verdict::Wrong);
        assert_eq!(Cost::CHEAP.compare(&secret("any"), None), Verdict::Wrong);
        let dearer = Cost { memory_kib: 16, passes: 1 };
        let Verdict::Right { renewed: Some(renewed) } = compare(dearer, "correct horse") else {
            panic!("not renewed");
        };
        let again = dearer.compare(&secret("correct horse"), Some(&renewed));
        assert_eq!(again, Verdict::Right { renewed: None });
    }
}
