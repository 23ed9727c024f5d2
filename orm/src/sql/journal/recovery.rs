//! After a crash: which journal is hot, and how it is played back (day 0).
//!
//! Whoever takes a lock on a database looks for its journal first:
//!
//! ```text
//!   no journal, or its first byte is 0     not hot: nothing was written to the database yet
//!   the database has no bytes              the journal of a database that is gone: deleted
//!   it names a super-journal that is gone  the transaction was committed: deleted
//!   else                                   played back, and then deleted
//! ```
//!
//! Playing back: cut the database to its original size; for each segment, write each page back where
//! it was, until a checksum does not fit or the records end; sync the database; delete the journal. A
//! second crash in the midst of that does no harm, the journal is still there and says the same.
//!
//! **Several files.** `sqlite3` can change several attached files in one transaction. Each then has a
//! journal of its own, and all of these end with the name of one *super-journal*:
//!
//! ```text
//!   number of the lock page u32 | name | its length u32 | sum of its bytes u32 | magic
//! ```
//!
//! Deleting the super-journal is the commit of them all, so a journal whose super-journal is gone
//! must not be played back. We never write one, but we may open what `sqlite3` left. The super-journal
//! itself is not deleted here: another of its files may still need it.

use super::super::error::{Error, Result};
use super::super::freelist::lock_page;
use super::super::header::field;
use super::super::vfs::{Mode, NamedFile, Vfs};
use super::{MAGIC, checksum, journal_path};
use std::io;

/// The longest name of a super-journal that is believed.
const NAME_BYTES_MAX: u32 = 4096;

/// Whether the database `path` has a journal that is to be played back.
///
/// # Errors
/// What the system says.
pub(crate) fn is_hot(vfs: &dyn Vfs, path: &str) -> Result<bool> {
    let path = journal_path(path);
    if !vfs.exists(&path).map_err(|error| Error::io("look-up", &path, error))? {
        return Ok(false);
    }
    let mut first = [0];
    let file = match vfs.open(&path, Mode::Read) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Error::io("opening", &path, error)),
    };
    Ok(NamedFile { path, file }.read(&mut first, 0)? == 1 && first[0] != 0)
}

/// Plays the journal of `database` back, and removes it. Nobody else may be using either file.
///
/// # Errors
/// What the system says; then the journal is still there, and it can be tried again.
pub(crate) fn recover(vfs: &dyn Vfs, database: &mut NamedFile, sync: bool) -> Result<()> {
    let path = journal_path(&database.path);
    let file = vfs.open(&path, Mode::Write).map_err(|error| Error::io("opening", &path, error))?;
    let mut journal = NamedFile { path, file };
    if database.size()? > 0 && !is_committed(&mut journal, vfs)? {
        play_back(&mut journal, database)?;
        if sync {
            database.sync()?;
        }
    }
    let path = std::mem::take(&mut journal.path);
    drop(journal);
    vfs.delete(&path).map_err(|error| Error::io("delete", &path, error))?;
    if sync {
        vfs.sync_dir(&path).map_err(|error| Error::io("directory sync", &path, error))?;
    }
    Ok(())
}

/// Whether the journal ends with the name of a super-journal that is gone.
fn is_committed(journal: &mut NamedFile, vfs: &dyn Vfs) -> Result<bool> {
    let len = journal.size()?;
    let mut tail = [0; 16];
    let Some(name_end) = len.checked_sub(tail.len() as u64) else { return Ok(false) };
    journal.read_all(&mut tail, name_end)?;
    let name_len = field(&tail, 0);
    let Some(name_at) = name_end.checked_sub(name_len.into()) else { return Ok(false) };
    if tail[8..] != MAGIC || name_len == 0 || name_len > NAME_BYTES_MAX {
        return Ok(false);
    }
    let mut name = vec![0; name_len as usize];
    journal.read_all(&mut name, name_at)?;
    // SQLite adds them as signed chars.
    let sum = name.iter().fold(0_u32, |sum, &b| sum.wrapping_add_signed(b.cast_signed().into()));
    let Ok(name) = String::from_utf8(name) else { return Ok(false) };
    if sum != field(&tail, 4) || name.contains('\0') {
        return Ok(false);
    }
    let exists = vfs.exists(&name).map_err(|error| Error::io("look-up", &name, error))?;
    Ok(!exists)
}

fn play_back(journal: &mut NamedFile, database: &mut NamedFile) -> Result<()> {
    let len = journal.size()?;
    let (mut at, mut first) = (0, true);
    while let Some(segment) = read_segment(journal, at, len)? {
        if std::mem::take(&mut first) {
            database.set_len(u64::from(segment.original_pages) * segment.page_size as u64)?;
        }
        at += segment.sector_size as u64;
        let mut record = vec![0; segment.page_size + 8];
        for _ in 0..segment.records {
            if journal.read(&mut record, at)? < record.len() {
                return Ok(());
            }
            let (number, page) = (field(&record, 0), &record[4..4 + segment.page_size]);
            let sum = field(&record, 4 + segment.page_size);
            // Number 0, or that of the lock page, begins the name of a super-journal: no page follows.
            let no_page = number == 0 || number == lock_page(segment.page_size);
            if no_page || sum != checksum(segment.nonce, page) {
                return Ok(());
            }
            if number <= segment.original_pages {
                database.write(page, u64::from(number - 1) * segment.page_size as u64)?;
            }
            at += record.len() as u64;
        }
        at = at.next_multiple_of(segment.sector_size as u64);
    }
    Ok(())
}

struct Segment {
    records: u64,
    nonce: u32,
    original_pages: u32,
    sector_size: usize,
    page_size: usize,
}

/// The header at `at`, or `None` where the journal ends.
fn read_segment(journal: &mut NamedFile, at: u64, len: u64) -> Result<Option<Segment>> {
    let mut head = [0; 28];
    if journal.read(&mut head, at)? < head.len() || head[..8] != MAGIC {
        return Ok(None);
    }
    let size = |at| usize::try_from(field(&head, at)).unwrap_or(0);
    let (sector_size, page_size) = (size(20), size(24));
    let fits = |size: usize, min| size.is_power_of_two() && (min..=65_536).contains(&size);
    if !fits(sector_size, 32) || !fits(page_size, 512) {
        return Ok(None);
    }
    let records = match field(&head, 8) {
        // All that are there: a journal written without syncs.
        u32::MAX => len.saturating_sub(at + sector_size as u64) / (page_size as u64 + 8),
        count => u64::from(count),
    };
    Ok(Some(Segment {
        records,
        nonce: field(&head, 12),
        original_pages: field(&head, 16),
        sector_size,
        page_size,
    }))
}
