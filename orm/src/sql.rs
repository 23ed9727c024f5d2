//! A small SQL engine whose files are SQLite's (day 0).
//!
//! At the end of this chapter `sqlite3 gee.db` opens what you wrote, and you have seen every byte of
//! it. Half a day of reading, with three good places to stop.
//!
//! | stop | modules, in reading order | what you can do then |
//! |---|---|---|
//! | the words | [`value`], [`error`] | name the five kinds of value and what can go wrong |
//! | 1. read a file | [`varint`], [`record`], [`vfs`], [`disk`], [`header`], [`page`], [`btree`] up to [`btree::index`] | walk any table and index that sqlite3 made |
//! | 2. write and journal it | [`journal`] with its [`recovery`](journal::recovery), [`cache`], [`pager`] with [`access`](pager::access) and [`transaction`](pager::transaction), [`savepoint`], [`freelist`], [`btree::write`], [`btree::balance`] | change it, and pull the plug at any moment |
//! | | [`check`] with its [`rows`](check::rows), [`inspect`] | prove a file sound, and name each of its bytes |
//! | 3. query it | [`catalog`], [`lexer`], [`ast`], [`parser`], [`stack`], [`affinity`], [`expr`], [`func`], [`plan`], [`exec`], [`command`], [`connection`], [`statement`], [`limits`], [`live`](inspect::live) | follow one query from text to rows |
//!
//! # Why
//!
//! An ORM needs a database, and `std` has none. We could have invented a format. But then only we could
//! read it, and only we would have judged whether it is right. SQLite's format is documented to the last
//! bit, is on every phone, and comes with the strictest examiner one could wish for: `PRAGMA
//! integrity_check`. So the rule for all that follows is: *the sqlite3 program decides*.
//!
//! Real SQLite has much that is left out here: the write-ahead log, UTF-16, auto-vacuum, shared caches,
//! virtual tables. A file that needs one of these is refused, and the message says what to do.
//!
//! # The layers
//!
//! ```text
//!   rows, keys      TableCursor, IndexCursor      seek, next, insert, delete
//!                        |  pages by number
//!   b-tree          btree::balance                a page overflows: spread its cells
//!                        |
//!   pager           Pager                         begin, page, page_mut, commit, rollback
//!                   /         \
//!   cache, savepoint           journal            old pages, safe before new ones are written
//!                   \         /
//!   disk            Vfs                           read, write, sync, delete, lock
//! ```
//!
//! Each layer knows only the one below. Above all of them comes SQL, which sees trees and records and
//! never a page.
//!
//! # One row, from end to end
//!
//! 1. [`record::encode`] makes one string of bytes of the row's values.
//! 2. [`TableCursor::insert`](btree::TableCursor::insert) goes down from the root to the leaf where the row id belongs.
//! 3. On the way [`Pager::page`] finds each page in the [`cache`], or reads it through the [`vfs`].
//! 4. The leaf is about to change: the [`pager`] puts its old bytes into the [`journal`]'s buffer.
//! 5. [`page::edit`] puts the cell into the gap between the pointers and the cells.
//! 6. No gap is large enough? [`btree::balance`] deals the cells out to one page more.
//! 7. [`Pager::commit`] raises the change counter on page 1.
//! 8. The journal goes to the disk and is synced; it becomes hot and is synced again.
//! 9. The changed pages go to the disk and are synced.
//! 10. The journal is deleted. *Now* the row is in the database.
//!
//! # One query, from text to rows
//!
//! `SELECT name FROM t WHERE age >= ?1`, with an index on `age`, goes through five chapters:
//!
//! 1. [`Connection::prepare`] hands the text to the [`lexer`], which cuts it into tokens.
//! 2. The [`parser`] makes a tree of them: a SELECT with one column, one table and a condition.
//! 3. The [`catalog`] says what `t` is: a root page, three columns, one index.
//! 4. The [compiler](expr::compile) makes of `age >= ?1` a [`Code`](expr::Code) that knows column 2 and parameter 0.
//! 5. The [planner](plan::join) sees that the index decides this condition, and takes it.
//! 6. [`Statement::bind`] puts 18 into parameter 0, [`Statement::query`] starts the [executor](exec).
//! 7. [`Rows::next`] asks the [loops](exec::loops), which seek the first index entry from 18 on.
//! 8. The entry ends in a rowid; [`TableCursor::seek`](btree::TableCursor::seek) goes to the row.
//! 9. `name` is [decoded](record::column) from the page, alone, and becomes a [`Value`].
//! 10. The next call of [`Rows::next`] moves the index cursor by one; at its end there is no row.
//!
//! # What the borrow checker says
//!
//! The first version of a cursor that comes to mind keeps a `&Page` from the cache, and a `&mut Pager` to
//! load more pages. That does not compile: the page is borrowed from the pager that is to change. It
//! would be wrong in C, too, where it compiles: loading a page may throw out the one that is held. The
//! usual way out, `Rc<RefCell<Page>>`, moves the complaint to run time. Here a page is an
//! `Arc<[u8]>`. Who reads keeps a clone of the `Arc`; who writes gets a `&mut [u8]` from
//! [`Arc::make_mut`](std::sync::Arc::make_mut), which copies the page only if someone still reads the old one. Cursors own
//! page numbers and one such `Arc`, borrow nothing, and every call is handed the `&mut Pager`:
//!
//! ```
//! use orm::sql::btree::{TableCursor, TreeKind, create_tree};
//! use orm::sql::{Pager, ValueRef, record};
//!
//! # fn main() -> orm::sql::Result<()> {
//! let mut pager = Pager::memory()?;
//! pager.begin_write()?;
//! let root = create_tree(&mut pager, TreeKind::Table)?;
//! let (mut writer, mut reader) = (TableCursor::new(root), TableCursor::new(root));
//! let mut row = Vec::new();
//! record::encode([ValueRef::Text(b"Tom")].into_iter(), &mut row);
//! writer.insert(&mut pager, 1, &row)?;
//!
//! reader.first(&mut pager)?;
//! let name = record::column(reader.record(), 0)?; // borrows the reader, not the pager
//! writer.insert(&mut pager, 2, &row)?; // copies the page that the reader holds
//! assert_eq!(name, Some(ValueRef::Text(b"Tom")));
//! assert!(reader.next(&mut pager)?); // notices, looks row 1 up again, goes on to row 2
//! assert_eq!(reader.rowid(), 2);
//! # Ok(())
//! # }
//! ```
//!
//! # What `std` cannot do here
//!
//! There are no byte-range locks: our [`File::lock`](std::fs::File::lock) and SQLite's `fcntl` do not see each other. While
//! one of our programs has a file open for writing, no other program may write it; see [`disk`].
//! Between our own processes a writer excludes readers. There are no random numbers either; a
//! journal's nonce comes from the seed of `std`'s hash tables.
//!
//! # Where this differs from the Go tutorial
//!
//! It has no engine: there `database/sql` and a C library do all of this day's work.
//!
//! # Try it
//!
//! A file that we make is read by `sqlite3`, and the other way round:
//!
//! ```text
//! $ cargo run -q -p orm --example shell -- gee.db "CREATE TABLE User(Name text PRIMARY KEY, Age integer); INSERT INTO User VALUES('Tom',18)"
//! $ sqlite3 gee.db "PRAGMA integrity_check; SELECT * FROM User"
//! ok
//! Tom|18
//! $ sqlite3 gee.db "INSERT INTO User VALUES('Sam',25)"
//! $ cargo run -q -p orm --example shell -- gee.db "PRAGMA integrity_check; SELECT * FROM User"
//! ok
//! Tom|18
//! Sam|25
//! ```
//!
//! And `.page 2` names every byte of the table's page. It begins and ends like this:
//!
//! ```text
//! $ cargo run -q -p orm --example shell -- gee.db ".page 2"
//!         0..1  page type                leaf of a table
//!         1..3  first freeblock          none
//!         3..5  cells                    2
//!         5..7  cell area                starts at 4078
//!  ...
//!   4087..4088  payload length           7 bytes
//!   4088..4089  row id                   1
//!   4089..4090  record header            3 bytes
//!   4090..4091  type of column 0         text of 3 bytes
//!   4091..4092  type of column 1         integer of 8 bits
//!   4092..4095  column 0                 'Tom'
//!   4095..4096  column 1                 18
//! ```
//!
//! # Exercises
//!
//! Those of SQL are at [`func`] and [`expr::compile`]. Each has a test that is ignored until you solve it: `cargo test -p orm -- --ignored exercise`.
//!
//! 1. `exercise_free_pages_at_the_end_are_cut_off`: let a commit shorten the file by the free pages at
//!    its end, as `PRAGMA incremental_vacuum` does.
//! 2. `exercise_a_freed_page_is_not_written`: a page that went to the freelist in this transaction
//!    is dirty, but nobody needs its bytes. Mind the savepoints.
//! 3. `exercise_a_seek_nearby_stays_on_its_leaf`: a cursor that looks for a key on the page it is on
//!    need not start at the root.

// The chapters name what is inside the crate, too. Built with `--document-private-items`, every
// such name is a link.
#![allow(rustdoc::private_intra_doc_links)]

pub mod error;
pub mod value;

pub mod disk;
pub mod header;
pub mod page;
pub mod record;
pub mod varint;
pub mod vfs;

pub mod btree;
pub mod cache;
pub mod freelist;
pub mod journal;
pub mod pager;
pub mod savepoint;

pub mod check;
pub mod inspect;

pub mod catalog;

pub mod ast;
pub mod lexer;
pub mod parser;
pub mod stack;

pub mod affinity;
pub mod expr;
pub mod func;

pub mod plan;

pub mod exec;

pub mod command;
pub mod connection;
pub mod limits;
pub mod statement;

pub use connection::Connection;
pub use error::{Error, Result};
pub use pager::{Options, Pager};
pub use statement::{FromValue, Row, Rows, Statement};
pub use value::{Collation, Value, ValueRef};
