//! What the storage tests share.

use orm::sql::btree::TableCursor;
use orm::sql::{Pager, Value, record};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A small generator of numbers that only have to be spread (xorshift64*), the same for one seed.
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 11) % limit
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next().to_be_bytes()[0]).collect()
    }
}

pub(crate) fn encode(values: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    record::encode(values.iter().map(Value::as_ref), &mut out);
    out
}

/// A directory of its own for one test, removed at the end.
pub(crate) struct Dir(PathBuf);

impl Dir {
    pub(crate) fn new(name: &str) -> Dir {
        let dir = std::env::temp_dir().join(format!("orm-storage-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        Dir(dir)
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn sqlite3(program: &Path, file: &str, sql: &str) -> String {
    let output = Command::new(program).args([file, sql]).output().unwrap();
    let (out, err) = (output.stdout, String::from_utf8_lossy(&output.stderr).into_owned());
    assert!(output.status.success() && err.is_empty(), "{sql:.80}: {err}");
    String::from_utf8(out).unwrap()
}

/// Enters a table or an index in the catalog, so that sqlite3 knows it.
pub(crate) fn catalog(
    pager: &mut Pager,
    kind: &str,
    name: &str,
    table: &str,
    root: u32,
    sql: &str,
) {
    let row = [kind.into(), name.into(), table.into(), Value::Integer(root.into()), sql.into()];
    let rowid = TableCursor::max_rowid(pager, 1).unwrap().unwrap_or(0) + 1;
    TableCursor::new(1).insert(pager, rowid, &encode(&row)).unwrap();
    let cookie = pager.schema_cookie().unwrap();
    pager.set_schema_cookie(cookie + 1).unwrap();
}
