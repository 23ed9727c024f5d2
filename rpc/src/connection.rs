//! Day 3: one connection of a server, from its first byte to its last.
//!
//! # Who reads, who runs?
//! The simplest server reads a request, runs it, replies, and reads the next: one slow call holds up
//! all behind it. A thread for each request, as Go's goroutines are, costs two switches and a wake-up
//! for calls that take a microsecond. Here the right to read is a thing that is **put back before a
//! method runs**:
//!
//! ```text
//! thread 1: take reading ─ read request ─ put back ─ run method ─ line up reply ─ take again ...
//! watch:                                     └─ 1 ms later, nobody has taken it: send thread 2
//! thread 2:                                       take reading ─ read request ─ ...
//! thread 1:                                                 ... method ends: reply; reading is
//!                                                           gone, so this thread is done
//! ```
//!
//! Quick methods - nearly all - run on the thread that read them, without any switch. A slow one
//! loses the right to read to another thread after a tick; its name is noted, and the next call of it
//! hands over at once. Sixteen quick calls in a row clear its name.
//!
//! Three words here belong to day 4 (`deadline`): the *watch* is a thread that looks at the time; a
//! call that runs is a *task*, which lies on the *desk* of its thread, where the watch sees it.
//!
//! # When do replies leave?
//! Lined up, at once; written, when the next read would wait, when a full server would, when 64 KiB
//! are lined up, or when a thread is done. So fifty requests that came in one packet are answered in
//! one.
//!
//! # What if something panics?
//! A method's panic is an error of its call ([`service`](crate::service)). Other code of others runs
//! here too: a type's own encoding, an interceptor after a call. When that panics, nobody knows what
//! has been sent; the connection ends, so that its client does not wait for the rest, and all others
//! go on.
//!
//! # Limits
//! At most `calls_per_connection_max` run: the next request is not read until one ends, and the
//! client feels it through TCP. In total `calls_max`, the same way. A request that has begun must be
//! whole within `message_timeout`; between requests there is no limit.
//!
//! # What the borrow checker says
//! `Option<Box<Reading>>` in a mutex, taken and put back, instead of holding the guard: a guard cannot
//! be given to another thread, a box can. Go would share a pointer and hope.

use std::net::Shutdown;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use web::log::go_duration;

use crate::codec::{Body, CodecReader, Dialect, Header, Side};
use crate::deadline::{Desk, Task};
use crate::handshake::{Greeting, drop_newline, recognise};
use crate::outgoing::Outgoing;
use crate::server::Core;
use crate::service::{CallInfo, Method, Outcome, Reply};
use crate::stream::{Socket, Stream, from_now};
use crate::{Error, Input, Result};

/// Replies are held back while more requests are here; but not more bytes than this.
const HELD_BACK_BYTES_MAX: usize = 64 * 1024;

/// How long a client that was refused may go on sending.
const LINGER: Duration = Duration::from_secs(1);

/// A call of a slow method that takes less than this was quick.
const QUICK: Duration = Duration::from_micros(200);

/// A connection of the server.
pub(crate) struct Connection {
    core: Arc<Core>,
    pub(crate) stream: Arc<Stream>,
    outgoing: Arc<Outgoing>,
    /// The right to read the next request. `None` while somebody has it, and when it is over.
    reading: Mutex<Option<Box<Reading>>>,
    /// Calls that have begun and not ended.
    running: AtomicUsize,
}

/// The receiving half, and how far it has got.
pub(crate) struct Reading {
    /// The input, until the codec has it.
    opening: Option<Input>,
    dialect: Option<Dialect>,
    codec: Option<Box<dyn CodecReader>>,
    header: Header,
    /// Since when a request, or the opening, has been incomplete.
    since: Option<Instant>,
    /// What every call of this connection may take; zero is no limit.
    handle_timeout: Duration,
}

impl Connection {
    /// A connection that has just been accepted, `already` read from it.
    pub(crate) fn new(core: &Arc<Core>, stream: Stream, already: Vec<u8>) -> Result<Connection> {
        let limits = &core.limits;
        let tick = limits.message_timeout / 4;
        let tick = tick.clamp(Duration::from_millis(10), Duration::from_secs(5));
        let prepared = stream.prepare().and_then(|()| stream.set_read_timeout(tick));
        prepared.map_err(Error::io("prepare the socket"))?;
        let stream = Arc::new(stream);
        let outgoing = Arc::new(Outgoing::new(Arc::clone(&stream), limits.message_timeout));
        let source = Socket::new(&stream, limits.message_timeout, {
            let outgoing = Arc::clone(&outgoing);
            move || {
                // A failed write shuts the socket, so that the read that follows finds its end.
                let _ = outgoing.flush(None);
                Ok(())
            }
        });
        let reading = Reading {
            opening: Some(Input::new(source, already)),
            dialect: None,
            codec: None,
            header: Header::default(),
            since: Some(Instant::now()),
            handle_timeout: limits.handle_timeout,
        };
        Ok(Connection {
            core: Arc::clone(core),
            stream,
            outgoing,
            reading: Mutex::new(Some(Box::new(reading))),
            running: AtomicUsize::new(0),
        })
    }

    fn reading(&self) -> MutexGuard<'_, Option<Box<Reading>>> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves requests for as long as nobody else does.
    pub(crate) fn serve(self: &Arc<Connection>, desk: &Arc<Desk>) {
        loop {
            if self.running.load(Ordering::SeqCst) >= self.core.limits.calls_per_connection_max {
                // Whoever ends a call comes by here and reads on.
                break;
            }
            let Some(reading) = self.reading().take() else { break };
            match catch_unwind(AssertUnwindSafe(|| self.serve_one(desk, reading))) {
                Ok(true) => {}
                Ok(false) => break,
                // Not a method's own panic, which is an error of its call: see above.
                Err(_) => {
                    self.stream.shutdown(Shutdown::Both);
                    break;
                }
            }
        }
        // A failed write is a connection that is over, which its reader finds out.
        let _ = self.outgoing.flush(None);
    }

    /// Serves one request; false when the connection is over.
    fn serve_one(self: &Arc<Connection>, desk: &Arc<Desk>, mut reading: Box<Reading>) -> bool {
        match self.next(&mut reading) {
            Ok(true) => {}
            Ok(false) => return false,
            Err(error) if error.is_not_yet() && !reading.is_stalled(&self.core) => {
                self.put_back(reading);
                return true;
            }
            Err(error) => {
                self.refuse(&error, &reading);
                return false;
            }
        }
        match self.core.find(&reading.header.method, reading.is_gee()) {
            Ok(method) => {
                let mut lives = true;
                let request =
                    Request { connection: self, desk, method: &method, reading, lives: &mut lives };
                method.serve(request);
                lives
            }
            Err(text) => {
                let discarded = reading.patiently(&self.core, |codec| codec.discard());
                self.send(&reading.header.method, reading.header.seq, &text, &());
                let lives = discarded.is_ok();
                if lives {
                    self.put_back(reading);
                }
                lives
            }
        }
    }

    /// Lets whoever comes next read the next request.
    fn put_back(&self, reading: Box<Reading>) {
        *self.reading() = Some(reading);
    }

    /// Reads up to the header of the next request; false at the clean end. After a timeout it can
    /// be called again.
    fn next(&self, reading: &mut Reading) -> Result<bool> {
        while let Some(input) = reading.opening.as_mut() {
            if reading.dialect.is_none() {
                match recognise(input)? {
                    None => return Ok(false),
                    Some(Greeting::Connect(path)) => {
                        let (answer, known) = crate::http::answer(&path);
                        self.outgoing.push_bytes(answer.as_bytes());
                        if !known {
                            return Ok(false);
                        }
                        continue;
                    }
                    Some(Greeting::Client(dialect, handle_timeout)) => {
                        self.core.allow(dialect)?;
                        reading.dialect = Some(dialect);
                        if !handle_timeout.is_zero() {
                            reading.handle_timeout = handle_timeout;
                        }
                    }
                }
            }
            let dialect = reading.dialect.unwrap_or_default();
            if matches!(dialect, Dialect::Gee(_)) {
                drop_newline(input)?;
            }
            if let Some(input) = reading.opening.take() {
                let limit = self.core.limits.message_bytes_max;
                let (reader, writer) = dialect.open(Side::Server, input, limit);
                self.outgoing.set_codec(writer);
                reading.codec = Some(reader);
                reading.since = None;
            }
        }
        let codec = reading.codec.as_mut().ok_or(Error::Shutdown)?;
        let more = codec.header(&mut reading.header)?;
        reading.since = None;
        Ok(more)
    }

    /// Says why the connection ends, to the log and, where the dialect has a way, to the client.
    fn refuse(&self, error: &Error, reading: &Reading) {
        if matches!(error, Error::Io { .. } | Error::UnexpectedEof) && !error.is_not_yet() {
            return;
        }
        let stalled = Error::Stalled(self.core.limits.message_timeout);
        let error = if error.is_not_yet() { &stalled } else { error };
        self.core.log(&error.to_string());
        if reading.dialect.is_none() && matches!(error, Error::Handshake(_)) {
            let nothing = Input::new(std::io::empty(), Vec::new());
            self.outgoing.set_codec(Dialect::default().open(Side::Server, nothing, 0).1);
        } else if !reading.is_gee() {
            return;
        }
        // 0 is the number of no call.
        self.send("", 0, &error.to_string(), &());
        self.linger();
    }

    /// Closing a socket with unread bytes in it resets the connection, and the reason would be
    /// lost with it: so a little more is read, and dropped.
    fn linger(&self) {
        if self.outgoing.flush(None).is_ok() {
            self.stream.shutdown(Shutdown::Write);
            let _ = self.stream.set_read_timeout(LINGER);
            let (mut dropped, since) = ([0; 4096], Instant::now());
            let more = |_: &u32| {
                since.elapsed() < LINGER && matches!(self.stream.read(&mut dropped), Ok(1..))
            };
            let _ = (0..256u32).take_while(more).count();
        }
    }

    /// Lines up a reply; sends it now only if too much is held back.
    fn send(&self, method: &str, seq: u64, error: &str, body: &dyn Body) {
        let deadline = from_now(self.core.limits.message_timeout);
        let pushed = self.outgoing.push(method, error, body, Some(deadline), || Ok(seq));
        let pushed = match pushed {
            // What the codec cannot carry becomes an error of this call.
            Err(error @ Error::Mismatch(_)) => {
                self.outgoing.push(method, &error.to_string(), &(), Some(deadline), || Ok(seq))
            }
            other => other,
        };
        match pushed {
            Ok(held_back) if held_back > HELD_BACK_BYTES_MAX => {
                let _ = self.outgoing.flush(None);
            }
            Ok(_) => {}
            // A reply is lost: the client must not wait for it.
            Err(_) => self.stream.shutdown(Shutdown::Both),
        }
    }

    /// The watch found a call that takes its time: somebody else is to read on.
    pub(crate) fn relieve(self: &Arc<Connection>) {
        self.core.serve(Arc::clone(self));
    }

    /// The watch found a call whose time is over: answers for it. Never waits.
    pub(crate) fn time_out(self: &Arc<Connection>, method: &Method, seq: u64, limit: Duration) {
        let text =
            format!("rpc server: request handle timeout: expect within {}", go_duration(limit));
        let now = Some(Instant::now());
        if self.outgoing.push(method.full_name(), &text, &(), now, || Ok(seq)).is_err() {
            self.stream.shutdown(Shutdown::Both);
        }
        // Writing may wait, so another thread does it.
        self.core.serve(Arc::clone(self));
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.core.connections.leave();
    }
}

impl Reading {
    fn is_gee(&self) -> bool {
        matches!(self.dialect, Some(Dialect::Gee(_)))
    }

    /// Nothing came for a while. Between requests that is the client's right; in mid-request, and
    /// before the first, it has only so long.
    fn is_stalled(&self, core: &Core) -> bool {
        self.since.is_some_and(|since| since.elapsed() > core.limits.message_timeout)
    }

    /// Reads the body of the request whose header is here, while it takes not too long.
    fn patiently<T>(
        &mut self,
        core: &Core,
        mut read: impl FnMut(&mut dyn CodecReader) -> Result<T>,
    ) -> Result<T> {
        let codec = self.codec.as_mut().ok_or(Error::Shutdown)?;
        loop {
            match read(codec.as_mut()) {
                Err(error) if error.is_not_yet() => {
                    let limit = core.limits.message_timeout;
                    if self.since.get_or_insert_with(Instant::now).elapsed() > limit {
                        return Err(Error::Stalled(limit));
                    }
                }
                other => {
                    self.since = None;
                    return other;
                }
            }
        }
    }
}

/// A request whose header has been read: what a method gets to read its arguments from.
pub(crate) struct Request<'a> {
    connection: &'a Arc<Connection>,
    desk: &'a Arc<Desk>,
    method: &'a Arc<Method>,
    reading: Box<Reading>,
    /// Set to false when the connection is over.
    lives: &'a mut bool,
}

impl<'a> Request<'a> {
    /// Reads the arguments, and begins the call: from here on another thread may read the next
    /// request. `None` if there is nothing to run; the client has been told.
    pub(crate) fn begin(mut self, args: &mut dyn Body) -> Option<Running<'a>> {
        let connection = self.connection;
        let core = &connection.core;
        let read = self.reading.patiently(core, |codec| codec.body(args));
        let seq = self.reading.header.seq;
        match read {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                connection.send(self.method.full_name(), seq, &error.to_string(), &());
                connection.put_back(self.reading);
                return None;
            }
            Err(error) => {
                connection.refuse(&error, &self.reading);
                *self.lives = false;
                return None;
            }
        }
        if !core.calls.try_enter() {
            // Too much runs in total. Waits, with the right to read, so that no more requests come
            // in; what was held back until the next read must not wait as well.
            let _ = connection.outgoing.flush(None);
            core.calls.enter();
        }
        connection.running.fetch_add(1, Ordering::SeqCst);
        let limit = self.reading.handle_timeout;
        let slow = self.method.is_slow();
        let timed = slow || !limit.is_zero() || core.interceptor.is_some();
        let started = timed.then(Instant::now);
        let deadline = (!limit.is_zero()).then(|| from_now(limit));
        self.desk.put(Task {
            connection: Arc::clone(connection),
            method: Arc::clone(self.method),
            seq,
            deadline,
            limit,
            since: core.watch.now(),
            relieved: slow,
        });
        core.watch.notice();
        connection.put_back(self.reading);
        if slow {
            connection.relieve();
        }
        Some(Running { connection, desk: self.desk, method: self.method, seq, started, deadline })
    }
}

/// A call that is being served, on the thread that serves it.
pub(crate) struct Running<'a> {
    connection: &'a Arc<Connection>,
    desk: &'a Arc<Desk>,
    method: &'a Arc<Method>,
    seq: u64,
    started: Option<Instant>,
    deadline: Option<Instant>,
}

impl Running<'_> {
    /// What the method may know.
    pub(crate) fn info(&self) -> CallInfo<'_> {
        CallInfo { method: self.method.full_name(), deadline: self.deadline, desk: self.desk }
    }

    /// Asks the interceptor.
    pub(crate) fn admit(&self) -> Reply<()> {
        let interceptor = self.connection.core.interceptor.as_ref();
        interceptor.map_or(Ok(()), |interceptor| interceptor.before(&self.info()))
    }

    /// Sends the reply, unless the watch has.
    pub(crate) fn reply(&self, body: &dyn Body) {
        self.end("", body);
    }

    /// Sends an error, unless the watch has.
    pub(crate) fn fail(&self, text: &str) {
        // An empty text would read as success.
        self.end(if text.is_empty() { "unspecified error" } else { text }, &());
    }

    fn end(&self, error: &str, body: &dyn Body) {
        let ours = self.desk.take().is_some();
        if ours {
            self.connection.send(self.method.full_name(), self.seq, error, body);
        }
        let Some(took) = self.started.map(|started| started.elapsed()) else { return };
        if self.method.is_slow() && took < QUICK {
            self.method.was_quick();
        }
        if let Some(interceptor) = &self.connection.core.interceptor {
            let outcome = match (ours, error) {
                (false, _) => Outcome::TimedOut,
                (true, "") => Outcome::Replied,
                (true, text) => Outcome::Failed(text),
            };
            interceptor.after(&self.info(), took, outcome);
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // A panic on the way: the desk must not keep the connection alive.
        drop(self.desk.take());
        self.connection.running.fetch_sub(1, Ordering::SeqCst);
        self.connection.core.calls.leave();
    }
}
