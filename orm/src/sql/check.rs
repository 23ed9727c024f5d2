//! `PRAGMA integrity_check`: does every byte of the file make sense (day 0)?
//!
//! First the structure, in this file: each page of the file belongs to exactly one thing (a tree, an
//! overflow chain, the freelist, the lock page, or an auto-vacuum file's maps), each byte of a b-tree
//! page to exactly one cell, freeblock or fragment, all leaves of a tree are equally deep, and row ids
//! rise. Then the content, in [`rows`]: every row has its entry in every index of its table, no index
//! has more entries than there are rows, unique entries are unique, and NOT NULL columns are not NULL.
//!
//! The texts are those of sqlite3 3.40, all structural ones in a single first row:
//!
//! ```text
//!   *** in database main ***
//!   On tree page 3 cell 1: 2nd reference to page 5
//!   Page 7 is never used
//! ```
//!
//! Whoever calls it knows the tables and indexes and says what they are ([`CheckTable`]); the
//! catalog itself, page 1, is always checked.
//!
//! A check reads a file that may be broken in any way. So it never follows a page twice,
//! which bounds every walk, and it never trusts a length.

pub mod rows;

use super::btree::DEPTH_MAX;
use super::error::{Error, Result};
use super::freelist::lock_page;
use super::header::field;
use super::page::{self, Cell, Node, PageKind};
use super::pager::Pager;
use super::record::KeyInfo;
use super::value::Value;
use std::ops::Range;
use std::sync::Arc;

/// A table, as the catalog knows it.
#[derive(Clone, Debug, Default)]
pub struct CheckTable {
    /// Its name.
    pub name: String,
    /// Its root page.
    pub root: u32,
    /// Its columns.
    pub columns: Vec<CheckColumn>,
    /// Which column stands for the row id, if one does.
    pub rowid_alias: Option<usize>,
    /// Its indexes.
    pub indexes: Vec<CheckIndex>,
}

/// A column of a [`CheckTable`].
#[derive(Clone, Debug, Default)]
pub struct CheckColumn {
    /// Its name.
    pub name: String,
    /// Whether it may not be NULL.
    pub not_null: bool,
    /// What a row that is older than the column has there.
    pub default: Value,
}

/// An index of a [`CheckTable`].
#[derive(Clone, Debug, Default)]
pub struct CheckIndex {
    /// Its name.
    pub name: String,
    /// Its root page.
    pub root: u32,
    /// The order of its entries.
    pub info: Arc<KeyInfo>,
    /// The table's columns that it holds, `None` for the row id. Where this is empty, as
    /// for an index on expressions, only the structure is checked.
    pub columns: Vec<Option<usize>>,
    /// Whether no two entries may be equal, row id apart, unless a column is NULL.
    pub unique: bool,
}

/// Checks the whole database; what it found, `limit` messages at most, or the one row `ok`.
///
/// # Errors
/// [`Error::Io`]; what is wrong with the file is not an error but an answer.
pub fn integrity_check(
    pager: &mut Pager,
    tables: &[CheckTable],
    limit: usize,
) -> Result<Vec<String>> {
    let mut check = Check {
        seen: vec![false; pager.page_count() as usize + 1],
        found: Vec::new(),
        limit,
        usable: pager.usable(),
        pager,
        rowid: None,
        leaf_depth: None,
    };
    check.structure(tables)?;
    let mut rows = Vec::new();
    if !check.found.is_empty() {
        rows.push(format!("*** in database main ***\n{}", check.found.join("\n")));
    }
    let left = limit.saturating_sub(check.found.len());
    let mut messages = Vec::new();
    for table in tables {
        match rows::check_rows(pager, table, left, &mut messages) {
            // The structure has been complained about above; its rows cannot be read.
            Err(Error::Corrupt { .. }) if !rows.is_empty() => {}
            Err(error @ Error::Corrupt { .. }) => messages.push(error.to_string()),
            other => other?,
        }
    }
    rows.extend(messages.into_iter().take(left));
    if rows.is_empty() {
        rows.push("ok".to_owned());
    }
    Ok(rows)
}

struct Check<'p> {
    pager: &'p mut Pager,
    usable: usize,
    /// Which pages something refers to.
    seen: Vec<bool>,
    found: Vec<String>,
    limit: usize,
    /// The row id that follows in the tree being checked.
    rowid: Option<i64>,
    /// How deep its first leaf was.
    leaf_depth: Option<usize>,
}

impl Check<'_> {
    fn structure(&mut self, tables: &[CheckTable]) -> Result<()> {
        if self.pager.page_count() == 0 {
            return Ok(());
        }
        let head = self.pager.page(1)?;
        let (trunk, free) = (field(head, 32), field(head, 36));
        self.freelist(trunk, free)?;
        let indexes = tables.iter().flat_map(|table| &table.indexes).map(|index| index.root);
        for root in [1].into_iter().chain(tables.iter().map(|t| t.root)).chain(indexes) {
            (self.rowid, self.leaf_depth) = (None, None);
            if self.refer(root, "") {
                self.tree(root, 0)?;
            }
        }
        let lock_page = lock_page(self.pager.page_size());
        let auto_vacuum = field(self.pager.page(1)?, 52) != 0;
        for number in 1..=self.pager.page_count() {
            let is_map = auto_vacuum && number == self.pointer_map_of(number, lock_page);
            match self.seen[number as usize] {
                false if number != lock_page && !is_map => {
                    self.say("", &format!("Page {number} is never used"));
                }
                true if is_map => {
                    self.say("", &format!("Pointer map page {number} is referenced"));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The page of an auto-vacuum file that says what points to page `number`: the first of a group of
    /// as many pages as it has room for, five bytes each. What the maps say is not checked; such a
    /// file is only read here.
    fn pointer_map_of(&self, number: u32, lock_page: u32) -> u32 {
        let group = u32::try_from(self.usable / 5).unwrap_or(0) + 1;
        let map = number.saturating_sub(2) / group * group + 2;
        if map == lock_page { map + 1 } else { map }
    }

    fn say(&mut self, prefix: &str, message: &str) {
        if self.found.len() < self.limit {
            self.found.push(format!("{prefix}{message}"));
        }
    }

    /// Notes a reference to a page; false when it must not be followed.
    fn refer(&mut self, number: u32, prefix: &str) -> bool {
        if number == 0 || number > self.pager.page_count() {
            self.say(prefix, &format!("invalid page number {number}"));
            return false;
        }
        if std::mem::replace(&mut self.seen[number as usize], true) {
            self.say(prefix, &format!("2nd reference to page {number}"));
            return false;
        }
        true
    }

    fn freelist(&mut self, mut trunk: u32, expected: u32) -> Result<()> {
        const PREFIX: &str = "Main freelist: ";
        let mut found: u32 = 0;
        while trunk != 0 && self.refer(trunk, PREFIX) {
            let bytes = Arc::clone(self.pager.page(trunk)?);
            found += 1;
            let leaves = field(&bytes, 4) as usize;
            if leaves > self.usable / 4 - 2 {
                self.say(PREFIX, &format!("freelist leaf count too big on page {trunk}"));
                break;
            }
            for i in 0..leaves {
                self.refer(field(&bytes, 8 + 4 * i), PREFIX);
                found = found.saturating_add(1);
            }
            trunk = field(&bytes, 0);
        }
        if found != expected {
            self.say(PREFIX, &format!("size is {found} but should be {expected}"));
        }
        Ok(())
    }

    /// Checks page `number` and what is below it, from the last cell to the first, as SQLite does.
    fn tree(&mut self, number: u32, depth: usize) -> Result<()> {
        let prefix = format!("Page {number}: ");
        let bytes = Arc::clone(self.pager.page(number)?);
        let Ok(node) = Node::parse(&bytes, number, self.usable) else {
            self.say(&prefix, "btreeInitPage() returns error code 11");
            return Ok(());
        };
        if depth == DEPTH_MAX {
            self.say(&prefix, "the tree is deeper than any real one");
            return Ok(());
        }
        // The largest row id of a child may be the one that its parent names.
        let mut may_be_equal = true;
        if !node.kind.is_leaf() {
            let prefix = format!("On page {number} at right child: ");
            self.child(node.child(node.cells)?, node.kind, depth, &prefix)?;
            may_be_equal = false;
        }
        let mut used = Some(Vec::with_capacity(node.cells));
        for i in (0..node.cells).rev() {
            let prefix = format!("On tree page {number} cell {i}: ");
            let cell = match self.cell(&bytes, &node, i) {
                Ok(cell) => cell,
                Err(message) => {
                    self.say(&prefix, &message);
                    used = None;
                    continue;
                }
            };
            used.iter_mut().for_each(|used| used.push(cell.range.clone()));
            if node.kind.is_table() {
                let falls = self
                    .rowid
                    .is_some_and(|next| cell.rowid > next || (cell.rowid == next && !may_be_equal));
                if falls {
                    self.say(&prefix, &format!("Rowid {} out of order", cell.rowid));
                }
                (self.rowid, may_be_equal) = (Some(cell.rowid), false);
            }
            if cell.overflow != 0 {
                self.overflow(cell.overflow, cell.payload_len - cell.local.len(), &prefix)?;
            }
            if !node.kind.is_leaf() {
                self.child(cell.left_child, node.kind, depth, &prefix)?;
            }
        }
        if node.kind.is_leaf() && *self.leaf_depth.get_or_insert(depth) != depth {
            self.say(&prefix, "Child page depth differs");
        }
        if let Some(used) = used {
            self.bytes_of_page(&bytes, &node, used);
        }
        Ok(())
    }

    /// Cell `i`, or what is wrong with its place.
    fn cell(&self, bytes: &[u8], node: &Node<'_>, i: usize) -> std::result::Result<Cell, String> {
        let header = page::header_at(node.number);
        let (first, last) = (page::content_start(bytes, header), self.usable - 4);
        let at = page::u16_at(bytes, header + node.kind.header_len() + 2 * i);
        if !(first..=last).contains(&at) {
            return Err(format!("Offset {at} out of range {first}..{last}"));
        }
        node.cell(i).map_err(|_| "Extends off end of page".to_owned())
    }

    fn child(&mut self, number: u32, parent: PageKind, depth: usize, prefix: &str) -> Result<()> {
        if !self.refer(number, prefix) {
            return Ok(());
        }
        let bytes = Arc::clone(self.pager.page(number)?);
        let kind = Node::parse(&bytes, number, self.usable).map(|node| (node.kind, node.cells));
        if kind.is_ok_and(|(kind, cells)| kind.parent() != parent || cells == 0 && kind.is_leaf()) {
            self.say(prefix, &format!("page {number} does not belong into this tree"));
        }
        self.tree(number, depth + 1)
    }

    fn overflow(&mut self, first: u32, len: usize, prefix: &str) -> Result<()> {
        let expected = len.div_ceil(self.usable - 4);
        let (mut next, mut found) = (first, 0);
        while next != 0 && found < expected && self.refer(next, prefix) {
            found += 1;
            next = field(self.pager.page(next)?, 0);
        }
        if found != expected {
            self.say(prefix, &format!("overflow list length is {found} but should be {expected}"));
        }
        Ok(())
    }

    /// Every byte behind the pointers belongs to one cell or freeblock, but for the fragments.
    fn bytes_of_page(&mut self, bytes: &[u8], node: &Node<'_>, mut used: Vec<Range<usize>>) {
        let prefix = format!("Page {}: ", node.number);
        if node.free_bytes().is_err() {
            return self.say(&prefix, "free space corruption");
        }
        let header = page::header_at(node.number);
        let content = page::content_start(bytes, header);
        // `free_bytes` followed this chain and found it rising.
        let mut block = page::u16_at(bytes, header + 1);
        while block != 0 {
            used.push(block..block + page::u16_at(bytes, block + 2));
            block = page::u16_at(bytes, block);
        }
        used.sort_unstable_by_key(|range| range.start);
        let (mut end, mut unused) = (content, 0);
        for range in used {
            if range.start < end {
                let (at, number) = (range.start, node.number);
                return self.say("", &format!("Multiple uses for byte {at} of page {number}"));
            }
            unused += range.start - end;
            end = range.end;
        }
        unused += self.usable.saturating_sub(end);
        let fragments = usize::from(bytes[header + 7]);
        if unused != fragments {
            let number = node.number;
            let what =
                format!("Fragmentation of {unused} bytes reported as {fragments} on page {number}");
            self.say("", &what);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::btree::{IndexCursor, TableCursor, TreeKind, create_tree};
    use super::super::header::set_field;
    use super::super::record::encode;
    use super::super::value::ValueRef;
    use super::*;

    /// A table of 200 rows with an index on its one column.
    fn database() -> (Pager, CheckTable) {
        let mut pager = Pager::memory().unwrap();
        pager.begin_write().unwrap();
        let root = create_tree(&mut pager, TreeKind::Table).unwrap();
        let index = create_tree(&mut pager, TreeKind::Index).unwrap();
        let info = Arc::new(KeyInfo::default());
        let mut record = Vec::new();
        for rowid in 1..=200 {
            let text = format!("{rowid:040}");
            let values = [ValueRef::Text(text.as_bytes()), ValueRef::Integer(rowid)];
            encode(values[..1].iter().copied(), &mut record);
            TableCursor::new(root).insert(&mut pager, rowid, &record).unwrap();
            encode(values.iter().copied(), &mut record);
            IndexCursor::new(index, Arc::clone(&info)).insert(&mut pager, &record).unwrap();
        }
        let column = CheckColumn { name: "a".into(), not_null: true, ..CheckColumn::default() };
        let indexes = vec![CheckIndex {
            name: "i".into(),
            root: index,
            info,
            columns: vec![Some(0)],
            unique: true,
        }];
        let table = CheckTable {
            name: "t".into(),
            root,
            columns: vec![column],
            indexes,
            rowid_alias: None,
        };
        (pager, table)
    }

    fn after(change: impl Fn(&mut Pager)) -> Vec<String> {
        let (mut pager, table) = database();
        change(&mut pager);
        pager.trees_changed();
        integrity_check(&mut pager, &[table], 100).unwrap()
    }

    #[test]
    fn a_sound_database_is_ok() {
        assert_eq!(after(|_| {}), ["ok"]);
    }

    #[test]
    fn pages_belong_to_one_thing_each() {
        let found = after(|pager| assert!(pager.append_page().is_ok()));
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("*** in database main ***\nPage "), "{found:?}");
        assert!(found[0].ends_with(" is never used"), "{found:?}");
        let found = after(|pager| pager.free(3).unwrap());
        assert!(found[0].contains("2nd reference to page 3"), "{found:?}");
        let found = after(|pager| set_field(pager.page_mut(1).unwrap(), 36, 9));
        assert!(found[0].contains("Main freelist: size is 0 but should be 9"), "{found:?}");
    }

    #[test]
    fn bytes_of_a_page_belong_to_one_thing_each() {
        let found = after(|pager| leaf(pager)[7] = 3);
        assert!(found[0].contains("Fragmentation of 0 bytes reported as 3 on page "), "{found:?}");
        let found = after(|pager| leaf(pager).copy_within(8..10, 10));
        assert!(found[0].contains("Multiple uses for byte "), "{found:?}");
        assert!(found[0].contains("Rowid 1 out of order"), "{found:?}");
        let found = after(|pager| leaf(pager)[0] = 9);
        assert!(found[0].contains("btreeInitPage() returns error code 11"), "{found:?}");
    }

    /// The first leaf of the table.
    fn leaf(pager: &mut Pager) -> &mut [u8] {
        let child = Node::parse(pager.page(2).unwrap(), 2, 4096).unwrap().child(0).unwrap();
        pager.page_mut(child).unwrap()
    }

    #[test]
    fn rows_and_entries_match() {
        let (mut pager, table) = database();
        let mut cursor = TableCursor::new(table.root);
        assert!(cursor.seek(&mut pager, 77).unwrap());
        cursor.delete(&mut pager).unwrap();
        let found = integrity_check(&mut pager, std::slice::from_ref(&table), 100).unwrap();
        assert_eq!(found, ["wrong # of entries in index i"]);
        cursor.insert(&mut pager, 77, b"\x02\x00").unwrap();
        let found = integrity_check(&mut pager, &[table], 100).unwrap();
        assert_eq!(found, ["NULL value in t.a", "row 77 missing from index i"]);
    }
}
