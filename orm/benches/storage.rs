//! How fast the layers below SQL are: `cargo bench -p orm --bench storage [ROWS]`.
//!
//! A table of 100,000 rows `(id, name TEXT, age)` with an index on `name`, in a file under the
//! temporary directory. The figures leave out what SQL adds: parsing, planning, evaluating.

use orm::sql::btree::{self, Bias, IndexCursor, TableCursor, TreeKind};
use orm::sql::record::{self, Columns, KeyInfo};
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

/// Runs one measurement and prints it.
fn measure(name: &str, times: u64, mut run: impl FnMut() -> Result<()>) -> Result<()> {
    let started = Instant::now();
    run()?;
    let seconds = started.elapsed().as_secs_f64();
    #[allow(clippy::cast_precision_loss, reason = "a figure for people")]
    let rate = times as f64 / seconds;
    println!("{name:<34} {rate:>12.0} /s   {:>8.1} ns each", 1e9 / rate);
    Ok(())
}

/// A key that looks like nothing in particular, but is `i`'s alone.
fn name(i: i64) -> String {
    format!("{:016x}", i.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

fn run(path: &str, rows: i64) -> Result<()> {
    let options = Options { cache_bytes: 64 * 1024 * 1024, exclusive: true, ..Options::default() };
    let mut p = Pager::open_file(path, options)?;
    let p = &mut p;
    p.begin_write()?;
    let table = btree::create_tree(p, TreeKind::Table)?;
    let index = btree::create_tree(p, TreeKind::Index)?;
    p.commit()?;
    let times = rows.unsigned_abs();
    let info = Arc::new(KeyInfo::default());
    let mut record = Vec::new();
    let mut rowids = TableCursor::new(table);
    let mut names = IndexCursor::new(index, info);

    measure("insert, rising row ids", times, || {
        p.begin_write()?;
        for i in 1..=rows {
            let text = name(i);
            let row = [ValueRef::Null, ValueRef::Text(text.as_bytes()), ValueRef::Integer(i % 100)];
            record::encode(row.iter().copied(), &mut record);
            rowids.insert(p, i, &record)?;
        }
        p.commit()
    })?;
    measure("insert, scattered text keys", times, || {
        p.begin_write()?;
        for i in 1..=rows {
            let text = name(i);
            let entry = [ValueRef::Text(text.as_bytes()), ValueRef::Integer(i)];
            record::encode(entry.iter().copied(), &mut record);
            names.insert(p, &record)?;
        }
        p.commit()
    })?;
    p.begin_read()?;
    measure("point select by row id", times, || {
        let mut columns = Columns::default();
        for i in 0..rows {
            let found = rowids.seek(p, i * 7919 % rows + 1)?;
            rowids.fetch(p)?;
            columns.reset(0);
            black_box((found, columns.get(rowids.record(), 1)?));
        }
        Ok(())
    })?;
    measure("point select by text key", times, || {
        let mut columns = Columns::default();
        for i in 0..rows {
            let text = name(i * 7919 % rows + 1);
            let found = names.seek(p, &[ValueRef::Text(text.as_bytes())], Bias::First)?;
            let rowid = names.rowid()?;
            rowids.seek(p, rowid)?;
            rowids.fetch(p)?;
            columns.reset(0);
            black_box((found, columns.get(rowids.record(), 2)?));
        }
        Ok(())
    })?;
    measure("scan with a filter", times * 10, || {
        let mut columns = Columns::default();
        for _ in 0..10 {
            let mut found = 0;
            let mut more = rowids.first(p)?;
            while more {
                columns.reset(0);
                if columns.get(rowids.record(), 2)? == Some(ValueRef::Integer(42)) {
                    found += 1;
                }
                more = rowids.next(p)?;
            }
            black_box(found);
        }
        Ok(())
    })?;
    measure("count", times * 10, || {
        for _ in 0..10 {
            black_box(btree::count(p, table)?);
        }
        Ok(())
    })?;
    measure("update by row id", times, || {
        p.begin_write()?;
        for i in 0..rows {
            let rowid = i * 7919 % rows + 1;
            let text = name(rowid);
            let row = [ValueRef::Null, ValueRef::Text(text.as_bytes()), ValueRef::Integer(i % 90)];
            record::encode(row.iter().copied(), &mut record);
            rowids.insert(p, rowid, &record)?;
        }
        p.commit()
    })?;
    measure("durable commit of one row", 1000, || {
        for i in 0..1000 {
            p.begin_write()?;
            rowids.insert(p, rows + 1 + i, &record)?;
            p.commit()?;
        }
        Ok(())
    })?;
    measure("delete every second row", times / 2, || {
        p.begin_write()?;
        let mut more = rowids.first(p)?;
        while more {
            rowids.delete(p)?;
            rowids.next(p)?;
            more = rowids.next(p)?;
        }
        p.commit()
    })
}
