//! Every error that a caller can match on: how it comes about, its fields, its exact text; and that the
//! next call is fine.

use std::fs;
use std::path::PathBuf;

use orm::{Engine, Error, Migration, Model, Session, ToValue, Value, col, raw, set};

#[derive(Model, Debug, PartialEq, Clone)]
struct User {
    #[model(primary_key)]
    name: String,
    #[model(constraint = "CHECK (Age < 200)")]
    age: i32,
    #[model(not_null)]
    city: Option<String>,
}

fn user(name: &str, age: i32) -> User {
    User { name: name.into(), age, city: Some("Bern".into()) }
}

fn engine() -> Engine {
    let mut engine = Engine::quiet("sqlite3", ":memory:").unwrap();
    let mut s = engine.session();
    s.create_table::<User>().unwrap();
    s.insert(&mut user("Tom", 18)).unwrap();
    drop(s);
    engine
}

/// A path of this process's own, removed with its database.
struct Path(PathBuf);

impl Path {
    fn new(name: &str) -> Path {
        Path(std::env::temp_dir().join(format!("orm-errors-{}-{name}.db", std::process::id())))
    }

    fn text(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Path {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

type Call = fn(&mut Session<'_>) -> orm::Result<()>;

/// A call that fails; whether the variant is the right one; its text.
type Case = (Call, fn(&Error) -> bool, &'static str);

#[allow(clippy::too_many_lines, reason = "one flat table")]
const CASES: &[Case] = &[
    (
        |s| s.first(&User::query().filter(col("Name").eq("Eve"))).map(drop),
        |error| matches!(error, Error::NotFound),
        "NOT FOUND",
    ),
    (
        |s| s.insert(&mut user("Tom", 1)),
        |error| matches!(error, Error::UniqueViolation { table, column } if table == "User" && column == "Name"),
        "UNIQUE constraint failed: User.Name",
    ),
    (
        |s| s.insert(&mut User { city: None, ..user("Sam", 1) }),
        |error| matches!(error, Error::NotNull { table, column } if table == "User" && column == "City"),
        "NOT NULL constraint failed: User.City",
    ),
    (
        |s| s.update(&User::query().all(), set("Age", 200)).map(drop),
        |error| matches!(error, Error::Check(text) if text == "Age < 200"),
        "CHECK constraint failed: Age < 200",
    ),
    (
        |s| s.raw("SELECT * FORM User", &[]).exec().map(drop),
        |error| matches!(error, Error::Syntax { offset: 9, .. }),
        "near \"FORM\": syntax error",
    ),
    (
        |s| s.raw("SELECT * FROM", &[]).exec().map(drop),
        |error| matches!(error, Error::Syntax { offset: 14, .. }),
        "incomplete input",
    ),
    (
        |s| s.raw("SELECT * FROM Acc", &[]).exec().map(drop),
        |error| matches!(error, Error::NoSuchTable(name) if name == "Acc"),
        "no such table: Acc",
    ),
    (
        |s| s.raw("SELECT Nope FROM User", &[]).exec().map(drop),
        |error| matches!(error, Error::NoSuchColumn { table, column } if table.is_empty() && column == "Nope"),
        "no such column: Nope",
    ),
    (
        |s| s.find(&User::query().filter(col("Nope").eq(1))).map(drop),
        |error| matches!(error, Error::NoSuchColumn { table, column } if table.is_empty() && column == "Nope"),
        "no such column: Nope",
    ),
    (
        |s| s.update(&User::query().all(), set("Age", "old")).map(drop),
        |error| matches!(error, Error::TypeMismatch { column, .. } if column == "Age"),
        "column Age: found text of 3 bytes, wanted i32",
    ),
    (
        |s| s.update(&User::query().all(), set("Age", None::<i32>)).map(drop),
        |error| matches!(error, Error::TypeMismatch { column, .. } if column == "Age"),
        "column Age: found NULL, wanted i32; an Option takes both",
    ),
    (
        |s| s.find(&User::query().filter(col("Age").lt(u64::MAX))).map(drop),
        |error| matches!(error, Error::TypeMismatch { column, .. } if column == "Age"),
        "column Age: 18446744073709551615 is beyond 64 bits with a sign",
    ),
    (
        |s| s.delete(&User::query()).map(drop),
        |error| matches!(error, Error::MissingWhere),
        "this would change every row; add a filter, or say .all()",
    ),
    (
        |s| s.find(&User::query().filter(raw("Age = ?"))).map(drop),
        |error| matches!(error, Error::Misuse(_)),
        "this text has more ? than values; bind() them all",
    ),
    (
        |s| s.create_table::<User>(),
        |error| matches!(error, Error::Database(_)),
        "table User already exists",
    ),
    (
        |s| s.transaction(|_| Err::<(), _>(Error::abort("too young"))),
        |error| matches!(error, Error::Aborted(_)),
        "too young",
    ),
];

#[test]
fn each_error_has_its_fields_and_its_text_and_the_next_call_is_fine() {
    let mut engine = engine();
    let mut s = engine.session();
    for (call, fits, text) in CASES {
        let error = call(&mut s).unwrap_err();
        assert!(fits(&error), "{error:?}");
        assert_eq!(error.to_string(), *text);
        assert_eq!(s.find(&User::query()).unwrap(), [user("Tom", 18)], "{text}");
    }
}

#[test]
fn a_foreign_key_is_its_own_error() {
    // The engine parses foreign keys and does not enforce them; another driver's error comes this way.
    let error = Error::from(orm::sql::Error::ForeignKey);
    assert!(matches!(error, Error::ForeignKey));
    assert_eq!(error.to_string(), "FOREIGN KEY constraint failed");
}

/// SQLite would read a "City" that the table does not have as the text 'City'.
#[test]
fn a_column_that_the_table_does_not_have_is_an_error_and_not_its_name() {
    let mut engine = Engine::quiet("sqlite3", ":memory:").unwrap();
    let mut s = engine.session();
    let sql = "CREATE TABLE \"User\" (\"Name\" text CHECK (\"Name\" <> \"nobody\"), \"Age\" integer DEFAULT word)";
    s.raw(sql, &[]).exec().unwrap();
    // What a schema says in the old spelling goes on to hold.
    s.raw("INSERT INTO User(Name) VALUES ('Tom')", &[]).exec().unwrap();
    for (result, want) in [
        (s.find(&User::query()).map(drop), ("", "City", "no such column: City")),
        (s.insert(&mut user("Sam", 25)), ("User", "City", "table User has no column named City")),
        (s.upsert(&mut user("Sam", 25)), ("User", "City", "table User has no column named City")),
        (
            s.raw("SELECT \"Nope\" FROM User", &[]).query_row::<(String,)>().map(drop),
            ("", "Nope", "no such column: Nope"),
        ),
    ] {
        let error = result.unwrap_err();
        let text = error.to_string();
        let Error::NoSuchColumn { table, column } = error else { panic!("{error:?}") };
        assert_eq!((&*table, &*column, &*text), want);
    }
    let refused = s.raw("INSERT INTO User(Name) VALUES ('nobody')", &[]).exec();
    assert!(matches!(refused, Err(Error::Check(_))), "{refused:?}");
}

#[test]
fn what_a_migration_would_lose_is_named() {
    let mut engine = engine();
    let mut s = engine.session();
    s.raw("ALTER TABLE User ADD COLUMN XXX integer", &[]).exec().unwrap();
    let error = Migration::<User>::new().run(&mut s).unwrap_err();
    assert!(matches!(&error, Error::WouldLose(what) if what == "column XXX of table User"));
    assert_eq!(
        error.to_string(),
        "the migration would lose column XXX of table User; allow_drop() lets it"
    );
}

#[test]
fn an_unknown_driver_is_named() {
    let error = Engine::quiet("mysql", "").unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown driver \"mysql\": there is \"sqlite3\"; pass others to open_with"
    );
}

#[test]
fn a_database_that_is_held_by_another_is_busy() {
    let path = Path::new("busy");
    let mut one = Engine::quiet("sqlite3", path.text()).unwrap();
    let mut other = Engine::quiet("sqlite3", path.text()).unwrap();
    let mut s = one.session();
    s.create_table::<User>().unwrap();
    let mut tx = s.begin().unwrap();
    tx.insert(&mut user("Tom", 18)).unwrap();
    let error = other.session().insert(&mut user("Sam", 25)).unwrap_err();
    assert!(matches!(error, Error::Busy), "{error:?}");
    assert_eq!(error.to_string(), "database is locked");
    tx.commit().unwrap();
    drop(s);
    other.session().insert(&mut user("Sam", 25)).unwrap();
    assert_eq!(one.session().count(&User::query()).unwrap(), 2);
}

#[test]
fn a_page_that_contradicts_the_format_is_named() {
    let path = Path::new("corrupt");
    let mut engine = Engine::quiet("sqlite3", path.text()).unwrap();
    engine.session().create_table::<User>().unwrap();
    engine.session().insert(&mut user("Tom", 18)).unwrap();
    engine.close();
    let mut bytes = fs::read(&path.0).unwrap();
    bytes[4096] = 0x77; // the kind of page 2, the root of the table
    fs::write(&path.0, bytes).unwrap();
    let mut engine = Engine::quiet("sqlite3", path.text()).unwrap();
    let error = engine.session().find(&User::query()).unwrap_err();
    assert!(matches!(error, Error::Corrupt { page: 2, .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.starts_with("database disk image is malformed: page 2: "), "{text}");
}

#[test]
fn what_the_system_refuses_keeps_its_words() {
    let path = Path::new("no-such-folder").0.join("gee.db");
    let error = Engine::quiet("sqlite3", path.to_str().unwrap()).unwrap_err();
    assert!(matches!(error, Error::Io(_)), "{error:?}");
    let text = error.to_string();
    assert!(
        text.starts_with(&format!("unable to open database file {}: ", path.display())),
        "{text}"
    );
    assert!(std::error::Error::source(&error).is_some());
}

#[test]
fn wrong_types_of_another_program_are_found_when_they_are_read() {
    let mut engine = engine();
    let mut s = engine.session();
    let insert = "INSERT INTO User VALUES (?, ?, 'x')";
    let bad: [(&dyn ToValue, &str); 3] = [
        (&Value::Null, "column Age: found NULL, wanted i32; an Option takes both"),
        (&"old", "column Age: found text of 3 bytes, wanted i32"),
        (&-(1_i64 << 40), "column Age: found the integer -1099511627776, wanted i32"),
    ];
    for (value, want) in bad {
        let by_type = s.raw("UPDATE User SET Age = ?", &[value]).exec();
        // Texts are beyond every number, so the CHECK stops one of them by itself.
        if by_type.is_err() {
            s.raw("DROP TABLE User", &[]).exec().unwrap();
            s.raw("CREATE TABLE User(Name, Age, City)", &[]).exec().unwrap();
            s.raw(insert, &[&"Tom", value]).exec().unwrap();
        }
        assert_eq!(s.find(&User::query()).unwrap_err().to_string(), want);
    }
}
