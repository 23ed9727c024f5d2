//! What can go wrong in the ORM, each cause a variant of its own (day 1).
//!
//! Go programs compare error texts, `err.Error() == "NOT FOUND"`, and break when a text changes.
//! Here the caller matches on a variant and reads what was concerned from its fields:
//!
//! ```
//! use orm::{Engine, Error};
//!
//! # fn main() -> orm::Result<()> {
//! let mut engine = Engine::quiet("sqlite3", ":memory:")?;
//! let mut session = engine.session();
//! session.raw("CREATE TABLE User(Name text PRIMARY KEY)", &[]).exec()?;
//! session.raw("INSERT INTO User VALUES (?)", &[&"Tom"]).exec()?;
//! match session.raw("INSERT INTO User VALUES (?)", &[&"Tom"]).exec() {
//!     Err(Error::UniqueViolation { table, column }) => assert_eq!((&*table, &*column), ("User", "Name")),
//!     other => panic!("{other:?}"),
//! }
//! # Ok(())
//! # }
//! ```

use std::{error, fmt};

use crate::sql;

/// The result of everything in the ORM.
pub type Result<T> = std::result::Result<T, Error>;

/// Why the ORM could not do what was asked.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// No row fits.
    NotFound,
    /// No driver of this name.
    UnknownDriver(String),
    /// A row with this key is there already.
    UniqueViolation {
        /// The table.
        table: String,
        /// The column, or several as `a, b`.
        column: String,
    },
    /// NULL for a column that is NOT NULL.
    NotNull {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// A CHECK constraint said no: its name or its text.
    Check(String),
    /// A FOREIGN KEY constraint said no.
    ForeignKey,
    /// The SQL text fits no rule.
    Syntax {
        /// Where, in bytes from the start of the text.
        offset: usize,
        /// The database's own words.
        message: String,
    },
    /// No table of this name.
    NoSuchTable(String),
    /// No column of this name, in the database or in the model.
    NoSuchColumn {
        /// The table that lacks it, where a database says so: SQLite does for an INSERT. Empty otherwise.
        table: String,
        /// The column.
        column: String,
    },
    /// A value that the field, or the column, cannot hold.
    TypeMismatch {
        /// The column.
        column: String,
        /// What was found and what is wanted.
        what: String,
    },
    /// An update or delete that would touch each row of the table.
    MissingWhere,
    /// A migration that would lose something nobody said may be lost.
    WouldLose(String),
    /// The operating system refused; the source has its words.
    Io(Box<dyn error::Error + Send + Sync>),
    /// The bytes of the database contradict its format.
    Corrupt {
        /// The page, 0 where no single one is to blame.
        page: u32,
        /// The database's own words.
        message: String,
    },
    /// Another connection holds the database.
    Busy,
    /// A call that makes no sense; the text says what to do.
    Misuse(&'static str),
    /// Anything else that the database says, in its own words.
    Database(Box<dyn error::Error + Send + Sync>),
    /// A hook or a transaction's closure gave up, with an error of its own.
    Aborted(Box<dyn error::Error + Send + Sync>),
}

impl Error {
    /// The error of a hook, or of a closure, that gives up: `Error::abort("too young")`.
    pub fn abort(why: impl Into<Box<dyn error::Error + Send + Sync>>) -> Error {
        Error::Aborted(why.into())
    }

    pub(crate) fn no_column(name: &str) -> Error {
        Error::NoSuchColumn { table: String::new(), column: name.to_owned() }
    }

    pub(crate) fn mismatch(column: &str, what: impl Into<String>) -> Error {
        Error::TypeMismatch { column: column.to_owned(), what: what.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NotFound => write!(f, "NOT FOUND"),
            Error::UnknownDriver(name) => {
                write!(f, "unknown driver {name:?}: there is \"sqlite3\"; pass others to open_with")
            }
            Error::UniqueViolation { table, column } => {
                let columns: Vec<_> = column.split(", ").map(|c| format!("{table}.{c}")).collect();
                write!(f, "UNIQUE constraint failed: {}", columns.join(", "))
            }
            Error::NotNull { table, column } => {
                write!(f, "NOT NULL constraint failed: {table}.{column}")
            }
            Error::Check(text) => write!(f, "CHECK constraint failed: {text}"),
            Error::ForeignKey => write!(f, "FOREIGN KEY constraint failed"),
            Error::Syntax { message, .. } | Error::Corrupt { message, .. } => {
                write!(f, "{message}")
            }
            Error::NoSuchTable(name) => write!(f, "no such table: {name}"),
            Error::NoSuchColumn { table, column } if table.is_empty() => {
                write!(f, "no such column: {column}")
            }
            Error::NoSuchColumn { table, column } => {
                write!(f, "table {table} has no column named {column}")
            }
            Error::TypeMismatch { column, what } => write!(f, "column {column}: {what}"),
            Error::MissingWhere => {
                write!(f, "this would change every row; add a filter, or say .all()")
            }
            Error::WouldLose(what) => {
                write!(f, "the migration would lose {what}; allow_drop() lets it")
            }
            Error::Busy => write!(f, "database is locked"),
            Error::Misuse(what) => write!(f, "{what}"),
            Error::Io(source) | Error::Database(source) | Error::Aborted(source) => {
                write!(f, "{source}")
            }
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Error::Io(source) | Error::Database(source) | Error::Aborted(source) => Some(&**source),
            _ => None,
        }
    }
}

/// `t.a, t.b` is how the engine names columns: the table, and `a, b`.
fn split_columns(text: &str) -> (String, String) {
    let table = text.split('.').next().unwrap_or_default();
    let column = |c: &str| c.split_once('.').map_or(c, |(_, name)| name).to_owned();
    let columns: Vec<_> = text.split(", ").map(column).collect();
    (table.to_owned(), columns.join(", "))
}

impl From<sql::Error> for Error {
    fn from(error: sql::Error) -> Error {
        let message = error.to_string();
        match error {
            sql::Error::Unique(columns) => {
                let (table, column) = split_columns(&columns);
                Error::UniqueViolation { table, column }
            }
            sql::Error::NotNull(columns) => {
                let (table, column) = split_columns(&columns);
                Error::NotNull { table, column }
            }
            sql::Error::Check(text) => Error::Check(text),
            sql::Error::ForeignKey => Error::ForeignKey,
            sql::Error::Syntax { offset, .. } | sql::Error::UnrecognizedToken { offset, .. } => {
                Error::Syntax { offset, message }
            }
            // Its place is the end of the text, which only the driver knows.
            sql::Error::IncompleteInput => Error::Syntax { offset: 0, message },
            sql::Error::NoSuchTable(name) => Error::NoSuchTable(name),
            sql::Error::NoSuchColumn(name) => Error::no_column(&name),
            sql::Error::NoColumnNamed { table, column } => Error::NoSuchColumn { table, column },
            sql::Error::Corrupt { page, .. } => Error::Corrupt { page, message },
            sql::Error::Busy => Error::Busy,
            io @ (sql::Error::Io { .. } | sql::Error::CannotOpen { .. } | sql::Error::Full) => {
                Error::Io(io.into())
            }
            other => Error::Database(other.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn texts_are_sqlites_or_say_what_to_do() {
        let lacking = sql::Error::NoColumnNamed { table: "User".into(), column: "Age".into() };
        let cases: [(Error, &str); 10] = [
            (Error::NotFound, "NOT FOUND"),
            (sql::Error::Unique("User.Name".into()).into(), "UNIQUE constraint failed: User.Name"),
            (sql::Error::Unique("t.a, t.b".into()).into(), "UNIQUE constraint failed: t.a, t.b"),
            (sql::Error::NotNull("t.a".into()).into(), "NOT NULL constraint failed: t.a"),
            (sql::Error::NoSuchTable("Acc".into()).into(), "no such table: Acc"),
            (sql::Error::NoSuchColumn("Nope".into()).into(), "no such column: Nope"),
            (lacking.into(), "table User has no column named Age"),
            (Error::MissingWhere, "this would change every row; add a filter, or say .all()"),
            (
                Error::mismatch("Age", "NULL, wanted an integer"),
                "column Age: NULL, wanted an integer",
            ),
            (Error::abort("too young"), "too young"),
        ];
        for (error, want) in cases {
            assert_eq!(error.to_string(), want);
        }
    }

    #[test]
    fn the_engines_errors_keep_what_was_concerned() {
        let unique = Error::from(sql::Error::Unique("t.a, t.b".into()));
        assert!(
            matches!(unique, Error::UniqueViolation { table, column } if table == "t" && column == "a, b")
        );
        let syntax = Error::from(sql::Error::Syntax { near: "FORM".into(), offset: 9 });
        assert!(matches!(syntax, Error::Syntax { offset: 9, .. }));
        let corrupt = Error::from(sql::Error::corrupt(7, "a cell overlaps"));
        assert!(matches!(corrupt, Error::Corrupt { page: 7, .. }));
        let io = Error::from(sql::Error::io("write", "a.db", io::ErrorKind::Other.into()));
        assert!(error::Error::source(&io).is_some());
    }
}
