//! A shop on the cluster: its nodes, and the resellers who buy at both without pause.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use panelite::clock;

use crate::cluster::Cluster;
use crate::http;

const CSV: &str = "id,category,name,type,rate,min,max,dripfeed,refill,cancel
1,Likes,Fast likes,Default,2.50,10,100000,0,0,1
";
/// What a reseller waits who was told to come back.
const PAUSE: Duration = Duration::from_millis(50);
/// How long the next order may be waited for.
const SOON: Duration = Duration::from_secs(180);

/// A panel with one service and one rich reseller.
pub(crate) struct Panel {
    address: String,
    folder: PathBuf,
    key: String,
}

/// A running server.
pub(crate) struct Node {
    child: Child,
    address: SocketAddr,
}

/// An order that was acknowledged.
pub(crate) struct Bought {
    pub(crate) request: String,
    pub(crate) order: i64,
    pub(crate) node: usize,
    pub(crate) at: Instant,
}

/// What a reseller was told besides.
#[derive(Default)]
pub(crate) struct Told {
    /// 503.
    pub(crate) busy: usize,
    /// The connection ended without an answer.
    pub(crate) nothing: usize,
    /// What nobody should be told.
    pub(crate) other: Vec<String>,
}

/// Resellers at all nodes.
pub(crate) struct Load {
    resellers: Vec<JoinHandle<Told>>,
    is_over: Arc<AtomicBool>,
    bought: Receiver<Bought>,
    nodes: usize,
}

impl Panel {
    pub(crate) fn create(cluster: &Cluster) -> Self {
        let folder = cluster.folder().to_owned();
        let mut panel = Self { address: cluster.address(), folder, key: String::new() };
        let csv = panel.folder.join("services.csv");
        std::fs::write(&csv, CSV).unwrap();
        panel.run(&["user", "create", "rich"]);
        panel.run(&["user", "deposit", "rich", "1000000"]);
        panel.run(&["service", "import", csv.to_str().unwrap()]);
        panel.run(&["setting", "set", "key_rate", "0"]);
        panel.key = panel.run(&["key", "create", "rich"]);
        panel
    }

    /// What the panel's command line says.
    pub(crate) fn run(&self, args: &[&str]) -> String {
        let output = self.command().args(args).output().unwrap();
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        assert!(
            output.status.success(),
            "{args:?}: {} {}",
            said(&output.stdout),
            said(&output.stderr)
        );
        said(&output.stdout)
    }

    /// Starts a node and waits until it says where it listens.
    pub(crate) fn serve(&self, name: &str) -> Node {
        let log = File::create(self.folder.join(format!("{name}.log"))).unwrap();
        let mut command = self.command();
        let mut child = command.arg("serve").stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines
            .map_while(Result::ok)
            .find_map(|line| line.split_once("http://")?.1.split('/').next()?.parse().ok());
        Node { child, address: address.expect("the node did not say where it listens") }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_panelite"));
        command
            .env("PANELITE_DB", &self.address)
            .env("PANELITE_KEY_FILE", self.folder.join("panel.key"))
            .env("PANELITE_LISTEN", "127.0.0.1:0")
            .env("PANELITE_LOG", "info");
        command
    }
}

impl Node {
    /// Whether the process is still there.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Load {
    pub(crate) fn start(panel: &Panel, nodes: &[Node], each: usize) -> Self {
        let (sender, bought) = mpsc::channel();
        let is_over = Arc::new(AtomicBool::new(false));
        let places = (0..nodes.len()).flat_map(|node| (0..each).map(move |number| (node, number)));
        let resellers = places.map(|(node, number)| {
            let reseller = Reseller {
                node,
                address: nodes[node].address,
                key: panel.key.clone(),
                name: format!("n{node}r{number}"),
                told: Told::default(),
            };
            let (sender, is_over) = (sender.clone(), Arc::clone(&is_over));
            std::thread::spawn(move || reseller.keep_buying(&sender, &is_over))
        });
        Self { resellers: resellers.collect(), is_over, bought, nodes: nodes.len() }
    }

    /// What has been bought since anybody asked last, and so many orders more at each node.
    pub(crate) fn take(&self, more: usize) -> Vec<Bought> {
        let mut bought: Vec<Bought> = self.bought.try_iter().collect();
        let mut sold = vec![0; self.nodes];
        while sold.iter().any(|count| *count < more) {
            let next = self.bought.recv_timeout(SOON).expect("nobody buys any more");
            sold[next.node] += 1;
            bought.push(next);
        }
        bought
    }

    /// Lets everybody end the order they are at. The last orders, and what each was told.
    pub(crate) fn finish(self) -> (Vec<Bought>, Vec<Told>) {
        self.is_over.store(true, Ordering::Release);
        let told = self.resellers.into_iter().map(|reseller| reseller.join().unwrap()).collect();
        (self.bought.iter().collect(), told)
    }
}

struct Reseller {
    node: usize,
    address: SocketAddr,
    key: String,
    name: String,
    told: Told,
}

impl Reseller {
    /// Buys, and repeats what was not acknowledged under the same request id, until all is over.
    fn keep_buying(mut self, sender: &Sender<Bought>, is_over: &AtomicBool) -> Told {
        let mut stream = http::connect(self.address);
        let mut number = 0;
        while !is_over.load(Ordering::Acquire) {
            let request = format!("{}-{number}", self.name);
            let Some(order) = self.buy(&mut stream, &request) else { break };
            let bought = Bought { request, order, node: self.node, at: clock::instant() };
            sender.send(bought).unwrap();
            number += 1;
        }
        self.told
    }

    /// The number of the order; nothing after an answer that there should not be.
    fn buy(&mut self, stream: &mut TcpStream, request: &str) -> Option<i64> {
        loop {
            match self.ask(stream, request) {
                None => {
                    self.told.nothing += 1;
                    *stream = http::connect(self.address);
                }
                Some(reply) if reply.status == 503 => {
                    self.told.busy += 1;
                    std::thread::sleep(PAUSE);
                }
                Some(reply) => {
                    let order = reply.json()["order"].as_i64();
                    if reply.status != 200 || order.is_none() {
                        self.told.other.push(format!("{} {}", reply.status, reply.text()));
                        return None;
                    }
                    return order;
                }
            }
        }
    }

    fn ask(&self, stream: &mut TcpStream, request: &str) -> Option<http::Reply> {
        let order = "action=add&service=1&link=https://example.com/p&quantity=100";
        let body = format!("key={}&{order}&request_id={request}", self.key);
        let head = format!("POST /api/v2 HTTP/1.1\r\nHost: {}\r\n", self.address);
        let length = format!("Content-Length: {}\r\n\r\n", body.len());
        stream.write_all((head + &length + &body).as_bytes()).ok()?;
        http::read_reply(stream)
    }
}
