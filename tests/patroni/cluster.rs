//! Three members of Patroni's on this machine, and the etcd by which they agree who leads. A member
//! is a PostgreSQL and the Patroni that watches it; it dies and comes back as a machine would.
//!
//! Everything lives in one temporary folder. When the cluster is dropped, also by a test that has
//! failed, nothing of it is left; `KEEP=1` leaves the folder, with all logs.

use std::fs::{self, File, Permissions};
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use panelite::clock;
use serde_json::Value;
use tempfile::TempDir;

use crate::debian::{free_port, is_root, programs};
use crate::http;
use crate::processes::{children_of, is_alive, named_by, send};

const PACKAGES: &str = "apt-get install --no-install-recommends \
                        postgresql patroni etcd-server python3-etcd";
const NAMES: [&str; 3] = ["one", "two", "three"];
/// How long anything may take: copying a database to a member that comes back, for one.
const SOON: Duration = Duration::from_secs(180);
const LOOK_EVERY: Duration = Duration::from_millis(100);

pub(crate) struct Cluster {
    folder: TempDir,
    /// Where the server's programs are.
    programs: PathBuf,
    /// Whose the processes are: PostgreSQL refuses to be run by root.
    owner: Option<(u32, u32)>,
    /// Seconds until a leader that is silent is one no more.
    ttl: u64,
    etcd_ports: [u16; 2],
    etcd: Option<Child>,
    members: Vec<Member>,
}

struct Member {
    name: &'static str,
    port: u16,
    api: u16,
    patroni: Option<Child>,
    is_frozen: bool,
}

impl Cluster {
    /// Starts all members and waits until one leads and another has what it has.
    pub(crate) fn start() -> Self {
        let (programs, ttl) = what_is_installed();
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o711)).unwrap();
        let ports: Vec<u16> = (0..2 + 2 * NAMES.len()).map(|_| free_port()).collect();
        let member = |(name, ports): (&&'static str, &[u16])| Member {
            name,
            port: ports[0],
            api: ports[1],
            patroni: None,
            is_frozen: false,
        };
        let members = NAMES.iter().zip(ports[2..].chunks(2)).map(member).collect();
        let etcd_ports = [ports[0], ports[1]];
        let owner = is_root().then(|| (id("-u"), id("-g")));
        let mut cluster = Self { folder, programs, owner, ttl, etcd_ports, etcd: None, members };
        fs::create_dir(cluster.home()).unwrap();
        cluster.give(&cluster.home());
        cluster.etcd = Some(cluster.spawn_etcd());
        for at in 0..NAMES.len() {
            fs::write(cluster.settings(at), cluster.settings_text(at)).unwrap();
            cluster.revive(at);
        }
        cluster.wait_until_whole();
        cluster.tell("postgres", "CREATE ROLE panel LOGIN");
        cluster.tell("postgres", "CREATE DATABASE panel OWNER panel");
        cluster
    }

    pub(crate) fn ttl(&self) -> Duration {
        Duration::from_secs(self.ttl)
    }

    /// What the panel is told: all members, of which it finds the one that leads.
    pub(crate) fn address(&self) -> String {
        let hosts: Vec<_> =
            self.members.iter().map(|member| format!("127.0.0.1:{}", member.port)).collect();
        format!("postgres://panel@{}/panel?target_session_attrs=read-write", hosts.join(","))
    }

    /// A folder for whoever works with the cluster.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn name(&self, member: usize) -> &'static str {
        self.members[member].name
    }

    /// The member that leads, once one does that is none of the dead.
    pub(crate) fn leader(&self) -> usize {
        wait_for("a leader", || {
            let leads =
                |at: &usize| self.ask(*at, "/leader").is_some_and(|reply| reply.status == 200);
            (0..NAMES.len()).find(leads)
        })
    }

    /// Waits until all members are there, one leads and another has all that it has.
    pub(crate) fn wait_until_whole(&self) {
        wait_for("a whole cluster", || self.is_whole().then_some(()));
    }

    /// Stops a member's processes where they are. Whoever connects is let in and hears nothing.
    pub(crate) fn freeze(&mut self, member: usize) {
        self.members[member].is_frozen = true;
        send("-STOP", &self.processes(member));
    }

    /// Kills a member's PostgreSQL, every process of it, and its Patroni.
    pub(crate) fn kill(&mut self, member: usize) {
        let all = self.processes(member);
        let mut patroni = self.members[member].patroni.take().unwrap();
        send("-KILL", &all);
        patroni.wait().unwrap();
        wait_for("the death of a member", || (!all.iter().any(|id| is_alive(*id))).then_some(()));
    }

    /// Starts a member that is dead.
    pub(crate) fn revive(&mut self, member: usize) {
        let mut patroni = self.command(Path::new("patroni"));
        patroni.arg(self.settings(member));
        let log = self.log(self.members[member].name);
        patroni.stdout(log.try_clone().unwrap()).stderr(log);
        self.members[member].patroni = Some(patroni.spawn().unwrap());
        self.members[member].is_frozen = false;
    }

    /// The rows that the leader answers, fields between bars.
    pub(crate) fn tell(&self, database: &str, sql: &str) -> Vec<String> {
        let port = self.members[self.leader()].port.to_string();
        let mut psql = self.command(&self.programs.join("psql"));
        psql.args(["-qAt", "-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-c", sql, database]);
        let output = psql.output().unwrap();
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    fn is_whole(&self) -> bool {
        let alive = (0..NAMES.len()).find_map(|at| self.ask(at, "/cluster"));
        let Some(seen) = alive.map(|reply| reply.json()) else { return false };
        let members = seen["members"].as_array().unwrap();
        let runs = |member: &Value| {
            member["state"].as_str().is_some_and(|it| ["running", "streaming"].contains(&it))
        };
        let count = |role: &str| members.iter().filter(|member| member["role"] == role).count();
        members.len() == NAMES.len()
            && members.iter().all(runs)
            && count("leader") == 1
            && count("sync_standby") == 1
            && count("replica") == 1
    }

    /// What a member's Patroni says; nothing where it is dead or not ready yet.
    fn ask(&self, member: usize, path: &str) -> Option<http::Reply> {
        let Member { api, patroni, is_frozen, .. } = &self.members[member];
        if patroni.is_none() || *is_frozen {
            return None;
        }
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, *api));
        let mut stream = TcpStream::connect(address).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").ok()?;
        http::read_reply(&mut stream)
    }

    fn spawn_etcd(&self) -> Child {
        let [clients, peers] = self.etcd_ports.map(|port| format!("http://127.0.0.1:{port}"));
        let mut etcd = self.command(Path::new("etcd"));
        etcd.args(["--name", "etcd", "--data-dir"]).arg(self.home().join("etcd"));
        etcd.args(["--listen-client-urls", &clients, "--advertise-client-urls", &clients]);
        etcd.args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers]);
        etcd.args(["--initial-cluster", &format!("etcd={peers}")]);
        let log = self.log("etcd");
        etcd.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
    }

    /// What an operator would write, but for the passwords.
    fn settings_text(&self, member: usize) -> String {
        let Member { name, port, api, .. } = self.members[member];
        let (home, programs) = (self.home(), self.programs.display());
        let (home, ttl, etcd) = (home.display(), self.ttl, self.etcd_ports[0]);
        format!(
            "\
scope: panel
name: {name}
restapi: {{listen: '127.0.0.1:{api}', connect_address: '127.0.0.1:{api}'}}
etcd3: {{host: '127.0.0.1:{etcd}'}}
bootstrap:
  dcs:
    ttl: {ttl}
    loop_wait: 3
    retry_timeout: 3
    synchronous_mode: true
    synchronous_mode_strict: true
    postgresql:
      use_pg_rewind: true
  initdb: [{{encoding: UTF8}}, {{locale: C.UTF-8}}, data-checksums]
  pg_hba:
    - local all all trust
    - host all all 127.0.0.1/32 trust
    - host replication all 127.0.0.1/32 trust
postgresql:
  listen: '127.0.0.1:{port}'
  connect_address: '127.0.0.1:{port}'
  data_dir: '{home}/{name}'
  bin_dir: '{programs}'
  pgpass: '{home}/{name}.pgpass'
  authentication:
    superuser: {{username: postgres}}
    replication: {{username: replicator}}
  parameters: {{unix_socket_directories: '{home}'}}
"
        )
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    fn settings(&self, member: usize) -> PathBuf {
        self.home().join(format!("{}.yml", self.members[member].name))
    }

    fn log(&self, name: &str) -> File {
        let path = self.home().join(format!("{name}.log"));
        File::options().create(true).append(true).open(path).unwrap()
    }

    /// The process that all others of a member's PostgreSQL come from.
    fn postmaster(&self, member: usize) -> Option<u32> {
        let file = self.home().join(self.members[member].name).join("postmaster.pid");
        fs::read_to_string(file).ok()?.lines().next()?.parse().ok()
    }

    /// All of a member's that runs.
    fn processes(&self, member: usize) -> Vec<u32> {
        let patroni = self.members[member].patroni.as_ref().map(Child::id);
        let postmaster = self.postmaster(member).unwrap();
        let first = patroni.into_iter().chain([postmaster]);
        first.chain(children_of(postmaster)).collect()
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.home()).env("HOME", self.home()).stdin(Stdio::null());
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command
    }

    fn give(&self, path: &Path) {
        if let Some((user, group)) = self.owner {
            chown(path, Some(user), Some(group)).unwrap();
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let patronis = self.members.iter_mut().filter_map(|member| member.patroni.take());
        for mut child in patronis.chain(self.etcd.take()) {
            let _ = child.kill();
            let _ = child.wait();
        }
        // The servers, and what a Patroni has begun: a copy, a repair.
        let mut left = named_by(self.folder.path());
        left.extend(left.clone().into_iter().flat_map(children_of));
        send("-KILL", &left);
        wait_for("the end", || (!left.iter().any(|id| is_alive(*id))).then_some(()));
        self.folder.disable_cleanup(std::env::var_os("KEEP").is_some());
    }
}

/// Looks until there is what is waited for.
fn wait_for<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let begun = clock::instant();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < SOON, "{what} is not there");
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Where PostgreSQL's programs are, and the shortest life of a leader that Patroni allows.
fn what_is_installed() -> (PathBuf, u64) {
    let says = |program: &str, args: &[&str]| {
        let output = Command::new(program).args(args).output().ok()?;
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    };
    let found = says("etcd", &["--version"])
        .and(says("/usr/bin/python3", &["-c", "import etcd"]))
        .and(programs().zip(says("patroni", &["--version"])));
    let Some((programs, version)) = found else { panic!("something is missing: {PACKAGES}") };
    let mut numbers = version.split([' ', '.']).filter_map(|part| part.trim().parse::<u32>().ok());
    let version = (numbers.next().unwrap(), numbers.next().unwrap());
    (programs, if version < (3, 2) { 10 } else { 20 })
}

fn id(which: &str) -> u32 {
    let output = Command::new("id").args([which, "postgres"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}
