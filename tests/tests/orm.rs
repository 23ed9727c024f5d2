//! The ORM from outside: the text of its statements in two dialects, hostile names and values, its errors, and
//! the Go tutorial's defects, each pinned by a test of its name.
#![cfg(test)]

#[path = "orm/defects.rs"]
mod defects;
#[path = "orm/derive.rs"]
mod derive;
#[path = "orm/errors.rs"]
mod errors;
#[path = "orm/recorder.rs"]
mod recorder;
#[path = "orm/texts.rs"]
mod texts;

use std::fmt::Write;

use orm::driver::{Connection, Driver};
use orm::migrate::Existing;
use orm::{
    Dialect, Engine, Error, Field, Kind, Logger, Migration, Model, Result, Session, Sqlite,
    SqliteDriver, col, desc, raw, set,
};
use recorder::Recorder;

/// Our engine, spoken to in another dialect: everything that can be spelt differently is.
#[derive(Debug)]
struct Other;

impl Driver for Other {
    fn open(&self, source: &str) -> Result<Box<dyn Connection>> {
        SqliteDriver.open(source)
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &Other
    }
}

impl Dialect for Other {
    fn quote(&self, name: &str, out: &mut String) {
        let _ = write!(out, "`{}`", name.replace('`', "``"));
    }

    fn placeholder(&self, number: usize, out: &mut String) {
        let _ = write!(out, "${number}");
    }

    fn data_type(&self, field: &Field) -> &'static str {
        match field.kind {
            Kind::Int | Kind::BigInt if field.primary_key => "INTEGER",
            Kind::Int | Kind::BigInt => "INT8",
            Kind::Text => "VARCHAR(255)",
            _ => "BLOB",
        }
    }

    fn bind_limit(&self) -> usize {
        7
    }

    fn returning(&self, column: &str, out: &mut String) {
        out.push_str("RETURNING ");
        self.quote(column, out);
        out.push_str(" AS generated");
    }

    fn table_exists(&self) -> &'static str {
        "SELECT tbl_name FROM sqlite_schema WHERE name = $1 AND type = 'table'"
    }

    fn describe(&self, session: &mut Session<'_>, table: &str) -> Result<Existing> {
        Sqlite.describe(session, table)
    }

    fn limit(&self, first: usize, limit: bool, offset: bool, out: &mut String) {
        let limit = if limit { format!("${first}") } else { "-1".to_owned() };
        let offset = if offset { format!("${}", first + 1) } else { "0".to_owned() };
        let _ = write!(out, "LIMIT ({limit}) OFFSET ({offset})");
    }
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "Order", snake_case)]
struct Order {
    #[model(primary_key)]
    id: i64,
    #[model(column = "Group", index)]
    group: String,
    age: i64,
}

fn order(group: &str, age: i64) -> Order {
    Order { id: 0, group: group.to_owned(), age }
}

/// The table, one column more and one of another type.
#[derive(Model, Debug)]
#[model(table = "Order", snake_case)]
struct Aged {
    #[model(primary_key)]
    id: i64,
    #[model(column = "Group", index)]
    group: String,
    age: String,
    note: Option<String>,
}

fn everything(engine: &mut Engine) -> Result<()> {
    let mut s = engine.session();
    assert!(!s.has_table::<Order>()?);
    Migration::<Order>::new().run(&mut s)?;
    assert!(s.has_table::<Order>()?);
    let mut orders: Vec<_> =
        (1..=10).map(|n| order(if n % 2 == 0 { "even" } else { "odd" }, n)).collect();
    s.insert_all(&mut orders)?;
    assert_eq!(
        orders.iter().map(|order| order.id).collect::<Vec<_>>(),
        (1..=10).collect::<Vec<_>>()
    );
    let even =
        Order::query().filter(col("Group").eq("even")).filter(raw("age > ? AND '?' = '?'").bind(2));
    let page = even.clone().order_by(desc("age")).limit(2).offset(1);
    let ages: Vec<i64> = s.pluck(&page, "age")?;
    assert_eq!(ages, [8, 6]);
    assert_eq!((s.count(&even)?, s.count(&page)?), (4, 2));
    assert_eq!(s.update(&even, set("age", 0))?, 4);
    let mut first = s.first(&Order::query())?;
    first.age = 77;
    s.save(&mut first)?;
    s.upsert(&mut Order { age: 78, ..first.clone() })?;
    assert_eq!(s.last(&Order::query().order_by("age"))?.age, 78);
    let failed = s.transaction(|tx| {
        tx.delete(&Order::query().all())?;
        tx.insert(&mut Order { id: 1, ..order("x", 1) })?;
        tx.insert(&mut Order { id: 1, ..order("x", 1) })
    });
    assert!(matches!(failed, Err(Error::UniqueViolation { .. })), "{failed:?}");
    assert_eq!(s.delete(&Order::query().filter(col("age").is_in([0, 3])))?, 5);
    assert_eq!(s.count(&Order::query())?, 5);
    let mut first = s.first(&Order::query())?;
    first.age = 77;
    s.upsert(&mut first)?;
    assert_eq!(s.last(&Order::query().order_by("age"))?, first);
    assert!(s.exists(&Order::query().filter(!col("Group").is_in(["x"; 0])))?);
    s.transaction(|tx| {
        let lost = tx.transaction(|tx| {
            tx.delete(&Order::query().all())?;
            Err::<(), _>(Error::abort("no"))
        });
        assert!(lost.is_err());
        tx.save(&mut first)
    })?;
    Migration::<Aged>::new().run(&mut s)?;
    let aged = s.find(&Aged::query().filter(col("age").eq("77")))?;
    assert_eq!((aged.len(), aged[0].note.as_deref(), aged[0].id), (1, None, first.id));
    Ok(())
}

#[test]
fn a_dialect_that_spells_everything_differently_does_the_same() {
    everything(&mut Engine::quiet("sqlite3", ":memory:").unwrap()).unwrap();
    let recorder = Recorder::new(&Other);
    everything(&mut Engine::open_with(&recorder, ":memory:", Logger::disabled()).unwrap()).unwrap();
    // Nothing of SQLite's spelling is left, but for the words of its own catalog.
    let ran = recorder.take();
    assert!(ran.len() > 20, "{ran:?}");
    for (text, _) in ran.iter().filter(|(text, _)| !text.starts_with("PRAGMA")) {
        let unquoted: String = text.split('\'').step_by(2).collect();
        assert!(!unquoted.contains(['"', '?']) || text.contains("FROM sqlite_master"), "{text}");
    }
}

#[derive(Model, Debug, PartialEq)]
#[model(table = "a\"b`c]; DROP TABLE Victim; --")]
struct Hostile {
    #[model(primary_key)]
    id: i64,
    #[model(column = "select \"x\" from '?'", index = "in\"dex")]
    text: String,
    #[model(column = "Group", not_null)]
    bytes: Vec<u8>,
}

const HOSTILE: [&str; 7] =
    ["", "'; DROP TABLE Victim; --", "\"`]", "a\0b", "?", "%_\\", "\u{1f600}\u{202e}\x1b[31m"];

fn victim(engine: &mut Engine) -> Session<'_> {
    let mut s = engine.session();
    s.raw("CREATE TABLE Victim(a)", &[]).exec().unwrap();
    s.create_table::<Hostile>().unwrap();
    s
}

#[test]
fn hostile_names_stay_names() {
    for driver in [&SqliteDriver as &dyn Driver, &Other] {
        let mut engine = Engine::open_with(driver, ":memory:", Logger::disabled()).unwrap();
        let mut s = victim(&mut engine);
        s.insert(&mut Hostile { id: 0, text: "x".into(), bytes: vec![] }).unwrap();
        assert!(s.has_table::<Hostile>().unwrap());
        assert_eq!(Migration::<Hostile>::new().run(&mut s).unwrap(), [""; 0]);
        for name in HOSTILE {
            let found = s.find(&Hostile::query().filter(col(name).eq(1)));
            assert!(matches!(found, Err(Error::NoSuchColumn { .. })), "{found:?}");
            assert!(matches!(
                s.find(&Hostile::query().order_by(name)),
                Err(Error::NoSuchColumn { .. })
            ));
            assert!(matches!(
                s.update(&Hostile::query().all(), [(name, 1)]),
                Err(Error::NoSuchColumn { .. })
            ));
        }
        assert_eq!(s.count(&Hostile::query()).unwrap(), 1);
        s.raw("SELECT a FROM Victim", &[]).exec().unwrap();
    }
}

#[test]
fn hostile_values_stay_values() {
    let mut engine = Engine::quiet("sqlite3", ":memory:").unwrap();
    let mut s = victim(&mut engine);
    let long = "'\"\0".repeat(350_000);
    for text in HOSTILE.into_iter().chain([long.as_str()]) {
        let mut record = Hostile { id: 0, text: text.into(), bytes: text.into() };
        s.insert(&mut record).unwrap();
        let column = "select \"x\" from '?'";
        let found = s.find(&Hostile::query().filter(col(column).eq(text))).unwrap();
        assert_eq!(found, [record]);
        assert_eq!(s.delete(&Hostile::query().filter(col(column).eq(text))).unwrap(), 1);
    }
    s.raw("SELECT a FROM Victim", &[]).exec().unwrap();
}
