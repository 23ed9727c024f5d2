//! Planning: how the rows of a query are found (day 0, query it).
//!
//! At the end of this chapter a query knows its way: which table first, by which index, sorted or not.
//! It takes forty minutes with [`select`](mod@select), [`join`] and [`order`].
//!
//! SQL says which rows are wanted, not how to come by them. `SELECT name FROM t WHERE age >= ?1`
//! may read every row, or, with an index on `age`, only those that qualify. The plan is the
//! decision, taken once when the statement is prepared:
//!
//! ```text
//! SELECT p.name, count(*) FROM person p JOIN pet ON pet.owner = p.id WHERE p.age >= 18
//!        GROUP BY p.name ORDER BY 2 DESC LIMIT 3
//!
//! SelectPlan  order: column 1 falling; limit 3
//! └─ CorePlan
//!    ├─ levels     for each row of p by index on age, from 18 on         (levels[0])
//!    │               for each row of pet by index on owner, = p.id       (levels[1])
//!    ├─ grouping   by p.name, keeping count(*)
//!    └─ outputs    p.name, count(*)
//! ```
//!
//! The rows of a join are nested loops, one *level* for each table of FROM. [`join`] chooses their
//! order and, for each, the cheapest [`Access`]. This module turns a syntax tree into a plan;
//! [`exec`](super::exec) runs it, and `EXPLAIN QUERY PLAN` shows it ([`explain`]).
//!
//! Real planners estimate: SQLite keeps counts of each index's values (ANALYZE), others histograms, and
//! they try many plans against each other. Without statistics all that can be compared is the shape
//! of the accesses, and mostly that is enough: a look-up by key beats a scan however long it is.
//!
//! # Try it
//! ```text
//! $ cargo run -q -p orm --example shell -- :memory: "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, age INTEGER);
//!   CREATE INDEX t_age ON t(age);
//!   EXPLAIN QUERY PLAN SELECT name FROM t WHERE age >= 18;
//!   EXPLAIN QUERY PLAN SELECT name FROM t WHERE age + 0 >= 18 ORDER BY name"
//! QUERY PLAN
//! `--SEARCH t USING INDEX t_age (age>?)
//! QUERY PLAN
//! |--SCAN t
//! `--USE TEMP B-TREE FOR ORDER BY
//! ```
//!
//! A script of queries that are planned each in its own way; comments say what they print:
//!
//! ```text
//! $ cargo run -q -p orm --example shell -- :memory: < tests/tests/sql/chapter_planner.sql
//! Tom
//! Sam
//! ...
//! ```
//!
//! Reference: <https://sqlite.org/optoverview.html>.

pub mod change;
pub mod explain;
pub mod join;
pub mod order;
pub mod select;
pub mod terms;

use std::sync::Arc;

use super::Collation;
use super::affinity::Affinity;
use super::ast::CompoundOp;
use super::catalog::{Index, Table};
use super::expr::Code;
use super::expr::scope::SlotPlan;

pub(crate) use select::{from_table, select};

/// A query that is ready to run.
#[derive(Debug)]
pub(crate) struct SelectPlan {
    pub(crate) columns: Vec<OutputColumn>,
    pub(crate) first: CorePlan,
    pub(crate) rest: Vec<(CompoundOp, CorePlan)>,
    /// By which outputs the rows are sorted; empty also where they come in order by themselves.
    pub(crate) order: Vec<SortKey>,
    pub(crate) limit: Option<Code>,
    pub(crate) offset: Option<Code>,
}

/// A column of the result.
#[derive(Clone, Debug)]
pub(crate) struct OutputColumn {
    pub(crate) name: String,
    pub(crate) affinity: Option<Affinity>,
    pub(crate) collation: Option<Collation>,
}

/// One key of a sort.
#[derive(Clone, Debug)]
pub(crate) struct SortKey {
    /// Which output of the core; those beyond the result's columns are dropped after the sort.
    pub(crate) at: usize,
    pub(crate) desc: bool,
    pub(crate) nulls_first: bool,
    pub(crate) collation: Collation,
}

/// One SELECT or VALUES.
#[derive(Debug, Default)]
pub(crate) struct CorePlan {
    /// The rows of VALUES; then everything else is empty.
    pub(crate) values: Vec<Vec<Code>>,
    /// The tables of FROM, as they are written.
    pub(crate) sources: Vec<SourcePlan>,
    /// What they are called there.
    pub(crate) names: Vec<String>,
    /// The loops, from the outermost in.
    pub(crate) levels: Vec<Level>,
    /// Conditions that depend on no row.
    pub(crate) conditions: Vec<Code>,
    pub(crate) grouping: Option<Grouping>,
    /// The columns of the result, and then what is only sorted by.
    pub(crate) outputs: Vec<Code>,
    /// The collations of the result's columns, if equal rows are to be dropped.
    pub(crate) distinct: Option<Vec<Collation>>,
    /// `SELECT count(*) FROM table`: the b-tree whose entries are counted without a look at them.
    pub(crate) count: Option<u32>,
}

impl CorePlan {
    /// Whether the outermost loop finds one row at most: by its rowid, or by the whole key of a unique
    /// index.
    pub(crate) fn finds_one(&self) -> bool {
        match self.levels.first().map(|level| &level.access) {
            Some(Access::Rowid(rowids)) => rowids.len() == 1,
            Some(Access::Index(access)) => {
                access.index.unique
                    && access.any.is_none()
                    && access.equal.len() == access.index.columns.len()
                    && !access.equal.iter().any(|part| part.finds_null) // NULL has equals
            }
            _ => false,
        }
    }
}

/// Where a source's rows come from.
#[derive(Debug)]
pub(crate) enum SourcePlan {
    Table(Arc<Table>),
    Select(Box<SelectPlan>),
}

/// GROUP BY, or aggregates over all rows.
#[derive(Debug)]
pub(crate) struct Grouping {
    pub(crate) keys: Vec<(Code, Collation)>,
    pub(crate) slots: Vec<SlotPlan>,
    pub(crate) having: Option<Code>,
    /// The rows of a group come one after another, and the groups in their order.
    pub(crate) side_by_side: bool,
    /// The rows come in such an order that min or max is in the first.
    pub(crate) first_row_only: bool,
}

/// A loop over the rows of one source.
#[derive(Debug)]
pub(crate) struct Level {
    pub(crate) source: usize,
    pub(crate) access: Access,
    /// A LEFT JOIN: a row of NULLs stands in where no row fulfils `on`.
    pub(crate) left: bool,
    /// The conditions of a LEFT JOIN's ON.
    pub(crate) on: Vec<Code>,
    /// The conditions that can be decided here, and not further out.
    pub(crate) filters: Vec<Code>,
}

/// Which rows of a source a loop visits, and in which order.
#[derive(Debug)]
pub(crate) enum Access {
    /// The rows of a table between two rowids.
    Table { low: Option<Bound>, high: Option<Bound>, backwards: bool },
    /// The rows with these rowids.
    Rowid(Vec<Code>),
    /// The rows whose index entries have these values, or lie between two bounds.
    Index(Box<IndexAccess>),
    /// All rows of a subquery.
    Rows,
}

#[derive(Debug)]
pub(crate) struct IndexAccess {
    pub(crate) index: Arc<Index>,
    /// Values of the first columns of the key.
    pub(crate) equal: Vec<KeyPart>,
    /// Several values for the column after these: `IN (...)`.
    pub(crate) any: Option<(Option<Affinity>, Vec<Code>)>,
    /// Bounds of the column after these.
    pub(crate) low: Option<Bound>,
    pub(crate) high: Option<Bound>,
    pub(crate) backwards: bool,
    /// Nothing but the index is needed.
    pub(crate) covering: bool,
}

/// A value that a column must have.
#[derive(Debug, Clone)]
pub(crate) struct KeyPart {
    pub(crate) code: Code,
    pub(crate) affinity: Option<Affinity>,
    /// `IS` finds NULL, `=` does not.
    pub(crate) finds_null: bool,
}

/// One end of a range.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    pub(crate) code: Code,
    pub(crate) affinity: Option<Affinity>,
    pub(crate) inclusive: bool,
}
