//! A small HTTP/1.1 client that sends exactly what it is told and hides nothing of the answer.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!("not JSON ({error}): {}", String::from_utf8_lossy(&self.body))
        })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let is_it = |(known, _): &&(String, String)| known.eq_ignore_ascii_case(name);
        self.headers.iter().find(is_it).map(|(_, value)| value.as_str())
    }
}

/// Sends a whole request on a connection of its own. `Host`, `Content-Length` and
/// `Connection: close` are added.
pub(crate) fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Reply {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += &format!("Content-Length: {}\r\n\r\n", body.len());
    raw(address, &[head.as_bytes(), body].concat()).expect("the server closed without an answer")
}

/// Sends bytes as they are and reads until the server closes. `None` where it says nothing.
pub(crate) fn raw(address: SocketAddr, bytes: &[u8]) -> Option<Reply> {
    let mut stream = connect(address);
    // A server may answer and close before it has read everything.
    let _ = stream.write_all(bytes);
    read_reply(&mut stream)
}

/// Opens a connection.
pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(ANSWER_WITHIN)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Reads one answer. Understands lengths, chunks and closed connections.
pub(crate) fn read_reply(stream: &mut TcpStream) -> Option<Reply> {
    read_reply_from(stream, Vec::new())
}

/// Reads one answer of which some bytes are there already.
fn read_reply_from(stream: &mut TcpStream, mut bytes: Vec<u8>) -> Option<Reply> {
    let head_end = loop {
        if let Some(at) = find(&bytes, b"\r\n\r\n") {
            break at;
        }
        let mut chunk = [0; 16 * 1024];
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let header = |line: &str| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_owned(), value.trim().to_owned())
    };
    let mut reply = Reply { status, headers: lines.map(header).collect(), body: Vec::new() };
    let mut rest = bytes.split_off(head_end + 4);
    if status == 100 {
        return read_reply_from(stream, rest); // "go on" is not the answer yet
    }
    let length = reply.header("content-length").map(|text| text.parse::<usize>().unwrap());
    while length.is_none_or(|length| rest.len() < length) {
        let mut chunk = [0; 64 * 1024];
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => break,
            Ok(count) => rest.extend_from_slice(&chunk[..count]),
        }
        if length.is_none() && rest.ends_with(b"0\r\n\r\n") {
            break;
        }
    }
    let is_chunked = reply.header("transfer-encoding") == Some("chunked");
    reply.body = if is_chunked { unchunk(&rest) } else { rest };
    Some(reply)
}

fn unchunk(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(at) = find(bytes, b"\r\n") {
        let size = std::str::from_utf8(&bytes[..at]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            break;
        }
        body.extend_from_slice(&bytes[at + 2..at + 2 + size]);
        bytes = &bytes[at + 2 + size + 2..];
    }
    body
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
