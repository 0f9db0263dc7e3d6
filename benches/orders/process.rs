//! A server in a process of its own, and what the system says it has used.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use panelite::clock;

pub(crate) const PANELITE: &str = env!("CARGO_BIN_EXE_panelite");
/// Set to a file, makes this very program the naive server on it.
pub(crate) const NAIVE: &str = "ORDERS_BENCH_NAIVE";

pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From the start of the process to its first answer.
    pub(crate) ready_after: Duration,
}

impl Server {
    /// The program we are here to measure.
    pub(crate) fn panelite(db: &Path) -> Self {
        let mut command = Command::new(PANELITE);
        command.env("PANELITE_DB", db).env("PANELITE_LOG", "warn");
        Self::start(command.args(["serve", "--listen", "127.0.0.1:0"]))
    }

    /// Its opponent.
    pub(crate) fn naive(db: &Path) -> Self {
        Self::start(Command::new(std::env::current_exe().unwrap()).env(NAIVE, db))
    }

    fn start(command: &mut Command) -> Self {
        let started = clock::instant();
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let address = output.by_ref().lines().find_map(|line| {
            line.unwrap().split_once("http://")?.1.split('/').next()?.parse().ok()
        });
        let address = address.expect("the server did not say where it listens");
        child.stdout = Some(output.into_inner());
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: bench\r\n\r\n").unwrap();
        assert!(stream.read(&mut [0; 1024]).unwrap() > 0);
        Self { child, address, ready_after: started.elapsed() }
    }

    /// The processor time of all its threads.
    pub(crate) fn cpu(&self) -> Duration {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let nanoseconds = tasks.map(|task| {
            let path = task.unwrap().path().join("schedstat");
            let text = std::fs::read_to_string(path).unwrap_or_default();
            text.split(' ').next().and_then(|used| used.parse().ok()).unwrap_or(0)
        });
        Duration::from_nanos(nanoseconds.sum())
    }

    /// What of its memory is in RAM, in megabytes.
    pub(crate) fn memory_mb(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
    }

    /// Ends it the way an operator does.
    pub(crate) fn stop(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
