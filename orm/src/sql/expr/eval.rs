//! Running an expression on the current row (day 0, query it).
//!
//! Two functions call each other. [`Code::eval`] gives a value; [`Code::truth`] gives a condition,
//! and is where everything that is true, false or NULL lives, so that a filter never makes a value
//! out of a condition only to ask whether it is zero.

use std::cmp::Ordering;
use std::rc::Rc;

use super::super::affinity::{Number, to_integer, to_text};
use super::super::exec::SelectRun;
use super::super::exec::kept::{Distinct, Kept};
use super::super::func;
use super::super::{Collation, Result, Value, ValueRef};
use super::{Arithmetic, Asks, Cached, Case, Code, Compare, Ctx, InList, Like, Rules};
use super::{Subquery, Val, distinct_key, pattern};

impl Code {
    /// The value of this expression on the current row.
    ///
    /// # Errors
    /// An integer overflow in `abs` or `sum`, a damaged page, text beyond the size limit.
    #[inline]
    pub(crate) fn eval<'a>(&'a self, ctx: &'a Ctx<'a>) -> Result<Val<'a>> {
        match self {
            Code::Const(value) => Ok(Val::Ref(value.as_ref())),
            Code::Param(at) => {
                Ok(Val::Ref(ctx.env.params.get(*at).map_or(ValueRef::Null, Value::as_ref)))
            }
            Code::Column { source, column, real } => match ctx.sources[*source].column(*column)? {
                #[allow(clippy::cast_precision_loss, reason = "it was a real before it was stored")]
                ValueRef::Integer(n) if *real => Ok(Val::Ref(ValueRef::Real(n as f64))),
                value => Ok(Val::Ref(value)),
            },
            Code::Rowid(source) => Ok(Val::Ref(ctx.sources[*source].rowid())),
            Code::Slot(at) => Ok(Val::Ref(ctx.slots[*at].as_ref())),
            _ => self.compute(ctx),
        }
    }

    /// The value of what is more than a place: apart, so that the places are found without a detour.
    #[inline(never)]
    fn compute<'a>(&'a self, ctx: &'a Ctx<'a>) -> Result<Val<'a>> {
        match self {
            Code::Outer(depth, code) => code.eval(ctx.outer(*depth)),
            Code::Arithmetic(op, pair) => sum(*op, pair, ctx),
            Code::Cast(affinity, code) => Ok(affinity.cast(code.eval(ctx)?)),
            Code::BitNot(code) => match code.eval(ctx)? {
                value if value.is_null() => Ok(Val::NULL),
                value => Ok(Val::integer(!to_integer(value.get()))),
            },
            Code::NullIf(compare) => {
                let left = compare.left.eval(ctx)?;
                let right = compare.right.eval(ctx)?;
                let equal = compared(compare, &left, &right) == Some(true);
                Ok(if equal { Val::NULL } else { left })
            }
            Code::Case(case) => case.eval(ctx),
            Code::Coalesce(list) => {
                for code in list {
                    let value = code.eval(ctx)?;
                    if !value.is_null() {
                        return Ok(value);
                    }
                }
                Ok(Val::NULL)
            }
            Code::Call(function, collation, args) => call(*function, *collation, args, ctx),
            Code::Subquery(subquery) if matches!(subquery.asks, Asks::Value) => subquery.value(ctx),
            _ => Ok(self.truth(ctx)?.into()),
        }
    }

    /// The value of this expression as a condition; `None` is NULL.
    ///
    /// # Errors
    /// Those of [`Code::eval`].
    pub(crate) fn truth(&self, ctx: &Ctx<'_>) -> Result<Option<bool>> {
        Ok(match self {
            Code::Compare(c) => compared(c, &c.left.eval(ctx)?, &c.right.eval(ctx)?),
            Code::And(pair) => match pair[0].truth(ctx)? {
                Some(false) => Some(false),
                left => match pair[1].truth(ctx)? {
                    Some(false) => Some(false),
                    right => left.and(right),
                },
            },
            Code::Or(pair) => match pair[0].truth(ctx)? {
                Some(true) => Some(true),
                left => match pair[1].truth(ctx)? {
                    Some(true) => Some(true),
                    right => left.and(right),
                },
            },
            Code::Not(code) => code.truth(ctx)?.map(|truth| !truth),
            Code::IsNull(negated, code) => Some(code.eval(ctx)?.is_null() != *negated),
            Code::IsTruth { wanted, negated, code } => {
                Some((code.truth(ctx)? == Some(*wanted)) != *negated)
            }
            Code::Is(negated, c) => {
                let (left, right) = (c.left.eval(ctx)?, c.right.eval(ctx)?);
                let same = match (left.is_null(), right.is_null()) {
                    (false, false) => c.rules.compare(left.get(), right.get()).is_eq(),
                    (left, right) => left && right,
                };
                Some(same != *negated)
            }
            Code::Between(b) => {
                let value = b.value.eval(ctx)?;
                let side = |rules: &Rules, end: &Val<'_>| {
                    let known = !value.is_null() && !end.is_null();
                    known.then(|| rules.compare(value.get(), end.get()))
                };
                let low = side(&b.low.0, &b.low.1.eval(ctx)?).map(|order| order.is_ge());
                let high = side(&b.high.0, &b.high.1.eval(ctx)?).map(|order| order.is_le());
                let inside = match (low, high) {
                    (Some(false), _) | (_, Some(false)) => Some(false),
                    (low, high) => low.and(high),
                };
                inside.map(|inside| inside != b.negated)
            }
            Code::InList(list) => list.truth(ctx)?,
            Code::Like(like) => like.truth(ctx)?,
            Code::Subquery(subquery) => subquery.truth(ctx)?,
            _ => self.eval(ctx)?.truth(),
        })
    }
}

impl<'a> Ctx<'a> {
    /// The row of the query `depth` levels further out.
    fn outer(&self, depth: usize) -> &'a Ctx<'a> {
        let mut ctx = self.parent;
        for _ in 1..depth {
            ctx = ctx.and_then(|ctx| ctx.parent);
        }
        ctx.expect("invariant: compile counted the queries around this one")
    }
}

fn compared(compare: &Compare, left: &Val<'_>, right: &Val<'_>) -> Option<bool> {
    if let (Val::Ref(ValueRef::Integer(a)), Val::Ref(ValueRef::Integer(b))) = (left, right) {
        // The commonest case, and the same whatever the rules are.
        return Some(compare.relation.holds(a.cmp(b)));
    }
    let known = !left.is_null() && !right.is_null();
    known.then(|| compare.relation.holds(compare.rules.compare(left.get(), right.get())))
}

/// Arithmetic, which goes down a long chain in a loop: `a + b + c` is `(a + b) + c`.
fn sum<'a>(op: Arithmetic, pair: &'a [Code; 2], ctx: &'a Ctx<'a>) -> Result<Val<'a>> {
    let Code::Arithmetic(inner, inner_pair) = &pair[0] else {
        return arithmetic(op, &pair[0].eval(ctx)?, &pair[1].eval(ctx)?, ctx);
    };
    let mut parts = vec![(op, &pair[1])];
    let (mut op, mut pair) = (inner, inner_pair);
    while let Code::Arithmetic(inner, inner_pair) = &pair[0] {
        parts.push((*op, &pair[1]));
        (op, pair) = (inner, inner_pair);
    }
    let mut value = arithmetic(*op, &pair[0].eval(ctx)?, &pair[1].eval(ctx)?, ctx)?;
    for (op, right) in parts.into_iter().rev() {
        value = arithmetic(op, &value, &right.eval(ctx)?, ctx)?;
    }
    Ok(value)
}

/// `left op right`, NULL if either is.
fn arithmetic<'a>(
    op: Arithmetic,
    left: &Val<'a>,
    right: &Val<'a>,
    ctx: &Ctx<'_>,
) -> Result<Val<'a>> {
    if left.is_null() || right.is_null() {
        return Ok(Val::NULL);
    }
    let (left, right) = (left.get(), right.get());
    let bits = || (to_integer(left), to_integer(right));
    Ok(match op {
        Arithmetic::Concat => {
            let text = to_text(left) + &to_text(right);
            ctx.env.shared.limits.length(text.len())?;
            Val::text(text)
        }
        Arithmetic::BitAnd => Val::integer(bits().0 & bits().1),
        Arithmetic::BitOr => Val::integer(bits().0 | bits().1),
        Arithmetic::ShiftLeft => Val::integer(shift(bits().0, bits().1)),
        Arithmetic::ShiftRight => Val::integer(shift(bits().0, bits().1.saturating_neg())),
        Arithmetic::Remainder => match bits() {
            (_, 0) => Val::NULL,
            (a, b) => {
                // The remainder of two integers, but a real where an operand looks like one.
                let integers = [left, right].map(Number::from);
                let whole = integers.iter().all(|n| matches!(n, Number::Integer(_)));
                let rest = Number::Integer(a.wrapping_rem(b));
                Val::from(if whole { rest } else { Number::Real(rest.to_real()) })
            }
        },
        _ => numeric(op, left.into(), right.into()).map_or(Val::NULL, Val::from),
    })
}

/// Integers as long as 64 bits hold the result, then doubles; `None` is a division by zero.
fn numeric(op: Arithmetic, left: Number, right: Number) -> Option<Number> {
    if let (Number::Integer(a), Number::Integer(b)) = (left, right) {
        let exact = match op {
            Arithmetic::Add => a.checked_add(b),
            Arithmetic::Subtract => a.checked_sub(b),
            Arithmetic::Multiply => a.checked_mul(b),
            _ if b == 0 => return None,
            _ => a.checked_div(b),
        };
        if let Some(exact) = exact {
            return Some(Number::Integer(exact));
        }
    }
    let (a, b) = (left.to_real(), right.to_real());
    Some(Number::Real(match op {
        Arithmetic::Add => a + b,
        Arithmetic::Subtract => a - b,
        Arithmetic::Multiply => a * b,
        _ if b == 0.0 => return None,
        _ => a / b,
    }))
}

/// Shifts to the left, to the right by a negative count; all bits may fall off.
fn shift(value: i64, by: i64) -> i64 {
    let distance = u32::try_from(by.unsigned_abs()).unwrap_or(u32::MAX);
    if by >= 0 {
        value.checked_shl(distance).unwrap_or(0)
    } else {
        value.checked_shr(distance).unwrap_or(if value < 0 { -1 } else { 0 })
    }
}

/// Evaluates the arguments, a few of them without a `Vec`, and calls the function.
fn call<'a>(
    function: func::Function,
    collation: Collation,
    args: &'a [Code],
    ctx: &'a Ctx<'a>,
) -> Result<Val<'a>> {
    match args {
        [a] => func::call(function, collation, &[a.eval(ctx)?], ctx.env),
        [a, b] => func::call(function, collation, &[a.eval(ctx)?, b.eval(ctx)?], ctx.env),
        _ => {
            let args = args.iter().map(|code| code.eval(ctx)).collect::<Result<Vec<_>>>()?;
            func::call(function, collation, &args, ctx.env)
        }
    }
}

impl InList {
    fn truth(&self, ctx: &Ctx<'_>) -> Result<Option<bool>> {
        let value = self.value.eval(ctx)?;
        let mut answer = if self.list.is_empty() { Some(false) } else { None };
        if self.sorted && !value.is_null() {
            let order = |code: &Code| match code {
                Code::Const(item) => self.rules.compare(item.as_ref(), value.get()),
                _ => Ordering::Less,
            };
            answer = Some(self.list.binary_search_by(order).is_ok());
        } else if !value.is_null() {
            answer = Some(false);
            for code in &self.list {
                let item = code.eval(ctx)?;
                if item.is_null() {
                    answer = None;
                } else if self.rules.compare(value.get(), item.get()).is_eq() {
                    return Ok(Some(!self.negated));
                }
            }
        }
        Ok(answer.map(|found| found != self.negated))
    }
}

impl Like {
    fn truth(&self, ctx: &Ctx<'_>) -> Result<Option<bool>> {
        let (value, pattern) = (self.value.eval(ctx)?, self.pattern.eval(ctx)?);
        let escape = self.escape.as_ref().map(|escape| escape.eval(ctx)).transpose()?;
        let escape = escape.as_ref().map(Val::get);
        let matched = pattern::matches(self.op, value.get(), pattern.get(), escape)?;
        Ok(matched.map(|matched| matched != self.negated))
    }
}

impl Case {
    fn eval<'a>(&'a self, ctx: &'a Ctx<'a>) -> Result<Val<'a>> {
        let base = self.base.as_ref().map(|code| code.eval(ctx)).transpose()?;
        for (rules, when, then) in &self.arms {
            let chosen = match &base {
                None => when.truth(ctx)? == Some(true),
                Some(base) => {
                    let when = when.eval(ctx)?;
                    let known = !base.is_null() && !when.is_null();
                    known && rules.compare(base.get(), when.get()).is_eq()
                }
            };
            if chosen {
                return then.eval(ctx);
            }
        }
        self.otherwise.as_ref().map_or(Ok(Val::NULL), |code| code.eval(ctx))
    }
}

/// The first column of a subquery, for IN: which values there are, and whether one is NULL.
#[derive(Debug, Default)]
pub(crate) struct ValueSet {
    keys: Distinct,
    has_null: bool,
}

impl Subquery {
    fn value<'a>(&'a self, ctx: &'a Ctx<'a>) -> Result<Val<'a>> {
        if let Some(Cached::Value(value)) = self.cached(ctx) {
            return Ok(Val::Own(value));
        }
        let value = self.run(ctx, |next| {
            let mut row = Vec::new();
            Ok(if next(&mut row)? { row.swap_remove(0) } else { Value::Null })
        })?;
        self.keep(ctx, || Cached::Value(value.clone()));
        Ok(Val::Own(value))
    }

    fn truth(&self, ctx: &Ctx<'_>) -> Result<Option<bool>> {
        match &self.asks {
            Asks::Value => Ok(self.value(ctx)?.truth()),
            Asks::Exists => {
                if let Some(Cached::Value(value)) = self.cached(ctx) {
                    return Ok(Some(value == Value::Integer(1)));
                }
                let found = self.run(ctx, |next| next(&mut Vec::new()))?;
                self.keep(ctx, || Cached::Value(Value::Integer(i64::from(found))));
                Ok(Some(found))
            }
            Asks::Contains { negated, rules, value } => {
                let value = value.eval(ctx)?;
                let found = self.set(*rules, ctx)?.contains(&value, *rules);
                Ok(found.map(|found| found != *negated))
            }
        }
    }

    /// All rows of the subquery as a set.
    fn set(&self, rules: Rules, ctx: &Ctx<'_>) -> Result<Rc<ValueSet>> {
        if let Some(Cached::Set(set)) = self.cached(ctx) {
            return Ok(set);
        }
        let set = self.run(ctx, |next| {
            let (mut set, mut row) = (ValueSet::default(), Vec::new());
            while next(&mut row)? {
                match &row[0] {
                    Value::Null => set.has_null = true,
                    value => {
                        set.keys.insert(set_key(value.as_ref(), rules), &ctx.env.shared.limits)?;
                    }
                }
            }
            Ok(Rc::new(set))
        })?;
        self.keep(ctx, || Cached::Set(Rc::clone(&set)));
        Ok(set)
    }

    /// The first column of all rows, for a loop that looks each of them up.
    pub(crate) fn values(&self, ctx: &Ctx<'_>) -> Result<Rc<Vec<Value>>> {
        if let Some(Cached::List(list)) = self.cached(ctx) {
            return Ok(list);
        }
        let list = self.run(ctx, |next| {
            let (mut values, mut row, mut kept) = (Vec::new(), Vec::new(), Kept::default());
            while next(&mut row)? {
                kept.row(&row, &ctx.env.shared.limits)?;
                values.push(row.swap_remove(0));
            }
            Ok(Rc::new(values))
        })?;
        self.keep(ctx, || Cached::List(Rc::clone(&list)));
        Ok(list)
    }

    /// Starts the subquery for the current row and lets `read` pull its rows. What a run has built is
    /// kept for the next row, if there will be one.
    fn run<T>(
        &self,
        ctx: &Ctx<'_>,
        read: impl FnOnce(&mut dyn FnMut(&mut Vec<Value>) -> Result<bool>) -> Result<T>,
    ) -> Result<T> {
        let (env, parent) = (ctx.env, Some(ctx));
        let kept = env.cache.borrow_mut().runs.get_mut(self.id).and_then(Option::take);
        let mut run = match kept {
            Some(mut run) => {
                run.restart(&self.plan, env, parent)?;
                run
            }
            None => Box::new(SelectRun::new(&self.plan, env, parent)?),
        };
        let result = read(&mut |row| run.next(&self.plan, env, parent, row))?;
        if self.correlated {
            place(&mut env.cache.borrow_mut().runs, self.id, run);
        }
        Ok(result)
    }

    fn cached(&self, ctx: &Ctx<'_>) -> Option<Cached> {
        ctx.env.cache.borrow().results.get(self.id).cloned().flatten()
    }

    fn keep(&self, ctx: &Ctx<'_>, result: impl FnOnce() -> Cached) {
        if !self.correlated {
            place(&mut ctx.env.cache.borrow_mut().results, self.id, result());
        }
    }
}

/// Puts something at a place of a list, which may have to grow.
fn place<T>(list: &mut Vec<Option<T>>, at: usize, what: T) {
    if list.len() <= at {
        list.resize_with(at + 1, || None);
    }
    list[at] = Some(what);
}

impl ValueSet {
    fn contains(&self, value: &Val<'_>, rules: Rules) -> Option<bool> {
        if self.keys.is_empty() && !self.has_null {
            return Some(false);
        }
        if value.is_null() {
            return None;
        }
        match self.keys.contains(&set_key(value.get(), rules)) {
            false if self.has_null => None,
            found => Some(found),
        }
    }
}

fn set_key(value: ValueRef<'_>, rules: Rules) -> Vec<u8> {
    let mut key = Vec::new();
    let value = match rules.affinity {
        Some(affinity) => affinity.apply(Val::Ref(value)),
        None => Val::Ref(value),
    };
    distinct_key(value.get(), rules.collation, &mut key);
    key
}
