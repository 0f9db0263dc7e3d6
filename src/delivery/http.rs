//! One POST to somebody else's server, and whether a byte of it left us.
//!
//! `Watched` stands last in the chain of connectors, above TLS: its first write is the moment from
//! which a call may have arrived. An error before it is surely not sent, whatever its kind; one
//! after it is unknown. Names are looked up once, by us, and only public addresses are connected
//! to. No redirects, no proxy, no cookies, no compression; all that is read is bounded. This lies
//! on a part of ureq that promises nothing between versions: its version is pinned.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Read as _};
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use ureq::http::{HeaderMap, Response, Uri};
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, NextTimeout, RustlsConnector, TcpConnector, Transport,
};
use ureq::{Body, Error, config::Config};

pub use super::url::{UrlRefusal, check_url};
use crate::domain::address::is_public;

const BUFFER_BYTES: usize = 16 * 1024;
/// One less than the buffer: a head that fills it is seen to be too big.
const HEADERS_BYTES_MAX: usize = BUFFER_BYTES - 1;
const RESOLVE_TIME: Duration = Duration::from_secs(5);
const CONNECT_TIME: Duration = Duration::from_secs(10);
const SEND_TIME: Duration = Duration::from_secs(10);
const IDLE_TIME: Duration = Duration::from_secs(20);
const IDLE_MAX: usize = 2;
/// As many as ureq takes for one name.
const ADDRESSES_MAX: usize = 16;
const RESOLVER_STACK_BYTES: usize = 256 * 1024;
/// Nobody is waited for longer than a day.
const RETRY_AFTER_MAX: i64 = 86_400;

/// What is posted, and for how long and how much of an answer we wait.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    pub url: &'a str,
    pub content_type: &'a str,
    pub body: &'a [u8],
    /// For the whole call, from the look-up to the last byte.
    pub timeout: Duration,
    pub answer_bytes_max: usize,
}

/// What came back, whole, whatever its status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// `X-Error-Code`, as a Panelite sends it.
    pub code: Option<String>,
    /// `Retry-After` in seconds.
    pub retry_after: Option<i64>,
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The address is none that may be called.
    Url(String),
    Dns,
    /// The name leads to an address that is not public.
    NotPublic,
    /// Nobody takes connections there.
    Refused,
    Connect,
    /// With what is wrong.
    Tls(String),
    Timeout,
    Reset,
    Closed,
    /// The body is larger than it may be.
    TooBig,
    /// Not HTTP, or too much of a head.
    BadHttp,
}

/// A call without an answer, by what is known of its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Surely none has left us.
    NotSent(Why),
    /// It may have arrived.
    Unknown(Why),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (why, is_sent) = match self {
            Self::NotSent(why) => (why, false),
            Self::Unknown(why) => (why, true),
        };
        match why {
            Why::Url(flaw) => f.write_str(flaw),
            Why::Dns => f.write_str("The name does not resolve"),
            Why::NotPublic => f.write_str("The address is not public"),
            Why::Refused => f.write_str("The connection was refused"),
            Why::Connect => f.write_str("The connection failed"),
            Why::Tls(flaw) => write!(f, "TLS failed: {flaw}"),
            Why::Timeout if is_sent => f.write_str("No answer came in time"),
            Why::Timeout => f.write_str("The connection was not made in time"),
            Why::Reset => f.write_str("The connection was reset before the answer was complete"),
            Why::Closed => f.write_str("The connection was closed before the answer was complete"),
            Why::TooBig => f.write_str("The answer is too big"),
            Why::BadHttp => f.write_str("The answer is not valid HTTP"),
        }
    }
}

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Resolving,
    Connecting,
    Securing,
    Ready,
    /// A byte may have left us.
    Begun,
}

thread_local! {
    /// How far the call of this thread has come: ureq works on the thread that calls it.
    static PHASE: Cell<Phase> = const { Cell::new(Phase::Resolving) };
}

/// Makes calls. Clones share their idle connections.
#[derive(Clone, Debug)]
pub struct Agent {
    inner: ureq::Agent,
    is_insecure: bool,
}

impl Agent {
    /// For what must not be sent twice: every call has a connection of its own, so that no stale
    /// one can swallow it.
    pub fn for_orders(reach: &Reach) -> Self {
        Self::new(reach, 0)
    }

    /// For questions: keeps two connections for 20 seconds.
    pub fn for_reading(reach: &Reach) -> Self {
        Self::new(reach, IDLE_MAX)
    }

    fn new(reach: &Reach, idle_max: usize) -> Self {
        let roots = match &reach.root {
            Some(der) => {
                RootCerts::new_with_certs(&[Certificate::from_der(der.as_slice()).to_owned()])
            }
            None => RootCerts::WebPki,
        };
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .root_certs(roots)
            .build();
        let config = Config::builder()
            .http_status_as_error(false)
            .https_only(!reach.is_insecure)
            .tls_config(tls)
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent("Panelite")
            .accept_encoding("")
            .timeout_resolve(Some(RESOLVE_TIME))
            .timeout_connect(Some(CONNECT_TIME))
            .timeout_send_request(Some(SEND_TIME))
            .timeout_send_body(Some(SEND_TIME))
            .max_response_header_size(HEADERS_BYTES_MAX)
            .input_buffer_size(BUFFER_BYTES)
            .output_buffer_size(BUFFER_BYTES)
            .max_idle_connections(idle_max)
            .max_idle_connections_per_host(idle_max)
            .max_idle_age(IDLE_TIME)
            .build();
        let chain =
            ().chain(TcpConnector::default())
                .chain(Reached)
                .chain(RustlsConnector::default())
                .chain(Watching);
        let resolver = Checked { is_insecure: reach.is_insecure };
        let inner = ureq::Agent::with_parts(config, chain, resolver);
        Self { inner, is_insecure: reach.is_insecure }
    }

    /// Posts once and reads the whole answer.
    ///
    /// # Errors
    /// Where there is no whole answer, with what is known of our own bytes.
    pub fn post(&self, request: &Request<'_>) -> Result<Answer, Failure> {
        let response = self.send(request, &[])?;
        read(response, request).unwrap_or_else(|error| Err(failure(&error)))
    }

    /// Posts once, with headers of our own, and says the status of the answer. The rest of it is
    /// read as far as it may go, and thrown away.
    ///
    /// # Errors
    /// Where no head of an answer has come.
    pub fn tell(&self, request: &Request<'_>, headers: &[(&str, &str)]) -> Result<u16, Failure> {
        let mut response = self.send(request, headers)?;
        let status = response.status().as_u16();
        let most = u64::try_from(request.answer_bytes_max).unwrap_or(u64::MAX);
        let rest = response.body_mut().with_config().limit(u64::MAX).reader();
        // The status has been said: what becomes of the rest changes nothing.
        let _ = io::copy(&mut rest.take(most), &mut io::sink());
        Ok(status)
    }

    fn send(
        &self,
        request: &Request<'_>,
        headers: &[(&str, &str)],
    ) -> Result<Response<Body>, Failure> {
        check_url(request.url, self.is_insecure, None)
            .map_err(|flaw| Failure::NotSent(Why::Url(flaw.to_string())))?;
        PHASE.set(Phase::Resolving);
        let mut call = self.inner.post(request.url).header("content-type", request.content_type);
        for (name, value) in headers {
            call = call.header(*name, *value);
        }
        let call = call.config().timeout_global(Some(request.timeout)).build();
        call.send(request.body).map_err(|error| failure(&error))
    }
}

/// Whom an agent may call.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// Whether http and addresses that are not public are permitted.
    pub is_insecure: bool,
    /// The one certificate to trust, in DER, in place of the authorities of the web.
    pub root: Option<Vec<u8>>,
}

/// Why a call has no answer, by how far it has come.
fn failure(error: &Error) -> Failure {
    let (phase, why) = (PHASE.get(), why(error, PHASE.get()));
    if phase < Phase::Begun { Failure::NotSent(why) } else { Failure::Unknown(why) }
}

fn read(
    mut response: Response<Body>,
    request: &Request<'_>,
) -> Result<Result<Answer, Failure>, Error> {
    let (status, headers) = (response.status().as_u16(), response.headers());
    let code = header(headers, "x-error-code").map(str::to_owned);
    let retry_after = header(headers, "retry-after").and_then(|text| text.parse::<u32>().ok());
    let retry_after = retry_after.map(|seconds| i64::from(seconds).min(RETRY_AFTER_MAX));
    let mut body = Vec::new();
    let most = u64::try_from(request.answer_bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    let reader = response.body_mut().with_config().limit(u64::MAX).reader();
    reader.take(most).read_to_end(&mut body)?;
    if body.len() > request.answer_bytes_max {
        return Ok(Err(Failure::Unknown(Why::TooBig)));
    }
    Ok(Ok(Answer { status, code, retry_after, body }))
}

/// A header's value where it is a short word.
fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let value = headers.get(name)?.to_str().ok()?.trim();
    (1..=64).contains(&value.len()).then_some(value)
}

#[expect(clippy::wildcard_enum_match_arm, reason = "what is not named goes by the phase")]
fn why(error: &Error, phase: Phase) -> Why {
    match error {
        Error::Other(inner) if inner.is::<NotPublic>() => return Why::NotPublic,
        Error::Timeout(ureq::Timeout::Resolve) | Error::HostNotFound => return Why::Dns,
        Error::Timeout(_) => return Why::Timeout,
        Error::BadUri(_) | Error::RequireHttpsOnly(_) => {
            return Why::Url("The address is not valid".to_owned());
        }
        Error::Rustls(flaw) => return Why::Tls(tls_flaw(flaw)),
        _ => {}
    }
    let io = if let Error::Io(io) = error { Some(io) } else { None };
    let kind = io.map(io::Error::kind);
    let inner = io.and_then(|io| io.get_ref()).and_then(|inner| inner.downcast_ref());
    if let Some(flaw) = inner {
        return Why::Tls(tls_flaw(flaw));
    }
    match (phase, kind) {
        (_, Some(io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)) => Why::Timeout,
        (Phase::Resolving, _) => Why::Dns,
        (Phase::Connecting, Some(io::ErrorKind::ConnectionRefused)) => Why::Refused,
        (Phase::Connecting, _) => Why::Connect,
        (Phase::Securing, _) => Why::Tls("the handshake was not completed".to_owned()),
        (Phase::Ready | Phase::Begun, Some(io::ErrorKind::UnexpectedEof)) => Why::Closed,
        (Phase::Ready | Phase::Begun, Some(_)) => Why::Reset,
        (Phase::Ready | Phase::Begun, None) => Why::BadHttp,
    }
}

/// What is wrong with their TLS, for an operator.
pub(super) fn tls_flaw(error: &rustls::Error) -> String {
    use rustls::CertificateError::{Expired, ExpiredContext, NotValidForName};
    use rustls::CertificateError::{NotValidForNameContext, UnknownIssuer};
    let rustls::Error::InvalidCertificate(flaw) = error else { return error.to_string() };
    let is_expired = matches!(flaw, Expired | ExpiredContext { .. });
    let is_of_other = matches!(flaw, NotValidForName | NotValidForNameContext { .. });
    let text = match (is_expired, is_of_other) {
        (true, _) => "the certificate has expired",
        (_, true) => "the certificate is for another name",
        _ if matches!(flaw, UnknownIssuer) => "the certificate is of an unknown issuer",
        _ => return error.to_string(),
    };
    text.to_owned()
}

/// The name led to an address that is not public.
#[derive(Debug)]
struct NotPublic;

impl fmt::Display for NotPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not public")
    }
}

impl std::error::Error for NotPublic {}

/// Looks a name up, once a call, and refuses it if any of its addresses is not public.
#[derive(Debug)]
struct Checked {
    is_insecure: bool,
}

impl Resolver for Checked {
    fn resolve(
        &self,
        uri: &Uri,
        _: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        PHASE.set(Phase::Resolving);
        let name = uri.scheme().zip(uri.authority());
        let name =
            name.and_then(|(scheme, authority)| DefaultResolver::host_and_port(scheme, authority));
        let name = name.ok_or(Error::HostNotFound)?;
        let (sender, receiver) = mpsc::sync_channel(1);
        // The system's look-up knows no time-out: it is left behind where it takes too long.
        thread::Builder::new().stack_size(RESOLVER_STACK_BYTES).spawn(move || {
            let found = name.to_socket_addrs().map(Iterator::collect::<Vec<SocketAddr>>);
            sender.send(found).ok();
        })?;
        let found = receiver.recv_timeout(*timeout.after);
        let found = found.map_err(|_| Error::Timeout(timeout.reason))??;
        let addresses = check_addresses(found, self.is_insecure)?;
        let mut checked = self.empty();
        for address in addresses {
            checked.push(address);
        }
        PHASE.set(Phase::Connecting);
        Ok(checked)
    }
}

/// The addresses to connect to: the first of what was found, if all of it may be called.
fn check_addresses(found: Vec<SocketAddr>, is_insecure: bool) -> Result<Vec<SocketAddr>, Error> {
    if !is_insecure && !found.iter().all(|address| is_public(address.ip())) {
        return Err(Error::Other(Box::new(NotPublic)));
    }
    if found.is_empty() {
        return Err(Error::HostNotFound);
    }
    Ok(found.into_iter().take(ADDRESSES_MAX).collect())
}

/// Notes that somebody has taken the connection: what follows is TLS.
#[derive(Debug)]
struct Reached;

impl<In: Transport> Connector<In> for Reached {
    type Out = In;

    fn connect(&self, _: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<In>, Error> {
        PHASE.set(Phase::Securing);
        Ok(chained)
    }
}

/// Wraps each connection in a `Watched`.
#[derive(Debug)]
struct Watching;

impl<In: Transport> Connector<In> for Watching {
    type Out = Watched<In>;

    fn connect(
        &self,
        _: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Watched<In>>, Error> {
        PHASE.set(Phase::Ready);
        Ok(chained.map(Watched))
    }
}

/// A connection that notes when the first byte of a call is written.
#[derive(Debug)]
struct Watched<In>(In);

impl<In: Transport> Transport for Watched<In> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.0.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        PHASE.set(Phase::Begun);
        self.0.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.0.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.0.is_open()
    }

    fn is_tls(&self) -> bool {
        self.0.is_tls()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_one_private_address_is_refused() {
        let addresses = |texts: &[&str]| -> Vec<SocketAddr> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        let mixed = addresses(&["1.1.1.1:443", "[2606:4700::1]:443", "10.0.0.1:443"]);
        let error = check_addresses(mixed.clone(), false).unwrap_err();
        assert_eq!(why(&error, Phase::Resolving), Why::NotPublic);
        assert_eq!(check_addresses(mixed.clone(), true).unwrap(), mixed);
        let public = addresses(&["1.1.1.1:443"; 20]);
        assert_eq!(check_addresses(public, false).unwrap().len(), ADDRESSES_MAX);
        assert!(matches!(check_addresses(Vec::new(), false), Err(Error::HostNotFound)));
    }
}
