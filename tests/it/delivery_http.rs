//! A call to a provider, against servers that misbehave in every phase of it: what came before the
//! first byte is surely not sent, what came after is unknown.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use panelite::clock::Clock;
use panelite::delivery::calls::Calls;
use panelite::delivery::client::{Client, Endpoint, Fault, Purchase};
use panelite::delivery::http::{Agent, Answer, Failure, Reach, Request, Why};
use panelite::domain::ProviderId;
use panelite::domain::outcome::Outcome;
use panelite::domain::provider::Dialect;
use panelite::domain::service::ServiceKind;
use panelite::secret::Secret;

use crate::fixture::tls::{Tls, tls};

const LIMIT: usize = 1000;
const PATIENCE: Duration = Duration::from_secs(10);
/// For what is never answered.
const SHORT: Duration = Duration::from_millis(300);

/// A server whose every connection is served by one function, in a thread that ends with it.
struct Server {
    port: u16,
    /// The requests that were read whole.
    requests: Arc<Mutex<Vec<String>>>,
    /// One for each connection.
    connections: Receiver<()>,
}

/// A connection, and what it is to remember.
struct Peer {
    stream: TcpStream,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(serve: impl Fn(Peer) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (sender, connections) = mpsc::channel();
        let (serve, kept) = (Arc::new(serve), Arc::clone(&requests));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if sender.send(()).is_err() {
                    break;
                }
                let (serve, requests) = (Arc::clone(&serve), Arc::clone(&kept));
                std::thread::spawn(move || serve(Peer { stream, requests }));
            }
        });
        Self { port, requests, connections }
    }

    /// One that reads each request and answers with these bytes, until the client has gone.
    fn answering(answer: impl Into<String>) -> Self {
        let answer = answer.into();
        Self::start(move |mut peer| {
            while peer.read_request() {
                peer.stream.write_all(answer.as_bytes()).unwrap();
            }
        })
    }

    fn url(&self, scheme: &str) -> String {
        format!("{scheme}://localhost:{}/api/v2", self.port)
    }

    fn last_request(&self) -> String {
        self.requests.lock().unwrap().last().unwrap().clone()
    }
}

impl Peer {
    /// Reads a whole request and remembers it; false where the client has gone.
    fn read_request(&mut self) -> bool {
        let request = read_request(&mut self.stream);
        let is_whole = request.is_some();
        self.requests.lock().unwrap().extend(request);
        is_whole
    }

    /// Waits until the client has gone.
    fn hang(mut self) {
        while self.stream.read(&mut [0; 1024]).is_ok_and(|length| length > 0) {}
    }
}

fn read_request(stream: &mut impl Read) -> Option<String> {
    let (mut request, mut byte) = (Vec::new(), [0]);
    while !request.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        request.push(byte[0]);
    }
    let head = String::from_utf8(request).unwrap();
    let length = head.split("content-length: ").nth(1)?.split("\r\n").next()?.parse().unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(head + std::str::from_utf8(&body).unwrap())
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn reach() -> Reach {
    Reach { is_insecure: true, root: None }
}

fn post(agent: &Agent, url: &str, timeout: Duration) -> Result<Answer, Failure> {
    let content_type = "application/x-www-form-urlencoded";
    agent.post(&Request { url, content_type, body: b"a=1&b=2", timeout, answer_bytes_max: LIMIT })
}

/// What becomes of an order that is sent to such a server.
fn order(server: &Server, timeout: Duration) -> Result<Answer, Failure> {
    post(&Agent::for_orders(&reach()), &server.url("http"), timeout)
}

#[test]
fn an_answer_is_read_whole() {
    let head = "HTTP/1.1 429 Slow\r\nX-Error-Code: rate_limited\r\nRetry-After: 7\r\n";
    let server = Server::answering(format!("{head}Content-Length: 2\r\n\r\n{{}}"));
    let answer = order(&server, PATIENCE).unwrap();
    let code = Some("rate_limited".to_owned());
    let expected = Answer { status: 429, code, retry_after: Some(7), body: b"{}".to_vec() };
    assert_eq!(answer, expected);
    let request = server.last_request();
    assert!(request.starts_with("POST /api/v2 HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nuser-agent: Panelite\r\n"), "{request}");
    assert!(request.contains("\r\ncontent-type: application/x-www-form-urlencoded\r\n"));
    assert!(!request.contains("accept-encoding") && !request.contains("cookie"), "{request}");
    assert!(request.ends_with("\r\n\r\na=1&b=2"), "{request}");
}

#[test]
fn what_never_reached_them_is_surely_not_sent() {
    let agent = Agent::for_orders(&reach());
    let not_sent = |url: &str| match post(&agent, url, PATIENCE) {
        Err(Failure::NotSent(why)) => why,
        other => panic!("{url}: {other:?}"),
    };
    assert_eq!(not_sent("http://panel.invalid/api/v2"), Why::Dns);
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_eq!(not_sent(&format!("http://127.0.0.1:{closed}/")), Why::Refused);
    assert!(matches!(not_sent("http://user:word@127.0.0.1/"), Why::Url(_)));
    assert!(matches!(not_sent("no address"), Why::Url(_)));
}

#[test]
fn an_address_that_is_not_public_is_not_even_connected_to() {
    let server = Server::answering(ok("{}"));
    let agent = Agent::for_orders(&Reach::default());
    let why = |host: &str| {
        let url = format!("https://{host}:{}/", server.port);
        match post(&agent, &url, PATIENCE).unwrap_err() {
            Failure::NotSent(why) => why,
            unknown @ Failure::Unknown(_) => panic!("{url}: {unknown:?}"),
        }
    };
    assert_eq!(why("localhost"), Why::NotPublic);
    // What is a number is seen before anything is looked up.
    for host in ["127.0.0.1", "127.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]"] {
        assert_eq!(why(host), Why::Url("The address is not public".to_owned()), "{host}");
    }
    let plain = post(&agent, &server.url("http"), PATIENCE).unwrap_err();
    assert!(matches!(plain, Failure::NotSent(Why::Url(_))), "{plain:?}");
    assert!(server.connections.try_recv().is_err());
}

#[test]
fn what_went_wrong_after_the_first_byte_is_unknown() {
    let reads = |answer: &'static str| {
        Server::start(move |mut peer| {
            peer.read_request();
            peer.stream.write_all(answer.as_bytes()).unwrap();
        })
    };
    let hangs = |answer: &'static str| {
        Server::start(move |mut peer| {
            peer.read_request();
            peer.stream.write_all(answer.as_bytes()).unwrap();
            peer.hang();
        })
    };
    let big_head = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(17 * 1024));
    let table = [
        (Server::start(Peer::hang), SHORT, Why::Timeout),
        (hangs(""), SHORT, Why::Timeout),
        (hangs("HTTP/1.1 200"), SHORT, Why::Timeout),
        (hangs("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{"), SHORT, Why::Timeout),
        // Closed while there is something to read: the system says so by a reset.
        (Server::start(|mut peer| drop(peer.stream.read(&mut [0; 1]))), PATIENCE, Why::Reset),
        (reads(""), PATIENCE, Why::Closed),
        (reads("HTTP/1.1 200 OK\r\nConte"), PATIENCE, Why::Closed),
        (reads("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{\"order\":1"), PATIENCE, Why::Closed),
        (
            reads("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{\"order\":"),
            PATIENCE,
            Why::Closed,
        ),
        (hangs("This is no HTTP\r\n\r\n"), PATIENCE, Why::BadHttp),
        (Server::answering(big_head), PATIENCE, Why::BadHttp),
        (Server::answering(ok(&" ".repeat(LIMIT + 1))), PATIENCE, Why::TooBig),
    ];
    for (at, (server, timeout, why)) in table.into_iter().enumerate() {
        assert_eq!(order(&server, timeout), Err(Failure::Unknown(why)), "line {at}");
    }
}

#[test]
fn a_body_of_just_the_limit_is_not_too_big() {
    let answer = order(&Server::answering(ok(&" ".repeat(LIMIT))), PATIENCE).unwrap();
    assert_eq!(answer.body.len(), LIMIT);
}

#[test]
fn redirects_are_answers() {
    let other = Server::answering(ok("{}"));
    for status in [301, 302, 303, 307, 308] {
        let location = other.url("http");
        let head = format!("HTTP/1.1 {status} Moved\r\nLocation: {location}\r\n");
        let server = Server::answering(format!("{head}Content-Length: 0\r\n\r\n"));
        assert_eq!(order(&server, PATIENCE).unwrap().status, status);
    }
    assert!(other.connections.try_recv().is_err());
}

#[test]
fn questions_share_a_connection_and_orders_do_not() {
    let server = Server::answering(ok("{}"));
    let (reading, orders) = (Agent::for_reading(&reach()), Agent::for_orders(&reach()));
    for _ in 0..3 {
        post(&reading, &server.url("http"), PATIENCE).unwrap();
    }
    assert_eq!(server.connections.try_iter().count(), 1);
    for _ in 0..3 {
        post(&orders, &server.url("http"), PATIENCE).unwrap();
    }
    assert_eq!(server.connections.try_iter().count(), 3);
}

#[test]
fn a_proxy_of_the_environment_is_not_used() {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "delivery_http::an_answer_is_read_whole"]);
    for name in ["ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "http_proxy"] {
        child.env(name, "http://127.0.0.1:1/");
    }
    let output = child.env_remove("NO_PROXY").env_remove("no_proxy").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

/// A server that speaks TLS, and after each request answers with these bytes and closes.
fn secured(tls: &Tls, answer: &'static str) -> Server {
    let config = Arc::clone(&tls.config);
    Server::start(move |peer| {
        let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut stream = rustls::StreamOwned::new(connection, peer.stream);
        let request = read_request(&mut stream);
        if request.is_some() {
            stream.write_all(answer.as_bytes()).unwrap();
            stream.conn.send_close_notify();
            stream.flush().unwrap();
        }
        peer.requests.lock().unwrap().extend(request);
    })
}

#[test]
fn a_handshake_that_fails_sends_nothing() {
    let (own, others) = (tls("localhost"), tls("example.com"));
    let trusting = |root: &Tls| Reach { is_insecure: true, root: Some(root.root.clone()) };
    let flaw = |server: &Server, reach: &Reach| {
        let agent = Agent::for_orders(reach);
        match post(&agent, &server.url("https"), PATIENCE) {
            Err(Failure::NotSent(Why::Tls(flaw))) => flaw,
            other => panic!("{other:?}"),
        }
    };
    let server = secured(&own, "");
    assert_eq!(flaw(&server, &reach()), "the certificate is of an unknown issuer");
    assert_eq!(flaw(&server, &trusting(&others)), "the certificate is of an unknown issuer");
    assert!(server.requests.lock().unwrap().is_empty());
    let server = secured(&others, "");
    assert_eq!(flaw(&server, &trusting(&others)), "the certificate is for another name");
    flaw(&Server::start(|peer| drop(peer.stream)), &reach());
    flaw(
        &Server::start(|mut peer| {
            peer.stream.read_exact(&mut [0; 5]).unwrap();
            peer.stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        }),
        &reach(),
    );
    let silent = Server::start(Peer::hang);
    let failure = post(&Agent::for_orders(&reach()), &silent.url("https"), SHORT);
    assert_eq!(failure, Err(Failure::NotSent(Why::Timeout)));
}

#[test]
fn what_goes_wrong_above_tls_is_unknown() {
    let tls = tls("localhost");
    let agent = Agent::for_orders(&Reach { is_insecure: true, root: Some(tls.root.clone()) });
    let whole = secured(&tls, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    let answer = post(&agent, &whole.url("https"), PATIENCE).unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (200, b"{}".as_slice()));
    assert!(whole.last_request().ends_with("a=1&b=2"));
    for half in ["", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"] {
        let server = secured(&tls, half);
        let failure = post(&agent, &server.url("https"), PATIENCE);
        assert_eq!(failure, Err(Failure::Unknown(Why::Closed)), "{half}");
    }
}

fn client(server: &Server, calls: &Calls) -> Client {
    let endpoint = Endpoint {
        url: server.url("http"),
        key: Secret::new("pl_0123456789abcdef".to_owned()),
        dialect: Dialect::Form,
        is_insecure: true,
        timeout_seconds: 10,
    };
    Client::new(&endpoint, calls.book(ProviderId(1)))
}

#[test]
fn one_client_serves_all_threads_of_a_lane() {
    fn is_shared<T: Send + Sync + Clone>() {}
    is_shared::<Client>();
}

#[test]
fn a_call_is_kept_without_the_key() {
    let calls = Calls::new(Clock::manual(5));
    let server = Server::answering(ok(r#"{"error":"pl_0123456789abcdef: Bad link"}"#));
    let purchase = Purchase {
        service: "7".to_owned(),
        kind: ServiceKind::Default,
        link: "https://example.com/".to_owned(),
        quantity: 100,
        inputs: Vec::new(),
        own_id: Some("OWN".to_owned()),
    };
    let outcome = client(&server, &calls).add(&purchase);
    let Outcome::Refused { answer, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(answer, "***: Bad link");
    assert!(server.last_request().contains("key=pl_0123456789abcdef&action=add&service=7&"));
    let call = calls.list(ProviderId(1)).remove(0);
    let seen = (call.at.0, call.action, call.http, call.outcome, call.is_answered);
    assert_eq!(seen, (5, "add", Some(200), "refused", true));
    assert!(call.request.ends_with("&quantity=100&custom_id=OWN&request_id=OWN"), "{call:?}");
    assert!(!format!("{call:?}").contains("0123456789"), "{call:?}");
}

#[test]
fn a_call_that_brings_nothing_says_why() {
    let status = |status: u16, body: &str| {
        format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    };
    let calls = Calls::default();
    for (answer, text, is_failure) in [
        (status(200, "<html>"), "HTML instead of JSON", true),
        (status(200, ""), "The answer is empty", true),
        (status(200, r#"{"balance":1,"balance":1}"#), "A key is repeated in the answer", true),
        (status(200, "{}"), "The answer holds no balance", true),
        (status(502, "<html>"), "HTTP 502: HTML instead of JSON", true),
        (status(500, r#"{"error":"Internal error"}"#), "HTTP 500: Internal error", true),
        (status(200, r#"{"error":"Invalid API key"}"#), "Invalid API key", false),
        (status(401, r#"{"error":"Invalid API key"}"#), "Invalid API key", false),
        (status(429, ""), "Too many requests (HTTP 429)", false),
        (String::new(), "The connection was closed before the answer was complete", true),
    ] {
        let server = match answer.is_empty() {
            true => Server::start(|mut peer| assert!(peer.read_request())),
            false => Server::answering(answer),
        };
        let error = client(&server, &calls).balance().unwrap_err();
        assert_eq!((error.to_string().as_str(), error.is_failure()), (text, is_failure));
    }
    let nowhere = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut server = Server::answering("");
    server.port = nowhere;
    let error = client(&server, &calls).balance().unwrap_err();
    assert_eq!(
        (error.fault, error.to_string().as_str()),
        (Fault::NotSent, "The connection was refused")
    );
    assert_eq!(calls.figures(ProviderId(1)).answered_percent, 27);
}

#[test]
fn our_own_orders_are_only_those_that_say_so() {
    let calls = Calls::default();
    let body = r#"[{"order":"9","custom_id":"OWN","service":7,"link":"L","quantity":"100"},
        {"order":8,"custom_id":"OTHER"},{"order":7},{"custom_id":"OWN"}]"#;
    let hits = client(&Server::answering(ok(body)), &calls).find_own("OWN").unwrap();
    assert_eq!(hits.len(), 1);
    let hit = (&*hits[0].their_id, &*hits[0].service, &*hits[0].link, hits[0].quantity);
    assert_eq!(hit, ("9", "7", "L", 100));
    let unknown = Server::answering(ok(r#"{"error":"Incorrect action"}"#));
    assert!(client(&unknown, &calls).find_own("OWN").unwrap_err().is_unknown_action());
}

#[test]
fn a_cancel_is_asked_in_the_plural_and_then_in_the_singular() {
    let calls = Calls::default();
    let server = Server::start(|mut peer| {
        while peer.read_request() {
            let is_plural = peer.requests.lock().unwrap().last().unwrap().contains("orders=9");
            let body =
                if is_plural { r#"{"error":"Incorrect request"}"# } else { r#"{"success":true}"# };
            peer.stream.write_all(ok(body).as_bytes()).unwrap();
        }
    });
    let said = client(&server, &calls).cancel("9").unwrap();
    assert_eq!(said, panelite::delivery::client::CancelSaid::Asked);
    assert_eq!(server.requests.lock().unwrap().len(), 2);
}
