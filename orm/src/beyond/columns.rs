//! Reading less than whole records: columns into tuples, and yes or no (beyond).
//!
//! ```
//! use orm::{Model, desc, raw};
//!
//! #[derive(Model)]
//! struct User { #[model(primary_key)] name: String, age: i32 }
//! # fn user(name: &str, age: i32) -> User { User { name: name.into(), age } }
//!
//! # fn main() -> orm::Result<()> {
//! # let mut engine = orm::Engine::quiet("sqlite3", ":memory:")?;
//! # let mut session = engine.session();
//! # session.create_table::<User>()?;
//! session.insert_all(&mut [user("Tom", 18), user("Sam", 25), user("Jack", 25)])?;
//! let names: Vec<String> = session.pluck(&User::query().order_by("Name"), "Name")?;
//! assert_eq!(names, ["Jack", "Sam", "Tom"]);
//!
//! let by_age = User::query().group_by("Age").having(raw("count(*) > ?").bind(1));
//! let groups: Vec<(i32, u64)> = session.scan(&by_age, ["Age".into(), raw("count(*)").into()])?;
//! assert_eq!(groups, [(25, 2)]);
//! # Ok(())
//! # }
//! ```

use crate::clause::{Expr, Kind, Part, desc};
use crate::schema::FromRow;
use crate::{Error, FromValue, Model, Query, Result, Session, raw};

impl Session<'_> {
    /// Columns, or texts, of the rows that the query asks for, each row as a tuple.
    ///
    /// # Errors
    /// [`Error::NoSuchColumn`]; [`Error::TypeMismatch`] with the column's number in the tuple.
    pub fn scan<M: Model, T: FromRow>(
        &mut self,
        query: &Query<M>,
        columns: impl IntoIterator<Item = Expr>,
    ) -> Result<Vec<T>> {
        let sql = query.select(columns.into_iter().collect(), self.dialect())?;
        let mut found = Vec::new();
        self.query(&sql.text, &sql.args, |mut row| {
            found.push(T::from_row(&mut row)?);
            Ok(true)
        })?;
        Ok(found)
    }

    /// One column of the rows that the query asks for.
    ///
    /// # Errors
    /// Those of [`Session::scan`].
    pub fn pluck<M: Model, T: FromValue>(
        &mut self,
        query: &Query<M>,
        column: impl Into<Expr>,
    ) -> Result<Vec<T>> {
        let rows: Vec<(T,)> = self.scan(query, [column.into()])?;
        Ok(rows.into_iter().map(|(value,)| value).collect())
    }

    /// Whether the query has any row, behind its offset and within its limit: whether [`Session::count`] is not 0.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn exists<M: Model>(&mut self, query: &Query<M>) -> Result<bool> {
        let rows: Vec<(i64,)> = self.scan(&query.clone().one(), [raw("1").into()])?;
        Ok(!rows.is_empty())
    }

    /// A record, whichever the database finds first behind the query's offset.
    ///
    /// # Errors
    /// [`Error::NotFound`], or those of [`Session::find`].
    pub fn take<M: Model>(&mut self, query: &Query<M>) -> Result<M> {
        self.find(&query.clone().one())?.pop().ok_or(Error::NotFound)
    }

    /// The last record: in the query's order, or else by the primary key. The order is turned around, so that an
    /// offset counts from the end, as in gorm: with `offset(2)` it is the last but two. Which rows a limit
    /// would have let through plays no role.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Misuse`] for an order by text, which cannot be turned around.
    pub fn last<M: Model>(&mut self, query: &Query<M>) -> Result<M> {
        let mut query = query.clone();
        let order = match query.clause.take(Kind::OrderBy) {
            Some(Part::OrderBy(exprs)) => exprs,
            _ => M::SCHEMA.primary_key().map(|(_, field)| field.name.into()).collect(),
        };
        for expr in order {
            query = query.order_by(match expr {
                Expr::Column(name) => desc(name),
                Expr::Desc(name) => Expr::Column(name),
                Expr::Raw(_) => {
                    return Err(Error::Misuse("last() cannot turn an order by text around"));
                }
            });
        }
        self.take(&query)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Engine, col};

    #[derive(Model, Debug, PartialEq)]
    struct User {
        #[model(primary_key)]
        name: String,
        age: i32,
    }

    #[test]
    fn first_last_take_exists_and_joins() {
        let mut engine = Engine::quiet("sqlite3", ":memory:").unwrap();
        let mut s = engine.session();
        s.create_table::<User>().unwrap();
        let user = |name: &str, age| User { name: name.into(), age };
        s.insert_all(&mut [user("Tom", 18), user("Sam", 25), user("Jack", 25)]).unwrap();
        assert_eq!(s.last(&User::query()).unwrap().name, "Tom");
        assert_eq!(
            s.last(&User::query().order_by("Age").order_by(desc("Name"))).unwrap().name,
            "Jack"
        );
        assert!(matches!(s.last(&User::query().order_by(raw("1"))), Err(Error::Misuse(_))));
        assert_eq!(s.take(&User::query().filter(col("Age").lt(20))).unwrap().name, "Tom");
        assert!(s.exists(&User::query()).unwrap());
        let none = User::query().filter(col("Age").is_in([1, 2]));
        assert!(!s.exists(&none).unwrap());
        assert!(matches!(s.take(&none), Err(Error::NotFound)));
        let none = User::query().limit(0);
        assert!(!s.exists(&none).unwrap());
        assert!(matches!(s.take(&none), Err(Error::NotFound)));
        assert!(matches!(s.last(&none), Err(Error::NotFound)));
        let behind = |rows| User::query().order_by("Name").limit(9).offset(rows);
        assert_eq!(s.take(&behind(2)).unwrap().name, "Tom");
        assert_eq!(s.last(&behind(2)).unwrap().name, "Jack");
        assert!(s.exists(&behind(2)).unwrap() && !s.exists(&behind(3)).unwrap());
        let ages: Vec<i64> = s.pluck(&User::query().distinct().order_by("Age"), "Age").unwrap();
        assert_eq!(ages, [18, 25]);
        assert_eq!(s.count(&User::query().distinct()).unwrap(), 3);
        let elder = User::query().join(raw("JOIN User AS other ON other.Age > User.Age"));
        let pairs: Vec<(String, String)> = s
            .scan(
                &elder.clone().order_by(raw("other.Name")),
                ["Name".into(), raw("other.Name").into()],
            )
            .unwrap();
        assert_eq!(pairs, [("Tom".into(), "Jack".into()), ("Tom".into(), "Sam".into())]);
        assert_eq!(s.count(&elder).unwrap(), 2);
        assert!(matches!(
            s.pluck::<_, i64>(&User::query(), "Name"),
            Err(Error::TypeMismatch { .. })
        ));
    }
}
