//! Random keys and tokens, and the hashes that are all we keep of them.
//!
//! A key has 256 random bits, so a plain SHA-256 of it cannot be turned back; passwords, which
//! people choose, are another matter and live in `password.rs`. What we must be able to read again
//! is sealed with a key that is neither in the database nor in a backup.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::{fmt, fs};

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{Key, KeyInit as _, XChaCha20Poly1305, XNonce};
use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, Mac as _};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;

const API_KEY_PREFIX: &str = "pl_";
const SHOWN_PREFIX_LENGTH: usize = 8;

/// A text that must not be seen: it has no way into a log or an error.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// From here on the text shows only through `expose`.
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
    BASE32_NOPAD.encode(&random_bytes(32)).to_lowercase()
}

/// A random text of that many base32 characters, at most 52.
///
/// # Panics
/// If the machine has no randomness to give.
pub fn new_token(length: usize) -> Secret {
    let mut text = random_text();
    text.truncate(length);
    Secret(text)
}

/// Random bytes from the system.
///
/// # Panics
/// If the machine has no randomness to give.
pub fn random_bytes(count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    getrandom::fill(&mut bytes).expect("the machine has no randomness");
    bytes
}

/// The HMAC-SHA-256 of a message: only the holder of `secret` can make or check it.
///
/// # Panics
/// Never: a key of any length will do.
pub fn mac(secret: &str, message: &str) -> [u8; 32] {
    mac_of(secret.as_bytes(), message.as_bytes())
}

/// The same for a secret of any bytes.
///
/// # Panics
/// Never: a key of any length will do.
pub fn mac_of(secret: &[u8], message: &[u8]) -> [u8; 32] {
    let mac = <Hmac<Sha256>>::new_from_slice(secret);
    let mut mac = mac.expect("a key of any length will do");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// Whether two texts are the same, in a time that does not tell where they differ.
pub fn is_same(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// Seals what must be read again, such as the keys of providers.
#[derive(Clone)]
pub struct Sealer(Key);

impl Sealer {
    /// Takes the key from the file, or makes the file with a new one.
    ///
    /// # Errors
    /// Where the file cannot be read or made, or holds no key.
    pub fn open(path: &Path) -> io::Result<Self> {
        match Self::open_existing(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Self::parse(&create_key(path)?)
            }
            opened => opened,
        }
    }

    /// Takes the key from the file.
    ///
    /// # Errors
    /// Where the file cannot be read, or holds no key.
    pub fn open_existing(path: &Path) -> io::Result<Self> {
        Self::parse(&fs::read_to_string(path)?)
    }

    fn parse(text: &str) -> io::Result<Self> {
        let bytes = BASE32_NOPAD.decode(text.trim().to_uppercase().as_bytes()).ok();
        let key = bytes.and_then(|bytes| Key::try_from(bytes.as_slice()).ok());
        let no_key = || io::Error::new(io::ErrorKind::InvalidData, "the file holds no key");
        key.map(Self).ok_or_else(no_key)
    }

    /// Seals bytes for one place: table, column and row. Elsewhere they cannot be opened.
    ///
    /// # Panics
    /// Never: what we seal is short.
    pub fn seal(&self, place: &str, plain: &[u8]) -> Vec<u8> {
        let mut sealed = random_bytes(24);
        let nonce = XNonce::try_from(sealed.as_slice()).expect("24 bytes are a nonce");
        let payload = Payload { msg: plain, aad: place.as_bytes() };
        let cipher = XChaCha20Poly1305::new(&self.0);
        sealed.extend(cipher.encrypt(&nonce, payload).expect("short enough to encrypt"));
        sealed
    }

    /// The MAC of a message under this key: proof that the message is ours.
    pub fn mac(&self, message: &str) -> [u8; 32] {
        mac(&BASE32_NOPAD.encode(&self.0), message)
    }

    /// 26 small letters and digits that only this key makes of a message.
    pub fn id_of(&self, message: &str) -> String {
        let mut id = BASE32_NOPAD.encode(&self.mac(message)).to_lowercase();
        id.truncate(26);
        id
    }

    /// Opens what was sealed for that place with this key.
    pub fn unseal(&self, place: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_at_checked(24)?;
        let payload = Payload { msg: sealed, aad: place.as_bytes() };
        let nonce = XNonce::try_from(nonce).ok()?;
        XChaCha20Poly1305::new(&self.0).decrypt(&nonce, payload).ok()
    }
}

/// Writes a new key, whole or not at all, unless another process has just done so.
fn create_key(path: &Path) -> io::Result<String> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(format!(".{}", new_token(8).expose()));
    let mut options = OpenOptions::new();
    let mut file: File = options.write(true).create_new(true).mode(0o600).open(&unfinished)?;
    writeln!(file, "{}", random_text())?;
    file.sync_all()?;
    let linked = fs::hard_link(&unfinished, path);
    fs::remove_file(&unfinished)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => fs::read_to_string(path),
    }
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

    #[test]
    fn what_is_sealed_opens_only_in_its_place_and_with_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("panel.db.key");
        let sealer = Sealer::open(&path).unwrap();
        let sealed = sealer.seal("admins/totp_seed/1", b"seed");
        assert_ne!(sealed, sealer.seal("admins/totp_seed/1", b"seed"), "a new nonce each time");
        let again = Sealer::open(&path).unwrap();
        assert_eq!(again.unseal("admins/totp_seed/1", &sealed).unwrap(), b"seed");
        assert_eq!(again.unseal("admins/totp_seed/2", &sealed), None);
        let other = Sealer::open(&folder.path().join("other.key")).unwrap();
        assert_eq!(other.unseal("admins/totp_seed/1", &sealed), None);
        assert_eq!(again.unseal("admins/totp_seed/1", b"short"), None);
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        fs::write(&path, "nonsense").unwrap();
        assert!(Sealer::open(&path).is_err());
    }
}
