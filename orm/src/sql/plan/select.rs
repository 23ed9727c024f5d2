//! From the syntax tree of a query to its [`SelectPlan`] (day 0, query it).
//!
//! The parts of a query are compiled in the order in which SQL gives names their meaning, which is
//! not the order in which they are written: FROM, WHERE, GROUP BY, then the result, HAVING and
//! ORDER BY, of which the last may use the aliases of the result.

use std::cell::RefCell;
use std::sync::Arc;

use super::super::ast::{
    Core, Expr, FromItem, FromSource, JoinKind, Name, OrderTerm, Query, ResultColumn, Select,
};
use super::super::expr::Code;
use super::super::expr::scope::{
    Place, Prep, Scope, ScopeColumns, ScopeTable, SlotPlan, Typed, equals,
};
use super::super::func::aggregate::Aggregate;
use super::super::{Collation, Error, Result, Value};
use super::join::{Condition, Join};
use super::terms::{compound_order, is_position, order_keys, out_of_range};
use super::{CorePlan, Grouping, OutputColumn, SelectPlan, SortKey, SourcePlan, join};

/// As many tables as SQLite joins.
const TABLES_MAX: usize = 64;
/// As many views inside views.
const VIEWS_MAX: usize = 40;
/// As many SELECTs in one statement: ten views, each a join of the one before with itself, hold a
/// thousand of them.
const CORES_MAX: usize = 5000;

/// Plans a query, and says whether it depends on the queries around it.
///
/// # Errors
/// Names that mean nothing, and everything else that is wrong with its meaning.
pub(crate) fn select(
    prep: &Prep<'_>,
    select: &Select,
    parent: Option<&Scope<'_>>,
) -> Result<(SelectPlan, bool)> {
    let alone = select.rest.is_empty();
    let order_by: &[OrderTerm] = if alone { &select.order_by } else { &[] };
    let mut planned = core(prep, &select.first, order_by, parent)?;
    let (mut rest, mut others) = (Vec::new(), Vec::new());
    for (op, next) in &select.rest {
        let next = core(prep, next, &[], parent)?;
        if next.columns.len() != planned.columns.len() {
            let text = format!(
                "SELECTs to the left and right of {} do not have the same number of result columns",
                op.name()
            );
            return Err(Error::Sql(text));
        }
        for (column, other) in planned.columns.iter_mut().zip(&next.columns) {
            // The affinity is that of the first SELECT.
            column.collation = column.collation.or(other.collation);
        }
        planned.correlated |= next.correlated;
        others.push(next.columns);
        rest.push((*op, next.plan));
    }
    if !alone {
        planned.order = compound_order(&select.order_by, &planned.columns, &others)?;
    }
    // LIMIT sees no column, neither of this query nor of those around it.
    let scope = prep.scope(&[]);
    let limit = select.limit.as_ref().map(|expr| scope.code(expr)).transpose()?;
    let offset = select.offset.as_ref().map(|expr| scope.code(expr)).transpose()?;
    let Planned { columns, plan: first, order, correlated } = planned;
    Ok((SelectPlan { columns, first, rest, order, limit, offset }, correlated))
}

/// A core with what the query around it needs to know.
struct Planned {
    plan: CorePlan,
    columns: Vec<OutputColumn>,
    order: Vec<SortKey>,
    correlated: bool,
}

fn core(
    prep: &Prep<'_>,
    core: &Core,
    order_by: &[OrderTerm],
    parent: Option<&Scope<'_>>,
) -> Result<Planned> {
    prep.stack.check()?;
    prep.cores.set(prep.cores.get() + 1);
    if prep.cores.get() > CORES_MAX {
        return Err(Error::Sql(format!("more than {CORES_MAX} queries in one statement")));
    }
    match core {
        Core::Values(rows) => values(prep, rows, parent),
        Core::Query(query) => self::query(prep, query, order_by, parent),
    }
}

/// VALUES, after which the parser lets no ORDER BY stand.
fn values(prep: &Prep<'_>, rows: &[Vec<Expr>], parent: Option<&Scope<'_>>) -> Result<Planned> {
    let scope = Scope { parent, ..prep.scope(&[]) };
    let width = rows.first().map_or(0, Vec::len);
    if rows.iter().any(|row| row.len() != width) {
        return Err(Error::Sql("all VALUES must have the same number of terms".into()));
    }
    let code = |row: &Vec<Expr>| row.iter().map(|expr| scope.code(expr)).collect();
    let values = rows.iter().map(code).collect::<Result<Vec<Vec<Code>>>>()?;
    let name = |at: usize| OutputColumn {
        name: format!("column{}", at + 1),
        affinity: None,
        collation: None,
    };
    let columns: Vec<_> = (0..width).map(name).collect();
    let plan = CorePlan { values, ..CorePlan::default() };
    Ok(Planned { plan, columns, order: Vec::new(), correlated: scope.correlated.get() })
}

fn query(
    prep: &Prep<'_>,
    query: &Query,
    order_by: &[OrderTerm],
    parent: Option<&Scope<'_>>,
) -> Result<Planned> {
    let mut correlated = false;
    let (mut tables, sources) = from(prep, &query.from, parent, &mut correlated)?;
    let merged = merge(&query.from, &mut tables)?;
    let aliases = aliases(query);
    let grouped = !query.group_by.is_empty()
        || query.having.is_some()
        || query.columns.iter().any(|column| match column {
            ResultColumn::Expr { expr, .. } => has_aggregate(expr),
            _ => false,
        })
        || order_by.iter().any(|term| has_aggregate(&term.expr));
    let slots = grouped.then(RefCell::default);
    let scope = Scope { aliases: &aliases, parent, slots, ..prep.scope(&tables) };

    let mut conditions = merged;
    for (at, item) in query.from.iter().enumerate() {
        let left = (item.join == JoinKind::Left).then_some(at);
        for expr in item.on.iter().flat_map(conjuncts) {
            let code = scope.code(expr)?;
            left.map_or(Ok(()), |at| refuse_tables_behind(at, &code))?;
            conditions.push(Condition::new(code, left));
        }
    }
    for expr in query.filter.iter().flat_map(conjuncts) {
        conditions.push(Condition::new(scope.code(expr)?, None));
    }
    let keys = group_keys(&scope, query)?;
    if grouped {
        scope.place.set(Place::Group);
    }
    let (columns, mut outputs) = result_columns(&scope, &query.columns)?;
    let having = query.having.as_ref().map(|having| scope.code(having)).transpose()?;
    if query.having.is_some() && query.group_by.is_empty() && !scope.has_aggregates() {
        return Err(Error::Sql("HAVING clause on a non-aggregate query".into()));
    }
    let mut order = order_keys(&scope, order_by, &columns, &mut outputs)?;
    correlated |= scope.correlated.get();
    let slots = scope.slots.map(RefCell::into_inner);
    let side_by_side = keys.is_empty();
    let grouping =
        slots.map(|slots| Grouping { keys, slots, having, side_by_side, first_row_only: false });
    let collations = columns.iter().map(|column| column.collation.unwrap_or_default());
    let distinct = query.distinct.then(|| collations.collect());
    let kinds: Vec<JoinKind> = query.from.iter().map(|item| item.join).collect();
    let join = Join { sources: &sources, kinds: &kinds, conditions };
    let mut plan = CorePlan { outputs, grouping, distinct, ..CorePlan::default() };
    join::plan(join, &mut plan, &mut order);
    plan.sources = sources;
    plan.names = tables.into_iter().map(|table| table.name).collect();
    Ok(Planned { plan, columns, order, correlated })
}

/// The ON of a LEFT JOIN cannot depend on a row that is looked for later.
fn refuse_tables_behind(at: usize, code: &Code) -> Result<()> {
    let mut behind = false;
    code.walk(&mut |code| {
        if let Code::Column { source, .. } | Code::Rowid(source) = code {
            behind |= *source > at;
        }
    });
    if behind {
        return Err(Error::Sql("ON clause references tables to its right".into()));
    }
    Ok(())
}

/// The parts of `a AND b AND c`.
pub(super) fn conjuncts(expr: &Expr) -> Vec<&Expr> {
    use super::super::ast::BinaryOp;
    let (mut parts, mut rest) = (Vec::new(), expr);
    while let Expr::Binary(BinaryOp::And, left, right) = rest {
        parts.extend(conjuncts(right).into_iter().rev());
        rest = left;
    }
    parts.push(rest);
    parts.reverse();
    parts
}

// ---- FROM ----

type From = (Vec<ScopeTable>, Vec<SourcePlan>);

fn from(
    prep: &Prep<'_>,
    items: &[FromItem],
    parent: Option<&Scope<'_>>,
    correlated: &mut bool,
) -> Result<From> {
    if items.len() > TABLES_MAX {
        return Err(Error::Sql(format!("at most {TABLES_MAX} tables in a join")));
    }
    let (mut tables, mut sources) = (Vec::new(), Vec::new());
    for item in items {
        let alias = item.alias.as_ref().map(|alias| alias.text.clone());
        let (name, columns, source) = match &item.source {
            FromSource::Table(table) => {
                let (columns, source) = from_name(prep, &table.text)?;
                (table.text.clone(), columns, source)
            }
            FromSource::Select(inner) => {
                let (plan, depends) = select(prep, inner, parent)?;
                *correlated |= depends;
                let columns = ScopeColumns::Rows(plan.columns.clone());
                (String::new(), columns, SourcePlan::Select(Box::new(plan)))
            }
        };
        tables.push(ScopeTable { name: alias.unwrap_or(name), columns, merged: Vec::new() });
        sources.push(source);
    }
    Ok((tables, sources))
}

/// A table, or a view, which is the query that it stands for.
fn from_name(prep: &Prep<'_>, name: &str) -> Result<(ScopeColumns, SourcePlan)> {
    if let Some(table) = prep.catalog.table(name) {
        table.check_readable()?;
        let columns = ScopeColumns::Table(Arc::clone(table));
        return Ok((columns, SourcePlan::Table(Arc::clone(table))));
    }
    let Some(view) = prep.catalog.view(name) else {
        return Err(Error::NoSuchTable(name.to_owned()));
    };
    if prep.views.get() == VIEWS_MAX {
        return Err(Error::Sql(format!("view {name} is circularly defined")));
    }
    prep.views.set(prep.views.get() + 1);
    let planned = select(prep, &view.select, None);
    prep.views.set(prep.views.get() - 1);
    let (mut plan, _) = planned?;
    if !view.columns.is_empty() && view.columns.len() != plan.columns.len() {
        let (expected, found) = (view.columns.len(), plan.columns.len());
        let text = format!("expected {expected} columns for '{}' but got {found}", view.name);
        return Err(Error::Sql(text));
    }
    for (column, name) in plan.columns.iter_mut().zip(&view.columns) {
        column.name.clone_from(&name.text);
    }
    Ok((ScopeColumns::Rows(plan.columns.clone()), SourcePlan::Select(Box::new(plan))))
}

/// The one table that UPDATE and DELETE change.
pub(crate) fn from_table(table: &Arc<super::Table>, alias: Option<&str>) -> ScopeTable {
    let name = alias.unwrap_or(&table.name).to_owned();
    ScopeTable { name, columns: ScopeColumns::Table(Arc::clone(table)), merged: Vec::new() }
}

/// The equalities that NATURAL and USING stand for; the right-hand columns are no longer seen.
fn merge(items: &[FromItem], tables: &mut [ScopeTable]) -> Result<Vec<Condition>> {
    let mut conditions = Vec::new();
    for (right, item) in items.iter().enumerate() {
        let mut names: Vec<String> = item.using.iter().map(|name| name.text.clone()).collect();
        if item.natural {
            let shared = |name: &&str| tables[..right].iter().any(|t| t.find(name).is_some());
            let all = (0..tables[right].len()).map(|at| tables[right].column_name(at));
            names = all.filter(shared).map(str::to_owned).collect();
        }
        for name in names {
            let left = tables[..right].iter().position(|table| table.find(&name).is_some());
            let missing = || {
                let text = "cannot join using column";
                Error::Sql(format!("{text} {name} - column not present in both tables"))
            };
            let left = left.ok_or_else(missing)?;
            let at = tables[right].find(&name).ok_or_else(missing)?;
            let from = tables[left].find(&name).ok_or_else(missing)?;
            let code = equals(tables[left].column(left, from), tables[right].column(right, at));
            let outer = (item.join == JoinKind::Left).then_some(right);
            conditions.push(Condition::new(code, outer));
            tables[right].merged.push(at);
        }
    }
    Ok(conditions)
}

// ---- the result ----

fn aliases(query: &Query) -> Vec<(&str, &Expr)> {
    let alias = |column| match column {
        &ResultColumn::Expr { ref expr, alias: Some(ref alias), .. } => {
            Some((alias.text.as_str(), expr))
        }
        _ => None,
    };
    query.columns.iter().filter_map(alias).collect()
}

/// The columns of a result, `*` replaced by what it stands for.
///
/// # Errors
/// `*` without FROM, and what is wrong in an expression.
pub(crate) fn result_columns(
    scope: &Scope<'_>,
    columns: &[ResultColumn],
) -> Result<(Vec<OutputColumn>, Vec<Code>)> {
    let (mut outputs, mut codes) = (Vec::new(), Vec::new());
    for wanted in without_stars(scope, columns)? {
        let (name, typed) = match wanted {
            Wanted::Column { source, at } => {
                let table = &scope.tables[source];
                let typed = scope.in_place(table.column(source, at));
                (table.column_name(at).to_owned(), typed)
            }
            Wanted::Expr { expr, alias, text } => {
                let typed = scope.compile(expr)?;
                let name = match (alias, expr) {
                    (Some(alias), _) => alias.text.clone(),
                    (None, Expr::Column { name, .. }) => scope.declared_name(&typed.code, name),
                    _ => text.to_owned(),
                };
                (name, typed)
            }
        };
        let Typed { code, affinity, collation, .. } = typed;
        outputs.push(OutputColumn { name, affinity, collation });
        codes.push(code);
    }
    Ok((outputs, codes))
}

/// A column of the result: written as an expression, or one of those that a `*` stands for.
enum Wanted<'q> {
    Expr { expr: &'q Expr, alias: Option<&'q Name>, text: &'q str },
    Column { source: usize, at: usize },
}

fn without_stars<'q>(scope: &Scope<'_>, columns: &'q [ResultColumn]) -> Result<Vec<Wanted<'q>>> {
    let mut all = Vec::new();
    for column in columns {
        let mut of_table: Option<&str> = None;
        match column {
            ResultColumn::Expr { expr, alias, text } => {
                all.push(Wanted::Expr { expr, alias: alias.as_ref(), text });
                continue;
            }
            ResultColumn::Star if scope.tables.is_empty() => {
                return Err(Error::Sql("no tables specified".into()));
            }
            ResultColumn::Star => {}
            ResultColumn::TableStar(table) => of_table = Some(&table.text),
        }
        let mut found = false;
        for (source, table) in scope.tables.iter().enumerate() {
            if of_table.is_some_and(|name| !name.eq_ignore_ascii_case(&table.name)) {
                continue;
            }
            found = true;
            let seen = |at: &usize| of_table.is_some() || !table.merged.contains(at);
            all.extend((0..table.len()).filter(seen).map(|at| Wanted::Column { source, at }));
        }
        if !found {
            return Err(Error::NoSuchTable(of_table.unwrap_or_default().to_owned()));
        }
    }
    Ok(all)
}

/// Whether an aggregate is called, subqueries aside.
fn has_aggregate(expr: &Expr) -> bool {
    let mut found = false;
    expr.walk(&mut |expr| {
        if let Expr::Call(call) = expr {
            let aggregate = Aggregate::find(&call.name.text, call.args.len(), call.star);
            found |= !matches!(aggregate, Ok(None));
        }
    });
    found
}

// ---- GROUP BY and ORDER BY ----

fn group_keys(scope: &Scope<'_>, query: &Query) -> Result<Vec<(Code, Collation)>> {
    let key = |(number, mut expr): (usize, _)| {
        let mut column = None;
        if let &Expr::Literal(Value::Integer(position)) = expr
            && is_position(position)
        {
            let columns = without_stars(scope, &query.columns)?;
            match usize::try_from(position - 1).ok().and_then(|at| columns.get(at)) {
                Some(Wanted::Expr { expr: chosen, .. }) => expr = chosen,
                Some(&Wanted::Column { source, at }) => column = Some((source, at)),
                None => return Err(out_of_range(number, "GROUP BY", columns.len())),
            }
        }
        if has_aggregate(expr) {
            let text = "aggregate functions are not allowed in the GROUP BY clause";
            return Err(Error::Sql(text.into()));
        }
        let typed = match column {
            Some((source, at)) => scope.tables[source].column(source, at),
            None => scope.compile(expr)?,
        };
        Ok((typed.code, typed.collation.unwrap_or_default()))
    };
    query.group_by.iter().enumerate().map(key).collect()
}

impl Scope<'_> {
    /// Whether an aggregate was met.
    fn has_aggregates(&self) -> bool {
        let slots = self.slots.as_ref().map(RefCell::borrow);
        let aggregate = |slot: &SlotPlan| matches!(slot, SlotPlan::Aggregate { .. });
        slots.is_some_and(|slots| slots.iter().any(aggregate))
    }

    /// A column of the result is called as its table calls it, in whatever case it was asked for.
    fn declared_name(&self, code: &Code, written: &Name) -> String {
        let found = self
            .tables
            .iter()
            .find_map(|table| table.find(&written.text).map(|at| table.column_name(at).to_owned()));
        match code {
            Code::Outer(..) => written.text.clone(),
            _ => found.unwrap_or_else(|| written.text.clone()),
        }
    }
}
