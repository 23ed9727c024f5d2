//! A page of a database file, and a journal, cut where the engine's own parsers see parts.
//!
//! ```text
//! page type: leaf of a table · first freeblock: none · cells: 1 · cell area: starts at 503 · ..
//! pointer 0: cell at 503
//! free: 493 bytes
//! payload length: 7 bytes · row id: 1 · record header: 3 bytes · integer of 8 bits · 'Tom'
//! ```
//! [`orm::sql::inspect`] names the bytes, with the code that also reads rows for a query. Here each
//! name gets its colour and a sentence, and each cell a line of its own.

use orm::sql::inspect::Part;

use super::{Class, Piece};

/// The parts of a page or a journal as pieces.
#[must_use]
pub fn pieces(parts: Vec<Part>) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::with_capacity(parts.len());
    for Part { range, name, meaning } in parts {
        let (class, about) = describe(&name);
        if let Some(last) = pieces.last_mut() {
            last.ends_line = begins_line(&name, &last.name);
        }
        // Types and values speak for themselves.
        let text = match name.as_str() {
            name if name.contains("column ") => meaning,
            name => format!("{name}: {meaning}"),
        };
        let (name, about) = (name.into(), about.into());
        pieces.push(Piece { range, class, name, about, text, ends_line: false });
    }
    pieces
}

/// Whether a part of this name, after that other one, is the first of its line.
fn begins_line(name: &str, before: &str) -> bool {
    match name {
        "payload length" => before != "left child",
        "page type" | "pointer 0" | "left child" | "free" | "freeblock" | "magic" => true,
        "page number" | "original" | "overflow" | "change counter" | "schema cookie" => true,
        "unused" | "padding" => true,
        // An index's interior page has its right child before the pointers.
        _ => before == "free" || before == "freeblock",
    }
}

/// Colour and explanation of each name that [`orm::sql::inspect`] gives; counted names, such as
/// `pointer 3`, go by what stands before the number.
fn describe(name: &str) -> (Class, &'static str) {
    let kind = name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end();
    let found = NAMES.iter().find(|(known, ..)| *known == kind);
    found.map_or((Class::Extra, ""), |&(_, class, about)| (class, about))
}

/// One line per name: its colour, and what a reader may want to know.
#[rustfmt::skip]
const NAMES: &[(&str, Class, &str)] = &[
    // The file's header, on page 1.
    ("magic", Class::Format, "By these bytes a file is recognised. A journal has them only once all before is safe on the disk."),
    ("page size", Class::Length, "A power of two from 512 to 65536; here 512, so that trees grow before your eyes."),
    ("versions", Class::Format, "1 is the rollback journal, 2 the write-ahead log, which this engine refuses."),
    ("reserved bytes", Class::Length, "So many bytes at the end of each page belong to an extension."),
    ("fractions", Class::Format, "How full pages may be: fixed for ever at 64, 32, 32."),
    ("change counter", Class::Extra, "Goes up with each transaction: other connections see that what they hold is old."),
    ("page count", Class::Length, "How long the database is, in pages."),
    ("first freelist page", Class::Place, "Pages that nobody uses form a list; 0 if there are none."),
    ("freelist pages", Class::Length, "How many pages nobody uses."),
    ("schema cookie", Class::Extra, "Goes up when a table or index is made: prepared statements are prepared again."),
    ("schema format", Class::Format, "4 allows the types 8 and 9 in records: the numbers 0 and 1 in no byte at all."),
    ("cache size", Class::Extra, "A wish about memory, from other times."),
    ("auto-vacuum root", Class::Extra, "0: free pages stay in the file."),
    ("text encoding", Class::Format, "1 is UTF-8."),
    ("user version", Class::Extra, "The application's own number: PRAGMA user_version."),
    ("incremental vacuum", Class::Extra, "0: free pages stay in the file."),
    ("application id", Class::Extra, "By it the program `file` could tell whose database this is."),
    ("unused", Class::Gap, "Zeros, for formats to come."),
    ("version valid for", Class::Extra, "The change counter when the page count was written: if equal, the count is right."),
    ("library version", Class::Extra, "Which SQLite wrote last; we give the one whose format this is."),
    // The header of a page.
    ("page type", Class::Kind, "0d leaf of a table, 05 interior of a table, 0a leaf of an index, 02 interior of an index."),
    ("first freeblock", Class::Place, "sqlite3 leaves holes for deleted cells, in a chain; this engine moves the cells together instead."),
    ("cells", Class::Length, "How many entries this page has."),
    ("cell area", Class::Place, "Cells fill the page from its end; here the first of them begins."),
    ("fragments", Class::Length, "Bytes in holes of less than four bytes, too small for the chain."),
    ("right child", Class::Place, "The page with all keys above the last cell's."),
    ("pointer", Class::Place, "Where a cell begins. The pointers are sorted by key; the cells lie in any order."),
    ("broken", Class::Extra, "This contradicts the format."),
    // Cells.
    ("left child", Class::Place, "The page with the keys up to this cell's."),
    ("payload length", Class::Length, "A varint: seven bits a byte, the highest bit says that another byte follows."),
    ("row id", Class::Name, "The key of a table's tree. An INTEGER PRIMARY KEY is this number, and is stored only here."),
    ("record header", Class::Length, "So many bytes, this one included, hold the types of the columns."),
    ("type of column", Class::Name, "0 NULL, 1 to 6 an integer, 7 a real, 8 and 9 the numbers 0 and 1; odd from 13 on a text."),
    ("column", Class::Value, "The value itself. A NULL, and the numbers 0 and 1, need no byte here."),
    ("overflow", Class::Body, "What does not fit goes on in a chain of other pages."),
    ("padding", Class::Gap, "Zeros."),
    ("free", Class::Gap, "Room between the pointers and the cells. Bytes of deleted rows may still lie here."),
    ("freeblock", Class::Gap, "A hole, as sqlite3 leaves it: where the next one is, its own size, and what was there."),
    ("reserved", Class::Gap, "Left to an extension."),
    // Pages outside of trees.
    ("next page", Class::Place, "The chain goes on there."),
    ("next trunk", Class::Place, "The list of free pages goes on there."),
    ("free pages", Class::Length, "How many are listed on this page."),
    ("free page", Class::Place, "Nobody uses it; the next table or split will."),
    ("lock page", Class::Gap, "SQLite takes its locks in this range and stores nothing."),
    // The journal.
    ("records", Class::Length, "How many pages can be played back; written together with the magic."),
    ("nonce", Class::Extra, "Chosen anew for each journal and part of each checksum: old records do not fit."),
    ("original pages", Class::Length, "How long the database was: playing back cuts it to this."),
    ("sector size", Class::Length, "What a disk writes whole or not at all; headers are alone in theirs."),
    ("page number", Class::Place, "Where the bytes that follow belong."),
    ("original", Class::Body, "The page as it was before the transaction."),
    ("checksum", Class::Format, "The nonce plus every 200th byte of the page."),
    ("cut short", Class::Gap, "Not a whole record: it is never played back."),
];

#[cfg(test)]
mod tests {
    use super::*;
    use orm::sql::Connection;
    use orm::sql::inspect::annotate_journal;

    /// Whatever the engine calls a byte has a colour and a sentence here.
    #[test]
    fn every_name_of_the_engine_is_explained() {
        let db = Connection::memory().unwrap();
        db.execute_batch(
            "CREATE TABLE t(a INTEGER PRIMARY KEY, b, c); CREATE INDEX i ON t(b);
             INSERT INTO t VALUES (1, 'Tom', NULL), (2, zeroblob(9000), 1.5);",
        )
        .unwrap();
        for n in 3..900 {
            db.execute("INSERT INTO t VALUES (?, ?, 0)", &[n.into(), format!("{n:0100}").into()])
                .unwrap();
        }
        db.execute_batch(
            "DELETE FROM t WHERE a % 7 = 0 OR a BETWEEN 300 AND 600; BEGIN; DELETE FROM t",
        )
        .unwrap();
        let journal = annotate_journal(&db.journal_bytes().unwrap().unwrap());
        let pages = |db: &Connection| {
            let numbers = 1..=db.page_count().unwrap();
            numbers.flat_map(|n| db.annotate_page(n).unwrap()).collect::<Vec<Part>>()
        };
        let during = pages(&db);
        db.execute_batch("ROLLBACK").unwrap();
        let parts = [journal, during, pages(&db)].concat();
        let unknown: Vec<_> = parts
            .iter()
            .filter(|part| describe(&part.name).1.is_empty())
            .map(|p| &p.name)
            .collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        let seen = |name: &&str| {
            parts.iter().any(|part| {
                part.name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end() == *name
            })
        };
        // The last one: only sqlite3 leaves holes in a page.
        let rare = ["broken", "reserved", "lock page", "cut short", "freeblock"];
        let gone: Vec<_> = NAMES
            .iter()
            .map(|(name, ..)| *name)
            .filter(|name| !seen(name) && !rare.contains(name))
            .collect();
        assert!(gone.is_empty(), "no byte is called {gone:?}");
    }

    #[test]
    fn each_cell_has_its_line() {
        let db = Connection::memory().unwrap();
        db.execute_batch("CREATE TABLE t(a, b); INSERT INTO t VALUES(7, 'Tom'), (NULL, 'Sam')")
            .unwrap();
        let mut lines = vec![String::new()];
        for piece in pieces(db.annotate_page(2).unwrap()) {
            let line = lines.last_mut().unwrap();
            *line += &format!("{}{}", if line.is_empty() { "" } else { " · " }, piece.text);
            if piece.ends_line {
                lines.push(String::new());
            }
        }
        assert_eq!(
            lines,
            [
                "page type: leaf of a table · first freeblock: none · cells: 2 · cell area: starts at 4079 · fragments: 0 bytes",
                "pointer 0: cell at 4087 · pointer 1: cell at 4079",
                "free: 4067 bytes",
                "payload length: 6 bytes · row id: 2 · record header: 3 bytes · NULL · text of 3 bytes · 'Sam'",
                "payload length: 7 bytes · row id: 1 · record header: 3 bytes · integer of 8 bits · text of 3 bytes · 7 · 'Tom'",
            ]
        );
    }
}
