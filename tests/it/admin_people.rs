//! Getting in and out, and what an operator does with users and their money.

use panelite::config::TrustedProxies;
use panelite::domain::Timestamp;
use panelite::domain::setting::Setting;
use panelite::totp::Seed;

use crate::fixture::operator::{PASSWORD, encode, form, value_of};
use crate::fixture::panel::{EPOCH, Panel, stderr, stdout};

#[test]
fn the_first_run_makes_an_admin_and_a_panel() {
    let panel = Panel::start();
    let link = panel.setup_link.clone().unwrap();
    let link = &link[link.find("/admin").unwrap()..];
    let mut olga = panel.visitor();
    assert!(olga.see("/admin/login").contains("There is no admin yet"));
    assert_eq!(olga.get("/admin/setup?token=wrong").status, 404);
    let token = link.split("token=").nth(1).unwrap();
    let (until, seal) = token.split_once('.').unwrap();
    let later = until.parse::<i64>().unwrap() + 1;
    assert_eq!(olga.get(&format!("/admin/setup?token={later}.{seal}")).status, 404);
    olga.renew_csrf(link);
    let bad = [
        ("token", token),
        ("name", "olga"),
        ("password", "short"),
        ("again", "shorter"),
        ("panel", "Northwind"),
        ("currency", "euro"),
        ("time_zone", "Atlantis"),
    ];
    let reply = olga.post("/admin/setup", &bad);
    assert_eq!(reply.status, 422);
    for name in ["password", "again", "currency", "time_zone"] {
        let is_marked = format!("aria-describedby=\"e-{name}\"");
        assert!(reply.text().contains(&is_marked), "{name}: {}", reply.text());
    }
    assert!(reply.text().contains("value=\"Northwind\""), "what was typed stays");
    assert!(!reply.text().contains("short\""), "but no password is sent back");

    let good = [
        ("token", token),
        ("name", "olga"),
        ("password", PASSWORD),
        ("again", PASSWORD),
        ("panel", "Northwind"),
        ("currency", "eur"),
        ("time_zone", "Europe/Berlin"),
    ];
    let reply = olga.post("/admin/setup", &good);
    assert_eq!((reply.status, reply.header("location")), (303, Some("/admin")));
    let page = olga.see("/admin");
    assert!(page.contains("Northwind") && page.contains("0 of 4 done"), "{page}");
    assert!(page.contains(">1 Jan 01:00<"), "in the panel's own zone: {page}");

    assert_eq!(olga.get(link).status, 410);
    assert_eq!(panel.visitor().get(link).status, 410, "the link is over");
    assert_eq!(panel.log_in("olga").get("/admin").status, 200);
}

#[test]
fn the_setup_link_lasts_half_an_hour() {
    let panel = Panel::start();
    let link = panel.setup_link.clone().unwrap();
    let link = &link[link.find("/admin").unwrap()..];
    panel.clock.advance(30 * 60);
    let reply = panel.visitor().get(link);
    assert_eq!(reply.status, 404);
    assert!(reply.text().contains("Start the panel again"));
}

#[test]
fn the_checklist_ticks_itself() {
    let panel = Panel::start();
    let mut olga = panel.operator("olga");
    let mut progress = || {
        let page = olga.see("/admin");
        page.split(" of 4 done")
            .next()
            .filter(|before| *before != page)
            .map(|before| before.rsplit('>').next().unwrap().to_owned())
    };
    assert_eq!(progress().as_deref(), Some("0"));
    panel.services(&["1,Likes,Likes,Default,0.90,10,10000,0,0,0,,,"]);
    assert_eq!(progress().as_deref(), Some("1"));
    let ann = panel.reseller("ann", "10");
    assert_eq!(progress().as_deref(), Some("3"));
    ann.buys(1, 100);
    assert_eq!(progress(), None, "all is done");
}

#[test]
fn wrong_names_and_wrong_passwords_look_alike_and_have_to_wait() {
    let panel = Panel::start();
    panel.operator("olga");
    let mut visitor = panel.visitor();
    let mut attempt = |name: &str, password: &str| {
        visitor.post("/admin/login", &[("name", name), ("password", password)])
    };
    let wrong = attempt("olga", "wrong");
    let nobody = attempt("nobody", "wrong");
    assert_eq!((wrong.status, nobody.status), (422, 422));
    let plain = |page: &str, name: &str| {
        let csrf = value_of(page, "csrf").unwrap();
        page.replace(&csrf, "").replace(name, "")
    };
    assert_eq!(plain(wrong.text(), "olga"), plain(nobody.text(), "nobody"));

    for _ in 0..4 {
        assert_eq!(attempt("olga", "wrong").status, 422);
    }
    let waits = attempt("olga", PASSWORD);
    assert_eq!((waits.status, waits.header("retry-after")), (429, Some("30")));
    assert!(waits.text().contains("Wait 30 seconds"), "{}", waits.text());
    panel.clock.advance(29);
    assert_eq!(attempt("olga", PASSWORD).status, 429, "the right one too");
    panel.clock.advance(1);
    assert_eq!(attempt("olga", "wrong").status, 422);
    assert_eq!(attempt("olga", PASSWORD).header("retry-after"), Some("60"), "twice as long");
    assert_eq!(attempt("nobody", "wrong").status, 422, "others are not touched");
    let panel = panel.restarted();
    let mut visitor = panel.visitor();
    let fields = [("name", "olga"), ("password", PASSWORD)];
    assert_eq!(visitor.post("/admin/login", &fields).status, 429, "a restart forgives nothing");
    panel.clock.advance(60);
    assert_eq!(visitor.post("/admin/login", &fields).status, 303);
}

#[test]
fn behind_tls_the_origin_is_the_public_one() {
    let panel = Panel::start_as(|config| {
        config.public_url = Some("https://panel.example".parse().unwrap());
        config.trusted_proxies = TrustedProxies(vec!["127.0.0.1".parse().unwrap()]);
    });
    assert!(panel.setup_link.as_ref().unwrap().starts_with("https://panel.example/admin/setup?"));
    let mut visitor = panel.visitor();
    let reply = visitor.get("/admin/login");
    assert_eq!(reply.header("strict-transport-security"), Some("max-age=31536000"));
    let body = encode(&[("csrf", visitor.csrf.clone()), ("name", "x".to_owned())]);
    let here = format!("http://{}", panel.address);
    let from = |origin| [("Origin", origin), ("X-Forwarded-For", "203.0.113.7, 198.51.100.9")];
    assert_eq!(visitor.send("POST", "/admin/login", &from(&here), &body).status, 403);
    for _ in 0..5 {
        let reply = visitor.send("POST", "/admin/login", &from("https://panel.example"), &body);
        assert_eq!(reply.status, 422);
    }
    let reply = visitor.send("POST", "/admin/login", &from("https://panel.example"), &body);
    assert_eq!(reply.status, 429);
    let elsewhere = [("Origin", "https://panel.example"), ("X-Forwarded-For", "198.51.100.10")];
    assert_eq!(visitor.send("POST", "/admin/login", &elsewhere, &body).status, 422);
}

#[test]
fn a_lan_without_tls_says_so_on_every_page() {
    let panel = Panel::start_as(|config| config.insecure_cookies = true);
    let mut olga = panel.operator("olga");
    assert!(olga.see("/admin").contains("Cookies are sent without encryption"));
    let reply = panel.visitor().post("/admin/login", &[("name", "olga"), ("password", PASSWORD)]);
    let cookie = reply.header("set-cookie").unwrap();
    assert!(cookie.starts_with("panelite=") && !cookie.contains("Secure"), "{cookie}");
}

#[test]
fn an_address_that_tries_everybody_is_stopped() {
    let panel = Panel::start();
    let mut visitor = panel.visitor();
    for number in 0..30 {
        let fields = [("name", &*format!("name {number}")), ("password", "wrong")];
        assert_eq!(visitor.post("/admin/login", &fields).status, 422);
    }
    let reply = visitor.post("/admin/login", &[("name", "another"), ("password", "wrong")]);
    assert_eq!((reply.status, reply.header("retry-after")), (429, Some("900")));
}

#[test]
fn sessions_end_by_rest_by_age_and_by_hand() {
    let panel = Panel::start();
    let mut olga = panel.operator("olga");
    let later = |minutes: i64| {
        panel.setting(Setting::Name, "Northwind"); // behind it all writes before it are done
        panel.clock.advance(minutes * 60);
    };
    later(29);
    olga.see("/admin");
    later(29);
    olga.see("/admin");
    later(30);
    assert_eq!(olga.get("/admin").status, 303, "idle");

    let mut olga = panel.log_in("olga");
    for _ in 0..12 * 3 - 1 {
        later(20);
        olga.see("/admin");
    }
    later(20);
    assert_eq!(olga.get("/admin").status, 303, "twelve hours");

    let (mut here, mut there) = (panel.log_in("olga"), panel.log_in("olga"));
    let page = here.see("/admin/account");
    let at = page.find("/admin/account/sessions/").unwrap();
    let end = page[at..].split('"').find(|path| path.ends_with("/end")).unwrap().to_owned();
    assert_eq!(here.post(&end, &[]).status, 303);
    assert_eq!(there.get("/admin").status, 303, "ended from elsewhere");

    let mut there = panel.log_in("olga");
    let new = [("password", "another good one 7"), ("again", "another good one 7")];
    assert_eq!(here.post("/admin/account/password", &new).status, 303);
    assert_eq!(there.get("/admin").status, 303, "a new password ends the others");
    assert_eq!(here.get("/admin").status, 200);
    let mut stolen = here.clone();
    assert_eq!(here.post("/admin/logout", &[]).status, 303);
    assert_eq!(stolen.get("/admin").status, 303, "a cookie kept back is worth nothing");
}

#[test]
fn logging_in_gives_a_new_secret_in_a_safe_cookie() {
    let panel = Panel::start();
    panel.operator("olga");
    let mut visitor = panel.visitor();
    let fields = [("name", "olga"), ("password", PASSWORD), ("next", "//evil.example")];
    let mut planted = visitor.clone();
    let reply = visitor.post("/admin/login", &fields);
    assert_eq!(reply.header("location"), Some("/admin"), "only to our own pages");
    let cookie = reply.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-panelite="), "{cookie}");
    for part in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert_eq!(planted.get("/admin").status, 303, "the secret from before is nobody's");
}

#[test]
fn codes_are_asked_for_and_count_once() {
    let panel = Panel::start();
    let mut olga = panel.operator("olga");
    let page = olga.see("/admin/account/app");
    let text = value_of(&page, "seed").unwrap();
    assert!(page.contains("role=\"img\" aria-label=\"QR code of the key below\""), "{page}");
    assert_eq!(page.matches("<path d=\"M").count(), 1);
    let seed = Seed::parse(&text.replace(' ', "")).unwrap();
    let code = |at: i64| seed.code(Timestamp(at));
    let wrong = olga.post("/admin/account/app", &[("seed", &text), ("code", "12345")]);
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains(&text), "the same seed stays");
    let first = code(EPOCH);
    let reply = olga.post("/admin/account/app", &[("seed", &text), ("code", &first)]);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let codes = reply.text().split("id=\"codes\">").nth(1).unwrap().split("</pre>").next().unwrap();
    let recovery = codes.lines().next().unwrap().to_owned();
    assert_eq!(codes.trim().lines().count(), 10);

    let half = || {
        let mut visitor = panel.visitor();
        let fields = [("name", "olga"), ("password", PASSWORD), ("next", "/admin/users")];
        let reply = visitor.post("/admin/login", &fields);
        let next = "/admin/login/code?next=%2Fadmin%2Fusers";
        assert_eq!(reply.header("location"), Some(next));
        assert_eq!(visitor.get("/admin").status, 303, "half is not enough");
        visitor.renew_csrf(next);
        visitor
    };
    let mut olga = half();
    let replayed = olga.post("/admin/login/code", &[("code", &first)]);
    assert_eq!(replayed.status, 422, "the code that turned it on was used");
    panel.clock.advance(30);
    let fields = [("code", &*code(EPOCH + 30)), ("next", "/admin/users")];
    let reply = olga.post("/admin/login/code", &fields);
    assert_eq!(reply.header("location"), Some("/admin/users"), "{}", reply.text());
    olga.see("/admin/users");

    let typed = recovery.to_uppercase().replace('-', " ");
    assert_eq!(half().post("/admin/login/code", &[("code", &typed)]).status, 303);
    assert_eq!(half().post("/admin/login/code", &[("code", &typed)]).status, 422, "once");

    let output = panel.cli(&["admin", "reset-password", "olga", "--totp-off"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(olga.get("/admin").status, 303, "logged out everywhere");
    let printed = stdout(&output);
    let fields = [("name", "olga"), ("password", printed.trim())];
    let reply = panel.visitor().post("/admin/login", &fields);
    assert_eq!(reply.header("location"), Some("/admin"), "no code is asked for");
}

#[test]
fn admins_are_made_by_the_command_line() {
    let panel = Panel::start();
    let made = panel.cli(&["admin", "create", "olga"]);
    assert_eq!(stdout(&made).trim().len(), 26, "{}", stderr(&made));
    let again = panel.cli(&["admin", "create", "olga"]);
    assert_eq!((again.status.code(), stdout(&again).as_str()), (Some(1), ""));
    let nobody = panel.cli(&["admin", "reset-password", "nobody"]);
    assert_eq!(nobody.status.code(), Some(1));
    let printed = stdout(&made);
    let fields = [("name", "olga"), ("password", printed.trim())];
    assert_eq!(panel.visitor().post("/admin/login", &fields).status, 303);
}

#[test]
fn funds_are_shown_before_they_move_and_move_once() {
    let panel = Panel::start();
    let ann = panel.reseller("ann", "10");
    let mut olga = panel.operator("olga");
    let path = "/admin/users/1/funds";
    let page = olga.see("/admin/users/1");
    let idem = value_of(&page, "idem").unwrap();
    let fields = [("kind", "deposit"), ("amount", "50"), ("note", "cash"), ("idem", &*idem)];
    let asked = olga.post(path, &fields);
    assert_eq!(asked.status, 200);
    for text in ["Add 50.00 USD to ann?", "10.00 USD", "60.00 USD", "Add 50.00 USD"] {
        assert!(asked.text().contains(text), "{text}: {}", asked.text());
    }
    assert_eq!(ann.balance(), "10.00", "nothing has moved yet");
    let carried = form(asked.text(), path);
    let carried: Vec<_> = carried.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(olga.post(path, &carried).status, 303);
    assert_eq!(olga.post(path, &carried).status, 303, "sent twice");
    assert_eq!(ann.balance(), "60.00", "but done once");
    assert!(olga.see("/admin/users/1").contains("The balance of ann is now 60.00 USD"));
    assert!(!olga.see("/admin/users/1").contains("is now 60.00"), "said once");

    let much = [("kind", "deposit"), ("amount", "100.5")];
    let asked = olga.post(path, &[&much[..], &[("confirmed", "yes")]].concat());
    assert!(asked.text().contains("Type <strong>100.50</strong>"), "{}", asked.text());
    let typed = [&much[..], &[("confirmed", "yes"), ("typed", "100.50")]].concat();
    assert_eq!(olga.post(path, &typed).status, 303);
    panel.setting(Setting::ConfirmAbove, "1000");
    assert_eq!(olga.post_and_confirm(path, &much).status, 303, "not much any more");

    let down = |amount| [("kind", "correct-down"), ("amount", amount), ("note", "typo")];
    let refused = olga.post(path, &down("300"));
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("Only 261.00 is available to deduct"), "{}", refused.text());
    olga.post_and_confirm(path, &down("261"));
    assert_eq!(ann.balance(), "0.00");
    for (amount, note, says) in [
        ("1e3", "x", "Enter an amount"),
        ("0", "x", "must not be zero"),
        ("-5", "x", "Enter an amount"),
        ("5", "", "An adjustment needs a note"),
    ] {
        let fields = [("kind", "correct-up"), ("amount", amount), ("note", note)];
        let reply = olga.post(path, &fields);
        assert_eq!(reply.status, 422, "{amount}");
        assert!(reply.text().contains(says), "{amount}: {}", reply.text());
        let kept = format!("name=\"amount\" value=\"{amount}\"");
        assert!(reply.text().contains(&kept), "{amount}");
    }
}

#[test]
fn users_are_added_priced_suspended_and_given_keys() {
    let panel = Panel::start();
    panel.services(&["1,Likes,Likes,Default,1.00,10,10000,0,0,0,,,"]);
    let mut olga = panel.operator("olga");
    for name in ["", " ", "a\u{202e}b"] {
        let reply = olga.post("/admin/users", &[("name", name)]);
        assert_eq!(reply.status, 422, "{name:?}");
        assert!(reply.text().contains("aria-invalid"), "{name:?}");
    }
    let reply = olga.post("/admin/users", &[("name", "ann")]);
    assert_eq!(reply.header("location"), Some("/admin/users/1?add=funds"));
    let page = olga.see("/admin/users/1?add=funds");
    assert!(page.contains("User ann added. Add funds") && page.contains("data-edit autofocus"));
    for tab in ["", "/keys", "/rates", "/note"] {
        let page = olga.see(&format!("/admin/users/1{tab}"));
        assert!(page.contains("Balance <strong>0.00 USD") && page.contains(">Add funds</a>"));
    }
    let reply = olga.post("/admin/users", &[("name", "ann")]);
    assert!(reply.status == 422 && reply.text().contains("The name is taken"));

    let reply = olga.post("/admin/users/1/keys", &[("label", "site")]);
    let key = reply.text().split("id=\"key\">").nth(1).unwrap().split('<').next().unwrap();
    let balance = |key: &str| {
        panel.send("POST", "/api/v2", &[], format!("key={key}&action=balance")).text().to_owned()
    };
    assert!(balance(key).contains("0.00"), "{}", balance(key));
    assert!(!olga.see("/admin/users/1/keys").contains(key), "shown once");

    let undo = olga.post("/admin/users/1/suspend", &[]);
    assert_eq!(undo.status, 303);
    assert!(balance(key).contains("suspended"));
    let page = olga.see("/admin/users/1");
    assert!(page.contains("ann is suspended") && page.contains("Undo"), "{page}");
    olga.post("/admin/users/1/resume", &[]);
    assert!(!balance(key).contains("suspended"));

    let reply = olga.post("/admin/users/1/terms", &[("discount", "101"), ("credit_limit", "x")]);
    assert_eq!((reply.status, reply.text().matches("class=\"error\"").count()), (422, 2));
    let terms = [("discount", "12.5%"), ("credit_limit", "20")];
    assert_eq!(olga.post("/admin/users/1/terms", &terms).status, 303);
    let page = olga.see("/admin/users/1");
    assert!(page.contains("value=\"12.5%\"") && page.contains("20.00 USD available"), "{page}");

    let reply = olga.post("/admin/users/1/rates", &[("service", "9"), ("rate", "0.5")]);
    assert!(reply.status == 422 && reply.text().contains("Incorrect service ID"));
    olga.post("/admin/users/1/rates", &[("service", "#1"), ("rate", "0.5")]);
    assert!(olga.see("/admin/users/1/rates").contains("0.50"));
    olga.post("/admin/users/1/rates/1/drop", &[]);
    assert!(olga.see("/admin/users/1/rates").contains("No custom rates"));

    olga.post("/admin/users/1/note", &[("note", "pays late\r\n<b>")]);
    assert!(olga.see("/admin/users/1").contains("pays late\n&#60;b&#62;"));
    olga.post_and_confirm("/admin/users/1/keys/1/revoke", &[]);
    assert!(balance(key).contains("Invalid API key"));
}

#[test]
fn a_list_goes_older_and_newer_and_is_filtered() {
    let panel = Panel::start();
    let mut olga = panel.operator("olga");
    for number in 1..=120 {
        olga.post("/admin/users", &[("name", &format!("user-{number:03}"))]);
    }
    let names = |page: &str| {
        let cells = page.split("data-open><bdi>").skip(1);
        cells.map(|cell| cell.split('<').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let link = |page: &str, rel: &str| {
        let at = page.find(&format!("rel=\"{rel}\" href=\""))?;
        let url = page[at..].split('"').nth(3).unwrap();
        Some(url.replace("&amp;", "&").replace("&#38;", "&"))
    };
    for filter in ["?q=", "?q=user-"] {
        let first = olga.see(&format!("/admin/users{filter}"));
        assert_eq!((names(&first).len(), link(&first, "prev")), (50, None));
        let second = olga.see(&link(&first, "next").unwrap());
        let third = olga.see(&link(&second, "next").unwrap());
        assert_eq!((names(&third).len(), link(&third, "next")), (20, None));
        let back = olga.see(&link(&third, "prev").unwrap());
        assert_eq!(names(&back), names(&second));
        assert_eq!(names(&olga.see(&link(&back, "prev").unwrap())), names(&first));
        let mut all = [names(&first), names(&second), names(&third)].concat();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 120);
    }
    assert_eq!(names(&olga.see("/admin/users?q=user-11")).len(), 10);
    assert!(olga.see("/admin/users?q=zzz").contains("No user matches this"));
    let selected = [("id", "3"), ("id", "7"), ("id", "999"), ("do", "suspend")];
    assert_eq!(olga.post("/admin/users/bulk", &selected).status, 303);
    let page = olga.see("/admin/users");
    assert!(page.contains("2 users suspended"), "{page}");
    let undo = form(page.split("id=\"toasts\"").nth(1).unwrap(), "/admin/users/bulk");
    assert_eq!(undo.len(), 3, "undone by one form: {page}");
    assert_eq!(names(&olga.see("/admin/users?state=suspended")), ["user-007", "user-003"]);
    assert_eq!(olga.post("/admin/users/bulk", &[("id", "3"), ("do", "resume")]).status, 303);
    let many: Vec<_> = (10..=70).map(|id: i32| id.to_string()).collect();
    let many: Vec<_> = many.iter().map(|id| ("id", id.as_str())).collect();
    let asked = olga.post("/admin/users/bulk", &many);
    for text in ["Type <strong>61</strong>", "Suspend 61 users?", "user-010, user-011"] {
        assert!(asked.text().contains(text), "{text}: {}", asked.text());
    }
    assert_eq!(names(&olga.see("/admin/users?state=suspended")), ["user-007"]);
    assert_eq!(names(&olga.see("/admin/users?state=owing")).len(), 0);
    assert_eq!(names(&olga.see("/admin/users?size=100")).len(), 100);
    assert_eq!(names(&olga.see("/admin/users?size=100000&older=x")).len(), 50);
}
