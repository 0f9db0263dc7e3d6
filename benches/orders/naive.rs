//! The honest opponent: what one writes first, and writes well. actix-web, an r2d2 pool of one
//! writing connection, our schema and pragmas, `web::block`, one transaction per request.

use std::path::Path;

use actix_web::web::{self, Data, Json};
use actix_web::{App, HttpResponse, HttpServer};
use panelite::clock::Clock;
use panelite::domain::link;
use panelite::secret::KeyHash;
use r2d2::Pool;
use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::{Connection, TransactionBehavior, params};

type Connections = Pool<SqliteConnectionManager>;

#[derive(serde::Deserialize)]
struct Add {
    key: String,
    service: i64,
    link: String,
    quantity: i64,
}

/// Serves `add` and nothing else until killed.
pub(crate) fn serve(db: &Path) {
    let manager = SqliteConnectionManager::file(db).with_init(|conn| {
        conn.set_prepared_statement_cache_capacity(64);
        conn.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
             PRAGMA wal_autocheckpoint = 10000; PRAGMA cache_size = -32768;",
        )
    });
    let pool = Pool::builder().max_size(1).test_on_check_out(false).build(manager).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    println!("naive: http://{}", listener.local_addr().unwrap());
    let server = HttpServer::new(move || {
        App::new()
            .app_data(Data::new(pool.clone()))
            .route("/api/v2", web::post().to(add))
            .route("/healthz", web::get().to(HttpResponse::Ok))
    });
    let server = server.workers(2).tcp_nodelay(true).listen(listener).unwrap().run();
    actix_web::rt::System::new().block_on(server).unwrap();
}

async fn add(add: Json<Add>, pool: Data<Connections>) -> HttpResponse {
    let done = web::block(move || {
        let mut conn = pool.get().map_err(|error| error.to_string())?;
        place(&mut conn, &add).map_err(|error| error.to_string())
    });
    match done.await {
        Ok(Ok(order)) => HttpResponse::Ok()
            .json(serde_json::json!({"order": order.to_string(), "currency": "USD"})),
        Ok(Err(error)) => HttpResponse::BadRequest().json(serde_json::json!({"error": error})),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

fn place(conn: &mut Connection, add: &Add) -> rusqlite::Result<i64> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (user, account, balance): (i64, i64, i64) = tx
        .prepare_cached(
            "SELECT u.id, a.id, a.balance_micros FROM api_keys k
             JOIN users u ON u.id = k.user_id JOIN accounts a ON a.id = u.account_id
             WHERE k.key_hash = $1 AND k.revoked_at IS NULL AND u.is_suspended = 0",
        )?
        .query_row([KeyHash::of(&add.key).0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let (kind, rate): (String, i64) = tx
        .prepare_cached(
            "SELECT s.kind, coalesce(r.rate_micros, s.rate_micros) FROM services s
             LEFT JOIN user_rates r ON r.user_id = $1 AND r.service_id = s.id
             WHERE s.id = $2 AND s.is_enabled = 1 AND $3 BETWEEN quantity_min AND quantity_max",
        )?
        .query_row(params![user, add.service, add.quantity], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let charge = (rate * add.quantity + 999) / 1000;
    if charge > balance {
        return Err(rusqlite::Error::QueryReturnedNoRows);
    }
    let (now, key) = (Clock::System.now().0, link::key(&add.link));
    let order: i64 = tx
        .prepare_cached(
            "INSERT INTO orders (user_id, service_id, kind, link, quantity, units, rate_micros,
                                 charge_micros, remains, created_at, updated_at, link_key)
             VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $5, $8, $8, $9) RETURNING id",
        )?
        .query_row(
            params![user, add.service, kind, add.link, add.quantity, rate, charge, now, key],
            |row| row.get(0),
        )?;
    tx.prepare_cached("UPDATE order_counts SET count = count + 1 WHERE public_status = 'pending'")?
        .execute([])?;
    tx.prepare_cached(
        "INSERT INTO figures (slot_at, orders, charged_micros) VALUES ($1, 1, $2)
         ON CONFLICT (slot_at) DO UPDATE SET
           orders = orders + 1, charged_micros = charged_micros + excluded.charged_micros",
    )?
    .execute([now - now.rem_euclid(900), charge])?;
    // The same balances and bounds that the panel keeps.
    let source: i64 = tx
        .prepare_cached(
            "UPDATE accounts SET balance_micros = balance_micros - $1, last_order_id = $2,
                                 first_order_id = coalesce(first_order_id, $2)
             WHERE id = $3 RETURNING balance_micros",
        )?
        .query_row([charge, order, account], |row| row.get(0))?;
    let destination: i64 = tx
        .prepare_cached(
            "UPDATE accounts SET balance_micros = balance_micros + $1 WHERE id = 2
             RETURNING balance_micros",
        )?
        .query_row([charge], |row| row.get(0))?;
    tx.prepare_cached(
        "INSERT INTO postings (created_at, kind, source_id, destination_id, amount_micros,
                               source_balance_micros, destination_balance_micros, user_id,
                               order_id, actor)
         VALUES ($1, 'charge', $2, 2, $3, $4, $5, $6, $7, 'naive')",
    )?
    .execute(params![now, account, charge, source, destination, user, order])?;
    tx.commit()?;
    Ok(order)
}
