//! The negative cache: remembering for a while that a key does not exist.
//!
//! Keys that do not exist are never cached, so each get of one goes to the source: *penetration*, and
//! whoever wants to harm the source asks for nothing else. Remembering the answer helps for as long as
//! it may be wrong: a key that comes into being stays "not there" until the time is up, or until
//! [`Group::remove`]. So it is off by default, with a time that the owner of the data chooses.
//!
//! ```
//! use std::time::Duration;
//! use cache::{Error, Group};
//!
//! let scores = Group::new("scores", 2048, |key: &[u8]| Err::<&str, _>(Error::not_found(key)))
//!     .negative_cache(Duration::from_secs(10), 64 << 10);
//! for _ in 0..100 {
//!     assert_eq!(scores.get("kkk").unwrap_err().to_string(), "kkk not exist");
//! }
//! assert_eq!(scores.stats().local_load_errs, 1);
//! ```
//! It has a budget too: keys are chosen by whoever asks, and there is no end of keys that do not exist.
//! Only *not found* is remembered, never a failure: a source that is back must be asked again.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::ttl::Expiring;
use crate::group::SideCache;
use crate::lru::Size;
use crate::{ByteView, CacheStats, Error, Group, Lru, Result};

/// Nothing to store beside the key.
#[derive(Debug)]
struct Absent;

impl Size for Absent {
    fn size_bytes(&self) -> usize {
        0
    }
}

/// Keys known not to exist, each for a set time.
pub struct NegativeCache {
    keep_for: Duration,
    clock: Box<dyn Fn() -> Duration + Send + Sync>,
    /// Guards the keys and their counts.
    absent: Mutex<Keys>,
}

#[derive(Debug)]
struct Keys {
    lru: Lru<Box<[u8]>, Expiring<Absent>>,
    gets: u64,
    hits: u64,
}

impl NegativeCache {
    /// Remembers for `keep_for`, at most `budget_bytes` of keys.
    #[must_use]
    pub fn new(keep_for: Duration, budget_bytes: usize) -> NegativeCache {
        let start = Instant::now();
        NegativeCache::with_clock(keep_for, budget_bytes, move || start.elapsed())
    }

    /// [`NegativeCache::new`] on another clock: the time since some fixed moment.
    #[must_use]
    pub fn with_clock(
        keep_for: Duration,
        budget_bytes: usize,
        clock: impl Fn() -> Duration + Send + Sync + 'static,
    ) -> NegativeCache {
        let keys = Keys { lru: Lru::new(budget_bytes), gets: 0, hits: 0 };
        NegativeCache { keep_for, clock: Box::new(clock), absent: Mutex::new(keys) }
    }

    fn lock(&self) -> MutexGuard<'_, Keys> {
        self.absent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SideCache for NegativeCache {
    fn name(&self) -> &'static str {
        "negative"
    }

    fn lookup(&self, key: &[u8]) -> Option<Result<ByteView>> {
        let now = (self.clock)();
        let mut keys = self.lock();
        keys.gets += 1;
        keys.lru.get_at(key, now)?;
        keys.hits += 1;
        Some(Err(Error::not_found(key)))
    }

    fn learn(&self, key: &[u8], answer: &Result<ByteView>, _from_peer: bool) {
        if let Err(error) = answer
            && error.is_not_found()
        {
            let until = (self.clock)().saturating_add(self.keep_for);
            // A key larger than the budget is not remembered.
            let _ = self.lock().lru.add_until(key.into(), Absent, until);
        }
    }

    fn remove(&self, key: &[u8]) {
        self.lock().lru.remove(key);
    }

    fn stats(&self) -> CacheStats {
        let Keys { lru, gets, hits } = &*self.lock();
        let (bytes, items, evictions) = (lru.bytes(), lru.len(), lru.evictions());
        CacheStats { bytes, items, gets: *gets, hits: *hits, evictions }
    }
}

impl fmt::Debug for NegativeCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NegativeCache").field("keep_for", &self.keep_for).finish_non_exhaustive()
    }
}

impl Group {
    /// Has the group remember for `keep_for` which keys do not exist, `budget_bytes` of them.
    #[must_use]
    pub fn negative_cache(mut self, keep_for: Duration, budget_bytes: usize) -> Group {
        self.sides.push(Box::new(NegativeCache::new(keep_for, budget_bytes)));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    #[test]
    fn remembers_absence_until_the_time_is_up() {
        let seconds = Arc::new(AtomicU64::new(100));
        let clock = Arc::clone(&seconds);
        let now = move || Duration::from_secs(clock.load(Relaxed));
        let negative = NegativeCache::with_clock(Duration::from_secs(10), 30, now);
        negative.learn(b"kkk", &Err(Error::not_found(b"kkk")), false);
        negative.learn(b"broken", &Err(Error::load("the source is down")), false);
        negative.learn(b"Tom", &Ok(ByteView::from("630")), true);
        seconds.store(109, Relaxed);
        let known = negative.lookup(b"kkk").unwrap().unwrap_err();
        assert_eq!(known.to_string(), "kkk not exist");
        assert!(negative.lookup(b"broken").is_none() && negative.lookup(b"Tom").is_none());
        seconds.store(110, Relaxed);
        assert!(negative.lookup(b"kkk").is_none());
        let want = CacheStats { bytes: 0, items: 0, gets: 4, hits: 1, evictions: 0 };
        assert_eq!(negative.stats(), want);
    }

    #[test]
    fn the_budget_bounds_what_a_flood_of_keys_can_take() {
        let negative = NegativeCache::new(Duration::MAX, 100);
        for i in 0..=1000_u32 {
            let key = i.to_le_bytes();
            negative.learn(&key, &Err(Error::not_found(&key)), false);
        }
        assert_eq!((negative.stats().items, negative.stats().bytes), (25, 100));
    }

    #[test]
    fn remove_forgets_the_absence() {
        let group = Group::new("g", 0, |key: &[u8]| Err::<&str, _>(Error::not_found(key)))
            .negative_cache(Duration::MAX, 0);
        for _ in 0..3 {
            group.get("k").unwrap_err();
        }
        assert_eq!(group.stats().local_load_errs, 1);
        group.remove("k");
        group.get("k").unwrap_err();
        assert_eq!(group.stats().local_load_errs, 2);
    }
}
