//! `check` against damage: one sound file with a bit of everything, and for every way to falsify
//! it the rules that notice. A file that cannot even be read is a finding too, never a crash.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use panelite::clock::Clock;
use panelite::domain::order::PublicStatus;
use panelite::domain::setting::Setting;
use panelite::store::{Missing, Store, check, check_file};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::fixture::engine::{self, file_only};
use crate::fixture::panel::{Panel, cli, stdout};
use crate::fixture::table::rows;

/// The bytes of a sound panel.
static SOUND: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let panel = Panel::start();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sound.db");
    trade(&panel);
    connect(panel.db()).execute("VACUUM INTO $1", [path.to_str().unwrap()]).unwrap();
    let conn = connect(&path);
    conn.pragma_update(None, "foreign_keys", true).unwrap();
    conn.execute_batch(&hand_over()).unwrap();
    drop(conn);
    std::fs::read(path).unwrap()
});

/// Orders 1 to 12 in every state that there is by hand, refills, credit, prices of one's own.
fn trade(panel: &Panel) {
    panel.services(&[
        "1,C,Plain,Default,2.50,1,5000,1,1,1",
        "2,C,Package,Package,0.99,1,5000,0,0,1",
        "3,C,Comments,Custom Comments,10,1,5000,0,0,1",
        "4,D,Posts,Subscriptions,10,1,5000,0,0,1",
    ]);
    let (ann, bob) = (panel.reseller("ann", "50"), panel.reseller("bob", "0"));
    for args in [
        ["user", "set", "bob", "--credit-limit=5", "--discount=10"].as_slice(),
        ["user", "rate", "bob", "1", "2.333333"].as_slice(),
        ["user", "adjust", "ann", "-1", "--note=a correction"].as_slice(),
    ] {
        assert!(panel.cli(args).status.success(), "{args:?}");
    }
    panel.setting(Setting::Name, "The Shop");
    for _ in 1..=7 {
        ann.buys(1, 1000);
    }
    panel.set(2, PublicStatus::InProgress, Some(10), Some(700));
    panel.set(3, PublicStatus::Completed, Some(10), None);
    panel.set(4, PublicStatus::Partial, None, Some(400));
    panel.set(5, PublicStatus::Canceled, None, None);
    assert_eq!(bob.buys(1, 999), 8, "on credit");
    let order = |fields: &str| {
        let reply = ann.form(&format!("key=KEY&action=add&link=x&{fields}"));
        reply.json()["order"].as_i64().unwrap_or_else(|| panic!("{}", reply.text()))
    };
    assert_eq!(order("service=2"), 9);
    assert_eq!(order("service=3&comments=one%0Atwo"), 10);
    assert_eq!(order("service=1&quantity=10&runs=5&interval=60"), 11);
    assert_eq!(order("service=4&username=ann&min=1&max=2&delay=0"), 12);
    ann.form("key=KEY&action=refill&order=3");
}

/// What only delivery does: orders 6 and 7 on their way, 1 refused there, 2 and 3 placed there, the
/// one to be canceled, the other to be refilled;
/// 13 is a run of the drip-feed, 9 a post of the subscription. And goodwill for order 5.
fn hand_over() -> String {
    let goodwill = moved("goodwill", ["3", "4"], "5", "5");
    format!(
        "INSERT INTO providers (id, name, url, created_at, account_mac, key_sealed, currency,
                                exchange_nanos, sync_due_at)
         VALUES (1, 'p', 'https://p', 0, zeroblob(32), zeroblob(64), 'USD', 1000000000, 0);
         UPDATE orders SET status = 'sending', provider_id = 1 WHERE id = 6;
         UPDATE orders SET status = 'unknown', provider_id = 1 WHERE id = 7;
         UPDATE order_counts SET count = count + 2 WHERE public_status = 'processing';
         UPDATE order_counts SET count = count - 1 WHERE public_status = 'pending';
         UPDATE orders SET provider_id = 1, provider_order_id = 'A' || id WHERE id IN (2, 3);
         INSERT INTO deliveries (order_id, provider_id, stage, due_at, moved_at, hand)
         VALUES (6, 1, 'call', 1, 0, ''), (7, 1, 'call', 1, 0, 'unknown'),
                (2, 1, 'watch', 1, 0, ''), (3, 1, 'last', 1, 0, ''), (8, 1, 'send', 0, 0, '');
         INSERT INTO submissions (order_id, provider_id, place, provider_service, custom_id, state,
                                  expected_micros, created_at, ended_at)
         SELECT column1, 1, 0, '9', '', column2, 0, 0,
                CASE WHEN column2 IN ('rejected', 'not_sent') THEN 0 END FROM
           (VALUES (6, 'sending'), (7, 'unknown'), (2, 'rejected'), (2, 'accepted'),
                   (3, 'accepted'), (1, 'not_sent'));
         UPDATE orders SET cancel_requested_at = 0 WHERE id = 2;
         INSERT INTO errands (order_id, refill_id, provider_id, stage, due_at)
         VALUES (2, NULL, 1, 'ask', 0), (3, 1, 1, 'ask', 0);
         UPDATE submissions SET cost_micros = 700000 WHERE order_id = 3;
         UPDATE figures SET cost_micros = 700000;
         INSERT INTO paces (service_id, completed, seconds) VALUES (1, 1, 60);
         INSERT INTO orders (user_id, service_id, parent_id, kind, link, quantity, units,
                             rate_micros, charge_micros, remains, created_at, updated_at,
                             link_key)
         VALUES (1, 1, 11, 'default', 'x', 10, 10, 2500000, 0, 10, 0, 0, 'x');
         UPDATE accounts SET last_order_id = 13 WHERE id = 4;
         UPDATE orders SET status = 'active', shown = 'in_progress' WHERE id = 11;
         UPDATE order_counts SET count = count - 1 WHERE public_status = 'pending';
         UPDATE order_counts SET count = count + 1 WHERE public_status = 'in_progress';
         UPDATE drips SET started = 1, next_at = 3600 WHERE order_id = 11;
         UPDATE orders SET parent_id = 12 WHERE id = 9;
         INSERT INTO webhooks (user_id, url, secret_sealed, due_at) VALUES (1, 'https://a', zeroblob(72), 0);
         INSERT INTO events (user_id, kind, order_id, refill_id, status, net_charge_micros,
                             refunded_micros, remains, balance_micros, created_at, due_at, state)
         VALUES (1, 'order_completed', 3, NULL, 'completed', 2500000, 0, 0, NULL, 0, 0, 'waiting'),
                (1, 'refill_rejected', 3, 1, 'error', NULL, NULL, NULL, NULL, 0, NULL, 'done'),
                (1, 'balance_low', NULL, NULL, '', NULL, NULL, NULL, 1, 0, NULL, 'failed');
         {goodwill};
         ANALYZE;"
    )
}

/// A posting as the panel would write it, its money moved with it.
fn moved(kind: &str, [source, destination]: [&str; 2], amount: &str, order: &str) -> String {
    format!(
        "UPDATE accounts SET balance_micros = balance_micros - {amount} WHERE id = {source};
         UPDATE accounts SET balance_micros = balance_micros + {amount} WHERE id = {destination};
         INSERT INTO postings (created_at, kind, source_id, destination_id, amount_micros,
                               source_balance_micros, destination_balance_micros, user_id,
                               order_id, reference, actor)
         SELECT 0, '{kind}', s.id, d.id, {amount}, s.balance_micros, d.balance_micros,
                (SELECT id FROM users WHERE account_id IN (s.id, d.id)), {order},
                'test ' || random(), 'test'
         FROM accounts s, accounts d WHERE s.id = {source} AND d.id = {destination}"
    )
}

/// Opens a file as no panel would: nothing here has to survive a power failure.
fn connect(path: &Path) -> Connection {
    let conn = Connection::open(path).unwrap();
    conn.pragma_update(None, "synchronous", false).unwrap();
    conn
}

/// A copy of the sound file, in a folder that goes with it.
fn copy() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("panel.db");
    std::fs::write(&path, SOUND.as_slice()).unwrap();
    (folder, path)
}

/// The rules that find something wrong with a file.
fn broken_rules(path: &Path) -> BTreeSet<&'static str> {
    check_file(path).unwrap().iter().map(|finding| finding.rule).collect()
}

/// Does what no statement of ours could: every guard is off while `sql` runs, and on again after.
fn falsify(path: &Path, sql: &str) {
    let conn = connect(path);
    conn.pragma_update(None, "foreign_keys", false).unwrap();
    conn.pragma_update(None, "ignore_check_constraints", true).unwrap();
    conn.pragma_update(None, "legacy_alter_table", true).unwrap();
    let guards = guards(&conn, "type = 'trigger' OR sql LIKE 'CREATE UNIQUE INDEX%'");
    for (kind, name, _) in &guards {
        conn.execute_batch(&format!("DROP {kind} {name}")).unwrap();
    }
    conn.execute_batch(sql).unwrap_or_else(|error| panic!("{error}: {sql}"));
    for (_, _, sql) in &guards {
        // An index over what has just been doubled stays away, as it would have for a forger.
        let _ = conn.execute_batch(sql);
    }
}

/// Kind, name and text of what guards the file.
fn guards(conn: &Connection, which: &str) -> Vec<(String, String, String)> {
    let sql =
        format!("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND ({which})");
    let mut statement = conn.prepare(&sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

/// What is done, all the rules that notice, and how it is done: SQL, or the `moved` of a posting
/// that holds together with the others. Accounts: 1 external, 2 escrow, 3 revenue, 4 ann's, 5 bob's.
const FALSIFICATIONS: &str = "
    what is done                           | rules                                | how
    a balance is changed                   | balance sum                          | UPDATE accounts SET balance_micros = balance_micros + 1 WHERE id = 4
    money changes hands without a posting  | balance                              | UPDATE accounts SET balance_micros = balance_micros + CASE id WHEN 4 THEN 1 ELSE -1 END WHERE id IN (3, 4)
    escrow is emptied                      | balance escrow                       | UPDATE accounts SET balance_micros = balance_micros + (SELECT balance_micros FROM accounts WHERE id = 2) WHERE id = 3; UPDATE accounts SET balance_micros = 0 WHERE id = 2
    a debt loses its limit                 | file floor                           | UPDATE accounts SET credit_limit_micros = 0 WHERE id = 5
    a house account is gone                | account posting reference sum escrow | DELETE FROM accounts WHERE id = 2
    an account is nobody's                 | account                              | INSERT INTO accounts (kind) VALUES ('user')
    a second revenue                       | account                              | INSERT INTO accounts (kind) VALUES ('revenue')
    an account of no known kind            | account file posting                 | UPDATE accounts SET kind = 'account' WHERE id = 4
    a first order is another               | bounds                               | UPDATE accounts SET first_order_id = 2 WHERE id = 4
    a last order is forgotten              | bounds                               | UPDATE accounts SET last_order_id = NULL WHERE id = 5
    a posting is deleted                   | chain charge                         | DELETE FROM postings WHERE order_id = 1
    the last posting is deleted            | balance                              | DELETE FROM postings WHERE id = (SELECT max(id) FROM postings)
    a running balance is changed           | chain                                | UPDATE postings SET destination_balance_micros = destination_balance_micros + 1 WHERE id = 3
    an amount is changed                   | chain charge                         | UPDATE postings SET amount_micros = amount_micros - 1 WHERE order_id = 1
    a posting of nothing                   | amount chain charge file             | UPDATE postings SET amount_micros = 0 WHERE order_id = 1
    a charge goes to revenue               | chain posting                        | UPDATE postings SET destination_id = 3 WHERE order_id = 1
    a charge is called a deposit           | charge figures posting               | UPDATE postings SET kind = 'deposit' WHERE order_id = 1
    a posting of no known kind             | charge file posting                  | UPDATE postings SET kind = 'gift' WHERE order_id = 1
    a posting names another user           | posting                              | UPDATE postings SET user_id = 2 WHERE order_id = 1
    a charge names no order                | charge posting                       | UPDATE postings SET order_id = NULL WHERE order_id = 1
    a price is changed                     | price                                | UPDATE orders SET rate_micros = rate_micros + 1 WHERE id = 1
    a charge is changed                    | charge escrow figures price          | UPDATE orders SET charge_micros = charge_micros - 1 WHERE id = 1
    a run of a drip-feed costs something   | charge escrow price                  | UPDATE orders SET charge_micros = 25000 WHERE id = 13
    a run of a drip-feed is forgotten      | bounds count drip                    | DELETE FROM orders WHERE id = 13
    a run of a drip-feed is not counted    | drip                                 | UPDATE drips SET started = 0 WHERE order_id = 11
    more runs are to come than were bought | drip units                           | UPDATE orders SET runs = 1 WHERE id = 11
    a run has delivered and nobody knows   | drip                                 | UPDATE orders SET remains = 4 WHERE id = 13
    runs are to come of what has ended     | count drip escrow settled            | UPDATE orders SET status = 'canceled', finished_at = 1 WHERE id = 11
    a drip-feed is no order's that has one | drip                                 | INSERT INTO drips (order_id) VALUES (1)
    an order is another user's part        | part                                 | UPDATE orders SET parent_id = 1 WHERE id = 8
    a drip-feed waits for no known reason  | drip                                 | UPDATE drips SET hand = 'rain'
    a post of a subscription costs nothing | charge escrow figures price          | UPDATE orders SET charge_micros = 0 WHERE id = 9
    a quantity is changed                  | units                                | UPDATE orders SET quantity = quantity + 1 WHERE id = 1
    a line is lost of what was counted     | units                                | UPDATE order_inputs SET value = 'one' WHERE order_id = 10
    what was counted is gone               | units                                | DELETE FROM order_inputs WHERE order_id = 10
    a package counts two                   | price units                          | UPDATE orders SET units = 2, remains = 2 WHERE id = 9
    what was kept is wrong                 | kept                                 | UPDATE orders SET remains = remains + 1 WHERE id = 4
    a canceled order was kept              | count kept                           | UPDATE orders SET status = 'completed', remains = 0 WHERE id = 5
    more is noted as refunded              | refund                               | UPDATE orders SET refunded_micros = refunded_micros + 1 WHERE id = 4
    an ended order is open again           | cost count delivery escrow figures refill settled | UPDATE orders SET status = 'active', finished_at = NULL WHERE id = 3
    an order ends unsettled                | count escrow kept settled            | UPDATE orders SET status = 'completed', remains = 0, finished_at = 1 WHERE id = 1
    status and end disagree                | count file kept order                | UPDATE orders SET status = 'active' WHERE id = 5
    an order of no known status            | count file order                     | UPDATE orders SET status = 'lost' WHERE id = 1
    an order of no known kind              | order                                | UPDATE orders SET kind = 'favours' WHERE id = 1
    an active order shows no known word    | count file                           | UPDATE orders SET shown = 'soon' WHERE id = 2
    something remains of a completed order | remains                              | UPDATE orders SET remains = 1 WHERE id = 3
    all remains of a partial order         | kept remains                         | UPDATE orders SET remains = 1000 WHERE id = 4
    less than nothing remains              | file remains                         | UPDATE orders SET remains = -1 WHERE id = 1
    an order is another user's             | bounds owner                         | UPDATE orders SET user_id = 2 WHERE id = 1
    an order's link has another key        | link                                 | UPDATE orders SET link_key = 'y' WHERE id = 1
    a second live submission               | schema submission                    | INSERT INTO submissions (order_id, provider_id, place, provider_service, custom_id, state, expected_micros, created_at) VALUES (6, 1, 0, '9', '', 'accepted', 0, 0)
    a pending order is being sent          | submission                           | INSERT INTO submissions (order_id, provider_id, place, provider_service, custom_id, state, expected_micros, created_at) VALUES (8, 1, 0, '9', '', 'sending', 0, 0)
    a pending order is placed there        | count delivery errand submission     | UPDATE orders SET status = 'pending' WHERE id = 2
    an order is sent by nobody             | submission                           | DELETE FROM submissions WHERE order_id = 6
    an order is placed by nobody           | figures submission                   | DELETE FROM submissions WHERE order_id = 3
    a placed order has no number there     | delivery errand submission           | UPDATE orders SET provider_order_id = NULL WHERE id = 2
    an order is placed somewhere else      | errand submission                    | INSERT INTO providers (id, name, url, created_at, account_mac, key_sealed, currency, exchange_nanos, sync_due_at) VALUES (2, 'q', 'https://q', 0, randomblob(32), zeroblob(64), 'USD', 1000000000, 0); UPDATE orders SET provider_id = 2 WHERE id = 2
    unknown and sending disagree           | submission                           | UPDATE submissions SET state = 'unknown' WHERE order_id = 6
    a submission in no known state         | file submission                      | UPDATE submissions SET state = 'maybe' WHERE order_id = 6
    an order at a provider is not watched  | delivery                             | DELETE FROM deliveries WHERE order_id = 2
    a pending order is watched             | delivery                             | UPDATE deliveries SET stage = 'watch' WHERE order_id = 8
    an unknown order waits for nobody      | delivery                             | UPDATE deliveries SET hand = '' WHERE order_id = 7
    an order is held for nothing           | delivery                             | UPDATE deliveries SET stage = 'held' WHERE order_id = 8
    an open order has its last look        | delivery                             | UPDATE deliveries SET stage = 'last' WHERE order_id = 2
    an order is looked for elsewhere       | delivery                             | UPDATE deliveries SET place = 1 WHERE order_id = 2
    an order waits for an unknown hand     | delivery                             | UPDATE deliveries SET hand = 'foot' WHERE order_id = 7
    a delivery at no provider              | delivery                             | UPDATE deliveries SET provider_id = 9 WHERE order_id = 2
    an order is watched in no index        | delivery                             | UPDATE deliveries SET due_at = 0 WHERE order_id = 2
    what was tried before is in no index   | delivery                             | UPDATE deliveries SET tries = 1 WHERE order_id = 8
    a delivery of no order                 | delivery                             | UPDATE deliveries SET order_id = 99 WHERE order_id = 8
    a submission ended unknowably          | submission                           | UPDATE submissions SET family = 'mood' WHERE state = 'rejected'
    a rejected submission has not ended    | submission                           | UPDATE submissions SET ended_at = NULL WHERE state = 'rejected'
    a condition of no known kind           | condition                            | INSERT INTO conditions (kind, subject, text, raised_at) VALUES ('mood', '', '', 0)
    a secret that nobody knows             | secret                               | INSERT INTO secrets VALUES ('mood', zeroblob(60))
    a secret that is not sealed            | secret                               | INSERT INTO secrets VALUES ('mail_password', zeroblob(40))
    a provider has no sealed key           | provider                             | UPDATE providers SET key_sealed = zeroblob(40)
    a service has a provider and no pricing | pricing                             | UPDATE services SET provider_id = 1, provider_service = '9' WHERE id = 1
    an offer of no known kind              | offer                                | INSERT INTO offers VALUES (1, '9', 'n', 'c', 'favours', 1, 1, 1, 0, 0, 0, 0, NULL)
    two orders are one upstream            | provider schema                      | UPDATE orders SET provider_order_id = 'A2' WHERE id = 3
    a refill of what was not completed     | errand event refill                  | UPDATE refills SET order_id = 4
    a refill for another user              | refill                               | UPDATE refills SET user_id = 2
    a second open refill                   | refill schema                        | INSERT INTO refills (order_id, user_id, created_at, updated_at) VALUES (3, 1, 0, 0)
    a refill of no known status            | errand file refill                   | UPDATE refills SET status = 'soon'
    a posting of no order                  | reference                            | UPDATE postings SET order_id = 99 WHERE kind = 'goodwill'
    a key of no user                       | reference                            | UPDATE api_keys SET user_id = 99 WHERE id = 1
    a service of no category               | reference                            | DELETE FROM categories WHERE id = 2
    an input of no order                   | reference units                      | UPDATE order_inputs SET order_id = 99 WHERE order_id = 10
    a user is gone                         | account bounds owner posting reference | DELETE FROM users WHERE id = 2
    a cancel that nobody wants             | errand                               | UPDATE orders SET cancel_requested_at = NULL WHERE id = 2
    a cancel that nobody is asked for      | errand                               | DELETE FROM errands WHERE refill_id IS NULL
    a refill that has ended is asked for   | errand                               | UPDATE refills SET status = 'completed'
    an errand where no order is            | errand reference                     | UPDATE errands SET provider_id = 2
    an errand waits for nobody             | errand                               | UPDATE errands SET stage = 'held'
    an errand waits for an unknown hand    | errand                               | UPDATE errands SET stage = 'held', hand = 'left'
    a refill that was asked for, nameless  | errand                               | UPDATE errands SET stage = 'asked'
    a cost is changed                      | figures                              | UPDATE submissions SET cost_micros = 1 WHERE order_id = 3
    an order costs something before it ends | cost                                | UPDATE submissions SET cost_micros = 0 WHERE order_id = 2 AND state = 'accepted'
    a service that nobody has bought has a pace | pace                            | UPDATE paces SET completed = 0
    a secret is not sealed                 | webhook                              | UPDATE webhooks SET secret_sealed = zeroblob(32)
    an old secret counts for ever          | webhook                              | UPDATE webhooks SET old_secret_sealed = zeroblob(72)
    an event waits and nobody tells it     | webhook                              | UPDATE webhooks SET due_at = NULL
    an endpoint is due later than its event | webhook                             | UPDATE webhooks SET due_at = 1
    an event of no known kind              | event                                | UPDATE events SET kind = 'mood' WHERE id = 1
    an event of no known state             | event file                           | UPDATE events SET state = 'lost' WHERE id = 2
    an event says another word             | event                                | UPDATE events SET status = 'partial' WHERE id = 1
    an event says nothing of the money     | event                                | UPDATE events SET net_charge_micros = NULL WHERE id = 1
    an event that was told waits           | event                                | UPDATE events SET state = 'done' WHERE id = 1
    an event is about another user's order | event                                | UPDATE events SET order_id = 8 WHERE id = 1
    an event is about another refill       | event                                | UPDATE events SET order_id = 4 WHERE id = 2
    an event without a webhook             | event                                | DELETE FROM webhooks
    a count is changed                     | count                                | UPDATE order_counts SET count = count + 1 WHERE public_status = 'pending'
    a count is gone                        | count                                | DELETE FROM order_counts WHERE public_status = 'pending'
    a figure is changed                    | figures                              | UPDATE figures SET deposit_micros = 0 WHERE deposit_micros > 0
    figures of nothing                     | figures                              | INSERT INTO figures (slot_at, orders) VALUES (900, 0)
    what happened is not in the figures    | figures                              | DELETE FROM figures WHERE slot_at > 0
    a service of no known kind             | service                              | UPDATE services SET kind = 'favours' WHERE id = 1
    an input of no known name              | input units                          | UPDATE order_inputs SET name = 'favour' WHERE order_id = 10
    a setting that cannot be               | setting                              | INSERT INTO settings VALUES ('key_rate', 'fast')
    a setting that is none                 | setting                              | INSERT INTO settings VALUES ('mood', 'good')
    a table is gone                        | schema                               | DROP TABLE audit
    the orders are gone                    | file reference schema                | DROP TABLE orders
    a table is loosened                    | account bounds file owner posting schema | CREATE TABLE spare AS SELECT * FROM users; DROP TABLE users; ALTER TABLE spare RENAME TO users; UPDATE users SET account_id = 4
    an index lies                          | file                                 | PRAGMA writable_schema = 1; UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'orders_open') WHERE name = 'orders_user'
    an order is charged twice              | charge escrow                        | post charge 4 2 2500000 1
    an order is charged in part again      | charge escrow                        | post charge 4 2 1 1
    an extra refund of what was kept       | escrow figures refund settled        | post refund 2 4 1 3
    an open order is refunded              | escrow figures refund settled        | post refund 2 4 1 1
    another user gets the refund           | escrow figures owner refund settled  | post refund 2 5 1 4
    an open order is earned                | escrow figures settled               | post capture 2 3 1 1
    a deposit out of escrow                | escrow figures posting               | post deposit 2 4 1 NULL
";

/// The SQL of a falsification.
fn sql(how: &str) -> String {
    let words: Vec<&str> = how.split(' ').collect();
    match words[..] {
        ["post", kind, source, destination, amount, order] => {
            moved(kind, [source, destination], amount, order)
        }
        _ => how.to_owned(),
    }
}

#[test]
fn every_falsification_is_named() {
    file_only!("it forges the bytes of a file");
    let (mut named, mut wrong) = (BTreeSet::new(), Vec::new());
    for row in rows(FALSIFICATIONS) {
        let (_folder, path) = copy();
        falsify(&path, &sql(row[2]));
        let broken = broken_rules(&path);
        if broken != row[1].split(' ').collect() {
            wrong.push(format!("{}: found {broken:?}, not {}", row[0], row[1]));
        }
        named.extend(broken);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    // No rule is left that nothing here can break.
    let sources = [
        include_str!("../../src/store/check/mod.rs"),
        include_str!("../../src/store/check/accounts.rs"),
        include_str!("../../src/store/check/deliveries.rs"),
        include_str!("../../src/store/check/drips.rs"),
        include_str!("../../src/store/check/errands.rs"),
        include_str!("../../src/store/check/orders.rs"),
        include_str!("../../src/store/check/file.rs"),
        include_str!("../../src/store/check/sums.rs"),
        include_str!("../../src/store/check/webhooks.rs"),
    ];
    assert_eq!(named, sources.iter().flat_map(|source| rules_in(source)).collect());
}

/// The rules that a source file can name: its one-word texts where a finding is made.
fn rules_in(source: &'static str) -> HashSet<&'static str> {
    let words = source.split("report.").skip(1).filter_map(|call| call.split('"').nth(1));
    words.filter(|word| word.bytes().all(|byte| byte.is_ascii_lowercase())).collect()
}

#[test]
fn nothing_is_wrong_with_a_sound_file() {
    file_only!("it forges the bytes of a file");
    let (_folder, path) = copy();
    assert_eq!(check_file(&path).unwrap(), []);
    let store = Store::open(engine::place(&path), Missing::Refuse, Clock::System).unwrap();
    assert_eq!(store.page(check::quick).unwrap(), []);
    drop(store);
    // Taking the guards off and putting them on again is no damage.
    falsify(&path, "");
    assert_eq!(check_file(&path).unwrap(), []);
}

#[test]
fn a_missing_guard_is_named() {
    file_only!("it forges the bytes of a file");
    let (_folder, path) = copy();
    let names = guards(&connect(&path), "type IN ('trigger', 'index')");
    assert!(names.len() > 10);
    for (kind, name, _) in names {
        let (_folder, path) = copy();
        connect(&path).execute_batch(&format!("DROP {kind} {name}")).unwrap();
        let findings = check_file(&path).unwrap();
        let texts: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert_eq!(texts, [format!("schema: {name} is missing")]);
    }
    let (_folder, path) = copy();
    let blunt = "DROP TRIGGER postings_stay;
                 CREATE TRIGGER postings_stay BEFORE DELETE ON postings BEGIN SELECT 1; END;
                 CREATE TRIGGER extra AFTER INSERT ON orders BEGIN SELECT 1; END;";
    connect(&path).execute_batch(blunt).unwrap();
    let findings = check_file(&path).unwrap();
    assert_eq!((findings.len(), broken_rules(&path)), (2, BTreeSet::from(["schema"])));
}

#[test]
fn a_damaged_page_is_a_finding_wherever_it_is() {
    file_only!("it forges the bytes of a file");
    let page_size = usize::from(u16::from_be_bytes([SOUND[16], SOUND[17]]));
    let pages = SOUND.len() / page_size;
    assert!(pages > 20);
    for page in 0..pages {
        let (_folder, path) = copy();
        let mut bytes = SOUND.clone();
        let header = page * page_size + if page == 0 { 100 } else { 0 };
        bytes[header..header + 8].fill(0xff);
        std::fs::write(&path, bytes).unwrap();
        assert!(broken_rules(&path).contains("file"), "page {}", page + 1);
    }
}

#[test]
fn what_is_no_database_is_a_finding_too() {
    file_only!("it forges the bytes of a file");
    for bytes in [&b"key,value\n"[..], &SOUND[..SOUND.len() / 2], &SOUND[..512]] {
        let (_folder, path) = copy();
        std::fs::write(&path, bytes).unwrap();
        assert!(broken_rules(&path).contains("file"), "{} bytes", bytes.len());
    }
    assert!(check_file(Path::new("/nowhere/panel.db")).is_err());
}

#[test]
fn the_command_line_prints_what_is_wrong() {
    file_only!("it forges the bytes of a file");
    let (_folder, path) = copy();
    let output = cli(&path, &["check"]);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), "sound\n"));

    falsify(&path, "UPDATE accounts SET balance_micros = balance_micros + 1 WHERE id = 4");
    let output = cli(&path, &["check"]);
    assert_eq!(output.status.code(), Some(1));
    let printed = stdout(&output);
    let rules: Vec<_> = printed.lines().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(rules, ["balance", "sum"]);
}

#[test]
fn a_server_does_not_sell_from_unsound_books() {
    file_only!("it forges the bytes of a file");
    let (_folder, path) = copy();
    falsify(&path, "UPDATE accounts SET balance_micros = balance_micros + 1 WHERE id = 4");
    let output = cli(&path, &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(1));
    let findings = String::from_utf8(output.stderr).unwrap();
    assert!(findings.contains("sum: all balances together are 1, not 0"), "{findings}");
}
