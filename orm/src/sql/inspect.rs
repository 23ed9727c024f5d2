//! What each byte of a page means: the shell's `.page N` (day 0).
//!
//! [`annotate_page`] takes a page apart with the parsers that the engine itself uses, and names each
//! range of bytes. The first bytes of a table's only page, in a file where `sqlite3` said
//! `CREATE TABLE t(a, b); INSERT INTO t VALUES(7, 'Tom')`:
//!
//! ```text
//!    0..1     0d        page type         leaf of a table
//!    1..3     00 00     first freeblock   none
//!    3..5     00 01     cells             1
//!    5..7     0f f7     cell area         starts at 4087
//!    7..8     00        fragments         0 bytes
//!    8..10    0f f7     pointer 0         cell at 4087
//!   10..4087  ..        free              4077 bytes
//! 4087..4088  07        payload length    7 bytes
//! 4088..4089  01        row id            1
//! 4089..4090  03        record header     3 bytes
//! 4090..4091  01        type of column 0  integer of 8 bits
//! 4091..4092  13        type of column 1  text of 3 bytes
//! 4092..4093  07        column 0          7
//! 4093..4096  54 6f 6d  column 1          'Tom'
//! ```
//!
//! Nothing in a page says that it is an overflow page or on the freelist; the freelist is followed
//! to find out, and what is neither that nor a b-tree page is taken for an overflow page.

pub mod live;

use super::error::Result;
use super::freelist::lock_page;
use super::header::{HEADER_BYTES, field};
use super::journal::{MAGIC, SECTOR_BYTES, checksum};
use super::page::{self, Cell, Node, PageKind, u16_at};
use super::pager::Pager;
use super::value::ValueRef;
use super::{record, varint};
use std::ops::Range;
use std::sync::Arc;

/// Some bytes with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Where they are.
    pub range: Range<usize>,
    /// What they are called.
    pub name: String,
    /// What they say here.
    pub meaning: String,
}

/// The parts of page `number`, in their order.
///
/// # Errors
/// [`Error::Corrupt`](super::Error::Corrupt) when there is no such page, `Io`; a page that contradicts the format is
/// described as far as it makes sense.
pub fn annotate_page(pager: &mut Pager, number: u32) -> Result<Vec<Part>> {
    let bytes = Arc::clone(pager.page(number)?);
    let usable = pager.usable();
    let mut parts = Parts::default();
    if number == 1 {
        parts.file_header(&bytes);
    }
    match Node::parse(&bytes, number, usable) {
        _ if number == lock_page(pager.page_size()) => {
            parts.add(0..usable, "lock page", "never used: SQLite takes its locks here");
        }
        Ok(node) => parts.tree_page(&bytes, &node, usable),
        Err(_) => match place_on_freelist(pager, number)? {
            Some(true) => parts.trunk(&bytes, usable),
            Some(false) => parts.add(0..usable, "free page", "what it holds means nothing"),
            None => {
                parts.add(
                    0..4,
                    "next page",
                    match field(&bytes, 0) {
                        0 => "none: the chain, or its payload, ends here".to_owned(),
                        next => format!("page {next}"),
                    },
                );
                parts.add(4..usable, "overflow", "the rest of a payload, or a page that is broken");
            }
        },
    }
    if usable < bytes.len() {
        parts.add(usable..bytes.len(), "reserved", "left to an extension");
    }
    parts.0.sort_by_key(|part| (part.range.start, part.range.end));
    Ok(parts.0)
}

/// The parts of a journal file, also of one that is being written ([`live`]).
#[must_use]
pub fn annotate_journal(bytes: &[u8]) -> Vec<Part> {
    let mut parts = Parts::default();
    let mut at = 0;
    while let Some(head) = bytes.get(at..at + 28) {
        let hot = head[..8] == MAGIC;
        let zeros = head[..8] == [0; 8];
        let page_size = field(head, 24) as usize;
        if !(hot || zeros) || !page_size.is_power_of_two() || page_size > 65_536 {
            break;
        }
        let magic = if hot { "to be played back" } else { "zeros: not to be played back" };
        parts.add(at..at + 8, "magic", magic);
        let names = ["records", "nonce", "original pages", "sector size", "page size"];
        for (i, name) in names.into_iter().enumerate() {
            let start = at + 8 + 4 * i;
            parts.add(start..start + 4, name, field(bytes, start).to_string());
        }
        let end = bytes.len().min(at + SECTOR_BYTES);
        parts.add(at + 28..end, "padding", "up to the sector size");
        at += SECTOR_BYTES;
        // Before the magic comes the number is not written either; the rest is records, then.
        let records = if hot { field(head, 8) } else { u32::MAX };
        for _ in 0..records {
            let Some(record) = bytes.get(at..at + page_size + 8) else {
                parts.add(at..bytes.len(), "cut short", "no whole record");
                return parts.0;
            };
            let sum = field(record, page_size + 4);
            let right = sum == checksum(field(head, 12), &record[4..4 + page_size]);
            parts.add(at..at + 4, "page number", field(record, 0).to_string());
            parts.add(at + 4..at + 4 + page_size, "original", "the page before the transaction");
            let meaning = if right { "right" } else { "wrong: playing back stops here" };
            parts.add(at + 4 + page_size..at + 8 + page_size, "checksum", meaning);
            at += page_size + 8;
        }
        at = at.next_multiple_of(SECTOR_BYTES);
    }
    parts.0
}

/// Whether a page is a trunk (`true`) or a leaf (`false`) of the freelist.
fn place_on_freelist(pager: &mut Pager, number: u32) -> Result<Option<bool>> {
    let mut trunk = field(pager.page(1)?, 32);
    let leaves_max = pager.usable() / 4 - 2;
    for _ in 0..pager.page_count() {
        if trunk == 0 || trunk > pager.page_count() {
            break;
        }
        if trunk == number {
            return Ok(Some(true));
        }
        let bytes = pager.page(trunk)?;
        let leaves = (field(bytes, 4) as usize).min(leaves_max);
        if (0..leaves).any(|i| field(bytes, 8 + 4 * i) == number) {
            return Ok(Some(false));
        }
        trunk = field(bytes, 0);
    }
    Ok(None)
}

#[derive(Default)]
struct Parts(Vec<Part>);

impl Parts {
    fn add(&mut self, range: Range<usize>, name: impl Into<String>, meaning: impl Into<String>) {
        if !range.is_empty() {
            self.0.push(Part { range, name: name.into(), meaning: meaning.into() });
        }
    }

    fn file_header(&mut self, bytes: &[u8]) {
        self.add(0..16, "magic", "\"SQLite format 3\" and a zero byte");
        let size = match u16_at(bytes, 16) {
            1 => 65_536,
            size => size,
        };
        self.add(16..18, "page size", size.to_string());
        self.add(18..20, "versions", format!("write {}, read {}", bytes[18], bytes[19]));
        self.add(20..21, "reserved bytes", bytes[20].to_string());
        self.add(21..24, "fractions", format!("{}, {}, {}", bytes[21], bytes[22], bytes[23]));
        const NUMBERS: [(usize, &str); 14] = [
            (24, "change counter"),
            (28, "page count"),
            (32, "first freelist page"),
            (36, "freelist pages"),
            (40, "schema cookie"),
            (44, "schema format"),
            (48, "cache size"),
            (52, "auto-vacuum root"),
            (56, "text encoding"),
            (60, "user version"),
            (64, "incremental vacuum"),
            (68, "application id"),
            (92, "version valid for"),
            (96, "library version"),
        ];
        for (at, name) in NUMBERS {
            self.add(at..at + 4, name, field(bytes, at).to_string());
        }
        self.add(72..92, "unused", "zeros");
        debug_assert!(bytes.len() > HEADER_BYTES);
    }

    fn trunk(&mut self, bytes: &[u8], usable: usize) {
        let leaves = (field(bytes, 4) as usize).min(usable / 4 - 2);
        self.add(
            0..4,
            "next trunk",
            match field(bytes, 0) {
                0 => "none".to_owned(),
                next => format!("page {next}"),
            },
        );
        self.add(4..8, "free pages", format!("{} are listed here", field(bytes, 4)));
        for i in 0..leaves {
            let at = 8 + 4 * i;
            self.add(at..at + 4, format!("free page {i}"), format!("page {}", field(bytes, at)));
        }
        self.add(8 + 4 * leaves..usable, "free", "room for more");
    }

    fn tree_page(&mut self, bytes: &[u8], node: &Node<'_>, usable: usize) {
        let at = page::header_at(node.number);
        self.add(
            at..at + 1,
            "page type",
            match node.kind {
                PageKind::TableLeaf => "leaf of a table",
                PageKind::TableInterior => "interior page of a table",
                PageKind::IndexLeaf => "leaf of an index",
                PageKind::IndexInterior => "interior page of an index",
            },
        );
        self.add(
            at + 1..at + 3,
            "first freeblock",
            match u16_at(bytes, at + 1) {
                0 => "none".to_owned(),
                block => format!("at {block}"),
            },
        );
        self.add(at + 3..at + 5, "cells", node.cells.to_string());
        let content = page::content_start(bytes, at);
        self.add(at + 5..at + 7, "cell area", format!("starts at {content}"));
        self.add(at + 7..at + 8, "fragments", format!("{} bytes", bytes[at + 7]));
        let pointers = at + node.kind.header_len();
        if !node.kind.is_leaf() {
            self.add(at + 8..at + 12, "right child", format!("page {}", field(bytes, at + 8)));
        }
        for i in 0..node.cells {
            let place = pointers + 2 * i;
            let meaning = format!("cell at {}", u16_at(bytes, place));
            self.add(place..place + 2, format!("pointer {i}"), meaning);
            match node.cell(i) {
                Ok(cell) => self.cell(bytes, node.kind, &cell),
                Err(_) => self.add(place..place + 2, "broken", "no cell can be there"),
            }
        }
        let gap = pointers + 2 * node.cells..content.min(usable);
        let len = gap.len();
        self.add(gap, "free", format!("{len} bytes"));
        if node.free_bytes().is_ok() {
            let mut block = u16_at(bytes, at + 1);
            while block != 0 {
                let len = u16_at(bytes, block + 2);
                self.add(block..block + len, "freeblock", format!("{len} bytes"));
                block = u16_at(bytes, block);
            }
        }
    }

    fn cell(&mut self, bytes: &[u8], kind: PageKind, cell: &Cell) {
        let mut at = cell.range.start;
        if !kind.is_leaf() {
            self.add(at..at + 4, "left child", format!("page {}", cell.left_child));
            at += 4;
        }
        if kind != PageKind::TableInterior {
            let len = varint::read(&bytes[at..]).map_or(0, |(_, len)| len);
            self.add(at..at + len, "payload length", format!("{} bytes", cell.payload_len));
            at += len;
        }
        if kind.is_table() {
            let len = varint::read(&bytes[at..]).map_or(0, |(_, len)| len);
            self.add(at..at + len, "row id", cell.rowid.to_string());
        }
        if kind != PageKind::TableInterior {
            self.record(bytes, cell.local.clone());
        }
        if cell.overflow != 0 {
            let meaning = format!("goes on at page {}", cell.overflow);
            self.add(cell.local.end..cell.local.end + 4, "overflow", meaning);
        }
        self.add(cell.exact.end..cell.range.end, "padding", "to 4 bytes");
    }

    /// The record of which a part is at `local`; what does not reach that far is left out.
    fn record(&mut self, bytes: &[u8], local: Range<usize>) {
        let Some((header_len, mut at)) = varint::read(&bytes[local.clone()]) else { return };
        let header_len = usize::try_from(header_len).unwrap_or(usize::MAX);
        let meaning = format!("{header_len} bytes");
        self.add(local.start..local.start + at, "record header", meaning);
        let Some(header) = bytes[local.clone()].get(..header_len) else { return };
        let mut body = local.start + header_len;
        let mut column = 0;
        while let Some((serial, len)) = header.get(at..).and_then(varint::read) {
            let Some(size) = record::serial_len(serial) else { return };
            let start = local.start + at;
            self.add(start..start + len, format!("type of column {column}"), type_name(serial));
            let end = body.saturating_add(size).min(local.end);
            let value = record::value_at(&bytes[..local.end], serial, body).map(describe);
            let meaning = value.unwrap_or_else(|| "goes on in the overflow pages".to_owned());
            self.add(body.min(end)..end, format!("column {column}"), meaning);
            (body, at, column) = (body.saturating_add(size), at + len, column + 1);
        }
    }
}

fn type_name(serial: u64) -> String {
    match serial {
        0 => "NULL".to_owned(),
        1..=6 => format!("integer of {} bits", 8 * record::serial_len(serial).unwrap_or(0)),
        7 => "real".to_owned(),
        8 | 9 => format!("the integer {}", serial - 8),
        blob if blob.is_multiple_of(2) => format!("blob of {} bytes", (blob - 12) / 2),
        text => format!("text of {} bytes", (text - 13) / 2),
    }
}

fn describe(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(n) => n.to_string(),
        ValueRef::Real(r) => format!("{r:?}"),
        ValueRef::Text(text) => format!("'{}'", String::from_utf8_lossy(text).escape_debug()),
        ValueRef::Blob(bytes) => format!("{} bytes", bytes.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::btree::{TableCursor, TreeKind, create_tree};
    use super::super::journal::Journal;
    use super::super::vfs::MemoryVfs;
    use super::*;

    #[test]
    fn the_page_of_the_chapter() {
        let mut pager = Pager::memory().unwrap();
        pager.begin_write().unwrap();
        let root = create_tree(&mut pager, TreeKind::Table).unwrap();
        TableCursor::new(root).insert(&mut pager, 1, b"\x03\x01\x13\x07Tom").unwrap();
        let parts = annotate_page(&mut pager, root).unwrap();
        let lines: Vec<String> = parts
            .iter()
            .map(|p| format!("{}..{} {}: {}", p.range.start, p.range.end, p.name, p.meaning))
            .collect();
        assert_eq!(
            lines,
            [
                "0..1 page type: leaf of a table",
                "1..3 first freeblock: none",
                "3..5 cells: 1",
                "5..7 cell area: starts at 4087",
                "7..8 fragments: 0 bytes",
                "8..10 pointer 0: cell at 4087",
                "10..4087 free: 4077 bytes",
                "4087..4088 payload length: 7 bytes",
                "4088..4089 row id: 1",
                "4089..4090 record header: 3 bytes",
                "4090..4091 type of column 0: integer of 8 bits",
                "4091..4092 type of column 1: text of 3 bytes",
                "4092..4093 column 0: 7",
                "4093..4096 column 1: 'Tom'",
            ]
        );
    }

    #[test]
    fn the_parts_of_a_page_cover_it_without_overlap() {
        let mut pager = Pager::memory().unwrap();
        pager.begin_write().unwrap();
        let root = create_tree(&mut pager, TreeKind::Table).unwrap();
        let mut cursor = TableCursor::new(root);
        let mut record = Vec::new();
        for rowid in 1..400 {
            let values = [ValueRef::Integer(rowid), ValueRef::Blob(&[1; 5000])];
            let few = if rowid % 50 == 0 { 2 } else { 1 };
            record::encode(values[..few].iter().copied(), &mut record);
            cursor.insert(&mut pager, rowid, &record).unwrap();
        }
        for rowid in 100..300 {
            assert!(cursor.seek(&mut pager, rowid).unwrap());
            cursor.delete(&mut pager).unwrap();
        }
        for number in 1..=pager.page_count() {
            let mut end = 0;
            for part in annotate_page(&mut pager, number).unwrap() {
                assert_eq!(part.range.start, end, "page {number}: {part:?}");
                end = part.range.end;
            }
            assert_eq!(end, 4096, "page {number}");
        }
    }

    #[test]
    fn a_journal_is_covered_too() {
        let vfs = MemoryVfs::default();
        let mut journal = Journal::new("d", 2, 512, 7);
        journal.append(&vfs, 2, &[1; 512]).unwrap();
        journal.make_hot(&vfs, true).unwrap();
        let bytes = vfs.get("d-journal").unwrap();
        let parts = annotate_journal(&bytes);
        assert_eq!(parts.first().unwrap().meaning, "to be played back");
        assert_eq!(parts.last().unwrap().meaning, "right");
        let mut end = 0;
        for part in &parts {
            assert_eq!(part.range.start, end, "{part:?}");
            end = part.range.end;
        }
        assert_eq!(end, bytes.len());
    }
}
