//! Where a panel lives: a file, or a database of a server's, as the operator names it.
//!
//! What goes to another machine is encrypted, and that machine has to prove its name, whatever the
//! address says: what would fall back to plain text is refused. On the same machine, over a socket
//! or loopback, plain text is what is meant unless `sslmode` says otherwise. A password shows in no
//! error, no log and no `Debug`.

use std::ffi::OsStr;
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use crate::secret::Secret;

const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];
/// What a host may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a host may leave what it was sent unacknowledged.
const SENT_TIMEOUT: Duration = Duration::from_secs(5);
const PORT: u16 = 5432;

/// Where a panel lives.
#[derive(Clone, Debug)]
pub enum Place {
    /// A file of SQLite's.
    File(PathBuf),
    /// A database of PostgreSQL's.
    Server(Dsn),
}

/// How to reach a database.
#[derive(Clone)]
pub struct Dsn {
    config: Arc<Config>,
    /// `None` where nothing is encrypted.
    tls: Option<Arc<ClientConfig>>,
}

/// What opens a server's door, if its address does not say it.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Counts more than one in the address.
    pub password: Option<Secret>,
    /// Who vouches for the server, instead of those whom browsers trust: a file in PEM.
    pub ca: Option<PathBuf>,
}

/// Why an address leads nowhere. It never holds a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    #[error("the database's address cannot be read: {0}")]
    Unreadable(String),
    #[error("a database's address begins with postgres://")]
    Scheme,
    #[error("the database's address names no host")]
    NoHost,
    #[error("a port stands behind its host: postgres://USER@HOST:PORT/NAME")]
    Ports,
    /// Part of it would be taken for the host, and be looked up and logged.
    #[error("an @ in the database's user or password is written %40")]
    At,
    #[error("sslmode={0} may fall back to plain text: say require, or disable")]
    FallsBack(String),
    #[error("cannot read the certificates in {}: {}", .0.display(), .1)]
    Ca(PathBuf, String),
}

impl Place {
    /// Reads what the operator wrote: an address that begins with `postgres://`, or else a file.
    ///
    /// # Errors
    /// An address that cannot be followed, or that would send a password in plain text.
    pub fn parse(text: &OsStr, access: &Access) -> Result<Self, PlaceError> {
        let address = text.to_str().filter(|it| SCHEMES.iter().any(|way| it.starts_with(way)));
        match address {
            Some(address) => Ok(Self::Server(Dsn::parse(address, access)?)),
            None if text.to_string_lossy().contains("://") => Err(PlaceError::Scheme),
            None => Ok(Self::File(PathBuf::from(text))),
        }
    }

    /// The file, if it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Server(_) => None,
        }
    }
}

/// As the operator wrote it, without the password.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Server(dsn) => dsn.fmt(f),
        }
    }
}

impl From<&Path> for Place {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

impl From<&PathBuf> for Place {
    fn from(path: &PathBuf) -> Self {
        Self::File(path.clone())
    }
}

impl From<&Self> for Place {
    fn from(place: &Self) -> Self {
        place.clone()
    }
}

impl Dsn {
    /// What the driver is told.
    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    /// How to encrypt; `None` where nothing is encrypted.
    pub(super) const fn tls(&self) -> Option<&Arc<ClientConfig>> {
        self.tls.as_ref()
    }

    fn parse(address: &str, access: &Access) -> Result<Self, PlaceError> {
        let Asked { address, mode, ca } = Asked::parse(address);
        let unreadable = |error: tokio_postgres::Error| {
            let reason = std::error::Error::source(&error).map(ToString::to_string);
            PlaceError::Unreadable(reason.unwrap_or_else(|| error.to_string()))
        };
        let mut config: Config = address.parse().map_err(unreadable)?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(PlaceError::NoHost);
        }
        if !fits(&config) {
            return Err(PlaceError::Ports);
        }
        let has_at = |host: &Host| matches!(host, Host::Tcp(name) if name.contains('@'));
        if config.get_hosts().iter().any(has_at) {
            return Err(PlaceError::At);
        }
        if let Some(password) = &access.password {
            config.password(password.expose());
        }
        complete(&mut config);
        let is_encrypted = match mode {
            None => !is_local(&config),
            Some("disable") => false,
            Some("require" | "verify-ca" | "verify-full") => true,
            Some(mode) => return Err(PlaceError::FallsBack(mode.to_owned())),
        };
        config.ssl_mode(if is_encrypted { SslMode::Require } else { SslMode::Disable });
        let ca = access.ca.as_deref().or(ca.as_deref());
        let tls = is_encrypted.then(|| client_config(ca)).transpose()?.map(Arc::new);
        Ok(Self { config: Arc::new(config), tls })
    }
}

/// As in [`fmt::Display`]: the driver's own words show more than a log should.
impl fmt::Debug for Dsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Dsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SCHEMES[0])?;
        if let Some(user) = self.config.get_user() {
            write!(f, "{user}@")?;
        }
        let (ports, mut comma) = (self.config.get_ports(), "");
        for (at, host) in self.config.get_hosts().iter().enumerate() {
            f.write_str(comma)?;
            match host {
                Host::Tcp(name) if name.contains(':') => write!(f, "[{name}]")?,
                Host::Tcp(name) => f.write_str(name)?,
                Host::Unix(folder) => folder.display().fmt(f)?,
            }
            match ports.get(at).or(ports.first().filter(|_| ports.len() == 1)) {
                None | Some(&PORT) => {}
                Some(port) => write!(f, ":{port}")?,
            }
            comma = ",";
        }
        self.config.get_dbname().map_or(Ok(()), |name| write!(f, "/{name}"))
    }
}

/// What the address asks of us, and what of it is left for the driver.
struct Asked<'a> {
    address: String,
    /// `sslmode`.
    mode: Option<&'a str>,
    /// `sslrootcert`.
    ca: Option<PathBuf>,
}

impl<'a> Asked<'a> {
    fn parse(address: &'a str) -> Self {
        // A password may hold a question mark.
        let host = address.find('@').unwrap_or(0);
        let question = address[host..].find('?').map(|at| host + at);
        let (head, query) = match question {
            Some(at) => (&address[..at], &address[at + 1..]),
            None => (address, ""),
        };
        let (mut mode, mut ca, mut others) = (None, None, Vec::new());
        for part in query.split('&').filter(|part| !part.is_empty()) {
            match part.split_once('=') {
                Some(("sslmode", value)) => mode = Some(value),
                Some(("sslrootcert", value)) => {
                    let path = percent_encoding::percent_decode_str(value).decode_utf8_lossy();
                    ca = Some(PathBuf::from(path.as_ref()));
                }
                _ => others.push(part),
            }
        }
        let query =
            if others.is_empty() { String::new() } else { format!("?{}", others.join("&")) };
        Self { address: head.to_owned() + &query, mode, ca }
    }
}

/// Whether what is named for each host is named for all of them.
fn fits(config: &Config) -> bool {
    let (names, numbers) = (config.get_hosts().len(), config.get_hostaddrs().len());
    let ports = config.get_ports().len();
    let is_even = names == 0 || numbers == 0 || names == numbers;
    is_even && (ports < 2 || ports == names.max(numbers))
}

/// What is best for a panel where the operator says nothing.
fn complete(config: &mut Config) {
    if config.get_application_name().is_none() {
        config.application_name("panelite");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(SENT_TIMEOUT);
    }
    if config.get_keepalives_retries().is_none() {
        config.keepalives_idle(Duration::from_secs(10));
        config.keepalives_interval(Duration::from_secs(3));
        config.keepalives_retries(3);
    }
    // Of several hosts the one that takes what we write; a copy of it may be behind.
    if config.get_hosts().len().max(config.get_hostaddrs().len()) > 1 {
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
}

/// Whether nothing leaves this machine.
fn is_local(config: &Config) -> bool {
    if !config.get_hostaddrs().is_empty() {
        return config.get_hostaddrs().iter().all(IpAddr::is_loopback);
    }
    config.get_hosts().iter().all(|host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback())
        }
    })
}

/// Trusts the certificates in a file, else those whom browsers trust; always verifies.
fn client_config(ca: Option<&Path>) -> Result<ClientConfig, PlaceError> {
    let mut roots = RootCertStore::empty();
    match ca {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(path) => {
            let wrong = |reason: String| PlaceError::Ca(path.to_owned(), reason);
            let found = CertificateDer::pem_file_iter(path).map_err(|it| wrong(it.to_string()))?;
            for certificate in found {
                let certificate = certificate.map_err(|it| wrong(it.to_string()))?;
                roots.add(certificate).map_err(|it| wrong(it.to_string()))?;
            }
            if roots.is_empty() {
                return Err(wrong("there are none in it".to_owned()));
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| PlaceError::Unreadable(error.to_string()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(address: &str) -> Result<Dsn, PlaceError> {
        match Place::parse(OsStr::new(address), &Access::default())? {
            Place::Server(dsn) => Ok(dsn),
            Place::File(path) => panic!("{} is a file", path.display()),
        }
    }

    #[test]
    fn what_is_no_address_is_a_file() {
        for text in ["panel.db", "./postgres:/x", "host=db user=panel"] {
            let place = Place::parse(OsStr::new(text), &Access::default()).unwrap();
            assert_eq!(place.file(), Some(Path::new(text)));
            assert_eq!(place.to_string(), text);
        }
        for text in ["POSTGRES://x", "mysql://root@db/panel"] {
            let refused = Place::parse(OsStr::new(text), &Access::default()).unwrap_err();
            assert_eq!(refused, PlaceError::Scheme);
        }
    }

    #[test]
    fn what_leaves_the_machine_is_encrypted() {
        let is_encrypted = |address: &str| parse(address).unwrap().tls().is_some();
        for address in [
            "postgres://a@db.example/panel",
            "postgresql://a@10.0.0.7:6432/panel",
            "postgres://a@localhost,db.example/panel",
            "postgres://a@localhost/panel?hostaddr=10.0.0.7",
            "postgres://a@localhost/panel?sslmode=require",
            "postgres://a@db/panel?connect_timeout=9&sslmode=verify-full",
        ] {
            assert!(is_encrypted(address), "{address}");
            assert_eq!(parse(address).unwrap().config.get_ssl_mode(), SslMode::Require);
        }
        for address in [
            "postgres://a@localhost/panel",
            "postgres://a@127.0.0.1,[::1]:6432/panel",
            "postgres:///panel?host=/run/postgresql",
            "postgres://a@%2Frun%2Fpostgresql/panel",
            "postgres://a@10.0.0.7/panel?sslmode=disable",
        ] {
            assert!(!is_encrypted(address), "{address}");
            assert_eq!(parse(address).unwrap().config.get_ssl_mode(), SslMode::Disable);
        }
    }

    #[test]
    fn what_cannot_be_followed_is_refused_without_its_password() {
        let falls_back = |mode: &str| PlaceError::FallsBack(mode.to_owned());
        let unreadable = |text: &str| PlaceError::Unreadable(text.to_owned());
        for (address, error) in [
            ("postgres://u:hush@db/p?sslmode=prefer", falls_back("prefer")),
            ("postgres://u:hush@localhost/p?sslmode=allow", falls_back("allow")),
            ("postgres:///panel", PlaceError::NoHost),
            ("postgres://u:hush@db/p?port=5433", PlaceError::Ports),
            ("postgres://u:hush@a:1,b:2/p?hostaddr=10.0.0.1", PlaceError::Ports),
            ("postgres://u:no@hush@db/p", PlaceError::At),
            ("postgres://u:hush@db/p?passfile=x", unreadable("unknown option `passfile`")),
            ("postgres://u:hush@db:x/p", unreadable("invalid value for option `port`")),
        ] {
            let found = parse(address).unwrap_err();
            assert_eq!(found, error);
            assert!(!format!("{found} {found:?}").contains("hush"), "{found}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let dsn = parse("postgres://u:hu?sh@db:5432,10.0.0.1:6432/p?sslmode=require").unwrap();
        assert_eq!(dsn.config.get_password(), Some(&b"hu?sh"[..]));
        assert_eq!(dsn.to_string(), "postgres://u@db,10.0.0.1:6432/p");
        assert_eq!(format!("{:?}", Place::Server(dsn)), "Server(postgres://u@db,10.0.0.1:6432/p)");
        let access = Access { password: Some(Secret::new("hush".to_owned())), ca: None };
        assert!(!format!("{access:?}").contains("hush"));
        let found = Dsn::parse("postgres://u:other@[::1]/p", &access).unwrap();
        assert_eq!(found.config.get_password(), Some(&b"hush"[..]));
        assert_eq!(found.to_string(), "postgres://u@[::1]/p");
    }

    #[test]
    fn of_several_hosts_the_one_that_writes_is_meant() {
        let attributes = |address: &str| parse(address).unwrap().config.get_target_session_attrs();
        assert_eq!(attributes("postgres://u@a,b/p"), TargetSessionAttrs::ReadWrite);
        assert_eq!(attributes("postgres://u@a/p"), TargetSessionAttrs::Any);
        let dsn = parse("postgres://u@a/p?connect_timeout=9&application_name=x").unwrap();
        assert_eq!(dsn.config.get_connect_timeout(), Some(&Duration::from_secs(9)));
        assert_eq!(dsn.config.get_application_name(), Some("x"));
        assert_eq!(
            parse("postgres://a/p").unwrap().config.get_tcp_user_timeout(),
            Some(&SENT_TIMEOUT)
        );
    }

    #[test]
    fn certificates_come_from_the_file_that_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let access = Access { password: None, ca: Some(path.clone()) };
        let ca = |access: &Access| Dsn::parse("postgres://u@db/p", access).map(|_| ());
        assert!(matches!(ca(&access), Err(PlaceError::Ca(..))));
        std::fs::write(&path, "nothing").unwrap();
        let none = PlaceError::Ca(path.clone(), "there are none in it".to_owned());
        assert_eq!(ca(&access), Err(none));
        let key = rcgen::KeyPair::generate().unwrap();
        let root = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
        let body = data_encoding::BASE64.encode(root.der());
        let pem = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
        std::fs::write(&path, pem).unwrap();
        assert_eq!(ca(&access), Ok(()));
        let address = format!("postgres://u@db/p?sslrootcert={}", path.display());
        assert!(parse(&address).is_ok());
    }
}
