//! Day 5: many nodes - ask the owner of a key, and get along without it. *You will have* a cluster: each
//! key is loaded and kept by one node, and any node can be asked. About 20 minutes.
//!
//! # Why
//! One process has the memory of one machine. If every node cached everything, ten nodes would hold no
//! more than one does and the source would be asked ten times. Let each key have *one* owner, by the ring,
//! and let the others ask it: ten nodes hold ten times as much and the source is asked once.
//!
//! # The picture
//! ```text
//!   curl /api?key=Tom --> node 8003: not cached. Owner? 8001, says the ring
//!                            |  GET /_geecache/scores/Tom
//!                            '------------------------------> node 8001: the owner. Not cached: load,
//!                            <------- 200, 630 -------------'             keep, answer
//!   630 <--------------------'
//!
//!   the peer answers           value: done     "not exist": done, it is the owner who says so
//!   the peer fails             load it here; let the peer rest for 100 ms, then 200, 400, .. 10 s
//!   the asker is a peer        never ask on: answer from here, whoever the ring says the owner is
//! ```
//! The last line keeps two nodes with different lists from passing a request to and fro for ever.
//!
//! # The idea alone
//! ```
//! use std::collections::HashMap;
//!
//! struct Node { own: HashMap<&'static str, u32> }
//!
//! fn get(nodes: &[Node], asked: usize, key: &str, for_peer: bool) -> Option<u32> {
//!     let owner = cache::crc32(key.as_bytes()) as usize % nodes.len();
//!     if owner == asked || for_peer {
//!         return nodes[asked].own.get(key).copied();
//!     }
//!     get(nodes, owner, key, true)                       // over the network, in real life
//! }
//!
//! let mut nodes = [(); 3].map(|()| Node { own: HashMap::new() });
//! nodes[cache::crc32(b"Tom") as usize % 3].own.insert("Tom", 630);
//! assert!((0..3).all(|asked| get(&nodes, asked, "Tom", false) == Some(630)));
//! ```
//!
//! # The walk
//! [`PeerPicker`] says who owns a key and [`PeerGetter`] asks; a [`Group`](crate::Group) knows no more.
//! [`HttpPool`] is the picker that lives on HTTP: [`HttpPool::set_peers`] lays a ring over the peers' URLs
//! and keeps an [`HttpPeer`] for each, which asks by [`web::Client`] and remembers in a [`Rest`] how its
//! last attempts went.
//!
//! - *What if a peer is down?* Its keys are loaded where they are asked for, and it is tried again now and
//!   then, by one request at a time. No get waits longer than [`PeerLimits::total_timeout`] for it.
//! - *How is it deployed on real machines?* Start the same program on each, give all the same list, each its
//!   own URL spelt as in the list; change the list with `set_peers`, at any time and under load. Keep the
//!   port inside your network: whoever reaches it can read the cache. With the example, on the first of three
//!   machines: `day5_multi_nodes --port 8001 --addr 0.0.0.0:8001 --self http://10.0.0.1:8001 --peers
//!   http://10.0.0.1:8001,http://10.0.0.2:8001,http://10.0.0.3:8001 --api 127.0.0.1:9999`.
//! - *May the users' API share the peers' server?* Better not: with all its threads waiting for a peer it
//!   has none left to answer that peer, which waits for it. Two servers, as in the examples, cannot do that.
//! - *A node whose own URL is spelt otherwise* finds its own keys to be somebody else's, asks itself over
//!   the network, and answers, since it is not asked on. Slow, not stuck.
//!
//! # What the borrow checker says
//! In Go the list sits behind a mutex that is held while an owner is picked. Here the list is an
//! `Arc<Members>` in an [`RwLock`](std::sync::RwLock): a reader copies the `Arc` and lets the lock go, a
//! writer puts another `Arc` there. Nobody can see half a list, and the old one is freed by the last reader.
//! A getter is returned as `Arc<dyn PeerGetter>`; as a `&dyn` it would hold the lock while it asks.
//!
//! # Differences from the Go tutorial
//! - Deadlines, a limit on the size of an answer, rest for peers that fail; no list yet is no panic.
//! - Keys are percent-encoded: Go's `url.QueryEscape` in a path makes `a b` a request for `a+b`.
//! - "Not exist" from the owner is the answer; in Go the asking node asks the source once more.
//!
//! # Try it
//! `cargo run -p cache --example day5_multi_nodes`, then `curl 'localhost:9999/api?key=Tom'` prints 630.
//! The log shows the way (the times are left out), and `curl localhost:8001/stats` what was counted:
//! ```text
//! [Server http://localhost:8003] Pick peer http://localhost:8001
//! [Server http://localhost:8001] GET /_geecache/scores/Tom
//! [SlowDB] search key Tom
//! ```
//! The example's own page says how to start the three nodes as three processes, and to end one.
//!
//! The program (those of days 3 to 7 share `examples/demo/mod.rs`):
//! ~~~~text
#![doc = include_str!("../examples/day5_multi_nodes.rs")]
//! ~~~~
//! Exercises (in `cache/tests/exercises.rs`): `cargo test -p cache exercise_peers -- --ignored`.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use web::Client;
use web::url::encode_segment;

use crate::error::text;
use crate::{ByteView, Dialect, Error, HttpPool, Result, Ring};

/// Knows the owner of every key.
pub trait PeerPicker: fmt::Debug + Send + Sync {
    /// The node that owns `key`; `None` when that is this one, or one that rests after a failure: then
    /// the key is loaded here.
    fn pick_peer(&self, key: &[u8]) -> Option<Arc<dyn PeerGetter>>;
}

/// Another node, to be asked for a value.
pub trait PeerGetter: fmt::Debug + Send + Sync {
    /// The node's value of `key` in `group`.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the node says that there is none, which is final. Any other error is the
    /// peer's failure, and the caller loads the key itself.
    fn get(&self, group: &str, key: &[u8]) -> Result<ByteView>;
}

/// How long and how much to take from a peer.
#[derive(Debug, Clone, Copy)]
pub struct PeerLimits {
    /// Until the connection stands. 1 s.
    pub connect_timeout: Duration,
    /// For the whole exchange, connecting included. 3 s: longer than a load by the owner should take.
    pub total_timeout: Duration,
    /// A longer answer is a failure. 64 MiB.
    pub body_bytes_max: u64,
    /// How long a peer rests after its first failure; twice as long after each further one. 100 ms.
    pub rest_first: Duration,
    /// The longest rest. 10 s.
    pub rest_max: Duration,
}

impl Default for PeerLimits {
    fn default() -> PeerLimits {
        PeerLimits {
            connect_timeout: Duration::from_secs(1),
            total_timeout: Duration::from_secs(3),
            body_bytes_max: 64 << 20,
            rest_first: Duration::from_millis(100),
            rest_max: Duration::from_secs(10),
        }
    }
}

/// The nodes of a cluster, as one list has it.
#[derive(Debug)]
pub(crate) struct Members {
    pub(crate) ring: Ring,
    peers: HashMap<String, Arc<HttpPeer>>,
}

impl Default for Members {
    fn default() -> Members {
        Members { ring: Ring::new(REPLICAS), peers: HashMap::new() }
    }
}

/// So much of a peer's error text is kept.
const MESSAGE_BYTES_MAX: usize = 200;

/// Points per node on the ring, as groupcache has them.
const REPLICAS: usize = 50;

impl HttpPool {
    /// Asks peers within other limits.
    #[must_use]
    pub fn limits(mut self, limits: PeerLimits) -> HttpPool {
        self.limits = limits;
        self
    }

    /// Makes `urls`, this node's own among them, the nodes of the cluster, in place of those before.
    ///
    /// Nodes that stay keep their connections. Requests under way end with the list they began with.
    ///
    /// # Errors
    /// [`Error::BadPeerUrl`] when one is not `http://HOST[:PORT]`; the list stays as it was.
    pub fn set_peers<U: AsRef<str>>(&self, urls: impl IntoIterator<Item = U>) -> Result<()> {
        self.set_ring(Ring::new(REPLICAS), urls)
    }

    /// [`HttpPool::set_peers`] on a ring of the caller's, still without nodes: other replicas or hash.
    ///
    /// # Errors
    /// As [`HttpPool::set_peers`].
    pub fn set_ring<U: AsRef<str>>(
        &self,
        mut ring: Ring,
        urls: impl IntoIterator<Item = U>,
    ) -> Result<()> {
        let mut members = self.members.write().unwrap_or_else(PoisonError::into_inner);
        let mut peers = HashMap::new();
        for url in urls {
            let url = url.as_ref();
            check_url(url)?;
            let peer = match members.peers.get(url) {
                Some(known) => Arc::clone(known),
                None => Arc::new(HttpPeer::new(url, self.dialect.clone(), self.limits)),
            };
            peers.insert(url.to_owned(), peer);
        }
        ring.add(peers.keys());
        *members = Arc::new(Members { ring, peers });
        Ok(())
    }
}

impl PeerPicker for HttpPool {
    fn pick_peer(&self, key: &[u8]) -> Option<Arc<dyn PeerGetter>> {
        let members = Arc::clone(&self.members.read().unwrap_or_else(PoisonError::into_inner));
        let owner = members.ring.get(key)?;
        if owner == self.self_url {
            return None;
        }
        let peer = members.peers.get(owner)?;
        if !peer.rest().may_try(Instant::now(), &self.limits) {
            return None;
        }
        self.note(|| format!("Pick peer {owner}"));
        Some(Arc::clone(peer) as Arc<dyn PeerGetter>)
    }
}

/// A URL that requests can be made from and that is the same for all who spell it.
fn check_url(url: &str) -> Result<()> {
    let bad = |reason| Err(Error::BadPeerUrl { url: url.to_owned(), reason });
    match url.strip_prefix("http://") {
        None => bad("must begin with http:// (std has no TLS)"),
        Some("") => bad("has no host"),
        Some(rest) if rest.contains(['/', '?', '#', '@', ' ']) => {
            bad("must be http://HOST:PORT and no more")
        }
        Some(_) => Ok(()),
    }
}

/// A peer that is asked over HTTP, on connections that are kept.
#[derive(Debug)]
pub struct HttpPeer {
    url: String,
    dialect: Dialect,
    limits: PeerLimits,
    client: Client,
    /// Guards how the last attempts went.
    rest: Mutex<Rest>,
}

impl HttpPeer {
    fn new(url: &str, dialect: Dialect, limits: PeerLimits) -> HttpPeer {
        let mut client = Client::new();
        client.connect_timeout = limits.connect_timeout;
        client.total_timeout = limits.total_timeout;
        client.body_bytes_max = limits.body_bytes_max;
        HttpPeer { url: url.to_owned(), dialect, limits, client, rest: Mutex::default() }
    }

    fn rest(&self) -> MutexGuard<'_, Rest> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, group: &str, key: &[u8]) -> Result<ByteView> {
        let (base, group_part) = (&self.dialect.base_path, encode_segment(group.as_bytes()));
        let url = format!("{}{base}{group_part}/{}", self.url, encode_segment(key));
        let peer = || self.url.clone();
        let answer = self
            .client
            .get(&url)
            .map_err(|cause| Error::PeerFailed { peer: peer(), cause: Arc::new(cause) })?;
        if answer.status == 200 {
            let value = self.dialect.decode(answer.body);
            return value.map_err(|cause| Error::PeerAnswer { peer: peer(), cause: cause.into() });
        }
        // Only these two 404s are ours; any other comes from a server that is no cache.
        let not_found = Error::not_found(key);
        if answer.status == 404 && answer.body == format!("{not_found}\n").into_bytes() {
            return Err(not_found);
        }
        let line = answer.body.split(|&byte| byte == b'\n').next().unwrap_or_default();
        if answer.status == 404 && line.starts_with(b"no such group") {
            return Err(Error::PeerLacksGroup { peer: peer(), group: group.to_owned() });
        }
        let message = text(&line[..line.len().min(MESSAGE_BYTES_MAX)]);
        Err(Error::PeerStatus { peer: peer(), status: answer.status_text, message })
    }
}

impl PeerGetter for HttpPeer {
    fn get(&self, group: &str, key: &[u8]) -> Result<ByteView> {
        let answer = self.ask(group, key);
        // No answer, nonsense, or "too busy" (503, and 502 and 504 of a gateway that does not reach it):
        // let the peer rest. Any other answer shows that it is well, though perhaps its source is not.
        let unwell = match &answer {
            Err(Error::PeerFailed { .. } | Error::PeerAnswer { .. }) => true,
            Err(Error::PeerStatus { status, .. }) => {
                ["502", "503", "504"].iter().any(|busy| status.starts_with(busy))
            }
            _ => false,
        };
        if unwell {
            self.rest().failed(Instant::now(), &self.limits);
        } else {
            self.rest().succeeded();
        }
        answer
    }
}

/// When a peer that failed may be tried again. Time is passed in, so that a test needs none.
#[derive(Debug, Default)]
pub struct Rest {
    /// In a row.
    failures: u32,
    /// Set after a failure: not before.
    until: Option<Instant>,
    /// One caller is out to see whether the peer is back.
    trying: bool,
}

impl Rest {
    /// Whether to ask the peer now. When its rest is over, one caller is let through to try; the others
    /// only after its success, or when its deadline has passed without news.
    pub fn may_try(&mut self, now: Instant, limits: &PeerLimits) -> bool {
        match self.until {
            Some(until) if now < until => false,
            Some(_) => {
                self.trying = true;
                self.until = Some(now + limits.total_timeout);
                true
            }
            None => true,
        }
    }

    /// The peer failed.
    pub fn failed(&mut self, now: Instant, limits: &PeerLimits) {
        // Requests that were under way together fail together: that is one failure, not many.
        if self.failures == 0 || self.trying {
            self.failures = self.failures.saturating_add(1);
        }
        self.trying = false;
        let doubled = 1 << self.failures.saturating_sub(1).min(20);
        self.until = Some(now + limits.rest_first.saturating_mul(doubled).min(limits.rest_max));
    }

    /// The peer answered.
    pub fn succeeded(&mut self) {
        *self = Rest::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_fails_rests_longer_each_time_and_is_tried_by_one() {
        let limits = PeerLimits::default();
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut rest = Rest::default();
        assert!(rest.may_try(at(0), &limits) && rest.may_try(at(0), &limits));
        rest.failed(at(0), &limits);
        rest.failed(at(1), &limits); // it was under way at the same time
        assert!(!rest.may_try(at(100), &limits));
        assert!(rest.may_try(at(101), &limits), "100 ms are over");
        assert!(!rest.may_try(at(102), &limits), "one is out already");
        rest.failed(at(103), &limits);
        assert!(!rest.may_try(at(302), &limits) && rest.may_try(at(303), &limits), "200 ms");
        assert!(rest.may_try(at(3303), &limits), "no news within the deadline: the next one");
        rest.succeeded();
        assert!(rest.may_try(at(3304), &limits) && rest.may_try(at(3304), &limits));
        for _ in 0..100 {
            assert!(rest.may_try(at(100_000), &limits) || rest.until.is_some());
            rest.trying = true;
            rest.failed(at(0), &limits);
        }
        assert_eq!(rest.until, Some(at(10_000)), "never more than rest_max");
    }

    #[test]
    fn a_peer_that_is_too_busy_rests_and_one_whose_source_failed_does_not() {
        let pool = HttpPool::new("http://localhost:8001", Dialect::geecache());
        for (status, rests) in [(500, false), (404, false), (502, true), (503, true), (504, true)] {
            let answer = move |_: &mut web::Request, response: &mut web::Response| {
                response.set_status(status);
            };
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let server = web::Server::new(answer);
            let stopper = server.stopper();
            let serving = std::thread::spawn(move || server.serve(listener));
            pool.set_peers([&url]).unwrap();
            assert!(pool.pick_peer(b"Tom").unwrap().get("scores", b"Tom").is_err(), "{status}");
            assert_eq!(pool.pick_peer(b"Tom").is_none(), rests, "{status}");
            stopper.shutdown(Duration::from_secs(5));
            serving.join().unwrap().unwrap();
        }
    }

    #[test]
    fn urls_that_cannot_be_asked_are_refused() {
        const CASES: &[(&str, &str)] = &[
            ("localhost:8001", "must begin with http:// (std has no TLS)"),
            ("https://localhost:8001", "must begin with http:// (std has no TLS)"),
            ("http://", "has no host"),
            ("http://localhost:8001/", "must be http://HOST:PORT and no more"),
            ("http://a b", "must be http://HOST:PORT and no more"),
        ];
        let pool = HttpPool::new("http://localhost:8001", Dialect::geecache());
        assert!(pool.pick_peer(b"Tom").is_none(), "no list yet");
        pool.set_peers(["http://localhost:8001", "http://localhost:8002"]).unwrap();
        for (url, reason) in CASES {
            let error = pool.set_peers([url]).unwrap_err();
            assert_eq!(error.to_string(), format!("peer URL {url:?}: {reason}"));
        }
        assert!(pool.pick_peer(b"hello").is_some(), "the list stays as it was");
    }

    #[test]
    fn the_owner_is_picked_unless_it_is_this_node() {
        let pool = HttpPool::new("http://localhost:8003", Dialect::geecache());
        let peers = ["http://localhost:8001", "http://localhost:8002", "http://localhost:8003"];
        pool.set_peers(peers).unwrap();
        assert!(pool.pick_peer(b"Tom").is_some() && pool.pick_peer(b"Jack").is_some());
        assert!(pool.pick_peer(b"Sam").is_none());
        let kept = Arc::clone(&pool.members.read().unwrap().peers[peers[0]]);
        pool.set_peers(&peers[..1]).unwrap();
        assert!(pool.pick_peer(b"Sam").is_some(), "another list, another owner");
        assert!(Arc::ptr_eq(&kept, &pool.members.read().unwrap().peers[peers[0]]));
        kept.rest().failed(Instant::now(), &PeerLimits::default());
        assert!(pool.pick_peer(b"Sam").is_none(), "it rests");
    }
}
