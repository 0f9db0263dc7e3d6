//! Who is told of what, and when: against a mail server and a Telegram of our own on loopback.

use panelite::commands::alerts::{SecretChange, SetChannel};
use panelite::commands::conditions::{MuteCondition, SetCondition};
use panelite::delivery::alerts::channels::World;
use panelite::delivery::http::Reach;
use panelite::domain::alert::SecretName;
use panelite::domain::condition::ConditionKind;
use panelite::domain::setting::Setting;
use panelite::domain::{Actor, ConditionId, Timestamp};
use panelite::secret::Sealer;
use panelite::store::{audit, secrets};

use crate::fixture::engine::{self, file_only};
use crate::fixture::mailbox::{Mailbox, PASSWORD, Spoken};
use crate::fixture::panel::{self, Panel, stderr, stdout};
use crate::fixture::telegram::{TOKEN, Telegram};

const KIND: ConditionKind = ConditionKind::Failing;

fn set(panel: &Panel, values: &[(Setting, &str)], (secret, text): (SecretName, &str)) {
    let sealer = Sealer::open(&engine::key_file(panel.db())).unwrap();
    let sealed = sealer.seal(&secrets::seal_place(secret), text.as_bytes());
    let values = values.iter().map(|(setting, value)| (*setting, (*value).to_owned())).collect();
    let (actor, change) = (Actor::CommandLine, SecretChange::Replace(sealed));
    panel.store().write_blocking(SetChannel { actor, values, secret, change }).unwrap();
}

fn set_mail(panel: &Panel, mailbox: &Mailbox, (tls, password): (&str, &str)) {
    let values = [
        (Setting::MailHost, "localhost"),
        (Setting::MailPort, &*mailbox.port.to_string()),
        (Setting::MailTls, tls),
        (Setting::MailUser, "panel"),
        (Setting::MailFrom, "panel@example.com"),
        (Setting::MailTo, "olga@example.com, omar@example.com"),
    ];
    set(panel, &values, (SecretName::MailPassword, password));
    let reach = Reach { is_insecure: true, root: Some(mailbox.root()) };
    panel.delivery().pretend(World { reach, ..World::default() });
}

fn set_telegram(panel: &Panel, telegram: &Telegram) {
    set(panel, &[(Setting::TelegramChat, "-100200")], (SecretName::TelegramToken, TOKEN));
    let reach = Reach { is_insecure: true, root: None };
    let telegram = telegram.url.clone();
    panel.delivery().pretend(World { telegram, reach, ..World::default() });
}

/// A panel that tells by Telegram.
fn start() -> (Panel, Telegram) {
    let (panel, telegram) = (Panel::start(), Telegram::start());
    set_telegram(&panel, &telegram);
    (panel, telegram)
}

fn raise(panel: &Panel, number: i64) {
    let (subject, text) = (format!("order {number}"), Some("It does not answer".to_owned()));
    panel.store().write_blocking(SetCondition { kind: KIND, subject, text }).unwrap();
}

fn clear(panel: &Panel, number: i64) {
    let subject = format!("order {number}");
    panel.store().write_blocking(SetCondition { kind: KIND, subject, text: None }).unwrap();
}

fn after(panel: &Panel, seconds: i64) {
    panel.clock.advance(seconds);
    panel.deliver();
}

#[test]
fn a_raise_is_told_once_and_a_clear_is_told_once() {
    let (panel, telegram) = start();
    raise(&panel, 7);
    after(&panel, 59);
    assert!(telegram.texts().is_empty(), "it may be a blip");
    after(&panel, 1);
    let (path, body) = telegram.messages().remove(0);
    assert_eq!(path, format!("/bot{TOKEN}/sendMessage"));
    assert_eq!(body["chat_id"], "-100200");
    let text = "[Panelite] Failing: order 7\n\nRaised:\n- Failing, order 7: It does not answer, \
                since 2026-01-01 00:00 UTC\n\nThe page Alerts of the panel shows everything.\n";
    assert_eq!(body["text"], text);
    for _ in 0..5 {
        after(&panel, 700);
    }
    assert_eq!(telegram.texts().len(), 1, "once");

    clear(&panel, 7);
    after(&panel, 10);
    assert!(telegram.texts()[1].starts_with("[Panelite] Over: Failing: order 7\n\nOver:\n- "));
    after(&panel, 4000);
    assert_eq!(telegram.texts().len(), 2, "once");
    let panel = panel.restarted();
    set_telegram(&panel, &telegram);
    after(&panel, 100);
    assert_eq!(telegram.texts().len(), 2, "also after a restart");
}

#[test]
fn a_blip_says_nothing_and_what_waits_is_told_together() {
    let (panel, telegram) = start();
    raise(&panel, 1);
    after(&panel, 30);
    clear(&panel, 1);
    after(&panel, 100);
    assert!(telegram.texts().is_empty());

    for number in 1..=40 {
        raise(&panel, number);
    }
    after(&panel, 60);
    let texts = telegram.texts();
    assert_eq!(texts.len(), 1);
    assert!(texts[0].starts_with("[Panelite] 40 alerts\n"), "{}", texts[0]);
    assert!(texts[0].contains("- and 10 more\n"), "{}", texts[0]);
    clear(&panel, 1);
    clear(&panel, 2);
    raise(&panel, 41);
    after(&panel, 60);
    assert!(telegram.texts()[1].starts_with("[Panelite] 1 alert, 2 over\n"));
}

#[test]
fn what_is_muted_is_not_told() {
    let (panel, telegram) = start();
    let mute = |id: i64, until: Option<i64>| {
        let (condition, until) = (ConditionId(id), until.map(Timestamp));
        let mute = MuteCondition { actor: Actor::CommandLine, condition, until };
        panel.store().write_blocking(mute).unwrap();
    };
    raise(&panel, 1);
    mute(1, Some(panel.clock.now().0 + 86_400));
    after(&panel, 3600);
    assert!(telegram.texts().is_empty());
    mute(1, None);
    after(&panel, 10);
    assert_eq!(telegram.texts().len(), 1, "somebody wants to see it again");
    mute(1, Some(panel.clock.now().0 + 86_400));
    clear(&panel, 1);
    after(&panel, 10);
    after(&panel, 2 * 86_400);
    let texts = telegram.texts();
    let is_about_it = |text: &&String| text.contains("order 1");
    assert_eq!(texts.iter().filter(is_about_it).count(), 1, "{texts:?}");
}

#[test]
fn twenty_messages_an_hour_and_then_one_that_sums_up() {
    let (panel, telegram) = start();
    for number in 1..=25 {
        raise(&panel, number);
        after(&panel, 60);
    }
    assert_eq!(telegram.texts().len(), 20);
    for _ in 0..34 {
        after(&panel, 60);
    }
    assert_eq!(telegram.texts().len(), 20, "the hour is not over");
    for _ in 0..3 {
        after(&panel, 60);
    }
    let texts = telegram.texts();
    assert_eq!(texts.len(), 21);
    assert!(texts[20].starts_with("[Panelite] Summary: 5 alerts\n"), "{}", texts[20]);
}

#[test]
fn mail_goes_to_all_over_tls_in_both_ways() {
    for (spoken, tls) in [(Spoken::Tls, "tls"), (Spoken::StartTls, "starttls")] {
        let (panel, mailbox) = (Panel::start(), Mailbox::start(spoken));
        set_mail(&panel, &mailbox, (tls, PASSWORD));
        raise(&panel, 7);
        after(&panel, 60);
        let letters = mailbox.letters();
        assert_eq!(letters.len(), 1, "{spoken:?}: {:?}", panel.delivery().tries());
        for text in [
            "From: panel@example.com\r\n",
            "To: olga@example.com, omar@example.com\r\n",
            "Subject: [Panelite] Failing: order 7\r\n",
            "Date: Thu, 01 Jan 2026 00:01:00 +0000\r\n",
            "- Failing, order 7: It does not answer, since 2026-01-01 00:00 UTC\r\n",
        ] {
            assert!(letters[0].contains(text), "{text}: {}", letters[0]);
        }
        assert!(!mailbox.clear().contains("MAIL") && !mailbox.clear().contains("AUTH"));
        clear(&panel, 7);
        after(&panel, 10);
        assert!(mailbox.letters()[1].contains("Subject: [Panelite] Over: Failing: order 7\r\n"));
    }
}

#[test]
fn a_server_without_tls_or_of_somebody_else_gets_nothing() {
    let (panel, plain) = (Panel::start(), Mailbox::start(Spoken::Plain));
    set_mail(&panel, &plain, ("starttls", PASSWORD));
    raise(&panel, 7);
    after(&panel, 60);
    assert!(plain.letters().is_empty() && !plain.clear().contains("AUTH"), "{}", plain.clear());
    assert!(plain.connections() > 0);

    let other = Mailbox::start(Spoken::Tls);
    set_mail(&panel, &other, ("tls", PASSWORD));
    let reach = Reach { is_insecure: true, root: Some(plain.root()) };
    panel.delivery().pretend(World { reach, ..World::default() });
    after(&panel, 3600);
    assert!(other.letters().is_empty());
    let flaw = panel.delivery().tries().remove(0).flaw.unwrap();
    assert!(flaw.starts_with("TLS failed: "), "{flaw}");
}

#[test]
fn a_failure_is_shown_and_tried_again_ever_more_rarely() {
    let (panel, mailbox) = (Panel::start(), Mailbox::start(Spoken::StartTls));
    set_mail(&panel, &mailbox, ("starttls", "wrong-horse-11"));
    let mut olga = panel.operator("olga");
    raise(&panel, 7);
    after(&panel, 60);
    let page = olga.see("/admin/alerts");
    assert!(page.contains("The mail server says: 535 5.7.8 *** is wrong"), "{page}");
    assert!(!page.contains("wrong-horse-11"));
    for _ in 0..360 {
        after(&panel, 10);
    }
    assert!((4..=7).contains(&mailbox.connections()), "{}", mailbox.connections());
    assert_eq!(panel.open_conditions().len(), 1, "that nobody was told is no alert itself");

    set_mail(&panel, &mailbox, ("starttls", PASSWORD));
    after(&panel, 3600);
    assert_eq!(mailbox.letters().len(), 1);
    let mut olga = panel.log_in("olga");
    let page = olga.see("/admin/alerts");
    assert!(!page.contains("535") && page.contains("Alerts are told by mail."), "{page}");
}

#[test]
fn one_channel_that_takes_it_is_enough() {
    let (panel, telegram) = start();
    let mailbox = Mailbox::start(Spoken::Tls);
    set_mail(&panel, &mailbox, ("tls", PASSWORD));
    let reach = Reach { is_insecure: true, root: Some(mailbox.root()) };
    let world = World { telegram: telegram.url.clone(), reach, ..World::default() };
    panel.delivery().pretend(world);
    telegram.says(401, &format!(r#"{{"ok":false,"description":"{TOKEN} is not known"}}"#));
    raise(&panel, 7);
    for _ in 0..20 {
        after(&panel, 60);
    }
    assert_eq!((mailbox.letters().len(), telegram.texts().len()), (1, 1));
    let mut olga = panel.operator("olga");
    let page = olga.see("/admin/alerts");
    assert!(page.contains("Telegram says: *** is not known (HTTP 401)"), "{page}");
    assert!(page.contains("Alerts are told by mail and by Telegram."), "{page}");
}

#[test]
fn a_token_of_another_key_file_is_asked_for_again() {
    file_only!("all nodes of a server have one key file");
    let (panel, telegram) = start();
    let panel = panel.restarted_after(|db| {
        std::fs::remove_file(engine::key_file(db)).unwrap();
    });
    raise(&panel, 7);
    after(&panel, 60);
    assert!(telegram.texts().is_empty());
    let flaw = panel.delivery().tries().remove(0).flaw.unwrap();
    assert!(flaw.starts_with("The token cannot be read with the key file"), "{flaw}");
}

#[test]
fn channels_are_set_up_and_tried_out_on_a_page() {
    let (panel, telegram) = (Panel::start(), Telegram::start());
    let reach = Reach { is_insecure: true, root: None };
    let world = World { telegram: telegram.url.clone(), reach, ..World::default() };
    panel.delivery().pretend(world);
    let mut olga = panel.operator("olga");
    assert!(olga.see("/admin/alerts").contains("Nobody is told of alerts but here."));
    let path = "/admin/alerts/telegram";
    for (chat, token, complaint) in [
        ("-100200", "", "Enter the bot&#39;s token"),
        ("-100200", "not a token", "Enter the bot&#39;s token"),
        ("nowhere", TOKEN, "Enter the number of a chat"),
    ] {
        let reply = olga.post(path, &[("telegram_chat", chat), ("telegram_token", token)]);
        assert_eq!(reply.status, 422);
        assert!(reply.text().contains(complaint), "{complaint}: {}", reply.text());
        assert!(!reply.text().contains(TOKEN));
    }
    let reply = olga.post(path, &[("telegram_chat", "-100200"), ("telegram_token", TOKEN)]);
    assert_eq!(reply.status, 303, "{}", reply.text());
    let page = olga.see("/admin/alerts/channels");
    assert!(page.contains("value=\"-100200\"") && page.contains("Kept; enter another"), "{page}");
    assert!(!page.contains(TOKEN));

    let tested = olga.post("/admin/alerts/telegram/test", &[]);
    assert!(tested.text().contains("Telegram: the test was sent."), "{}", tested.text());
    assert_eq!(telegram.texts(), ["[Panelite] Test\n\nAlerts of Panelite arrive here.\n"]);
    telegram.says(400, r#"{"ok":false,"description":"Bad Request: chat not found"}"#);
    let tested = olga.post("/admin/alerts/telegram/test", &[]);
    let flaw = "Telegram says: Bad Request: chat not found (HTTP 400)";
    assert!(tested.text().contains(flaw), "{}", tested.text());
    let tested = olga.post("/admin/alerts/mail/test", &[]);
    assert!(tested.text().contains("It is not set up"), "{}", tested.text());

    let kept = olga.post(path, &[("telegram_chat", "@ops"), ("telegram_token", "")]);
    assert_eq!(kept.status, 303, "the token stays");
    let gone = olga.post(path, &[("telegram_chat", ""), ("telegram_token", "")]);
    assert_eq!(gone.status, 303);
    let found = panel.store().page(|db| secrets::find(db, SecretName::TelegramToken)).unwrap();
    assert_eq!(found, None, "nothing needs it");
}

#[test]
fn mail_wants_its_password_and_the_admin_to_give_theirs() {
    let panel = Panel::start();
    let mut olga = panel.operator("olga");
    let fields = [
        ("mail_host", "mail.example.com"),
        ("mail_port", "587"),
        ("mail_tls", "starttls"),
        ("mail_user", "panel"),
        ("mail_password", ""),
        ("mail_from", ""),
        ("mail_to", "olga"),
    ];
    let page = olga.post("/admin/alerts/mail", &fields);
    for name in ["mail_password", "mail_from", "mail_to"] {
        assert!(page.text().contains(&format!("id=\"e-{name}\"")), "{name}: {}", page.text());
    }
    let with = |from: &[(&'static str, &'static str)]| {
        let mut all = fields.to_vec();
        for (name, value) in from {
            all.retain(|(known, _)| known != name);
            all.push((name, value));
        }
        all
    };
    let sound = [("mail_password", PASSWORD), ("mail_from", "a@b.c"), ("mail_to", "d@e.f")];
    panel.clock.advance(16 * 60);
    let asked = olga.post("/admin/alerts/mail", &with(&sound));
    assert!(asked.text().contains("name=\"proof\""), "{}", asked.text());
    assert!(!asked.text().contains(PASSWORD), "it travels sealed");
    let mut olga = panel.log_in("olga");
    assert_eq!(olga.post("/admin/alerts/mail", &with(&sound)).status, 303);
    let last = panel.store().page(|db| audit::list(db, i64::MAX, 1)).unwrap().remove(0);
    assert_eq!((last.object.as_str(), last.change.as_str()), ("mail_password", "Replaced"));
}

#[test]
fn nothing_secret_is_in_the_file_the_log_or_an_answer() {
    let (panel, mailbox) = (Panel::start(), Mailbox::start(Spoken::Tls));
    set_mail(&panel, &mailbox, ("tls", PASSWORD));
    let log = ["--log", "trace,ureq=trace"];
    let output = panel.cli(&[&log[..], &["alert", "test"]].concat());
    assert_eq!(output.status.code(), Some(1), "nobody vouches for that server");
    let said = stderr(&output);
    assert!(said.contains("panelite: Mail: TLS failed: ") && !said.contains(PASSWORD), "{said}");
    set_telegram(&panel, &Telegram::start());
    file_only!("a server's files are its own");
    for suffix in ["", "-wal"] {
        let bytes = std::fs::read(format!("{}{suffix}", panel.db().display())).unwrap();
        for secret in [PASSWORD, TOKEN] {
            let is_there = bytes.windows(secret.len()).any(|it| it == secret.as_bytes());
            assert!(!is_there, "panel.db{suffix} holds a secret");
        }
    }
}

#[test]
fn alerts_are_listed_for_scripts() {
    let panel = Panel::start();
    let none = panel::cli(panel.db(), &["alert", "test"]);
    assert_eq!(stderr(&none), "panelite: no channel is set up: see Alerts on the pages\n");
    assert_eq!(stdout(&panel.cli(&["alert", "list", "--json"])), "[]\n");
    raise(&panel, 7);
    let line = "1\tFailing\torder 7\tIt does not answer\n";
    assert_eq!(stdout(&panel.cli(&["alert", "list"])), line);
    let list: serde_json::Value =
        serde_json::from_str(&stdout(&panel.cli(&["alert", "list", "--json"]))).unwrap();
    let expected = serde_json::json!([{
        "id": 1, "kind": "failing", "subject": "order 7", "name": "order 7",
        "text": "It does not answer", "since": panel::EPOCH, "muted_until": null,
    }]);
    assert_eq!(list, expected);
}
