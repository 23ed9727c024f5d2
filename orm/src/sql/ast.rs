//! The shape of a statement: what the parser makes of tokens (day 0, query it).
//!
//! A syntax tree says what was written, not what it means: names are still names, and nobody has
//! looked whether they exist. `SELECT name FROM t WHERE age >= ?1 AND vip` becomes
//!
//! ```text
//! Select
//! └─ first: Core::Query
//!    ├─ columns: [Column name]
//!    ├─ from: [Table t]
//!    └─ filter: Binary And
//!               ├─ Binary Ge
//!               │  ├─ Column age
//!               │  └─ Variable 0
//!               └─ Column vip
//! ```
//!
//! Names keep their place in the text ([`Span`]): `ALTER TABLE ... RENAME` rewrites the stored
//! statements there and leaves every other byte alone.

use std::sync::Arc;

use crate::sql::Value;

/// A piece of the statement's text: `sql[start..end]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    /// The text itself.
    pub(crate) fn of(self, sql: &str) -> &str {
        sql.get(self.start..self.end).unwrap_or_default()
    }
}

/// A name without its quotes.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub(crate) text: String,
    /// `"name"`: where no column has this name, SQLite takes it for the text `'name'`.
    pub(crate) double_quoted: bool,
    pub(crate) span: Span,
}

/// One statement.
#[derive(Clone, Debug)]
pub(crate) enum Statement {
    Select(Box<Select>),
    Insert(Box<Insert>),
    Update(Box<Update>),
    Delete(Box<Delete>),
    CreateTable(Box<CreateTable>),
    CreateIndex(Box<CreateIndex>),
    CreateView { name: Name, if_not_exists: bool, columns: Vec<Name>, select: Box<Select> },
    Drop { kind: DropKind, name: Name, if_exists: bool },
    Alter { table: Name, action: Box<AlterAction> },
    Begin { immediate: bool },
    Commit,
    Rollback { to: Option<String> },
    Savepoint(String),
    Release(String),
    Pragma { name: String, value: Option<Value> },
    ExplainQueryPlan(Box<Statement>),
}

/// What DROP drops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DropKind {
    Table,
    Index,
    View,
}

/// `SELECT ... [UNION SELECT ...] [ORDER BY ...] [LIMIT ...]`.
#[derive(Clone, Debug)]
pub(crate) struct Select {
    pub(crate) first: Core,
    pub(crate) rest: Vec<(CompoundOp, Core)>,
    pub(crate) order_by: Vec<OrderTerm>,
    pub(crate) limit: Option<Expr>,
    pub(crate) offset: Option<Expr>,
}

/// How the rows of two queries are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CompoundOp {
    UnionAll,
    Union,
    Except,
    Intersect,
}

impl CompoundOp {
    /// As SQL writes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            CompoundOp::UnionAll => "UNION ALL",
            CompoundOp::Union => "UNION",
            CompoundOp::Except => "EXCEPT",
            CompoundOp::Intersect => "INTERSECT",
        }
    }
}

/// One query of a compound.
#[derive(Clone, Debug)]
pub(crate) enum Core {
    Query(Box<Query>),
    Values(Vec<Vec<Expr>>),
}

/// `SELECT [DISTINCT] columns [FROM ...] [WHERE ...] [GROUP BY ... [HAVING ...]]`.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(crate) distinct: bool,
    pub(crate) columns: Vec<ResultColumn>,
    pub(crate) from: Vec<FromItem>,
    pub(crate) filter: Option<Expr>,
    pub(crate) group_by: Vec<Expr>,
    pub(crate) having: Option<Expr>,
}

/// What stands between SELECT and FROM.
#[derive(Clone, Debug)]
pub(crate) enum ResultColumn {
    Star,
    TableStar(Name),
    /// With the text of the expression, which names the column where no alias does.
    Expr {
        expr: Expr,
        alias: Option<Name>,
        text: String,
    },
}

/// One table of FROM, and how it is joined to those before it.
#[derive(Clone, Debug)]
pub(crate) struct FromItem {
    pub(crate) source: FromSource,
    pub(crate) alias: Option<Name>,
    pub(crate) join: JoinKind,
    pub(crate) natural: bool,
    pub(crate) on: Option<Expr>,
    pub(crate) using: Vec<Name>,
}

#[derive(Clone, Debug)]
pub(crate) enum FromSource {
    Table(Name),
    Select(Box<Select>),
}

/// How a table is joined to those on its left. CROSS is an inner join that fixes the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JoinKind {
    Inner,
    Cross,
    Left,
}

/// One key of ORDER BY.
#[derive(Clone, Debug)]
pub(crate) struct OrderTerm {
    pub(crate) expr: Expr,
    pub(crate) desc: bool,
    /// `NULLS FIRST` (true) or `NULLS LAST` (false), where written.
    pub(crate) nulls_first: Option<bool>,
}

/// What happens to a row that breaks a constraint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum OnConflict {
    #[default]
    Abort,
    Rollback,
    Fail,
    Ignore,
    Replace,
}

/// `INSERT [OR ...] INTO table [(columns)] rows [ON CONFLICT ...] [RETURNING ...]`.
#[derive(Clone, Debug)]
pub(crate) struct Insert {
    pub(crate) table: Name,
    pub(crate) alias: Option<Name>,
    pub(crate) on_conflict: Option<OnConflict>,
    pub(crate) columns: Vec<Name>,
    /// `None`: DEFAULT VALUES.
    pub(crate) rows: Option<Select>,
    pub(crate) upserts: Vec<Upsert>,
    pub(crate) returning: Vec<ResultColumn>,
}

/// `ON CONFLICT [(columns)] DO NOTHING | DO UPDATE SET ... [WHERE ...]`.
#[derive(Clone, Debug)]
pub(crate) struct Upsert {
    /// Empty: any uniqueness conflict.
    pub(crate) target: Vec<IndexedColumn>,
    /// `None`: DO NOTHING.
    pub(crate) update: Option<(Vec<Assignment>, Option<Expr>)>,
}

/// `column = expr` of SET; `(a, b) = (1, 2)` is two of them.
#[derive(Clone, Debug)]
pub(crate) struct Assignment {
    pub(crate) column: Name,
    pub(crate) expr: Expr,
}

#[derive(Clone, Debug)]
pub(crate) struct Update {
    pub(crate) table: Name,
    pub(crate) alias: Option<Name>,
    pub(crate) on_conflict: Option<OnConflict>,
    pub(crate) set: Vec<Assignment>,
    pub(crate) filter: Option<Expr>,
    pub(crate) returning: Vec<ResultColumn>,
}

#[derive(Clone, Debug)]
pub(crate) struct Delete {
    pub(crate) table: Name,
    pub(crate) alias: Option<Name>,
    pub(crate) filter: Option<Expr>,
    pub(crate) returning: Vec<ResultColumn>,
}

#[derive(Clone, Debug)]
pub(crate) struct CreateTable {
    pub(crate) name: Name,
    pub(crate) if_not_exists: bool,
    pub(crate) columns: Vec<ColumnDef>,
    pub(crate) constraints: Vec<TableConstraint>,
    /// Where the list of columns ends, before constraints: ADD COLUMN writes there.
    pub(crate) close: usize,
    pub(crate) without_rowid: bool,
    pub(crate) strict: bool,
    /// CREATE TABLE ... AS SELECT; then there are no columns above.
    pub(crate) select: Option<Box<Select>>,
}

#[derive(Clone, Debug)]
pub(crate) struct ColumnDef {
    pub(crate) name: Name,
    pub(crate) type_name: String,
    pub(crate) constraints: Vec<ColumnConstraint>,
    /// From the name to the last constraint.
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum ColumnConstraint {
    PrimaryKey {
        desc: bool,
        autoincrement: bool,
        on_conflict: Option<OnConflict>,
    },
    NotNull(Option<OnConflict>),
    Unique(Option<OnConflict>),
    Check(Check),
    /// The expression and its text, without the parentheses around it.
    Default(Arc<Expr>, Span),
    Collate(String),
    References(ForeignKey),
    Generated,
}

/// A CHECK with the name or the text that its error shows.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    pub(crate) label: String,
    /// Shared, because a copy of a tall tree would take as much stack as the tree is tall.
    pub(crate) expr: Arc<Expr>,
}

#[derive(Clone, Debug)]
pub(crate) struct ForeignKey {
    /// The columns of this table; empty for a column's own constraint.
    pub(crate) columns: Vec<Name>,
    pub(crate) parent: Name,
    pub(crate) parent_columns: Vec<Name>,
}

#[derive(Clone, Debug)]
pub(crate) enum TableConstraint {
    PrimaryKey { columns: Vec<IndexedColumn>, autoincrement: bool, on_conflict: Option<OnConflict> },
    Unique(Vec<IndexedColumn>, Option<OnConflict>),
    Check(Check),
    ForeignKey(ForeignKey),
}

/// A column of an index or a key.
#[derive(Clone, Debug)]
pub(crate) struct IndexedColumn {
    pub(crate) expr: Expr,
    pub(crate) desc: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct CreateIndex {
    pub(crate) name: Name,
    pub(crate) table: Name,
    pub(crate) unique: bool,
    pub(crate) if_not_exists: bool,
    pub(crate) columns: Vec<IndexedColumn>,
    /// Shared, as a CHECK is.
    pub(crate) filter: Option<Arc<Expr>>,
}

#[derive(Clone, Debug)]
pub(crate) enum AlterAction {
    RenameTable(Name),
    RenameColumn { from: Name, to: Name },
    AddColumn(ColumnDef),
    DropColumn(Name),
}

/// An expression.
#[derive(Clone, Debug)]
pub(crate) enum Expr {
    Literal(Value),
    /// A bound value, by index from 0.
    Variable(usize),
    Column {
        table: Option<Name>,
        name: Name,
    },
    Unary(UnaryOp, Box<Expr>),
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `expr IS NULL`; negated: `expr NOT NULL`.
    IsNull {
        expr: Box<Expr>,
        negated: bool,
    },
    Between {
        expr: Box<Expr>,
        low: Box<Expr>,
        high: Box<Expr>,
        negated: bool,
    },
    InList {
        expr: Box<Expr>,
        list: Vec<Expr>,
        negated: bool,
    },
    InSelect {
        expr: Box<Expr>,
        select: Box<Select>,
        negated: bool,
    },
    Like {
        op: LikeOp,
        expr: Box<Expr>,
        pattern: Box<Expr>,
        escape: Option<Box<Expr>>,
        negated: bool,
    },
    Case {
        base: Option<Box<Expr>>,
        arms: Vec<(Expr, Expr)>,
        otherwise: Option<Box<Expr>>,
    },
    Cast(Box<Expr>, String),
    Collate(Box<Expr>, String),
    Call(Box<Call>),
    Subquery(Box<Select>),
    Exists(Box<Select>),
    /// `(a, b)`: only where a row value is understood.
    Row(Vec<Expr>),
}

impl Expr {
    /// Calls `visit` for this expression and all in it, queries aside.
    pub(crate) fn walk<'e>(&'e self, visit: &mut dyn FnMut(&'e Expr)) {
        let mut expr = self;
        // Down the left side in a loop: chains are long there.
        while let Expr::Binary(_, left, right) = expr {
            visit(expr);
            right.walk(visit);
            expr = left;
        }
        visit(expr);
        match expr {
            Expr::Literal(_) | Expr::Variable(_) | Expr::Column { .. } => {}
            Expr::Binary(..) | Expr::Subquery(_) | Expr::Exists(_) => {}
            Expr::Unary(_, inner) | Expr::Cast(inner, _) | Expr::Collate(inner, _) => {
                inner.walk(visit);
            }
            Expr::IsNull { expr, .. } | Expr::InSelect { expr, .. } => expr.walk(visit),
            Expr::Between { expr, low, high, .. } => {
                [expr, low, high].into_iter().for_each(|expr| expr.walk(visit));
            }
            Expr::InList { expr, list, .. } => {
                expr.walk(visit);
                list.iter().for_each(|expr| expr.walk(visit));
            }
            Expr::Like { expr, pattern, escape, .. } => {
                let parts = [Some(expr), Some(pattern), escape.as_ref()];
                parts.into_iter().flatten().for_each(|expr| expr.walk(visit));
            }
            Expr::Case { base, arms, otherwise } => {
                base.iter().chain(otherwise).for_each(|expr| expr.walk(visit));
                for (when, then) in arms {
                    when.walk(visit);
                    then.walk(visit);
                }
            }
            Expr::Call(call) => {
                call.args.iter().chain(&call.filter).for_each(|expr| expr.walk(visit));
            }
            Expr::Row(list) => list.iter().for_each(|expr| expr.walk(visit)),
        }
    }
}

/// `name([DISTINCT] args)` or `name(*)`, with an optional `FILTER (WHERE ...)`.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) name: Name,
    pub(crate) distinct: bool,
    pub(crate) star: bool,
    pub(crate) args: Vec<Expr>,
    pub(crate) filter: Option<Expr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnaryOp {
    Not,
    Negate,
    Plus,
    BitNot,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BinaryOp {
    Or,
    And,
    Eq,
    Ne,
    Is,
    IsNot,
    Lt,
    Le,
    Gt,
    Ge,
    BitAnd,
    BitOr,
    ShiftLeft,
    ShiftRight,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Concat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LikeOp {
    Like,
    Glob,
}
