//! Waiting for a reply (day 2): of the callers that wait, one reads for all.

use std::net::Shutdown;
use std::sync::{Arc, MutexGuard, PoisonError, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use super::{Calls, Finisher, Pending, Reading, Shared, wake};
use crate::codec::Body;
use crate::handle::Place;
use crate::{Error, Result};

impl Shared {
    pub(crate) fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the place is filled; `None` when the deadline comes first.
    ///
    /// Nobody reads in the background: of those who wait, one reads for all. The order of the
    /// steps matters. *We* say that we wait, then try for the right to read; *the reader* gives up
    /// the right, then looks for someone who waits. Whichever happens first, one sees the other.
    pub(crate) fn wait<R: Body>(
        &self,
        seq: Option<u64>,
        place: &Place<R>,
        deadline: Option<Instant>,
    ) -> Option<Result<R>> {
        loop {
            if let Some(result) = place.lock().take() {
                return Some(result);
            }
            let now = deadline.map(|_| Instant::now());
            let left =
                deadline.zip(now).map(|(deadline, now)| deadline.saturating_duration_since(now));
            if left == Some(Duration::ZERO) {
                return None;
            }
            if !self.try_read(place, deadline) {
                let mut calls = self.calls();
                match seq.and_then(|seq| calls.pending.get_mut(&seq)) {
                    Some(pending) => pending.waiter = Some(thread::current()),
                    // The reply was being read just now; it is in its place.
                    None => continue,
                }
                drop(calls);
                if !self.try_read(place, deadline) {
                    match left {
                        Some(left) => thread::park_timeout(left),
                        None => thread::park(),
                    }
                }
            }
        }
    }

    /// Reads for everybody until `place` is filled or the deadline comes; false if another does.
    fn try_read<R: Body>(&self, place: &Place<R>, deadline: Option<Instant>) -> bool {
        let mut reading = match self.reading.try_lock() {
            Ok(reading) => reading,
            Err(TryLockError::WouldBlock) => return false,
            Err(TryLockError::Poisoned(poisoned)) => {
                // A reply's own code panicked in mid-read: nobody knows where the stream stands.
                self.end(Error::Lost(None));
                drop(poisoned);
                return true;
            }
        };
        while place.lock().is_none() || reading.codec.ready() {
            if !reading.codec.ready() && !self.may_read(&mut reading, deadline) {
                break;
            }
            let lost = match self.read_reply(&mut reading) {
                Ok(true) => continue,
                Ok(false) => Error::Lost(None),
                Err(error) if error.is_not_yet() => continue,
                Err(error) => Error::Lost(Some(Arc::new(error))),
            };
            self.end(lost);
            break;
        }
        reading.last_used = Instant::now();
        drop(reading);
        // Also wakes those who were served while we read.
        let next = self.calls().pending.values_mut().find_map(|pending| pending.waiter.take());
        wake(&self.served);
        if let Some(next) = next {
            next.unpark();
        }
        true
    }

    /// Sets the socket to wait until the deadline at most; false when that is over.
    fn may_read(&self, reading: &mut Reading, deadline: Option<Instant>) -> bool {
        let left = match deadline {
            Some(deadline) => deadline.saturating_duration_since(Instant::now()),
            None => self.message_timeout,
        };
        if left.is_zero() {
            return false;
        }
        if reading.timeout != left {
            reading.timeout = left;
            if let Err(error) = self.stream.set_read_timeout(left) {
                self.end(Error::Lost(Some(Arc::new(Error::io("set a timeout")(error)))));
                return false;
            }
        }
        true
    }

    /// Reads one reply and puts it where it belongs; false at the end of the connection. After a
    /// timeout it can be called again.
    fn read_reply(&self, reading: &mut Reading) -> Result<bool> {
        let Reading { codec, header, in_reply, .. } = reading;
        if !*in_reply {
            if !codec.header(header)? {
                return Ok(false);
            }
            *in_reply = true;
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
        *in_reply = false;
        let done = self.calls().pending.remove(&header.seq);
        if let Some(waiter) = done.and_then(|pending| pending.waiter) {
            self.served.lock().unwrap_or_else(PoisonError::into_inner).push(waiter);
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
        let mut finisher = self.finisher();
        if finisher.running {
            // It looks once more, under this lock, before it ends.
            return;
        }
        finisher.running = true;
        let shared = Arc::clone(self);
        finisher.thread = Some(thread::spawn(move || {
            loop {
                while shared.outgoing.is_left_behind() {
                    if let Err(error) = shared.outgoing.flush(None) {
                        shared.end(Error::Lost(Some(Arc::new(error))));
                    }
                }
                let mut finisher = shared.finisher();
                if !shared.outgoing.is_left_behind() {
                    finisher.running = false;
                    return;
                }
            }
        }));
    }

    pub(super) fn finisher(&self) -> MutexGuard<'_, Finisher> {
        self.finisher.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
