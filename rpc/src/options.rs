//! Day 2: the options of a client, set before it connects.

use std::time::Duration;

use crate::codec::Dialect;
use crate::gob::MESSAGE_BYTES_MAX;

/// How a client connects and what it asks for.
#[derive(Debug, Clone)]
pub struct Options {
    /// The language; GeeRPC with gob unless said otherwise.
    pub dialect: Dialect,
    /// The longest that connecting may take; zero is no limit. 10 seconds by default. Two things
    /// std cannot limit: looking up a name, and connecting to a Unix socket.
    pub connect_timeout: Duration,
    /// What the server is asked to give a call at most; zero, the default, is no limit. Only the
    /// GeeRPC dialect can ask.
    pub handle_timeout: Duration,
    /// The longest message that is read, in bytes: 4 MiB by default.
    pub message_bytes_max: usize,
    /// How long a message that has begun may take to arrive, and a write to make progress:
    /// 30 seconds by default.
    pub message_timeout: Duration,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            dialect: Dialect::default(),
            connect_timeout: Duration::from_secs(10),
            handle_timeout: Duration::ZERO,
            message_bytes_max: MESSAGE_BYTES_MAX,
            message_timeout: Duration::from_secs(30),
        }
    }
}
