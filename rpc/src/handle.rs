//! Day 2: a call on its way - the place for its reply, and the handle of who waits for it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::client::Shared;
use crate::codec::{Body, CodecReader};
use crate::{Error, Result};

/// Where a reply is put: the type of the reply, hidden from the table of calls.
pub(crate) trait Slot: Send + Sync {
    /// Reads the body of the reply. The error is the connection's; the body's is put in the slot.
    fn fill(&self, codec: &mut dyn CodecReader) -> Result<()>;

    /// Puts an error there instead of a reply.
    fn fail(&self, error: Error);
}

/// The slot for a reply of type `R`, filled once.
pub(crate) struct Place<R>(Mutex<Option<Result<R>>>);

impl<R> Place<R> {
    /// An empty place.
    pub(crate) fn new() -> Place<R> {
        Place(Mutex::new(None))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Option<Result<R>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: Body> Slot for Place<R> {
    fn fill(&self, codec: &mut dyn CodecReader) -> Result<()> {
        let mut reply = R::empty();
        let result = codec.body(&mut reply)?.map(|()| reply);
        *self.lock() =
            Some(result.map_err(|error| Error::Mismatch(format!("reading body {error}"))));
        Ok(())
    }

    fn fail(&self, error: Error) {
        *self.lock() = Some(Err(error));
    }
}

/// A call on its way. Dropping it gives the call up: its reply will be thrown away.
#[derive(Debug)]
pub struct Handle<R> {
    pub(crate) shared: Arc<Shared>,
    pub(crate) seq: u64,
    pub(crate) place: Arc<Place<R>>,
    pub(crate) deadline: Option<Instant>,
    /// Whether the reply has been handed out.
    pub(crate) taken: bool,
}

impl<R: Body> Handle<R> {
    /// Waits for the reply, or for the deadline of the call.
    ///
    /// # Errors
    /// Those of [`Client::call_timeout`](crate::Client::call_timeout); [`Error::Canceled`] when
    /// [`Handle::wait_timeout`] has given the reply out already.
    pub fn wait(self) -> Result<R> {
        if self.taken {
            return Err(Error::Canceled);
        }
        let result = self.shared.wait(self.seq, &*self.place, self.deadline);
        result.unwrap_or(Err(Error::Timeout))
    }

    /// Waits for the reply for `within` at most. `None` says that it has not come; the call goes
    /// on and can be waited for again.
    ///
    /// # Errors
    /// Those of [`Client::call`](crate::Client::call), inside of `Some`.
    pub fn wait_timeout(&mut self, within: Duration) -> Option<Result<R>> {
        if self.taken {
            return Some(Err(Error::Canceled));
        }
        let deadline = Instant::now().checked_add(within);
        let result = self.shared.wait(self.seq, &*self.place, deadline);
        self.taken = result.is_some();
        result
    }

    /// Gives the call up. The server does not hear of it and may still do the work.
    ///
    /// # Errors
    /// Always [`Error::Canceled`], to be returned by whoever wanted the result; unless the reply
    /// is there already.
    pub fn cancel(self) -> Result<R> {
        let there = self.place.lock().take();
        there.unwrap_or(Err(Error::Canceled))
    }
}

impl<R> Drop for Handle<R> {
    fn drop(&mut self) {
        self.shared.calls().pending.remove(&self.seq);
    }
}

impl<R> fmt::Debug for Place<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place {{ filled: {} }}", self.lock().is_some())
    }
}
