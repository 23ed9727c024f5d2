//! The first 100 bytes of a database file (day 0).
//!
//! All numbers are big-endian. A file with one table of one row begins like this:
//!
//! ```text
//!    0  53 51 4c 69 74 65 20 66 6f 72 6d 61 74 20 33 00   "SQLite format 3\0"
//!   16  10 00        page size 4096 (1 stands for 65536, which has no room in two bytes)
//!   18  01 01        written and read by the rollback journal (2: by a write-ahead log)
//!   20  00           bytes reserved at the end of each page
//!   21  40 20 20     64, 32, 32: fractions once meant to be settings
//!   24  00 00 00 02  change counter: goes up with every commit
//!   28  00 00 00 02  pages in the file; true only if the fields at 24 and 92 agree
//!   32  00 00 00 00  first page of the freelist (see freelist)
//!   36  00 00 00 00  pages on the freelist
//!   40  00 00 00 01  schema cookie: goes up when a table or index is made or dropped
//!   44  00 00 00 04  schema format 4: integers 0 and 1 in no bytes, DESC indexes
//!   48  00 00 00 00  suggested cache size, unused
//!   52  00 00 00 00  not 0: an auto-vacuum file, which has pointer-map pages between the others
//!   56  00 00 00 01  text is UTF-8 (2, 3: UTF-16)
//!   60  00 00 00 00  user version, the application's
//!   64  ..           incremental vacuum, application id, 20 zeros
//!   92  00 00 00 02  the change counter when the field at 96 was written
//!   96  00 2e 63 01  SQLite 3.40.1 wrote the file last: 3 * 1,000,000 + 40 * 1,000 + 1
//! ```
//!
//! The pair at 24 and 92 catches a very old SQLite that wrote the file without knowing the field at
//! 28: it raises the first and leaves the second, and the page count is then taken from the
//! length of the file.
//!
//! Reference: <https://sqlite.org/fileformat2.html>, section 1.3.

use super::error::{Error, Result};

/// The length of the header.
pub const HEADER_BYTES: usize = 100;
/// The SQLite version whose format we write, as the field at 96 has it.
pub const LIBRARY_VERSION: u32 = 3_040_001;
/// The schema format that we write: integers 0 and 1 in no bytes, DESC indexes.
pub(crate) const SCHEMA_FORMAT: u32 = 4;
/// The text encoding that we read and write.
pub(crate) const UTF_8: u32 = 1;
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// What the pager keeps of the header while it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Bytes per page: a power of two from 512 to 65536.
    pub page_size: usize,
    /// Bytes at the end of each page that belong to an extension and are left alone.
    pub reserved: usize,
    /// Goes up with every commit.
    pub change_counter: u32,
    /// Pages in the file, or `None` where the field is not to be trusted.
    pub page_count: Option<u32>,
    /// Whether pointer-map pages are to be kept up to date, which we do not: such a file is only read.
    pub auto_vacuum: bool,
}

impl Header {
    /// Reads and judges a header.
    ///
    /// # Errors
    /// [`Error::NotADatabase`] without the magic or with impossible sizes; [`Error::Unsupported`]
    /// for a write-ahead log, UTF-16, or a format of the future.
    pub fn parse(bytes: &[u8]) -> Result<Header> {
        let Some(bytes) = bytes.first_chunk::<HEADER_BYTES>() else {
            return Err(Error::NotADatabase);
        };
        let page_size = match u16::from_be_bytes([bytes[16], bytes[17]]) {
            1 => 65_536,
            size => usize::from(size),
        };
        let size_is_possible = page_size.is_power_of_two() && page_size >= 512;
        if &bytes[..16] != MAGIC || !size_is_possible || bytes[21..24] != [64, 32, 32] {
            return Err(Error::NotADatabase);
        }
        // At least 480 bytes must be left: four cells have to fit on an index page.
        let reserved = usize::from(bytes[20]);
        if page_size - reserved < 480 {
            return Err(Error::NotADatabase);
        }
        refuse_what_we_cannot_read(bytes)?;
        let trusted = field(bytes, 24) == field(bytes, 92) && field(bytes, 28) != 0;
        Ok(Header {
            page_size,
            reserved,
            change_counter: field(bytes, 24),
            page_count: trusted.then(|| field(bytes, 28)),
            auto_vacuum: field(bytes, 52) != 0,
        })
    }

    /// The header of a new file with pages of `page_size` bytes, before its first commit.
    #[must_use]
    pub fn fresh(page_size: usize) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..16].copy_from_slice(MAGIC);
        let size = u16::try_from(page_size).unwrap_or(1);
        bytes[16..18].copy_from_slice(&size.to_be_bytes());
        bytes[18..24].copy_from_slice(&[1, 1, 0, 64, 32, 32]);
        set_field(&mut bytes, 44, SCHEMA_FORMAT);
        set_field(&mut bytes, 56, UTF_8);
        bytes
    }
}

/// The number at offset `at` of a page; 0 when the page is shorter.
#[must_use]
pub fn field(page: &[u8], at: usize) -> u32 {
    page.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |b| u32::from_be_bytes(*b))
}

/// Writes the number at offset `at` of a page, which must be long enough.
pub(crate) fn set_field(page: &mut [u8], at: usize, value: u32) {
    page[at..at + 4].copy_from_slice(&value.to_be_bytes());
}

fn refuse_what_we_cannot_read(bytes: &[u8; HEADER_BYTES]) -> Result<()> {
    let refuse = |what: &str| Err(Error::Unsupported(what.to_owned()));
    if bytes[18] == 2 || bytes[19] == 2 {
        return refuse(
            "the file is in WAL mode; run `PRAGMA journal_mode=DELETE` on it with sqlite3",
        );
    }
    if bytes[18] > 2 || bytes[19] > 2 || field(bytes, 44) > SCHEMA_FORMAT {
        return refuse("the file has a format newer than this engine knows");
    }
    match field(bytes, 56) {
        // 0 is what a database has before its first table.
        0 | UTF_8 => Ok(()),
        _ => refuse("the file's text is UTF-16; dump it with sqlite3 into a UTF-8 one"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(change: impl Fn(&mut [u8])) -> Result<Header> {
        let mut bytes = Header::fresh(4096);
        change(&mut bytes);
        Header::parse(&bytes)
    }

    #[test]
    fn a_fresh_header_has_the_bytes_of_the_chapter() {
        let bytes = Header::fresh(4096);
        assert_eq!(&bytes[..24], b"SQLite format 3\0\x10\0\x01\x01\0\x40\x20\x20");
        assert_eq!(&bytes[44..60], b"\0\0\0\x04\0\0\0\0\0\0\0\0\0\0\0\x01");
        let header = Header::parse(&bytes).unwrap();
        assert_eq!((header.page_size, header.reserved, header.page_count), (4096, 0, None));
        assert_eq!(Header::parse(&Header::fresh(65_536)).unwrap().page_size, 65_536);
    }

    #[test]
    fn the_page_count_is_trusted_only_where_the_counters_agree() {
        let set = |bytes: &mut [u8], valid_for| {
            set_field(bytes, 24, 7);
            set_field(bytes, 28, 3);
            set_field(bytes, 92, valid_for);
        };
        assert_eq!(with(|b| set(b, 7)).unwrap().page_count, Some(3));
        assert_eq!(with(|b| set(b, 6)).unwrap().page_count, None);
    }

    #[test]
    fn what_cannot_be_read_is_refused_and_says_why() {
        let message = |change: &dyn Fn(&mut [u8])| with(change).unwrap_err().to_string();
        assert_eq!(message(&|b| b[0] = b'X'), "file is not a database");
        assert_eq!(message(&|b| b[17] = 9), "file is not a database");
        assert!(message(&|b| b[19] = 2).contains("WAL mode"));
        assert!(message(&|b| b[59] = 2).contains("UTF-16"));
        assert!(message(&|b| b[47] = 5).contains("newer"));
        assert!(with(|b| b[55] = 9).unwrap().auto_vacuum);
        assert!(matches!(Header::parse(b"SQLite"), Err(Error::NotADatabase)));
    }
}
