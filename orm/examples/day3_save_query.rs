//! Day 3: structs into rows and back. `day3_save_query [FILE]` leaves Tom, 18, and Sam, 25, in it.

use std::fs;

use orm::{Engine, Model, Result};

#[derive(Model, Debug)]
struct User {
    #[model(primary_key)]
    name: String,
    age: i32,
}

fn main() -> Result<()> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "gee.db".to_owned());
    let _ = fs::remove_file(&path); // made anew
    let mut engine = Engine::open("sqlite3", &path)?;
    let mut session = engine.session();
    session.drop_table::<User>()?;
    session.create_table::<User>()?;
    let mut users =
        [User { name: "Tom".to_owned(), age: 18 }, User { name: "Sam".to_owned(), age: 25 }];
    println!("{} affected", session.insert_all(&mut users)?);
    for User { name, age } in session.find(&User::query())? {
        println!("{name} is {age}");
    }
    drop(session);
    engine.close();
    Ok(())
}
