//! Update and delete, by condition or by record (day 4).
//!
//! ```
//! use orm::{Error, Model, col, set};
//!
//! #[derive(Model, Debug)]
//! struct User { #[model(primary_key)] name: String, age: i32 }
//!
//! # fn main() -> orm::Result<()> {
//! # let mut engine = orm::Engine::quiet("sqlite3", ":memory:")?;
//! let mut session = engine.session();
//! session.create_table::<User>()?;
//! let mut tom = User { name: "Tom".into(), age: 18 };
//! session.insert(&mut tom)?;
//!
//! let toms = User::query().filter(col("Name").eq("Tom"));
//! assert_eq!(session.update(&toms, set("Age", 30))?, 1); // by columns
//! assert_eq!(session.update(&toms, [("Age", 31)])?, 1); // by pairs or a map
//! tom.age = 0;
//! session.save(&mut tom)?; // the whole record, zeros included
//!
//! // Without a condition it is refused, unless it is said that all are meant.
//! assert!(matches!(session.delete(&User::query()), Err(Error::MissingWhere)));
//! assert_eq!(session.delete(&User::query().all())?, 1);
//! # Ok(())
//! # }
//! ```
//!
//! # Where this differs from Go
//! - `Update()`, `Update("Age")` and `Update(1, 2)` panic there; here the first is an error and the others do not
//!   compile (ORM-12). The columns are set in the model's order, not in a map's random one.
//! - Two conditions are both meant (ORM-11).

use crate::clause::{Clause, Kind, Part};
use crate::condition::Operand;
use crate::{Condition, Error, Model, Query, Result, Row, Session, ToValue, Value, col};

/// Columns and their new values; see [`set`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Assignments(Vec<(String, Operand)>);

/// Sets a column: `set("Age", 30).set("Name", "Tom")`.
pub fn set(column: impl Into<String>, value: impl ToValue) -> Assignments {
    Assignments(Vec::new()).set(column, value)
}

impl Assignments {
    /// Sets another column, too.
    pub fn set(mut self, column: impl Into<String>, value: impl ToValue) -> Assignments {
        self.0.push((column.into(), Operand::new(&value)));
        self
    }

    /// In the order of the model, each column once.
    fn in_order<M: Model>(self) -> Result<Vec<(&'static str, Value)>> {
        let mut list = Vec::new();
        for (column, value) in self.0 {
            let field = M::SCHEMA.field(&column)?;
            let name = field.name;
            if list.iter().any(|(known, _)| *known == name) {
                return Err(Error::Misuse("update() sets a column twice"));
            }
            let value = value.value(name)?;
            field.check(&value)?; // SQLite would store a text in an integer column
            list.push((name, value));
        }
        if list.is_empty() {
            return Err(Error::Misuse("update() sets no column"));
        }
        list.sort_by_key(|(name, _)| M::SCHEMA.fields.iter().position(|field| field.name == *name));
        Ok(list)
    }
}

impl<N: Into<String>, V: ToValue, I: IntoIterator<Item = (N, V)>> From<I> for Assignments {
    fn from(pairs: I) -> Assignments {
        Assignments(
            pairs.into_iter().map(|(name, value)| (name.into(), Operand::new(&value))).collect(),
        )
    }
}

impl Session<'_> {
    /// Sets columns of the records that the query asks for; returns how many there were. With hooks the
    /// records are loaded, changed, and written one by one.
    ///
    /// # Errors
    /// [`Error::MissingWhere`]; [`Error::NoSuchColumn`]; [`Error::UniqueViolation`] and its like; a hook's.
    pub fn update<M: Model>(
        &mut self,
        query: &Query<M>,
        values: impl Into<Assignments>,
    ) -> Result<usize> {
        let values = values.into().in_order::<M>()?;
        if !M::HOOKED {
            let sql = query.change(Part::Update(M::SCHEMA, values), self.dialect())?;
            return self.execute(&sql.text, &sql.args);
        }
        query.check_change()?;
        self.atomically(|session| {
            let found = session.load(query)?;
            for record in &found {
                let key = key_condition(record)?;
                let mut changed = with_values(record, &values)?;
                changed.before_update(session)?;
                session.write_record(&changed, key)?;
                changed.after_update(session)?;
            }
            Ok(found.len())
        })
    }

    /// Writes a whole record over the row with its primary key.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no such row; those of [`Session::update`].
    pub fn save<M: Model>(&mut self, record: &mut M) -> Result<()> {
        let key = key_condition(record)?;
        self.atomically(|session| {
            record.before_update(session)?;
            if session.write_record(record, key)? == 0 {
                return Err(Error::NotFound);
            }
            record.after_update(session)
        })
    }

    /// Deletes the records that the query asks for; returns how many.
    ///
    /// # Errors
    /// [`Error::MissingWhere`]; [`Error::ForeignKey`]; what a hook says. Then none was deleted.
    pub fn delete<M: Model>(&mut self, query: &Query<M>) -> Result<usize> {
        let sql = query.change(Part::Delete(M::SCHEMA), self.dialect())?;
        if !M::HOOKED {
            return self.execute(&sql.text, &sql.args);
        }
        self.atomically(|session| {
            let found = session.load(query)?;
            found.iter().try_for_each(|record| record.before_delete(session))?;
            let count = session.execute(&sql.text, &sql.args)?;
            found.iter().try_for_each(|record| record.after_delete(session))?;
            Ok(count)
        })
    }

    /// Deletes the row with the record's primary key.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no such row; those of [`Session::delete`].
    pub fn remove<M: Model>(&mut self, record: &M) -> Result<()> {
        let query = M::query().filter(key_condition(record)?);
        let sql = query.change(Part::Delete(M::SCHEMA), self.dialect())?;
        self.atomically(|session| {
            record.before_delete(session)?;
            if session.execute(&sql.text, &sql.args)? == 0 {
                return Err(Error::NotFound);
            }
            record.after_delete(session)
        })
    }

    fn write_record<M: Model>(&mut self, record: &M, key: Condition) -> Result<usize> {
        let mut row = Vec::new();
        record.to_row(&mut row)?;
        let values = M::SCHEMA.fields.iter().map(|field| field.name).zip(row).collect();
        let mut clause = Clause::default();
        clause.set(Part::Update(M::SCHEMA, values));
        clause.set(Part::Where(key));
        let sql = clause.build(&M::SCHEMA, self.dialect(), &[Kind::Update, Kind::Where])?;
        self.execute(&sql.text, &sql.args)
    }
}

/// The condition that one record fulfils: its primary key.
fn key_condition<M: Model>(record: &M) -> Result<Condition> {
    let mut row = Vec::new();
    record.to_row(&mut row)?;
    let parts = M::SCHEMA.primary_key().map(|(at, field)| col(field.name).eq(&row[at]));
    let no_key = Error::Misuse("this model has no primary key; go by a query");
    parts.reduce(Condition::and).ok_or(no_key)
}

/// The record as it will be.
fn with_values<M: Model>(record: &M, values: &[(&str, Value)]) -> Result<M> {
    let mut row = Vec::new();
    record.to_row(&mut row)?;
    for (at, field) in M::SCHEMA.fields.iter().enumerate() {
        if let Some((_, value)) = values.iter().find(|(name, _)| *name == field.name) {
            row[at] = value.clone();
        }
    }
    M::from_row(&mut Row::new(&row))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Engine, desc};
    use std::collections::HashMap;

    #[derive(Model, Debug, PartialEq)]
    struct User {
        #[model(primary_key)]
        name: String,
        age: i32,
        city: Option<String>,
    }

    fn user(name: &str, age: i32) -> User {
        User { name: name.into(), age, city: None }
    }

    fn engine() -> Engine {
        let mut engine = Engine::quiet("sqlite3", ":memory:").unwrap();
        let mut s = engine.session();
        s.create_table::<User>().unwrap();
        s.insert_all(&mut [user("Tom", 18), user("Sam", 25)]).unwrap();
        drop(s);
        engine
    }

    #[test]
    fn update_sets_columns_in_the_models_order() {
        let mut engine = engine();
        let mut s = engine.session();
        let tom = User::query().filter(col("Name").eq("Tom"));
        assert_eq!(s.update(&tom, set("Age", 30)).unwrap(), 1);
        assert_eq!(s.first(&User::query().order_by(desc("Age"))).unwrap().age, 30);
        let map: HashMap<&str, &dyn ToValue> =
            [("City", &"Bern" as &dyn ToValue), ("Age", &31)].into();
        assert_eq!(s.update(&tom, map).unwrap(), 1);
        let want = User { name: "Tom".into(), age: 31, city: Some("Bern".into()) };
        assert_eq!(s.first(&tom).unwrap(), want);
        let order: Vec<_> = set("City", "x").set("Age", 1).in_order::<User>().unwrap();
        assert_eq!(order[0].0, "Age");
    }

    #[test]
    fn what_makes_no_sense_is_an_error_and_changes_nothing() {
        let mut engine = engine();
        let mut s = engine.session();
        let all = User::query().all();
        let nothing: [(&str, i32); 0] = [];
        assert!(matches!(s.update(&all, nothing), Err(Error::Misuse(_))));
        assert!(matches!(s.update(&all, set("Age", 1).set("Age", 2)), Err(Error::Misuse(_))));
        assert!(
            matches!(s.update(&all, set("Nope", 1)), Err(Error::NoSuchColumn { column, .. }) if column == "Nope")
        );
        let column_age =
            |result| matches!(result, Err(Error::TypeMismatch { column, .. }) if column == "Age");
        assert!(column_age(s.update(&all, set("Age", u64::MAX))));
        assert!(column_age(s.update(&all, set("Age", "old"))));
        assert!(column_age(s.update(&all, set("Age", None::<i32>))));
        assert!(matches!(s.update(&User::query(), set("Age", 1)), Err(Error::MissingWhere)));
        assert!(matches!(s.delete(&User::query()), Err(Error::MissingWhere)));
        assert_eq!(s.find(&User::query()).unwrap(), [user("Tom", 18), user("Sam", 25)]);
    }

    #[test]
    fn save_and_remove_go_by_the_key() {
        let mut engine = engine();
        let mut s = engine.session();
        s.save(&mut user("Tom", 0)).unwrap();
        assert_eq!(s.find(&User::query()).unwrap(), [user("Tom", 0), user("Sam", 25)]);
        assert!(matches!(s.save(&mut user("Eve", 1)), Err(Error::NotFound)));
        s.remove(&user("Tom", 99)).unwrap();
        assert!(matches!(s.remove(&user("Tom", 99)), Err(Error::NotFound)));
        assert_eq!(s.count(&User::query()).unwrap(), 1);
        assert_eq!(s.delete(&User::query().all()).unwrap(), 1);
    }
}
