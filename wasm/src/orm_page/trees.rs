//! The trees of a database file as pictures: every page that a table or an index has, and what is
//! on it.
//!
//! ```text
//! column 0             1                   2
//! ┌────────────┐       ┌────────────┐
//! │ 2  3 cells ├───┬───┤ 4  10 rows │                     a page stands in the row of its
//! └────────────┘   │   └────────────┘                     first child, as in the route tree
//!                  │   ┌────────────┐     ┌────────────┐
//!                  ├───┤ 5   9 rows ├─────┤ 9 overflow │
//!                  │   └────────────┘     └────────────┘
//! ```
//! The pages are read with [`Node`], which also reads them for queries; how many are drawn has a
//! limit. A file that somebody has broken may have circles: a page is drawn once.

use std::collections::BTreeSet;

use orm::sql::page::{Node, PageKind};
use orm::sql::{Connection, Result};
use web::json;
use web::json::Json;

use super::script::cut;

/// So many pages of a tree are drawn.
const PAGES_MAX: usize = 80;
/// So many trees are drawn.
const TREES_MAX: usize = 30;
/// So much of the SQL that made a table is shown.
const SQL_CHARS_MAX: usize = 600;

/// A page in the picture.
#[derive(Debug, PartialEq, Eq)]
struct Page {
    number: u32,
    /// What it is: `root`, `interior`, `leaf`, `overflow`.
    kind: &'static str,
    /// What is on it: `12 rows`.
    holds: String,
    /// Where its parent stands in the list; the root's is its own.
    parent: usize,
    column: usize,
    row: usize,
}

/// Every table and index with its SQL and its picture, and the pages that are in no tree.
///
/// # Errors
/// The file cannot be read, or contradicts the format.
pub fn as_json(connection: &Connection, selected: u32) -> Result<Json> {
    let mut objects = vec![("table".to_owned(), "sqlite_schema".to_owned(), 1, String::new())];
    let mut schema = connection.prepare(
        "SELECT type, name, rootpage, coalesce(sql, '') FROM sqlite_schema WHERE rootpage > 0",
    )?;
    let mut rows = schema.query()?;
    let mut more = 0;
    while let Some(row) = rows.next()? {
        if objects.len() == TREES_MAX {
            more += 1;
            continue;
        }
        let root = u32::try_from(row.get::<i64>(2)?).unwrap_or(0);
        objects.push((row.get(0)?, row.get(1)?, root, cut(&row.get::<String>(3)?, SQL_CHARS_MAX)));
    }
    drop(rows);
    let mut drawn = BTreeSet::new();
    let mut whole = more == 0;
    let mut trees = Vec::new();
    for (kind, name, root, sql) in objects {
        let (pages, all) = walk(connection, root, &mut drawn)?;
        whole &= all;
        let picture = draw(&pages, selected);
        trees.push(
            json!({"kind": kind, "name": name, "sql": sql, "picture": picture, "cut": (!all)}),
        );
    }
    let pages = connection.page_count()?;
    let left: Vec<u32> = (1..=pages).filter(|n| whole && !drawn.contains(n)).collect();
    Ok(json!({
        "trees": trees, "more": more, "pages": pages, "free": (left.iter().take(PAGES_MAX).copied().collect::<Vec<u32>>()),
        "free_count": (left.len()),
    }))
}

/// The pages of the tree at `root`, parents before children, and whether these are all.
fn walk(
    connection: &Connection,
    root: u32,
    drawn: &mut BTreeSet<u32>,
) -> Result<(Vec<Page>, bool)> {
    let mut pages = Vec::new();
    let mut whole = true;
    let mut rows = 0;
    // Still to be drawn: number, parent, column; the last is next, so that children stay in order.
    let mut waiting = vec![(root, 0, 0, false)];
    while let Some((number, parent, column, overflow)) = waiting.pop() {
        if pages.len() == PAGES_MAX {
            whole = false;
            break;
        }
        if !drawn.insert(number) {
            continue;
        }
        let bytes = connection.page_bytes(number)?;
        // The first child stands beside its parent; every other page begins a row.
        let first = pages.len() == parent + 1 || pages.is_empty();
        rows += usize::from(!first);
        let at = pages.len();
        let mut page =
            Page { number, kind: "overflow", holds: "overflow".into(), parent, column, row: rows };
        if overflow {
            let next = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            waiting.extend((next != 0).then_some((next, at, column + 1, true)));
        } else {
            let node = Node::parse(&bytes, number, bytes.len())?;
            (page.kind, page.holds) = describe(&node, pages.is_empty());
            let mut below = Vec::new();
            for i in 0..node.cells {
                let cell = node.cell(i)?;
                if !node.kind.is_leaf() {
                    below.push((node.child(i)?, at, column + 1, false));
                }
                if cell.overflow != 0 {
                    below.push((cell.overflow, at, column + 1, true));
                }
            }
            if !node.kind.is_leaf() {
                below.push((node.child(node.cells)?, at, column + 1, false));
            }
            waiting.extend(below.into_iter().rev());
        }
        pages.push(page);
    }
    Ok((pages, whole))
}

/// What a page is and what it holds.
fn describe(node: &Node<'_>, root: bool) -> (&'static str, String) {
    let many = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let (kind, holds) = match node.kind {
        PageKind::TableLeaf => ("leaf", many(node.cells, "row")),
        PageKind::IndexLeaf => ("leaf", many(node.cells, "key")),
        PageKind::TableInterior => ("interior", many(node.cells + 1, "page")),
        PageKind::IndexInterior => ("interior", many(node.cells, "key")),
    };
    (if root { "root" } else { kind }, holds)
}

const ROW_HEIGHT: usize = 34;
const BOX_HEIGHT: usize = 26;
const BOX_WIDTH: usize = 118;
const COLUMN_WIDTH: usize = BOX_WIDTH + 24;

/// Turns rows and columns into coordinates.
fn draw(pages: &[Page], selected: u32) -> Json {
    let left = |page: &Page| 2 + page.column * COLUMN_WIDTH;
    let top = |page: &Page| 2 + page.row * ROW_HEIGHT;
    let boxes: Vec<Json> = pages
        .iter()
        .map(|page| {
            let (x, y) = (left(page), top(page));
            json!({
                "x": x, "y": y, "text_x": (x + 8), "holds_x": (x + BOX_WIDTH - 8), "text_y": (y + 18),
                "number": (page.number), "kind": (page.kind), "holds": (&*page.holds),
                "selected": (page.number == selected),
            })
        })
        .collect();
    let lines: Vec<String> = pages
        .iter()
        .skip(1)
        .map(|page| {
            let parent = &pages[page.parent];
            let middle = |page: &Page| top(page) + BOX_HEIGHT / 2;
            let (from, to) = (left(parent) + BOX_WIDTH, left(page));
            format!("M{from} {}H{}V{}H{to}", middle(parent), from + 12, middle(page))
        })
        .collect();
    let columns = pages.iter().map(|page| page.column).max().unwrap_or(0) + 1;
    let rows = pages.iter().map(|page| page.row).max().unwrap_or(0) + 1;
    json!({
        "width": (columns * COLUMN_WIDTH - 20), "height": (rows * ROW_HEIGHT - 4),
        "box_width": BOX_WIDTH, "box_height": BOX_HEIGHT, "boxes": boxes, "lines": lines,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use orm::sql::Options;
    use orm::sql::vfs::MemoryVfs;

    fn database() -> Connection {
        let options = Options { page_size: 512, ..Options::default() };
        let db = Connection::open_with(Box::new(MemoryVfs::default()), "t.db", options).unwrap();
        db.execute_batch("CREATE TABLE t(a INTEGER PRIMARY KEY, b); CREATE INDEX i ON t(b)")
            .unwrap();
        for n in 0..60 {
            db.execute("INSERT INTO t(b) VALUES (?)", &[format!("row {n:020}").into()]).unwrap();
        }
        db.execute("INSERT INTO t(b) VALUES (?)", &["long".repeat(400).into()]).unwrap();
        db
    }

    fn pages(db: &Connection, root: u32) -> Vec<Page> {
        let (pages, all) = walk(db, root, &mut BTreeSet::new()).unwrap();
        assert!(all);
        pages
    }

    #[test]
    fn every_page_is_in_one_tree_or_free() {
        let db = database();
        let before = as_json(&db, 0).unwrap();
        assert_eq!(before["free_count"].as_u64(), Some(0));
        db.execute_batch("DROP INDEX i").unwrap();
        let after = as_json(&db, 0).unwrap();
        let drawn = |json: &Json| {
            let trees = json["trees"].as_array().unwrap().iter();
            trees.map(|tree| tree["picture"]["boxes"].as_array().unwrap().len()).sum::<usize>()
        };
        let gone =
            before["trees"].as_array().unwrap()[2]["picture"]["boxes"].as_array().unwrap().len();
        assert!(gone > 5);
        assert_eq!(after["free_count"].as_u64(), Some(gone as u64));
        assert_eq!(drawn(&before), db.page_count().unwrap() as usize);
        assert_eq!(drawn(&after) + gone, drawn(&before));
    }

    #[test]
    fn a_thousand_tables_are_not_a_thousand_pictures() {
        let db = database();
        for n in 0..60 {
            db.execute(&format!("CREATE TABLE t{n}(a)"), &[]).unwrap();
        }
        let json = as_json(&db, 0).unwrap();
        assert_eq!(json["trees"].as_array().unwrap().len(), TREES_MAX);
        // sqlite_schema, t, its index and 60 more.
        assert_eq!(json["more"].as_u64(), Some(63 - TREES_MAX as u64));
    }

    #[test]
    fn children_stand_beside_their_parent_in_the_order_of_their_keys() {
        let db = database();
        let pages = pages(&db, 2);
        let root = &pages[0];
        assert_eq!((root.number, root.kind, root.column, root.row), (2, "root", 0, 0));
        let leaves: Vec<_> = pages.iter().filter(|page| page.kind == "leaf").collect();
        let rows: usize = leaves
            .iter()
            .map(|leaf| leaf.holds.split(' ').next().unwrap().parse::<usize>().unwrap())
            .sum();
        assert_eq!(rows, 61);
        // Appended rows fill new pages, so that the keys' order is that of the numbers.
        assert!(leaves.iter().all(|leaf| leaf.column == 1) && leaves[0].row == 0);
        let chain: Vec<_> = pages.iter().filter(|page| page.kind == "overflow").collect();
        assert!(chain.len() >= 3, "1600 bytes are more than three pages");
        assert!(chain.iter().all(|page| page.row == leaves.last().unwrap().row));
        assert!(chain.iter().enumerate().all(|(n, page)| page.column == n + 2));
        for (n, page) in pages.iter().enumerate() {
            let same = |other: &&Page| (other.column, other.row) == (page.column, page.row);
            assert_eq!(pages.iter().filter(same).count(), 1, "{page:?} lies on another");
            assert!(n == 0 || page.parent < n);
        }
    }

    #[test]
    fn a_large_tree_is_cut_and_a_broken_one_ends() {
        let db = database();
        for _ in 0..5 {
            db.execute("INSERT INTO t(b) SELECT b FROM t WHERE b < 'row'", &[]).unwrap();
            db.execute("INSERT INTO t(b) SELECT b FROM t WHERE b > 'row'", &[]).unwrap();
        }
        let (pages, all) = walk(&db, 2, &mut BTreeSet::new()).unwrap();
        assert!(!all && pages.len() == PAGES_MAX);
        // A circle: what has been drawn is not drawn again.
        let mut drawn = BTreeSet::from([pages[1].number]);
        let (rest, _) = walk(&db, 2, &mut drawn).unwrap();
        assert!(rest.iter().all(|page| page.number != pages[1].number));
    }
}
