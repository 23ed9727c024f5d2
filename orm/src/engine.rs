//! The engine: the open database, its dialect and its log (day 1).
//!
//! ```
//! use orm::Engine;
//!
//! # fn main() -> orm::Result<()> {
//! let mut engine = Engine::quiet("sqlite3", ":memory:")?;
//! let mut session = engine.session();
//! session.raw("CREATE TABLE User(Name text)", &[]).exec()?;
//! let affected = session.raw("INSERT INTO User(`Name`) values (?), (?)", &[&"Tom", &"Sam"]).exec()?;
//! assert_eq!(affected, 2);
//! # Ok(())
//! # }
//! ```
//!
//! # One session at a time
//! [`Engine::session`] takes `&mut self`: while a session exists there is no second one on the same
//! engine, because both would run in the same transaction. Go's pool hides that by opening more
//! connections, and hands a learner `database is locked` instead. Whoever wants two connections
//! opens two engines.

use crate::driver::{Connection, Driver, SqliteDriver};
use crate::{Dialect, Error, Logger, Result, Session};

/// An open database.
#[derive(Debug)]
pub struct Engine {
    connection: Box<dyn Connection>,
    dialect: &'static dyn Dialect,
    log: Logger,
}

impl Engine {
    /// Opens the database `source` with the driver of this name, and logs to stdout. The one built-in
    /// driver is `sqlite3`; its source is a path or `:memory:`.
    ///
    /// # Errors
    /// [`Error::UnknownDriver`], or the driver's.
    pub fn open(driver: &str, source: &str) -> Result<Engine> {
        Engine::named(driver, source, Logger::stdout())
    }

    /// [`Engine::open`] without a log.
    ///
    /// # Errors
    /// Those of [`Engine::open`].
    pub fn quiet(driver: &str, source: &str) -> Result<Engine> {
        Engine::named(driver, source, Logger::disabled())
    }

    /// Opens a database with a driver and a log of the caller's.
    ///
    /// # Errors
    /// The driver's.
    pub fn open_with(driver: &dyn Driver, source: &str, log: Logger) -> Result<Engine> {
        let connection = driver.open(source).inspect_err(|error| log.error(error))?;
        log.info("Connect database success");
        Ok(Engine { connection, dialect: driver.dialect(), log })
    }

    fn named(driver: &str, source: &str, log: Logger) -> Result<Engine> {
        match driver {
            "sqlite3" => Engine::open_with(&SqliteDriver, source, log),
            unknown => {
                let error = Error::UnknownDriver(unknown.to_owned());
                log.error(&error);
                Err(error)
            }
        }
    }

    /// A session, in which statements run.
    pub fn session(&mut self) -> Session<'_> {
        Session::new(self)
    }

    /// Runs `f` in a transaction: see [`Session::transaction`].
    ///
    /// # Errors
    /// That of `f`, or of the commit.
    pub fn transaction<T>(&mut self, f: impl FnOnce(&mut Session<'_>) -> Result<T>) -> Result<T> {
        self.session().transaction(f)
    }

    /// Closes the database. Dropping the engine does the same without the log line.
    pub fn close(self) {
        let Engine { connection, log, .. } = self;
        drop(connection);
        log.info("Close database success");
    }

    /// How the database spells its SQL.
    #[must_use]
    pub fn dialect(&self) -> &'static dyn Dialect {
        self.dialect
    }

    /// The log.
    #[must_use]
    pub fn log(&self) -> &Logger {
        &self.log
    }

    pub(crate) fn connection(&self) -> &dyn Connection {
        &*self.connection
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::tests::Memory;

    #[test]
    fn opening_and_closing_are_logged() {
        let memory = Memory::default();
        Engine::open_with(&SqliteDriver, ":memory:", memory.logger()).unwrap().close();
        assert!(memory.text().contains(": Connect database success\n"), "{}", memory.text());
        assert!(memory.text().ends_with(": Close database success\n"), "{}", memory.text());
    }

    #[test]
    fn an_unknown_driver_or_a_file_of_another_kind_is_an_error() {
        let error = Engine::quiet("mysql", "x").unwrap_err();
        assert!(matches!(&error, Error::UnknownDriver(name) if name == "mysql"), "{error}");
        let memory = Memory::default();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/engine.rs");
        let opened = Engine::open_with(&SqliteDriver, source, memory.logger());
        assert_eq!(opened.unwrap_err().to_string(), "file is not a database");
        assert!(!memory.text().contains("success"), "{}", memory.text());
    }
}
