//! The dialect: all that databases spell differently, in one trait (day 2).
//!
//! At the end of this chapter no other module knows that SQLite quotes with `"` or calls an
//! integer `integer`. Five minutes to read.
//!
//! | what | SQLite | PostgreSQL would say |
//! |---|---|---|
//! | [`Dialect::quote`] | `"Group"` | the same; `MySQL` has backticks |
//! | [`Dialect::placeholder`] | `?` | `$1`, `$2` |
//! | [`Dialect::data_type`] | `integer`, `text` | `bigint`, `text`, `bytea` |
//! | [`Dialect::bind_limit`] | 32,766 | 65,535 |
//! | [`Dialect::returning`] | `RETURNING "ID"` | the same |
//! | [`Dialect::upsert`] | `ON CONFLICT ... DO UPDATE` | the same; `MySQL` has `ON DUPLICATE KEY` |
//! | [`Dialect::table_exists`] | asks `sqlite_master` | asks `information_schema.tables` |
//!
//! # Quoting
//! All names are quoted, always. Go's text is `SELECT Name FROM User`, ours `SELECT "Name" FROM "User"`, and this
//! is the one deviation from its SQL: a table `Order` or a column `Group` needs it (ORM-13), and a
//! hostile name stays a name.
//!
//! # The idea alone
//! ```
//! fn quote(name: &str) -> String {
//!     format!("\"{}\"", name.replace('"', "\"\""))
//! }
//! assert_eq!(quote("Order"), "\"Order\"");
//! assert_eq!(quote("x\"; DROP TABLE y; --"), "\"x\"\"; DROP TABLE y; --\""); // still one name
//! ```
//!
//! # Where this differs from Go
//! - No global registry: a driver names its dialect (ORM-16), so one without a dialect does not compile.
//! - An unknown type is a compile error in [`crate::field`], not a panic `invalid sql type`.
//! - An integer PRIMARY KEY is always declared `integer`: only that word makes it the rowid (ORM-19).

use std::fmt::{Debug, Write};

use crate::migrate::Existing;
use crate::schema::{Field, quoted};
use crate::sql::affinity::Affinity;
use crate::{Kind, Result, Session};

/// How a kind of database spells its SQL.
pub trait Dialect: Debug {
    /// Writes `name` as an identifier, whatever is in it.
    fn quote(&self, name: &str, out: &mut String);

    /// Writes the placeholder of the argument `number`, from 1.
    fn placeholder(&self, number: usize, out: &mut String);

    /// The type of a column.
    fn data_type(&self, field: &Field) -> &'static str;

    /// Whether a column declared as one may stay where the model declares the other.
    fn same_type(&self, declared: &str, wanted: &str) -> bool {
        declared.eq_ignore_ascii_case(wanted)
    }

    /// How many arguments a statement may have.
    fn bind_limit(&self) -> usize;

    /// Writes the end of an INSERT that returns the generated values of `column`.
    fn returning(&self, column: &str, out: &mut String);

    /// Writes the end of an INSERT that writes `columns` over the row that has the same `key` already.
    fn upsert(&self, key: &[&str], columns: &[&str], out: &mut String) {
        let list = |names: &[&str], each: &dyn Fn(String) -> String| {
            names.iter().map(|name| each(quoted(self, name))).collect::<Vec<_>>().join(", ")
        };
        let set = list(columns, &|name| format!("{name} = excluded.{name}"));
        let action = if set.is_empty() { "NOTHING".into() } else { format!("UPDATE SET {set}") };
        let _ = write!(out, "ON CONFLICT ({}) DO {action}", list(key, &|name| name));
    }

    /// The query, with one placeholder, that has a row if the table exists.
    fn table_exists(&self) -> &'static str;

    /// What is known about a table that exists, for [`crate::migrate`].
    ///
    /// # Errors
    /// Whatever the database says.
    fn describe(&self, session: &mut Session<'_>, table: &str) -> Result<Existing>;

    /// Writes LIMIT and OFFSET, with placeholders from number `first` on; the caller binds as many arguments as are
    /// `true`. An offset alone has the limit -1 here, which is SQLite's word for none.
    fn limit(&self, first: usize, limit: bool, offset: bool, out: &mut String) {
        out.push_str("LIMIT ");
        if limit {
            self.placeholder(first, out);
        } else {
            out.push_str("-1");
        }
        if offset {
            out.push_str(" OFFSET ");
            self.placeholder(first + usize::from(limit), out);
        }
    }
}

/// The dialect of SQLite.
#[derive(Debug)]
pub struct Sqlite;

impl Dialect for Sqlite {
    fn quote(&self, name: &str, out: &mut String) {
        out.push('"');
        for c in name.chars() {
            if c == '"' {
                out.push('"');
            }
            out.push(c);
        }
        out.push('"');
    }

    fn placeholder(&self, _number: usize, out: &mut String) {
        out.push('?');
    }

    fn data_type(&self, field: &Field) -> &'static str {
        match field.kind {
            Kind::Int => "integer",
            Kind::BigInt if field.primary_key => "integer",
            Kind::BigInt => "bigint",
            Kind::Bool => "bool",
            Kind::Real => "real",
            Kind::Text => "text",
            Kind::Blob => "blob",
            Kind::Time => "datetime",
        }
    }

    /// SQLite looks at the [affinity](crate::sql::affinity) alone, so `INT` and `bigint` are one type.
    fn same_type(&self, declared: &str, wanted: &str) -> bool {
        Affinity::of_type(declared) == Affinity::of_type(wanted)
    }

    fn bind_limit(&self) -> usize {
        32_766
    }

    fn returning(&self, column: &str, out: &mut String) {
        out.push_str("RETURNING ");
        self.quote(column, out);
    }

    fn table_exists(&self) -> &'static str {
        "SELECT name FROM sqlite_master WHERE type='table' and name = ?"
    }

    fn describe(&self, session: &mut Session<'_>, table: &str) -> Result<Existing> {
        let mut pragma = String::from("PRAGMA table_info(");
        self.quote(table, &mut pragma);
        let _ = write!(pragma, ")");
        let columns: Vec<(i64, String, String)> = session.raw(&pragma, &[]).query_rows()?;
        let sql =
            "SELECT type, name, sql FROM sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL";
        let objects: Vec<(String, String, String)> = session.raw(sql, &[&table]).query_rows()?;
        let mut existing = Existing::default();
        existing.columns.extend(columns.into_iter().map(|(_, name, kind)| (name, kind)));
        for (kind, name, sql) in objects {
            if kind == "table" {
                existing.sql = sql;
            } else {
                existing.indexes.push((name, sql));
            }
        }
        Ok(existing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_types() {
        let cases = [
            (Field::of::<String>("a"), "text"),
            (Field::of::<i32>("a"), "integer"),
            (Field::of::<i64>("a"), "bigint"),
            (Field::of::<i64>("a").primary_key(), "integer"),
            (Field::of::<f64>("a"), "real"),
            (Field::of::<Vec<u8>>("a"), "blob"),
            (Field::of::<Option<bool>>("a"), "bool"),
            (Field::of::<std::time::SystemTime>("a"), "datetime"),
        ];
        for (field, want) in cases {
            assert_eq!(Sqlite.data_type(&field), want, "{:?}", field.kind);
        }
    }
}
