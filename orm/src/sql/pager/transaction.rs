//! Write transactions: begin, commit, roll back, and writing out early (day 0).
//!
//! The order of a commit is in [`journal`], step by step; here is who takes the steps:
//!
//! ```text
//!   commit
//!     stamp_header    change counter + 1, page count                      (page 1 changes)
//!     write_out       Journal::make_hot                                   steps 1 to 4
//!                     dirty pages, by rising number                       step 5
//!     trim_file, sync                                                     step 6
//!     Journal::finish                                                     steps 7 and 8
//! ```
//!
//! `write_out` also runs in the middle of a transaction, when three quarters of the cache are dirty. From
//! then on undoing means playing the journal back, exactly as after a crash; before, it
//! only means forgetting the dirty pages.

use super::super::cache::PageMap;
use super::super::error::{Error, Result};
use super::super::header::{self, HEADER_BYTES, Header, field, set_field};
use super::super::journal::{self, Journal, recovery};
use super::super::page::{self, PageKind};
use super::super::savepoint::Savepoint;
use super::super::vfs::Lock;
use super::Pager;

/// What a write transaction remembers.
#[derive(Debug)]
pub(crate) struct Transaction {
    pub(crate) original_pages: u32,
    pub(crate) journal: Journal,
    /// Where in the journal the original of a page is.
    pub(crate) journaled: PageMap<u64>,
    pub(crate) savepoints: Vec<Savepoint>,
    /// The database file was written: undoing needs the journal.
    spilled: bool,
    /// A write or a sync failed. Trying again would be wrong: the system may report the next sync as
    /// done although what the first one was about is lost. Only a rollback is left.
    failed: bool,
}

impl Transaction {
    /// The open transaction, to be changed; an error where there is none, or one that failed.
    pub(crate) fn open(transaction: &mut Option<Transaction>) -> Result<&mut Transaction> {
        match transaction {
            None => Err(Error::Misuse("no transaction is active")),
            Some(transaction) if transaction.failed => {
                Err(Error::Misuse("a write of the transaction failed; roll it back"))
            }
            Some(transaction) => Ok(transaction),
        }
    }
}

impl Pager {
    /// Starts a write transaction.
    ///
    /// # Errors
    /// As [`Pager::begin_read`]; [`Error::ReadOnly`]; [`Error::Unsupported`] for an auto-vacuum file;
    /// [`Error::Busy`] also when someone else wrote since our [`Pager::begin_read`].
    pub fn begin_write(&mut self) -> Result<()> {
        if self.transaction.is_some() {
            return Ok(());
        }
        if self.options.read_only {
            return Err(Error::ReadOnly);
        }
        let reading = self.lock == Lock::Shared;
        if self.lock != Lock::Exclusive {
            let before = self.seen;
            let mut result = self.take_lock(Lock::Exclusive).and_then(|()| self.refresh());
            if result.is_ok() && reading && before != self.seen {
                // The answers that the caller already has are no longer true.
                result = Err(Error::Busy);
            }
            if let Err(error) = result {
                self.drop_lock();
                if reading {
                    self.begin_read()?;
                }
                return Err(error);
            }
        }
        if let Err(error) = self.start_transaction() {
            self.transaction = None;
            self.cache.forget(|_, dirty| dirty);
            if !reading {
                self.end_read();
            }
            return Err(error);
        }
        Ok(())
    }

    fn start_transaction(&mut self) -> Result<()> {
        if self.page_count > 0 && matches!(field(&self.seen, 44), 1..header::SCHEMA_FORMAT) {
            let what = "writing a file of a format before SQLite 3.3; run `PRAGMA legacy_file_format=0; VACUUM` on it with sqlite3";
            return Err(Error::Unsupported(what.to_owned()));
        }
        if self.page_count > 0 && Header::parse(&self.seen)?.auto_vacuum {
            let what = "writing an auto-vacuum file; run `PRAGMA auto_vacuum=0; VACUUM` on it with sqlite3";
            return Err(Error::Unsupported(what.to_owned()));
        }
        let journal =
            Journal::new(&self.file.path, self.page_count, self.page_size, journal::random_nonce());
        self.transaction = Some(Transaction {
            original_pages: self.page_count,
            journal: journal.reuse(self.kept_journal.take())?,
            journaled: PageMap::default(),
            savepoints: Vec::new(),
            spilled: false,
            failed: false,
        });
        self.epoch += 1;
        if self.page_count == 0 {
            let (page_size, usable) = (self.page_size, self.usable);
            self.page_count = 1;
            let page = self.fresh_page(1)?;
            page[..HEADER_BYTES].copy_from_slice(&Header::fresh(page_size));
            page::build(page, 1, usable, PageKind::TableLeaf, [].into_iter(), 0);
        }
        Ok(())
    }

    /// Makes the changes of the transaction last, and ends it.
    ///
    /// # Errors
    /// [`Error::Full`] or [`Error::Io`]. The transaction is then still open, and can only be rolled back;
    /// unless only the very last sync failed, which leaves the changes made but perhaps not for long.
    pub fn commit(&mut self) -> Result<()> {
        let spilled = Transaction::open(&mut self.transaction)?.spilled;
        if !self.cache.has_dirty() && !spilled {
            return self.rollback();
        }
        if let Err(error) = self.write_all() {
            self.give_up();
            return Err(error);
        }
        let Some(transaction) = self.transaction.take() else { return Ok(()) };
        let Transaction { journal, savepoints, journaled, original_pages, .. } = transaction;
        let path = self.file.path.clone();
        let (done, result) = journal.finish(&*self.vfs, self.options.sync, self.options.exclusive);
        if !done {
            // The journal is still hot. Only its file matters now, for `rollback`.
            let journal = Journal::new(&path, original_pages, self.page_size, 0);
            let (spilled, failed) = (true, true);
            self.transaction = Some(Transaction {
                original_pages,
                journal,
                journaled,
                savepoints,
                spilled,
                failed,
            });
        } else {
            self.end_read();
        }
        self.kept_journal = result?;
        Ok(())
    }

    /// Steps 1 to 6: after this the database is as the commit wants it, and so is the way back.
    fn write_all(&mut self) -> Result<()> {
        self.stamp_header()?;
        self.write_out()?;
        self.trim_file()?;
        if self.options.sync {
            self.file.sync()?;
        }
        self.remember_header()
    }

    /// From now on the transaction can only be rolled back.
    pub(crate) fn give_up(&mut self) {
        if let Some(transaction) = &mut self.transaction {
            transaction.failed = true;
        }
        // No page is writable any more, so the next change finds out.
        self.epoch += 1;
    }

    /// Undoes the transaction, if one is open, and ends it.
    ///
    /// # Errors
    /// [`Error::Io`]. Whatever could not be undone is left to the journal, which the next
    /// [`Pager::begin_read`], ours or anyone's, plays back.
    pub fn rollback(&mut self) -> Result<()> {
        let Some(transaction) = self.transaction.take() else { return Ok(()) };
        self.epoch += 1;
        self.trees_changed();
        if !transaction.spilled {
            self.cache.forget(|_, dirty| dirty);
            self.page_count = transaction.original_pages;
            self.cache.forget(|frame, _| frame.number > transaction.original_pages);
            transaction.journal.discard(&*self.vfs);
            self.end_read();
            return Ok(());
        }
        self.cache.forget(|_, _| true);
        self.seen = [0; HEADER_BYTES];
        drop(transaction);
        let undone = recovery::recover(&*self.vfs, &mut self.file, self.options.sync)
            .and_then(|()| self.refresh());
        if undone.is_err() {
            self.drop_lock();
        } else {
            self.end_read();
        }
        undone
    }

    /// Makes the journal hot and writes all dirty pages; the transaction goes on.
    pub(super) fn write_out(&mut self) -> Result<()> {
        let written = self.write_dirty();
        if written.is_err() {
            self.give_up();
        }
        written
    }

    fn write_dirty(&mut self) -> Result<()> {
        let transaction = Transaction::open(&mut self.transaction)?;
        transaction.journal.make_hot(&*self.vfs, self.options.sync)?;
        transaction.spilled = true;
        for place in self.cache.dirty_in_order() {
            let frame = self.cache.frame(place);
            if frame.number <= self.page_count {
                let offset = u64::from(frame.number - 1) * self.page_size as u64;
                self.file.write(&frame.bytes, offset)?;
            }
            self.cache.mark_clean(place);
        }
        Ok(())
    }

    /// Raises the change counter and notes the page count: the last change of every transaction.
    fn stamp_header(&mut self) -> Result<()> {
        let page_count = self.page_count;
        let page = self.page_mut(1)?;
        // A file that never had a table has zeros for the format and the text encoding.
        for (at, ours) in [(44, header::SCHEMA_FORMAT), (56, header::UTF_8)] {
            if field(page, at) == 0 {
                set_field(page, at, ours);
            }
        }
        let counter = field(page, 24).wrapping_add(1);
        set_field(page, 24, counter);
        set_field(page, 28, page_count);
        set_field(page, 92, counter);
        set_field(page, 96, header::LIBRARY_VERSION);
        Ok(())
    }

    /// Cuts off what a spill wrote beyond the end and a savepoint then took back.
    fn trim_file(&mut self) -> Result<()> {
        let len = u64::from(self.page_count) * self.page_size as u64;
        if self.file.size()? > len { self.file.set_len(len) } else { Ok(()) }
    }

    fn remember_header(&mut self) -> Result<()> {
        let mut seen = [0; HEADER_BYTES];
        seen.copy_from_slice(&self.page(1)?[..HEADER_BYTES]);
        self.seen = seen;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::btree::{TableCursor, TreeKind, create_tree};
    use super::super::super::vfs::MemoryVfs;
    use super::super::Options;
    use super::*;

    fn open(vfs: &MemoryVfs, options: Options) -> Pager {
        Pager::open(Box::new(vfs.clone()), "d", options).unwrap()
    }

    #[test]
    fn a_commit_raises_both_counters_and_notes_the_page_count() {
        let vfs = MemoryVfs::default();
        let mut pager = open(&vfs, Options::default());
        for commit in 1..=3 {
            pager.begin_write().unwrap();
            pager.append_page().unwrap();
            pager.set_schema_cookie(commit * 7).unwrap();
            pager.set_user_version(-5).unwrap();
            pager.commit().unwrap();
            let bytes = vfs.get("d").unwrap();
            let fields = [24, 28, 40, 92, 96].map(|at| field(&bytes, at));
            assert_eq!(fields, [commit, commit + 1, commit * 7, commit, 3_040_001]);
            assert_eq!(bytes.len(), 4096 * (commit as usize + 1));
            assert!(vfs.get("d-journal").is_none());
        }
        pager.begin_read().unwrap();
        assert_eq!(pager.user_version().unwrap(), -5);
        // A transaction that changes nothing is no commit.
        pager.begin_write().unwrap();
        pager.commit().unwrap();
        assert_eq!(field(&vfs.get("d").unwrap(), 24), 3);
    }

    #[test]
    fn two_connections_keep_out_of_each_others_way_and_see_each_others_commits() {
        let vfs = MemoryVfs::default();
        let (mut a, mut b) = (open(&vfs, Options::default()), open(&vfs, Options::default()));
        a.begin_write().unwrap();
        let root = create_tree(&mut a, TreeKind::Table).unwrap();
        TableCursor::new(root).insert(&mut a, 1, b"\x01").unwrap();
        assert!(matches!(b.begin_read(), Err(Error::Busy)));
        a.commit().unwrap();

        b.begin_read().unwrap();
        assert!(TableCursor::new(root).seek(&mut b, 1).unwrap());
        assert!(matches!(a.begin_write(), Err(Error::Busy)), "b reads");
        b.end_read();
        a.begin_write().unwrap();
        TableCursor::new(root).insert(&mut a, 2, b"\x01").unwrap();
        a.commit().unwrap();
        b.begin_read().unwrap();
        assert!(TableCursor::new(root).seek(&mut b, 2).unwrap(), "not the page of the cache");
    }

    #[test]
    fn a_rolled_back_transaction_leaves_no_trace() {
        let vfs = MemoryVfs::default();
        let mut pager = open(&vfs, Options::default());
        pager.begin_write().unwrap();
        create_tree(&mut pager, TreeKind::Table).unwrap();
        pager.rollback().unwrap();
        assert_eq!((pager.page_count(), vfs.get("d").unwrap().len()), (0, 0));
        assert!(!pager.in_write() && vfs.get("d-journal").is_none());
    }

    #[test]
    fn the_lock_page_is_stepped_over() {
        let vfs = MemoryVfs::default();
        let mut pager = open(&vfs, Options { page_size: 65_536, ..Options::default() });
        pager.begin_write().unwrap();
        // As if the database had grown to just below 2^30 bytes.
        pager.set_page_count(16_383);
        assert_eq!(pager.append_page().unwrap(), 16_384);
        assert_eq!(pager.append_page().unwrap(), 16_386);
    }

    #[test]
    fn rules_of_the_interface() {
        let vfs = MemoryVfs::default();
        let mut pager = open(&vfs, Options::default());
        assert!(matches!(pager.page(1), Err(Error::Misuse(_))), "outside a transaction");
        assert!(matches!(pager.commit(), Err(Error::Misuse(_))));
        assert!(matches!(pager.savepoint(), Err(Error::Misuse(_))));
        assert!(create_tree(&mut pager, TreeKind::Table).is_err());
        let read_only = Options { read_only: true, ..Options::default() };
        assert!(matches!(open(&vfs, read_only).begin_write(), Err(Error::ReadOnly)));
        let missing = Options { create: false, ..Options::default() };
        let missing = Pager::open(Box::new(vfs), "other", missing);
        assert!(matches!(missing, Err(Error::CannotOpen { .. })));
    }
}
