//! From the syntax tree of INSERT, UPDATE or DELETE to a [`ChangePlan`] (day 0, query it).

use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::Arc;

use super::super::ast::{
    Assignment, Delete, Expr, Insert, JoinKind, Name, ResultColumn, Update, Upsert,
};
use super::super::catalog::{Table, constant};
use super::super::exec::change::{Assignments, ChangeKind, ChangePlan, UpsertPlan};
use super::super::expr::Code;
use super::super::expr::scope::{Prep, Scope, ScopeTable};
use super::super::{Error, Result};
use super::join::{Condition, Join};
use super::select::{conjuncts, from_table, result_columns, select};
use super::{CorePlan, SourcePlan, join};

/// Plans an INSERT.
///
/// # Errors
/// No such table or column, a wrong number of values.
pub(crate) fn insert(prep: &Prep<'_>, insert: &Insert) -> Result<ChangePlan> {
    let table = changed_table(prep, &insert.table)?;
    let (mut columns, mut rowid) = (vec![None; table.columns.len()], None);
    for (position, name) in insert.columns.iter().enumerate() {
        match table.column(&name.text) {
            // Of two values for one column SQLite takes the first.
            Some(at) => columns[at] = columns[at].or(Some(position)),
            None if is_rowid(&name.text) => rowid = Some(position),
            None => {
                let (table, column) = (table.name.clone(), name.text.clone());
                return Err(Error::NoColumnNamed { table, column });
            }
        }
    }
    if insert.columns.is_empty() && insert.rows.is_some() {
        columns = (0..table.columns.len()).map(Some).collect();
    }
    let rows = match &insert.rows {
        Some(rows) => {
            let (plan, _) = select(prep, rows, None)?;
            check_width(&table, insert, plan.columns.len())?;
            Some(plan)
        }
        None => None,
    };
    let alias = insert.alias.as_ref().map(|alias| alias.text.as_str());
    let mut upserts = Vec::new();
    for upsert in &insert.upserts {
        upserts.push(upsert_plan(prep, &table, alias, upsert)?);
    }
    let kind = ChangeKind::Insert { columns, rowid, rows, upserts };
    let mut plan = change(prep, &table, alias, kind, &insert.returning)?;
    plan.on_conflict = insert.on_conflict;
    Ok(plan)
}

fn check_width(table: &Table, insert: &Insert, width: usize) -> Result<()> {
    let (expected, name) = (insert.columns.len(), &table.name);
    if !insert.columns.is_empty() && width != expected {
        return Err(Error::Sql(format!("{width} values for {expected} columns")));
    }
    let columns = table.columns.len();
    if insert.columns.is_empty() && width != columns {
        let text = format!("table {name} has {columns} columns but {width} values were supplied");
        return Err(Error::Sql(text));
    }
    Ok(())
}

/// Plans an UPDATE.
///
/// # Errors
/// No such table or column.
pub(crate) fn update(prep: &Prep<'_>, update: &Update) -> Result<ChangePlan> {
    let table = changed_table(prep, &update.table)?;
    let alias = update.alias.as_ref().map(|alias| alias.text.as_str());
    let tables = [from_table(&table, alias)];
    let set = assignments(&prep.scope(&tables), &table, &update.set)?;
    let find = find(prep, &tables, &table, update.filter.as_ref())?;
    let mut plan =
        change(prep, &table, alias, ChangeKind::Update { find, set }, &update.returning)?;
    plan.on_conflict = update.on_conflict;
    Ok(plan)
}

/// Plans a DELETE.
///
/// # Errors
/// No such table or column.
pub(crate) fn delete(prep: &Prep<'_>, delete: &Delete) -> Result<ChangePlan> {
    let table = changed_table(prep, &delete.table)?;
    let alias = delete.alias.as_ref().map(|alias| alias.text.as_str());
    let tables = [from_table(&table, alias)];
    let kind = if delete.filter.is_none() && delete.returning.is_empty() {
        ChangeKind::Clear
    } else {
        ChangeKind::Delete { find: find(prep, &tables, &table, delete.filter.as_ref())? }
    };
    change(prep, &table, alias, kind, &delete.returning)
}

fn changed_table(prep: &Prep<'_>, name: &Name) -> Result<Arc<Table>> {
    if let Some(view) = prep.catalog.view(&name.text) {
        return Err(Error::Sql(format!("cannot modify {} because it is a view", view.name)));
    }
    let table = prep.catalog.table(&name.text);
    let table = table.ok_or_else(|| Error::NoSuchTable(name.text.clone()))?;
    table.check_writable()?;
    Ok(Arc::clone(table))
}

fn is_rowid(name: &str) -> bool {
    ["rowid", "oid", "_rowid_"].iter().any(|rowid| name.eq_ignore_ascii_case(rowid))
}

/// What every change of a table needs.
fn change(
    prep: &Prep<'_>,
    table: &Arc<Table>,
    alias: Option<&str>,
    kind: ChangeKind,
    returning: &[ResultColumn],
) -> Result<ChangePlan> {
    let own = [from_table(table, None)];
    let scope = prep.schema_scope(&own);
    let check =
        |check: &super::super::ast::Check| Ok((check.label.clone(), scope.code(&check.expr)?));
    let checks = table.checks.iter().map(check).collect::<Result<_>>()?;
    let filter = |index: &Arc<super::Index>| {
        index.filter.as_ref().map(|filter| scope.code(filter)).transpose()
    };
    let filters = table.indexes.iter().map(filter).collect::<Result<_>>()?;
    let nothing = prep.schema_scope(&[]);
    let default = |column: &super::super::catalog::Column| {
        let Some(default) = column.default.as_deref() else { return Ok(None) };
        match constant(default) {
            Some(value) => Ok(Some(Code::Const(value))),
            None => nothing.code(default).map(Some),
        }
    };
    // DEFAULT CURRENT_TIMESTAMP does no harm before it is needed.
    let needed = matches!(kind, ChangeKind::Insert { .. });
    let defaults = match table.columns.iter().map(default).collect::<Result<Vec<_>>>() {
        Ok(defaults) => defaults,
        Err(error) if needed => return Err(error),
        Err(_) => vec![None; table.columns.len()],
    };
    let aliased = [from_table(table, alias)];
    let returning = result_columns(&prep.scope(&aliased), returning)?;
    let sequence = prep.catalog.table("sqlite_sequence").map(|table| table.root);
    let table = Arc::clone(table);
    Ok(ChangePlan {
        table,
        kind,
        on_conflict: None,
        checks,
        filters,
        defaults,
        returning,
        sequence,
        writer: RefCell::default(),
    })
}

/// How the rows that WHERE lets through are found.
fn find(
    prep: &Prep<'_>,
    tables: &[ScopeTable],
    table: &Arc<Table>,
    filter: Option<&Expr>,
) -> Result<CorePlan> {
    let scope = prep.scope(tables);
    let mut conditions = Vec::new();
    for expr in filter.iter().flat_map(|filter| conjuncts(filter)) {
        conditions.push(Condition::new(scope.code(expr)?, None));
    }
    let sources = vec![SourcePlan::Table(Arc::clone(table))];
    let mut plan = CorePlan::default();
    let kinds = [JoinKind::Inner];
    let join = Join { sources: &sources, kinds: &kinds, conditions };
    join::plan(join, &mut plan, &mut Vec::new());
    plan.sources = sources;
    plan.names = vec![tables[0].name.clone()];
    Ok(plan)
}

/// The columns of SET; of two for the same column the last counts.
fn assignments(scope: &Scope<'_>, table: &Table, set: &[Assignment]) -> Result<Assignments> {
    let mut codes = Assignments::new();
    for Assignment { column, expr } in set {
        let at = table.column(&column.text);
        if at.is_none() && !is_rowid(&column.text) {
            return Err(Error::NoSuchColumn(column.text.clone()));
        }
        codes.push((at, scope.code(expr)?));
    }
    Ok(codes)
}

fn upsert_plan(
    prep: &Prep<'_>,
    table: &Arc<Table>,
    alias: Option<&str>,
    upsert: &Upsert,
) -> Result<UpsertPlan> {
    let mut target = None;
    if !upsert.target.is_empty() {
        let mut names = HashSet::new();
        for column in &upsert.target {
            let mut expr = &column.expr;
            while let Expr::Collate(inner, _) = expr {
                expr = inner;
            }
            let Expr::Column { table: None, name } = expr else {
                return Err(Error::Unsupported("ON CONFLICT on an expression".into()));
            };
            let at =
                table.column(&name.text).or(table.rowid_alias.filter(|_| is_rowid(&name.text)));
            names.insert(at.ok_or_else(|| Error::NoSuchColumn(name.text.clone()))?);
        }
        let is_rowid = table.rowid_alias.is_some_and(|alias| names == HashSet::from([alias]));
        let same = |index: &Arc<super::Index>| {
            index.unique
                && index.filter.is_none()
                && names == index.columns.iter().copied().collect()
        };
        let found = if is_rowid { None } else { Some(table.indexes.iter().position(same)) };
        target = Some(match found {
            None => None,
            Some(Some(at)) => Some(at),
            Some(None) => {
                let text = "ON CONFLICT clause does not match any PRIMARY KEY or UNIQUE constraint";
                return Err(Error::Sql(text.into()));
            }
        });
    }
    let update = match &upsert.update {
        None => None,
        Some((set, filter)) => {
            let mut excluded = from_table(table, Some("excluded"));
            // A plain name means the row that is there.
            excluded.merged = (0..table.columns.len()).collect();
            let tables = [from_table(table, alias), excluded];
            let scope = prep.scope(&tables);
            let filter = filter.as_ref().map(|filter| scope.code(filter)).transpose()?;
            Some((assignments(&scope, table, set)?, filter))
        }
    };
    Ok(UpsertPlan { target, update })
}
