//! Day 3: structs into rows and back. `day3_save_query [FILE]` leaves Tom, 18, and Sam, 25, in it.

mod demo;

use orm::{Engine, Model, Result};

#[derive(Model, Debug)]
struct User {
    #[model(primary_key)]
    name: String,
    age: i32,
}

fn main() -> Result<()> {
    let mut engine = Engine::open("sqlite3", &demo::fresh_file())?;
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
