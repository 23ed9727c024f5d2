//! Choosing the order of the loops, and how each finds its rows (day 0, query it).
//!
//! For three tables there are six orders of nesting, for ten 3.6 million. Most are dreadful: what
//! counts is that each inner loop finds its few rows by a key that the loops around it know.
//!
//! ```text
//! SELECT a.id FROM a, b, c WHERE a.x = b.id AND b.y = c.id AND c.name = ?     rowids: id; indexes: a(x), c(name)
//!
//! a, b, c    every a; for each its b by rowid; for each its c by rowid           cost 1,700,000
//! c, b, a    ten c by name; for each every b, a tenth fits; for each ten a by x       3,000,020
//!            with an index on b(y): ten c; for each ten b; for each ten a                 2,220
//! ```
//!
//! The search is greedy: of the tables that are left, take the one whose loop is cheapest given
//! those already chosen. For a few tables every beginning is tried. There are no statistics: a table
//! has [`ROWS`] rows, a rowid gives one, an index ten for a value, a bound leaves a quarter; any other
//! equality leaves a tenth, another condition half. A row costs 1 in a scan, 8 by its rowid; an index
//! costs 10, and then 1 for each entry, or 2 where it needs the row.
//!
//! LEFT and CROSS JOIN fix the order across them; between them it is free.

use std::sync::Arc;

use super::super::affinity::Affinity;
use super::super::ast::JoinKind;
use super::super::catalog::{Index, Table};
use super::super::expr::scope::SlotPlan;
use super::super::expr::{Asks, Between, Code, Compare, Relation, Rules};
use super::super::{Collation, Value};
use super::order::use_indexes;
use super::{Access, Bound, CorePlan, IndexAccess, KeyPart, Level, SortKey, SourcePlan};

/// How many rows a table is taken to have.
const ROWS: f64 = 100_000.0;
/// How many values the query of an IN is taken to give.
const QUERY_ROWS: f64 = 25.0;
/// Up to so many tables, every one is tried as the outermost.
const ALL_STARTS_MAX: usize = 8;

/// A part of WHERE or ON that must be true.
#[derive(Debug)]
pub(crate) struct Condition {
    code: Code,
    /// Bit n: it needs the row of source n.
    needs: u64,
    /// The source whose LEFT JOIN it belongs to.
    left: Option<usize>,
}

/// What is to be joined.
pub(crate) struct Join<'a> {
    pub(crate) sources: &'a [SourcePlan],
    pub(crate) kinds: &'a [JoinKind],
    pub(crate) conditions: Vec<Condition>,
}

impl Condition {
    pub(crate) fn new(code: Code, left: Option<usize>) -> Condition {
        // No ON reads a table further right, also not through a query inside it.
        let needs = needs(&code) & left.map_or(u64::MAX, |at| u64::MAX >> (63 - at));
        Condition { code, needs, left }
    }
}

/// The sources whose rows a code reads. What a correlated subquery reads is not looked at.
fn needs(code: &Code) -> u64 {
    let mut mask = 0;
    code.walk(&mut |code| match code {
        Code::Column { source, .. } | Code::Rowid(source) => mask |= 1 << source,
        Code::Subquery(subquery) if subquery.correlated => mask = u64::MAX,
        _ => {}
    });
    mask
}

/// Fills in the levels of `plan`, and empties `order` if the rows then come in this order.
pub(crate) fn plan(join: Join<'_>, plan: &mut CorePlan, order: &mut Vec<SortKey>) {
    let Join { sources, kinds, mut conditions } = join;
    let all = if sources.len() == 64 { u64::MAX } else { (1 << sources.len()) - 1 };
    conditions.iter_mut().for_each(|condition| condition.needs &= all);
    split_between(&mut conditions);
    let free = |condition: &mut Condition| condition.needs == 0 && condition.left.is_none();
    plan.conditions = conditions.extract_if(.., free).map(|condition| condition.code).collect();
    if sources.is_empty() {
        return;
    }
    let used = used_columns(plan, &conditions, sources.len());
    let planner = Planner { sources, kinds, conditions: &conditions, used: &used };
    let chosen = planner.order();
    let mut placed = 0;
    let mut taken = vec![false; conditions.len()];
    for source in chosen {
        let best = planner.best(source, placed);
        best.consumed.iter().for_each(|&at| taken[at] = true);
        placed |= 1 << source;
        let left = kinds[source] == JoinKind::Left;
        let mut level = Level { source, access: best.access, left, on: vec![], filters: vec![] };
        for (at, condition) in conditions.iter().enumerate() {
            let own = condition.left == Some(source);
            if taken[at] || condition.needs & !placed != 0 || (condition.left.is_some() && !own) {
                continue;
            }
            taken[at] = true;
            let list = if own { &mut level.on } else { &mut level.filters };
            list.push(condition.code.clone());
        }
        plan.levels.push(level);
    }
    use_indexes(plan, sources, order, &used);
}

/// `c BETWEEN a AND b` is `c >= a AND c <= b`, of which either may bound a range.
fn split_between(conditions: &mut Vec<Condition>) {
    let mut split = Vec::new();
    for condition in conditions.drain(..) {
        let Condition { code, needs, left } = condition;
        match code {
            Code::Between(between)
                if !between.negated
                    && matches!(between.value, Code::Column { .. } | Code::Rowid(_)) =>
            {
                let Between { value, low, high, .. } = *between;
                for (relation, (rules, right)) in [(Relation::Ge, low), (Relation::Le, high)] {
                    let compare = Compare { relation, rules, left: value.clone(), right };
                    split.push(Condition { code: Code::Compare(Box::new(compare)), needs, left });
                }
            }
            code => split.push(Condition { code, needs, left }),
        }
    }
    *conditions = split;
}

/// Which columns of each source the query reads; `None` where a subquery may read any.
fn used_columns(
    plan: &CorePlan,
    conditions: &[Condition],
    count: usize,
) -> Vec<Option<Vec<usize>>> {
    let mut used = vec![Some(Vec::new()); count];
    let mut visit = |code: &Code| match code {
        Code::Column { source, column, .. } => {
            if let Some(columns) = &mut used[*source] {
                columns.push(*column);
            }
        }
        Code::Subquery(subquery) if subquery.correlated => used.fill(None),
        _ => {}
    };
    for condition in conditions {
        condition.code.walk(&mut visit);
    }
    for code in &plan.outputs {
        code.walk(&mut visit);
    }
    if let Some(grouping) = &plan.grouping {
        grouping.keys.iter().for_each(|(code, _)| code.walk(&mut visit));
        grouping.having.iter().for_each(|code| code.walk(&mut visit));
        for slot in &grouping.slots {
            match slot {
                SlotPlan::Keep(code) => code.walk(&mut visit),
                SlotPlan::Aggregate { args, filter, .. } => {
                    args.iter().chain(filter).for_each(|code| code.walk(&mut visit));
                }
            }
        }
    }
    used
}

/// What a choice among accesses looks at.
struct Planner<'a> {
    sources: &'a [SourcePlan],
    kinds: &'a [JoinKind],
    conditions: &'a [Condition],
    used: &'a [Option<Vec<usize>>],
}

/// An access with what it costs, how many rows it gives, and which conditions it makes true.
struct Candidate {
    access: Access,
    cost: f64,
    rows: f64,
    consumed: Vec<usize>,
}

/// The column that one side of a comparison is: `None` for the rowid.
type Place = Option<usize>;

impl Planner<'_> {
    /// The sources from the outermost loop in.
    fn order(&self) -> Vec<usize> {
        let count = self.sources.len();
        let mut order = Vec::with_capacity(count);
        while order.len() < count {
            let start = order.len();
            let fixed = |at: usize| self.kinds[at] != JoinKind::Inner;
            let mut end = start + 1;
            while end < count && !fixed(end) && self.kinds[start] != JoinKind::Left {
                end += 1;
            }
            let firsts = if fixed(start) || end - start > ALL_STARTS_MAX {
                if fixed(start) { vec![Some(start)] } else { vec![None] }
            } else {
                (start..end).map(Some).collect()
            };
            let tried = firsts.into_iter().map(|first| self.greedy(&order, start..end, first));
            if let Some((_, best)) = tried.min_by(|a, b| a.0.total_cmp(&b.0)) {
                order.extend(best);
            }
        }
        order
    }

    /// The order of a free stretch of FROM, beginning with `first`, and its cost.
    fn greedy(
        &self,
        before: &[usize],
        stretch: std::ops::Range<usize>,
        first: Option<usize>,
    ) -> (f64, Vec<usize>) {
        let mut placed = before.iter().fold(0_u64, |mask, &at| mask | 1 << at);
        let mut left: Vec<usize> = stretch.collect();
        let (mut order, mut rows, mut total) = (Vec::new(), 1.0, 0.0);
        while !left.is_empty() {
            let costs = left.iter().map(|&at| (at, self.best(at, placed)));
            let wanted =
                costs.filter(|(at, _)| !order.is_empty() || first.is_none_or(|f| f == *at));
            let cheapest = wanted.min_by(|(_, a), (_, b)| {
                let order = a.cost.total_cmp(&b.cost);
                order.then(a.rows.total_cmp(&b.rows))
            });
            let Some((at, best)) = cheapest else { break };
            total += rows * best.cost;
            rows *= best.rows;
            placed |= 1 << at;
            left.retain(|&other| other != at);
            order.push(at);
        }
        (total, order)
    }

    /// The cheapest access to a source inside the loops over `placed`.
    fn best(&self, source: usize, placed: u64) -> Candidate {
        let SourcePlan::Table(table) = &self.sources[source] else {
            let (access, cost, rows) = (Access::Rows, ROWS, ROWS);
            let all = Candidate { access, cost, rows, consumed: vec![] };
            return self.filtered(all, source, placed);
        };
        let mut best = self.by_rowid(source, placed);
        for index in table.indexes.iter().filter(|index| index.filter.is_none()) {
            if let Some(candidate) = self.by_index(table, index, source, placed)
                && candidate.cost < best.cost
            {
                best = candidate;
            }
        }
        self.filtered(best, source, placed)
    }

    /// Counts in what the conditions that are left will drop.
    fn filtered(&self, mut candidate: Candidate, source: usize, placed: u64) -> Candidate {
        for (at, condition) in self.usable(source, placed) {
            if !candidate.consumed.contains(&at) {
                let equality =
                    matches!(&condition.code, Code::Compare(c) if c.relation == Relation::Eq);
                candidate.rows *= if equality { 0.1 } else { 0.5 };
            }
        }
        candidate.rows = candidate.rows.max(1.0);
        candidate
    }

    /// The conditions that a loop over `source` can use inside those over `placed`.
    fn usable(&self, source: usize, placed: u64) -> impl Iterator<Item = (usize, &Condition)> {
        let own = 1_u64 << source;
        let left = (self.kinds[source] == JoinKind::Left).then_some(source);
        self.conditions.iter().enumerate().filter(move |(_, condition)| {
            let known = condition.needs & !(placed | own) == 0;
            known && condition.needs & own != 0 && condition.left == left
        })
    }

    /// By the rowid, or all rows.
    fn by_rowid(&self, source: usize, placed: u64) -> Candidate {
        let (mut low, mut high) = (None, None);
        let mut rows = ROWS;
        for (at, condition) in self.usable(source, placed) {
            let consumed = vec![at];
            if let Some((None, part, _)) = equality(&condition.code, source)
                && !part.finds_null
                && part.affinity != Some(Affinity::Text)
            {
                let access = Access::Rowid(vec![part.code]);
                return Candidate { access, cost: 8.0, rows: 1.0, consumed };
            }
            if let Some((None, list, _)) = any_of(&condition.code, source) {
                let rows = length_of(&list);
                let access = Access::Rowid(list);
                return Candidate { access, cost: 8.0 * rows, rows, consumed };
            }
            if let Some((None, relation, bound, _)) = range(&condition.code, source) {
                // The condition stays a filter: a bound may be 2.5 or a text.
                let side = if is_low(relation) { &mut low } else { &mut high };
                rows *= if side.is_none() { 0.25 } else { 1.0 };
                *side = Some(bound);
            }
        }
        Candidate {
            access: Access::Table { low, high, backwards: false },
            cost: rows,
            rows,
            consumed: vec![],
        }
    }

    /// By the first columns of an index; `None` where no condition is about the first.
    fn by_index(
        &self,
        table: &Table,
        index: &Arc<Index>,
        source: usize,
        placed: u64,
    ) -> Option<Candidate> {
        let mut access = self.index_access(table, index, source);
        let mut consumed = Vec::new();
        let mut rows = ROWS;
        for (position, &column) in index.columns.iter().enumerate() {
            let key = Key { table, column, collation: index.info.columns[position].collation };
            let equal = self.usable(source, placed).find_map(|(at, condition)| {
                let (place, part, rules) = equality(&condition.code, source)?;
                (key.fits(place, rules)).then_some((at, part))
            });
            if let Some((at, part)) = equal {
                consumed.push(at);
                access.equal.push(part);
                continue;
            }
            for (at, condition) in self.usable(source, placed) {
                if let Some((place, list, rules)) = any_of(&condition.code, source)
                    && key.fits(place, rules)
                    && access.any.is_none()
                {
                    consumed.push(at);
                    access.any = Some((rules.affinity, list));
                } else if let Some((place, relation, bound, rules)) = range(&condition.code, source)
                    && key.fits(place, rules)
                {
                    let side = if is_low(relation) { &mut access.low } else { &mut access.high };
                    *side = Some(bound);
                }
            }
            if access.any.is_some() {
                (access.low, access.high) = (None, None);
            }
            break;
        }
        let bounds = i32::from(access.low.is_some()) + i32::from(access.high.is_some());
        if access.equal.is_empty() && access.any.is_none() && bounds == 0 {
            return None;
        }
        let whole = access.equal.len() == index.columns.len() && index.unique;
        if whole {
            rows = 1.0;
        } else if !access.equal.is_empty() {
            rows = 10.0 / length(access.equal.len());
        }
        rows *= 0.25_f64.powi(bounds);
        if let Some((_, list)) = &access.any {
            rows = rows.min(10.0) * length_of(list);
        }
        let cost = 10.0 + rows * if access.covering { 1.0 } else { 2.0 };
        Some(Candidate { access: Access::Index(Box::new(access)), cost, rows, consumed })
    }

    fn index_access(&self, table: &Table, index: &Arc<Index>, source: usize) -> IndexAccess {
        index_access(table, index, self.used[source].as_deref())
    }
}

/// An access by index without any condition yet.
pub(super) fn index_access(
    table: &Table,
    index: &Arc<Index>,
    used: Option<&[usize]>,
) -> IndexAccess {
    let inside = |column| index.columns.contains(column) || table.rowid_alias == Some(*column);
    IndexAccess {
        index: Arc::clone(index),
        equal: Vec::new(),
        any: None,
        low: None,
        high: None,
        backwards: false,
        covering: used.is_some_and(|used| used.iter().all(inside)),
    }
}

#[allow(clippy::cast_precision_loss, reason = "an estimate")]
fn length(count: usize) -> f64 {
    count as f64
}

/// How many values an IN has; a query is taken to give [`QUERY_ROWS`].
fn length_of(list: &[Code]) -> f64 {
    if let [Code::Subquery(_)] = list { QUERY_ROWS } else { length(list.len()) }
}

fn is_low(relation: Relation) -> bool {
    matches!(relation, Relation::Gt | Relation::Ge)
}

/// A column of an index, and what a comparison must be like for the index to decide it.
struct Key<'a> {
    table: &'a Table,
    column: usize,
    collation: Collation,
}

impl Key<'_> {
    fn fits(&self, place: Place, rules: Rules) -> bool {
        let stored = self.table.columns[self.column].affinity;
        let same = match place {
            Some(column) => column == self.column,
            None => self.table.rowid_alias == Some(self.column),
        };
        same && rules.collation == self.collation
            && match rules.affinity {
                None => true,
                Some(Affinity::Text) => stored == Affinity::Text,
                Some(_) => stored.is_numeric(),
            }
    }
}

pub(super) fn place(code: &Code, source: usize) -> Option<Place> {
    match code {
        Code::Column { source: s, column, .. } if *s == source => Some(Some(*column)),
        Code::Rowid(s) if *s == source => Some(None),
        _ => None,
    }
}

/// One side of a comparison as a column of `source`, the other as something that is not.
fn sides(compare: &Compare, source: usize) -> Option<(Place, Relation, &Code)> {
    let apart = |code: &Code| needs(code) & 1 << source == 0;
    if let Some(column) = place(&compare.left, source).filter(|_| apart(&compare.right)) {
        return Some((column, compare.relation, &compare.right));
    }
    let column = place(&compare.right, source).filter(|_| apart(&compare.left))?;
    Some((column, compare.relation.flipped(), &compare.left))
}

/// `column = value`, `column IS value`, `column IS NULL`.
fn equality(code: &Code, source: usize) -> Option<(Place, KeyPart, Rules)> {
    let (compare, finds_null) = match code {
        Code::Compare(compare) if compare.relation == Relation::Eq => (compare, false),
        Code::Is(false, compare) => (compare, true),
        Code::IsNull(false, code) => {
            let code_of_null = Code::Const(Value::Null);
            let part = KeyPart { code: code_of_null, affinity: None, finds_null: true };
            // A rowid is never NULL. PLAIN has it that only an index in BINARY order is asked.
            let Code::Column { .. } = **code else { return None };
            return Some((place(code, source)?, part, Rules::PLAIN));
        }
        _ => return None,
    };
    let (column, _, other) = sides(compare, source)?;
    let part = KeyPart { code: other.clone(), affinity: compare.rules.affinity, finds_null };
    Some((column, part, compare.rules))
}

/// `column IN (a, b, c)`, or `column IN (SELECT ...)`, whose code then stands for all its values.
fn any_of(code: &Code, source: usize) -> Option<(Place, Vec<Code>, Rules)> {
    if let Code::Subquery(subquery) = code
        && let Asks::Contains { negated: false, rules, value } = &subquery.asks
        && !subquery.correlated
    {
        return Some((place(value, source)?, vec![code.clone()], *rules));
    }
    let Code::InList(list) = code else { return None };
    let apart = list.list.iter().all(|code| needs(code) & 1 << source == 0);
    let column = place(&list.value, source).filter(|_| apart && !list.negated)?;
    Some((column, list.list.clone(), list.rules))
}

/// `column < value` and its like.
fn range(code: &Code, source: usize) -> Option<(Place, Relation, Bound, Rules)> {
    let Code::Compare(compare) = code else { return None };
    let (column, relation, other) = sides(compare, source)?;
    if matches!(relation, Relation::Eq | Relation::Ne) {
        return None;
    }
    let inclusive = matches!(relation, Relation::Le | Relation::Ge);
    let bound = Bound { code: other.clone(), affinity: compare.rules.affinity, inclusive };
    Some((column, relation, bound, compare.rules))
}
