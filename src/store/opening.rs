//! Opening a database: whose it is, which schema it has, whether its clock is ours.
//!
//! Nothing is written before we know that the database is empty, or ours and not newer than we are.

use super::conn::Conn;
use super::migrations::{self, MIGRATIONS, Step, VERSION};
use super::pg::Wire;
use super::place::Dsn;
use super::schema::{self, OpenError, SCHEMA};
use super::value::{Row, RowError};
use super::{Missing, Result, pg_schema};
use crate::clock::Clock;

/// How far apart the clocks of a node and of the server may be, in seconds.
const CLOCKS_APART_MAX: u64 = 5;

/// How many things there are where our tables are, and how many of them are the one that says that
/// they are ours. What belongs to an extension is nobody's.
const LOOK: &str = "SELECT count(*), count(*) FILTER (WHERE c.relname = 'panelite')
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = current_schema()
      AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')";

/// Opens a connection to a database that holds a panel of today's schema, filling it where it is
/// empty, upgrading it where it is older.
pub(super) fn open(
    dsn: &Dsn,
    missing: Missing,
    clock: &Clock,
) -> std::result::Result<Wire, OpenError> {
    let wire = Wire::connect(dsn)?;
    check_clock(&wire, clock)?;
    let mut found = look(&wire)?;
    if matches!(found, Found::Nothing) {
        if missing == Missing::Refuse {
            return Err(OpenError::NotFound(dsn.to_string()));
        }
        // Another process may have been quicker: then its schema is there, whole, and ours is not.
        let created = create(&wire);
        found = look(&wire)?;
        if matches!(found, Found::Nothing) {
            created?;
        }
    }
    let Found::Panel(version) = found else { return Err(OpenError::Foreign(dsn.to_string())) };
    schema::check_version(dsn, version)?;
    if version < VERSION {
        return upgrade(wire, dsn, MIGRATIONS);
    }
    Ok(wire)
}

/// Whether there is nothing where our tables would be.
pub(super) fn is_empty(wire: &Wire) -> Result<bool> {
    look(wire).map(|found| matches!(found, Found::Nothing))
}

/// What a database holds.
enum Found {
    Nothing,
    /// A panel, of that schema.
    Panel(i64),
    Foreign,
}

fn look(wire: &Wire) -> Result<Found> {
    let rows = wire.query(LOOK, &[])?;
    let row = rows.first().map(Row::Pg);
    let counts = row.map(|row| Ok::<(i64, i64), RowError>((row.get(0)?, row.get(1)?)));
    let counts = counts.transpose()?;
    match counts {
        None | Some((0, _)) => Ok(Found::Nothing),
        Some((_, 0)) => Ok(Found::Foreign),
        Some(_) => version(wire).map(|version| version.map_or(Found::Foreign, Found::Panel)),
    }
}

fn version(wire: &Wire) -> Result<Option<i64>> {
    let rows = wire.query("SELECT schema_version FROM panelite", &[])?;
    Ok(rows.first().map(|row| Row::Pg(row).get(0)).transpose()?)
}

fn create(wire: &Wire) -> Result<()> {
    let schema = pg_schema::of(SCHEMA);
    let whole = format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED;\n{schema}\n
         INSERT INTO panelite (schema_version) VALUES ({VERSION});\nCOMMIT"
    );
    let done = wire.run_all(&whole);
    if done.is_err() {
        wire.send("ROLLBACK");
    }
    done
}

/// Runs the steps, of all there are, that an older schema lacks, in one transaction, while nobody
/// else writes.
fn upgrade(wire: Wire, dsn: &Dsn, steps: &[Step]) -> std::result::Result<Wire, OpenError> {
    wire.be_patient()?;
    wire.run_all(
        "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT turn FROM seat WHERE id = 1 FOR UPDATE",
    )?;
    let found = version(&wire)?.unwrap_or(0);
    let to = migrations::version(steps);
    let conn = Conn::Pg(wire);
    let done = match found < to {
        true => migrations::run(&conn, found, steps),
        false => Ok(()), // another node has been quicker
    };
    if let Err(error) = done.and_then(|()| conn.run("COMMIT")) {
        conn.roll_back();
        return Err(error.into());
    }
    if found < to {
        tracing::warn!(from = found, to, "the schema of the database was upgraded");
    }
    // What was prepared, and how long it may take, was for the old one.
    drop(conn);
    Ok(Wire::connect(dsn)?)
}

/// Nodes write dates side by side. A test's clock may say what it likes.
fn check_clock(wire: &Wire, clock: &Clock) -> std::result::Result<(), OpenError> {
    if matches!(clock, Clock::Manual(_)) {
        return Ok(());
    }
    let sql = "SELECT CAST(extract(epoch FROM clock_timestamp()) AS BIGINT)";
    let rows = wire.query(sql, &[])?;
    let theirs: Option<i64> = rows.first().and_then(|row| Row::Pg(row).get(0).ok());
    let apart = theirs.map_or(0, |theirs| theirs - clock.now().0);
    match apart.unsigned_abs() > CLOCKS_APART_MAX {
        true => Err(OpenError::Clocks(apart)),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Tx;
    use crate::store::scratch::Scratch;
    use crate::store::value::params;

    /// One of each thing that a step may hold.
    const INVENTED: Step = Step {
        sql: "
-- A column that is added stands last.
ALTER TABLE settings ADD COLUMN note TEXT NOT NULL DEFAULT '';
CREATE TABLE medals (
  id      INTEGER PRIMARY KEY,
  key     TEXT    NOT NULL REFERENCES settings (key),
  picture BLOB    NOT NULL CHECK (length(picture) = 2) -- small
) STRICT;
CREATE TRIGGER medals_stay BEFORE DELETE ON medals
  BEGIN SELECT raise(ABORT, 'medals stay'); END;
",
        rows: Some(note),
        after: "CREATE INDEX settings_note ON settings (note);",
    };

    /// What shows how often it was done.
    fn note(tx: &Tx<'_>) -> Result<()> {
        tx.execute("UPDATE settings SET note = note || $1", params!["x"]).map(drop)
    }

    fn with(step: Step) -> Vec<Step> {
        [MIGRATIONS, &[step]].concat()
    }

    fn text(wire: &Wire, sql: &str) -> String {
        let rows = wire.query(sql, &[]).unwrap();
        Row::Pg(&rows[0]).get(0).unwrap()
    }

    /// A new panel with a setting.
    fn panel(scratch: &Scratch) -> Wire {
        let wire = open(&scratch.dsn, Missing::Create, &Clock::System).unwrap();
        wire.run_all("INSERT INTO settings (key, value) VALUES ('a', 'b')").unwrap();
        wire
    }

    #[test]
    fn nodes_that_begin_together_upgrade_once_and_older_ones_are_refused() {
        let Some(scratch) = Scratch::new() else { return };
        let (dsn, wire) = (&scratch.dsn, panel(&scratch));
        std::thread::scope(|scope| {
            for _ in 0..3 {
                let node = Wire::connect(dsn).unwrap();
                scope.spawn(move || upgrade(node, dsn, &with(INVENTED)).unwrap());
            }
        });
        assert_eq!(version(&wire).unwrap(), Some(VERSION + 1));
        assert_eq!(text(&wire, "SELECT note FROM settings WHERE key = 'a'"), "x");
        let index = "SELECT CAST(to_regclass('settings_note') AS TEXT)";
        assert_eq!(text(&wire, index), "settings_note");
        wire.run_all("INSERT INTO medals (key, picture) VALUES ('a', '\\x0102')").unwrap();
        assert!(wire.run_all("INSERT INTO medals (key, picture) VALUES ('a', '')").is_err());
        let stays = wire.run_all("DELETE FROM medals").unwrap_err();
        assert!(stays.to_string().contains("medals stay"), "{stays}");

        let refused = open(dsn, Missing::Create, &Clock::System).err().unwrap();
        assert!(matches!(refused, OpenError::Newer { .. }), "{refused}");
    }

    #[test]
    fn an_upgrade_that_fails_changes_nothing() {
        let Some(scratch) = Scratch::new() else { return };
        let (dsn, wire) = (&scratch.dsn, panel(&scratch));
        let broken =
            with(Step { after: "CREATE INDEX settings_note ON nothing (note);", ..INVENTED });
        assert!(upgrade(Wire::connect(dsn).unwrap(), dsn, &broken).is_err());
        assert_eq!(version(&wire).unwrap(), Some(VERSION));
        let column = "SELECT CAST(count(*) AS TEXT) FROM pg_attribute
                      WHERE attrelid = CAST('settings' AS regclass) AND attname = 'note'";
        assert_eq!(text(&wire, column), "0");
        open(dsn, Missing::Refuse, &Clock::System).unwrap();
    }

    #[test]
    fn who_upgrades_waits_for_whoever_writes() {
        let Some(scratch) = Scratch::new() else { return };
        let (dsn, writer) = (&scratch.dsn, panel(&scratch));
        writer.run_all("BEGIN; UPDATE seat SET turn = turn + 1").unwrap();
        let node = Wire::connect(dsn).unwrap();
        node.run_all("SET lock_timeout = '50ms'").unwrap();
        assert!(upgrade(node, dsn, &with(INVENTED)).is_err());
        writer.run_all("ROLLBACK").unwrap();
        assert_eq!(version(&writer).unwrap(), Some(VERSION));
        upgrade(Wire::connect(dsn).unwrap(), dsn, &with(INVENTED)).unwrap();
        assert_eq!(version(&writer).unwrap(), Some(VERSION + 1));
    }
}
