//! Upsert: insert a record, or write it over the row with its key (beyond).
//!
//! ```text
//!   INSERT INTO "User" ("Name","Age") VALUES (?, ?)
//!   ON CONFLICT ("Name") DO UPDATE SET "Age" = excluded."Age"
//! ```
//!
//! `excluded` is the row that was not inserted. The second line is the dialect's
//! ([`Dialect::upsert`](crate::Dialect::upsert)). The record's insert hooks run: the ORM cannot know which of the two happened.

use crate::clause::{Clause, Kind, Part};
use crate::{Error, Model, Result, Session, Value};

impl Session<'_> {
    /// Inserts the record, or writes it over the row with the same primary key.
    ///
    /// # Errors
    /// [`Error::Misuse`] for a model without a primary key, or a record whose key is yet to be
    /// generated; those of [`Session::insert`].
    pub fn upsert<M: Model>(&mut self, record: &mut M) -> Result<()> {
        self.atomically(|session| {
            record.before_insert(session)?;
            session.upsert_row(record)?;
            record.after_insert(session)
        })
    }

    fn upsert_row<M: Model>(&mut self, record: &M) -> Result<()> {
        let (schema, dialect) = (M::SCHEMA, self.dialect());
        let mut row = Vec::new();
        record.to_row(&mut row)?;
        let unset = |at: usize| matches!(row[at], Value::Null | Value::Integer(0));
        if schema.generated().is_some_and(unset) {
            return Err(Error::Misuse("upsert() needs the key; insert() has it generated"));
        }
        let width = row.len();
        let mut clause = Clause::default();
        clause.set(Part::Insert(schema, (0..width).collect()));
        clause.set(Part::Values(width, row));
        let mut sql = clause.build(&schema, dialect, &[Kind::Insert, Kind::Values])?;
        let names = |key| {
            let fields = schema.fields.iter().filter(move |field| field.primary_key == key);
            fields.map(|field| field.name).collect::<Vec<_>>()
        };
        if names(true).is_empty() {
            return Err(Error::Misuse("upsert() needs a primary key"));
        }
        sql.text.push(' ');
        dialect.upsert(&names(true), &names(false), &mut sql.text);
        self.execute(&sql.text, &sql.args).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Engine;

    #[derive(Model, Debug, PartialEq)]
    struct User {
        #[model(primary_key)]
        name: String,
        age: i32,
    }

    #[derive(Model)]
    struct Word {
        #[model(primary_key)]
        word: String,
    }

    #[derive(Model)]
    struct Line {
        text: String,
    }

    #[derive(Model)]
    struct Ticket {
        #[model(primary_key)]
        id: i64,
    }

    #[test]
    fn a_row_is_inserted_once_and_written_over_after_that() {
        let mut engine = Engine::quiet("sqlite3", ":memory:").unwrap();
        let mut s = engine.session();
        s.create_table::<User>().unwrap();
        s.create_table::<Word>().unwrap();
        for age in [18, 30] {
            s.upsert(&mut User { name: "Tom".into(), age }).unwrap();
            s.upsert(&mut Word { word: "a".into() }).unwrap();
        }
        assert_eq!(s.find(&User::query()).unwrap(), [User { name: "Tom".into(), age: 30 }]);
        assert_eq!(s.find(&Word::query()).unwrap()[0].word, "a");
        let line = &mut Line { text: String::new() };
        assert!(matches!(s.upsert(line), Err(Error::Misuse(_))));
        assert!(line.text.is_empty());
        let unset = &mut Ticket { id: 0 };
        assert!(matches!(s.upsert(unset), Err(Error::Misuse(_))));
        assert_eq!(unset.id, 0);
    }
}
