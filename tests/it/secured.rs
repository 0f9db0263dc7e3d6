//! A database on another machine: what goes there is encrypted, the server has to prove its name,
//! and what says why not never says the password.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use panelite::clock::Clock;
use panelite::secret::Secret;
use panelite::store::place::{Access, Place};
use panelite::store::{Missing, Store};

use crate::fixture::cluster::Cluster;
use crate::fixture::engine;
use crate::fixture::tls::{pem, tls};

/// A file with an authority's certificate.
fn authority(folder: &Path, name: &str, root: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, pem("CERTIFICATE", root)).unwrap();
    path
}

/// Opens a panel there, and says why not.
fn open(address: &str, ca: &Path, password: &str) -> Result<Store, String> {
    let password = Some(Secret::new(password.to_owned()));
    let access = Access { password, ca: Some(ca.to_owned()) };
    let place = Place::parse(OsStr::new(address), &access).unwrap();
    Store::open(&place, Missing::Create, Clock::System).map_err(|error| error.to_string())
}

#[test]
fn a_server_elsewhere_is_spoken_to_by_tls_alone_and_proves_its_name() {
    let (own, others) = (tls("localhost"), tls("localhost"));
    let cluster = if engine::is_server() { Cluster::start(&own) } else { None };
    let Some(cluster) = cluster else {
        return engine::say_left_out(module_path!(), "there is no server to start");
    };
    let folder = tempfile::tempdir().unwrap();
    let trusted = authority(folder.path(), "own.pem", &own.root);
    let stranger = authority(folder.path(), "others.pem", &others.root);
    let at = |host: &str, mode: &str| {
        format!("postgres://panel@{host}:{}/panel?sslmode={mode}", cluster.port)
    };
    let refusal = |address: &str, ca: &Path, password: &str| {
        let Err(text) = open(address, ca, password) else { panic!("{address} was opened") };
        assert!(!text.contains(password), "{text}");
        text
    };

    let text = refusal(&at("localhost", "require"), &stranger, Cluster::PASSWORD);
    assert!(text.contains("certificate"), "{text}");
    let text = refusal(&at("127.0.0.1", "require"), &trusted, Cluster::PASSWORD);
    assert!(text.contains("certificate"), "{text}");
    let text = refusal(&at("localhost", "require"), &trusted, "another");
    assert!(text.contains("password"), "{text}");
    // It takes nobody by plain text, so whoever comes in has come by TLS.
    let text = refusal(&at("localhost", "disable"), &trusted, Cluster::PASSWORD);
    assert!(text.contains("pg_hba.conf"), "{text}");
    let store = open(&at("localhost", "require"), &trusted, Cluster::PASSWORD).unwrap();
    store.point(|db| db.versions()).unwrap();
}

#[test]
fn a_server_without_tls_is_not_spoken_to_in_plain_text() {
    if !engine::is_server() {
        return engine::say_left_out(module_path!(), "PANELITE_TEST_PG names no server");
    }
    let folder = tempfile::tempdir().unwrap();
    let ca = authority(folder.path(), "ca.pem", &tls("localhost").root);
    let address = engine::server_address();
    let text = open(&format!("{address}?sslmode=require"), &ca, "hush").err().unwrap();
    assert!(text.contains("TLS") && !text.contains("hush"), "{text}");
}
