//! The connections that reads take, kept open: to a file or to a server.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use r2d2::{ManageConnection, Pool, PooledConnection};
use r2d2_sqlite::SqliteConnectionManager;
use scheduled_thread_pool::ScheduledThreadPool;

use super::conn::Conn;
use super::moment::{self, Point};
use super::pg::Wire;
use super::place::Dsn;
use super::{Error, Result};
use crate::clock::instant;

/// How long a read waits for a connection at most.
const GET_TIMEOUT: Duration = Duration::from_secs(30);
/// How often a read that waits looks whether the server is gone.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long the end waits for whoever still reads.
const END_TIMEOUT: Duration = Duration::from_secs(2);
/// Who asks for a connection that soon after one could not be made is told at once.
const DOWN: Duration = Duration::from_secs(1);

/// Opens the connections of a pool.
pub(super) enum Manager {
    /// And whether connections that come back are closed.
    Lite(SqliteConnectionManager, Arc<AtomicBool>),
    Pg(Dsn, Arc<Down>),
}

/// When the server was last found to be gone.
#[derive(Default)]
pub(super) struct Down {
    /// A connection could not be made.
    since: Mutex<Option<Instant>>,
    /// When the youngest was made that was lost: those that are as old wait for the same server.
    lost: Mutex<Option<Instant>>,
}

impl Down {
    fn set(&self, since: Option<Instant>) {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }

    fn is_down(&self) -> bool {
        let since = *self.since.lock().unwrap_or_else(PoisonError::into_inner);
        since.is_some_and(|since| since.elapsed() < DOWN)
    }

    /// What was made by then is worth nothing any more.
    pub(super) fn lose(&self, made_by: Instant) {
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        *lost = (*lost).max(Some(made_by));
    }

    /// Whether a connection is worth nothing any more.
    fn is_over(&self, conn: &Conn) -> bool {
        let Conn::Pg(wire) = conn else { return false };
        let lost = *self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        wire.is_lost() || lost.is_some_and(|lost| wire.made_at() <= lost)
    }
}

impl ManageConnection for Manager {
    type Connection = Conn;
    type Error = Error;

    fn connect(&self) -> Result<Conn> {
        match self {
            Self::Lite(lite, _) => Ok(Conn::Lite(lite.connect()?)),
            Self::Pg(dsn, down) => {
                let made = Wire::connect(dsn);
                down.set(made.is_err().then(instant));
                made.map(Conn::Pg)
            }
        }
    }

    fn is_valid(&self, conn: &mut Conn) -> Result<()> {
        conn.run("SELECT 1")
    }

    fn has_broken(&self, conn: &mut Conn) -> bool {
        match self {
            Self::Lite(_, is_ended) => is_ended.load(Ordering::Relaxed),
            Self::Pg(_, down) => down.is_over(conn),
        }
    }
}

/// Connections for reads, opened when first needed and then kept.
pub(super) struct Readers {
    pool: Pool<Manager>,
    /// For a server.
    down: Option<Arc<Down>>,
    is_ended: Arc<AtomicBool>,
    trips: AtomicU64,
}

impl Readers {
    pub(super) fn of_file(
        file: SqliteConnectionManager,
        size: u32,
        janitor: &Arc<ScheduledThreadPool>,
    ) -> Self {
        let is_ended = Arc::<AtomicBool>::default();
        let manager = Manager::Lite(file, Arc::clone(&is_ended));
        let pool = pool(manager, size, GET_TIMEOUT, janitor);
        Self { pool, down: None, is_ended, trips: AtomicU64::new(0) }
    }

    pub(super) fn of_server(
        dsn: Dsn,
        size: u32,
        janitor: &Arc<ScheduledThreadPool>,
        down: Arc<Down>,
    ) -> Self {
        let manager = Manager::Pg(dsn, Arc::clone(&down));
        // Half of the timeout is the longest pause between two tries to connect.
        let pool = pool(manager, size, 2 * DOWN, janitor);
        Self { pool, down: Some(down), is_ended: Arc::default(), trips: AtomicU64::new(0) }
    }

    /// Reads on this thread, all of it from one moment.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Point<'_>) -> Result<T>) -> Result<T> {
        match &self.down {
            None => moment::read(&*self.pool.get()?, read),
            Some(down) => {
                let conn = self.get(down)?;
                let before = conn.trips();
                let found = moment::read(&conn, read);
                self.trips.fetch_add(conn.trips() - before, Ordering::Relaxed);
                if let Conn::Pg(wire) = &*conn
                    && wire.is_lost()
                {
                    down.lose(wire.made_at());
                }
                found.map_err(Error::for_reader)
            }
        }
    }

    /// Closes what nobody uses, and waits a little for what somebody does: who closes a file last
    /// empties its WAL, which is to be the writer.
    pub(super) fn end(&self) {
        if self.down.is_some() {
            return;
        }
        self.is_ended.store(true, Ordering::Relaxed);
        let begun = instant();
        while self.pool.state().connections > 0 && begun.elapsed() < END_TIMEOUT {
            while self.pool.try_get().is_some() {}
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// How often reads have waited for the server.
    pub(super) fn trips(&self) -> u64 {
        self.trips.load(Ordering::Relaxed)
    }

    /// A connection that is alive, as far as anybody knows.
    fn get(&self, down: &Down) -> Result<PooledConnection<Manager>> {
        let begun = instant();
        while begun.elapsed() < GET_TIMEOUT {
            if down.is_down() {
                return Err(Error::Busy);
            }
            // One that is lost is dropped, and the pool makes another.
            if let Ok(conn) = self.pool.get_timeout(LOOK_EVERY)
                && !down.is_over(&conn)
            {
                return Ok(conn);
            }
        }
        Err(Error::Busy)
    }
}

fn pool(
    manager: Manager,
    size: u32,
    timeout: Duration,
    janitor: &Arc<ScheduledThreadPool>,
) -> Pool<Manager> {
    Pool::builder()
        .max_size(size)
        .min_idle(Some(0))
        .max_lifetime(None)
        .idle_timeout(None)
        .test_on_check_out(false)
        .connection_timeout(timeout)
        .thread_pool(Arc::clone(janitor))
        .build_unchecked(manager)
}

impl From<r2d2::Error> for Error {
    fn from(_: r2d2::Error) -> Self {
        Self::Busy
    }
}
