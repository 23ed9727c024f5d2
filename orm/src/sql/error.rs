//! What can go wrong in the engine, each with SQLite's own text (day 0).
//!
//! SQLite answers with a code and a text; programs match on the text more often than one would
//! like (`UNIQUE constraint failed: User.Name`). So [`Error`] has one variant per cause, with what
//! was concerned as its fields, and `Display` writes the text that the `sqlite3` program shows.
//!
//! Two kinds matter to the layers below SQL: [`Error::Corrupt`] means that bytes of the file
//! contradict the format, and names the page; [`Error::Io`] means that the operating system
//! refused, and has its error as `source()`.
//!
//! Reference: <https://sqlite.org/rescode.html>.

use std::{error, fmt, io};

/// The result of everything in [`sql`](crate::sql).
pub type Result<T> = std::result::Result<T, Error>;

/// Why the engine could not do what was asked.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The parser met a token that fits no rule.
    Syntax {
        /// The token as written.
        near: String,
        /// Where it starts, in bytes from the start of the statement's text.
        offset: usize,
    },
    /// The text ends in the middle of a statement.
    IncompleteInput,
    /// A character that starts no token, or a string that does not end.
    UnrecognizedToken {
        /// The token as written.
        token: String,
        /// Where it starts, in bytes.
        offset: usize,
    },
    /// No table or view of this name.
    NoSuchTable(String),
    /// No column of this name where one was used.
    NoSuchColumn(String),
    /// INSERT names a column that its table does not have.
    NoColumnNamed {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// No index of this name.
    NoSuchIndex(String),
    /// `CREATE` of a name that is taken: kind (`table`, `index`) and name.
    AlreadyExists(&'static str, String),
    /// A UNIQUE or PRIMARY KEY constraint: the columns, `User.Name` or `t.a, t.b`.
    Unique(String),
    /// A NOT NULL constraint: the column, `User.Name`.
    NotNull(String),
    /// A CHECK constraint: its name or its text.
    Check(String),
    /// A FOREIGN KEY constraint.
    ForeignKey,
    /// A value of a type that its place cannot hold, such as text for an INTEGER PRIMARY KEY.
    Mismatch,
    /// An integer sum that fits no 64 bits.
    IntegerOverflow,
    /// The progress handler of the connection said that the statement should not go on.
    Interrupted,
    /// A string, blob or row beyond the limit of 1,000,000,000 bytes, or a lower one that was set.
    TooBig,
    /// A sort, a grouping or its like keeps more than it may.
    TooMuch {
        /// What it would keep, in bytes.
        bytes: usize,
        /// What it may: [`Connection::set_memory_max`](crate::sql::Connection::set_memory_max).
        limit: usize,
    },
    /// Any other complaint about the meaning of a statement, in SQLite's words.
    Sql(String),
    /// The operating system refused.
    Io {
        /// What was being done, a word such as `read`.
        action: &'static str,
        /// The file.
        path: String,
        /// Its answer.
        source: io::Error,
    },
    /// The database file could not be opened or made.
    CannotOpen {
        /// The file.
        path: String,
        /// The operating system's answer.
        source: io::Error,
    },
    /// The bytes of a page contradict the file format.
    Corrupt {
        /// The page, from 1; 0 when no single page is to blame.
        page: u32,
        /// What does not fit.
        what: &'static str,
    },
    /// Another connection holds a lock that this operation needs.
    Busy,
    /// The disk, or the largest page number, is reached.
    Full,
    /// The file has no SQLite header.
    NotADatabase,
    /// A write through a connection, or to a file, that only reads.
    ReadOnly,
    /// A valid file or statement that this engine does not handle; the text says what to do.
    Unsupported(String),
    /// The caller broke a rule of the interface, as with a commit outside a transaction.
    Misuse(&'static str),
}

impl Error {
    /// The same error, for a text that starts `by` bytes earlier.
    #[must_use]
    pub(crate) fn moved(mut self, by: usize) -> Error {
        if let Error::Syntax { offset, .. } | Error::UnrecognizedToken { offset, .. } = &mut self {
            *offset += by;
        }
        self
    }

    /// A [`Error::Corrupt`].
    #[cold]
    #[must_use]
    pub fn corrupt(page: u32, what: &'static str) -> Error {
        Error::Corrupt { page, what }
    }

    /// Names the page of a corruption that was found in bytes whose page was not known there.
    #[must_use]
    pub fn on_page(self, page: u32) -> Error {
        match self {
            Error::Corrupt { page: 0, what } => Error::Corrupt { page, what },
            other => other,
        }
    }

    /// An [`Error::Io`], or [`Error::Full`] when the system says that the disk is.
    #[cold]
    #[must_use]
    pub fn io(action: &'static str, path: &str, source: io::Error) -> Error {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::Full,
            _ => Error::Io { action, path: path.to_owned(), source },
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Syntax { near, .. } => write!(f, "near \"{near}\": syntax error"),
            Error::IncompleteInput => write!(f, "incomplete input"),
            Error::UnrecognizedToken { token, .. } => write!(f, "unrecognized token: \"{token}\""),
            Error::NoSuchTable(name) => write!(f, "no such table: {name}"),
            Error::NoSuchColumn(name) => write!(f, "no such column: {name}"),
            Error::NoColumnNamed { table, column } => {
                write!(f, "table {table} has no column named {column}")
            }
            Error::NoSuchIndex(name) => write!(f, "no such index: {name}"),
            Error::AlreadyExists(kind, name) => write!(f, "{kind} {name} already exists"),
            Error::Unique(columns) => write!(f, "UNIQUE constraint failed: {columns}"),
            Error::NotNull(column) => write!(f, "NOT NULL constraint failed: {column}"),
            Error::Check(text) => write!(f, "CHECK constraint failed: {text}"),
            Error::ForeignKey => write!(f, "FOREIGN KEY constraint failed"),
            Error::Mismatch => write!(f, "datatype mismatch"),
            Error::IntegerOverflow => write!(f, "integer overflow"),
            Error::Interrupted => write!(f, "interrupted"),
            Error::TooBig => write!(f, "string or blob too big"),
            Error::TooMuch { bytes, limit } => {
                let raise = "raise Connection::set_memory_max";
                write!(f, "a query keeps {bytes} bytes, the limit is {limit}; {raise}")
            }
            Error::Sql(text) => write!(f, "{text}"),
            Error::Io { action, path, source } => {
                write!(f, "disk I/O error: {action} of {path}: {source}")
            }
            Error::CannotOpen { path, source } => {
                write!(f, "unable to open database file {path}: {source}")
            }
            Error::Corrupt { page: 0, what } => {
                write!(f, "database disk image is malformed: {what}")
            }
            Error::Corrupt { page, what } => {
                write!(f, "database disk image is malformed: page {page}: {what}")
            }
            Error::Busy => write!(f, "database is locked"),
            Error::Full => write!(f, "database or disk is full"),
            Error::NotADatabase => write!(f, "file is not a database"),
            Error::ReadOnly => write!(f, "attempt to write a readonly database"),
            Error::Unsupported(what) => write!(f, "not supported: {what}"),
            Error::Misuse(what) => write!(f, "bad use of the library: {what}"),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Error::Io { source, .. } | Error::CannotOpen { source, .. } => Some(source),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;

    #[test]
    fn texts_are_sqlites() {
        let cases = [
            (Error::Syntax { near: "FORM".into(), offset: 9 }, "near \"FORM\": syntax error"),
            (Error::NoSuchTable("X".into()), "no such table: X"),
            (Error::AlreadyExists("table", "t".into()), "table t already exists"),
            (Error::Unique("User.Name".into()), "UNIQUE constraint failed: User.Name"),
            (Error::NotNull("t.a".into()), "NOT NULL constraint failed: t.a"),
            (
                Error::corrupt(7, "a cell overlaps the header"),
                "database disk image is malformed: page 7: a cell overlaps the header",
            ),
            (Error::Interrupted, "interrupted"),
            (Error::Busy, "database is locked"),
            (Error::ReadOnly, "attempt to write a readonly database"),
            (Error::NotADatabase, "file is not a database"),
        ];
        for (error, want) in cases {
            assert_eq!(error.to_string(), want);
        }
    }

    #[test]
    fn a_full_disk_is_its_own_error_and_others_keep_their_source() {
        let full = Error::io("write", "a.db", io::ErrorKind::StorageFull.into());
        assert!(matches!(full, Error::Full));
        let denied = Error::io("write", "a.db", io::ErrorKind::PermissionDenied.into());
        assert!(denied.to_string().starts_with("disk I/O error: write of a.db: "));
        assert!(denied.source().is_some());
    }
}
