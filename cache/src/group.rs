//! Day 2: a group - a named cache that knows where its values come from. *You will have* a cache for
//! one process that many threads may use. About 20 minutes, with [`crate::ByteView`] and
//! [`crate::Shards`].
//!
//! # Why
//! With a cache that one fills by hand, every caller writes the same three lines: look, load, put.
//! A *read-through* cache is given the loader once, and callers only ever say `get`. That leaves one
//! place where to be clever: later days hang their single flight, their peers and their statistics
//! into [`Group::get`], and no caller changes.
//!
//! # The picture
//! ```text
//!                        yes
//!   get(key) --> cached? -----------------------------------------------> value    (day 2)
//!                  | no
//!                  v             yes                      answers
//!                flight: is it another node's? --> ask the owner --------> value    (days 5, 6)
//!                                | no                    | fails
//!                                v                       v
//!                              flight: call the getter, keep the value --> value    (day 2)
//! ```
//! A *flight* is a load that is under way; who asks for its key meanwhile waits for it. That is day 6.
//!
//! # The idea alone
//! ```
//! use std::collections::HashMap;
//! use std::sync::{Arc, Mutex};
//!
//! struct Tiny<F> { known: Mutex<HashMap<String, Arc<str>>>, load: F }
//!
//! impl<F: Fn(&str) -> Option<String>> Tiny<F> {
//!     fn get(&self, key: &str) -> Option<Arc<str>> {
//!         if let Some(value) = self.known.lock().unwrap().get(key) {
//!             return Some(Arc::clone(value));
//!         }                                           // the lock is released: loading is slow
//!         let value: Arc<str> = (self.load)(key)?.into();
//!         self.known.lock().unwrap().insert(key.into(), Arc::clone(&value));
//!         Some(value)
//!     }
//! }
//!
//! let scores = Tiny { known: Mutex::default(), load: |key: &str| (key == "Tom").then(|| "630".into()) };
//! let first = scores.get("Tom").unwrap();
//! assert!(Arc::ptr_eq(&first, &scores.get("Tom").unwrap()), "the second comes from the cache");
//! assert_eq!(scores.get("unknown"), None);
//! ```
//!
//! # The walk
//! A [`Getter`] is any closure from a key to bytes. [`Group::new`] takes one, [`Groups::add`] gives the
//! group its name among others, [`Group::get`] goes through the picture above, and [`Group::stats`]
//! says how often it went where.
//!
//! The file is the group as it stands on day 7. Today read [`Group::get`], `missed` and `load_locally`, and
//! take `flights.run(key, load, keep)` for "load, then keep"; `peers` and `ask_owner` are day 5's, and a
//! [`SideCache`] is beyond the course.
//!
//! - *Why a trait and closures?* A trait lets a struct with a connection in it be a getter; the blanket
//!   `impl` lets a closure be one. Go needs a named function type (`GetterFunc`) for the second.
//! - *Why a plain mutex?* Reads reorder the list: see [`crate::Shards`].
//! - *Is the copy of the bytes needed?* No: see [`ByteView`].
//! - *Why is an empty value cached?* "No bytes, no error" is a value of length 0. A loader that means
//!   "there is none" says so with [`Error::not_found`].
//!
//! # What the borrow checker says
//! A loader is called from many threads as long as the group lives: hence `Send + Sync + 'static` on
//! [`Getter`]. A closure that borrows a local table *may outlive the current function*; `move`, with an
//! `Arc` if others need the table too, is the cure:
//! ```compile_fail,E0373
//! let table = vec![6, 3, 0];
//! let scores = cache::Group::new("scores", 2048, |_: &[u8]| Ok(table.clone()));
//! ```
//! Keys are `&[u8]`, since a key from a URL need not be text, and the closure has to say so: for `|key|`
//! alone, *type annotations needed*. It cannot return its key as it is (*lifetime may not live long
//! enough*): the value lives on in the cache, the key only for the call. Hence `key.to_vec()`.
//!
//! # Differences from the Go tutorial
//! - No process-wide registry: a server is given a [`Groups`] value, so two can live in one process.
//! - A second group of the same name is an error and does not replace the first; so are second peers.
//! - "Not found" is an answer of its own. Go's asking node takes it for a failed peer and asks the source
//!   again, two queries for each absent key.
//! - Log lines are off until asked for ([`Group::log`]): a line per hit costs a hundred hits.
//!
//! # Try it
//! `cargo run -p cache --example day2_single_node` asks twice for each key. Left the log, which says which
//! get loads; right what it prints:
//! ```text
//! [SlowDB] search key Tom                                 Tom: 630
//! [GeeCache] hit                                          Tom: 630
//! [SlowDB] search key Jack                                Jack: 589
//! [GeeCache] hit                                          Jack: 589
//! ..                                                      ..
//! [SlowDB] search key unknown                             unknown not exist
//! ```
//!
//! The program:
//! ~~~~text
#![doc = include_str!("../examples/day2_single_node.rs")]
//! ~~~~
//! Exercises (in `cache/tests/exercises.rs`): `cargo test -p cache exercise_group -- --ignored`.

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use crate::error::one_line;
use crate::flight::{Flight, catch_panic};
use crate::peers::PeerPicker;
use crate::{ByteView, CacheStats, Error, Result, Shards};

/// Where the values come from: a database, a file, another service.
///
/// A value must follow from its key alone: nodes keep it for as long as they like. A getter may ask the
/// group for other keys, but never in a circle: two keys that ask for each other wait for ever.
pub trait Getter: Send + Sync + 'static {
    /// Loads the value of `key`.
    ///
    /// # Errors
    /// [`Error::not_found`] when there is none, [`Error::load`] when the source failed.
    fn get(&self, key: &[u8]) -> Result<ByteView>;
}

/// Every closure from a key to something like bytes is a getter.
impl<F, T> Getter for F
where
    F: Fn(&[u8]) -> Result<T> + Send + Sync + 'static,
    T: Into<ByteView>,
{
    fn get(&self, key: &[u8]) -> Result<ByteView> {
        self(key).map(Into::into)
    }
}

/// A cache beside the main one, for answers that are not this node's own values.
///
/// [`crate::beyond`] has two, the hot cache and the negative cache. The main cache is asked first.
pub trait SideCache: fmt::Debug + Send + Sync {
    /// Its name in the statistics.
    fn name(&self) -> &'static str;
    /// What it knows of `key`.
    fn lookup(&self, key: &[u8]) -> Option<Result<ByteView>>;
    /// Told of every fresh answer, and whether a peer gave it. Must be short: a lock is held.
    fn learn(&self, key: &[u8], answer: &Result<ByteView>, from_peer: bool);
    /// Forgets `key`.
    fn remove(&self, key: &[u8]);
    /// What it holds, how often it was asked.
    fn stats(&self) -> CacheStats;
}

/// Takes one line of log.
pub(crate) type Log = Box<dyn Fn(&str) + Send + Sync>;

/// A named cache with the source of its values.
///
/// ```
/// use cache::{Error, Group};
///
/// let scores = Group::new("scores", 2048, |key: &[u8]| match key {
///     b"Tom" => Ok("630"),
///     _ => Err(Error::not_found(key)),
/// });
/// assert_eq!(scores.get("Tom")?.to_string(), "630");
/// assert_eq!(scores.get("kkk").unwrap_err().to_string(), "kkk not exist");
/// assert_eq!(scores.stats().local_loads, 1);
/// # Ok::<(), Error>(())
/// ```
pub struct Group {
    name: String,
    getter: Box<dyn Getter>,
    pub(crate) main: Shards,
    pub(crate) sides: Vec<Box<dyn SideCache>>,
    pub(crate) budget_bytes: usize,
    peers: OnceLock<Arc<dyn PeerPicker>>,
    /// Loads that may go to a peer.
    flights: Flight<ByteView>,
    /// Loads by our own getter. Apart from `flights`, because a peer's request must never wait for an
    /// answer from a peer: two nodes that each think the other owns a key would wait in a circle.
    local_flights: Flight<ByteView>,
    counters: Counters,
    log: Option<Log>,
}

#[derive(Debug, Default)]
struct Counters {
    side_hits: AtomicU64,
    recheck_hits: AtomicU64,
    peer_loads: AtomicU64,
    peer_errors: AtomicU64,
    loads: AtomicU64,
    loads_deduped: AtomicU64,
    local_loads: AtomicU64,
    local_load_errs: AtomicU64,
    server_requests: AtomicU64,
}

/// How often a group did what, under groupcache's names. Whenever no load is under way,
/// `loads_deduped == peer_loads + local_loads + local_load_errs`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// All gets, those of peers included.
    pub gets: u64,
    /// Answered from a cache.
    pub cache_hits: u64,
    /// Answered by the owner, its final "not found" included.
    pub peer_loads: u64,
    /// The owner could not be asked or did not answer properly.
    pub peer_errors: u64,
    /// Gets that missed.
    pub loads: u64,
    /// Loads that were really made, by a peer or here.
    pub loads_deduped: u64,
    /// Loaded by the getter.
    pub local_loads: u64,
    /// The getter failed, panicked, or had no such key.
    pub local_load_errs: u64,
    /// Gets that came from a peer.
    pub server_requests: u64,
}

impl Group {
    /// A group of at most `budget_bytes` of keys and values (0: no limit), filled by `getter`.
    #[must_use]
    pub fn new(name: &str, budget_bytes: usize, getter: impl Getter) -> Group {
        Group {
            name: name.to_owned(),
            getter: Box::new(getter),
            main: Shards::new(budget_bytes),
            sides: Vec::new(),
            budget_bytes,
            peers: OnceLock::new(),
            flights: Flight::default(),
            local_flights: Flight::default(),
            counters: Counters::default(),
            log: None,
        }
    }

    /// Sends log lines to `log`: `[GeeCache] hit` and failures of peers.
    #[must_use]
    pub fn log(mut self, log: impl Fn(&str) + Send + Sync + 'static) -> Group {
        self.log = Some(Box::new(log));
        self
    }

    /// The group's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Says who knows the owners of keys (day 5). Without, every key is loaded here.
    ///
    /// # Errors
    /// [`Error::PeersAlreadySet`] the second time.
    pub fn register_peers(&self, peers: Arc<dyn PeerPicker>) -> Result<()> {
        let taken = |_| Error::PeersAlreadySet { group: self.name.clone() };
        self.peers.set(peers).map_err(taken)
    }

    /// The value of `key`: from a cache, else from its owner, else from the getter.
    ///
    /// # Errors
    /// [`Error::EmptyKey`], and whatever the getter returned. A failing peer is no error: the value is
    /// then loaded here.
    pub fn get(&self, key: impl AsRef<[u8]>) -> Result<ByteView> {
        let key = key.as_ref();
        // The way of a hit is kept short: no error, and nothing as large as one, is moved about on it.
        match self.main.get(key) {
            Some(value) => Ok(self.hit(value)),
            None => self.missed(key, || self.load(key)),
        }
    }

    /// [`Group::get`] for a peer that takes us for the owner: never asks a peer in turn.
    ///
    /// # Errors
    /// As [`Group::get`].
    pub fn get_for_peer(&self, key: &[u8]) -> Result<ByteView> {
        count(&self.counters.server_requests);
        match self.main.get(key) {
            Some(value) => Ok(self.hit(value)),
            None => self.missed(key, || {
                count(&self.counters.loads);
                self.load_locally(key)
            }),
        }
    }

    /// Forgets `key` on this node, in all its caches; other nodes keep what they have.
    ///
    /// No get that begins after this has returned answers with a value that was loaded before.
    pub fn remove(&self, key: impl AsRef<[u8]>) {
        let key = key.as_ref();
        // First the loads under way, so that none of them keeps its value after the removal.
        self.forget_flights(key);
        self.main.remove(key);
        self.sides.iter().for_each(|side| side.remove(key));
        // Then those that have begun since: their second look may have found what has now been removed.
        self.forget_flights(key);
    }

    /// The inner flight before the outer, so that no new outer flight can join an old inner one.
    fn forget_flights(&self, key: &[u8]) {
        self.local_flights.forget(key);
        self.flights.forget(key);
    }

    /// How often the group did what.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Relaxed);
        let (counters, main) = (&self.counters, self.main.stats());
        Stats {
            gets: main.gets,
            cache_hits: main.hits + read(&counters.side_hits) + read(&counters.recheck_hits),
            peer_loads: read(&counters.peer_loads),
            peer_errors: read(&counters.peer_errors),
            loads: read(&counters.loads),
            loads_deduped: read(&counters.loads_deduped),
            local_loads: read(&counters.local_loads),
            local_load_errs: read(&counters.local_load_errs),
            server_requests: read(&counters.server_requests),
        }
    }

    /// What each cache holds: `main` first, then those beside it.
    #[must_use]
    pub fn cache_stats(&self) -> Vec<(&'static str, CacheStats)> {
        let sides = self.sides.iter().map(|side| (side.name(), side.stats()));
        std::iter::once(("main", self.main.stats())).chain(sides).collect()
    }

    fn hit(&self, value: ByteView) -> ByteView {
        self.note(|| "[GeeCache] hit".to_owned());
        value
    }

    /// The main cache does not have the key: look beside it, then load.
    #[inline(never)]
    fn missed(&self, key: &[u8], load: impl FnOnce() -> Result<ByteView>) -> Result<ByteView> {
        if key.is_empty() {
            return Err(Error::EmptyKey);
        }
        let Some(found) = self.sides.iter().find_map(|side| side.lookup(key)) else {
            return load();
        };
        count(&self.counters.side_hits);
        found.map(|value| self.hit(value))
    }

    /// A second look, by the leader of a flight: the flight before may have kept the key just now.
    fn recheck(&self, key: &[u8]) -> Option<Result<ByteView>> {
        let beside = || self.sides.iter().find_map(|side| side.lookup(key));
        let found = self.main.recheck(key).map(Ok).or_else(beside);
        found.inspect(|_| count(&self.counters.recheck_hits))
    }

    /// A miss: one flight for all who ask now, to the owner if that is another node, else here.
    fn load(&self, key: &[u8]) -> Result<ByteView> {
        count(&self.counters.loads);
        // Set by `load`, read by what is run after it: both by the leader, on this thread.
        let from_peer = Cell::new(false);
        let load = || {
            if let Some(found) = self.recheck(key) {
                return found;
            }
            if let Some(answer) = self.ask_owner(key) {
                from_peer.set(true);
                return answer;
            }
            self.load_locally(key)
        };
        self.flights.run(key, load, |answer| {
            if from_peer.get() {
                self.sides.iter().for_each(|side| side.learn(key, answer, true));
            }
        })
    }

    /// The owner's final answer, or `None` when the key is ours or its owner is out of reach.
    fn ask_owner(&self, key: &[u8]) -> Option<Result<ByteView>> {
        let peer = self.peers.get()?.pick_peer(key)?;
        let answer = catch_panic(key, || peer.get(&self.name, key));
        match &answer {
            Err(error) if !error.is_not_found() => {
                count(&self.counters.peer_errors);
                self.note(|| format!("[GeeCache] Failed to get from peer {error}"));
                return None;
            }
            _ => {}
        }
        count(&self.counters.loads_deduped);
        count(&self.counters.peer_loads);
        Some(answer)
    }

    /// Calls the getter, in one flight for all, and keeps what it says.
    fn load_locally(&self, key: &[u8]) -> Result<ByteView> {
        let fresh = Cell::new(false);
        let load = || {
            if let Some(found) = self.recheck(key) {
                return found;
            }
            fresh.set(true);
            count(&self.counters.loads_deduped);
            let answer = match catch_panic(key, || self.getter.get(key)) {
                // Whatever the getter calls the key: what does not exist is the one that was asked for.
                Err(error) if error.is_not_found() => Err(Error::not_found(key)),
                answer => answer,
            };
            let counters = &self.counters;
            count(if answer.is_ok() { &counters.local_loads } else { &counters.local_load_errs });
            answer
        };
        self.local_flights.run(key, load, |answer| {
            if !fresh.get() {
                return;
            }
            if let Ok(value) = answer {
                // A value larger than a shard is served, but not kept.
                let _ = self.main.add(key, value.clone());
            }
            self.sides.iter().for_each(|side| side.learn(key, answer, false));
        })
    }

    fn note(&self, line: impl FnOnce() -> String) {
        if let Some(log) = &self.log {
            log(&one_line(&line()));
        }
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Group { name, main, sides, .. } = self;
        let mut debug = f.debug_struct("Group");
        debug.field("name", name).field("main", &main.stats()).field("sides", sides);
        debug.finish_non_exhaustive()
    }
}

/// The groups of a process, by name: what a server is given.
///
/// ```
/// use cache::{Group, Groups};
///
/// let groups = Groups::default();
/// let identity = groups.add(Group::new("identity", 0, |key: &[u8]| Ok(key.to_vec())))?;
/// assert_eq!(identity.get("Sam")?.to_string(), "Sam");
/// assert!(groups.get("identity").is_some() && groups.get("other").is_none());
/// # Ok::<(), cache::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Groups {
    /// Written when a program starts, read by every request.
    by_name: RwLock<HashMap<String, Arc<Group>>>,
}

impl Groups {
    /// Adds `group` under its name and returns it, now shared.
    ///
    /// # Errors
    /// [`Error::DuplicateGroup`] when the name is taken.
    pub fn add(&self, group: Group) -> Result<Arc<Group>> {
        let mut by_name = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        if by_name.contains_key(&group.name) {
            return Err(Error::DuplicateGroup { name: group.name });
        }
        let group = Arc::new(group);
        by_name.insert(group.name.clone(), Arc::clone(&group));
        Ok(group)
    }

    /// The group called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Arc<Group>> {
        self.by_name.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// All groups, by name.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Group>> {
        let by_name = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = by_name.values().cloned().collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }
}

#[cfg(test)]
mod tests;
