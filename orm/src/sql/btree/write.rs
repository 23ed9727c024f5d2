//! Putting cells into leaves and taking them out (day 0).
//!
//! The common case ends on one page: there is room for the cell, or enough cells remain. Only
//! when a page overflows or gets too empty does [`balance`] look at its neighbours.
//!
//! A cursor lets go of its page before the page is changed. Were it still held, the change
//! would have to copy the page first; see [`cache`](super::super::cache).

use super::super::error::{Error, Result};
use super::super::page::{self, Node, PageKind};
use super::super::pager::Pager;
use super::super::varint;
use super::balance::{self, Overfull};
use super::cursor::Cursor;
use super::overflow;
use std::sync::Arc;

/// The longest record, SQLite's default limit.
const RECORD_BYTES_MAX: usize = 1_000_000_000;

/// Makes the cell of a row in `out`; a long record's end goes to overflow pages at once.
pub(crate) fn table_cell(
    pager: &mut Pager,
    rowid: i64,
    record: &[u8],
    out: &mut Vec<u8>,
) -> Result<()> {
    out.clear();
    varint::write(record.len() as u64, out);
    varint::write(rowid.cast_unsigned(), out);
    payload(pager, PageKind::TableLeaf, record, out)
}

/// Makes the leaf cell of an index entry in `out`.
pub(crate) fn index_cell(pager: &mut Pager, record: &[u8], out: &mut Vec<u8>) -> Result<()> {
    out.clear();
    varint::write(record.len() as u64, out);
    payload(pager, PageKind::IndexLeaf, record, out)
}

fn payload(pager: &mut Pager, kind: PageKind, record: &[u8], out: &mut Vec<u8>) -> Result<()> {
    if !pager.in_write() {
        return Err(Error::Misuse("a write outside a transaction"));
    }
    if record.len() > RECORD_BYTES_MAX {
        return Err(Error::TooBig);
    }
    let (local, rest) = record.split_at(page::local_len(kind, pager.usable(), record.len()));
    out.extend_from_slice(local);
    if !rest.is_empty() {
        let first = overflow::write_chain(pager, rest)?;
        out.extend_from_slice(&first.to_be_bytes());
    }
    Ok(())
}

/// Inserts a cell before the cursor's place on its leaf.
pub(crate) fn insert(pager: &mut Pager, at: &mut Cursor, cell: &[u8]) -> Result<()> {
    at.page = None;
    let (step, usable) = (at.here(), pager.usable());
    if page::insert_cell(pager.page_mut(step.page)?, step.page, usable, step.index, cell)? {
        at.cells += 1;
        pager.tree_changed(at.root);
        at.seen = pager.changes(at.root);
        return Ok(());
    }
    let level = at.path.len() - 1;
    let append = at.rightmost && step.index == at.cells;
    let over = Overfull::with(pager, step, cell)?;
    pager.tree_changed(at.root);
    balance::balance(pager, &mut at.path, level, Some(over), append)
}

/// Replaces the cell that the cursor is on.
pub(crate) fn replace(pager: &mut Pager, at: &mut Cursor, cell: &[u8]) -> Result<()> {
    if at.cell.overflow != 0 {
        overflow::free_chain(pager, at.here().page, &at.cell)?;
    }
    at.page = None;
    let (step, usable) = (at.here(), pager.usable());
    let old = at.cell.exact.clone();
    let bytes = pager.page_mut(step.page)?;
    if old.len() == cell.len() {
        bytes[old].copy_from_slice(cell);
        pager.tree_changed(at.root);
        at.seen = pager.changes(at.root);
        return Ok(());
    }
    page::remove_cell(bytes, step.page, usable, step.index)?;
    at.cells -= 1;
    insert(pager, at, cell)?;
    if cell.len() < old.len() && at.seen == pager.changes(at.root) {
        rebalance_leaf(pager, at)?;
    }
    Ok(())
}

/// Deletes the cell that the cursor is on, with its overflow pages.
pub(crate) fn delete_from_leaf(pager: &mut Pager, at: &mut Cursor) -> Result<()> {
    if at.cell.overflow != 0 {
        overflow::free_chain(pager, at.here().page, &at.cell)?;
    }
    at.page = None;
    let (step, usable) = (at.here(), pager.usable());
    page::remove_cell(pager.page_mut(step.page)?, step.page, usable, step.index)?;
    rebalance_leaf(pager, at)
}

/// Moves the cell that the cursor is on, in a leaf, to where the interior cell at `level` of its path
/// is; the overflow pages go with it. True when that needed a balance, and the path is no more.
pub(crate) fn promote(pager: &mut Pager, at: &mut Cursor, level: usize) -> Result<bool> {
    let Some(leaf) = at.page.take() else { return Ok(false) };
    let (from, to, usable) = (at.here(), at.path[level], pager.usable());
    let substitute = &leaf.bytes()[at.cell.exact.clone()];
    let parent = Arc::clone(pager.page(to.page)?);
    let node = Node::parse(&parent, to.page, usable)?;
    if to.index >= node.cells {
        return Err(Error::corrupt(to.page, "fewer cells than a moment ago"));
    }
    let child = node.child(to.index)?.to_be_bytes();
    let cell = [&child[..], substitute].concat();
    drop(parent);
    page::remove_cell(pager.page_mut(from.page)?, from.page, usable, from.index)?;
    page::remove_cell(pager.page_mut(to.page)?, to.page, usable, to.index)?;
    pager.tree_changed(at.root);
    if page::insert_cell(pager.page_mut(to.page)?, to.page, usable, to.index, &cell)? {
        return Ok(false);
    }
    let over = Overfull::with(pager, to, &cell)?;
    balance::balance(pager, &mut at.path, level, Some(over), false)?;
    Ok(true)
}

/// Balances the cursor's leaf if it became too empty. The cursor must look its key up again.
pub(crate) fn rebalance_leaf(pager: &mut Pager, at: &mut Cursor) -> Result<()> {
    at.page = None;
    pager.tree_changed(at.root);
    let level = at.path.len() - 1;
    balance::balance(pager, &mut at.path, level, None, false)
}
