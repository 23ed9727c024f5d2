//! What the ORM costs over the bare engine: `cargo bench -p orm --bench orm`.
//!
//! Both sides do their work in one transaction over a memory database, on statements that are
//! prepared once, with the log off. They take turns, so that a busy machine slows down both; each
//! figure is the best of its runs. The aim is at most 1.3 times the engine's time.

use std::hint::black_box;
use std::time::{Duration, Instant};

use orm::{Engine, Model, Result, sql};

const ROWS: i64 = 10_000;
const RUNS: usize = 25;

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

/// Inserts all, and finds all.
fn bare() -> sql::Result<[Duration; 2]> {
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
    Ok([inserted, start.elapsed()])
}

/// The same by the ORM, and the inserts once more, one call for each record.
fn mapped() -> Result<[Duration; 3]> {
    let mut engine = Engine::quiet("sqlite3", ":memory:")?;
    let mut session = engine.session();
    session.raw(TABLE, &[]).exec()?;
    let mut users = users();
    let start = Instant::now();
    session.insert_all(&mut users)?;
    let inserted = start.elapsed();
    let start = Instant::now();
    black_box(session.find(&User::query())?);
    let found = start.elapsed();

    session.delete(&User::query().all())?;
    let start = Instant::now();
    session.transaction(|tx| users.iter_mut().try_for_each(|user| tx.insert(user)))?;
    Ok([inserted, found, start.elapsed()])
}

fn main() {
    let mut best = [Duration::MAX; 5];
    for _ in 0..RUNS {
        let bare = bare().expect("the engine runs");
        let mapped = mapped().expect("the ORM runs");
        for (least, took) in best.iter_mut().zip(bare.into_iter().chain(mapped)) {
            *least = took.min(*least);
        }
    }
    let [insert, find, all, found, each] = best;
    for (what, engine, orm) in
        [("insert_all", insert, all), ("insert one by one", insert, each), ("find", find, found)]
    {
        let factor = orm.as_secs_f64() / engine.as_secs_f64();
        println!("{what}, {ROWS} structs: engine {engine:.2?}, orm {orm:.2?}, {factor:.2}x");
    }
}
