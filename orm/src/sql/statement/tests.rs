//! Tests of statements: binding, stepping, undoing.

use super::*;

fn texts(db: &Connection, sql: &str) -> Vec<String> {
    let mut statement = db.prepare(sql).unwrap();
    let mut rows = statement.query().unwrap();
    let mut lines = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let values: Vec<String> = row.values().iter().map(ToString::to_string).collect();
        lines.push(values.join("|"));
    }
    lines
}

#[test]
fn parameters_are_bound_by_number_and_by_name() {
    let db = Connection::memory().unwrap();
    let mut select = db.prepare("SELECT ?2, :a, ?, typeof(?1)").unwrap();
    assert_eq!(select.parameter_count(), 4);
    assert_eq!(select.parameter_index(":a"), Some(3));
    select.bind(2, "two").unwrap();
    select.bind_name(":a", 3.5).unwrap();
    select.bind(4, vec![65_u8]).unwrap();
    assert!(select.bind(5, 1).is_err() && select.bind_name(":b", 1).is_err());
    let mut rows = select.query().unwrap();
    let row = rows.next().unwrap().unwrap();
    assert_eq!(row.get::<String>(0).unwrap(), "two");
    assert_eq!(row.get::<f64>(1).unwrap(), 3.5);
    assert_eq!(row.get::<Vec<u8>>(2).unwrap(), b"A");
    assert_eq!(row.get::<String>(3).unwrap(), "null");
    assert!(matches!(row.get::<i64>(0), Err(Error::Mismatch)));
    assert!(row.get::<i64>(9).is_err());
    assert!(row.get::<Option<i64>>(3).is_err());
}

#[test]
fn a_statement_is_prepared_again_when_the_schema_has_changed() {
    let db = Connection::memory().unwrap();
    db.execute_batch("CREATE TABLE t(a, b); INSERT INTO t VALUES (1, 2);").unwrap();
    let mut all = db.prepare("SELECT * FROM t").unwrap();
    assert_eq!(all.columns(), ["a", "b"]);
    db.execute_batch("ALTER TABLE t ADD COLUMN c DEFAULT 3").unwrap();
    let mut rows = all.query().unwrap();
    assert_eq!(rows.columns(), ["a", "b", "c"]);
    assert_eq!(rows.next().unwrap().unwrap().get_named::<i64>("C").unwrap(), 3);
    drop(rows);
    db.execute_batch("DROP TABLE t").unwrap();
    assert_eq!(all.query().unwrap_err().to_string(), "no such table: t");
    // The cookie of a schema that was rolled back comes again for another one.
    db.execute_batch("BEGIN; CREATE TABLE t(x); ROLLBACK; CREATE TABLE t(y)").unwrap();
    assert_eq!(db.prepare("SELECT * FROM t").unwrap().columns(), ["y"]);
}

#[test]
fn rows_can_be_read_while_others_are_written() {
    let db = Connection::memory().unwrap();
    db.execute_batch("CREATE TABLE t(a INTEGER PRIMARY KEY); CREATE TABLE u(a)").unwrap();
    db.execute("INSERT INTO t VALUES (1), (2), (3), (4)", &[]).unwrap();
    let mut select = db.prepare("SELECT a FROM t").unwrap();
    let mut rows = select.query().unwrap();
    while let Some(row) = rows.next().unwrap() {
        let a: i64 = row.get(0).unwrap();
        db.execute("INSERT INTO u VALUES (?)", &[a.into()]).unwrap();
        db.execute("DELETE FROM t WHERE a = ?", &[(a + 1).into()]).unwrap();
    }
    assert_eq!(texts(&db, "SELECT group_concat(a) FROM u"), ["1,3"]);
}

#[test]
fn a_statement_that_fails_undoes_itself_alone() {
    let db = Connection::memory().unwrap();
    db.execute_batch("CREATE TABLE t(a UNIQUE); BEGIN; INSERT INTO t VALUES (1)").unwrap();
    assert!(db.in_transaction());
    assert!(db.execute("INSERT INTO t VALUES (2), (3), (1)", &[]).is_err());
    assert_eq!(texts(&db, "SELECT a FROM t"), ["1"]);
    assert!(db.execute("INSERT OR FAIL INTO t VALUES (2), (3), (1)", &[]).is_err());
    assert_eq!(texts(&db, "SELECT a FROM t"), ["1", "2", "3"]);
    assert!(db.execute("INSERT OR ROLLBACK INTO t VALUES (4), (1)", &[]).is_err());
    assert!(!db.in_transaction());
    assert_eq!(texts(&db, "SELECT count(*) FROM t"), ["0"]);
    assert_eq!(db.execute("INSERT INTO t VALUES (7), (8)", &[]).unwrap(), 2);
    assert_eq!(db.execute("UPDATE t SET a = a + 10 WHERE a = 7", &[]).unwrap(), 1);
    assert_eq!((db.changes(), db.last_insert_rowid()), (1, 2));
    // Conditions of indexes and RETURNING are evaluated when something is written already.
    db.execute_batch("CREATE INDEX p ON t(a) WHERE abs(a) > 0; BEGIN").unwrap();
    let least = "(-9223372036854775807 - 1)";
    for change in ["INSERT INTO t VALUES (?)", "UPDATE t SET a = ? WHERE a = 8"] {
        assert!(db.execute(&change.replace('?', least), &[]).is_err());
        let returning = format!("{change} RETURNING abs{least}");
        assert!(db.execute(&returning, &[5.into()]).is_err());
    }
    assert_eq!(texts(&db, "SELECT a FROM t"), ["17", "8"]);
    assert_eq!(texts(&db, "PRAGMA integrity_check"), ["ok"]);
}

#[test]
fn what_is_not_there_is_refused_by_name() {
    let db = Connection::memory().unwrap();
    db.execute_batch("CREATE TABLE outer_one(x); CREATE TABLE inner_one(y)").unwrap();
    for (sql, want) in [
        ("SELECT row_number() OVER () ", "not supported: window functions"),
        // SQL says that this sum is the outer query's. One that also reads `y` is the inner's.
        (
            "SELECT (SELECT sum(x) FROM inner_one) FROM outer_one",
            "not supported: sum() over columns of an outer query alone",
        ),
        ("CREATE TEMP TABLE t(a)", "not supported: TEMP tables"),
        ("CREATE TABLE t(a PRIMARY KEY) WITHOUT ROWID", "not supported: WITHOUT ROWID tables"),
        ("CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; END", "not supported: CREATE TRIGGER"),
        ("SELECT date('now')", "not supported: date: the engine has no clock"),
        ("VACUUM", "not supported: VACUUM"),
        ("SELECT (1, 2) IN (SELECT 1, 2)", "not supported: a row value beside a query"),
        ("SELECT (SELECT 1, 2) = (1, 2)", "not supported: a row value beside a query"),
        ("SELECT (1, 2) BETWEEN (1, 1) AND (1, 3)", "not supported: the order of row values"),
        ("SELECT (1, 2)", "row value misused"), // nor is it SQLite's
    ] {
        let error = db.prepare(sql).and_then(|mut s| s.execute()).unwrap_err();
        assert_eq!(error.to_string(), want, "{sql}");
    }
    db.execute_batch("INSERT INTO outer_one VALUES (1); INSERT INTO inner_one VALUES (2)").unwrap();
    let both = "SELECT (SELECT sum(x + y) FROM inner_one) FROM outer_one";
    assert_eq!(texts(&db, both), ["3"]);
}
