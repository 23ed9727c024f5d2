//! Rows that come in order by themselves, and counts that read no row (day 0, query it).
//!
//! An index is sorted. If ORDER BY asks for its order, or for the opposite, the outermost loop can go
//! through it forwards or backwards and nothing has to be sorted. Columns that an equality fixes may
//! be missing from ORDER BY, as they are the same in all rows:
//!
//! ```text
//! index on (kind, age)      WHERE kind = 'dog' ORDER BY age DESC      backwards through the dogs
//!                           ORDER BY kind DESC, age DESC              backwards through all
//!                           ORDER BY kind, age DESC                   no: must be sorted
//! ```
//!
//! `max(age)` is the first row of the same walk; for `min(age)` the NULLs, which come first, are
//! passed over. Going through an index in order costs a look-up in the table for each row, about as
//! much as sorting them; but the first row comes sooner, and no memory is needed.
//!
//! An index that has all columns that are asked for is smaller than the table: it is read instead,
//! where all rows are wanted. Best for GROUP BY is one in which the rows of a group lie side by side.

use std::sync::Arc;

use super::super::Collation;
use super::super::affinity::Affinity;
use super::super::catalog::{Index, Table};
use super::super::expr::Code;
use super::super::expr::scope::SlotPlan;
use super::super::func::aggregate::Aggregate;
use super::super::record::KeyColumn;
use super::join::{index_access, place};
use super::{Access, CorePlan, IndexAccess, Level, SortKey, SourcePlan};

/// Lets indexes save a sort, and stand in for tables.
pub(super) fn use_indexes(
    plan: &mut CorePlan,
    sources: &[SourcePlan],
    order: &mut Vec<SortKey>,
    used: &[Option<Vec<usize>>],
) {
    let sorts = !order.is_empty();
    use_order(plan, sources, order, used);
    use_count(plan, sources);
    let in_order = sorts && order.is_empty();
    let first_row_only = plan.grouping.as_ref().is_some_and(|grouping| grouping.first_row_only);
    // UPDATE and DELETE, which have no outputs, go through their table as it is: in which order
    // they change its rows shows where one is in another's way.
    if !plan.outputs.is_empty() && plan.count.is_none() {
        let from = usize::from(in_order || first_row_only);
        use_narrow(&mut plan.levels[from..], sources, used);
    }
}

/// Lets the outermost loop bring the rows in the wanted order, if it can.
fn use_order(
    plan: &mut CorePlan,
    sources: &[SourcePlan],
    order: &mut Vec<SortKey>,
    used: &[Option<Vec<usize>>],
) {
    let Some(SourcePlan::Table(table)) = sources.get(plan.levels[0].source) else { return };
    let used = used[plan.levels[0].source].as_deref();
    if let Some(grouping) = &mut plan.grouping {
        if !grouping.keys.is_empty() {
            grouping.side_by_side = use_groups(&grouping.keys, &mut plan.levels, table, used);
            return;
        }
        let Some((arg, key)) = extreme(&grouping.slots) else { return };
        // NULLs come before the least, and if there are only NULLs a plain column is of such a row.
        let keeps = grouping.slots.iter().any(|slot| matches!(slot, SlotPlan::Keep(_)));
        let (single, least) = (plan.levels.len() == 1, !key.desc);
        if !single || (least && keeps) {
            return;
        }
        let arg = arg.clone();
        if in_order(&mut plan.levels, table, &[(&arg, key)], used) {
            if least {
                plan.levels[0].filters.push(Code::IsNull(true, Box::new(arg)));
            }
            grouping.first_row_only = true;
        }
        return;
    }
    let keys: Vec<_> = order.iter().map(|key| (&plan.outputs[key.at], key.clone())).collect();
    if !keys.is_empty() && in_order(&mut plan.levels, table, &keys, used) {
        order.clear();
    }
}

/// Lets the rows of one group come together, where an index has them so and all that is wanted:
/// fewer pages to read, and no group to be searched for or sorted.
fn use_groups(
    keys: &[(Code, Collation)],
    levels: &mut [Level],
    table: &Arc<Table>,
    used: Option<&[usize]>,
) -> bool {
    let [Level { source, access, left: false, .. }] = levels else { return false };
    if !matches!(access, Access::Table { low: None, high: None, .. }) {
        return false;
    }
    let key = |&collation| SortKey { at: 0, desc: false, nulls_first: true, collation };
    let keys: Vec<_> = keys.iter().map(|(code, collation)| (code, key(collation))).collect();
    for index in table.indexes.iter().filter(|index| index.filter.is_none()) {
        let mut by_index = index_access(table, index, used);
        let in_order = by_index_order(&mut by_index, table, &keys, *source);
        // Forwards, as SQLite goes: a plain column shows which row of a group came first.
        if in_order && by_index.covering && !by_index.backwards {
            *access = Access::Index(Box::new(by_index));
            return true;
        }
    }
    false
}

/// Lets loops over all rows of a table read the narrowest index that has all that is wanted.
fn use_narrow(levels: &mut [Level], sources: &[SourcePlan], used: &[Option<Vec<usize>>]) {
    for level in levels {
        let SourcePlan::Table(table) = &sources[level.source] else { continue };
        if !matches!(level.access, Access::Table { low: None, high: None, backwards: false }) {
            continue;
        }
        // As SQLite guesses: a text is as wide as five numbers.
        let width = |column: &usize| match table.columns[*column].affinity {
            Affinity::Text => 5,
            _ => 1,
        };
        let whole: usize = (0..table.columns.len()).map(|column| width(&column)).sum();
        let whole = whole + usize::from(table.rowid_alias.is_none());
        let of_index = |index: &Arc<Index>| index.columns.iter().map(width).sum::<usize>() + 1;
        let accesses = table.indexes.iter().filter(|index| index.filter.is_none());
        let accesses =
            accesses.map(|index| index_access(table, index, used[level.source].as_deref()));
        let narrowest = accesses
            .filter(|access| access.covering && of_index(&access.index) < whole)
            .min_by_key(|access| of_index(&access.index));
        if let Some(access) = narrowest {
            level.access = Access::Index(Box::new(access));
        }
    }
}

/// The argument of the only aggregate, min or max, and the order in which it comes first.
fn extreme(slots: &[SlotPlan]) -> Option<(&Code, SortKey)> {
    let mut found = None;
    for slot in slots {
        match slot {
            SlotPlan::Keep(_) => {}
            SlotPlan::Aggregate { aggregate, collation, args, filter: None, .. }
                if matches!(aggregate, Aggregate::Min | Aggregate::Max) && found.is_none() =>
            {
                let desc = *aggregate == Aggregate::Max;
                let key = SortKey { at: 0, desc, nulls_first: !desc, collation: *collation };
                found = Some((&args[0], key));
            }
            SlotPlan::Aggregate { .. } => return None,
        }
    }
    found
}

/// Whether the loops give rows in this order, after turning the outermost round or giving it an
/// index if need be.
fn in_order(
    levels: &mut [Level],
    table: &Arc<Table>,
    keys: &[(&Code, SortKey)],
    used: Option<&[usize]>,
) -> bool {
    // Other places for NULLs than an index has them are left to a sort.
    if keys.iter().any(|(_, key)| key.nulls_first == key.desc) || levels[0].left {
        return false;
    }
    let (single, source) = (levels.len() == 1, levels[0].source);
    match &mut levels[0].access {
        Access::Table { low, high, backwards } => {
            if place(keys[0].0, source) == Some(None) && (single || keys.len() == 1) {
                *backwards = keys[0].1.desc;
                return true;
            }
            if low.is_some() || high.is_some() {
                return false;
            }
            for index in table.indexes.iter().filter(|index| index.filter.is_none()) {
                let mut access = index_access(table, index, used);
                if by_index_order(&mut access, table, keys, source) {
                    levels[0].access = Access::Index(Box::new(access));
                    return true;
                }
            }
            false
        }
        // One rowid is in any order; an IN (SELECT ...) is one code for many.
        Access::Rowid(list) => {
            single && matches!(&list[..], [code] if !matches!(code, Code::Subquery(_)))
        }
        Access::Index(access) => by_index_order(access, table, keys, source),
        Access::Rows => false,
    }
}

/// Whether the entries of an index come in this order, one way or the other.
fn by_index_order(
    access: &mut IndexAccess,
    table: &Table,
    keys: &[(&Code, SortKey)],
    source: usize,
) -> bool {
    if access.any.is_some() {
        return false;
    }
    let index = Arc::clone(&access.index);
    let mut position = access.equal.len();
    let mut backwards = None;
    for (code, key) in keys {
        let Some(column) = place(code, source) else { return false };
        let column = column.or(table.rowid_alias);
        // Equal in the index's collation need not be equal in the one that is asked for.
        let is_equal = |(&at, part): (&usize, &KeyColumn)| {
            Some(at) == column && part.collation == key.collation
        };
        let fixed = index.columns.iter().zip(&index.info.columns).take(access.equal.len());
        if fixed.into_iter().any(is_equal) {
            continue;
        }
        let falls = if position < index.columns.len() {
            let part = index.info.columns[position];
            if Some(index.columns[position]) != column || part.collation != key.collation {
                return false;
            }
            part.desc != key.desc
        } else if position == index.columns.len()
            && (column.is_none() || column == table.rowid_alias)
        {
            key.desc
        } else {
            return false;
        };
        if *backwards.get_or_insert(falls) != falls {
            return false;
        }
        position += 1;
    }
    access.backwards = backwards.unwrap_or(false);
    true
}

/// `SELECT count(*) FROM table` reads no row.
fn use_count(plan: &mut CorePlan, sources: &[SourcePlan]) {
    let ([SourcePlan::Table(table)], [level], Some(grouping)) =
        (sources, &plan.levels[..], &plan.grouping)
    else {
        return;
    };
    let all = matches!(level.access, Access::Table { low: None, high: None, .. });
    let counted = matches!(
        &grouping.slots[..],
        [SlotPlan::Aggregate { aggregate: Aggregate::Count, args, filter: None, .. }] if args.is_empty()
    );
    if all
        && counted
        && level.filters.is_empty()
        && grouping.keys.is_empty()
        && plan.conditions.is_empty()
    {
        // An index has the same number of entries on fewer pages.
        let whole = table.indexes.iter().filter(|index| index.filter.is_none());
        let smallest = whole.min_by_key(|index| index.columns.len());
        plan.count = Some(smallest.map_or(table.root, |index| index.root));
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Connection;

    fn plan(db: &Connection, sql: &str) -> String {
        let mut explain = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let (mut rows, mut lines) = (explain.query().unwrap(), Vec::new());
        while let Some(row) = rows.next().unwrap() {
            lines.push(row.get_named::<String>("detail").unwrap());
        }
        lines.join("; ")
    }

    /// The plans are those of sqlite3 3.40, but for one: what it says of min(id) is SEARCH person.
    #[test]
    fn an_index_that_covers_stands_in_for_its_table_but_not_for_the_order_of_the_rowids() {
        let db = Connection::memory().unwrap();
        db.execute_batch(
            "CREATE TABLE person(id INTEGER PRIMARY KEY, name TEXT UNIQUE, age INTEGER); \
             CREATE INDEX by_age ON person(age); CREATE TABLE pet(owner INTEGER, name TEXT); \
             CREATE INDEX by_name ON pet(name, owner)",
        )
        .unwrap();
        let by_age = "SCAN person USING COVERING INDEX by_age";
        for (sql, want) in [
            ("SELECT id, age FROM person", by_age),
            ("SELECT age FROM person ORDER BY age DESC, id DESC", by_age),
            ("SELECT age, count(*) FROM person GROUP BY age", by_age),
            ("SELECT age FROM person ORDER BY id", "SCAN person"),
            ("SELECT min(id) FROM person", "SCAN person"),
            ("SELECT age, name FROM person", "SCAN person"),
            (
                "SELECT name FROM person",
                "SCAN person USING COVERING INDEX sqlite_autoindex_person_1",
            ),
            // As wide as the table.
            ("SELECT name FROM pet", "SCAN pet"),
            ("DELETE FROM person WHERE age + 1 > 5", "SCAN person"),
        ] {
            assert_eq!(plan(&db, sql), want, "{sql}");
        }
        let join = "SELECT p.id FROM person p LEFT JOIN pet ON pet.owner + 0 = p.age";
        assert_eq!(plan(&db, join), "SCAN p USING COVERING INDEX by_age; SCAN pet LEFT-JOIN");
    }
}
