//! Bodies that are compressed once and sent often.

use std::io::Write as _;
use std::sync::OnceLock;

use actix_web::http::header::{self, HeaderMap};
use actix_web::web::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// How much work Brotli may make of it: some milliseconds for a long list of services. At its best
/// it takes a tenth less, but megabytes to get there, of which the program keeps a part.
const BROTLI_QUALITY: i32 = 5;
/// How far back it looks, as a power of two. Looking farther takes megabytes, and makes neither our
/// files nor a list of thousands of services smaller.
const BROTLI_WINDOW: i32 = 16;

/// A body in every form that clients may ask for.
pub struct Packed {
    plain: Bytes,
    forms: OnceLock<Forms>,
}

struct Forms {
    gzip: Bytes,
    brotli: Bytes,
}

impl Packed {
    /// A body that will be compressed when somebody first needs it.
    pub fn new(plain: impl Into<Bytes>) -> Self {
        Self { plain: plain.into(), forms: OnceLock::new() }
    }

    /// Compresses it now, so that nobody has to wait for it. Returns the bytes of all forms.
    pub fn pack(&self) -> usize {
        let Forms { gzip, brotli } = self.forms();
        self.plain.len() + gzip.len() + brotli.len()
    }

    /// The smallest form that the client takes, and what it is called.
    pub fn chosen(&self, headers: &HeaderMap) -> (Option<&'static str>, &Bytes) {
        let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
        let Some(accepted) = accepted else { return (None, &self.plain) };
        let accepts = |name: &str| {
            accepted.split(',').map(|coding| coding.split_once(';').unwrap_or((coding, ""))).any(
                |(coding, weight)| coding.trim().eq_ignore_ascii_case(name) && !is_zero(weight),
            )
        };
        let Forms { gzip, brotli } = self.forms();
        let forms = [("br", brotli), ("gzip", gzip)];
        let is_smaller = |form: &Bytes| !form.is_empty() && form.len() < self.plain.len();
        let form = forms.into_iter().find(|(name, form)| is_smaller(form) && accepts(name));
        form.map_or((None, &self.plain), |(name, form)| (Some(name), form))
    }

    fn forms(&self) -> &Forms {
        self.forms.get_or_init(|| Forms {
            gzip: gzip(&self.plain).into(),
            brotli: brotli(&self.plain).into(),
        })
    }
}

/// Whether the weight of a coding, as in `br;q=0.0`, says that it is not wanted.
fn is_zero(weight: &str) -> bool {
    let value = weight.trim().strip_prefix("q=").or_else(|| weight.trim().strip_prefix("Q="));
    value.is_some_and(|value| value.bytes().all(|byte| matches!(byte, b'0' | b'.')))
}

/// Writing to memory does not fail; if it did, an empty form would never be chosen.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).unwrap_or_default()
}

fn brotli(bytes: &[u8]) -> Vec<u8> {
    let (quality, lgwin) = (BROTLI_QUALITY, BROTLI_WINDOW);
    let params = brotli::enc::BrotliEncoderParams { quality, lgwin, ..Default::default() };
    let mut packed = Vec::new();
    match brotli::BrotliCompress(&mut &bytes[..], &mut packed, &params) {
        Ok(_) => packed,
        Err(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{ACCEPT_ENCODING, HeaderValue};

    #[test]
    fn clients_get_the_smallest_form_they_take() {
        let long = Packed::new("services ".repeat(1000));
        let short = Packed::new("[]");
        for (accepted, form) in [
            ("", None),
            ("identity", None),
            ("gzip", Some("gzip")),
            ("gzip, deflate, br", Some("br")),
            ("BR;q=0.5, gzip", Some("br")),
            ("gzip, br;q=0", Some("gzip")),
            ("gzip; q=0.000, br;q=0.", None),
            ("broccoli", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(accepted));
            assert_eq!(long.chosen(&headers).0, form, "{accepted}");
            assert_eq!(short.chosen(&headers).0, None, "{accepted}");
        }
        assert_eq!(long.chosen(&HeaderMap::new()).1, &long.plain);
    }
}
