//! Statements that are run from their syntax tree: transactions, CREATE, DROP, ALTER, PRAGMA and
//! EXPLAIN QUERY PLAN (day 0, query it).
//!
//! They run rarely, so nothing is gained by planning them. A PRAGMA is a question or a setting
//! outside SQL proper; those this engine does not know give no rows, as in SQLite.

use std::cell::RefCell;
use std::sync::Arc;

use super::ast::{Insert, Statement};
use super::catalog::define::Definer;
use super::catalog::{Catalog, Index, Origin, Table, alter};
use super::check::{CheckColumn, CheckIndex, CheckTable, integrity_check};
use super::connection::Shared;
use super::exec::Row;
use super::exec::change::ChangeKind;
use super::expr::Env;
use super::expr::scope::Prep;
use super::plan::{self, SelectPlan};
use super::{Error, Result, Value};

/// How many lines of trouble `integrity_check` reports.
const TROUBLES_MAX: usize = 100;

/// The names of the columns that a command gives.
pub(crate) fn columns(statement: &Statement) -> Vec<String> {
    let names: &[&str] = match statement {
        Statement::Pragma { name, value } => match name.to_ascii_lowercase().as_str() {
            "table_info" => &["cid", "name", "type", "notnull", "dflt_value", "pk"],
            "index_list" => &["seq", "name", "unique", "origin", "partial"],
            "index_info" => &["seqno", "cid", "name"],
            "database_list" => &["seq", "name", "file"],
            "integrity_check" | "quick_check" => &["integrity_check"],
            "user_version" if value.is_some() => &[],
            "user_version" | "schema_version" | "page_size" | "page_count" | "foreign_keys"
            | "journal_mode" | "encoding" => {
                return vec![name.to_ascii_lowercase()];
            }
            _ => &[],
        },
        Statement::ExplainQueryPlan(_) => &["id", "parent", "notused", "detail"],
        _ => &[],
    };
    names.iter().map(|&name| name.to_owned()).collect()
}

/// Runs a command.
///
/// # Errors
/// Whatever it meets.
pub(crate) fn run(
    shared: &Shared,
    catalog: &Catalog,
    statement: &Statement,
    sql: &str,
) -> Result<Vec<Row>> {
    let definer = Definer { shared, catalog, sql };
    let define = |change: &dyn Fn() -> Result<()>| {
        shared.write(true, change)?;
        // Within the transaction the cookie may come back to a number that was seen.
        shared.forget_catalog();
        Ok(Vec::new())
    };
    match statement {
        Statement::Begin { immediate } => begin(shared, *immediate)?,
        Statement::Commit => commit(shared)?,
        Statement::Rollback { to: None } => {
            if shared.autocommit.get() {
                return Err(Error::Sql("cannot rollback - no transaction is active".into()));
            }
            shared.end_transaction(false)?;
        }
        Statement::Rollback { to: Some(name) } => {
            let index = savepoint_index(shared, name)?;
            let savepoint = shared.savepoints.borrow()[index].1;
            shared.savepoints.borrow_mut().truncate(index + 1);
            shared.pager.borrow_mut().rollback_to(savepoint)?;
            shared.forget_catalog();
        }
        Statement::Savepoint(name) => savepoint(shared, name)?,
        Statement::Release(name) => release(shared, name)?,
        Statement::CreateTable(create) => return define(&|| definer.create_table(create)),
        Statement::CreateIndex(create) => return define(&|| definer.create_index(create)),
        Statement::CreateView { name, if_not_exists, .. } => {
            return define(&|| definer.create_view(name, *if_not_exists));
        }
        Statement::Drop { kind, name, if_exists } => {
            return define(&|| definer.drop_object(*kind, &name.text, *if_exists));
        }
        Statement::Alter { table, action } => return define(&|| alter(&definer, table, action)),
        Statement::Pragma { name, value } => return pragma(shared, catalog, name, value.as_ref()),
        Statement::ExplainQueryPlan(inner) => return explain(shared, catalog, inner),
        _ => {}
    }
    Ok(Vec::new())
}

// ---- transactions ----

fn begin(shared: &Shared, immediate: bool) -> Result<()> {
    if !shared.autocommit.get() {
        return Err(Error::Sql("cannot start a transaction within a transaction".into()));
    }
    if immediate {
        shared.pager.borrow_mut().begin_write()?;
    }
    shared.autocommit.set(false);
    shared.savepoint_began.set(false);
    Ok(())
}

fn commit(shared: &Shared) -> Result<()> {
    if shared.autocommit.get() {
        return Err(Error::Sql("cannot commit - no transaction is active".into()));
    }
    shared.end_transaction(true)
}

fn savepoint(shared: &Shared, name: &str) -> Result<()> {
    let mut pager = shared.pager.borrow_mut();
    pager.begin_write()?;
    if shared.autocommit.get() {
        shared.autocommit.set(false);
        shared.savepoint_began.set(true);
    }
    let index = pager.savepoint()?;
    shared.savepoints.borrow_mut().push((name.to_owned(), index));
    Ok(())
}

/// The innermost savepoint of this name.
fn savepoint_index(shared: &Shared, name: &str) -> Result<usize> {
    let savepoints = shared.savepoints.borrow();
    let found = savepoints.iter().rposition(|(known, _)| known.eq_ignore_ascii_case(name));
    found.ok_or_else(|| Error::Sql(format!("no such savepoint: {name}")))
}

fn release(shared: &Shared, name: &str) -> Result<()> {
    let index = savepoint_index(shared, name)?;
    if index == 0 && shared.savepoint_began.get() {
        return shared.end_transaction(true);
    }
    let savepoint = shared.savepoints.borrow()[index].1;
    shared.pager.borrow_mut().release(savepoint)?;
    shared.savepoints.borrow_mut().truncate(index);
    Ok(())
}

// ---- PRAGMA ----

fn pragma(
    shared: &Shared,
    catalog: &Catalog,
    name: &str,
    value: Option<&Value>,
) -> Result<Vec<Row>> {
    let text = match value {
        Some(Value::Text(text)) => text.as_str(),
        _ => "",
    };
    let one = |value: Value| Ok(vec![vec![value]]);
    match name.to_ascii_lowercase().as_str() {
        "table_info" => Ok(catalog.table(text).map_or(Vec::new(), |table| table_info(table))),
        "index_list" => Ok(catalog.table(text).map_or(Vec::new(), |table| index_list(table))),
        "index_info" => Ok(index_info(catalog, text)),
        "database_list" => Ok(vec![vec![Value::Integer(0), "main".into(), "".into()]]),
        "integrity_check" | "quick_check" => check(shared, catalog),
        "user_version" => match value {
            None => one(i64::from(shared.pager.borrow_mut().user_version()?).into()),
            Some(value) => {
                let version = super::affinity::to_integer(value.as_ref());
                let version = i32::try_from(version).unwrap_or(0);
                shared.write(false, || shared.pager.borrow_mut().set_user_version(version))?;
                Ok(Vec::new())
            }
        },
        "schema_version" => one(i64::from(catalog.cookie).into()),
        "page_size" if value.is_none() => {
            one(i64::try_from(shared.pager.borrow().page_size()).unwrap_or(0).into())
        }
        "page_count" => one(i64::from(shared.pager.borrow().page_count()).into()),
        "foreign_keys" if value.is_none() => one(0.into()),
        "foreign_keys" if value.is_some_and(is_on) => {
            Err(Error::Unsupported("enforcing foreign keys".into()))
        }
        "journal_mode" => one("delete".into()),
        "encoding" if value.is_none() => one("UTF-8".into()),
        _ => Ok(Vec::new()),
    }
}

/// Whether the value of a PRAGMA turns something on.
fn is_on(value: &Value) -> bool {
    match value {
        Value::Text(word) => ["on", "true", "yes"].iter().any(|on| word.eq_ignore_ascii_case(on)),
        number => super::affinity::to_integer(number.as_ref()) != 0,
    }
}

fn count(n: usize) -> Value {
    Value::Integer(i64::try_from(n).unwrap_or(i64::MAX))
}

fn table_info(table: &Table) -> Vec<Row> {
    let info = |(at, column): (usize, &super::catalog::Column)| {
        vec![
            count(at),
            column.name.as_str().into(),
            column.type_name.as_str().into(),
            i64::from(column.not_null).into(),
            column.default_text.clone().into(),
            count(column.key_position),
        ]
    };
    table.columns.iter().enumerate().map(info).collect()
}

fn index_list(table: &Table) -> Vec<Row> {
    let list = |(at, index): (usize, &Arc<Index>)| {
        let origin = match index.origin {
            Origin::Created => "c",
            Origin::Unique => "u",
            Origin::PrimaryKey => "pk",
        };
        vec![
            count(at),
            index.name.as_str().into(),
            i64::from(index.unique).into(),
            origin.into(),
            i64::from(index.filter.is_some()).into(),
        ]
    };
    // The newest first, as SQLite keeps them.
    table.indexes.iter().rev().enumerate().map(list).collect()
}

fn index_info(catalog: &Catalog, name: &str) -> Vec<Row> {
    let Some((table, index)) = catalog.index(name) else { return Vec::new() };
    let info = |(at, &column): (usize, &usize)| {
        vec![count(at), count(column), table.columns[column].name.as_str().into()]
    };
    index.columns.iter().enumerate().map(info).collect()
}

/// The tree of every table and index, each row in its indexes, NOT NULL and UNIQUE.
fn check(shared: &Shared, catalog: &Catalog) -> Result<Vec<Row>> {
    let mut tables = Vec::new();
    for table in catalog.tables() {
        table.check_readable()?;
        let column = |column: &super::catalog::Column| CheckColumn {
            name: column.name.clone(),
            not_null: column.not_null,
            default: column.missing.clone(),
        };
        let index = |index: &Arc<Index>| {
            let own = |&column: &usize| Some(column).filter(|_| table.rowid_alias != Some(column));
            // The rows that a partial index leaves out are not missing: only its tree is checked.
            let whole = index.filter.is_none();
            CheckIndex {
                name: index.name.clone(),
                root: index.root,
                info: Arc::clone(&index.info),
                columns: index.columns.iter().filter(|_| whole).map(own).collect(),
                unique: index.unique,
            }
        };
        tables.push(CheckTable {
            name: table.name.clone(),
            root: table.root,
            columns: table.columns.iter().map(column).collect(),
            rowid_alias: table.rowid_alias,
            indexes: table.indexes.iter().map(index).collect(),
        });
    }
    let mut pager = shared.pager.borrow_mut();
    let lines = integrity_check(&mut pager, &tables, TROUBLES_MAX)?;
    Ok(lines.into_iter().map(|line| vec![line.into()]).collect())
}

// ---- EXPLAIN QUERY PLAN ----

fn explain(shared: &Shared, catalog: &Catalog, statement: &Statement) -> Result<Vec<Row>> {
    let env = Env { shared, params: &[], cache: RefCell::default() };
    let prep = Prep::new(catalog, &env);
    let change = match statement {
        Statement::Select(select) => {
            return Ok(lines(&plan::select(&prep, select, None)?.0.explain()));
        }
        Statement::Insert(insert) => plan::change::insert(&prep, insert)?,
        Statement::Update(update) => plan::change::update(&prep, update)?,
        Statement::Delete(delete) => plan::change::delete(&prep, delete)?,
        _ => return Ok(Vec::new()),
    };
    Ok(match &change.kind {
        ChangeKind::Insert { rows, .. } => {
            rows.as_ref().map_or(Vec::new(), |rows| inserted(rows, statement))
        }
        ChangeKind::Update { find, .. } | ChangeKind::Delete { find } => lines(&find.explain()),
        ChangeKind::Clear => Vec::new(),
    })
}

/// Plain VALUES need no plan.
fn inserted(rows: &SelectPlan, statement: &Statement) -> Vec<Row> {
    let plain = matches!(statement, Statement::Insert(insert) if is_values(insert));
    if plain { Vec::new() } else { lines(&rows.explain()) }
}

fn is_values(insert: &Insert) -> bool {
    insert.rows.as_ref().is_some_and(|rows| matches!(rows.first, super::ast::Core::Values(_)))
}

fn lines(lines: &[String]) -> Vec<Row> {
    let row = |(at, line): (usize, &String)| {
        vec![count(at + 1), Value::Integer(0), Value::Integer(0), line.as_str().into()]
    };
    lines.iter().enumerate().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Connection;

    #[test]
    fn a_pragma_says_what_it_does_not_do() {
        let db = Connection::memory().unwrap();
        for on in ["on", "TRUE", "yes", "1", "2"] {
            let error = db.execute(&format!("PRAGMA foreign_keys = {on}"), &[]).unwrap_err();
            assert_eq!(error.to_string(), "not supported: enforcing foreign keys", "{on}");
        }
        for off in ["off", "false", "no", "0"] {
            db.execute(&format!("PRAGMA foreign_keys = {off}"), &[]).unwrap();
        }
        // The mode stays what it is, and the one row says so.
        let mut mode = db.prepare("PRAGMA journal_mode = wal").unwrap();
        assert_eq!(mode.columns(), ["journal_mode"]);
        let mut rows = mode.query().unwrap();
        assert_eq!(
            rows.next().unwrap().unwrap().get_named::<String>("journal_mode").unwrap(),
            "delete"
        );
    }
}
