//! The catalogue as a CSV file: in, after saying what would change, and out.

use crate::admin_services::{last_change, offer, shop};
use crate::fixture::operator::form;

const HEADER: &str = "id,category,name,type,rate,min,max,dripfeed,refill,cancel,provider,provider_service,description";

#[test]
fn a_file_is_imported_after_saying_what_would_change() {
    let (panel, mut olga) = shop();
    let ann = panel.reseller("ann", "10");
    let path = "/admin/services/import";
    assert!(olga.see(path).contains("href=\"/admin/services/export.csv\""));
    let csv = format!(
        "{HEADER}\r\n,New,\"Fresh, <new>\",Default,1.5,1,9,0,0,0,,,\r\n\
         1,Likes,Likes,Default,0.95,10,10000,1,1,1,,,Fast\r\n\
         2,Likes,More likes,Default,0.80,10,10000,0,0,0,,,\r\n"
    );
    let before = last_change(&panel);
    let asked = olga.post(path, &[("csv", &csv)]);
    for text in [
        "Import 3 services?",
        "<dt>New</dt><dd>1</dd>",
        "<dt>Changed</dt><dd>1</dd>",
        "<dt>As they are already</dt><dd>1</dd>",
    ] {
        assert!(asked.text().contains(text), "{text}: {}", asked.text());
    }
    assert_eq!(
        (last_change(&panel), offer(&ann, 5)),
        (before.clone(), None),
        "nothing is done yet"
    );
    let carried = form(asked.text(), path);
    let carried: Vec<_> = carried.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(olga.post(path, &carried).status, 303);
    let again = olga.post(path, &carried);
    assert!(
        again.status == 422 && again.text().contains("The catalogue has changed"),
        "sent twice"
    );
    assert_eq!(offer(&ann, 6), None);
    assert_eq!(offer(&ann, 5).unwrap().0, "Fresh, <new>");
    assert_eq!(offer(&ann, 1).unwrap().1, "0.95");
    assert_eq!(last_change(&panel).1, "1 created, 2 updated");

    let before = last_change(&panel);
    let line = |line: &str| format!("{HEADER}\n1,L,Likes,Default,1,1,9,0,0,0,,,\n{line}\n");
    for (csv, sentence) in [
        (String::new(), "line 1: the column id is missing"),
        (HEADER.to_owned(), "There is no service in it"),
        ("id,price\n".to_owned(), "line 1: the column &#34;price&#34; is unknown"),
        (line("2,L,x,Nonsense,1,1,9,0,0,0,,,"), "line 3: type is not a type of service"),
        (line("2,L,x,Default,1,10,9,0,0,0,,,"), "line 3: min is above max"),
        (line("1,L,x,Default,1,1,9,0,0,0,,,"), "line 3: An earlier line has the same id"),
        (line("2,L,x,Default,1,1,9,0,0,0,acme,7,"), "line 3: There is no provider"),
    ] {
        let reply = olga.post(path, &[("csv", &csv), ("confirmed", "yes")]);
        assert_eq!(reply.status, 422, "{csv}");
        assert!(reply.text().contains(&format!("<li>{sentence}")), "{csv}: {}", reply.text());
    }
    let many = line("2,L,x,Default,one,1,9,0,0,0,,,\n3,L,x,Default,1,1,9,2,0,0,,,");
    let reply = olga.post(path, &[("csv", &many)]);
    assert!(reply.text().contains("2 lines cannot be imported"));
    assert!(
        reply.text().contains("<li>line 3: rate is not") && reply.text().contains("<li>line 4:")
    );
    assert_eq!(last_change(&panel), before);
}

#[test]
fn what_is_exported_can_be_imported_again() {
    let (panel, mut olga) = shop();
    panel.services(&["9,Likes,=1+1,Default,1,1,9,0,0,0,,,@home"]);
    let file = olga.get("/admin/services/export.csv");
    assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8"));
    let name = "attachment; filename=\"panelite-services.csv\"";
    assert_eq!(file.header("content-disposition"), Some(name));
    let csv = file.text();
    assert!(csv.contains(",'=1+1,") && csv.contains(",'@home,"), "{csv}");
    let asked = olga.post("/admin/services/import", &[("csv", csv)]);
    assert!(asked.text().contains("<dt>As they are already</dt><dd>5</dd>"), "{}", asked.text());
}
