//! Day 5: a model that changes itself on the way in and out. `day5_hooks [FILE]` leaves the
//! accounts 1001 and 1002 in it, passwords unmasked: the mask is put on when they are read.

mod demo;

use orm::{Engine, Hooks, Model, Result, Session};

#[derive(Model, Debug)]
#[model(hooks)]
struct Account {
    #[model(primary_key)]
    id: i64,
    password: String,
}

impl Hooks for Account {
    fn before_insert(&mut self, session: &mut Session<'_>) -> Result<()> {
        // So spelled in the tutorial, whose log lines these are.
        session.log().info(format_args!("before inert {self:?}"));
        self.id += 1000;
        Ok(())
    }

    fn after_query(&mut self, session: &mut Session<'_>) -> Result<()> {
        session.log().info(format_args!("after query {self:?}"));
        "******".clone_into(&mut self.password);
        Ok(())
    }
}

fn account(id: i64, password: &str) -> Account {
    Account { id, password: password.to_owned() }
}

fn main() -> Result<()> {
    let mut engine = Engine::open("sqlite3", &demo::fresh_file())?;
    let mut session = engine.session();
    session.create_table::<Account>()?;
    session.insert_all(&mut [account(1, "123456"), account(2, "qwerty")])?;
    let first = session.first(&Account::query())?;
    println!("{} {}", first.id, first.password);
    drop(session);
    engine.close();
    Ok(())
}
