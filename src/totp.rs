//! Six-digit codes from an authenticator app (RFC 6238): SHA-1, 30 seconds, one step of grace.

use totp_rs::{Algorithm, Builder};

use crate::domain::Timestamp;
use crate::secret;

const SEED_BYTES: usize = 20;
const STEP_SECONDS: u64 = 30;

/// What the app and the panel share.
#[derive(Clone)]
pub struct Seed(Vec<u8>);

impl Seed {
    /// A new random seed.
    pub fn generate() -> Self {
        Self(secret::random_bytes(SEED_BYTES))
    }

    /// A seed from what [`Seed::as_bytes`] gave.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Reads the text that [`Seed::text`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = data_encoding::BASE32_NOPAD.decode(text.as_bytes()).ok()?;
        (bytes.len() == SEED_BYTES).then_some(Self(bytes))
    }

    /// The bytes, to be sealed.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// What a person can type into the app.
    pub fn text(&self) -> String {
        data_encoding::BASE32_NOPAD.encode(&self.0)
    }

    /// The `otpauth://` URL from which an app takes everything.
    pub fn url(&self, panel: &str, name: &str) -> String {
        let plain = |text: &str| text.replace(':', " ");
        let builder = self.builder().with_account_name(plain(name)).with_issuer(Some(plain(panel)));
        builder.build().ok().and_then(|totp| totp.to_url().ok()).unwrap_or_default()
    }

    /// The step (of 30 seconds) whose code this is, if that is the present one or a neighbour.
    pub fn step(&self, code: &str, now: Timestamp) -> Option<i64> {
        let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        let now = u64::try_from(now.0).ok()?;
        let step = self.builder().build_noncompliant().check(&code, now)?;
        i64::try_from(step).ok()
    }

    /// The code that the app shows at an instant.
    pub fn code(&self, at: Timestamp) -> String {
        let at = u64::try_from(at.0).unwrap_or_default();
        self.builder().build_noncompliant().generate(at).to_string()
    }

    fn builder(&self) -> Builder {
        Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(6)
            .with_skew(1)
            .with_step_duration(STEP_SECONDS)
            .with_secret(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_standard() {
        let seed = Seed::from_bytes(b"12345678901234567890".to_vec());
        // RFC 6238, appendix B, the last six of eight digits.
        for (now, code) in [(59, "287082"), (1_111_111_109, "081804"), (2_000_000_000, "279037")] {
            let step = Some(now / 30);
            assert_eq!(seed.code(Timestamp(now)), code);
            assert_eq!(seed.step(code, Timestamp(now)), step);
            assert_eq!(seed.step(&format!("{} {}", &code[..3], &code[3..]), Timestamp(now)), step);
            assert_eq!(seed.step(code, Timestamp(now + 30)), step, "one step of grace");
            assert_eq!(seed.step(code, Timestamp(now + 90)), None);
        }
        assert_eq!(seed.step("", Timestamp(59)), None);
    }

    #[test]
    fn a_seed_travels_as_text_and_as_a_link() {
        let seed = Seed::generate();
        assert_eq!(Seed::parse(&seed.text()).unwrap().as_bytes(), seed.as_bytes());
        assert!(Seed::parse("AAAA").is_none());
        let url = seed.url("My: panel", "ann");
        assert!(url.starts_with("otpauth://totp/My"), "{url}");
        assert!(url.contains(&format!("secret={}", seed.text())), "{url}");
    }
}
