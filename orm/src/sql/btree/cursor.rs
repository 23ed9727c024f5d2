//! A position in a tree, and the steps from one entry to its neighbours (day 0).
//!
//! A cursor is plain data: page numbers from the root down to one page, which cell was taken on
//! each, and an `Arc` of the page it is on. It borrows nothing from the pager, so any number of them
//! may be open; each call is given the pager. The naive version would keep references into the cache,
//! and the borrow checker is right to refuse it: a write through another cursor may move the very entry
//! that the reference points to.
//!
//! So a cursor has to notice. Whoever writes a tree moves its change count (see
//! [`pager`](super::super::pager)); a cursor whose `seen` differs must not trust its path, and its
//! owner looks the key up again. That key is still at hand: the cursor's `Arc` keeps the old bytes.
//!
//! The states between entries are worth naming. `Gap` is what a delete leaves: the cursor is
//! *before* the entry at its position, so that the next step arrives there instead of leaving it.

use super::super::error::{Error, Result};
use super::super::page::{Cell, KeptPage, Node};
use super::super::pager::Pager;
use super::{DEPTH_MAX, Step, overflow};
use std::sync::Arc;

/// Where a cursor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Before the first entry.
    Start,
    /// On an entry.
    On,
    /// Before the entry at the position, and after the one that it was on.
    Gap,
    /// Past the last entry.
    End,
}

#[derive(Debug)]
pub(crate) struct Cursor {
    pub(crate) root: u32,
    pub(crate) state: State,
    /// From the root to the current page.
    pub(crate) path: Vec<Step>,
    /// The current page; `None` when it must be read again.
    pub(crate) page: Option<KeptPage>,
    /// How many cells the current page has.
    pub(crate) cells: usize,
    /// Whether the current page is a leaf: always in a table, not always in an index.
    pub(crate) on_leaf: bool,
    /// The current cell.
    pub(crate) cell: Cell,
    /// No page of the tree is to the right of the current one.
    pub(crate) rightmost: bool,
    /// The tree's change count when the path was true.
    pub(crate) seen: u64,
    /// The record, where its parts on several pages had to be put together.
    buffer: Vec<u8>,
    assembled: bool,
    /// Pages entered since the last seek or turn: more than the file has means a cycle.
    hops: u32,
    backward: bool,
}

impl Cursor {
    pub(crate) fn new(root: u32) -> Cursor {
        Cursor {
            root,
            state: State::Start,
            path: Vec::new(),
            page: None,
            cells: 0,
            on_leaf: true,
            cell: Cell::default(),
            rightmost: false,
            seen: 0,
            buffer: Vec::new(),
            assembled: false,
            hops: 0,
            backward: false,
        }
    }

    /// Forgets where it is: a new descent from the root begins. Should it fail halfway, the cursor is
    /// nowhere, rather than on a path that is only half true.
    pub(crate) fn restart(&mut self, pager: &Pager) {
        self.state = State::Start;
        self.page = None;
        self.path.clear();
        self.seen = pager.changes(self.root);
        self.rightmost = true;
        self.hops = 0;
    }

    /// Whether the position may be used as it is.
    #[inline]
    pub(crate) fn is_fresh(&self, pager: &Pager) -> bool {
        self.seen == pager.changes(self.root) && self.page.is_some()
    }

    /// Where the current page is, and the current cell on it.
    #[inline]
    pub(crate) fn here(&self) -> Step {
        self.path.last().copied().unwrap_or(Step { page: self.root, index: 0 })
    }

    /// Page `number`, which is the next on the way down.
    #[inline]
    pub(crate) fn enter<'p>(&mut self, pager: &'p mut Pager, number: u32) -> Result<&'p Arc<[u8]>> {
        self.hops += 1;
        if self.path.len() == DEPTH_MAX || self.hops > pager.page_count() {
            return Err(Error::corrupt(number, "the pages of a tree form a cycle"));
        }
        // A root is named by the catalog, which begins on page 1.
        pager.follow(number, self.path.last().map_or(1, |step| step.page))
    }

    /// Adds the page to the path, at `index`: the child to go on with, or `None` on a leaf.
    #[inline]
    pub(crate) fn choose(
        &mut self,
        page: &Arc<[u8]>,
        node: &Node<'_>,
        index: usize,
    ) -> Result<Option<u32>> {
        self.path.push(Step { page: node.number, index });
        if !node.kind.is_leaf() {
            self.rightmost &= index == node.cells;
            return node.child(index).map(Some);
        }
        self.cells = node.cells;
        self.on_leaf = true;
        self.page = Some(node.keep(page));
        Ok(None)
    }

    /// Goes down from page `number` along the first (or last) children, to the first (or last) cell.
    fn descend(&mut self, pager: &mut Pager, mut number: u32, last: bool) -> Result<bool> {
        loop {
            let usable = pager.usable();
            let page = self.enter(pager, number)?;
            let node = Node::parse(page, number, usable)?;
            let end = if node.kind.is_leaf() { node.cells.saturating_sub(1) } else { node.cells };
            match self.choose(page, &node, if last { end } else { 0 })? {
                Some(child) => number = child,
                None if self.cells > 0 => return self.arrive(),
                // Only the root of an empty tree has no cells.
                None if self.path.len() > 1 => {
                    return Err(Error::corrupt(number, "an empty page inside a tree"));
                }
                None => return Ok(self.leave(last)),
            }
        }
    }

    pub(crate) fn first(&mut self, pager: &mut Pager) -> Result<bool> {
        self.restart(pager);
        // A database without a page: its one tree, the schema, is empty.
        Ok(pager.page_count() > 0 && self.descend(pager, self.root, false)?)
    }

    pub(crate) fn last(&mut self, pager: &mut Pager) -> Result<bool> {
        self.restart(pager);
        Ok(pager.page_count() > 0 && self.descend(pager, self.root, true)?)
    }

    /// To the entry after the current one, on a fresh path.
    #[inline]
    pub(crate) fn next(&mut self, pager: &mut Pager) -> Result<bool> {
        match self.state {
            State::On => {}
            State::Gap => {
                self.state = State::On;
                return Ok(true);
            }
            State::Start => return self.first(pager),
            State::End => return Ok(false),
        }
        let Some(step) = self.path.last_mut() else { return Ok(self.leave(false)) };
        step.index += 1;
        if self.on_leaf && step.index < self.cells {
            return self.arrive();
        }
        self.turn(false);
        if self.on_leaf {
            return self.climb_right(pager);
        }
        // From an entry inside an index into the child to its right.
        let child = self.child_here(pager)?;
        self.descend(pager, child, false)
    }

    /// To the entry before the current one, on a fresh path.
    pub(crate) fn prev(&mut self, pager: &mut Pager) -> Result<bool> {
        match self.state {
            State::On | State::Gap => {}
            State::Start => return Ok(false),
            State::End => return self.last(pager),
        }
        let Some(step) = self.path.last_mut() else { return Ok(self.leave(true)) };
        if self.on_leaf && step.index > 0 {
            step.index -= 1;
            return self.arrive();
        }
        self.turn(true);
        self.rightmost = false;
        if !self.on_leaf {
            let child = self.child_here(pager)?;
            return self.descend(pager, child, true);
        }
        loop {
            self.path.pop();
            let Some(step) = self.path.last_mut() else { return Ok(self.leave(true)) };
            if step.index == 0 {
                continue;
            }
            step.index -= 1;
            if self.land_on_interior(pager)? {
                return self.arrive();
            }
            let child = self.child_here(pager)?;
            return self.descend(pager, child, true);
        }
    }

    /// From behind the last cell of a leaf to the next entry.
    pub(crate) fn climb_right(&mut self, pager: &mut Pager) -> Result<bool> {
        self.page = None;
        self.rightmost = false;
        loop {
            self.path.pop();
            let Some(&Step { page: number, index }) = self.path.last() else {
                return Ok(self.leave(false));
            };
            let usable = pager.usable();
            if index >= Node::parse(pager.page(number)?, number, usable)?.cells {
                continue;
            }
            if self.land_on_interior(pager)? {
                return self.arrive();
            }
            if let Some(step) = self.path.last_mut() {
                step.index += 1;
            }
            let child = self.child_here(pager)?;
            return self.descend(pager, child, false);
        }
    }

    /// Makes the last page of the path the current one, if its cells are entries.
    fn land_on_interior(&mut self, pager: &mut Pager) -> Result<bool> {
        let (number, usable) = (self.here().page, pager.usable());
        let page = pager.page(number)?;
        let node = Node::parse(page, number, usable)?;
        if node.kind.is_table() {
            return Ok(false);
        }
        self.cells = node.cells;
        self.on_leaf = false;
        self.page = Some(node.keep(page));
        Ok(true)
    }

    fn child_here(&self, pager: &mut Pager) -> Result<u32> {
        let (step, usable) = (self.here(), pager.usable());
        let node = Node::parse(pager.page(step.page)?, step.page, usable)?;
        node.child(step.index.min(node.cells))
    }

    /// Reads the cell that the path ends at.
    #[inline]
    pub(crate) fn arrive(&mut self) -> Result<bool> {
        let index = self.here().index;
        let Some(page) = &self.page else { return Ok(self.leave(false)) };
        self.cell = page.node().cell(index)?;
        self.assembled = false;
        self.state = State::On;
        Ok(true)
    }

    /// Leaves the tree at its start or its end.
    fn leave(&mut self, at_start: bool) -> bool {
        self.state = if at_start { State::Start } else { State::End };
        false
    }

    /// The cursor is about to leave its page. Should the step fail, it has none, and its key must
    /// be looked up again.
    fn turn(&mut self, backward: bool) {
        self.page = None;
        if self.backward != backward {
            self.backward = backward;
            self.hops = 0;
        }
    }

    /// Makes [`Cursor::record`] whole.
    #[inline]
    pub(crate) fn fetch(&mut self, pager: &mut Pager) -> Result<()> {
        if self.cell.overflow == 0 || self.assembled {
            return Ok(());
        }
        let Some(page) = &self.page else { return Ok(()) };
        self.buffer.clear();
        self.buffer.extend_from_slice(&page.bytes()[self.cell.local.clone()]);
        overflow::read_chain(pager, self.here().page, &self.cell, &mut self.buffer)?;
        self.assembled = true;
        Ok(())
    }

    /// The record of the current entry; only its beginning, if it overflows and was not fetched.
    #[inline]
    pub(crate) fn record(&self) -> &[u8] {
        match &self.page {
            _ if self.assembled => &self.buffer,
            Some(page) => page.bytes().get(self.cell.local.clone()).unwrap_or_default(),
            None => &[],
        }
    }

    /// The record of the current entry, taken away: the cursor will look it up again.
    pub(crate) fn take_record(&mut self) -> Vec<u8> {
        if self.assembled {
            return std::mem::take(&mut self.buffer);
        }
        self.record().to_vec()
    }

    /// Remembers the record of an entry whose page is not held.
    pub(crate) fn keep_record(&mut self, record: &[u8]) {
        self.page = None;
        self.buffer.clear();
        self.buffer.extend_from_slice(record);
        self.assembled = true;
    }
}
