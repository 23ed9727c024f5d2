//! The hot cache: a node's own copies of a few popular values that belong to others.
//!
//! Without it every get of a popular key from another node crosses the network, and the one owner's
//! network card is the limit of the whole cluster. With a copy of *everything* fetched, all nodes would
//! hold the same popular keys, and the cluster no more than one node does. groupcache takes a chance of
//! one in ten: what is asked for often gets in soon, what is asked for once rarely.
//!
//! ```
//! use cache::{Group, beyond::HotCache};
//!
//! let scores = Group::new("scores", 8 << 20, |key: &[u8]| Ok(key.to_vec())).hot_cache(HotCache::ONE_IN);
//! assert_eq!(scores.cache_stats()[1].0, "hot");
//! ```
//! The budget is the group's: seven eighths for its own keys, an eighth for these. (groupcache lets the
//! two compete and evicts from the hot cache while it exceeds an eighth of the main one.) A copy is not
//! told when its owner removes the key: like groupcache, this is for values that do not change.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::mix::finalize;
use crate::group::SideCache;
use crate::{ByteView, CacheStats, Group, Result, Shards};

/// Keeps one in so many of the values that peers answer with.
#[derive(Debug)]
pub struct HotCache {
    values: Shards,
    one_in: u64,
    /// Goes up by the same odd number each time, from a random start; its values, mixed, are those of
    /// the generator `SplitMix64`, as good as dice.
    dice: AtomicU64,
}

impl HotCache {
    /// groupcache's chance of a fetched value to be kept: one in ten.
    pub const ONE_IN: u32 = 10;

    /// A cache of `budget_bytes` that keeps one in `one_in` values; 0 and 1 keep them all.
    #[must_use]
    pub fn new(budget_bytes: usize, one_in: u32) -> HotCache {
        let seed = RandomState::new().hash_one(0);
        let one_in = u64::from(one_in.max(1));
        HotCache { values: Shards::new(budget_bytes), one_in, dice: AtomicU64::new(seed) }
    }
}

impl SideCache for HotCache {
    fn name(&self) -> &'static str {
        "hot"
    }

    fn lookup(&self, key: &[u8]) -> Option<Result<ByteView>> {
        self.values.get(key).map(Ok)
    }

    fn learn(&self, key: &[u8], answer: &Result<ByteView>, from_peer: bool) {
        let (Ok(value), true) = (answer, from_peer) else { return };
        let thrown = finalize(self.dice.fetch_add(0x9e37_79b9_7f4a_7c15, Relaxed));
        if thrown.is_multiple_of(self.one_in) {
            // A value larger than its shard is not kept.
            let _ = self.values.add(key, value.clone());
        }
    }

    fn remove(&self, key: &[u8]) {
        self.values.remove(key);
    }

    fn stats(&self) -> CacheStats {
        self.values.stats()
    }
}

impl Group {
    /// Gives an eighth of the budget to a [`HotCache`] that keeps one in `one_in` values of peers.
    #[must_use]
    pub fn hot_cache(mut self, one_in: u32) -> Group {
        // 0 means no limit, so of a small budget neither part may become 0.
        let eighth = self.budget_bytes.div_ceil(8);
        let rest = self.budget_bytes - eighth;
        self.main = Shards::new(if eighth > 0 { rest.max(1) } else { 0 });
        self.sides.push(Box::new(HotCache::new(eighth, one_in)));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_one_in_ten_of_what_peers_say_and_nothing_else() {
        let hot = HotCache::new(0, HotCache::ONE_IN);
        for i in 0..10_000_u32 {
            hot.learn(&i.to_le_bytes(), &Ok(ByteView::from("1")), true);
            hot.learn(&(i + 10_000).to_le_bytes(), &Ok(ByteView::from("1")), false);
        }
        let kept = hot.stats().items;
        assert!((800..1_200).contains(&kept), "{kept} of 10000, a tenth expected");
        assert!((10_000..20_000_u32).all(|i| hot.lookup(&i.to_le_bytes()).is_none()));
    }

    #[test]
    fn the_budget_is_split() {
        let group = Group::new("g", 80, |key: &[u8]| Ok(key.to_vec())).hot_cache(1);
        let side = &group.sides[0];
        side.learn(b"five+", &Ok(ByteView::from("fives")), true);
        side.learn(b"five+", &Ok(ByteView::from("sixsix")), true);
        assert_eq!(
            side.stats().items,
            0,
            "an eighth is 10 bytes, and the larger value is the true one"
        );
        for i in 0..10_u8 {
            group.get(vec![i; 10]).unwrap();
        }
        assert_eq!(group.cache_stats()[0].1.bytes, 60, "seven eighths: three entries of 20");
        let tiny = Group::new("g", 1, |key: &[u8]| Ok(key.to_vec())).hot_cache(1);
        tiny.get("larger than 1").unwrap();
        tiny.sides[0].learn(b"k", &Ok(ByteView::from("v")), true);
        assert!(tiny.cache_stats().iter().all(|(_, stats)| stats.items == 0), "{tiny:?}");
    }
}
