//! The guards of a database on a server: every column, constraint, index, trigger and function is
//! compared with those of a schema that is made for that, out of sight, and thrown away.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use super::Finding;
use crate::store::pg::Wire;
use crate::store::place::Dsn;
use crate::store::schema::SCHEMA;
use crate::store::value::{Row, RowResult};
use crate::store::{Result, pg_schema};

/// What is in a schema, by name: `$1` is the schema's, which is taken out of what is compared.
const GUARDS: &str = "
SELECT name, replace(replace(text, $1 || '.', ''), 'pg_temp.', '') FROM (
  SELECT 'column ' || c.relname || '.' || a.attname AS name,
         concat(format_type(a.atttypid, a.atttypmod), ' ', a.attnotnull, ' ', a.attidentity,
                a.attgenerated, ' ', a.attcollation, ' ', pg_get_expr(d.adbin, d.adrelid)) AS text
  FROM pg_attribute a
  JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'
  JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = $1
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT 'constraint ' || c.relname || '.' || k.conname, pg_get_constraintdef(k.oid)
  FROM pg_constraint k
  JOIN pg_class c ON c.oid = k.conrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = $1
  WHERE k.contype <> 't'
  UNION ALL
  SELECT 'index ' || c.relname, concat(pg_get_indexdef(i.indexrelid), ' ', i.indisvalid)
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = $1
  UNION ALL
  SELECT 'trigger ' || t.tgname, concat(pg_get_triggerdef(t.oid), ' ', t.tgenabled)
  FROM pg_trigger t
  JOIN pg_class c ON c.oid = t.tgrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = $1
  WHERE NOT t.tgisinternal
  UNION ALL
  SELECT 'function ' || p.proname, p.prosrc
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace AND n.nspname = $1
) AS guards";

/// What is in a schema, by name.
type Guards = HashMap<String, String>;

/// What this version makes, by what else its words depend on: some hundred things, which a process
/// makes once.
static EXPECTED: Mutex<BTreeMap<String, Arc<Guards>>> = Mutex::new(BTreeMap::new());

const WORDS: &str = "SELECT concat(version(), ' ', current_setting('quote_all_identifiers'))";
const OURS: &str =
    "SELECT CAST(nspname AS TEXT) FROM pg_namespace WHERE nspname = current_schema()";
const FRESH: &str =
    "SELECT CAST(nspname AS TEXT) FROM pg_namespace WHERE oid = pg_my_temp_schema()";

/// What differs from this version's schema. What others keep beside it is their business, but for
/// triggers and constraints: those are on our tables.
pub(super) fn check(dsn: &Dsn) -> Result<Vec<Finding>> {
    let wire = Wire::connect(dsn)?;
    wire.run_all("BEGIN")?;
    check_here(&wire)
}

/// The same in the transaction that is open, which is left as it was.
pub(super) fn check_here(wire: &Wire) -> Result<Vec<Finding>> {
    let (kept, expected) = (guards(wire, OURS)?, expected(wire)?);
    let mut findings = Vec::new();
    let mut add = |text: String| findings.push(Finding { rule: "schema", text });
    for (name, text) in &kept {
        match expected.get(name) {
            Some(expected) if expected == text => {}
            Some(_) => add(format!("{name} is not as this version makes it")),
            None if name.starts_with("trigger ") || name.starts_with("constraint ") => {
                add(format!("{name} is none of this version's"));
            }
            None => {}
        }
    }
    let missing = expected.keys().filter(|name| !kept.contains_key(*name));
    missing.for_each(|name| add(format!("{name} is missing")));
    findings.sort_unstable_by(|one, other| one.text.cmp(&other.text));
    Ok(findings)
}

fn expected(wire: &Wire) -> Result<Arc<Guards>> {
    let words = first_text(wire, WORDS)?;
    let known = EXPECTED.lock().unwrap_or_else(PoisonError::into_inner).get(&words).cloned();
    if let Some(known) = known {
        return Ok(known);
    }
    let schema = pg_schema::of(SCHEMA).replace("EXECUTE FUNCTION ", "EXECUTE FUNCTION pg_temp.");
    let schema = schema.replace("CREATE FUNCTION ", "CREATE FUNCTION pg_temp.");
    wire.run_all(&format!("SAVEPOINT fresh; SET LOCAL search_path = pg_temp; {schema}"))?;
    let made = Arc::new(guards(wire, FRESH)?);
    wire.run_all("ROLLBACK TO fresh")?;
    EXPECTED.lock().unwrap_or_else(PoisonError::into_inner).insert(words, Arc::clone(&made));
    Ok(made)
}

fn guards(wire: &Wire, schema: &str) -> Result<Guards> {
    let name = first_text(wire, schema)?;
    let rows = wire.query(GUARDS, &[&name])?;
    let guards = rows.iter().map(Row::Pg).map(|row| Ok((row.get(0)?, row.get(1)?)));
    Ok(guards.collect::<RowResult<_>>()?)
}

fn first_text(wire: &Wire, sql: &str) -> Result<String> {
    let rows = wire.query(sql, &[])?;
    Ok(rows.first().map(|row| Row::Pg(row).get(0)).transpose()?.unwrap_or_default())
}
