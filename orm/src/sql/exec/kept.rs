//! What a query keeps in memory, counted, so that there is an end to it (day 0, query it).
//!
//! A sort keeps its rows, GROUP BY its groups, DISTINCT a key for each row that it let through, a query
//! in FROM or behind IN its result. Each of them counts what it keeps, and what is more than
//! [`Connection::set_memory_max`](super::super::Connection::set_memory_max) allows is an error. SQLite would go on in a
//! temporary file, and needs no such limit.
//!
//! The limit is for each of them, as `work_mem` is in PostgreSQL, and not for their sum: so nobody need
//! know what the others keep, or when they let go of it; and a text has only so many sorts. The count is near to the
//! truth and not the truth: what a `Vec` has reserved and the rest of a hash table's memory are left out. Not counted
//! are the numbers of the rows that an UPDATE or DELETE is about to change, the rows of INSERT ... SELECT from its own
//! table, and those of RETURNING.

use std::collections::HashSet;

use super::super::limits::Limits;
use super::super::{Result, Value};

/// The bytes that are kept at one place.
#[derive(Debug, Default)]
pub(crate) struct Kept(usize);

impl Kept {
    /// Counts a row that is about to be kept.
    ///
    /// # Errors
    /// [`Error::TooMuch`](super::super::Error::TooMuch)
    pub(crate) fn row(&mut self, row: &[Value], limits: &Limits) -> Result<()> {
        let outside = |value: &Value| match value {
            Value::Text(text) => text.len(),
            Value::Blob(bytes) => bytes.len(),
            Value::Null | Value::Integer(_) | Value::Real(_) => 0,
        };
        self.bytes(size_of_val(row) + row.iter().map(outside).sum::<usize>(), limits)
    }

    /// Counts so many bytes, and the list that they are in.
    pub(crate) fn bytes(&mut self, bytes: usize, limits: &Limits) -> Result<()> {
        self.0 = self.0.saturating_add(bytes).saturating_add(size_of::<Vec<u8>>());
        limits.memory(self.0)
    }
}

/// Keys, each of them once.
#[derive(Debug, Default)]
pub(crate) struct Distinct {
    keys: HashSet<Vec<u8>>,
    kept: Kept,
}

impl Distinct {
    /// Adds a key; false where it is there already.
    ///
    /// # Errors
    /// [`Error::TooMuch`](super::super::Error::TooMuch)
    pub(crate) fn insert(&mut self, key: Vec<u8>, limits: &Limits) -> Result<bool> {
        let len = key.len();
        let new = self.keys.insert(key);
        if new {
            self.kept.bytes(len, limits)?;
        }
        Ok(new)
    }

    /// Forgets all keys, and keeps their table.
    pub(crate) fn clear(&mut self) {
        self.keys.clear();
        self.kept = Kept::default();
    }

    pub(crate) fn contains(&self, key: &[u8]) -> bool {
        self.keys.contains(key)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::{Connection, Error};

    #[test]
    fn whatever_keeps_rows_ends_at_the_limit() {
        let db = Connection::memory().unwrap();
        db.execute("CREATE TABLE t(a INTEGER PRIMARY KEY, b)", &[]).unwrap();
        let mut insert = db.prepare("INSERT INTO t(b) VALUES (hex(zeroblob(50)) || ?)").unwrap();
        for n in 0..128 {
            insert.bind(1, n).unwrap();
            insert.execute().unwrap();
        }
        let kept = [
            "SELECT a, b FROM t ORDER BY b",
            "SELECT DISTINCT b FROM t",
            "SELECT b, count(*) FROM t GROUP BY b || ''",
            "SELECT count(DISTINCT b) FROM t",
            "SELECT a, b FROM t UNION ALL SELECT a, b FROM t ORDER BY 1",
            "SELECT 1 FROM t JOIN (SELECT a, b FROM t) u LIMIT 1",
            "SELECT 1 WHERE 'x' IN (SELECT b FROM t)",
            "SELECT a FROM t WHERE b IN (SELECT b FROM t)",
        ];
        let streamed = [
            "SELECT a, b FROM t ORDER BY a",
            "SELECT sum(length(b)) FROM t",
            "SELECT a, b FROM t ORDER BY b LIMIT 3",
            // Each of them is small, and there are many.
            "SELECT count(*) FROM t WHERE a IN (SELECT x.a FROM t x WHERE x.a < t.a + 2 AND x.a > t.a - 9 ORDER BY x.b)",
        ];
        db.set_memory_max(10_000);
        for sql in kept {
            let error = db.execute(sql, &[]).expect_err(sql);
            assert!(matches!(error, Error::TooMuch { limit: 10_000, .. }), "{sql}: {error}");
            let text = error.to_string();
            assert!(
                text.ends_with(" bytes, the limit is 10000; raise Connection::set_memory_max"),
                "{text}"
            );
        }
        db.set_memory_max(100_000);
        for sql in kept.into_iter().chain(streamed) {
            db.execute(sql, &[]).unwrap();
        }
    }
}
