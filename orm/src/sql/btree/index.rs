//! The cursor of an index: records in the order of their columns (day 0).
//!
//! An entry is a record of the indexed columns followed by the row id, so that no two are equal and
//! the table's row can be found. A search may name only the first columns; all entries that begin
//! with them compare equal, and [`Bias`] says at which end of such a run the cursor is to stop:
//!
//! ```text
//!   entries        (apple, 4)  (fig, 1)  (fig, 7)  (fig, 9)  (kiwi, 2)
//!   seek (fig)                 ^ First                       ^ Last
//! ```
//!
//! So `>=` is First, `>` is Last, `<=` is Last and a step back, `<` is First and a step back.
//!
//! Comparisons read the encoded entry where it lies ([`record::compare`]); nothing is
//! decoded but the columns that decide.

use super::super::error::{Error, Result};
use super::super::page::{Node, PageKind};
use super::super::pager::Pager;
use super::super::record::{self, KeyInfo};
use super::super::value::ValueRef;
use super::cursor::{Cursor, State};
use super::{overflow, write};
use std::cmp::Ordering;
use std::sync::Arc;

/// At which end of the entries that begin with the key [`IndexCursor::seek`] stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bias {
    /// On the first entry that is not less than the key.
    First,
    /// On the first entry that is greater than the key.
    Last,
}

/// A position in an index.
#[derive(Debug)]
pub struct IndexCursor {
    at: Cursor,
    info: Arc<KeyInfo>,
    scratch: Vec<u8>,
}

impl IndexCursor {
    /// A cursor before the first entry of the index at `root`. Nothing is read yet.
    #[must_use]
    pub fn new(root: u32, info: Arc<KeyInfo>) -> IndexCursor {
        IndexCursor { at: Cursor::new(root), info, scratch: Vec::new() }
    }

    /// Whether the cursor is on an entry.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.at.state == State::On
    }

    /// The page that the entry is on, for error messages.
    #[must_use]
    pub fn page(&self) -> u32 {
        self.at.here().page
    }

    /// The entry, whole: an index cursor reads overflow pages when it arrives.
    #[inline]
    #[must_use]
    pub fn record(&self) -> &[u8] {
        self.at.record()
    }

    /// Does nothing where [`IndexCursor::record`] is still true; else looks the entry up again.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`]; [`Error::Misuse`] when the entry was deleted meanwhile.
    pub fn fetch(&mut self, pager: &mut Pager) -> Result<()> {
        self.renew(pager)?;
        if self.at.state != State::On {
            return Err(Error::Misuse("the entry under the cursor is gone"));
        }
        Ok(())
    }

    /// The row id of the entry: its last column.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when that is no integer.
    pub fn rowid(&self) -> Result<i64> {
        match record::last_column(self.record()).map_err(|error| error.on_page(self.page()))? {
            ValueRef::Integer(rowid) => Ok(rowid),
            _ => Err(Error::corrupt(self.page(), "an index entry without a row id")),
        }
    }

    /// Moves to the first entry.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`]. So for all movements.
    pub fn first(&mut self, pager: &mut Pager) -> Result<bool> {
        let found = self.at.first(pager)?;
        self.arrived(pager, found)
    }

    /// Moves to the first entry or to the next one.
    pub(crate) fn next_from_start(&mut self, pager: &mut Pager, first: bool) -> Result<bool> {
        if first { self.first(pager) } else { self.next(pager) }
    }

    /// Whether the entry's first columns equal `key`.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the entry is no record.
    #[inline]
    pub fn begins_with(&self, key: &[ValueRef<'_>]) -> Result<bool> {
        Ok(self.compare(key)? == Ordering::Equal)
    }

    /// The entry's first columns against `key`, in the order of the index.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the entry is no record.
    #[inline]
    pub fn compare(&self, key: &[ValueRef<'_>]) -> Result<Ordering> {
        record::compare(&self.info, self.record(), key).map_err(|error| error.on_page(self.page()))
    }

    /// Moves to the last entry.
    ///
    /// # Errors
    /// As [`IndexCursor::first`].
    pub fn last(&mut self, pager: &mut Pager) -> Result<bool> {
        let found = self.at.last(pager)?;
        self.arrived(pager, found)
    }

    /// Moves to the next entry; false when there is none.
    ///
    /// # Errors
    /// As [`IndexCursor::first`].
    #[inline]
    pub fn next(&mut self, pager: &mut Pager) -> Result<bool> {
        self.renew(pager)?;
        let found = self.at.next(pager)?;
        self.arrived(pager, found)
    }

    /// Moves to the entry before; false when there is none.
    ///
    /// # Errors
    /// As [`IndexCursor::first`].
    pub fn prev(&mut self, pager: &mut Pager) -> Result<bool> {
        self.renew(pager)?;
        let found = self.at.prev(pager)?;
        self.arrived(pager, found)
    }

    /// Moves to where `bias` says, or past the end. With [`Bias::First`]: whether the entry there
    /// begins with `key`; with [`Bias::Last`] always false.
    ///
    /// # Errors
    /// As [`IndexCursor::first`].
    pub fn seek(&mut self, pager: &mut Pager, key: &[ValueRef<'_>], bias: Bias) -> Result<bool> {
        if bias == Bias::First
            && let Some(order) = self.order_here(pager, key)
        {
            return Ok(order.is_eq());
        }
        let (on_leaf, above) = self.locate(pager, key, bias)?;
        if self.at.here().index < self.at.cells {
            self.at.arrive()?;
            self.at.fetch(pager)?;
            return Ok(on_leaf);
        }
        let found = self.at.climb_right(pager)?;
        self.arrived(pager, found)?;
        Ok(found && above)
    }

    /// Inserts an entry. The cursor is then on it.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the entry is there already; else as [`TableCursor::insert`].
    ///
    /// [`TableCursor::insert`]: super::TableCursor::insert
    pub fn insert(&mut self, pager: &mut Pager, record: &[u8]) -> Result<()> {
        record::with_columns(record, |key| {
            if self.order_here(pager, key) == Some(Ordering::Greater) {
                return Ok(());
            }
            let (here, above) = self.locate(pager, key, Bias::First)?;
            if here || above {
                return Err(Error::corrupt(self.page(), "an index entry that is already there"));
            }
            Ok(())
        })?;
        write::index_cell(pager, record, &mut self.scratch)?;
        write::insert(pager, &mut self.at, &self.scratch)?;
        self.at.keep_record(record);
        self.at.state = State::On;
        Ok(())
    }

    /// Gives its page back: who writes it now need not copy it.
    pub(crate) fn let_go(&mut self) {
        self.at.page = None;
    }

    /// Deletes the entry that the cursor is on. The cursor is then between its neighbours, as with
    /// [`TableCursor::delete`](super::TableCursor::delete).
    ///
    /// # Errors
    /// As [`IndexCursor::insert`]; [`Error::Misuse`] when the cursor is on no entry.
    pub fn delete(&mut self, pager: &mut Pager) -> Result<()> {
        self.renew(pager)?;
        if self.at.state != State::On {
            return Err(Error::Misuse("a delete without a current entry"));
        }
        let key = self.at.record().to_vec();
        if self.at.on_leaf {
            write::delete_from_leaf(pager, &mut self.at)?;
        } else {
            self.delete_from_interior(pager)?;
        }
        self.at.keep_record(&key);
        self.at.state = State::Gap;
        Ok(())
    }

    /// An entry between two children cannot just go: the one before it, which is in a leaf, takes
    /// its place.
    fn delete_from_interior(&mut self, pager: &mut Pager) -> Result<()> {
        let level = self.at.path.len() - 1;
        if self.at.cell.overflow != 0 {
            overflow::free_chain(pager, self.page(), &self.at.cell)?;
        }
        // Down to the last entry of the child to the left. The path above stays as it is.
        if !self.at.prev(pager)? || self.at.path.len() <= level + 1 {
            return Err(Error::corrupt(self.page(), "an index entry without a left child"));
        }
        self.at.fetch(pager)?;
        let substitute = self.at.record().to_vec();
        if write::promote(pager, &mut self.at, level)? {
            // Pages moved between the entry and its leaf. Looking for the substitute where it is
            // now leads to the leaf that it left.
            let page = self.page();
            record::with_columns(&substitute, |key| self.locate(pager, key, Bias::First))
                .map_err(|error| error.on_page(page))?;
        }
        write::rebalance_leaf(pager, &mut self.at)
    }

    /// The order of the current entry against `key`, where a search would end here: the entry is not
    /// less, but the one before it on the same leaf is. So it is where a unique key was just looked
    /// for, or where the entries of the key before `key` have been gone through.
    fn order_here(&self, pager: &Pager, key: &[ValueRef<'_>]) -> Option<Ordering> {
        let (at, here) = (&self.at, self.at.here().index);
        if at.state != State::On || !at.on_leaf || !at.is_fresh(pager) {
            return None;
        }
        let node = at.page.as_ref()?.node();
        let order = |i| match node.short_payload(i) {
            Ok(Some(record)) => record::compare(&self.info, record, key).ok(),
            _ => None,
        };
        let order_of_this = order(here).filter(|order| order.is_ge())?;
        (order(here.checked_sub(1)?)? == Ordering::Less).then_some(order_of_this)
    }

    #[inline]
    fn arrived(&mut self, pager: &mut Pager, found: bool) -> Result<bool> {
        if found {
            self.at.fetch(pager)?;
        }
        Ok(found)
    }

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
        let (old, page) = (self.at.take_record(), self.page());
        let exact = record::with_columns(&old, |key| self.seek(pager, key, Bias::First))
            .map_err(|error| error.on_page(page))?;
        if self.at.state == State::On && !(was_on && exact) {
            self.at.state = State::Gap;
        }
        Ok(())
    }

    /// Goes down to the leaf where `key` is or would be, perhaps behind its last cell. Whether the
    /// cell there begins with `key`, and whether the nearest entry to the right and above does.
    fn locate(
        &mut self,
        pager: &mut Pager,
        key: &[ValueRef<'_>],
        bias: Bias,
    ) -> Result<(bool, bool)> {
        self.at.restart(pager);
        let mut number = self.at.root;
        let mut above = false;
        loop {
            let usable = pager.usable();
            let page = self.at.enter(pager, number)?;
            let node = Node::parse(page, number, usable)?;
            let short = |i| match node.short_payload(i)? {
                Some(record) => record::compare(&self.info, record, key).map(Some),
                None => Ok(None),
            };
            let (child, exact, is_last) = match bisect(&node, bias, short)? {
                Some((index, exact)) => {
                    (self.at.choose(page, &node, index)?, exact, index == node.cells)
                }
                None => {
                    // Some entry on the way has overflow pages, so the search needs the pager.
                    let page = Arc::clone(page);
                    let node = Node::parse(&page, number, usable)?;
                    let whole =
                        |i| compare_whole(pager, &page, &node, i, &self.info, key).map(Some);
                    let (index, exact) = bisect(&node, bias, whole)?.unwrap_or_default();
                    (self.at.choose(&page, &node, index)?, exact, index == node.cells)
                }
            };
            match child {
                Some(child) => number = child,
                None => return Ok((exact, above)),
            }
            if !is_last {
                above = exact;
            }
        }
    }
}

/// The first cell of the page that is not less than the key that `compare` compares it with (or,
/// with [`Bias::Last`], is greater), and whether it begins with the key. `None` as soon as `compare`
/// does not know.
#[inline]
fn bisect(
    node: &Node<'_>,
    bias: Bias,
    mut compare: impl FnMut(usize) -> Result<Option<Ordering>>,
) -> Result<Option<(usize, bool)>> {
    if !matches!(node.kind, PageKind::IndexLeaf | PageKind::IndexInterior) {
        return Err(Error::corrupt(node.number, "a table page inside an index"));
    }
    let (mut low, mut high) = (0, node.cells);
    let mut exact = false;
    while low < high {
        let middle = (low + high) / 2;
        let order = compare(middle).map_err(|error| error.on_page(node.number))?;
        let Some(order) = order else { return Ok(None) };
        if order == Ordering::Less || (order == Ordering::Equal && bias == Bias::Last) {
            low = middle + 1;
        } else {
            high = middle;
            exact = order == Ordering::Equal;
        }
    }
    Ok(Some((high, exact)))
}

/// Compares cell `i`, its overflow pages included.
fn compare_whole(
    pager: &mut Pager,
    page: &[u8],
    node: &Node<'_>,
    i: usize,
    info: &KeyInfo,
    key: &[ValueRef<'_>],
) -> Result<Ordering> {
    let cell = node.cell(i)?;
    let mut whole = page[cell.local.clone()].to_vec();
    if cell.overflow != 0 {
        overflow::read_chain(pager, node.number, &cell, &mut whole)?;
    }
    record::compare(info, &whole, key)
}

#[cfg(test)]
mod tests {
    use super::super::super::vfs::MemoryVfs;
    use super::super::super::{Options, Pager, Value};
    use super::super::{TreeKind, create_tree};
    use super::*;

    fn index() -> (Pager, IndexCursor) {
        let options = Options { page_size: 512, ..Options::default() };
        let mut pager = Pager::open(Box::new(MemoryVfs::default()), "d", options).unwrap();
        pager.begin_write().unwrap();
        let root = create_tree(&mut pager, TreeKind::Index).unwrap();
        (pager, IndexCursor::new(root, Arc::default()))
    }

    fn insert(pager: &mut Pager, cursor: &mut IndexCursor, values: &[Value]) {
        let mut entry = Vec::new();
        record::encode(values.iter().map(Value::as_ref), &mut entry);
        cursor.insert(pager, &entry).unwrap();
    }

    #[test]
    fn a_bias_is_an_end_of_a_run_of_equal_keys() {
        let (mut pager, mut cursor) = index();
        for (name, rowid) in [("apple", 4), ("fig", 1), ("fig", 7), ("fig", 9), ("kiwi", 2)] {
            insert(&mut pager, &mut cursor, &[name.into(), Value::Integer(rowid)]);
        }
        let fig = [ValueRef::Text(b"fig")];
        assert!(cursor.seek(&mut pager, &fig, Bias::First).unwrap());
        assert_eq!(cursor.rowid().unwrap(), 1);
        assert!(!cursor.seek(&mut pager, &fig, Bias::Last).unwrap());
        assert_eq!(cursor.rowid().unwrap(), 2);
        assert!(cursor.prev(&mut pager).unwrap());
        assert_eq!(cursor.rowid().unwrap(), 9);
        assert!(!cursor.seek(&mut pager, &[ValueRef::Text(b"zoo")], Bias::First).unwrap());
        assert!(!cursor.is_valid() && cursor.prev(&mut pager).unwrap());
        assert_eq!(cursor.rowid().unwrap(), 2);
    }

    #[test]
    fn a_search_that_ends_where_the_last_one_led_says_the_same_as_one_from_the_root() {
        let (mut pager, mut cursor) = index();
        for i in 0..300 {
            insert(&mut pager, &mut cursor, &[Value::Integer(i / 3 * 2), Value::Integer(i)]);
        }
        for key in (0..210).chain((0..210).rev()) {
            let key = [ValueRef::Integer(key)];
            let mut other = IndexCursor::new(cursor.at.root, Arc::default());
            let found = other.seek(&mut pager, &key, Bias::First).unwrap();
            assert_eq!(cursor.seek(&mut pager, &key, Bias::First).unwrap(), found);
            let mut valid = cursor.is_valid();
            assert_eq!(valid, other.is_valid());
            assert!(!valid || cursor.record() == other.record());
            while valid && cursor.begins_with(&key).unwrap() {
                valid = cursor.next(&mut pager).unwrap();
            }
        }
    }

    #[test]
    fn an_entry_is_inserted_once() {
        let (mut pager, mut cursor) = index();
        for i in 0..300 {
            insert(&mut pager, &mut cursor, &[Value::Integer(i)]);
        }
        let mut entry = Vec::new();
        record::encode([ValueRef::Integer(150)].into_iter(), &mut entry);
        let error = cursor.insert(&mut pager, &entry).unwrap_err();
        assert!(error.to_string().contains("an index entry that is already there"), "{error}");
    }

    /// Short and long entries, so that the one that replaces an interior entry often does not fit.
    #[test]
    fn entries_of_very_different_lengths_go_in_any_order() {
        let mut seed: u64 = 1;
        let mut random = move |limit: usize| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(seed >> 33).unwrap() % limit
        };
        for _ in 0..30 {
            let (mut pager, mut cursor) = index();
            let mut left: Vec<[Value; 2]> = Vec::new();
            for rowid in 0..400 {
                let len = if random(3) == 0 { 60 + random(30) } else { random(3) };
                let key: Vec<u8> =
                    (0..len + 2).map(|_| u8::try_from(random(256)).unwrap()).collect();
                let entry = [key.into(), Value::Integer(rowid)];
                insert(&mut pager, &mut cursor, &entry);
                left.push(entry);
            }
            while !left.is_empty() {
                let entry = left.swap_remove(random(left.len()));
                let key: Vec<_> = entry.iter().map(Value::as_ref).collect();
                assert!(cursor.seek(&mut pager, &key, Bias::First).unwrap());
                cursor.delete(&mut pager).unwrap();
                let root = cursor.at.root;
                assert_eq!(super::super::count(&mut pager, root).unwrap(), left.len() as u64);
                no_page_is_empty(&mut pager, root);
            }
        }
    }

    fn no_page_is_empty(pager: &mut Pager, root: u32) {
        super::super::walk(pager, root, &mut |_, node| {
            assert!(node.cells > 0 || node.number == root, "page {}", node.number);
            Ok(())
        })
        .unwrap();
    }
}
