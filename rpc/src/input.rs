//! Day 1: the one buffered reader of a connection.
//!
//! A connection changes its language as it goes: an HTTP request line, a JSON option, then gob.
//! In the Go tutorial each of them had a reader with a buffer of its own, and what one had read
//! too much was lost to the next: a first request that came in the same packet as the option
//! was never seen, and both sides waited for ever (RPC-1, the reason its demos begin with a sleep).
//!
//! Here one [`Input`] lives as long as its connection and is *moved* from one parser to the next,
//! with whatever it holds. The type system keeps the promise: after the move the old parser has
//! nothing left to read from.
//!
//! Everything is read as "make sure that so many bytes are here" ([`Input::want`]), and a message
//! is looked at only when it is here as a whole. So a read that times out halfway changes nothing
//! but the buffer, and can simply be tried again. The buffer grows with the bytes that arrive, not
//! with the length that a peer announces.

use std::fmt;
use std::io;

use crate::{Error, Result};

/// How many bytes one read asks for.
const CHUNK_BYTES: usize = 16 * 1024;

/// Where bytes come from.
///
/// Everything that is [`io::Read`] is one; a socket has its own, since it has to know when a
/// message has begun to arrive (from then on it may take only so long).
pub trait Source: Send {
    /// Reads some bytes; 0 is the end. If a part of a message is here already, `begun` is the
    /// place in the stream where that message begins.
    ///
    /// # Errors
    /// Those of the reader; `WouldBlock` and `TimedOut` mean "not yet".
    fn fetch(&mut self, buf: &mut [u8], begun: Option<u64>) -> io::Result<usize>;
}

impl<R: io::Read + Send> Source for R {
    fn fetch(&mut self, buf: &mut [u8], _begun: Option<u64>) -> io::Result<usize> {
        io::Read::read(self, buf)
    }
}

/// A source and the bytes of it that nobody has used yet.
pub struct Input {
    source: Box<dyn Source>,
    buf: Vec<u8>,
    /// The unread bytes are `buf[pos..filled]`; the rest of `buf` is room.
    pos: usize,
    filled: usize,
    /// How many bytes have been stepped over since the stream began.
    skipped: u64,
}

impl Input {
    /// An input over `source`, beginning with the bytes `already` read from it.
    pub fn new(source: impl Source + 'static, already: Vec<u8>) -> Input {
        let filled = already.len();
        Input { source: Box::new(source), buf: already, pos: 0, filled, skipped: 0 }
    }

    /// The bytes that are here.
    #[must_use]
    pub fn here(&self) -> &[u8] {
        &self.buf[self.pos..self.filled]
    }

    /// Steps over `count` of the bytes that are here.
    pub fn skip(&mut self, count: usize) {
        let count = count.min(self.filled - self.pos);
        self.pos += count;
        self.skipped += count as u64;
    }

    /// Reads until at least `count` bytes are here; false if the stream ends before.
    ///
    /// # Errors
    /// [`Error::Io`]; after a timeout nothing is lost, and the same call may be made again.
    pub fn want(&mut self, count: usize) -> Result<bool> {
        while self.filled - self.pos < count {
            if !self.more(count)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads once, with room for `count` bytes or a chunk; false at the end of the stream.
    fn more(&mut self, count: usize) -> Result<bool> {
        if self.pos == self.filled {
            (self.pos, self.filled) = (0, 0);
        } else if self.pos > 0 && self.pos + count > self.buf.len() {
            self.buf.copy_within(self.pos..self.filled, 0);
            (self.pos, self.filled) = (0, self.filled - self.pos);
        }
        // At most doubled: an announced length buys no memory before its bytes are here.
        if self.buf.len() == self.filled {
            self.buf.resize(self.filled + self.filled.clamp(CHUNK_BYTES, 1 << 20), 0);
        }
        let begun = (self.filled > self.pos).then_some(self.skipped);
        loop {
            match self.source.fetch(&mut self.buf[self.filled..], begun) {
                Ok(count) => {
                    self.filled += count;
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::io("read")(error)),
            }
        }
    }

    /// Gives back the room of a large message that is past, so that an idle connection is small.
    pub(crate) fn shrink(&mut self) {
        if self.buf.len() > 16 * CHUNK_BYTES && self.filled - self.pos < CHUNK_BYTES {
            self.buf.copy_within(self.pos..self.filled, 0);
            (self.pos, self.filled) = (0, self.filled - self.pos);
            self.buf.truncate(CHUNK_BYTES);
            self.buf.shrink_to_fit();
        }
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Input {{ {} bytes here }}", self.here().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    /// Hands out one scripted piece a read; an empty piece is a timeout.
    struct Pieces(VecDeque<&'static [u8]>);

    impl Source for Pieces {
        fn fetch(&mut self, buf: &mut [u8], _begun: Option<u64>) -> io::Result<usize> {
            match self.0.pop_front() {
                None => Ok(0),
                Some([]) => Err(io::ErrorKind::WouldBlock.into()),
                Some(piece) => {
                    buf[..piece.len()].copy_from_slice(piece);
                    Ok(piece.len())
                }
            }
        }
    }

    #[test]
    fn what_was_read_too_much_waits_for_the_next_reader() {
        let mut input = Input::new(Pieces(VecDeque::from([&b"option\ngob"[..]])), Vec::new());
        assert!(input.want(7).unwrap());
        input.skip(7);
        assert_eq!(input.here(), b"gob");
        assert!(!input.want(4).unwrap(), "the stream ends before a fourth byte");
    }

    #[test]
    fn a_timeout_halfway_loses_nothing() {
        let pieces = VecDeque::from([&b"ab"[..], b"", b"cd"]);
        let mut input = Input::new(Pieces(pieces), b"_".to_vec());
        assert!(input.want(5).unwrap_err().is_not_yet());
        assert_eq!(input.here(), b"_ab");
        assert!(input.want(5).unwrap());
        assert_eq!(input.here(), b"_abcd");
    }

    #[test]
    fn an_announced_length_allocates_nothing() {
        let mut input = Input::new(io::empty(), Vec::new());
        assert!(!input.want(usize::MAX / 2).unwrap());
        assert!(input.buf.len() <= CHUNK_BYTES);
    }
}
