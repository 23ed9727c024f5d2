//! Day 7: the table of yesterday follows the struct of today. `day7_migrate [FILE]` leaves
//! User(Name, Age) in it, with its PRIMARY KEY and with Tom and Sam, who were there before.

mod demo;

use orm::{Engine, Migration, Model, Result};

#[derive(Model, Debug)]
struct User {
    #[model(primary_key)]
    name: String,
    age: i32,
}

fn main() -> Result<()> {
    let mut engine = Engine::open("sqlite3", &demo::fresh_file())?;
    let mut session = engine.session();
    session.raw("DROP TABLE IF EXISTS User;", &[]).exec()?;
    session.raw("CREATE TABLE User(Name text PRIMARY KEY, XXX integer);", &[]).exec()?;
    session.raw("INSERT INTO User(`Name`) values (?), (?)", &[&"Tom", &"Sam"]).exec()?;

    // XXX goes: that has to be allowed.
    let migration = Migration::<User>::new().allow_drop();
    println!("dry run:\n  {}", migration.dry_run(&mut session)?.join("\n  "));
    migration.run(&mut session)?;
    for User { name, age } in session.find(&User::query())? {
        println!("{name} is {age}");
    }
    drop(session);
    engine.close();
    Ok(())
}
