//! A table and an index beside a map that says what they should hold.

use crate::support::{Dir, Rng, catalog, encode, sqlite3};
use orm::sql::btree::{self, Bias, IndexCursor, TableCursor, TreeKind};
use orm::sql::check::{CheckColumn, CheckIndex, CheckTable, integrity_check};
use orm::sql::record::{self, KeyColumn, KeyInfo};
use orm::sql::vfs::MemoryVfs;
use orm::sql::{Options, Pager, Result, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(crate) type Rows = BTreeMap<i64, (i64, Vec<u8>)>;

/// Random inserts, replacements and deletes in a table t(a INTEGER PRIMARY KEY, b, c) with an index
/// on (b, c), compared with a map after every transaction.
pub(crate) struct Model {
    pub(crate) pager: Pager,
    table: TableCursor,
    index: IndexCursor,
    pub(crate) roots: (u32, u32),
    pub(crate) rows: Rows,
    pub(crate) rng: Rng,
}

impl Model {
    pub(crate) fn new(mut pager: Pager, seed: u64) -> Model {
        pager.begin_write().unwrap();
        let t = btree::create_tree(&mut pager, TreeKind::Table).unwrap();
        let i = btree::create_tree(&mut pager, TreeKind::Index).unwrap();
        catalog(&mut pager, "table", "t", "t", t, "CREATE TABLE t(a INTEGER PRIMARY KEY, b, c)");
        catalog(&mut pager, "index", "i", "t", i, "CREATE INDEX i ON t(b DESC, c)");
        pager.commit().unwrap();
        Model {
            pager,
            table: TableCursor::new(t),
            index: IndexCursor::new(i, key_info()),
            roots: (t, i),
            rows: Rows::new(),
            rng: Rng(seed * 2 + 1),
        }
    }

    /// Goes on with a database that [`Model::new`] made.
    pub(crate) fn reopen(mut pager: Pager, seed: u64) -> Model {
        pager.begin_read().unwrap();
        let rows = read(&mut pager, 2).unwrap();
        pager.end_read();
        let (table, index) = (TableCursor::new(2), IndexCursor::new(3, key_info()));
        Model { pager, table, index, roots: (2, 3), rows, rng: Rng(seed * 2 + 1) }
    }

    fn entry(rowid: i64, (b, c): &(i64, Vec<u8>)) -> [Value; 3] {
        [Value::Integer(*b), c.clone().into(), Value::Integer(rowid)]
    }

    fn put(&mut self, rowid: i64, row: (i64, Vec<u8>)) -> Result<()> {
        if self.rows.contains_key(&rowid) {
            self.remove_entry(rowid)?;
        }
        let record = encode(&[Value::Null, Value::Integer(row.0), row.1.clone().into()]);
        self.table.insert(&mut self.pager, rowid, &record)?;
        self.index.insert(&mut self.pager, &encode(&Self::entry(rowid, &row)))?;
        self.rows.insert(rowid, row);
        Ok(())
    }

    fn remove_entry(&mut self, rowid: i64) -> Result<()> {
        let entry = Self::entry(rowid, &self.rows[&rowid]);
        let key: Vec<_> = entry.iter().map(Value::as_ref).collect();
        assert!(self.index.seek(&mut self.pager, &key, Bias::First)?);
        self.index.delete(&mut self.pager)
    }

    fn remove(&mut self, rowid: i64) -> Result<()> {
        let exact = self.table.seek(&mut self.pager, rowid)?;
        assert_eq!(exact, self.rows.contains_key(&rowid));
        if exact {
            self.table.delete(&mut self.pager)?;
            self.remove_entry(rowid)?;
            self.rows.remove(&rowid);
        }
        Ok(())
    }

    /// One transaction of `steps` changes among `keys` row ids.
    pub(crate) fn step(&mut self, steps: u64, keys: u64, len_max: u64, deletes: u64) {
        self.try_step(steps, keys, len_max, deletes).unwrap();
    }

    pub(crate) fn try_step(
        &mut self,
        steps: u64,
        keys: u64,
        len_max: u64,
        deletes: u64,
    ) -> Result<()> {
        self.pager.begin_write()?;
        self.try_change(steps, keys, len_max, deletes)?;
        self.pager.commit()
    }

    /// The same inside a transaction.
    pub(crate) fn change(&mut self, steps: u64, keys: u64, len_max: u64, deletes: u64) {
        self.try_change(steps, keys, len_max, deletes).unwrap();
    }

    fn try_change(&mut self, steps: u64, keys: u64, len_max: u64, deletes: u64) -> Result<()> {
        for _ in 0..steps {
            let rowid = self.rng.below(keys).cast_signed() - 5;
            if self.rng.below(100) < deletes {
                self.remove(rowid)?;
            } else {
                let len = self.rng.below(len_max) * self.rng.below(2) + self.rng.below(30);
                let c = self.rng.bytes(usize::try_from(len).unwrap());
                let b = self.rng.below(50).cast_signed();
                self.put(rowid, (b, c))?;
            }
        }
        Ok(())
    }

    /// One row in a transaction, with a change of some others that is taken back.
    pub(crate) fn commit_row(&mut self, rowid: i64) {
        self.pager.begin_write().unwrap();
        let c = self.rng.bytes(usize::try_from(rowid % 700).unwrap());
        self.put(rowid, (rowid % 10, c)).unwrap();
        let (rows, savepoint) = (self.rows.clone(), self.pager.savepoint().unwrap());
        self.change(20, 100, 500, 50);
        self.pager.rollback_to(savepoint).unwrap();
        self.rows = rows;
        self.pager.commit().unwrap();
    }

    /// Whether the table holds just these rows.
    pub(crate) fn holds(&mut self, rows: &Rows) -> bool {
        self.pager.begin_read().unwrap();
        let found = read(&mut self.pager, self.roots.0).unwrap();
        self.pager.end_read();
        found == *rows
    }

    pub(crate) fn check(&mut self) {
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
            self.rows.iter().map(|(id, row)| (-row.0, row.1.as_slice(), *id)).collect();
        let mut more = self.index.last(p).unwrap();
        for (b, c, rowid) in sorted.into_iter().rev() {
            assert!(more);
            let entry = Self::entry(rowid, &(-b, c.to_vec()));
            assert_eq!(record::decode(self.index.record()).unwrap(), entry);
            more = self.index.prev(p).unwrap();
        }
        assert!(!more);
        assert_eq!(integrity_check(p, &[check_table(self.roots)], 100).unwrap(), ["ok"]);
        p.end_read();
    }
}

fn key_info() -> Arc<KeyInfo> {
    let desc = KeyColumn { desc: true, ..KeyColumn::default() };
    Arc::new(KeyInfo { columns: vec![desc, KeyColumn::default()] })
}

/// The table as the integrity check wants to know it.
pub(crate) fn check_table((root, index): (u32, u32)) -> CheckTable {
    let column = |name: &str| CheckColumn { name: name.into(), ..CheckColumn::default() };
    let columns = vec![Some(1), Some(2)];
    let index =
        CheckIndex { name: "i".into(), root: index, info: key_info(), columns, unique: false };
    CheckTable {
        name: "t".into(),
        root,
        columns: vec![column("a"), column("b"), column("c")],
        rowid_alias: Some(0),
        indexes: vec![index],
    }
}

/// The rows of the table at `root`.
pub(crate) fn read(pager: &mut Pager, root: u32) -> Result<Rows> {
    let mut rows = Rows::new();
    let mut cursor = TableCursor::new(root);
    while cursor.next(pager)? {
        cursor.fetch(pager)?;
        match &record::decode(cursor.record())?[..] {
            [_, Value::Integer(b), Value::Blob(c)] => {
                rows.insert(cursor.rowid(), (*b, c.clone()));
            }
            other => panic!("a row that nobody wrote: {other:?}"),
        }
    }
    Ok(rows)
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
    for page_size in [512, 1024, 4096, 65_536] {
        // Rows are as long as pages, and each is in memory four times: fewer of the long ones.
        let sizes = if tests::full() { (20 * 4096 / page_size as u64).clamp(2, 20) } else { 1 };
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

#[test]
fn savepoints_come_back_to_what_was_there() {
    for seed in 0..if tests::full() { 200 } else { 12 } {
        // With 16 pages of cache much is written out before it is taken back.
        let cache_bytes = if seed % 2 == 0 { 16 * 512 } else { 1 << 20 };
        let options = Options { page_size: 512, cache_bytes, ..Options::default() };
        let vfs = MemoryVfs::default();
        let pager = Pager::open(Box::new(vfs.clone()), "d", options).unwrap();
        let mut model = Model::new(pager, seed);
        model.step(100, 60, 900, 20);
        for _ in 0..4 {
            let before = model.rows.clone();
            model.pager.begin_write().unwrap();
            let mut open: Vec<Rows> = Vec::new();
            for _ in 0..30 {
                match model.rng.below(5) {
                    0 => {
                        assert_eq!(model.pager.savepoint().unwrap(), open.len());
                        open.push(model.rows.clone());
                    }
                    1 if !open.is_empty() => {
                        let index = usize::try_from(model.rng.below(open.len() as u64)).unwrap();
                        model.pager.release(index).unwrap();
                        open.truncate(index);
                    }
                    2 if !open.is_empty() => {
                        let index = usize::try_from(model.rng.below(open.len() as u64)).unwrap();
                        model.pager.rollback_to(index).unwrap();
                        open.truncate(index + 1);
                        model.rows = open[index].clone();
                    }
                    _ => model.change(8, 60, 900, 40),
                }
                assert_eq!(model.pager.savepoints(), open.len());
            }
            if model.rng.below(3) == 0 {
                model.pager.rollback().unwrap();
                model.rows = before;
            } else {
                model.pager.commit().unwrap();
            }
            model.check();
            // What was written out and then taken back is cut off.
            assert_eq!(vfs.get("d").unwrap().len(), model.pager.page_count() as usize * 512);
        }
    }
}
