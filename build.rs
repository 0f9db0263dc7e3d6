//! Compresses the assets as far as it goes, once: when the program is built, not each time it starts.
//!
//! `forms.rs` is a list for `assets.rs`: the path of each file, its gzip and its Brotli form.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::{env, fs};

use flate2::Compression;
use flate2::write::GzEncoder;

const FOLDER: &str = "static";
/// How far back Brotli looks, as a power of two: as far as the largest file reaches.
const WINDOW: i32 = 16;

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed={FOLDER}");
    let out = env::var_os("OUT_DIR").map(PathBuf::from).ok_or(io::ErrorKind::NotFound)?;
    let mut list = String::new();
    for (number, path) in files(Path::new(FOLDER))?.iter().enumerate() {
        let plain = fs::read(path)?;
        fs::write(out.join(format!("{number}.gz")), gzip(&plain)?)?;
        fs::write(out.join(format!("{number}.br")), brotli(&plain)?)?;
        let name = path.strip_prefix(FOLDER).map_err(io::Error::other)?;
        let form =
            |kind| format!("include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{number}.{kind}\"))");
        list.push_str(&format!("({name:?}, {}, {}),\n", form("gz"), form("br")));
    }
    fs::write(out.join("forms.rs"), format!("&[\n{list}]\n"))
}

/// All files below a folder.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort_unstable();
    Ok(found)
}

fn gzip(plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain)?;
    encoder.finish()
}

fn brotli(plain: &[u8]) -> io::Result<Vec<u8>> {
    let params =
        brotli::enc::BrotliEncoderParams { quality: 11, lgwin: WINDOW, ..Default::default() };
    let mut packed = Vec::new();
    brotli::BrotliCompress(&mut &*plain, &mut packed, &params)?;
    Ok(packed)
}
