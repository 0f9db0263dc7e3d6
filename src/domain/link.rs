//! What a link is a link to, however it was pasted.
//!
//! The same post is copied with and without a scheme, `www.` and what networks append to see who
//! shared it. [`key`] is equal for all of those, [`shown`] is short and still says which post. Both
//! keep what may tell two posts apart: the case of the path, every parameter nobody knows. A key is
//! kept with its order and proved by `check`, so whatever changes a key is a migration.

use std::borrow::Cow;

/// Bytes of a key at most. Longer ones are cut: what is found by them is compared with the link.
const KEY_BYTES_MAX: usize = 200;

/// Names of query parameters that say how a link was passed on, never what it leads to: in no
/// network's addresses does one of them tell posts apart. `t`, `s`, `id`, `p` and the like do.
const TRACKING: &[&str] = &[
    "__tn__",
    "_branch_match_id",
    "_ga",
    "_gl",
    "_hsenc",
    "_hsmi",
    "_r",
    "_rdc",
    "_rdr",
    "_t",
    "ab_channel",
    "dclid",
    "dlsi",
    "extid",
    "fbclid",
    "feature",
    "fref",
    "gad_source",
    "gbraid",
    "gclid",
    "gclsrc",
    "hc_location",
    "hc_ref",
    "ig_mid",
    "ig_rid",
    "igsh",
    "igshid",
    "is_copy_url",
    "is_from_webapp",
    "li_fat_id",
    "lipi",
    "mc_cid",
    "mc_eid",
    "mibextid",
    "msclkid",
    "notif_id",
    "notif_t",
    "paipv",
    "rcm",
    "rdid",
    "ref",
    "ref_src",
    "ref_url",
    "refsrc",
    "sender_device",
    "sender_web_id",
    "sfnsn",
    "share_app_id",
    "share_id",
    "share_item_id",
    "share_link_id",
    "share_url",
    "si",
    "social_share_type",
    "srsltid",
    "trackingid",
    "trk",
    "tt_from",
    "ttclid",
    "twclid",
    "u_code",
    "ugbiz_name",
    "wbraid",
    "web_id",
    "wtsid",
    "xmt",
    "yclid",
];

/// How the names of whole families of such parameters begin.
const TRACKING_STARTS: &[&str] = &["utm_", "__cft__", "__xts__", "mtm_"];

/// What is tracking at one network only; elsewhere it may be the post's number.
const TRACKING_AT: &[(&str, &[&str])] = &[
    ("instagram.com", &["hl"]),
    ("threads.net", &["slof"]),
    ("threads.com", &["slof"]),
    ("tiktok.com", &["enter_method", "lang", "t"]),
    ("x.com", &["lang", "s", "t"]),
    ("youtube.com", &["app", "hl", "pp", "t"]),
];

/// Names of hosts that lead to the same paths of another one. `m.` is no rule: of a host that is
/// not known, nobody can say whether its `m.` shows the same.
const HOSTS: &[(&str, &str)] = &[
    ("m.facebook.com", "facebook.com"),
    ("m.tiktok.com", "tiktok.com"),
    ("m.vk.com", "vk.com"),
    ("m.youtube.com", "youtube.com"),
    ("mobile.twitter.com", "x.com"),
    ("mobile.x.com", "x.com"),
    ("telegram.me", "t.me"),
    ("twitter.com", "x.com"),
];

/// A link in its parts.
struct Parts<'a> {
    /// In small letters, with its port where that is not the usual one.
    host: String,
    /// With its leading slash, without trailing ones.
    path: &'a str,
    /// The parameters that may tell posts apart, as they came.
    query: Vec<&'a str>,
}

/// The link for people: host, path and what identifies in the query. What is no link, a user name
/// say, is itself.
pub fn shown(link: &str) -> Cow<'_, str> {
    match Parts::of(link.trim()) {
        Some(parts) => Cow::Owned(parts.text()),
        None => Cow::Borrowed(link.trim()),
    }
}

/// What is equal for all ways to paste the same link, and begins alike for what it begins with; at
/// most 200 bytes. What is no link is its own key in its own case: it may be a post's bare id.
pub fn key(link: &str) -> String {
    let mut key = match Parts::of(link.trim()) {
        Some(parts) => parts.canonical().text(),
        None => link.trim().to_owned(),
    };
    key.truncate(key.floor_char_boundary(KEY_BYTES_MAX));
    key
}

impl<'a> Parts<'a> {
    /// `None` for what is no link of the web. Without a scheme, only a host with a dot is one; so a
    /// user name with a dot loses its case, which no network has in its names.
    fn of(text: &'a str) -> Option<Self> {
        let (rest, has_scheme) = match text.split_once("://") {
            Some((scheme, rest)) => (rest, is_web(scheme).then_some(true)?),
            None => (text, false),
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = host(authority).filter(|host| has_scheme || host.contains(['.', ']']))?;

        let known = other_name(&host).unwrap_or(&host);
        let query = query.split('&').filter(|parameter| !is_tracking(known, parameter)).collect();
        Some(Self { path: path.trim_end_matches('/'), query, host })
    }

    /// The same in the one spelling that keys have.
    fn canonical(mut self) -> Self {
        self.query.sort_unstable();
        if let Some(known) = other_name(&self.host) {
            known.clone_into(&mut self.host);
        }
        self
    }

    fn text(&self) -> String {
        let mut text = self.host.clone();
        text.push_str(self.path);
        for (at, parameter) in self.query.iter().enumerate() {
            text.push(if at == 0 { '?' } else { '&' });
            text.push_str(parameter);
        }
        text
    }
}

/// Whether a browser goes there: `http` or `https`.
pub fn is_web(scheme: &str) -> bool {
    ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
}

/// Whether it is a link of the web that was pasted without its scheme: a host with a dot, then a
/// path or a query, or `www.` before it. A host alone may as well be a user's name.
pub fn is_bare(link: &str) -> bool {
    let link = link.trim();
    let has_www = link.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("www."));
    !link.contains("://")
        && Parts::of(link)
            .is_some_and(|parts| has_www || !parts.path.is_empty() || !parts.query.is_empty())
}

/// The host in small letters, without `www.` and a port that goes without saying. `None` where it
/// cannot be one.
fn host(authority: &str) -> Option<String> {
    let name_end = authority.find(']').map_or(0, |bracket| bracket + 1);
    let port_at = authority[name_end..].find(':').map(|colon| name_end + colon);
    let (name, port) = authority.split_at(port_at.unwrap_or(authority.len()));
    let is_address = name.starts_with('[') && name.ends_with(']');
    let is_name = name.split('.').all(|label| {
        !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
    });
    if !(is_name || is_address) || !port.chars().skip(1).all(|c| c.is_ascii_digit()) {
        return None;
    }
    let port = if matches!(port, ":" | ":80" | ":443") { "" } else { port };
    let has_www = name.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("www."));
    let mut host = name[if has_www { 4 } else { 0 }..].to_lowercase();
    host.push_str(port);
    Some(host)
}

/// The host that a host is another name of.
fn other_name(host: &str) -> Option<&'static str> {
    HOSTS.iter().find(|(name, _)| *name == host).map(|(_, known)| *known)
}

/// Whether a parameter of a query, its name with or without a value, says nothing of the post.
fn is_tracking(host: &str, parameter: &str) -> bool {
    let name = parameter.split('=').next().unwrap_or_default();
    let is = |known: &&str| name.eq_ignore_ascii_case(known);
    let starts = |known: &&str| {
        name.get(..known.len()).is_some_and(|start| start.eq_ignore_ascii_case(known))
    };
    let is_at = |(at, names): &(&str, &[&str])| host == *at && names.iter().any(is);
    parameter.is_empty()
        || TRACKING.iter().any(is)
        || TRACKING_STARTS.iter().any(starts)
        || TRACKING_AT.iter().any(is_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ways to paste, and the one key that all on a line have.
    const SAME: &[(&str, &[&str])] = &[
        (
            "instagram.com/reel/DBiNWFlZA-x",
            &[
                "https://www.instagram.com/reel/DBiNWFlZA-x/?igsh=MzRlODBiNWFlZA==",
                "http://instagram.com/reel/DBiNWFlZA-x",
                "instagram.com/reel/DBiNWFlZA-x/",
                "www.Instagram.com/reel/DBiNWFlZA-x///",
                "HTTPS://WWW.INSTAGRAM.COM:443/reel/DBiNWFlZA-x?",
                "https://www.instagram.com:80/reel/DBiNWFlZA-x/?utm_source=ig_web&hl=en#comments",
                "  https://instagram.com/reel/DBiNWFlZA-x?IGSHID=a&&UTM_Medium=b&fbclid  ",
            ],
        ),
        (
            "youtube.com/watch?list=PL1&v=aQw4w9WgXcQ",
            &[
                "https://www.youtube.com/watch?v=aQw4w9WgXcQ&list=PL1",
                "https://m.youtube.com/watch?list=PL1&v=aQw4w9WgXcQ&t=30s",
                "youtube.com/watch/?si=x&list=PL1&feature=share&v=aQw4w9WgXcQ&pp=y",
            ],
        ),
        (
            "youtu.be/aQw4w9WgXcQ",
            &["https://youtu.be/aQw4w9WgXcQ?si=6Ej-x", "YOUTU.BE/aQw4w9WgXcQ"],
        ),
        (
            "tiktok.com/@ann/video/7301",
            &[
                "https://www.tiktok.com/@ann/video/7301?is_from_webapp=1&sender_device=pc&web_id=7",
                "https://m.tiktok.com/@ann/video/7301?_r=1&_t=8h&share_link_id=1",
            ],
        ),
        (
            "x.com/ann/status/1",
            &["https://twitter.com/ann/status/1?s=20&t=abc", "X.com/ann/status/1"],
        ),
        (
            "t.me/panelite/42?single",
            &["https://t.me/panelite/42?single", "telegram.me/panelite/42?single"],
        ),
        ("facebook.com/p", &["https://m.facebook.com/p?mibextid=a&__cft__[0]=b&__tn__=c"]),
        ("forum.example/topic?t=12", &["http://forum.example/topic?t=12&ref=x"]),
        ("m.example.com/p", &["https://m.example.com/p/"]),
        ("example.com:8080/p", &["http://www.example.com:8080/p"]),
        ("[2001:db8::1]:8080/p?a=1&b=2", &["http://[2001:DB8::1]:8080/p?b=2&a=1"]),
        ("[2001:db8::1]/p", &["http://[2001:db8::1]:80/p"]),
        ("bücher.example", &["https://BÜCHER.example/"]),
        ("localhost/P", &["http://localhost/P"]),
        ("ann.smith", &["Ann.Smith", "ann.smith/"]),
    ];

    /// What is no link is its own key.
    const THEMSELVES: &[&str] = &[
        "Ann",
        "@Ann.Smith",
        "dQw4w9WgXcQ",
        "?",
        "",
        "https://",
        "tg://resolve?domain=Ann&utm_source=x",
        "ann@Example.com",
        "a..b/C/",
        "example.com:port/P/",
        "two words.here",
    ];

    #[test]
    fn one_post_has_one_key_however_it_is_pasted() {
        for (wanted, links) in SAME {
            for link in *links {
                assert_eq!(key(link), *wanted, "{link}");
                assert_eq!(key(&shown(link)), *wanted, "{link}, as it is shown");
            }
            assert_eq!(key(wanted), *wanted);
        }
        for text in THEMSELVES {
            assert_eq!((key(text), shown(text)), ((*text).to_owned(), Cow::Borrowed(*text)));
        }
    }

    #[test]
    fn two_posts_have_two_keys() {
        let pairs = [
            ("https://www.youtube.com/watch?v=A", "https://www.youtube.com/watch?v=B"),
            ("https://www.youtube.com/watch?v=A", "https://www.youtube.com/watch?v=a"),
            ("https://www.instagram.com/p/Cab/", "https://www.instagram.com/p/CAB/"),
            ("https://example.com/?p=1", "https://example.com/?p=2"),
            ("https://example.com/topic?t=1", "https://example.com/topic?t=2"),
            ("https://t.me/ann/42?comment=1", "https://t.me/ann/42?comment=2"),
            ("http://example.com:8080", "http://example.com:8081"),
            ("https://a.example.com/p", "https://example.com/p"),
            ("Ann", "ann"),
        ];
        for (one, other) in pairs {
            assert_ne!(key(one), key(other));
        }
    }

    #[test]
    fn a_key_is_at_most_200_bytes_of_whole_characters() {
        let long = format!("https://example.com/{}", "ü".repeat(500));
        let cut = key(&long);
        assert!(cut.len() == 200 && long.contains(&cut), "{cut}");
        let odd = format!("https://example.com/p{}", "ü".repeat(500));
        assert_eq!(key(&odd).len(), 199);
        assert_eq!(key(&"ü".repeat(500)).len(), 200);
    }

    #[test]
    fn what_is_shown_says_which_post() {
        for (link, wanted) in [
            ("https://www.instagram.com/reel/C1/?igsh=MzRl==", "instagram.com/reel/C1"),
            ("https://m.YouTube.com/watch?v=A&si=x&list=PL1", "m.youtube.com/watch?v=A&list=PL1"),
            ("https://www.example.com/", "example.com"),
            ("@Ann", "@Ann"),
        ] {
            assert_eq!(shown(link), wanted);
        }
    }
}
