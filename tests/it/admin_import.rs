//! The catalogue as a CSV file: in, after saying what would change, and out.

use panelite::store::audit;

use crate::admin_services::{last_change, offer, shop};
use crate::fixture::operator::{Operator, form};
use crate::fixture::panel::Panel;

const HEADER: &str = "id,category,name,type,rate,min,max,dripfeed,refill,cancel,provider,provider_service,description";
const PATH: &str = "/admin/services/import";

/// The first `count` lines of the audit log, newest first: verb, object, change.
fn changes(panel: &Panel, count: i64) -> Vec<(String, String, String)> {
    let lines = panel.store().page(|db| audit::list(db, i64::MAX, count)).unwrap();
    lines.into_iter().map(|line| (line.verb, line.object, line.change)).collect()
}

/// Sends a file and, with what was asked about it typed, sends it again. Gives the first answer.
fn import(olga: &mut Operator, csv: &str, typed: &str) -> String {
    let asked = olga.post(PATH, &[("csv", csv)]);
    assert_eq!(asked.status, 200, "{}", asked.text());
    let reply = confirm(olga, asked.text(), typed);
    assert_eq!(reply.0, 303, "{}", reply.1);
    asked.text().to_owned()
}

/// Answers a question: the status and the text of what comes back.
fn confirm(olga: &mut Operator, asked: &str, typed: &str) -> (u16, String) {
    let carried = form(asked, PATH);
    let mut carried: Vec<_> = carried.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    carried.retain(|(name, _)| *name != "typed");
    carried.push(("typed", typed));
    let reply = olga.post(PATH, &carried);
    (reply.status, reply.text().to_owned())
}

#[test]
fn a_file_is_imported_after_saying_what_would_change() {
    let (panel, mut olga) = shop();
    let ann = panel.reseller("ann", "10");
    assert!(olga.see(PATH).contains("href=\"/admin/services/export.csv\""));
    let csv = format!(
        "{HEADER}\r\n,New,\"Fresh, <new>\",Default,1.5,1,9,0,0,0,,,\r\n\
         1,Likes,Likes,Default,0.95,10,10000,1,1,1,,,Fast\r\n\
         2,Likes,More likes,Default,0.80,10,10000,0,0,0,,,\r\n"
    );
    let before = last_change(&panel);
    let asked = olga.post(PATH, &[("csv", &csv)]);
    for text in [
        "Import 3 services?",
        "<dt>New</dt><dd>1</dd>",
        "<dt>Changed</dt><dd>1</dd>",
        "<dt>Unchanged</dt><dd>1</dd>",
        "<dt>1 Likes</dt><dd>rate 0.90 → 0.95</dd>",
        "<dt>New service</dt><dd>Fresh, &#60;new&#62;, Default, rate 1.50, in New</dd>",
    ] {
        assert!(asked.text().contains(text), "{text}: {}", asked.text());
    }
    assert!(!asked.text().contains("name=\"typed\""), "no price falls");
    assert_eq!((last_change(&panel), offer(&ann, 5)), (before, None), "nothing is done yet");
    assert_eq!(confirm(&mut olga, asked.text(), "").0, 303);
    let again = confirm(&mut olga, asked.text(), "");
    assert!(again.0 == 200 && again.1.contains("The catalogue has changed"), "{}", again.1);
    assert_eq!(offer(&ann, 6), None, "sent twice, imported once");
    assert_eq!(offer(&ann, 5).unwrap().0, "Fresh, <new>");
    assert_eq!(offer(&ann, 1).unwrap().1, "0.95");
    let line = |verb: &str, object: &str, change: &str| {
        (verb.to_owned(), object.to_owned(), change.to_owned())
    };
    let expected = [
        line("service.import", "services", "1 created, 1 updated, 1 unchanged"),
        line("service.update", "service 1", "rate 0.90 → 0.95"),
        line("service.create", "service 5", "Fresh, <new>, Default, rate 1.50, in New"),
    ];
    assert_eq!(changes(&panel, 3), expected, "a line for each service, none for what stays");
}

#[test]
fn a_price_that_falls_by_more_than_a_fifth_is_confirmed_on_its_own() {
    let (panel, mut olga) = shop();
    let ann = panel.reseller("ann", "10");
    olga.post("/admin/services/1/disable", &[]);
    let csv = "id;category;name;rate;min;max;enabled\n\
               3;Likes;Лайки;0,30;10;10000;0\n\
               2;Likes;More likes;0,05;20;10000;1\n\
               1;Likes;Likes;0,90;10;10000;1\n";
    let asked = olga.post(PATH, &[("csv", csv)]);
    for text in [
        "<dt>Prices that fall by more than 20%</dt><dd>1 service: type this number below</dd>",
        "<dt>Will be enabled</dt><dd>1 service</dd>",
        "<dt>Will be disabled</dt><dd>1 service</dd>",
        "<dd>price falls by 93.75%: rate 0.80 → 0.05; min 10 → 20</dd>",
        "<dt>1 Likes</dt><dd>enabled no → yes</dd>",
        "<dt>3 Лайки</dt><dd>rate 0.333333 → 0.30; enabled yes → no</dd>",
    ] {
        assert!(asked.text().contains(text), "{text}: {}", asked.text());
    }
    let at = |text| asked.text().find(text).unwrap();
    assert!(at("<dt>2 More likes") < at("<dt>3 Лайки"), "what falls comes first");

    for typed in ["", "2", "yes"] {
        let (status, text) = confirm(&mut olga, asked.text(), typed);
        assert!(status == 422 && text.contains("name=\"typed\""), "{typed}: {text}");
    }
    assert_eq!(offer(&ann, 2).unwrap().1, "0.80");
    assert_eq!(confirm(&mut olga, asked.text(), "1").0, 303);
    assert_eq!(offer(&ann, 2).unwrap().1, "0.05");
    assert!(offer(&ann, 1).is_some() && offer(&ann, 3).is_none());
    let log = changes(&panel, 4);
    let of = |service: &str| log.iter().find(|line| line.1 == service).unwrap().2.clone();
    assert_eq!(of("service 1"), "enabled no → yes");
    assert_eq!(of("service 2"), "rate 0.80 → 0.05; min 10 → 20");
    assert_eq!(of("service 3"), "rate 0.333333 → 0.30; enabled yes → no");
}

#[test]
fn what_was_agreed_is_what_is_done() {
    let (panel, mut olga) = shop();
    let ann = panel.reseller("ann", "10");
    let csv = format!("{HEADER}\n1,Likes,Likes,Default,0.80,10,10000,1,1,1,,,Fast\n");
    let asked = olga.post(PATH, &[("csv", &csv)]).text().to_owned();
    assert!(asked.contains("rate 0.90 → 0.80"), "{asked}");
    panel.services(&["1,Likes,Likes,Default,9,10,10000,1,1,1,,,Fast,,30"]);
    let (status, again) = confirm(&mut olga, &asked, "");
    assert_eq!(status, 200);
    for text in ["Look again", "price falls by 91.11%: rate 9.00 → 0.80", "name=\"typed\""] {
        assert!(again.contains(text), "{text}: {again}");
    }
    assert_eq!(offer(&ann, 1).unwrap().1, "9.00");
    assert_eq!(confirm(&mut olga, &again, "1").0, 303);
    assert_eq!(offer(&ann, 1).unwrap().1, "0.80");
}

#[test]
fn a_long_list_of_changes_is_shortened_and_its_number_typed() {
    let panel = Panel::start();
    let line = |id: i64, rate: &str| format!("{id},C,Number {id},Default,{rate},1,9,0,0,0,,,");
    let lines: Vec<String> = (1..=60).map(|id| line(id, "1")).collect();
    panel.services(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let mut olga = panel.operator("olga");
    let lines: Vec<String> = (1..=70).map(|id| line(id, "2")).collect();
    let asked = import(&mut olga, &format!("{HEADER}\n{}\n", lines.join("\n")), "60");
    for text in ["48 services more changed", "5 services more added", "Import 70 services?"] {
        assert!(asked.contains(text), "{text}: {asked}");
    }
    assert!(olga.see("/admin/services").contains("10 services added, 60 changed"));
}

#[test]
fn what_is_wrong_stands_above_the_form_and_beside_the_field() {
    let (panel, mut olga) = shop();
    let before = last_change(&panel);
    let line = |line: &str| format!("{HEADER}\n1,L,Likes,Default,1,1,9,0,0,0,,,\n{line}\n");
    for (csv, sentence) in [
        (String::new(), "the file is empty"),
        (HEADER.to_owned(), "There is no service in it"),
        ("id,name\n".to_owned(), "line 1: these columns are missing: category, rate, min, max"),
        (format!("{HEADER},price,x\n"), "line 1: these columns are unknown: price, x"),
        (format!("{HEADER},id\n"), "line 1: the column id is there twice"),
        (line("2,L,x,Nonsense,1,1,9,0,0,0,,,"), "line 3: type is not a type of service"),
        (line("2,L,x,Default,1,10,9,0,0,0,,,"), "line 3: min is above max"),
        (line("1,L,x,Default,1,1,9,0,0,0,,,"), "line 3: An earlier line has the same id"),
        (line("2,L,x,Default,1,1,9,0,0,0,acme,7,"), "line 3: There is no provider"),
        (
            line("2,L,x,Default,1,5,1,9,0,0,0,,,"),
            "line 3: there are 14 cells and the header has 13",
        ),
        (line("2,L,x,Default,\"1,500\",1,9,0,0,0,,,"), "line 3: rate is ambiguous"),
    ] {
        let reply = olga.post(PATH, &[("csv", &csv), ("confirmed", "yes")]);
        assert_eq!(reply.status, 422, "{csv}");
        let summary = format!("<li><a href=\"#f-csv\">{sentence}");
        let beside = format!("id=\"e-csv\">{sentence}");
        for text in [summary, beside] {
            assert!(reply.text().contains(&text), "{text}: {}", reply.text());
        }
        let at = |text| reply.text().find(text).unwrap();
        assert!(at("id=\"e-csv\"") < at("<textarea"), "before the field, however high that is");
    }
    assert_eq!(last_change(&panel), before);
}

#[test]
fn lines_count_as_editors_count_them() {
    let (_panel, mut olga) = shop();
    for end in ["\n", "\r\n", "\r"] {
        let lines = [
            "\u{feff}id,category,name,rate,min,max,description",
            "1,L,Likes,1,1,9,\"One",
            "two",
            "three\"",
            "",
            "2,L,Likes,one,1,9,", // line 6
            ",,,,,,",
            "3,L,Likes,\"1,5\",0x,9,", // line 8
        ];
        let reply = olga.post(PATH, &[("csv", &lines.join(end))]);
        let text = reply.text();
        assert!(text.contains("<a href=\"#f-csv\">line 6: rate is not"), "{end:?}: {text}");
        assert!(text.contains("<a href=\"#f-csv\">line 8: min is not"), "{end:?}: {text}");
        assert_eq!(text.matches("<a href=\"#f-csv\">").count(), 2, "{end:?}");
    }
}

#[test]
fn five_columns_are_enough_and_the_rest_stays_as_it_is() {
    let (panel, mut olga) = shop();
    let ann = panel.reseller("ann", "10");
    for (at, csv) in [
        "id,category,name,rate,min,max\n1,Likes,Likes,\"0,85\",10,10000\n",
        "ID;Category;Name;Rate;Min;Max\n1;Likes;Likes;0,84;10;10000\n",
        "id\tcategory\tname\trate\tmin\tmax\r\n1\tLikes\tLikes\t0.83\t10\t10000\r\n",
    ]
    .iter()
    .enumerate()
    {
        import(&mut olga, csv, "");
        let rate = ["0.85", "0.84", "0.83"][at];
        assert_eq!(offer(&ann, 1).unwrap().1, rate);
    }
    let all = olga.get("/admin/services/export.csv").text().to_owned();
    assert!(all.contains("\n1,Likes,Likes,Default,0.83,10,10000,1,1,1,,,Fast,1,30,0\n"), "{all}");
    import(&mut olga, "category,name,rate,min,max\nLikes,Fresh,1,1,9\n", "");
    let all = olga.get("/admin/services/export.csv").text().to_owned();
    assert!(all.contains("\n5,Likes,Fresh,Default,1.00,1,9,0,0,0,,,,1,,0\n"), "{all}");
}

#[test]
fn the_template_is_a_file_that_can_be_imported() {
    let (_panel, mut olga) = shop();
    let path = "/admin/services/import/template.csv";
    assert!(olga.see(PATH).contains(&format!("href=\"{path}\"")));
    let file = olga.get(path);
    let name = "attachment; filename=\"services.csv\"";
    assert_eq!(file.header("content-disposition"), Some(name));
    let asked = olga.post(PATH, &[("csv", file.text())]);
    assert!(asked.text().contains("<dt>New</dt><dd>2</dd>"), "{}", asked.text());
}

#[test]
fn what_is_exported_can_be_imported_again() {
    let (panel, mut olga) = shop();
    panel.services(&["9,Likes,=1+1,Default,1,1,9,0,0,0,,,\"@home\nor abroad\""]);
    let file = olga.get("/admin/services/export.csv");
    assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8"));
    let name = "attachment; filename=\"panelite-services.csv\"";
    assert_eq!(file.header("content-disposition"), Some(name));
    let csv = file.text();
    assert!(csv.contains(",'=1+1,") && csv.contains(",\"'@home\n"), "{csv}");
    let before = last_change(&panel);
    let reply = olga.post(PATH, &[("csv", &csv.replace('\n', "\r\n"))]);
    assert_eq!(reply.status, 303, "{}", reply.text());
    assert!(olga.see("/admin/services").contains("Nothing to import: 5 services unchanged"));
    assert_eq!(last_change(&panel), before);
}
