//! A browser: Debian's Chromium, as its chromedriver drives it. One at a time, since two on two
//! cores are slower than one.
//!
//! Where there is none, a test that wants one is skipped and says so past the capture of its
//! output. With `PANELITE_BROWSER=required` it fails instead.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fantoccini::actions::{InputSource as _, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use panelite::clock;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::{self, Runtime};
use url::Url;

const FLAGS: &[&str] = &[
    "--headless",
    "--window-size=1280,900",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
];
const SOON: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(10);

pub(crate) const TAB: char = '\u{e004}';
pub(crate) const ENTER: char = '\u{e007}';
pub(crate) const ESCAPE: char = '\u{e00c}';

static THE_ONLY_ONE: Mutex<()> = Mutex::new(());

/// A browser with one window.
pub(crate) struct Browser {
    client: Client,
    runtime: Runtime,
    _driver: Driver,
    _turn: MutexGuard<'static, ()>,
}

impl Browser {
    /// Waits for its turn and starts. Nothing where there is no browser on this machine.
    pub(crate) fn start() -> Option<Self> {
        for program in ["chromium", "chromedriver"] {
            if Command::new(program).arg("--version").output().is_err() {
                missing(&format!("there is no {program} on this machine"));
                return None;
            }
        }
        let turn = THE_ONLY_ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let driver = Driver::start();
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let wanted = json!({
            "goog:loggingPrefs": { "browser": "ALL" },
            "goog:chromeOptions": { "args": FLAGS },
        });
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(wanted.as_object().unwrap().clone());
        let client = runtime.block_on(builder.connect(&driver.url)).unwrap();
        Some(Self { client, runtime, _driver: driver, _turn: turn })
    }

    #[track_caller]
    fn done<T>(&self, step: impl Future<Output = Result<T, CmdError>>) -> T {
        self.runtime.block_on(step).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Opens a page and waits until it is loaded.
    #[track_caller]
    pub(crate) fn open(&self, url: &str) {
        // The driver may take the page that goes for the one that comes, if their addresses agree.
        self.run("window.isLeft = true", &[]);
        self.done(self.client.goto(url));
        self.until("!window.isLeft");
    }

    /// The path and the query of the page.
    #[track_caller]
    pub(crate) fn path(&self) -> String {
        let url = self.done(self.client.current_url());
        url[url::Position::BeforePath..].to_owned()
    }

    /// Runs a script in the page. `arguments` are those given.
    #[track_caller]
    pub(crate) fn run(&self, script: &str, arguments: &[Value]) -> Value {
        self.done(self.client.execute(script, arguments.to_vec()))
    }

    /// Runs a script that gives its result to the last of its arguments.
    #[track_caller]
    pub(crate) fn run_async(&self, script: &str, arguments: &[Value]) -> Value {
        self.done(self.client.execute_async(script, arguments.to_vec()))
    }

    /// Waits until an expression is true in a page that is loaded, this one or the next.
    #[track_caller]
    pub(crate) fn until(&self, expression: &str) {
        let script = format!("return document.readyState === 'complete' && Boolean({expression})");
        let started = clock::instant();
        let is_so = || {
            // While a page goes, what is asked of it may fail.
            let asked = self.client.execute(&script, Vec::new());
            self.runtime.block_on(asked).is_ok_and(|said| said == json!(true))
        };
        while !is_so() {
            assert!(started.elapsed() < SOON, "not in time at {}: {expression}", self.path());
            self.runtime.block_on(async { tokio::time::sleep(LOOK_EVERY).await });
        }
    }

    /// An element of this page, or of the one that is on its way.
    #[track_caller]
    fn find(&self, css: &str) -> Element {
        let wait = self.client.wait().at_most(SOON).every(LOOK_EVERY);
        let found = self.runtime.block_on(wait.for_element(Locator::Css(css)));
        found.unwrap_or_else(|error| panic!("{css} at {}: {error}", self.path()))
    }

    /// Clicks on what can be seen.
    #[track_caller]
    pub(crate) fn click(&self, css: &str) {
        self.done(self.find(css).click());
    }

    /// Types into a field that is emptied first.
    #[track_caller]
    pub(crate) fn fill(&self, css: &str, text: &str) {
        let field = self.find(css);
        self.done(field.clear());
        self.done(field.send_keys(text));
    }

    /// The text of an element, as far as it can be seen.
    #[track_caller]
    pub(crate) fn text(&self, css: &str) -> String {
        self.done(self.find(css).text())
    }

    /// Presses keys one after the other.
    #[track_caller]
    pub(crate) fn press(&self, keys: impl IntoIterator<Item = char>) {
        let actions = keys.into_iter().fold(KeyActions::new("keys".to_owned()), |all, value| {
            all.then(KeyAction::Down { value }).then(KeyAction::Up { value })
        });
        self.done(self.client.perform_actions(actions));
    }

    /// Speaks with the browser itself.
    #[track_caller]
    pub(crate) fn tell(&self, command: &str, parameters: &Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.done(self.client.issue_cmd(Vendor { path: "goog/cdp/execute", body }))
    }

    /// What the browser complained about since it was last asked.
    #[track_caller]
    pub(crate) fn complaints(&self) -> Vec<String> {
        let body = json!({ "type": "browser" });
        let entries = self.done(self.client.issue_cmd(Vendor { path: "se/log", body }));
        let said = entries.as_array().unwrap().iter().map(|entry| {
            let part = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
            (part("level"), part("message"))
        });
        said.filter(|(level, _)| level != "INFO" && level != "DEBUG")
            .map(|(_, text)| text)
            .collect()
    }

    /// A picture of the page, as a PNG, down to that height.
    #[track_caller]
    pub(crate) fn picture(&self, height_max: i64) -> Vec<u8> {
        let size = "const { clientWidth, scrollHeight } = document.documentElement;
                    return [clientWidth, scrollHeight]";
        let size = self.run(size, &[]);
        let height = size[1].as_i64().unwrap().min(height_max);
        let clip = json!({ "x": 0, "y": 0, "width": size[0], "height": height, "scale": 1 });
        let how = json!({ "clip": clip, "captureBeyondViewport": true, "optimizeForSpeed": true });
        let taken = self.tell("Page.captureScreenshot", &how);
        data_encoding::BASE64.decode(taken["data"].as_str().unwrap().as_bytes()).unwrap()
    }
}

/// A command of this browser that the standard does not know.
#[derive(Debug)]
struct Vendor {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Vendor {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}

/// A running chromedriver with all it has started. It lives as long as its standard input is open,
/// so nothing is left behind, however the tests end.
struct Driver {
    process: Child,
    url: String,
    _output: BufReader<ChildStdout>,
    /// What it writes: profiles of browsers that were not given the time to take them away.
    _folder: TempDir,
}

impl Driver {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new("sh")
            .args(["-c", "chromedriver --port=0 & read -r line; kill -KILL 0"])
            .env("TMPDIR", folder.path())
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let port = output.by_ref().lines().find_map(|line| {
            let line = line.unwrap();
            Some(line.split_once("successfully on port ")?.1.trim_end_matches('.').to_owned())
        });
        let url = format!("http://127.0.0.1:{}", port.expect("chromedriver did not start"));
        Self { process, url, _output: output, _folder: folder }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// The checks of accessibility: axe, which `AXE_JS` names. They are left out without it.
pub(crate) fn axe() -> Option<String> {
    let Some(path) = std::env::var_os("AXE_JS") else {
        missing("AXE_JS does not name axe.min.js, so no page is checked for accessibility");
        return None;
    };
    let script = std::fs::read_to_string(Path::new(&path));
    Some(script.unwrap_or_else(|error| panic!("AXE_JS, {}: {error}", path.display())))
}

/// Says loudly what is not here; fails where it must be.
fn missing(what: &str) {
    let is_required = std::env::var_os("PANELITE_BROWSER").is_some_and(|word| word == "required");
    assert!(!is_required, "{what}");
    say(&format!("SKIPPED: {what}. See \"Tests\" in README.md."));
}

/// Says something that the harness does not keep to itself.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "\n{text}");
}
