//! A source: the current row of one table of FROM, decoded no further than it is looked at (day 0, query it).

use std::cell::RefCell;
use std::sync::Arc;

use super::super::btree::{IndexCursor, TableCursor};
use super::super::catalog::{Index, Table};
use super::super::record::Columns;
use super::super::{Error, Pager, Result, Value, ValueRef};
use super::SelectRun;

/// A current row: of a table, of an index that has all that is wanted, of a subquery, or one in memory.
#[derive(Debug)]
pub(crate) struct Source {
    pub(super) kind: Kind,
    /// Stands for a row of NULLs: the other side of a LEFT JOIN has no partner.
    pub(super) null: bool,
    /// How far the header of the current record has been read.
    columns: RefCell<Columns>,
}

#[derive(Debug)]
pub(super) enum Kind {
    Table {
        cursor: TableCursor,
        table: Arc<Table>,
    },
    Entry {
        cursor: IndexCursor,
        index: Arc<Index>,
    },
    /// The values of all rows, one row of `width` after another; the current one begins `at`. Where
    /// `run` gives one row after another, only the current one.
    Rows {
        values: Option<Vec<Value>>,
        width: usize,
        at: usize,
        run: Option<Box<SelectRun>>,
    },
    Memory {
        rowid: i64,
        values: Vec<Value>,
    },
}

impl Source {
    fn new(kind: Kind) -> Source {
        Source { kind, null: false, columns: RefCell::default() }
    }

    pub(super) fn table(table: &Arc<Table>) -> Source {
        let cursor = TableCursor::new(table.root);
        Source::new(Kind::Table { cursor, table: Arc::clone(table) })
    }

    pub(super) fn entry(index: &Arc<Index>) -> Source {
        let cursor = IndexCursor::new(index.root, Arc::clone(&index.info));
        Source::new(Kind::Entry { cursor, index: Arc::clone(index) })
    }

    /// The rows of a subquery, which have yet to be computed.
    pub(super) fn rows() -> Source {
        Source::new(Kind::Rows { values: None, width: 0, at: 0, run: None })
    }

    /// Forgets the rows of a subquery: the row of the query around it may be another one.
    pub(super) fn restart(&mut self) {
        if let Kind::Rows { values, .. } = &mut self.kind {
            *values = None;
        }
    }

    /// A row that is not, or not yet, in a table.
    pub(super) fn memory(rowid: i64, values: Vec<Value>) -> Source {
        Source::new(Kind::Memory { rowid, values })
    }

    /// Makes the row that a cursor has just moved to the current one.
    pub(super) fn arrive(&mut self, pager: &mut Pager) -> Result<()> {
        self.null = false;
        let page = match &mut self.kind {
            Kind::Table { cursor, .. } => {
                cursor.fetch_here(pager)?;
                cursor.page()
            }
            Kind::Entry { cursor, .. } => cursor.page(),
            Kind::Rows { .. } | Kind::Memory { .. } => return Ok(()),
        };
        self.columns.get_mut().reset(page);
        Ok(())
    }

    /// Makes the row of a table with this rowid the current one; false where there is none.
    pub(super) fn find(&mut self, rowid: i64, pager: &mut Pager) -> Result<bool> {
        let Kind::Table { cursor, .. } = &mut self.kind else { return Ok(false) };
        if cursor.is_on(pager, rowid) {
            // It is already, and what was decoded of it is still true.
            self.null = false;
            return Ok(true);
        }
        let found = cursor.seek(pager, rowid)?;
        // Where there is none the cursor is on the row behind the gap, which may be asked for next.
        if cursor.is_valid() {
            self.arrive(pager)?;
        }
        Ok(found)
    }

    /// The value of a column, where it lies.
    ///
    /// # Errors
    /// A record whose header does not fit its length.
    pub(crate) fn column(&self, at: usize) -> Result<ValueRef<'_>> {
        if self.null {
            return Ok(ValueRef::Null);
        }
        match &self.kind {
            Kind::Table { cursor, table } => {
                let value = self.columns.borrow_mut().get(cursor.record(), at)?;
                // A record from before ALTER TABLE ADD COLUMN ends early.
                Ok(value.unwrap_or_else(|| table.columns[at].missing.as_ref()))
            }
            Kind::Entry { cursor, index, .. } => {
                let position = index.columns.iter().position(|&column| column == at);
                let position = position.unwrap_or(usize::MAX);
                let value = self.columns.borrow_mut().get(cursor.record(), position)?;
                value.ok_or_else(|| Error::corrupt(cursor.page(), "an index entry is too short"))
            }
            Kind::Rows { values, at: row, .. } => {
                let value = values.as_ref().and_then(|values| values.get(row + at));
                Ok(value.map_or(ValueRef::Null, Value::as_ref))
            }
            Kind::Memory { values, .. } => Ok(values[at].as_ref()),
        }
    }

    /// The rowid, or NULL where the row stands for none.
    pub(crate) fn rowid(&self) -> ValueRef<'_> {
        match &self.kind {
            _ if self.null => ValueRef::Null,
            Kind::Table { cursor, .. } => ValueRef::Integer(cursor.rowid()),
            // It comes after the columns.
            Kind::Entry { cursor, index } => {
                match self.columns.borrow_mut().get(cursor.record(), index.columns.len()) {
                    Ok(Some(rowid @ ValueRef::Integer(_))) => rowid,
                    _ => ValueRef::Null,
                }
            }
            Kind::Rows { .. } => ValueRef::Null,
            Kind::Memory { rowid, .. } => ValueRef::Integer(*rowid),
        }
    }
}
