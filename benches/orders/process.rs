//! The executables that are measured, their servers in processes of their own, and what the system
//! says these have used.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use panelite::clock;

/// Set to a file, makes this very program the naive server on it.
pub(crate) const NAIVE: &str = "ORDERS_BENCH_NAIVE";

/// An executable of Panelite: the one built with this bench, or an earlier release.
#[derive(Clone)]
pub(crate) struct Program(PathBuf);

impl Program {
    pub(crate) fn ours() -> Self {
        Self(env!("CARGO_BIN_EXE_panelite").into())
    }

    /// Panics where there is no such file: better now than after filling one with a million orders.
    pub(crate) fn at(path: &str) -> Self {
        Self(std::fs::canonicalize(path).unwrap_or_else(|error| panic!("{path}: {error}")))
    }

    /// `panelite --db DB`, still without a subcommand.
    pub(crate) fn command(&self, db: &Path) -> Command {
        let mut command = Command::new(&self.0);
        command.env("PANELITE_LOG", "warn").arg("--db").arg(db);
        command
    }

    /// Changes a setting. Makes the file, in this program's schema, where there is none.
    pub(crate) fn set(&self, db: &Path, key: &str, value: &str) {
        let status = self.command(db).args(["setting", "set", key, value]).status();
        assert!(status.unwrap().success(), "setting {key}");
    }

    /// What this program finds wrong with the books of a file, a line each.
    pub(crate) fn check(&self, db: &Path) -> Vec<String> {
        let output = self.command(db).arg("check").output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!text.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        text.lines().filter(|line| *line != "sound").map(str::to_owned).collect()
    }

    pub(crate) fn serve(&self, db: &Path) -> Server {
        Server::start(self.command(db).args(["serve", "--listen", "127.0.0.1:0"]))
    }

    /// Serves a panel that lives on a server.
    pub(crate) fn serve_with(&self, place: &Path, key: &Path) -> Server {
        let mut command = self.command(place);
        Server::start(command.arg("--key-file").arg(key).args(["serve", "--listen", "127.0.0.1:0"]))
    }

    pub(crate) fn size_mb(&self) -> f64 {
        std::fs::metadata(&self.0).unwrap().len() as f64 / 1e6
    }
}

pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From the start of the process to its first answer.
    pub(crate) ready_after: Duration,
}

impl Server {
    /// The naive opponent.
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

    /// Waits until what a start leaves to do is done.
    pub(crate) fn settle(&self) {
        for _ in 0..100 {
            let before = self.cpu();
            std::thread::sleep(Duration::from_millis(20));
            // A thread that has ended takes its time along.
            if self.cpu().saturating_sub(before) < Duration::from_millis(1) {
                return;
            }
        }
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
