//! From the syntax tree of a CREATE TABLE to a [`Table`] (day 0, query it).
//!
//! The constraints are gone through in the order in which they are written, because this order
//! numbers the indexes that they need: `sqlite_autoindex_t_1` belongs to the first UNIQUE or
//! PRIMARY KEY, wherever it stands.

use std::sync::Arc;

use super::super::affinity::{Affinity, Number};
use super::super::ast::{
    ColumnConstraint, ColumnDef, CreateTable, Expr, IndexedColumn, OnConflict, TableConstraint,
    UnaryOp,
};
use super::super::expr::Val;
use super::super::record::{KeyColumn, KeyInfo};
use super::super::{Collation, Error, Result, Value};
use super::{Column, Index, Origin, Table};

/// As many columns as SQLite lets a table have.
const COLUMNS_MAX: usize = 2000;

impl Table {
    /// The table that a CREATE TABLE describes; it and its indexes have no root pages yet.
    pub(crate) fn build(create: &CreateTable, sql: &str) -> Result<Table> {
        let mut table = Table::empty(&create.name.text);
        table.unreadable = create.without_rowid.then_some("WITHOUT ROWID tables");
        table.unwritable = create.strict.then_some("writing to STRICT tables");
        table.sql = sql.to_owned();
        for def in &create.columns {
            table.add_column(def, sql)?;
        }
        for (at, def) in create.columns.iter().enumerate() {
            table.column_keys(at, def)?;
        }
        for constraint in &create.constraints {
            match constraint {
                TableConstraint::PrimaryKey { columns, autoincrement, on_conflict } => {
                    table.primary_key(columns, *autoincrement, false, *on_conflict)?;
                }
                TableConstraint::Unique(columns, on_conflict) => {
                    table.constraint_index(columns, Origin::Unique, *on_conflict)?;
                }
                TableConstraint::Check(check) => table.checks.push(check.clone()),
                TableConstraint::ForeignKey(_) => {}
            }
        }
        if create.without_rowid && table.columns.iter().all(|column| column.key_position == 0) {
            return Err(Error::Sql(format!("PRIMARY KEY missing on table {}", table.name)));
        }
        Ok(table)
    }

    /// Everything about a column but its keys.
    pub(crate) fn add_column(&mut self, def: &ColumnDef, sql: &str) -> Result<()> {
        if self.column(&def.name.text).is_some() {
            return Err(Error::Sql(format!("duplicate column name: {}", def.name.text)));
        }
        if self.columns.len() == COLUMNS_MAX {
            return Err(Error::Sql(format!("too many columns on {}", self.name)));
        }
        let mut column = Column {
            name: def.name.text.clone(),
            type_name: standard_type(&def.type_name),
            affinity: Affinity::of_type(&def.type_name),
            collation: Collation::Binary,
            not_null: false,
            not_null_conflict: None,
            default: None,
            default_text: None,
            missing: Value::Null,
            key_position: 0,
        };
        for constraint in &def.constraints {
            match constraint {
                ColumnConstraint::NotNull(on_conflict) => {
                    column.not_null = true;
                    column.not_null_conflict = *on_conflict;
                }
                ColumnConstraint::Check(check) => self.checks.push(check.clone()),
                ColumnConstraint::Default(expr, span) => {
                    column.default_text = Some(span.of(sql).to_owned());
                    column.default = Some(Arc::clone(expr));
                    let missing = constant(expr).unwrap_or_default();
                    // An oddity that files depend on: without an affinity, 2.0 is missing as 2.
                    let affinity = match (column.affinity, &missing) {
                        (Affinity::Blob, Value::Real(_)) => Affinity::Numeric,
                        (affinity, _) => affinity,
                    };
                    column.missing = affinity.apply(Val::Own(missing)).into_value();
                }
                ColumnConstraint::Collate(name) => column.collation = collation(name)?,
                ColumnConstraint::Generated => self.unreadable = Some("generated columns"),
                ColumnConstraint::PrimaryKey { .. }
                | ColumnConstraint::Unique(_)
                | ColumnConstraint::References(_) => {}
            }
        }
        self.columns.push(column);
        Ok(())
    }

    /// The PRIMARY KEY and UNIQUE of one column.
    fn column_keys(&mut self, at: usize, def: &ColumnDef) -> Result<()> {
        let expr = Expr::Column { table: None, name: def.name.clone() };
        debug_assert!(self.column(&def.name.text) == Some(at), "columns are in order");
        for constraint in &def.constraints {
            match constraint {
                ColumnConstraint::PrimaryKey { desc, autoincrement, on_conflict } => {
                    let key = [IndexedColumn { expr: expr.clone(), desc: *desc }];
                    self.primary_key(&key, *autoincrement, *desc, *on_conflict)?;
                }
                ColumnConstraint::Unique(on_conflict) => {
                    let key = [IndexedColumn { expr: expr.clone(), desc: false }];
                    self.constraint_index(&key, Origin::Unique, *on_conflict)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// One column that is exactly INTEGER becomes the rowid; any other key gets an index.
    ///
    /// `INTEGER PRIMARY KEY DESC` written at the column is no rowid: an old mistake of SQLite's
    /// that files depend on.
    fn primary_key(
        &mut self,
        key: &[IndexedColumn],
        autoincrement: bool,
        falling: bool,
        on_conflict: Option<OnConflict>,
    ) -> Result<()> {
        if self.columns.iter().any(|column| column.key_position > 0) {
            let text = format!("table \"{}\" has more than one primary key", self.name);
            return Err(Error::Sql(text));
        }
        let (columns, _) = self.key_columns(key)?;
        for (position, &at) in columns.iter().enumerate() {
            self.columns[at].key_position = position + 1;
        }
        let integer = |at: usize| self.columns[at].type_name.eq_ignore_ascii_case("INTEGER");
        if let [at] = columns[..]
            && integer(at)
            && !falling
        {
            self.rowid_alias = Some(at);
            self.autoincrement = autoincrement;
            self.rowid_conflict = on_conflict;
            return Ok(());
        }
        if autoincrement {
            let text = "AUTOINCREMENT is only allowed on an INTEGER PRIMARY KEY";
            return Err(Error::Sql(text.into()));
        }
        self.constraint_index(key, Origin::PrimaryKey, on_conflict)
    }

    /// The index of a UNIQUE or PRIMARY KEY, unless one with the same key is there.
    fn constraint_index(
        &mut self,
        key: &[IndexedColumn],
        origin: Origin,
        on_conflict: Option<OnConflict>,
    ) -> Result<()> {
        let (columns, info) = self.key_columns(key)?;
        let same = |index: &&mut Arc<Index>| {
            let collations = index.info.columns.iter().map(|key| key.collation);
            index.columns == columns && collations.eq(info.iter().map(|key| key.collation))
        };
        if let Some(index) = self.indexes.iter_mut().find(same) {
            if index.on_conflict.zip(on_conflict).is_some_and(|(one, other)| one != other) {
                return Err(Error::Sql("conflicting ON CONFLICT clauses specified".into()));
            }
            let mut merged = Index::clone(index);
            merged.on_conflict = merged.on_conflict.or(on_conflict);
            if origin == Origin::PrimaryKey {
                merged.origin = origin;
            }
            *index = Arc::new(merged);
            return Ok(());
        }
        self.indexes.push(Arc::new(Index {
            name: format!("sqlite_autoindex_{}_{}", self.name, self.indexes.len() + 1),
            root: 0,
            columns,
            info: Arc::new(KeyInfo { columns: info }),
            unique: true,
            origin,
            on_conflict,
            filter: None,
        }));
        Ok(())
    }

    /// The columns of a key by position, and how they compare.
    pub(super) fn key_columns(
        &self,
        key: &[IndexedColumn],
    ) -> Result<(Vec<usize>, Vec<KeyColumn>)> {
        let mut columns = Vec::with_capacity(key.len());
        let mut info = Vec::with_capacity(key.len());
        for part in key {
            let (expr, explicit) = match &part.expr {
                Expr::Collate(expr, name) => (&**expr, Some(collation(name)?)),
                expr => (expr, None),
            };
            let name = match expr {
                Expr::Column { table: None, name } => &name.text,
                Expr::Literal(Value::Text(text)) => text,
                _ => return Err(Error::Unsupported("indexes on expressions".into())),
            };
            let missing = || Error::NoSuchColumn(name.clone());
            let at = self.column(name).ok_or_else(missing)?;
            columns.push(at);
            let collation = explicit.unwrap_or(self.columns[at].collation);
            info.push(KeyColumn { collation, desc: part.desc });
        }
        Ok((columns, info))
    }
}

/// The commonest types are shown in capitals, however they were written.
fn standard_type(declared: &str) -> String {
    let standard = ["ANY", "BLOB", "INT", "INTEGER", "REAL", "TEXT"];
    let known = standard.into_iter().find(|known| known.eq_ignore_ascii_case(declared));
    known.unwrap_or(declared).to_owned()
}

/// The collation of this name.
pub(crate) fn collation(name: &str) -> Result<Collation> {
    let unknown = || Error::Sql(format!("no such collation sequence: {name}"));
    Collation::from_name(name).ok_or_else(unknown)
}

/// The value of a default that is a literal; `None`: it must be computed.
pub(crate) fn constant(expr: &Expr) -> Option<Value> {
    match expr {
        Expr::Literal(value) => Some(value.clone()),
        Expr::Unary(UnaryOp::Plus, inner) => constant(inner),
        Expr::Unary(UnaryOp::Negate, inner) => match constant(inner)? {
            Value::Null => Some(Value::Null),
            value => match Number::from(value.as_ref()) {
                Number::Integer(n) => n.checked_neg().map(Value::Integer),
                Number::Real(r) => Some(Value::Real(-r)),
            },
        },
        Expr::Column { table: None, name } if name.double_quoted => Some(word(&name.text)),
        _ => None,
    }
}

/// A bare word as a value: `DEFAULT tom` is text, `DEFAULT true` is 1.
fn word(text: &str) -> Value {
    match text.to_ascii_lowercase().as_str() {
        "true" => Value::Integer(1),
        "false" => Value::Integer(0),
        _ => Value::Text(text.to_owned()),
    }
}
