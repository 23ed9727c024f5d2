//! The journal, byte by byte.

use super::super::vfs::MemoryVfs;
use super::recovery::{is_hot, recover};
use super::*;

fn page(fill: u8) -> Vec<u8> {
    vec![fill; 512]
}

fn database(vfs: &MemoryVfs, pages: &[u8]) -> NamedFile {
    vfs.put("d", pages.iter().flat_map(|&fill| page(fill)).collect());
    NamedFile { path: "d".into(), file: vfs.open("d", Mode::Write).unwrap() }
}

#[test]
fn the_journal_of_the_chapter() {
    let vfs = MemoryVfs::default();
    let mut original = page(0);
    (original[0], original[312], original[112]) = (0x0d, 0x80, 0x08);
    let mut journal = Journal::new("d", 2, 512, 7);
    let at = journal.append(&vfs, 2, &original).unwrap();
    assert!(vfs.get("d-journal").is_none(), "nothing is written before it must be");
    journal.make_hot(&vfs, true).unwrap();
    let bytes = vfs.get("d-journal").unwrap();
    assert_eq!(
        bytes[..28],
        *b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7\0\0\0\x01\0\0\0\x07\0\0\0\x02\0\0\x02\0\0\0\x02\0"
    );
    assert!(bytes[28..512].iter().all(|&b| b == 0));
    assert_eq!(bytes[512..516], [0, 0, 0, 2]);
    assert_eq!(bytes[516..1028], original);
    assert_eq!(bytes[1028..], [0, 0, 0, 0x8f]);
    let mut read = page(0);
    journal.read_original(&vfs, at, &mut read).unwrap();
    assert_eq!(read, original);
}

#[test]
fn playing_back_restores_pages_and_length_from_every_hot_segment() {
    let vfs = MemoryVfs::default();
    let mut journal = Journal::new("d", 3, 512, 99);
    journal.append(&vfs, 1, &page(1)).unwrap();
    journal.make_hot(&vfs, true).unwrap();
    journal.append(&vfs, 3, &page(3)).unwrap();
    journal.make_hot(&vfs, true).unwrap();
    // This one is written, but its turn never came.
    journal.append(&vfs, 2, &page(77)).unwrap();
    journal.flush(&vfs).unwrap();
    let mut file = database(&vfs, &[8, 2, 8, 8, 8]);
    assert!(is_hot(&vfs, "d").unwrap());
    recover(&vfs, &mut file, true).unwrap();
    assert_eq!(vfs.get("d").unwrap(), [page(1), page(2), page(3)].concat());
    assert!(!is_hot(&vfs, "d").unwrap());
}

#[test]
fn playing_back_stops_at_a_bad_checksum_and_at_a_short_record() {
    let vfs = MemoryVfs::default();
    let mut journal = Journal::new("d", 2, 512, 5);
    journal.append(&vfs, 1, &page(1)).unwrap();
    journal.append(&vfs, 2, &page(2)).unwrap();
    journal.make_hot(&vfs, true).unwrap();
    let whole = vfs.get("d-journal").unwrap();
    let mut broken = whole.clone();
    broken[512 + 520 + 4 + 112] ^= 1;
    for bytes in [broken, whole[..whole.len() - 1].to_vec()] {
        vfs.put("d-journal", bytes);
        let mut file = database(&vfs, &[8, 9]);
        recover(&vfs, &mut file, true).unwrap();
        assert_eq!(vfs.get("d").unwrap(), [page(1), page(9)].concat());
    }
}

#[test]
fn a_kept_journal_is_not_hot_and_hides_what_it_held() {
    let vfs = MemoryVfs::default();
    let mut journal = Journal::new("d", 4, 512, 5);
    for number in 1..=4 {
        // Where the second segment of the next journal will be, page 2 has a magic.
        let mut fake = page(0);
        fake[500..508].copy_from_slice(&MAGIC);
        journal.append(&vfs, number, &fake).unwrap();
    }
    journal.make_hot(&vfs, true).unwrap();
    let (committed, kept) = journal.finish(&vfs, true, true);
    assert!(committed && !is_hot(&vfs, "d").unwrap());
    assert_eq!(vfs.get("d-journal").unwrap()[1536..1544], MAGIC);
    let again = Journal::new("d", 4, 512, 6).reuse(kept.unwrap()).unwrap();
    let mut journal = again;
    journal.append(&vfs, 1, &page(1)).unwrap();
    journal.make_hot(&vfs, true).unwrap();
    assert_eq!(vfs.get("d-journal").unwrap()[1536..1544], [0; 8]);
    let mut file = database(&vfs, &[8, 2, 3, 4]);
    recover(&vfs, &mut file, true).unwrap();
    assert_eq!(vfs.get("d").unwrap(), [1, 2, 3, 4].map(page).concat());
}

/// A hot journal of a change to page 1.
fn hot(vfs: &MemoryVfs) -> Vec<u8> {
    let mut journal = Journal::new("d", 2, 512, 5);
    journal.append(vfs, 1, &page(1)).unwrap();
    journal.make_hot(vfs, true).unwrap();
    vfs.get("d-journal").unwrap()
}

#[test]
fn the_journal_of_a_database_that_is_gone_is_not_played_into_a_new_one() {
    let vfs = MemoryVfs::default();
    hot(&vfs);
    let mut file = database(&vfs, &[]);
    recover(&vfs, &mut file, true).unwrap();
    assert_eq!(vfs.get("d").unwrap(), []);
    assert!(vfs.get("d-journal").is_none());
}

#[test]
fn a_journal_whose_super_journal_is_gone_was_committed() {
    let vfs = MemoryVfs::default();
    let mut bytes = hot(&vfs);
    // As sqlite3 writes it for `a.db-mj`: the sum is that of the name's bytes.
    let sum: u32 = b"a.db-mj".iter().map(|&byte| u32::from(byte)).sum();
    for part in [&2_097_153_u32.to_be_bytes()[..], b"a.db-mj", &[0, 0, 0, 7], &sum.to_be_bytes()] {
        bytes.extend_from_slice(part);
    }
    bytes.extend_from_slice(&MAGIC);
    for (super_journal, first) in [(true, 1), (false, 8)] {
        vfs.put("d-journal", bytes.clone());
        if super_journal {
            vfs.put("a.db-mj", Vec::new());
        } else {
            vfs.delete("a.db-mj").unwrap();
        }
        let mut file = database(&vfs, &[8, 9]);
        recover(&vfs, &mut file, true).unwrap();
        assert_eq!(vfs.get("d").unwrap(), [page(first), page(9)].concat());
        assert!(vfs.get("d-journal").is_none());
    }
}
