//! Aggregates: one value from the rows of a group (day 0, query it).
//!
//! An [`Accumulator`] sees the rows of its group one after the other and then says its result:
//!
//! ```text
//! avg(age)          rows 18, 25, NULL        Average { sum: 18, count: 1 }
//!                                            Average { sum: 43, count: 2 }    NULL is passed over
//!                                  finish -> 21.5
//! ```
//!
//! Reference: <https://sqlite.org/lang_aggfunc.html>.

use super::super::affinity::{Number, prefix_number, to_text};
use super::super::expr::Val;
use super::super::limits::Limits;
use super::super::{Collation, Error, Result, Value, ValueRef};
use super::wrong_arguments;

/// Which aggregate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aggregate {
    Count,
    Sum,
    Total,
    Average,
    Min,
    Max,
    GroupConcat,
}

/// What is known of a group so far.
#[derive(Debug)]
pub(crate) enum Accumulator {
    Count(i64),
    Sum(Sum),
    Total(f64),
    Average { sum: f64, count: i64 },
    Extreme { greatest: bool, collation: Collation, best: Value },
    GroupConcat(Option<String>),
}

/// The sum as an integer while all rows were integers, and as a real in any case. Once integers alone
/// have run over, no real that comes later mends it.
#[derive(Debug, Default)]
pub(crate) struct Sum {
    any: bool,
    exact: bool,
    overflow: bool,
    integer: i64,
    real: f64,
}

impl Aggregate {
    /// The aggregate of this name; min and max of several arguments are not aggregates.
    ///
    /// # Errors
    /// A wrong number of arguments.
    pub(crate) fn find(name: &str, args: usize, star: bool) -> Result<Option<Aggregate>> {
        let lower = name.to_ascii_lowercase();
        let (aggregate, right) = match lower.as_str() {
            "count" => (Aggregate::Count, args <= 1),
            "sum" => (Aggregate::Sum, args == 1),
            "total" => (Aggregate::Total, args == 1),
            "avg" => (Aggregate::Average, args == 1),
            "min" if args <= 1 => (Aggregate::Min, args == 1),
            "max" if args <= 1 => (Aggregate::Max, args == 1),
            "group_concat" => (Aggregate::GroupConcat, (1..=2).contains(&args)),
            _ => return Ok(None),
        };
        let right = right && (!star || aggregate == Aggregate::Count);
        if right { Ok(Some(aggregate)) } else { Err(wrong_arguments(name)) }
    }

    /// What an empty group knows.
    pub(crate) fn start(self, collation: Collation) -> Accumulator {
        let extreme = |greatest| Accumulator::Extreme { greatest, collation, best: Value::Null };
        match self {
            Aggregate::Count => Accumulator::Count(0),
            Aggregate::Sum => Accumulator::Sum(Sum { exact: true, ..Sum::default() }),
            Aggregate::Total => Accumulator::Total(0.0),
            Aggregate::Average => Accumulator::Average { sum: 0.0, count: 0 },
            Aggregate::Min => extreme(false),
            Aggregate::Max => extreme(true),
            Aggregate::GroupConcat => Accumulator::GroupConcat(None),
        }
    }
}

impl Accumulator {
    /// Takes a row in for `count(*)`, which is all that goes without arguments.
    #[inline]
    pub(crate) fn count(&mut self) {
        if let Accumulator::Count(count) = self {
            *count += 1;
        }
    }

    /// Takes a row in by its arguments. Min and max say whether the row is the new extreme, the others
    /// `None`.
    ///
    /// # Errors
    /// `string or blob too big` from `group_concat`.
    pub(crate) fn add(&mut self, args: &[Val<'_>], limits: &Limits) -> Result<Option<bool>> {
        let value = args.first().map_or(ValueRef::Null, Val::get);
        if value.is_null() {
            // As long as there is no extreme, a row without one may stand for it.
            return Ok(match self {
                Accumulator::Extreme { best, .. } => Some(matches!(best, Value::Null)),
                _ => None,
            });
        }
        match self {
            Accumulator::Count(count) => *count += 1,
            Accumulator::Sum(sum) => sum.add(value),
            Accumulator::Total(sum) => *sum += Number::from(value).to_real(),
            Accumulator::Average { sum, count } => {
                *sum += Number::from(value).to_real();
                *count += 1;
            }
            Accumulator::Extreme { greatest, collation, best } => {
                let order = value.compare(best.as_ref(), *collation);
                let better = if *greatest { order.is_gt() } else { order.is_lt() };
                if better || matches!(best, Value::Null) {
                    *best = value.to_value();
                    return Ok(Some(true));
                }
                return Ok(Some(false));
            }
            Accumulator::GroupConcat(text) => {
                let separator = args.get(1).map_or_else(|| ",".to_owned(), |s| to_text(s.get()));
                let value = to_text(value);
                match text {
                    Some(text) => text.extend([separator, value]),
                    None => *text = Some(value),
                }
                limits.length(text.as_ref().map_or(0, String::len))?;
            }
        }
        Ok(None)
    }

    /// The result.
    ///
    /// # Errors
    /// `integer overflow`, when integers alone have come to a sum that fits no 64 bits.
    pub(crate) fn finish(self) -> Result<Value> {
        Ok(match self {
            Accumulator::Count(count) => Value::Integer(count),
            Accumulator::Sum(sum) if !sum.any => Value::Null,
            Accumulator::Sum(sum) if sum.overflow => return Err(Error::IntegerOverflow),
            Accumulator::Sum(sum) if !sum.exact => Value::from(sum.real),
            Accumulator::Sum(sum) => Value::Integer(sum.integer),
            Accumulator::Total(sum) => Value::from(sum),
            Accumulator::Average { count: 0, .. } => Value::Null,
            #[allow(clippy::cast_precision_loss, reason = "a mean is a double")]
            Accumulator::Average { sum, count } => Value::from(sum / count as f64),
            Accumulator::Extreme { best, .. } => best,
            Accumulator::GroupConcat(text) => text.map_or(Value::Null, Value::Text),
        })
    }
}

impl Sum {
    fn add(&mut self, value: ValueRef<'_>) {
        let (number, pure) = match value {
            ValueRef::Text(text) => prefix_number(text),
            ValueRef::Blob(blob) => (prefix_number(blob).0, false),
            other => (other.into(), true),
        };
        self.any = true;
        self.real += number.to_real();
        match number {
            Number::Integer(n) if pure && self.exact => match self.integer.checked_add(n) {
                Some(sum) => self.integer = sum,
                None => (self.exact, self.overflow) = (false, true),
            },
            Number::Integer(_) if pure => {}
            _ => self.exact = false,
        }
    }
}
