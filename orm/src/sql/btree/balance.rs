//! Balancing: what happens when a page overflows or becomes too empty (day 0).
//!
//! The unit of work is a *window*: the page and its neighbours under the same parent, three at most.
//! All their cells are put in one row, together with the parent's cells between them, and dealt out
//! again to as many pages as they need. Here a leaf `b` overflows that holds at most four entries:
//!
//! ```text
//!   before             [ 20 | 40 | > ]                    the row, for an index:
//!                     /      |       \                    11 12 |20| 21 22 23 24 25 |40| 41 42 43
//!            a:11 12   b:21 22 23 24 25   c:41 42 43
//!                                                         four to a page, then evened out from the right:
//!   after             [ 22 | 40 | > ]                     11 12 20 21 |22| 23 24 25 |40| 41 42 43
//!                     /      |      \
//!          a:11 12 20 21  b:23 24 25  c:41 42 43
//! ```
//!
//! In an index an entry that falls between two pages moves up into the parent, and the one that was
//! there comes down. A table keeps all its rows in the leaves: its parent gets a copy of the row id of
//! the last row to the left. The parent now has more cells or fewer; it may overflow or
//! be too empty itself, and the same is done one level up. At the top:
//!
//! ```text
//!   the root overflows:   its cells move into one new child, and the child is balanced (deeper)
//!   the root has no cell: its only child's cells move into it, and the child is freed (shallower)
//! ```
//!
//! **Appending.** Rows mostly come in the order of their ids. Halving the last page each time would
//! leave every page half full. So when the new cell is the last of the whole tree, the window is
//! that page alone and nothing is evened out: the full page stays, the new cell begins the next one.
//! SQLite calls it a quick balance, and has it for tables; here it serves indexes too.
//!
//! SQLite also tries to give the pages of a window rising numbers, for the sake of reading ahead.

use super::super::error::{Error, Result};
use super::super::header::set_field;
use super::super::page::{self, CELL_BYTES_MIN, Node, PageKind};
use super::super::pager::Pager;
use super::super::varint;
use super::{DEPTH_MAX, Step};
use std::ops::Range;
use std::sync::Arc;

/// The cells that a page should have, where they do not fit into it.
#[derive(Debug, Default)]
pub(crate) struct Overfull {
    cells: Cells,
    right_child: u32,
}

/// Cells one after another, copied out of their pages.
#[derive(Debug, Default)]
struct Cells {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Cells {
    fn push(&mut self, parts: &[&[u8]]) {
        for part in parts {
            self.bytes.extend_from_slice(part);
        }
        self.ends.push(self.bytes.len());
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    fn range(&self, i: usize) -> Range<usize> {
        (if i == 0 { 0 } else { self.ends[i - 1] })..self.ends[i]
    }

    fn get(&self, i: usize) -> &[u8] {
        &self.bytes[self.range(i)]
    }

    /// What cell `i` takes on a page, its pointer included.
    fn room(&self, i: usize) -> usize {
        self.range(i).len().max(CELL_BYTES_MIN) + 2
    }

    /// The cells `range` of a page, with room for as many bytes as it has, taken once.
    fn extend(&mut self, node: &Node<'_>, range: Range<usize>) -> Result<()> {
        self.bytes.reserve(node.page_bytes());
        self.ends.reserve(range.len());
        for i in range {
            self.bytes.extend_from_slice(node.cell_bytes(i)?);
            self.ends.push(self.bytes.len());
        }
        Ok(())
    }

    fn append(&mut self, other: &Cells) {
        let moved = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes);
        self.ends.extend(other.ends.iter().map(|end| moved + end));
    }
}

impl Overfull {
    /// The cells of a page with another one before its cell `step.index`.
    pub(crate) fn with(pager: &mut Pager, step: Step, cell: &[u8]) -> Result<Overfull> {
        let bytes = Arc::clone(pager.page(step.page)?);
        let node = Node::parse(&bytes, step.page, pager.usable())?;
        let mut over = Overfull::default();
        over.cells.extend(&node, 0..step.index)?;
        over.cells.push(&[cell]);
        over.cells.extend(&node, step.index..node.cells)?;
        if !node.kind.is_leaf() {
            over.right_child = node.child(node.cells)?;
        }
        Ok(over)
    }
}

/// Balances the page at `level` of a path, which should hold `over` if that is given, and then the
/// pages above it as far as needed. The path is not to be used afterwards.
pub(crate) fn balance(
    pager: &mut Pager,
    path: &mut Vec<Step>,
    mut level: usize,
    mut over: Option<Overfull>,
    append: bool,
) -> Result<()> {
    loop {
        if level == 0 {
            if over.is_none() {
                return shrink_root(pager, path[0].page);
            }
            grow_root(pager, path)?;
            level = 1;
        }
        if over.is_none() && !is_too_empty(pager, path[level].page)? {
            return Ok(());
        }
        over = spread(pager, path, level, over, append)?;
        level -= 1;
    }
}

/// Whether more than two thirds of a page are free.
fn is_too_empty(pager: &mut Pager, number: u32) -> Result<bool> {
    let usable = pager.usable();
    let node = Node::parse(pager.page(number)?, number, usable)?;
    Ok(node.free_bytes()? * 3 > usable * 2 || node.cells == 0)
}

/// Puts a new page between the root and what is to be its content.
fn grow_root(pager: &mut Pager, path: &mut Vec<Step>) -> Result<()> {
    let (root, usable) = (path[0].page, pager.usable());
    if path.len() == DEPTH_MAX {
        return Err(Error::corrupt(root, "a tree deeper than any real one"));
    }
    let child = pager.allocate()?;
    let kind = Node::parse(pager.page(root)?, root, usable)?.kind;
    page::build(pager.page_mut(child)?, child, usable, kind, [].into_iter(), 0);
    page::build(pager.page_mut(root)?, root, usable, kind.parent(), [].into_iter(), child);
    path[0].page = child;
    path.insert(0, Step { page: root, index: 0 });
    Ok(())
}

/// A root without cells takes over its only child's.
fn shrink_root(pager: &mut Pager, root: u32) -> Result<()> {
    let usable = pager.usable();
    let node = Node::parse(pager.page(root)?, root, usable)?;
    if node.kind.is_leaf() || node.cells > 0 {
        return Ok(());
    }
    let child = node.child(0)?;
    if child == root {
        return Err(Error::corrupt(root, "the pages of a tree form a cycle"));
    }
    let bytes = Arc::clone(pager.page(child)?);
    let node = Node::parse(&bytes, child, usable)?;
    let mut cells = Cells::default();
    cells.extend(&node, 0..node.cells)?;
    let right_child = if node.kind.is_leaf() { 0 } else { node.child(node.cells)? };
    let all = 0..cells.len();
    let room = usable - page::header_at(root) - node.kind.header_len();
    if all.clone().map(|i| cells.room(i)).sum::<usize>() > room {
        // Page 1 has 100 bytes less than its child. It stays as it is, a root with one child.
        return Ok(());
    }
    let kind = node.kind;
    page::build(pager.page_mut(root)?, root, usable, kind, all.map(|i| cells.get(i)), right_child);
    pager.free(child)
}

/// Deals out the cells of a window of siblings anew. The parent's cells, if they do not fit into it.
fn spread(
    pager: &mut Pager,
    path: &[Step],
    level: usize,
    over: Option<Overfull>,
    append: bool,
) -> Result<Option<Overfull>> {
    let usable = pager.usable();
    let Step { page: parent, index } = path[level - 1];
    let bytes = Arc::clone(pager.page(parent)?);
    let node = Node::parse(&bytes, parent, usable)?;
    let children = node.cells + 1;
    let window = match append {
        true => index..index + 1,
        false => {
            let start = index.saturating_sub(1).min(children.saturating_sub(3));
            start..(start + 3).min(children)
        }
    };
    if index >= children {
        return Err(Error::corrupt(parent, "fewer cells than a moment ago"));
    }
    let mut pages = Vec::with_capacity(window.len() + 2);
    for i in window.clone() {
        let page = node.child(i)?;
        // A page that is its own sibling or ancestor would be overwritten while it is read.
        if page < 2
            || page > pager.page_count()
            || pages.contains(&page)
            || path[..level].iter().any(|step| step.page == page)
        {
            return Err(Error::corrupt(parent, "a child that is in the tree twice"));
        }
        pages.push(page);
    }
    let kind = Node::parse(pager.page(pages[0])?, pages[0], usable)?.kind;
    if kind.parent() != node.kind {
        return Err(Error::corrupt(pages[0], "a page of another kind than its parent"));
    }
    let row = gather(pager, kind, (&bytes, &node), &window, &pages, (path[level].page, over))?;
    let parts = deal(&row.cells, kind, usable - kind.header_len(), !append)
        .ok_or_else(|| Error::corrupt(parent, "cells that fit on no page"))?;

    let surplus = pages.split_off(parts.len().min(pages.len()));
    while pages.len() < parts.len() {
        pages.push(pager.allocate()?);
    }
    let dividers = write_pages(pager, kind, &row, &parts, &pages)?;
    for page in surplus {
        pager.free(page)?;
    }
    replace_dividers(pager, parent, &bytes, &window, &pages, &dividers)
}

/// All cells of the window in one row, those of the parent between them included.
fn gather(
    pager: &mut Pager,
    kind: PageKind,
    (parent_bytes, parent): (&[u8], &Node<'_>),
    window: &Range<usize>,
    pages: &[u32],
    (over_page, mut over): (u32, Option<Overfull>),
) -> Result<Overfull> {
    let mut row = Overfull::default();
    for (i, &number) in pages.iter().enumerate() {
        if i > 0 && kind != PageKind::TableLeaf {
            let divider = &parent_bytes[parent.cell(window.start + i - 1)?.exact];
            if kind.is_leaf() {
                row.cells.push(&[&divider[4..]]);
            } else {
                // What was the last child to its left is now the child of the divider itself.
                row.cells.push(&[&row.right_child.to_be_bytes(), &divider[4..]]);
            }
        }
        if let Some(over) = over.take_if(|_| number == over_page) {
            row.cells.append(&over.cells);
            row.right_child = over.right_child;
            continue;
        }
        let bytes = Arc::clone(pager.page(number)?);
        let node = Node::parse(&bytes, number, pager.usable())?;
        if node.kind != kind {
            return Err(Error::corrupt(number, "a page of another kind than its sibling"));
        }
        row.cells.extend(&node, 0..node.cells)?;
        if !kind.is_leaf() {
            row.right_child = node.child(node.cells)?;
        }
    }
    Ok(row)
}

/// Which cells go to which page, `room` bytes each. Between two pages of an index, or of
/// interior pages, one cell is left out: it goes up. `None` when there is no way.
fn deal(cells: &Cells, kind: PageKind, room: usize, even: bool) -> Option<Vec<Range<usize>>> {
    // The left page keeps its last row where a table's leaves are divided.
    let gap = usize::from(kind != PageKind::TableLeaf);
    let mut parts: Vec<(Range<usize>, usize)> = vec![(0..0, 0)];
    for i in 0..cells.len() {
        let (part, used) = parts.last_mut()?;
        if *used + cells.room(i) <= room {
            part.end = i + 1;
            *used += cells.room(i);
        } else if gap == 1 {
            parts.push((i + 1..i + 1, 0));
        } else {
            parts.push((i..i + 1, cells.room(i)));
        }
    }
    // From the right: cells move over as long as that page stays the smaller one.
    for right in (1..parts.len()).rev() {
        loop {
            let ((from, left_used), (to, right_used)) = (&parts[right - 1], &parts[right]);
            let (Some(last), Some(coming)) = (from.end.checked_sub(1), to.start.checked_sub(1))
            else {
                break;
            };
            let (left_after, right_after) =
                (left_used - cells.room(last), right_used + cells.room(coming));
            let wanted = to.is_empty() || (even && right_after <= left_after);
            if from.len() < 2 || !wanted || right_after > room {
                break;
            }
            (parts[right - 1].0.end, parts[right - 1].1) = (last, left_after);
            (parts[right].0.start, parts[right].1) = (coming, right_after);
        }
    }
    let possible = parts.iter().all(|(part, used)| *used <= room && !part.is_empty());
    let single = parts.len() == 1;
    (possible || single).then(|| parts.into_iter().map(|(part, _)| part).collect())
}

/// Fills the pages; the cells that belong between them, for the parent, without their child.
fn write_pages(
    pager: &mut Pager,
    kind: PageKind,
    row: &Overfull,
    parts: &[Range<usize>],
    pages: &[u32],
) -> Result<Cells> {
    let usable = pager.usable();
    let mut dividers = Cells::default();
    for (i, (part, &number)) in parts.iter().zip(pages).enumerate() {
        let is_last = i + 1 == parts.len();
        let mut right_child = row.right_child;
        if !is_last && kind == PageKind::TableLeaf {
            // payload length, row id, payload: the row id of the last row stays on its page.
            let last = row.cells.get(part.end - 1);
            let start = varint::read(last).map_or(0, |(_, len)| len);
            let len = last.get(start..).and_then(varint::read).map_or(0, |(_, len)| len);
            dividers.push(&[&last[start..start + len]]);
        } else if !is_last {
            let up = row.cells.get(part.end);
            if kind.is_leaf() {
                dividers.push(&[up]);
            } else {
                right_child = u32::from_be_bytes([up[0], up[1], up[2], up[3]]);
                dividers.push(&[&up[4..]]);
            }
        }
        let cells = part.clone().map(|i| row.cells.get(i));
        page::build(pager.page_mut(number)?, number, usable, kind, cells, right_child);
    }
    Ok(dividers)
}

/// Gives the parent the new pages in place of the old window.
fn replace_dividers(
    pager: &mut Pager,
    parent: u32,
    old: &[u8],
    window: &Range<usize>,
    pages: &[u32],
    dividers: &Cells,
) -> Result<Option<Overfull>> {
    let usable = pager.usable();
    let node = Node::parse(old, parent, usable)?;
    let mut new = Overfull { right_child: node.child(node.cells)?, ..Overfull::default() };
    new.cells.extend(&node, 0..window.start)?;
    for (i, page) in pages.iter().enumerate().take(dividers.len()) {
        new.cells.push(&[&page.to_be_bytes(), dividers.get(i)]);
    }
    // The cell behind the window, or the parent's right child, points to the window's last page.
    let last = pages.last().copied().unwrap_or(0);
    let behind = new.cells.bytes.len();
    new.cells.extend(&node, window.end - 1..node.cells)?;
    if window.end <= node.cells {
        set_field(&mut new.cells.bytes, behind, last);
    } else {
        new.right_child = last;
    }
    let room = usable - page::header_at(parent) - node.kind.header_len();
    if (0..new.cells.len()).map(|i| new.cells.room(i)).sum::<usize>() > room {
        return Ok(Some(new));
    }
    let cells = (0..new.cells.len()).map(|i| new.cells.get(i));
    page::build(pager.page_mut(parent)?, parent, usable, node.kind, cells, new.right_child);
    Ok(None)
}
