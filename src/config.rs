//! What the process is told when it starts. Everything else is a row in `settings`.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use ipnet::IpNet;
use url::Url;

use crate::clock::Clock;
use crate::password::Cost;
use crate::secret::Secret;

/// How a server is to run.
#[derive(Clone, Debug)]
pub struct Config {
    pub listen: SocketAddr,
    pub trusted_proxies: TrustedProxies,
    pub clock: Clock,
    /// Threads that answer requests.
    pub workers: usize,
    /// Where browsers find the pages, if that is not where we listen.
    pub public_url: Option<PublicUrl>,
    /// Whether cookies may travel over plain http.
    pub insecure_cookies: bool,
    pub password_cost: Cost,
    /// Holds the key that seals what must be read again.
    pub key_file: PathBuf,
}

/// The password of the panel's database: what stands in the file, else in the environment. A line's
/// end in the file is not part of it.
///
/// # Errors
/// Where the file cannot be read.
#[expect(clippy::disallowed_methods, reason = "this is where it is read")]
pub fn db_password(file: Option<&Path>) -> io::Result<Option<Secret>> {
    let text = match file {
        Some(path) => Some(std::fs::read_to_string(path)?),
        None => std::env::var("PANELITE_DB_PASSWORD").ok(),
    };
    Ok(text.map(|text| Secret::new(text.trim_end_matches(['\r', '\n']).to_owned())))
}

/// `<db>.key`, where nobody names another file.
pub fn default_key_file(db: &Path) -> PathBuf {
    let mut name = db.as_os_str().to_owned();
    name.push(".key");
    PathBuf::from(name)
}

/// The address browsers know us by: scheme, host and maybe a port, nothing behind them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// As browsers write it in the header `Origin`: lower case, no default port, no final slash.
    pub fn origin(&self) -> &str {
        &self.0
    }

    /// Whether browsers come by TLS, so that cookies may be kept to it.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text} is not a URL like https://panel.example");
        let url = Url::parse(text).map_err(|_| wrong())?;
        let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let is_open = url.username().is_empty() && url.password().is_none();
        if !matches!(url.scheme(), "http" | "https") || !is_bare || !is_open {
            return Err(wrong());
        }
        Ok(Self(url.origin().ascii_serialization()))
    }
}

/// A network of addresses: `10.0.0.0/8`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(IpNet);

impl Network {
    /// An IPv4 address and the same address mapped into IPv6 are one.
    fn contains(self, address: IpAddr) -> bool {
        match (self.0, address.to_canonical()) {
            (IpNet::V4(network), IpAddr::V4(address)) => network.contains(&address),
            (IpNet::V6(network), IpAddr::V6(address)) => network.contains(&address),
            (IpNet::V6(network), IpAddr::V4(address)) => {
                network.contains(&address.to_ipv6_mapped())
            }
            (IpNet::V4(_), IpAddr::V6(_)) => false,
        }
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let network = text.parse().or_else(|_| text.parse().map(|one: IpAddr| IpNet::from(one)));
        let wrong = |_| format!("{text} is not an address or a network like 10.0.0.0/8");
        network.map(Self).map_err(wrong)
    }
}

/// The proxies whose `X-Forwarded-For` we believe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(pub Vec<Network>);

impl TrustedProxies {
    /// Whose request this is: the peer's, or, where the peer is trusted, the last hop that is not.
    /// A proxy may append a hop to the header that came, or a header of its own after it.
    pub fn client<'a>(
        &self,
        peer: IpAddr,
        forwarded_for: impl Iterator<Item = &'a [u8]>,
    ) -> IpAddr {
        let headers: Vec<&str> = forwarded_for.filter_map(|it| str::from_utf8(it).ok()).collect();
        let forwarded_for = headers.join(",");
        let is_trusted = |address: IpAddr| self.0.iter().any(|network| network.contains(address));
        let mut client = peer;
        for hop in forwarded_for.rsplit(',') {
            let Ok(hop) = hop.trim().parse() else { break };
            if !is_trusted(client) {
                break;
            }
            client = hop;
        }
        client
    }
}

/// Ends the process on the spot where `PANELITE_FAIL_AT` names this point: for tests of what a
/// crash leaves behind. Does nothing in a release build.
pub fn fail_at(point: &str) {
    if cfg!(debug_assertions) && std::env::var_os("PANELITE_FAIL_AT").is_some_and(|at| at == point)
    {
        std::process::abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_hops_are_believed() {
        let proxies: Vec<Network> =
            ["10.0.0.0/8", "::1"].iter().map(|text| text.parse().unwrap()).collect();
        let proxies = TrustedProxies(proxies);
        let client = |peer: &str, forwarded: &str| {
            let headers: Vec<&[u8]> = forwarded.split(';').map(str::as_bytes).collect();
            proxies.client(peer.parse().unwrap(), headers.into_iter()).to_string()
        };
        assert_eq!(client("9.9.9.9", "1.1.1.1"), "9.9.9.9");
        assert_eq!(client("10.1.2.3", "1.1.1.1"), "1.1.1.1");
        assert_eq!(client("10.1.2.3", "6.6.6.6, 1.1.1.1, 10.9.9.9"), "1.1.1.1");
        assert_eq!(client("::1", "evil, 10.0.0.1"), "10.0.0.1");
        assert_eq!(client("::1", ""), "::1");
        assert_eq!(client("10.1.2.3", "6.6.6.6;1.1.1.1"), "1.1.1.1");
    }

    #[test]
    fn a_public_url_is_an_origin() {
        let origin = |text: &str| text.parse().map(|url: PublicUrl| url.origin().to_owned());
        assert_eq!(origin("https://Panel.example/"), Ok("https://panel.example".to_owned()));
        assert_eq!(origin("https://a.example:443"), Ok("https://a.example".to_owned()));
        assert_eq!(origin("http://[::1]:8080"), Ok("http://[::1]:8080".to_owned()));
        let more = ["https://a?b", "https://a#b", "https://u:p@a", "https://a:b", "a.example:80"];
        let none = ["", "panel.example", "https://", "https://a/b", "ftp://a", "https://u@a"];
        for text in none.iter().chain(&more) {
            assert!(origin(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn networks_are_read_strictly() {
        for text in ["", "10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/x", "10.0.0.0/-1"] {
            assert!(text.parse::<Network>().is_err(), "{text:?}");
        }
        let any: Network = "0.0.0.0/0".parse().unwrap();
        assert!(any.contains("255.255.255.255".parse().unwrap()));
        assert!(!any.contains("2001:db8::1".parse().unwrap()));
        assert!("::/0".parse::<Network>().unwrap().contains("1.1.1.1".parse().unwrap()));
        let ten: Network = "10.1.2.3/8".parse().unwrap();
        assert!(ten.contains("::ffff:10.9.9.9".parse().unwrap()));
        assert!(!ten.contains("11.1.2.3".parse().unwrap()));
    }
}
