//! Day 4: conditions, order and limit, update, delete and count. `day4_chain [FILE]` leaves Sam,
//! 25, and Jack, 25, in it: Tom was updated, and deleted.

mod demo;

use orm::{Engine, Model, Result, col, desc, set};

#[derive(Model, Debug)]
struct User {
    #[model(primary_key)]
    name: String,
    age: i32,
}

fn user(name: &str, age: i32) -> User {
    User { name: name.to_owned(), age }
}

fn main() -> Result<()> {
    let mut engine = Engine::open("sqlite3", &demo::fresh_file())?;
    let mut session = engine.session();
    session.create_table::<User>()?;
    session.insert_all(&mut [user("Tom", 18), user("Sam", 25)])?;

    println!("first: {:?}", session.first(&User::query().filter(col("Name").eq("Tom")))?);
    println!("limit 1: {} row", session.find(&User::query().limit(1))?.len());
    session.insert(&mut user("Jack", 25))?;
    let at_25 = User::query().filter(col("Age").eq(25));
    println!("Age = 25: {} rows", session.find(&at_25)?.len());
    let eldest = User::query().order_by(desc("Age"));
    println!("eldest: {}", session.first(&eldest)?.age);

    let tom = User::query().filter(col("Name").eq("Tom"));
    println!("update: {} affected", session.update(&tom, set("Age", 30))?);
    println!("eldest: {}", session.first(&eldest)?.age);
    println!("delete: {} affected", session.delete(&tom)?);
    println!("count: {}", session.count(&User::query())?);
    drop(session);
    engine.close();
    Ok(())
}
