//! What a name may mean: the tables of FROM, the aliases of the result, and what is around them
//! (day 0, query it).
//!
//! A [`Scope`] belongs to one query; through its parent it sees the query around it:
//!
//! ```text
//! SELECT name AS n, (SELECT count(*) FROM pet WHERE pet.owner = person.id) FROM person
//!                   scope: pet ────────────────────────▶ parent: person, alias n
//!                   pet.owner = Column 0.1                person.id = Outer(1, Rowid 0)
//! ```
//!
//! In a query with GROUP BY or aggregates the result is computed when a group is complete, and then
//! no row of it is current any more. So there each aggregate becomes a [`Code::Slot`], and each plain
//! column too: a value that was kept of one row of the group ([`SlotPlan::Keep`]).

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::super::affinity::{Affinity, for_comparison};
use super::super::ast::{Expr, Name};
use super::super::catalog::{Catalog, Table};
use super::super::func::aggregate::Aggregate;
use super::super::plan::OutputColumn;
use super::super::stack::Stack;
use super::super::{Collation, Error, Result, Value};
use super::{Code, Compare, Env, Relation, Rules};

/// What is the same everywhere in a statement while it is prepared.
pub(crate) struct Prep<'a> {
    pub(crate) catalog: &'a Catalog,
    /// Runs what is constant.
    pub(crate) env: &'a Env<'a>,
    /// How many subqueries there are, and how many views are open inside each other.
    pub(crate) subqueries: Cell<usize>,
    pub(crate) views: Cell<usize>,
    /// How many SELECTs have been planned, those inside views included.
    pub(crate) cores: Cell<usize>,
    pub(crate) stack: Stack,
}

/// What names mean.
pub(crate) struct Scope<'a> {
    pub(crate) prep: &'a Prep<'a>,
    pub(crate) tables: &'a [ScopeTable],
    pub(crate) aliases: &'a [(&'a str, &'a Expr)],
    pub(crate) parent: Option<&'a Scope<'a>>,
    /// In a query that groups: what its groups have to keep.
    pub(crate) slots: Option<RefCell<Vec<SlotPlan>>>,
    pub(crate) place: Cell<Place>,
    /// Whether a name here was found in a scope further out.
    pub(crate) correlated: Cell<bool>,
    /// Whether an alias is being replaced by its expression.
    pub(crate) in_alias: Cell<bool>,
    /// Whether a "name" that nothing has is a text.
    pub(crate) quoted_texts: bool,
}

/// Where in its query an expression stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// It is computed row by row.
    Row,
    /// It is computed when a group is complete.
    Group,
    /// It is the argument of an aggregate: row by row, and no aggregates in it.
    Argument,
}

/// A table of FROM.
#[derive(Debug)]
pub(crate) struct ScopeTable {
    /// The alias, or else the table's name.
    pub(crate) name: String,
    pub(crate) columns: ScopeColumns,
    /// The columns that a USING has merged with those of a table further left.
    pub(crate) merged: Vec<usize>,
}

#[derive(Debug)]
pub(crate) enum ScopeColumns {
    Table(Arc<Table>),
    Rows(Vec<OutputColumn>),
}

/// What a group keeps for when it is complete.
#[derive(Debug, PartialEq)]
pub(crate) enum SlotPlan {
    Aggregate {
        aggregate: Aggregate,
        distinct: bool,
        collation: Collation,
        args: Vec<Code>,
        filter: Option<Code>,
    },
    /// The value of an expression on one row of the group.
    Keep(Code),
}

/// Code, and how its value is compared.
#[derive(Debug)]
pub(crate) struct Typed {
    pub(crate) code: Code,
    pub(crate) affinity: Option<Affinity>,
    pub(crate) collation: Option<Collation>,
    /// Whether the collation was written with COLLATE: it wins.
    pub(crate) explicit: bool,
}

impl Typed {
    pub(super) fn plain(code: Code) -> Typed {
        Typed { code, affinity: None, collation: None, explicit: false }
    }
}

/// The first COLLATE among the arguments of a call or the parts of a CASE: it holds for the whole.
#[derive(Debug, Default)]
pub(super) struct Written(Option<Collation>);

impl Written {
    pub(super) fn see<'t>(&mut self, parts: impl IntoIterator<Item = &'t Typed>) {
        let found = parts.into_iter().find(|part| part.explicit);
        self.0 = self.0.or_else(|| found?.collation);
    }

    pub(super) fn of(self, code: Code) -> Typed {
        Typed { collation: self.0, explicit: self.0.is_some(), ..Typed::plain(code) }
    }
}

/// `left = right`.
pub(crate) fn equals(left: Typed, right: Typed) -> Code {
    let rules = rules(&left, &right);
    let (left, right) = (left.code, right.code);
    Code::Compare(Box::new(Compare { relation: Relation::Eq, rules, left, right }))
}

/// How two expressions are compared.
pub(super) fn rules(left: &Typed, right: &Typed) -> Rules {
    let collation = match (left.explicit, right.explicit) {
        (false, true) => right.collation,
        (true, _) => left.collation,
        _ => left.collation.or(right.collation),
    };
    let affinity = for_comparison(left.affinity, right.affinity);
    Rules { affinity, collation: collation.unwrap_or_default() }
}

impl ScopeTable {
    pub(crate) fn len(&self) -> usize {
        match &self.columns {
            ScopeColumns::Table(table) => table.columns.len(),
            ScopeColumns::Rows(columns) => columns.len(),
        }
    }

    pub(crate) fn column_name(&self, at: usize) -> &str {
        match &self.columns {
            ScopeColumns::Table(table) => &table.columns[at].name,
            ScopeColumns::Rows(columns) => &columns[at].name,
        }
    }

    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        (0..self.len()).find(|&at| self.column_name(at).eq_ignore_ascii_case(name))
    }

    /// The code for a column of the table that is `source`.
    pub(crate) fn column(&self, source: usize, at: usize) -> Typed {
        match &self.columns {
            ScopeColumns::Table(table) => {
                let column = &table.columns[at];
                let code = if table.rowid_alias == Some(at) {
                    Code::Rowid(source)
                } else {
                    Code::Column { source, column: at, real: column.affinity == Affinity::Real }
                };
                let (affinity, collation) = (Some(column.affinity), Some(column.collation));
                Typed { code, affinity, collation, explicit: false }
            }
            ScopeColumns::Rows(columns) => {
                let OutputColumn { affinity, collation, .. } = columns[at];
                // Of a compound only the first SELECT need have given reals.
                let real = affinity == Some(Affinity::Real);
                let code = Code::Column { source, column: at, real };
                Typed { code, affinity, collation, explicit: false }
            }
        }
    }
}

impl<'a> Prep<'a> {
    pub(crate) fn new(catalog: &'a Catalog, env: &'a Env<'a>) -> Prep<'a> {
        let (subqueries, views, cores) = (Cell::new(0), Cell::new(0), Cell::new(0));
        Prep { catalog, env, subqueries, views, cores, stack: Stack::begin() }
    }

    /// A scope without a query around it.
    pub(crate) fn scope(&'a self, tables: &'a [ScopeTable]) -> Scope<'a> {
        let (slots, place) = (None, Cell::new(Place::Row));
        let (correlated, in_alias) = (Cell::new(false), Cell::new(false));
        let quoted_texts = self.env.shared.quoted_texts.get();
        let (aliases, parent): (&[_], _) = (&[], None);
        Scope {
            prep: self,
            tables,
            aliases,
            parent,
            slots,
            place,
            correlated,
            in_alias,
            quoted_texts,
        }
    }

    /// A scope for what the schema says: a CHECK that was written with a "text" holds for ever.
    pub(crate) fn schema_scope(&'a self, tables: &'a [ScopeTable]) -> Scope<'a> {
        Scope { quoted_texts: true, ..self.scope(tables) }
    }
}

impl Scope<'_> {
    /// `name` or `table.name`, here or in a scope further out.
    pub(super) fn column(&self, table: Option<&Name>, name: &Name) -> Result<Typed> {
        let mut scope = self;
        let mut depth = 0;
        loop {
            if let Some(found) = scope.own_column(table, name)? {
                return Ok(self.outer_column(depth, found));
            }
            let Some(parent) = scope.parent else { break };
            (scope, depth) = (parent, depth + 1);
        }
        if let Some(truth) =
            self.boolean(&Expr::Column { table: table.cloned(), name: name.clone() })
        {
            return Ok(Typed::plain(Code::Const(Value::Integer(i64::from(truth)))));
        }
        match table {
            // SQLite takes "name" for 'name' where nothing has this name, unless told not to.
            None if name.double_quoted && self.quoted_texts => {
                Ok(Typed::plain(Code::Const(Value::Text(name.text.clone()))))
            }
            None => Err(Error::NoSuchColumn(name.text.clone())),
            Some(table) => Err(Error::NoSuchColumn(format!("{}.{}", table.text, name.text))),
        }
    }

    /// Wraps what was found `depth` scopes further out, and notes that these depend on it.
    fn outer_column(&self, depth: usize, found: Typed) -> Typed {
        let mut scope = self;
        for _ in 0..depth {
            scope.correlated.set(true);
            scope = scope.parent.unwrap_or(scope);
        }
        match depth {
            0 => found,
            _ => Typed { code: Code::Outer(depth, Box::new(found.code)), ..found },
        }
    }

    /// A name in this scope alone.
    fn own_column(&self, table: Option<&Name>, name: &Name) -> Result<Option<Typed>> {
        let named = |t: &ScopeTable| table.is_none_or(|n| n.text.eq_ignore_ascii_case(&t.name));
        let mut found = None;
        for (source, candidate) in self.tables.iter().enumerate().filter(|(_, t)| named(t)) {
            let Some(at) = candidate.find(&name.text) else { continue };
            // USING makes one column of two: the left one, unless only the right table is meant.
            let merged = candidate.merged.contains(&at);
            if merged && (table.is_none() || found.is_some()) {
                continue;
            }
            if found.is_some() {
                let of = table.map_or(String::new(), |table| format!("{}.", table.text));
                return Err(Error::Sql(format!("ambiguous column name: {of}{}", name.text)));
            }
            found = Some((source, at));
        }
        if let Some((source, at)) = found {
            return Ok(Some(self.in_place(self.tables[source].column(source, at))));
        }
        if ["rowid", "oid", "_rowid_"].iter().any(|rowid| name.text.eq_ignore_ascii_case(rowid)) {
            let mut tables = self.tables.iter().enumerate().filter(|(_, t)| named(t));
            if let (Some((source, only)), None) = (tables.next(), tables.next())
                && matches!(only.columns, ScopeColumns::Table(_))
            {
                let affinity = Some(Affinity::Integer);
                let rowid = Typed { affinity, ..Typed::plain(Code::Rowid(source)) };
                return Ok(Some(self.in_place(rowid)));
            }
        }
        let aliased = |(alias, _): &&(&str, &Expr)| alias.eq_ignore_ascii_case(&name.text);
        match self.aliases.iter().find(aliased) {
            // An alias does not see itself or other aliases.
            Some((_, expr)) if table.is_none() && !self.in_alias.replace(true) => {
                let typed = self.compile(expr);
                self.in_alias.set(false);
                typed.map(Some)
            }
            _ => Ok(None),
        }
    }

    /// A column where it stands: of the current row, or kept of the group's.
    pub(crate) fn in_place(&self, column: Typed) -> Typed {
        match (&self.slots, self.place.get()) {
            (Some(slots), Place::Group) => {
                Typed { code: add_slot(slots, SlotPlan::Keep(column.code)), ..column }
            }
            _ => column,
        }
    }
}

/// The place of a slot, which is shared with an equal one.
pub(super) fn add_slot(slots: &RefCell<Vec<SlotPlan>>, slot: SlotPlan) -> Code {
    let mut slots = slots.borrow_mut();
    let at = slots.iter().position(|known| *known == slot).unwrap_or_else(|| {
        slots.push(slot);
        slots.len() - 1
    });
    Code::Slot(at)
}
