//! The catalog: which tables and indexes there are, read from the file itself (day 0, query it).
//!
//! Page 1 is the root of an ordinary table, `sqlite_schema`, and its rows are the schema:
//!
//! ```text
//! type   name                   tbl_name  rootpage  sql
//! table  User                   User      2         CREATE TABLE User(Name text PRIMARY KEY, Age integer)
//! index  sqlite_autoindex_User_1 User     3         NULL
//! index  by_age                 User      4         CREATE INDEX by_age ON User(Age)
//! ```
//!
//! There is no other description of a table than the text that made it: opening a database is
//! parsing these statements again ([`Catalog::load`]). What PRIMARY KEY and UNIQUE need, an index,
//! has no statement of its own; its name says which constraint of which table it serves, counted in
//! the order in which they are declared, and the same columns twice make one index.
//!
//! One kind of key needs none: a column that is exactly `INTEGER PRIMARY KEY` *is* the rowid under
//! another name ([`Table::rowid_alias`]), and its place in the record holds NULL.
//!
//! A change of the schema bumps the *schema cookie* in the file's header. Prepared statements keep
//! the catalog they were made with and are made again when the cookie has moved.
//!
//! # Try it
//! The text of a schema as it is edited:
//!
//! ```text
//! $ cargo run -q -p orm --example shell -- :memory: < tests/tests/sql/chapter_schema.sql
//! CREATE TABLE "my words"(a INTEGER PRIMARY KEY, word TEXT DEFAULT 'x' , n REAL NOT NULL DEFAULT 1, CHECK (word <> ''))
//! CREATE UNIQUE INDEX t_b ON "my words"(word DESC)
//! ...
//! ```
//!
//! Reference: <https://sqlite.org/schematab.html>, <https://sqlite.org/fileformat2.html> section 2.6.

pub mod alter;
pub mod build;
pub mod define;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::affinity::Affinity;
use super::ast::{Check, CreateIndex, Expr, Name, OnConflict, Select, Statement};
use super::btree::TableCursor;
use super::parser::parse;
use super::record::{KeyInfo, decode};
use super::{Collation, Error, Pager, Result, Value};

pub(crate) use alter::alter;
pub(crate) use build::{collation, constant};

/// The root page of `sqlite_schema`.
pub(crate) const SCHEMA_ROOT: u32 = 1;
const SCHEMA_SQL: &str =
    "CREATE TABLE sqlite_schema(type text, name text, tbl_name text, rootpage int, sql text)";

/// All tables and views, by their names in lower case.
#[derive(Debug, Clone)]
pub(crate) struct Catalog {
    pub(crate) cookie: u32,
    objects: BTreeMap<String, Object>,
}

#[derive(Debug, Clone)]
enum Object {
    Table(Arc<Table>),
    View(Arc<View>),
}

/// A table, as its CREATE TABLE says.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) root: u32,
    pub(crate) columns: Vec<Column>,
    /// The column that is the rowid.
    pub(crate) rowid_alias: Option<usize>,
    pub(crate) autoincrement: bool,
    pub(crate) checks: Vec<Check>,
    /// What happens on a conflict of rowids, where the PRIMARY KEY says.
    pub(crate) rowid_conflict: Option<OnConflict>,
    pub(crate) indexes: Vec<Arc<Index>>,
    pub(crate) sql: String,
    /// Why this engine does not read it (`WITHOUT ROWID tables`), and why it does not write it.
    pub(crate) unreadable: Option<&'static str>,
    pub(crate) unwritable: Option<&'static str>,
}

#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// As declared; it decides the affinity.
    pub(crate) type_name: String,
    pub(crate) affinity: Affinity,
    pub(crate) collation: Collation,
    pub(crate) not_null: bool,
    pub(crate) not_null_conflict: Option<OnConflict>,
    pub(crate) default: Option<Arc<Expr>>,
    pub(crate) default_text: Option<String>,
    /// What a record that ends before this column has there.
    pub(crate) missing: Value,
    /// Its position in the PRIMARY KEY from 1; 0 outside it.
    pub(crate) key_position: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct Index {
    pub(crate) name: String,
    pub(crate) root: u32,
    pub(crate) columns: Vec<usize>,
    pub(crate) info: Arc<KeyInfo>,
    pub(crate) unique: bool,
    pub(crate) origin: Origin,
    pub(crate) on_conflict: Option<OnConflict>,
    /// The condition of a partial index.
    pub(crate) filter: Option<Arc<Expr>>,
}

/// What made an index: a CREATE INDEX, or a constraint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Created,
    Unique,
    PrimaryKey,
}

#[derive(Debug)]
pub(crate) struct View {
    pub(crate) name: String,
    pub(crate) columns: Vec<Name>,
    pub(crate) select: Select,
}

/// One row of `sqlite_schema`.
#[derive(Debug, Clone)]
pub(crate) struct SchemaRow {
    pub(crate) rowid: i64,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) table: String,
    pub(crate) root: u32,
    pub(crate) sql: Option<String>,
}

impl Catalog {
    /// Reads and parses `sqlite_schema`.
    pub(crate) fn load(pager: &mut Pager) -> Result<Catalog> {
        let cookie = pager.schema_cookie()?;
        let mut catalog = Catalog { cookie, objects: BTreeMap::new() };
        let mut tables: BTreeMap<String, Table> = BTreeMap::new();
        let rows = schema_rows(pager)?;
        // Tables first: an index may stand before its table where ALTER has rewritten rows.
        for row in rows.iter().filter(|row| row.kind != "index") {
            let malformed = |why: &dyn std::fmt::Display| {
                Error::Sql(format!("malformed database schema ({}) - {why}", row.name))
            };
            let key = row.name.to_ascii_lowercase();
            match (row.kind.as_str(), row.statement().map_err(|e| malformed(&e))?) {
                ("table", Some(Statement::CreateTable(create))) => {
                    let sql = row.sql.clone().unwrap_or_default();
                    let table = Table::build(&create, &sql).map_err(|e| malformed(&e))?;
                    tables.insert(key, Table { name: row.name.clone(), root: row.root, ..table });
                }
                ("view", Some(Statement::CreateView { columns, select, .. })) => {
                    let view = View { name: row.name.clone(), columns, select: *select };
                    catalog.objects.insert(key, Object::View(Arc::new(view)));
                }
                ("table", _) => {
                    tables.insert(key, Table::unreadable(&row.name, "virtual tables"));
                }
                ("trigger", _) => {
                    if let Some(table) = tables.get_mut(&row.table.to_ascii_lowercase()) {
                        table.unwritable = Some("writing to a table with triggers");
                    }
                }
                _ => return Err(malformed(&"not a statement that makes this")),
            }
        }
        for row in rows.iter().filter(|row| row.kind == "index") {
            if let Some(table) = tables.get_mut(&row.table.to_ascii_lowercase()) {
                table.attach_index(row)?;
            }
        }
        let tables = tables.into_iter().map(|(key, table)| (key, Object::Table(Arc::new(table))));
        catalog.objects.extend(tables);
        catalog.add_schema_table()?;
        Ok(catalog)
    }

    /// `sqlite_schema` describes every table but itself.
    fn add_schema_table(&mut self) -> Result<()> {
        if let Some(parsed) = parse(SCHEMA_SQL)?
            && let Statement::CreateTable(create) = parsed.statement
        {
            let mut table = Table::build(&create, SCHEMA_SQL)?;
            table.root = SCHEMA_ROOT;
            let table = Arc::new(table);
            for name in ["sqlite_schema", "sqlite_master"] {
                self.objects.insert(name.to_owned(), Object::Table(Arc::clone(&table)));
            }
        }
        Ok(())
    }

    pub(crate) fn table(&self, name: &str) -> Option<&Arc<Table>> {
        match self.objects.get(&name.to_ascii_lowercase()) {
            Some(Object::Table(table)) => Some(table),
            _ => None,
        }
    }

    pub(crate) fn view(&self, name: &str) -> Option<&Arc<View>> {
        match self.objects.get(&name.to_ascii_lowercase()) {
            Some(Object::View(view)) => Some(view),
            _ => None,
        }
    }

    pub(crate) fn views(&self) -> impl Iterator<Item = &Arc<View>> {
        self.objects.values().filter_map(|object| match object {
            Object::View(view) => Some(view),
            Object::Table(_) => None,
        })
    }

    /// The index of this name and its table.
    pub(crate) fn index(&self, name: &str) -> Option<(&Arc<Table>, &Arc<Index>)> {
        self.tables().find_map(|table| {
            let index = table.indexes.iter().find(|index| index.name.eq_ignore_ascii_case(name))?;
            Some((table, index))
        })
    }

    /// All tables but `sqlite_schema`, by name.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &Arc<Table>> {
        self.objects.values().filter_map(|object| match object {
            Object::Table(table) if table.root != SCHEMA_ROOT => Some(table),
            _ => None,
        })
    }
}

impl Table {
    /// The position of a column, by name in any case.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// Refuses what this engine cannot read.
    pub(crate) fn check_readable(&self) -> Result<()> {
        let refused = |what: &str| Err(Error::Unsupported(format!("{what} ({})", self.name)));
        self.unreadable.map_or(Ok(()), refused)
    }

    /// Refuses what this engine, or nobody, may write.
    pub(crate) fn check_writable(&self) -> Result<()> {
        self.check_readable()?;
        if self.root == SCHEMA_ROOT {
            return Err(Error::Sql("table sqlite_master may not be modified".into()));
        }
        let refused = |what: &str| Err(Error::Unsupported(format!("{what} ({})", self.name)));
        self.unwritable.map_or(Ok(()), refused)
    }

    fn unreadable(name: &str, why: &'static str) -> Table {
        Table { unreadable: Some(why), ..Table::empty(name) }
    }

    /// A table without columns, to be filled in.
    fn empty(name: &str) -> Table {
        Table {
            name: name.to_owned(),
            root: 0,
            columns: Vec::new(),
            rowid_alias: None,
            autoincrement: false,
            checks: Vec::new(),
            rowid_conflict: None,
            indexes: Vec::new(),
            sql: String::new(),
            unreadable: None,
            unwritable: None,
        }
    }

    /// Gives a constraint's index its root page, or adds the index of a CREATE INDEX.
    fn attach_index(&mut self, row: &SchemaRow) -> Result<()> {
        let Some(statement) = row.statement()? else {
            let named = |index: &&mut Arc<Index>| index.name.eq_ignore_ascii_case(&row.name);
            if let Some(index) = self.indexes.iter_mut().find(named) {
                *index = Arc::new(Index { root: row.root, ..Index::clone(index) });
            }
            return Ok(());
        };
        let Statement::CreateIndex(create) = statement else {
            return Err(Error::corrupt(SCHEMA_ROOT, "an index with a statement that makes none"));
        };
        match self.new_index(&create) {
            Ok(index) => self.indexes.push(Arc::new(Index { root: row.root, ..index })),
            // The table can be read without it, but not written.
            Err(Error::Unsupported(_)) => {
                self.unwritable = Some("writing to a table with an index on an expression");
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// The index that a CREATE INDEX on this table describes; it has no root page yet.
    pub(crate) fn new_index(&self, create: &CreateIndex) -> Result<Index> {
        let (columns, key) = self.key_columns(&create.columns)?;
        Ok(Index {
            name: create.name.text.clone(),
            root: 0,
            columns,
            info: Arc::new(KeyInfo { columns: key }),
            unique: create.unique,
            origin: Origin::Created,
            on_conflict: None,
            filter: create.filter.clone(),
        })
    }
}

impl Index {
    /// `t.a, t.b`, as the error of a broken UNIQUE names the columns.
    pub(crate) fn describe(&self, table: &Table) -> String {
        let name = |&at: &usize| format!("{}.{}", table.name, table.columns[at].name);
        self.columns.iter().map(name).collect::<Vec<_>>().join(", ")
    }
}

impl SchemaRow {
    /// The statement that made it; `None` for an index of a constraint.
    fn statement(&self) -> Result<Option<Statement>> {
        if self.sql.as_deref().is_some_and(is_virtual) || self.kind == "trigger" {
            return Ok(None);
        }
        let parsed = self.sql.as_deref().map(parse).transpose()?;
        Ok(parsed.flatten().map(|parsed| parsed.statement))
    }
}

fn is_virtual(sql: &str) -> bool {
    let mut words = sql.split_ascii_whitespace();
    words.next().is_some_and(|word| word.eq_ignore_ascii_case("create"))
        && words.next().is_some_and(|word| word.eq_ignore_ascii_case("virtual"))
}

/// The rows of `sqlite_schema`.
pub(crate) fn schema_rows(pager: &mut Pager) -> Result<Vec<SchemaRow>> {
    let mut rows = Vec::new();
    if pager.page_count() == 0 {
        return Ok(rows);
    }
    let mut cursor = TableCursor::new(SCHEMA_ROOT);
    let mut more = cursor.first(pager)?;
    while more {
        cursor.fetch(pager)?;
        let fields = decode(cursor.record()).map_err(|error| error.on_page(cursor.page()))?;
        let mut fields = fields.into_iter();
        let mut text = || match fields.next() {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        };
        let (kind, name, table) = (text(), text(), text());
        let root = match fields.next() {
            Some(Value::Integer(root)) => u32::try_from(root).unwrap_or(0),
            _ => 0,
        };
        let sql = match fields.next() {
            Some(Value::Text(sql)) => Some(sql),
            _ => None,
        };
        let (Some(kind), Some(name), Some(table)) = (kind, name, table) else {
            return Err(Error::corrupt(SCHEMA_ROOT, "a row of sqlite_schema without a name"));
        };
        rows.push(SchemaRow { rowid: cursor.rowid(), kind, name, table, root, sql });
        more = cursor.next(pager)?;
    }
    Ok(rows)
}
