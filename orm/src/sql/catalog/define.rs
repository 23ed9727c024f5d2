//! CREATE and DROP: rows of `sqlite_schema` and the trees they point to (day 0, query it).
//!
//! `CREATE TABLE IF NOT EXISTS User(Name text UNIQUE)` makes two trees, and two rows:
//!
//! ```text
//! table | User                    | User | 2 | CREATE TABLE User(Name text UNIQUE)
//! index | sqlite_autoindex_User_1 | User | 3 |
//! ```
//!
//! The text is stored from the name on, as it was written; what stood before the name is replaced
//! by `CREATE TABLE `. It is then read back and built into a [`Table`] as when the file is opened:
//! what cannot be read back is never stored.

use super::super::affinity::Affinity;
use super::super::ast::{
    ColumnConstraint, Core, CreateIndex, CreateTable, DropKind, Expr, Name, Select, Statement,
    UnaryOp,
};
use super::super::btree::{TableCursor, TreeKind, create_tree, drop_tree};
use super::super::connection::Shared;
use super::super::exec::write::Writer;
use super::super::exec::{Row, SelectRun};
use super::super::expr::Env;
use super::super::expr::scope::Prep;
use super::super::func::is_volatile;
use super::super::lexer::{Kind, Lexer};
use super::super::parser::{needs_quotes, parse};
use super::super::plan::{self, OutputColumn, from_table};
use super::super::record::encode;
use super::super::{Error, Pager, Result, Value, ValueRef};
use super::{Catalog, SCHEMA_ROOT, SchemaRow, Table, schema_rows};
use std::cell::RefCell;
use std::sync::Arc;

/// Changes the schema, in a write transaction.
pub(crate) struct Definer<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) catalog: &'a Catalog,
    /// The text of the statement.
    pub(crate) sql: &'a str,
}

impl Definer<'_> {
    /// The statement's text from `name` on, behind `CREATE ` and the kind. How it ends is SQLite's: a
    /// table's with the last token, all others' at the `;`, be there a comment before it or not.
    fn stored(&self, kind: &str, name: &Name) -> String {
        let text = self.sql.strip_suffix(';').unwrap_or(self.sql);
        let end = match kind {
            "TABLE" => {
                let mut lexer = Lexer::new(text, name.span.end);
                let next = || Some(lexer.next()).filter(|token| token.kind != Kind::End);
                std::iter::from_fn(next).last().map_or(name.span.end, |token| token.end)
            }
            "VIEW" => text.trim_ascii_end().len(),
            _ => text.len(),
        };
        format!("CREATE {kind} {}", text.get(name.span.start..end).unwrap_or_default())
    }

    /// CREATE TABLE, also with AS SELECT.
    ///
    /// # Errors
    /// The name is taken or reserved, or the definition contradicts itself.
    pub(crate) fn create_table(&self, create: &CreateTable) -> Result<()> {
        if self.taken(&create.name, create.if_not_exists)? {
            return Ok(());
        }
        if let Some(select) = &create.select {
            return self.create_table_as(&create.name.text, select);
        }
        let sql = self.stored("TABLE", &create.name);
        self.make_table(&sql).map(|_| ())
    }

    /// Makes the table that a stored text describes, and its indexes.
    fn make_table(&self, sql: &str) -> Result<Table> {
        let Some(Statement::CreateTable(create)) = parse(sql)?.map(|parsed| parsed.statement)
        else {
            return Err(Error::Misuse("a CREATE TABLE that cannot be read back"));
        };
        let mut table = Table::build(&create, sql)?;
        if let Some(what) = table.unreadable.or(table.unwritable) {
            let what = what.strip_prefix("writing to ").unwrap_or(what);
            return Err(Error::Unsupported(what.to_owned()));
        }
        self.check_expressions(&table)?;
        let pager = &mut *self.shared.pager.borrow_mut();
        table.root = create_tree(pager, TreeKind::Table)?;
        add_row(pager, "table", &table.name, &table.name, table.root, Some(sql))?;
        for index in &table.indexes {
            let root = create_tree(pager, TreeKind::Index)?;
            add_row(pager, "index", &index.name, &table.name, root, None)?;
        }
        if table.autoincrement && self.catalog.table("sqlite_sequence").is_none() {
            let root = create_tree(pager, TreeKind::Table)?;
            let sql = "CREATE TABLE sqlite_sequence(name,seq)";
            add_row(pager, "table", "sqlite_sequence", "sqlite_sequence", root, Some(sql))?;
        }
        bump(pager)?;
        Ok(table)
    }

    /// CHECKs may name the table's own columns and nothing else, defaults not even those.
    pub(super) fn check_expressions(&self, table: &Table) -> Result<()> {
        let env = Env { shared: self.shared, params: &[], cache: RefCell::default() };
        let prep = Prep::new(self.catalog, &env);
        let shape = Table {
            root: 0,
            columns: table.columns.clone(),
            rowid_alias: table.rowid_alias,
            ..Table::empty(&table.name)
        };
        let tables = [from_table(&Arc::new(shape), None)];
        for check in &table.checks {
            check_stored(&check.expr, "CHECK constraints")?;
            prep.schema_scope(&tables).code(&check.expr)?;
        }
        for column in &table.columns {
            let Some(default) = &column.default else { continue };
            if super::constant(default).is_some() {
                continue;
            }
            let code = prep.schema_scope(&[]).code(default);
            if check_stored(default, "").is_err() || matches!(code, Err(Error::NoSuchColumn(_))) {
                let text = format!("default value of column [{}] is not constant", column.name);
                return Err(Error::Sql(text));
            }
        }
        Ok(())
    }

    /// The CHECKs of a table's last column, just added, must make sense, and its rows pass them.
    pub(super) fn check_added(&self, altered: &Catalog, table: &Table) -> Result<()> {
        self.check_expressions(table).map_err(|error| match error.to_string() {
            text if text.starts_with("default value") => Error::Sql(text),
            text => Error::Sql(format!("error in table {} after add column: {text}", table.name)),
        })?;
        let Some(Statement::CreateTable(create)) = parse(&table.sql)?.map(|p| p.statement) else {
            return Ok(());
        };
        let env = Env { shared: self.shared, params: &[], cache: RefCell::default() };
        let broken = format!("SELECT 1 FROM {} WHERE 1", always_quoted(&table.name));
        for constraint in
            create.columns.into_iter().next_back().into_iter().flat_map(|d| d.constraints)
        {
            let ColumnConstraint::Check(check) = constraint else { continue };
            let mut statement = parse(&broken)?.map(|parsed| parsed.statement);
            let Some(Statement::Select(select)) = &mut statement else { continue };
            // The tree is moved: to copy a tall one would take as much stack as it is tall.
            if let (Core::Query(query), Some(expr)) =
                (&mut select.first, Arc::into_inner(check.expr))
            {
                query.filter = Some(Expr::Unary(UnaryOp::Not, Box::new(expr)));
            }
            let (plan, _) = plan::select(&Prep::new(altered, &env), select, None)?;
            if SelectRun::new(&plan, &env, None)?.next(&plan, &env, None, &mut Row::new())? {
                return Err(Error::Sql("CHECK constraint failed".into()));
            }
        }
        Ok(())
    }

    /// A table with the columns and the rows of a query.
    fn create_table_as(&self, name: &str, select: &Select) -> Result<()> {
        let env = Env { shared: self.shared, params: &[], cache: RefCell::default() };
        let prep = Prep::new(self.catalog, &env);
        let (plan, _) = plan::select(&prep, select, None)?;
        let sql = describe(name, &plan.columns);
        let table = Arc::new(self.make_table(&sql)?);
        let mut writer = Writer::new(&table, []);
        let mut run = SelectRun::new(&plan, &env, None)?;
        let (mut row, mut rowid) = (Row::new(), 0);
        while run.next(&plan, &env, None, &mut row)? {
            rowid += 1;
            writer.insert(&env, rowid, &row)?;
        }
        Ok(())
    }

    /// CREATE VIEW. As in SQLite, nobody looks yet whether the tables are there that it names.
    ///
    /// # Errors
    /// The name is taken.
    pub(crate) fn create_view(&self, name: &Name, if_not_exists: bool) -> Result<()> {
        if self.taken(name, if_not_exists)? {
            return Ok(());
        }
        let sql = self.stored("VIEW", name);
        let pager = &mut *self.shared.pager.borrow_mut();
        add_row(pager, "view", &name.text, &name.text, 0, Some(&sql))?;
        bump(pager)
    }

    /// Whether a table or view has this name already, and that is all right.
    fn taken(&self, name: &Name, if_not_exists: bool) -> Result<bool> {
        let text = &name.text;
        if is_reserved(text) {
            return Err(Error::Sql(format!("object name reserved for internal use: {text}")));
        }
        let kind = if self.catalog.table(text).is_some() { "table" } else { "view" };
        if self.catalog.table(text).is_some() || self.catalog.view(text).is_some() {
            let taken = Error::AlreadyExists(kind, text.clone());
            return if if_not_exists { Ok(true) } else { Err(taken) };
        }
        if self.catalog.index(text).is_some() {
            return Err(Error::Sql(format!("there is already an index named {text}")));
        }
        Ok(false)
    }

    /// CREATE INDEX, with an entry for each row that is there.
    ///
    /// # Errors
    /// No such table or column, a name that is taken, rows that are not unique.
    pub(crate) fn create_index(&self, create: &CreateIndex) -> Result<()> {
        let name = &create.name.text;
        if self.catalog.view(&create.table.text).is_some() {
            return Err(Error::Sql("views may not be indexed".into()));
        }
        let Some(table) = self.catalog.table(&create.table.text) else {
            return Err(Error::NoSuchTable(format!("main.{}", create.table.text)));
        };
        if is_reserved(name) {
            return Err(Error::Sql(format!("object name reserved for internal use: {name}")));
        }
        if table.root == SCHEMA_ROOT {
            return Err(Error::Sql("table sqlite_master may not be indexed".into()));
        }
        if self.catalog.table(name).is_some() || self.catalog.view(name).is_some() {
            return Err(Error::Sql(format!("there is already a table named {name}")));
        }
        if self.catalog.index(name).is_some() {
            let taken = Error::AlreadyExists("index", name.clone());
            return if create.if_not_exists { Ok(()) } else { Err(taken) };
        }
        table.check_writable()?;
        create.filter.iter().try_for_each(|filter| check_stored(filter, PARTIAL_INDEX))?;
        let mut index = table.new_index(create)?;
        let kind = if create.unique { "UNIQUE INDEX" } else { "INDEX" };
        let sql = self.stored(kind, &create.name);
        {
            let pager = &mut *self.shared.pager.borrow_mut();
            index.root = create_tree(pager, TreeKind::Index)?;
            add_row(pager, "index", name, &table.name, index.root, Some(&sql))?;
            bump(pager)?;
        }
        self.fill_index(table, index)
    }

    /// Enters all rows, sorted, so that the tree grows at its end only.
    fn fill_index(&self, table: &Arc<Table>, index: super::Index) -> Result<()> {
        let env = Env { shared: self.shared, params: &[], cache: RefCell::default() };
        let prep = Prep::new(self.catalog, &env);
        let own = [from_table(table, None)];
        let filter =
            index.filter.as_ref().map(|filter| prep.schema_scope(&own).code(filter)).transpose()?;
        let indexed = Arc::new(Table {
            name: table.name.clone(),
            root: table.root,
            columns: table.columns.clone(),
            rowid_alias: table.rowid_alias,
            indexes: vec![Arc::new(index)],
            ..Table::empty("")
        });
        let index = &indexed.indexes[0];
        let mut writer = Writer::new(&indexed, [filter]);
        let mut cursor = TableCursor::new(table.root);
        let mut entries: Vec<(Vec<Value>, i64)> = Vec::new();
        let mut more = cursor.first(&mut self.shared.pager.borrow_mut())?;
        while more {
            self.shared.limits.step()?;
            let rowid = cursor.rowid();
            let row = writer.read(&mut self.shared.pager.borrow_mut(), rowid)?;
            let row = row.ok_or_else(|| Error::corrupt(table.root, "a row is gone"))?;
            if writer.covers(&env, 0, rowid, &row)? {
                entries.push((index.columns.iter().map(|&c| row[c].clone()).collect(), rowid));
            }
            more = cursor.next(&mut self.shared.pager.borrow_mut())?;
        }
        let compare = |a: &[Value], b: &[Value]| {
            let columns = a.iter().zip(b).zip(&index.info.columns);
            columns.fold(std::cmp::Ordering::Equal, |order, ((a, b), key)| {
                let next = || a.as_ref().compare(b.as_ref(), key.collation);
                order.then_with(|| if key.desc { next().reverse() } else { next() })
            })
        };
        entries.sort_by(|a, b| compare(&a.0, &b.0).then(a.1.cmp(&b.1)));
        let known = |key: &[Value]| !key.contains(&Value::Null);
        let twice = |pair: &[(Vec<Value>, i64)]| {
            known(&pair[0].0) && compare(&pair[0].0, &pair[1].0).is_eq()
        };
        if index.unique && entries.windows(2).any(twice) {
            return Err(Error::Unique(index.describe(&indexed)));
        }
        let mut row = vec![Value::Null; indexed.columns.len()];
        for (key, rowid) in entries {
            for (&column, value) in index.columns.iter().zip(key) {
                row[column] = value;
            }
            writer.insert_entry(&mut self.shared.pager.borrow_mut(), 0, rowid, &row)?;
        }
        Ok(())
    }

    /// DROP: the tree and the row of `sqlite_schema`, and with a table those of its indexes.
    ///
    /// # Errors
    /// There is nothing of this name, or not of this kind.
    pub(crate) fn drop_object(&self, kind: DropKind, name: &str, if_exists: bool) -> Result<()> {
        let pager = &mut *self.shared.pager.borrow_mut();
        let rows = schema_rows(pager)?;
        let table = self.catalog.table(name);
        let mut doomed: Vec<&SchemaRow> = Vec::new();
        match (kind, table, self.catalog.view(name), self.catalog.index(name)) {
            (DropKind::Table, Some(table), ..) => {
                if is_reserved(&table.name) {
                    return Err(Error::Sql(format!("table {} may not be dropped", table.name)));
                }
                table.check_readable()?;
                doomed.extend(rows.iter().filter(|row| row.table.eq_ignore_ascii_case(name)));
                if let Some(sequence) = self.catalog.table("sqlite_sequence") {
                    forget_sequence(pager, sequence.root, &table.name)?;
                }
            }
            (DropKind::View, _, Some(_), _) => {
                // Its triggers have rows, too, which say that they are on this table.
                doomed.extend(rows.iter().filter(|row| row.table.eq_ignore_ascii_case(name)));
            }
            (DropKind::Index, .., Some(_)) => {
                doomed.extend(rows.iter().filter(|row| row.name.eq_ignore_ascii_case(name)));
                if doomed.iter().any(|row| row.kind == "index" && row.sql.is_none()) {
                    let text = "index associated with UNIQUE or PRIMARY KEY constraint cannot be \
                                dropped";
                    return Err(Error::Sql(text.into()));
                }
            }
            (DropKind::Table, None, Some(_), _) => {
                return Err(Error::Sql(format!("use DROP VIEW to delete view {name}")));
            }
            (DropKind::View, Some(_), ..) => {
                return Err(Error::Sql(format!("use DROP TABLE to delete table {name}")));
            }
            _ if if_exists => return Ok(()),
            (DropKind::Table, ..) => return Err(Error::NoSuchTable(name.to_owned())),
            (DropKind::View, ..) => return Err(Error::Sql(format!("no such view: {name}"))),
            (DropKind::Index, ..) => return Err(Error::NoSuchIndex(name.to_owned())),
        }
        for row in doomed {
            if row.root > 0 {
                drop_tree(pager, row.root)?;
            }
            remove_row(pager, SCHEMA_ROOT, row.rowid)?;
        }
        bump(pager)
    }
}

const PARTIAL_INDEX: &str = "partial index WHERE clauses";

/// Refuses what may not stand in an expression of the schema. It is stored for good, so it can ask no
/// parameter and no other table; and whether a row is in an index must be the same tomorrow.
fn check_stored(expr: &Expr, clause: &str) -> Result<()> {
    let mut found = None;
    expr.walk(&mut |expr| {
        found = found.or(match expr {
            Expr::Subquery(_) | Expr::Exists(_) | Expr::InSelect { .. } => Some("subqueries"),
            Expr::Variable(_) => Some("parameters"),
            Expr::Call(call) if clause == PARTIAL_INDEX && is_volatile(&call.name.text) => {
                Some("non-deterministic functions")
            }
            _ => None,
        });
    });
    found.map_or(Ok(()), |what| Err(Error::Sql(format!("{what} prohibited in {clause}"))))
}

/// Names that only the engine itself gives.
pub(super) fn is_reserved(name: &str) -> bool {
    name.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("sqlite_"))
}

/// Adds a row to `sqlite_schema`.
fn add_row(
    pager: &mut Pager,
    kind: &str,
    name: &str,
    table: &str,
    root: u32,
    sql: Option<&str>,
) -> Result<()> {
    let rowid = TableCursor::next_rowid(pager, SCHEMA_ROOT)?;
    write_row(pager, rowid, [kind, name, table], root, sql)
}

/// Writes a row of `sqlite_schema`.
pub(super) fn write_row(
    pager: &mut Pager,
    rowid: i64,
    names: [&str; 3],
    root: u32,
    sql: Option<&str>,
) -> Result<()> {
    let [kind, name, table] = names.map(|text| ValueRef::Text(text.as_bytes()));
    let sql = sql.map_or(ValueRef::Null, |sql| ValueRef::Text(sql.as_bytes()));
    let mut record = Vec::new();
    let values = [kind, name, table, ValueRef::Integer(i64::from(root)), sql];
    encode(values.into_iter(), &mut record);
    TableCursor::new(SCHEMA_ROOT).insert(pager, rowid, &record)
}

pub(super) fn remove_row(pager: &mut Pager, root: u32, rowid: i64) -> Result<()> {
    let mut cursor = TableCursor::new(root);
    if cursor.seek(pager, rowid)? {
        cursor.delete(pager)?;
    }
    Ok(())
}

/// Says in the header that the schema has changed.
pub(super) fn bump(pager: &mut Pager) -> Result<()> {
    let cookie = pager.schema_cookie()?;
    pager.set_schema_cookie(cookie.wrapping_add(1))
}

fn forget_sequence(pager: &mut Pager, root: u32, table: &str) -> Result<()> {
    for (rowid, name) in sequence_rows(pager, root)? {
        if name.eq_ignore_ascii_case(table) {
            remove_row(pager, root, rowid)?;
        }
    }
    Ok(())
}

/// The rows of `sqlite_sequence`: rowid and name.
pub(super) fn sequence_rows(pager: &mut Pager, root: u32) -> Result<Vec<(i64, String)>> {
    let mut cursor = TableCursor::new(root);
    let mut rows = Vec::new();
    let mut more = cursor.first(pager)?;
    while more {
        cursor.fetch(pager)?;
        let row = super::super::record::decode(cursor.record());
        let row = row.map_err(|error| error.on_page(cursor.page()))?;
        if let Some(Value::Text(name)) = row.into_iter().next() {
            rows.push((cursor.rowid(), name));
        }
        more = cursor.next(pager)?;
    }
    Ok(rows)
}

/// The text of a table that a query makes, laid out as SQLite does.
fn describe(name: &str, columns: &[OutputColumn]) -> String {
    let mut names: Vec<String> = Vec::new();
    for column in columns {
        let mut name = column.name.clone();
        let mut number = 0;
        while names.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
            number += 1;
            name = format!("{}:{number}", column.name);
        }
        names.push(name);
    }
    let kind = |column: &OutputColumn| match column.affinity {
        Some(Affinity::Text) => " TEXT",
        Some(Affinity::Numeric) => " NUM",
        Some(Affinity::Integer) => " INT",
        Some(Affinity::Real) => " REAL",
        Some(Affinity::Blob) | None => "",
    };
    let parts: Vec<String> =
        names.iter().zip(columns).map(|(name, c)| quoted(name) + kind(c)).collect();
    let length: usize = names.iter().map(|name| name.len() + 5).sum::<usize>() + name.len() + 2;
    let (before, between, after) =
        if length < 50 { ("", ",", ")") } else { ("\n  ", ",\n  ", "\n)") };
    format!("CREATE TABLE {}({before}{}{after}", quoted(name), parts.join(between))
}

/// A name as SQL reads it back.
pub(crate) fn quoted(name: &str) -> String {
    if needs_quotes(name) { always_quoted(name) } else { name.to_owned() }
}

pub(crate) fn always_quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
