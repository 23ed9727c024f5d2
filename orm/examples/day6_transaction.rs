//! Day 6: one transaction that fails and one that does not. `day6_transaction [FILE]` leaves Tom in it.

mod demo;

use orm::{Engine, Error, Model, Result};

#[derive(Model, Debug)]
struct User {
    #[model(primary_key)]
    name: String,
    age: i32,
}

fn main() -> Result<()> {
    let mut engine = Engine::open("sqlite3", &demo::fresh_file())?;
    let tom = || User { name: "Tom".to_owned(), age: 18 };

    let failed = engine.transaction(|tx| {
        tx.create_table::<User>()?;
        tx.insert(&mut tom())?;
        Err::<(), _>(Error::abort("Error"))
    });
    println!("failed: {failed:?}, table exists: {}", engine.session().has_table::<User>()?);

    engine.transaction(|tx| {
        tx.create_table::<User>()?;
        tx.insert(&mut tom())
    })?;
    let User { name, age } = engine.session().first(&User::query())?;
    println!("stored: {name}, {age}");
    engine.close();
    Ok(())
}
