//! A connection: one open database, its transaction, and the statements that run in it (day 0).
//!
//! ```
//! use orm::sql::{Connection, Value};
//!
//! # fn main() -> orm::sql::Result<()> {
//! let db = Connection::memory()?;
//! db.execute("CREATE TABLE User(Name text PRIMARY KEY, Age integer)", &[])?;
//! let changed = db.execute("INSERT INTO User VALUES (?, ?), ('Sam', 25)", &["Tom".into(), 18.into()])?;
//! assert_eq!(changed, 2);
//!
//! let mut adults = db.prepare("SELECT Name FROM User WHERE Age >= :age ORDER BY Name")?;
//! adults.bind_name(":age", 18)?;
//! let mut rows = adults.query()?;
//! while let Some(row) = rows.next()? {
//!     let name: String = row.get(0)?;
//!     println!("{name}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Transactions
//! Without BEGIN each statement is a transaction of its own. With it, a statement that fails takes
//! back its own changes and no others: before it runs, the [pager](super::pager) is given a
//! savepoint.
//!
//! ```text
//! BEGIN                     autocommit off
//! INSERT ... VALUES (1)     written
//! INSERT ... SELECT ...     savepoint, 40 rows, UNIQUE fails: back to the savepoint
//! COMMIT                    row 1 is in the file
//! ```
//!
//! SAVEPOINT names such a point for the user; outside a transaction it begins one. A page that was
//! changed before a point and is changed again after it is kept in memory until the point is gone:
//! a transaction that changes a large table twice, with a point in between, needs as much memory as
//! the table has bytes. There is no limit to it; COMMIT now and then is one.
//!
//! # What std cannot do here
//! The locks of [`std::fs::File`] are not those of the `sqlite3` program: two of our processes keep
//! out of each other's way, but no other program may write while a database is open here.

use std::cell::{Cell, RefCell};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use super::ast::OnConflict;
use super::catalog::Catalog;
use super::inspect::{Part, annotate_page};
use super::limits::Limits;
use super::statement::Statement;
use super::vfs::Vfs;
use super::{Error, Options, Pager, Result, Value};

/// An open database. See the [module](self) for an example.
#[derive(Debug)]
pub struct Connection {
    pub(crate) shared: Shared,
}

/// What statements share while they run.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) pager: RefCell<Pager>,
    catalog: RefCell<Option<Arc<Catalog>>>,
    /// No transaction was begun by the user.
    pub(crate) autocommit: Cell<bool>,
    /// The user's savepoints: name, and index in the pager.
    pub(crate) savepoints: RefCell<Vec<(String, usize)>>,
    /// The outermost savepoint began the transaction, so that its RELEASE ends it.
    pub(crate) savepoint_began: Cell<bool>,
    /// How many queries are being read; the last one ends the read.
    pub(crate) readers: Cell<usize>,
    pub(crate) last_rowid: Cell<i64>,
    pub(crate) changes: Cell<i64>,
    pub(crate) total_changes: Cell<i64>,
    /// What the constraint that failed last asks for.
    pub(crate) failed_with: Cell<OnConflict>,
    pub(crate) limits: Limits,
    /// A "name" that nothing has is a text.
    pub(crate) quoted_texts: Cell<bool>,
    random: Cell<u64>,
}

impl Connection {
    /// Opens or makes a database file; `:memory:` is [`Connection::memory`].
    ///
    /// # Errors
    /// [`Error::CannotOpen`], or [`Error::NotADatabase`] for a file of another kind.
    pub fn open(path: &str) -> Result<Connection> {
        if path == ":memory:" {
            return Connection::memory();
        }
        Ok(Connection::new(Pager::open_file(path, Options::default())?))
    }

    /// Opens a database on a store and with options of the caller's.
    ///
    /// # Errors
    /// Those of [`Connection::open`].
    pub fn open_with(vfs: Box<dyn Vfs>, path: &str, options: Options) -> Result<Connection> {
        Ok(Connection::new(Pager::open(vfs, path, options)?))
    }

    /// A new database that is gone with the connection.
    ///
    /// # Errors
    /// None that are known; the store could refuse.
    pub fn memory() -> Result<Connection> {
        Ok(Connection::new(Pager::memory()?))
    }

    fn new(pager: Pager) -> Connection {
        let seed = RandomState::new().hash_one(0_u8) | 1;
        Connection {
            shared: Shared {
                pager: RefCell::new(pager),
                catalog: RefCell::default(),
                autocommit: Cell::new(true),
                savepoints: RefCell::default(),
                savepoint_began: Cell::new(false),
                readers: Cell::new(0),
                last_rowid: Cell::new(0),
                changes: Cell::new(0),
                total_changes: Cell::new(0),
                failed_with: Cell::new(OnConflict::Abort),
                limits: Limits::new(),
                quoted_texts: Cell::new(true),
                random: Cell::new(seed),
            },
        }
    }

    /// Prepares the first statement of `sql`.
    ///
    /// # Errors
    /// Wrong syntax, unknown names; [`Error::Misuse`] where there is no statement.
    pub fn prepare(&self, sql: &str) -> Result<Statement<'_>> {
        let none = Error::Misuse("there is no statement in this text");
        self.prepare_at(sql, 0)?.map(|(statement, _)| statement).ok_or(none)
    }

    /// Prepares the first statement at or after the byte `start`, and says where the next begins.
    ///
    /// # Errors
    /// Those of [`Connection::prepare`].
    pub fn prepare_at(&self, sql: &str, start: usize) -> Result<Option<(Statement<'_>, usize)>> {
        Statement::prepare(self, sql, start)
    }

    /// Runs one statement with the values of its parameters; returns how many rows it changed.
    ///
    /// # Errors
    /// Whatever the statement meets.
    pub fn execute(&self, sql: &str, params: &[Value]) -> Result<usize> {
        let mut statement = self.prepare(sql)?;
        statement.bind_all(params)?;
        statement.execute()
    }

    /// Runs all statements of a text, without parameters, up to the first that fails.
    ///
    /// # Errors
    /// That of the statement that failed; those before it have done their work.
    pub fn execute_batch(&self, sql: &str) -> Result<()> {
        let mut start = 0;
        while let Some((mut statement, tail)) = self.prepare_at(sql, start)? {
            statement.execute()?;
            start = tail;
        }
        Ok(())
    }

    /// Whether `"name"` is the text `'name'` where nothing has this name, as in SQLite from its
    /// beginning, and here at first. With `false` it is [`Error::NoSuchColumn`], and a name that is
    /// misspelt is not read as a value; it is what `SQLITE_DBCONFIG_DQS_DML` sets.
    pub fn set_quoted_texts(&self, on: bool) {
        self.shared.quoted_texts.set(on);
    }

    /// How many rows the last INSERT, UPDATE or DELETE changed.
    #[must_use]
    pub fn changes(&self) -> usize {
        usize::try_from(self.shared.changes.get()).unwrap_or(0)
    }

    /// The rowid of the row that was inserted last; 0 before the first.
    #[must_use]
    pub fn last_insert_rowid(&self) -> i64 {
        self.shared.last_rowid.get()
    }

    /// Whether BEGIN or SAVEPOINT has begun a transaction.
    #[must_use]
    pub fn in_transaction(&self) -> bool {
        !self.shared.autocommit.get()
    }

    /// What each byte of a page is.
    ///
    /// # Errors
    /// There is no such page, or it contradicts the format.
    pub fn annotate_page(&self, number: u32) -> Result<Vec<Part>> {
        self.shared.begin_read()?;
        let parts = annotate_page(&mut self.shared.pager.borrow_mut(), number);
        self.shared.end_read();
        parts
    }

    /// Whether opening the file found the journal of a transaction that was cut short, and took
    /// that transaction back.
    #[must_use]
    pub fn recovered(&self) -> bool {
        self.shared.pager.borrow().recovered()
    }
}

impl Shared {
    /// The catalog as the file has it now. A read or a transaction must be under way.
    pub(crate) fn catalog(&self) -> Result<Arc<Catalog>> {
        let mut pager = self.pager.borrow_mut();
        let mut catalog = self.catalog.borrow_mut();
        let cookie = pager.schema_cookie()?;
        if let Some(catalog) = catalog.as_ref().filter(|catalog| catalog.cookie == cookie) {
            return Ok(Arc::clone(catalog));
        }
        Ok(Arc::clone(catalog.insert(Arc::new(Catalog::load(&mut pager)?))))
    }

    /// Forgets the catalog, after something that may have changed it back.
    pub(crate) fn forget_catalog(&self) {
        *self.catalog.borrow_mut() = None;
    }

    /// The next number of the generator.
    pub(crate) fn random(&self) -> u64 {
        let mut x = self.random.get();
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        self.random.set(x);
        // The lowest bits of a xorshift are weak: mix.
        x.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Begins reading; [`Shared::end_read`] must follow.
    pub(crate) fn begin_read(&self) -> Result<()> {
        let begun = self.pager.borrow_mut().begin_read();
        self.or_lose_transaction(begun)?;
        self.readers.set(self.readers.get() + 1);
        Ok(())
    }

    pub(crate) fn end_read(&self) {
        self.readers.set(self.readers.get() - 1);
        if self.readers.get() == 0 && self.autocommit.get() {
            self.pager.borrow_mut().end_read();
        }
    }

    /// As in SQLite, a disk that fails costs the whole transaction. So nobody is left in one that
    /// not even ROLLBACK, which has to read the schema, can end.
    pub(crate) fn or_lose_transaction<T>(&self, result: Result<T>) -> Result<T> {
        if matches!(result, Err(Error::Io { .. })) && !self.autocommit.get() {
            let _ = self.end_transaction(false);
        }
        result
    }

    /// Runs something that writes: in the user's transaction so that it can be undone alone, or in
    /// one of its own.
    pub(crate) fn write<T>(&self, undoable: bool, run: impl FnOnce() -> Result<T>) -> Result<T> {
        let begun = self.pager.borrow_mut().begin_write();
        self.or_lose_transaction(begun)?;
        self.failed_with.set(OnConflict::Abort);
        if self.autocommit.get() {
            let result = run();
            let keep = result.is_ok() || self.failed_with.get() == OnConflict::Fail;
            let mut pager = self.pager.borrow_mut();
            let ended = if keep { pager.commit() } else { pager.rollback() };
            if ended.is_err() || !keep {
                *self.catalog.borrow_mut() = None;
                // What cannot be undone now is left to the journal, for whoever reads next.
                let _ = pager.rollback();
            }
            let reading = if self.readers.get() > 0 { pager.begin_read() } else { Ok(()) };
            return ended.and(result).and_then(|value| reading.map(|()| value));
        }
        if !undoable {
            let result = run();
            return self.after_failure(result, None);
        }
        let savepoint = self.pager.borrow_mut().savepoint()?;
        let result = run();
        if result.is_ok() {
            self.pager.borrow_mut().release(savepoint)?;
            return result;
        }
        self.after_failure(result, Some(savepoint))
    }

    /// Undoes as much as the error asks for.
    fn after_failure<T>(&self, result: Result<T>, savepoint: Option<usize>) -> Result<T> {
        let Err(error) = &result else { return result };
        let constraint = matches!(
            error,
            Error::Unique(_) | Error::NotNull(_) | Error::Check(_) | Error::ForeignKey
        );
        // As in SQLite, a disk that fails costs the whole transaction; so does what leaves half a
        // statement behind.
        let broken = matches!(error, Error::Io { .. })
            || (savepoint.is_none()
                && matches!(error, Error::Corrupt { .. } | Error::Full | Error::Interrupted));
        let whole = constraint && self.failed_with.get() == OnConflict::Rollback;
        if whole || broken {
            self.end_transaction(false)?;
        } else if let Some(savepoint) = savepoint {
            let keep = constraint && self.failed_with.get() == OnConflict::Fail;
            if !keep {
                *self.catalog.borrow_mut() = None;
            }
            let mut pager = self.pager.borrow_mut();
            let undone = if keep { Ok(()) } else { pager.rollback_to(savepoint) };
            let undone = undone.and_then(|()| pager.release(savepoint));
            drop(pager);
            if undone.is_err() {
                // The statement could not be taken back alone.
                self.end_transaction(false)?;
            }
        }
        result
    }

    /// COMMIT or ROLLBACK. The transaction is over in any case: a commit that fails is rolled back, as
    /// in SQLite, and what cannot be undone now is left to the journal.
    pub(crate) fn end_transaction(&self, commit: bool) -> Result<()> {
        let mut pager = self.pager.borrow_mut();
        let ended = match commit {
            true if !pager.in_write() => Ok(()),
            true => pager.commit(),
            false => pager.rollback(),
        };
        if !commit || ended.is_err() {
            *self.catalog.borrow_mut() = None;
            let _ = pager.rollback();
        }
        self.autocommit.set(true);
        self.savepoints.borrow_mut().clear();
        // Whoever is reading goes on; the statement that ends the transaction is such a reader.
        let reading = if self.readers.get() > 0 { pager.begin_read() } else { Ok(()) };
        ended.and(reading)
    }
}
