//! One connection's bytes (day 1): a buffer in, a buffer out, and a deadline on every wait.
//!
//! ```text
//!            input                                   output
//!   ┌────────┬──────────────┬───────┐        ┌──────────────────────┐
//!   │ served │ buffered     │ free  │        │ answers not yet sent │──► one write, just before
//!   └────────┴──────────────┴───────┘        └──────────────────────┘    we would block in a read
//!            start          end
//! ```
//!
//! Sixteen pipelined requests that arrive in one read are answered by one write: that is what
//! "flush before blocking" buys, and why no other code calls `read` on the socket.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use crate::head::{HeadParser, Lines, refuse};
use crate::request::Request;
use crate::server::Limits;
use crate::{Error, Result};

/// What a connection needs of a socket; a test puts memory in its place.
pub(crate) trait Stream: Read + Write + Send {
    fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()>;
    fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()>;
    fn shutdown(&self, how: Shutdown) -> io::Result<()>;
    /// Told before (`true`) and after a wait for the next request. `false` as the answer: the
    /// server is closing or needs the thread, do not wait.
    fn idle(&self, _waiting: bool) -> bool {
        true
    }
    /// Whether the next answer should be this connection's last.
    fn last_answer(&self) -> bool {
        false
    }
    /// The socket itself, for a handler that takes the connection over.
    fn socket(&self) -> Option<TcpStream> {
        None
    }
}

/// A stream with its buffers.
pub(crate) struct Connection {
    stream: Box<dyn Stream>,
    input: Vec<u8>,
    start: usize,
    end: usize,
    pub(crate) output: Vec<u8>,
    pub(crate) limits: Limits,
    /// The timeout the socket has, so that setting it again costs no system call.
    read_timeout: Duration,
    head: HeadParser,
    /// How many heads have been read.
    served: u64,
    /// No wait goes beyond this, whatever its own timeout.
    pub(crate) deadline: Option<Instant>,
}

/// Bytes a fresh connection can buffer; grown on demand, shrunk again when idle.
const INPUT_BYTES: usize = 4 * 1024;
/// Answers up to this size are copied into the output buffer; larger ones are written from where
/// they are.
const COPY_BYTES_MAX: usize = 16 * 1024;
/// An output buffer larger than this is given back after the flush.
const OUTPUT_BYTES_KEPT: usize = 64 * 1024;

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Connection({} bytes in, {} out)", self.end - self.start, self.output.len())
    }
}

impl Connection {
    /// A fresh connection; sets both timeouts.
    pub(crate) fn new(stream: Box<dyn Stream>, limits: Limits) -> io::Result<Self> {
        stream.set_write_timeout(Some(limits.write_timeout))?;
        stream.set_read_timeout(Some(limits.head_timeout))?;
        Ok(Connection {
            stream,
            input: Vec::new(),
            start: 0,
            end: 0,
            output: Vec::new(),
            limits,
            read_timeout: limits.head_timeout,
            head: HeadParser::default(),
            served: 0,
            deadline: None,
        })
    }

    /// A connection that has `input` and then ends.
    pub(crate) fn from_memory(input: Vec<u8>) -> Self {
        let end = input.len();
        Connection {
            stream: Box::new(Memory),
            input,
            start: 0,
            end,
            output: Vec::new(),
            limits: Limits::default(),
            read_timeout: Duration::ZERO,
            head: HeadParser::default(),
            served: 0,
            deadline: None,
        }
    }

    /// What has arrived and is not yet used.
    pub(crate) fn buffered(&self) -> &[u8] {
        &self.input[self.start..self.end]
    }

    /// Marks bytes of [`Connection::buffered`] as used.
    pub(crate) fn consume(&mut self, bytes: usize) {
        self.start += bytes;
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Reads the next request's head. `false`: the peer closed, or was idle for too long, between
    /// two requests.
    pub(crate) fn read_head(&mut self, request: &mut Request) -> Result<bool> {
        request.reset();
        let mut deadline = None;
        loop {
            let mut head = std::mem::take(&mut self.head);
            let step = head.advance(self.buffered(), &self.limits, request);
            self.head = head;
            if let Some(length) = step? {
                self.consume(length);
                self.served += 1;
                return Ok(true);
            }
            let begun = self.head.has_begun();
            let timeout = match deadline {
                // A fresh socket has the head's timeout already: one system call saved.
                _ if !begun && self.served == 0 => self.limits.head_timeout,
                _ if !begun => self.limits.idle_timeout,
                Some(deadline) => left(deadline).ok_or(HEAD_TIMEOUT)?,
                None => {
                    deadline = Some(Instant::now() + self.limits.head_timeout);
                    self.limits.head_timeout
                }
            };
            if !begun && !self.wait_idle()? {
                return Ok(false);
            }
            let got = self.fill(timeout);
            if !begun {
                self.stream.idle(false);
            }
            match got {
                Ok(0) if begun => return refuse(400, "the connection ended inside a head"),
                Ok(0) => return Ok(false),
                Ok(_) => {}
                Err(error) if is_timeout(&error) && begun => return Err(HEAD_TIMEOUT),
                Err(error) if is_timeout(&error) => return Ok(false),
                Err(error) => return Err(Error::io("reading a request", error)),
            }
        }
    }

    fn wait_idle(&mut self) -> Result<bool> {
        self.flush().map_err(|error| Error::io("sending an answer", error))?;
        if self.input.len() > COPY_BYTES_MAX && self.start == self.end {
            self.input = Vec::new();
        }
        Ok(self.stream.idle(true))
    }

    /// Sends what is due, then reads once; 0 is the end of the stream.
    pub(crate) fn fill(&mut self, timeout: Duration) -> io::Result<usize> {
        self.flush()?;
        if self.start > 0 && (self.end == self.input.len() || self.start == self.end) {
            self.input.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.end == self.input.len() {
            self.input.resize((self.input.len() * 2).max(INPUT_BYTES), 0);
        }
        self.set_read_timeout(self.until_deadline(timeout)?)?;
        let got = retry(|| self.stream.read(&mut self.input[self.end..]))?;
        self.end += got;
        Ok(got)
    }

    /// Reads once into `out`: what is buffered first, else straight from the socket.
    pub(crate) fn read(&mut self, out: &mut [u8], timeout: Duration) -> io::Result<usize> {
        if self.start == self.end {
            if out.len() < INPUT_BYTES {
                self.fill(timeout)?;
            } else {
                self.flush()?;
                self.set_read_timeout(self.until_deadline(timeout)?)?;
                return retry(|| self.stream.read(out));
            }
        }
        let count = out.len().min(self.end - self.start);
        out[..count].copy_from_slice(&self.input[self.start..self.start + count]);
        self.consume(count);
        Ok(count)
    }

    /// Waits until a whole line is buffered and uses it up; `line` gets it without its CR LF.
    pub(crate) fn read_line(
        &mut self,
        line: &mut Vec<u8>,
        bytes_max: usize,
        deadline: Instant,
    ) -> Result<()> {
        let mut lines = Lines::default();
        loop {
            if let Some((range, bare)) = lines.next(self.buffered()) {
                if bare {
                    return refuse(400, "a line of the chunked body ends in LF without CR");
                }
                line.clear();
                line.extend_from_slice(&self.buffered()[range]);
                self.consume(lines.start);
                return Ok(());
            }
            if self.buffered().len() > bytes_max {
                return refuse(400, "a line of the chunked body is too long");
            }
            let timeout = left(deadline).ok_or(BODY_TIMEOUT)?;
            match self.fill(timeout) {
                Ok(0) => return refuse(400, "the connection ended inside a chunked body"),
                Ok(_) => {}
                Err(error) if is_timeout(&error) => return Err(BODY_TIMEOUT),
                Err(error) => return Err(Error::io("reading a body", error)),
            }
        }
    }

    fn until_deadline(&self, timeout: Duration) -> io::Result<Duration> {
        match self.deadline.map(left) {
            None => Ok(timeout),
            Some(Some(left)) => Ok(left.min(timeout)),
            Some(None) => Err(ErrorKind::TimedOut.into()),
        }
    }

    fn set_read_timeout(&mut self, timeout: Duration) -> io::Result<()> {
        if timeout != self.read_timeout {
            self.stream.set_read_timeout(Some(timeout))?;
            self.read_timeout = timeout;
        }
        Ok(())
    }

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

    /// Sends what is due and then `more`, without joining them in memory. A peer that takes
    /// less than the minimum rate for long is given up.
    fn send(&mut self, more: &[u8]) -> io::Result<()> {
        let total = self.output.len() + more.len();
        let mut sent = 0;
        let mut deadline = None;
        while sent < total {
            let first = &self.output[sent.min(self.output.len())..];
            let second = &more[sent.saturating_sub(self.output.len())..];
            let wrote = retry(|| match (first, second) {
                ([], only) | (only, []) => self.stream.write(only),
                _ => self.stream.write_vectored(&[IoSlice::new(first), IoSlice::new(second)]),
            });
            match wrote {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => sent += count,
                Err(error) => {
                    self.output.clear();
                    return Err(error);
                }
            }
            if sent < total {
                let allowed = self.limits.write_timeout + self.limits.transfer_time(total as u64);
                if left(*deadline.get_or_insert_with(|| Instant::now() + allowed)).is_none() {
                    return Err(ErrorKind::TimedOut.into());
                }
            }
        }
        self.output.clear();
        if self.output.capacity() > OUTPUT_BYTES_KEPT {
            self.output = Vec::new();
        }
        Ok(())
    }

    /// Whether the server wants this connection back.
    pub(crate) fn last_answer(&self) -> bool {
        self.stream.last_answer()
    }

    /// Closes without cutting off the answer: if the peer is still sending when a socket is
    /// closed, the kernel answers with a reset that may overtake our last bytes. So: say that we
    /// are done, then read, for a second at most, until the peer is done too.
    pub(crate) fn close_gently(mut self) {
        let until = Instant::now() + Duration::from_secs(1);
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

    /// The socket and the bytes that arrived after the head, timeouts lifted.
    pub(crate) fn into_socket(mut self) -> Option<(TcpStream, Vec<u8>)> {
        self.flush().ok()?;
        let socket = self.stream.socket()?;
        socket.set_read_timeout(None).ok()?;
        socket.set_write_timeout(None).ok()?;
        Some((socket, self.buffered().to_vec()))
    }
}

impl Drop for Connection {
    /// A handler that panics takes its connection along; answers to earlier, pipelined requests
    /// still go out.
    fn drop(&mut self) {
        let _ = self.flush();
    }
}

const HEAD_TIMEOUT: Error =
    Error::Refused { status: 408, reason: "the header section took too long" };
pub(crate) const BODY_TIMEOUT: Error =
    Error::Refused { status: 408, reason: "the body came too slowly" };

/// The time until `deadline`, `None` when it has passed.
pub(crate) fn left(deadline: Instant) -> Option<Duration> {
    Some(deadline.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero())
}

/// Both names an operating system may give to a socket timeout.
pub(crate) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn retry(mut io: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match io() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

/// The stream of a request that never saw a socket: at its end, and swallowing writes.
struct Memory;

impl Read for Memory {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Memory {
    fn set_read_timeout(&self, _: Option<Duration>) -> io::Result<()> {
        Ok(())
    }
    fn set_write_timeout(&self, _: Option<Duration>) -> io::Result<()> {
        Ok(())
    }
    fn shutdown(&self, _: Shutdown) -> io::Result<()> {
        Ok(())
    }
}
