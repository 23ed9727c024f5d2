//! ALTER TABLE: changing the text that made the table (day 0, query it).
//!
//! A table is what its stored CREATE TABLE says, so to alter it is to edit that text: the parser
//! says where each name stands, and only those bytes change.
//!
//! ```text
//! ALTER TABLE t RENAME COLUMN age TO years
//!
//! CREATE TABLE t(name text, age integer CHECK (age > 0))
//!                           ^^^                ^^^         both, and in every index on t
//! CREATE TABLE t(name text, years integer CHECK (years > 0))
//! ```
//!
//! * RENAME TO also renames the indexes of constraints, and the table's row in `sqlite_sequence`.
//! * ADD COLUMN writes no row: a record that ends early has the default there.
//! * DROP COLUMN takes the definition out and writes every row anew without it.
//!
//! After the edit the whole catalog is read back; if it cannot be, the statement fails and is undone.
//! A view's FROM follows a renamed table. SQLite rewrites a view that names a renamed column as well;
//! here each view is planned again, and one that can no longer be is an error.

use std::cell::RefCell;

use super::super::ast::{
    AlterAction, ColumnConstraint, ColumnDef, CreateTable, Expr, FromSource, IndexedColumn, Name,
    Span, Statement, TableConstraint,
};
use super::super::btree::TableCursor;
use super::super::exec::write::Writer;
use super::super::expr::Env;
use super::super::expr::scope::Prep;
use super::super::lexer::{Kind, Lexer};
use super::super::parser::parse;
use super::super::plan;
use super::super::record::{decode, encode};
use super::super::{Error, Pager, Result, Value};
use super::define::{Definer, always_quoted, bump, is_reserved, quoted, sequence_rows, write_row};
use super::{Catalog, SCHEMA_ROOT, SchemaRow, Table, View, schema_rows};

/// An edit of a stored text: these bytes are replaced.
type Edits = Vec<(Span, String)>;

/// Runs an ALTER TABLE inside a write transaction.
///
/// # Errors
/// No such table or column, a name that is taken, a change that would break the table.
pub(crate) fn alter(definer: &Definer<'_>, name: &Name, action: &AlterAction) -> Result<()> {
    if definer.catalog.view(&name.text).is_some() {
        return Err(Error::Sql(match action {
            AlterAction::AddColumn(_) => "Cannot add a column to a view".into(),
            AlterAction::RenameTable(_) => format!("view {} may not be altered", name.text),
            AlterAction::RenameColumn { .. } => {
                format!("cannot rename columns of view \"{}\"", name.text)
            }
            AlterAction::DropColumn(_) => format!("cannot drop column from view \"{}\"", name.text),
        }));
    }
    let table = definer.catalog.table(&name.text);
    let table = table.ok_or_else(|| Error::NoSuchTable(name.text.clone()))?;
    if table.root == SCHEMA_ROOT || is_reserved(&table.name) {
        return Err(Error::Sql(format!("table {} may not be altered", table.name)));
    }
    table.check_writable()?;
    let Some(Statement::CreateTable(create)) = parse(&table.sql)?.map(|p| p.statement) else {
        return Err(Error::corrupt(SCHEMA_ROOT, "a table without its CREATE TABLE"));
    };
    let alteration = Alteration { definer, table, create: &create };
    match action {
        AlterAction::RenameTable(to) => alteration.rename_table(to)?,
        AlterAction::RenameColumn { from, to } => alteration.rename_column(from, to)?,
        AlterAction::AddColumn(def) => alteration.add_column(def)?,
        AlterAction::DropColumn(column) => alteration.drop_column(column)?,
    }
    let altered = {
        let pager = &mut *definer.shared.pager.borrow_mut();
        bump(pager)?;
        Catalog::load(pager)?
    };
    if let (AlterAction::AddColumn(_), Some(table)) = (action, altered.table(&name.text)) {
        definer.check_added(&altered, table)?;
    }
    let what = if let AlterAction::DropColumn(_) = action { "drop column" } else { "rename" };
    check_views(definer, &altered, what)
}

/// A view that could be read before must still be one.
fn check_views(definer: &Definer<'_>, altered: &Catalog, what: &str) -> Result<()> {
    let env = Env { shared: definer.shared, params: &[], cache: RefCell::default() };
    let read = |catalog: &Catalog, view: &View| {
        plan::select(&Prep::new(catalog, &env), &view.select, None).map(|_| ())
    };
    for view in definer.catalog.views() {
        let Some(after) = altered.view(&view.name) else { continue };
        if let (Ok(()), Err(error)) = (read(definer.catalog, view), read(altered, after)) {
            let text = format!("error in view {} after {what}: {error}", view.name);
            return Err(Error::Sql(text));
        }
    }
    Ok(())
}

struct Alteration<'a> {
    definer: &'a Definer<'a>,
    table: &'a Table,
    create: &'a CreateTable,
}

impl Alteration<'_> {
    fn is_own(&self, name: &str) -> bool {
        name.eq_ignore_ascii_case(&self.table.name)
    }

    /// Rewrites the rows of `sqlite_schema`: `edit` gets each row with its statement.
    fn rewrite(
        &self,
        mut edit: impl FnMut(&mut SchemaRow, Option<&Statement>) -> Edits,
    ) -> Result<()> {
        let pager = &mut *self.definer.shared.pager.borrow_mut();
        for mut row in schema_rows(pager)? {
            let statement = row.statement()?;
            let edits = edit(&mut row, statement.as_ref());
            let sql = row.sql.as_deref().map(|sql| edited(sql, edits));
            let names = [row.kind.as_str(), &row.name, &row.table];
            write_row(pager, row.rowid, names, row.root, sql.as_deref())?;
        }
        Ok(())
    }

    fn rename_table(&self, to: &Name) -> Result<()> {
        let catalog = self.definer.catalog;
        let taken = catalog.table(&to.text).is_some() || catalog.view(&to.text).is_some();
        if taken || catalog.index(&to.text).is_some() {
            let text =
                format!("there is already another table or index with this name: {}", to.text);
            return Err(Error::Sql(text));
        }
        if is_reserved(&to.text) {
            return Err(Error::Sql(format!("object name reserved for internal use: {}", to.text)));
        }
        let new = always_quoted(&to.text);
        let prefix = format!("sqlite_autoindex_{}_", self.table.name);
        self.rewrite(|row, statement| {
            let mut edits = Edits::new();
            if self.is_own(&row.table) {
                row.table.clone_from(&to.text);
                if row.kind == "table" {
                    row.name.clone_from(&to.text);
                } else if row.sql.is_none()
                    && let Some(number) = row.name.get(prefix.len()..)
                {
                    row.name = format!("sqlite_autoindex_{}_{number}", to.text);
                }
            }
            let mut rename = |name: &Name| {
                if self.is_own(&name.text) {
                    edits.push((name.span, new.clone()));
                }
            };
            match statement {
                Some(Statement::CreateTable(create)) => {
                    foreign_keys(create).for_each(|key| rename(&key.parent));
                    if self.is_own(&create.name.text) {
                        rename(&create.name);
                        table_expressions(create).for_each(|expr| {
                            columns(expr, &mut |table, _| table.into_iter().for_each(&mut rename));
                        });
                    }
                }
                Some(Statement::CreateIndex(index)) if self.is_own(&index.table.text) => {
                    rename(&index.table);
                    let keys = index.columns.iter().map(|column| &column.expr);
                    keys.chain(index.filter.as_deref()).for_each(|expr| {
                        columns(expr, &mut |table, _| table.into_iter().for_each(&mut rename));
                    });
                }
                Some(Statement::CreateView { select, .. }) => {
                    view_tables(select).for_each(&mut rename);
                }
                _ => {}
            }
            edits
        })?;
        self.rename_sequence(&to.text)
    }

    /// The table's row in `sqlite_sequence` has its name, too.
    fn rename_sequence(&self, to: &str) -> Result<()> {
        let sequence = self.definer.catalog.table("sqlite_sequence");
        let Some(sequence) = sequence else { return Ok(()) };
        let pager = &mut *self.definer.shared.pager.borrow_mut();
        for (rowid, _) in
            sequence_rows(pager, sequence.root)?.into_iter().filter(|(_, name)| self.is_own(name))
        {
            let mut cursor = TableCursor::new(sequence.root);
            cursor.seek(pager, rowid)?;
            cursor.fetch(pager)?;
            let mut values = decode(cursor.record())?;
            values[0] = Value::Text(to.to_owned());
            let mut record = Vec::new();
            encode(values.iter().map(Value::as_ref), &mut record);
            cursor.insert(pager, rowid, &record)?;
        }
        Ok(())
    }

    fn rename_column(&self, from: &Name, to: &Name) -> Result<()> {
        let missing = || Error::Sql(format!("no such column: \"{}\"", from.text));
        self.table.column(&from.text).ok_or_else(missing)?;
        if self.table.column(&to.text).is_some_and(|at| Some(at) != self.table.column(&from.text)) {
            return Err(self.after("rename", &format!("duplicate column name: {}", to.text)));
        }
        let new = if to.double_quoted { always_quoted(&to.text) } else { quoted(&to.text) };
        self.rewrite(|row, statement| {
            let mut edits = Edits::new();
            let mut rename = |name: &Name| {
                if name.text.eq_ignore_ascii_case(&from.text) {
                    edits.push((name.span, new.clone()));
                }
            };
            match statement {
                Some(Statement::CreateTable(create)) => {
                    let own = self.is_own(&create.name.text);
                    for key in foreign_keys(create) {
                        if own {
                            key.columns.iter().for_each(&mut rename);
                        }
                        if self.is_own(&key.parent.text) {
                            key.parent_columns.iter().for_each(&mut rename);
                        }
                    }
                    if own {
                        create.columns.iter().for_each(|def| rename(&def.name));
                        table_expressions(create).for_each(|expr| {
                            columns(expr, &mut |_, name| rename(name));
                        });
                    }
                }
                Some(Statement::CreateIndex(index)) if self.is_own(&row.table) => {
                    let keys = index.columns.iter().map(|column| &column.expr);
                    keys.chain(index.filter.as_deref())
                        .for_each(|expr| columns(expr, &mut |_, name| rename(name)));
                }
                _ => {}
            }
            edits
        })
    }

    fn add_column(&self, def: &ColumnDef) -> Result<()> {
        let refuse = |text: &str| Err(Error::Sql(text.into()));
        let mut default = None;
        for constraint in &def.constraints {
            match constraint {
                ColumnConstraint::PrimaryKey { .. } => {
                    return refuse("Cannot add a PRIMARY KEY column");
                }
                ColumnConstraint::Unique(_) => return refuse("Cannot add a UNIQUE column"),
                ColumnConstraint::Generated => {
                    return Err(Error::Unsupported("generated columns".into()));
                }
                ColumnConstraint::Default(expr, _) => default = Some(super::constant(expr)),
                _ => {}
            }
        }
        let pager = &mut *self.definer.shared.pager.borrow_mut();
        let empty = !TableCursor::new(self.table.root).first(pager)?;
        let required = def.constraints.iter().any(|c| matches!(c, ColumnConstraint::NotNull(_)));
        match default {
            Some(None) if !empty => {
                return refuse("Cannot add a column with non-constant default");
            }
            None | Some(Some(Value::Null)) if required && !empty => {
                return refuse("Cannot add a NOT NULL column with default value NULL");
            }
            _ => {}
        }
        if self.table.column(&def.name.text).is_some() {
            return Err(Error::Sql(format!("duplicate column name: {}", def.name.text)));
        }
        let close = self.create.close;
        let (before, after) = self.table.sql.split_at(close);
        let sql = format!("{before}, {}{after}", def.span.of(self.definer.sql));
        self.store(pager, &sql)
    }

    /// Replaces the text of the table's own row.
    fn store(&self, pager: &mut Pager, sql: &str) -> Result<()> {
        let rows = schema_rows(pager)?;
        let own = rows.iter().find(|row| row.kind == "table" && self.is_own(&row.name));
        let row = own.ok_or_else(|| Error::corrupt(SCHEMA_ROOT, "a table without its row"))?;
        if let Some(Statement::CreateTable(create)) = parse(sql)?.map(|parsed| parsed.statement) {
            Table::build(&create, sql)?;
        }
        write_row(pager, row.rowid, [&row.kind, &row.name, &row.table], row.root, Some(sql))
    }

    fn drop_column(&self, column: &Name) -> Result<()> {
        let missing = || Error::Sql(format!("no such column: \"{}\"", column.text));
        let at = self.table.column(&column.text).ok_or_else(missing)?;
        let name = &self.table.columns[at].name;
        let refuse = |why: &str| Err(Error::Sql(format!("cannot drop {why}: \"{name}\"")));
        let primary = self.table.columns[at].key_position > 0;
        let asks = |filter: &Expr| {
            let mut found = false;
            columns(filter, &mut |_, column| found |= column.text.eq_ignore_ascii_case(name));
            found
        };
        let own = self.table.indexes.iter().filter(|index| {
            index.columns.contains(&at) || index.filter.as_deref().is_some_and(asks)
        });
        let mut unique = own.clone().filter(|index| index.origin == super::Origin::Unique);
        if primary {
            return refuse("PRIMARY KEY column");
        }
        if self.table.columns.len() == 1 {
            return Err(Error::Sql(format!(
                "cannot drop column \"{name}\": no other columns exist"
            )));
        }
        if unique.next().is_some() {
            return refuse("UNIQUE column");
        }
        if let Some(index) = own.clone().next() {
            let text =
                format!("error in index {} after drop column: no such column: {name}", index.name);
            return Err(Error::Sql(text));
        }
        // From this column to the next, or from the comma before it to the end of the columns.
        let (defs, start) = (&self.create.columns, self.create.columns[at].span.start);
        let span = match defs.get(at + 1) {
            Some(next) => Span { start, end: next.span.start },
            None => {
                let comma = self.table.sql.get(..start).and_then(|before| before.rfind(','));
                Span { start: comma.unwrap_or(start), end: self.create.close }
            }
        };
        let sql = edited(&self.table.sql, vec![(span, String::new())]);
        let shared = self.definer.shared;
        let Some(Statement::CreateTable(create)) = parse(&sql)?.map(|p| p.statement) else {
            return Err(Error::Misuse("a CREATE TABLE that cannot be read back"));
        };
        let built = Table::build(&create, &sql).and_then(|table| {
            self.definer.check_expressions(&table)?;
            Ok(table)
        });
        built.map_err(|error| self.after("drop column", &error.to_string()))?;
        self.store(&mut shared.pager.borrow_mut(), &sql)?;
        self.rewrite_rows(at)
    }

    /// Writes every row without column `at`.
    fn rewrite_rows(&self, at: usize) -> Result<()> {
        let shared = self.definer.shared;
        let env = Env { shared, params: &[], cache: RefCell::default() };
        let mut narrow = Table { root: self.table.root, ..Table::empty(&self.table.name) };
        narrow.columns = self.table.columns.clone();
        narrow.columns.remove(at);
        narrow.rowid_alias = self.table.rowid_alias.map(|alias| alias - usize::from(alias > at));
        let narrow = std::sync::Arc::new(narrow);
        let wide = std::sync::Arc::new(Table {
            root: self.table.root,
            columns: self.table.columns.clone(),
            rowid_alias: self.table.rowid_alias,
            ..Table::empty(&self.table.name)
        });
        let (mut reader, mut writer) = (Writer::new(&wide, []), Writer::new(&narrow, []));
        let mut cursor = TableCursor::new(self.table.root);
        let mut more = cursor.first(&mut shared.pager.borrow_mut())?;
        while more {
            shared.limits.step()?;
            let rowid = cursor.rowid();
            let row = reader.read(&mut shared.pager.borrow_mut(), rowid)?;
            if let Some(mut row) = row {
                row.remove(at);
                writer.insert(&env, rowid, &row)?;
            }
            more = cursor.next(&mut shared.pager.borrow_mut())?;
        }
        Ok(())
    }

    fn after(&self, what: &str, error: &str) -> Error {
        Error::Sql(format!("error in table {} after {what}: {error}", self.table.name))
    }
}

/// A text with some of its bytes replaced. A word that stood there is put in as one: a space keeps
/// it from its neighbours where quotes no longer do.
fn edited(sql: &str, mut edits: Edits) -> String {
    edits.sort_by_key(|(span, _)| span.start);
    edits.dedup_by_key(|(span, _)| span.start);
    let mut text = String::with_capacity(sql.len());
    let mut at = 0;
    for (span, new) in edits {
        text.push_str(sql.get(at..span.start).unwrap_or_default());
        text.push_str(&new);
        at = span.end;
        let mut lexer = Lexer::new(sql, at);
        let next = lexer.next();
        if !new.is_empty() && !new.ends_with('"') && next.start == at && next.kind == Kind::Word {
            text.push(' ');
        }
    }
    text + sql.get(at..).unwrap_or_default()
}

fn foreign_keys(create: &CreateTable) -> impl Iterator<Item = &super::super::ast::ForeignKey> {
    let own = create.columns.iter().flat_map(|def| &def.constraints).filter_map(|c| match c {
        ColumnConstraint::References(key) => Some(key),
        _ => None,
    });
    own.chain(create.constraints.iter().filter_map(|constraint| match constraint {
        TableConstraint::ForeignKey(key) => Some(key),
        _ => None,
    }))
}

/// The expressions of a table that name its columns.
fn table_expressions(create: &CreateTable) -> impl Iterator<Item = &Expr> {
    let own = create.columns.iter().flat_map(|def| &def.constraints).filter_map(|c| match c {
        ColumnConstraint::Check(check) => Some(&*check.expr),
        _ => None,
    });
    own.chain(create.constraints.iter().flat_map(|constraint| {
        let (keys, check): (&[IndexedColumn], _) = match constraint {
            TableConstraint::PrimaryKey { columns, .. } | TableConstraint::Unique(columns, _) => {
                (columns, None)
            }
            TableConstraint::Check(check) => (&[], Some(&*check.expr)),
            TableConstraint::ForeignKey(_) => (&[], None),
        };
        keys.iter().map(|key| &key.expr).chain(check)
    }))
}

/// The tables that a view's query names in FROM.
fn view_tables(select: &super::super::ast::Select) -> impl Iterator<Item = &Name> {
    let cores = std::iter::once(&select.first).chain(select.rest.iter().map(|rest| &rest.1));
    cores
        .flat_map(|core| match core {
            super::super::ast::Core::Query(query) => &query.from[..],
            super::super::ast::Core::Values(_) => &[],
        })
        .filter_map(|item| match &item.source {
            FromSource::Table(name) => Some(name),
            FromSource::Select(_) => None,
        })
}

/// Calls `visit` for each name of a column in an expression, with its table where it is written.
fn columns<'e>(expr: &'e Expr, visit: &mut dyn FnMut(Option<&'e Name>, &'e Name)) {
    expr.walk(&mut |expr| {
        if let Expr::Column { table, name } = expr {
            visit(table.as_ref(), name);
        }
    });
}
