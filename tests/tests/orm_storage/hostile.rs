//! Broken files, from a seed: an error or an answer, never a panic, a hang, or memory without bound.

use crate::model::{Model, Rows, check_table, read};
use crate::support::Rng;
use orm::sql::btree::{self, IndexCursor, TableCursor};
use orm::sql::check::integrity_check;
use orm::sql::record::{self, KeyInfo};
use orm::sql::vfs::{Lock, MemoryVfs, Mode, Vfs, VfsFile};
use orm::sql::{Connection, Error, Options, Pager, Result, inspect};
use std::io;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A small database with interior pages, overflow chains and a freelist.
fn base(page_size: usize) -> Vec<u8> {
    let vfs = MemoryVfs::default();
    let options = Options { page_size, ..Options::default() };
    let mut model = Model::new(Pager::open(Box::new(vfs.clone()), "d", options).unwrap(), 5);
    model.step(250, 150, 1400, 10);
    model.step(60, 150, 1400, 90);
    drop(model);
    vfs.get("d").unwrap()
}

/// One to four lies in the places that matter: headers, pointers, the start of cells; or anywhere.
fn mutate(bytes: &mut Vec<u8>, page_size: usize, rng: &mut Rng) {
    for _ in 0..=rng.below(3) {
        let page =
            usize::try_from(rng.below((bytes.len() / page_size) as u64)).unwrap() * page_size;
        let any = |rng: &mut Rng, limit: usize| usize::try_from(rng.below(limit as u64)).unwrap();
        let at = match rng.below(5) {
            0 => any(rng, 100),
            1 => page + any(rng, 12),
            2 => page + any(rng, 60),
            _ => page + any(rng, page_size),
        };
        let value = [0, 1, 0x7f, 0x80, 0xff, 2, 5, 10, 13, any(rng, 256)][any(rng, 10)];
        bytes[at] = match rng.below(3) {
            0 => bytes[at] ^ 1 << rng.below(8),
            _ => u8::try_from(value).unwrap(),
        };
        if rng.below(40) == 0 {
            let len = any(rng, bytes.len() + 1).max(page_size);
            bytes.truncate(len);
        }
        // A whole page in the place of another: cycles and pages of the wrong kind.
        if rng.below(8) == 0 {
            let from = any(rng, bytes.len() / page_size) * page_size;
            let to = any(rng, bytes.len() / page_size) * page_size;
            bytes.copy_within(from..from + page_size, to);
        }
    }
}

/// Everything that one can do with a file.
fn use_it(bytes: Vec<u8>, seed: u64) -> Result<Rows> {
    let vfs = MemoryVfs::default();
    vfs.put("d", bytes);
    let options = Options { cache_bytes: 64 * 1024, ..Options::default() };
    let mut pager = Pager::open(Box::new(vfs), "d", options)?;
    pager.begin_read()?;
    for number in 0..=pager.page_count().min(60) {
        let _ = inspect::annotate_page(&mut pager, number);
    }
    let answer = integrity_check(&mut pager, &[check_table((2, 3))], 100)?;
    let rows = read_loosely(&mut pager);
    let mut index = IndexCursor::new(3, Arc::new(KeyInfo::default()));
    while let Ok(true) = index.next(&mut pager) {}
    while let Ok(true) = index.prev(&mut pager) {}
    let _ = btree::count(&mut pager, 2);
    if answer == ["ok"] {
        return rows;
    }
    pager.end_read();
    // Writing to a broken tree may fail or break it further, but in no other way.
    let mut rng = Rng(seed + 1);
    pager.begin_write()?;
    let mut table = TableCursor::new(2);
    for _ in 0..40 {
        let rowid = rng.below(200).cast_signed();
        let _ = match rng.below(3) {
            0 => table.insert(&mut pager, rowid, b"\x02\x08"),
            1 => table.insert(&mut pager, rowid, &[2; 3000]),
            _ => table.seek(&mut pager, rowid).and_then(|_| table.delete(&mut pager)),
        };
        if index.first(&mut pager).is_ok() && rng.below(2) == 0 {
            for _ in 0..rng.below(20) {
                let _ = index.next(&mut pager);
            }
            let _ = index.delete(&mut pager);
        }
    }
    let _ = btree::clear_tree(&mut pager, 3);
    let _ = pager.commit();
    pager.rollback()?;
    rows
}

/// What one can do through SQL. Whether a statement fails does not matter, only how.
fn query_it(bytes: Vec<u8>) -> Result<()> {
    const STATEMENTS: &[&str] = &[
        "PRAGMA integrity_check",
        "SELECT * FROM t",
        "SELECT count(*), max(b) FROM t WHERE b > 10 GROUP BY b % 7 ORDER BY 2",
        "SELECT a FROM t WHERE b = 20 ORDER BY c",
        "UPDATE t SET c = b WHERE a % 3 = 0",
        "DELETE FROM t WHERE b < 20",
        "INSERT INTO t(b, c) VALUES(1, x'00'), (2, 'two')",
        "CREATE INDEX j ON t(c)",
        "DROP TABLE t",
    ];
    let vfs = MemoryVfs::default();
    vfs.put("d", bytes);
    let options = Options { cache_bytes: 64 * 1024, ..Options::default() };
    let db = Connection::open_with(Box::new(vfs), "d", options)?;
    for sql in STATEMENTS {
        let run = || {
            let mut statement = db.prepare(sql)?;
            let mut rows = statement.query()?;
            while rows.next()?.is_some() {}
            Ok(())
        };
        if let Err(Error::Corrupt { page: 0, what }) = run() {
            panic!("{sql}: no page for: {what}");
        }
    }
    Ok(())
}

fn read_loosely(pager: &mut Pager) -> Result<Rows> {
    let mut rows = Rows::new();
    let mut cursor = TableCursor::new(2);
    while cursor.next(pager)? {
        cursor.fetch(pager)?;
        let _ = record::decode(cursor.record());
        rows.insert(cursor.rowid(), (0, Vec::new()));
    }
    Ok(rows)
}

/// In a process of its own, whose memory is that of this test and not of those beside it.
#[test]
fn mutated_files_give_an_error_or_an_answer() {
    let mut alone = Command::new(std::env::current_exe().unwrap());
    alone.args(["--ignored", "--exact", "--nocapture", "hostile::use_mutated_files"]);
    let output = alone.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("KiB at the most"));
}

#[test]
#[ignore = "the process that mutated_files_give_an_error_or_an_answer starts"]
fn use_mutated_files() {
    let sound = read(&mut opened(base(512)), 2).unwrap();
    assert!(sound.len() > 20);
    let bases = [512, 1024, 4096].map(|page_size| (page_size, base(page_size)));
    let (mut errors, mut slowest) = (0, Duration::ZERO);
    let runs = if tests::full() { 100_000 } else { 1_500 };
    for seed in 0..runs {
        let (page_size, base) = &bases[usize::try_from(seed % 3).unwrap()];
        let mut rng = Rng(seed * 2 + 1);
        let mut bytes = base.clone();
        mutate(&mut bytes, *page_size, &mut rng);
        let started = Instant::now();
        // Some also through SQL, which takes longer.
        if seed % 25 == 0 {
            let _ = query_it(bytes.clone());
        }
        match use_it(bytes, seed) {
            Ok(_) => {}
            Err(Error::Corrupt { page: 0, what }) => panic!("seed {seed}: no page for: {what}"),
            Err(_) => errors += 1,
        }
        slowest = slowest.max(started.elapsed());
    }
    println!("{runs} files, {errors} refused, slowest {slowest:?}");
    assert!(errors > runs / 20, "only {errors} of {runs} were noticed");
    assert!(slowest < Duration::from_secs(5), "{slowest:?} for one file");
    memory_is_bounded();
}

/// No file here has a megabyte, and whatever one announces, nothing near a gigabyte is allocated.
fn memory_is_bounded() {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return };
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kib: u64 = peak.trim_end_matches("kB").trim().parse().unwrap();
    println!("{kib} KiB at the most");
    assert!(kib < 512 * 1024, "{kib} KiB");
}

/// A disk of 16 MiB.
#[derive(Clone, Debug, Default)]
struct SmallDisk(MemoryVfs);

#[derive(Debug)]
struct SmallFile(Box<dyn VfsFile>);

fn fits(end: Option<u64>) -> io::Result<()> {
    match end {
        Some(end) if end <= 16 << 20 => Ok(()),
        _ => Err(io::ErrorKind::StorageFull.into()),
    }
}

impl Vfs for SmallDisk {
    fn open(&self, path: &str, mode: Mode) -> io::Result<Box<dyn VfsFile>> {
        Ok(Box::new(SmallFile(self.0.open(path, mode)?)))
    }
    fn exists(&self, path: &str) -> io::Result<bool> {
        self.0.exists(path)
    }
    fn delete(&self, path: &str) -> io::Result<()> {
        self.0.delete(path)
    }
    fn sync_dir(&self, path: &str) -> io::Result<()> {
        self.0.sync_dir(path)
    }
}

impl VfsFile for SmallFile {
    fn read_at(&mut self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buf, offset)
    }
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        fits(offset.checked_add(bytes.len() as u64))?;
        self.0.write_at(bytes, offset)
    }
    fn set_len(&mut self, len: u64) -> io::Result<()> {
        fits(Some(len))?;
        self.0.set_len(len)
    }
    fn size(&mut self) -> io::Result<u64> {
        self.0.size()
    }
    fn sync(&mut self) -> io::Result<()> {
        self.0.sync()
    }
    fn lock(&mut self, lock: Lock) -> io::Result<bool> {
        self.0.lock(lock)
    }
}

#[test]
fn mutated_journals_are_played_back_as_far_as_they_go() {
    let vfs = MemoryVfs::default();
    let options = Options { page_size: 512, cache_bytes: 16 * 512, ..Options::default() };
    let mut model = Model::new(Pager::open(Box::new(vfs.clone()), "d", options).unwrap(), 5);
    model.step(100, 60, 900, 10);
    let before = model.rows.clone();
    model.pager.begin_write().unwrap();
    model.change(60, 60, 900, 40);
    // Halfway: several segments are hot.
    let (database, journal) = (vfs.get("d").unwrap(), vfs.get("d-journal").unwrap());
    let runs = if tests::full() { 30_000 } else { 1_000 };
    let (mut restored, mut slowest) = (0, Duration::ZERO);
    for seed in 0..runs {
        let mut rng = Rng(seed * 2 + 1);
        let mut bytes = journal.clone();
        for _ in 0..rng.below(3) {
            let limit = if rng.below(2) == 0 { 28 } else { bytes.len() as u64 };
            let at = usize::try_from(rng.below(limit)).unwrap();
            bytes[at] =
                [0, 1, 2, 0x7f, 0xff, bytes[at] ^ 1][usize::try_from(rng.below(6)).unwrap()];
        }
        if rng.below(4) == 0 {
            bytes.truncate(usize::try_from(rng.below(bytes.len() as u64 + 1)).unwrap());
        }
        let disk = SmallDisk::default();
        disk.0.put("d", database.clone());
        disk.0.put("d-journal", bytes.clone());
        let started = Instant::now();
        let opened = Pager::open(Box::new(disk), "d", Options::default());
        let rows = opened.and_then(|mut pager| {
            pager.begin_read()?;
            let _ = integrity_check(&mut pager, &[check_table((2, 3))], 100)?;
            if bytes == journal { read(&mut pager, 2) } else { Ok(Rows::new()) }
        });
        slowest = slowest.max(started.elapsed());
        if bytes == journal {
            assert!(rows.unwrap() == before, "seed {seed}");
            restored += 1;
        }
    }
    println!("{runs} journals, {restored} of them whole, slowest {slowest:?}");
    assert!(restored > runs / 10 && slowest < Duration::from_secs(5), "{restored}, {slowest:?}");
}

fn opened(bytes: Vec<u8>) -> Pager {
    let vfs = MemoryVfs::default();
    vfs.put("d", bytes);
    let mut pager = Pager::open(Box::new(vfs), "d", Options::default()).unwrap();
    pager.begin_read().unwrap();
    pager
}
