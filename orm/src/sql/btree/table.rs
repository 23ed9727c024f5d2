//! The cursor of a table: rows by row id (day 0).
//!
//! ```
//! use orm::sql::Pager;
//! use orm::sql::btree::{TableCursor, TreeKind, create_tree};
//!
//! # fn main() -> orm::sql::Result<()> {
//! let mut pager = Pager::memory()?;
//! pager.begin_write()?;
//! let root = create_tree(&mut pager, TreeKind::Table)?;
//! let mut cursor = TableCursor::new(root);
//! for rowid in [30, 10, 20] {
//!     cursor.insert(&mut pager, rowid, b"\x02\x08")?; // a record of one column, 0
//! }
//! assert!(!cursor.seek(&mut pager, 15)?, "no row 15");
//! assert_eq!(cursor.rowid(), 20, "but this one comes after it");
//! cursor.delete(&mut pager)?;
//! assert!(cursor.next(&mut pager)?);
//! assert_eq!(cursor.rowid(), 30);
//! pager.commit()
//! # }
//! ```

use super::super::error::{Error, Result};
use super::super::page::{Node, PageKind};
use super::super::pager::Pager;
use super::cursor::{Cursor, State};
use super::write;

/// A position in a table.
#[derive(Debug)]
pub struct TableCursor {
    at: Cursor,
    /// The cell being written; kept for its memory.
    scratch: Vec<u8>,
}

impl TableCursor {
    /// A cursor before the first row of the table at `root`. Nothing is read yet.
    #[must_use]
    pub fn new(root: u32) -> TableCursor {
        TableCursor { at: Cursor::new(root), scratch: Vec::new() }
    }

    /// Whether the cursor is on a row.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.at.state == State::On
    }

    /// The row id of the row that the cursor is on.
    #[inline]
    #[must_use]
    pub fn rowid(&self) -> i64 {
        self.at.cell.rowid
    }

    /// The page that the row is on, for error messages.
    #[inline]
    #[must_use]
    pub fn page(&self) -> u32 {
        self.at.here().page
    }

    /// The row's record, whole after [`TableCursor::fetch`]; without it only the beginning of a row
    /// that has overflow pages.
    #[inline]
    #[must_use]
    pub fn record(&self) -> &[u8] {
        self.at.record()
    }

    /// Reads the row's overflow pages, if it has any.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`]; [`Error::Misuse`] when the row was deleted meanwhile.
    #[inline]
    pub fn fetch(&mut self, pager: &mut Pager) -> Result<()> {
        self.renew(pager)?;
        if self.at.state != State::On {
            return Err(Error::Misuse("the row under the cursor is gone"));
        }
        self.at.fetch(pager)
    }

    /// The same right after the cursor has moved.
    #[inline]
    pub(crate) fn fetch_here(&mut self, pager: &mut Pager) -> Result<()> {
        self.at.fetch(pager)
    }

    /// Moves to the first row.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`]. So for all movements.
    pub fn first(&mut self, pager: &mut Pager) -> Result<bool> {
        self.at.first(pager)
    }

    /// Moves to the last row.
    ///
    /// # Errors
    /// As [`TableCursor::first`].
    pub fn last(&mut self, pager: &mut Pager) -> Result<bool> {
        self.at.last(pager)
    }

    /// Moves to the next row; false when there is none.
    ///
    /// # Errors
    /// As [`TableCursor::first`].
    #[inline]
    pub fn next(&mut self, pager: &mut Pager) -> Result<bool> {
        self.renew(pager)?;
        self.at.next(pager)
    }

    /// Moves to the row before; false when there is none.
    ///
    /// # Errors
    /// As [`TableCursor::first`].
    pub fn prev(&mut self, pager: &mut Pager) -> Result<bool> {
        self.renew(pager)?;
        self.at.prev(pager)
    }

    /// Moves to the first row whose id is at least `rowid`, or past the end; whether it is `rowid`.
    ///
    /// # Errors
    /// As [`TableCursor::first`].
    pub fn seek(&mut self, pager: &mut Pager, rowid: i64) -> Result<bool> {
        if pager.page_count() == 0 {
            return self.at.first(pager);
        }
        if self.is_on(pager, rowid) {
            return Ok(true);
        }
        let exact = self.locate(pager, rowid)?;
        if self.at.here().index < self.at.cells {
            self.at.arrive()?;
        } else if self.at.rightmost {
            // No row comes after; the path is kept, should this one be inserted now.
            self.at.state = State::End;
        } else {
            self.at.climb_right(pager)?;
        }
        Ok(exact)
    }

    /// Whether there is such a row. If the row could go to the end of the table without a search,
    /// the cursor stays where it is; else it moves, as with [`TableCursor::seek`].
    pub(crate) fn has(&mut self, pager: &mut Pager, rowid: i64) -> Result<bool> {
        let behind = self.is_at_the_end(pager) && rowid > self.at.cell.rowid;
        Ok(!behind && self.seek(pager, rowid)?)
    }

    /// The largest row id, if there is a row. The cursor is then on it.
    pub(crate) fn last_rowid(&mut self, pager: &mut Pager) -> Result<Option<i64>> {
        let found = self.is_at_the_end(pager) || self.last(pager)?;
        Ok(found.then(|| self.rowid()))
    }

    /// Gives its page back: who writes it now need not copy it.
    pub(crate) fn let_go(&mut self) {
        self.at.page = None;
    }

    /// The largest row id of the table at `root`.
    ///
    /// # Errors
    /// As [`TableCursor::first`].
    pub fn max_rowid(pager: &mut Pager, root: u32) -> Result<Option<i64>> {
        let mut cursor = TableCursor::new(root);
        Ok(cursor.last(pager)?.then(|| cursor.rowid()))
    }

    /// The row id after the largest of the table at `root`.
    ///
    /// # Errors
    /// As [`TableCursor::first`]; [`Error::Full`] where no number is larger.
    pub(crate) fn next_rowid(pager: &mut Pager, root: u32) -> Result<i64> {
        let largest = TableCursor::max_rowid(pager, root)?.unwrap_or(0);
        largest.checked_add(1).ok_or(Error::Full)
    }

    /// Inserts a row, or replaces the one that has this row id. The cursor is then on it.
    ///
    /// Row ids that rise from call to call are put at the end without a search.
    ///
    /// # Errors
    /// [`Error::Misuse`] outside a write transaction; [`Error::Corrupt`], [`Error::Full`],
    /// [`Error::Io`], after which the transaction or a savepoint must be rolled back.
    pub fn insert(&mut self, pager: &mut Pager, rowid: i64, record: &[u8]) -> Result<()> {
        let exact = if self.is_at_the_end(pager) && rowid > self.at.cell.rowid {
            if let Some(step) = self.at.path.last_mut() {
                step.index = self.at.cells;
            }
            false
        } else {
            !self.is_place(pager, rowid)
                && (self.is_on(pager, rowid) || self.locate(pager, rowid)?)
        };
        write::table_cell(pager, rowid, record, &mut self.scratch)?;
        if exact {
            self.at.arrive()?;
            write::replace(pager, &mut self.at, &self.scratch)?;
        } else {
            write::insert(pager, &mut self.at, &self.scratch)?;
        }
        self.at.cell.rowid = rowid;
        self.at.state = State::On;
        Ok(())
    }

    /// Deletes the row that the cursor is on. The cursor is then between its neighbours:
    /// [`TableCursor::next`] moves to the one after, [`TableCursor::prev`] to the one before.
    ///
    /// # Errors
    /// As [`TableCursor::insert`]; [`Error::Misuse`] when the cursor is on no row.
    pub fn delete(&mut self, pager: &mut Pager) -> Result<()> {
        self.renew(pager)?;
        if self.at.state != State::On {
            return Err(Error::Misuse("a delete without a current row"));
        }
        write::delete_from_leaf(pager, &mut self.at)?;
        self.at.state = State::Gap;
        Ok(())
    }

    /// Whether the cursor is on this row, and knows it: a change finds its row, then writes it.
    #[inline]
    pub(crate) fn is_on(&self, pager: &Pager, rowid: i64) -> bool {
        self.at.state == State::On && self.at.cell.rowid == rowid && self.at.is_fresh(pager)
    }

    /// Whether there is no such row yet and its place is here: between two rows of the leaf, or
    /// behind the last of all. So it is after the row was looked for and not found.
    fn is_place(&self, pager: &Pager, rowid: i64) -> bool {
        let (at, step) = (&self.at, self.at.here());
        let (Some(page), Some(before)) = (&at.page, step.index.checked_sub(1)) else {
            return false;
        };
        let node = page.node();
        let behind = match step.index == node.cells {
            true => at.rightmost,
            false => node.rowid(step.index).is_ok_and(|next| next > rowid),
        };
        behind && at.is_fresh(pager) && node.rowid(before).is_ok_and(|last| last < rowid)
    }

    /// Whether the cursor is on the last row, on a path that is still true (its page may be unread).
    fn is_at_the_end(&self, pager: &Pager) -> bool {
        let at = &self.at;
        at.rightmost
            && at.state == State::On
            && at.seen == pager.changes(at.root)
            && at.here().index + 1 == at.cells
    }

    /// Looks the row up again if the tree changed since.
    #[inline]
    fn renew(&mut self, pager: &mut Pager) -> Result<()> {
        if self.at.is_fresh(pager) || !matches!(self.at.state, State::On | State::Gap) {
            return Ok(());
        }
        self.look_up_again(pager)
    }

    #[cold]
    fn look_up_again(&mut self, pager: &mut Pager) -> Result<()> {
        let was_on = self.at.state == State::On;
        let rowid = self.at.cell.rowid;
        let exact = self.seek(pager, rowid)?;
        if self.at.state == State::On && !(was_on && exact) {
            self.at.state = State::Gap;
        }
        Ok(())
    }

    /// Goes down to the leaf where `rowid` is or would be, perhaps behind its last cell.
    fn locate(&mut self, pager: &mut Pager, rowid: i64) -> Result<bool> {
        self.at.restart(pager);
        let mut number = self.at.root;
        loop {
            let usable = pager.usable();
            let page = self.at.enter(pager, number)?;
            let node = Node::parse(page, number, usable)?;
            let (index, exact) = search(&node, rowid)?;
            match self.at.choose(page, &node, index)? {
                Some(child) => number = child,
                None => return Ok(exact),
            }
        }
    }
}

/// The first cell of the page whose row id is at least `rowid`, and whether it is equal.
#[inline]
fn search(node: &Node<'_>, rowid: i64) -> Result<(usize, bool)> {
    if !matches!(node.kind, PageKind::TableLeaf | PageKind::TableInterior) {
        return Err(Error::corrupt(node.number, "an index page inside a table"));
    }
    let (mut low, mut high) = (0, node.cells);
    let mut exact = false;
    let mut middle = high / 2;
    if node.kind == PageKind::TableLeaf && high > 0 {
        // Most tables have row ids without gaps: the first one then says where all others are.
        let ahead = rowid.saturating_sub(node.rowid(0)?);
        middle = usize::try_from(ahead).unwrap_or(0).min(high - 1);
    }
    while low < high {
        let found = node.rowid(middle)?;
        if found < rowid {
            low = middle + 1;
        } else {
            high = middle;
            exact = found == rowid;
            if exact {
                break;
            }
        }
        middle = (low + high) / 2;
    }
    Ok((high, exact))
}
