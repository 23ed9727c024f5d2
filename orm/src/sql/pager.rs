//! The pager: pages by number, and transactions over them (day 0).
//!
//! Above it there are only pages: [`Pager::page`] to read one, `page_mut` to change
//! one, and the promise that all changes between [`Pager::begin_write`] and [`Pager::commit`] happen
//! together or not at all. Below it there are the [cache](super::cache), the
//! [journal](super::journal) and the [file](super::vfs).
//!
//! ```text
//!   begin_read      shared lock; a hot journal is played back; pages another
//!      |            process changed are forgotten (it raised the change counter)
//!   begin_write     exclusive lock
//!      |
//!   page_mut(n)     first time: the original goes to the journal's buffer, the page is dirty
//!      |            (too many dirty pages: make the journal hot, write them, go on)
//!   commit          change counter + 1; journal hot; dirty pages out, in order; delete the journal
//! ```
//!
//! **Epochs.** Most calls of `page_mut` concern a page that is already dirty. Each frame remembers the
//! epoch in which it was made writable; as long as the pager's epoch is the same, one comparison
//! answers. A new transaction or savepoint starts a new epoch.
//!
//! **Savepoints** see [`savepoint`](super::savepoint).
//!
//! **Change counts.** A cursor holds a page and a path of page numbers, both of which a write through
//! another cursor outdates. Each tree has a count of its writes; a cursor that finds the
//! count moved looks its key up again. The counts live in 64 slots by root page: two trees that share a
//! slot cost each other a look-up, nothing more.

use super::cache::Cache;
use super::disk::DiskVfs;
use super::error::{Error, Result};
use super::freelist::lock_page;
use super::header::{self, HEADER_BYTES, Header, field, set_field};
use super::journal::{self, Journal};
use super::savepoint::Savepoint;
use super::vfs::{Lock, MemoryVfs, Mode, NamedFile, Vfs};
use std::collections::HashMap;
use std::io;
use std::sync::Arc;

/// How a database is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Never write; a hot journal is then an error.
    pub read_only: bool,
    /// Make a missing file.
    pub create: bool,
    /// Keep the lock from the first use to the end, and the journal file between transactions: no
    /// one else can use the database, and a transaction saves a few system calls and a sync.
    pub exclusive: bool,
    /// How many bytes of pages to keep in memory.
    pub cache_bytes: usize,
    /// The page size of a new file: a power of two from 512 to 65536.
    pub page_size: usize,
    /// Whether to sync; without it a power cut may destroy the file.
    pub sync: bool,
}

impl Default for Options {
    /// Read and write, create, 2 MiB of cache, pages of 4096 bytes, synced.
    fn default() -> Options {
        Options {
            read_only: false,
            create: true,
            exclusive: false,
            cache_bytes: 2 * 1024 * 1024,
            page_size: 4096,
            sync: true,
        }
    }
}

/// One open database file.
#[derive(Debug)]
pub struct Pager {
    pub(crate) vfs: Box<dyn Vfs>,
    file: NamedFile,
    options: Options,
    page_size: usize,
    usable: usize,
    page_count: u32,
    /// The file's header when the cache was last known to be true.
    seen: [u8; HEADER_BYTES],
    pub(crate) cache: Cache,
    lock: Lock,
    pub(crate) transaction: Option<Transaction>,
    kept_journal: Option<NamedFile>,
    /// Pages made writable under an older epoch must be prepared again.
    epoch: u64,
    changes: [u64; 64],
    recovered: bool,
}

/// What a write transaction remembers.
#[derive(Debug)]
pub(crate) struct Transaction {
    pub(crate) original_pages: u32,
    pub(crate) journal: Journal,
    /// Where in the journal the original of a page is.
    pub(crate) journaled: HashMap<u32, u64>,
    pub(crate) savepoints: Vec<Savepoint>,
    /// The database file was written: undoing needs the journal.
    spilled: bool,
}

impl Pager {
    /// Opens the database `path` of `vfs`.
    ///
    /// # Errors
    /// [`Error::CannotOpen`]; or what is wrong with the file, as [`Pager::begin_read`] says it.
    pub fn open(vfs: Box<dyn Vfs>, path: &str, options: Options) -> Result<Pager> {
        let possible =
            options.page_size.is_power_of_two() && (512..=65_536).contains(&options.page_size);
        if !possible {
            return Err(Error::Misuse("the page size is a power of two from 512 to 65536"));
        }
        let mode = match (options.read_only, options.create) {
            (true, _) => Mode::Read,
            (false, false) => Mode::Write,
            (false, true) => Mode::Create,
        };
        let file = vfs.open(path, mode);
        let file = file.map_err(|source| Error::CannotOpen { path: path.to_owned(), source })?;
        let mut pager = Pager {
            vfs,
            file: NamedFile { path: path.to_owned(), file },
            page_size: options.page_size,
            usable: options.page_size,
            page_count: 0,
            seen: [0; HEADER_BYTES],
            cache: Cache::new(options.cache_bytes / options.page_size),
            options,
            lock: Lock::None,
            transaction: None,
            kept_journal: None,
            epoch: 1,
            changes: [0; 64],
            recovered: false,
        };
        match pager.begin_read() {
            // Another process is writing at this moment; it may be done when the first statement comes.
            Ok(()) | Err(Error::Busy) => pager.end_read(),
            Err(error) => return Err(error),
        }
        Ok(pager)
    }

    /// Opens a file on disk.
    ///
    /// # Errors
    /// As [`Pager::open`].
    pub fn open_file(path: &str, options: Options) -> Result<Pager> {
        Pager::open(Box::new(DiskVfs::default()), path, options)
    }

    /// A new database in memory.
    ///
    /// # Errors
    /// None that a caller could meet.
    pub fn memory() -> Result<Pager> {
        let options = Options { exclusive: true, sync: false, ..Options::default() };
        Pager::open(Box::new(MemoryVfs::default()), ":memory:", options)
    }

    /// Whether a hot journal, left by a crash, was played back since the file was opened.
    #[must_use]
    pub fn recovered(&self) -> bool {
        self.recovered
    }

    /// The size of a page in bytes.
    #[must_use]
    pub fn page_size(&self) -> usize {
        self.page_size
    }

    /// The page size without the bytes reserved at the end of each page.
    #[inline]
    #[must_use]
    pub fn usable(&self) -> usize {
        self.usable
    }

    /// How many pages the database has.
    #[must_use]
    pub fn page_count(&self) -> u32 {
        self.page_count
    }

    /// Whether a read or write transaction is open.
    #[must_use]
    pub fn in_read(&self) -> bool {
        self.lock != Lock::None
    }

    /// Whether a write transaction is open.
    #[must_use]
    pub fn in_write(&self) -> bool {
        self.transaction.is_some()
    }

    /// Starts reading: until [`Pager::end_read`] the database does not change under us.
    ///
    /// # Errors
    /// [`Error::Busy`]; [`Error::NotADatabase`], [`Error::Unsupported`] or [`Error::Corrupt`] for a
    /// file that cannot be used; [`Error::Io`].
    pub fn begin_read(&mut self) -> Result<()> {
        if self.lock != Lock::None {
            return Ok(());
        }
        let wanted = match self.options.exclusive && !self.options.read_only {
            true => Lock::Exclusive,
            false => Lock::Shared,
        };
        let result = self.take_lock(wanted).and_then(|()| self.refresh());
        if result.is_err() {
            self.drop_lock();
        }
        result
    }

    /// Ends reading; does nothing inside a write transaction or with [`Options::exclusive`].
    pub fn end_read(&mut self) {
        if self.transaction.is_none() && !self.options.exclusive {
            self.drop_lock();
        }
    }

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
        if self.page_count > 0 && Header::parse(&self.seen)?.auto_vacuum {
            let what = "writing an auto-vacuum file; run `PRAGMA auto_vacuum=0; VACUUM` on it with sqlite3";
            return Err(Error::Unsupported(what.to_owned()));
        }
        let journal =
            Journal::new(&self.file.path, self.page_count, self.page_size, journal::random_nonce());
        self.transaction = Some(Transaction {
            original_pages: self.page_count,
            journal: journal.reuse(self.kept_journal.take())?,
            journaled: HashMap::new(),
            savepoints: Vec::new(),
            spilled: false,
        });
        self.epoch += 1;
        if self.page_count == 0 {
            let (page_size, usable) = (self.page_size, self.usable);
            self.page_count = 1;
            let page = self.fresh_page(1)?;
            page[..HEADER_BYTES].copy_from_slice(&Header::fresh(page_size));
            super::page::build(
                page,
                1,
                usable,
                super::page::PageKind::TableLeaf,
                [].into_iter(),
                0,
            );
        }
        Ok(())
    }

    /// Makes the changes of the transaction last, and ends it.
    ///
    /// # Errors
    /// [`Error::Full`] or [`Error::Io`]. The transaction is then still open, to be rolled back;
    /// unless only the very last sync failed, which leaves the changes made but perhaps not for long.
    pub fn commit(&mut self) -> Result<()> {
        if self.transaction.is_none() {
            return Err(Error::Misuse("no transaction is active"));
        }
        let spilled = self.transaction.as_ref().is_some_and(|t| t.spilled);
        if !self.cache.has_dirty() && !spilled {
            return self.rollback();
        }
        self.stamp_header()?;
        self.write_out()?;
        self.trim_file()?;
        if self.options.sync {
            self.file.sync()?;
        }
        self.remember_header()?;
        let Some(transaction) = self.transaction.take() else { return Ok(()) };
        let Transaction { journal, savepoints, journaled, .. } = transaction;
        let original_pages = transaction.original_pages;
        let path = self.file.path.clone();
        let (done, result) = journal.finish(&*self.vfs, self.options.sync, self.options.exclusive);
        if !done {
            // The journal is still hot. Only its file matters now, for `rollback`.
            let journal = Journal::new(&path, original_pages, self.page_size, 0);
            self.transaction =
                Some(Transaction { original_pages, journal, journaled, savepoints, spilled: true });
        } else {
            self.end_read();
        }
        self.kept_journal = result?;
        Ok(())
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
        let undone = journal::recover(&*self.vfs, &mut self.file, self.options.sync)
            .and_then(|()| self.refresh());
        if undone.is_err() {
            self.drop_lock();
        } else {
            self.end_read();
        }
        undone
    }

    /// Reads page `number`.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when there is no such page; [`Error::Io`].
    #[inline]
    pub fn page(&mut self, number: u32) -> Result<&Arc<[u8]>> {
        let place = match self.cache.find(number) {
            Some(place) => place,
            None => self.load(number)?,
        };
        Ok(&self.cache.frame(place).bytes)
    }

    /// Reads page `number`, to which page `from` points, and which is to blame if it does not exist.
    #[inline]
    pub(crate) fn follow(&mut self, number: u32, from: u32) -> Result<&Arc<[u8]>> {
        if number == 0 || number > self.page_count {
            return Err(Error::corrupt(from, "a pointer to a page that does not exist"));
        }
        self.page(number)
    }

    /// Page `number`, to be changed in the current transaction.
    #[inline]
    pub(crate) fn page_mut(&mut self, number: u32) -> Result<&mut [u8]> {
        let place = match self.cache.find(number) {
            Some(place) => place,
            None => self.load(number)?,
        };
        if self.cache.frame(place).epoch != self.epoch {
            return self.prepare(number);
        }
        Ok(Arc::make_mut(&mut self.cache.frame_mut(place).bytes))
    }

    /// The first change of a page in this epoch: saves what it was, and marks it dirty.
    #[cold]
    fn prepare(&mut self, number: u32) -> Result<&mut [u8]> {
        if self.cache.wants_spill() {
            self.write_out()?;
        }
        let place = match self.cache.find(number) {
            Some(place) => place,
            None => self.load(number)?,
        };
        let Some(transaction) = &mut self.transaction else {
            return Err(Error::Misuse("a write outside a transaction"));
        };
        let frame = self.cache.frame_mut(place);
        let is_new = number > transaction.original_pages;
        if !is_new && !transaction.journaled.contains_key(&number) {
            let at = transaction.journal.append(&*self.vfs, number, &frame.bytes)?;
            transaction.journaled.insert(number, at);
        } else {
            transaction.save_image(number, &frame.bytes);
        }
        frame.epoch = self.epoch;
        self.cache.mark_dirty(place);
        Ok(Arc::make_mut(&mut self.cache.frame_mut(place).bytes))
    }

    /// Adds a page at the end of the database, all zeros.
    pub(crate) fn append_page(&mut self) -> Result<u32> {
        let mut number = self.page_count.checked_add(1).ok_or(Error::Full)?;
        if number == lock_page(self.page_size) {
            number += 1;
        }
        // SQLite's own limit, 2^32 - 2.
        if number == u32::MAX {
            return Err(Error::Full);
        }
        if self.cache.wants_spill() {
            self.write_out()?;
        }
        self.page_count = number;
        self.fresh_page(number)?;
        Ok(number)
    }

    /// Puts a page of zeros into the cache that the file does not have yet.
    fn fresh_page(&mut self, number: u32) -> Result<&mut [u8]> {
        let bytes = std::iter::repeat_n(0, self.page_size).collect();
        let place = self.cache.insert(number, bytes);
        self.cache.frame_mut(place).epoch = self.epoch;
        self.cache.mark_dirty(place);
        Ok(Arc::make_mut(&mut self.cache.frame_mut(place).bytes))
    }

    #[cold]
    fn load(&mut self, number: u32) -> Result<usize> {
        if self.lock == Lock::None {
            return Err(Error::Misuse("a read outside a transaction"));
        }
        if number == 0 || number > self.page_count {
            return Err(Error::corrupt(number, "no such page in the file"));
        }
        let mut bytes: Arc<[u8]> = std::iter::repeat_n(0, self.page_size).collect();
        let offset = u64::from(number - 1) * self.page_size as u64;
        // A file that ends inside its last page reads as if zeros followed.
        self.file.read(Arc::make_mut(&mut bytes), offset)?;
        Ok(self.cache.insert(number, bytes))
    }

    /// Makes the journal hot and writes all dirty pages; the transaction goes on.
    fn write_out(&mut self) -> Result<()> {
        let Some(transaction) = &mut self.transaction else { return Ok(()) };
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

    fn take_lock(&mut self, lock: Lock) -> Result<()> {
        self.lock = Lock::None;
        if !self.file.lock(lock)? {
            return Err(Error::Busy);
        }
        self.lock = lock;
        Ok(())
    }

    fn drop_lock(&mut self) {
        self.lock = Lock::None;
        // A lock that cannot be given up ends with the file's handle.
        let _ = self.file.lock(Lock::None);
    }

    /// Under a fresh lock: plays back a hot journal, and forgets pages that someone else changed.
    fn refresh(&mut self) -> Result<()> {
        if self.kept_journal.is_none() && journal::is_hot(&*self.vfs, &self.file.path)? {
            self.play_back()?;
        }
        let mut seen = [0; HEADER_BYTES];
        let len = self.file.read(&mut seen, 0)?;
        if len == HEADER_BYTES && seen == self.seen {
            return Ok(());
        }
        self.cache.forget(|_, _| true);
        self.trees_changed();
        self.seen = seen;
        self.page_count = 0;
        let header = match len {
            0 => return Ok(()),
            len => Header::parse(&seen[..len]),
        };
        let header = header.inspect_err(|_| self.seen = [0; HEADER_BYTES])?;
        self.adopt(header)
    }

    fn adopt(&mut self, header: Header) -> Result<()> {
        if header.page_size != self.page_size {
            self.page_size = header.page_size;
            self.cache = Cache::new(self.options.cache_bytes / header.page_size);
        }
        self.usable = header.page_size - header.reserved;
        let in_file = self.file.size()?.div_ceil(header.page_size as u64);
        // A larger file than page numbers can address is cut off by them.
        let in_file = u32::try_from(in_file).unwrap_or(u32::MAX - 1);
        self.page_count = header.page_count.unwrap_or(in_file);
        if self.page_count > in_file {
            self.seen = [0; HEADER_BYTES];
            self.page_count = 0;
            return Err(Error::corrupt(1, "the file is shorter than its header says"));
        }
        Ok(())
    }

    fn play_back(&mut self) -> Result<()> {
        if self.options.read_only {
            let what = "reading a database that a crash left in need of recovery; open it for writing once";
            return Err(Error::Unsupported(what.to_owned()));
        }
        let held = self.lock;
        if held == Lock::Shared {
            self.take_lock(Lock::Exclusive)?;
        }
        // Between the two locks someone else may have done it.
        if journal::is_hot(&*self.vfs, &self.file.path)? {
            journal::recover(&*self.vfs, &mut self.file, self.options.sync)?;
            self.recovered = true;
        }
        if held == Lock::Shared { self.take_lock(held) } else { Ok(()) }
    }

    pub(crate) fn next_epoch(&mut self) {
        self.epoch += 1;
    }

    pub(crate) fn set_page_count(&mut self, pages: u32) {
        self.page_count = pages;
    }

    /// How often the tree at `root`, or one that shares its slot, was written.
    #[inline]
    pub(crate) fn changes(&self, root: u32) -> u64 {
        self.changes[root as usize % 64]
    }

    #[inline]
    pub(crate) fn tree_changed(&mut self, root: u32) {
        self.changes[root as usize % 64] += 1;
    }

    pub(crate) fn trees_changed(&mut self) {
        self.changes.iter_mut().for_each(|count| *count += 1);
    }

    /// The schema cookie: goes up when a table or index is made or dropped.
    ///
    /// # Errors
    /// As [`Pager::page`].
    pub fn schema_cookie(&mut self) -> Result<u32> {
        self.header_field(40)
    }

    /// Sets the schema cookie.
    ///
    /// # Errors
    /// As [`Pager::page`], and outside a write transaction.
    pub fn set_schema_cookie(&mut self, cookie: u32) -> Result<()> {
        set_field(self.page_mut(1)?, 40, cookie);
        Ok(())
    }

    /// The application's own number, `PRAGMA user_version`.
    ///
    /// # Errors
    /// As [`Pager::page`].
    pub fn user_version(&mut self) -> Result<i32> {
        Ok(self.header_field(60)?.cast_signed())
    }

    /// Sets the application's own number.
    ///
    /// # Errors
    /// As [`Pager::page`], and outside a write transaction.
    pub fn set_user_version(&mut self, version: i32) -> Result<()> {
        set_field(self.page_mut(1)?, 60, version.cast_unsigned());
        Ok(())
    }

    /// A number of the file's header; 0 in a database that has no page yet.
    fn header_field(&mut self, at: usize) -> Result<u32> {
        if self.page_count == 0 {
            return Ok(0);
        }
        Ok(field(self.page(1)?, at))
    }
}

impl Drop for Pager {
    /// Rolls an open transaction back and removes a journal kept between transactions.
    fn drop(&mut self) {
        let _ = self.rollback();
        if self.kept_journal.take().is_some() {
            let _: io::Result<()> = self.vfs.delete(&journal::journal_path(&self.file.path));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::btree::{TableCursor, TreeKind, create_tree};
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
