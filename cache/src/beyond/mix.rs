//! [`mix64`]: a hash for rings of our own, whose points do not cluster.
//!
//! crc32 is linear: names that differ in one digit get sums that differ by a constant, whichever the
//! names, so that the virtual nodes of similar URLs walk in step. FNV-1a takes the bytes in, and the
//! *finalizer* of `SplitMix64` (two multiplications between shifts) lets every bit of that touch every bit
//! of the result.
//!
//! Not for rings that Go nodes share, and not a defence against chosen keys: it has no secret.
//!
//! ```
//! use cache::{Ring, beyond::mix64};
//!
//! let mut ring = Ring::with_hash(512, mix64);
//! ring.add(["http://10.0.0.1:8001", "http://10.0.0.2:8001"]);
//! assert!(ring.get(b"Tom").is_some());
//! ```

/// FNV-1a, then `SplitMix64`'s finalizer.
#[must_use]
pub fn mix64(bytes: &[u8]) -> u64 {
    let fnv = bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    finalize(fnv)
}

/// `SplitMix64`'s finalizer: a bijection on 64 bits that looks like none.
pub(crate) fn finalize(mut x: u64) -> u64 {
    x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Ring;

    #[test]
    fn more_points_share_the_circle_more_evenly() {
        let deviation = |replicas| {
            let mut ring = Ring::with_hash(replicas, mix64);
            ring.add((8001..8004).map(|port| format!("http://localhost:{port}")));
            ring.deviation(64)
        };
        let (few, many) = (deviation(50), deviation(512));
        assert_eq!((few.round(), many.round()), (11.0, 1.0), "per cent");
    }

    #[test]
    fn follows_the_two_published_functions() {
        assert_eq!(mix64(b""), finalize(0xcbf2_9ce4_8422_2325));
        assert_eq!(mix64(b"a"), finalize(0xaf63_dc4c_8601_ec8c)); // FNV's own test vector
        // The first number of SplitMix64 with seed 0.
        assert_eq!(finalize(0x9e37_79b9_7f4a_7c15), 0xe220_a839_7b1d_cdaf);
    }
}
