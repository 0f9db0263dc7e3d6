//! How the operator is told of conditions: by which channels, under which settings, and how often.
//!
//! Addresses are checked here as far as a typing mistake goes; whether mail arrives there only a
//! test message shows.

use super::words;

/// For how long a condition has to be open before anybody is told: a blip says nothing.
pub const PATIENCE_SECONDS: i64 = 60;
/// So often somebody is told within an hour.
pub const HOURLY_MAX: i64 = 20;
/// A condition that is over for longer is not told as news.
pub const NEWS_SECONDS: i64 = 86_400;
/// To so many addresses mail goes.
const ADDRESSES_MAX: usize = 5;

words! {
    /// A way to the operator.
    pub enum ChannelKind {
        Mail = "Mail",
        Telegram = "Telegram",
    }
}

words! {
    /// How a connection to a mail server is secured. There is no way without.
    pub enum MailTls {
        /// From the first byte, mostly on port 465.
        Implicit = "TLS",
        /// After a word in the clear, mostly on port 587.
        StartTls = "STARTTLS",
    }
}

words! {
    /// What is kept sealed in the table of secrets, by its name there.
    pub enum SecretName {
        MailPassword = "mail_password",
        /// As @BotFather gives it: `123456:ABC…`.
        TelegramToken = "telegram_token",
    }
}

impl SecretName {
    /// Whether a text can be such a secret.
    pub fn check(self, text: &str) -> bool {
        match self {
            Self::MailPassword => {
                (1..=256).contains(&text.len()) && !text.chars().any(super::is_hidden)
            }
            // It becomes a part of an address: nothing in it may lead elsewhere.
            Self::TelegramToken => text.split_once(':').is_some_and(|(bot, rest)| {
                let is_rest = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
                (1..=20).contains(&bot.len())
                    && bot.bytes().all(|byte| byte.is_ascii_digit())
                    && (8..=128).contains(&rest.len())
                    && rest.bytes().all(is_rest)
            }),
        }
    }
}

/// Whether that can be a server's name or address.
pub fn is_host(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b".-:".contains(&byte);
    text.len() <= 253 && !text.starts_with(['-', '.']) && text.bytes().all(is_part)
}

/// Whether that can be the address of a mailbox.
pub fn is_address(text: &str) -> bool {
    let is_odd = |c: char| c.is_whitespace() || super::is_hidden(c) || "<>,;\"()".contains(c);
    let parts = text.rsplit_once('@').filter(|(name, _)| !name.is_empty());
    text.len() <= 254
        && !text.contains(is_odd)
        && parts.is_some_and(|(name, host)| {
            !name.contains('@') && !host.is_empty() && !host.contains(':') && is_host(host)
        })
}

/// The mailboxes of a list with commas; `None` where one of them cannot be, or they are too many.
pub fn addresses(text: &str) -> Option<Vec<&str>> {
    let all: Vec<&str> = text.split(',').map(str::trim).collect();
    let is_sound = all.len() <= ADDRESSES_MAX && all.iter().all(|address| is_address(address));
    is_sound.then_some(all)
}

/// Whether that can be a chat: a number, or `@` and a public name.
pub fn is_chat(text: &str) -> bool {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    match text.strip_prefix('@') {
        Some(name) => (1..=64).contains(&name.len()) && name.bytes().all(is_name),
        None => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            (1..=20).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked_for_mistakes() {
        for (text, is_sound) in [
            ("ops@example.com", true),
            ("ops+panel@mail.example.com", true),
            ("ops@localhost", true),
            ("ops", false),
            ("@example.com", false),
            ("ops@", false),
            ("a@b@example.com", false),
            ("Ops <ops@example.com>", false),
            ("ops@example.com\r\nBcc: x@y.z", false),
            ("", false),
        ] {
            assert_eq!(is_address(text), is_sound, "{text}");
        }
        assert_eq!(addresses("a@b.c, d@e.f"), Some(vec!["a@b.c", "d@e.f"]));
        assert_eq!(addresses("a@b.c,"), None);
        assert_eq!(addresses(&["a@b.c"; 6].join(",")), None);
    }

    #[test]
    fn hosts_chats_and_secrets_are_checked_too() {
        assert!(is_host("mail.example.com") && is_host("10.0.0.1") && is_host("::1"));
        assert!(!is_host("mail example") && !is_host("-mail") && !is_host("mail/x"));
        assert!(is_chat("12345") && is_chat("-1001234567890") && is_chat("@ops_channel"));
        assert!(!is_chat("-") && !is_chat("@") && !is_chat("ops") && !is_chat("1/2"));
        let token = SecretName::TelegramToken;
        assert!(token.check("123456:ABC-def_1234567890"));
        for text in ["", "123456", "123456:short", "1:ABCDEFGH/../x", "x:ABCDEFGHIJ"] {
            assert!(!token.check(text), "{text}");
        }
        assert!(SecretName::MailPassword.check("päss word"));
        assert!(!SecretName::MailPassword.check("") && !SecretName::MailPassword.check("a\nb"));
    }
}
