//! What all connections share: the shop, the script of misbehavior, and what was counted.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::answer::{Reply, error, list, object, quoted};
use super::modes::{Behavior, Content, Manner, Mode, Shape};
use super::request::Request;
use super::shop::{Answer, No, Shop};

/// Longer than any answer that a client should keep.
const HUGE: usize = 1536 * 1024;
const DEEP: usize = 20_000;
const NOTICES: &str = "<br />\n<b>Notice</b>:  Undefined index: runs in <b>/www/api.php</b> on \
                       line <b>12</b><br />\n";

/// Under one lock, with a bell that rings at every change.
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// The provider at one moment.
pub(super) struct State {
    pub(super) shop: Shop,
    pub(super) script: Script,
    /// Answers that a test has written, by action.
    pub(super) written: BTreeMap<String, String>,
    /// Requests that were read, by action.
    pub(super) calls: BTreeMap<String, usize>,
    pub(super) redirect_hits: usize,
    /// Where redirects lead.
    pub(super) counter: Option<SocketAddr>,
    /// How long every answer takes.
    pub(super) delay: Duration,
}

/// Which mode meets which request: the first that applies, in this order.
#[derive(Default)]
pub(super) struct Script {
    /// For one `add` each.
    pub(super) next: VecDeque<Mode>,
    pub(super) by_action: BTreeMap<String, Mode>,
    pub(super) all: Option<Mode>,
}

impl Shared {
    pub(super) fn new(shop: Shop) -> Self {
        let state = State {
            shop,
            script: Script::default(),
            written: BTreeMap::new(),
            calls: BTreeMap::new(),
            redirect_hits: 0,
            counter: None,
            delay: Duration::ZERO,
        };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks or changes, and wakes everyone who waits for something.
    pub(super) fn change<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let done = act(&mut self.lock());
        self.changed.notify_all();
        done
    }

    /// Waits until something is so, at most so long; whether it is.
    pub(super) fn wait(&self, most: Duration, is_so: impl Fn(&State) -> bool) -> bool {
        let waited = self.changed.wait_timeout_while(self.lock(), most, |state| !is_so(state));
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Waits so long; `None` where that ended before.
    pub(super) fn pause(&self, time: Duration, ends: impl Fn() -> bool) -> Option<()> {
        if self.wait(time, |_| ends()) { None } else { Some(()) }
    }
}

impl State {
    /// Whether nothing is read any more; counts the request then.
    pub(super) fn hangs_before(&mut self) -> bool {
        let hangs = self.script.all.is_some_and(|it| it.behavior().manner == Manner::HangBefore);
        if hangs {
            self.count(super::UNREAD);
        }
        hangs
    }

    fn count(&mut self, action: &str) {
        *self.calls.entry(action.to_owned()).or_default() += 1;
    }

    /// Counts a request, and says how it is met.
    pub(super) fn begin(&mut self, request: &Request) -> Behavior {
        self.count(&request.action);
        let is_add = request.action == "add";
        let script = &mut self.script;
        let next = if is_add { script.next.pop_front() } else { None };
        let scripted = next.or_else(|| script.by_action.get(&request.action).copied());
        let by_link = || {
            let link = request.get("link").or_else(|| request.get("username"));
            link.filter(|_| is_add).and_then(Mode::of_link)
        };
        scripted.or(script.all).or_else(by_link).unwrap_or(Mode::Ok).behavior()
    }

    /// What is answered.
    pub(super) fn reply(&mut self, request: &Request, content: Content) -> Reply {
        if !request.is_at_home {
            return Reply::new(404, error("Not found"));
        }
        match content {
            Content::Honest(shape) => self.honest(request, shape),
            Content::Says { status, header, body } => {
                let header = header.to_owned();
                Reply { status, header, body: body.into() }
            }
            Content::Empty => Reply::new(200, ""),
            Content::Huge => {
                let padding = quoted(&"x".repeat(HUGE));
                let number = self.shop.next_number().to_string();
                Reply::new(200, object(&[("padding", padding), ("order", number)]))
            }
            Content::Deep => {
                Reply::new(200, format!("{}1{}", r#"{"order":"#.repeat(DEEP), "}".repeat(DEEP)))
            }
            Content::Redirect(status) => {
                let to = self.counter.map(|it| format!("Location: http://{it}/api/v2"));
                Reply { status, header: to.unwrap_or_default(), body: Vec::new() }
            }
            // About other actions there is nothing to invent.
            Content::Invented(_) | Content::IdOfAnother if request.action != "add" => {
                self.honest(request, Shape::Plain)
            }
            Content::Invented(body) => {
                let number = self.shop.next_number();
                let body = body.replace("ID", &number.to_string());
                Reply::new(200, body.replace("NEXT", &(number + 1).to_string()))
            }
            Content::IdOfAnother => {
                let first = self.shop.orders.first().map(|order| order.id.as_str());
                Reply::new(200, object(&[("order", first.unwrap_or("null").to_owned())]))
            }
        }
    }

    /// What the shop says, in that shape.
    fn honest(&mut self, request: &Request, shape: Shape) -> Reply {
        if let Some(raw) = self.written.get(&request.action) {
            return Reply::new(200, raw.as_str());
        }
        let Answer { body, added } = match self.shop.answer(request) {
            Ok(answer) => answer,
            Err(no) => return self.refused(&no, request.is_json),
        };
        let body = match (shape, added) {
            (Shape::Error500, _) => return Reply::new(500, error("Internal error")),
            (Shape::Bom, _) => format!("\u{feff}{body}"),
            (Shape::Notices, _) => format!("{NOTICES}{body}"),
            (Shape::In(name), _) => object(&[(name, body)]),
            (Shape::ListOfOne, _) => list(&[body]),
            (Shape::IdText, Some(id)) => {
                let text = if id.starts_with("P-") { id.clone() } else { format!("P-{id}") };
                if let Some(order) = self.shop.order(&id) {
                    order.id.clone_from(&text);
                }
                object(&[("order", quoted(&text))])
            }
            (Shape::IdFloat, Some(id)) => object(&[("order", format!("{id}.0"))]),
            (Shape::Plain | Shape::IdText | Shape::IdFloat, _) => body,
        };
        Reply::new(200, body)
    }

    /// A refusal: 200 as most panels do it, or as a Panelite does it.
    fn refused(&self, no: &No, is_json: bool) -> Reply {
        let body = error(&no.text);
        if !self.shop.knows_own_ids {
            return Reply::new(200, body);
        }
        let header = format!("X-Error-Code: {}", no.code);
        Reply { status: if is_json { no.status } else { 200 }, header, body: body.into() }
    }
}
