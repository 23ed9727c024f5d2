//! Prepared statements, their parameters and their rows (day 0, query it).
//!
//! Preparing is everything that needs to be done once: parsing, resolving names, planning. A
//! prepared statement is run as often as one likes with other values:
//!
//! ```
//! # use orm::sql::Connection;
//! # fn main() -> orm::sql::Result<()> {
//! let db = Connection::memory()?;
//! db.execute("CREATE TABLE t(a INTEGER PRIMARY KEY, b)", &[])?;
//! let mut insert = db.prepare("INSERT INTO t(b) VALUES (?)")?;
//! for word in ["one", "two", "three"] {
//!     insert.bind(1, word)?;
//!     insert.execute()?;
//! }
//! assert_eq!(db.last_insert_rowid(), 3);
//! # Ok(())
//! # }
//! ```
//!
//! A statement that was prepared before the schema changed is prepared again when it runs.

use std::cell::RefCell;
use std::sync::Arc;

use super::ast;
use super::catalog::Catalog;
use super::connection::{Connection, Shared};
use super::exec::change::ChangePlan;
use super::exec::{Row as Values, SelectRun};
use super::expr::Env;
use super::expr::scope::Prep;
use super::parser::parse;
use super::plan::{self, SelectPlan};
use super::{Error, Result, Value, ValueRef, command};

/// A statement that is ready to run.
#[derive(Debug)]
pub struct Statement<'c> {
    connection: &'c Connection,
    tree: ast::Statement,
    sql: String,
    names: Vec<Option<String>>,
    params: Vec<Value>,
    catalog: Arc<Catalog>,
    program: Program,
    columns: Vec<String>,
}

/// What a statement does.
#[derive(Debug)]
enum Program {
    Select(Box<SelectPlan>),
    Change(Box<ChangePlan>),
    /// Everything that is not planned: it is read from the syntax tree.
    Command,
}

/// The rows of a statement that runs. Dropping them ends it.
pub struct Rows<'s> {
    columns: &'s [String],
    env: Env<'s>,
    run: Run<'s>,
    row: Values,
    _reading: Reading<'s>,
}

/// A read that is under way.
struct Reading<'s> {
    shared: &'s Shared,
}

enum Run<'s> {
    Select(&'s SelectPlan, Box<SelectRun>),
    Done(std::vec::IntoIter<Values>),
}

/// One row of a result.
#[derive(Debug, Clone, Copy)]
pub struct Row<'r> {
    values: &'r [Value],
    columns: &'r [String],
}

impl<'c> Statement<'c> {
    pub(crate) fn prepare(
        connection: &'c Connection,
        sql: &str,
        start: usize,
    ) -> Result<Option<(Statement<'c>, usize)>> {
        let text = sql.get(start..).unwrap_or_default();
        let Some(parsed) = parse(text).map_err(|error| error.moved(start))? else {
            return Ok(None);
        };
        let shared = &connection.shared;
        shared.begin_read()?;
        let planned = shared.catalog().and_then(|catalog| {
            let (program, columns) = program(shared, &catalog, &parsed.statement)?;
            Ok((catalog, program, columns))
        });
        shared.end_read();
        let (catalog, program, columns) = shared.or_lose_transaction(planned)?;
        let params = vec![Value::Null; parsed.parameters.len()];
        let statement = Statement {
            connection,
            tree: parsed.statement,
            sql: text.get(..parsed.tail).unwrap_or_default().to_owned(),
            names: parsed.parameters,
            params,
            catalog,
            program,
            columns,
        };
        Ok(Some((statement, start + parsed.tail)))
    }

    /// The text of the statement.
    #[must_use]
    pub fn sql(&self) -> &str {
        self.sql.trim().trim_end_matches(';').trim_end()
    }

    /// How many values it can be given.
    #[must_use]
    pub fn parameter_count(&self) -> usize {
        self.params.len()
    }

    /// The number, from 1, of the parameter with this name, which includes its `:`, `@` or `$`.
    #[must_use]
    pub fn parameter_index(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known.as_deref() == Some(name)).map(|at| at + 1)
    }

    /// Gives parameter `number`, from 1, a value, which it keeps until it gets another.
    ///
    /// # Errors
    /// [`Error::Misuse`] where there is no such parameter.
    pub fn bind(&mut self, number: usize, value: impl Into<Value>) -> Result<()> {
        let slot = number.checked_sub(1).and_then(|at| self.params.get_mut(at));
        *slot.ok_or(Error::Misuse("there is no parameter of this number"))? = value.into();
        Ok(())
    }

    /// Gives the parameter `:name` a value.
    ///
    /// # Errors
    /// [`Error::Misuse`] where there is no such parameter.
    pub fn bind_name(&mut self, name: &str, value: impl Into<Value>) -> Result<()> {
        let missing = Error::Misuse("there is no parameter of this name");
        self.bind(self.parameter_index(name).ok_or(missing)?, value)
    }

    /// Gives all parameters their values.
    ///
    /// # Errors
    /// [`Error::Misuse`] where the number of values is another.
    pub fn bind_all(&mut self, values: &[Value]) -> Result<()> {
        if values.len() != self.params.len() {
            return Err(Error::Misuse("as many values are needed as there are parameters"));
        }
        self.params.clone_from_slice(values);
        Ok(())
    }

    /// The names of the result's columns; none for a statement without rows.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Runs the statement, rows and all, and returns how many rows it changed.
    ///
    /// # Errors
    /// Whatever it meets.
    pub fn execute(&mut self) -> Result<usize> {
        let mut rows = self.query()?;
        while rows.next()?.is_some() {}
        drop(rows);
        match self.program {
            Program::Change(_) => Ok(self.connection.changes()),
            _ => Ok(0),
        }
    }

    /// Starts the statement. What changes something has done all of it when this returns.
    ///
    /// # Errors
    /// Whatever it meets.
    pub fn query(&mut self) -> Result<Rows<'_>> {
        let shared = &self.connection.shared;
        shared.begin_read()?;
        // From here on the read ends when this is dropped.
        let reading = Reading { shared };
        self.refresh()?;
        let env = env(shared, &self.params);
        let run = match &self.program {
            Program::Select(plan) => Run::Select(plan, Box::new(SelectRun::new(plan, &env, None)?)),
            Program::Change(plan) => {
                let changed = shared.write(plan.may_need_undo(), || plan.run(&env))?;
                shared.changes.set(changed.count);
                shared.total_changes.set(shared.total_changes.get() + changed.count);
                Run::Done(changed.returned.into_iter())
            }
            Program::Command => {
                let rows = command::run(shared, &self.catalog, &self.tree, &self.sql)?;
                Run::Done(rows.into_iter())
            }
        };
        Ok(Rows { columns: &self.columns, env, run, row: Values::new(), _reading: reading })
    }

    /// Prepares again if the schema is not the one that this was prepared for.
    fn refresh(&mut self) -> Result<()> {
        let shared = &self.connection.shared;
        let catalog = shared.catalog()?;
        if !Arc::ptr_eq(&catalog, &self.catalog) {
            (self.program, self.columns) = program(shared, &catalog, &self.tree)?;
            self.catalog = catalog;
        }
        Ok(())
    }
}

fn env<'s>(shared: &'s Shared, params: &'s [Value]) -> Env<'s> {
    Env { shared, params, cache: RefCell::default() }
}

fn program(
    shared: &Shared,
    catalog: &Catalog,
    tree: &ast::Statement,
) -> Result<(Program, Vec<String>)> {
    let env = env(shared, &[]);
    let prep = Prep::new(catalog, &env);
    let names = |columns: &[plan::OutputColumn]| columns.iter().map(|c| c.name.clone()).collect();
    let change = match tree {
        ast::Statement::Select(select) => {
            let (plan, _) = plan::select(&prep, select, None)?;
            let columns = names(&plan.columns);
            return Ok((Program::Select(Box::new(plan)), columns));
        }
        ast::Statement::Insert(insert) => plan::change::insert(&prep, insert)?,
        ast::Statement::Update(update) => plan::change::update(&prep, update)?,
        ast::Statement::Delete(delete) => plan::change::delete(&prep, delete)?,
        other => return Ok((Program::Command, command::columns(other))),
    };
    let columns = names(&change.returning.0);
    Ok((Program::Change(Box::new(change)), columns))
}

impl Rows<'_> {
    /// The next row, or `None` at the end.
    ///
    /// # Errors
    /// Whatever an expression or a page says.
    #[allow(clippy::should_implement_trait, reason = "a row borrows from the rows")]
    pub fn next(&mut self) -> Result<Option<Row<'_>>> {
        let found = match &mut self.run {
            Run::Select(plan, run) => run.next(plan, &self.env, None, &mut self.row)?,
            Run::Done(rows) => match rows.next() {
                Some(row) => {
                    self.row = row;
                    true
                }
                None => false,
            },
        };
        Ok(found.then_some(Row { values: &self.row, columns: self.columns }))
    }

    /// The names of the columns.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        self.columns
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.shared.end_read();
    }
}

impl std::fmt::Debug for Rows<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").field("columns", &self.columns).finish_non_exhaustive()
    }
}

impl<'r> Row<'r> {
    /// The value of column `at`, from 0, as a type of Rust's.
    ///
    /// # Errors
    /// [`Error::Misuse`] where there is no such column, [`Error::Mismatch`] where its value is of
    /// another kind.
    pub fn get<T: FromValue>(&self, at: usize) -> Result<T> {
        let value =
            self.values.get(at).ok_or(Error::Misuse("there is no column of this number"))?;
        T::from_value(value.as_ref())
    }

    /// The value of the column with this name.
    ///
    /// # Errors
    /// Those of [`Row::get`].
    pub fn get_named<T: FromValue>(&self, name: &str) -> Result<T> {
        let at = self.columns.iter().position(|column| column.eq_ignore_ascii_case(name));
        self.get(at.ok_or(Error::Misuse("there is no column of this name"))?)
    }

    /// All values.
    #[must_use]
    pub fn values(&self) -> &'r [Value] {
        self.values
    }
}

/// What a value of a row can be made into. Nothing is converted: text is not a number.
pub trait FromValue: Sized {
    /// Makes it.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where the value is of another kind or does not fit.
    fn from_value(value: ValueRef<'_>) -> Result<Self>;
}

impl FromValue for Value {
    fn from_value(value: ValueRef<'_>) -> Result<Value> {
        Ok(value.to_value())
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: ValueRef<'_>) -> Result<Option<T>> {
        if value.is_null() { Ok(None) } else { T::from_value(value).map(Some) }
    }
}

impl FromValue for String {
    fn from_value(value: ValueRef<'_>) -> Result<String> {
        match value.to_value() {
            Value::Text(text) => Ok(text),
            _ => Err(Error::Mismatch),
        }
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: ValueRef<'_>) -> Result<Vec<u8>> {
        match value {
            ValueRef::Blob(bytes) => Ok(bytes.to_vec()),
            _ => Err(Error::Mismatch),
        }
    }
}

impl FromValue for i64 {
    fn from_value(value: ValueRef<'_>) -> Result<i64> {
        match value {
            ValueRef::Integer(n) => Ok(n),
            _ => Err(Error::Mismatch),
        }
    }
}

impl FromValue for f64 {
    #[allow(clippy::cast_precision_loss, reason = "the nearest double is what was asked for")]
    fn from_value(value: ValueRef<'_>) -> Result<f64> {
        match value {
            ValueRef::Real(r) => Ok(r),
            ValueRef::Integer(n) => Ok(n as f64),
            _ => Err(Error::Mismatch),
        }
    }
}

impl FromValue for bool {
    fn from_value(value: ValueRef<'_>) -> Result<bool> {
        i64::from_value(value).map(|n| n != 0)
    }
}

#[cfg(test)]
mod tests;
