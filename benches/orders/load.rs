//! The load generator: one thread, so many keep-alive connections, one request in flight on each.
//!
//! Connections are opened before the clock starts, requests are built before that, and every answer
//! is read whole and must have the expected status. Closed loop: the next request follows the
//! answer. Open loop: requests are due at a fixed rate, and latency counts from when one was due.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use panelite::clock;

/// What a server is asked, how, and what it must answer.
pub(crate) struct Work<'a> {
    pub(crate) address: SocketAddr,
    pub(crate) connections: usize,
    /// Sent in turn, from the first again after the last.
    pub(crate) requests: &'a [Vec<u8>],
    pub(crate) status: u16,
    /// Answers before this do not count.
    pub(crate) warmup: Duration,
    pub(crate) lasts: Duration,
    /// Requests a second; `None` for as many as go.
    pub(crate) rate: Option<u32>,
}

/// What came of it.
pub(crate) struct Outcome {
    /// All answers, those of the warm-up too.
    pub(crate) answers: usize,
    /// Answers a second after the warm-up.
    pub(crate) per_second: f64,
    /// Microseconds of the server's processor per answer.
    pub(crate) cpu_us: f64,
    /// Sorted, in microseconds.
    latencies: Vec<u64>,
}

impl Outcome {
    /// The latency that so many of a thousand answers stay below, in milliseconds.
    pub(crate) fn latency_ms(&self, of_thousand: usize) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        let at = (self.latencies.len() * of_thousand / 1000).min(last);
        self.latencies.get(at).map_or(0.0, |us| *us as f64 / 1000.0)
    }
}

struct Connection {
    stream: TcpStream,
    /// When the request in flight was sent or due.
    since: Option<Instant>,
    answer: Vec<u8>,
}

struct Generator<'a> {
    work: &'a Work<'a>,
    connections: Vec<Connection>,
    idle: VecDeque<usize>,
    next: usize,
    chunk: Vec<u8>,
    started: Instant,
    sent: usize,
    answers: usize,
    latencies: Vec<u64>,
}

/// Runs the work and measures. `cpu` says how much of the processor the server has used so far.
pub(crate) fn run(work: &Work<'_>, cpu: &dyn Fn() -> Duration) -> Outcome {
    let mut poll = Poll::new().unwrap();
    let connections = (0..work.connections).map(|number| {
        let stream = std::net::TcpStream::connect(work.address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_nonblocking(true).unwrap();
        let mut stream = TcpStream::from_std(stream);
        poll.registry().register(&mut stream, Token(number), Interest::READABLE).unwrap();
        Connection { stream, since: None, answer: Vec::with_capacity(4096) }
    });
    let connections: Vec<Connection> = connections.collect();
    let mut generator = Generator {
        work,
        idle: (0..connections.len()).collect(),
        connections,
        next: 0,
        chunk: vec![0; 256 * 1024],
        started: clock::instant(),
        sent: 0,
        answers: 0,
        latencies: Vec::new(),
    };
    generator.run(&mut poll, cpu)
}

impl Generator<'_> {
    fn run(&mut self, poll: &mut Poll, cpu: &dyn Fn() -> Duration) -> Outcome {
        let mut events = Events::with_capacity(1024);
        let mut counted_from = None;
        loop {
            let elapsed = self.started.elapsed();
            if counted_from.is_none() && elapsed >= self.work.warmup {
                self.latencies.clear();
                counted_from = Some((clock::instant(), cpu()));
            }
            if elapsed < self.work.warmup + self.work.lasts {
                self.send_due(elapsed);
            } else if self.idle.len() == self.connections.len() {
                break;
            }
            let wait = self.work.rate.map_or(Duration::from_secs(30), |_| Duration::from_millis(1));
            poll.poll(&mut events, Some(wait)).unwrap();
            assert!(!events.is_empty() || self.work.rate.is_some(), "no answer for 30 s");
            for event in &events {
                self.read(event.token().0);
            }
        }
        let (since, cpu_before) = counted_from.unwrap();
        let (seconds, cpu_used) = (since.elapsed().as_secs_f64(), cpu() - cpu_before);
        let mut latencies = std::mem::take(&mut self.latencies);
        latencies.sort_unstable();
        let counted = latencies.len() as f64;
        Outcome {
            answers: self.answers,
            per_second: counted / seconds,
            cpu_us: cpu_used.as_secs_f64() * 1e6 / counted,
            latencies,
        }
    }

    /// Sends what may be sent now on connections that have nothing in flight.
    fn send_due(&mut self, elapsed: Duration) {
        let Some(rate) = self.work.rate else {
            while let Some(number) = self.idle.pop_front() {
                self.send(number, clock::instant());
            }
            return;
        };
        loop {
            let due = Duration::from_secs_f64(self.sent as f64 / f64::from(rate));
            if due > elapsed {
                return;
            }
            let Some(number) = self.idle.pop_front() else { return };
            self.send(number, self.started + due);
        }
    }

    fn send(&mut self, number: usize, since: Instant) {
        let request = &self.work.requests[self.next];
        self.next = (self.next + 1) % self.work.requests.len();
        self.sent += 1;
        let connection = &mut self.connections[number];
        connection.since = Some(since);
        let mut rest = request.as_slice();
        while !rest.is_empty() {
            match connection.stream.write(rest) {
                Ok(count) => rest = &rest[count..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::yield_now(),
                Err(error) => panic!("the server hung up: {error}"),
            }
        }
    }

    fn read(&mut self, number: usize) {
        let connection = &mut self.connections[number];
        loop {
            match connection.stream.read(&mut self.chunk) {
                Ok(0) => panic!("the server hung up"),
                Ok(count) => connection.answer.extend_from_slice(&self.chunk[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => panic!("the server hung up: {error}"),
            }
            if is_whole(&connection.answer, self.work.status) {
                break;
            }
        }
        connection.answer.clear();
        if let Some(since) = connection.since.take() {
            let latency = since.elapsed().as_micros();
            self.latencies.push(u64::try_from(latency).unwrap_or(u64::MAX));
            self.answers += 1;
            self.idle.push_back(number);
        }
    }
}

/// Whether the answer has arrived whole. Panics if it is another than expected.
fn is_whole(answer: &[u8], status: u16) -> bool {
    let Some(head) = answer.windows(4).position(|window| window == b"\r\n\r\n") else {
        return false;
    };
    let text = std::str::from_utf8(&answer[..head]).unwrap();
    let found = text.get(9..12).and_then(|status| status.parse().ok());
    assert_eq!(found, Some(status), "{}", String::from_utf8_lossy(answer));
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().unwrap())
    });
    answer.len() >= head + 4 + length.expect("an answer without a length")
}
