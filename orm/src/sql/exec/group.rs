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
//! Groups are found by hashing and come out in the order of their keys, as SQLite's do. A column
//! that is neither in GROUP BY nor in an aggregate is that of the group's first row, or, with min
//! or max, of the row that has the extreme.

use std::collections::{HashMap, HashSet};

use super::super::expr::scope::SlotPlan;
use super::super::expr::{Ctx, Env, Val, distinct_key};
use super::super::func::aggregate::Accumulator;
use super::super::plan::{CorePlan, Grouping};
use super::super::{Collation, Result, Value};
use super::Loops;

/// A group under way.
struct Group {
    key: Vec<Value>,
    slots: Vec<Slot>,
}

enum Slot {
    /// With the values that a DISTINCT aggregate has seen.
    Aggregate(Accumulator, Option<HashSet<Vec<u8>>>),
    Keep(Value),
}

/// The slots of all groups.
pub(super) fn groups(
    plan: &CorePlan,
    grouping: &Grouping,
    mut loops: Loops,
    env: &Env<'_>,
    parent: Option<&Ctx<'_>>,
) -> Result<Vec<Vec<Value>>> {
    let mut groups: Vec<Group> = Vec::new();
    let mut by_key: HashMap<Vec<u8>, usize> = HashMap::new();
    // The key of this row and of the one before, which often is the same: then no look-up is needed.
    let (mut bytes, mut before) = (Vec::new(), Vec::new());
    let mut at = 0;
    while loops.next(plan, env, parent)? {
        let ctx = Ctx { env, sources: &loops.sources, slots: &[], parent };
        std::mem::swap(&mut bytes, &mut before);
        bytes.clear();
        for (code, collation) in &grouping.keys {
            distinct_key(code.eval(&ctx)?.get(), *collation, &mut bytes);
        }
        let same = bytes == before && !groups.is_empty();
        at = match if same { Some(at) } else { by_key.get(&bytes).copied() } {
            Some(at) => at,
            None => {
                let values = grouping.keys.iter().map(|(code, _)| code.eval(&ctx));
                let key = values.map(|value| value.map(Val::into_value)).collect::<Result<_>>()?;
                let mut group = Group { key, slots: start(grouping) };
                group.keep(grouping, &ctx)?;
                groups.push(group);
                by_key.insert(bytes.clone(), groups.len() - 1);
                groups.len() - 1
            }
        };
        groups[at].add(grouping, &ctx)?;
        if grouping.first_row_only {
            break;
        }
    }
    if groups.is_empty() && grouping.keys.is_empty() {
        // Without GROUP BY there is one group even of no rows.
        groups.push(Group { key: Vec::new(), slots: start(grouping) });
    }
    let collations: Vec<Collation> = grouping.keys.iter().map(|key| key.1).collect();
    groups.sort_by(|a, b| {
        let pairs = a.key.iter().zip(&b.key).zip(&collations);
        let orders = pairs.map(|((a, b), &collation)| a.as_ref().compare(b.as_ref(), collation));
        orders.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    });
    groups.into_iter().map(Group::finish).collect()
}

fn start(grouping: &Grouping) -> Vec<Slot> {
    let slot = |plan: &SlotPlan| match plan {
        SlotPlan::Keep(_) => Slot::Keep(Value::Null),
        SlotPlan::Aggregate { aggregate, distinct, collation, .. } => {
            Slot::Aggregate(aggregate.start(*collation), distinct.then(HashSet::new))
        }
    };
    grouping.slots.iter().map(slot).collect()
}

impl Group {
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
                [] => accumulator.add(&[], limits)?,
                [arg] => {
                    let value = arg.eval(ctx)?;
                    if let Some(seen) = seen {
                        let mut key = Vec::new();
                        distinct_key(value.get(), *collation, &mut key);
                        if !seen.insert(key) {
                            continue;
                        }
                    }
                    accumulator.add(&[value], limits)?
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

    fn finish(self) -> Result<Vec<Value>> {
        let finish = |slot| match slot {
            Slot::Aggregate(accumulator, _) => accumulator.finish(),
            Slot::Keep(value) => Ok(value),
        };
        self.slots.into_iter().map(finish).collect()
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
}
