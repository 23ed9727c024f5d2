//! Seeded chance for the tests that change octets: the same on every run and every machine.

/// `SplitMix64`: small, seeded, good enough to shuffle octets.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap()
    }

    pub(crate) fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    /// `seed` with one to four changes: octets replaced, removed, doubled, or a piece put in.
    pub(crate) fn change(&mut self, seed: &[u8], pieces: &[&str]) -> Vec<u8> {
        let mut text = seed.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(text.len());
            let end = (at + self.below(8)).min(text.len());
            match self.below(6) {
                0 if at < text.len() => text[at] = self.next().to_le_bytes()[0],
                1 => drop(text.splice(at..end, [])),
                2 => {
                    let copy = text[at..end].to_vec();
                    drop(text.splice(at..at, copy));
                }
                3 if self.below(4) == 0 => text.truncate(at),
                _ => drop(text.splice(at..at, self.of(pieces).bytes())),
            }
        }
        text
    }
}

/// How many inputs a test tries: a million when `TESTS_FULL=1`, else `few`.
pub(crate) fn rounds(few: u64) -> u64 {
    let full = std::env::var_os("TESTS_FULL").is_some_and(|value| value == "1");
    if full { 1_000_000 } else { few }
}
