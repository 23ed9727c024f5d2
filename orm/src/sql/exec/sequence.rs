//! AUTOINCREMENT: a rowid is never given again, not even after its row is gone (day 0, query it).
//!
//! So the largest one that a table ever had is kept, in a table of its own that the file has for all of
//! them: `sqlite_sequence(name, seq)`. An INSERT reads its row before the first new row and writes it
//! after the last.

use super::super::btree::TableCursor;
use super::super::expr::Env;
use super::super::record::{decode, encode};
use super::super::{Result, Value, ValueRef};
use super::change::ChangePlan;

/// A table's row of `sqlite_sequence` while an INSERT runs; without AUTOINCREMENT, nothing.
pub(super) struct Sequence {
    root: Option<u32>,
    name: String,
    /// The row of `sqlite_sequence`, if there is one, and what it said.
    row: Option<i64>,
    before: i64,
    pub(super) largest: i64,
}

impl Sequence {
    pub(super) fn open(plan: &ChangePlan, env: &Env<'_>) -> Result<Sequence> {
        let root = plan.sequence.filter(|_| plan.table.autoincrement);
        let name = root.map_or_else(String::new, |_| plan.table.name.clone());
        let mut sequence = Sequence { root, name, row: None, before: 0, largest: 0 };
        let Some(root) = root else { return Ok(sequence) };
        let mut pager = env.shared.pager.borrow_mut();
        let mut cursor = TableCursor::new(root);
        let mut more = cursor.first(&mut pager)?;
        while more {
            cursor.fetch(&mut pager)?;
            let row = decode(cursor.record()).map_err(|error| error.on_page(cursor.page()))?;
            if let [Value::Text(name), seq, ..] = &row[..]
                && name.eq_ignore_ascii_case(&sequence.name)
            {
                sequence.row = Some(cursor.rowid());
                sequence.before = super::super::affinity::to_integer(seq.as_ref());
                sequence.largest = sequence.before;
                return Ok(sequence);
            }
            more = cursor.next(&mut pager)?;
        }
        Ok(sequence)
    }

    pub(super) fn close(&self, env: &Env<'_>) -> Result<()> {
        let Some(root) = self.root else { return Ok(()) };
        if self.largest == self.before && self.row.is_some() {
            return Ok(());
        }
        let mut pager = env.shared.pager.borrow_mut();
        let mut record = Vec::new();
        let values = [ValueRef::Text(self.name.as_bytes()), ValueRef::Integer(self.largest)];
        encode(values.into_iter(), &mut record);
        let rowid = match self.row {
            Some(rowid) => rowid,
            None => TableCursor::next_rowid(&mut pager, root)?,
        };
        TableCursor::new(root).insert(&mut pager, rowid, &record)
    }
}
