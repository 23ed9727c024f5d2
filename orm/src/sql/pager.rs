//! The pager: pages by number, and transactions over them (day 0).
//!
//! Above it there are only pages: [`Pager::page`] to read one, `page_mut` to change
//! one, and the promise that all changes between [`Pager::begin_write`] and [`Pager::commit`] happen
//! together or not at all. Below it there are the [cache](super::cache), the
//! [`journal`] and the [file](super::vfs).
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
//! **Change counts.** A cursor holds a page and a path of page numbers, both of which a write through
//! another cursor outdates. Each tree has a count of its writes; a cursor that finds the
//! count moved looks its key up again. The counts live in 64 slots by root page: two trees that share a
//! slot cost each other a look-up, nothing more.

pub mod access;
pub mod transaction;

use super::cache::Cache;
use super::disk::DiskVfs;
use super::error::{Error, Result};
use super::freelist::lock_page;
use super::header::{HEADER_BYTES, field, set_field};
use super::journal;
use super::vfs::{Lock, MemoryVfs, Mode, NamedFile, Vfs, VfsFile};
use std::io;
use std::sync::Arc;
use transaction::Transaction;

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

impl Pager {
    /// Opens the database `path` of `vfs`.
    ///
    /// # Errors
    /// [`Error::CannotOpen`]; or what is wrong with the file, as [`Pager::begin_read`] says it.
    pub fn open(vfs: Box<dyn Vfs>, path: &str, mut options: Options) -> Result<Pager> {
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
        let (file, mode) = open_as_far_as_allowed(&*vfs, path, mode)
            .map_err(|source| Error::CannotOpen { path: path.to_owned(), source })?;
        options.read_only = mode == Mode::Read;
        // The journal lies beside the file itself, whatever name or directory it was reached by.
        let path = vfs.full_path(path).map_err(|error| Error::io("look-up", path, error))?;
        let mut pager = Pager {
            vfs,
            file: NamedFile { path, file },
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
        let transaction = Transaction::open(&mut self.transaction)?;
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
        Transaction::open(&mut self.transaction)?;
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
    pub(super) fn fresh_page(&mut self, number: u32) -> Result<&mut [u8]> {
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

/// Opens a file that may only be read for reading, as SQLite does: writing is then an error.
fn open_as_far_as_allowed(
    vfs: &dyn Vfs,
    path: &str,
    mode: Mode,
) -> io::Result<(Box<dyn VfsFile>, Mode)> {
    use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    match vfs.open(path, mode) {
        Err(error) if matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem) => {
            vfs.open(path, Mode::Read).map(|file| (file, Mode::Read)).map_err(|_| error)
        }
        opened => opened.map(|file| (file, mode)),
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
