//! Day 1: raw SQL through an engine and a session. `day1_database_sql [FILE]` leaves Tom and Sam in it.

mod demo;

use orm::{Engine, Result};

fn main() -> Result<()> {
    let mut engine = Engine::open("sqlite3", &demo::fresh_file())?;
    let mut session = engine.session();
    session.raw("DROP TABLE IF EXISTS User;", &[]).exec()?;
    session.raw("CREATE TABLE User(Name text);", &[]).exec()?;
    // On purpose: the log shows what an error looks like.
    let _ = session.raw("CREATE TABLE User(Name text);", &[]).exec();
    let insert = "INSERT INTO User(`Name`) values (?), (?)";
    let count = session.raw(insert, &[&"Tom", &"Sam"]).exec()?;
    println!("Exec success, {count} affected");
    drop(session);
    engine.close();
    Ok(())
}
