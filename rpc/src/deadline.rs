//! Day 4: the watch - one thread that looks after everybody's time.
//!
//! **At the end** a call ends when its time is over, whatever the method does. Fifteen minutes.
//!
//! # Why: where can a call hang?
//! | where | what ends it |
//! |---|---|
//! | connecting | [`Options::connect_timeout`](crate::Options), CONNECT included; looking up a name is the system's |
//! | sending the request | the caller's deadline: `outgoing` looks at it while it writes |
//! | waiting for the reply | the caller's deadline: the read, or the parking, ends with it |
//! | reading a request that does not come whole | [`Limits::message_timeout`](crate::Limits) |
//! | the method | the handle timeout: this module |
//! | waiting for a place to run in | the caller's deadline; a full server reads no more |
//! | writing the reply | `message_timeout` without progress: the connection is closed |
//!
//! # Who answers for a method that does not return?
//! ```text
//! method's thread:  put task on the desk ─ run ......................... take task: gone, drop result
//! watch:            look ─ look ─ look: time is over ─ take task ─ send "handle timeout"
//! ```
//! A task lies on the desk of the thread that runs it. **Who takes it off, sends the reply.** There is
//! one task, so there is one reply; nobody waits for a channel, so nobody is left behind. (Go's
//! tutorial starts a goroutine that sends its result into a channel without room: after a timeout
//! nobody receives, and it hangs for ever, RPC-5. With room for one, two replies would go out.)
//!
//! # The idea alone
//! ```
//! use std::sync::{Arc, Mutex, mpsc};
//! use std::thread;
//! use std::time::Duration;
//!
//! let desk = Arc::new(Mutex::new(Some("call 1")));
//! let (reply, replies) = mpsc::channel();
//!
//! let (method_desk, method_reply) = (Arc::clone(&desk), reply.clone());
//! let (go_on, told) = mpsc::channel::<()>();
//! let method = thread::spawn(move || {
//!     let _ = told.recv(); // a method that takes its time
//!     if let Some(call) = method_desk.lock().unwrap().take() {
//!         method_reply.send(format!("{call}: result")).unwrap();
//!     }
//! });
//! let watch = thread::spawn(move || {
//!     thread::park_timeout(Duration::from_millis(5));
//!     if let Some(call) = desk.lock().unwrap().take() {
//!         reply.send(format!("{call}: timeout")).unwrap();
//!     }
//!     go_on.send(()).unwrap();
//! });
//! watch.join().unwrap();
//! method.join().unwrap();
//! assert_eq!(replies.iter().collect::<Vec<_>>(), ["call 1: timeout"]); // one, not two
//! ```
//!
//! # The walk
//! `Watch::run` looks at every desk once a millisecond while anything runs, and sleeps when nothing
//! has for a while. It does two things: it sends the reply of calls whose time is over, and it has
//! another thread read on where a method holds up its connection.
//!
//! # What the borrow checker says
//! Go's `select { case <-called: ... case <-time.After(d): ... }` has no counterpart: a thread waits for
//! one thing. What is shared instead is a value that can be *moved out* once: `Mutex<Option<Task>>` and
//! `take`. The compiler sees to it that nobody replies with a task they do not have.
//!
//! # Where this differs from Go
//! - The method can ask [`CallInfo::is_over`](crate::CallInfo::is_over) and stop; it is told its
//!   deadline (RPC-7). It cannot be stopped: no thread can.
//! - Nothing is left of 1,000 timeouts: `tests/tests/rpc_leaks.rs` counts threads and descriptors.
//!
//! # Try it
//! `cargo run -p rpc --example day4_timeout` ends with
//! `rpc server: request handle timeout: expect within 50ms`. Exercises, at the end of this file:
//! - `exercise_deadline_ends_with_the_connection`: a client hangs up; let
//!   [`CallInfo::is_over`](crate::CallInfo::is_over) say so.
//! - `exercise_deadline_is_the_shorter_one`: a client may ask for any handle timeout, also for a longer
//!   one than the server's own; let the shorter of the two count.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::connection::Connection;
use crate::service::Method;

/// How often the watch looks; also how long a method may hold up its connection.
const TICK: Duration = Duration::from_millis(1);

/// After so many looks that found nothing running, the watch sleeps until it is woken.
const QUIET_TICKS: u32 = 50;

/// What a serving thread is doing, for the watch to see. Each has one, and reuses it.
#[derive(Default)]
pub(crate) struct Desk {
    running: Mutex<Option<Task>>,
}

/// A call that is being served.
pub(crate) struct Task {
    pub(crate) connection: Arc<Connection>,
    pub(crate) method: Arc<Method>,
    pub(crate) seq: u64,
    /// When the handle timeout ends.
    pub(crate) deadline: Option<Instant>,
    /// What the handle timeout is.
    pub(crate) limit: Duration,
    /// The tick in which it began.
    pub(crate) since: u64,
    /// Whether another thread has been sent to read on.
    pub(crate) relieved: bool,
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, Option<Task>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a call.
    pub(crate) fn put(&self, task: Task) {
        *self.lock() = Some(task);
    }

    /// Ends it. Who gets it, sends the reply: the method's thread, or the watch when the time is
    /// over. There is only one to be had, so there is only one reply.
    pub(crate) fn take(&self) -> Option<Task> {
        self.lock().take()
    }

    /// Whether the reply has been taken away.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_none()
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Desk {{ empty: {} }}", self.is_empty())
    }
}

/// The thread that watches the desks, and what it shares with them.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    desks: Mutex<Vec<Arc<Desk>>>,
    /// Counts the looks: cheaper to read than a clock.
    tick: AtomicU64,
    asleep: AtomicBool,
    state: Mutex<State>,
    wake: Condvar,
}

/// Guarded by [`Watch::state`].
#[derive(Debug, Default)]
struct State {
    stopping: bool,
    woken: bool,
}

impl Watch {
    fn desks(&self) -> MutexGuard<'_, Vec<Arc<Desk>>> {
        self.desks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A desk that is watched until it is given back.
    pub(crate) fn desk(&self) -> Arc<Desk> {
        let desk = Arc::<Desk>::default();
        self.desks().push(Arc::clone(&desk));
        desk
    }

    /// Gives a desk back.
    pub(crate) fn leave(&self, desk: &Arc<Desk>) {
        self.desks().retain(|other| !Arc::ptr_eq(other, desk));
    }

    /// The tick of now.
    pub(crate) fn now(&self) -> u64 {
        self.tick.load(Ordering::Relaxed)
    }

    /// A call has begun: the watch must not sleep.
    ///
    /// The watch says that it sleeps, *then* looks at the desks once more; we have put the call on
    /// our desk, *then* look whether it sleeps. One of the two sees the other.
    pub(crate) fn notice(&self) {
        if self.asleep.load(Ordering::SeqCst) {
            self.wake(false);
        }
    }

    /// Ends the thread.
    pub(crate) fn stop(&self) {
        self.wake(true);
    }

    fn wake(&self, stopping: bool) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.woken = true;
        state.stopping |= stopping;
        self.wake.notify_all();
    }

    /// The thread: looks, rests for a tick, looks again.
    pub(crate) fn run(&self) {
        let mut quiet = 0;
        loop {
            let asleep = quiet > QUIET_TICKS;
            if asleep {
                self.asleep.store(true, Ordering::SeqCst);
            }
            quiet = if self.look() { 0 } else { quiet + 1 };
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            while asleep && quiet > 0 && !state.woken {
                state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            if !asleep && !state.stopping {
                let rested = self.wake.wait_timeout(state, TICK);
                state = rested.unwrap_or_else(PoisonError::into_inner).0;
            }
            if asleep {
                self.asleep.store(false, Ordering::SeqCst);
                quiet = 0;
            }
            state.woken = false;
            if state.stopping {
                return;
            }
        }
    }

    /// Looks at every desk once; whether anything runs.
    fn look(&self) -> bool {
        let tick = self.tick.fetch_add(1, Ordering::Relaxed) + 1;
        let (mut any, mut slow, mut late) = (false, Vec::new(), Vec::new());
        let mut now = None;
        for desk in self.desks().iter() {
            let mut place = desk.lock();
            let Some(running) = place.as_mut() else { continue };
            // One that has been relieved and has no deadline is nobody's business any more.
            any |= !running.relieved || running.deadline.is_some();
            if !running.relieved && running.since + 1 < tick {
                running.relieved = true;
                running.method.was_slow();
                slow.push(Arc::clone(&running.connection));
            }
            if let Some(deadline) = running.deadline
                && deadline <= *now.get_or_insert_with(Instant::now)
            {
                late.extend(place.take());
            }
        }
        // Without any lock: these take locks of their own.
        late.into_iter().for_each(Task::time_out);
        slow.iter().for_each(Connection::relieve);
        any
    }
}

impl Task {
    /// Sends the reply of a call whose time is over.
    fn time_out(self) {
        self.connection.time_out(&self.method, self.seq, self.limit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Client, Server, Service};
    use std::sync::mpsc;

    #[test]
    #[ignore = "an exercise: see the end of the chapter"]
    fn exercise_deadline_is_the_shorter_one() {
        let service = Service::new("Foo").method_with("Wait", |n: i64, call| {
            let until = Instant::now() + Duration::from_secs(5);
            while !call.is_over() && Instant::now() < until {
                std::thread::park_timeout(TICK);
            }
            Ok(n)
        });
        let limits =
            crate::Limits { handle_timeout: Duration::from_millis(20), ..crate::Limits::default() };
        let server = Server::new().log(|_| {}).limits(limits).register(service).unwrap();
        let serving = server.start().unwrap();
        let addr = serving.listen("127.0.0.1:0").unwrap();
        let options =
            crate::Options { handle_timeout: Duration::from_secs(2), ..crate::Options::default() };
        let client = Client::dial_with(&format!("tcp@{addr}"), &options).unwrap();
        let error = client.call::<i64>("Foo.Wait", &1i64).unwrap_err().to_string();
        assert_eq!(error, "rpc server: request handle timeout: expect within 20ms");
    }

    #[test]
    #[ignore = "an exercise: see the end of the chapter"]
    fn exercise_deadline_ends_with_the_connection() {
        let (sender, seen) = mpsc::channel();
        let service = Service::new("Foo").method_with("Wait", move |n: i64, call| {
            let until = Instant::now() + Duration::from_secs(5);
            while !call.is_over() && Instant::now() < until {
                std::thread::park_timeout(TICK);
            }
            let _ = sender.send(call.is_over());
            Ok(n)
        });
        let serving = Server::new().log(|_| {}).register(service).unwrap().start().unwrap();
        let addr = serving.listen("127.0.0.1:0").unwrap();
        let client = Client::dial(&format!("tcp@{addr}")).unwrap();
        drop(client.go::<i64>("Foo.Wait", &1i64).unwrap());
        drop(client);
        assert!(seen.recv().unwrap());
    }
}
