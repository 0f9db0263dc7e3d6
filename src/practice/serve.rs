//! Sockets: a door that accepts connections, a thread for each, and answers that go out well or
//! badly. Whoever closes a door ends every wait behind it.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use super::answer::Reply;
use super::modes::Manner;
use super::request::{self, Request};
use super::state::Shared;

/// Connections at once; one more is closed unheard.
const CONNECTIONS_MAX: usize = 1024;
const STACK: usize = 512 * 1024;
/// How long the last connection to a door that closes may take to arrive.
const KNOCK: Duration = Duration::from_secs(5);

/// Connections that are open, for whoever has to end them.
type Open = Arc<Mutex<Vec<Weak<TcpStream>>>>;

/// What is done with a connection.
pub(super) type Host = fn(&Peer<'_>);

/// A client, from the side of its thread.
pub(super) struct Peer<'a> {
    pub(super) stream: &'a TcpStream,
    pub(super) shared: &'a Shared,
    is_closing: &'a AtomicBool,
}

/// A port that is listened on until this is dropped.
pub(super) struct Door {
    address: SocketAddr,
    shared: Arc<Shared>,
    is_closing: Arc<AtomicBool>,
    open: Open,
    acceptor: Option<JoinHandle<()>>,
}

impl Door {
    /// Listens; port 0 lets the system choose.
    pub(super) fn open(address: SocketAddr, shared: Arc<Shared>, host: Host) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let (is_closing, open) = (Arc::new(AtomicBool::new(false)), Open::default());
        let within = (Arc::clone(&shared), Arc::clone(&is_closing), Arc::clone(&open));
        let acceptor = Builder::new().name("practice".to_owned()).spawn(move || {
            let (shared, is_closing, open) = within;
            for stream in listener.incoming() {
                if is_closing.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                accept(stream, &open, (&shared, &is_closing), host);
            }
        })?;
        Ok(Self { address, shared, is_closing, open, acceptor: Some(acceptor) })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        // Under the lock that those who wait have looked under.
        self.shared.change(|_| self.is_closing.store(true, Ordering::SeqCst));
        let _ = TcpStream::connect_timeout(&self.address, KNOCK);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        for stream in open.iter().filter_map(Weak::upgrade) {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    }
}

/// Gives a connection a thread of its own.
fn accept(stream: TcpStream, open: &Open, door: (&Arc<Shared>, &Arc<AtomicBool>), host: Host) {
    let stream = Arc::new(stream);
    let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
    open.retain(|stream| stream.strong_count() > 0);
    if open.len() >= CONNECTIONS_MAX || stream.set_nodelay(true).is_err() {
        return;
    }
    open.push(Arc::downgrade(&stream));
    let (shared, is_closing) = (Arc::clone(door.0), Arc::clone(door.1));
    let thread = Builder::new().name("practice-client".to_owned()).stack_size(STACK);
    // Without a thread the connection is dropped here, which closes it.
    let _ = thread.spawn(move || {
        host(&Peer { stream: &stream, shared: &shared, is_closing: &is_closing });
    });
}

impl Peer<'_> {
    /// Waits so long, or until the door closes: then `None`.
    fn pause(&self, time: Duration) -> Option<()> {
        self.shared.pause(time, || self.is_closing.load(Ordering::SeqCst))
    }

    /// Waits until the door closes.
    fn wait_for_door(&self) {
        while self.pause(Duration::from_secs(3600)).is_some() {}
    }

    /// Waits until the client closes, or the door.
    fn wait_until_closed(&self) {
        let (mut stream, mut buffer) = (self.stream, [0; 1024]);
        while stream.read(&mut buffer).is_ok_and(|count| count > 0) {}
    }

    fn write(&self, bytes: &[u8]) -> Option<()> {
        let mut stream = self.stream;
        stream.write_all(bytes).ok()
    }

    /// A byte a second.
    fn trickle(&self, bytes: &[u8]) -> Option<()> {
        for byte in bytes {
            self.write(std::slice::from_ref(byte))?;
            self.pause(Duration::from_secs(1))?;
        }
        Some(())
    }
}

/// Answers one request after another, as long as the client and the mode allow.
pub(super) fn serve(peer: &Peer<'_>) {
    while exchange(peer).is_some() {}
}

/// One request and its answer; `None` ends the connection.
fn exchange(peer: &Peer<'_>) -> Option<()> {
    request::wait(peer.stream)?;
    if peer.shared.change(|state| state.hangs_before()) {
        peer.wait_for_door();
        return None;
    }
    let request = Request::read(peer.stream)?;
    let behavior = peer.shared.change(|state| state.begin(&request));
    let manner = behavior.manner;
    if !manner.resets() {
        request.finish(peer.stream)?;
    }
    if matches!(manner, Manner::Hang | Manner::HangBefore | Manner::Late) {
        peer.wait_until_closed();
    }
    if matches!(manner, Manner::Hang | Manner::HangBefore) {
        return None;
    }
    let (reply, delay) = peer.shared.change(|state| {
        let reply = state.reply(&request, behavior.content);
        (reply, state.delay)
    });
    if !delay.is_zero() {
        peer.pause(delay)?;
    }
    send(peer, &reply, (manner, request.keeps_open))
}

/// Sends an answer as the manner says; `None` where nothing may follow it.
fn send(peer: &Peer<'_>, reply: &Reply, (manner, keeps_open): (Manner, bool)) -> Option<()> {
    let keeps_open = keeps_open && manner == Manner::Whole && reply.status == 200;
    let mut bytes = reply.head(keeps_open).into_bytes();
    let head = bytes.len();
    bytes.extend_from_slice(&reply.body);
    match manner {
        Manner::Whole => {
            peer.write(&bytes)?;
            return keeps_open.then_some(());
        }
        Manner::ResetAfterBody => peer.write(&bytes)?,
        Manner::ResetAfterHead => peer.write(&bytes[..head])?,
        Manner::ResetAtHalf => peer.write(&bytes[..head + reply.body.len() / 2])?,
        Manner::Trickle => peer.trickle(&bytes)?,
        Manner::HangBefore | Manner::Hang | Manner::Late | Manner::Reset | Manner::Close => {}
    }
    None
}

/// Counts a connection, and tells it that all is well: nobody is to follow a redirect here.
pub(super) fn count(peer: &Peer<'_>) {
    peer.shared.change(|state| state.redirect_hits += 1);
    let Some(request) = Request::read(peer.stream) else { return };
    if request.finish(peer.stream).is_some() {
        let reply = Reply::new(200, r#"{"order":4242}"#);
        let _ = send(peer, &reply, (Manner::Whole, false));
    }
}
