//! More policies: weighted, consistent hashing by a caller's key, least pending.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};

use crate::discovery::{Candidate, Random, Select};

/// Some servers more often than others: each in proportion to its weight.
#[derive(Debug)]
pub struct Weighted {
    weights: HashMap<String, u32>,
    random: Random,
}

impl Weighted {
    /// The weights by address; an address without one weighs 1, one with 0 is taken only when
    /// there is no other.
    pub fn new<S: Into<String>>(weights: impl IntoIterator<Item = (S, u32)>) -> Weighted {
        let weights = weights.into_iter().map(|(address, weight)| (address.into(), weight));
        Weighted { weights: weights.collect(), random: Random::new() }
    }
}

impl Select for Weighted {
    fn select(&self, candidates: &[Candidate<'_>], _key: Option<&str>) -> usize {
        let weight = |candidate: &Candidate<'_>| {
            self.weights.get(candidate.address).map_or(1, |&weight| weight as usize)
        };
        let total: usize = candidates.iter().map(weight).sum();
        let mut at = self.random.below(total);
        for (index, candidate) in candidates.iter().enumerate() {
            let weight = weight(candidate);
            if at < weight {
                return index;
            }
            at -= weight;
        }
        self.random.below(candidates.len())
    }
}

/// The same server for the same key, and few keys that move when a server comes or goes.
///
/// Rendezvous hashing: every server draws a lot for the key, the highest wins. What a ring does
/// with hundreds of points, this does without any state; it asks every server's lot, which for
/// tens of servers costs less than a ring's search.
#[derive(Debug, Default)]
pub struct ConsistentHash {
    random: Random,
}

impl Select for ConsistentHash {
    fn select(&self, candidates: &[Candidate<'_>], key: Option<&str>) -> usize {
        let Some(key) = key else { return self.random.below(candidates.len()) };
        let lot = |candidate: &Candidate<'_>| {
            // With its fixed keys `DefaultHasher` gives the same lots in every process of one
            // build.
            let mut hasher = DefaultHasher::new();
            hasher.write(key.as_bytes());
            hasher.write_u8(0xff);
            hasher.write(candidate.address.as_bytes());
            hasher.finish()
        };
        let best = candidates.iter().enumerate().max_by_key(|(_, candidate)| lot(candidate));
        best.map_or(0, |(index, _)| index)
    }
}

/// The server that the fewest calls of this program wait for; among equals, any.
#[derive(Debug, Default)]
pub struct LeastPending {
    random: Random,
}

impl Select for LeastPending {
    fn select(&self, candidates: &[Candidate<'_>], _key: Option<&str>) -> usize {
        let least = candidates.iter().map(|candidate| candidate.pending).min().unwrap_or(0);
        let ties = candidates.iter().enumerate().filter(|(_, server)| server.pending == least);
        let ties: Vec<usize> = ties.map(|(index, _)| index).collect();
        ties.get(self.random.below(ties.len())).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(pending: &[usize]) -> Vec<Candidate<'static>> {
        let names = ["a", "b", "c", "d"];
        pending
            .iter()
            .zip(names)
            .map(|(&pending, address)| Candidate { address, pending })
            .collect()
    }

    #[test]
    fn weights_are_proportions() {
        let select = Weighted::new([("a", 3), ("b", 1), ("c", 0)]);
        let mut counts = [0; 3];
        for _ in 0..4000 {
            counts[select.select(&servers(&[0, 0, 0]), None)] += 1;
        }
        assert!((2700..3300).contains(&counts[0]) && counts[2] == 0, "{counts:?}");
        assert_eq!(Weighted::new([("a", 0)]).select(&servers(&[0]), None), 0);
    }

    #[test]
    fn a_key_stays_when_another_server_goes() {
        let select = ConsistentHash::default();
        let (four, mut moved) = (servers(&[0; 4]), 0);
        for key in (0..1000).map(|key| key.to_string()) {
            let before = four[select.select(&four, Some(&key))].address;
            let three: Vec<_> =
                four.iter().copied().filter(|server| server.address != "d").collect();
            let after = three[select.select(&three, Some(&key))].address;
            assert!(before == "d" || before == after, "{key}: {before} to {after}");
            moved += usize::from(before != after);
        }
        assert!((150..350).contains(&moved), "a quarter had d: {moved}");
    }

    #[test]
    fn the_least_busy_is_taken() {
        let select = LeastPending::default();
        assert_eq!(select.select(&servers(&[3, 1, 2]), None), 1);
        let taken: std::collections::BTreeSet<_> =
            (0..100).map(|_| select.select(&servers(&[1, 1, 2]), None)).collect();
        assert_eq!(taken.into_iter().collect::<Vec<_>>(), [0, 1]);
    }
}
