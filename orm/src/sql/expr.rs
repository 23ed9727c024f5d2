//! Expressions that run: names resolved to places, once, before the first row (day 0, query it).
//!
//! At the end of this chapter `age >= ?1` is a function of the current row that looks nothing up. It
//! takes an hour with [`scope`], [`compile`] and [`eval`]. SQLite goes one step further and makes
//! bytecode for a machine with registers; a tree is slower by the calls between its nodes, and shows
//! what it does.
//!
//! The syntax tree of `age >= ?1 AND vip` says `age`. Looking that name up for every row would cost
//! more than the comparison, so [`compile`] does it when the statement is prepared and makes a
//! second tree, of [`Code`], in which every name has become a place:
//!
//! ```text
//! ast::Expr                      Code
//! And                            And
//! ├─ Ge                          ├─ Compare Ge, numeric affinity, BINARY
//! │  ├─ Column age               │  ├─ Column source 0, column 1
//! │  └─ Variable 0               │  └─ Param 0
//! └─ Column vip                  └─ Column source 0, column 2
//! ```
//!
//! What a comparison does to its operands (affinity, collation) is decided there too, and what
//! depends on no row is computed at once: `60 * 60 * 24` is a constant.
//!
//! [`eval`] climbs this tree for each row. A value is a [`Val`]: borrowed where it lies, in the page
//! or among the parameters, for as long as nothing changes it. A filter that drops a row has copied
//! nothing of it.
//!
//! # Three-valued logic
//! NULL means "not known", so `NULL = NULL` is not true but NULL. Conditions are `Option<bool>`
//! here, and `None` is the third value:
//!
//! | | AND true | AND false | AND NULL | OR true | OR false | OR NULL |
//! |---|---|---|---|---|---|---|
//! | **true** | true | false | NULL | true | true | true |
//! | **false** | false | false | false | true | false | NULL |
//! | **NULL** | NULL | false | NULL | true | NULL | NULL |
//!
//! # What the borrow checker says
//! `fn eval(&self, row: &Row) -> Value` is easy, and copies every text it meets. `-> ValueRef<'_>` copies
//! nothing, and cannot return `upper(name)`, which did not exist before. [`Val`] is either, as
//! [`Cow`](std::borrow::Cow) is for one type. Its lifetime is that of the [context](Ctx), so no cursor
//! can move while a value of its row is alive: the mistake that a C program makes here does not
//! compile.
//!
//! # Try it
//! ```text
//! $ cargo run -q -p orm --example shell -- :memory: < tests/tests/sql/chapter_expressions.sql
//! integer|text|real|text|text
//! 1|1|0|1
//! |1|0|1|
//! ...
//! ```
//!
//! Reference: <https://sqlite.org/lang_expr.html>.

pub mod compile;
pub mod eval;
pub mod pattern;
pub mod scope;

use std::cell::RefCell;
use std::cmp::Ordering;
use std::sync::Arc;

use super::affinity::{Affinity, Number, exact_integer};
use super::ast::LikeOp;
use super::connection::Shared;
use super::exec::{SelectRun, Source};
use super::func::Function;
use super::plan::SelectPlan;
use super::value::trim_end;
use super::{Collation, Value, ValueRef};

/// A value on its way: borrowed as long as possible.
#[derive(Clone, Debug)]
pub(crate) enum Val<'a> {
    Ref(ValueRef<'a>),
    Own(Value),
}

/// An expression that runs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Code {
    Const(Value),
    Param(usize),
    /// A column of the current row of a source; `real` ones may be stored as integers.
    Column {
        source: usize,
        column: usize,
        real: bool,
    },
    Rowid(usize),
    /// A finished aggregate, or what was kept of a group's row.
    Slot(usize),
    /// Something of the query `.0` levels further out.
    Outer(usize, Box<Code>),
    Not(Box<Code>),
    BitNot(Box<Code>),
    /// Shared: a chain may be hundreds of operators long, and a copy would take that much stack.
    Arithmetic(Arithmetic, Arc<[Code; 2]>),
    Compare(Box<Compare>),
    /// `a IS b` or, if true, `a IS NOT b`: NULL is a value like others.
    Is(bool, Box<Compare>),
    /// `nullif(a, b)`.
    NullIf(Box<Compare>),
    And(Box<[Code; 2]>),
    Or(Box<[Code; 2]>),
    /// `IS NULL`, or if true, `NOT NULL`.
    IsNull(bool, Box<Code>),
    /// `IS [NOT] TRUE | FALSE`: whether the condition is known to be `wanted`.
    IsTruth {
        wanted: bool,
        negated: bool,
        code: Box<Code>,
    },
    Between(Box<Between>),
    InList(Box<InList>),
    Like(Box<Like>),
    Case(Box<Case>),
    /// The first that is not NULL.
    Coalesce(Vec<Code>),
    Cast(Affinity, Box<Code>),
    Call(Function, Collation, Vec<Code>),
    Subquery(Arc<Subquery>),
}

/// Operators on two numbers or texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    BitAnd,
    BitOr,
    ShiftLeft,
    ShiftRight,
    Concat,
}

/// An order that a comparison asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// How two values are compared: what is done to them first, and the order of texts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rules {
    pub(crate) affinity: Option<Affinity>,
    pub(crate) collation: Collation,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Compare {
    pub(crate) relation: Relation,
    pub(crate) rules: Rules,
    pub(crate) left: Code,
    pub(crate) right: Code,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Between {
    pub(crate) negated: bool,
    pub(crate) value: Code,
    pub(crate) low: (Rules, Code),
    pub(crate) high: (Rules, Code),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct InList {
    pub(crate) negated: bool,
    pub(crate) rules: Rules,
    pub(crate) value: Code,
    pub(crate) list: Vec<Code>,
    /// The list is constants, none of them NULL, with the affinity applied and in order.
    pub(crate) sorted: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Like {
    pub(crate) op: LikeOp,
    pub(crate) negated: bool,
    pub(crate) value: Code,
    pub(crate) pattern: Code,
    pub(crate) escape: Option<Code>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Case {
    /// The base, and how it is compared with each arm.
    pub(crate) base: Option<Code>,
    pub(crate) arms: Vec<(Rules, Code, Code)>,
    pub(crate) otherwise: Option<Code>,
}

/// A query inside an expression.
#[derive(Debug)]
pub(crate) struct Subquery {
    /// No two of a statement have the same.
    pub(crate) id: usize,
    pub(crate) plan: SelectPlan,
    pub(crate) asks: Asks,
    /// Whether its result depends on the row of the query around it. If not, it runs once.
    pub(crate) correlated: bool,
}

/// What is wanted of a subquery's rows.
#[derive(Debug)]
pub(crate) enum Asks {
    /// The first column of the first row, or NULL.
    Value,
    /// Whether there is a row.
    Exists,
    /// Whether the value is, or is not, among the first column's.
    Contains { negated: bool, rules: Rules, value: Code },
}

impl PartialEq for Subquery {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// What an expression sees while it runs.
#[derive(Clone, Copy)]
pub(crate) struct Ctx<'a> {
    pub(crate) env: &'a Env<'a>,
    /// The current row of each table of FROM.
    pub(crate) sources: &'a [Source],
    /// The aggregates and kept values of the current group.
    pub(crate) slots: &'a [Value],
    /// The row of the query around this one.
    pub(crate) parent: Option<&'a Ctx<'a>>,
}

/// What is the same for all rows of one run of a statement.
pub(crate) struct Env<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) params: &'a [Value],
    pub(crate) cache: RefCell<Cache>,
}

/// What subqueries leave for their next row, by their id.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    /// The results of those that need to run only once.
    results: Vec<Option<Cached>>,
    /// The runs of the others, to be started again.
    runs: Vec<Option<Box<SelectRun>>>,
}

/// A subquery's rows, in the form in which they are asked.
#[derive(Clone, Debug)]
pub(crate) enum Cached {
    Value(Value),
    Set(std::rc::Rc<eval::ValueSet>),
    List(std::rc::Rc<Vec<Value>>),
}

impl<'a> Val<'a> {
    pub(crate) const NULL: Val<'static> = Val::Ref(ValueRef::Null);

    #[inline]
    pub(crate) fn get(&self) -> ValueRef<'_> {
        match self {
            Val::Ref(value) => *value,
            Val::Own(value) => value.as_ref(),
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Val::Ref(ValueRef::Null) | Val::Own(Value::Null))
    }

    #[inline]
    pub(crate) fn into_value(self) -> Value {
        match self {
            Val::Ref(value) => value.to_value(),
            Val::Own(value) => value,
        }
    }

    /// As a condition: a number other than 0 is true.
    pub(crate) fn truth(&self) -> Option<bool> {
        match self.get() {
            ValueRef::Null => None,
            ValueRef::Integer(n) => Some(n != 0),
            other => Some(Number::from(other).to_real() != 0.0),
        }
    }

    pub(crate) fn integer(n: i64) -> Val<'a> {
        Val::Ref(ValueRef::Integer(n))
    }

    pub(crate) fn text(text: impl Into<String>) -> Val<'a> {
        Val::Own(Value::Text(text.into()))
    }
}

impl From<Option<bool>> for Val<'_> {
    fn from(truth: Option<bool>) -> Self {
        truth.map_or(Val::NULL, |truth| Val::integer(i64::from(truth)))
    }
}

impl Relation {
    pub(crate) fn holds(self, order: Ordering) -> bool {
        match self {
            Relation::Eq => order.is_eq(),
            Relation::Ne => order.is_ne(),
            Relation::Lt => order.is_lt(),
            Relation::Le => order.is_le(),
            Relation::Gt => order.is_gt(),
            Relation::Ge => order.is_ge(),
        }
    }

    /// The relation of `b` to `a` when this is the one of `a` to `b`.
    pub(crate) fn flipped(self) -> Relation {
        match self {
            Relation::Lt => Relation::Gt,
            Relation::Le => Relation::Ge,
            Relation::Gt => Relation::Lt,
            Relation::Ge => Relation::Le,
            same => same,
        }
    }
}

impl Rules {
    /// Texts by their bytes, nothing converted.
    pub(crate) const PLAIN: Rules = Rules { affinity: None, collation: Collation::Binary };

    /// The order of two values neither of which is NULL.
    pub(crate) fn compare(self, left: ValueRef<'_>, right: ValueRef<'_>) -> Ordering {
        let text = |value| matches!(value, ValueRef::Text(_));
        match self.affinity {
            // Numbers and blobs among themselves compare the same with an affinity and without.
            Some(affinity) if text(left) || text(right) => {
                let left = affinity.apply(Val::Ref(left));
                let right = affinity.apply(Val::Ref(right));
                left.get().compare(right.get(), self.collation)
            }
            _ => left.compare(right, self.collation),
        }
    }
}

impl Code {
    /// Calls `visit` on this code and everything in it, but not inside subqueries' plans.
    pub(crate) fn walk(&self, visit: &mut dyn FnMut(&Code)) {
        visit(self);
        match self {
            Code::Const(_) | Code::Param(_) | Code::Column { .. } | Code::Rowid(_) => {}
            Code::Slot(_) | Code::Outer(..) => {}
            Code::Not(code) | Code::BitNot(code) | Code::IsNull(_, code) => code.walk(visit),
            Code::IsTruth { code, .. } | Code::Cast(_, code) => code.walk(visit),
            Code::Arithmetic(_, pair) => pair.iter().for_each(|code| code.walk(visit)),
            Code::And(pair) | Code::Or(pair) => {
                pair.iter().for_each(|code| code.walk(visit));
            }
            Code::Compare(c) | Code::Is(_, c) | Code::NullIf(c) => {
                c.left.walk(visit);
                c.right.walk(visit);
            }
            Code::Between(b) => {
                [&b.value, &b.low.1, &b.high.1].into_iter().for_each(|code| code.walk(visit));
            }
            Code::InList(i) => {
                i.value.walk(visit);
                i.list.iter().for_each(|code| code.walk(visit));
            }
            Code::Like(l) => {
                let parts = [Some(&l.value), Some(&l.pattern), l.escape.as_ref()];
                parts.into_iter().flatten().for_each(|code| code.walk(visit));
            }
            Code::Case(c) => {
                let ends = c.base.iter().chain(&c.otherwise);
                let arms = c.arms.iter().flat_map(|(_, when, then)| [when, then]);
                ends.chain(arms).for_each(|code| code.walk(visit));
            }
            Code::Coalesce(list) | Code::Call(_, _, list) => {
                list.iter().for_each(|code| code.walk(visit));
            }
            Code::Subquery(s) => {
                if let Asks::Contains { value, .. } = &s.asks {
                    value.walk(visit);
                }
            }
        }
    }
}

/// Appends bytes that are equal for values that are equal: 1 and 1.0, or `a` and `A` under NOCASE.
pub(crate) fn distinct_key(value: ValueRef<'_>, collation: Collation, out: &mut Vec<u8>) {
    const TWO_63: f64 = 9_223_372_036_854_775_808.0;
    let bytes = |tag: u8, bytes: &[u8], out: &mut Vec<u8>| {
        out.push(tag);
        out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        out.extend_from_slice(bytes);
    };
    let number = |tag: u8, bytes: [u8; 8], out: &mut Vec<u8>| {
        out.push(tag);
        out.extend_from_slice(&bytes);
    };
    match value {
        ValueRef::Null => out.push(0),
        ValueRef::Integer(n) => number(1, n.to_le_bytes(), out),
        ValueRef::Real(r) => match exact_integer(r) {
            Some(n) => number(1, n.to_le_bytes(), out),
            // The least integer is equal to a real, too, though `exact_integer` stays away from it.
            None if r == -TWO_63 => number(1, i64::MIN.to_le_bytes(), out),
            None => number(2, r.to_bits().to_le_bytes(), out),
        },
        ValueRef::Text(text) => match collation {
            Collation::Binary => bytes(3, text, out),
            Collation::NoCase => bytes(3, &text.to_ascii_lowercase(), out),
            Collation::Rtrim => bytes(3, trim_end(text), out),
        },
        ValueRef::Blob(blob) => bytes(4, blob, out),
    }
}
