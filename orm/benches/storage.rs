//! How fast the layers below SQL are: `cargo bench -p orm --bench storage [ROWS]`.
//!
//! A table of 100,000 rows `(id, name TEXT, age)` with an index on `name`, in a file under the
//! temporary directory. The first figures leave out what SQL adds: parsing, planning, evaluating.
//!
//! The second half runs the same SQL here and in the `sqlite3` program, if there is one, each statement
//! doing many things of a kind so that the parser does not count: exclusive locking, a cache of
//! 64 MiB, a journal, `synchronous=FULL`. sqlite3 is asked for the time before and
//! after each of its parts.

use orm::sql::btree::{self, Bias, IndexCursor, TableCursor, TreeKind};
use orm::sql::disk::DiskVfs;
use orm::sql::record::{self, Columns};
use orm::sql::{Connection, Options, Pager, Result, ValueRef};
use std::hint::black_box;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

fn main() -> Result<()> {
    let rows = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(100_000);
    let path = std::env::temp_dir().join(format!("orm-bench-{}.db", std::process::id()));
    let path = path.to_string_lossy().into_owned();
    let result = run(&path, rows);
    let _ = std::fs::remove_file(&path);
    result?;
    let result = beside_sqlite3(&path, rows);
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

/// What is measured through SQL: a name, the statement, and how often it runs.
fn statements(rows: i64) -> Vec<(&'static str, String, usize)> {
    let age_of =
        |table, key| format!("SELECT sum((SELECT age FROM {table} WHERE {key})) FROM numbers");
    let by_rowid = age_of("t", format!("id = x * 7919 % {rows} + 1"));
    let by_name = age_of("u", format!("name = hex(x * 7919 % {rows} + 1)"));
    let commit = "INSERT INTO t(name, age) VALUES ('one row', 1)";
    vec![
        ("insert", "INSERT INTO t SELECT x, hex(x), x % 100 FROM numbers".into(), 1),
        ("insert, text primary key", "INSERT INTO u SELECT hex(x), x % 100 FROM numbers".into(), 1),
        ("select by row id", by_rowid, 1),
        ("select by text key", by_name, 1),
        ("scan with a filter", "SELECT count(name) FROM t WHERE age = 42".into(), 10),
        ("count(*)", "SELECT count(*) FROM t".into(), 10),
        ("update", "UPDATE t SET age = age + 1".into(), 1),
        ("durable commit of one row", commit.into(), 200),
    ]
}

/// Runs [`statements`] here and there, and prints both times and their ratio.
fn beside_sqlite3(path: &str, rows: i64) -> Result<()> {
    let mut tables = "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, age INTEGER);
        CREATE TABLE u(name TEXT PRIMARY KEY, age INTEGER);
        CREATE TABLE numbers(x INTEGER PRIMARY KEY); INSERT INTO numbers VALUES(1);"
        .to_owned();
    let mut filled = 1;
    while filled < rows {
        let more = filled.min(rows - filled);
        tables += &format!("INSERT INTO numbers SELECT x + {filled} FROM numbers LIMIT {more};");
        filled += more;
    }
    let theirs = sqlite3_seconds(path, &tables, rows);
    let _ = std::fs::remove_file(path);
    let options = Options { exclusive: true, cache_bytes: 64 * 1024 * 1024, ..Options::default() };
    let db = Connection::open_with(Box::<DiskVfs>::default(), path, options)?;
    db.execute_batch(&tables)?;
    println!("\nthrough SQL                          ours     sqlite3   sqlite3/ours");
    for (i, (name, sql, times)) in statements(rows).into_iter().enumerate() {
        let started = Instant::now();
        for _ in 0..times {
            let mut statement = db.prepare(&sql)?;
            let mut rows = statement.query()?;
            while let Some(row) = rows.next()? {
                black_box(row);
            }
        }
        let ours = started.elapsed().as_secs_f64();
        match theirs.as_ref().and_then(|seconds| seconds.get(i)) {
            Some(theirs) => println!(
                "{name:<30} {:>8.1} ms {:>8.1} ms {:>9.2}x",
                ours * 1e3,
                theirs * 1e3,
                theirs / ours
            ),
            None => println!("{name:<30} {:>8.1} ms   (no sqlite3)", ours * 1e3),
        }
    }
    Ok(())
}

/// Asks sqlite3 for the time in seconds, to the millisecond.
const NOW: &str = "SELECT 'now', (julianday('now') - 2440587.5) * 86400;\n";

/// How long the `sqlite3` program takes for each of [`statements`]; `None` without it.
fn sqlite3_seconds(path: &str, tables: &str, rows: i64) -> Option<Vec<f64>> {
    let mut script = format!(
        "PRAGMA locking_mode=EXCLUSIVE; PRAGMA cache_size=-65536; PRAGMA synchronous=FULL;\n{tables}\n{NOW}"
    );
    for (_, sql, times) in statements(rows) {
        script += &format!("{sql};\n").repeat(times);
        script += NOW;
    }
    let mut child = Command::new("sqlite3")
        .arg(path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    // It writes less than a pipe holds until it has read all of this.
    child.stdin.take()?.write_all(script.as_bytes()).ok()?;
    let output = String::from_utf8(child.wait_with_output().ok()?.stdout).ok()?;
    let times = output.lines().filter_map(|line| line.strip_prefix("now|")?.parse().ok());
    let times: Vec<f64> = times.collect();
    Some(times.windows(2).map(|pair| pair[1] - pair[0]).collect())
}
