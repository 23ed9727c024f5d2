//! A scan of a table that is much larger than the cache stays within the cache's budget.
//!
//! Alone in its file, because it reads how much memory the whole process ever used.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail a test")]

use orm::sql::btree::{TableCursor, TreeKind, create_tree};
use orm::sql::{Options, Pager};

/// The most memory that this process has had at one time.
fn peak_bytes() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<usize>().ok().map(|kib| kib * 1024)
}

#[test]
fn writing_and_scanning_a_large_table_needs_little_more_than_the_cache() {
    let rows = if tests::full() { 1_000_000 } else { 40_000 };
    let path = std::env::temp_dir().join(format!("orm-memory-{}.db", std::process::id()));
    let path = path.to_str().unwrap().to_owned();
    let options = Options { cache_bytes: 2 << 20, sync: false, ..Options::default() };
    let mut pager = Pager::open_file(&path, options).unwrap();
    let Some(before) = peak_bytes() else {
        return tests::missing("/proc/self/status, which has the memory of a process on Linux");
    };
    pager.begin_write().unwrap();
    let root = create_tree(&mut pager, TreeKind::Table).unwrap();
    let mut cursor = TableCursor::new(root);
    let mut record = vec![0x04, 0x8f, 0x5c, 0x00];
    record.resize(1020, 7);
    for rowid in 0..rows {
        cursor.insert(&mut pager, rowid, &record).unwrap();
    }
    pager.commit().unwrap();
    pager.begin_read().unwrap();
    let mut cursor = TableCursor::new(root);
    let mut found = 0;
    while cursor.next(&mut pager).unwrap() {
        found += 1;
    }
    assert_eq!(found, rows);
    let (grown, file) = (peak_bytes().unwrap() - before, std::fs::metadata(&path).unwrap().len());
    std::fs::remove_file(&path).unwrap();
    println!("{grown} bytes more for a file of {file} bytes");
    assert!(grown < 6 << 20, "{grown} bytes more for a cache of 2 MiB and a file of {file}");
}
