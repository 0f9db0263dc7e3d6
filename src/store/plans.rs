//! How both engines go about our statements: for tests. PostgreSQL is asked where
//! `PANELITE_TEST_PG` names a server of its kind.
//!
//! Tables of tests are small, and so the planner is told to dislike what only small tables bear:
//! where it takes that nevertheless, there is no other way.

use super::pg::{self, Wire};
use super::value::{Row, RowResult};
use super::{Result, pg_schema, requests, schema, scratch, services, users, webhooks};

/// Of the statements' parameters only their places are known.
const DISLIKE: &str = "SET LOCAL enable_seqscan = off;
    SET LOCAL enable_sort = off;
    SET LOCAL plan_cache_mode = force_generic_plan";

thread_local!(static PLANNER: Option<Wire> = planner());

/// Fails where a list would read a whole table or sort what it has read. Lists in blocks are a
/// file's alone.
pub(super) fn assert_walks_an_index(sql: &str) {
    schema::assert_walks_an_index_of_a_file(sql);
    if !sql.contains("block =") {
        assert_walks_an_index_of_a_server(sql, &vec!["unknown"; parameters(sql)]);
    }
}

/// The same for a server alone, where the types of the parameters may have to be said.
fn assert_walks_an_index_of_a_server(sql: &str, types: &[&str]) {
    PLANNER.with(|planner| {
        let Some(wire) = planner.as_ref() else { return };
        let plan = plan(wire, sql, types).unwrap_or_else(|error| panic!("{error}\n{sql}"));
        let is_bad = |step: &String| step.contains("Seq Scan") || step.contains("Sort");
        assert!(!plan.iter().any(is_bad), "{plan:#?}\n{sql}");
    });
}

/// A connection to a panel that has nothing in it and is never committed.
fn planner() -> Option<Wire> {
    let wire = Wire::connect(&scratch::dsn("")?).unwrap();
    wire.be_patient().unwrap();
    let name = scratch::name();
    let create = format!("CREATE SCHEMA {name}; SET LOCAL search_path = {name}");
    for sql in ["BEGIN", &create, &pg_schema::of(schema::SCHEMA), DISLIKE] {
        wire.run_all(sql).unwrap();
    }
    Some(wire)
}

fn plan(wire: &Wire, sql: &str, types: &[&str]) -> Result<Vec<String>> {
    prepare(wire, sql, types)?;
    let unknown = listed(&vec!["NULL"; types.len()]);
    let rows = wire.query(&format!("EXPLAIN (COSTS OFF) EXECUTE asked{unknown}"), &[])?;
    wire.run_all("DEALLOCATE asked")?;
    Ok(rows.iter().map(|row| Row::Pg(row).get(0)).collect::<RowResult<_>>()?)
}

/// Prepares a statement of which nobody says what its parameters are: where that shows nowhere in
/// it, a number is tried, and then a text.
fn prepare(wire: &Wire, sql: &str, types: &[&str]) -> Result<()> {
    let mut types = types.to_vec();
    let mut guessed = None;
    loop {
        wire.run_all("SAVEPOINT before")?;
        let statement = pg::translated(sql);
        let done = wire.run_all(&format!("PREPARE asked{} AS {statement}", listed(&types)));
        let Err(error) = done else { return Ok(()) };
        wire.run_all("ROLLBACK TO before")?;
        let told = error.to_string();
        let unclear = told.split_once("data type of parameter $").and_then(|(_, behind)| {
            let number: usize = behind.split(' ').next()?.parse().ok()?;
            Some(number - 1)
        });
        match (unclear, guessed) {
            (Some(place), _) if types[place] == "unknown" => {
                types[place] = "bigint";
                guessed = Some(place);
            }
            (None, Some(place)) if types[place] == "bigint" => types[place] = "text",
            _ => return Err(error),
        }
    }
}

/// What stands in parentheses, if anything.
fn listed(list: &[&str]) -> String {
    if list.is_empty() { String::new() } else { format!("({})", list.join(", ")) }
}

/// How many parameters a statement has.
fn parameters(sql: &str) -> usize {
    let numbers = sql.split('$').skip(1).filter_map(|behind| {
        let end = behind.find(|next: char| !next.is_ascii_digit()).unwrap_or(behind.len());
        behind[..end].parse().ok()
    });
    numbers.max().unwrap_or(0)
}

#[test]
fn what_a_batch_looks_at_is_found_along_indexes() {
    assert_walks_an_index_of_a_server(users::MANY, &["bigint[]"]);
    assert_walks_an_index_of_a_server(webhooks::MANY, &["bigint[]"]);
    assert_walks_an_index_of_a_server(services::MANY_ON_SALE, &["bigint[]", "bigint[]"]);
    assert_walks_an_index_of_a_server(requests::MANY, &["bigint[]", "text[]"]);
}
