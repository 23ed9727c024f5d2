//! One connection's bytes (day 1): a buffer in, a buffer out, and a deadline on every wait.
//!
//! ```text
//!            input                                   output
//!   ┌────────┬──────────────┬───────┐        ┌──────────────────────┐
//!   │ used   │ buffered     │ free  │        │ answers not yet sent │──► one write, just before
//!   └────────┴──────────────┴───────┘        └──────────────────────┘    we would block in a read
//!            start          end
//! ```
//!
//! What is due is sent only before a read that could wait. So sixteen pipelined requests that
//! arrive in one read are answered by one write, and so no other code may read requests from the
//! socket: it would wait for a client that waits for its answer.

mod output;
mod stream;

use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::time::{Duration, Instant};

pub(crate) use output::{LINGER, LINGER_BRIEFLY};
pub(crate) use stream::Stream;

use crate::head::{HeadParser, Lines, refuse};
use crate::request::Request;
use crate::server::Limits;
use crate::{Error, Result};

/// A stream with its buffers.
pub(crate) struct Connection {
    stream: Box<dyn Stream>,
    /// `start` and `end` as in the picture.
    input: Vec<u8>,
    start: usize,
    end: usize,
    /// Answers that are due.
    pub(crate) output: Vec<u8>,
    pub(crate) limits: Limits,
    /// The timeout the socket has, so that setting it again costs no system call.
    read_timeout: Duration,
    /// How far the head that is arriving has been looked at.
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
/// How long a fresh connection waits before it looks whether its thread is wanted.
const FRESH_WAIT: Duration = Duration::from_millis(500);
/// What has arrived is read even when the thread is wanted; a socket cannot wait for less.
const LAST_LOOK: Duration = Duration::from_millis(1);

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Connection({} bytes in, {} out)", self.end - self.start, self.output.len())
    }
}

impl Connection {
    /// A fresh connection; sets both timeouts.
    pub(crate) fn new(stream: Box<dyn Stream>, limits: Limits) -> io::Result<Self> {
        let read_timeout = limits.head_timeout.min(FRESH_WAIT);
        stream.set_write_timeout(Some(limits.write_timeout))?;
        stream.set_read_timeout(Some(read_timeout))?;
        Ok(Connection {
            stream,
            input: Vec::new(),
            start: 0,
            end: 0,
            output: Vec::new(),
            limits,
            read_timeout,
            head: HeadParser::default(),
            served: 0,
            deadline: None,
        })
    }

    /// A connection that has `input` and then ends.
    pub(crate) fn from_memory(input: Vec<u8>) -> Self {
        let end = input.len();
        Connection {
            stream: Box::new(stream::Memory),
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

    /// Prepares a client's connection for one request and its answer.
    pub(crate) fn finish_by(&mut self, deadline: Instant) -> io::Result<()> {
        self.deadline = Some(deadline);
        self.limits.write_timeout = left(deadline).ok_or(ErrorKind::TimedOut)?;
        self.stream.set_write_timeout(Some(self.limits.write_timeout))
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
            let got = if begun {
                let begin = || moment(Instant::now(), self.limits.head_timeout);
                let deadline = *deadline.get_or_insert_with(begin);
                self.fill(left(deadline).ok_or(HEAD_TIMEOUT)?)
            } else {
                self.wait_for_request()
            };
            match got {
                Ok(0) if begun => return refuse(400, "the connection ended inside a head"),
                Ok(0) => return Ok(false),
                Ok(_) => {}
                Err(error) if is_timeout(&error) && begun => return Err(HEAD_TIMEOUT),
                Err(error) if is_timeout(&error) => return Ok(false),
                Err(error) => return Err(Error::io("read a request", error)),
            }
        }
    }

    /// Waits for a request's first octets. The server may end this wait, but not so that a request
    /// is lost that has come already.
    fn wait_for_request(&mut self) -> io::Result<usize> {
        self.flush()?;
        if self.served == 0 {
            return self.wait_for_first_request();
        }
        if self.input.len() > COPY_BYTES_MAX {
            self.input = Vec::new(); // nothing is buffered: no request has begun
        }
        // Mark first, look second. Whoever wants the thread asks first and looks for marks second,
        // so that one of the two sees the other:
        //
        //     this thread              the accept thread, or a stopper
        //     idle = true              wanted = true
        //     wanted? -> do not wait   idle? -> wake it
        self.stream.idle(true);
        let timeout = if self.stream.wanted() { LAST_LOOK } else { self.limits.idle_timeout };
        let got = self.fill(timeout);
        self.stream.idle(false);
        got
    }

    /// A client that has just connected is about to ask, so nobody cuts this wait short; but if it
    /// stays silent while others want the thread, it goes.
    fn wait_for_first_request(&mut self) -> io::Result<usize> {
        let deadline = moment(Instant::now(), self.limits.head_timeout);
        loop {
            let left = left(deadline).ok_or(ErrorKind::TimedOut)?;
            match self.fill(left.min(FRESH_WAIT)) {
                Err(error) if is_timeout(&error) && !self.stream.wanted() => {}
                done => return done,
            }
        }
    }

    /// Sends what is due, then reads once; 0 is the end of the stream.
    pub(crate) fn fill(&mut self, timeout: Duration) -> io::Result<usize> {
        self.flush()?;
        if self.start > 0 && self.end == self.input.len() {
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

    /// Waits until a whole line of a chunked body is buffered and uses it up; `line` gets it without
    /// its CR LF, which `bytes_max` counts.
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
                if range.len() + 2 > bytes_max {
                    return refuse(400, LONG_LINE);
                }
                line.clear();
                line.extend_from_slice(&self.buffered()[range]);
                self.consume(lines.start);
                return Ok(());
            }
            if self.buffered().len() > bytes_max {
                return refuse(400, LONG_LINE);
            }
            let timeout = left(deadline).ok_or(BODY_TIMEOUT)?;
            match self.fill(timeout) {
                Ok(0) => return refuse(400, "the connection ended inside a chunked body"),
                Ok(_) => {}
                Err(error) if is_timeout(&error) => return Err(BODY_TIMEOUT),
                Err(error) => return Err(Error::io("read a body", error)),
            }
        }
    }

    /// The timeout, or what is left until the deadline if that is less.
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

    /// Whether the next answer should be this connection's last.
    pub(crate) fn wanted(&self) -> bool {
        self.stream.wanted()
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

pub(crate) const LONG_LINE: &str = "a line of the chunked body is too long";
const HEAD_TIMEOUT: Error =
    Error::Refused { status: 408, reason: "the header section took too long" };
pub(crate) const BODY_TIMEOUT: Error =
    Error::Refused { status: 408, reason: "the body came too slowly" };

/// The moment that lies `wait` after `start`, or a hundred years after it: [`Duration::MAX`], for
/// ever, is more than a clock can add.
pub(crate) fn moment(start: Instant, wait: Duration) -> Instant {
    start + wait.min(Duration::from_secs(100 * 365 * 86_400))
}

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

#[cfg(test)]
mod tests;
