//! Day 6: single flight - however many ask for a key at once, it is loaded once. *You will have*
//! a cache that protects what is behind it. About 15 minutes.
//!
//! # Why
//! A popular key falls out of the cache and a thousand requests miss it in the same millisecond.
//! Without care, that is a thousand queries for one answer. The words for such trouble:
//! - **breakdown**: one hot key is missing, and everyone loads it at once;
//! - **avalanche**: many keys are gone at once (a restart, one common expiry time);
//! - **penetration**: keys that do not exist are asked for, which no cache of values can stop
//!   (negative answers can be cached: [`crate::beyond::negative`]).
//!
//! Single flight ends the first and softens the second.
//!
//! # The picture
//! ```text
//!   thread A   miss --> lead: not in the map, put a Call --> load ....... --> lock: keep the value,
//!   thread B   miss ------> join: a Call is there --> wait on it ......|       take the Call out,
//!   thread C   miss ---------> join -------------> wait on it .........|       tell the waiters
//!                                                                      '--> all three go on
//!   thread D   miss (seen before A was done) ....... lead --> look again: it is there. No load.
//! ```
//! Thread D is easily forgotten (the tutorial forgets it, and loads a key twice now and then: 201 loads
//! for 200 keys). It missed *before* A kept the value and came here *after* A was gone. So the
//! leader's first act is a second look at the cache: see `load` in [`crate::Group`]. That look is
//! sure to find the value because it is kept *before* the call leaves the map, under the same lock.
//!
//! # The idea alone
//! ```
//! use std::collections::HashMap;
//! use std::sync::{Arc, Condvar, Mutex, atomic::{AtomicU32, Ordering}};
//! use std::thread;
//!
//! #[derive(Default)]
//! struct Call { result: Mutex<Option<u32>>, done: Condvar }
//! #[derive(Default)]
//! struct Tiny { calls: Mutex<HashMap<String, Arc<Call>>> }
//!
//! impl Tiny {
//!     fn run(&self, key: &str, load: impl FnOnce() -> u32) -> u32 {
//!         let mut calls = self.calls.lock().unwrap();
//!         if let Some(call) = calls.get(key).cloned() {
//!             drop(calls);                                     // wait without holding the map
//!             let result = call.result.lock().unwrap();
//!             return call.done.wait_while(result, |r| r.is_none()).unwrap().unwrap();
//!         }
//!         let call = Arc::new(Call::default());
//!         calls.insert(key.into(), Arc::clone(&call));
//!         drop(calls);                                         // load without holding the map
//!         let value = load();
//!         self.calls.lock().unwrap().remove(key);
//!         *call.result.lock().unwrap() = Some(value);
//!         call.done.notify_all();
//!         value
//!     }
//! }
//!
//! let (flight, loads) = (Tiny::default(), AtomicU32::new(0));
//! thread::scope(|scope| for _ in 0..8 {
//!     scope.spawn(|| flight.run("Tom", || {
//!         while Arc::strong_count(&flight.calls.lock().unwrap()["Tom"]) < 9 {
//!             thread::yield_now();                             // until all the others wait
//!         }
//!         loads.fetch_add(1, Ordering::Relaxed);
//!         630
//!     }));
//! });
//! assert_eq!(loads.into_inner(), 1);
//! ```
//! Eight threads and the map hold the call: nine owners. (If `load` panics, the other seven wait for
//! ever. That is the bug of the Go text, and what the real one below is mostly about.)
//!
//! # The walk
//! [`Flight::run`] either joins a `Call` or leads one. A call's result sits in a [`OnceLock`], which is
//! the mutex and condition of above in one: [`OnceLock::wait`] sleeps until it is set. The leader holds
//! a guard whose `Drop` lands the flight, so it lands however the load ends: by a value, an error or a
//! panic. [`Flight::forget`] makes a load under way count for nothing, for a key that was removed.
//!
//! - *Why a wait group in Go?* For waiting on someone else's work; a `OnceLock` also carries the result.
//! - *Why is the key deleted?* A flight shares *one* load. Keeping results is the cache's job.
//! - *What does the lock cost?* Only misses take it, and only to look into the map.
//!
//! # What the borrow checker says
//! `Arc<Call>` with a plain `result` field cannot be written by the leader: others share it. Go allows
//! that and relies on the wait group's ordering; here the type has to say who writes when, and `OnceLock`
//! says "once, then read for ever". `catch_unwind` demands [`UnwindSafe`](std::panic::UnwindSafe); we
//! assert it, because nothing of a failed load is looked at again.
//!
//! # Differences from the Go tutorial
//! - A panic in the loader is an error for the leader and for all who wait; in Go they hang for ever.
//! - The value is kept, the call removed and the result published under one lock; in Go the result comes
//!   first. A removed key is not brought back by a load that began before.
//! - A loader that asks for its own key gets [`Error::LoadsItself`] instead of a deadlock.
//!
//! # Try it
//! `cargo run -p cache --example day6_single_flight`, then seven times
//! `curl 'localhost:9999/api?key=Tom' &`: seven times 630, one line `[SlowDB] search key Tom`.
//!
//! The program (those of days 3 to 7 share `examples/demo/mod.rs`):
//! ~~~~text
#![doc = include_str!("../examples/day6_single_flight.rs")]
//! ~~~~
//! Exercises (in `cache/tests/exercises.rs`): `cargo test -p cache exercise_flight -- --ignored`.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, ThreadId};

use crate::error::text;
use crate::{Error, Result};

/// Loads under way, by key.
#[derive(Debug)]
pub struct Flight<T> {
    /// Guards which calls are under way. Values are kept and results published while it is held, so
    /// whoever finds no call here also finds what the last one kept.
    calls: Mutex<Calls<T>>,
}

type Calls<T> = HashMap<Box<[u8]>, Arc<Call<T>>>;

#[derive(Debug)]
struct Call<T> {
    result: OnceLock<Result<T>>,
    leader: ThreadId,
}

impl<T> Default for Flight<T> {
    fn default() -> Flight<T> {
        Flight { calls: Mutex::default() }
    }
}

impl<T: Clone> Flight<T> {
    /// Runs `load` for `key` unless it runs already; then waits for that one's result.
    ///
    /// Once loaded, `keep` is called with the result before anyone else sees it, unless the key was
    /// [forgotten](Flight::forget) meanwhile. It must be short: it runs under the flight's lock.
    ///
    /// # Errors
    /// What `load` returns; [`Error::LoaderPanicked`] when it panics; [`Error::LoadsItself`] when the
    /// thread that leads this key asks for it again.
    pub fn run(
        &self,
        key: &[u8],
        load: impl FnOnce() -> Result<T>,
        keep: impl FnOnce(&Result<T>),
    ) -> Result<T> {
        let mut calls = self.lock();
        if let Some(call) = calls.get(key).cloned() {
            drop(calls);
            if call.leader == thread::current().id() {
                return Err(Error::LoadsItself { key: text(key) });
            }
            return call.result.wait().clone();
        }
        let leader = thread::current().id();
        let call = Arc::new(Call { result: OnceLock::new(), leader });
        calls.insert(key.into(), Arc::clone(&call));
        drop(calls);

        let mut landing = Landing { flight: self, key, call, keep: Some(keep), result: None };
        let result = catch_panic(key, load);
        landing.result = Some(result.clone());
        drop(landing);
        result
    }

    /// Forgets the load of `key` under way: those who wait get its result, but it is not kept, and who
    /// asks from now on starts a new one.
    pub fn forget(&self, key: &[u8]) {
        self.lock().remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, Calls<T>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lands the flight when dropped, whatever happened in the air.
struct Landing<'a, T: Clone, F: FnOnce(&Result<T>)> {
    flight: &'a Flight<T>,
    key: &'a [u8],
    call: Arc<Call<T>>,
    keep: Option<F>,
    result: Option<Result<T>>,
}

impl<T: Clone, F: FnOnce(&Result<T>)> Drop for Landing<'_, T, F> {
    fn drop(&mut self) {
        let result = self.result.take().unwrap_or_else(|| {
            let message = "the leader's thread ended".to_owned();
            Err(Error::LoaderPanicked { key: text(self.key), message })
        });
        let mut calls = self.flight.lock();
        // After a `forget` the map has no call for the key, or that of a later flight.
        if calls.get(self.key).is_some_and(|call| Arc::ptr_eq(call, &self.call)) {
            if let Some(keep) = self.keep.take() {
                // Whatever becomes of the keeping, the flight lands.
                let _ = catch_unwind(AssertUnwindSafe(|| keep(&result)));
            }
            calls.remove(self.key);
        }
        // Only the leader sets it, once: this cannot fail.
        let _ = self.call.result.set(result);
    }
}

/// Runs a loader and turns its panic into [`Error::LoaderPanicked`].
pub(crate) fn catch_panic<T>(key: &[u8], load: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(load)).unwrap_or_else(|panic| {
        let message = match panic.downcast_ref::<String>() {
            Some(text) => text,
            None => panic.downcast_ref::<&str>().copied().unwrap_or("(no message)"),
        };
        Err(Error::LoaderPanicked { key: text(key), message: message.to_owned() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    use std::sync::mpsc;
    use std::time::Duration;

    /// Lets `load` go on only when `others` threads wait for its result.
    fn until_waited_for(flight: &Flight<u32>, key: &[u8], others: usize) {
        // The map, the leader and each waiter own the call.
        while flight.lock().get(key).map_or(0, Arc::strong_count) < others + 2 {
            thread::yield_now();
        }
    }

    /// Runs `body` on a thread of its own; a hang is a failure after ten seconds, not for ever.
    fn watched(body: impl FnOnce() + Send + 'static) {
        let (sender, done) = mpsc::channel();
        thread::spawn(move || {
            body();
            let _ = sender.send(());
        });
        done.recv_timeout(Duration::from_secs(10)).expect("hangs, or failed above");
    }

    #[test]
    fn one_load_for_all_who_ask_meanwhile() {
        watched(|| {
            let (flight, loads, kept) = (Flight::default(), AtomicU32::new(0), AtomicU32::new(0));
            let load = || {
                until_waited_for(&flight, b"k", 15);
                Ok(loads.fetch_add(1, Relaxed))
            };
            let keep = |_: &Result<u32>| {
                kept.fetch_add(1, Relaxed);
            };
            thread::scope(|scope| {
                for _ in 0..16 {
                    scope.spawn(|| assert_eq!(flight.run(b"k", load, keep).unwrap(), 0));
                }
            });
            assert_eq!((loads.load(Relaxed), kept.load(Relaxed)), (1, 1));
            assert_eq!(flight.run(b"k", || Ok(7), |_| ()).unwrap(), 7, "the key was not deleted");
        });
    }

    #[test]
    fn a_panic_frees_every_waiter() {
        watched(|| {
            let flight = Flight::default();
            let load = || {
                until_waited_for(&flight, b"k", 7);
                panic!("source {} is gone", 1)
            };
            thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        let error = flight.run(b"k", load, |_| ()).unwrap_err();
                        let want = "the loader panicked at key \"k\": source 1 is gone";
                        assert_eq!(error.to_string(), want);
                    });
                }
            });
            assert_eq!(flight.run(b"k", || Ok(1), |_| ()).unwrap(), 1);
        });
    }

    #[test]
    fn a_panic_while_keeping_frees_every_waiter_too() {
        watched(|| {
            let flight = Arc::new(Flight::default());
            let leader = Arc::clone(&flight);
            let load = move || {
                until_waited_for(&leader, b"k", 1);
                Ok(1)
            };
            let leader = Arc::clone(&flight);
            let leading = thread::spawn(move || leader.run(b"k", load, |_| panic!("keep")));
            while flight.lock().is_empty() {
                thread::yield_now();
            }
            assert_eq!(flight.run(b"k", || Ok(2), |_| ()).unwrap(), 1);
            assert_eq!(leading.join().unwrap().unwrap(), 1);
        });
    }

    #[test]
    fn what_is_forgotten_is_not_kept() {
        let flight = Flight::default();
        let load = || {
            flight.forget(b"k");
            assert_eq!(flight.run(b"k", || Ok(2), |_| ()).unwrap(), 2, "a new flight");
            Ok(1)
        };
        let mut kept = false;
        let result = flight.run(b"k", load, |_| kept = true);
        assert_eq!((result.unwrap(), kept), (1, false));
        assert!(flight.lock().is_empty());
    }

    #[test]
    fn a_loader_may_ask_for_other_keys_but_not_its_own() {
        let flight = Flight::default();
        let inner = || flight.run(b"b", || flight.run(b"a", || Ok(1), |_| ()), |_| ());
        let error = flight.run(b"a", inner, |_| ()).unwrap_err();
        assert_eq!(error.to_string(), "the loader of key \"a\" asks the group for that key itself");
    }
}
