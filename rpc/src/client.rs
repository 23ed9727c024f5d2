//! Day 2: the client - many callers on one connection.
//!
//! **At the end** 64 threads call through one connection, each gets its own reply, none waits longer
//! than it wants. Half an hour, with `stream` and `outgoing`.
//!
//! # Why one connection
//! A connection per call costs a handshake; a connection per caller costs a thread on the server and
//! a system call for each message. On a shared one, requests of many callers travel in one packet. What
//! it takes: a number for each call, a table of those that wait, and somebody to read.
//!
//! # The picture
//! ```text
//! caller A ─ push ─┐                                   ┌─ A: reply 7, wake
//! caller B ─ push ─┼─► one buffer ─► one write ─► ... ─┼─ B: reply 8, wake
//! caller C ─ push ─┘   (outgoing)                      └─ C reads for everybody
//!                                                         until its own reply comes,
//!    calls: {7: A's place, 8: B's place, 9: C's place}    then hands the reading on
//! ```
//!
//! Go's client has a goroutine that only reads. A thread for that would cost every call one more
//! switch: kernel wakes reader, reader wakes caller. Here **who waits, reads**: the first to wait
//! takes the right to read, serves the others too, and passes the right on when its own reply is
//! there. A lone caller reads its own reply, and is as quick as a bare echo. Nothing runs in the
//! background, so nothing has to be stopped. Why the right to read cannot be lost on the way is the
//! subject of the next file, `client/waiting.rs`.
//!
//! # The idea alone
//! Callers on one channel; whoever holds the lock reads for all.
//!
//! ```
//! use std::collections::HashMap;
//! use std::sync::{Mutex, mpsc};
//! use std::thread;
//!
//! let (replies, incoming) = mpsc::channel::<(u64, String)>(); // a connection, so to speak
//! let reading = Mutex::new(incoming);
//! let places: Mutex<HashMap<u64, String>> = Mutex::default();
//!
//! let wait = |seq: u64| -> String {
//!     loop {
//!         // Either we get the right to read, or somebody reads for us. (Ours parks instead of
//!         // spinning, and whoever stops reading wakes one that waits.)
//!         let right = reading.try_lock();
//!         // Looked at *after* asking for the right: whoever had it before us may have read our
//!         // reply, and nothing more would come.
//!         if let Some(reply) = places.lock().unwrap().remove(&seq) {
//!             return reply;
//!         }
//!         match right {
//!             Ok(incoming) => {
//!                 let (other, reply) = incoming.recv().unwrap();
//!                 places.lock().unwrap().insert(other, reply);
//!             }
//!             Err(_) => thread::yield_now(),
//!         }
//!     }
//! };
//!
//! thread::scope(|scope| {
//!     let callers: Vec<_> = (0..4).map(|seq| scope.spawn(move || wait(seq))).collect();
//!     for seq in [2, 0, 3, 1] {
//!         replies.send((seq, format!("reply {seq}"))).unwrap();
//!     }
//!     for (seq, caller) in callers.into_iter().enumerate() {
//!         assert_eq!(caller.join().unwrap(), format!("reply {seq}"));
//!     }
//! });
//! ```
//!
//! # The walk
//! [`Client::dial`] connects and makes the two halves of a codec. [`Client::call`] is `start` and
//! [`Handle::wait`]: `start` pushes the request (`outgoing`), which gives it a number and an entry in
//! the table, and sees that it is written. `wait` looks whether the place is filled; if not, it tries
//! for the right to read, reads replies and puts each in its place, or parks until it is woken.
//! [`Client::go`] is the first half alone, [`Client::call_timeout`] both with a deadline.
//!
//! ```
//! use std::time::Duration;
//! use rpc::{Client, Server, Service};
//!
//! let service = Service::new("Foo").method("Double", |n: i64| Ok(2 * n));
//! let server = Server::new().register(service)?.start()?;
//! let client = Client::dial(&format!("tcp@{}", server.listen("127.0.0.1:0")?))?;
//! let handles: Vec<_> = (0..3i64).map(|n| client.go::<i64>("Foo.Double", &n)).collect();
//! for (n, handle) in (0..).zip(handles) {
//!     assert_eq!(handle?.wait()?, 2 * n);
//! }
//! let within = Duration::from_secs(5);
//! assert_eq!(client.call_timeout::<i64>("Foo.Double", &21i64, within)?, 42);
//! # Ok::<(), rpc::Error>(())
//! ```
//!
//! # Why two locks? (asked most often)
//! In Go: one for sending, one for the table. Sending takes long, the table is needed by the reader
//! meanwhile. Here a call meets three - to send, to read, for the table - in one order:
//! sending before table, reading before table, never the other way round. A number is given out *inside*
//! the sending lock, so that numbers travel in order.
//!
//! # What happens when
//! - *the server's error*: the body is thrown away, the place gets [`Error::Remote`];
//! - *a reply of another type*: [`Error::Mismatch`] for this call; the stream is in step (RPC-3);
//! - *nobody waits any more*: the number is not in the table, the reply is thrown away;
//! - *the connection ends*: every place gets the reason, the table is emptied (RPC-21);
//! - *a deadline passes while writing*: the rest of the bytes must still go, for those behind it; a
//!   thread finishes them.
//!
//! # What the borrow checker says
//! - Go sends each `Call` down a channel made by its caller; a full one blocks the reader for
//!   everybody (RPC-10, "why 10?"). A place that is filled once cannot be full.
//! - The table must hold replies of *different types*. `HashMap<u64, Place<???>>` has no answer to `R`; a
//!   trait object has: the private trait `Slot` knows how to read an `R` without saying so.
//! - `fn call(&self)`, not `&mut self`: shared by threads, a client is changed behind its locks only.
//!   With `&mut self` one caller would borrow it from all others.
//!
//! # Where this differs from Go
//! - `Go` has no channel argument; [`Client::go`] returns a [`Handle`] to wait on, with or without a
//!   limit, or to give up.
//! - [`Client::is_available`] asks the socket, since nobody reads a connection that is at rest.
//!
//! # Try it
//! `cargo run -p rpc --example day2_client`. Exercises, at the end of this file, each switched on by
//! `cargo test -p rpc NAME -- --ignored`:
//! - `exercise_client_counts_what_nobody_wanted`: let `{client:?}` tell how many replies were thrown
//!   away.
//! - `exercise_client_knows_how_many_calls_it_made`: and how many calls there were (the number of the
//!   next one knows).

use std::collections::HashMap;
use std::fmt;
use std::hash::BuildHasherDefault;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{JoinHandle, Thread};
use std::time::{Duration, Instant};

use crate::codec::{Body, CodecReader, Dialect, Header, Side};
use crate::gob::NumberHasher;
use crate::handle::{Handle, Place, Slot};
use crate::handshake::Opening;
use crate::options::Options;
use crate::outgoing::Outgoing;
use crate::stream::{Address, Socket, Stream, from_now};
use crate::{Error, Input, Result};

mod waiting;

use waiting::AtRead;

/// A connection to a server, to be shared by any number of callers.
///
/// ```no_run
/// # fn main() -> rpc::Result<()> {
/// let client = rpc::Client::dial("tcp@127.0.0.1:9999")?;
/// let text: String = client.call("Echo.Text", &"hello".to_owned())?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Client {
    shared: Arc<Shared>,
}

/// What the callers of one connection share. Locks are taken in the order of the fields, and none
/// is held while another thread is waited for but `reading`, which is the right to wait.
pub(crate) struct Shared {
    stream: Arc<Stream>,
    /// The thread that finishes a write whose caller's time was over.
    finisher: Mutex<Finisher>,
    outgoing: Outgoing,
    /// The receiving half. Who holds it reads for everybody.
    reading: Mutex<Reading>,
    calls: Mutex<Calls>,
    /// What the socket asks for before it waits.
    at_read: Arc<Mutex<AtRead>>,
    message_timeout: Duration,
    first_seq: u64,
}

/// Guarded by [`Shared::finisher`].
#[derive(Default)]
struct Finisher {
    running: bool,
    /// The last one; it has ended, or is joined by [`Client::close`].
    thread: Option<JoinHandle<()>>,
}

/// Guarded by [`Shared::reading`].
struct Reading {
    codec: Box<dyn CodecReader>,
    header: Header,
    /// Since when `header` has been here, its body not yet: a deadline may fall between them.
    in_reply: Option<Instant>,
    last_used: Instant,
}

/// Guarded by [`Shared::calls`].
pub(crate) struct Calls {
    next_seq: u64,
    pub(crate) pending: HashMap<u64, Pending, BuildHasherDefault<NumberHasher>>,
    /// Why no call can be made any more.
    ended: Option<Error>,
}

/// A call whose reply has not come.
pub(crate) struct Pending {
    slot: Arc<dyn Slot>,
    /// The thread that waits for it, if one does.
    waiter: Option<Thread>,
}

impl Client {
    /// Connects to `address`: `tcp@host:port`, `http@host:port` or `unix@path`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a malformed address, [`Error::ConnectTimeout`], [`Error::Io`],
    /// [`Error::Handshake`] when the HTTP server does not let us through.
    pub fn dial(address: &str) -> Result<Client> {
        Client::dial_with(address, &Options::default())
    }

    /// [`Client::dial`] with options.
    ///
    /// # Errors
    /// Those of [`Client::dial`].
    pub fn dial_with(address: &str, options: &Options) -> Result<Client> {
        let address: Address = address.parse()?;
        let until = from_now(options.connect_timeout);
        let stream = Stream::connect(&address, options.connect_timeout)?;
        let already = if address.protocol == "http" {
            crate::http::connect(&stream, options, until)?
        } else {
            Vec::new()
        };
        Client::with_stream(stream, already, options)
    }

    /// A client on a stream that is connected already, beginning with bytes read from it.
    ///
    /// # Errors
    /// [`Error::Io`] when the socket refuses its timeouts; the stream is closed then.
    pub fn with_stream(stream: Stream, already: Vec<u8>, options: &Options) -> Result<Client> {
        stream.prepare().map_err(Error::io("prepare the socket"))?;
        let stream = Arc::new(stream);
        let at_read = Arc::new(Mutex::new(AtRead::default()));
        let source = Socket::new(&stream, options.message_timeout, {
            let (at_read, stream) = (Arc::clone(&at_read), Arc::clone(&stream));
            let longest = options.message_timeout;
            move || lock(&at_read).before_read(&stream, longest)
        });
        let input = Input::new(source, already);
        let dialect = options.dialect;
        let (reader, writer) = dialect.open(Side::Client, input, options.message_bytes_max);
        let outgoing = Outgoing::new(Arc::clone(&stream), options.message_timeout);
        if let Dialect::Gee(codec) = dialect {
            let opening = Opening::new(codec, options.connect_timeout, options.handle_timeout);
            outgoing.push_bytes(&opening.to_bytes()?);
        }
        outgoing.set_codec(writer);
        let reading = Reading {
            codec: reader,
            header: Header::default(),
            in_reply: None,
            last_used: Instant::now(),
        };
        let calls =
            Calls { next_seq: dialect.first_seq(), pending: HashMap::default(), ended: None };
        let shared = Shared {
            stream,
            outgoing,
            reading: Mutex::new(reading),
            calls: Mutex::new(calls),
            at_read,
            finisher: Mutex::default(),
            message_timeout: options.message_timeout,
            first_seq: dialect.first_seq(),
        };
        Ok(Client { shared: Arc::new(shared) })
    }

    /// Calls `method` and waits for its reply.
    ///
    /// # Errors
    /// [`Error::Remote`] with the server's text; [`Error::Mismatch`] for a reply of another type;
    /// [`Error::Shutdown`] and [`Error::Lost`] when the connection is gone.
    pub fn call<R: Body + 'static>(&self, method: &str, args: &dyn Body) -> Result<R> {
        self.start(method, args, None)?.wait()
    }

    /// [`Client::call`] that takes `within` at most, sending included.
    ///
    /// # Errors
    /// Those of [`Client::call`], and [`Error::Timeout`].
    pub fn call_timeout<R: Body + 'static>(
        &self,
        method: &str,
        args: &dyn Body,
        within: Duration,
    ) -> Result<R> {
        self.start(method, args, Instant::now().checked_add(within))?.wait()
    }

    /// Sends a call and returns at once; the reply is fetched through the handle.
    ///
    /// # Errors
    /// Those of sending: [`Error::Shutdown`], [`Error::Lost`], [`Error::Mismatch`].
    pub fn go<R: Body + 'static>(&self, method: &str, args: &dyn Body) -> Result<Handle<R>> {
        self.start(method, args, None)
    }

    /// Whether calls can be made. After a second without use the socket is asked.
    #[must_use]
    pub fn is_available(&self) -> bool {
        if self.shared.calls().ended.is_some() {
            return false;
        }
        // Whoever reads will notice by itself.
        let Some(mut turn) = self.shared.try_turn() else { return true };
        let idle = turn.last_used.elapsed() > Duration::from_secs(1);
        if idle && self.shared.calls().pending.is_empty() {
            turn.last_used = Instant::now();
            if self.shared.stream.is_hung_up() {
                self.shared.end(Error::Lost(None));
            }
        }
        self.shared.calls().ended.is_none()
    }

    /// Ends the connection; calls that wait fail with [`Error::Shutdown`].
    ///
    /// # Errors
    /// [`Error::Shutdown`] when it had ended before.
    pub fn close(&self) -> Result<()> {
        let was_open = self.shared.calls().ended.is_none();
        self.shared.end(Error::Shutdown);
        let finisher = lock(&self.shared.finisher).thread.take();
        if let Some(finisher) = finisher {
            // The socket is shut, so that its write fails at once.
            let _ = finisher.join();
        }
        if was_open { Ok(()) } else { Err(Error::Shutdown) }
    }

    /// Sends a request.
    pub(crate) fn start<R: Body + 'static>(
        &self,
        method: &str,
        args: &dyn Body,
        deadline: Option<Instant>,
    ) -> Result<Handle<R>> {
        let shared = &self.shared;
        let place = Arc::new(Place::<R>::new());
        let slot: Arc<dyn Slot> = Arc::<Place<R>>::clone(&place);
        // Until it has a number of its own: one that no call gets.
        let (mut seq, mut crowded) = (u64::MAX, false);
        let pushed = shared.outgoing.push(method, "", args, deadline, || {
            let mut calls = shared.calls();
            if let Some(error) = &calls.ended {
                return Err(error.clone());
            }
            seq = calls.next_seq;
            calls.next_seq += 1;
            crowded = !calls.pending.is_empty();
            calls.pending.insert(seq, Pending { slot, waiter: None });
            Ok(seq)
        });
        // From here on the call is given up when the handle is dropped.
        let handle = Handle { shared: Arc::clone(shared), seq, place, deadline, taken: false };
        if let Err(error) = pushed {
            return Err(shared.calls().ended.clone().unwrap_or(error));
        }
        let flushed = if crowded {
            shared.outgoing.flush_together(deadline)
        } else {
            shared.outgoing.flush(deadline)
        };
        match flushed {
            Err(Error::Timeout) => {
                shared.finish_later();
                Err(Error::Timeout)
            }
            Err(error @ Error::Stalled(_)) => Err(shared.end(Error::Lost(Some(Arc::new(error))))),
            // A broken socket is told by the reading side, which may find the server's reason.
            Ok(()) | Err(_) => Ok(handle),
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // Closed before is closed as well.
        let _ = self.close();
    }
}

/// For locks under which nothing panics, or nothing that a panic could leave half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let calls = self.calls();
        let mut shown = f.debug_struct("Connection");
        shown.field("waiting", &calls.pending.len());
        shown.field("ended", &calls.ended);
        shown.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Server, Service};
    use std::thread;

    fn slow() -> Server {
        let wait = |n: i64| {
            thread::park_timeout(Duration::from_millis(30));
            Ok(n)
        };
        Server::new().log(|_| {}).register(Service::new("Foo").method("Wait", wait)).unwrap()
    }

    #[test]
    fn a_late_reply_is_thrown_away_and_the_next_is_right() {
        let serving = slow().start().unwrap();
        let addr = serving.listen("127.0.0.1:0").unwrap();
        let client = Client::dial(&format!("tcp@{addr}")).unwrap();
        let within = Duration::from_millis(1);
        let late = client.call_timeout::<i64>("Foo.Wait", &1i64, within);
        assert!(matches!(late, Err(Error::Timeout)));
        assert_eq!(client.call::<i64>("Foo.Wait", &2i64).unwrap(), 2);
    }

    #[test]
    #[ignore = "an exercise: see the end of the chapter"]
    fn exercise_client_knows_how_many_calls_it_made() {
        let serving = slow().start().unwrap();
        let addr = serving.listen("127.0.0.1:0").unwrap();
        let client = Client::dial(&format!("tcp@{addr}")).unwrap();
        for number in 0..3i64 {
            client.call::<i64>("Foo.Wait", &number).unwrap();
        }
        assert!(format!("{client:?}").contains("made: 3"), "{client:?}");
    }

    #[test]
    #[ignore = "an exercise: see the end of the chapter"]
    fn exercise_client_counts_what_nobody_wanted() {
        let serving = slow().start().unwrap();
        let addr = serving.listen("127.0.0.1:0").unwrap();
        let client = Client::dial(&format!("tcp@{addr}")).unwrap();
        drop(client.go::<i64>("Foo.Wait", &1i64).unwrap());
        assert_eq!(client.call::<i64>("Foo.Wait", &2i64).unwrap(), 2);
        assert_eq!(client.call::<i64>("Foo.Wait", &3i64).unwrap(), 3);
        assert!(format!("{client:?}").contains("thrown away: 1"), "{client:?}");
    }
}
