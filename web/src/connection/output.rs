//! The way out (day 1): answers gather in a buffer and leave in one write, and never twice.

use std::io::{self, ErrorKind, IoSlice};
use std::net::Shutdown;
use std::time::{Duration, Instant};

use super::{COPY_BYTES_MAX, Connection, left, moment, retry};

/// An output buffer larger than this is given back after the flush.
const OUTPUT_BYTES_KEPT: usize = 64 * 1024;

/// How long to read on when the peer is known to send, or may well.
pub(crate) const LINGER: Duration = Duration::from_secs(1);
/// How long when the closing is our wish alone: a next request may have crossed it.
pub(crate) const LINGER_BRIEFLY: Duration = Duration::from_millis(1);

impl Connection {
    /// Appends to what is due, or sends it at once if it is large.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.len() <= COPY_BYTES_MAX {
            self.output.extend_from_slice(bytes);
            if self.output.len() <= OUTPUT_BYTES_KEPT { Ok(()) } else { self.flush() }
        } else {
            self.send(bytes)
        }
    }

    /// Sends what is due.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if self.output.is_empty() { Ok(()) } else { self.send(b"") }
    }

    /// Sends what is due and then `more`, without joining them in memory.
    fn send(&mut self, more: &[u8]) -> io::Result<()> {
        let output = std::mem::take(&mut self.output);
        // After a failure nothing is due any more: half an answer must not be followed by itself.
        self.send_all(&output, more)?;
        if output.capacity() <= OUTPUT_BYTES_KEPT {
            self.output = output;
            self.output.clear();
        }
        Ok(())
    }

    /// Sends one after the other. A peer that takes less than the minimum rate for long is given up.
    fn send_all(&mut self, first: &[u8], second: &[u8]) -> io::Result<()> {
        let since = Instant::now();
        let total = first.len() + second.len();
        let mut sent = 0;
        let mut at_once = None;
        while sent < total {
            let head = &first[sent.min(first.len())..];
            let tail = &second[sent.saturating_sub(first.len())..];
            let wrote = retry(|| match (head, tail) {
                ([], only) | (only, []) => self.stream.write(only),
                _ => self.stream.write_vectored(&[IoSlice::new(head), IoSlice::new(tail)]),
            })?;
            if wrote == 0 {
                return Err(ErrorKind::WriteZero.into());
            }
            sent += wrote;
            if sent < total {
                // What the kernel could take at once says nothing about the peer.
                let taken = sent - *at_once.get_or_insert(sent);
                let earned = self.limits.transfer_time(taken as u64);
                let allowed = self.limits.write_timeout.saturating_add(earned);
                left(moment(since, allowed)).ok_or(ErrorKind::TimedOut)?;
            }
        }
        Ok(())
    }

    /// Closes without cutting off the answer: if the peer is still sending when a socket is
    /// closed, the kernel answers with a reset that may overtake our last bytes. So: say that we
    /// are done, then read, for so long at most, until the peer is done too.
    pub(crate) fn close_gently(mut self, linger: Duration) {
        let until = Instant::now() + linger;
        if self.flush().is_err() || self.stream.shutdown(Shutdown::Write).is_err() {
            return;
        }
        let mut scrap = [0; 4096];
        while let Some(timeout) = left(until) {
            if self.set_read_timeout(timeout).is_err()
                || !matches!(self.stream.read(&mut scrap), Ok(1..))
            {
                return;
            }
        }
    }
}

impl Drop for Connection {
    /// The last answer of a connection is still in the output when its loop returns: it goes out
    /// here. So do the answers to pipelined requests before one whose handler panics.
    fn drop(&mut self) {
        let _ = self.flush();
    }
}
