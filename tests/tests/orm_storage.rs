//! The storage half of `orm::sql` against the `sqlite3` program and against a model.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail a test")]

use orm::sql::btree::{self, Bias, IndexCursor, TableCursor, TreeKind};
use orm::sql::record::{self, KeyColumn, KeyInfo};
use orm::sql::vfs::MemoryVfs;
use orm::sql::{Options, Pager, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// A small generator of numbers that only have to be spread (xorshift64*), the same for one seed.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 11) % limit
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next().to_be_bytes()[0]).collect()
    }
}

fn encode(values: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    record::encode(values.iter().map(Value::as_ref), &mut out);
    out
}

/// A directory of its own for one test, removed at the end.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Dir {
        let dir = std::env::temp_dir().join(format!("orm-storage-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        Dir(dir)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn sqlite3(program: &Path, file: &str, sql: &str) -> String {
    let output = Command::new(program).args([file, sql]).output().unwrap();
    let (out, err) = (output.stdout, String::from_utf8_lossy(&output.stderr).into_owned());
    assert!(output.status.success() && err.is_empty(), "{sql:.80}: {err}");
    String::from_utf8(out).unwrap()
}

/// Enters a table or an index in the catalog, so that sqlite3 knows it.
fn catalog(pager: &mut Pager, kind: &str, name: &str, table: &str, root: u32, sql: &str) {
    let row = [kind.into(), name.into(), table.into(), Value::Integer(root.into()), sql.into()];
    let rowid = TableCursor::max_rowid(pager, 1).unwrap().unwrap_or(0) + 1;
    TableCursor::new(1).insert(pager, rowid, &encode(&row)).unwrap();
    let cookie = pager.schema_cookie().unwrap();
    pager.set_schema_cookie(cookie + 1).unwrap();
}

/// Random inserts, replacements and deletes in a table t(a INTEGER PRIMARY KEY, b, c) with an index
/// on (b, c), compared with a map after every transaction.
struct Model {
    pager: Pager,
    table: TableCursor,
    index: IndexCursor,
    roots: (u32, u32),
    rows: BTreeMap<i64, (i64, Vec<u8>)>,
    rng: Rng,
}

impl Model {
    fn new(mut pager: Pager, seed: u64) -> Model {
        pager.begin_write().unwrap();
        let t = btree::create_tree(&mut pager, TreeKind::Table).unwrap();
        let i = btree::create_tree(&mut pager, TreeKind::Index).unwrap();
        catalog(&mut pager, "table", "t", "t", t, "CREATE TABLE t(a INTEGER PRIMARY KEY, b, c)");
        catalog(&mut pager, "index", "i", "t", i, "CREATE INDEX i ON t(b DESC, c)");
        pager.commit().unwrap();
        let desc = KeyColumn { desc: true, ..KeyColumn::default() };
        let info = Arc::new(KeyInfo { columns: vec![desc, KeyColumn::default()] });
        Model {
            pager,
            table: TableCursor::new(t),
            index: IndexCursor::new(i, info),
            roots: (t, i),
            rows: BTreeMap::new(),
            rng: Rng(seed * 2 + 1),
        }
    }

    fn entry(rowid: i64, (b, c): &(i64, Vec<u8>)) -> [Value; 3] {
        [Value::Integer(*b), c.clone().into(), Value::Integer(rowid)]
    }

    fn put(&mut self, rowid: i64, row: (i64, Vec<u8>)) {
        if self.rows.contains_key(&rowid) {
            self.remove_entry(rowid);
        }
        let record = encode(&[Value::Null, Value::Integer(row.0), row.1.clone().into()]);
        self.table.insert(&mut self.pager, rowid, &record).unwrap();
        self.index.insert(&mut self.pager, &encode(&Self::entry(rowid, &row))).unwrap();
        self.rows.insert(rowid, row);
    }

    fn remove_entry(&mut self, rowid: i64) {
        let entry = Self::entry(rowid, &self.rows[&rowid]);
        let key: Vec<_> = entry.iter().map(Value::as_ref).collect();
        assert!(self.index.seek(&mut self.pager, &key, Bias::First).unwrap());
        self.index.delete(&mut self.pager).unwrap();
    }

    fn remove(&mut self, rowid: i64) {
        let exact = self.table.seek(&mut self.pager, rowid).unwrap();
        assert_eq!(exact, self.rows.contains_key(&rowid));
        if exact {
            self.table.delete(&mut self.pager).unwrap();
            self.remove_entry(rowid);
            self.rows.remove(&rowid);
        }
    }

    /// One transaction of `steps` changes among `keys` row ids.
    fn step(&mut self, steps: u64, keys: u64, len_max: u64, deletes: u64) {
        self.pager.begin_write().unwrap();
        for _ in 0..steps {
            let rowid = self.rng.below(keys).cast_signed() - 5;
            if self.rng.below(100) < deletes {
                self.remove(rowid);
            } else {
                let len = self.rng.below(len_max) * self.rng.below(2) + self.rng.below(30);
                let row = (
                    self.rng.below(50).cast_signed(),
                    self.rng.bytes(usize::try_from(len).unwrap()),
                );
                self.put(rowid, row);
            }
        }
        self.pager.commit().unwrap();
    }

    fn check(&mut self) {
        let p = &mut self.pager;
        p.begin_read().unwrap();
        assert_eq!(btree::count(p, self.roots.0).unwrap(), self.rows.len() as u64);
        assert_eq!(btree::count(p, self.roots.1).unwrap(), self.rows.len() as u64);
        let mut more = self.table.first(p).unwrap();
        for (&rowid, row) in &self.rows {
            assert!(more);
            assert_eq!(self.table.rowid(), rowid);
            self.table.fetch(p).unwrap();
            let found = record::decode(self.table.record()).unwrap();
            assert_eq!(found, [Value::Null, Value::Integer(row.0), row.1.clone().into()]);
            more = self.table.next(p).unwrap();
        }
        assert!(!more);
        let sorted: BTreeSet<_> =
            self.rows.iter().map(|(id, row)| (-row.0, row.1.clone(), *id)).collect();
        let mut more = self.index.last(p).unwrap();
        for (b, c, rowid) in sorted.into_iter().rev() {
            assert!(more);
            assert_eq!(record::decode(self.index.record()).unwrap(), Self::entry(rowid, &(-b, c)));
            more = self.index.prev(p).unwrap();
        }
        assert!(!more);
        p.end_read();
    }
}

/// The bytes of a database in memory.
fn grown(page_size: usize, seed: u64, sizes: u64) -> Vec<u8> {
    let vfs = MemoryVfs::default();
    let options = Options { page_size, cache_bytes: 40 * page_size, ..Options::default() };
    let mut model = Model::new(Pager::open(Box::new(vfs.clone()), "d", options).unwrap(), seed);
    for (steps, keys, deletes) in [(200, 100, 30), (600, 2000, 5), (300, 2000, 90), (400, 500, 50)]
    {
        model.step(steps * sizes, keys * sizes, page_size as u64 * 2, deletes);
        model.check();
    }
    drop(model);
    assert!(vfs.get("d-journal").is_none());
    vfs.get("d").unwrap()
}

#[test]
fn random_changes_agree_with_a_map_and_sqlite3_finds_the_file_in_order() {
    let Some(program) = tests::peer("sqlite3") else { return };
    let dir = Dir::new("model");
    let sizes = if tests::full() { 20 } else { 1 };
    for page_size in [512, 1024, 4096, 65_536] {
        for seed in 0..3 {
            let bytes = grown(page_size, seed, sizes);
            let file = dir.file("model.db");
            std::fs::write(&file, bytes).unwrap();
            assert_eq!(
                sqlite3(&program, &file, "PRAGMA integrity_check"),
                "ok\n",
                "{page_size} {seed}"
            );
        }
    }
}
