//! B-tree pages: a header, pointers from the left, cells from the right (day 0).
//!
//! A page of a b-tree holds entries, called *cells*, of different lengths. The cells lie at the end
//! of the page in any order; what is sorted is an array of two-byte offsets after the page's
//! header. Inserting an entry in the middle moves offsets, never cells:
//!
//! ```text
//!   0        8                                                            usable size
//!   +--------+----+----+----+----- - - - - ---+--------+-----------+--------+----------+
//!   | header | p0 | p1 | p2 |      gap        | cell 1 |  cell 0   | cell 2 | reserved |
//!   +--------+----+----+----+----- - - - - ---+--------+-----------+--------+----------+
//!              |    |    |                    ^        ^           ^
//!              |    +-------------------------+        |           |    (p1 points to cell 1)
//!              +---------------------------------------+           |
//!                        +-----------------------------------------+
//! ```
//!
//! The header has 8 bytes on a leaf and 12 on an interior page. On page 1 it comes after the file's
//! header, at 100, while all offsets still count from the start of the page:
//!
//! ```text
//!   0  1  0d leaf of a table   05 interior of a table   0a leaf of an index   02 interior of an index
//!   1  2  first freeblock, 0 if none: a chain of holes (next u16, size u16) that deleted cells left
//!   3  2  number of cells
//!   5  2  start of the cells (0 for 65536)
//!   7  1  fragments: bytes in holes too small (1 to 3) to be freeblocks
//!   8  4  interior pages: the rightmost child
//! ```
//!
//! The four kinds of cell:
//!
//! ```text
//!   table leaf       payload length v | row id v | payload | [first overflow page u32]
//!   table interior   left child u32   | row id v                (all rows there are <= this id)
//!   index leaf       payload length v | payload  | [first overflow page u32]
//!   index interior   left child u32   | payload length v | payload | [first overflow page u32]
//! ```
//!
//! A payload that is too long for its page keeps its beginning there and goes on in a chain of
//! overflow pages; [`local_len`] is the format's formula for how much stays, made so that at least
//! four cells fit on every index page.
//!
//! A leaf of 512 bytes with two rows of one column each, 1 under row id 1 and 42 under row id 7:
//!
//! ```text
//!     0  0d              leaf of a table
//!     1  00 00           no freeblock
//!     3  00 02           two cells
//!     5  01 f7           which start at 503
//!     7  00              no fragments
//!     8  01 fc 01 f7     cell 0 is at 508, cell 1 at 503
//!    12  00 ..           the gap
//!   503  03 07 02 01 2a  cell 1: 3 bytes of payload, row id 7, record 02 01 2a
//!   508  02 01 02 09     cell 0: 2 bytes of payload, row id 1, record 02 09
//! ```
//!
//! Reference: <https://sqlite.org/fileformat2.html>, section 1.6.

pub mod edit;

use super::error::{Error, Result};
use super::varint;
pub(crate) use edit::{build, insert_cell, remove_cell};
use std::ops::{Deref, Range};
use std::sync::Arc;

/// The least room that a cell takes.
pub(crate) const CELL_BYTES_MIN: usize = 4;

/// Which of the four kinds a b-tree page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageKind {
    /// 05: row ids and children.
    TableInterior,
    /// 0d: rows.
    TableLeaf,
    /// 02: entries and children.
    IndexInterior,
    /// 0a: entries.
    IndexLeaf,
}

impl PageKind {
    /// The kind of a page's first header byte.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<PageKind> {
        match byte {
            2 => Some(PageKind::IndexInterior),
            5 => Some(PageKind::TableInterior),
            10 => Some(PageKind::IndexLeaf),
            13 => Some(PageKind::TableLeaf),
            _ => None,
        }
    }

    /// The byte that stands for it.
    #[must_use]
    pub fn byte(self) -> u8 {
        match self {
            PageKind::IndexInterior => 2,
            PageKind::TableInterior => 5,
            PageKind::IndexLeaf => 10,
            PageKind::TableLeaf => 13,
        }
    }

    /// Whether it has no children.
    #[must_use]
    pub fn is_leaf(self) -> bool {
        matches!(self, PageKind::TableLeaf | PageKind::IndexLeaf)
    }

    /// Whether it belongs to a table.
    #[must_use]
    pub fn is_table(self) -> bool {
        matches!(self, PageKind::TableLeaf | PageKind::TableInterior)
    }

    /// The kind of the pages above this one.
    pub(crate) fn parent(self) -> PageKind {
        if self.is_table() { PageKind::TableInterior } else { PageKind::IndexInterior }
    }

    /// The length of the page's header.
    #[must_use]
    pub fn header_len(self) -> usize {
        if self.is_leaf() { 8 } else { 12 }
    }
}

/// Where the header of page `number` starts.
#[must_use]
pub fn header_at(number: u32) -> usize {
    if number == 1 { super::header::HEADER_BYTES } else { 0 }
}

/// A little less than what stays on the page in any case, and no division to find it.
#[inline]
fn short_len(usable: usize) -> usize {
    usable / 4 - 32
}

/// How many bytes of a payload stay on a page of `usable` bytes.
#[inline]
#[must_use]
pub fn local_len(kind: PageKind, usable: usize, payload_len: usize) -> usize {
    if payload_len <= short_len(usable) {
        return payload_len;
    }
    let max = if kind.is_table() { usable - 35 } else { (usable - 12) * 64 / 255 - 23 };
    if payload_len <= max {
        return payload_len;
    }
    let min = (usable - 12) * 32 / 255 - 23;
    let fits_the_last_overflow_page = min + (payload_len - min) % (usable - 4);
    if fits_the_last_overflow_page <= max { fits_the_last_overflow_page } else { min }
}

/// What the header of a b-tree page says.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    /// The page's number.
    pub number: u32,
    /// Its kind.
    pub kind: PageKind,
    /// How many cells it has.
    pub cells: usize,
    usable: usize,
    pointers: usize,
}

/// A b-tree page, read in place.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    head: Head,
    bytes: &'a [u8],
}

/// A page that is kept with what its header says, so that the way from one cell to the next does not
/// begin there each time. Nobody changes these bytes: who writes the page makes others.
#[derive(Debug)]
pub(crate) struct KeptPage {
    head: Head,
    bytes: Arc<[u8]>,
}

/// A cell taken apart. Fields that its kind does not have are 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// The child with smaller keys.
    pub left_child: u32,
    /// The row id.
    pub rowid: i64,
    /// The length of the whole payload.
    pub payload_len: usize,
    /// The part of the payload that is on this page.
    pub local: Range<usize>,
    /// The first overflow page, or 0.
    pub overflow: u32,
    /// All bytes of the cell on this page. A leaf cell of less than 4 bytes is padded to 4, so
    /// that its hole could be a freeblock.
    pub range: Range<usize>,
    /// The same without that padding.
    pub exact: Range<usize>,
}

impl Deref for Node<'_> {
    type Target = Head;

    #[inline]
    fn deref(&self) -> &Head {
        &self.head
    }
}

impl KeptPage {
    /// The page, read in place.
    #[inline]
    pub(crate) fn node(&self) -> Node<'_> {
        Node { head: self.head, bytes: &self.bytes }
    }

    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl<'a> Node<'a> {
    /// Reads the header of page `number`; `usable` is the page size without the reserved bytes.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when it is no b-tree page or announces more cells than fit.
    #[inline]
    pub fn parse(bytes: &'a [u8], number: u32, usable: usize) -> Result<Node<'a>> {
        let at = header_at(number);
        let kind = PageKind::from_byte(bytes[at])
            .ok_or_else(|| Error::corrupt(number, "not a b-tree page"))?;
        let cells = u16_at(bytes, at + 3);
        let pointers = at + kind.header_len();
        if pointers + 2 * cells > usable {
            return Err(Error::corrupt(number, "more cells than the page can hold"));
        }
        Ok(Node { head: Head { number, kind, cells, usable, pointers }, bytes })
    }

    /// The same page, kept.
    pub(crate) fn keep(&self, page: &Arc<[u8]>) -> KeptPage {
        KeptPage { head: self.head, bytes: Arc::clone(page) }
    }

    /// The offset of cell `i`.
    #[inline]
    pub(crate) fn cell_at(&self, i: usize) -> Result<usize> {
        if i >= self.cells {
            // A freelist that lists a page of this tree lets the page change under a cursor.
            return Err(Error::corrupt(self.number, "fewer cells than a moment ago"));
        }
        let at = u16_at(self.bytes, self.pointers + 2 * i);
        // Every cell has at least 4 bytes.
        if at < self.pointers + 2 * self.cells || at + 4 > self.usable {
            return Err(Error::corrupt(self.number, "a cell pointer outside the cell area"));
        }
        Ok(at)
    }

    /// Child `i`, from 0 to `cells` inclusive; the last is the rightmost.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for a cell pointer outside the cell area.
    #[inline]
    pub fn child(&self, i: usize) -> Result<u32> {
        let at = if i < self.cells { self.cell_at(i)? } else { self.pointers - 4 };
        Ok(super::header::field(self.bytes, at))
    }

    /// The row id of cell `i` of a table page.
    #[inline]
    pub(crate) fn rowid(&self, i: usize) -> Result<i64> {
        let at = self.cell_at(i)?;
        self.rowid_at(at).ok_or_else(|| self.cut_short())
    }

    /// The row id of the cell at an offset; `None` when it reaches beyond the page.
    #[inline]
    fn rowid_at(&self, at: usize) -> Option<i64> {
        let cell = self.bytes.get(at..self.usable)?;
        let skip = match self.kind {
            PageKind::TableInterior => 4,
            _ => varint::read(cell)?.1,
        };
        varint::read(cell.get(skip..)?).map(|(id, _)| id.cast_signed())
    }

    /// Cell `i`.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when it reaches beyond the page.
    #[inline]
    pub fn cell(&self, i: usize) -> Result<Cell> {
        self.cell_from(self.cell_at(i)?).ok_or_else(|| self.cut_short())
    }

    /// The bytes of cell `i` on this page, as they would be copied to another.
    pub(crate) fn cell_bytes(&self, i: usize) -> Result<&'a [u8]> {
        let cell = self.cell_from(self.cell_at(i)?).ok_or_else(|| self.cut_short())?;
        Ok(&self.bytes[cell.exact])
    }

    /// As many bytes as all cells together could have.
    pub(crate) fn page_bytes(&self) -> usize {
        self.usable
    }

    /// The payload of cell `i`, if all of it is on this page; perhaps `None` also for one that nearly
    /// overflows. A search compares with this: it is quicker than taking the cell apart.
    #[inline]
    pub(crate) fn short_payload(&self, i: usize) -> Result<Option<&'a [u8]>> {
        let start = self.cell_at(i)? + if self.kind.is_leaf() { 0 } else { 4 };
        let rest = self.bytes.get(start..self.usable).unwrap_or_default();
        let (len, at) = match *rest {
            [len @ ..0x80, ..] => (usize::from(len), 1),
            _ => match varint::read(rest) {
                Some((len, at)) => (usize::try_from(len).unwrap_or(usize::MAX), at),
                None => return Err(self.cut_short()),
            },
        };
        if len > short_len(self.usable) {
            return Ok(None);
        }
        rest.get(at..at + len).map(Some).ok_or_else(|| self.cut_short())
    }

    /// The cell at an offset; `None` when it reaches beyond the page. Inlined, it computes no more of
    /// a cell than is used.
    #[inline(always)]
    fn cell_from(&self, start: usize) -> Option<Cell> {
        let bytes = self.bytes.get(..self.usable)?;
        let mut at = start;
        let mut left_child = 0;
        if !self.kind.is_leaf() {
            left_child = super::header::field(bytes, at);
            at += 4;
        }
        let mut payload_len = 0;
        if self.kind != PageKind::TableInterior {
            let (len, bytes_read) = varint::read(bytes.get(at..)?)?;
            payload_len = usize::try_from(len).ok()?;
            at += bytes_read;
        }
        let mut rowid = 0;
        if self.kind.is_table() {
            let (id, bytes_read) = varint::read(bytes.get(at..)?)?;
            rowid = id.cast_signed();
            at += bytes_read;
        }
        let local_end = at + local_len(self.kind, self.usable, payload_len);
        let (mut end, mut overflow) = (local_end, 0);
        if local_end - at < payload_len {
            overflow = u32::from_be_bytes(*bytes.get(local_end..)?.first_chunk()?);
            end += 4;
        }
        let range = start..end.max(start + CELL_BYTES_MIN);
        (range.end <= self.usable).then_some(Cell {
            left_child,
            rowid,
            payload_len,
            local: at..local_end,
            overflow,
            range,
            exact: start..end,
        })
    }

    /// The bytes of the gap, of all freeblocks and of all fragments together.
    pub(crate) fn free_bytes(&self) -> Result<usize> {
        let at = header_at(self.number);
        let content = content_start(self.bytes, at);
        let gap = content.checked_sub(self.pointers + 2 * self.cells);
        let mut free = gap.ok_or_else(|| {
            Error::corrupt(self.number, "the cell area begins inside the cell pointers")
        })?;
        free += usize::from(self.bytes[at + 7]);
        let mut block = u16_at(self.bytes, at + 1);
        while block != 0 {
            if block < content || block + 4 > self.usable {
                return Err(Error::corrupt(self.number, "a freeblock outside the cell area"));
            }
            free += u16_at(self.bytes, block + 2);
            let next = u16_at(self.bytes, block);
            // The chain rises, so a cycle cannot pass here.
            if next != 0 && next <= block {
                return Err(Error::corrupt(self.number, "freeblocks out of order"));
            }
            block = next;
        }
        if free > self.usable {
            return Err(Error::corrupt(self.number, "more free bytes than the page has"));
        }
        Ok(free)
    }

    #[cold]
    fn cut_short(&self) -> Error {
        Error::corrupt(self.number, "a cell reaches beyond the page")
    }
}

/// The start of the cells; the 0 that stands for 65536 is resolved.
pub(crate) fn content_start(page: &[u8], header: usize) -> usize {
    match u16_at(page, header + 5) {
        0 => 65_536,
        start => start,
    }
}

#[inline]
pub(crate) fn u16_at(page: &[u8], at: usize) -> usize {
    usize::from(u16::from_be_bytes([page[at], page[at + 1]]))
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

    /// payload of `len` bytes under `rowid`, both below 128.
    fn cell(rowid: u8, len: u8) -> Vec<u8> {
        [&[len, rowid][..], &vec![rowid; usize::from(len)]].concat()
    }

    #[test]
    fn the_page_of_two_cells() {
        let page = leaf(&[&[2, 1, 2, 9], &[3, 7, 2, 1, 42]]);
        assert_eq!(page[..12], [0x0d, 0, 0, 0, 2, 0x01, 0xf7, 0, 0x01, 0xfc, 0x01, 0xf7]);
        assert!(page[12..503].iter().all(|&byte| byte == 0));
        assert_eq!(page[503..], [3, 7, 2, 1, 42, 2, 1, 2, 9]);
        let node = Node::parse(&page, 2, USABLE).unwrap();
        let want = Cell {
            left_child: 0,
            rowid: 7,
            payload_len: 3,
            local: 0x1f9..0x1fc,
            overflow: 0,
            range: 0x1f7..0x1fc,
            exact: 0x1f7..0x1fc,
        };
        assert_eq!(node.cell(1).unwrap(), want);
        assert_eq!(node.free_bytes().unwrap(), 0x1f7 - 12);
    }

    #[test]
    fn how_much_of_a_payload_stays_local() {
        // Of 4096 usable bytes: a row up to 4061 stays whole, an index entry up to 1002.
        assert_eq!(local_len(PageKind::TableLeaf, 4096, 4061), 4061);
        assert_eq!(local_len(PageKind::TableLeaf, 4096, 4062), 489);
        assert_eq!(local_len(PageKind::TableLeaf, 4096, 4581), 489);
        assert_eq!(local_len(PageKind::TableLeaf, 4096, 4600), 508);
        assert_eq!(local_len(PageKind::IndexLeaf, 4096, 1002), 1002);
        assert_eq!(local_len(PageKind::IndexLeaf, 4096, 1003), 489);
    }

    #[test]
    fn lies_in_the_header_are_errors() {
        let mut page = leaf(&[&cell(1, 10)]);
        page[4] = 255;
        assert!(Node::parse(&page, 2, USABLE).is_err());
        page[4] = 1;
        page[8..10].copy_from_slice(&[0x01, 0xfe]);
        let node = Node::parse(&page, 2, USABLE).unwrap();
        assert_eq!(
            node.cell(0).unwrap_err().to_string(),
            "database disk image is malformed: page 2: a cell pointer outside the cell area"
        );
        page[0] = 7;
        assert!(Node::parse(&page, 2, USABLE).is_err());
    }
}
