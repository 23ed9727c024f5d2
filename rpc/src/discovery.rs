//! Day 6: which servers there are, and which one to take.
//!
//! **At the end** a client has a list of servers and a policy. Ten minutes, with
//! [`xclient`](crate::xclient) twenty.
//!
//! # Why
//! One server is as quick as one server, and as reliable. With several, somebody chooses: a proxy in
//! front (nginx, Envoy), or the client itself, which knows best whom it waits for. Here the client does.
//!
//! | policy | good for | bad for |
//! |---|---|---|
//! | random | no state, many clients | few calls: uneven |
//! | round robin | servers that are alike | calls that are not alike |
//! | weighted | servers that are not alike | someone must know the weights |
//! | hash of a key | caches on the servers | one key that everybody wants |
//! | least pending | calls that are not alike | many clients that do not know of each other |
//!
//! The first two are here, the others in [`beyond::select`](crate::beyond::select).
//!
//! # The idea alone
//! Round robin over a list that somebody may change meanwhile:
//!
//! ```
//! use std::sync::RwLock;
//! use std::sync::atomic::{AtomicUsize, Ordering};
//!
//! let servers = RwLock::new(vec!["a", "b", "c"]);
//! let next = AtomicUsize::new(0);
//! let choose = || {
//!     let servers = servers.read().unwrap();
//!     let turn = next.fetch_add(1, Ordering::Relaxed);
//!     servers.get(turn % servers.len().max(1)).copied() // none for an empty list
//! };
//! assert_eq!([choose(), choose(), choose()], [Some("a"), Some("b"), Some("c")]);
//! servers.write().unwrap().pop();
//! assert_eq!([choose(), choose()], [Some("b"), Some("a")]); // 3 % 2 is 1
//! servers.write().unwrap().clear();
//! assert_eq!(choose(), None);
//! ```
//!
//! # The walk
//! A [`Discovery`] has the list ([`MultiServers`]), a [`Select`] points at one of the
//! [candidates](Candidate) ([`Random`], [`RoundRobin`]); [`XClient`](crate::XClient) asks both for every
//! call, and keeps a connection to each server.
//!
//! # What the borrow checker says
//! Go seeds a global random generator. A generator is changed by being asked; behind a `&self` that
//! needs a cell: an atomic, since threads share it.
//!
//! # Where this differs from Go
//! - `SelectMode` is a trait, so that a policy can keep state and be your own; an unknown mode, an
//!   error in Go, cannot be written.
//! - The random generator is ten lines, seeded by what std has.
//!
//! # Try it
//! `cargo run -p rpc --example day6_load_balance`. Exercises, at the end of this file:
//! - `exercise_discovery_without_doubles`: an address that is listed twice gets twice the calls; let
//!   [`MultiServers`] keep it once.
//! - `exercise_discovery_in_order`: two programs with the same list in another order go round in another
//!   order; let [`Discovery::get_all`] sort it.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Instant;

use crate::{Error, Result};

/// A source of server addresses (`tcp@host:port`).
///
/// The contract is small on purpose: a list in the program ([`MultiServers`]), our registry
/// ([`RegistryDiscovery`](crate::registry::RegistryDiscovery)), or etcd's HTTP gateway all fit it.
pub trait Discovery: Send + Sync {
    /// Asks again, if what is known is old.
    ///
    /// # Errors
    /// Those of asking; what was known stays known.
    fn refresh(&self) -> Result<()>;

    /// Replaces what is known.
    fn update(&self, servers: Vec<String>);

    /// All servers, in a stable order.
    ///
    /// # Errors
    /// [`Error::NoServers`].
    fn get_all(&self) -> Result<Vec<String>>;

    /// [`Discovery::get_all`] for a call that is over at `deadline`: who asks over a network must
    /// not take all of its time.
    ///
    /// # Errors
    /// Those of [`Discovery::get_all`].
    fn get_all_by(&self, deadline: Option<Instant>) -> Result<Vec<String>> {
        let _ = deadline;
        self.get_all()
    }

    /// One server, as `select` chooses.
    ///
    /// # Errors
    /// [`Error::NoServers`].
    fn get(&self, select: &dyn Select) -> Result<String> {
        let mut servers = self.get_all()?;
        if servers.is_empty() {
            return Err(Error::NoServers);
        }
        let candidates: Vec<_> =
            servers.iter().map(|address| Candidate { address, pending: 0 }).collect();
        let index = select.select(&candidates, None).min(servers.len() - 1);
        Ok(servers.swap_remove(index))
    }
}

/// A server as a selector sees it.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Its address.
    pub address: &'a str,
    /// Calls that wait for it in this program.
    pub pending: usize,
}

/// A policy: which of several servers serves the next call.
pub trait Select: Send + Sync {
    /// The index of the one to take; `candidates` is not empty. `key` is what the caller wants the
    /// choice to depend on, if anything.
    fn select(&self, candidates: &[Candidate<'_>], key: Option<&str>) -> usize;
}

/// Any of them, each as likely as the next.
///
/// std has no random numbers but the seed of its hash maps; Marsaglia's xorshift makes as many of
/// that as anyone wants. Good enough to spread load, not to keep secrets.
pub struct Random {
    state: AtomicU64,
}

impl Random {
    /// A generator that begins anywhere.
    #[must_use]
    pub fn new() -> Random {
        // Any number but 0, from which xorshift never gets away.
        Random { state: AtomicU64::new(RandomState::new().hash_one(0) | 1) }
    }

    /// A number below `bound`.
    pub(crate) fn below(&self, bound: usize) -> usize {
        let step = |mut x: u64| {
            x ^= x << 13;
            x ^= x >> 7;
            x ^ (x << 17)
        };
        let update =
            self.state.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |x| Some(step(x)));
        let number = step(update.unwrap_or(1));
        usize::try_from(number % bound.max(1) as u64).unwrap_or(0)
    }
}

impl Default for Random {
    fn default() -> Random {
        Random::new()
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}

impl Select for Random {
    fn select(&self, candidates: &[Candidate<'_>], _key: Option<&str>) -> usize {
        self.below(candidates.len())
    }
}

/// One after the other, beginning anywhere, so that many programs do not all begin with the first.
#[derive(Debug)]
pub struct RoundRobin {
    next: AtomicUsize,
}

impl RoundRobin {
    /// A round that begins anywhere.
    #[must_use]
    pub fn new() -> RoundRobin {
        RoundRobin { next: AtomicUsize::new(Random::new().below(1 << 20)) }
    }
}

impl Default for RoundRobin {
    fn default() -> RoundRobin {
        RoundRobin::new()
    }
}

impl Select for RoundRobin {
    fn select(&self, candidates: &[Candidate<'_>], _key: Option<&str>) -> usize {
        self.next.fetch_add(1, Ordering::Relaxed) % candidates.len().max(1)
    }
}

/// A list that somebody keeps by hand.
#[derive(Debug, Default)]
pub struct MultiServers {
    servers: RwLock<Vec<String>>,
}

impl MultiServers {
    /// The discovery of a fixed list.
    #[must_use]
    pub fn new<S: Into<String>>(servers: impl IntoIterator<Item = S>) -> MultiServers {
        let servers = servers.into_iter().map(Into::into).collect();
        MultiServers { servers: RwLock::new(servers) }
    }
}

impl Discovery for MultiServers {
    /// There is nobody to ask.
    fn refresh(&self) -> Result<()> {
        Ok(())
    }

    fn update(&self, servers: Vec<String>) {
        *self.servers.write().unwrap_or_else(PoisonError::into_inner) = servers;
    }

    fn get_all(&self) -> Result<Vec<String>> {
        let servers = self.servers.read().unwrap_or_else(PoisonError::into_inner).clone();
        if servers.is_empty() { Err(Error::NoServers) } else { Ok(servers) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_takes_each_in_turn() {
        let servers = MultiServers::new(["a", "b", "c"]);
        let round = RoundRobin::new();
        let taken: Vec<String> = (0..6).map(|_| servers.get(&round).unwrap()).collect();
        assert_eq!(taken[..3], taken[3..]);
        let mut sorted = taken[..3].to_vec();
        sorted.sort_unstable();
        assert_eq!(sorted, ["a", "b", "c"]);
    }

    #[test]
    fn chance_takes_each_now_and_then() {
        let servers = MultiServers::new(["a", "b", "c"]);
        let random = Random::new();
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..3000 {
            *counts.entry(servers.get(&random).unwrap()).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 3);
        assert!(counts.values().all(|count| (700..1300).contains(count)), "{counts:?}");
    }

    #[test]
    fn an_empty_list_is_an_error() {
        let servers = MultiServers::new(["a"]);
        servers.update(Vec::new());
        let error = servers.get(&Random::new()).unwrap_err();
        assert_eq!(error.to_string(), "rpc discovery: no available servers");
    }

    #[test]
    #[ignore = "an exercise: see the end of the chapter"]
    fn exercise_discovery_in_order() {
        assert_eq!(MultiServers::new(["b", "c", "a"]).get_all().unwrap(), ["a", "b", "c"]);
    }

    #[test]
    #[ignore = "an exercise: see the end of the chapter"]
    fn exercise_discovery_without_doubles() {
        assert_eq!(MultiServers::new(["a", "b", "a"]).get_all().unwrap(), ["a", "b"]);
    }
}
