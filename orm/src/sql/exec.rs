//! Running a plan, row by row (day 0, query it).
//!
//! At the end of this chapter the rows come. It takes forty minutes with [`loops`], [`group`],
//! [`change`] and [`write`](mod@write).
//!
//! A query is pulled: whoever wants a row asks [`SelectRun::next`], which asks the
//! [loops](loops::Loops) for the next combination of rows, which ask a cursor for the next entry of
//! a b-tree. Nothing is computed that nobody asks for: with `LIMIT 3` the fourth row is never read.
//!
//! ```text
//! SelectRun      sort, LIMIT      ◀─ keeps rows only to sort them or to put queries together
//!  └ CoreRun     GROUP BY, DISTINCT, the result's columns
//!     └ Loops    for each row of p: for each row of pet: does it pass?
//!        └ Source   a cursor on a row, whose columns are decoded when they are asked for
//! ```
//!
//! Five things make it keep rows: a sort that no index saves (with LIMIT n, not many more than n of
//! them), GROUP BY where no index brings the rows of a group together (one entry for each group),
//! DISTINCT (one key for each different row), a UNION or its like, and a subquery after IN, or one in
//! FROM that an inner loop goes through again and again. They are kept in memory, up to a
//! [limit](kept); SQLite would go on in a temporary file.
//!
//! # The idea alone
//! ```
//! /// Two nested loops that stop at each pair: `for a in left { for b in right { if fits { ... } } }`.
//! struct Join<'r> {
//!     left: &'r [i64],
//!     right: &'r [i64],
//!     at: (usize, usize),
//! }
//!
//! impl Iterator for Join<'_> {
//!     type Item = (i64, i64);
//!
//!     fn next(&mut self) -> Option<(i64, i64)> {
//!         while let Some(&a) = self.left.get(self.at.0) {
//!             while let Some(&b) = self.right.get(self.at.1) {
//!                 self.at.1 += 1;
//!                 if a < b {
//!                     return Some((a, b));
//!                 }
//!             }
//!             self.at = (self.at.0 + 1, 0); // the inner loop starts anew
//!         }
//!         None
//!     }
//! }
//!
//! let mut pairs = Join { left: &[1, 2, 3], right: &[2, 3], at: (0, 0) };
//! assert_eq!(pairs.next(), Some((1, 2))); // nothing has looked at 3 yet
//! assert_eq!(pairs.collect::<Vec<_>>(), [(1, 3), (2, 3)]);
//! ```
//!
//! # What the borrow checker says
//! A run that owns an iterator over a table, which borrows the pager, which the next statement wants to
//! change, does not compile; nor does a struct that holds a plan and a run that borrows from it. So
//! a run holds positions and borrows nothing, and what they need to move - the plan, the [`Env`], the
//! row of the query around - is handed to each call of `next`. That also lets a query inside a query
//! keep its run and [start it again](SelectRun::restart) for the next row.
//!
//! [`change`] runs INSERT, UPDATE and DELETE, [`write`](mod@write) keeps a table's indexes in step with it.
//!
//! # Try it
//! A script that joins, groups, sorts and changes; comments say what each statement prints, and why:
//!
//! ```text
//! $ cargo run -q -p orm --example shell -- :memory: < tests/tests/sql/chapter_executor.sql
//! Ann|1
//! Tom|1
//! Tom|2
//! ...
//! ```

pub mod change;
pub mod group;
pub mod kept;
pub mod loops;
pub mod sequence;
pub mod source;
pub mod write;

use std::cmp::Ordering;
use std::collections::HashSet;

use super::ast::CompoundOp;
use super::expr::{Ctx, Env, distinct_key};
use super::plan::{CorePlan, SelectPlan, SortKey};
use super::{Error, Result, Value, ValueRef};
use group::Groups;
use kept::{Distinct, Kept};
use loops::Loops;
pub(crate) use source::Source;

/// A row of a result.
pub(crate) type Row = Vec<Value>;

/// Where a query stands; its plan is handed to each call.
#[derive(Debug)]
pub(crate) struct SelectRun {
    core: CoreRun,
    /// The rows, once they had to be collected.
    collected: Option<std::vec::IntoIter<Row>>,
    /// How many rows are still to be skipped, and may still be given.
    skip: usize,
    left: usize,
}

impl SelectRun {
    /// Starts a query; `parent` is the row of the query around it.
    ///
    /// # Errors
    /// `datatype mismatch` for a LIMIT or OFFSET that is no integer.
    pub(crate) fn new(
        plan: &SelectPlan,
        env: &Env<'_>,
        parent: Option<&Ctx<'_>>,
    ) -> Result<SelectRun> {
        let mut run = SelectRun { core: CoreRun::default(), collected: None, skip: 0, left: 0 };
        run.restart(plan, env, parent)?;
        Ok(run)
    }

    /// Starts the same query again, with what it has built, for another row of the query around it.
    ///
    /// # Errors
    /// Those of [`SelectRun::new`].
    pub(crate) fn restart(
        &mut self,
        plan: &SelectPlan,
        env: &Env<'_>,
        parent: Option<&Ctx<'_>>,
    ) -> Result<()> {
        let ctx = Ctx { env, sources: &[], slots: &[], parent };
        let count = |code: &Option<super::expr::Code>, none: usize| {
            let Some(code) = code else { return Ok(none) };
            let number = super::affinity::Affinity::Numeric.apply(code.eval(&ctx)?);
            match number.get() {
                // A negative limit is none at all.
                ValueRef::Integer(n) => Ok(usize::try_from(n).unwrap_or(none)),
                _ => Err(Error::Mismatch),
            }
        };
        self.left = count(&plan.limit, usize::MAX)?;
        self.skip = count(&plan.offset, 0)?;
        self.collected = None;
        self.core.restart();
        Ok(())
    }

    /// Puts the next row into `row`; false at the end.
    ///
    /// # Errors
    /// Whatever an expression or a page says.
    pub(crate) fn next(
        &mut self,
        plan: &SelectPlan,
        env: &Env<'_>,
        parent: Option<&Ctx<'_>>,
        row: &mut Row,
    ) -> Result<bool> {
        if self.left == 0 {
            return Ok(false);
        }
        let streams = plan.rest.is_empty() && plan.order.is_empty();
        if !streams && self.collected.is_none() {
            self.collected = Some(self.collect(plan, env, parent)?.into_iter());
        }
        loop {
            match &mut self.collected {
                None if self.core.next(&plan.first, env, parent, row)? => {}
                Some(rows) => match rows.next() {
                    Some(next) => *row = next,
                    None => return Ok(false),
                },
                None => return Ok(false),
            }
            if self.skip == 0 {
                break;
            }
            self.skip -= 1;
        }
        row.truncate(plan.columns.len());
        self.left -= 1;
        Ok(true)
    }

    /// All rows, put together and sorted.
    fn collect(
        &mut self,
        plan: &SelectPlan,
        env: &Env<'_>,
        parent: Option<&Ctx<'_>>,
    ) -> Result<Vec<Row>> {
        // With a limit, so many rows are enough; the others are dropped now and then.
        let wanted = self.left.saturating_add(self.skip);
        let sorts = plan.rest.is_empty() && wanted < usize::MAX / 4;
        let mut rows: Vec<Row> = Vec::new();
        let mut row = Row::new();
        // Once there are enough, a row must come before the last of them.
        let mut full = false;
        let (mut kept, limits) = (Kept::default(), &env.shared.limits);
        while self.core.next(&plan.first, env, parent, &mut row)? {
            let last = rows.get(wanted.wrapping_sub(1)).filter(|_| full);
            if last.is_some_and(|last| !compare(&row, last, &plan.order).is_lt()) {
                continue;
            }
            kept.row(&row, limits)?;
            rows.push(std::mem::take(&mut row));
            if sorts && rows.len() >= 2 * wanted + 1000 {
                sort(&mut rows, &plan.order);
                rows.truncate(wanted);
                kept = Kept::default();
                rows.iter().try_for_each(|row| kept.row(row, limits))?;
                full = true;
            }
        }
        for (op, next) in &plan.rest {
            let mut core = CoreRun::default();
            let mut others = Vec::new();
            while core.next(next, env, parent, &mut row)? {
                kept.row(&row, limits)?;
                others.push(std::mem::take(&mut row));
            }
            rows = compound(plan, *op, rows, others);
        }
        sort(&mut rows, &plan.order);
        Ok(rows)
    }
}

/// `left UNION right` and its like.
fn compound(
    plan: &SelectPlan,
    op: CompoundOp,
    mut left: Vec<Row>,
    mut right: Vec<Row>,
) -> Vec<Row> {
    let key = |row: &Row| {
        let mut key = Vec::new();
        for (value, column) in row.iter().zip(&plan.columns) {
            distinct_key(value.as_ref(), column.collation.unwrap_or_default(), &mut key);
        }
        key
    };
    let mut seen = HashSet::new();
    match op {
        CompoundOp::UnionAll => left.append(&mut right),
        CompoundOp::Union => {
            left.append(&mut right);
            // Of equal rows, 1 and 1.0, SQLite keeps the last.
            left.reverse();
            left.retain(|row| seen.insert(key(row)));
        }
        CompoundOp::Except | CompoundOp::Intersect => {
            let others: HashSet<_> = right.iter().map(key).collect();
            let wanted = op == CompoundOp::Intersect;
            left.reverse();
            left.retain(|row| {
                let key = key(row);
                others.contains(&key) == wanted && seen.insert(key)
            });
        }
    }
    if op != CompoundOp::UnionAll {
        // SQLite finds equal rows in a b-tree, so they come out in order; so do ours.
        let order = plan.columns.iter().enumerate().map(|(at, column)| SortKey {
            at,
            desc: false,
            nulls_first: true,
            collation: column.collation.unwrap_or_default(),
        });
        sort(&mut left, &order.collect::<Vec<_>>());
    }
    left
}

/// Sorts rows; equal ones keep their order.
fn sort(rows: &mut [Row], keys: &[SortKey]) {
    rows.sort_by(|a, b| compare(a, b, keys));
}

/// Which of two rows comes first.
fn compare(a: &Row, b: &Row, keys: &[SortKey]) -> Ordering {
    for key in keys {
        let (left, right) = (a[key.at].as_ref(), b[key.at].as_ref());
        let nulls_first = if key.nulls_first { Ordering::Less } else { Ordering::Greater };
        let order = match (left.is_null(), right.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) => nulls_first,
            (false, true) => nulls_first.reverse(),
            _ if key.desc => right.compare(left, key.collation),
            _ => left.compare(right, key.collation),
        };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

/// Where one SELECT or VALUES stands.
#[derive(Debug, Default)]
struct CoreRun {
    state: State,
    /// The rows that DISTINCT has let through.
    seen: Distinct,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Start,
    /// How many rows of VALUES have been given.
    Values(usize),
    Loops(Box<Loops>),
    Groups(Box<Loops>, Box<Groups>),
}

impl State {
    #[cold]
    fn begin(plan: &CorePlan) -> State {
        match &plan.grouping {
            _ if !plan.values.is_empty() => State::Values(0),
            None => State::Loops(Box::new(Loops::new(plan))),
            Some(_) => State::Groups(Box::new(Loops::new(plan)), Box::default()),
        }
    }
}

impl CoreRun {
    /// Goes back before the first row.
    fn restart(&mut self) {
        self.seen.clear();
        match &mut self.state {
            State::Start => {}
            State::Values(given) => *given = 0,
            State::Loops(loops) => loops.restart(),
            State::Groups(loops, groups) => {
                loops.restart();
                groups.restart();
            }
        }
    }

    /// The next row of the result, with what is only sorted by after its columns.
    fn next(
        &mut self,
        plan: &CorePlan,
        env: &Env<'_>,
        parent: Option<&Ctx<'_>>,
        row: &mut Row,
    ) -> Result<bool> {
        let Some(collations) = &plan.distinct else { return self.advance(plan, env, parent, row) };
        loop {
            if !self.advance(plan, env, parent, row)? {
                return Ok(false);
            }
            let mut key = Vec::new();
            for (value, &collation) in row.iter().zip(collations) {
                distinct_key(value.as_ref(), collation, &mut key);
            }
            if self.seen.insert(key, &env.shared.limits)? {
                return Ok(true);
            }
        }
    }

    fn advance(
        &mut self,
        plan: &CorePlan,
        env: &Env<'_>,
        parent: Option<&Ctx<'_>>,
        row: &mut Row,
    ) -> Result<bool> {
        if let State::Start = self.state {
            self.state = State::begin(plan);
        }
        row.clear();
        match (&mut self.state, &plan.grouping) {
            (State::Values(given), _) => {
                let Some(codes) = plan.values.get(*given) else { return Ok(false) };
                *given += 1;
                env.shared.limits.step()?;
                outputs(codes, &Ctx { env, sources: &[], slots: &[], parent }, row)?;
                Ok(true)
            }
            (State::Loops(loops), _) => {
                if !loops.next(plan, env, parent)? {
                    return Ok(false);
                }
                let ctx = Ctx { env, sources: &loops.sources, slots: &[], parent };
                outputs(&plan.outputs, &ctx, row)?;
                Ok(true)
            }
            (State::Groups(loops, groups), Some(grouping)) => {
                while groups.next(plan, grouping, loops, env, parent)? {
                    let ctx = Ctx { env, sources: &[], slots: &groups.slots, parent };
                    let wanted = match &grouping.having {
                        Some(having) => having.truth(&ctx)? == Some(true),
                        None => true,
                    };
                    if wanted {
                        outputs(&plan.outputs, &ctx, row)?;
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            (State::Start | State::Groups(..), _) => Ok(false),
        }
    }
}

/// Appends the values of some expressions to a row.
fn outputs(codes: &[super::expr::Code], ctx: &Ctx<'_>, row: &mut Row) -> Result<()> {
    row.reserve(codes.len());
    for code in codes {
        row.push(code.eval(ctx)?.into_value());
    }
    Ok(())
}
