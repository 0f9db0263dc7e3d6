//! The operator: somebody with a browser, as far as HTTP knows one. No script runs here.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use panelite::commands::admins::CreateAdmin;
use panelite::domain::Actor;
use panelite::password::Cost;
use panelite::secret::Secret;

use crate::http::{self, Reply};
use crate::panel::Panel;

/// A good password.
pub(crate) const PASSWORD: &str = "maple under river 9";

/// A browser with its cookies.
#[derive(Clone, Debug)]
pub(crate) struct Operator {
    pub(crate) address: SocketAddr,
    cookies: BTreeMap<String, String>,
    pub(crate) csrf: String,
}

impl Panel {
    /// A new admin, logged in.
    pub(crate) fn operator(&self, name: &str) -> Operator {
        let password_hash = Cost::CHEAP.hash(&Secret::new(PASSWORD.to_owned()));
        let (actor, name) = (Actor::CommandLine, name.to_owned());
        let create = CreateAdmin { actor, name: name.clone(), password_hash };
        self.store().write_blocking(create).unwrap();
        self.log_in(&name)
    }

    /// An admin who is there, in a new browser.
    pub(crate) fn log_in(&self, name: &str) -> Operator {
        let mut operator = self.visitor();
        let reply = operator.post("/admin/login", &[("name", name), ("password", PASSWORD)]);
        assert_eq!(reply.status, 303, "{}", reply.text());
        operator.renew_csrf("/admin/account");
        operator
    }

    /// A browser that has looked at the log-in page.
    pub(crate) fn visitor(&self) -> Operator {
        let (cookies, csrf) = (BTreeMap::new(), String::new());
        let mut operator = Operator { address: self.address, cookies, csrf };
        operator.renew_csrf("/admin/login");
        operator
    }
}

impl Operator {
    /// Looks at a page.
    pub(crate) fn get(&mut self, path: &str) -> Reply {
        self.send("GET", path, &[], "")
    }

    /// Looks at a page that must be there.
    pub(crate) fn see(&mut self, path: &str) -> String {
        let reply = self.get(path);
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        reply.text().to_owned()
    }

    /// Sends a form, as a browser does it.
    pub(crate) fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let mut all = vec![("csrf", self.csrf.clone())];
        all.extend(fields.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let body = encode(&all);
        let origin = format!("http://{}", self.address);
        self.send("POST", path, &[("Sec-Fetch-Site", "same-origin"), ("Origin", &origin)], &body)
    }

    /// Sends a form and confirms what is asked about it; gives the answer after that.
    pub(crate) fn post_and_confirm(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let asked = self.post(path, fields);
        assert_eq!(asked.status, 200, "{}", asked.text());
        let carried = form(asked.text(), path);
        let carried: Vec<_> = carried.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        let reply = self.post(path, &carried);
        assert_eq!(reply.status, 303, "{}", reply.text());
        reply
    }

    /// Sends a request with nothing added but cookies.
    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Reply {
        let pairs = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        let cookies = pairs.collect::<Vec<_>>().join("; ");
        let mut all = vec![("Cookie", cookies.as_str())];
        all.push(("Content-Type", "application/x-www-form-urlencoded"));
        all.extend(headers);
        let reply = http::send(self.address, method, path, &all, body.as_bytes());
        self.keep(&reply);
        reply
    }

    /// Takes the token for forms from a page.
    pub(crate) fn renew_csrf(&mut self, path: &str) {
        let page = self.see(path);
        self.csrf = value_of(&page, "csrf").unwrap_or_else(|| panic!("no token in {page}"));
        assert!(self.csrf.len() >= 16);
    }

    fn keep(&mut self, reply: &Reply) {
        let cookies = reply.headers.iter().filter(|(name, _)| name == "set-cookie");
        for (_, cookie) in cookies {
            let (name, rest) = cookie.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            match rest.contains("Max-Age=0") {
                true => self.cookies.remove(name),
                false => self.cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
    }
}

/// The value of the first field of that name.
pub(crate) fn value_of(html: &str, name: &str) -> Option<String> {
    let at = html.find(&format!("name=\"{name}\" value=\""))?;
    let rest = html[at..].split("value=\"").nth(1)?;
    Some(decode(rest.split('"').next()?))
}

/// The inputs of the form that goes to that path, but its token.
pub(crate) fn form(html: &str, action: &str) -> Vec<(String, String)> {
    let at = html.find(&format!("action=\"{action}\"")).unwrap_or_else(|| {
        panic!("no form for {action} in {html}");
    });
    let form = html[at..].split("</form>").next().unwrap();
    let inputs = form.split("<input").skip(1).filter_map(|input| {
        let tag = input.split('>').next()?;
        let attribute = |name: &str| {
            let rest = tag.split(&format!(" {name}=\"")).nth(1)?;
            Some(decode(rest.split('"').next()?))
        };
        Some((attribute("name")?, attribute("value").unwrap_or_default()))
    });
    inputs.filter(|(name, _)| name != "csrf").collect()
}

/// Text as it is written between quotes in HTML.
pub(crate) fn decode(text: &str) -> String {
    text.replace("&quot;", "\"")
        .replace("&#34;", "\"")
        .replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&#39;", "'")
        .replace("&#38;", "&")
        .replace("&amp;", "&")
}

/// `name=value&…`
pub(crate) fn encode(fields: &[(&str, String)]) -> String {
    let escape = |text: &str| {
        let escape = |byte: u8| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        };
        text.bytes().map(escape).collect::<String>()
    };
    let pairs = fields.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value)));
    pairs.collect::<Vec<_>>().join("&")
}
