//! GROUP BY: the rows of the loops become one row for each group (day 0, query it).
//!
//! ```text
//! SELECT owner, count(*), max(age) FROM pet GROUP BY owner
//!
//! row (tom, 3)   key "tom"  ─▶ group 0: keep owner tom, count 1, max 3
//! row (sam, 5)   key "sam"  ─▶ group 1: keep owner sam, count 1, max 5
//! row (tom, 7)   key "tom"  ─▶ group 0:                 count 2, max 7
//! ```
//!
//! Groups are found by hashing and come out in the order of their keys, as SQLite's do. Where an index
//! brings the rows of a group together nothing is kept: a group is complete when a row has another
//! key. So it is without GROUP BY, where all rows have the same.
//!
//! A column that is neither in GROUP BY nor in an aggregate is that of the group's first row, or, with
//! min or max, of the row that has the extreme.

use std::collections::HashMap;

use super::super::btree;
use super::super::expr::scope::SlotPlan;
use super::super::expr::{Ctx, Env, Val, distinct_key};
use super::super::func::aggregate::Accumulator;
use super::super::plan::{CorePlan, Grouping};
use super::super::{Collation, Result, Value};
use super::Loops;
use super::kept::{Distinct, Kept};

/// The groups of a query, one after another.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// What the expressions see of the group at hand: its aggregates and what was kept of a row.
    pub(super) slots: Vec<Value>,
    state: State,
    /// The group under way, and its key, where groups come one after another.
    group: Group,
    key: Vec<u8>,
    /// The key of the row that the loops are on.
    next_key: Vec<u8>,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Start,
    /// The loops are on the first row of the next group.
    Waiting,
    /// The slots of the groups that are left.
    Collected(std::vec::IntoIter<Vec<Value>>),
    Done,
}

/// What is known of a group under way.
#[derive(Debug, Default)]
struct Group {
    slots: Vec<Slot>,
}

#[derive(Debug)]
enum Slot {
    /// With the values that a DISTINCT aggregate has seen.
    Aggregate(Accumulator, Option<Distinct>),
    Keep(Value),
}

impl Groups {
    /// Goes back before the first group.
    pub(super) fn restart(&mut self) {
        self.state = State::Start;
    }

    /// Moves to the next group; false at the end.
    pub(super) fn next(
        &mut self,
        plan: &CorePlan,
        grouping: &Grouping,
        loops: &mut Loops,
        env: &Env<'_>,
        parent: Option<&Ctx<'_>>,
    ) -> Result<bool> {
        if let (State::Start, false) = (&self.state, grouping.side_by_side) {
            let groups = collect(plan, grouping, loops, env, parent)?;
            self.state = State::Collected(groups.into_iter());
        }
        match &mut self.state {
            State::Done => Ok(false),
            State::Collected(groups) => {
                let next = groups.next();
                let found = next.is_some();
                self.slots = next.unwrap_or_default();
                Ok(found)
            }
            State::Start | State::Waiting => self.follow(plan, grouping, loops, env, parent),
        }
    }

    /// Takes in rows as long as they are of one group.
    fn follow(
        &mut self,
        plan: &CorePlan,
        grouping: &Grouping,
        loops: &mut Loops,
        env: &Env<'_>,
        parent: Option<&Ctx<'_>>,
    ) -> Result<bool> {
        let waiting = matches!(self.state, State::Waiting);
        self.state = State::Done;
        if let Some(root) = plan.count {
            let count = btree::count(&mut env.shared.pager.borrow_mut(), root)?;
            self.slots = vec![Value::Integer(i64::try_from(count).unwrap_or(i64::MAX))];
            return Ok(true);
        }
        let mut more = waiting || loops.next(plan, env, parent)?;
        if !more && !grouping.keys.is_empty() {
            return Ok(false);
        }
        // Without GROUP BY there is one group even of no rows.
        self.group.start(grouping);
        if more {
            let ctx = Ctx { env, sources: &loops.sources, slots: &[], parent };
            key_of(grouping, &ctx, &mut self.key)?;
            self.group.keep(grouping, &ctx)?;
        }
        while more {
            let ctx = Ctx { env, sources: &loops.sources, slots: &[], parent };
            self.group.add(grouping, &ctx)?;
            more = !grouping.first_row_only && loops.next(plan, env, parent)?;
            if more && !grouping.keys.is_empty() {
                let ctx = Ctx { env, sources: &loops.sources, slots: &[], parent };
                key_of(grouping, &ctx, &mut self.next_key)?;
                if self.next_key != self.key {
                    self.state = State::Waiting;
                    break;
                }
            }
        }
        self.group.finish(&mut self.slots)?;
        Ok(true)
    }
}

/// The slots of all groups, by their keys.
fn collect(
    plan: &CorePlan,
    grouping: &Grouping,
    loops: &mut Loops,
    env: &Env<'_>,
    parent: Option<&Ctx<'_>>,
) -> Result<Vec<Vec<Value>>> {
    let mut groups: Vec<(Vec<Value>, Group)> = Vec::new();
    let mut by_key: HashMap<Vec<u8>, usize> = HashMap::new();
    // The key of this row and of the one before, which often is the same: then no look-up is needed.
    let (mut bytes, mut before) = (Vec::new(), Vec::new());
    let mut at = 0;
    let (mut kept, limits) = (Kept::default(), &env.shared.limits);
    while loops.next(plan, env, parent)? {
        let ctx = Ctx { env, sources: &loops.sources, slots: &[], parent };
        std::mem::swap(&mut bytes, &mut before);
        key_of(grouping, &ctx, &mut bytes)?;
        let same = bytes == before && !groups.is_empty();
        at = match if same { Some(at) } else { by_key.get(&bytes).copied() } {
            Some(at) => at,
            None => {
                let values = grouping.keys.iter().map(|(code, _)| code.eval(&ctx));
                let key: Vec<Value> =
                    values.map(|value| value.map(Val::into_value)).collect::<Result<_>>()?;
                let mut group = Group::default();
                group.start(grouping);
                group.keep(grouping, &ctx)?;
                kept.row(&key, limits)?;
                kept.bytes(bytes.len() + size_of_val(&*group.slots), limits)?;
                groups.push((key, group));
                by_key.insert(bytes.clone(), groups.len() - 1);
                groups.len() - 1
            }
        };
        groups[at].1.add(grouping, &ctx)?;
    }
    let collations: Vec<Collation> = grouping.keys.iter().map(|key| key.1).collect();
    groups.sort_by(|(a, _), (b, _)| {
        let pairs = a.iter().zip(b).zip(&collations);
        let orders = pairs.map(|((a, b), &collation)| a.as_ref().compare(b.as_ref(), collation));
        orders.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    });
    let slots = |(_, mut group): (_, Group)| {
        let mut slots = Vec::new();
        group.finish(&mut slots).map(|()| slots)
    };
    groups.into_iter().map(slots).collect()
}

/// The bytes that are the same for all rows of a group.
fn key_of(grouping: &Grouping, ctx: &Ctx<'_>, key: &mut Vec<u8>) -> Result<()> {
    key.clear();
    for (code, collation) in &grouping.keys {
        distinct_key(code.eval(ctx)?.get(), *collation, key);
    }
    Ok(())
}

impl Group {
    /// Becomes a group of no rows.
    fn start(&mut self, grouping: &Grouping) {
        let slot = |plan: &SlotPlan| match plan {
            SlotPlan::Keep(_) => Slot::Keep(Value::Null),
            SlotPlan::Aggregate { aggregate, distinct, collation, .. } => {
                Slot::Aggregate(aggregate.start(*collation), distinct.then(Distinct::default))
            }
        };
        self.slots.clear();
        self.slots.extend(grouping.slots.iter().map(slot));
    }

    /// Takes the current row in.
    fn add(&mut self, grouping: &Grouping, ctx: &Ctx<'_>) -> Result<()> {
        // Of several min and max, the last one says which row the plain columns are of.
        let mut extreme = None;
        let limits = &ctx.env.shared.limits;
        for (slot, plan) in self.slots.iter_mut().zip(&grouping.slots) {
            let (
                Slot::Aggregate(accumulator, seen),
                SlotPlan::Aggregate { args, filter, collation, .. },
            ) = (slot, plan)
            else {
                continue;
            };
            if let Some(filter) = filter
                && filter.truth(ctx)? != Some(true)
            {
                continue;
            }
            let new = match &args[..] {
                [] => {
                    accumulator.count();
                    None
                }
                [arg] => {
                    let value = arg.eval(ctx)?;
                    if let Some(seen) = seen {
                        let mut key = Vec::new();
                        distinct_key(value.get(), *collation, &mut key);
                        if !seen.insert(key, limits)? {
                            continue;
                        }
                    }
                    accumulator.add(std::slice::from_ref(&value), limits)?
                }
                args => {
                    let args = args.iter().map(|arg| arg.eval(ctx)).collect::<Result<Vec<_>>>()?;
                    accumulator.add(&args, limits)?
                }
            };
            extreme = new.or(extreme);
        }
        if extreme == Some(true) { self.keep(grouping, ctx) } else { Ok(()) }
    }

    /// Makes the current row the one whose plain columns are shown.
    fn keep(&mut self, grouping: &Grouping, ctx: &Ctx<'_>) -> Result<()> {
        for (slot, plan) in self.slots.iter_mut().zip(&grouping.slots) {
            if let (Slot::Keep(kept), SlotPlan::Keep(code)) = (slot, plan) {
                *kept = code.eval(ctx)?.into_value();
            }
        }
        Ok(())
    }

    /// What it comes to.
    fn finish(&mut self, out: &mut Vec<Value>) -> Result<()> {
        out.clear();
        for slot in self.slots.drain(..) {
            out.push(match slot {
                Slot::Aggregate(accumulator, _) => accumulator.finish()?,
                Slot::Keep(value) => value,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::{Connection, Value};

    fn rows(db: &Connection, sql: &str) -> Vec<String> {
        let mut statement = db.prepare(sql).unwrap();
        let (mut rows, mut all) = (statement.query().unwrap(), Vec::new());
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<String> = row.values().iter().map(Value::to_string).collect();
            all.push(values.join("|"));
        }
        all
    }

    #[test]
    fn rows_of_a_group_come_as_the_index_that_covers_has_them() {
        let db = Connection::memory().unwrap();
        db.execute_batch(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b, c); CREATE INDEX i ON t(a, b); \
             INSERT INTO t(a, b) VALUES (1, 9), (NULL, 2), (1, 3), (2, 5), (1, 7), (2, 1), (NULL, 2)",
        )
        .unwrap();
        // What sqlite3 3.40 says; the last one needs the table.
        let sql = "SELECT a, group_concat(b), id FROM t GROUP BY a";
        assert_eq!(rows(&db, sql), ["|2,2|2", "1|3,7,9|3", "2|1,5|6"]);
        assert_eq!(rows(&db, "SELECT a, b FROM t GROUP BY a"), ["|2", "1|3", "2|1"]);
        let sql = "SELECT a, group_concat(b), c FROM t GROUP BY a";
        assert_eq!(rows(&db, sql), ["|2,2|", "1|9,3,7|", "2|5,1|"]);
    }

    #[test]
    fn a_group_that_an_index_brings_together_waits_for_no_other() {
        let db = Connection::memory().unwrap();
        db.execute_batch(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b); CREATE INDEX i ON t(a); \
             INSERT INTO t(a) VALUES (2), (1), (1), (3), (2), (1)",
        )
        .unwrap();
        // Four rows are enough to see three of group 1 and the first of another.
        db.set_progress(4, || false);
        let sql = "SELECT a, count(*) FROM t GROUP BY a";
        let mut statement = db.prepare(sql).unwrap();
        let mut groups = statement.query().unwrap();
        let first = groups.next();
        assert!(first.is_err(), "the fourth row is asked for");
        drop(groups);
        db.set_progress(5, || false);
        let mut groups = statement.query().unwrap();
        assert_eq!(groups.next().unwrap().unwrap().get::<i64>(1).unwrap(), 3);
        drop(groups);
        drop(statement);
        db.clear_progress();
        assert_eq!(rows(&db, sql), ["1|3", "2|2", "3|1"]);
        assert_eq!(rows(&db, "SELECT a FROM t GROUP BY a HAVING count(*) = 2"), ["2"]);
        assert_eq!(rows(&db, "SELECT a FROM t WHERE a > 3 GROUP BY a"), [""; 0]);
        assert_eq!(rows(&db, "SELECT max(a), count(DISTINCT a) FROM t WHERE a > 3"), ["|0"]);
    }
}
