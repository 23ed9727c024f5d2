//! Not a demo of the glue but of the engine: a whole SQL database in the page, `orm::sql` over
//! files that are in memory. `/orm` runs it in a worker (`wasm/static/memory.js`), without the server.
//!
//! Read next: `orm/src/sql/vfs.rs`, the one door between the engine and the world; behind it is a
//! disk on the server, and a vector of bytes here.

use std::fmt::Write as _;

use orm::sql::vfs::MemoryVfs;
use orm::sql::{Connection, Options, Result, Value};
use wasm_bindgen::prelude::*;

/// The name of the file, where there are no others.
const FILE: &str = "memory.db";

/// A database that lives as long as the page.
#[wasm_bindgen]
pub struct Database {
    connection: Connection,
    /// A clone sees the same files: what the engine has written can be read here.
    files: MemoryVfs,
}

#[wasm_bindgen]
impl Database {
    /// An empty database; or the one that these bytes are, if there are any.
    ///
    /// # Errors
    /// The bytes are no database.
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: Vec<u8>) -> std::result::Result<Database, JsError> {
        let files = MemoryVfs::default();
        if !bytes.is_empty() {
            files.put(FILE, bytes);
        }
        let connection = Connection::open_with(Box::new(files.clone()), FILE, Options::default());
        let connection = connection?;
        connection.set_length_max(VALUE_BYTES_MAX);
        Ok(Database { connection, files })
    }

    /// Runs all statements of a text, up to the first that fails, and returns what they print.
    ///
    /// # Errors
    /// That of the statement, in SQLite's words.
    pub fn run(&self, sql: &str) -> std::result::Result<String, JsError> {
        // There is no clock on this side; a worker that takes too long is ended from outside.
        self.connection.set_progress(STEPS_MAX, || false);
        Ok(run(&self.connection, sql)?)
    }

    /// The file as it would be on a disk: `sqlite3` opens it.
    pub fn bytes(&self) -> Vec<u8> {
        self.files.get(FILE).unwrap_or_default()
    }
}

/// So many rows may a statement look at: some tenths of a second.
const STEPS_MAX: u64 = 1_000_000;
/// No text or blob may become longer.
const VALUE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// So many rows are printed of each result.
const ROWS_MAX: usize = 200;

fn run(connection: &Connection, sql: &str) -> Result<String> {
    let mut text = String::new();
    let mut start = 0;
    while let Some((mut statement, tail)) = connection.prepare_at(sql, start)? {
        let mut table = vec![statement.columns().to_vec()];
        let mut rows = statement.query()?;
        let mut more = false;
        while let Some(row) = rows.next()? {
            more = table.len() > ROWS_MAX;
            if more {
                break;
            }
            table.push(row.values().iter().map(shown).collect());
        }
        print(&table, &mut text);
        if more {
            text.push_str("...\n");
        }
        start = tail;
    }
    Ok(text)
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Text(text) => text.clone(),
        Value::Blob(bytes) => format!("{} bytes", bytes.len()),
        number => number.to_string(),
    }
}

/// Appends a table whose first row are its headings; without columns there is nothing to print.
fn print(table: &[Vec<String>], text: &mut String) {
    let columns = table[0].len();
    let width = |c: usize| table.iter().map(|row| row[c].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for (n, row) in table.iter().enumerate().filter(|_| columns > 0) {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        let _ = writeln!(text, "{}", cells.collect::<Vec<_>>().join("  ").trim_end());
        if n == 0 {
            let rules: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
            let _ = writeln!(text, "{}", rules.join("  "));
        }
    }
}
