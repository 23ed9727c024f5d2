//! What can go wrong, in one enum: [`Error`]. Each variant names the day that brings it.
//!
//! The split that matters to callers is [`Error::NotFound`] against everything else. "The key is not
//! there" is an *answer*: final, and worth remembering. All else is a failure: of the source, of a
//! peer, of the bytes that a peer sent; asking again may help.
//!
//! A flight (day 6) gives one result to many waiters, so an error is [`Clone`]; causes from outside
//! sit in an [`Arc`] for that reason.

use std::fmt;
use std::sync::Arc;

use crate::proto::Malformed;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any error from outside this crate, shared by all who wait for the same load.
pub type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// Why a value could not be had, a group not be made, a message not be read.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Error {
    /// An entry is larger than the whole cache (day 1).
    Oversize {
        /// Key and value together.
        bytes: usize,
        /// What the cache, or this shard of it, may hold.
        budget: usize,
    },
    /// A get without a key (day 2).
    EmptyKey,
    /// The source has no such key: a final answer (day 2).
    NotFound {
        /// The key, as text.
        key: String,
    },
    /// The source failed (day 2).
    Load(Cause),
    /// The loader panicked; everyone who waited for the key is told so (day 6).
    LoaderPanicked {
        /// The key, as text.
        key: String,
        /// What the panic said.
        message: String,
    },
    /// The loader of a key asked for that very key: it would wait for itself (day 6).
    LoadsItself {
        /// The key, as text.
        key: String,
    },
    /// A second group under the same name (day 2).
    DuplicateGroup {
        /// The name.
        name: String,
    },
    /// A second peer picker for a group (day 5).
    PeersAlreadySet {
        /// The group.
        group: String,
    },
    /// A peer's URL that no request can be made from (day 5).
    BadPeerUrl {
        /// The URL.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A peer could not be reached, or did not give a whole HTTP answer in time (day 5).
    PeerFailed {
        /// The peer's URL.
        peer: String,
        /// What the connection said.
        cause: Cause,
    },
    /// A peer answered with an error (day 5).
    PeerStatus {
        /// The peer's URL.
        peer: String,
        /// Such as `500 Internal Server Error`.
        status: String,
        /// The first line of the body.
        message: String,
    },
    /// A peer does not have the group: the nodes are configured differently (day 5).
    PeerLacksGroup {
        /// The peer's URL.
        peer: String,
        /// The group.
        group: String,
    },
    /// A peer's answer is not the message it should be (day 7).
    PeerAnswer {
        /// The peer's URL.
        peer: String,
        /// What is wrong with the bytes.
        cause: Box<Error>,
    },
    /// Bytes that are no protobuf message (day 7).
    Proto {
        /// The offset of the field that is wrong.
        at: usize,
        /// What is wrong there.
        cause: Malformed,
    },
}

impl Error {
    /// [`Error::NotFound`] for `key`: what a loader returns when the source has no such key.
    #[must_use]
    pub fn not_found(key: &[u8]) -> Error {
        Error::NotFound { key: text(key) }
    }

    /// [`Error::Load`]: what a loader returns when the source failed.
    #[must_use]
    pub fn load(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error::Load(cause.into().into())
    }

    /// Whether this is the final answer that the key does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Error::NotFound { .. })
    }
}

/// A key as text, for messages and logs; what is not UTF-8 shows as U+FFFD.
pub(crate) fn text(key: &[u8]) -> String {
    String::from_utf8_lossy(key).into_owned()
}

/// A line of log. Keys come from outside: a line feed in one must not look like another line.
pub(crate) fn one_line(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Oversize { bytes, budget } => {
                write!(f, "the entry is {bytes} bytes, the budget is {budget}; raise budget_bytes")
            }
            Error::EmptyKey => f.write_str("key is required"),
            Error::NotFound { key } => write!(f, "{key} not exist"),
            Error::Load(cause) => cause.fmt(f),
            Error::LoaderPanicked { key, message } => {
                write!(f, "the loader panicked at key {key:?}: {message}")
            }
            Error::LoadsItself { key } => {
                write!(f, "the loader of key {key:?} asks the group for that key itself")
            }
            Error::DuplicateGroup { name } => {
                write!(f, "there is a group {name:?} already; names are unique")
            }
            Error::PeersAlreadySet { group } => {
                write!(f, "group {group:?} has its peers already; change the pool's list instead")
            }
            Error::BadPeerUrl { url, reason } => write!(f, "peer URL {url:?}: {reason}"),
            Error::PeerFailed { peer, cause } => write!(f, "{peer}: {cause}"),
            Error::PeerStatus { peer, status, message } if message.is_empty() => {
                write!(f, "{peer}: server returned: {status}")
            }
            Error::PeerStatus { peer, status, message } => {
                write!(f, "{peer}: server returned: {status}: {message}")
            }
            Error::PeerLacksGroup { peer, group } => {
                write!(f, "{peer} has no group {group:?}; start every node with the same groups")
            }
            Error::PeerAnswer { peer, cause } => {
                write!(f, "{peer}: decoding response body: {cause}")
            }
            Error::Proto { at, cause } => write!(f, "{cause} at byte {at}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Load(cause) => cause.source(),
            Error::PeerFailed { cause, .. } => Some(&**cause),
            Error::PeerAnswer { cause, .. } => Some(&**cause),
            Error::Proto { cause, .. } => Some(cause),
            _ => None,
        }
    }
}
