//! What the pages need besides HTML: compiled in, named by content, compressed once.
//!
//! `/static/app.3f9a21bc.css` never changes, so browsers keep it forever; a new version of the file
//! is a new name. Each is compressed once, when the program starts, and served as it is.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{self, Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use rust_embed::RustEmbed;

use crate::packed::Packed;

#[derive(RustEmbed)]
#[folder = "static/"]
struct Files;

struct Asset {
    mime: &'static str,
    body: Packed,
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
                assets.add(&path, file);
            }
        }
        assets
    }

    fn add(&mut self, path: &str, file: rust_embed::EmbeddedFile) {
        let name = path.rsplit('/').next().unwrap_or(path);
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
        let hash = data_encoding::HEXLOWER.encode(&file.metadata.sha256_hash()[..4]);
        let hashed = format!("{stem}.{hash}.{extension}");
        let plain = match file.data {
            Cow::Borrowed(compiled_in) => Bytes::from_static(compiled_in),
            Cow::Owned(read) => read.into(),
        };
        let asset = Asset { mime: mime(extension), body: Packed::new(plain) };
        self.urls.insert(name.to_owned(), format!("/static/{hashed}"));
        self.files.insert(hashed, asset);
    }

    /// Compresses everything, so that no visitor has to wait for it.
    pub fn pack(&self) {
        for asset in self.files.values() {
            asset.body.pack();
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
    let (encoding, body) = asset.body.chosen(request.headers());
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
    use actix_web::http::header::HeaderMap;
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
        let mut gzip = HeaderMap::new();
        gzip.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let bytes: usize =
            assets.files.values().map(|asset| asset.body.chosen(&gzip).1.len()).sum();
        assert!(bytes <= 40 * 1024, "{bytes} bytes of gzip");
        assert!(assets.url("app.css").starts_with("/static/app."));
    }
}
