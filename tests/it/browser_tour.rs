//! A tour of every page as it is seen: light and dark, wide and narrow, by pointer and by keys.
//!
//! The pages come from the table of routes, so a new one is toured before anybody thinks of it.
//! Each is looked at four times: nothing that axe complains of, nothing sideways, nothing in the
//! console, and no more bytes than it may have. The pictures stay in `target/screenshots`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use actix_web::http::Method;
use panelite::admin::{Access, ROUTES, Route};
use panelite::clock;
use panelite::totp::Seed;
use serde_json::{Value, json};

use crate::fixture::browser::{self, Browser, TAB};
use crate::fixture::operator::PASSWORD;
use crate::fixture::panel::Panel;
use crate::fixture::providers::NOWHERE;
use crate::fixture::sample;

/// What the first page of a visitor may weigh, with all that belongs to it, and in how many pieces.
const FIRST_BYTES_MAX: i64 = 45_000;
const FIRST_REQUESTS_MAX: i64 = 8;
/// What any page may weigh after that.
const LATER_BYTES_MAX: i64 = 12_000;
/// Pictures of longer pages are cut.
const PICTURE_HEIGHT_MAX: i64 = 1000;

/// How pages are looked at.
const LOOKS: &[(&str, i64)] = &[("light", 1280), ("dark", 1280), ("dark", 375), ("light", 375)];

/// States of the full shop that are worth a look besides its pages, and how they are answered.
const STATES: &[(&str, i64)] = &[
    ("/admin?range=7", 200),
    ("/admin/nowhere", 404),
    ("/admin/users/999", 404),
    ("/admin/users?q=nobody-is-called-so", 200),
    ("/admin/users?state=suspended", 200),
    ("/admin/orders/999", 404),
    ("/admin/orders?q=999", 200),
    ("/admin/orders?tab=hand", 200),
    ("/admin/orders?tab=hand&hand=loss", 200),
    ("/admin/orders?user=alice&state=completed", 200),
    ("/admin/refills?state=all", 200),
    ("/admin/services?q=nothing-is-called-so", 200),
    ("/admin/services/new?copy=3", 200),
    ("/admin/services?edit=2", 200),
    ("/admin/categories?edit=1", 200),
    ("/admin/services/900", 200),
    ("/admin/providers/2", 200),
    ("/admin/providers/999", 404),
    ("/admin/providers/1/import?q=nothing-is-called-so", 200),
];

/// Complaints, one text each, with the first element each is about. Colors are all that another
/// theme changes.
const AXE: &str = "
    const [isLight, done] = arguments;
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const options = isLight
        ? { runOnly: tags, rules: { 'target-size': { enabled: true } } }
        : { runOnly: { type: 'rule', values: ['color-contrast', 'link-in-text-block'] } };
    axe.run(document, { ...options, resultTypes: ['violations'], preload: false })
        .then((found) => done(found.violations.map(({ id, nodes }) =>
            `${id} (${nodes.length}): ${nodes[0].html} ${nodes[0].failureSummary}`)));
";

/// Tables that are cut off at the right, where nothing can be scrolled: what a column says last, such
/// as a status, would be lost.
const CUT: &str = "
    const right = (it) => it.getBoundingClientRect().right;
    const isCut = (it) => getComputedStyle(it.parentElement).overflowX === 'clip'
        && right(it) > right(it.parentElement) + 1;
    return [...document.querySelectorAll('.table > table')].filter(isCut)
        .map((it) => `cut off: ${it.caption?.textContent}, ${right(it)} px`);
";

/// Has questions asked by pages, as without a script.
const NO_DIALOGS: &str = "
    document.querySelectorAll('[data-ask]').forEach((it) => it.removeAttribute('data-ask'));
";

/// Keeps what would leave by itself, so that it is there as long as it takes to look at it.
const STAY: &str = "
    for (let timer = setTimeout(() => {}); timer > 0; timer -= 1) clearTimeout(timer);
";

/// Bytes, requests and status of the page.
const WEIGH: &str = "
    const [page] = performance.getEntriesByType('navigation');
    const all = [page, ...performance.getEntriesByType('resource')];
    const sent = all.filter((it) => it.transferSize > 0);
    const bytes = sent.reduce((sum, it) => sum + it.transferSize, 0);
    return [bytes, sent.length, page.responseStatus];
";

/// Stands before the first control, notes what gets the focus from now on, and says how often Tab
/// has to be pressed: a day has more stops than one, and parts of the page that scroll have one.
/// Behind the last control stands an end that keeps the focus. A Tab out of the page would take the
/// focus from the window, and in a window without it nothing has a ring until it is given back.
const WALK_BEGINS: &str = "
    const root = document.querySelector('dialog:modal') || document.body;
    document.querySelectorAll('.walk').forEach((it) => it.remove());
    const selector = 'a[href], button, input, select, textarea, summary, [tabindex=\"0\"]';
    const isThere = (it) => !it.disabled && it.type !== 'hidden' && it.checkVisibility();
    window.controls = [...root.querySelectorAll(selector)].filter(isThere);
    const isFirst = !window.visited;
    window.visited = [];
    if (isFirst) document.addEventListener('focusin', ({ target }) => {
        const { outlineStyle, outlineWidth } = getComputedStyle(target);
        const isSeen = outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1;
        window.visited.push({ target, isSeen });
    });
    const [start, end] = [-1, 0].map((tabIndex) =>
        Object.assign(document.createElement('span'), { className: 'walk', tabIndex }));
    end.addEventListener('keydown', (event) => event.preventDefault());
    root.prepend(start);
    root.append(end);
    start.focus();
    window.visited = [];
    const stops = (it) => it.matches('[type=date], [type=time], [type=datetime-local]') ? 7 : 1;
    return controls.reduce((sum, it) => sum + stops(it), 4);
";

/// Complaints about controls that were passed over, out of their order, or without a ring.
const WALK_ENDS: &str = "
    const name = (it) => it ? it.outerHTML.slice(0, 120) : 'nothing';
    const stops = visited.map((it) => it.target).filter((it) => controls.includes(it));
    const wrong = controls.findIndex((it, at) => it !== stops[at]);
    const found = visited.filter((it) => !it.isSeen).map((it) => `no ring: ${name(it.target)}`);
    const passed = `Tab comes to ${name(stops[wrong])}, not to ${name(controls[wrong])}`;
    if (wrong >= 0) found.push(passed);
    const last = document.activeElement;
    if (!last.matches('.walk')) found.push(`Tab does not come to the end, but to ${name(last)}`);
    return found;
";

/// Where we are, and what was found.
struct Tour {
    browser: Browser,
    axe: Option<String>,
    folder: PathBuf,
    /// The panel that is looked at, and what its pictures are called.
    here: String,
    shop: &'static str,
    /// The routes that were looked at.
    seen: BTreeSet<&'static str>,
    pictures: usize,
    wrong: Vec<String>,
}

#[test]
fn every_page_is_sound_in_light_and_dark_wide_and_narrow() {
    let Some(browser) = Browser::start() else { return };
    let started = clock::instant();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("screenshots");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let (axe, here, seen, wrong) = (browser::axe(), String::new(), BTreeSet::new(), Vec::new());
    let mut tour = Tour { browser, axe, folder, here, shop: "", seen, pictures: 0, wrong };

    tour.first_run(&Panel::start());
    tour.full_shop(&sample::shop());

    let unseen = pages().filter(|route| !tour.seen.contains(route.path));
    let unseen: Vec<_> = unseen.map(|route| format!("not looked at: {}", route.path)).collect();
    let Tour { folder, mut wrong, pictures, .. } = tour;
    wrong.extend(unseen);
    let seconds = started.elapsed().as_secs();
    browser::say(&format!("{pictures} pictures, {seconds} s: {}", folder.display()));
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

impl Tour {
    /// From the printed link to a shop with nothing in it.
    fn first_run(&mut self, panel: &Panel) {
        self.enter(panel, "new");
        self.visit("/admin/login", 200);
        let link = panel.setup_link.clone().unwrap();
        self.visit(&link[link.find("/admin").unwrap()..], 200);
        let fields = [("name", "olga"), ("password", PASSWORD), ("again", "x"), ("panel", "North")];
        fields.iter().for_each(|(name, text)| self.browser.fill(&format!("#f-{name}"), text));
        self.browser.leave_by("main button.primary");
        self.survey("setup-refused", 422);
        self.browser.fill("#f-password", PASSWORD);
        self.browser.fill("#f-again", PASSWORD);
        self.browser.leave_by("main button.primary");
        self.survey("setup-done", 200);
        let plain = |path: &str| !path.contains('{');
        self.visit_routes(&[Access::Signed, Access::Proved], plain);
    }

    /// All there is, with something in it.
    fn full_shop(&mut self, panel: &Panel) {
        self.enter(panel, "full");
        self.visit("/admin/login", 200);
        self.log_in("wrong");
        self.survey("login-refused", 422);
        self.log_in(PASSWORD);
        self.visit_routes(&[Access::Signed, Access::Proved], |_| true);
        STATES.iter().for_each(|(path, status)| self.visit(path, *status));
        for order in sample::orders_to_see(panel).into_iter().chain(sample::bought_orders(panel)) {
            self.visit(&format!("/admin/orders/{order}"), 200);
        }
        self.providers();
        self.questions(panel);
        self.codes(panel);
    }

    /// What a provider is asked, and what is decided about it.
    fn providers(&mut self) {
        self.open("/admin/providers/new");
        let fields = [("name", "East"), ("url", NOWHERE), ("key", "a secret")];
        fields.iter().for_each(|(name, text)| self.browser.fill(&format!("#f-{name}"), text));
        self.browser.click("#f-insecure");
        self.browser.leave_by("main button[formaction$='/test']");
        self.survey("provider-tested", 200);
        self.open("/admin/providers/1/import");
        self.browser.click("tbody tr:first-child input");
        self.survey("offers-selected", 200);
        self.browser.leave_by(".bulk button.primary");
        self.survey("import-plan", 200);
        self.open("/admin/orders?tab=hand&hand=unknown");
        self.browser.click("tbody tr:first-child input");
        self.survey("decisions-selected", 200);
        self.browser.click(".bulk button[value=refund]");
        self.browser.until("document.querySelector('dialog#ask:modal form')");
        self.survey("decision-dialog", 200);
    }

    /// Forms that are refused, questions as dialogs and as pages, what is told afterwards.
    fn questions(&mut self, panel: &Panel) {
        self.open("/admin/users/new");
        self.browser.fill("#f-name", "alice");
        self.browser.leave_by("main button.primary");
        self.survey("user-new-refused", 422);
        self.open("/admin/services/1");
        self.browser.fill("#f-min", "9000000000");
        self.browser.fill("#f-rate", "1e3");
        self.browser.leave_by("main button.primary");
        self.survey("service-refused", 422);
        self.open(&format!("/admin/orders/{}", sample::order_under_way(panel)));
        self.browser.fill("#f-remains", "400");
        self.browser.click("button[value=partial]");
        self.browser.until("document.querySelector('dialog#ask:modal form')");
        self.survey("order-partial-dialog", 200);
        self.open("/admin");
        self.browser.press(['?']);
        self.survey("help", 200);
        self.open("/admin");
        self.browser.click(".menu summary");
        self.survey("menu", 200);
        self.open("/admin/users?q=reseller+5");
        self.browser.click("tbody tr:first-child input");
        self.survey("users-selected", 200);
        self.open("/admin/users/2");
        self.browser.fill("#f-amount", "1234.5");
        self.browser.click("form[action$='/funds'] button.primary");
        self.browser.until("document.querySelector('dialog#ask:modal form')");
        self.survey("funds-dialog", 200);
        panel.clock.advance(16 * 60);
        self.open("/admin/users/2");
        self.browser.run(NO_DIALOGS, &[]);
        self.browser.fill("#f-amount", "1234.5");
        self.browser.leave_by("form[action$='/funds'] button.primary");
        self.survey("funds-question", 200);
        self.browser.fill("#f-typed", "1");
        self.browser.fill("#f-proof", "wrong");
        self.browser.run(NO_DIALOGS, &[]);
        self.browser.leave_by("main button.primary");
        self.survey("funds-question-refused", 422);
        self.open("/admin/users/1/keys");
        self.browser.click("form[action$='/keys'] button.primary");
        self.browser.until("document.querySelector('#f-proof')");
        self.survey("password-dialog", 200);
        self.browser.fill("#f-proof", PASSWORD);
        self.browser.click("dialog button.primary");
        self.browser.until("document.querySelector('#key')");
        self.survey("key-shown", 200);
        self.open("/admin/users/3");
        self.browser.leave_by("form[action$='/suspend'] button");
        self.survey("toast-with-undo", 200);
    }

    /// An app for codes, recovery codes, logging in with them.
    fn codes(&mut self, panel: &Panel) {
        self.open("/admin/account/app");
        let seed = Seed::parse(&self.browser.text("#seed").replace(' ', "")).unwrap();
        self.browser.fill("#f-code", "12345");
        self.browser.leave_by("main button.primary");
        self.survey("app-refused", 422);
        self.browser.fill("#f-code", &seed.code(panel.clock.now()));
        self.browser.leave_by("main button.primary");
        self.survey("recovery-codes", 200);
        self.visit("/admin/account", 200);
        self.browser.click(".menu summary");
        self.browser.leave_by("form[action$='/logout'] button");
        self.log_in(PASSWORD);
        self.visit("/admin/login/code", 200);
        self.browser.fill("#f-code", "123456");
        self.browser.leave_by("main button.primary");
        self.survey("login-code-refused", 422);
    }

    fn enter(&mut self, panel: &Panel, shop: &'static str) {
        (self.here, self.shop) = (format!("http://{}", panel.address), shop);
    }

    fn open(&self, path: &str) {
        self.browser.open(&format!("{}{path}", self.here));
    }

    fn log_in(&self, password: &str) {
        self.browser.fill("#f-name", if self.shop == "new" { "olga" } else { sample::ADMIN });
        self.browser.fill("#f-password", password);
        self.browser.leave_by("main button.primary");
    }

    /// Looks at the pages that such people may see.
    fn visit_routes(&mut self, access: &[Access], is_wanted: impl Fn(&str) -> bool) {
        for route in pages() {
            if access.contains(&route.access) && is_wanted(route.path) {
                let parts = route.path.split('/');
                let filled = parts.map(|part| if part.starts_with('{') { "1" } else { part });
                let path = format!("/admin{}", filled.collect::<Vec<_>>().join("/"));
                self.visit(&path, 200);
                self.seen.insert(route.path);
            }
        }
    }

    /// Opens a page twice, as a stranger's first and as one more, and looks around.
    fn visit(&mut self, path: &str, status: i64) {
        self.browser.tell("Network.clearBrowserCache", &json!({}));
        self.open(path);
        let (bytes, requests) = self.weight(status);
        if bytes > FIRST_BYTES_MAX || requests > FIRST_REQUESTS_MAX {
            self.complain(path, format!("a first load of {bytes} bytes, {requests} requests"));
        }
        self.open(path);
        let (bytes, _) = self.weight(status);
        if bytes > LATER_BYTES_MAX {
            self.complain(path, format!("a later load of {bytes} bytes"));
        }
        let bare = path.split('?').next().unwrap();
        let route = ROUTES.iter().find(|route| bare == format!("/admin{}", route.path));
        self.seen.extend(route.map(|route| route.path));
        let is_word = |c: char| c.is_ascii_alphanumeric();
        let name = path.trim_start_matches("/admin").trim_start_matches('/');
        let name = name.split("token=").next().unwrap();
        let name = name.split(|c| !is_word(c)).collect::<Vec<_>>().join("-");
        self.survey(if name.is_empty() { "dashboard" } else { &name }, status);
    }

    fn weight(&mut self, status: i64) -> (i64, i64) {
        let weight = self.browser.run(WEIGH, &[]);
        let part = |at: usize| weight[at].as_i64().unwrap();
        if part(2) != status {
            self.complain("status", format!("{}, not {status}", part(2)));
        }
        (part(0), part(1))
    }

    /// Looks at what is there in every way.
    fn survey(&mut self, name: &str, status: i64) {
        self.browser.run(STAY, &[]);
        if let Some(axe) = &self.axe {
            self.browser.run(axe, &[]);
        }
        for (theme, width) in LOOKS {
            self.put_on(theme, *width);
            let look = format!("{name}.{theme}.{width}");
            if self.axe.is_some() {
                let violations = self.browser.run_async(AXE, &[json!(*theme == "light")]);
                texts(&violations).for_each(|text| self.complain(&look, text));
            }
            let script = "return document.documentElement.scrollWidth";
            let sideways = self.browser.run(script, &[]).as_i64().unwrap();
            if sideways > *width {
                self.complain(&look, format!("{sideways} px wide"));
            }
            let file = self.folder.join(format!("{}-{look}.png", self.shop));
            std::fs::write(file, self.browser.picture(PICTURE_HEIGHT_MAX)).unwrap();
            self.pictures += 1;
        }
        for width in [1024, 1280] {
            self.put_on("light", width);
            let cut = self.browser.run(CUT, &[]);
            texts(&cut).for_each(|text| self.complain(&format!("{name} at {width}"), text));
        }
        self.walk(name);
        let expected = format!("the server responded with a status of {status}");
        let complaints = self.browser.complaints();
        let unexpected = complaints.into_iter().filter(|text| !text.contains(&expected));
        unexpected.for_each(|text| self.complain(name, text));
    }

    fn put_on(&self, theme: &str, width: i64) {
        let features = json!([
            { "name": "prefers-color-scheme", "value": theme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        self.browser.tell("Emulation.setEmulatedMedia", &json!({ "features": features }));
        let is_narrow = width < 500;
        let height = if is_narrow { 740 } else { 900 };
        let size = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_narrow,
        });
        self.browser.tell("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Goes through the page by Tab alone.
    fn walk(&mut self, name: &str) {
        let stops = self.browser.run(WALK_BEGINS, &[]).as_u64().unwrap();
        self.browser.press(std::iter::repeat_n(TAB, usize::try_from(stops).unwrap()));
        let complaints = self.browser.run(WALK_ENDS, &[]);
        texts(&complaints).for_each(|text| self.complain(name, text));
    }

    fn complain(&mut self, about: &str, what: impl Into<String>) {
        self.wrong.push(format!("{}, {about}: {}", self.shop, what.into()));
    }
}

/// All routes that show something, but for files.
fn pages() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().filter(|route| route.method == Method::GET && !route.path.contains('.'))
}

fn texts(list: &Value) -> impl Iterator<Item = String> {
    let list = list.as_array().cloned().unwrap_or_default();
    list.into_iter().map(|text| text.as_str().unwrap_or_default().to_owned())
}
