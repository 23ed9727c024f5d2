//! Runs what a visitor has typed, within bounds, and keeps what there is to show.
//!
//! The statements run one after another, up to the first that fails, as `sqlite3 -bail` does. Each
//! keeps its plan, its first rows and its time. Nothing here is endless: the text, the number of
//! statements, of rows and of characters in a cell have limits, and a deadline for all of it ends
//! the statement that is running ([`Connection::set_progress`]), which takes back what it had done.
//! What takes no such steps, a sort or an integrity check, is bounded by the size of the file.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use orm::sql::{Connection, Result, Statement, Value};
use web::json;
use web::json::Json;

/// How much of everything.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of SQL.
    pub text_bytes_max: usize,
    /// Statements of one text.
    pub statements_max: usize,
    /// Rows shown of each result.
    pub rows_max: usize,
    /// Characters shown of each value.
    pub cell_chars_max: usize,
    /// For all statements together.
    pub timeout: Duration,
}

impl Default for Limits {
    /// 64 KiB, 100 statements, 100 rows, 120 characters, two seconds.
    fn default() -> Limits {
        Limits {
            text_bytes_max: 64 * 1024,
            statements_max: 100,
            rows_max: 100,
            cell_chars_max: 120,
            timeout: Duration::from_secs(2),
        }
    }
}

/// What one statement gave.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Its text.
    pub sql: String,
    /// The names of the result's columns; none without a result.
    pub columns: Vec<String>,
    /// The first rows.
    pub rows: Vec<Vec<Value>>,
    /// There are more rows than are kept.
    pub more: bool,
    /// How many rows an INSERT, UPDATE or DELETE has changed.
    pub changed: Option<usize>,
    /// The lines of EXPLAIN QUERY PLAN.
    pub plan: Vec<String>,
    /// Why it failed, in SQLite's words.
    pub error: Option<String>,
    /// How long it took.
    pub took: Duration,
}

/// Runs the statements of `sql`, up to the first that fails.
#[must_use]
pub fn run(connection: &Connection, sql: &str, limits: &Limits) -> Vec<Outcome> {
    if sql.len() > limits.text_bytes_max {
        let (bytes, max) = (sql.len(), limits.text_bytes_max);
        let error = Some(format!("the text is {bytes} bytes, the limit is {max}"));
        return vec![Outcome { error, ..Outcome::default() }];
    }
    let deadline = Instant::now() + limits.timeout;
    connection.set_progress(STEPS, move || Instant::now() < deadline);
    let outcomes = run_all(connection, sql, limits);
    connection.clear_progress();
    outcomes
}

/// So many rows are looked at between two looks at the clock: a fraction of a millisecond.
const STEPS: u64 = 1000;

fn run_all(connection: &Connection, sql: &str, limits: &Limits) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    let mut start = 0;
    while start < sql.len() {
        if outcomes.len() == limits.statements_max {
            let error = Some(format!("{} statements are the limit", outcomes.len()));
            outcomes.push(Outcome { error, ..Outcome::default() });
            break;
        }
        let since = Instant::now();
        let mut outcome = Outcome::default();
        match connection.prepare_at(sql, start) {
            Ok(None) => break,
            Ok(Some((mut statement, tail))) => {
                statement.sql().clone_into(&mut outcome.sql);
                outcome.plan = plan(connection, statement.sql());
                let result = step(&mut statement, limits, &mut outcome);
                outcome.error = result.err().map(|error| error.to_string());
                start = tail;
            }
            Err(error) => {
                outcome.sql = cut(sql[start..].trim(), 200);
                outcome.error = Some(error.to_string());
            }
        }
        if changes_rows(&outcome) {
            outcome.changed = Some(connection.changes());
        }
        outcome.took = since.elapsed();
        let failed = outcome.error.is_some();
        outcomes.push(outcome);
        if failed {
            break;
        }
    }
    outcomes
}

/// Runs one statement as far as its rows are shown.
fn step(statement: &mut Statement<'_>, limits: &Limits, outcome: &mut Outcome) -> Result<()> {
    outcome.columns = statement.columns().to_vec();
    let mut rows = statement.query()?;
    while let Some(row) = rows.next()? {
        if outcome.rows.len() == limits.rows_max {
            outcome.more = true;
            break;
        }
        outcome.rows.push(row.values().to_vec());
    }
    Ok(())
}

fn changes_rows(outcome: &Outcome) -> bool {
    let verb = outcome.sql.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    let verbs = ["INSERT", "REPLACE", "UPDATE", "DELETE"];
    outcome.error.is_none() && verbs.iter().any(|known| verb.eq_ignore_ascii_case(known))
}

/// How the engine will find the rows; nothing for what is not planned, and for what fails.
fn plan(connection: &Connection, sql: &str) -> Vec<String> {
    let lines = || -> Result<Vec<String>> {
        let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
        let mut rows = explain.query()?;
        let mut lines = Vec::new();
        while let Some(row) = rows.next()? {
            lines.push(row.get_named("detail")?);
        }
        Ok(lines)
    };
    lines().unwrap_or_default()
}

impl Outcome {
    /// As the template reads it.
    #[must_use]
    pub fn as_json(&self, limits: &Limits) -> Json {
        let row = |row: &Vec<Value>| {
            row.iter().map(|value| cell(value, limits.cell_chars_max)).collect::<Vec<_>>()
        };
        let took = self.took.as_secs_f64() * 1e3;
        json!({
            "sql": (&*self.sql), "columns": (self.columns.clone()),
            "rows": (self.rows.iter().map(row).collect::<Vec<_>>()),
            "more": (self.more), "shown": (self.rows.len()), "plan": (self.plan.clone()),
            "changed": (self.changed.map(|n| format!("{n} {}", if n == 1 { "row" } else { "rows" }))),
            "error": (self.error.clone()), "took": (format!("{took:.1} ms")),
        })
    }
}

/// A value as text, and its kind for the style sheet.
fn cell(value: &Value, chars_max: usize) -> Json {
    let (class, text) = match value {
        Value::Null => ("null", "NULL".to_owned()),
        Value::Integer(_) | Value::Real(_) => ("number", value.to_string()),
        Value::Text(text) => ("text", cut(text, chars_max)),
        Value::Blob(bytes) => {
            let mut hex = String::from("x'");
            for byte in bytes.iter().take(chars_max / 2) {
                let _ = write!(hex, "{byte:02x}");
            }
            let end = if bytes.len() > chars_max / 2 {
                format!("... ({} bytes)", bytes.len())
            } else {
                "'".to_owned()
            };
            ("blob", hex + &end)
        }
    };
    json!({"class": class, "text": text})
}

/// A text, or its beginning and how long it is.
pub(super) fn cut(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((at, _)) => format!("{}... ({} bytes)", &text[..at], text.len()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(row: &[Value]) -> Vec<String> {
        row.iter().map(|value| cell(value, 12)["text"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn each_statement_has_its_rows_its_plan_or_its_error() {
        let db = Connection::memory().unwrap();
        let script =
            "CREATE TABLE t(a INTEGER PRIMARY KEY, b); INSERT INTO t(b) VALUES ('x'), (NULL);
            SELECT *, x'0102' FROM t WHERE a < 3 ORDER BY a; UPDATE t SET b = 1 WHERE a = 9;
            SELECT none FROM t; SELECT 1";
        let got = run(&db, script, &Limits::default());
        assert_eq!(got.len(), 5);
        assert_eq!((got[0].changed, got[1].changed, got[3].changed), (None, Some(2), Some(0)));
        assert_eq!(got[2].sql, "SELECT *, x'0102' FROM t WHERE a < 3 ORDER BY a");
        assert_eq!(got[2].columns, ["a", "b", "x'0102'"]);
        let rows: Vec<_> = got[2].rows.iter().map(|row| texts(row)).collect();
        assert_eq!(rows, [["1", "x", "x'0102'"], ["2", "NULL", "x'0102'"]]);
        assert_eq!(got[2].plan, ["SEARCH t USING INTEGER PRIMARY KEY (rowid<?)"]);
        assert_eq!(got[4].error.as_deref(), Some("no such column: none"));
        assert!(got[4].sql.starts_with("SELECT none"), "{:?}", got[4].sql);
        assert_eq!(run(&db, " ; -- nothing\n", &Limits::default()).len(), 0);
    }

    #[test]
    fn everything_has_a_limit() {
        let db = Connection::memory().unwrap();
        let error = |sql: &str, limits: &Limits| run(&db, sql, limits).pop().unwrap().error;
        let limits =
            Limits { text_bytes_max: 300, statements_max: 3, rows_max: 2, ..Limits::default() };
        assert_eq!(
            error(&"-".repeat(301), &limits).unwrap(),
            "the text is 301 bytes, the limit is 300"
        );
        assert_eq!(
            error("SELECT 1; SELECT 2; SELECT 3; SELECT 4", &limits).unwrap(),
            "3 statements are the limit"
        );
        let got = run(&db, "VALUES (1), (2), (3)", &limits);
        assert!(got[0].rows.len() == 2 && got[0].more && got[0].error.is_none());
        let limits = Limits { timeout: Duration::from_millis(20), ..limits };
        db.execute_batch("CREATE TABLE t(a); INSERT INTO t VALUES (1),(2),(3),(4),(5),(6),(7),(8)")
            .unwrap();
        let endless = "t a, t b, t c, t d, t e, t f, t g, t h, t i, t j, t k, t l, t m";
        for sql in ["SELECT count(*) FROM", "INSERT INTO t SELECT a.a FROM", "SELECT 1 FROM"] {
            let sql = format!("{sql} {endless} WHERE a.a + b.a + c.a + d.a + e.a + f.a + g.a < 0");
            assert_eq!(error(&sql, &limits).as_deref(), Some("interrupted"), "{sql}");
        }
        assert_eq!(run(&db, "SELECT count(*) FROM t", &limits)[0].rows, [[Value::Integer(8)]]);
        let long = Value::Text("é".repeat(20));
        assert_eq!(
            texts(&[long, Value::Blob(vec![1; 20])]),
            ["éééééééééééé... (40 bytes)", "x'010101010101... (20 bytes)"]
        );
    }
}
