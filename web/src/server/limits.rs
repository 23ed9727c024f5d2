//! What one connection may take, in octets and in time (day 1).
//!
//! Without these a client that sends a header for ever costs us all memory, and one that sends
//! nothing costs us a thread for ever.

use std::time::Duration;

/// What one connection may take, in octets and in time.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// A longer request line is answered 414. 8 KiB.
    pub request_line_bytes_max: usize,
    /// A longer head is answered 431. 64 KiB.
    pub head_bytes_max: usize,
    /// More header fields are answered 431. 100.
    pub fields_max: usize,
    /// A longer body is answered 413. 2 MiB.
    pub body_bytes_max: u64,
    /// From a connection's start to its first octet, and from a head's first octet to its end.
    /// 10 s.
    pub head_timeout: Duration,
    /// How long a body may take to arrive, beyond what the minimum rate earns. 10 s.
    pub body_timeout: Duration,
    /// How long a connection may be silent between two requests. 75 s.
    pub idle_timeout: Duration,
    /// How long a client may take to accept what is sent in one go - answers that were gathered, a
    /// block of a file - beyond what the minimum rate earns. 30 s.
    pub write_timeout: Duration,
    /// Octets per second that must move, in either direction, once the timeout above has passed: so
    /// many octets earn one more second. 1 KiB.
    pub rate_min: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            request_line_bytes_max: 8 * 1024,
            head_bytes_max: 64 * 1024,
            fields_max: 100,
            body_bytes_max: 2 * 1024 * 1024,
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            write_timeout: Duration::from_secs(30),
            rate_min: 1024,
        }
    }
}

impl Limits {
    /// How long so many octets may take at the minimum rate.
    pub(crate) fn transfer_time(&self, octets: u64) -> Duration {
        Duration::from_secs(octets / self.rate_min.max(1))
    }
}
