//! Overflow pages: the rest of a payload that is too long for its page (day 0).
//!
//! ```text
//!   leaf cell                page 12                    page 15
//!   +------------------+     +-------------+------+     +-------------+------------+
//!   | ... start | 0c   | --> | 00 00 00 0f | more | --> | 00 00 00 00 | end | junk |
//!   +------------------+     +-------------+------+     +-------------+------------+
//!        first page u32        next u32, usable - 4        0: the last
//! ```
//!
//! The length is in the cell; the chain alone does not say where the payload ends. That also bounds
//! every walk along a chain that a broken file made into a circle.

use super::super::error::{Error, Result};
use super::super::header::{field, set_field};
use super::super::page::Cell;
use super::super::pager::Pager;

/// Writes `rest` to new pages and returns the first of them.
pub(crate) fn write_chain(pager: &mut Pager, rest: &[u8]) -> Result<u32> {
    let room = pager.usable() - 4;
    let mut pages = Vec::with_capacity(rest.len().div_ceil(room) + 1);
    for _ in rest.chunks(room) {
        pages.push(pager.allocate()?);
    }
    pages.push(0);
    for (chunk, link) in rest.chunks(room).zip(pages.windows(2)) {
        let page = pager.page_mut(link[0])?;
        set_field(page, 0, link[1]);
        page[4..4 + chunk.len()].copy_from_slice(chunk);
    }
    Ok(pages[0])
}

/// Appends the overflowing part of a cell's payload to `out`.
pub(crate) fn read_chain(
    pager: &mut Pager,
    number: u32,
    cell: &Cell,
    out: &mut Vec<u8>,
) -> Result<()> {
    let mut missing = overflow_len(pager, number, cell)?;
    out.reserve(missing);
    let room = pager.usable() - 4;
    let mut next = cell.overflow;
    while missing > 0 {
        let len = missing.min(room);
        let page = pager.follow(next, number)?;
        out.extend_from_slice(&page[4..4 + len]);
        missing -= len;
        next = field(page, 0);
    }
    Ok(())
}

/// Puts the overflow pages of a cell on the freelist.
pub(crate) fn free_chain(pager: &mut Pager, number: u32, cell: &Cell) -> Result<()> {
    let pages = overflow_len(pager, number, cell)?.div_ceil(pager.usable() - 4);
    let mut next = cell.overflow;
    for _ in 0..pages {
        let this = next;
        next = field(pager.follow(this, number)?, 0);
        pager.free(this)?;
    }
    Ok(())
}

/// A payload longer than the file is a lie, and nothing is allocated for it.
fn overflow_len(pager: &Pager, number: u32, cell: &Cell) -> Result<usize> {
    let rest = cell.payload_len - cell.local.len();
    let pages = u32::try_from(rest.div_ceil(pager.usable() - 4)).unwrap_or(u32::MAX);
    if pages > pager.page_count() {
        return Err(Error::corrupt(number, "a payload longer than the file"));
    }
    Ok(rest)
}
