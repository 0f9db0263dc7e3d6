//! The navigation: what every page can be reached by.

/// Where in the navigation a page stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nav {
    Dashboard,
    Orders,
    Refills,
    Alerts,
    Services,
    Categories,
    Providers,
    Users,
    Keys,
    Ledger,
    Audit,
    Settings,
    Account,
    /// Nowhere: errors, questions.
    Other,
}

/// One line of the navigation.
pub(crate) struct NavItem {
    pub(crate) nav: Nav,
    pub(crate) label: &'static str,
    pub(crate) path: &'static str,
    /// Its picture in `icons.svg`.
    pub(crate) icon: &'static str,
    /// The key that leads there after `g`.
    pub(crate) key: char,
}

const fn item(
    nav: Nav,
    label: &'static str,
    path: &'static str,
    icon_key: (&'static str, char),
) -> NavItem {
    NavItem { nav, label, path, icon: icon_key.0, key: icon_key.1 }
}

/// The navigation: groups by heading. A page that is not built has no line here.
pub(crate) const NAV: &[(&str, &[NavItem])] = &[
    (
        "Work",
        &[
            item(Nav::Dashboard, "Dashboard", "/admin", ("house", 'd')),
            item(Nav::Orders, "Orders", "/admin/orders", ("shopping-cart", 'o')),
            item(Nav::Refills, "Refills", "/admin/refills", ("refresh-cw", 'r')),
            item(Nav::Alerts, "Alerts", "/admin/alerts", ("triangle-alert", 'w')),
        ],
    ),
    (
        "Catalogue",
        &[
            item(Nav::Services, "Services", "/admin/services", ("boxes", 's')),
            item(Nav::Categories, "Categories", "/admin/categories", ("folder-tree", 'c')),
            item(Nav::Providers, "Providers", "/admin/providers", ("server", 'p')),
        ],
    ),
    (
        "People & money",
        &[
            item(Nav::Users, "Users", "/admin/users", ("users", 'u')),
            item(Nav::Keys, "API keys", "/admin/keys", ("key-round", 'k')),
            item(Nav::Ledger, "Ledger", "/admin/ledger", ("book-open", 'l')),
        ],
    ),
    (
        "System",
        &[
            item(Nav::Audit, "Audit", "/admin/audit", ("scroll-text", 'a')),
            item(Nav::Settings, "Settings", "/admin/settings", ("settings", 't')),
        ],
    ),
];

/// The line of the navigation that a path belongs to; the first one where there is none.
pub(crate) fn above(path: &str) -> &'static NavItem {
    let is_above = |item: &&NavItem| {
        let rest = path.strip_prefix(item.path);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let items = || NAV.iter().flat_map(|(_, items)| items.iter());
    let deepest = items().filter(is_above).max_by_key(|item| item.path.len());
    deepest.unwrap_or(&NAV[0].1[0])
}

#[cfg(test)]
mod tests {
    use super::above;

    #[test]
    fn a_path_belongs_to_the_deepest_line() {
        for (path, label) in [
            ("/admin/orders/999", "Orders"),
            ("/admin/users/7/keys", "Users"),
            ("/admin/ordering", "Dashboard"),
            ("/elsewhere", "Dashboard"),
        ] {
            assert_eq!(above(path).label, label, "{path}");
        }
    }
}
