//! Reading while others may write: locks, and noticing what they did (day 0).
//!
//! Between two transactions everything may have changed: another process may have committed, or died.
//! So the first thing under a fresh lock is to look:
//!
//! ```text
//!   lock the file, shared
//!      |
//!   is there a hot journal?  --yes-->  exclusive lock, look again, play it back
//!      | no                            (only a crash leaves one: a living writer holds its lock)
//!   are the first 100 bytes as we left them?  --no-->  forget all pages, read the header anew
//!      | yes (every commit raises the change counter there)
//!   the cache is true
//! ```
//!
//! `std` has `flock`, where readers and a writer exclude each other altogether. SQLite's byte-range
//! locks have five stages, and a writer lets readers go on until the moment when it writes.
//! Neither kind sees the other; [`disk`](super::super::disk) says what that means.

use super::super::cache::Cache;
use super::super::error::{Error, Result};
use super::super::header::{HEADER_BYTES, Header};
use super::super::journal::recovery;
use super::super::vfs::Lock;
use super::Pager;

impl Pager {
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

    /// Ends reading; does nothing inside a write transaction or with [`Options::exclusive`](super::Options::exclusive).
    pub fn end_read(&mut self) {
        if self.transaction.is_none() && !self.options.exclusive {
            self.drop_lock();
        }
    }

    pub(super) fn take_lock(&mut self, lock: Lock) -> Result<()> {
        self.lock = Lock::None;
        if !self.file.lock(lock)? {
            return Err(Error::Busy);
        }
        self.lock = lock;
        Ok(())
    }

    pub(super) fn drop_lock(&mut self) {
        self.lock = Lock::None;
        // A lock that cannot be given up ends with the file's handle.
        let _ = self.file.lock(Lock::None);
    }

    /// Under a fresh lock: plays back a hot journal, and forgets pages that someone else changed.
    pub(super) fn refresh(&mut self) -> Result<()> {
        if self.kept_journal.is_none() && recovery::is_hot(&*self.vfs, &self.file.path)? {
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
        if recovery::is_hot(&*self.vfs, &self.file.path)? {
            recovery::recover(&*self.vfs, &mut self.file, self.options.sync)?;
            self.recovered = true;
        }
        if held == Lock::Shared { self.take_lock(held) } else { Ok(()) }
    }
}
