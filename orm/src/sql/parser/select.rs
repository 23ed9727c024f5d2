//! Queries: SELECT, VALUES, FROM and what follows them (day 0, query it).
//!
//! ```text
//! select      core [UNION [ALL] | EXCEPT | INTERSECT core]... [ORDER BY ...] [LIMIT ...]
//! core        SELECT [DISTINCT] columns [FROM sources] [WHERE ...] [GROUP BY ... [HAVING ...]]
//!           | VALUES (expr, ...), ...
//! sources     item [, item | [LEFT|INNER|CROSS] JOIN item [ON expr | USING (names)]]...
//! ```

use super::super::ast::{
    CompoundOp, Core, Expr, FromItem, FromSource, JoinKind, OrderTerm, Query, ResultColumn, Select,
};
use super::super::lexer::Kind;
use super::{Error, JOIN_WORDS, Name, Parser, Result, one_of, unsupported};

/// As many queries as SQLite takes in one compound.
const COMPOUND_MAX: usize = 500;
/// As many columns as SQLite takes in one result, and terms in ORDER BY and GROUP BY.
const COLUMNS_MAX: usize = 2000;

impl Select {
    /// `SELECT * FROM table`, which `IN table` stands for.
    pub(super) fn whole_table(table: Name) -> Select {
        let from = FromItem {
            source: FromSource::Table(table),
            alias: None,
            join: JoinKind::Inner,
            natural: false,
            on: None,
            using: Vec::new(),
        };
        Select::of(Core::Query(Box::new(Query {
            distinct: false,
            columns: vec![ResultColumn::Star],
            from: vec![from],
            filter: None,
            group_by: Vec::new(),
            having: None,
        })))
    }

    fn of(first: Core) -> Select {
        Select { first, rest: Vec::new(), order_by: Vec::new(), limit: None, offset: None }
    }
}

impl Parser<'_> {
    /// Whether a query starts here; WITH does too, and is refused when it is read.
    pub(super) fn starts_query(&self) -> bool {
        self.is("SELECT") || self.is("VALUES") || self.is("WITH")
    }

    /// `select`
    pub(super) fn select(&mut self) -> Result<Select> {
        self.nested(|p| {
            let mut select = Select::of(p.core()?);
            while let Some(op) = p.compound_op() {
                if select.rest.len() + 1 >= COMPOUND_MAX {
                    return Err(Error::Sql("too many terms in compound SELECT".into()));
                }
                select.rest.push((op, p.core()?));
            }
            let last = select.rest.last().map_or(&select.first, |(_, core)| core);
            if let (Core::Values(_), true) = (last, p.is("ORDER") || p.is("LIMIT")) {
                return Err(p.error());
            }
            if p.eat("ORDER") {
                p.expect("BY")?;
                select.order_by = p.order_terms()?;
            }
            if p.eat("LIMIT") {
                select.limit = Some(p.expr()?);
                if p.eat("OFFSET") {
                    select.offset = Some(p.expr()?);
                } else if p.eat(",") {
                    // LIMIT offset, limit
                    select.offset = select.limit.replace(p.expr()?);
                }
            }
            let clause = if select.limit.is_some() { "LIMIT" } else { "ORDER BY" };
            let ended = select.limit.is_some() || !select.order_by.is_empty();
            if ended && let Some(op) = p.compound_op() {
                let op = op.name();
                let text = format!("{clause} clause should come after {op} not before");
                return Err(Error::Sql(text));
            }
            Ok(select)
        })
    }

    fn compound_op(&mut self) -> Option<CompoundOp> {
        if self.eat("UNION") {
            return Some(if self.eat("ALL") { CompoundOp::UnionAll } else { CompoundOp::Union });
        }
        if self.eat("EXCEPT") {
            return Some(CompoundOp::Except);
        }
        self.eat("INTERSECT").then_some(CompoundOp::Intersect)
    }

    /// `core`
    fn core(&mut self) -> Result<Core> {
        if self.eat("VALUES") {
            return Ok(Core::Values(self.list(|p| {
                p.expect("(")?;
                let row = p.expr_list()?;
                p.expect(")")?;
                Ok(row)
            })?));
        }
        if self.is("WITH") {
            return Err(unsupported("common table expressions (WITH)"));
        }
        self.expect("SELECT")?;
        let distinct = self.eat("DISTINCT");
        if !distinct {
            self.eat("ALL");
        }
        let columns = self.result_columns()?;
        let from = if self.eat("FROM") { self.sources()? } else { Vec::new() };
        let filter = if self.eat("WHERE") { Some(self.expr()?) } else { None };
        let mut group_by = Vec::new();
        if self.eat("GROUP") {
            self.expect("BY")?;
            group_by = at_most_columns_max(self.expr_list()?, "terms in GROUP BY clause")?;
        }
        let having = if self.eat("HAVING") { Some(self.expr()?) } else { None };
        if self.is("WINDOW") {
            return Err(unsupported("window functions"));
        }
        Ok(Core::Query(Box::new(Query { distinct, columns, from, filter, group_by, having })))
    }

    /// `* | table.* | expr [[AS] alias], ...`
    pub(super) fn result_columns(&mut self) -> Result<Vec<ResultColumn>> {
        let columns = self.list(|p| {
            if p.eat("*") {
                return Ok(ResultColumn::Star);
            }
            let start = p.token.start;
            let bookmark = (p.lexer, p.token, p.last_end);
            if p.is_name() && p.next_is(".") {
                let table = p.name()?;
                p.expect(".")?;
                if p.eat("*") {
                    return Ok(ResultColumn::TableStar(table));
                }
                (p.lexer, p.token, p.last_end) = bookmark;
            }
            let expr = p.expr()?;
            let text = p.span_from(start).of(p.sql).to_owned();
            Ok(ResultColumn::Expr { expr, alias: p.alias()?, text })
        })?;
        at_most_columns_max(columns, "columns in result set")
    }

    /// `[AS] alias`, or nothing. Without AS, a word that a join may start with is no alias.
    fn alias(&mut self) -> Result<Option<Name>> {
        if self.eat("AS") {
            return self.name().map(Some);
        }
        let bare = match self.token.kind {
            Kind::Text | Kind::Quoted => true,
            Kind::Word => self.is_name() && !one_of(JOIN_WORDS, self.text()),
            _ => false,
        };
        let indexed = self.is("INDEXED") && self.next_is("BY");
        if bare && !indexed && !self.is("WINDOW") { self.name().map(Some) } else { Ok(None) }
    }

    /// `sources`
    fn sources(&mut self) -> Result<Vec<FromItem>> {
        let mut items = Vec::new();
        self.source_item(JoinKind::Inner, false, &mut items)?;
        loop {
            let natural = self.eat("NATURAL");
            let kind = if !natural && self.eat(",") {
                JoinKind::Inner
            } else if self.eat("LEFT") {
                self.eat("OUTER");
                self.expect("JOIN")?;
                JoinKind::Left
            } else if self.eat("CROSS") {
                self.expect("JOIN")?;
                JoinKind::Cross
            } else if self.is("RIGHT") || self.is("FULL") {
                return Err(unsupported("RIGHT and FULL OUTER JOIN"));
            } else if self.eat("INNER") || self.is("JOIN") {
                self.expect("JOIN")?;
                JoinKind::Inner
            } else if natural {
                return Err(self.error());
            } else {
                return Ok(items);
            };
            self.source_item(kind, natural, &mut items)?;
        }
    }

    /// `table [[AS] alias] | (select) [[AS] alias] | (sources)`, then `[ON expr | USING (names)]`.
    fn source_item(
        &mut self,
        join: JoinKind,
        natural: bool,
        out: &mut Vec<FromItem>,
    ) -> Result<()> {
        let source = if self.eat("(") {
            if !self.starts_query() {
                return self.nested(|p| p.joined_group(join, natural, out));
            }
            let select = self.select()?;
            self.expect(")")?;
            FromSource::Select(Box::new(select))
        } else {
            let name = self.qualified_name()?;
            if self.is("(") {
                return Err(unsupported("table-valued functions"));
            }
            FromSource::Table(name)
        };
        let alias = self.alias()?;
        if self.is("INDEXED") || self.is("NOT") {
            self.indexed_by()?;
        }
        let mut item = FromItem { source, alias, join, natural, on: None, using: Vec::new() };
        self.join_condition(&mut item)?;
        out.push(item);
        Ok(())
    }

    /// `(a JOIN b ...)`: for inner joins the parentheses change nothing.
    fn joined_group(
        &mut self,
        join: JoinKind,
        natural: bool,
        out: &mut Vec<FromItem>,
    ) -> Result<()> {
        let mut group = self.sources()?;
        self.expect(")")?;
        if join == JoinKind::Left && group.len() > 1 {
            return Err(unsupported("a LEFT JOIN to a parenthesised join"));
        }
        if natural && group.len() > 1 {
            return Err(unsupported("a NATURAL JOIN to a parenthesised join"));
        }
        group[0].natural = natural; // and so may have no condition, below
        let Some(last) = group.last_mut() else { return Ok(()) };
        if self.is("ON") || self.is("USING") {
            if last.on.is_some() || !last.using.is_empty() || last.join == JoinKind::Left {
                return Err(unsupported("ON after a parenthesised join"));
            }
            self.join_condition(last)?;
        }
        group[0].join = join;
        out.append(&mut group);
        Ok(())
    }

    fn join_condition(&mut self, item: &mut FromItem) -> Result<()> {
        if item.natural && (self.is("ON") || self.is("USING")) {
            let text = "a NATURAL join may not have an ON or USING clause";
            return Err(Error::Sql(text.into()));
        }
        if self.eat("ON") {
            item.on = Some(self.expr()?);
        } else if self.eat("USING") {
            item.using = self.name_list()?;
        }
        Ok(())
    }

    /// `INDEXED BY name | NOT INDEXED`: read and let be, our planner chooses itself.
    fn indexed_by(&mut self) -> Result<()> {
        if self.eat("NOT") {
            return self.expect("INDEXED");
        }
        self.expect("INDEXED")?;
        self.expect("BY")?;
        self.name().map(|_| ())
    }

    /// `expr [ASC|DESC] [NULLS FIRST|LAST], ...`
    fn order_terms(&mut self) -> Result<Vec<OrderTerm>> {
        let terms = self.list(|p| {
            let expr = p.expr()?;
            let desc = p.sort_direction();
            let mut nulls_first = None;
            if p.eat("NULLS") {
                nulls_first = Some(p.is("FIRST"));
                if !p.eat("FIRST") {
                    p.expect("LAST")?;
                }
            }
            Ok(OrderTerm { expr, desc, nulls_first })
        })?;
        at_most_columns_max(terms, "terms in ORDER BY clause")
    }

    /// `[ASC|DESC]`: whether it falls.
    pub(super) fn sort_direction(&mut self) -> bool {
        !self.eat("ASC") && self.eat("DESC")
    }

    /// `WHERE expr`, or nothing.
    pub(super) fn filter(&mut self) -> Result<Option<Expr>> {
        if self.eat("WHERE") { self.expr().map(Some) } else { Ok(None) }
    }
}

/// Refuses a list of more than [`COLUMNS_MAX`] items.
fn at_most_columns_max<T>(list: Vec<T>, what: &str) -> Result<Vec<T>> {
    if list.len() > COLUMNS_MAX {
        return Err(Error::Sql(format!("too many {what}")));
    }
    Ok(list)
}
