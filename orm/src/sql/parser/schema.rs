//! CREATE, DROP and ALTER (day 0, query it).
//!
//! SQLite stores the text of a CREATE statement in the file and parses it again whenever the file
//! is opened: this is not only how tables are made, but also how they are read back.

use std::sync::Arc;

use super::super::ast::{
    AlterAction, Check, ColumnConstraint, ColumnDef, CreateIndex, CreateTable, DropKind, Expr,
    ForeignKey, IndexedColumn, Name, OnConflict, Span, Statement, TableConstraint,
};
use super::super::lexer::{Kind, Token};
use super::{Error, Parser, Result, one_of, unsupported};

/// Words that stand for the time, as functions without arguments do.
pub(super) const CLOCK: &[&str] = &["CURRENT_TIME", "CURRENT_DATE", "CURRENT_TIMESTAMP"];

impl Parser<'_> {
    /// `CREATE TABLE | [UNIQUE] INDEX | VIEW ...`
    pub(super) fn create(&mut self) -> Result<Statement> {
        self.expect("CREATE")?;
        if self.is("TEMP") || self.is("TEMPORARY") {
            return Err(unsupported("TEMP tables"));
        }
        if self.is("TRIGGER") || self.is("VIRTUAL") {
            return Err(unsupported(&format!("CREATE {}", self.text().to_uppercase())));
        }
        if self.eat("TABLE") {
            return self.create_table();
        }
        if self.eat("VIEW") {
            return self.create_view();
        }
        let unique = self.eat("UNIQUE");
        self.expect("INDEX")?;
        self.create_index(unique)
    }

    /// `[IF NOT EXISTS] name (column, ... [, constraint]...) [options] | name AS select`
    fn create_table(&mut self) -> Result<Statement> {
        let if_not_exists = self.if_not_exists()?;
        let mut table = CreateTable {
            name: self.qualified_name()?,
            if_not_exists,
            columns: Vec::new(),
            constraints: Vec::new(),
            close: 0,
            without_rowid: false,
            strict: false,
            select: None,
        };
        if self.eat("AS") {
            table.select = Some(Box::new(self.select()?));
            return Ok(Statement::CreateTable(Box::new(table)));
        }
        self.expect("(")?;
        table.columns.push(self.column_def()?);
        loop {
            table.close = self.token.start;
            if !self.eat(",") {
                break;
            }
            if self.starts_table_constraint() {
                self.table_constraints(&mut table.constraints)?;
                break;
            }
            table.columns.push(self.column_def()?);
        }
        self.expect(")")?;
        while self.is_name() {
            if self.eat("STRICT") {
                table.strict = true;
            } else {
                self.expect("WITHOUT")?;
                self.expect("ROWID")?;
                table.without_rowid = true;
            }
            if !self.eat(",") {
                break;
            }
        }
        Ok(Statement::CreateTable(Box::new(table)))
    }

    /// `name [type] [constraint]...`
    pub(super) fn column_def(&mut self) -> Result<ColumnDef> {
        let name = self.name()?;
        let type_name = if self.starts_type() { self.type_name()? } else { String::new() };
        let mut constraints = Vec::new();
        while let Some(constraint) = self.column_constraint()? {
            constraints.push(constraint);
        }
        let span = self.span_from(name.span.start);
        Ok(ColumnDef { name, type_name, constraints, span })
    }

    fn starts_type(&self) -> bool {
        let generated = self.is("GENERATED") && self.next_is("ALWAYS");
        (self.is_name() || self.token.kind == Kind::Text) && !generated
    }

    /// `word word ... [( number [, number] )]`, kept as written.
    pub(super) fn type_name(&mut self) -> Result<String> {
        let start = self.token.start;
        while self.starts_type() {
            self.advance();
        }
        let has_word = self.last_end > start;
        if has_word && self.eat("(") {
            self.type_size()?;
            if self.eat(",") {
                self.type_size()?;
            }
            self.expect(")")?;
        }
        Ok(Span { start, end: self.last_end.max(start) }.of(self.sql).to_owned())
    }

    /// `[+|-] number`
    fn type_size(&mut self) -> Result<()> {
        if !self.eat("-") {
            self.eat("+");
        }
        if !matches!(self.token.kind, Kind::Integer | Kind::Float) {
            return Err(self.error());
        }
        self.advance();
        Ok(())
    }

    /// `[CONSTRAINT name] NOT NULL | PRIMARY KEY | UNIQUE | CHECK (...) | DEFAULT ... | ...`
    fn column_constraint(&mut self) -> Result<Option<ColumnConstraint>> {
        let mut label = self.constraint_name()?;
        while self.eat("NULL") {
            // A column may be NULL anyway: this says nothing.
            self.on_conflict()?;
            label = self.constraint_name()?;
        }
        let constraint = if self.eat("PRIMARY") {
            self.expect("KEY")?;
            let desc = self.sort_direction();
            let on_conflict = self.on_conflict()?;
            let autoincrement = self.eat("AUTOINCREMENT");
            ColumnConstraint::PrimaryKey { desc, autoincrement, on_conflict }
        } else if self.eat("NOT") {
            self.expect("NULL")?;
            ColumnConstraint::NotNull(self.on_conflict()?)
        } else if self.eat("UNIQUE") {
            ColumnConstraint::Unique(self.on_conflict()?)
        } else if self.is("CHECK") {
            ColumnConstraint::Check(self.check(label)?)
        } else if self.eat("DEFAULT") {
            self.default_value()?
        } else if self.eat("COLLATE") {
            ColumnConstraint::Collate(self.name()?.text)
        } else if self.is("REFERENCES") {
            ColumnConstraint::References(self.references(Vec::new())?)
        } else if self.is("GENERATED") || self.is("AS") {
            if self.eat("GENERATED") {
                self.expect("ALWAYS")?;
            }
            self.expect("AS")?;
            self.expect("(")?;
            self.expr()?;
            self.expect(")")?;
            if self.is("STORED") || self.is("VIRTUAL") {
                self.advance();
            }
            ColumnConstraint::Generated
        } else {
            return Ok(None); // a name may stand alone, and then names nothing
        };
        Ok(Some(constraint))
    }

    fn constraint_name(&mut self) -> Result<Option<String>> {
        let mut label = None;
        while self.eat("CONSTRAINT") {
            label = Some(self.name()?.text);
        }
        Ok(label)
    }

    /// `ON CONFLICT action`, or nothing.
    fn on_conflict(&mut self) -> Result<Option<OnConflict>> {
        if !self.is("ON") || !self.next_is("CONFLICT") {
            return Ok(None);
        }
        self.advance();
        self.advance();
        self.conflict_action().map(Some)
    }

    /// `CHECK ( expr )`; an unnamed one is known by its text.
    fn check(&mut self, label: Option<String>) -> Result<Check> {
        self.expect("CHECK")?;
        self.expect("(")?;
        let start = self.token.start;
        let expr = self.expr()?;
        let label = label.unwrap_or_else(|| self.span_from(start).of(self.sql).to_owned());
        self.expect(")")?;
        self.on_conflict()?;
        Ok(Check { label, expr: Arc::new(expr) })
    }

    /// `DEFAULT ( expr ) | DEFAULT [+|-] literal | DEFAULT word`, where the word stands for its text.
    fn default_value(&mut self) -> Result<ColumnConstraint> {
        let start = self.token.start;
        if self.eat("(") {
            let start = self.token.start;
            let expr = self.expr()?;
            let span = self.span_from(start);
            self.expect(")")?;
            return Ok(ColumnConstraint::Default(Arc::new(expr), span));
        }
        let signed = self.is("-") || self.is("+");
        let expr = if self.is_name() && !one_of(CLOCK, self.text()) {
            let name = Name { double_quoted: true, ..self.name()? };
            Expr::Column { table: None, name }
        } else if signed || self.starts_literal(self.token) {
            if signed && !self.starts_literal({ self.lexer }.next()) {
                self.advance();
                return Err(self.error());
            }
            self.operand()?
        } else {
            return Err(self.error());
        };
        Ok(ColumnConstraint::Default(Arc::new(expr), self.span_from(start)))
    }

    fn starts_literal(&self, token: Token) -> bool {
        let word = &self.sql[token.start..token.end];
        match token.kind {
            Kind::Integer | Kind::Float | Kind::Text | Kind::Blob => true,
            Kind::Word => one_of(CLOCK, word) || word.eq_ignore_ascii_case("NULL"),
            _ => false,
        }
    }

    /// `REFERENCES parent [(columns)] [ON DELETE|UPDATE action | MATCH name | DEFERRABLE ...]...`
    fn references(&mut self, columns: Vec<Name>) -> Result<ForeignKey> {
        self.expect("REFERENCES")?;
        let parent = self.name()?;
        let parent_columns = if self.is("(") { self.name_list()? } else { Vec::new() };
        loop {
            if self.is("ON") && !self.next_is("CONFLICT") {
                self.advance();
                if !self.eat("DELETE") && !self.eat("UPDATE") {
                    return Err(self.error());
                }
                if self.eat("SET") {
                    if !self.eat("NULL") {
                        self.expect("DEFAULT")?;
                    }
                } else if self.eat("NO") {
                    self.expect("ACTION")?;
                } else if !self.eat("CASCADE") {
                    self.expect("RESTRICT")?;
                }
            } else if self.eat("MATCH") {
                self.name()?;
            } else if self.is("DEFERRABLE") || (self.is("NOT") && self.next_is("DEFERRABLE")) {
                self.eat("NOT");
                self.advance();
                if self.eat("INITIALLY") && !self.eat("DEFERRED") {
                    self.expect("IMMEDIATE")?;
                }
            } else {
                return Ok(ForeignKey { columns, parent, parent_columns });
            }
        }
    }

    fn starts_table_constraint(&self) -> bool {
        ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"].iter().any(|word| self.is(word))
    }

    /// `[CONSTRAINT name] PRIMARY KEY (...) | UNIQUE (...) | CHECK (...) | FOREIGN KEY (...) ...`
    fn table_constraints(&mut self, out: &mut Vec<TableConstraint>) -> Result<()> {
        loop {
            let label = self.constraint_name()?;
            if label.is_none() || !(self.is(",") || self.is(")")) {
                out.push(self.table_constraint(label)?);
            }
            // The comma between table constraints may be left out.
            if !self.eat(",") && !self.starts_table_constraint() {
                return Ok(());
            }
        }
    }

    fn table_constraint(&mut self, label: Option<String>) -> Result<TableConstraint> {
        if self.eat("PRIMARY") {
            self.expect("KEY")?;
            self.expect("(")?;
            let columns = self.indexed_columns()?;
            let autoincrement = self.eat("AUTOINCREMENT");
            self.expect(")")?;
            let on_conflict = self.on_conflict()?;
            return Ok(TableConstraint::PrimaryKey { columns, autoincrement, on_conflict });
        }
        if self.eat("UNIQUE") {
            self.expect("(")?;
            let columns = self.indexed_columns()?;
            self.expect(")")?;
            return Ok(TableConstraint::Unique(columns, self.on_conflict()?));
        }
        if self.is("CHECK") {
            return Ok(TableConstraint::Check(self.check(label)?));
        }
        self.expect("FOREIGN")?;
        self.expect("KEY")?;
        let columns = self.name_list()?;
        Ok(TableConstraint::ForeignKey(self.references(columns)?))
    }

    /// `expr [ASC|DESC], ...`
    pub(super) fn indexed_columns(&mut self) -> Result<Vec<IndexedColumn>> {
        self.list(|p| {
            let expr = p.expr()?;
            Ok(IndexedColumn { expr, desc: p.sort_direction() })
        })
    }

    /// `[IF NOT EXISTS] name ON table (columns) [WHERE expr]`
    fn create_index(&mut self, unique: bool) -> Result<Statement> {
        let if_not_exists = self.if_not_exists()?;
        let name = self.qualified_name()?;
        self.expect("ON")?;
        let table = self.name()?;
        self.expect("(")?;
        let columns = self.indexed_columns()?;
        self.expect(")")?;
        let filter = self.filter()?.map(Arc::new);
        let index = CreateIndex { name, table, unique, if_not_exists, columns, filter };
        Ok(Statement::CreateIndex(Box::new(index)))
    }

    /// `[IF NOT EXISTS] name [(columns)] AS select`
    fn create_view(&mut self) -> Result<Statement> {
        let if_not_exists = self.if_not_exists()?;
        let name = self.qualified_name()?;
        let columns = if self.is("(") { self.name_list()? } else { Vec::new() };
        self.expect("AS")?;
        let select = Box::new(self.select()?);
        if !self.parameters.is_empty() {
            return Err(Error::Sql("parameters are not allowed in views".into()));
        }
        Ok(Statement::CreateView { name, if_not_exists, columns, select })
    }

    /// `DROP TABLE | INDEX | VIEW [IF EXISTS] name`
    pub(super) fn drop_object(&mut self) -> Result<Statement> {
        self.expect("DROP")?;
        let kind = if self.eat("TABLE") {
            DropKind::Table
        } else if self.eat("INDEX") {
            DropKind::Index
        } else if self.is("TRIGGER") {
            return Err(unsupported("DROP TRIGGER"));
        } else {
            self.expect("VIEW")?;
            DropKind::View
        };
        let if_exists = self.is("IF") && self.next_is("EXISTS");
        if if_exists {
            self.advance();
            self.advance();
        }
        Ok(Statement::Drop { kind, name: self.qualified_name()?, if_exists })
    }

    /// `ALTER TABLE name RENAME TO new | RENAME [COLUMN] a TO b | ADD [COLUMN] def | DROP [COLUMN] a`
    pub(super) fn alter(&mut self) -> Result<Statement> {
        self.expect("ALTER")?;
        self.expect("TABLE")?;
        let table = self.qualified_name()?;
        let action = if self.eat("RENAME") {
            if self.eat("TO") {
                AlterAction::RenameTable(self.name()?)
            } else {
                self.eat("COLUMN");
                let from = self.name()?;
                self.expect("TO")?;
                AlterAction::RenameColumn { from, to: self.name()? }
            }
        } else if self.eat("ADD") {
            self.eat("COLUMN");
            AlterAction::AddColumn(self.column_def()?)
        } else {
            self.expect("DROP")?;
            self.eat("COLUMN");
            AlterAction::DropColumn(self.name()?)
        };
        Ok(Statement::Alter { table, action: Box::new(action) })
    }
}
