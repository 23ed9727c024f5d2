//! What the ORM asks of a database: four traits in the manner of Go's `database/sql` (day 1).
//!
//! At the end of this chapter a program talks SQL to a database that it knows only by name. Five
//! minutes to read.
//!
//! # Why
//! The ORM above does not know [`crate::sql`]. It knows a [`Driver`] that opens a [`Connection`],
//! which prepares a [`Statement`], which runs and gives [`Rows`]. A PostgreSQL driver implements the
//! same four and brings its [`Dialect`], and nothing above changes. In Go drivers register
//! themselves in a global map while the program starts; here one that is not built in is passed to
//! [`Engine::open_with`](crate::Engine::open_with) as a value.
//!
//! ```text
//!   Driver --open--> Connection --prepare--> Statement --query--> Rows --next--> &[Value]
//!     |                                         |
//!   Dialect: quoting, placeholders, types     runs again and again with other values
//! ```
//!
//! # The idea alone
//! Three of the traits make a database of any store; here it is a list of numbers:
//!
//! ```
//! trait Rows { fn next(&mut self) -> Option<i64>; }
//! trait Statement { fn query<'r>(&'r mut self, least: i64) -> Box<dyn Rows + 'r>; }
//! trait Connection { fn prepare<'c>(&'c self, sql: &str) -> Result<Box<dyn Statement + 'c>, String>; }
//!
//! struct List(Vec<i64>);
//! struct AtLeast<'c>(&'c [i64]);
//! struct Found<'r>(std::slice::Iter<'r, i64>, i64);
//!
//! impl Connection for List {
//!     fn prepare<'c>(&'c self, sql: &str) -> Result<Box<dyn Statement + 'c>, String> {
//!         if sql != "at least ?" { return Err(format!("near {sql:?}: syntax error")); }
//!         Ok(Box::new(AtLeast(&self.0)))
//!     }
//! }
//! impl Statement for AtLeast<'_> {
//!     fn query<'r>(&'r mut self, least: i64) -> Box<dyn Rows + 'r> { Box::new(Found(self.0.iter(), least)) }
//! }
//! impl Rows for Found<'_> {
//!     fn next(&mut self) -> Option<i64> { self.0.by_ref().copied().find(|n| *n >= self.1) }
//! }
//!
//! let list = List(vec![18, 25, 30]);
//! let connection: &dyn Connection = &list; // from here on only the traits are known
//! let mut statement = connection.prepare("at least ?")?;
//! let mut rows = statement.query(20);
//! assert_eq!((rows.next(), rows.next(), rows.next()), (Some(25), Some(30), None));
//! # Ok::<(), String>(())
//! ```
//!
//! # The walk
//! [`Engine::open`](crate::Engine::open) finds the [`Driver`] of a name and opens a [`Connection`]; the
//! [`Session`](crate::Session) has it prepare each text once, and runs the [`Statement`] again and again.
//! [`SqliteDriver`] below hands everything on to [`crate::sql`]. What it adds: a text is one statement,
//! so a second one behind a semicolon is looked for, and refused.
//!
//! # What the borrow checker says
//! `prepare(&'c self) -> Box<dyn Statement + 'c>` reads: the statement borrows the connection, so it
//! cannot outlive it, and while one exists the connection cannot be closed or moved. Go's driver
//! finds that out at run time (`sql: database is closed`). [`Rows::next`] lends the row until the next call of
//! `next`; keeping it is a compile error, where Go's `Scan` into `sql.RawBytes` silently changes
//! under the reader's feet. Dropping the rows closes the cursor, on all paths (ORM-17).
//!
//! # Where this differs from Go
//! - A driver is a value that one passes, not a name in a global map.
//! - Values are the five kinds that a database has ([`Value`]), and not whatever fits `interface{}`.
//! - What stands behind the first statement of a text is an error; there the driver decides (ORM-3).
//!
//! # Try it
//! `cargo run -p orm --example day1_database_sql`. The day goes on with [`engine`](crate::engine), [`log`](crate::log) and
//! [`session`](crate::session), where its exercises are.

use std::fmt::Debug;

use crate::dialect::{Dialect, Sqlite};
use crate::{Error, Result, Value, sql};

/// Opens databases of one kind.
pub trait Driver: Debug {
    /// Opens the database that `source` names.
    ///
    /// # Errors
    /// It does not exist, or is no database of this kind.
    fn open(&self, source: &str) -> Result<Box<dyn Connection>>;

    /// How this kind of database spells its SQL.
    fn dialect(&self) -> &'static dyn Dialect;
}

/// An open database.
pub trait Connection: Debug {
    /// Prepares one statement.
    ///
    /// # Errors
    /// Wrong syntax, or unknown names.
    fn prepare<'c>(&'c self, sql: &str) -> Result<Box<dyn Statement + 'c>>;

    /// Whether a transaction is open.
    fn in_transaction(&self) -> bool;
}

/// A statement that is ready to run, as often as one likes.
pub trait Statement: Debug {
    /// Runs it and returns how many rows it changed.
    ///
    /// # Errors
    /// Whatever it meets; then it has changed nothing.
    fn execute(&mut self, args: &[Value]) -> Result<usize>;

    /// Runs it and returns its rows.
    ///
    /// # Errors
    /// Whatever it meets before the first row.
    fn query<'r>(&'r mut self, args: &[Value]) -> Result<Box<dyn Rows + 'r>>;
}

/// The rows of a statement that runs. Dropping them ends it.
pub trait Rows {
    /// The names of the columns.
    fn columns(&self) -> &[String];

    /// The next row, or `None` after the last.
    ///
    /// # Errors
    /// Whatever the database meets on the way to it.
    fn next(&mut self) -> Result<Option<&[Value]>>;
}

/// The driver for SQLite files on our own engine, [`crate::sql`].
#[derive(Debug)]
pub struct SqliteDriver;

impl Driver for SqliteDriver {
    fn open(&self, source: &str) -> Result<Box<dyn Connection>> {
        let connection = sql::Connection::open(source)?;
        // Opening is lazy; the first read finds out whether this is a database at all.
        connection.prepare("SELECT count(*) FROM sqlite_master")?.query()?.next()?;
        // A column that the table does not have is an error, not a text.
        connection.set_quoted_texts(false);
        Ok(Box::new(connection))
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &Sqlite
    }
}

impl Connection for sql::Connection {
    fn prepare<'c>(&'c self, sql: &str) -> Result<Box<dyn Statement + 'c>> {
        match self.prepare_at(sql, 0) {
            // What stands behind the first statement would never run (ORM-3).
            Ok(Some((statement, tail))) => match self.prepare_at(sql, tail) {
                Ok(None) => Ok(Box::new(statement)),
                _ => Err(Error::Misuse("this text has two statements; run one at a time")),
            },
            Ok(None) => Err(Error::Misuse("there is no statement in this text")),
            // The error is at the end of the text, and does not know where that is.
            Err(error @ sql::Error::IncompleteInput) => {
                Err(Error::Syntax { offset: sql.len(), message: error.to_string() })
            }
            Err(error) => Err(error.into()),
        }
    }

    fn in_transaction(&self) -> bool {
        sql::Connection::in_transaction(self)
    }
}

impl Statement for sql::Statement<'_> {
    fn execute(&mut self, args: &[Value]) -> Result<usize> {
        self.bind_all(args)?;
        Ok(sql::Statement::execute(self)?)
    }

    fn query<'r>(&'r mut self, args: &[Value]) -> Result<Box<dyn Rows + 'r>> {
        self.bind_all(args)?;
        Ok(Box::new(sql::Statement::query(self)?))
    }
}

impl Rows for sql::Rows<'_> {
    fn columns(&self) -> &[String] {
        sql::Rows::columns(self)
    }

    fn next(&mut self) -> Result<Option<&[Value]>> {
        Ok(sql::Rows::next(self)?.map(|row| row.values()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prepared_statement_runs_again_with_other_values() {
        let db = SqliteDriver.open(":memory:").unwrap();
        db.prepare("CREATE TABLE t(a)").unwrap().execute(&[]).unwrap();
        let mut insert = db.prepare("INSERT INTO t VALUES (?)").unwrap();
        for n in 1..=3 {
            assert_eq!(insert.execute(&[n.into()]).unwrap(), 1);
        }
        let mut select = db.prepare("SELECT a FROM t WHERE a > ?").unwrap();
        for (least, want) in [(1, 2), (2, 1), (3, 0)] {
            let mut rows = select.query(&[least.into()]).unwrap();
            assert_eq!(rows.columns(), ["a"]);
            let mut found = 0;
            while rows.next().unwrap().is_some() {
                found += 1;
            }
            assert_eq!(found, want);
        }
    }

    #[test]
    fn a_text_has_one_statement() {
        let db = SqliteDriver.open(":memory:").unwrap();
        for one in ["SELECT 1", "SELECT 1 ; ", ";; SELECT 1; -- end"] {
            assert!(db.prepare(one).is_ok(), "{one}");
        }
        for (text, want) in [
            ("SELECT 1; DROP TABLE t", "this text has two statements; run one at a time"),
            (" -- nothing", "there is no statement in this text"),
        ] {
            assert_eq!(db.prepare(text).unwrap_err().to_string(), want);
        }
        let error = db.prepare("SELECT (1").unwrap_err();
        assert!(matches!(error, Error::Syntax { offset: 9, .. }), "{error:?}");
    }

    #[test]
    fn the_number_of_values_must_fit() {
        let db = SqliteDriver.open(":memory:").unwrap();
        let error = db.prepare("SELECT ?").unwrap().execute(&[]).unwrap_err();
        assert!(matches!(error, Error::Database(_)), "{error}");
    }
}
