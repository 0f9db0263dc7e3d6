//! Reads a request from the socket, and its fields from JSON, a form or the query.
//!
//! The last byte of a body is looked at but left in the socket: a connection that is closed with
//! something unread is reset, which is how the shop resets one.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::net::TcpStream;

use serde_json::Value;

const HEAD_MAX: usize = 64 * 1024;
const BODY_MAX: usize = 2 * 1024 * 1024;

/// A request as far as the shop needs it.
#[derive(Debug)]
pub(super) struct Request {
    /// Whether it came in JSON, and is answered in that dialect.
    pub(super) is_json: bool,
    /// Whether the client may send another one on the same connection.
    pub(super) keeps_open: bool,
    /// Whether it went to the one address there is.
    pub(super) is_at_home: bool,
    /// In small letters, aliases as one word; empty where there is none.
    pub(super) action: String,
    fields: BTreeMap<String, String>,
    /// Whether the last byte is still in the socket.
    has_unread: bool,
}

/// Waits for the first byte of a request; `None` where the client has gone.
pub(super) fn wait(stream: &TcpStream) -> Option<()> {
    peek(stream, &mut [0]).map(|_| ())
}

impl Request {
    /// Reads one. `None` where the client has gone or speaks no HTTP that is understood here.
    pub(super) fn read(mut stream: &TcpStream) -> Option<Self> {
        let head = read_head(stream)?;
        let mut lines = head.split("\r\n");
        let mut first = lines.next()?.split(' ');
        let (_, target, version) = (first.next()?, first.next()?, first.next()?);
        let headers: BTreeMap<String, &str> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim()))
            .collect();
        if headers.get("expect").is_some_and(|it| it.eq_ignore_ascii_case("100-continue")) {
            std::io::Write::write_all(&mut stream, b"HTTP/1.1 100 Continue\r\n\r\n").ok()?;
        }
        let length = headers.get("content-length").map_or(Some(0), |text| text.parse().ok())?;
        let body = read_body(stream, length)?;

        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut fields = form(query);
        let json = object(&body);
        let is_json = json.is_some();
        fields.extend(json.unwrap_or_else(|| form(&String::from_utf8_lossy(&body))));
        let action = fields.get("action").map(|text| text.to_lowercase()).unwrap_or_default();
        let action = match action.as_str() {
            "multistatus" | "multi_status" | "statuses" => "status".to_owned(),
            "refillstatus" => "refill_status".to_owned(),
            _ => action,
        };
        let connection = headers.get("connection").map(|text| text.to_ascii_lowercase());
        Some(Self {
            is_json,
            keeps_open: version != "HTTP/1.0" && connection.as_deref() != Some("close"),
            is_at_home: path.trim_end_matches('/') == "/api/v2",
            action,
            fields,
            has_unread: length > 0,
        })
    }

    /// Takes the last byte out of the socket.
    pub(super) fn finish(&self, mut stream: &TcpStream) -> Option<()> {
        if self.has_unread { stream.read_exact(&mut [0]).ok() } else { Some(()) }
    }

    /// A field without the blanks around it; `None` where it is missing or empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(|text| text.trim()).filter(|text| !text.is_empty())
    }

    /// The ids in a field, which are separated by commas.
    pub(super) fn ids(&self, name: &str) -> Option<Vec<&str>> {
        let list = self.get(name)?.split(',').map(str::trim);
        Some(list.filter(|id| !id.is_empty()).collect())
    }

    /// What an order came with, but for what is the same in each.
    pub(super) fn inputs(&self) -> BTreeMap<String, String> {
        let own = ["key", "action", "service"];
        let inputs = self.fields.iter().filter(|(name, _)| !own.contains(&name.as_str()));
        inputs.map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

/// What is there without taking it; `None` at the end.
fn peek(stream: &TcpStream, buffer: &mut [u8]) -> Option<usize> {
    loop {
        match stream.peek(buffer) {
            Ok(0) => return None,
            Ok(count) => return Some(count),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
}

/// Takes the head out of the socket, and not a byte more.
fn read_head(mut stream: &TcpStream) -> Option<String> {
    let (mut head, mut buffer) = (Vec::new(), [0; 4096]);
    while head.len() < HEAD_MAX {
        let count = peek(stream, &mut buffer)?;
        let before = head.len();
        head.extend_from_slice(&buffer[..count]);
        let end = head.windows(4).position(|window| window == b"\r\n\r\n");
        let taken = end.map_or(count, |at| at + 4 - before);
        stream.read_exact(&mut buffer[..taken]).ok()?;
        if let Some(end) = end {
            head.truncate(end);
            return String::from_utf8(head).ok();
        }
    }
    None
}

/// Reads the body; its last byte stays in the socket.
fn read_body(mut stream: &TcpStream, length: usize) -> Option<Vec<u8>> {
    if length > BODY_MAX {
        return None;
    }
    let mut body = vec![0; length];
    if let Some((last, rest)) = body.split_last_mut() {
        stream.read_exact(rest).ok()?;
        peek(stream, std::slice::from_mut(last))?;
    }
    Some(body)
}

/// The fields of a JSON object; `None` where it is none.
fn object(body: &[u8]) -> Option<BTreeMap<String, String>> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let text = |name: &str, value: &Value| match value {
        Value::Null | Value::Object(_) => None,
        Value::Bool(is_set) => Some(is_set.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
        Value::Array(list) => {
            let between = if ["orders", "refills"].contains(&name) { "," } else { "\n" };
            let plain =
                |item: &Value| item.as_str().map_or_else(|| item.to_string(), str::to_owned);
            Some(list.iter().map(plain).collect::<Vec<_>>().join(between))
        }
    };
    let fields = body.as_object()?.iter();
    Some(fields.filter_map(|(name, value)| Some((name.clone(), text(name, value)?))).collect())
}

/// The fields of a form. A name with brackets is a list.
fn form(text: &str) -> BTreeMap<String, String> {
    let mut fields: BTreeMap<String, String> = BTreeMap::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decoded(name), decoded(value));
        match name.split_once('[') {
            Some((list, _)) => {
                let list = fields.entry(list.to_owned()).or_default();
                list.push_str(if list.is_empty() { "" } else { "," });
                list.push_str(&value);
            }
            None => drop(fields.insert(name, value)),
        }
    }
    fields
}

/// The text behind `%41` and `+`. What is no such code stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|code| str::from_utf8(code).ok());
        let code = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        let (byte, length) = match (first, code) {
            (b'%', Some(byte)) => (byte, 3),
            (b'+', _) => (b' ', 1),
            _ => (first, 1),
        };
        bytes.push(byte);
        rest = &rest[length..];
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_and_json_say_the_same() {
        let expected = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
        };
        let fields: BTreeMap<String, String> =
            expected(&[("a", "1 & 2"), ("comments", "x\ny"), ("orders", "1,2")]);
        assert_eq!(form("a=1+%26%202&comments=x%0Ay&orders=1%2C2"), fields);
        assert_eq!(form("a=1+%26+2&comments=x%0ay&orders[]=1&orders%5B1%5D=2"), fields);
        let json = br#"{"a":"1 & 2","comments":["x","y"],"orders":[1,"2"],"b":null}"#;
        assert_eq!(object(json), Some(fields));
        assert_eq!(object(b"a=1"), None);
        assert_eq!(form("%zz=%"), expected(&[("%zz", "%")]));
    }
}
