//! SQLite's own sqllogictest files, record by record.
//!
//! `$SQLLOGICTEST_DIR` names a directory with the `.test` files of <https://www.sqlite.org/sqllogictest>;
//! without it the test says so and passes, with or without `REQUIRE_PEERS`: they are not ours to
//! ship. A file is records, separated by empty lines:
//!
//! ```text
//! statement ok                       query II rowsort label
//! INSERT INTO t1 VALUES(1, 2)        SELECT a, b FROM t1
//!                                    ----
//!                                    4 values hashing to 5d7e1b6a...   (or the values, one a line)
//! ```
#![allow(clippy::unwrap_used, reason = "all of it is a test")]

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use orm::sql::{Connection, Value};

#[test]
fn sqllogictest_files_pass() {
    let Some(dir) = std::env::var_os("SQLLOGICTEST_DIR").map(PathBuf::from) else {
        eprintln!("skipped: SQLLOGICTEST_DIR does not name a directory of sqllogictest files");
        return;
    };
    let mut files: Vec<PathBuf> = fs::read_dir(&dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "test"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} has no .test files", dir.display());
    let mut failed = 0;
    for file in &files {
        let (passed, failures) = run_file(file);
        eprintln!("{}: {passed} records pass, {} fail", file.display(), failures.len());
        failures.iter().take(5).for_each(|failure| eprintln!("{failure}\n"));
        failed += failures.len();
    }
    assert_eq!(failed, 0, "records failed");
}

/// Runs a file; how many records pass, and what is wrong with the others.
fn run_file(path: &Path) -> (usize, Vec<String>) {
    let text = String::from_utf8_lossy(&fs::read(path).unwrap()).replace("\r\n", "\n");
    let mut runner =
        Runner { connection: Connection::memory().unwrap(), threshold: 0, labels: HashMap::new() };
    let (mut passed, mut failures, mut line) = (0, Vec::new(), 1);
    for record in text.split("\n\n") {
        let at = line;
        line += record.matches('\n').count() + 2;
        let lines: Vec<&str> = record
            .lines()
            .map(|line| if line.starts_with('#') { "" } else { line })
            .skip_while(|line| line.is_empty())
            .collect();
        match runner.record(&lines) {
            Ok(Next::Passed) => passed += 1,
            Ok(Next::Skipped) => {}
            Ok(Next::Halt) => break,
            Err(error) => failures.push(format!("line {at}: {error}\n{}", lines.join("\n"))),
        }
    }
    (passed, failures)
}

enum Next {
    Passed,
    Skipped,
    Halt,
}

struct Runner {
    connection: Connection,
    /// Results of more values than this are given by their hash.
    threshold: usize,
    /// The results of the queries with a label, which must all be the same.
    labels: HashMap<String, String>,
}

impl Runner {
    fn record(&mut self, lines: &[&str]) -> Result<Next, String> {
        let mut lines = lines;
        while let Some((first, rest)) = lines.split_first() {
            let words: Vec<&str> = first.split_whitespace().collect();
            match words[..] {
                ["skipif", "sqlite", ..] => return Ok(Next::Skipped),
                ["onlyif", database, ..] if database != "sqlite" => return Ok(Next::Skipped),
                ["skipif" | "onlyif", ..] => lines = rest,
                ["halt"] => return Ok(Next::Halt),
                ["hash-threshold", n] => {
                    self.threshold = n.parse().unwrap();
                    return Ok(Next::Skipped);
                }
                ["statement", expected] => {
                    let result = self.connection.execute(&rest.join("\n"), &[]);
                    return match (expected, result) {
                        ("ok", Ok(_)) | ("error", Err(_)) => Ok(Next::Passed),
                        ("ok", Err(error)) => Err(error.to_string()),
                        _ => Err("an error was expected".to_owned()),
                    };
                }
                ["query", types, ref rest_words @ ..] => {
                    let sort = rest_words.first().copied().unwrap_or("nosort");
                    return self.query(types, sort, rest_words.get(1).copied(), rest);
                }
                _ => return Err(format!("unknown record: {first}")),
            }
        }
        Ok(Next::Skipped)
    }

    fn query(
        &mut self,
        types: &str,
        sort: &str,
        label: Option<&str>,
        lines: &[&str],
    ) -> Result<Next, String> {
        let split = lines.iter().position(|line| *line == "----").unwrap_or(lines.len());
        let sql = lines[..split].join("\n");
        let mut values = self.rows(&sql, types).map_err(|error| error.to_string())?;
        match sort {
            "rowsort" => values.sort(),
            "valuesort" => {
                let mut all: Vec<_> = values.into_iter().flatten().collect();
                all.sort();
                values = vec![all];
            }
            _ => {}
        }
        let values: Vec<String> = values.into_iter().flatten().collect();
        let joined: String = values.iter().map(|value| format!("{value}\n")).collect();
        let hash = format!("{} values hashing to {}", values.len(), md5(joined.as_bytes()));
        if let Some(label) = label {
            let known = self.labels.entry(label.to_owned()).or_insert_with(|| hash.clone());
            if *known != hash {
                return Err(format!("label {label} had {known}, now {hash}"));
            }
        }
        let expected = &lines[(split + 1).min(lines.len())..];
        let expected: Vec<&str> = expected.iter().copied().filter(|l| !l.is_empty()).collect();
        let same = match expected[..] {
            [only] if only.contains(" values hashing to ") => only == hash,
            _ => values == expected,
        };
        if same {
            Ok(Next::Passed)
        } else {
            Err(format!("got {hash}: {:?}", &values[..values.len().min(12)]))
        }
    }

    /// The rows, each value rendered as its column's type wants it.
    fn rows(&self, sql: &str, types: &str) -> orm::sql::Result<Vec<Vec<String>>> {
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query()?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            let rendered = row.values().iter().zip(types.chars()).map(|(v, kind)| render(v, kind));
            all.push(rendered.collect());
        }
        Ok(all)
    }
}

#[allow(clippy::cast_possible_truncation, reason = "the format says: a 32-bit %d")]
#[allow(clippy::cast_precision_loss, reason = "the format says: %.3f")]
fn render(value: &Value, kind: char) -> String {
    match (kind, value) {
        (_, Value::Null) => "NULL".to_owned(),
        ('I', Value::Integer(n)) => (*n as i32).to_string(),
        ('I', Value::Real(r)) => (*r as i64 as i32).to_string(),
        ('I', other) => other.to_string().parse().unwrap_or(0_i32).to_string(),
        ('R', Value::Integer(n)) => format!("{:.3}", *n as f64),
        ('R', Value::Real(r)) => format!("{r:.3}"),
        ('R', other) => format!("{:.3}", other.to_string().parse().unwrap_or(0.0_f64)),
        (_, other) => match other.to_string() {
            text if text.is_empty() => "(empty)".to_owned(),
            text => text.chars().map(|c| if (' '..='~').contains(&c) { c } else { '@' }).collect(),
        },
    }
}

/// RFC 1321, for the hashes in the files; no one should trust it with anything else.
fn md5(bytes: &[u8]) -> String {
    const SHIFTS: [[u32; 4]; 4] =
        [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below 2^32")]
    let table: Vec<u32> =
        (1..=64).map(|i| (f64::from(i).sin().abs() * 4_294_967_296.0) as u32).collect();
    let mut message = bytes.to_vec();
    message.push(0x80);
    while message.len() % 64 != 56 {
        message.push(0);
    }
    message.extend((bytes.len() as u64 * 8).to_le_bytes());
    let mut state = [0x6745_2301_u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    for block in message.chunks_exact(64) {
        let words: Vec<u32> =
            block.chunks_exact(4).map(|w| u32::from_le_bytes(w.try_into().unwrap())).collect();
        let [mut a, mut b, mut c, mut d] = state;
        for i in 0..64 {
            let (mixed, word) = match i / 16 {
                0 => ((b & c) | (!b & d), i),
                1 => ((d & b) | (!d & c), (5 * i + 1) % 16),
                2 => (b ^ c ^ d, (3 * i + 5) % 16),
                _ => (c ^ (b | !d), (7 * i) % 16),
            };
            let sum = a.wrapping_add(mixed).wrapping_add(table[i]).wrapping_add(words[word]);
            (a, d, c) = (d, c, b);
            b = b.wrapping_add(sum.rotate_left(SHIFTS[i / 16][i % 4]));
        }
        for (total, part) in state.iter_mut().zip([a, b, c, d]) {
            *total = total.wrapping_add(part);
        }
    }
    state.iter().flat_map(|word| word.to_le_bytes()).map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn md5_is_that_of_the_rfc() {
    assert_eq!(md5(b""), "d41d8cd98f00b204e9800998ecf8427e");
    assert_eq!(md5(b"abc"), "900150983cd24fb0d6963f7d28e17f72");
    let digits =
        b"12345678901234567890123456789012345678901234567890123456789012345678901234567890";
    assert_eq!(md5(digits), "57edf4a22be3c955ac49da2e2107b67a");
    assert_eq!(md5(&[b'a'; 63]), "b06521f39153d618550606be297466d5");
    assert_eq!(md5(&[b'a'; 56]), "3b0c8ac703f828b04c6c197006d17218");
}
