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
//! A record of 1000 bytes on pages of 512 leaves 39 on its leaf ([`local_len`](super::super::page::local_len)), 508 on the
//! first overflow page and 453 on the second:
//!
//! ```text
//!   leaf, 466   87 68 01        1000 bytes of payload, row id 1
//!         469   03 8f 57 ..     the record's first 39 bytes
//!         508   00 00 00 04     it goes on at page 4
//!   page 4, 0   00 00 00 05     then comes page 5
//!           4   ..              508 bytes
//!   page 5, 0   00 00 00 00     the last one
//!           4   ..              453 bytes, and the rest means nothing
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

#[cfg(test)]
mod tests {
    use super::super::super::vfs::MemoryVfs;
    use super::super::super::{Options, Pager, ValueRef, record};
    use super::super::{TableCursor, TreeKind, create_tree};
    use super::*;

    #[test]
    fn the_chain_of_the_chapter() {
        let options = Options { page_size: 512, ..Options::default() };
        let mut pager = Pager::open(Box::new(MemoryVfs::default()), "d", options).unwrap();
        pager.begin_write().unwrap();
        let root = create_tree(&mut pager, TreeKind::Table).unwrap();
        // Page 3 is taken, so that the chain begins at 4.
        create_tree(&mut pager, TreeKind::Table).unwrap();
        let text: Vec<u8> = (0..997).map(|i| b'a' + u8::try_from(i % 26).unwrap()).collect();
        let mut whole = Vec::new();
        record::encode([ValueRef::Text(&text)].into_iter(), &mut whole);
        assert_eq!((whole.len(), &whole[..3]), (1000, &b"\x03\x8f\x57"[..]));
        let mut cursor = TableCursor::new(root);
        cursor.insert(&mut pager, 1, &whole).unwrap();

        let leaf = pager.page(root).unwrap();
        assert_eq!(leaf[466..469], [0x87, 0x68, 1]);
        assert_eq!(leaf[469..508], whole[..39]);
        assert_eq!(leaf[508..], [0, 0, 0, 4]);
        assert_eq!(pager.page(4).unwrap()[..4], [0, 0, 0, 5]);
        assert_eq!(pager.page(4).unwrap()[4..], whole[39..547]);
        assert_eq!(pager.page(5).unwrap()[..4], [0; 4]);
        assert_eq!(pager.page(5).unwrap()[4..457], whole[547..]);
        cursor.seek(&mut pager, 1).unwrap();
        assert_eq!(cursor.record(), &whole[..39]);
        cursor.fetch(&mut pager).unwrap();
        assert_eq!(cursor.record(), whole);
        cursor.delete(&mut pager).unwrap();
        assert_eq!(field(pager.page(1).unwrap(), 36), 2, "both are free again");
    }
}
