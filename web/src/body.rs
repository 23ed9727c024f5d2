//! Reading a request's body (day 1): by length, or in chunks, and only when asked.
//!
//! ```text
//! Content-Length: 4            Transfer-Encoding: chunked
//!
//! ping                         5␍␊          a chunk of 5 octets (the size is hexadecimal)
//!                              hello␍␊
//!                              0␍␊          the last chunk
//!                              ␍␊           after trailer fields: none here
//! ```
//!
//! A body is not read before the handler asks. That is what makes `Expect: 100-continue` work: a
//! client that sent it waits for our "continue" and, if the handler answers without reading, never
//! sends the body at all. A body that nobody read is read and dropped, up to a bound, because the
//! next request stands behind it. References: RFC 9112 sections 6 and 7, RFC 9110 section 10.1.1.

use std::io::{self, Read};
use std::time::Instant;

use crate::connection::{BODY_TIMEOUT, Connection, LONG_LINE, is_timeout, moment};
use crate::head::refuse;
use crate::response::KEPT_BYTES_MAX;
use crate::{Error, Result};

/// A request's body, read on demand. Also a [`Read`], for bodies that need not fit in memory.
#[derive(Debug, Default)]
pub struct Body {
    /// The connection, lent by the server while a handler runs.
    pub(crate) connection: Option<Box<Connection>>,
    framing: Framing,
    /// Octets that may yet come before the body is over its limit.
    allowance: u64,
    /// The client waits for `100 Continue` before it sends.
    expects_continue: bool,
    started: Option<Instant>,
    received: u64,
    /// Set once reading failed: the request is answered with this and the connection closes.
    refused: Option<(u16, &'static str)>,
    /// What [`Body::bytes`] has read.
    content: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Framing {
    /// So many octets are left.
    Length(u64),
    /// All until the connection ends; only an answer can be framed so.
    UntilClose,
    /// A chunk-size line comes next.
    ChunkSize,
    /// So many octets of the chunk are left.
    ChunkData(u64),
    /// The trailer section comes next.
    Trailer,
}

impl Default for Framing {
    fn default() -> Self {
        Framing::Length(0)
    }
}

/// A chunk-size line: 16 digits and an extension, which is skipped.
const CHUNK_LINE_BYTES_MAX: usize = 256;
const TRAILER_BYTES_MAX: usize = 8 * 1024;
const TRAILER_TOO_LARGE: &str = "the trailer section is too large";
const ENDED: &str = "the connection ended inside the body";
/// How much of an unread body is worth reading to keep the connection.
const DRAIN_BYTES_MAX: u64 = 256 * 1024;
pub(crate) const TOO_LARGE: &str = "the body is over its limit; raise body_bytes_max";

impl Body {
    /// Prepares for the next request.
    pub(crate) fn start(&mut self, length: Option<u64>, chunked: bool, expects_continue: bool) {
        self.framing =
            if chunked { Framing::ChunkSize } else { Framing::Length(length.unwrap_or(0)) };
        self.expects_continue = expects_continue && self.framing != Framing::Length(0);
        (self.started, self.received, self.refused) = (None, 0, None);
        self.content.clear();
    }

    /// Gives back the memory of a large body: the connection may now be idle for long.
    pub(crate) fn forget(&mut self) {
        if self.content.capacity() > KEPT_BYTES_MAX {
            self.content = Vec::new();
        }
    }

    /// Prepares for an answer without a length.
    pub(crate) fn start_until_close(&mut self) {
        self.start(None, false, false);
        self.framing = Framing::UntilClose;
    }

    /// Whether only the end of the connection will tell where it ends.
    pub(crate) fn lasts_until_close(&self) -> bool {
        self.framing == Framing::UntilClose
    }

    /// Lends the connection for as long as the handler runs.
    pub(crate) fn lend(&mut self, connection: Box<Connection>) {
        // `UntilClose` frames what `client` reads: only one octet too many tells that an answer
        // without a length is too long.
        let extra = u64::from(self.framing == Framing::UntilClose);
        self.allowance = connection.limits.body_bytes_max.saturating_add(extra);
        self.connection = Some(connection);
    }

    /// Lowers how many octets this body may have; more are refused with 413.
    pub fn limit(&mut self, bytes_max: u64) {
        self.allowance = self.allowance.min(bytes_max.saturating_sub(self.received));
    }

    /// No wait for this body goes beyond `deadline`.
    pub fn finish_by(&mut self, deadline: Instant) {
        if let Some(connection) = &mut self.connection {
            connection.deadline = Some(deadline);
        }
    }

    /// The whole body, read on the first call and kept for the next. (Where [`Read`] is imported,
    /// `body.bytes()` means that trait's; write `Body::bytes(&mut body)` there.)
    ///
    /// # Errors
    /// [`Error::Refused`] with 413 if it is over the limit, 400 if its framing is broken, 408 if
    /// it comes too slowly. The request is then answered so, whatever the handler does.
    pub fn bytes(&mut self) -> Result<&[u8]> {
        if let Framing::Length(left) = self.framing
            && left > self.allowance
        {
            return Err(self.fail(Error::Refused { status: 413, reason: TOO_LARGE }));
        }
        let mut content = std::mem::take(&mut self.content);
        loop {
            // Grows with what has arrived, never with what was announced.
            let start = content.len();
            content.resize(start + start.clamp(1024, 64 * 1024), 0);
            let got = self.read_some(&mut content[start..]);
            content.truncate(start + *got.as_ref().unwrap_or(&0));
            match got {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => return Err(error),
            }
        }
        self.content = content;
        Ok(&self.content)
    }

    /// The whole body, to keep.
    pub(crate) fn take_bytes(&mut self) -> Result<Vec<u8>> {
        self.bytes()?;
        Ok(std::mem::take(&mut self.content))
    }

    /// The length that was announced and has not been read; 0 for a chunked body.
    pub(crate) fn announced(&self) -> u64 {
        if let Framing::Length(left) = self.framing { left } else { 0 }
    }

    /// Whether every octet has been read.
    pub(crate) fn is_done(&self) -> bool {
        self.framing == Framing::Length(0)
    }

    /// Why reading failed, if it did.
    pub(crate) fn refused(&self) -> Option<(u16, &'static str)> {
        self.refused
    }

    /// Whether the rest can be dropped so that the next request may be read.
    pub(crate) fn can_drain(&self) -> bool {
        match self.framing {
            Framing::Length(0) => true,
            // Nobody knows whether a client that was not told to continue will send or not.
            _ if self.expects_continue => false,
            Framing::Length(left) => left <= DRAIN_BYTES_MAX,
            _ => true,
        }
    }

    /// Reads and drops the rest; `false` if that is too much or fails.
    pub(crate) fn drain(&mut self) -> bool {
        let mut scrap = [0; 4096];
        let mut dropped = 0;
        while !self.is_done() {
            match self.read_some(&mut scrap) {
                Ok(count) if dropped + count as u64 <= DRAIN_BYTES_MAX => dropped += count as u64,
                _ => return self.is_done(),
            }
        }
        true
    }

    /// Notes why reading failed, for the answer; gives the error on.
    fn fail(&mut self, error: Error) -> Error {
        if let Error::Refused { status, reason } = error {
            self.refused = Some((status, reason));
        } else {
            self.refused = Some((400, "the body could not be read"));
        }
        error
    }

    /// Some octets of the content, 0 at its end.
    fn read_some(&mut self, out: &mut [u8]) -> Result<usize> {
        if let Some((status, reason)) = self.refused {
            return refuse(status, reason);
        }
        self.step(out).map_err(|error| self.fail(error))
    }

    /// Goes through the framing until some content is read, or the end.
    fn step(&mut self, out: &mut [u8]) -> Result<usize> {
        loop {
            match self.framing {
                Framing::Length(0) => return Ok(0),
                Framing::Length(left) => {
                    let count = self.read_data(out, left)?;
                    self.framing = Framing::Length(left - count as u64);
                    return Ok(count);
                }
                Framing::UntilClose => match self.read_data(out, u64::MAX) {
                    Err(Error::Refused { reason: ENDED, .. }) => self.framing = Framing::Length(0),
                    Ok(_) if self.allowance == 0 => return refuse(413, TOO_LARGE),
                    other => return other,
                },
                Framing::ChunkSize => {
                    let line = self.read_line(CHUNK_LINE_BYTES_MAX)?;
                    self.framing = match chunk_size(&line)? {
                        0 => Framing::Trailer,
                        size => Framing::ChunkData(size),
                    };
                }
                Framing::ChunkData(0) => {
                    self.read_line(0).map_err(too_long(400, "a chunk is longer than its size"))?;
                    self.framing = Framing::ChunkSize;
                }
                Framing::ChunkData(left) => {
                    let count = self.read_data(out, left)?;
                    self.framing = Framing::ChunkData(left - count as u64);
                    return Ok(count);
                }
                Framing::Trailer => self.skip_trailer()?,
            }
        }
    }

    /// Trailer fields could change what a header said, after it was acted upon: they are dropped.
    fn skip_trailer(&mut self) -> Result<()> {
        let mut left = TRAILER_BYTES_MAX;
        loop {
            let line = self.read_line(left).map_err(too_long(431, TRAILER_TOO_LARGE))?;
            if line.is_empty() {
                self.framing = Framing::Length(0);
                return Ok(());
            }
            let name = line.split(|&b| b == b':').next().unwrap_or_default();
            if name.len() == line.len()
                || !crate::http::is_token(name)
                || !crate::http::is_field_value(&line)
            {
                return refuse(400, "a trailer line is not a field");
            }
            match left.checked_sub(line.len() + 2) {
                Some(rest) => left = rest,
                None => return refuse(431, TRAILER_TOO_LARGE),
            }
        }
    }

    /// At least one octet of content, at most `left`.
    fn read_data(&mut self, out: &mut [u8], left: u64) -> Result<usize> {
        if self.allowance == 0 {
            return refuse(413, TOO_LARGE);
        }
        let want = left.min(self.allowance).min(out.len() as u64);
        let want = usize::try_from(want).unwrap_or(out.len());
        let timeout = crate::connection::left(self.deadline()).ok_or(BODY_TIMEOUT)?;
        self.send_continue();
        let Some(connection) = &mut self.connection else {
            return refuse(400, "the connection was taken over");
        };
        let count = match connection.read(&mut out[..want], timeout) {
            Ok(0) => return refuse(400, ENDED),
            Ok(count) => count as u64,
            Err(error) if is_timeout(&error) => return Err(BODY_TIMEOUT),
            Err(error) => return Err(Error::io("read a body", error)),
        };
        self.allowance -= count;
        self.received += count;
        Ok(usize::try_from(count).unwrap_or(want))
    }

    /// One line of the chunked framing, without its CR LF.
    fn read_line(&mut self, bytes_max: usize) -> Result<Vec<u8>> {
        let deadline = self.deadline();
        self.send_continue();
        let mut line = Vec::new();
        let Some(connection) = &mut self.connection else {
            return refuse(400, "the connection was taken over");
        };
        // Two more for CR LF.
        connection.read_line(&mut line, bytes_max + 2, deadline)?;
        Ok(line)
    }

    /// A body must keep up a minimum rate, after some grace.
    fn deadline(&mut self) -> Instant {
        let started = *self.started.get_or_insert_with(Instant::now);
        let allowed = self
            .connection
            .as_deref()
            .map(|c| c.limits.body_timeout.saturating_add(c.limits.transfer_time(self.received)));
        moment(started, allowed.unwrap_or_default())
    }

    /// Tells a client that waits for it to go on, once, unless its body has begun to come.
    fn send_continue(&mut self) {
        let Some(connection) = &mut self.connection else { return };
        if std::mem::take(&mut self.expects_continue) && connection.buffered().is_empty() {
            // Sent by the flush before the read that follows.
            connection.output.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
    }
}

impl Read for Body {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0); // asks for nothing: not to be taken for the end of the connection
        }
        self.read_some(out).map_err(io::Error::other)
    }
}

/// What a line over its limit means here.
fn too_long(status: u16, reason: &'static str) -> impl Fn(Error) -> Error {
    move |error| match error {
        Error::Refused { reason: LONG_LINE, .. } => Error::Refused { status, reason },
        other => other,
    }
}

/// Parses `SIZE [; extension]`.
fn chunk_size(line: &[u8]) -> Result<u64> {
    let digits = line.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    // RFC 9112 would have us skip spaces here; readers that differ in what a space is get smuggled.
    let after = &line[digits..];
    if digits == 0 || digits > 16 || !(after.is_empty() || after.starts_with(b";")) {
        return refuse(400, "a chunk size is not 1 to 16 hexadecimal digits");
    }
    if !crate::http::is_field_value(after) {
        return refuse(400, "a chunk extension has a control character");
    }
    let digits = std::str::from_utf8(&line[..digits]).unwrap_or_default();
    u64::from_str_radix(digits, 16).or_else(|_| refuse(400, "a chunk size is over 64 bits"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Request;

    /// A connection that once sent a megabyte does not hold it while it is idle.
    #[test]
    fn a_large_body_is_given_back_and_a_small_one_kept() {
        for (length, kept) in [(1000, true), (1_000_000, false)] {
            let mut request = Request::new("POST", "/").with_body(vec![b'x'; length]);
            assert_eq!(Body::bytes(&mut request.body).unwrap().len(), length);
            request.reset();
            let held = request.body.content.capacity();
            assert!(held <= KEPT_BYTES_MAX && (held > 0) == kept, "{length}: {held}");
        }
    }

    #[test]
    fn reading_nothing_is_not_the_end_of_the_body() {
        let mut request = Request::new("POST", "/").with_body("ping");
        assert_eq!(request.body.read(&mut []).unwrap(), 0);
        assert_eq!(Body::bytes(&mut request.body).unwrap(), b"ping");
    }
}
