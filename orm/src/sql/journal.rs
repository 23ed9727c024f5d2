//! The rollback journal: how a commit becomes all or nothing (day 0).
//!
//! A transaction changes many pages, and the power can fail between any two writes. So before a page
//! of the database file is overwritten, its old content must be safe in a second file,
//! `<database>-journal`. Whoever opens the database and finds a journal there copies the old pages
//! back. The moment of the commit is the moment the journal's name disappears:
//!
//! ```text
//!   1  write the journal: a header with zeros for its magic, then the original pages
//!   2  sync the journal, sync the directory                   (the originals are safe)
//!   3  write the magic and the number of pages into the header
//!   4  sync the journal                                       (now the journal is "hot")
//!   5  write the changed pages into the database
//!   6  sync the database                                      (the new pages are safe)
//!   7  delete the journal                                     (this is the commit)
//!   8  sync the directory                                     (and now it is durable)
//! ```
//!
//! Five syncs. Leave any of them out and some power cut tears the file; the crash test of this crate
//! tries every one. Without the sync at 2 the magic could reach the disk before the pages that it
//! vouches for. Step 8 is ours: SQLite leaves it out unless `synchronous=EXTRA`, and a power cut
//! may then bring back the journal and undo a commit that was reported as done. With
//! [`Options::exclusive`](super::pager::Options) the journal is not deleted but its header is
//! overwritten with zeros and synced, as SQLite does in its exclusive mode: four syncs, here and
//! there. The directory is then synced once, for the first transaction that makes the file.
//!
//! The journal of a change to page 2 of a database of 2 pages of 512 bytes:
//!
//! ```text
//!     0  d9 d5 05 f9 20 a1 63 d7   magic: zeros until step 3
//!     8  00 00 00 01               records in this segment
//!    12  00 00 00 07               nonce: chosen anew for each journal
//!    16  00 00 00 02               pages in the database before the transaction
//!    20  00 00 02 00               sector size 512
//!    24  00 00 02 00               page size 512
//!    28  00 ..                     zeros up to the sector size
//!   512  00 00 00 02               record: page 2
//!   516  0d ..                     its 512 bytes before the change
//!  1028  00 00 00 8f               checksum: nonce + the bytes at 312 and 112 of the page
//! ```
//!
//! What happens after a crash is in [`recovery`].
//!
//! The checksum adds every 200th byte, counted from the end. It is there to recognise a record that
//! an old file left in the same place of the disk; against torn records the syncs help.
//!
//! A transaction larger than the cache must write to the database before it ends. It then goes
//! through steps 2 to 4 early, writes, and continues with another *segment*: a new header at the
//! next multiple of the sector size, with zeros for its magic until its turn comes.
//!
//! # The idea alone
//!
//! A disk that loses any of the writes since the last sync, and a commit that survives every such loss:
//!
//! ```
//! #[derive(Clone, Default)]
//! struct Disk { safe: [Option<u8>; 3], written: Vec<(usize, Option<u8>)> }
//! const DATA_A: usize = 0;
//! const DATA_B: usize = 1;
//! const JOURNAL: usize = 2;
//!
//! impl Disk {
//!     fn write(&mut self, place: usize, value: Option<u8>) { self.written.push((place, value)); }
//!     fn sync(&mut self) {
//!         for (place, value) in self.written.drain(..) { self.safe[place] = value; }
//!     }
//!     /// The power fails; bit `i` of `kept` says whether write `i` since the last sync arrived.
//!     fn crash(&self, kept: u32) -> [Option<u8>; 3] {
//!         let mut safe = self.safe;
//!         for (i, (place, value)) in self.written.iter().enumerate() {
//!             if kept >> i & 1 == 1 { safe[*place] = *value; }
//!         }
//!         safe
//!     }
//! }
//!
//! // Both data places hold the same number; a transaction adds one to both.
//! let old = 7;
//! let steps: [&dyn Fn(&mut Disk); 7] = [
//!     &|disk| disk.write(JOURNAL, Some(old)), // the original, and with it: "undo me"
//!     &|disk| disk.sync(),
//!     &|disk| disk.write(DATA_A, Some(old + 1)),
//!     &|disk| disk.write(DATA_B, Some(old + 1)),
//!     &|disk| disk.sync(),
//!     &|disk| disk.write(JOURNAL, None), // the commit
//!     &|disk| disk.sync(),
//! ];
//! let mut disk = Disk { safe: [Some(old), Some(old), None], written: Vec::new() };
//! for step in steps {
//!     step(&mut disk);
//!     for kept in 0..8 {
//!         let mut found = disk.crash(kept);
//!         if let Some(original) = found[JOURNAL] { // hot: play it back
//!             (found[DATA_A], found[DATA_B]) = (Some(original), Some(original));
//!         }
//!         assert_eq!(found[DATA_A], found[DATA_B], "torn");
//!     }
//! }
//! assert_eq!(disk.safe, [Some(8), Some(8), None]);
//! ```
//!
//! Take the first or the second sync out, and it is torn. (One number fits a sector, which arrives
//! whole or not at all. A real journal has many sectors, and that is what the magic is for.)
//!
//! Reference: <https://sqlite.org/fileformat2.html>, section 3; <https://sqlite.org/atomiccommit.html>.

pub mod recovery;

use super::error::{Error, Result};
use super::header::set_field;
use super::vfs::{Mode, NamedFile, Vfs};
use std::hash::{BuildHasher, Hasher};

/// The first eight bytes of a journal that is to be played back.
pub const MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
/// The length of a segment's header, and what segments are aligned to.
pub const SECTOR_BYTES: usize = 512;
/// How much is collected before it is written to the file.
const BUFFER_BYTES: usize = 64 * 1024;

/// The name of the journal of the database `path`.
#[must_use]
pub fn journal_path(path: &str) -> String {
    format!("{path}-journal")
}

/// The sum that a record ends with.
#[must_use]
pub fn checksum(nonce: u32, page: &[u8]) -> u32 {
    let from_end = (1..).map_while(|i| page.len().checked_sub(200 * i)).take_while(|&at| at > 0);
    from_end.fold(nonce, |sum, at| sum.wrapping_add(u32::from(page[at])))
}

/// The journal that a transaction writes.
///
/// Nothing touches the disk before 64 KiB are full or [`Journal::make_hot`] is called: a
/// transaction that is rolled back before leaves no trace.
#[derive(Debug)]
pub(crate) struct Journal {
    path: String,
    /// `None` until the first write.
    file: Option<NamedFile>,
    /// What is not yet in the file, and where in the file it belongs.
    buffer: Vec<u8>,
    buffer_at: u64,
    /// Where the current segment starts, or `None` before its first record.
    segment: Option<u64>,
    records: u32,
    nonce: u32,
    original_pages: u32,
    page_size: usize,
    dir_synced: bool,
    /// How long a journal kept from earlier transactions is.
    stale_len: u64,
}

impl Journal {
    pub(crate) fn new(path: &str, original_pages: u32, page_size: usize, nonce: u32) -> Journal {
        Journal {
            path: journal_path(path),
            file: None,
            buffer: Vec::new(),
            buffer_at: 0,
            segment: None,
            records: 0,
            nonce,
            original_pages,
            page_size,
            dir_synced: false,
            stale_len: 0,
        }
    }

    /// A journal that reuses the file of an earlier one, kept by [`Journal::finish`].
    pub(crate) fn reuse(mut self, kept: Option<NamedFile>) -> Result<Journal> {
        if let Some(mut file) = kept {
            self.stale_len = file.size()?;
            self.dir_synced = true;
            self.file = Some(file);
        }
        Ok(self)
    }

    /// Adds the original content of a page and says where it is, for [`Journal::read_original`].
    pub(crate) fn append(&mut self, vfs: &dyn Vfs, number: u32, page: &[u8]) -> Result<u64> {
        if self.buffer.len() >= BUFFER_BYTES {
            self.flush(vfs)?;
        }
        self.start_segment();
        let at = self.end();
        self.buffer.extend_from_slice(&number.to_be_bytes());
        self.buffer.extend_from_slice(page);
        self.buffer.extend_from_slice(&checksum(self.nonce, page).to_be_bytes());
        self.records += 1;
        Ok(at)
    }

    /// Where the next record goes; grows with every record.
    pub(crate) fn end(&self) -> u64 {
        self.buffer_at + self.buffer.len() as u64
    }

    /// The page that [`Journal::append`] put at `at`.
    pub(crate) fn read_original(&mut self, vfs: &dyn Vfs, at: u64, page: &mut [u8]) -> Result<()> {
        self.flush(vfs)?;
        self.file(vfs)?.read_all(page, at + 4)
    }

    /// All of it, also what is not in the file yet.
    pub(crate) fn bytes(&mut self, vfs: &dyn Vfs) -> Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(self.buffer_at).unwrap_or(0)];
        if !bytes.is_empty() {
            self.file(vfs)?.read_all(&mut bytes, 0)?;
        }
        bytes.extend_from_slice(&self.buffer);
        Ok(bytes)
    }

    /// Steps 1 to 4: after this the database file may be written, and a crash will undo it.
    pub(crate) fn make_hot(&mut self, vfs: &dyn Vfs, sync: bool) -> Result<()> {
        self.start_segment();
        let start = self.segment.unwrap_or(0);
        self.flush(vfs)?;
        // Where the next segment will start, a reused file may hold bytes that look like a header.
        let next = self.end().next_multiple_of(SECTOR_BYTES as u64);
        let stale = next < self.stale_len;
        let mut head = [0; 12];
        head[..8].copy_from_slice(&MAGIC);
        set_field(&mut head, 8, self.records);
        let dir_synced = std::mem::replace(&mut self.dir_synced, true);
        let path = self.path.clone();
        let file = self.file(vfs)?;
        if stale {
            file.write(&[0; MAGIC.len()], next)?;
        }
        if sync {
            file.sync()?;
            if !dir_synced {
                vfs.sync_dir(&path).map_err(|error| Error::io("directory sync", &path, error))?;
            }
        }
        file.write(&head, start)?;
        if sync {
            file.sync()?;
        }
        // What follows belongs to another segment.
        self.segment = None;
        self.records = 0;
        Ok(())
    }

    /// Step 7, the commit, and step 8; with `keep` the header is overwritten instead, and the file
    /// comes back for the next transaction.
    ///
    /// The first result says whether the commit happened.
    pub(crate) fn finish(
        self,
        vfs: &dyn Vfs,
        sync: bool,
        keep: bool,
    ) -> (bool, Result<Option<NamedFile>>) {
        let path = self.path;
        let Some(mut file) = self.file else { return (true, Ok(None)) };
        if keep {
            let zeroed =
                file.write(&[0; 28], 0).and_then(|()| if sync { file.sync() } else { Ok(()) });
            return match zeroed {
                Ok(()) => (true, Ok(Some(file))),
                Err(error) => (false, Err(error)),
            };
        }
        drop(file);
        if let Err(error) = vfs.delete(&path) {
            return (false, Err(Error::io("delete", &path, error)));
        }
        let synced = if sync { vfs.sync_dir(&path) } else { Ok(()) };
        (true, synced.map(|()| None).map_err(|error| Error::io("directory sync", &path, error)))
    }

    /// Removes a journal that never became hot.
    pub(crate) fn discard(self, vfs: &dyn Vfs) {
        if self.file.is_some() {
            drop(self.file);
            // Should it stay: it begins with zeros, so nobody will play it back.
            let _ = vfs.delete(&self.path);
        }
    }

    fn start_segment(&mut self) {
        if self.segment.is_some() {
            return;
        }
        let start = self.end().next_multiple_of(SECTOR_BYTES as u64);
        let padding = usize::try_from(start - self.end()).unwrap_or(0);
        self.buffer.resize(self.buffer.len() + padding, 0);
        let mut head = [0; SECTOR_BYTES];
        set_field(&mut head, 12, self.nonce);
        set_field(&mut head, 16, self.original_pages);
        set_field(&mut head, 20, 512);
        set_field(&mut head, 24, u32::try_from(self.page_size).unwrap_or(0));
        self.buffer.extend_from_slice(&head);
        self.segment = Some(start);
    }

    fn flush(&mut self, vfs: &dyn Vfs) -> Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let (at, buffer) = (self.buffer_at, std::mem::take(&mut self.buffer));
        let written = self.file(vfs).and_then(|file| file.write(&buffer, at));
        self.buffer = buffer;
        written?;
        self.buffer_at += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    fn file(&mut self, vfs: &dyn Vfs) -> Result<&mut NamedFile> {
        let file = match self.file.take() {
            Some(file) => file,
            None => {
                let opened = vfs.open(&self.path, Mode::Create);
                let file = opened.map_err(|error| Error::io("creation", &self.path, error))?;
                let mut file = NamedFile { path: self.path.clone(), file };
                // A journal that never became hot may lie there.
                file.set_len(0)?;
                file
            }
        };
        Ok(self.file.insert(file))
    }
}

/// A nonce that an earlier journal hardly had: `std` seeds its hash tables at random.
pub(crate) fn random_nonce() -> u32 {
    let hash = std::collections::hash_map::RandomState::new().build_hasher().finish();
    u32::try_from(hash >> 32).unwrap_or(0)
}

#[cfg(test)]
mod tests;
