//! The examples of SQLite's own pages about its SQL, one script for each page, through both shells.
//!
//! A script `tests/tests/sql/page_*.sql` says which page it follows. It states no result: what the
//! `sqlite3` program prints is right. Rows must be the same to the byte, headers too, and so must
//! the texts of the errors; only what stands around an error's text is each program's own.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a shell makes of a script on its stdin: its rows as printed, and the texts of its errors.
pub(crate) fn shell(program: &Path, args: &[&str], script: &str) -> (String, Vec<String>) {
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let script = script.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(script.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let errors = stderr.lines().filter_map(error_text).map(str::to_owned).collect();
    (String::from_utf8_lossy(&output.stdout).into_owned(), errors)
}

/// `Error: TEXT` is ours; `Runtime error near line 7: TEXT (19)` or `Parse error ...` sqlite3's.
fn error_text(line: &str) -> Option<&str> {
    if let Some(text) = line.strip_prefix("Error: ") {
        return Some(text);
    }
    let (_, text) = line.split_once("rror near line ")?.1.split_once(": ")?;
    match text.rsplit_once(" (") {
        Some((text, code)) if code.trim_end_matches(')').parse::<u32>().is_ok() => Some(text),
        _ => Some(text),
    }
}

#[test]
fn the_shell_runs_the_examples_of_sqlites_pages() {
    let Some(sqlite3) = tests::peer("sqlite3") else { return };
    let own = tests::example("orm", "shell");
    let files = super::scripts("page_");
    assert!(files.len() >= 13, "a page is missing: {files:?}");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let (rows, errors) = shell(&own, &[":memory:"], &text);
        let (their_rows, their_errors) = shell(&sqlite3, &["-batch", ":memory:"], &text);
        for (at, (ours, theirs)) in rows.lines().zip(their_rows.lines()).enumerate() {
            assert_eq!(ours, theirs, "{}: line {} of the output", file.display(), at + 1);
        }
        assert_eq!(rows, their_rows, "{}", file.display());
        assert_eq!(errors, their_errors, "{}", file.display());
        assert!(rows.lines().count() > 5, "{} prints too little", file.display());
    }
}

/// A trigger is refused; the statements inside it do not run by themselves.
#[test]
fn the_body_of_a_refused_trigger_does_not_run() {
    let own = tests::example("orm", "shell");
    let script = "CREATE TABLE t(a);\nINSERT INTO t VALUES (1);\n\
                  CREATE TRIGGER gone AFTER INSERT ON t BEGIN\n  DELETE FROM t;\n\
                  \x20 SELECT CASE WHEN 1 THEN 2 END;\n\
                  \x20 INSERT INTO t VALUES ('END;');\nEND;\n\
                  CREATE TRIGGER IF NOT EXISTS r DELETE ON t BEGIN DELETE FROM t; end;\n\
                  SELECT count(*), a FROM t;\n";
    let (rows, errors) = shell(&own, &[":memory:"], script);
    assert_eq!(rows, "1|1\n");
    assert_eq!(errors, ["not supported: CREATE TRIGGER", "not supported: CREATE TRIGGER"]);
    // One whose END never comes is an error all the same.
    let (rows, errors) = shell(
        &own,
        &[":memory:"],
        "CREATE TRIGGER open INSERT ON t BEGIN\n SELECT 1;\nSELECT 2;\n",
    );
    assert_eq!((rows.as_str(), errors), ("", vec!["not supported: CREATE TRIGGER".to_owned()]));
}
