//! How fast the layers below SQL are: `cargo bench -p orm --bench storage [ROWS]`.
//!
//! A table of 100,000 rows `(id, name TEXT, age)` with an index on `name`, in a file under the
//! temporary directory. The figures leave out what SQL adds: parsing, planning, evaluating.

use orm::sql::btree::{self, Bias, IndexCursor, TableCursor, TreeKind};
use orm::sql::record::{self, Columns};
use orm::sql::{Options, Pager, Result, ValueRef};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

fn main() -> Result<()> {
    let rows = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(100_000);
    let path = std::env::temp_dir().join(format!("orm-bench-{}.db", std::process::id()));
    let path = path.to_string_lossy().into_owned();
    let result = run(&path, rows);
    let _ = std::fs::remove_file(&path);
    result
}

/// Runs one measurement and prints it; on Linux also the processor time, which a busy machine
/// changes less.
fn measure(name: &str, times: u64, mut run: impl FnMut() -> Result<()>) -> Result<()> {
    let (started, cpu_started) = (Instant::now(), cpu_seconds());
    run()?;
    let seconds = started.elapsed().as_secs_f64();
    let cpu = cpu_seconds().zip(cpu_started).map(|(now, then)| now - then);
    #[allow(clippy::cast_precision_loss, reason = "a figure for people")]
    let each = |seconds: f64| 1e9 * seconds / times as f64;
    let cpu = cpu.map_or(String::new(), |cpu| format!("{:>10.1} ns of processor", each(cpu)));
    println!("{name:<30} {:>10.0} /s {:>10.1} ns{cpu}", 1e9 / each(seconds), each(seconds));
    Ok(())
}

/// How long this process has been on a processor.
fn cpu_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    text.split(' ').next()?.parse::<f64>().ok().map(|nanos| nanos / 1e9)
}

/// A key that looks like nothing in particular, but is `i`'s alone.
fn name(i: i64) -> String {
    format!("{:016x}", i.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

struct Bench {
    pager: Pager,
    table: u32,
    rowids: TableCursor,
    names: IndexCursor,
    rows: i64,
    record: Vec<u8>,
}

fn run(path: &str, rows: i64) -> Result<()> {
    let cache_bytes = 64 * 1024 * 1024;
    let options = Options { cache_bytes, exclusive: true, ..Options::default() };
    let mut pager = Pager::open_file(path, options)?;
    pager.begin_write()?;
    let table = btree::create_tree(&mut pager, TreeKind::Table)?;
    let index = btree::create_tree(&mut pager, TreeKind::Index)?;
    pager.commit()?;
    let (rowids, names) = (TableCursor::new(table), IndexCursor::new(index, Arc::default()));
    let mut bench = Bench { pager, table, rowids, names, rows, record: Vec::new() };
    let times = rows.unsigned_abs();
    measure("insert, rising row ids", times, || bench.insert())?;
    measure("insert, scattered text keys", times, || bench.insert_names())?;
    bench.pager.begin_read()?;
    measure("point select by row id", times, || bench.select_by_rowid())?;
    measure("point select by text key", times, || bench.select_by_name())?;
    measure("scan with a filter", times * 10, || bench.scan())?;
    measure("count", times * 10, || bench.count())?;
    measure("update by row id", times, || bench.update())?;
    measure("durable commit of one row", 1000, || bench.commits())?;
    measure("delete every second row", times / 2, || bench.delete())
}

impl Bench {
    fn put(&mut self, rowid: i64, age: i64) -> Result<()> {
        let text = name(rowid);
        let row = [ValueRef::Null, ValueRef::Text(text.as_bytes()), ValueRef::Integer(age)];
        record::encode(row.iter().copied(), &mut self.record);
        self.rowids.insert(&mut self.pager, rowid, &self.record)
    }

    fn insert(&mut self) -> Result<()> {
        self.pager.begin_write()?;
        for i in 1..=self.rows {
            self.put(i, i % 100)?;
        }
        self.pager.commit()
    }

    fn insert_names(&mut self) -> Result<()> {
        self.pager.begin_write()?;
        for i in 1..=self.rows {
            let text = name(i);
            let entry = [ValueRef::Text(text.as_bytes()), ValueRef::Integer(i)];
            record::encode(entry.iter().copied(), &mut self.record);
            self.names.insert(&mut self.pager, &self.record)?;
        }
        self.pager.commit()
    }

    /// Looks the row up and reads one of its columns.
    fn get(&mut self, rowid: i64, column: usize) -> Result<()> {
        let found = self.rowids.seek(&mut self.pager, rowid)?;
        self.rowids.fetch(&mut self.pager)?;
        black_box((found, record::column(self.rowids.record(), column)?));
        Ok(())
    }

    fn select_by_rowid(&mut self) -> Result<()> {
        (0..self.rows).try_for_each(|i| self.get(i * 7919 % self.rows + 1, 1))
    }

    fn select_by_name(&mut self) -> Result<()> {
        for i in 0..self.rows {
            let text = name(i * 7919 % self.rows + 1);
            self.names.seek(&mut self.pager, &[ValueRef::Text(text.as_bytes())], Bias::First)?;
            let rowid = self.names.rowid()?;
            self.get(rowid, 2)?;
        }
        Ok(())
    }

    fn scan(&mut self) -> Result<()> {
        let mut columns = Columns::default();
        for _ in 0..10 {
            let mut found = 0;
            let mut more = self.rowids.first(&mut self.pager)?;
            while more {
                columns.reset(0);
                let age = columns.get(self.rowids.record(), 2)?;
                found += u32::from(age == Some(ValueRef::Integer(42)));
                more = self.rowids.next(&mut self.pager)?;
            }
            black_box(found);
        }
        Ok(())
    }

    fn count(&mut self) -> Result<()> {
        for _ in 0..10 {
            black_box(btree::count(&mut self.pager, self.table)?);
        }
        Ok(())
    }

    fn update(&mut self) -> Result<()> {
        self.pager.begin_write()?;
        for i in 0..self.rows {
            self.put(i * 7919 % self.rows + 1, i % 90)?;
        }
        self.pager.commit()
    }

    fn commits(&mut self) -> Result<()> {
        for i in 1..=1000 {
            self.pager.begin_write()?;
            self.put(self.rows + i, 0)?;
            self.pager.commit()?;
        }
        Ok(())
    }

    fn delete(&mut self) -> Result<()> {
        self.pager.begin_write()?;
        let mut more = self.rowids.first(&mut self.pager)?;
        while more {
            self.rowids.delete(&mut self.pager)?;
            self.rowids.next(&mut self.pager)?;
            more = self.rowids.next(&mut self.pager)?;
        }
        self.pager.commit()
    }
}
