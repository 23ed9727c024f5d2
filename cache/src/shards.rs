//! Day 2, second half: [`Shards`], the lock around yesterday's [`Lru`] - and why there is more than
//! one of it.
//!
//! A get moves its node to the front, so *readers write*, and a read/write lock would let nobody in
//! at the same time. The tutorial's answer is one mutex around everything. It is right, and with
//! two busy threads slower than with one: they spend their time handing the lock to each other.
//!
//! The remedy is to make two threads need different locks. The key's hash picks one of up to 16
//! shards, each an [`Lru`] of its own under its own mutex:
//!
//! ```text
//!   hash of the key   1011 ...................... 0110
//!                     ^^^^ which shard            ^^^^ which bucket in it
//! ```
//!
//! Each shard evicts by itself, so the whole is an LRU only roughly. A small cache would feel that;
//! it therefore gets one shard per MiB of budget, rounded down to a power of two, and below 2 MiB it is
//! one exact LRU.
//!
//! **What the borrow checker says.** In Go `mu` lies *beside* what it guards and a comment says so.
//! `Mutex<Shard>` *contains* it: there is no way to the [`Lru`] but through `lock()`, and the guard
//! gives it back when it goes out of scope. `&self` is then enough to add: the mutability is inside.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{ByteView, Lru, Result};

/// At most so many shards, and no more than one for each [`SHARD_BYTES`] of budget.
const SHARDS_MAX: usize = 16;
const SHARD_BYTES: usize = 1 << 20;

/// An [`Lru`] from keys to [`ByteView`]s that many threads share.
#[derive(Debug)]
pub struct Shards {
    hasher: RandomState,
    /// The length is a power of two.
    shards: Box<[Mutex<Shard>]>,
}

/// One part of the keys. On cache lines of its own, so that neighbours do not slow each other down.
#[derive(Debug)]
#[repr(align(128))]
struct Shard {
    lru: Lru<Box<[u8]>, ByteView>,
    gets: u64,
    hits: u64,
}

/// What a cache holds and how often it was asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CacheStats {
    /// Keys and values, in bytes.
    pub bytes: usize,
    /// Entries.
    pub items: usize,
    /// Look-ups.
    pub gets: u64,
    /// Look-ups that found the key.
    pub hits: u64,
    /// Entries evicted to make room.
    pub evictions: u64,
}

impl Shards {
    /// An empty cache for `budget_bytes` of keys and values; 0 means no limit.
    ///
    /// No entry can be larger than its shard: the budget, divided by the number of shards.
    #[must_use]
    pub fn new(budget_bytes: usize) -> Shards {
        let count = match budget_bytes {
            0 => SHARDS_MAX,
            bytes => 1 << (bytes / SHARD_BYTES).clamp(1, SHARDS_MAX).ilog2(),
        };
        let shard = |_| {
            let lru = Lru::new(budget_bytes / count);
            Mutex::new(Shard { lru, gets: 0, hits: 0 })
        };
        Shards { hasher: RandomState::new(), shards: (0..count).map(shard).collect() }
    }

    /// The value of `key`, which becomes the most recently used of its shard.
    #[must_use]
    pub fn get(&self, key: &[u8]) -> Option<ByteView> {
        let hash = self.hasher.hash_one(key);
        let mut shard = self.shard(hash);
        shard.gets += 1;
        let value = shard.lru.get_hashed(hash, key).cloned();
        shard.hits += u64::from(value.is_some());
        value
    }

    /// [`Shards::get`] that does not count: the second look of a caller who has counted once.
    #[must_use]
    pub fn recheck(&self, key: &[u8]) -> Option<ByteView> {
        let hash = self.hasher.hash_one(key);
        self.shard(hash).lru.get_hashed(hash, key).cloned()
    }

    /// Keeps `value` under `key`.
    ///
    /// # Errors
    /// [`Error::Oversize`](crate::Error::Oversize) when the entry is larger than its shard.
    pub fn add(&self, key: &[u8], value: ByteView) -> Result<()> {
        let hash = self.hasher.hash_one(key);
        self.shard(hash).lru.add_hashed(hash, key.into(), value)
    }

    /// Takes `key` out; whether it was there.
    pub fn remove(&self, key: &[u8]) -> bool {
        let hash = self.hasher.hash_one(key);
        self.shard(hash).lru.remove_hashed(hash, key).is_some()
    }

    /// The keys of one shard after the other, in each the most recently used first.
    #[must_use]
    pub fn keys(&self) -> Vec<Box<[u8]>> {
        self.shards
            .iter()
            .flat_map(|shard| lock(shard).lru.keys().cloned().collect::<Vec<_>>())
            .collect()
    }

    /// The sums over all shards; each is exact, though one is read after the other.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        let mut sum = CacheStats::default();
        for shard in &self.shards {
            let shard = lock(shard);
            sum.bytes += shard.lru.bytes();
            sum.items += shard.lru.len();
            sum.gets += shard.gets;
            sum.hits += shard.hits;
            sum.evictions += shard.lru.evictions();
        }
        sum
    }

    fn shard(&self, hash: u64) -> MutexGuard<'_, Shard> {
        // The top bits choose: the low ones choose the bucket, and must still differ in a shard.
        let top = (hash >> 60) as usize;
        lock(&self.shards[top & (self.shards.len() - 1)])
    }
}

/// Takes the lock. No code of a caller runs under it, so a poisoned one is as good as new.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn the_number_of_shards_follows_the_budget() {
        for (budget, want) in
            [(0, 16), (1, 1), (2 << 20, 2), ((2 << 20) - 1, 1), (7 << 20, 4), (1 << 30, 16)]
        {
            assert_eq!(Shards::new(budget).shards.len(), want, "{budget}");
        }
    }

    #[test]
    fn counts_exactly_over_all_shards_and_threads() {
        let cache = Shards::new(0);
        thread::scope(|scope| {
            for thread in 0..4_u8 {
                let cache = &cache;
                scope.spawn(move || {
                    for i in 0..=255_u8 {
                        assert_eq!(cache.get(&[thread, i]), None);
                        cache.add(&[thread, i], vec![i; 10].into()).unwrap();
                        assert_eq!(cache.get(&[thread, i]).unwrap()[..], [i; 10]);
                    }
                });
            }
        });
        let want =
            CacheStats { bytes: 1024 * 12, items: 1024, gets: 2048, hits: 1024, evictions: 0 };
        assert_eq!(cache.stats(), want);
        assert!(cache.remove(&[0, 0]) && !cache.remove(&[0, 0]));
        assert!(cache.shards.iter().all(|shard| lock(shard).lru.len() > 20), "a shard is left out");
    }

    #[test]
    fn a_small_budget_is_an_exact_lru() {
        let cache = Shards::new(6);
        for key in [b"a", b"b", b"c"] {
            cache.add(key, ByteView::from("1")).unwrap();
        }
        assert!(cache.recheck(b"a").is_some());
        cache.add(b"d", ByteView::from("1")).unwrap();
        assert_eq!((cache.get(b"b"), cache.stats().evictions), (None, 1));
        assert!(cache.get(b"c").is_some());
        assert_eq!(cache.keys(), [b"c", b"d", b"a"].map(|key| Box::from(key.as_slice())));
    }
}
