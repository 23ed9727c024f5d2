//! Waiting for a reply (day 2): of the callers that wait, one reads for all.
//!
//! # The right to read must never be lost
//! Nobody reads in the background. So at every moment at which somebody waits, somebody must be
//! reading, or have been woken to. Three rules see to it:
//!
//! 1. Who waits says so *first*, then tries for the right to read; who stops reading gives up the
//!    right *first*, then looks for someone who waits. Whichever happens first, one sees the other.
//! 2. The right is a guard, [`Turn`]: however its holder stops - its reply is there, its time is
//!    over, the decoder panics - dropping it hands the right on.
//! 3. Who was woken to read and does not want to any more, since its own time is over, hands the
//!    waking on:
//!
//! ```text
//! A (reads)   ... reply of A ─ drop ─ wake B
//! B (waits)        time is over ──────── ? ─── return        C would wait for ever:
//! C (waits)   ..........................................     B must wake C
//! ```

use std::io;
use std::net::Shutdown;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, MutexGuard, TryLockError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::{Calls, Finisher, Pending, Reading, Shared, lock};
use crate::codec::Body;
use crate::handle::Place;
use crate::stream::Stream;
use crate::{Error, Result};

/// What the one who reads leaves for the moment before the socket waits. Guarded by
/// [`Shared::at_read`].
#[derive(Default)]
pub(super) struct AtRead {
    /// Callers whose reply is there: woken before the wait, together.
    served: Vec<Thread>,
    /// When the time of the one who reads is over.
    deadline: Option<Instant>,
    /// The timeout that the socket has.
    timeout: Duration,
}

impl AtRead {
    /// Wakes who was served, and has the socket wait until the deadline, or for `longest`. Looked at
    /// before *every* read: a reply that drips in byte by byte must not outlast a deadline.
    pub(super) fn before_read(&mut self, stream: &Stream, longest: Duration) -> io::Result<()> {
        self.wake_served();
        let mut left = longest;
        if let Some(deadline) = self.deadline {
            left = left.min(deadline.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
        // In whole milliseconds, so that calls in a row with the same limit set it once.
        let left =
            Duration::from_millis(u64::try_from(left.as_millis()).unwrap_or(u64::MAX - 1) + 1);
        if self.timeout != left {
            stream.set_read_timeout(left)?;
            self.timeout = left;
        }
        Ok(())
    }

    fn wake_served(&mut self) {
        self.served.drain(..).for_each(|thread| thread.unpark());
    }
}

/// The right to read. Dropping it hands it on.
pub(super) struct Turn<'a> {
    shared: &'a Shared,
    /// `Some` until it is dropped.
    reading: Option<MutexGuard<'a, Reading>>,
}

impl Deref for Turn<'_> {
    type Target = Reading;

    fn deref(&self) -> &Reading {
        self.reading.as_ref().expect("invariant: taken by drop alone")
    }
}

impl DerefMut for Turn<'_> {
    fn deref_mut(&mut self) -> &mut Reading {
        self.reading.as_mut().expect("invariant: taken by drop alone")
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.reading = None;
        lock(&self.shared.at_read).wake_served();
        self.shared.wake_next();
    }
}

impl Shared {
    pub(crate) fn calls(&self) -> MutexGuard<'_, Calls> {
        lock(&self.calls)
    }

    /// The right to read, unless somebody has it.
    pub(super) fn try_turn(&self) -> Option<Turn<'_>> {
        match self.reading.try_lock() {
            Ok(reading) => Some(Turn { shared: self, reading: Some(reading) }),
            Err(TryLockError::WouldBlock) => None,
            Err(TryLockError::Poisoned(_)) => {
                // A reply's own code panicked in mid-read: nobody knows where the stream stands.
                self.end(Error::Lost(None));
                None
            }
        }
    }

    /// Wakes one that waits, so that it tries for the right to read.
    fn wake_next(&self) {
        let next = self.calls().pending.values_mut().find_map(|pending| pending.waiter.take());
        if let Some(next) = next {
            next.unpark();
        }
    }

    /// Waits until the place is filled; `None` when the deadline comes first.
    pub(crate) fn wait<R: Body>(
        &self,
        seq: u64,
        place: &Place<R>,
        deadline: Option<Instant>,
    ) -> Option<Result<R>> {
        loop {
            if let Some(result) = place.lock().take() {
                return Some(result);
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                // Perhaps we have been woken to read, just now: rule 3.
                if let Some(pending) = self.calls().pending.get_mut(&seq) {
                    pending.waiter = None;
                }
                self.wake_next();
                return None;
            }
            if self.try_read(place, deadline) {
                continue;
            }
            match self.calls().pending.get_mut(&seq) {
                Some(pending) => pending.waiter = Some(thread::current()),
                // The reply was being read just now; it is in its place.
                None => continue,
            }
            if !self.try_read(place, deadline) {
                match left {
                    Some(left) => thread::park_timeout(left),
                    None => thread::park(),
                }
            }
        }
    }

    /// Reads for everybody until `place` is filled or the deadline comes; false if another does.
    fn try_read<R: Body>(&self, place: &Place<R>, deadline: Option<Instant>) -> bool {
        let Some(mut turn) = self.try_turn() else { return false };
        lock(&self.at_read).deadline = deadline;
        while place.lock().is_none() || turn.codec.ready() {
            let lost = match self.read_reply(&mut turn) {
                Ok(true) => continue,
                Ok(false) => Error::Lost(None),
                Err(error) if error.is_not_yet() => {
                    let limit = self.message_timeout;
                    if turn.in_reply.is_some_and(|since| since.elapsed() > limit) {
                        Error::Lost(Some(Arc::new(Error::Stalled(limit))))
                    } else if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                        break;
                    } else {
                        continue;
                    }
                }
                Err(error) => Error::Lost(Some(Arc::new(error))),
            };
            self.end(lost);
            break;
        }
        turn.last_used = Instant::now();
        true
    }

    /// Reads one reply and puts it where it belongs; false at the end of the connection. After a
    /// timeout it can be called again.
    fn read_reply(&self, reading: &mut Reading) -> Result<bool> {
        let Reading { codec, header, in_reply, .. } = reading;
        if in_reply.is_none() {
            if !codec.header(header)? {
                return Ok(false);
            }
            *in_reply = Some(Instant::now());
        }
        let slot = self.calls().pending.get(&header.seq).map(|pending| Arc::clone(&pending.slot));
        match slot {
            // Given up: somebody cancelled it, or its time was over.
            None => codec.discard()?,
            Some(slot) if header.error.is_empty() => slot.fill(codec.as_mut())?,
            Some(slot) => {
                codec.discard()?;
                slot.fail(Error::Remote(header.error.clone()));
            }
        }
        *in_reply = None;
        let done = self.calls().pending.remove(&header.seq);
        if let Some(waiter) = done.and_then(|pending| pending.waiter) {
            lock(&self.at_read).served.push(waiter);
        }
        if header.seq < self.first_seq && !header.error.is_empty() {
            // No call has this number: it is about the connection.
            return Err(Error::Handshake(header.error.clone()));
        }
        Ok(true)
    }

    /// Ends the connection for this reason, unless it has ended; tells every call. Returns the
    /// reason that counts.
    pub(super) fn end(&self, reason: Error) -> Error {
        let mut calls = self.calls();
        let reason = calls.ended.get_or_insert(reason).clone();
        let pending = std::mem::take(&mut calls.pending);
        drop(calls);
        self.stream.shutdown(Shutdown::Both);
        for Pending { slot, waiter } in pending.into_values() {
            slot.fail(reason.clone());
            if let Some(waiter) = waiter {
                waiter.unpark();
            }
        }
        reason
    }

    /// Has the rest of a write, whose caller's time was over, written by a thread of its own, since
    /// others may wait for what stands behind it. Joined by [`Client::close`](super::Client::close).
    pub(super) fn finish_later(self: &Arc<Self>) {
        let mut finisher = lock(&self.finisher);
        if finisher.running {
            // It looks once more, under this lock, before it ends.
            return;
        }
        let shared = Arc::clone(self);
        match thread::Builder::new().name("rpc-finish".to_owned()).spawn(move || shared.finish()) {
            Ok(thread) => {
                finisher.running = true;
                finisher.thread = Some(thread);
            }
            Err(error) => {
                drop(finisher);
                self.end(Error::Lost(Some(Arc::new(Error::io("start a thread")(error)))));
            }
        }
    }

    fn finish(&self) {
        loop {
            while self.outgoing.is_left_behind() {
                if let Err(error) = self.outgoing.flush(None) {
                    self.end(Error::Lost(Some(Arc::new(error))));
                }
            }
            let mut finisher: MutexGuard<'_, Finisher> = lock(&self.finisher);
            if !self.outgoing.is_left_behind() {
                finisher.running = false;
                return;
            }
        }
    }
}
