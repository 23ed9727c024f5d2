//! A table and its indexes, kept in step: the only place where rows are written (day 0, query it).
//!
//! A row of a table with two indexes is three entries in three b-trees:
//!
//! ```text
//! INSERT INTO User VALUES (7, 'Tom', 18)
//!
//! table User          7 ─▶ [NULL, 'Tom', 18]       the rowid alias is stored as NULL
//! index on Name       ['Tom', 7]
//! index on Age        [18, 7]
//! ```
//!
//! [`Writer`] checks first and writes then: whether a rowid or a unique key is taken, or the row too long, is
//! known before the first byte changes. So a statement that writes one row needs nothing to be undone
//! when it fails.

use std::sync::Arc;

use super::super::affinity::Affinity;
use super::super::btree::{Bias, IndexCursor, TableCursor};
use super::super::catalog::{Index, Table};
use super::super::expr::{Code, Ctx, Env};
use super::super::record::{decode, encode, real_as_integer};
use super::super::{Error, Pager, Result, Value, ValueRef};
use super::{Row, Source};

/// How often a random rowid is tried once the largest is taken.
const RANDOM_TRIES: usize = 100;

/// Writes the rows of one table.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) table: Arc<Table>,
    /// The conditions of partial indexes, in the order of the table's indexes.
    filters: Arc<[Option<Code>]>,
    pub(super) cursor: TableCursor,
    indexes: Vec<IndexCursor>,
    /// The row, and an entry of an index, as they are written; kept for their memory.
    record: Vec<u8>,
    entry: Vec<u8>,
    /// In which order conflicts are looked for: the rowid (`None`), then the unique indexes.
    order: Vec<Option<usize>>,
    /// No rowid from here on is taken, as far as is known.
    next_rowid: Option<i64>,
}

/// What stands in the way of a row.
pub(crate) struct Conflict {
    pub(crate) rowid: i64,
    /// The index that says so; `None`: the rowid itself.
    pub(crate) index: Option<usize>,
}

impl Writer {
    pub(crate) fn new(table: &Arc<Table>, filters: impl Into<Arc<[Option<Code>]>>) -> Writer {
        let index = |index: &Arc<Index>| IndexCursor::new(index.root, Arc::clone(&index.info));
        Writer {
            table: Arc::clone(table),
            filters: filters.into(),
            cursor: TableCursor::new(table.root),
            indexes: table.indexes.iter().map(index).collect(),
            record: Vec::new(),
            entry: Vec::new(),
            // The newest index is asked first: this is SQLite's order, and the error names it.
            order: std::iter::once(None).chain((0..table.indexes.len()).rev().map(Some)).collect(),
            next_rowid: None,
        }
    }

    /// Ends a statement. The next run of the same one may go on with this writer: its cursors notice
    /// what was written meanwhile, and must not make a write copy the pages that they hold.
    pub(crate) fn rest(&mut self) {
        self.next_rowid = None;
        self.cursor.let_go();
        self.indexes.iter_mut().for_each(IndexCursor::let_go);
    }

    /// Looks for these conflicts first: what an upsert is about comes before other constraints.
    pub(crate) fn look_first(&mut self, first: &[Option<usize>]) {
        let rest = self.order.iter().filter(|place| !first.contains(place));
        self.order = first.iter().chain(rest).copied().collect();
    }

    /// The rowid of a new row: one more than the largest, or, after the largest, a random one.
    pub(crate) fn new_rowid(&mut self, env: &Env<'_>, at_least: i64) -> Result<i64> {
        if at_least == i64::MAX {
            return Err(Error::Full);
        }
        let mut pager = env.shared.pager.borrow_mut();
        let next = match self.next_rowid {
            Some(next) => next,
            None => {
                // The cursor stays there, and the row goes behind it without another search.
                let last = self.cursor.last_rowid(&mut pager)?;
                last.map_or(1, |last| last.saturating_add(1))
            }
        };
        self.next_rowid = Some(next);
        let next = if self.table.autoincrement { next.max(at_least + 1) } else { next };
        if next < i64::MAX || !self.cursor.seek(&mut pager, next)? {
            return Ok(next);
        }
        if self.table.autoincrement {
            return Err(Error::Full);
        }
        for _ in 0..RANDOM_TRIES {
            let rowid = (env.shared.random() >> 2).cast_signed() + 1;
            if !self.cursor.seek(&mut pager, rowid)? {
                return Ok(rowid);
            }
        }
        Err(Error::Full)
    }

    /// The values of the row at `rowid`, each column's, the rowid alias included.
    pub(crate) fn read(&mut self, pager: &mut Pager, rowid: i64) -> Result<Option<Row>> {
        if !self.cursor.seek(pager, rowid)? {
            return Ok(None);
        }
        self.cursor.fetch(pager)?;
        let values = decode(self.cursor.record());
        let mut values = values.map_err(|error| error.on_page(self.cursor.page()))?;
        values.truncate(self.table.columns.len());
        for column in &self.table.columns[values.len()..] {
            values.push(column.missing.clone());
        }
        for (value, column) in values.iter_mut().zip(&self.table.columns) {
            #[allow(clippy::cast_precision_loss, reason = "it was a real before it was stored")]
            if let (Value::Integer(n), Affinity::Real) = (&*value, column.affinity) {
                *value = Value::Real(*n as f64);
            }
        }
        if let Some(alias) = self.table.rowid_alias {
            values[alias] = Value::Integer(rowid);
        }
        Ok(Some(values))
    }

    /// What stands in the way of writing `values` at `rowid`, where the row now at `old` is not in
    /// its own way. The places before `from` in the [order](Writer::order) have been looked at.
    pub(crate) fn conflict(
        &mut self,
        env: &Env<'_>,
        rowid: i64,
        values: &Row,
        old: Option<(i64, &Row)>,
        from: usize,
    ) -> Result<Option<(Conflict, usize)>> {
        for step in from..self.order.len() {
            let Some(at) = self.order[step] else {
                let appends = old.is_none() && self.next_rowid.is_some_and(|next| rowid >= next);
                let moves = !appends && old.is_none_or(|(old, _)| old != rowid);
                if moves && self.cursor.has(&mut env.shared.pager.borrow_mut(), rowid)? {
                    return Ok(Some((Conflict { rowid, index: None }, step)));
                }
                continue;
            };
            let index = &self.table.indexes[at];
            if !index.unique || !self.covers(env, at, rowid, values)? {
                continue;
            }
            let unchanged = |old: &Row| index.columns.iter().all(|&c| old[c] == values[c]);
            if old.is_some_and(|(_, old)| unchanged(old)) && self.filters[at].is_none() {
                continue;
            }
            if index.columns.iter().any(|&column| values[column] == Value::Null) {
                continue;
            }
            let mut pager = env.shared.pager.borrow_mut();
            let cursor = &mut self.indexes[at];
            let value = |column: usize| values[column].as_ref();
            let found = match index.columns[..] {
                // Without a list, which would need memory.
                [a] => cursor.seek(&mut pager, &[value(a)], Bias::First)?,
                ref columns => {
                    let key: Vec<_> = columns.iter().map(|&column| value(column)).collect();
                    cursor.seek(&mut pager, &key, Bias::First)?
                }
            };
            if found {
                cursor.fetch(&mut pager)?;
                let other = cursor.rowid()?;
                if old.is_none_or(|(old, _)| old != other) {
                    return Ok(Some((Conflict { rowid: other, index: Some(at) }, step)));
                }
            }
        }
        Ok(None)
    }

    /// Whether a partial index has an entry for this row; others always have.
    pub(crate) fn covers(
        &self,
        env: &Env<'_>,
        index: usize,
        rowid: i64,
        values: &Row,
    ) -> Result<bool> {
        let Some(filter) = &self.filters[index] else { return Ok(true) };
        let sources = [Source::memory(rowid, values.clone())];
        let ctx = Ctx { env, sources: &sources, slots: &[], parent: None };
        Ok(filter.truth(&ctx)? == Some(true))
    }

    /// Writes a row that is in nobody's way.
    pub(crate) fn insert(&mut self, env: &Env<'_>, rowid: i64, values: &Row) -> Result<()> {
        self.encode(env, rowid, values)?;
        for at in 0..self.indexes.len() {
            if self.covers(env, at, rowid, values)? {
                self.insert_entry(&mut env.shared.pager.borrow_mut(), at, rowid, values)?;
            }
        }
        self.cursor.insert(&mut env.shared.pager.borrow_mut(), rowid, &self.record)?;
        if let Some(next) = &mut self.next_rowid {
            *next = rowid.saturating_add(1).max(*next);
        }
        Ok(())
    }

    /// Replaces the row `old` by `values` at `rowid`, which is in nobody's way.
    pub(crate) fn update(
        &mut self,
        env: &Env<'_>,
        (old_rowid, old): (i64, &Row),
        rowid: i64,
        values: &Row,
    ) -> Result<()> {
        self.encode(env, rowid, values)?;
        for at in 0..self.indexes.len() {
            let columns = &self.table.indexes[at].columns;
            let same = columns.iter().all(|&c| old[c] == values[c]) && self.filters[at].is_none();
            if same && old_rowid == rowid {
                continue;
            }
            if self.covers(env, at, old_rowid, old)? {
                self.delete_entry(&mut env.shared.pager.borrow_mut(), at, old_rowid, old)?;
            }
            if self.covers(env, at, rowid, values)? {
                self.insert_entry(&mut env.shared.pager.borrow_mut(), at, rowid, values)?;
            }
        }
        let mut pager = env.shared.pager.borrow_mut();
        if old_rowid != rowid && self.cursor.seek(&mut pager, old_rowid)? {
            self.cursor.delete(&mut pager)?;
        }
        self.cursor.insert(&mut pager, rowid, &self.record)
    }

    /// Removes a row and its index entries.
    pub(crate) fn delete(&mut self, env: &Env<'_>, rowid: i64, values: &Row) -> Result<()> {
        for at in 0..self.indexes.len() {
            if self.covers(env, at, rowid, values)? {
                self.delete_entry(&mut env.shared.pager.borrow_mut(), at, rowid, values)?;
            }
        }
        let mut pager = env.shared.pager.borrow_mut();
        if self.cursor.seek(&mut pager, rowid)? {
            self.cursor.delete(&mut pager)?;
        }
        self.next_rowid = None;
        Ok(())
    }

    /// Adds the entry of an index for a row that is in the table already.
    pub(crate) fn insert_entry(
        &mut self,
        pager: &mut Pager,
        at: usize,
        rowid: i64,
        values: &Row,
    ) -> Result<()> {
        self.encode_entry(at, rowid, values);
        self.indexes[at].insert(pager, &self.entry)
    }

    fn encode_entry(&mut self, at: usize, rowid: i64, values: &Row) {
        let (table, index) = (&*self.table, &self.table.indexes[at]);
        let key = index.columns.iter().map(|&column| stored(table, column, &values[column]));
        encode(key.chain([ValueRef::Integer(rowid)]), &mut self.entry);
    }

    fn delete_entry(
        &mut self,
        pager: &mut Pager,
        at: usize,
        rowid: i64,
        values: &Row,
    ) -> Result<()> {
        let (table, index) = (&*self.table, &self.table.indexes[at]);
        let columns = index.columns.iter().map(|&column| stored(table, column, &values[column]));
        let key: Vec<ValueRef<'_>> = columns.chain([ValueRef::Integer(rowid)]).collect();
        let cursor = &mut self.indexes[at];
        if !cursor.seek(pager, &key, Bias::First)? {
            return Err(Error::corrupt(index.root, "a row has no entry in an index"));
        }
        cursor.delete(pager)
    }

    /// Makes the record of a row, and finds out whether it, or an entry that an index will have of it, is too long:
    /// once the first entry is written it would be too late.
    fn encode(&mut self, env: &Env<'_>, rowid: i64, values: &Row) -> Result<()> {
        let (table, alias) = (&*self.table, self.table.rowid_alias);
        let stored = values.iter().enumerate().map(|(at, value)| {
            if Some(at) == alias { ValueRef::Null } else { stored(table, at, value) }
        });
        encode(stored, &mut self.record);
        let limits = &env.shared.limits;
        limits.length(self.record.len())?;
        for at in 0..self.indexes.len() {
            // An entry may be longer than the row where it has a column twice. But a column is not longer than the
            // row, and a rowid has 9 bytes at most: short rows need no second look.
            let most =
                (self.record.len() + 9).saturating_mul(self.table.indexes[at].columns.len() + 1);
            if limits.length(most).is_err() {
                self.encode_entry(at, rowid, values);
                limits.length(self.entry.len())?;
            }
        }
        Ok(())
    }
}

/// A value as it is stored: a REAL column's 5.0 takes the space of the integer 5.
fn stored<'v>(table: &Table, column: usize, value: &'v Value) -> ValueRef<'v> {
    match value {
        Value::Real(real) if table.columns[column].affinity == Affinity::Real => {
            real_as_integer(*real).map_or(ValueRef::Real(*real), ValueRef::Integer)
        }
        value => value.as_ref(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::{Connection, Error, Value};

    /// The values of a query of one row.
    fn row(db: &Connection, sql: &str) -> Vec<Value> {
        let mut statement = db.prepare(sql).unwrap();
        let mut rows = statement.query().unwrap();
        rows.next().unwrap().unwrap().values().to_vec()
    }

    #[test]
    fn a_row_or_an_entry_that_is_too_long_is_refused_before_anything_of_it_is_written() {
        let db = Connection::memory().unwrap();
        db.execute_batch(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b, c);
             CREATE UNIQUE INDEX by_a ON t(a);
             CREATE INDEX by_c ON t(c, c);
             INSERT INTO t VALUES (1, 'old', 'x', NULL);
             BEGIN",
        )
        .unwrap();
        db.set_length_max(100);
        for sql in [
            // No value has more than 60 bytes, but the row has more than 100; or the entry of by_c has.
            "INSERT INTO t VALUES (2, 'new', hex(zeroblob(30)), hex(zeroblob(20)))",
            "INSERT INTO t VALUES (2, 'new', NULL, hex(zeroblob(30)))",
            "UPDATE t SET a = 'new', b = hex(zeroblob(30)), c = hex(zeroblob(20)) WHERE id = 1",
            "UPDATE t SET a = 'new', c = hex(zeroblob(30)) WHERE id = 1",
            "UPDATE t SET id = 2, a = 'new', c = hex(zeroblob(30)) WHERE id = 1",
        ] {
            assert!(matches!(db.execute(sql, &[]), Err(Error::TooBig)), "{sql}");
            assert_eq!(row(&db, "PRAGMA integrity_check"), ["ok".into()], "{sql}");
            // The index has the old key, and not the new one.
            let found =
                "SELECT (SELECT id FROM t WHERE a = 'old'), (SELECT id FROM t WHERE a = 'new')";
            assert_eq!(row(&db, found), [1.into(), Value::Null], "{sql}");
        }
        db.set_length_max(usize::MAX);
        db.execute_batch("INSERT INTO t VALUES (2, 'new', NULL, hex(zeroblob(30))); COMMIT")
            .unwrap();
        assert_eq!(row(&db, "PRAGMA integrity_check"), ["ok".into()]);
    }

    /// Each of two statements keeps its cursors at the end of the table, while the other one, a
    /// rollback and a delete move that end.
    #[test]
    fn a_writer_that_waited_notices_what_was_written_meanwhile() {
        let db = Connection::memory().unwrap();
        db.execute_batch("CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT UNIQUE, pad)").unwrap();
        let mut first = db.prepare("INSERT INTO t(name, pad) VALUES (?, zeroblob(900))").unwrap();
        let mut second = db.prepare("INSERT INTO t(id, name) VALUES (?, ?)").unwrap();
        let mut add = |name: &str| {
            first.bind(1, name).unwrap();
            first.execute().map(|_| db.last_insert_rowid())
        };
        let mut put = |id: i64, name: &str| {
            second.bind_all(&[id.into(), name.into()]).unwrap();
            second.execute()
        };
        for i in 0..50 {
            assert_eq!(add(&format!("a{i}")).unwrap(), 2 * i + 1);
            put(2 * i + 2, &format!("b{i}")).unwrap();
        }
        assert!(put(100, "new").is_err() && put(101, "a7").is_err() && add("b7").is_err());
        db.execute_batch("BEGIN; SAVEPOINT s").unwrap();
        assert_eq!(add("c").unwrap(), 101);
        db.execute_batch("ROLLBACK TO s").unwrap();
        assert_eq!(add("c").unwrap(), 101);
        db.execute_batch("ROLLBACK").unwrap();
        assert_eq!(add("d").unwrap(), 101);
        db.execute_batch("DELETE FROM t WHERE id > 90").unwrap();
        put(101, "d").unwrap();
        assert_eq!(add("e").unwrap(), 102);
        db.execute_batch("DELETE FROM t").unwrap();
        assert_eq!(add("f").unwrap(), 1);
        let mut check = db.prepare("PRAGMA integrity_check").unwrap();
        let mut rows = check.query().unwrap();
        assert_eq!(rows.next().unwrap().unwrap().get::<String>(0).unwrap(), "ok");
    }
}
