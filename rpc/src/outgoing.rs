//! Day 2: the sending half of a connection - many senders, one write.
//!
//! ```text
//! caller A   push ──► [ A ]  flush ──► write(A) ─────────────► write(B C D) ──► done
//! caller B        push ──► [ B ]  somebody is writing: leave
//! caller C            push ──► [ B C ]      leave
//! caller D                push ──► [ B C D ] leave
//! ```
//!
//! A message is encoded under the lock (definitions must go out in order), but written without it.
//! Who comes while a write is under way leaves its bytes and goes; the one who writes takes
//! everything that has gathered, until nothing is left. The more callers, the larger the writes: a
//! system call for a batch instead of one for a call.
//!
//! What if nobody is writing, but many are about to call, each on its own turn of the processor? Then
//! the first *promises* to write, and lets the others go first; who finds a promise leaves
//! ([`Outgoing::flush_together`]). Without it, 64 callers on two processors wrote once for each call;
//! with it, once for dozens, and the server reads and answers dozens at a time: twice the calls for a
//! third of the work. The rule that nothing is forgotten: **bytes in the buffer have a writer, or one
//! who has promised to be**.
//!
//! Limits: 1 MiB may gather, then senders wait ([`Outgoing::push`], with their deadline); a write
//! that makes no progress for `stall_timeout` ends the connection. A sender whose deadline passes
//! in mid-write puts the rest back, in front, for the next one.

use std::io;
use std::net::Shutdown;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::codec::{Body, CodecWriter, Header};
use crate::stream::Stream;
use crate::{Error, Result};

/// How much may gather behind a write before senders have to wait.
const WAITING_BYTES_MAX: usize = 1 << 20;

/// A buffer larger than this is not kept for the next batch.
const KEPT_BYTES_MAX: usize = 256 * 1024;

/// Where all senders of a connection meet.
pub(crate) struct Outgoing {
    stream: Arc<Stream>,
    stall_timeout: Duration,
    state: Mutex<State>,
    /// Signalled when the buffer was taken, and on failure.
    room: Condvar,
}

/// Guarded by [`Outgoing::state`].
struct State {
    /// `None` until the dialect is known.
    codec: Option<Box<dyn CodecWriter>>,
    /// The header of the last message, kept for the room of its strings.
    header: Header,
    /// Encoded and not yet given to a write.
    buf: Vec<u8>,
    /// An empty buffer, kept for its room.
    spare: Vec<u8>,
    /// Whether somebody is writing; whoever sets it takes all that gathers.
    writing: bool,
    /// Whether somebody is about to call [`Outgoing::flush`].
    promised: bool,
    /// How many wait for room.
    waiting: usize,
    failed: Option<Error>,
}

impl Outgoing {
    pub(crate) fn new(stream: Arc<Stream>, stall_timeout: Duration) -> Outgoing {
        let state = State {
            codec: None,
            header: Header::default(),
            buf: Vec::new(),
            spare: Vec::new(),
            writing: false,
            promised: false,
            waiting: 0,
            failed: None,
        };
        Outgoing { stream, stall_timeout, state: Mutex::new(state), room: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| {
            // A value's own code panicked while it was encoded: nobody knows what of it is in the
            // buffer, so nothing of that goes out any more.
            let mut state = poisoned.into_inner();
            self.fail(&mut state, &Error::Corrupt("a value panicked while it was encoded"));
            state
        })
    }

    /// Nothing can be sent any more. What cannot be sent is never answered: so the socket is shut,
    /// and whoever reads finds what has come, then the end.
    fn fail(&self, state: &mut State, error: &Error) {
        state.failed.get_or_insert_with(|| error.clone());
        self.stream.shutdown(Shutdown::Both);
        self.room.notify_all();
    }

    /// Sets the codec, once the dialect is known.
    pub(crate) fn set_codec(&self, codec: Box<dyn CodecWriter>) {
        self.lock().codec = Some(codec);
    }

    /// Lines up bytes that are no message: an option, an answer to CONNECT.
    pub(crate) fn push_bytes(&self, bytes: &[u8]) {
        self.lock().buf.extend_from_slice(bytes);
    }

    /// Lines up a message, and says how many bytes wait. `seq` gives its number, or refuses, when
    /// its place in line is certain.
    pub(crate) fn push(
        &self,
        method: &str,
        error: &str,
        body: &dyn Body,
        deadline: Option<Instant>,
        seq: impl FnOnce() -> Result<u64>,
    ) -> Result<usize> {
        let mut state = self.lock();
        while state.failed.is_none() && state.writing && state.buf.len() > WAITING_BYTES_MAX {
            let left = deadline.map_or(Duration::from_secs(60), |deadline| {
                deadline.saturating_duration_since(Instant::now())
            });
            if left.is_zero() {
                return Err(Error::Timeout);
            }
            state.waiting += 1;
            let woken = self.room.wait_timeout(state, left);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
            state.waiting -= 1;
        }
        if let Some(error) = &state.failed {
            return Err(error.clone());
        }
        let State { codec, header, buf, .. } = &mut *state;
        header.seq = seq()?;
        header.method.clear();
        header.method.push_str(method);
        header.error.clear();
        header.error.push_str(error);
        let codec = codec.as_mut().ok_or(Error::Shutdown)?;
        codec.message(header, body, buf)?;
        Ok(state.buf.len())
    }

    /// [`Outgoing::flush`] for one of many: lets the others that run add theirs first. Who finds
    /// that somebody has promised to write leaves at once.
    ///
    /// # Errors
    /// Those of [`Outgoing::flush`].
    pub(crate) fn flush_together(&self, deadline: Option<Instant>) -> Result<()> {
        let mut state = self.lock();
        if state.writing || std::mem::replace(&mut state.promised, true) {
            return Ok(());
        }
        drop(state);
        thread::yield_now();
        self.flush(deadline)
    }

    /// Writes everything that has gathered, unless somebody is at it.
    ///
    /// # Errors
    /// [`Error::Timeout`] when the deadline passes first; the rest is put back, and
    /// [`Outgoing::flush`] must be called again. Any other error ends the connection.
    pub(crate) fn flush(&self, deadline: Option<Instant>) -> Result<()> {
        let mut state = self.lock();
        // Kept now: whatever has been left to us is in the buffer, or another is writing it.
        state.promised = false;
        if let Some(error) = &state.failed {
            return Err(error.clone());
        }
        if state.writing || state.buf.is_empty() {
            return Ok(());
        }
        state.writing = true;
        loop {
            let spare = std::mem::take(&mut state.spare);
            let mut batch = std::mem::replace(&mut state.buf, spare);
            if state.waiting > 0 {
                self.room.notify_all();
            }
            drop(state);
            let (written, result) = self.write(&batch, deadline);
            state = self.lock();
            if let Err(error) = result {
                state.writing = false;
                if matches!(error, Error::Timeout) {
                    batch.drain(..written);
                    batch.append(&mut state.buf);
                    state.buf = batch;
                    self.room.notify_all();
                } else {
                    self.fail(&mut state, &error);
                }
                return Err(error);
            }
            if batch.capacity() <= KEPT_BYTES_MAX {
                batch.clear();
                state.spare = batch;
            }
            if state.buf.is_empty() {
                state.writing = false;
                return Ok(());
            }
        }
    }

    /// Writes `batch`; says how much of it is gone.
    fn write(&self, batch: &[u8], deadline: Option<Instant>) -> (usize, Result<()>) {
        let (mut written, mut stalled_since) = (0, None);
        while written < batch.len() {
            match self.stream.write(&batch[written..]) {
                Ok(0) => return (written, Err(Error::UnexpectedEof)),
                Ok(count) => (written, stalled_since) = (written + count, None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                    ) =>
                {
                    let since = *stalled_since.get_or_insert_with(Instant::now);
                    if since.elapsed() > self.stall_timeout {
                        return (written, Err(Error::Stalled(self.stall_timeout)));
                    }
                    if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                        return (written, Err(Error::Timeout));
                    }
                }
                Err(error) => return (written, Err(Error::io("write")(error))),
            }
        }
        (written, Ok(()))
    }

    /// Whether bytes wait that nobody is writing.
    pub(crate) fn is_left_behind(&self) -> bool {
        let state = self.lock();
        !state.writing && !state.buf.is_empty() && state.failed.is_none()
    }
}
