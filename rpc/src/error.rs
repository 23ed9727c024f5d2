//! Day 1: everything that can go wrong, in one enum.
//!
//! Two questions matter to a caller: *whose* fault is it, and does the connection live on? A
//! [`Remote`](Error::Remote), [`Timeout`](Error::Timeout) or [`Mismatch`](Error::Mismatch) ends
//! one call; [`Shutdown`](Error::Shutdown) and [`Lost`](Error::Lost) end them all.
//! The error is `Clone`, because the loss of one connection is told to every call that waits on it.
//! The texts are Go's wherever a Go program would print the same thing, since some of them travel.

use std::sync::Arc;
use std::time::Duration;
use std::{error, fmt, io};

use web::log::go_duration;

/// What went wrong.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused; `doing` names what was being tried.
    Io {
        /// What was being done: `connect to 127.0.0.1:1`.
        doing: String,
        /// The operating system's own words.
        source: Arc<io::Error>,
    },
    /// The HTTP side failed: a route, a request to the registry.
    Http(Arc<web::Error>),
    /// The stream ended in the middle of a message.
    UnexpectedEof,
    /// Bytes that no encoder writes.
    Corrupt(&'static str),
    /// A well-formed value that is not what the receiver's type asks for.
    Mismatch(String),
    /// A number too big for the receiver's field, which is named.
    OutOfRange(String),
    /// A message, a definition or a value is larger than its limit.
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// How large it would be, in bytes.
        size: u64,
        /// The largest allowed, in bytes.
        limit: u64,
        /// The setting that raises the limit, if there is one.
        setting: Option<&'static str>,
    },
    /// Values, or types in types, nested more than 100 deep.
    TooDeep,
    /// A message had not arrived, or could not be sent, in the time a message is given.
    Stalled(Duration),
    /// The server answered with an error; the text is the method's own.
    Remote(String),
    /// The caller's deadline passed.
    Timeout,
    /// The caller cancelled the call.
    Canceled,
    /// No connection within the given time.
    ConnectTimeout(Duration),
    /// The client is closed.
    Shutdown,
    /// The connection ended while calls were waiting; the reason is inside, if there was one.
    Lost(Option<Arc<Error>>),
    /// The opening of a connection was refused: magic number, codec, options, HTTP answer.
    Handshake(String),
    /// A service or method of this name exists already.
    Duplicate(String),
    /// An address, a name or an option that cannot be used.
    Invalid(String),
    /// No server is known.
    NoServers,
    /// So many methods still ran when the grace of a shutdown was over.
    StillRunning(usize),
}

/// The crate's result.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An [`Error::Io`] that says what was being done.
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Error {
        let doing = doing.into();
        move |source| Error::Io { doing, source: Arc::new(source) }
    }

    /// Whether nothing has arrived *yet*: the read timed out and may be tried again.
    pub(crate) fn is_not_yet(&self) -> bool {
        matches!(self, Error::Io { source, .. }
            if matches!(source.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut))
    }

    /// Whether the whole connection is gone, and not one call only.
    #[must_use]
    pub fn is_connection_lost(&self) -> bool {
        matches!(self, Error::Shutdown | Error::Lost(_))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Io { doing, source } => write!(f, "{doing}: {source}"),
            Error::Http(source) => write!(f, "{source}"),
            Error::UnexpectedEof => f.write_str("unexpected EOF"),
            Error::Corrupt(what) => f.write_str(what),
            Error::Mismatch(what) | Error::Handshake(what) | Error::Invalid(what) => {
                f.write_str(what)
            }
            Error::OutOfRange(field) => write!(f, "value for {field:?} out of range"),
            Error::TooLarge { what, size, limit, setting } => {
                write!(f, "{what} is {size} bytes, the limit is {limit}")?;
                setting.map_or(Ok(()), |setting| write!(f, "; raise {setting}"))
            }
            Error::TooDeep => f.write_str("values nested more than 100 deep"),
            Error::Stalled(limit) => {
                write!(f, "the peer stalled in mid-message for {}", go_duration(*limit))
            }
            Error::Remote(text) => f.write_str(text),
            Error::Timeout => f.write_str("rpc client: call failed: context deadline exceeded"),
            Error::Canceled => f.write_str("rpc client: call failed: context canceled"),
            Error::ConnectTimeout(limit) => {
                write!(f, "rpc client: connect timeout: expect within {}", go_duration(*limit))
            }
            Error::Shutdown => f.write_str("connection is shut down"),
            Error::Lost(None) => f.write_str("the connection was closed by the server"),
            Error::Lost(Some(reason)) => write!(f, "the connection was lost: {reason}"),
            Error::Duplicate(name) => write!(f, "rpc: service already defined: {name}"),
            Error::NoServers => f.write_str("rpc discovery: no available servers"),
            Error::StillRunning(count) => {
                write!(f, "rpc server: {count} calls still run after the grace of the shutdown")
            }
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Error::Io { source, .. } => Some(source.as_ref()),
            Error::Http(source) => Some(source.as_ref()),
            Error::Lost(Some(reason)) => Some(reason.as_ref()),
            _ => None,
        }
    }
}

impl From<web::Error> for Error {
    fn from(error: web::Error) -> Error {
        Error::Http(Arc::new(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_what_and_why() {
        let lost = Error::Lost(Some(Arc::new(Error::UnexpectedEof)));
        assert_eq!(lost.to_string(), "the connection was lost: unexpected EOF");
        assert!(error::Error::source(&lost).is_some());
        let large = |setting| Error::TooLarge { what: "the option", size: 9, limit: 4, setting };
        assert_eq!(large(None).to_string(), "the option is 9 bytes, the limit is 4");
        let raise = large(Some("message_bytes_max")).to_string();
        assert_eq!(raise, "the option is 9 bytes, the limit is 4; raise message_bytes_max");
        assert_eq!(Error::OutOfRange("X".to_owned()).to_string(), "value for \"X\" out of range");
    }
}
