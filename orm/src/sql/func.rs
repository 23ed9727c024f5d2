//! The functions of SQL: one value from a few, row by row (day 0, query it).
//!
//! [`find`] gives a name its [`Function`] when a statement is prepared, and checks the number of
//! arguments; [`call`] runs it. Functions that do not need all their arguments (`coalesce`, `iif`)
//! are no functions here: the [compiler](super::expr::compile) makes branches of them. Those that
//! look at many rows are in [`aggregate`].
//!
//! There is no clock in the engine, and so no date and time function. `random()` is a xorshift
//! generator that the standard library's hasher seeds, which works on every platform.
//!
//! # Exercise
//! `exercise_a_function_turns_text_round`: `reverse('abc')` is `cba`, of characters and not of bytes, and
//! NULL of NULL.
//!
//! Reference: <https://sqlite.org/lang_corefunc.html>.

pub mod aggregate;

use super::affinity::{Number, prefix_number, real_to_text, to_integer, to_text, with_bytes};
use super::ast::LikeOp;
use super::expr::{Env, Val, pattern};
use super::limits::Limits;
use super::{Collation, Error, Result, Value, ValueRef};

/// A function of single values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Abs,
    Changes,
    Char,
    Glob,
    Hex,
    Instr,
    LastInsertRowid,
    Length,
    Like,
    Lower,
    Ltrim,
    Max,
    Min,
    Quote,
    Random,
    Randomblob,
    Replace,
    Round,
    Rtrim,
    Sign,
    Substr,
    TotalChanges,
    Trim,
    Typeof,
    Unicode,
    Upper,
    Zeroblob,
}

/// Names, the fewest and the most arguments.
const FUNCTIONS: &[(&str, usize, usize, Function)] = &[
    ("abs", 1, 1, Function::Abs),
    ("changes", 0, 0, Function::Changes),
    ("char", 0, 127, Function::Char),
    ("glob", 2, 2, Function::Glob),
    ("hex", 1, 1, Function::Hex),
    ("instr", 2, 2, Function::Instr),
    ("last_insert_rowid", 0, 0, Function::LastInsertRowid),
    ("length", 1, 1, Function::Length),
    ("like", 2, 3, Function::Like),
    ("lower", 1, 1, Function::Lower),
    ("ltrim", 1, 2, Function::Ltrim),
    ("max", 2, 127, Function::Max),
    ("min", 2, 127, Function::Min),
    ("quote", 1, 1, Function::Quote),
    ("random", 0, 0, Function::Random),
    ("randomblob", 1, 1, Function::Randomblob),
    ("replace", 3, 3, Function::Replace),
    ("round", 1, 2, Function::Round),
    ("rtrim", 1, 2, Function::Rtrim),
    ("sign", 1, 1, Function::Sign),
    ("substr", 2, 3, Function::Substr),
    ("substring", 2, 3, Function::Substr),
    ("total_changes", 0, 0, Function::TotalChanges),
    ("trim", 1, 2, Function::Trim),
    ("typeof", 1, 1, Function::Typeof),
    ("unicode", 1, 1, Function::Unicode),
    ("upper", 1, 1, Function::Upper),
    ("zeroblob", 1, 1, Function::Zeroblob),
];

/// What SQLite has and this engine names in its refusal.
const CLOCK: &[&str] = &[
    "current_date",
    "current_time",
    "current_timestamp",
    "date",
    "datetime",
    "julianday",
    "strftime",
    "time",
    "unixepoch",
];

/// The function of this name for so many arguments.
///
/// # Errors
/// No such function, or not with this number of arguments.
pub(crate) fn find(name: &str, args: usize) -> Result<Function> {
    let lower = name.to_ascii_lowercase();
    match FUNCTIONS.iter().find(|known| known.0 == lower) {
        Some(&(_, least, most, function)) if (least..=most).contains(&args) => Ok(function),
        Some(_) => Err(wrong_arguments(name)),
        None if CLOCK.contains(&lower.as_str()) => {
            Err(Error::Unsupported(format!("{lower}: the engine has no clock")))
        }
        None => Err(Error::Sql(format!("no such function: {name}"))),
    }
}

/// Whether a function may give another value for the same arguments.
pub(crate) fn is_volatile(name: &str) -> bool {
    let known = ["changes", "last_insert_rowid", "random", "randomblob", "total_changes"];
    known.iter().any(|known| name.eq_ignore_ascii_case(known))
}

pub(crate) fn wrong_arguments(name: &str) -> Error {
    Error::Sql(format!("wrong number of arguments to function {name}()"))
}

/// Runs a function.
///
/// # Errors
/// `integer overflow` from abs, `string or blob too big`, a pattern that is too long.
pub(crate) fn call<'a>(
    function: Function,
    collation: Collation,
    args: &[Val<'a>],
    env: &Env<'_>,
) -> Result<Val<'a>> {
    let first = args.first().map_or(ValueRef::Null, Val::get);
    let null_in = args.iter().any(Val::is_null);
    let limits = &env.shared.limits;
    Ok(match function {
        Function::Changes => Val::integer(env.shared.changes.get()),
        Function::LastInsertRowid => Val::integer(env.shared.last_rowid.get()),
        Function::TotalChanges => Val::integer(env.shared.total_changes.get()),
        Function::Random => Val::integer(env.shared.random().cast_signed()),
        Function::Char => {
            Val::text(args.iter().map(|arg| character(arg.get())).collect::<String>())
        }
        Function::Hex => with_bytes(first, |bytes| {
            limits.length(bytes.len().saturating_mul(2)).map(|()| Val::text(hex(bytes)))
        })?,
        Function::Quote => {
            if let ValueRef::Blob(bytes) = first {
                limits.length(bytes.len().saturating_mul(2))?;
            }
            Val::text(quote(first))
        }
        Function::Typeof => Val::text(type_name(first)),
        Function::Zeroblob => Val::Own(Value::Blob(vec![0; blob_length(first, 0, limits)?])),
        Function::Randomblob => {
            let length = blob_length(first, 1, limits)?;
            let bytes = (0..length).map(|_| env.shared.random().to_le_bytes()[0]);
            Val::Own(Value::Blob(bytes.collect()))
        }
        // `like(pattern, text)`: the arguments are the other way round than around LIKE.
        Function::Glob => pattern::matches(LikeOp::Glob, args[1].get(), first, None)?.into(),
        Function::Like => {
            let escape = args.get(2).map(Val::get);
            pattern::matches(LikeOp::Like, args[1].get(), first, escape)?.into()
        }
        // Of those below, NULL in makes NULL out.
        _ if null_in => Val::NULL,
        Function::Abs => abs(first)?,
        Function::Instr => Val::integer(instr(first, args[1].get())),
        Function::Length => Val::integer(length(first)),
        Function::Lower => Val::text(to_text(first).to_ascii_lowercase()),
        Function::Upper => Val::text(to_text(first).to_ascii_uppercase()),
        Function::Min | Function::Max => extreme(function == Function::Max, collation, args),
        Function::Replace => replace(args, limits)?,
        Function::Round => round(first, args.get(1).map_or(0, |digits| to_integer(digits.get()))),
        Function::Sign => sign(first),
        Function::Substr => substr(args),
        Function::Trim => trim(args, true, true),
        Function::Ltrim => trim(args, true, false),
        Function::Rtrim => trim(args, false, true),
        Function::Unicode => {
            let code = to_text(first).chars().next().map(|c| i64::from(u32::from(c)));
            code.map_or(Val::NULL, Val::integer)
        }
    })
}

pub(crate) fn type_name(value: ValueRef<'_>) -> &'static str {
    match value {
        ValueRef::Null => "null",
        ValueRef::Integer(_) => "integer",
        ValueRef::Real(_) => "real",
        ValueRef::Text(_) => "text",
        ValueRef::Blob(_) => "blob",
    }
}

fn character(value: ValueRef<'_>) -> char {
    let code = u32::try_from(to_integer(value)).ok();
    code.and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn hex(bytes: &[u8]) -> String {
    let digits = b"0123456789ABCDEF".map(char::from);
    let pair = |byte: &u8| [digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]];
    bytes.iter().flat_map(pair).collect()
}

/// The value as SQL would write it.
pub(crate) fn quote(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(n) => n.to_string(),
        ValueRef::Real(r) => {
            let short = real_to_text(r);
            let exact = short.parse() == Ok(r);
            if exact || !r.is_finite() { short } else { long_real(r) }
        }
        ValueRef::Text(_) => format!("'{}'", to_text(value).replace('\'', "''")),
        ValueRef::Blob(bytes) => format!("X'{}'", hex(bytes)),
    }
}

/// C's `%.20e`, for reals that 15 digits do not carry.
fn long_real(real: f64) -> String {
    let text = format!("{real:.20e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    format!("{mantissa}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}

fn blob_length(value: ValueRef<'_>, least: i64, limits: &Limits) -> Result<usize> {
    let length = usize::try_from(to_integer(value).max(least)).unwrap_or(usize::MAX);
    limits.length(length).map(|()| length)
}

fn abs<'a>(value: ValueRef<'_>) -> Result<Val<'a>> {
    match value {
        ValueRef::Integer(n) => n.checked_abs().map(Val::integer).ok_or(Error::IntegerOverflow),
        other => Ok(Val::Ref(ValueRef::Real(Number::from(other).to_real().abs()))),
    }
}

/// From 1, in characters, or in bytes when both are blobs; 0: not found.
fn instr(text: ValueRef<'_>, part: ValueRef<'_>) -> i64 {
    let position = match (text, part) {
        (ValueRef::Blob(_), ValueRef::Blob([])) => Some(0),
        (ValueRef::Blob(text), ValueRef::Blob(part)) => {
            text.windows(part.len()).position(|window| window == part)
        }
        _ => {
            let (text, part) = (to_text(text), to_text(part));
            text.find(&part).map(|at| text[..at].chars().count())
        }
    };
    position.map_or(0, |at| i64::try_from(at + 1).unwrap_or(i64::MAX))
}

/// Characters of a text up to a NUL, bytes of a blob.
fn length(value: ValueRef<'_>) -> i64 {
    let count = match value {
        ValueRef::Blob(bytes) => bytes.len(),
        other => to_text(other).chars().take_while(|&c| c != '\0').count(),
    };
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The greatest, or the least; of equal ones the first of the greatest, the last of the least.
fn extreme<'a>(greatest: bool, collation: Collation, args: &[Val<'a>]) -> Val<'a> {
    let mut best = &args[0];
    for arg in &args[1..] {
        let order = arg.get().compare(best.get(), collation);
        if if greatest { order.is_gt() } else { order.is_le() } {
            best = arg;
        }
    }
    best.clone()
}

fn replace<'a>(args: &[Val<'_>], limits: &Limits) -> Result<Val<'a>> {
    let [text, part, with] = [0, 1, 2].map(|at| to_text(args[at].get()));
    if part.is_empty() {
        return Ok(Val::text(text));
    }
    let grown = text.matches(&part).count().saturating_mul(with.len());
    limits.length(text.len().saturating_add(grown))?;
    Ok(Val::text(text.replace(&part, &with)))
}

/// Half away from zero, where the double is exactly half.
fn round<'a>(value: ValueRef<'_>, digits: i64) -> Val<'a> {
    const WHOLE: f64 = 4_503_599_627_370_496.0; // 2^52: no fraction from here on
    let real = Number::from(value).to_real();
    if real.abs() > WHOLE {
        return Val::Ref(ValueRef::Real(real));
    }
    let digits = usize::try_from(digits.clamp(0, 30)).unwrap_or(0);
    if digits == 0 {
        return Val::Ref(ValueRef::Real((real + 0.5_f64.copysign(real)).trunc()));
    }
    let magnitude = real.abs();
    // 1.005 is a little less than it looks. SQLite rounds up what is this near to a half, as long as
    // the digits before the point (a third of the binary ones) and those asked for are some that a
    // double has.
    let thousands = if magnitude < 1.0 { 0.0 } else { magnitude.log2().floor() / 3.0 };
    let near = (i32::try_from(digits).map_or(f64::MAX, f64::from)) + thousands < 15.0;
    let away = if near { magnitude + magnitude * 3e-16 } else { magnitude };
    let rounded: f64 = format!("{away:.digits$}").parse().unwrap_or(0.0);
    Val::Ref(ValueRef::Real(if real < 0.0 { -rounded } else { rounded }))
}

fn sign<'a>(value: ValueRef<'_>) -> Val<'a> {
    let number = match value {
        ValueRef::Text(text) => match prefix_number(text) {
            (number, true) => number,
            _ => return Val::NULL,
        },
        ValueRef::Blob(_) => return Val::NULL,
        other => other.into(),
    };
    let real = number.to_real();
    Val::integer(if real > 0.0 { 1 } else { -i64::from(real < 0.0) })
}

/// Characters of a text, bytes of a blob; a negative start counts from the end, a negative length
/// goes to the left.
fn substr<'a>(args: &[Val<'_>]) -> Val<'a> {
    let blob = match args[0].get() {
        ValueRef::Blob([]) => return Val::NULL,
        ValueRef::Blob(bytes) => Some(bytes),
        _ => None,
    };
    let text = if blob.is_some() { String::new() } else { to_text(args[0].get()) };
    let count = blob.map_or_else(|| text.chars().count(), <[u8]>::len);
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let mut start = to_integer(args[1].get());
    let wanted = args.get(2).map_or(i64::MAX, |length| to_integer(length.get()));
    let mut length = wanted.saturating_abs();
    if start < 0 {
        start = start.saturating_add(count);
        if start < 0 {
            length = length.saturating_add(start).max(0);
            start = 0;
        }
    } else if start > 0 {
        start -= 1;
    } else if length > 0 {
        length -= 1;
    }
    if wanted < 0 {
        start = start.saturating_sub(length);
        if start < 0 {
            length = length.saturating_add(start).max(0);
            start = 0;
        }
    }
    let start = usize::try_from(start).unwrap_or(usize::MAX);
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    match blob {
        Some(bytes) => {
            Val::Own(Value::Blob(bytes.iter().skip(start).take(length).copied().collect()))
        }
        None => Val::text(text.chars().skip(start).take(length).collect::<String>()),
    }
}

fn trim<'a>(args: &[Val<'_>], start: bool, end: bool) -> Val<'a> {
    let text = to_text(args[0].get());
    let set: Vec<char> = args.get(1).map_or(vec![' '], |set| to_text(set.get()).chars().collect());
    let mut trimmed = text.as_str();
    if start {
        trimmed = trimmed.trim_start_matches(&set[..]);
    }
    if end {
        trimmed = trimmed.trim_end_matches(&set[..]);
    }
    Val::text(trimmed)
}

#[cfg(test)]
mod tests {
    use crate::sql::Connection;

    #[test]
    #[ignore = "an exercise: see the head of this file"]
    fn exercise_a_function_turns_text_round() {
        let db = Connection::memory().unwrap();
        let mut select =
            db.prepare("SELECT reverse('abc'), reverse('größe'), reverse(NULL)").unwrap();
        let mut rows = select.query().unwrap();
        let row = rows.next().unwrap().unwrap();
        assert_eq!(row.get::<String>(0).unwrap(), "cba");
        assert_eq!(row.get::<String>(1).unwrap(), "eßörg");
        assert_eq!(row.get::<Option<String>>(2).unwrap(), None);
    }
}
