//! The headings of the catalogue: added, renamed, moved, switched, taken away, with the way back.

use crate::admin_services::{last_change, offer, rows, shop};
use crate::fixture::operator::form;

#[test]
fn categories_are_added_renamed_moved_and_switched() {
    let (panel, mut olga) = shop();
    let ann = panel.reseller("ann", "10");
    let reply = olga.post("/admin/categories", &[("new", "Telegram")]);
    assert_eq!(reply.header("location"), Some("/admin/categories#c-3"));
    let names = |page: &str| -> Vec<String> {
        let rows = page.split("<a href=\"/admin/services?category=").skip(1);
        let name = |row: &str| row.split("<bdi>").nth(1)?.split('<').next().map(str::to_owned);
        rows.filter_map(name).collect()
    };
    let page = olga.see("/admin/categories");
    assert_eq!(names(&page), ["Likes", "Packs", "Telegram"]);
    assert!(page.contains("<td class=\"sum num\" data-l=\"Services\">3</td>"), "{page}");
    for (path, order) in [
        ("3/up", ["Likes", "Telegram", "Packs"]),
        ("3/up", ["Telegram", "Likes", "Packs"]),
        ("3/up", ["Telegram", "Likes", "Packs"]),
        ("1/down", ["Telegram", "Packs", "Likes"]),
        ("1/down", ["Telegram", "Packs", "Likes"]),
    ] {
        let reply = olga.post(&format!("/admin/categories/{path}"), &[]);
        assert_eq!(reply.status, 303);
        assert_eq!(names(&olga.see("/admin/categories")), order, "{path}");
    }
    assert_eq!(last_change(&panel).1, "Likes down, now after Packs");
    assert_eq!(rows(&olga.see("/admin/services")), [4, 1, 2, 3]);

    assert!(olga.see("/admin/categories?edit=1").contains("action=\"/admin/categories/1\""));
    let reply = olga.post("/admin/categories/1", &[("name", "Hearts")]);
    assert_eq!(reply.header("location"), Some("/admin/categories?size=100#c-1"));
    assert_eq!(offer(&ann, 1).unwrap().2, "Hearts");
    assert_eq!(last_change(&panel), ("category 1".to_owned(), "Likes → Hearts".to_owned()));
    let long = "x".repeat(256);
    for (name, sentence) in [
        ("", "Enter a name"),
        ("Packs", "Another category has this name"),
        (&*long, "A category&#39;s name is 1 to 255"),
    ] {
        for (path, field) in [("/admin/categories/1", "name"), ("/admin/categories", "new")] {
            let reply = olga.post(path, &[(field, name)]);
            assert_eq!(reply.status, 422, "{path} {name}");
            let beside = reply.text().split(&format!("id=\"e-{field}\">")).nth(1).unwrap();
            assert!(beside.starts_with(sentence), "{path} {name}: {beside}");
        }
    }

    assert_eq!(olga.post("/admin/categories/1/disable", &[]).status, 303);
    assert!(offer(&ann, 1).is_none() && offer(&ann, 4).is_some());
    let reply = ann.form("key=KEY&action=add&service=1&link=https://example.com/p&quantity=100");
    assert_eq!(reply.json()["error"], "Incorrect service ID", "nor can it be ordered");
    let page = olga.see("/admin/categories");
    assert!(page.contains("action=\"/admin/categories/1/enable\""), "{page}");
    assert!(olga.see("/admin/services").contains("Category off"));
    olga.post("/admin/categories/1/enable", &[]);
    assert!(offer(&ann, 1).is_some());

    let reply = olga.post("/admin/categories/1/delete", &[]);
    assert!(reply.status == 422 && reply.text().contains("The category has services"));
    assert_eq!(olga.post("/admin/categories/3/delete", &[]).status, 303);
    assert_eq!(names(&olga.see("/admin/categories")), ["Packs", "Hearts"]);
    assert_eq!(olga.post("/admin/categories/3/up", &[]).status, 404);
}

#[test]
fn a_new_name_and_a_switch_are_taken_back() {
    let (panel, mut olga) = shop();
    let ann = panel.reseller("ann", "10");
    let mut press = |path: &str, fields: &[(&str, &str)]| {
        assert_eq!(olga.post(path, fields).status, 303);
        olga.see("/admin/categories")
    };
    let path = "/admin/categories/1";
    let fields = |page: &str, path: &str| -> Vec<(String, String)> {
        form(&page[page.find("class=\"toast\"").unwrap()..], path)
    };
    let page = press(path, &[("name", "Hearts")]);
    assert!(page.contains("Category 1 is now Hearts"), "{page}");
    let back = fields(&page, path);
    let back: Vec<_> = back.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let page = press(path, &back);
    assert!(page.contains("Category 1 is now Likes") && !page.contains(">Undo<"), "{page}");
    assert_eq!(offer(&ann, 1).unwrap().2, "Likes");
    assert!(press(path, &back).contains("Not undone: it has been changed again since"));

    let page = press("/admin/categories/1/disable", &[]);
    assert!(page.contains("Likes disabled: its services cannot be ordered"), "{page}");
    assert!(offer(&ann, 1).is_none() && !fields(&page, "/admin/categories/1/enable").is_empty());
    let page = press("/admin/categories/1/enable", &[]);
    assert!(page.contains("Likes enabled") && offer(&ann, 1).is_some(), "{page}");
    assert!(press("/admin/categories/1/enable", &[]).contains("Nothing changed: already enabled"));
}
