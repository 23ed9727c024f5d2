//! What can go wrong in this crate, as one enum: each variant is a cause and keeps its context.

use std::{fmt, io};

use crate::template::TemplateError;

/// This crate's result.
pub type Result<T> = std::result::Result<T, Error>;

/// A failure, with what a reader of the message needs in order to mend it.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The peer's bytes are not an acceptable message; a server answers `status` and closes.
    Refused {
        /// The status code that says so: 400, 408, 413, 414, 417, 431, 501 or 505; 502 where it is
        /// the [`Client`](crate::Client) that refuses an answer.
        status: u16,
        /// Which rule was broken.
        reason: &'static str,
    },
    /// The operating system refused; `doing` names what was being tried.
    Io {
        /// What was being done: `listen on 127.0.0.1:9999`.
        doing: String,
        /// The operating system's own words.
        source: io::Error,
    },
    /// A header name or value of ours that must not be sent.
    InvalidHeader {
        /// The name, as given.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A route pattern that cannot be registered.
    Pattern {
        /// The pattern, with its group's prefix.
        pattern: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Two patterns of one method that match exactly the same paths.
    RouteConflict {
        /// The method both are registered for.
        method: String,
        /// The pattern that came second and was refused.
        pattern: String,
        /// The pattern that stands.
        existing: String,
    },
    /// A URL that cannot be asked for.
    Url {
        /// The URL, as given.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// What should name a proxy is neither an address nor a network.
    Network {
        /// The text, as given.
        network: String,
    },
    /// A template that cannot be loaded or run; says file, line and column.
    Template(TemplateError),
    /// A form that is not what its Content-Type says.
    Form(&'static str),
}

impl Error {
    /// An [`Error::Io`] that says what was being done.
    pub(crate) fn io(doing: impl Into<String>, source: io::Error) -> Self {
        Error::Io { doing: doing.into(), source }
    }

    /// The status code a server answers when a request fails this way.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Error::Refused { status, .. } => *status,
            Error::Form(_) => 400,
            _ => 500,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Refused { status, reason } => write!(f, "{status}: {reason}"),
            Error::Io { doing, source } => write!(f, "{doing}: {source}"),
            Error::InvalidHeader { name, reason } => write!(f, "header {name:?}: {reason}"),
            Error::Pattern { pattern, reason } => write!(f, "route {pattern:?}: {reason}"),
            Error::RouteConflict { method, pattern, existing } => {
                write!(f, "route {method} {pattern:?} matches the same paths as {existing:?}")
            }
            Error::Url { url, reason } => write!(f, "URL {url:?}: {reason}"),
            Error::Network { network } => {
                write!(
                    f,
                    "proxy {network:?}: neither an address nor a network; write it as in 10.0.0.0/8"
                )
            }
            Error::Template(error) => write!(f, "{error}"),
            Error::Form(reason) => write!(f, "form: {reason}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io { source, .. } => Some(source),
            Error::Template(error) => Some(error),
            _ => None,
        }
    }
}
