//! The freelist: pages that nothing uses, to be used again (day 0).
//!
//! A database file does not shrink when rows go; pages that become empty are remembered. Bytes 32
//! and 36 of the file's header have the first *trunk* page and the number of all free pages. A trunk
//! page lists free *leaf* pages, whose content means nothing, and points to the next trunk:
//!
//! ```text
//!   header            trunk: page 9                trunk: page 4
//!   32  00 00 00 09 -> 0  00 00 00 04  next -----> 0  00 00 00 00  no next
//!   36  00 00 00 05    4  00 00 00 02  leaves      4  00 00 00 01  leaves
//!                      8  00 00 00 07  page 7      8  00 00 00 03  page 3
//!                     12  00 00 00 06  page 6
//! ```
//!
//! These are five free pages: 9, 7, 6, 4 and 3. Freeing a page appends its number to the first trunk,
//! and does not touch the page; where the first trunk is full, the page becomes a new trunk. (So a trunk behind
//! the first is full: 1016 leaves on a page of 4096 bytes, too many for a picture.)
//!
//! A trunk could hold usable/4 - 2 numbers; versions of SQLite before 3.6.0 take a page with the last
//! six in use for damaged, so nobody fills them.
//!
//! Reference: <https://sqlite.org/fileformat2.html>, section 1.5.

use super::error::{Error, Result};
use super::header::{field, set_field};
use super::pager::Pager;

const FIRST_TRUNK: usize = 32;
const FREE_PAGES: usize = 36;

/// The page with byte 2^30 of the file: SQLite takes its locks there, so no file uses it.
#[must_use]
pub fn lock_page(page_size: usize) -> u32 {
    u32::try_from((1 << 30) / page_size).map_or(0, |before| before + 1)
}

impl Pager {
    /// A page for new content: a free one, or a new one at the end of the file. It is dirty, and
    /// what it holds means nothing.
    pub(crate) fn allocate(&mut self) -> Result<u32> {
        let head = self.page(1)?;
        let (trunk, free) = (field(head, FIRST_TRUNK), field(head, FREE_PAGES));
        if free == 0 || trunk == 0 {
            return self.append_page();
        }
        let leaves_max = self.usable() / 4 - 2;
        let page = self.page(trunk)?;
        let leaves = field(page, 4) as usize;
        if leaves > leaves_max {
            return Err(Error::corrupt(trunk, "a freelist page lists more pages than it can hold"));
        }
        let number = match leaves {
            0 => {
                let next = field(page, 0);
                set_field(self.page_mut(1)?, FIRST_TRUNK, next);
                trunk
            }
            _ => {
                let number = field(page, 4 + 4 * leaves);
                let count = field(page, 4) - 1;
                set_field(self.page_mut(trunk)?, 4, count);
                number
            }
        };
        // Page 1 is never free. Other lies cannot be seen from here.
        if number < 2 {
            return Err(Error::corrupt(trunk, "a freelist page lists page 0 or 1"));
        }
        set_field(self.page_mut(1)?, FREE_PAGES, free - 1);
        self.page_mut(number)?;
        Ok(number)
    }

    /// Puts a page on the freelist.
    pub(crate) fn free(&mut self, number: u32) -> Result<()> {
        if number < 2 || number > self.page_count() {
            return Err(Error::corrupt(number, "a page to be freed that does not exist"));
        }
        let head = self.page(1)?;
        let (trunk, free) = (field(head, FIRST_TRUNK), field(head, FREE_PAGES));
        set_field(self.page_mut(1)?, FREE_PAGES, free.saturating_add(1));
        let filled = self.usable() / 4 - 8;
        if trunk != 0 {
            let leaves = field(self.page(trunk)?, 4);
            if (leaves as usize) < filled {
                let page = self.page_mut(trunk)?;
                set_field(page, 8 + 4 * leaves as usize, number);
                set_field(page, 4, leaves + 1);
                return Ok(());
            }
        }
        let page = self.page_mut(number)?;
        set_field(page, 0, trunk);
        set_field(page, 4, 0);
        set_field(self.page_mut(1)?, FIRST_TRUNK, number);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_come_back_in_the_order_of_the_chapter() {
        let mut pager = Pager::memory().unwrap();
        pager.begin_write().unwrap();
        for number in 2..=9 {
            assert_eq!(pager.allocate().unwrap(), number);
        }
        for number in [4, 3, 9, 7] {
            pager.free(number).unwrap();
        }
        assert_eq!(
            pager.page(4).unwrap()[..20],
            *b"\0\0\0\0\0\0\0\x03\0\0\0\x03\0\0\0\x09\0\0\0\x07"
        );
        assert_eq!(pager.page(1).unwrap()[32..40], *b"\0\0\0\x04\0\0\0\x04");
        let again: Vec<u32> = (0..5).map(|_| pager.allocate().unwrap()).collect();
        assert_eq!(again, [7, 9, 3, 4, 10]);
    }

    #[test]
    fn a_full_trunk_is_followed_by_another() {
        let mut pager = Pager::memory().unwrap();
        pager.begin_write().unwrap();
        for number in 2..=1100 {
            assert_eq!(pager.allocate().unwrap(), number);
        }
        for number in 2..=1100 {
            pager.free(number).unwrap();
        }
        // 4096/4 - 8 leaves after the trunk itself: page 2 and 1016 leaves, then page 1019.
        assert_eq!(field(pager.page(1).unwrap(), 32), 1019);
        assert_eq!(field(pager.page(1019).unwrap(), 0), 2);
        let mut again: Vec<u32> = (0..1099).map(|_| pager.allocate().unwrap()).collect();
        again.sort_unstable();
        assert_eq!(again, (2..=1100).collect::<Vec<_>>());
        assert_eq!(pager.page_count(), 1100);
    }

    #[test]
    fn a_lying_trunk_is_an_error() {
        let mut pager = Pager::memory().unwrap();
        pager.begin_write().unwrap();
        pager.allocate().unwrap();
        pager.free(2).unwrap();
        set_field(pager.page_mut(2).unwrap(), 4, 5000);
        let error = pager.allocate().unwrap_err();
        assert!(error.to_string().contains("page 2"), "{error}");
    }

    #[test]
    fn the_lock_page_is_never_used() {
        assert_eq!(lock_page(4096), 262_145);
        assert_eq!(lock_page(65_536), 16_385);
    }
}
