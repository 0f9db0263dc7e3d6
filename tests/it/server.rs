//! A panel in a process of its own: the real binary over a real file, killed and started at will.
//!
//! Also the shop it sells from, and connections that keep it busy.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use panelite::clock;
use panelite::domain::money::Money;
use tempfile::TempDir;

use crate::http::{self, Reply};
use crate::panel::{cli, stderr, stdout};

const CSV: &str = "id,category,name,type,rate,min,max,dripfeed,refill,cancel,provider,provider_service,description
1,Likes,Fast likes,Default,2.50,10,100000,0,0,1,,,
";
const DEPOSIT: i64 = 1_000_000;
const QUANTITY: i64 = 100;
/// What one order of [`QUANTITY`] costs.
const PRICE_MICROS: i64 = 250_000;

/// A running server.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// What makes the first admin.
    pub(crate) setup_link: Option<String>,
    /// From the start of the process to its first answer.
    pub(crate) ready_after: Duration,
}

impl Server {
    /// Starts `serve` on a file and waits until it answers.
    pub(crate) fn start(db: &Path) -> Self {
        Self::start_with(db, &[])
    }

    /// The same with more in its environment.
    pub(crate) fn start_with(db: &Path, environment: &[(&str, &str)]) -> Self {
        Self::ready(clock::instant(), spawn(db, environment))
    }

    /// Starts `serve` on a file and keeps all it logs in another.
    pub(crate) fn start_logging(db: &Path, log: &Path) -> Self {
        let log = File::create(log).unwrap();
        let mut command = command(db, &[("PANELITE_LOG", "trace")]);
        Self::ready(clock::instant(), command.stderr(log).spawn().unwrap())
    }

    fn ready(started: Instant, mut child: Child) -> Self {
        let (address, setup_link) = first_words(&mut child);
        let reply = http::send(address, "GET", "/healthz", &[], b"");
        assert_eq!(reply.status, 200, "not healthy: {}", reply.text());
        Self { child, address, setup_link, ready_after: started.elapsed() }
    }

    /// Kills the process where it stands.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks the process to end, and waits until it has.
    pub(crate) fn terminate(mut self) -> ExitStatus {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap()
    }

    /// Waits until the process ends by itself.
    pub(crate) fn wait(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Whether the process is still there.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already dead where the test has ended it; a failed test must not leave it behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts the process.
pub(crate) fn spawn(db: &Path, environment: &[(&str, &str)]) -> Child {
    command(db, environment).spawn().unwrap()
}

fn command(db: &Path, environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_panelite"));
    command
        .env("PANELITE_DB", db)
        .env("PANELITE_LOG", "off")
        .envs(environment.iter().copied())
        .args(["serve", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped());
    command
}

/// Reads what a server says first: where it listens, and how to make the first admin.
fn first_words(child: &mut Child) -> (SocketAddr, Option<String>) {
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let lines: Vec<String> = output.by_ref().lines().take(3).map(Result::unwrap).collect();
    child.stdout = Some(output.into_inner()); // what it still has to say must have a reader
    let address = lines.iter().find_map(|line| {
        let rest = line.split_once("http://")?.1;
        rest.split('/').next()?.parse().ok()
    });
    let link = lines.iter().find_map(|line| Some(line.split_once("30 minutes: ")?.1.to_owned()));
    (address.expect("the server did not say where it listens"), link)
}

/// A file with one service and one rich reseller, who may ask as often as he likes.
pub(crate) struct Shop {
    pub(crate) folder: TempDir,
    pub(crate) db: PathBuf,
    pub(crate) key: String,
}

impl Shop {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = folder.path().join("panel.db");
        let csv = folder.path().join("services.csv");
        std::fs::write(&csv, CSV).unwrap();
        let run = |args: &[&str]| {
            let output = cli(&db, args);
            assert!(output.status.success(), "{args:?}: {}", stderr(&output));
            stdout(&output).trim().to_owned()
        };
        run(&["user", "create", "rich"]);
        run(&["user", "deposit", "rich", &DEPOSIT.to_string()]);
        run(&["service", "import", csv.to_str().unwrap()]);
        run(&["setting", "set", "key_rate", "0"]);
        let key = run(&["key", "create", "rich"]);
        Self { folder, db, key }
    }

    /// How many orders the reseller's balance has paid for.
    pub(crate) fn orders_paid(&self) -> usize {
        let output = cli(&self.db, &["user", "list", "--json"]);
        let user: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let balance = Money::parse(user["balance"].as_str().unwrap()).unwrap();
        let spent = DEPOSIT * 1_000_000 - balance.micros();
        assert_eq!(spent % PRICE_MICROS, 0, "{spent} is not the price of whole orders");
        usize::try_from(spent / PRICE_MICROS).unwrap()
    }

    /// Panics unless the books are sound.
    pub(crate) fn assert_sound(&self) {
        let output = cli(&self.db, &["check"]);
        assert_eq!(stdout(&output), "sound\n", "{}", stderr(&output));
        assert!(output.status.success());
    }

    /// Sends one request, by JSON or as a form, in which `KEY` stands for the key.
    pub(crate) fn ask(&self, address: SocketAddr, body: &str) -> Reply {
        let body = body.replace("KEY", &self.key);
        http::send(address, "POST", "/api/v2", &[], body.as_bytes())
    }
}

/// A connection that stays open and buys.
pub(crate) struct Buyer {
    stream: TcpStream,
    key: String,
}

impl Buyer {
    pub(crate) fn connect(address: SocketAddr, key: &str) -> Self {
        Self { stream: http::connect(address), key: key.to_owned() }
    }

    /// Sends an order and reads the answer; `None` where the connection ends before.
    pub(crate) fn add(&mut self, request_id: &str) -> Option<Reply> {
        let body = format!(
            r#"{{"key":"{}","action":"add","service":1,"link":"https://example.com/p","quantity":{QUANTITY},"request_id":"{request_id}"}}"#,
            self.key
        );
        let head = format!(
            "POST /api/v2 HTTP/1.1\r\nHost: panel\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        self.stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).ok()?;
        let reply = http::read_reply(&mut self.stream)?;
        let length = reply.header("content-length")?.parse().ok();
        (length == Some(reply.body.len())).then_some(reply)
    }

    /// The number of an order that was acknowledged; `None` where the server failed or is gone.
    pub(crate) fn buy(&mut self, request_id: &str) -> Option<i64> {
        let reply = self.add(request_id)?;
        if reply.status >= 500 {
            return None;
        }
        assert_eq!(reply.status, 200, "refused: {}", reply.text());
        Some(reply.json()["order"].as_str().unwrap().parse().unwrap())
    }
}

/// An order as its buyer knows it: the request, and the number if it was acknowledged.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) request_id: String,
    pub(crate) answer: Option<i64>,
}

/// Connections that buy without pause until told to stop or until the server is gone.
pub(crate) struct Load {
    buyers: Vec<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
    sent: Receiver<Sent>,
}

impl Load {
    pub(crate) fn start(shop: &Shop, address: SocketAddr, connections: usize, name: &str) -> Self {
        let (sender, sent) = mpsc::channel();
        let stop = Arc::new(AtomicBool::new(false));
        let buyers = (0..connections).map(|number| {
            let buyer = Buyer::connect(address, &shop.key);
            let (sender, stop) = (sender.clone(), Arc::clone(&stop));
            let name = format!("{name}-{number}");
            std::thread::spawn(move || keep_buying(buyer, &name, &stop, &sender))
        });
        Self { buyers: buyers.collect(), stop, sent }
    }

    /// Waits for so many answers.
    pub(crate) fn wait_for(&self, answers: usize) -> Vec<Sent> {
        self.sent.iter().take(answers).collect()
    }

    /// Tells the buyers to stop, and returns what they sent since.
    pub(crate) fn finish(self) -> Vec<Sent> {
        self.stop.store(true, Ordering::Relaxed);
        self.buyers.into_iter().for_each(|buyer| buyer.join().unwrap());
        self.sent.iter().collect()
    }
}

fn keep_buying(mut buyer: Buyer, name: &str, stop: &AtomicBool, sent: &Sender<Sent>) {
    for number in 0.. {
        let request_id = format!("{name}-{number}");
        let answer = buyer.buy(&request_id);
        let is_gone = answer.is_none();
        let _ = sent.send(Sent { request_id, answer });
        if is_gone || stop.load(Ordering::Relaxed) {
            return;
        }
    }
}
