//! The SQL engine beside the `sqlite3` program: the same scripts, the same rows, errors and schema.
//!
//! - [`random_scripts_give_what_sqlite3_gives`]: seeded random statements. A script on which the two
//!   differ is made small and printed; as `tests/tests/sql/differ_*.sql` it is run from then on.
//! - [`golden_scripts_print_what_they_say`]: one script for each chapter, which a reader can also run
//!   through the `shell` example; sqlite3 must agree with what it says.
//! - [`pages`]: the examples of SQLite's own pages about SQL, through our shell and its own.
//! - [`hostile_sql_ends_in_an_error_within_bounds`].
#![allow(clippy::unwrap_used, reason = "all of it is a test")]

#[path = "orm_sql/generate.rs"]
mod generate;
#[path = "orm_sql/pages.rs"]
mod pages;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use generate::Generator;
use orm::sql::{Connection, Error};

/// What a script did: for each statement its rows, or its error.
type Outcome = Vec<Result<Vec<String>, String>>;

fn scratch(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("orm-sql-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    dir
}

/// Runs statements with our engine.
fn ours(file: &Path, statements: &[String]) -> Outcome {
    let connection = Connection::open(file.to_str().unwrap()).unwrap();
    statements.iter().map(|sql| run(&connection, sql).map_err(|error| error.to_string())).collect()
}

fn run(connection: &Connection, sql: &str) -> Result<Vec<String>, Error> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query()?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        let values: Vec<String> = row.values().iter().map(ToString::to_string).collect();
        lines.push(values.join("|"));
    }
    Ok(lines)
}

/// Runs statements, each on one line, with the sqlite3 program.
fn theirs(sqlite3: &Path, file: &Path, statements: &[String]) -> Outcome {
    let script: String = statements.iter().map(|sql| format!("{sql};\n.print ~~~~\n")).collect();
    let mut child = Command::new(sqlite3)
        .arg("-batch")
        .arg(file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(script.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut outcome: Outcome = stdout
        .split("~~~~\n")
        .take(statements.len())
        .map(|rows| Ok(rows.lines().map(str::to_owned).collect()))
        .collect();
    // `Runtime error near line 7: UNIQUE constraint failed: t.a (19)`: statement n is on line 2n+1.
    for line in String::from_utf8_lossy(&output.stderr).lines() {
        let Some((_, rest)) = line.split_once("rror near line ") else { continue };
        let (number, text) = rest.split_once(": ").unwrap();
        let number: usize = number.parse().unwrap();
        let text = match text.rsplit_once(" (") {
            Some((text, code)) if code.trim_end_matches(')').parse::<u32>().is_ok() => text,
            _ => text,
        };
        outcome[(number - 1) / 2] = Err(text.to_owned());
    }
    outcome
}

/// An error without the name that is missing: of two, either may be met first.
fn class(error: &str) -> &str {
    let missing = ["no such table", "no such column"].iter().any(|text| error.starts_with(text));
    if missing { "no such table or column" } else { error }
}

/// What is different when both run these statements, if anything is.
fn difference(sqlite3: &Path, dir: &Path, statements: &[String]) -> Option<String> {
    let (own, other) = (dir.join("ours.db"), dir.join("theirs.db"));
    for file in [&own, &other] {
        let _ = fs::remove_file(file);
    }
    let (left, right) = (ours(&own, statements), theirs(sqlite3, &other, statements));
    for ((sql, left), right) in statements.iter().zip(&left).zip(&right) {
        let sorted = |lines: &Vec<String>| {
            let mut lines = lines.clone();
            if !sql.contains("ORDER BY") {
                lines.sort();
            }
            lines
        };
        let same = match (left, right) {
            (Ok(left), Ok(right)) => sorted(left) == sorted(right),
            (Err(left), Err(right)) => class(left) == class(right),
            _ => false,
        };
        if !same {
            return Some(format!("{sql}\n  ours:    {left:?}\n  sqlite3: {right:?}"));
        }
    }
    let look: Vec<String> = [
        "PRAGMA integrity_check",
        "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid",
    ]
    .map(str::to_owned)
    .to_vec();
    let (mine, yours) = (theirs(sqlite3, &own, &look), theirs(sqlite3, &other, &look));
    if mine != yours {
        return Some(format!("the files differ:\n  ours:    {mine:?}\n  sqlite3: {yours:?}"));
    }
    None
}

/// The shortest script that is still different: statements are taken out as long as it is.
fn shrink(sqlite3: &Path, dir: &Path, mut statements: Vec<String>) -> Vec<String> {
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut chunk = statements.len() / 2;
    while chunk > 0 {
        let mut at = 0;
        while at < statements.len() && Instant::now() < deadline {
            let mut fewer = statements.clone();
            fewer.drain(at..(at + chunk).min(statements.len()));
            if difference(sqlite3, dir, &fewer).is_some() {
                statements = fewer;
            } else {
                at += chunk;
            }
        }
        chunk /= 2;
    }
    statements
}

#[test]
fn random_scripts_give_what_sqlite3_gives() {
    let Some(sqlite3) = tests::peer("sqlite3") else { return };
    let dir = scratch("random");
    let (scripts, length) = if tests::full() { (100, 100) } else { (12, 60) };
    let first = std::env::var("SQL_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1_u64);
    for seed in first..first + scripts {
        let statements = Generator::new(seed).script(length);
        if let Some(what) = difference(&sqlite3, &dir, &statements) {
            let small = shrink(&sqlite3, &dir, statements);
            let last = difference(&sqlite3, &dir, &small).unwrap_or(what);
            panic!("seed {seed}:\n{};\n\n{last}", small.join(";\n"));
        }
    }
    fs::remove_dir_all(&dir).unwrap();
}

/// The files `tests/tests/sql/PREFIX*.sql`.
fn scripts(prefix: &str) -> Vec<PathBuf> {
    let dir = tests::root().join("tests/tests/sql");
    let mut files: Vec<PathBuf> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            name.starts_with(prefix) && name.ends_with(".sql")
        })
        .collect();
    files.sort();
    files
}

#[test]
fn scripts_that_once_differed_do_not_any_more() {
    let Some(sqlite3) = tests::peer("sqlite3") else { return };
    let dir = scratch("differ");
    for file in scripts("differ_") {
        let text = fs::read_to_string(&file).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with("--") && !line.is_empty());
        let statements: Vec<String> =
            lines.map(|line| line.trim_end_matches(';').to_owned()).collect();
        if let Some(what) = difference(&sqlite3, &dir, &statements) {
            panic!("{}:\n{what}", file.display());
        }
    }
    fs::remove_dir_all(&dir).unwrap();
}

/// A golden script is SQL with what it prints as comments: `--> row`, `--! error`.
#[test]
fn golden_scripts_print_what_they_say() {
    let sqlite3 = tests::peer("sqlite3");
    let dir = scratch("golden");
    let files = scripts("chapter_");
    assert!(!files.is_empty());
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let (mut statements, mut expected) = (Vec::new(), Outcome::new());
        let mut pending = String::new();
        for line in text.lines() {
            if let Some(row) = line.strip_prefix("--> ") {
                if let Some(Ok(rows)) = expected.last_mut() {
                    rows.push(row.to_owned());
                }
            } else if let Some(error) = line.strip_prefix("--! ") {
                *expected.last_mut().unwrap() = Err(error.to_owned());
            } else if !line.starts_with("--") && !line.is_empty() {
                pending = format!("{pending} {}", line.trim());
                if let Some(statement) = pending.strip_suffix(';') {
                    statements.push(statement.trim().to_owned());
                    expected.push(Ok(Vec::new()));
                    pending.clear();
                }
            }
        }
        let compare = |who: &str, outcome: &Outcome| {
            for ((sql, got), want) in statements.iter().zip(outcome).zip(&expected) {
                assert_eq!(got, want, "{who}, {}: {sql}", file.display());
            }
        };
        let ended: Vec<String> = statements.iter().map(|sql| format!("{sql};")).collect();
        compare("orm", &ours(&dir.join("ours.db"), &ended));
        if let Some(sqlite3) = &sqlite3 {
            compare("sqlite3", &theirs(sqlite3, &dir.join("theirs.db"), &statements));
        }
        for file in ["ours.db", "theirs.db"] {
            let _ = fs::remove_file(dir.join(file));
        }
    }
    fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn the_shell_prints_errors_and_goes_on() {
    let shell = tests::example("orm", "shell");
    let script = "CREATE TABLE t(a INTEGER PRIMARY KEY, b);\nINSERT INTO t VALUES (1, 'x'), (2, NULL), \
                  (3, 2.0);\nSELECT * FORM t;\n.nullvalue -\nSELECT * FROM t;\n.headers on\n\
                  SELECT a AS n FROM t LIMIT 1;\n.tables\n.schema t\nINSERT INTO t VALUES (1, 1);\n\
                  SELECT x'41';\n.quit\nSELECT 'not reached';\n";
    let mut child = Command::new(shell)
        .arg(":memory:")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let want = "1|x\n2|-\n3|2.0\nn\n1\nt\nCREATE TABLE t(a INTEGER PRIMARY KEY, b);\nx'41'\nA\n";
    assert_eq!(stdout, want);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let want = "Error: near \"FORM\": syntax error\nError: UNIQUE constraint failed: t.a\n";
    assert_eq!(stderr, want);
    assert_eq!(output.status.code(), Some(1));
}

/// On a stack as small as that of the web server's pool threads, where a playground may run SQL.
#[test]
fn hostile_sql_ends_in_an_error_within_bounds() {
    let small = std::thread::Builder::new().stack_size(256 * 1024);
    small.spawn(hostile_sql).unwrap().join().unwrap();
}

fn hostile_sql() {
    let db = Connection::memory().unwrap();
    db.execute("CREATE TABLE t(a)", &[]).unwrap();
    db.execute("INSERT INTO t VALUES (1)", &[]).unwrap();
    let error = |sql: &str| {
        let start = Instant::now();
        let result = run(&db, sql);
        assert!(start.elapsed() < Duration::from_secs(5), "{} takes too long", &sql[..40]);
        result.err().map(|error| error.to_string())
    };
    deep_sql(&error);
    wide_sql(&error);
}

fn deep_sql(error: &dyn Fn(&str) -> Option<String>) {
    let tall = Some("Expression tree is too large (maximum depth 1000)".to_owned());
    assert_eq!(error(&format!("SELECT 1 FROM t WHERE a=1{}", " OR a=1".repeat(1_000_000))), tall);
    assert_eq!(error(&format!("SELECT 1 FROM t WHERE a=1{}", " OR a=2".repeat(990))), None);
    assert_eq!(error(&format!("SELECT a{} FROM t", "+a".repeat(490))), None);
    assert_eq!(error(&format!("SELECT a{} FROM t", "||a".repeat(490))), None);
    let deep = Some("parser stack overflow".to_owned());
    assert_eq!(error(&format!("SELECT {}1{}", "(".repeat(10_000), ")".repeat(10_000))), deep);
    assert_eq!(error(&"SELECT (".repeat(10_000)), deep);
    assert_eq!(error(&"SELECT * FROM (".repeat(10_000)), deep);
    assert_eq!(error(&format!("SELECT {}a{} FROM t", "abs(".repeat(45), ")".repeat(45))), None);
    assert_eq!(error(&format!("SELECT length('{}')", "x".repeat(1 << 20))), None);
    // These recurse where others loop: an error, and not the end of the stack.
    for (start, inner, end) in [
        ("SELECT ", "(SELECT ", ")"),
        ("SELECT ", "(1 IN (SELECT a FROM t WHERE ", "))"),
        ("SELECT 1 FROM t WHERE ", "EXISTS (SELECT 1 FROM t WHERE ", ")"),
        ("SELECT ", "CASE WHEN a THEN ", " END"),
        ("SELECT ", "NOT ", ""),
    ] {
        let sql = |n| format!("{start}{}1{}", inner.repeat(n), end.repeat(n));
        assert_eq!(error(&sql(1000)), deep, "{inner}");
        let held = (0..100).take_while(|&n| error(&sql(n)) != deep).count();
        assert!(held >= 10, "{inner} only {held} times");
    }
    for chain in ["=a", " ISNULL", " COLLATE NOCASE", " LIKE a", " BETWEEN a AND a", " IN (a)"] {
        error(&format!("SELECT a{} FROM t", chain.repeat(198)));
    }
    let near = Some("near \"EXPLAIN\": syntax error".to_owned());
    assert_eq!(error(&"EXPLAIN QUERY PLAN ".repeat(10_000)), near);
    assert_eq!(error(&format!("CREATE TABLE nulls(a {})", "NULL ".repeat(10_000))), None);
    let check = format!("CREATE TABLE checked(a CHECK (a{} < 5000))", "+1".repeat(490));
    assert_eq!(error(&check), None);
    assert_eq!(error("INSERT INTO checked VALUES (1)"), None);
    assert_eq!(error("ALTER TABLE checked RENAME COLUMN a TO b"), None);
    // A condition as tall as can be, in each place where the schema keeps one.
    let or = " OR a=2".repeat(990);
    assert_eq!(error(&format!("CREATE TABLE tall(a CHECK (a=1{or}))")), None);
    assert_eq!(error(&format!("CREATE INDEX tall_a ON tall(a) WHERE a=1{or}")), None);
    assert_eq!(error("INSERT INTO tall VALUES (1)"), None);
    assert_eq!(error("ALTER TABLE tall RENAME COLUMN a TO b"), None);
}

fn wide_sql(error: &dyn Fn(&str) -> Option<String>) {
    let row = vec!["a"; 1500].join(",");
    assert_eq!(error(&format!("SELECT 1 FROM t WHERE ({row}) = ({row})")), None);
    // Views that double: 2^20 SELECTs in the last one.
    error("CREATE VIEW v0 AS SELECT a FROM t");
    for n in 1..20 {
        error(&format!("CREATE VIEW v{n} AS SELECT x.a FROM v{m} x, v{m} y", m = n - 1));
    }
    let many = Some("more than 5000 queries in one statement".to_owned());
    assert_eq!(error("SELECT * FROM v19"), many);
    let list: Vec<String> = (0..100_000).map(|n| n.to_string()).collect();
    assert_eq!(error(&format!("SELECT a FROM t WHERE a IN ({})", list.join(","))), None);
    let columns: Vec<String> = (0..1000).map(|n| format!("c{n}")).collect();
    assert_eq!(error(&format!("CREATE TABLE wide({})", columns.join(","))), None);
    assert_eq!(error(&format!("INSERT INTO wide VALUES ({})", vec!["1"; 1000].join(","))), None);
    assert_eq!(error("SELECT * FROM wide"), None);
    let columns: Vec<String> = (0..2001).map(|n| format!("c{n}")).collect();
    let too_many = Some("too many columns on wider".to_owned());
    assert_eq!(error(&format!("CREATE TABLE wider({})", columns.join(","))), too_many);
    let from = vec!["t"; 65].join(",");
    let tables = Some("at most 64 tables in a join".to_owned());
    assert_eq!(error(&format!("SELECT 1 FROM {from}")), tables);
    assert_eq!(error("SELECT zeroblob(2000000000)"), Some("string or blob too big".into()));
    assert_eq!(error("SELECT 1 LIMIT 'x'"), Some("datatype mismatch".into()));
}

/// 60 tables in a ring, in the manner of sqllogictest's select5: one row, found by keys at once.
#[test]
fn a_join_of_sixty_tables_does_not_explode() {
    let db = Connection::memory().unwrap();
    let (mut from, mut on) = (Vec::new(), Vec::new());
    for n in 0..60 {
        db.execute(&format!("CREATE TABLE t{n}(a{n} INTEGER PRIMARY KEY, b{n} INTEGER)"), &[])
            .unwrap();
        let rows: Vec<String> = (0..10).map(|k| format!("({k}, {})", (k * 7 + 3) % 10)).collect();
        db.execute(&format!("INSERT INTO t{n} VALUES {}", rows.join(",")), &[]).unwrap();
        // Scattered, so that no order as written works.
        from.push(format!("t{}", n * 37 % 60));
        on.push(format!("b{}=a{}", (n * 17 + 1) % 60, (n * 17) % 60));
    }
    on.swap_remove(7);
    let sql = format!("SELECT a0 FROM {} WHERE {} AND a5=3", from.join(","), on.join(" AND "));
    let start = Instant::now();
    assert_eq!(run(&db, &sql).unwrap().len(), 1);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}
