//! Changing a b-tree page: build it, put a cell in, take one out (day 0).
//!
//! **Holes.** When a cell goes, it leaves a hole. SQLite chains the holes (freeblocks) and fills them
//! again. We move the cells together at once, so that the pages we write have neither freeblocks nor
//! fragments, and the free space is always one gap:
//!
//! ```text
//!   before            | header | p0 p1 p2 |     gap      | cell 2 | cell 1 | cell 0 |
//!   remove cell 1     | header | p0 p2 |         gap              | cell 2 | cell 0 |
//! ```
//!
//! A delete costs one `memmove` within the page and a walk over its pointers, some 100 ns; in return
//! there is no search for a hole that fits, and no fragmentation. A page that SQLite left with holes is
//! compacted when we first write it.

use super::super::error::{Error, Result};
use super::super::header::set_field;
use super::{CELL_BYTES_MIN, Node, PageKind, content_start, header_at, u16_at};
use std::ops::Range;

/// Fills a page: header, pointers, and the cells packed against its end, in their order.
///
/// The caller has made sure that they fit. On page 1 the file's header is left alone.
pub(crate) fn build<'c>(
    page: &mut [u8],
    number: u32,
    usable: usize,
    kind: PageKind,
    cells: impl Iterator<Item = &'c [u8]>,
    right_child: u32,
) {
    let at = header_at(number);
    let pointers = at + kind.header_len();
    let (mut count, mut content) = (0, usable);
    for cell in cells {
        content -= cell.len().max(CELL_BYTES_MIN);
        page[content..content + cell.len()].copy_from_slice(cell);
        put_u16(page, pointers + 2 * count, content);
        count += 1;
    }
    page[at] = kind.byte();
    put_u16(page, at + 1, 0);
    put_u16(page, at + 3, count);
    put_u16(page, at + 5, content);
    page[at + 7] = 0;
    if !kind.is_leaf() {
        set_field(page, at + 8, right_child);
    }
}

/// Inserts a cell before cell `i`; false, and nothing done, when the gap is too small for it.
///
/// # Errors
/// [`Error::Corrupt`] from a page whose cells cannot be moved together.
pub(crate) fn insert_cell(
    page: &mut [u8],
    number: u32,
    usable: usize,
    i: usize,
    cell: &[u8],
) -> Result<bool> {
    compact(page, number, usable)?;
    let node = Node::parse(page, number, usable)?;
    let (at, cells, pointers) = (header_at(number), node.cells, node.pointers);
    let content = content_start(page, at);
    let pointers_end = pointers + 2 * cells;
    if i > cells || content < pointers_end || content > usable {
        return Err(Error::corrupt(number, "the cell area begins inside the cell pointers"));
    }
    let len = cell.len().max(CELL_BYTES_MIN);
    if content - pointers_end < len + 2 {
        return Ok(false);
    }
    let start = content - len;
    page[start..start + cell.len()].copy_from_slice(cell);
    page.copy_within(pointers + 2 * i..pointers_end, pointers + 2 * i + 2);
    put_u16(page, pointers + 2 * i, start);
    put_u16(page, at + 3, cells + 1);
    put_u16(page, at + 5, start);
    Ok(true)
}

/// Removes cell `i` and closes its hole.
///
/// # Errors
/// [`Error::Corrupt`] from a page whose cells overlap or reach beyond it.
pub(crate) fn remove_cell(page: &mut [u8], number: u32, usable: usize, i: usize) -> Result<()> {
    compact(page, number, usable)?;
    let node = Node::parse(page, number, usable)?;
    let hole = node.cell(i)?.range;
    let (at, cells, pointers) = (header_at(number), node.cells, node.pointers);
    let content = content_start(page, at);
    if content > hole.start {
        return Err(Error::corrupt(number, "a cell before the cell area"));
    }
    page.copy_within(content..hole.start, content + hole.len());
    page.copy_within(pointers + 2 * i + 2..pointers + 2 * cells, pointers + 2 * i);
    // A page has at most 65536 bytes, and a cell begins before its last.
    let [first, by] = [hole.start, hole.len()].map(|n| u16::from_be_bytes(low_u16(n)));
    for pointer in page[pointers..pointers + 2 * (cells - 1)].chunks_exact_mut(2) {
        let start = u16::from_be_bytes([pointer[0], pointer[1]]);
        // Without a branch, which would be mispredicted half the time.
        let moved = if start < first { by } else { 0 };
        pointer.copy_from_slice(&start.wrapping_add(moved).to_be_bytes());
    }
    put_u16(page, at + 3, cells - 1);
    put_u16(page, at + 5, content + hole.len());
    Ok(())
}

/// Moves the cells together if the page has holes.
fn compact(page: &mut [u8], number: u32, usable: usize) -> Result<()> {
    let at = header_at(number);
    if u16_at(page, at + 1) == 0 && page[at + 7] == 0 {
        return Ok(());
    }
    let old = page.to_vec();
    let node = Node::parse(&old, number, usable)?;
    let mut ranges = Vec::with_capacity(node.cells);
    for i in 0..node.cells {
        ranges.push(node.cell(i)?.range);
    }
    let total: usize = ranges.iter().map(Range::len).sum();
    if node.pointers + 2 * node.cells + total > usable {
        return Err(Error::corrupt(number, "cells overlap"));
    }
    let right_child = if node.kind.is_leaf() { 0 } else { node.child(node.cells)? };
    let cells = ranges.into_iter().map(|range| &old[range]);
    build(page, number, usable, node.kind, cells, right_child);
    Ok(())
}

fn put_u16(page: &mut [u8], at: usize, value: usize) {
    page[at..at + 2].copy_from_slice(&low_u16(value));
}

/// 65536, the start of the cells of an empty page of that size, becomes the 0 that stands for it.
fn low_u16(value: usize) -> [u8; 2] {
    let bytes = value.to_be_bytes();
    [bytes[bytes.len() - 2], bytes[bytes.len() - 1]]
}

#[cfg(test)]
mod tests {
    use super::*;

    const USABLE: usize = 512;

    fn leaf(cells: &[&[u8]]) -> Vec<u8> {
        let mut page = vec![0; USABLE];
        build(&mut page, 2, USABLE, PageKind::TableLeaf, cells.iter().copied(), 0);
        page
    }

    fn rowids(page: &[u8]) -> Vec<i64> {
        let node = Node::parse(page, 2, USABLE).unwrap();
        (0..node.cells).map(|i| node.rowid(i).unwrap()).collect()
    }

    /// payload of `len` bytes under `rowid`, both below 128.
    fn cell(rowid: u8, len: u8) -> Vec<u8> {
        [&[len, rowid][..], &vec![rowid; usize::from(len)]].concat()
    }

    #[test]
    fn cells_go_in_and_out_and_leave_no_holes() {
        let mut page = leaf(&[]);
        for rowid in [5, 1, 9, 3, 7] {
            let at = rowids(&page).partition_point(|&id| id < i64::from(rowid));
            assert!(insert_cell(&mut page, 2, USABLE, at, &cell(rowid, rowid * 3)).unwrap());
        }
        assert_eq!(rowids(&page), [1, 3, 5, 7, 9]);
        remove_cell(&mut page, 2, USABLE, 2).unwrap();
        remove_cell(&mut page, 2, USABLE, 0).unwrap();
        assert_eq!(rowids(&page), [3, 7, 9]);
        let node = Node::parse(&page, 2, USABLE).unwrap();
        assert_eq!(node.free_bytes().unwrap(), USABLE - 8 - 3 * 2 - (3 + 7 + 9) * 3 - 3 * 2);
        for (i, rowid) in [3_u8, 7, 9].into_iter().enumerate() {
            assert_eq!(page[node.cell(i).unwrap().range], cell(rowid, rowid * 3));
        }
        assert!(!insert_cell(&mut page, 2, USABLE, 3, &[1; 450]).unwrap(), "too long");
    }

    #[test]
    fn a_page_with_a_freeblock_is_compacted_before_it_is_written() {
        let mut page = leaf(&[&cell(1, 10), &cell(2, 10), &cell(3, 10)]);
        // What SQLite does to delete row 2: its 12 bytes become a freeblock.
        page.copy_within(12..14, 10);
        page[3..5].copy_from_slice(&[0, 2]);
        let hole = USABLE - 24;
        page[1..3].copy_from_slice(&low_u16(hole));
        page[hole..hole + 4].copy_from_slice(&[0, 0, 0, 12]);
        let free = Node::parse(&page, 2, USABLE).unwrap().free_bytes().unwrap();
        assert_eq!(free, USABLE - 8 - 2 * 2 - 2 * 12);
        assert!(insert_cell(&mut page, 2, USABLE, 1, &cell(2, 4)).unwrap());
        assert_eq!(rowids(&page), [1, 2, 3]);
        assert_eq!(page[1..3], [0, 0]);
    }
}
