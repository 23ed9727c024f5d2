//! What the ORM costs over the bare engine: `cargo bench -p orm --bench orm`.
//!
//! Each figure is the best of several runs over a memory database, with the log off; both sides
//! do their work in one transaction, on statements that are prepared once.

use std::hint::black_box;
use std::time::{Duration, Instant};

use orm::{Engine, Model, Result, sql};

const ROWS: i64 = 10_000;
const RUNS: usize = 15;

#[derive(Model, Debug)]
struct User {
    #[model(primary_key)]
    id: i64,
    name: String,
    age: i32,
}

fn users() -> Vec<User> {
    (1..=ROWS).map(|id| User { id, name: format!("user{id}"), age: 25 }).collect()
}

const TABLE: &str = "CREATE TABLE User(ID integer PRIMARY KEY, Name text, Age integer)";

fn bare() -> sql::Result<(Duration, Duration)> {
    let db = sql::Connection::memory()?;
    db.execute(TABLE, &[])?;
    let users = users();
    let start = Instant::now();
    db.execute("BEGIN", &[])?;
    let mut insert = db.prepare("INSERT INTO User(ID, Name, Age) VALUES (?, ?, ?)")?;
    for user in &users {
        insert.bind(1, user.id)?;
        insert.bind(2, user.name.as_str())?;
        insert.bind(3, i64::from(user.age))?;
        insert.execute()?;
    }
    db.execute("COMMIT", &[])?;
    let inserted = start.elapsed();

    let start = Instant::now();
    let mut select = db.prepare("SELECT ID, Name, Age FROM User")?;
    let mut rows = select.query()?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let age: i64 = row.get(2)?;
        let age = i32::try_from(age).map_err(|_| sql::Error::Mismatch)?;
        found.push(User { id: row.get(0)?, name: row.get(1)?, age });
    }
    black_box(found);
    Ok((inserted, start.elapsed()))
}

fn mapped() -> Result<(Duration, Duration)> {
    let mut engine = Engine::quiet("sqlite3", ":memory:")?;
    let mut session = engine.session();
    session.raw(TABLE, &[]).exec()?;
    let mut users = users();
    let start = Instant::now();
    session.insert_all(&mut users)?;
    let inserted = start.elapsed();
    let start = Instant::now();
    black_box(session.find(&User::query())?);
    Ok((inserted, start.elapsed()))
}

fn main() {
    let best = |run: &dyn Fn() -> (Duration, Duration)| {
        let runs: Vec<_> = (0..RUNS).map(|_| run()).collect();
        let least = |times: &mut dyn Iterator<Item = Duration>| times.min().unwrap_or_default();
        (least(&mut runs.iter().map(|r| r.0)), least(&mut runs.iter().map(|r| r.1)))
    };
    let bare = best(&|| bare().expect("the engine runs"));
    let mapped = best(&|| mapped().expect("the ORM runs"));
    for (what, engine, orm) in [("insert", bare.0, mapped.0), ("find", bare.1, mapped.1)] {
        let factor = orm.as_secs_f64() / engine.as_secs_f64();
        println!("{what} {ROWS} structs: engine {engine:.2?}, orm {orm:.2?}, {factor:.2}x");
    }
}
