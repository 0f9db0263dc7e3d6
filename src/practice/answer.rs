//! Answers as bytes: JSON written by hand, so that an amount is the digits it was made of, and the
//! head that goes before.

/// What goes back to a client.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    /// One header more, whole, or nothing.
    pub(super) header: String,
    pub(super) body: Vec<u8>,
}

impl Reply {
    pub(super) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, header: String::new(), body: body.into() }
    }

    /// Everything up to the body.
    pub(super) fn head(&self, keeps_open: bool) -> String {
        let status = self.status;
        let reason = match status {
            200 => "OK",
            300..400 => "Moved",
            400..500 => "Refused",
            _ => "Failed",
        };
        let is_html = self.body.first() == Some(&b'<');
        let kind = if is_html { "text/html; charset=utf-8" } else { "application/json" };
        let connection = if keeps_open { "keep-alive" } else { "close" };
        let length = self.body.len();
        let end = if self.header.is_empty() { "" } else { "\r\n" };
        format!(
            "HTTP/1.1 {status} {reason}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
             Connection: {connection}\r\n{}{end}\r\n",
            self.header
        )
    }
}

/// A text as JSON.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A number as the dialect writes it: bare, or as a text; what is no number is a text anyway.
pub(super) fn amount(text: &str, is_json: bool) -> String {
    let is_bare = is_json && serde_json::from_str::<serde_json::Number>(text).is_ok();
    if is_bare { text.to_owned() } else { quoted(text) }
}

/// An object of values that are JSON already.
pub(super) fn object(pairs: &[(&str, String)]) -> String {
    let pairs: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{}:{value}", quoted(name))).collect();
    format!("{{{}}}", pairs.join(","))
}

/// A list of values that are JSON already.
pub(super) fn list(values: &[String]) -> String {
    format!("[{}]", values.join(","))
}

/// An object with a sentence, as clients expect it.
pub(super) fn error(text: &str) -> String {
    object(&[("error", quoted(text))])
}

/// Micros as text, with two decimals or as many as they need.
pub(super) fn money(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let (whole, part) = (micros.unsigned_abs() / 1_000_000, micros.unsigned_abs() % 1_000_000);
    let part = format!("{part:06}");
    let rest = part[2..].trim_end_matches('0');
    format!("{sign}{whole}.{}{rest}", &part[..2])
}

/// Text as micros, at most six decimals.
pub(super) fn parse_amount(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let is_plain = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    if !is_plain(whole) || !is_plain(part) || part.len() > 6 {
        return None;
    }
    let part: i64 = format!("{part:0<6}").parse().ok()?;
    whole.parse::<i64>().ok()?.checked_mul(1_000_000)?.checked_add(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_round_trip() {
        for text in ["0.00", "0.90", "12.00", "0.000001", "1000.00", "0.27819"] {
            assert_eq!(parse_amount(text).map(money).as_deref(), Some(text));
        }
        assert_eq!((money(-1_500_000), parse_amount("3")), ("-1.50".to_owned(), Some(3_000_000)));
        for text in ["", ".", "1.", "N/A", "-1", "1,5", "0.0000001"] {
            assert_eq!(parse_amount(text), None, "{text:?}");
        }
    }
}
