//! The pages of an operator with a million orders: each list, each filter it offers, at its
//! beginning, in its middle and at its end.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use panelite::clock::{self, Clock};
use panelite::secret::KeyHash;
use rusqlite::{Connection, params};

use crate::process::Server;
use crate::shop::Shop;

const TOKEN: &str = "abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst";
/// Looks at each page, after the ones that nobody counts.
const LOOKS: usize = 40;
const WARMUP: usize = 3;

/// Where the lists are, and what may be filtered. A list goes on at `older=`.
const LISTS: &[&str] = &[
    "/admin/orders?",
    "/admin/orders?state=pending",
    "/admin/orders?state=completed",
    "/admin/orders?user=1",
    "/admin/orders?user=900&state=completed",
    "/admin/orders?user=1001",
    "/admin/orders?service=7",
    "/admin/orders?service=7&state=pending",
    "/admin/orders?link=https%3A%2F%2Fexample.com%2Fposts%2F7",
    "/admin/orders?q=5+500+5000+50000+500000",
    "/admin/orders?size=200",
    "/admin/users?",
    "/admin/users/1?",
    "/admin/ledger?",
    "/admin/ledger?kind=charge",
    "/admin/ledger?kind=deposit",
    "/admin/ledger?user=user+1",
    "/admin/ledger?user=user+1&kind=deposit",
    "/admin/ledger?from=2026-01-01&to=2026-01-02",
    "/admin/ledger?order=500000",
    "/admin/ledger?reference=none",
    "/admin/keys?",
    "/admin/keys?state=unused",
    "/admin/refills?state=all",
    "/admin/refills/cancels?",
    "/admin/services?",
    "/admin/services?state=disabled",
    "/admin/services?q=likes",
    "/admin/services?q=nothing",
    "/admin/audit?",
];

/// How long each page takes, in milliseconds: the middle one of its looks, the longest but for one
/// in a hundred. Where there are two shops, the old program's is the second, looked at in turn.
pub(crate) fn print(shops: &[&Shop], folder: &std::path::Path) {
    let serve = |(number, shop): (usize, &&Shop)| {
        let db = shop.copy(folder, &format!("pages-{number}"));
        log_in(&db);
        let server = shop.program.serve(&db);
        server.settle();
        server
    };
    let servers: Vec<Server> = shops.iter().enumerate().map(serve).collect();
    let mut browsers: Vec<Browser> = servers.iter().map(Browser::new).collect();
    let orders = shops[0].orders();
    let columns = "     p50      p99".repeat(shops.len());
    println!("\n{:<52}{columns}", format!("pages with {orders} orders, ms (new, old)"));
    let dashboard = look(&mut browsers, "/admin");
    print_line("/admin", &dashboard);
    let mut all: Vec<Vec<f64>> = vec![Vec::new(); shops.len()];
    for list in LISTS {
        for from in [None, Some(orders / 2), Some(60)] {
            let from = from.map(|id| format!("&older={id}")).unwrap_or_default();
            let looks = look(&mut browsers, &format!("{list}{from}"));
            print_line(&format!("{list}{from}"), &looks);
            for (all, looks) in all.iter_mut().zip(looks) {
                all.extend(looks);
            }
        }
    }
    for looks in &mut all {
        looks.sort_by(f64::total_cmp);
    }
    print_line("all lists", &all);
    for (name, looks, of_thousand, most) in [
        ("a list, p50", &all, 500, 5.0),
        ("a list, p99", &all, 990, 25.0),
        ("the dashboard, p50", &dashboard, 500, 10.0),
    ] {
        let figure = at(&looks[0], of_thousand);
        let word = if figure <= most { "holds" } else { "MISSED" };
        let old = looks.get(1).map(|old| figure / at(old, of_thousand));
        let old = old.map(|ratio| format!("; new / old {ratio:.2}")).unwrap_or_default();
        println!("{name}: {figure:.2} ms, at most {most:.0}: {word}{old}");
    }
}

fn print_line(name: &str, looks: &[Vec<f64>]) {
    print!("{name:<52}");
    for looks in looks {
        print!(" {:>7.2} {:>8.2}", at(looks, 500), at(looks, 990));
    }
    println!();
}

/// Looks at a page again and again, in every browser in turn; says how long each took, sorted.
fn look(browsers: &mut [Browser], path: &str) -> Vec<Vec<f64>> {
    let mut all: Vec<Vec<f64>> = vec![Vec::with_capacity(LOOKS); browsers.len()];
    for look in 0..WARMUP + LOOKS {
        for (browser, looks) in browsers.iter_mut().zip(&mut all) {
            let started = clock::instant();
            browser.get(path);
            if look >= WARMUP {
                looks.push(started.elapsed().as_secs_f64() * 1000.0);
            }
        }
    }
    for looks in &mut all {
        looks.sort_by(f64::total_cmp);
    }
    all
}

/// What so many of a thousand sorted figures stay below.
fn at(looks: &[f64], of_thousand: usize) -> f64 {
    looks[(looks.len() * of_thousand / 1000).min(looks.len() - 1)]
}

/// An admin whose browser has a session.
fn log_in(db: &std::path::Path) {
    let conn = Connection::open(db).unwrap();
    let now = Clock::System.now().0;
    let admin = "INSERT INTO admins (id, name, password_hash, created_at) VALUES (1, 'a', '', $1)";
    conn.execute(admin, [now]).unwrap();
    conn.execute(
        "INSERT INTO sessions (admin_id, token_hash, is_half, address, agent, created_at, seen_at,
                               proved_at)
         VALUES (1, $1, 0, '127.0.0.1', 'bench', $2, $2, $2)",
        params![KeyHash::of(TOKEN).0, now],
    )
    .unwrap();
}

/// One connection, kept.
struct Browser {
    stream: BufReader<TcpStream>,
}

impl Browser {
    fn new(server: &Server) -> Self {
        let stream = TcpStream::connect(server.address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    fn get(&mut self, path: &str) {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: panel.example.com\r\nAccept-Encoding: gzip\r\n\
             Cookie: __Host-panelite={TOKEN}\r\n\r\n"
        );
        self.stream.get_mut().write_all(request.as_bytes()).unwrap();
        let (mut line, mut status) = (String::new(), String::new());
        let mut length = None;
        loop {
            line.clear();
            self.stream.read_line(&mut line).unwrap();
            if status.is_empty() {
                status.clone_from(&line);
            }
            let text = line.trim_end().to_ascii_lowercase();
            if let Some(value) = text.strip_prefix("content-length: ") {
                length = Some(value.parse().unwrap());
            }
            if text.is_empty() {
                break;
            }
        }
        assert!(status.contains(" 200 "), "{path}: {status}");
        match length {
            Some(length) => self.read(length),
            None => self.read_chunks(),
        }
    }

    fn read(&mut self, length: u64) {
        let read = std::io::copy(&mut self.stream.by_ref().take(length), &mut std::io::sink());
        assert_eq!(read.unwrap(), length);
    }

    fn read_chunks(&mut self) {
        let mut line = String::new();
        loop {
            line.clear();
            self.stream.read_line(&mut line).unwrap();
            let length = u64::from_str_radix(line.trim_end(), 16).unwrap();
            self.read(length + 2); // and the line's end
            if length == 0 {
                return;
            }
        }
    }
}
