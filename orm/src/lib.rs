//! An embedded SQL engine whose files are SQLite's, and an ORM on top of it, on `std` alone.
//!
//! At the end a struct is stored, found, changed and migrated by code that you have read to the last
//! byte on the disk; and `sqlite3 gee.db .dump` shows it.
//!
//! ```
//! use orm::{Engine, Model, col};
//!
//! #[derive(Model, Debug)]
//! struct User {
//!     #[model(primary_key)]
//!     name: String,
//!     age: i32,
//! }
//!
//! fn main() -> orm::Result<()> {
//!     let mut engine = Engine::quiet("sqlite3", ":memory:")?; // or a path; open() logs
//!     let mut session = engine.session();
//!     session.create_table::<User>()?;
//!     session.insert(&mut User { name: "Tom".into(), age: 18 })?;
//!     let tom = session.first(&User::query().filter(col("Age").ge(18)))?;
//!     assert_eq!(tom.name, "Tom");
//!     Ok(())
//! }
//! ```
//!
//! # Why an ORM
//! A program has structs, a database has rows. Between them is the same code again and again: make a table, flatten a
//! struct into arguments, build it from a row. gorm and xorm do this in Go by looking at types while the program
//! runs; diesel does it in Rust by teaching the compiler SQL. This one stands between: a derive writes down what the
//! table is, and the rest is values and text that you can print. It does not check your SQL, has no pool and one driver.
//!
//! # The days
//! | day | what appears | modules, in reading order | example |
//! |---|---|---|---|
//! | 0 | the engine: read a file, write and journal it, query it | [`sql`] | `shell` |
//! | 1 | drivers, a logger, raw SQL | [`error`], [`driver`], [`engine`], [`log`] with `datetime`, [`session`] | `day1_database_sql` |
//! | 2 | a table from a struct | [`dialect`], [`field`], [`schema`] | `day2_schema` |
//! | 3 | structs into rows and back | [`clause`], [`record`] | `day3_save_query` |
//! | 4 | conditions, order, update, delete | [`condition`], [`query`], [`change`] | `day4_chain` |
//! | 5 | hooks | [`hooks`] | `day5_hooks` |
//! | 6 | transactions | [`transaction`] | `day6_transaction` |
//! | 7 | migration | [`migrate`] | `day7_migrate` |
//!
//! The tests of each day are in its modules; `tests/tests/orm_days.rs` runs the examples and asks sqlite3 what they left,
//! `tests/tests/orm.rs` looks at every statement's text and at every error. A mark such as (ORM-17) in a chapter is one
//! of the Go tutorial's 22 defects: the book's page of deviations lists them, `tests/tests/orm/defects.rs` tests each.
//! An exercise has a test that is ignored until you solve it: `cargo test -p orm -- --ignored exercise_`; the solutions are
//! patches in `tests/solutions`.
//! Here the course ends. [`beyond`] has what users of the real thing miss: tuples, upsert, relations.
//!
//! # One record, from end to end
//! `session.insert(&mut User { name: "Tom", age: 18 })`:
//!
//! 1. [`Session::insert`] begins a [transaction], where one statement is not enough, and calls [`Hooks::before_insert`].
//! 2. [`Model::to_row`], which the derive wrote, appends `Tom` and `18` to a `Vec<Value>`.
//! 3. [`clause::Clause::build`] writes `INSERT INTO "User" ("Name","Age") VALUES (?, ?)`; the [`Dialect`] has the last word.
//! 4. The [`Session`] looks the text up among its prepared statements, or has it prepared.
//! 5. The [`driver`] hands text and values to [`sql::Connection`], and the ORM ends here.
//! 6. The parser makes a tree of the text, the planner a plan; [`sql::record::encode`] makes bytes of the values.
//! 7. [`sql::btree::TableCursor::insert`] finds the leaf page for the row id; the key goes into an index page.
//! 8. [`sql::journal`] saves the old pages, [`sql::pager`] writes the new ones: the row is stored.
//! 9. The logger prints the statement and how long it took.
//!
//! # From the Go names to ours
//! | Go | here |
//! |---|---|
//! | `database/sql` | [`driver`] |
//! | `log.Info`, `log.SetLevel` | [`Logger`], a value of the engine |
//! | `NewEngine`, `NewSession` | [`Engine::open`], [`Engine::session`] |
//! | `s.Raw(...).Exec()` | [`Session::raw`], [`session::Raw::exec`] |
//! | `dialect.Dialect`, `RegisterDialect` | [`Dialect`], named by its [`Driver`] |
//! | `schema.Parse`, tags `geeorm:"..."` | [`Schema`], `#[model(...)]` |
//! | `RecordValues` | [`Model::to_row`] |
//! | `clause.Set`, `clause.Build` | [`clause::Clause`] |
//! | `s.Where(...).Limit(1).Find(&users)` | `session.find(&User::query().filter(...).limit(1))` |
//! | `s.Update("Age", 30)` | [`Session::update`] with [`set`] |
//! | `CallMethod("BeforeInsert")` | [`Hooks`] |
//! | `engine.Transaction(func...)` | [`Engine::transaction`] |
//! | `engine.Migrate(&User{})` | [`Migration`] |
//!
//! # What `std` cannot do here
//! - Locks: `std` locks whole files with `flock`, sqlite3 locks bytes with `fcntl`, and they do not see each other. While
//!   a program of ours has a database open, no other program may write it.
//! - Time zones: all times are UTC.
//! - Signals: Ctrl-C ends the process at once. The journal is made for that: the next open takes the unfinished transaction back.
// The derive writes `::orm::...`; in our own unit tests that is this crate.
#[cfg(test)]
extern crate self as orm;

pub mod sql;

mod datetime;
pub mod error;

pub mod driver;
pub mod engine;
pub mod log;
pub mod session;

pub mod dialect;
pub mod field;
pub mod schema;

pub mod clause;
pub mod record;

pub mod change;
pub mod condition;
pub mod query;

pub mod hooks;

pub mod transaction;

pub mod migrate;

pub mod beyond;

pub use change::set;
pub use clause::desc;
pub use condition::{Condition, col, raw};
pub use dialect::{Dialect, Sqlite};
pub use driver::{Driver, SqliteDriver};
pub use engine::Engine;
pub use error::{Error, Result};
pub use field::{Column, FromValue, Kind, ToValue};
pub use hooks::Hooks;
pub use log::{Level, Logger};
pub use migrate::Migration;
pub use orm_derive::Model;
pub use query::Query;
pub use schema::{Field, FromRow, Model, Row, Schema};
pub use session::Session;
pub use sql::Value;
pub use transaction::Transaction;
