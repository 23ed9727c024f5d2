//! Where a loop over a table or over rows in memory begins and ends (day 0, query it).

use super::super::super::affinity::Affinity;
use super::super::super::expr::{Ctx, Env};
use super::super::super::plan::{Bound, SelectPlan};
use super::super::super::{Pager, Result, ValueRef};
use super::super::kept::Kept;
use super::super::source::Kind;
use super::super::{Row, SelectRun, Source};

/// The first or last rowid within a bound; `None`: no row is. The condition is checked again for
/// each row, so a bound that is no integer need only be near.
pub(super) fn rowid_bound(bound: &Bound, ctx: &Ctx<'_>, low: bool) -> Result<Option<i64>> {
    let value = Affinity::Numeric.apply(bound.code.eval(ctx)?);
    #[allow(clippy::cast_possible_truncation, reason = "saturates, and stays on the safe side")]
    Ok(match value.get() {
        ValueRef::Null => None,
        ValueRef::Integer(n) if bound.inclusive => Some(n),
        ValueRef::Integer(n) if low => n.checked_add(1),
        ValueRef::Integer(n) => n.checked_sub(1),
        ValueRef::Real(r) if low => Some(r.floor() as i64),
        ValueRef::Real(r) => Some(r.ceil() as i64),
        // Every number is smaller than every text.
        ValueRef::Text(_) | ValueRef::Blob(_) => {
            if low {
                None
            } else {
                Some(i64::MAX)
            }
        }
    })
}

pub(super) fn open_table(
    source: &mut Source,
    (low, high): (i64, i64),
    backwards: bool,
    pager: &mut Pager,
) -> Result<bool> {
    let Kind::Table { cursor, .. } = &mut source.kind else { return Ok(false) };
    let found = match (backwards, low, high) {
        (false, i64::MIN, _) => cursor.first(pager)?,
        (true, _, i64::MAX) => cursor.last(pager)?,
        (false, ..) => {
            cursor.seek(pager, low)?;
            cursor.is_valid()
        }
        (true, ..) => cursor.seek(pager, high)? || cursor.prev(pager)?,
    };
    if !found || cursor.rowid() < low || cursor.rowid() > high {
        return Ok(false);
    }
    source.arrive(pager)?;
    Ok(true)
}

/// Starts at the first row of a subquery of FROM. The outermost loop, which goes through the rows once,
/// pulls one after another; others compute all of them the first time.
pub(super) fn open_rows(
    source: &mut Source,
    select: &SelectPlan,
    outermost: bool,
    env: &Env<'_>,
    parent: Option<&Ctx<'_>>,
) -> Result<bool> {
    let Kind::Rows { values, width, at, run: kept } = &mut source.kind else { return Ok(false) };
    (*width, *at) = (select.columns.len(), 0);
    if values.is_some() {
        return Ok(values.as_ref().is_some_and(|values| !values.is_empty()));
    }
    let mut run = match kept.take() {
        Some(mut run) => {
            run.restart(select, env, parent)?;
            run
        }
        None => Box::new(SelectRun::new(select, env, parent)?),
    };
    let mut row = Row::new();
    let mut found = run.next(select, env, parent, &mut row)?;
    if outermost {
        *values = Some(row);
        *kept = Some(run);
        return Ok(found);
    }
    let (mut all, mut count) = (Vec::new(), Kept::default());
    while found {
        count.row(&row, &env.shared.limits)?;
        all.append(&mut row);
        found = run.next(select, env, parent, &mut row)?;
    }
    found = !all.is_empty();
    *values = Some(all);
    Ok(found)
}

/// Moves to the next row of a subquery of FROM.
pub(super) fn next_row(
    source: &mut Source,
    select: &SelectPlan,
    env: &Env<'_>,
    parent: Option<&Ctx<'_>>,
) -> Result<bool> {
    match &mut source.kind {
        Kind::Rows { values: Some(row), run: Some(run), .. } => run.next(select, env, parent, row),
        Kind::Rows { values: Some(values), width, at, .. } => {
            *at += *width;
            Ok(*at < values.len())
        }
        _ => Ok(false),
    }
}
