//! Entries that expire: an [`Lru`] whose values are [`Expiring`].
//!
//! The time is an argument, never read from a clock: a `Duration` since whatever moment the caller
//! counts from. So a test needs no sleep, and the file no operating system. An expired entry is taken
//! out when it is next asked for; until then it holds its place, as in memcached. No thread sweeps.
//!
//! ```
//! use std::time::Duration;
//! use cache::{Lru, beyond::Expiring};
//!
//! let second = Duration::from_secs(1);
//! let mut lru: Lru<&str, Expiring<String>> = Lru::new(0);
//! lru.add_until("Tom", "630".into(), 10 * second)?;
//! assert_eq!(lru.get_at("Tom", 9 * second).map(String::as_str), Some("630"));
//! assert_eq!(lru.get_at("Tom", 10 * second), None);
//! assert!(lru.is_empty());
//! # Ok::<(), cache::Error>(())
//! ```

use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash};
use std::time::Duration;

use crate::lru::Size;
use crate::{Lru, Result};

/// A value and the moment from which on it no longer counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiring<V> {
    value: V,
    until: Duration,
}

impl<V: Size> Size for Expiring<V> {
    fn size_bytes(&self) -> usize {
        self.value.size_bytes()
    }
}

impl<K: Hash + Eq + Size, V: Size, S: BuildHasher> Lru<K, Expiring<V>, S> {
    /// [`Lru::add`], for an entry that is good until the moment `until`, exclusive.
    ///
    /// # Errors
    /// As [`Lru::add`].
    pub fn add_until(&mut self, key: K, value: V, until: Duration) -> Result<()> {
        self.add(key, Expiring { value, until })
    }

    /// [`Lru::get`] at the moment `now`: an expired entry is removed and not found.
    pub fn get_at<Q>(&mut self, key: &Q, now: Duration) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        if self.peek(key)?.until <= now {
            self.remove(key);
            return None;
        }
        self.get(key).map(|expiring| &expiring.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_entry_has_its_own_time() {
        let second = Duration::from_secs(1);
        let mut lru: Lru<&str, Expiring<Vec<u8>>> = Lru::new(100);
        lru.add_until("short", vec![1], second).unwrap();
        lru.add_until("long", vec![2], Duration::MAX).unwrap();
        assert_eq!(lru.bytes(), 11);
        assert_eq!(lru.get_at("short", second - Duration::from_nanos(1)), Some(&vec![1]));
        assert_eq!(lru.keys().collect::<Vec<_>>(), [&"short", &"long"], "a get is a use");
        assert_eq!(lru.get_at("short", second), None);
        assert_eq!((lru.len(), lru.bytes(), lru.evictions()), (1, 5, 0));
        assert_eq!(lru.get_at("long", 1_000_000 * second), Some(&vec![2]));
        lru.add_until("long", vec![3], second).unwrap();
        assert_eq!(lru.get_at("long", second), None, "an overwrite sets the new time");
    }
}
