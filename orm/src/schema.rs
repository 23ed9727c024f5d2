//! The model: a struct, and the table that it is (day 2).
//!
//! At the end of this chapter a table is made from a struct. Ten minutes to read.
//!
//! # Why
//! Go's program looks at a struct while it runs: `reflect` tells it the names, the types and the tags of
//! the fields. Learners call it foggy. Rust has no such thing, and needs none: what a table is made of
//! is known when the program is compiled. So it is written down, once, as an `impl`:
//!
//! ```
//! use orm::{Field, Hooks, Model, Result, Row, Schema, Value};
//!
//! struct User { name: String, age: i32 }
//!
//! impl Hooks for User {} // day 5
//!
//! impl Model for User {
//!     const SCHEMA: Schema = Schema::new("User", &[
//!         Field::of::<String>("Name").primary_key(),
//!         Field::of::<i32>("Age"),
//!     ]);
//!     const HOOKED: bool = false;
//!
//!     fn to_row(&self, row: &mut Vec<Value>) -> Result<()> {
//!         Self::put(row, "Name", &self.name)?;
//!         Self::put(row, "Age", &self.age)
//!     }
//!
//!     fn from_row(row: &mut Row<'_>) -> Result<User> {
//!         Ok(User { name: row.read("Name")?, age: row.read("Age")? })
//!     }
//! }
//!
//! assert_eq!(User::SCHEMA.create_table(&orm::Sqlite),
//!     r#"CREATE TABLE "User" ("Name" text PRIMARY KEY,"Age" integer );"#);
//! ```
//!
//! # The derive
//! That is dull to type for twenty structs, so a program types it: [`#[derive(Model)]`](derive@crate::Model)
//! reads the struct's tokens and writes both `impl`s above, and [`Model::set_id`] where there is one primary key.
//!
//! ```
//! use orm::Model;
//!
//! #[derive(Model)]
//! struct User {
//!     #[model(primary_key)]
//!     name: String,
//!     age: i32,
//! }
//! let columns: Vec<&str> = User::SCHEMA.fields.iter().map(|field| field.name).collect();
//! assert_eq!((User::SCHEMA.table, columns), ("User", vec!["Name", "Age"]));
//! ```
//!
//! It lives in three short files in `orm/derive`, and uses only `proc_macro`, the compiler's own; its front page shows
//! the text that it writes. Names become Go's forms: the field `user_name` is the column `UserName`, `id` is `ID`.
//! With `#[model(snake_case)]` columns are called as their fields, and the table of `UserName` is `user_name`.
//!
//! | on a field | meaning |
//! |---|---|
//! | `primary_key`, `unique`, `not_null` | that constraint |
//! | `default = "18"` | `DEFAULT 18`: SQL text, so texts are `"'x'"` |
//! | `index`, `index = "name"` | an index; columns with one name share it, in order |
//! | `column = "age"` | another name |
//! | `constraint = "CHECK (Age > 0)"` | any more SQL text |
//! | `skip` | no column; read back as `Default` |
//!
//! On the struct: `table = "users"`, `snake_case`, `hooks` (the struct writes its own `impl Hooks`), and `constraint = "UNIQUE (a, b)"`.
//!
//! # The idea alone
//! ```
//! struct Field { name: &'static str, kind: &'static str, constraint: &'static str }
//! trait Model { const TABLE: &'static str; const FIELDS: &'static [Field]; }
//!
//! fn create_table<M: Model>() -> String {
//!     let column = |f: &Field| format!("{} {} {}", f.name, f.kind, f.constraint);
//!     let columns: Vec<String> = M::FIELDS.iter().map(column).collect();
//!     format!("CREATE TABLE {} ({});", M::TABLE, columns.join(","))
//! }
//!
//! struct User;
//! impl Model for User {
//!     const TABLE: &'static str = "User";
//!     const FIELDS: &'static [Field] = &[
//!         Field { name: "Name", kind: "text", constraint: "PRIMARY KEY" },
//!         Field { name: "Age", kind: "integer", constraint: "" },
//!     ];
//! }
//! assert_eq!(create_table::<User>(), "CREATE TABLE User (Name text PRIMARY KEY,Age integer );");
//! ```
//!
//! # The walk
//! [`Session::create_table`] asks [`Schema::create_table`] for the text; that asks the [`Dialect`] for the type of each
//! [`Field`], whose [`Kind`] the [field's type](crate::field) has told to [`Field::of`]. [`Model::to_row`] and
//! [`Model::from_row`] are the two directions of a record; [`Row::read`] names the column in its error.
//!
//! # What the borrow checker says
//! A schema is a `const`: text and slices that live as long as the program (`&'static`), so nothing is parsed
//! when the program runs, nothing is locked, and two schemas of one type cannot exist. In Go the table's name was lost
//! between two ways of asking (ORM-6).
//!
//! # Where this differs from Go
//! - A model without a schema does not compile (`Model is not set` is gone, ORM-5).
//! - [`Session::has_table`] returns the error instead of "no" (ORM-15).
//!
//! # Try it
//! `cargo run -p orm --example day2_schema` prints, between its log lines:
//!
//! ```text
//! table User exists: true
//! Name text PRIMARY KEY
//! Age integer
//! [Text("Tom"), Integer(18)]
//! ```
//!
//! 1. `exercise_a_schema_finds_fields_in_any_case`: SQL names have no case; let [`Schema::field`] think so, too.
//! 2. `exercise_a_whole_real_is_an_integer`: a REAL column gives 18.0; let an integer field take what is whole and fits
//!    (see [`crate::field`]).

use crate::field::{Column, FromValue, Kind, ToValue};
use crate::{Dialect, Error, Hooks, Query, Result, Session, Value};

/// A struct that is a row of a table.
pub trait Model: Hooks + Sized {
    /// The table.
    const SCHEMA: Schema;

    /// Whether [`Hooks`] does anything here: only then are the records of an update or delete by
    /// condition loaded first. There is no default, so that nobody forgets it.
    const HOOKED: bool;

    /// Appends the fields' values, in the order of the schema.
    ///
    /// # Errors
    /// [`Error::TypeMismatch`] for a value that no database stores.
    fn to_row(&self, row: &mut Vec<Value>) -> Result<()>;

    /// Reads the fields, in the order of the schema.
    ///
    /// # Errors
    /// [`Error::TypeMismatch`] for a value that its field cannot hold.
    fn from_row(row: &mut Row<'_>) -> Result<Self>;

    /// Takes the id that the database has chosen. The default forgets it.
    ///
    /// # Errors
    /// [`Error::TypeMismatch`] where it does not fit.
    fn set_id(&mut self, _id: i64) -> Result<()> {
        Ok(())
    }

    /// All records, to be narrowed down.
    #[must_use]
    fn query() -> Query<Self> {
        Query::default()
    }

    /// Appends one value; its error names the column.
    ///
    /// # Errors
    /// [`Error::TypeMismatch`]
    fn put(row: &mut Vec<Value>, column: &str, value: &impl ToValue) -> Result<()> {
        row.push(value.to_value().map_err(|error| named(error, column))?);
        Ok(())
    }
}

/// A table: its name, its columns in order, and what else it says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// The table's name.
    pub table: &'static str,
    /// The columns.
    pub fields: &'static [Field],
    /// Constraints of the whole table, as SQL text.
    pub constraints: &'static [&'static str],
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether the field is an `Option`.
    pub nullable: bool,
    /// PRIMARY KEY, alone or with others.
    pub primary_key: bool,
    /// UNIQUE.
    pub unique: bool,
    /// NOT NULL.
    pub not_null: bool,
    /// DEFAULT, as SQL text.
    pub default: Option<&'static str>,
    /// The index it belongs to; an empty name is `idx_TABLE_COLUMN`.
    pub index: Option<&'static str>,
    /// More SQL text.
    pub constraint: &'static str,
    /// Whether the field can hold a value.
    check: fn(&Value) -> Result<()>,
}

impl Schema {
    /// A table of these columns.
    #[must_use]
    pub const fn new(table: &'static str, fields: &'static [Field]) -> Schema {
        Schema { table, fields, constraints: &[] }
    }

    /// With constraints of the whole table.
    #[must_use]
    pub const fn constraints(mut self, constraints: &'static [&'static str]) -> Schema {
        self.constraints = constraints;
        self
    }

    /// The column of this name.
    ///
    /// # Errors
    /// [`Error::NoSuchColumn`]
    pub fn field(&self, name: &str) -> Result<&'static Field> {
        let found = self.fields.iter().find(|field| field.name == name);
        found.ok_or_else(|| Error::no_column(name))
    }

    /// The columns of the primary key, with their places.
    pub fn primary_key(&self) -> impl Iterator<Item = (usize, &'static Field)> {
        self.fields.iter().enumerate().filter(|(_, field)| field.primary_key)
    }

    /// The one integer PRIMARY KEY, which the database fills in: its place.
    pub(crate) fn generated(&self) -> Option<usize> {
        let mut key = self.primary_key();
        let (at, field) = key.next().filter(|_| self.primary_key().count() == 1)?;
        matches!(field.kind, Kind::Int | Kind::BigInt).then_some(at)
    }

    /// `CREATE TABLE "User" ("Name" text PRIMARY KEY,"Age" integer );`
    #[must_use]
    pub fn create_table(&self, dialect: &dyn Dialect) -> String {
        self.create_table_as(self.table, dialect)
    }

    pub(crate) fn create_table_as(&self, table: &str, dialect: &dyn Dialect) -> String {
        let mut parts: Vec<_> = self.fields.iter().map(|f| self.column(f, dialect)).collect();
        if self.primary_key().count() > 1 {
            let key: Vec<_> = self.primary_key().map(|(_, f)| quoted(dialect, f.name)).collect();
            parts.push(format!("PRIMARY KEY ({})", key.join(",")));
        }
        parts.extend(self.constraints.iter().map(|text| (*text).to_owned()));
        format!("CREATE TABLE {} ({});", quoted(dialect, table), parts.join(","))
    }

    /// A column as CREATE TABLE and ADD COLUMN want it: name, type, constraints, with a blank
    /// between each two, even where there are no constraints, as in the tutorial.
    pub(crate) fn column(&self, field: &Field, dialect: &dyn Dialect) -> String {
        let mut words = Vec::new();
        if field.primary_key && self.primary_key().count() == 1 {
            words.push("PRIMARY KEY".to_owned());
        }
        if field.not_null {
            words.push("NOT NULL".to_owned());
        }
        if field.unique {
            words.push("UNIQUE".to_owned());
        }
        words.extend(field.default.map(|text| format!("DEFAULT {text}")));
        if !field.constraint.is_empty() {
            words.push(field.constraint.to_owned());
        }
        // A part of a longer key is a column like others: the database does not fill it in.
        let mut alone = *field;
        alone.primary_key &= self.primary_key().count() == 1;
        let name = quoted(dialect, field.name);
        format!("{name} {} {}", dialect.data_type(&alone), words.join(" "))
    }

    /// The indexes that the fields name, each with its CREATE INDEX.
    pub(crate) fn indexes(&self, dialect: &dyn Dialect) -> Vec<(String, String)> {
        let mut indexes: Vec<(String, Vec<String>)> = Vec::new();
        for field in self.fields {
            let name = match field.index {
                None => continue,
                Some("") => format!("idx_{}_{}", self.table, field.name),
                Some(name) => name.to_owned(),
            };
            let column = quoted(dialect, field.name);
            match indexes.iter_mut().find(|(known, _)| *known == name) {
                Some((_, columns)) => columns.push(column),
                None => indexes.push((name, vec![column])),
            }
        }
        let table = quoted(dialect, self.table);
        let create = |(name, columns): (String, Vec<String>)| {
            let sql = format!(
                "CREATE INDEX {} ON {table} ({});",
                quoted(dialect, &name),
                columns.join(",")
            );
            (name, sql)
        };
        indexes.into_iter().map(create).collect()
    }
}

impl Field {
    /// A column for fields of type `T`.
    #[must_use]
    pub const fn of<T: Column>(name: &'static str) -> Field {
        Field {
            name,
            kind: T::KIND,
            nullable: T::NULLABLE,
            primary_key: false,
            unique: false,
            not_null: false,
            default: None,
            index: None,
            constraint: "",
            check: |value| T::from_value(value).map(drop),
        }
    }

    /// Whether the field can hold this value: what an update writes must be readable afterwards.
    pub(crate) fn check(&self, value: &Value) -> Result<()> {
        (self.check)(value).map_err(|error| named(error, self.name))
    }

    /// PRIMARY KEY; more than one such field make a key together.
    #[must_use]
    pub const fn primary_key(mut self) -> Field {
        self.primary_key = true;
        self
    }

    /// UNIQUE.
    #[must_use]
    pub const fn unique(mut self) -> Field {
        self.unique = true;
        self
    }

    /// NOT NULL.
    #[must_use]
    pub const fn not_null(mut self) -> Field {
        self.not_null = true;
        self
    }

    /// DEFAULT, as SQL text: `"18"`, `"'x'"`.
    #[must_use]
    pub const fn default(mut self, sql: &'static str) -> Field {
        self.default = Some(sql);
        self
    }

    /// In the index of this name; an empty name is `idx_TABLE_COLUMN`.
    #[must_use]
    pub const fn index(mut self, name: &'static str) -> Field {
        self.index = Some(name);
        self
    }

    /// With more SQL text, such as `CHECK (Age > 0)`.
    #[must_use]
    pub const fn constraint(mut self, sql: &'static str) -> Field {
        self.constraint = sql;
        self
    }
}

/// The name as an identifier of the dialect.
pub(crate) fn quoted(dialect: &(impl Dialect + ?Sized), name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 2);
    dialect.quote(name, &mut out);
    out
}

/// One row of a result, read from left to right.
#[derive(Debug)]
pub struct Row<'r> {
    rest: std::slice::Iter<'r, Value>,
}

impl<'r> Row<'r> {
    pub(crate) fn new(values: &'r [Value]) -> Row<'r> {
        Row { rest: values.iter() }
    }

    /// The next value, as a type of Rust's; `column` names it in the error.
    ///
    /// # Errors
    /// [`Error::TypeMismatch`], also where the row has ended.
    pub fn read<T: FromValue>(&mut self, column: &str) -> Result<T> {
        let value =
            self.rest.next().ok_or_else(|| Error::mismatch(column, "the row ends before it"))?;
        T::from_value(value).map_err(|error| named(error, column))
    }
}

/// The error, with the column that only the caller knows in place of its `?`.
pub(crate) fn named(error: Error, name: &str) -> Error {
    match error {
        Error::TypeMismatch { what, .. } => Error::mismatch(name, what),
        other => other,
    }
}

/// What a row of a result can be made into: a model, or a tuple of up to eight values.
pub trait FromRow: Sized {
    /// Makes it.
    ///
    /// # Errors
    /// [`Error::TypeMismatch`]
    fn from_row(row: &mut Row<'_>) -> Result<Self>;
}

impl<M: Model> FromRow for M {
    fn from_row(row: &mut Row<'_>) -> Result<M> {
        <M as Model>::from_row(row)
    }
}

macro_rules! tuples {
    ($(($($name:ident $number:literal),+))*) => { $(
        impl<$($name: FromValue),+> FromRow for ($($name,)+) {
            fn from_row(row: &mut Row<'_>) -> Result<Self> {
                Ok(($(row.read::<$name>($number)?,)+))
            }
        }
    )* };
}

tuples! {
    (A "1")
    (A "1", B "2")
    (A "1", B "2", C "3")
    (A "1", B "2", C "3", D "4")
    (A "1", B "2", C "3", D "4", E "5")
    (A "1", B "2", C "3", D "4", E "5", F "6")
    (A "1", B "2", C "3", D "4", E "5", F "6", G "7")
    (A "1", B "2", C "3", D "4", E "5", F "6", G "7", H "8")
}

impl Session<'_> {
    /// Makes the model's table and its indexes.
    ///
    /// # Errors
    /// The table exists, or its SQL text is wrong.
    pub fn create_table<M: Model>(&mut self) -> Result<()> {
        let dialect = self.dialect();
        self.raw(&M::SCHEMA.create_table(dialect), &[]).exec()?;
        for (_, sql) in M::SCHEMA.indexes(dialect) {
            self.raw(&sql, &[]).exec()?;
        }
        Ok(())
    }

    /// Drops the model's table, if there is one.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn drop_table<M: Model>(&mut self) -> Result<()> {
        let sql = format!("DROP TABLE IF EXISTS {}", quoted(self.dialect(), M::SCHEMA.table));
        self.raw(&sql, &[]).exec().map(drop)
    }

    /// Whether the model's table exists.
    ///
    /// # Errors
    /// Whatever the database says; in Go that was a "no".
    pub fn has_table<M: Model>(&mut self) -> Result<bool> {
        let sql = self.dialect().table_exists();
        match self.raw(sql, &[&M::SCHEMA.table]).query_row::<(String,)>() {
            Ok(_) => Ok(true),
            Err(Error::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests;
