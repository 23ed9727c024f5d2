//! The nested loops of a join, as a machine that can stop at each row (day 0, query it).
//!
//! Written down as code, a join of two tables is
//!
//! ```text
//! for each row of a that passes a's conditions:            level 0
//!     for each row of b that passes b's conditions:        level 1
//!         a row of the join
//! ```
//!
//! Rows are pulled one at a time, so the loops cannot be loops: between two rows the machine must
//! rest. Each level keeps its cursor. To get the next row, the innermost level moves on; where it is
//! at its end, the level around it moves on and the inner one starts anew ([`Loops::next`]).
//!
//! A level starts by evaluating its keys, which may name columns of the levels around it, and moves
//! a cursor to the first entry that fits; it ends at the first entry that does not.

use std::cmp::Ordering;

use super::super::affinity::Affinity;
use super::super::btree::{Bias, IndexCursor};
use super::super::expr::{Asks, Code, Ctx, Env, Val};
use super::super::plan::{Access, Bound, CorePlan, IndexAccess, Level, SourcePlan};
use super::super::{Error, Pager, Result, Value, ValueRef};
use super::Source;
use super::source::Kind;

mod open;

use open::{next_row, open_rows, open_table, rowid_bound};

/// The loops of one core, and where they stand.
#[derive(Debug)]
pub(super) struct Loops {
    pub(super) sources: Vec<Source>,
    loops: Vec<Loop>,
    state: State,
}

#[derive(Debug, PartialEq)]
enum State {
    Start,
    Running,
    Done,
}

/// Where one level stands.
#[derive(Debug, Default)]
struct Loop {
    /// The cursor on the index by which the rows of a table are found.
    index: Option<IndexCursor>,
    /// `IN`: the values to look for, and how many have been.
    keys: Vec<Value>,
    tried: usize,
    /// What the first columns of the index must be, then the start and the end of a range.
    prefix: Vec<Value>,
    start: Edge,
    end: Edge,
    /// The rowids of a range of a table.
    rowids: (i64, i64),
    /// There is no other row than the one found.
    single: bool,
    /// LEFT JOIN: a row was found, or its stand-in was given.
    matched: bool,
}

/// One end of a stretch of an index; an empty key is no end.
#[derive(Debug, Default)]
struct Edge {
    key: Vec<Value>,
    inclusive: bool,
}

impl Loops {
    pub(super) fn new(plan: &CorePlan) -> Loops {
        let mut sources: Vec<Source> = plan.sources.iter().map(|_| Source::rows()).collect();
        let mut loops = Vec::with_capacity(plan.levels.len());
        for level in &plan.levels {
            let mut own = Loop::default();
            if let SourcePlan::Table(table) = &plan.sources[level.source] {
                sources[level.source] = match &level.access {
                    Access::Index(access) if access.covering => Source::entry(&access.index),
                    _ => Source::table(table),
                };
                if let Access::Index(access) = &level.access
                    && !access.covering
                {
                    let info = access.index.info.clone();
                    own.index = Some(IndexCursor::new(access.index.root, info));
                }
            }
            loops.push(own);
        }
        Loops { sources, loops, state: State::Start }
    }

    /// Goes back before the first row, and keeps the memory and the cursors.
    pub(super) fn restart(&mut self) {
        self.state = State::Start;
        self.sources.iter_mut().for_each(Source::restart);
    }

    /// Moves to the next combination of rows that passes all conditions; false at the end.
    pub(super) fn next(
        &mut self,
        plan: &CorePlan,
        env: &Env<'_>,
        parent: Option<&Ctx<'_>>,
    ) -> Result<bool> {
        let last = plan.levels.len().saturating_sub(1);
        let (mut depth, mut entering) = (last, false);
        match self.state {
            State::Done => return Ok(false),
            State::Running if plan.levels.is_empty() => return Ok(false),
            State::Running => {}
            State::Start => {
                self.state = State::Running;
                let ctx = Ctx { env, sources: &[], slots: &[], parent };
                if !all_true(&plan.conditions, &ctx)? {
                    self.state = State::Done;
                    return Ok(false);
                }
                if plan.levels.is_empty() {
                    return Ok(true);
                }
                (depth, entering) = (0, true);
            }
        }
        loop {
            if self.step(plan, depth, entering, env, parent)? {
                if depth == last {
                    return Ok(true);
                }
                (depth, entering) = (depth + 1, true);
            } else if depth == 0 {
                self.state = State::Done;
                return Ok(false);
            } else {
                (depth, entering) = (depth - 1, false);
            }
        }
    }

    /// Moves one level to its next row that passes; false when it is at its end.
    fn step(
        &mut self,
        plan: &CorePlan,
        depth: usize,
        entering: bool,
        env: &Env<'_>,
        parent: Option<&Ctx<'_>>,
    ) -> Result<bool> {
        let level = &plan.levels[depth];
        // After the stand-in for a row comes none.
        let over = !entering && self.sources[level.source].null;
        if entering {
            self.sources[level.source].null = false;
            self.loops[depth].matched = false;
        }
        let mut opening = entering;
        while match opening {
            true => self.open(plan, depth, env, parent)?,
            false => !over && self.advance(plan, depth, env, parent)?,
        } {
            opening = false;
            env.shared.limits.step()?;
            let ctx = Ctx { env, sources: &self.sources, slots: &[], parent };
            if all_true(&level.on, &ctx)? {
                self.loops[depth].matched = true;
                if all_true(&level.filters, &ctx)? {
                    return Ok(true);
                }
            }
        }
        if !level.left || self.loops[depth].matched {
            return Ok(false);
        }
        self.loops[depth].matched = true;
        self.sources[level.source].null = true;
        let ctx = Ctx { env, sources: &self.sources, slots: &[], parent };
        all_true(&level.filters, &ctx)
    }

    /// Evaluates a level's keys and moves to its first row.
    fn open(
        &mut self,
        plan: &CorePlan,
        depth: usize,
        env: &Env<'_>,
        parent: Option<&Ctx<'_>>,
    ) -> Result<bool> {
        let level = &plan.levels[depth];
        let own = &mut self.loops[depth];
        let ctx = Ctx { env, sources: &self.sources, slots: &[], parent };
        (own.single, own.tried) = (false, 0);
        own.keys.clear();
        match &level.access {
            Access::Rows => {
                let SourcePlan::Select(select) = &plan.sources[level.source] else {
                    return Ok(false);
                };
                let source = &mut self.sources[level.source];
                return open_rows(source, select, depth == 0, env, parent);
            }
            Access::Table { low, high, backwards } => {
                let low = low.as_ref().map(|bound| rowid_bound(bound, &ctx, true)).transpose()?;
                let high =
                    high.as_ref().map(|bound| rowid_bound(bound, &ctx, false)).transpose()?;
                let (Some(low), Some(high)) =
                    (low.unwrap_or(Some(i64::MIN)), high.unwrap_or(Some(i64::MAX)))
                else {
                    return Ok(false);
                };
                own.rowids = (low, high);
                let mut pager = env.shared.pager.borrow_mut();
                return open_table(
                    &mut self.sources[level.source],
                    own.rowids,
                    *backwards,
                    &mut pager,
                );
            }
            Access::Rowid(list) if list.len() == 1 && !matches!(list[0], Code::Subquery(_)) => {
                let key = Affinity::Numeric.apply(list[0].eval(&ctx)?);
                let ValueRef::Integer(rowid) = key.get() else { return Ok(false) };
                let mut pager = env.shared.pager.borrow_mut();
                return self.sources[level.source].find(rowid, &mut pager);
            }
            Access::Rowid(list) => {
                keys(list, Some(Affinity::Numeric), &ctx, &mut own.keys)?;
                own.keys.retain(|key| matches!(key, Value::Integer(_)));
                if own.keys.len() > 1 {
                    in_order(&mut own.keys, super::super::Collation::Binary);
                }
            }
            Access::Index(access) => {
                if !own.evaluate(access, &ctx)? {
                    return Ok(false);
                }
                if access.any.is_none() {
                    return self.open_index(level, depth, access, env);
                }
            }
        }
        self.next_key(level, depth, env)
    }

    /// Moves a level that stands on a row to the next one.
    fn advance(
        &mut self,
        plan: &CorePlan,
        depth: usize,
        env: &Env<'_>,
        parent: Option<&Ctx<'_>>,
    ) -> Result<bool> {
        let level = &plan.levels[depth];
        let (own, source) = (&mut self.loops[depth], &mut self.sources[level.source]);
        match &level.access {
            Access::Rows => match &plan.sources[level.source] {
                SourcePlan::Select(select) => next_row(source, select, env, parent),
                SourcePlan::Table(_) => Ok(false),
            },
            Access::Table { backwards, .. } => {
                let mut pager = env.shared.pager.borrow_mut();
                let Kind::Table { cursor, .. } = &mut source.kind else { return Ok(false) };
                let found =
                    if *backwards { cursor.prev(&mut pager)? } else { cursor.next(&mut pager)? };
                let (low, high) = own.rowids;
                if !found || cursor.rowid() < low || cursor.rowid() > high {
                    return Ok(false);
                }
                source.arrive(&mut pager)?;
                Ok(true)
            }
            Access::Rowid(_) if own.keys.is_empty() => Ok(false),
            Access::Rowid(_) => self.next_key(level, depth, env),
            Access::Index(access) => {
                if !own.single {
                    let mut pager = env.shared.pager.borrow_mut();
                    let cursor = cursor(&mut own.index, source)?;
                    let found = if access.backwards {
                        cursor.prev(&mut pager)?
                    } else {
                        cursor.next(&mut pager)?
                    };
                    if found && own.arrive(access, source, &mut pager)? {
                        return Ok(true);
                    }
                }
                if access.any.is_some() { self.next_key(level, depth, env) } else { Ok(false) }
            }
        }
    }

    /// Looks up the next of several keys.
    fn next_key(&mut self, level: &Level, depth: usize, env: &Env<'_>) -> Result<bool> {
        loop {
            let own = &mut self.loops[depth];
            let Some(key) = own.keys.get(own.tried).cloned() else { return Ok(false) };
            own.tried += 1;
            let found = match (&level.access, &key) {
                (Access::Index(access), _) => {
                    own.prefix.truncate(access.equal.len());
                    own.prefix.push(key);
                    own.start = Edge { key: own.prefix.clone(), inclusive: true };
                    own.end = Edge { key: own.prefix.clone(), inclusive: true };
                    self.open_index(level, depth, access, env)?
                }
                (_, Value::Integer(rowid)) => {
                    let mut pager = env.shared.pager.borrow_mut();
                    self.sources[level.source].find(*rowid, &mut pager)?
                }
                _ => false,
            };
            if found {
                return Ok(true);
            }
        }
    }

    /// Moves to the first entry of a stretch of an index.
    fn open_index(
        &mut self,
        level: &Level,
        depth: usize,
        access: &IndexAccess,
        env: &Env<'_>,
    ) -> Result<bool> {
        let (own, source) = (&mut self.loops[depth], &mut self.sources[level.source]);
        let mut pager = env.shared.pager.borrow_mut();
        // All columns of a unique key are given: there is one entry or none.
        own.single = access.index.unique
            && own.prefix.len() == access.index.columns.len()
            && !own.prefix.contains(&Value::Null);
        let single = own.single;
        let backwards = access.backwards;
        let edge = if backwards { &own.end } else { &own.start };
        let cursor = cursor(&mut own.index, source)?;
        let found = match (edge.key.is_empty(), backwards) {
            (true, false) => cursor.first(&mut pager)?,
            (true, true) => cursor.last(&mut pager)?,
            (false, _) => {
                let bias = if edge.inclusive == backwards { Bias::Last } else { Bias::First };
                let exact = with_refs(&edge.key, |key| cursor.seek(&mut pager, key, bias))?;
                match backwards {
                    true => cursor.prev(&mut pager)?,
                    false if single => exact,
                    false => cursor.is_valid(),
                }
            }
        };
        Ok(found && own.arrive(access, source, &mut pager)?)
    }
}

impl Edge {
    /// Puts the edge at the entries with this prefix and, if there is one, at a bound of what comes
    /// after it; false where that is NULL, which nothing is above or below.
    fn set(&mut self, prefix: &[Value], bound: Option<&Bound>, ctx: &Ctx<'_>) -> Result<bool> {
        self.key.clear();
        self.key.extend_from_slice(prefix);
        self.inclusive = bound.is_none_or(|bound| bound.inclusive);
        let Some(bound) = bound else { return Ok(true) };
        self.key.push(key(&bound.code, bound.affinity, ctx)?);
        Ok(self.key.last() != Some(&Value::Null))
    }
}

impl Loop {
    /// Evaluates what an index is searched for; false: nothing can be found.
    fn evaluate(&mut self, access: &IndexAccess, ctx: &Ctx<'_>) -> Result<bool> {
        self.prefix.clear();
        for part in &access.equal {
            let value = key(&part.code, part.affinity, ctx)?;
            if value == Value::Null && !part.finds_null {
                return Ok(false);
            }
            self.prefix.push(value);
        }
        let position = access.equal.len();
        if let Some((affinity, list)) = &access.any {
            keys(list, *affinity, ctx, &mut self.keys)?;
            in_order(&mut self.keys, access.index.info.columns[position].collation);
            return Ok(true);
        }
        // Where the column falls, its low bound is the end of the stretch.
        let falls = access.index.info.columns.get(position).is_some_and(|column| column.desc);
        let (low, high) = match falls {
            false => (&mut self.start, &mut self.end),
            true => (&mut self.end, &mut self.start),
        };
        if !low.set(&self.prefix, access.low.as_ref(), ctx)?
            || !high.set(&self.prefix, access.high.as_ref(), ctx)?
        {
            return Ok(false);
        }
        if access.high.is_some() && access.low.is_none() {
            // NULLs are smaller than everything, but fulfil no comparison.
            low.key.push(Value::Null);
            low.inclusive = false;
        }
        Ok(true)
    }

    /// Checks that the entry a cursor moved to still fits, and reads its row.
    fn arrive(
        &mut self,
        access: &IndexAccess,
        source: &mut Source,
        pager: &mut Pager,
    ) -> Result<bool> {
        let backwards = access.backwards;
        let edge = if backwards { &self.start } else { &self.end };
        let cursor = cursor(&mut self.index, source)?;
        let fits = (self.single && !backwards) || edge.key.is_empty() || {
            match with_refs(&edge.key, |key| cursor.compare(key))? {
                Ordering::Equal => edge.inclusive,
                order => (order == Ordering::Less) != backwards,
            }
        };
        if fits {
            match &self.index {
                None => source.arrive(pager)?,
                Some(cursor) if source.find(cursor.rowid()?, pager)? => {}
                Some(cursor) => {
                    return Err(Error::corrupt(cursor.page(), "an index entry has no row"));
                }
            }
        }
        Ok(fits)
    }
}

/// The cursor that moves: on the index, or the source itself where the index covers.
#[inline]
fn cursor<'a>(
    index: &'a mut Option<IndexCursor>,
    source: &'a mut Source,
) -> Result<&'a mut IndexCursor> {
    match (index, &mut source.kind) {
        (Some(cursor), _) | (None, Kind::Entry { cursor, .. }) => Ok(cursor),
        _ => Err(Error::Misuse("a loop over an index without a cursor")),
    }
}

/// Calls `f` with borrowed values; short keys need no memory for it.
fn with_refs<T>(key: &[Value], f: impl FnOnce(&[ValueRef<'_>]) -> T) -> T {
    match key {
        [a] => f(&[a.as_ref()]),
        [a, b] => f(&[a.as_ref(), b.as_ref()]),
        _ => f(&key.iter().map(Value::as_ref).collect::<Vec<_>>()),
    }
}

/// Sorts the values of an IN and drops equal ones: each row is found once, and in order.
fn in_order(keys: &mut Vec<Value>, collation: super::super::Collation) {
    keys.sort_by(|a, b| a.as_ref().compare(b.as_ref(), collation));
    keys.dedup_by(|a, b| a.as_ref().compare(b.as_ref(), collation).is_eq());
}

fn all_true(conditions: &[Code], ctx: &Ctx<'_>) -> Result<bool> {
    for condition in conditions {
        if condition.truth(ctx)? != Some(true) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The values of an IN that are not NULL.
fn keys(
    list: &[Code],
    affinity: Option<Affinity>,
    ctx: &Ctx<'_>,
    out: &mut Vec<Value>,
) -> Result<()> {
    for code in list {
        match code {
            Code::Subquery(query) if matches!(query.asks, Asks::Contains { .. }) => {
                for value in query.values(ctx)?.iter() {
                    let value = Val::Ref(value.as_ref());
                    out.push(affinity.map_or(value.clone(), |a| a.apply(value)).into_value());
                }
            }
            code => out.push(key(code, affinity, ctx)?),
        }
    }
    out.retain(|value| *value != Value::Null);
    Ok(())
}

fn key(code: &Code, affinity: Option<Affinity>, ctx: &Ctx<'_>) -> Result<Value> {
    let value = code.eval(ctx)?;
    Ok(match affinity {
        Some(affinity) => affinity.apply(value),
        None => value,
    }
    .into_value())
}
