//! Queries that are values: chained, kept, cloned, used twice (day 4).
//!
//! At the end of this chapter a [`Query`] says which records are meant, and leaves nothing behind in the session.
//! Eight minutes to read.
//!
//! # Why
//! Go chains on the session: `s.Where(...).Limit(1).Find(&users)`. The session is a pointer, so the chain
//! and the session are the same thing, and what one call leaves behind the next one finds; two
//! `Where` keep only the last (ORM-11). A [`Query`] is apart from the session:
//!
//! ```
//! use orm::{Model, col, desc};
//!
//! #[derive(Model, Debug, PartialEq, Clone)]
//! struct User {
//!     #[model(primary_key)]
//!     name: String,
//!     age: i32,
//! }
//!
//! # fn main() -> orm::Result<()> {
//! let mut engine = orm::Engine::quiet("sqlite3", ":memory:")?;
//! let mut session = engine.session();
//! session.create_table::<User>()?;
//! session.insert_all(&mut [User { name: "Tom".into(), age: 18 }, User { name: "Sam".into(), age: 25 }])?;
//!
//! let grown = User::query().filter(col("Age").ge(18)); // no session, no SQL yet
//! let eldest = grown.clone().order_by(desc("Age"));
//! assert_eq!(session.first(&eldest)?.name, "Sam");
//! assert_eq!(session.count(&grown)?, 2); // `grown` has learned no order
//! # Ok(())
//! # }
//! ```
//!
//! # The idea alone
//! ```
//! #[derive(Clone, Default)]
//! struct Query { conditions: Vec<&'static str>, limit: Option<u32> }
//!
//! impl Query {
//!     fn filter(mut self, text: &'static str) -> Query { self.conditions.push(text); self }
//!     fn limit(mut self, rows: u32) -> Query { self.limit = Some(rows); self }
//!     fn text(&self) -> String {
//!         let mut text = self.conditions.join(" AND ");
//!         if let Some(rows) = self.limit { text += &format!(" LIMIT {rows}"); }
//!         text
//!     }
//! }
//!
//! let grown = Query::default().filter("Age > 17");
//! let one = grown.clone().filter("Name = 'Tom'").limit(1);
//! assert_eq!(one.text(), "Age > 17 AND Name = 'Tom' LIMIT 1");
//! assert_eq!(grown.text(), "Age > 17");
//! ```
//!
//! # The walk
//! [`Query::filter`] joins a [`Condition`] to those that are there; each other method sets or lengthens one
//! [part](crate::clause::Part). [`Session::find`](crate::Session::find) has `Query::select` build the text,
//! [`Session::update`](crate::Session::update) and [`Session::delete`](crate::Session::delete) `Query::change`, which
//! first looks for a condition.
//!
//! # What the borrow checker says
//! A method that takes `&mut self` and returns `&mut Self` chains as well. But then `let q =
//! Query::default().filter(...)` keeps a reference into a value that dies at the semicolon: "temporary value
//! dropped while borrowed". Taking `self` and returning it moves the query along the chain; using the old
//! name afterwards is "use of moved value", and says `.clone()` where a copy is meant.
//!
//! # Where this differs from Go
//! - Two filters are both meant (ORM-11), and nothing is left over for the next call.
//! - An update or delete without a condition is an error; [`Query::all`] says that all are meant (ORM-12).
//! - Columns are checked against the model and quoted; other text goes through [`raw`](crate::raw) (ORM-13).
//!
//! # Try it
//! `cargo run -p orm --example day4_chain` prints, between its log lines:
//!
//! ```text
//! first: User { name: "Tom", age: 18 }
//! limit 1: 1 row
//! Age = 25: 2 rows
//! eldest: 25
//! update: 1 affected
//! eldest: 30
//! delete: 1 affected
//! count: 2
//! ```
//!
//! 1. `exercise_the_same_order_twice_is_written_once`: a column that was ordered by already decides nothing more.
//! 2. `exercise_two_nots_are_none`: `!!condition` is the [condition](crate::condition) itself.

use std::marker::PhantomData;

use crate::clause::{Clause, Expr, Kind, Part, Sql};
use crate::condition::{Condition, Raw};
use crate::{Dialect, Error, Model, Result};

/// Which records of a model.
#[derive(Debug)]
pub struct Query<M> {
    pub(crate) clause: Clause,
    pub(crate) all: bool,
    distinct: bool,
    model: PhantomData<fn() -> M>,
}

const READ: [Kind; 8] = [
    Kind::Select,
    Kind::Join,
    Kind::Where,
    Kind::GroupBy,
    Kind::Having,
    Kind::OrderBy,
    Kind::Limit,
    Kind::Offset,
];

impl<M> Clone for Query<M> {
    // Not derived, because a derive would ask for `M: Clone`.
    fn clone(&self) -> Self {
        Query {
            clause: self.clause.clone(),
            all: self.all,
            distinct: self.distinct,
            model: PhantomData,
        }
    }
}

impl<M: Model> Default for Query<M> {
    fn default() -> Self {
        Query { clause: Clause::default(), all: false, distinct: false, model: PhantomData }
    }
}

impl<M: Model> Query<M> {
    /// Only records that fulfil this, too.
    #[must_use]
    pub fn filter(mut self, condition: impl Into<Condition>) -> Self {
        let condition = match self.clause.take(Kind::Where) {
            Some(Part::Where(known)) => known.and(condition),
            _ => condition.into(),
        };
        self.clause.set(Part::Where(condition));
        self
    }

    /// Each record, and an update or delete of all is meant.
    #[must_use]
    pub fn all(mut self) -> Self {
        self.all = true;
        self
    }

    /// In this order; said again, among those that are equal so far.
    #[must_use]
    pub fn order_by(mut self, expr: impl Into<Expr>) -> Self {
        let mut order = match self.clause.take(Kind::OrderBy) {
            Some(Part::OrderBy(known)) => known,
            _ => Vec::new(),
        };
        order.push(expr.into());
        self.clause.set(Part::OrderBy(order));
        self
    }

    /// At most so many; the last word counts.
    #[must_use]
    pub fn limit(mut self, count: u64) -> Self {
        self.clause.set(Part::Limit(count));
        self
    }

    /// At most one of these: the offset stays, and so does a limit of 0.
    pub(crate) fn one(mut self) -> Self {
        let known = match self.clause.take(Kind::Limit) {
            Some(Part::Limit(known)) => known,
            _ => u64::MAX,
        };
        self.limit(known.min(1))
    }

    /// Without the first ones.
    #[must_use]
    pub fn offset(mut self, count: u64) -> Self {
        self.clause.set(Part::Offset(count));
        self
    }

    /// Each row of the result only once.
    #[must_use]
    pub fn distinct(mut self) -> Self {
        self.distinct = true;
        self
    }

    /// One row for all that are equal in this; for [`Session::scan`](crate::Session::scan).
    #[must_use]
    pub fn group_by(mut self, expr: impl Into<Expr>) -> Self {
        let mut exprs = match self.clause.take(Kind::GroupBy) {
            Some(Part::GroupBy(known)) => known,
            _ => Vec::new(),
        };
        exprs.push(expr.into());
        self.clause.set(Part::GroupBy(exprs));
        self
    }

    /// Only groups that fulfil this, too.
    #[must_use]
    pub fn having(mut self, condition: impl Into<Condition>) -> Self {
        let condition = match self.clause.take(Kind::Having) {
            Some(Part::Having(known)) => known.and(condition),
            _ => condition.into(),
        };
        self.clause.set(Part::Having(condition));
        self
    }

    /// Joined with another table: `raw("JOIN City ON City.ID = User.City")`.
    #[must_use]
    pub fn join(mut self, text: Raw) -> Self {
        let mut joins = match self.clause.take(Kind::Join) {
            Some(Part::Join(known)) => known,
            _ => Vec::new(),
        };
        joins.push(text);
        self.clause.set(Part::Join(joins));
        self
    }

    /// `SELECT columns FROM ...`
    pub(crate) fn select<'d>(
        &self,
        columns: Vec<Expr>,
        dialect: &'d dyn Dialect,
    ) -> Result<Sql<'d>> {
        let mut clause = self.clause.clone();
        clause.set(Part::Select { schema: M::SCHEMA, columns, distinct: self.distinct });
        clause.build(&M::SCHEMA, dialect, &READ)
    }

    /// The statement that changes these records.
    ///
    /// # Errors
    /// [`Error::MissingWhere`]; [`Error::Misuse`] where a part would be ignored.
    pub(crate) fn change<'d>(&self, part: Part, dialect: &'d dyn Dialect) -> Result<Sql<'d>> {
        self.check_change()?;
        let mut clause = self.clause.clone();
        clause.set(part);
        clause.build(&M::SCHEMA, dialect, &[Kind::Update, Kind::Delete, Kind::Where])
    }

    pub(crate) fn check_change(&self) -> Result<()> {
        let other = READ.iter().any(|kind| *kind != Kind::Where && self.clause.has(*kind));
        if other || self.distinct {
            return Err(Error::Misuse("an update or delete goes by filter() alone"));
        }
        if !self.all && !self.clause.has(Kind::Where) {
            return Err(Error::MissingWhere);
        }
        Ok(())
    }

    /// Whether a row of the result is a group, and not a record of the table.
    pub(crate) fn grouped(&self) -> bool {
        self.clause.has(Kind::GroupBy) || self.clause.has(Kind::Having)
    }

    /// Whether the number of rows depends on more than the condition.
    pub(crate) fn reshaped(&self) -> bool {
        let has = |kind| self.clause.has(kind);
        self.distinct || self.grouped() || has(Kind::Limit) || has(Kind::Offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Sqlite, col, desc, raw};

    #[derive(Model, Debug)]
    struct User {
        name: String,
        age: i32,
    }

    #[test]
    fn parts_come_out_in_sqls_order_and_conditions_add_up() {
        let query =
            User::query().limit(3).filter(col("Age").gt(1)).order_by(desc("Age")).order_by("Name");
        let query = query.filter(raw("Name = ? OR 1").bind("Tom")).offset(1);
        let sql = query.select(vec!["Name".into(), "Age".into()], &Sqlite).unwrap();
        let want = r#"SELECT "Name","Age" FROM "User" WHERE "Age" > ? AND (Name = ? OR 1) ORDER BY "Age" DESC, "Name" LIMIT ? OFFSET ?"#;
        assert_eq!(sql.text, want);
        assert_eq!(sql.args, [1.into(), "Tom".into(), 3.into(), 1.into()]);
    }

    #[test]
    fn groups_joins_and_distinct() {
        let query = User::query().distinct().join(raw("JOIN City ON City.ID = ?").bind(7));
        let query =
            query.group_by("Age").having(raw("count(*) > ?").bind(1)).filter(col("Name").eq("Tom"));
        let sql = query.select(vec!["Age".into(), raw("count(*)").into()], &Sqlite).unwrap();
        let want = r#"SELECT DISTINCT "User"."Age",count(*) FROM "User" JOIN City ON City.ID = ? WHERE "User"."Name" = ? GROUP BY "User"."Age" HAVING count(*) > ?"#;
        assert_eq!(sql.text, want);
        assert_eq!(sql.args, [7.into(), "Tom".into(), 1.into()]);
        let user = User { name: "x".into(), age: 1 };
        assert_eq!((user.name.as_str(), user.age), ("x", 1));
    }

    #[test]
    fn a_change_needs_a_condition_and_takes_nothing_else() {
        let delete = |query: Query<User>| {
            query.change(Part::Delete(User::SCHEMA), &Sqlite).map(|sql| sql.text)
        };
        assert!(matches!(delete(User::query()), Err(Error::MissingWhere)));
        assert!(matches!(delete(User::query().all().limit(1)), Err(Error::Misuse(_))));
        assert_eq!(delete(User::query().all()).unwrap(), r#"DELETE FROM "User""#);
        assert_eq!(
            delete(User::query().filter(col("Age").eq(1))).unwrap(),
            r#"DELETE FROM "User" WHERE "Age" = ?"#
        );
    }

    #[test]
    #[ignore = "an exercise: passes when you have solved it"]
    fn exercise_the_same_order_twice_is_written_once() {
        let query = User::query().order_by("Age").order_by(desc("Age"));
        let sql = query.select(vec!["Name".into()], &Sqlite).unwrap();
        assert_eq!(sql.text, r#"SELECT "Name" FROM "User" ORDER BY "Age""#);
    }
}
