//! Stopping a statement that runs for too long or makes too much (day 0, query it).
//!
//! `SELECT count(*) FROM t a, t b, t c, t d` is a short text, and with a thousand rows in `t` it counts
//! for days. Who lets others write the SQL - a playground, a reporting page - must be able to cut it
//! off. Another thread cannot: a [`Connection`] belongs to one. So the statement itself asks now and
//! then whether it should go on:
//!
//! ```
//! use std::time::{Duration, Instant};
//! use orm::sql::{Connection, Error};
//!
//! # fn main() -> orm::sql::Result<()> {
//! let db = Connection::memory()?;
//! db.execute_batch("CREATE TABLE t(a); INSERT INTO t VALUES (1),(2),(3),(4),(5),(6),(7),(8)")?;
//! let end = Instant::now() + Duration::from_millis(20);
//! db.set_progress(1000, move || Instant::now() < end);
//! let endless = "SELECT count(*) FROM t a, t b, t c, t d, t e, t f, t g, t h, t i, t j, t k, t l";
//! assert!(matches!(db.execute(endless, &[]), Err(Error::Interrupted)));
//! db.clear_progress();
//! assert_eq!(db.execute("INSERT INTO t VALUES (9)", &[])?, 1);
//! # Ok(())
//! # }
//! ```
//!
//! A *step* is a row that a loop looks at: not what a query gives, but what it takes. A statement
//! that is interrupted undoes itself as after any error. [`Connection::set_length_max`] bounds the
//! single value, which no step would: `zeroblob(1000000000)` is one row. It bounds a row as well.
//! [`Connection::set_memory_max`] bounds what a query keeps in memory to sort or group it.
//!
//! Not counted are the sort of rows that have been read, `SELECT count(*)` without a condition, which
//! looks at pages and not at rows, and `PRAGMA integrity_check`.
//!
//! Reference: `sqlite3_progress_handler` and `sqlite3_limit`.

use std::cell::{Cell, RefCell};
use std::fmt;

use super::{Connection, Error, Result};

/// The longest text or blob, as in SQLite.
pub(crate) const LENGTH_MAX: usize = 1_000_000_000;

/// What one sort, grouping or the like may keep. Less than a value may have would refuse to sort one row.
const MEMORY_MAX: usize = 1 << 30;

/// What bounds the statements of a connection.
#[derive(Debug)]
pub(crate) struct Limits {
    /// The steps that are left until `progress` is asked again.
    left: Cell<u64>,
    progress: RefCell<Option<Progress>>,
    length_max: Cell<usize>,
    memory_max: Cell<usize>,
}

/// Whom to ask, and every how many steps.
struct Progress {
    steps: u64,
    goes_on: Box<dyn FnMut() -> bool + Send>,
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").field("steps", &self.steps).finish_non_exhaustive()
    }
}

impl Connection {
    /// Lets statements ask `goes_on` after every so many steps, and end with
    /// [`Error::Interrupted`] when it says no. A step is a row that a loop looks at.
    pub fn set_progress(&self, steps: u64, goes_on: impl FnMut() -> bool + Send + 'static) {
        let limits = &self.shared.limits;
        limits.left.set(steps.max(1));
        let goes_on = Box::new(goes_on);
        *limits.progress.borrow_mut() = Some(Progress { steps: steps.max(1), goes_on });
    }

    /// Lets statements run for as long as they take, as at first.
    pub fn clear_progress(&self) {
        *self.shared.limits.progress.borrow_mut() = None;
        self.shared.limits.left.set(u64::MAX);
    }

    /// Bounds the length of a text or blob that an expression makes, and of a row that is written, in
    /// bytes; at first, and at most, it is 1,000,000,000. What is longer is [`Error::TooBig`].
    pub fn set_length_max(&self, bytes: usize) {
        self.shared.limits.length_max.set(bytes.min(LENGTH_MAX));
    }

    /// Bounds what a sort, a grouping, a DISTINCT or a subquery keeps in memory, each for itself, in bytes; at first it
    /// is 1,073,741,824, which is a little more than the longest value has. What is more is [`Error::TooMuch`].
    pub fn set_memory_max(&self, bytes: usize) {
        self.shared.limits.memory_max.set(bytes);
    }
}

impl Limits {
    pub(crate) fn new() -> Limits {
        let (left, length_max) = (Cell::new(u64::MAX), Cell::new(LENGTH_MAX));
        let memory_max = Cell::new(MEMORY_MAX);
        Limits { left, progress: RefCell::new(None), length_max, memory_max }
    }

    /// Takes a step.
    pub(crate) fn step(&self) -> Result<()> {
        match self.left.get() {
            0 | 1 => self.ask(),
            left => {
                self.left.set(left - 1);
                Ok(())
            }
        }
    }

    #[cold]
    fn ask(&self) -> Result<()> {
        let mut progress = self.progress.borrow_mut();
        let Some(progress) = &mut *progress else { return Ok(()) };
        self.left.set(progress.steps);
        if (progress.goes_on)() { Ok(()) } else { Err(Error::Interrupted) }
    }

    /// Checks what is kept at one place.
    pub(crate) fn memory(&self, bytes: usize) -> Result<()> {
        let limit = self.memory_max.get();
        if bytes > limit { Err(Error::TooMuch { bytes, limit }) } else { Ok(()) }
    }

    /// Checks the length of a value before it is made, or of a record before it is written.
    pub(crate) fn length(&self, bytes: usize) -> Result<()> {
        if bytes > self.length_max.get() { Err(Error::TooBig) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    fn many() -> Connection {
        let db = Connection::memory().unwrap();
        db.execute_batch("CREATE TABLE t(a INTEGER PRIMARY KEY, b)").unwrap();
        for n in 0..100 {
            db.execute("INSERT INTO t VALUES (?, ?)", &[n.into(), (n * 7 % 10).into()]).unwrap();
        }
        db
    }

    #[test]
    fn each_kind_of_statement_can_be_interrupted() {
        for sql in [
            "SELECT count(*) FROM t a, t b, t c",
            "SELECT a FROM t WHERE b = 99 ORDER BY b",
            "SELECT b, count(*) FROM t GROUP BY b",
            "SELECT DISTINCT b FROM t",
            "SELECT a FROM t UNION SELECT b FROM t",
            "SELECT (SELECT count(*) FROM t x WHERE x.b = t.b) FROM t LIMIT 1",
            "SELECT 1 WHERE 5 IN (SELECT b FROM t WHERE b < 0)",
            "SELECT * FROM (SELECT a FROM t WHERE b < 0)",
            "INSERT INTO t(b) SELECT b FROM t",
            "UPDATE t SET b = b + 1",
            "DELETE FROM t WHERE b + 1 > 0",
            "CREATE INDEX i ON t(b)",
            "CREATE TABLE u AS SELECT * FROM t",
            "ALTER TABLE t DROP COLUMN b",
        ] {
            let db = many();
            db.set_progress(60, || false);
            let error = db.execute(sql, &[]).unwrap_err();
            assert_eq!(error.to_string(), "interrupted", "{sql}");
            db.clear_progress();
            let same = "SELECT count(*) = 100 AND sum(b) = 450 FROM t";
            let mut select = db.prepare(same).unwrap();
            let mut rows = select.query().unwrap();
            assert!(rows.next().unwrap().unwrap().get::<bool>(0).unwrap(), "{sql}");
        }
    }

    #[test]
    fn a_statement_asks_after_every_so_many_rows() {
        let db = many();
        let asked = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&asked);
        db.set_progress(10, move || counter.fetch_add(1, Ordering::Relaxed) < u64::MAX);
        db.execute("SELECT sum(b) FROM t", &[]).unwrap();
        assert_eq!(asked.load(Ordering::Relaxed), 10);
    }

    #[test]
    fn the_outermost_query_of_from_is_read_no_further_than_needed() {
        let db = many();
        let asked = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&asked);
        db.set_progress(1, move || counter.fetch_add(1, Ordering::Relaxed) < u64::MAX);
        db.execute("SELECT b FROM (SELECT a, b FROM t WHERE a > 2) WHERE a < 90 LIMIT 3", &[])
            .unwrap();
        // Each row is looked at in both queries.
        assert_eq!(asked.load(Ordering::Relaxed), 6);
    }

    #[test]
    fn no_value_grows_beyond_the_limit() {
        let db = many();
        db.set_length_max(1000);
        for sql in [
            "SELECT zeroblob(1001)",
            "SELECT randomblob(1001)",
            "SELECT hex(zeroblob(501))",
            "SELECT quote(zeroblob(501))",
            "SELECT replace(zeroblob(100), x'00', '12345678901')",
            "SELECT hex(zeroblob(500)) || 'x'",
            "SELECT group_concat(hex(zeroblob(10))) FROM t",
        ] {
            assert!(matches!(db.execute(sql, &[]), Err(Error::TooBig)), "{sql}");
        }
        db.execute("SELECT hex(zeroblob(500))", &[]).unwrap();
    }
}
