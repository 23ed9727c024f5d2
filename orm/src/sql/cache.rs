//! The page cache: as many pages as a byte budget allows, the rest on disk (day 0).
//!
//! A page is an `Arc<[u8]>`. A cursor that reads it holds a clone of the `Arc`, not a borrow, so the
//! cache may drop or change the page meanwhile: a change copies a page that a cursor still holds
//! ([`Arc::make_mut`]) and the cursor goes on reading the old bytes until it notices.
//!
//! When the budget is spent, a *clock hand* goes round the frames: a page used since the last round
//! gets a second chance, the first one that was not is replaced. Dirty pages stay: only
//! the [pager](super::pager) may write them, and only once the journal is safe.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

/// A map by page number.
pub(crate) type PageMap<T> = HashMap<u32, T, BuildHasherDefault<PageHasher>>;

#[derive(Debug)]
pub(crate) struct Cache {
    frames: Vec<Frame>,
    /// Which frame holds a page.
    places: PageMap<usize>,
    hand: usize,
    frames_max: usize,
    /// How many pages are dirty.
    dirty: usize,
    /// The numbers of all dirty pages, and perhaps of others: a commit of one row must not search
    /// a large cache for its three pages.
    dirty_numbers: Vec<u32>,
}

#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) number: u32,
    pub(crate) bytes: Arc<[u8]>,
    /// The page was changed under this [epoch](super::pager) and may be changed again without ado.
    pub(crate) epoch: u64,
    dirty: bool,
    used: bool,
}

impl Cache {
    pub(crate) fn new(frames_max: usize) -> Cache {
        // A balance step has its hands on a dozen pages; fewer frames would only thrash.
        let frames_max = frames_max.max(16);
        Cache {
            frames: Vec::new(),
            places: HashMap::default(),
            hand: 0,
            frames_max,
            dirty: 0,
            dirty_numbers: Vec::new(),
        }
    }

    #[inline]
    pub(crate) fn find(&mut self, number: u32) -> Option<usize> {
        let place = *self.places.get(&number)?;
        self.frames[place].used = true;
        Some(place)
    }

    #[inline]
    pub(crate) fn frame(&self, place: usize) -> &Frame {
        &self.frames[place]
    }

    #[inline]
    pub(crate) fn frame_mut(&mut self, place: usize) -> &mut Frame {
        &mut self.frames[place]
    }

    /// Whether so many pages are dirty that they should be written.
    pub(crate) fn wants_spill(&self) -> bool {
        self.dirty * 4 >= self.frames_max * 3
    }

    /// Adds a page that is not there yet.
    pub(crate) fn insert(&mut self, number: u32, bytes: Arc<[u8]>) -> usize {
        let frame = Frame { number, bytes, epoch: 0, dirty: false, used: true };
        let place = match self.victim() {
            Some(place) => {
                self.places.remove(&self.frames[place].number);
                self.frames[place] = frame;
                place
            }
            None => {
                self.frames.push(frame);
                self.frames.len() - 1
            }
        };
        self.places.insert(number, place);
        place
    }

    /// The frame to be replaced, or `None` while there is room (or nothing but dirty pages).
    fn victim(&mut self) -> Option<usize> {
        if self.frames.len() < self.frames_max {
            return None;
        }
        for _ in 0..self.frames.len() * 2 {
            let place = self.hand;
            self.hand = (self.hand + 1) % self.frames.len();
            let frame = &mut self.frames[place];
            if !frame.dirty && !std::mem::take(&mut frame.used) {
                return Some(place);
            }
        }
        None
    }

    pub(crate) fn mark_dirty(&mut self, place: usize) {
        if !std::mem::replace(&mut self.frames[place].dirty, true) {
            self.dirty += 1;
            self.dirty_numbers.push(self.frames[place].number);
        }
    }

    pub(crate) fn has_dirty(&self) -> bool {
        self.dirty > 0
    }

    /// The frames of the dirty pages, by page number.
    pub(crate) fn dirty_in_order(&self) -> Vec<usize> {
        let mut numbers = self.dirty_numbers.clone();
        numbers.sort_unstable();
        numbers.dedup();
        let places = numbers.iter().filter_map(|number| self.places.get(number).copied());
        places.filter(|&place| self.frames[place].dirty).collect()
    }

    /// The page is now as in the file, and must be prepared anew before it is changed.
    pub(crate) fn mark_clean(&mut self, place: usize) {
        if std::mem::take(&mut self.frames[place].dirty) {
            self.dirty -= 1;
        }
        if self.dirty == 0 {
            self.dirty_numbers.clear();
        }
        self.frames[place].epoch = 0;
    }

    /// Forgets all pages that `gone` names, dirty or not.
    pub(crate) fn forget(&mut self, gone: impl Fn(&Frame, bool) -> bool) {
        let mut place = 0;
        while place < self.frames.len() {
            let frame = &self.frames[place];
            if !gone(frame, frame.dirty) {
                place += 1;
                continue;
            }
            self.dirty -= usize::from(frame.dirty);
            self.places.remove(&frame.number);
            self.frames.swap_remove(place);
            if let Some(moved) = self.frames.get(place) {
                self.places.insert(moved.number, place);
            }
        }
        self.hand = 0;
        if self.dirty == 0 {
            self.dirty_numbers.clear();
        }
    }
}

/// Page numbers are few and dense: one multiplication spreads them well enough.
#[derive(Debug, Default)]
pub(crate) struct PageHasher(u64);

impl Hasher for PageHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u32(u32::from(byte));
        }
    }

    #[inline]
    fn write_u32(&mut self, number: u32) {
        // 2^64 divided by the golden ratio; the upper half, which is the better mixed, counts twice.
        let mixed = (self.0 ^ u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clean_page_gives_way_and_a_dirty_or_used_one_stays() {
        let mut cache = Cache::new(16);
        for number in 1..=16 {
            let place = cache.insert(number, Arc::from([0; 1]));
            if number == 3 {
                cache.mark_dirty(place);
            }
        }
        // The first round takes the second chances away; page 1 is the first without one.
        cache.insert(17, Arc::from([0; 1]));
        assert!(cache.find(1).is_none());
        assert!(cache.find(2).is_some(), "and is now used again");
        cache.insert(18, Arc::from([0; 1]));
        assert!(cache.find(4).is_none(), "2 was used, 3 is dirty");
        let dirty = cache.dirty_in_order();
        assert_eq!(dirty.iter().map(|&d| cache.frame(d).number).collect::<Vec<_>>(), [3]);
        cache.mark_clean(dirty[0]);
        assert!(!cache.has_dirty());
        cache.forget(|frame, _| frame.number > 10);
        assert!(cache.find(17).is_none() && cache.find(10).is_some());
    }
}
