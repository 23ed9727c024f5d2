//! B-trees: tables and indexes, each a tree of pages known by its root (day 0).
//!
//! A **table** is a tree of rows by row id. All rows are in the leaves; an interior cell is a child and
//! the largest row id below it. An **index** is a tree of records (the indexed columns, then the row
//! id), and its interior cells are entries too, which the leaves do not repeat:
//!
//! ```text
//!   table                                     index
//!            [ 3 | 7 | > ]                            [ fig | pear | > ]
//!           /    |     \                             /      |       \
//!     [1 2 3] [5 6 7] [8 9]                 [apple date] [kiwi lime] [plum]
//! ```
//!
//! Every path from the root to a leaf has the same length, and every page but the root is at least
//! a third full. With 100 keys on a page, three steps reach a million rows.
//!
//! ```text
//!   seek     binary search in each page on the way down           cursor, table, index
//!   insert   into the leaf; if it overflows, balance              write
//!   delete   out of the leaf; if it is too empty, balance         write
//!   balance  spread the cells of up to three siblings evenly over as many pages as they need; the
//!            parent gets or loses a cell, and may have to be balanced itself
//! ```
//!
//! The root page never moves, because the catalog knows a tree by it: where the root overflows,
//! its content moves into a new child and the tree is one level deeper.
//!
//! [`TableCursor`] and [`IndexCursor`] are the doors; this file has what concerns a whole tree.
//!
//! Reference: <https://sqlite.org/fileformat2.html>, section 1.6; Comer, "The Ubiquitous B-Tree" (1979).

pub mod balance;
pub mod cursor;
pub mod index;
pub mod overflow;
pub mod table;
pub mod write;

pub use index::{Bias, IndexCursor};
pub use table::TableCursor;

use super::error::{Error, Result};
use super::page::{self, Node, PageKind};
use super::pager::Pager;
use std::sync::Arc;

/// The deepest path that is followed: deeper than any real tree, so that a cycle ends here.
pub(crate) const DEPTH_MAX: usize = 20;

/// What a tree holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeKind {
    /// Rows by row id.
    Table,
    /// Records in their order.
    Index,
}

/// A page on the way from the root, and the cell or child that was taken there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) page: u32,
    pub(crate) index: usize,
}

/// Makes an empty tree; its root page is its name.
///
/// # Errors
/// [`Error::Misuse`] outside a write transaction; [`Error::Full`], [`Error::Io`].
pub fn create_tree(pager: &mut Pager, kind: TreeKind) -> Result<u32> {
    if !pager.in_write() {
        return Err(Error::Misuse("a write outside a transaction"));
    }
    let root = pager.allocate()?;
    let kind = match kind {
        TreeKind::Table => PageKind::TableLeaf,
        TreeKind::Index => PageKind::IndexLeaf,
    };
    let usable = pager.usable();
    page::build(pager.page_mut(root)?, root, usable, kind, [].into_iter(), 0);
    pager.tree_changed(root);
    Ok(root)
}

/// Frees all pages of a tree, the root included.
///
/// # Errors
/// As [`clear_tree`].
pub fn drop_tree(pager: &mut Pager, root: u32) -> Result<()> {
    clear_tree(pager, root)?;
    pager.free(root)
}

/// Removes all entries of a tree; its root page stays, as an empty leaf.
///
/// # Errors
/// [`Error::Corrupt`] for a tree that is none; [`Error::Misuse`], [`Error::Full`], [`Error::Io`].
pub fn clear_tree(pager: &mut Pager, root: u32) -> Result<()> {
    let usable = pager.usable();
    let kind = Node::parse(pager.page(root)?, root, usable)?.kind;
    let mut pages = Vec::new();
    walk(pager, root, &mut |pager, node| {
        if node.kind != PageKind::TableInterior {
            for i in 0..node.cells {
                let cell = node.cell(i)?;
                if cell.overflow != 0 {
                    overflow::free_chain(pager, node.number, &cell)?;
                }
            }
        }
        if node.number != root {
            pages.push(node.number);
        }
        Ok(())
    })?;
    for number in pages {
        pager.free(number)?;
    }
    let leaf = if kind.is_table() { PageKind::TableLeaf } else { PageKind::IndexLeaf };
    page::build(pager.page_mut(root)?, root, usable, leaf, [].into_iter(), 0);
    pager.tree_changed(root);
    Ok(())
}

/// How many entries a tree has: the cells of its leaves (and of an index's interior), not looked at.
///
/// # Errors
/// [`Error::Corrupt`] for a tree that is none; [`Error::Io`].
pub fn count(pager: &mut Pager, root: u32) -> Result<u64> {
    let mut entries = 0;
    walk(pager, root, &mut |_, node| {
        if node.kind != PageKind::TableInterior {
            entries += node.cells as u64;
        }
        Ok(())
    })?;
    Ok(entries)
}

/// Visits every page of a tree, parents first.
fn walk(
    pager: &mut Pager,
    root: u32,
    visit: &mut dyn FnMut(&mut Pager, &Node<'_>) -> Result<()>,
) -> Result<()> {
    let mut waiting = vec![(root, root, 0)];
    let mut visited = 0;
    while let Some((number, from, depth)) = waiting.pop() {
        visited += 1;
        if depth == DEPTH_MAX || visited > pager.page_count() {
            return Err(Error::corrupt(number, "the pages of a tree form a cycle"));
        }
        let bytes = Arc::clone(pager.follow(number, from)?);
        let node = Node::parse(&bytes, number, pager.usable())?;
        visit(pager, &node)?;
        if !node.kind.is_leaf() {
            for i in (0..=node.cells).rev() {
                waiting.push((node.child(i)?, number, depth + 1));
            }
        }
    }
    Ok(())
}
