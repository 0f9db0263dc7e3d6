//! What the pages need besides HTML: compiled in, named by content, compressed once.
//!
//! `/static/app.3f9a21bc.css` never changes, so browsers keep it forever; a new version of the file
//! is a new name. Each is compressed once, when the program starts, and
//! then served as it is.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{LazyLock, OnceLock};

use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::web::{self, Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::RustEmbed;

const BROTLI_QUALITY: i32 = 11;
const BROTLI_WINDOW: i32 = 22;

#[derive(RustEmbed)]
#[folder = "static/"]
struct Files;

struct Asset {
    mime: &'static str,
    plain: Bytes,
    packed: OnceLock<Packed>,
}

struct Packed {
    gzip: Bytes,
    brotli: Bytes,
}

/// All of `static/`, ready to be sent.
pub struct Assets {
    /// `app.css` → `/static/app.3f9a21bc.css`
    urls: HashMap<String, String>,
    /// `app.3f9a21bc.css` → the file
    files: HashMap<String, Asset>,
}

impl Assets {
    /// The files of this program.
    pub fn get() -> &'static Self {
        static ASSETS: LazyLock<Assets> = LazyLock::new(Assets::load);
        &ASSETS
    }

    fn load() -> Self {
        let mut assets = Self { urls: HashMap::new(), files: HashMap::new() };
        for path in Files::iter() {
            if let Some(file) = Files::get(&path) {
                assets.add(&path, &file);
            }
        }
        assets
    }

    fn add(&mut self, path: &str, file: &rust_embed::EmbeddedFile) {
        let name = path.rsplit('/').next().unwrap_or(path);
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
        let hash = data_encoding::HEXLOWER.encode(&file.metadata.sha256_hash()[..4]);
        let hashed = format!("{stem}.{hash}.{extension}");
        let asset = Asset {
            mime: mime(extension),
            plain: Bytes::copy_from_slice(&file.data),
            packed: OnceLock::new(),
        };
        self.urls.insert(name.to_owned(), format!("/static/{hashed}"));
        self.files.insert(hashed, asset);
    }

    /// Compresses everything, so that no visitor has to wait for it.
    pub fn pack(&self) {
        for asset in self.files.values() {
            asset.packed();
        }
    }

    /// Where a file is found by its plain name, such as `app.css`.
    pub fn url(&self, name: &str) -> &str {
        self.urls.get(name).map_or("/static/missing", String::as_str)
    }
}

const fn mime(extension: &str) -> &'static str {
    match extension.as_bytes() {
        b"css" => "text/css; charset=utf-8",
        b"js" => "text/javascript; charset=utf-8",
        b"svg" => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

/// Writing to memory does not fail; if it did, an empty file would never be chosen below.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).unwrap_or_default()
}

fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    let params = brotli::enc::BrotliEncoderParams {
        quality: BROTLI_QUALITY,
        lgwin: BROTLI_WINDOW,
        ..Default::default()
    };
    match brotli::BrotliCompress(&mut &bytes[..], &mut packed, &params) {
        Ok(_) => packed,
        Err(_) => Vec::new(),
    }
}

impl Asset {
    fn packed(&self) -> &Packed {
        let pack = || Packed { gzip: gzip(&self.plain).into(), brotli: brotli(&self.plain).into() };
        self.packed.get_or_init(pack)
    }

    /// The smallest form that the client takes.
    fn chosen(&self, headers: &HeaderMap) -> (Option<&'static str>, &Bytes) {
        let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
        let accepts = |name: &str| {
            let codings = accepted.unwrap_or_default().split(',');
            codings
                .map(|coding| coding.split_once(';').unwrap_or((coding, "")))
                .any(|(coding, weight)| coding.trim() == name && weight.replace(' ', "") != "q=0")
        };
        let packed = self.packed();
        let forms = [("br", &packed.brotli), ("gzip", &packed.gzip)];
        let is_smaller = |form: &Bytes| !form.is_empty() && form.len() < self.plain.len();
        let form = forms.iter().find(|(name, form)| accepts(name) && is_smaller(form));
        form.map_or((None, &self.plain), |(name, form)| (Some(*name), form))
    }
}

/// The route of the files.
pub fn routes(config: &mut ServiceConfig) {
    config.route("/static/{name}", web::get().to(serve));
}

async fn serve(request: HttpRequest) -> HttpResponse {
    let name = request.match_info().get("name").unwrap_or_default();
    let Some(asset) = Assets::get().files.get(name) else {
        return HttpResponse::NotFound()
            .insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
            .insert_header((header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")))
            .finish();
    };
    let (encoding, body) = asset.chosen(request.headers());
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_TYPE, HeaderValue::from_static(asset.mime)))
        .insert_header((header::VARY, HeaderValue::from_static("Accept-Encoding")))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")))
        .insert_header((
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=31536000, immutable"),
        ));
    if let Some(encoding) = encoding {
        response.insert_header((header::CONTENT_ENCODING, HeaderValue::from_static(encoding)));
    }
    response.body(body.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    #[test]
    fn vendored_files_are_what_their_makers_published() {
        let file = Files::get("vendor/htmx.min.js").unwrap();
        let digest = data_encoding::HEXLOWER.encode(&Sha256::digest(&file.data));
        assert_eq!(digest, "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130");
    }

    #[test]
    fn the_whole_set_is_small() {
        let assets = Assets::load();
        let bytes: usize = assets.files.values().map(|asset| asset.packed().gzip.len()).sum();
        assert!(bytes <= 40 * 1024, "{bytes} bytes of gzip");
        assert!(assets.url("app.css").starts_with("/static/app."));
    }
}
