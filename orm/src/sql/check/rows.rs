//! The second half of an integrity check: what the rows and the index entries say (day 0).
//!
//! The structure of a file may be sound, and its content still contradict itself: a row that an index
//! does not know, an entry without a row, a NULL where none may be. So each row is looked up in each
//! index of its table, and then the entries are counted. As many entries as rows, and one for each row:
//! so there is no other.

use super::super::btree::{Bias, IndexCursor, TableCursor};
use super::super::error::Result;
use super::super::pager::Pager;
use super::super::record::Columns;
use super::super::value::ValueRef;
use super::{CheckIndex, CheckTable};
use std::sync::Arc;

/// Checks the rows of a table against its constraints and its indexes.
pub(super) fn check_rows(
    pager: &mut Pager,
    table: &CheckTable,
    limit: usize,
    messages: &mut Vec<String>,
) -> Result<()> {
    let mut cursor = TableCursor::new(table.root);
    let mut columns = Columns::default();
    let checked = table.indexes.iter().filter(|index| !index.columns.is_empty());
    let mut indexes: Vec<_> =
        checked.map(|i| (i, IndexCursor::new(i.root, Arc::clone(&i.info)))).collect();
    let mut rows: u64 = 0;
    while messages.len() < limit && cursor.next(pager)? {
        rows += 1;
        cursor.fetch(pager)?;
        columns.reset(cursor.page());
        let rowid = cursor.rowid();
        let mut row = Vec::with_capacity(table.columns.len());
        for (i, column) in table.columns.iter().enumerate() {
            let value = columns.get(cursor.record(), i)?.unwrap_or(column.default.as_ref());
            row.push(if table.rowid_alias == Some(i) { ValueRef::Integer(rowid) } else { value });
            if column.not_null && row[i].is_null() {
                messages.push(format!("NULL value in {}.{}", table.name, column.name));
            }
        }
        for (index, entries) in &mut indexes {
            check_entry(pager, index, entries, &row, rowid, messages)?;
        }
    }
    for (index, entries) in &mut indexes {
        let mut found: u64 = 0;
        while found <= rows && entries.next_from_start(pager, found == 0)? {
            found += 1;
        }
        if found != rows && messages.len() < limit {
            messages.push(format!("wrong # of entries in index {}", index.name));
        }
    }
    Ok(())
}

fn check_entry(
    pager: &mut Pager,
    index: &CheckIndex,
    entries: &mut IndexCursor,
    row: &[ValueRef<'_>],
    rowid: i64,
    messages: &mut Vec<String>,
) -> Result<()> {
    let value = |column: &Option<usize>| match column {
        Some(i) => row.get(*i).copied().unwrap_or(ValueRef::Null),
        None => ValueRef::Integer(rowid),
    };
    let mut key: Vec<ValueRef<'_>> = index.columns.iter().map(value).collect();
    let may_repeat = !index.unique || key.iter().any(|value| value.is_null());
    key.push(ValueRef::Integer(rowid));
    if !entries.seek(pager, &key, Bias::First)? {
        messages.push(format!("row {rowid} missing from index {}", index.name));
        return Ok(());
    }
    key.pop();
    if !may_repeat && entries.next(pager)? && entries.begins_with(&key)? {
        messages.push(format!("non-unique entry in index {}", index.name));
    }
    Ok(())
}
