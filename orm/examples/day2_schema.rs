//! Day 2: a table from a struct. `day2_schema [FILE]` leaves an empty table User in it.

mod demo;

use orm::{Engine, Model, Result};

#[derive(Model)]
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
    println!("table {} exists: {}", User::SCHEMA.table, session.has_table::<User>()?);
    for field in User::SCHEMA.fields {
        let key = if field.primary_key { " PRIMARY KEY" } else { "" };
        println!("{} {}{key}", field.name, session.dialect().data_type(field));
    }
    // The other direction needs no database: a struct is a row.
    let mut row = Vec::new();
    User { name: "Tom".to_owned(), age: 18 }.to_row(&mut row)?;
    println!("{row:?}");
    drop(session);
    engine.close();
    Ok(())
}
