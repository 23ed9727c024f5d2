//! Savepoints: undoing the last part of a transaction (day 0).
//!
//! A savepoint is a mark in the transaction; rolling back to it restores every page as it was at
//! the mark. For each page there is one of three sources:
//!
//! ```text
//!   page at the mark            changed after the mark          where the old content is
//!   -------------------------   ------------------------------  --------------------------------
//!   as in the database file     its original was journaled      the journal, from the mark on
//!   already changed, or new     its image was saved             the savepoint's images
//!   did not exist               -                               nowhere: the page is forgotten
//! ```
//!
//! So a savepoint costs memory only for pages that were dirty before it and change again after it. An
//! image is the `Arc` of the page itself, not a copy; the next change makes the copy. Only the innermost
//! savepoint saves images: for the outer ones they are as good, because the page did not change in
//! between, and [`Pager::release`] hands them down.
//!
//! A failing statement inside a transaction undoes itself alone by the same means. SQLite keeps the images
//! in a temporary file, the "statement journal", once they are many.

use super::error::{Error, Result};
use super::pager::Pager;
use super::pager::transaction::Transaction;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct Savepoint {
    /// The end of the journal when the savepoint was opened.
    mark: u64,
    page_count: u32,
    images: BTreeMap<u32, Arc<[u8]>>,
}

impl Transaction {
    /// Keeps a page that is about to change, if the innermost savepoint will need it.
    pub(crate) fn save_image(&mut self, number: u32, bytes: &Arc<[u8]>) {
        let Some(savepoint) = self.savepoints.last_mut() else { return };
        let in_journal = self.journaled.get(&number).is_some_and(|&at| at >= savepoint.mark);
        if number <= savepoint.page_count && !in_journal {
            savepoint.images.entry(number).or_insert_with(|| Arc::clone(bytes));
        }
    }
}

impl Pager {
    /// How many savepoints are open.
    #[must_use]
    pub fn savepoints(&self) -> usize {
        self.transaction.as_ref().map_or(0, |transaction| transaction.savepoints.len())
    }

    /// Opens a savepoint and returns its index; the outermost has 0.
    ///
    /// # Errors
    /// [`Error::Misuse`] outside a write transaction.
    pub fn savepoint(&mut self) -> Result<usize> {
        let page_count = self.page_count();
        self.next_epoch();
        let transaction = Transaction::open(&mut self.transaction)?;
        let mark = transaction.journal.end();
        transaction.savepoints.push(Savepoint { mark, page_count, images: BTreeMap::new() });
        Ok(transaction.savepoints.len() - 1)
    }

    /// Ends savepoint `index` and all inner ones; their changes belong to what is around them.
    ///
    /// # Errors
    /// [`Error::Misuse`] when there is no such savepoint.
    pub fn release(&mut self, index: usize) -> Result<()> {
        self.next_epoch();
        let transaction = Transaction::open(&mut self.transaction)?;
        if index >= transaction.savepoints.len() {
            return Err(Error::Misuse("no such savepoint"));
        }
        while transaction.savepoints.len() > index {
            let Some(inner) = transaction.savepoints.pop() else { break };
            for (number, image) in inner.images {
                transaction.save_image(number, &image);
            }
        }
        Ok(())
    }

    /// Undoes all changes since savepoint `index` was opened; it stays open, inner ones are gone.
    ///
    /// # Errors
    /// [`Error::Misuse`] when there is no such savepoint; [`Error::Io`], after which only
    /// [`Pager::rollback`] makes sense.
    pub fn rollback_to(&mut self, index: usize) -> Result<()> {
        if index >= self.savepoints() {
            return Err(Error::Misuse("no such savepoint"));
        }
        let restored = self.restore(index);
        if restored.is_err() {
            self.give_up();
        }
        restored
    }

    fn restore(&mut self, index: usize) -> Result<()> {
        self.next_epoch();
        self.trees_changed();
        let transaction = Transaction::open(&mut self.transaction)?;
        let mut images = BTreeMap::new();
        while transaction.savepoints.len() > index + 1 {
            // Inner ones come off first, so that an outer image replaces an inner one.
            images
                .extend(transaction.savepoints.pop().map(|inner| inner.images).unwrap_or_default());
        }
        let Some(savepoint) = transaction.savepoints.get_mut(index) else {
            return Err(Error::Misuse("no such savepoint"));
        };
        images.extend(std::mem::take(&mut savepoint.images));
        let (mark, page_count) = (savepoint.mark, savepoint.page_count);
        images.retain(|&number, _| number <= page_count);
        let journaled = transaction.journaled.iter().filter(|&(_, &at)| at >= mark);
        let mut journaled: Vec<_> = journaled.map(|(&number, &at)| (number, at)).collect();
        journaled.sort_unstable();
        for (number, _) in &journaled {
            images.remove(number);
        }
        // The savepoint may be rolled back to again: these are its images still.
        savepoint.images.clone_from(&images);

        self.set_page_count(page_count);
        self.cache.forget(|frame, _| frame.number > page_count);
        for (number, image) in images {
            self.page_mut(number)?.copy_from_slice(&image);
        }
        let mut page = vec![0; self.page_size()];
        for (number, at) in journaled {
            let Some(transaction) = &mut self.transaction else { break };
            transaction.journal.read_original(&*self.vfs, at, &mut page)?;
            self.page_mut(number)?.copy_from_slice(&page);
        }
        Ok(())
    }
}
