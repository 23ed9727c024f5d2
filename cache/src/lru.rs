//! Day 1: an LRU cache with a budget of bytes. *You will have* the store that every later day
//! fills: get and add in constant time, the longest unused entry leaving first. About 15 minutes.
//!
//! # Why
//! Memory is short, so something must go. First-in-first-out throws away what everybody reads;
//! counting uses (LFU) keeps yesterday's favourite for ever. *Least recently used* is the plain
//! compromise: one move per hit, no numbers to age. The budget counts bytes, not entries, because
//! it is bytes that a machine runs out of. Real systems go on from here: W-TinyLFU (Caffeine) and
//! S3-FIFO keep a scan of once-read keys from washing out the good ones; groupcache stays with LRU.
//!
//! # The picture
//! One vector of nodes, the *slab*. Nodes point at each other with indices, three of them per node:
//! `prev` and `next` order them by last use, `chain` links those that share a hash bucket.
//!
//! ```text
//!   buckets            nodes (the slab)
//!   +---+         index   entry        prev  next  chain
//!   | 2 |----.      0     key1=123       1     -     -      <- tail, the next to be evicted
//!   | - |  .-|--->  1     k2=k2          2     0     -
//!   | 1 |--' '--->  2     k3=k3          -     1     0      <- head, used last
//!   +---+                 (k3 and key1 fell into the same bucket: 2 -> 0)
//! ```
//!
//! The front is the most recent, the back the oldest, always. A get finds the node through its
//! bucket and moves it to the front; an add that would overshoot the budget first evicts from the
//! back. Nothing here is thread safe, on purpose: reading *writes* (it moves the node), so a lock
//! comes around the whole, tomorrow.
//!
//! # The idea alone
//! ```
//! use std::collections::HashMap;
//!
//! #[derive(Default)]
//! struct Tiny { map: HashMap<String, usize>, nodes: Vec<Node>, head: usize, tail: usize }
//! struct Node { key: String, value: u32, prev: usize, next: usize }
//! const NIL: usize = usize::MAX;
//!
//! impl Tiny {
//!     fn get(&mut self, key: &str) -> Option<u32> {
//!         let at = *self.map.get(key)?;
//!         self.unlink(at);
//!         self.push_front(at);
//!         Some(self.nodes[at].value)
//!     }
//!     fn add(&mut self, key: &str, value: u32, capacity: usize) {
//!         let at = if self.nodes.len() < capacity {
//!             self.nodes.push(Node { key: String::new(), value: 0, prev: NIL, next: NIL });
//!             self.nodes.len() - 1
//!         } else {
//!             let oldest = self.tail;              // full: the oldest node is used again
//!             self.unlink(oldest);
//!             self.map.remove(&self.nodes[oldest].key);
//!             oldest
//!         };
//!         (self.nodes[at].key, self.nodes[at].value) = (key.into(), value);
//!         self.map.insert(key.into(), at);
//!         self.push_front(at);
//!     }
//!     fn unlink(&mut self, at: usize) {
//!         let (prev, next) = (self.nodes[at].prev, self.nodes[at].next);
//!         if prev == NIL { self.head = next } else { self.nodes[prev].next = next }
//!         if next == NIL { self.tail = prev } else { self.nodes[next].prev = prev }
//!     }
//!     fn push_front(&mut self, at: usize) {
//!         (self.nodes[at].prev, self.nodes[at].next) = (NIL, self.head);
//!         if self.head == NIL { self.tail = at } else { self.nodes[self.head].prev = at }
//!         self.head = at;
//!     }
//! }
//!
//! let mut lru = Tiny { head: NIL, tail: NIL, ..Tiny::default() };
//! lru.add("a", 1, 2);
//! lru.add("b", 2, 2);
//! assert_eq!(lru.get("a"), Some(1));               // "b" is now the oldest
//! lru.add("c", 3, 2);
//! assert_eq!((lru.get("b"), lru.get("a")), (None, Some(1)));
//! ```
//!
//! # The walk
//! [`Lru::get`] hashes, finds through the bucket, moves to the front. [`Lru::add`] makes room with
//! [`Lru::remove_oldest`] and links the new node. [`Lru::remove`] takes one out; its slot goes on a
//! free list. What an entry costs is what [`Size`] says of its key plus its value.
//!
//! # What the borrow checker says
//! The Go list is nodes with pointers both ways. `struct Node { prev: &mut Node, .. }` cannot exist:
//! two neighbours would both hold the one mutable reference. `Rc<RefCell<Node>>` compiles, costs two
//! counters per node, never frees neighbours unless one side is `Weak`, and is not `Send`. An index
//! is a pointer without a claim: the vector owns all nodes, and `&mut self` guards them all at once.
//! A `HashMap<K, u32>` beside the slab (as above) has to own each key a second time; our buckets are
//! thirty lines and keep it once.
//!
//! # Differences from the Go tutorial
//! - Front and back mean the same in text and code (its chapter swaps them).
//! - An entry larger than the whole budget is refused ([`Error::Oversize`]); in Go it empties the
//!   cache and is then evicted itself. Room is made *before* adding, so the budget is never exceeded.
//! - Values are typed. Expiry is beyond the course: [`crate::beyond::ttl`].
//!
//! # Try it
//! `cargo run -p cache --example day1_lru`: a cache of 20 bytes fills up. The last lines it prints:
//! ```text
//! refused: the entry is 22 bytes, the budget is 20; raise budget_bytes
//! add k6=v6
//! evicted k3=v3
//! 18 bytes, most recently used first: ["k6", "key2", "k4"]
//! ```
//!
//! The program:
//! ~~~~text
#![doc = include_str!("../examples/day1_lru.rs")]
//! ~~~~
//! Exercises (in `cache/tests/exercises.rs`): `cargo test -p cache exercise_lru -- --ignored`.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};

use crate::{Error, Result};

/// What an entry costs, in bytes. Overheads (nodes, buckets, allocator) are not counted.
pub trait Size {
    /// The bytes that this key or value is charged with.
    fn size_bytes(&self) -> usize;
}

macro_rules! sized_by_len {
    ($($type:ty)*) => {$(
        impl Size for $type {
            fn size_bytes(&self) -> usize {
                self.len()
            }
        }
    )*};
}
sized_by_len! { str String [u8] Vec<u8> crate::ByteView }

impl Size for u64 {
    fn size_bytes(&self) -> usize {
        8
    }
}

impl<T: Size + ?Sized> Size for &T {
    fn size_bytes(&self) -> usize {
        (**self).size_bytes()
    }
}

impl<T: Size + ?Sized> Size for Box<T> {
    fn size_bytes(&self) -> usize {
        (**self).size_bytes()
    }
}

/// No node: the end of a list or an empty bucket.
const NIL: u32 = u32::MAX;

struct Node<K, V> {
    /// `None` while the slot waits on the free list, which goes through `next`.
    entry: Option<(K, V)>,
    hash: u64,
    prev: u32,
    next: u32,
    chain: u32,
}

/// Told of each entry that is evicted to make room.
type OnEvicted<K, V> = Box<dyn FnMut(K, V) + Send>;

/// A cache of at most `budget` bytes that evicts what was used longest ago.
///
/// The hasher `S` is std's [`RandomState`] unless another is asked for: outsiders who choose the
/// keys cannot choose the collisions. [`Lru::with_hasher`] takes a faster one for keys of our own.
///
/// ```
/// use cache::Lru;
///
/// let mut lru = Lru::new(20);
/// lru.add("key1", "value1".to_string())?;
/// lru.add("key2", "value2".to_string())?;
/// assert_eq!(lru.get("key1").map(String::as_str), Some("value1"));
/// lru.add("k3", "v3".to_string())?;        // 24 bytes would be too many: key2 goes
/// assert_eq!((lru.len(), lru.peek("key2")), (2, None));
/// # Ok::<(), cache::Error>(())
/// ```
pub struct Lru<K, V, S = RandomState> {
    nodes: Vec<Node<K, V>>,
    /// Heads of the chains; the length is 0 or a power of two, at least the number of entries.
    buckets: Vec<u32>,
    head: u32,
    tail: u32,
    free: u32,
    len: usize,
    bytes: usize,
    budget: usize,
    evictions: u64,
    hasher: S,
    on_evicted: Option<OnEvicted<K, V>>,
}

impl<K: Hash + Eq + Size, V: Size> Lru<K, V> {
    /// An empty cache for `budget_bytes` of keys and values; 0 means no limit.
    #[must_use]
    pub fn new(budget_bytes: usize) -> Self {
        Lru::with_hasher(budget_bytes, RandomState::new())
    }
}

impl<K: Hash + Eq + Size, V: Size, S: BuildHasher> Lru<K, V, S> {
    /// [`Lru::new`] with a hasher of the caller's. It must fill the low bits well.
    #[must_use]
    pub fn with_hasher(budget_bytes: usize, hasher: S) -> Self {
        Lru {
            nodes: Vec::new(),
            buckets: Vec::new(),
            head: NIL,
            tail: NIL,
            free: NIL,
            len: 0,
            bytes: 0,
            budget: budget_bytes,
            evictions: 0,
            hasher,
            on_evicted: None,
        }
    }

    /// Has `callback` told of every entry that is evicted to make room (not of overwritten ones).
    #[must_use]
    pub fn on_evicted(mut self, callback: impl FnMut(K, V) + Send + 'static) -> Self {
        self.on_evicted = Some(Box::new(callback));
        self
    }

    /// The value of `key`, which becomes the most recently used.
    #[inline]
    pub fn get<Q>(&mut self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.get_hashed(self.hasher.hash_one(key), key)
    }

    /// The value of `key`; its place in the order stays.
    #[must_use]
    pub fn peek<Q>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.value(self.find(self.hasher.hash_one(key), key)?)
    }

    /// Puts `value` under `key`, as the most recently used, and evicts from the back as needed.
    ///
    /// # Errors
    /// [`Error::Oversize`] when the entry alone exceeds the budget; an older value of `key` is gone
    /// then as well, since it is no longer true.
    #[inline]
    pub fn add(&mut self, key: K, value: V) -> Result<()> {
        self.add_hashed(self.hasher.hash_one(&key), key, value)
    }

    /// Takes `key` out and returns its value. The callback is not told.
    pub fn remove<Q>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.remove_hashed(self.hasher.hash_one(key), key)
    }

    /// Evicts the least recently used entry, if there is any.
    pub fn remove_oldest(&mut self) {
        if let Some((key, value)) = self.take(self.tail) {
            self.evictions += 1;
            if let Some(callback) = &mut self.on_evicted {
                callback(key, value);
            }
        }
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bytes of all keys and values.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many entries have been evicted so far.
    #[must_use]
    pub fn evictions(&self) -> u64 {
        self.evictions
    }

    /// The keys, most recently used first.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        let node = |at: u32| self.nodes.get(at as usize);
        std::iter::successors(node(self.head), move |last| node(last.next))
            .filter_map(|node| node.entry.as_ref().map(|(key, _)| key))
    }

    /// [`Lru::get`] for a caller who has the hash already: day 2 picks a shard by it.
    #[inline]
    pub(crate) fn get_hashed<Q>(&mut self, hash: u64, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let at = self.find(hash, key)?;
        self.move_to_front(at);
        self.value(at)
    }

    pub(crate) fn add_hashed(&mut self, hash: u64, key: K, value: V) -> Result<()> {
        let cost = key.size_bytes() + value.size_bytes();
        if self.budget != 0 && cost > self.budget {
            self.remove_hashed(hash, &key);
            return Err(Error::Oversize { bytes: cost, budget: self.budget });
        }
        if let Some(at) = self.find(hash, &key) {
            self.move_to_front(at);
            let old = self.value(at).map_or(0, Size::size_bytes) + key.size_bytes();
            // This entry is at the front and fits alone, so the loop ends before it gets there.
            self.make_room(cost.saturating_sub(old));
            self.bytes = self.bytes - old + cost;
            self.nodes[at as usize].entry = Some((key, value));
        } else {
            self.make_room(cost);
            self.bytes += cost;
            self.insert(hash, key, value);
        }
        Ok(())
    }

    pub(crate) fn remove_hashed<Q>(&mut self, hash: u64, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let at = self.find(hash, key)?;
        self.take(at).map(|(_, value)| value)
    }

    /// Evicts until `more` bytes fit, and until there is an index for one more node.
    fn make_room(&mut self, more: usize) {
        while self.budget != 0 && self.bytes + more > self.budget || self.len >= NIL as usize {
            self.remove_oldest();
        }
    }

    fn value(&self, at: u32) -> Option<&V> {
        self.nodes[at as usize].entry.as_ref().map(|(_, value)| value)
    }

    #[inline]
    fn find<Q>(&self, hash: u64, key: &Q) -> Option<u32>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let mut at = *self.buckets.get(self.bucket(hash))?;
        loop {
            // NIL lies outside the slab, so the end of a chain needs no test of its own.
            let node = self.nodes.get(at as usize)?;
            if node.hash == hash
                && let Some((held, _)) = &node.entry
                && held.borrow() == key
            {
                return Some(at);
            }
            at = node.chain;
        }
    }

    /// The bucket of `hash`: its low bits. Without buckets the result is out of range.
    #[inline]
    fn bucket(&self, hash: u64) -> usize {
        let mask = self.buckets.len().wrapping_sub(1) as u64;
        usize::try_from(hash & mask).unwrap_or(usize::MAX)
    }

    fn insert(&mut self, hash: u64, key: K, value: V) {
        if self.len == self.buckets.len() {
            self.grow();
        }
        let bucket = self.bucket(hash);
        let chain = self.buckets[bucket];
        let node = Node { entry: Some((key, value)), hash, prev: NIL, next: NIL, chain };
        let at = self.free;
        let at = if let Some(slot) = self.nodes.get_mut(at as usize) {
            self.free = slot.next;
            *slot = node;
            at
        } else {
            self.nodes.push(node);
            u32::try_from(self.nodes.len() - 1).expect("invariant: make_room bounds the slab")
        };
        self.buckets[bucket] = at;
        self.push_front(at);
        self.len += 1;
    }

    /// Doubles the buckets and hangs every node into its new chain.
    fn grow(&mut self) {
        let doubled = (self.buckets.len() * 2).max(8);
        self.buckets = vec![NIL; doubled];
        for (at, index) in (0..self.nodes.len()).zip(0_u32..) {
            if self.nodes[at].entry.is_some() {
                let bucket = self.bucket(self.nodes[at].hash);
                self.nodes[at].chain = std::mem::replace(&mut self.buckets[bucket], index);
            }
        }
    }

    /// Takes a node out of both lists and puts its slot on the free list. NIL gives `None`.
    fn take(&mut self, at: u32) -> Option<(K, V)> {
        let node = self.nodes.get_mut(at as usize)?;
        let (key, value) = node.entry.take()?;
        let (hash, chain) = (node.hash, node.chain);
        self.unlink(at);
        self.unchain(at, hash, chain);
        self.nodes[at as usize].next = std::mem::replace(&mut self.free, at);
        self.len -= 1;
        self.bytes -= key.size_bytes() + value.size_bytes();
        Some((key, value))
    }

    /// Has whoever links to `at` in its bucket's chain link to `after` instead.
    fn unchain(&mut self, at: u32, hash: u64, after: u32) {
        let bucket = self.bucket(hash);
        let mut link = self.buckets[bucket];
        if link == at {
            self.buckets[bucket] = after;
            return;
        }
        while self.nodes[link as usize].chain != at {
            link = self.nodes[link as usize].chain;
        }
        self.nodes[link as usize].chain = after;
    }

    #[inline]
    fn move_to_front(&mut self, at: u32) {
        if self.head != at {
            self.unlink(at);
            self.push_front(at);
        }
    }

    fn unlink(&mut self, at: u32) {
        let (prev, next) = (self.nodes[at as usize].prev, self.nodes[at as usize].next);
        match self.nodes.get_mut(prev as usize) {
            Some(node) => node.next = next,
            None => self.head = next,
        }
        match self.nodes.get_mut(next as usize) {
            Some(node) => node.prev = prev,
            None => self.tail = prev,
        }
    }

    fn push_front(&mut self, at: u32) {
        let head = std::mem::replace(&mut self.head, at);
        let node = &mut self.nodes[at as usize];
        (node.prev, node.next) = (NIL, head);
        match self.nodes.get_mut(head as usize) {
            Some(node) => node.prev = at,
            None => self.tail = at,
        }
    }
}

impl<K, V, S> fmt::Debug for Lru<K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lru")
            .field("len", &self.len)
            .field("bytes", &self.bytes)
            .field("budget", &self.budget)
            .field("evictions", &self.evictions)
            .finish_non_exhaustive()
    }
}
