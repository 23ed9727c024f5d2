//! Migrate: the table follows the struct, and nothing is lost on the way (day 7).
//!
//! At the end of this chapter a struct has gained a field and lost another, and so has its table, rows kept. Ten
//! minutes to read.
//!
//! # Why
//! A struct changes in an afternoon; its table has a year of rows. [`Migration`] compares the two and does the
//! least that makes them agree:
//!
//! | the model says | what runs |
//! |---|---|
//! | a table that is not there | CREATE TABLE, CREATE INDEX |
//! | [`rename`](Migration::rename), [`rename_table`](Migration::rename_table) | ALTER TABLE ... RENAME COLUMN, RENAME TO |
//! | a column more | ALTER TABLE ... ADD COLUMN with its constraints; old rows get the DEFAULT, NULL for an `Option`, or the type's zero |
//! | a column less, another type, other constraints | the rebuild below; what would be lost needs [`allow_drop`](Migration::allow_drop) |
//! | an index more, or with other columns | DROP INDEX where it is there, CREATE INDEX |
//!
//! ```text
//!   CREATE TABLE "tmp_User" (... all that the model says ...)
//!   INSERT INTO "tmp_User" ("Name","Age") SELECT "Name","Age" FROM "User"
//!   DROP TABLE "User"
//!   ALTER TABLE "tmp_User" RENAME TO "User"
//!   CREATE INDEX ... again, each that was there
//! ```
//!
//! The Go program copies with `CREATE TABLE tmp AS SELECT`, which keeps names and values and loses the PRIMARY KEY, each NOT NULL,
//! DEFAULT and index (ORM-1). All steps run in one transaction; a failure leaves the old table as it was.
//!
//! # The idea alone
//! Two lists of names, and what is in one of them only:
//!
//! ```
//! fn difference<'a>(a: &[&'a str], b: &[&str]) -> Vec<&'a str> {
//!     a.iter().copied().filter(|name| !b.contains(name)).collect()
//! }
//! let (model, table) = (["Name", "Age"], ["Name", "XXX"]);
//! let mut plan = Vec::new();
//! for column in difference(&model, &table) {
//!     plan.push(format!("ALTER TABLE User ADD COLUMN {column}"));
//! }
//! if !difference(&table, &model).is_empty() {
//!     let columns = model.join(", ");
//!     plan.push("CREATE TABLE tmp_User (Name PRIMARY KEY, Age)".into());
//!     plan.push(format!("INSERT INTO tmp_User SELECT {columns} FROM User"));
//!     plan.push("DROP TABLE User".into());
//!     plan.push("ALTER TABLE tmp_User RENAME TO User".into());
//! }
//! assert_eq!(plan[0], "ALTER TABLE User ADD COLUMN Age");
//! assert_eq!(plan.len(), 5);
//! ```
//!
//! # The walk
//! [`Migration::run`] begins a transaction. [`Dialect::describe`](crate::Dialect::describe) says what the table has,
//! [`Model::SCHEMA`] what it should have; `change_columns` compares them, adds what can be added, and decides on a rebuild.
//!
//! # A dry run is the run
//! [`Migration::dry_run`] does everything, and rolls back. What it returns is what ran, not what someone
//! thought would run.
//!
//! # What the borrow checker says
//! Go's version reads the old columns from an open cursor that it never closes (ORM-4), and the next statement
//! meets `bad connection`. Here rows are a `Vec` before the next statement can start: it needs the `&mut Session`
//! that the cursor would still hold.
//!
//! # Where this differs from Go
//! - A rebuild keeps the key, the constraints, the indexes and the types (ORM-1); added columns have values in old rows (ORM-2).
//! - One statement per call (ORM-3), errors are returned (ORM-4), and what is printed is what ran (ORM-22).
//! - Columns are dropped only where that is allowed; renames, new types and new constraints are followed.
//!
//! # Constraints
//! Each constraint is [compared](mod@constraints) whole. One that the table lacks is put on by the rebuild; where a row breaks it, the
//! error is that of an INSERT, and the old table stays. A DEFAULT, a COLLATE or a REFERENCES that the model has with
//! other words takes the old one's place. One that only the table has is refused like a column that only the table has: the
//! error names it, and [`allow_drop`](Migration::allow_drop) takes it off. gorm's `AutoMigrate` follows a changed DEFAULT, NOT NULL and UNIQUE, too;
//! it takes them off without a question, and leaves a CHECK alone once it has its name. Two kinds do no harm, and stay
//! where nothing else asks for a rebuild: NOT NULL on a field that cannot be NULL, and AUTOINCREMENT.
//!
//! # Limits
//! An index is known by its name, one that the model does not name stays. A value that the new type cannot express
//! stays what it was, as SQLite's types have it, and [`find`](crate::Session::find) will name its column.
//!
//! # Try it
//! `cargo run -p orm --example day7_migrate`, then `sqlite3 gee.db .schema`. Between its log lines it prints:
//!
//! ```text
//! dry run:
//!   ALTER TABLE "User" ADD COLUMN "Age" integer;
//!   UPDATE "User" SET "Age" = ?
//!   CREATE TABLE "tmp_User" ("Name" text PRIMARY KEY,"Age" integer );
//!   INSERT INTO "tmp_User" ("Name","Age") SELECT "Name", "Age" FROM "User";
//!   DROP TABLE "User";
//!   ALTER TABLE "tmp_User" RENAME TO "User";
//! Tom is 0
//! Sam is 0
//! ```
//!
//! 1. `exercise_a_new_unique_column_of_an_option_needs_no_rebuild`: NULLs never collide; add the column and a unique index.
//! 2. `exercise_a_plan_shows_its_values`: the plan says `SET "Age" = ?`; put the value in.

pub mod constraints;

use std::marker::PhantomData;

use constraints::{Constraint, constraints, is_unique, same_words};

use crate::clause::Sql;
use crate::schema::quoted;
use crate::{Error, Field, Kind, Model, Result, Session, Value};

/// A table as the database has it.
#[derive(Clone, Debug, Default)]
pub struct Existing {
    /// Names and declared types of the columns, in order.
    pub columns: Vec<(String, String)>,
    /// The text of its CREATE TABLE, empty where the database keeps none.
    pub sql: String,
    /// Names and texts of its indexes.
    pub indexes: Vec<(String, String)>,
}

/// What it takes to make a model's table fit.
#[derive(Debug)]
#[must_use = "nothing happens before run or dry_run"]
pub struct Migration<M> {
    table: Option<&'static str>,
    renames: Vec<(&'static str, &'static str)>,
    allow_drop: bool,
    model: PhantomData<fn() -> M>,
}

impl<M: Model> Default for Migration<M> {
    fn default() -> Self {
        Migration { table: None, renames: Vec::new(), allow_drop: false, model: PhantomData }
    }
}

impl<M: Model> Migration<M> {
    /// A migration that loses nothing.
    pub fn new() -> Self {
        Migration::default()
    }

    /// The column `from` is called `to` now. Once it is, this does nothing.
    pub fn rename(mut self, from: &'static str, to: &'static str) -> Self {
        self.renames.push((from, to));
        self
    }

    /// The table was called `from` so far. Once the model's table is there, this does nothing.
    pub fn rename_table(mut self, from: &'static str) -> Self {
        self.table = Some(from);
        self
    }

    /// Columns, and constraints, that the model does not have may be dropped.
    pub fn allow_drop(mut self) -> Self {
        self.allow_drop = true;
        self
    }

    /// Migrates, in one transaction, and returns the statements that ran.
    ///
    /// # Errors
    /// [`Error::WouldLose`]; whatever a statement meets. Then nothing has changed.
    pub fn run(&self, session: &mut Session<'_>) -> Result<Vec<String>> {
        session.transaction(|tx| self.steps(tx))
    }

    /// Does what [`Migration::run`] does, takes it back, and returns the statements that ran.
    ///
    /// # Errors
    /// Those of [`Migration::run`].
    pub fn dry_run(&self, session: &mut Session<'_>) -> Result<Vec<String>> {
        let mut tx = session.begin()?;
        let steps = self.steps(&mut tx)?;
        tx.rollback()?;
        Ok(steps)
    }

    fn steps(&self, session: &mut Session<'_>) -> Result<Vec<String>> {
        let schema = M::SCHEMA;
        let mut run = Run { session, steps: Vec::new() };
        let dialect = run.session.dialect();
        let mut exists = run.session.has_table::<M>()?;
        if let Some(from) = self.table
            && !exists
            && !dialect.describe(run.session, from)?.columns.is_empty()
        {
            let [from, to] = [from, schema.table].map(|name| quoted(dialect, name));
            run.step(format!("ALTER TABLE {from} RENAME TO {to};"), &[])?;
            exists = true;
        }
        if exists {
            self.rename_columns(&mut run)?;
            self.change_columns(&mut run)?;
        } else {
            run.session.log().info(format_args!("table {} doesn't exist", schema.table));
            run.step(schema.create_table(dialect), &[])?;
        }
        self.change_indexes(&mut run)?;
        Ok(run.steps)
    }

    fn rename_columns(&self, run: &mut Run<'_, '_>) -> Result<()> {
        let (dialect, table) = (run.session.dialect(), M::SCHEMA.table);
        for (from, to) in &self.renames {
            let to = M::SCHEMA.field(to)?.name;
            let existing = dialect.describe(run.session, table)?;
            if existing.has(from) && !existing.has(to) {
                let [table, from, to] = [table, from, to].map(|name| quoted(dialect, name));
                run.step(format!("ALTER TABLE {table} RENAME COLUMN {from} TO {to};"), &[])?;
            }
        }
        Ok(())
    }

    fn change_columns(&self, run: &mut Run<'_, '_>) -> Result<()> {
        let (dialect, schema) = (run.session.dialect(), M::SCHEMA);
        let old = dialect.describe(run.session, schema.table)?;
        let added: Vec<_> = schema.fields.iter().filter(|field| !old.has(field.name)).collect();
        let dropped: Vec<_> =
            old.columns.iter().map(|c| c.0.as_str()).filter(|c| !has_column::<M>(c)).collect();
        if !(added.is_empty() && dropped.is_empty()) {
            let names: Vec<_> = added.iter().map(|field| field.name).collect();
            let (names, gone) = (names.join(" "), dropped.join(" "));
            run.session.log().info(format_args!("added cols [{names}], deleted cols [{gone}]"));
        }
        if !dropped.is_empty() && !self.allow_drop {
            let what = format!("column {} of table {}", dropped.join(", "), schema.table);
            return Err(Error::WouldLose(what));
        }
        let (later, at_once): (Vec<_>, Vec<_>) =
            added.iter().partition(|field| needs_rebuild(field));
        for field in at_once {
            run.add_column::<M>(field)?;
        }
        let same = |name: &str, kind: &str| {
            schema.fields.iter().all(|field| {
                !field.name.eq_ignore_ascii_case(name)
                    || dialect.same_type(kind, dialect.data_type(field))
            })
        };
        let retyped = old.columns.iter().any(|(name, kind)| !same(name, kind));
        // What ADD COLUMN has brought is in the table by now.
        let now = constraints(&dialect.describe(run.session, schema.table)?.sql);
        let wanted = constraints(&schema.create_table(dialect));
        let lacking = !old.sql.is_empty() && wanted.iter().any(|c| !now.contains(c));
        // A rebuild writes what the model says; what only the old table says would be gone.
        let kept = |c: &Constraint| wanted.iter().any(|w| w == c || w.replaces(c));
        let lost: Vec<_> = now.iter().filter(|c| !kept(c)).collect();
        let unwanted = lost.iter().find(|c| !harmless::<M>(c));
        if retyped || lacking || unwanted.is_some() || !later.is_empty() || !dropped.is_empty() {
            if let Some(constraint) = unwanted.or(lost.first()).filter(|_| !self.allow_drop) {
                let table = schema.table;
                return Err(Error::WouldLose(format!(
                    "a constraint of table {table} that the model lacks: {constraint}"
                )));
            }
            run.rebuild::<M>(&old, &later, &dropped)?;
        }
        Ok(())
    }

    fn change_indexes(&self, run: &mut Run<'_, '_>) -> Result<()> {
        let (dialect, table) = (run.session.dialect(), M::SCHEMA.table);
        let existing = dialect.describe(run.session, table)?;
        for (name, sql) in M::SCHEMA.indexes(dialect) {
            let known =
                existing.indexes.iter().find(|(known, _)| known.eq_ignore_ascii_case(&name));
            if let Some((_, old)) = known {
                if same_words(old, &sql) {
                    continue;
                }
                if is_unique(old) && !self.allow_drop {
                    return Err(Error::WouldLose(format!(
                        "UNIQUE of index {name} of table {table}"
                    )));
                }
                run.step(format!("DROP INDEX {};", quoted(dialect, &name)), &[])?;
            }
            run.step(sql, &[])?;
        }
        Ok(())
    }
}

/// Whether this model cannot tell that its table demands this.
fn harmless<M: Model>(constraint: &Constraint) -> bool {
    let never_null = |field: &Field| !field.nullable || field.primary_key;
    match constraint.kind() {
        "NOT" => M::SCHEMA.fields.iter().any(|f| constraint.is_of(f.name) && never_null(f)),
        kind => kind == "AUTOINCREMENT",
    }
}

fn has_column<M: Model>(name: &str) -> bool {
    M::SCHEMA.fields.iter().any(|field| field.name.eq_ignore_ascii_case(name))
}

/// SQLite, for one, cannot add these to a table that has rows.
fn needs_rebuild(field: &Field) -> bool {
    let computed = |sql: &str| sql.starts_with('(') || sql.to_ascii_uppercase().contains("CURRENT");
    field.primary_key || field.unique || field.default.map_or(field.not_null, computed)
}

/// What a plain field has in rows that are older than it.
fn zero(field: &Field) -> Value {
    match field.kind {
        _ if field.nullable => Value::Null,
        Kind::Bool | Kind::Int | Kind::BigInt => Value::Integer(0),
        Kind::Real => Value::Real(0.0),
        Kind::Text => Value::Text(String::new()),
        Kind::Blob => Value::Blob(Vec::new()),
        Kind::Time => Value::Text("1970-01-01 00:00:00.000000000".to_owned()),
    }
}

impl Existing {
    fn has(&self, name: &str) -> bool {
        self.columns.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
    }
}

/// A migration under way.
struct Run<'s, 'e> {
    session: &'s mut Session<'e>,
    steps: Vec<String>,
}

impl Run<'_, '_> {
    /// One statement per call (ORM-3).
    fn step(&mut self, sql: String, args: &[Value]) -> Result<()> {
        self.session.execute(&sql, args)?;
        self.steps.push(sql);
        Ok(())
    }

    fn add_column<M: Model>(&mut self, field: &Field) -> Result<()> {
        let (dialect, schema) = (self.session.dialect(), M::SCHEMA);
        let (table, column) = (quoted(dialect, schema.table), schema.column(field, dialect));
        self.step(format!("ALTER TABLE {table} ADD COLUMN {};", column.trim_end()), &[])?;
        if field.default.is_none() && !field.nullable {
            let mut sql = Sql::new(dialect);
            sql.push(&["UPDATE ", &table, " SET "]);
            sql.name(field.name);
            sql.push(&[" = "]);
            sql.arg(zero(field));
            self.step(sql.text, &sql.args)?;
        }
        Ok(())
    }

    fn rebuild<M: Model>(
        &mut self,
        old: &Existing,
        new: &[&Field],
        dropped: &[&str],
    ) -> Result<()> {
        let (dialect, schema) = (self.session.dialect(), M::SCHEMA);
        let temporary = format!("tmp_{}", schema.table);
        self.step(schema.create_table_as(&temporary, dialect), &[])?;

        let mut into = Vec::new();
        let mut from = Sql::new(dialect);
        for field in schema.fields {
            let is_new = new.iter().any(|added| added.name == field.name);
            let chosen_below = field.default.is_some()
                || schema.generated().is_some_and(|at| schema.fields[at].name == field.name);
            if is_new && chosen_below {
                continue; // the DEFAULT, or the next id
            }
            from.push(&[if into.is_empty() { "" } else { ", " }]);
            if is_new {
                from.arg(zero(field));
            } else {
                from.name(field.name);
            }
            into.push(quoted(dialect, field.name));
        }
        let [table, tmp] = [schema.table, &temporary].map(|name| quoted(dialect, name));
        let copy =
            format!("INSERT INTO {tmp} ({}) SELECT {} FROM {table};", into.join(","), from.text);
        self.step(copy, &from.args).map_err(|error| of_table(error, schema.table))?;
        self.step(format!("DROP TABLE {table};"), &[])?;
        self.step(format!("ALTER TABLE {tmp} RENAME TO {table};"), &[])?;
        for (_, sql) in old.indexes.iter().filter(|(_, sql)| !mentions(sql, dropped)) {
            self.step(sql.clone(), &[])?;
        }
        Ok(())
    }
}

/// The error of a row that breaks a new constraint: it is the table's, whatever the copy is called.
fn of_table(error: Error, table: &str) -> Error {
    let table = table.to_owned();
    match error {
        Error::UniqueViolation { column, .. } => Error::UniqueViolation { table, column },
        Error::NotNull { column, .. } => Error::NotNull { table, column },
        other => other,
    }
}

/// Whether an index is about one of the columns: it goes with them.
fn mentions(sql: &str, columns: &[&str]) -> bool {
    let list = sql.split_once('(').map_or("", |(_, list)| list).to_ascii_uppercase();
    let words: Vec<_> = list.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    columns.iter().any(|column| {
        let column = column.to_ascii_uppercase();
        let quoted = format!("\"{}\"", column.replace('"', "\"\""));
        words.contains(&column.as_str()) || list.contains(&quoted)
    })
}

#[cfg(test)]
mod tests;
