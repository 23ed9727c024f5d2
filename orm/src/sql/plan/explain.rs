//! `EXPLAIN QUERY PLAN`: the plan in SQLite's words (day 0, query it).
//!
//! ```text
//! QUERY PLAN
//! |--SEARCH p USING INDEX by_age (age>?)
//! |--SEARCH pet USING COVERING INDEX by_owner (owner=?)
//! `--USE TEMP B-TREE FOR ORDER BY
//! ```
//!
//! "TEMP B-TREE" is what SQLite sorts with, and finds equal rows with. Here it is a vector and a hash
//! table, but the words are known.

use super::super::ast::CompoundOp;
use super::super::catalog::Table;
use super::{Access, CorePlan, IndexAccess, Level, SelectPlan, SourcePlan};

impl SelectPlan {
    /// The lines of the plan, outermost loop first.
    pub(crate) fn explain(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.rest.is_empty() {
            lines.push("LEFT-MOST SUBQUERY".into());
        }
        lines.extend(self.first.explain());
        for (op, core) in &self.rest {
            let by = if *op == CompoundOp::UnionAll { "" } else { " USING TEMP B-TREE" };
            lines.push(format!("{}{by}", op.name()));
            lines.extend(core.explain());
        }
        if !self.order.is_empty() {
            lines.push("USE TEMP B-TREE FOR ORDER BY".into());
        }
        lines
    }
}

impl CorePlan {
    /// The lines of one core.
    pub(crate) fn explain(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.levels.is_empty() {
            let what =
                if self.values.len() > 1 { "SCAN CONSTANT ROWS" } else { "SCAN CONSTANT ROW" };
            lines.push(what.into());
        }
        for level in &self.levels {
            lines.push(self.explain_level(level, &self.names[level.source]));
        }
        if self.grouping.as_ref().is_some_and(|grouping| !grouping.side_by_side) {
            lines.push("USE TEMP B-TREE FOR GROUP BY".into());
        }
        if self.distinct.is_some() {
            lines.push("USE TEMP B-TREE FOR DISTINCT".into());
        }
        lines
    }

    fn explain_level(&self, level: &Level, name: &str) -> String {
        let left = if level.left { " LEFT-JOIN" } else { "" };
        let SourcePlan::Table(table) = &self.sources[level.source] else {
            return format!("SCAN {name}{left}");
        };
        match &level.access {
            Access::Table { low: None, high: None, .. } | Access::Rows => {
                let covering = if self.count.is_some_and(|root| root != table.root) {
                    let index = table.indexes.iter().find(|index| Some(index.root) == self.count);
                    index.map_or(String::new(), |i| format!(" USING COVERING INDEX {}", i.name))
                } else {
                    String::new()
                };
                format!("SCAN {name}{covering}{left}")
            }
            Access::Table { low, high, .. } => {
                let terms = [low.as_ref().map(|_| "rowid>?"), high.as_ref().map(|_| "rowid<?")];
                let terms: Vec<_> = terms.into_iter().flatten().collect();
                let terms = terms.join(" AND ");
                format!("SEARCH {name} USING INTEGER PRIMARY KEY ({terms}){left}")
            }
            Access::Rowid(_) => {
                format!("SEARCH {name} USING INTEGER PRIMARY KEY (rowid=?){left}")
            }
            Access::Index(access) => access.explain(table, name, left),
        }
    }
}

impl IndexAccess {
    fn explain(&self, table: &Table, name: &str, left: &str) -> String {
        let column = |at: usize| {
            let column = self.index.columns.get(at).and_then(|&column| table.columns.get(column));
            column.map_or("rowid", |column| column.name.as_str())
        };
        let mut terms: Vec<String> =
            (0..self.equal.len()).map(|at| format!("{}=?", column(at))).collect();
        let next = column(self.equal.len());
        terms.extend(self.any.as_ref().map(|_| format!("{next}=?")));
        terms.extend(self.low.as_ref().map(|_| format!("{next}>?")));
        terms.extend(self.high.as_ref().map(|_| format!("{next}<?")));
        let verb = if terms.is_empty() { "SCAN" } else { "SEARCH" };
        let covering = if self.covering { "COVERING " } else { "" };
        let terms =
            if terms.is_empty() { String::new() } else { format!(" ({})", terms.join(" AND ")) };
        format!("{verb} {name} USING {covering}INDEX {}{terms}{left}", self.index.name)
    }
}
