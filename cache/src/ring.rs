//! Day 4, second half: the ring - which node owns a key, agreed on without a word between the nodes.
//! *You will have* consistent hashing that agrees with groupcache key by key. About 15 minutes.
//!
//! # Why
//! With `hash(key) % nodes` every node can compute the owner, until a fourth node joins three: then
//! three keys in four change their owner, all caches are cold at once, and the database gets the load
//! that the cache was there to keep away (an *avalanche*). *Consistent* hashing moves only the keys
//! that the new node takes over, a quarter.
//!
//! # The picture
//! Hashes are points on a circle of 2^32. A node puts points on it, a key belongs to the first point at
//! or after its own hash, clockwise; past the top it goes on at 0.
//!
//! ```text
//!                  0 = 2^32
//!             A17 .-----. x                 key "Tom" hashes to here: x
//!               /         \                 the next point clockwise is B3: node B owns it
//!          C8  |           | B3             when B leaves, its points vanish, and "Tom"
//!              |           |                goes to the next one, A4; keys of A and C stay
//!             B21\       / A4
//!                 '-----'
//! ```
//! With one point per node the arcs would be very uneven, so each node has many *virtual* ones, named
//! `0http://..`, `1http://..`, up to `49http://..`: the decimal number, then the node. Go's names, to
//! the letter, or else the nodes would not agree.
//!
//! # The idea alone
//! ```
//! use std::collections::BTreeMap;
//!
//! struct Tiny(BTreeMap<u32, &'static str>);
//!
//! impl Tiny {
//!     fn add(&mut self, node: &'static str) {
//!         for i in 0..50 {
//!             self.0.insert(cache::crc32(format!("{i}{node}").as_bytes()), node);
//!         }
//!     }
//!     fn owner(&self, key: &str) -> &str {
//!         let hash = cache::crc32(key.as_bytes());
//!         let clockwise = self.0.range(hash..).next();
//!         clockwise.or_else(|| self.0.iter().next()).expect("a ring with nodes").1
//!     }
//! }
//!
//! let mut ring = Tiny(BTreeMap::new());
//! for node in ["http://localhost:8001", "http://localhost:8002", "http://localhost:8003"] {
//!     ring.add(node);
//! }
//! assert_eq!(ring.owner("Tom"), "http://localhost:8001");
//! assert_eq!(ring.owner("Sam"), "http://localhost:8003");
//! ```
//!
//! # The walk
//! [`Ring::add`] and [`Ring::remove`] change the set of nodes and lay the points anew; [`Ring::get`] is
//! one binary search ([`slice::partition_point`]) over a sorted vector, which is faster than a tree.
//!
//! - *What do the numbers in the test* (`cache/tests/ring.rs`, after Go's) *mean?* Its hash reads a name as
//!   a number, so that node `6` with three replicas has the names `06`, `16`, `26` and the points 6, 16 and
//!   26. Key 11 goes on to 12, which is `1`+`2`, node 2's; key 27 is past the last point and wraps to 2.
//! - *What if two points collide?* The greater name owns the point: the same ring whatever the order of
//!   adding. In Go the last one added wins; the two agree where nodes are added in ascending order.
//! - *What about the data when a node comes or goes?* Nothing moves. It is a cache: the new owner loads
//!   what it is asked for, the old one evicts what nobody asks it for any more.
//! - *Which hash, how many points?* With 50 points each, crc32 gives `localhost:8001..8003` shares that
//!   deviate by 16 % from their mean. More points should even that out; with crc32 they make it *worse*,
//!   29 % at 512, because the sums of similar short names are similar. [`crate::beyond::mix64`] mixes properly, for
//!   clusters without Go nodes: 11 % at 50 points, 1 % at 512. Tests hold the figures.
//!
//! # What the borrow checker says
//! The Go map's points hold strings; here they hold an index into the sorted list of nodes, and `get`
//! returns a `&str` that lives as long as the borrow of the ring: no copy per look-up, and nobody can
//! change the ring while an owner is held. A ring that changes under load is therefore put into an `Arc`
//! and replaced as a whole (day 5).
//!
//! # Differences from the Go tutorial
//! - A set: adding a node twice changes nothing, and nodes can be removed.
//! - An empty ring gives `None`, not the empty string.
//!
//! # Try it
//! `cargo run -p cache --example day4_consistent_hash` prints the ring, then serves as on day 3:
//! ```text
//! 150 points, shares deviate by 16 % of their mean
//!  Tom 459235f3 -> http://localhost:8001
//! Jack 084846e6 -> http://localhost:8001
//!  Sam de5e0ef8 -> http://localhost:8003
//!  kkk e7aaf76f -> http://localhost:8001
//!  a b 806c5cd3 -> http://localhost:8001
//!  x/y 9e66110f -> http://localhost:8001
//!    你 d617d273 -> http://localhost:8002
//! without 8003: Sam -> http://localhost:8001
//! ```
//!
//! The program (those of days 3 to 7 share `examples/demo/mod.rs`):
//! ~~~~text
#![doc = include_str!("../examples/day4_consistent_hash.rs")]
//! ~~~~
//! Exercises (in `cache/tests/exercises.rs`): `cargo test -p cache exercise_ring -- --ignored`.

use crate::crc32;

/// Maps bytes to a point of the ring. Hashes of 32 bits leave the upper half zero.
pub type RingHash = fn(&[u8]) -> u64;

/// Which node owns a key: consistent hashing with virtual nodes, as groupcache does it.
///
/// ```
/// use cache::Ring;
///
/// let mut ring = Ring::new(50);
/// ring.add(["http://localhost:8001", "http://localhost:8002", "http://localhost:8003"]);
/// assert_eq!(ring.get(b"Sam"), Some("http://localhost:8003"));
/// ring.remove("http://localhost:8003");
/// assert_eq!(ring.get(b"Sam"), Some("http://localhost:8001"));
/// ```
#[derive(Debug, Clone)]
pub struct Ring {
    replicas: usize,
    hash: RingHash,
    /// Sorted, each once.
    nodes: Vec<String>,
    /// Sorted by hash, each hash once: the point and the index of its node.
    points: Vec<(u64, usize)>,
}

impl Ring {
    /// An empty ring with `replicas` points per node, placed by [`crc32()`]; groupcache has 50.
    #[must_use]
    pub fn new(replicas: usize) -> Ring {
        Ring::with_hash(replicas, |bytes| crc32(bytes).into())
    }

    /// [`Ring::new`] with a hash of the caller's. All nodes of a cluster must use the same.
    #[must_use]
    pub fn with_hash(replicas: usize, hash: RingHash) -> Ring {
        Ring { replicas, hash, nodes: Vec::new(), points: Vec::new() }
    }

    /// Adds nodes; one that is there already stays as it is.
    pub fn add<N: Into<String>>(&mut self, nodes: impl IntoIterator<Item = N>) {
        self.nodes.extend(nodes.into_iter().map(Into::into));
        self.lay_points();
    }

    /// Removes a node; whether it was there.
    pub fn remove(&mut self, node: &str) -> bool {
        let before = self.nodes.len();
        self.nodes.retain(|held| held != node);
        self.lay_points();
        self.nodes.len() < before
    }

    /// The owner of `key`, or `None` when the ring has no points.
    #[must_use]
    #[inline]
    pub fn get(&self, key: &[u8]) -> Option<&str> {
        self.owner_of((self.hash)(key))
    }

    /// The nodes, sorted.
    #[must_use]
    pub fn nodes(&self) -> &[String] {
        &self.nodes
    }

    /// The points clockwise from 0, each with its node.
    pub fn points(&self) -> impl Iterator<Item = (u64, &str)> {
        self.points.iter().map(|&(point, node)| (point, &*self.nodes[node]))
    }

    /// How many points there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether no key has an owner.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// The owner of a hash.
    #[must_use]
    #[inline]
    pub fn owner_of(&self, hash: u64) -> Option<&str> {
        let clockwise = self.points.partition_point(|&(point, _)| point < hash);
        let (_, node) = self.points.get(clockwise).or_else(|| self.points.first())?;
        self.nodes.get(*node).map(String::as_str)
    }

    /// How unevenly the circle of `bits` bits is shared out: the standard deviation of the nodes' shares
    /// in per cent of their mean.
    #[must_use]
    pub fn deviation(&self, bits: i32) -> f64 {
        let circle = 2.0_f64.powi(bits);
        let mut shares = vec![0.0; self.nodes.len()];
        let mut from = self.points.last().map_or(0.0, |&(point, _)| point as f64 - circle);
        for &(point, node) in &self.points {
            shares[node] += (point as f64 - from) / circle;
            from = point as f64;
        }
        let mean = 1.0 / shares.len() as f64;
        let squares = shares.iter().map(|share| (share - mean) * (share - mean)).sum::<f64>();
        100.0 * (squares * mean).sqrt() / mean
    }

    fn lay_points(&mut self) {
        self.nodes.sort();
        self.nodes.dedup();
        self.points.clear();
        // From the greatest name down: the sort is stable, so of equal points that one comes first.
        for (at, node) in self.nodes.iter().enumerate().rev() {
            for i in 0..self.replicas {
                self.points.push(((self.hash)(format!("{i}{node}").as_bytes()), at));
            }
        }
        self.points.sort_by_key(|&(point, _)| point);
        self.points.dedup_by_key(|&mut (point, _)| point);
    }
}
