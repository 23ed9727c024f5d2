//! INSERT, UPDATE and DELETE (day 0, query it).

use super::super::ast::{
    Assignment, Delete, Expr, Insert, Name, OnConflict, ResultColumn, Statement, Update, Upsert,
};
use super::{Error, Parser, Result, unsupported};

impl Parser<'_> {
    /// `INSERT [OR action] INTO table [AS alias] [(columns)] rows [upsert]... [RETURNING ...]`
    pub(super) fn insert(&mut self) -> Result<Statement> {
        let on_conflict = if self.eat("REPLACE") {
            Some(OnConflict::Replace)
        } else {
            self.expect("INSERT")?;
            self.or_action()?
        };
        self.expect("INTO")?;
        let table = self.qualified_name()?;
        let alias = if self.eat("AS") { Some(self.name()?) } else { None };
        let columns = if self.is("(") { self.name_list()? } else { Vec::new() };
        let rows = if self.eat("DEFAULT") {
            self.expect("VALUES")?;
            None
        } else {
            Some(self.select()?)
        };
        let mut upserts = Vec::new();
        while rows.is_some() && self.eat("ON") {
            upserts.push(self.upsert()?);
        }
        let returning = self.returning()?;
        let insert = Insert { table, alias, on_conflict, columns, rows, upserts, returning };
        Ok(Statement::Insert(Box::new(insert)))
    }

    /// `OR ROLLBACK | ABORT | FAIL | IGNORE | REPLACE`, or nothing.
    fn or_action(&mut self) -> Result<Option<OnConflict>> {
        if self.eat("OR") { self.conflict_action().map(Some) } else { Ok(None) }
    }

    pub(super) fn conflict_action(&mut self) -> Result<OnConflict> {
        let actions = [
            ("ABORT", OnConflict::Abort),
            ("ROLLBACK", OnConflict::Rollback),
            ("FAIL", OnConflict::Fail),
            ("IGNORE", OnConflict::Ignore),
            ("REPLACE", OnConflict::Replace),
        ];
        for (word, action) in actions {
            if self.eat(word) {
                return Ok(action);
            }
        }
        Err(self.error())
    }

    /// `CONFLICT [(columns) [WHERE expr]] DO NOTHING | DO UPDATE SET ... [WHERE expr]`
    fn upsert(&mut self) -> Result<Upsert> {
        self.expect("CONFLICT")?;
        let mut target = Vec::new();
        if self.eat("(") {
            target = self.indexed_columns()?;
            self.expect(")")?;
            if self.is("WHERE") {
                return Err(unsupported("ON CONFLICT for a partial index"));
            }
        }
        self.expect("DO")?;
        if self.eat("NOTHING") {
            return Ok(Upsert { target, update: None });
        }
        self.expect("UPDATE")?;
        let set = self.assignments()?;
        Ok(Upsert { target, update: Some((set, self.filter()?)) })
    }

    /// `SET column = expr, (column, column) = (expr, expr), ...`
    fn assignments(&mut self) -> Result<Vec<Assignment>> {
        self.expect("SET")?;
        let groups = self.list(|p| {
            if !p.is("(") {
                let column = p.name()?;
                p.expect("=")?;
                return Ok(vec![Assignment { column, expr: p.expr()? }]);
            }
            let columns = p.name_list()?;
            p.expect("=")?;
            let values = match p.expr()? {
                Expr::Row(values) => values,
                Expr::Subquery(_) if columns.len() > 1 => {
                    return Err(unsupported("SET (columns) = (SELECT ...)"));
                }
                single => vec![single],
            };
            if values.len() != columns.len() {
                let text = format!("{} columns assigned {} values", columns.len(), values.len());
                return Err(Error::Sql(text));
            }
            let pairs = columns.into_iter().zip(values);
            Ok(pairs.map(|(column, expr)| Assignment { column, expr }).collect())
        })?;
        Ok(groups.into_iter().flatten().collect())
    }

    /// `UPDATE [OR action] table [AS alias] SET ... [WHERE expr] [RETURNING ...]`
    pub(super) fn update(&mut self) -> Result<Statement> {
        self.expect("UPDATE")?;
        let on_conflict = self.or_action()?;
        let (table, alias) = self.changed_table()?;
        let set = self.assignments()?;
        if self.is("FROM") {
            return Err(unsupported("UPDATE ... FROM"));
        }
        let filter = self.filter()?;
        let returning = self.returning()?;
        self.refuse_limit()?;
        let update = Update { table, alias, on_conflict, set, filter, returning };
        Ok(Statement::Update(Box::new(update)))
    }

    /// `DELETE FROM table [AS alias] [WHERE expr] [RETURNING ...]`
    pub(super) fn delete(&mut self) -> Result<Statement> {
        self.expect("DELETE")?;
        self.expect("FROM")?;
        let (table, alias) = self.changed_table()?;
        let filter = self.filter()?;
        let returning = self.returning()?;
        self.refuse_limit()?;
        Ok(Statement::Delete(Box::new(Delete { table, alias, filter, returning })))
    }

    /// `table [AS alias]`
    fn changed_table(&mut self) -> Result<(Name, Option<Name>)> {
        let table = self.qualified_name()?;
        let alias = if self.eat("AS") { Some(self.name()?) } else { None };
        Ok((table, alias))
    }

    fn returning(&mut self) -> Result<Vec<ResultColumn>> {
        if self.eat("RETURNING") { self.result_columns() } else { Ok(Vec::new()) }
    }

    /// SQLite as it is usually built has no `DELETE ... LIMIT` either: a syntax error there.
    fn refuse_limit(&self) -> Result<()> {
        if self.is("LIMIT") || self.is("ORDER") { Err(self.error()) } else { Ok(()) }
    }
}
