//! The seven days of the ORM from outside: each example is run, and the sqlite3 program says what
//! it left in the file.
#![cfg(test)]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// A path for a database, removed before and after.
struct Database(PathBuf);

impl Database {
    fn new(name: &str) -> Database {
        let path = std::env::temp_dir().join(format!("orm-days-{}-{name}.db", std::process::id()));
        let _ = fs::remove_file(&path);
        Database(path)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Runs the example twice, because it makes its file anew, and returns stdout and sqlite3's dump
/// without its three lines of frame; `None` where sqlite3 is missing.
fn run(name: &str) -> (String, Option<Vec<String>>) {
    let database = Database::new(name);
    let mut out = String::new();
    for _ in 0..2 {
        let output = Command::new(tests::example("orm", name)).arg(&database.0).output().unwrap();
        assert!(output.status.success(), "{name}: {output:?}");
        assert!(output.stderr.is_empty(), "{name}: {output:?}");
        out = String::from_utf8(output.stdout).unwrap();
    }
    let Some(sqlite3) = tests::peer("sqlite3") else { return (out, None) };
    let ask = |question: &str| {
        let output = Command::new(&sqlite3).arg(&database.0).arg(question).output().unwrap();
        assert!(output.status.success(), "{name}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(ask("PRAGMA integrity_check"), "ok\n", "{name}");
    let dump = ask(".dump");
    let frame = ["PRAGMA foreign_keys=OFF;", "BEGIN TRANSACTION;", "COMMIT;"];
    (out, Some(dump.lines().filter(|l| !frame.contains(l)).map(str::to_owned).collect()))
}

/// The example leaves exactly this.
#[track_caller]
fn leaves(dump: Option<Vec<String>>, want: &[&str]) {
    if let Some(dump) = dump {
        assert_eq!(dump, want);
    }
}

/// The texts of the log lines, without colour, time, place and duration.
fn log(out: &str) -> Vec<&str> {
    out.lines()
        .filter(|line| line.starts_with('\x1b'))
        .filter_map(|line| line.split_once(".rs:")?.1.split_once(": ").map(|(_, text)| text))
        .map(|text| text.rsplit_once("] ").map_or(text, |(sql, _)| &text[..=sql.len()]))
        .collect()
}

#[test]
fn day1_leaves_tom_and_sam_and_shows_a_deliberate_error() {
    let (out, dump) = run("day1_database_sql");
    let want = [
        "Connect database success",
        "DROP TABLE IF EXISTS User;  []",
        "CREATE TABLE User(Name text);  []",
        "CREATE TABLE User(Name text);  []",
        "table User already exists",
        "INSERT INTO User(`Name`) values (?), (?)  [Tom Sam]",
        "Close database success",
    ];
    assert_eq!(log(&out), want);
    assert!(out.contains("\nExec success, 2 affected\n"), "{out}");
    assert_eq!(out.matches("\x1b[31m[error]\x1b[0m ").count(), 1, "{out}");
    assert_eq!(out.matches("\x1b[34m[info ]\x1b[0m ").count(), 6, "{out}");
    leaves(
        dump,
        &[
            "CREATE TABLE User(Name text);",
            "INSERT INTO User VALUES('Tom');",
            "INSERT INTO User VALUES('Sam');",
        ],
    );
}

const USER: &str = r#"CREATE TABLE IF NOT EXISTS "User" ("Name" text PRIMARY KEY,"Age" integer );"#;

#[test]
fn day2_leaves_an_empty_table() {
    let (out, dump) = run("day2_schema");
    assert!(out.contains(r#"CREATE TABLE "User" ("Name" text PRIMARY KEY,"Age" integer );  [] "#));
    assert!(
        out.contains("\ntable User exists: true\nName text PRIMARY KEY\nAge integer\n"),
        "{out}"
    );
    leaves(dump, &[USER]);
}

#[test]
fn day3_leaves_two_users() {
    let (out, dump) = run("day3_save_query");
    let insert = r#"INSERT INTO "User" ("Name","Age") VALUES (?, ?), (?, ?)  [Tom 18 Sam 25]"#;
    assert!(log(&out).contains(&insert), "{out}");
    assert!(out.contains("\nTom is 18\nSam is 25\n"), "{out}");
    leaves(
        dump,
        &[USER, "INSERT INTO User VALUES('Tom',18);", "INSERT INTO User VALUES('Sam',25);"],
    );
}

#[test]
fn day4_leaves_sam_and_jack() {
    let (out, dump) = run("day4_chain");
    for line in [
        "first: User { name: \"Tom\", age: 18 }",
        "limit 1: 1 row",
        "Age = 25: 2 rows",
        "eldest: 25",
        "update: 1 affected",
        "eldest: 30",
        "delete: 1 affected",
        "count: 2",
    ] {
        assert!(out.contains(&format!("\n{line}\n")), "{line}: {out}");
    }
    assert!(out.contains(r#"UPDATE "User" SET "Age" = ? WHERE "Name" = ? "#), "{out}");
    leaves(
        dump,
        &[USER, "INSERT INTO User VALUES('Sam',25);", "INSERT INTO User VALUES('Jack',25);"],
    );
}

#[test]
fn day5_leaves_two_accounts_with_their_passwords() {
    let (out, dump) = run("day5_hooks");
    assert!(out.contains(": before inert Account { id: 1, password: \"123456\" }\n"), "{out}");
    assert!(out.contains(": after query Account { id: 1001, password: \"123456\" }\n"), "{out}");
    assert!(out.contains("\n1001 ******\n"), "{out}");
    leaves(
        dump,
        &[
            r#"CREATE TABLE IF NOT EXISTS "Account" ("ID" integer PRIMARY KEY,"Password" text );"#,
            "INSERT INTO Account VALUES(1001,'123456');",
            "INSERT INTO Account VALUES(1002,'qwerty');",
        ],
    );
}

#[test]
fn day6_leaves_tom_once() {
    let (out, dump) = run("day6_transaction");
    let events: Vec<_> =
        log(&out).into_iter().filter(|line| line.starts_with("transaction")).collect();
    let want =
        ["transaction begin", "transaction rollback", "transaction begin", "transaction commit"];
    assert_eq!(events, want);
    assert!(out.contains("table exists: false\n"), "{out}");
    leaves(dump, &[USER, "INSERT INTO User VALUES('Tom',18);"]);
}

#[test]
fn day7_keeps_the_rows_and_the_key() {
    let (out, dump) = run("day7_migrate");
    assert!(out.contains(": added cols [Age], deleted cols [XXX]\n"), "{out}");
    assert!(out.contains(r#"ALTER TABLE "User" ADD COLUMN "Age" integer;"#), "{out}");
    leaves(dump, &[USER, "INSERT INTO User VALUES('Tom',0);", "INSERT INTO User VALUES('Sam',0);"]);
}
