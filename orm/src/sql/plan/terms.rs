//! The terms of ORDER BY: by position, by name, or any expression (day 0, query it).

use super::super::ast::{Expr, OrderTerm};
use super::super::catalog::collation;
use super::super::expr::Code;
use super::super::expr::scope::Scope;
use super::super::{Collation, Error, Result, Value};
use super::{OutputColumn, SortKey};

/// The keys of ORDER BY; what is not in the result is added to the outputs.
pub(super) fn order_keys(
    scope: &Scope<'_>,
    terms: &[OrderTerm],
    columns: &[OutputColumn],
    outputs: &mut Vec<Code>,
) -> Result<Vec<SortKey>> {
    let mut keys = Vec::new();
    for (number, term) in terms.iter().enumerate() {
        if let Some((at, collation)) = named_column(number, &term.expr, columns)? {
            keys.push(sort_key(term, at, collation));
            continue;
        }
        let typed = scope.compile(&term.expr)?;
        let known = outputs.iter().position(|output| *output == typed.code);
        let at = known.unwrap_or(outputs.len());
        if known.is_none() {
            // With DISTINCT, the first of equal rows says where they belong.
            outputs.push(typed.code);
        }
        keys.push(sort_key(term, at, typed.collation));
    }
    Ok(keys)
}

fn sort_key(term: &OrderTerm, at: usize, collation: Option<Collation>) -> SortKey {
    let nulls_first = term.nulls_first.unwrap_or(!term.desc);
    SortKey { at, desc: term.desc, nulls_first, collation: collation.unwrap_or_default() }
}

/// `ORDER BY 2`, or by the name of a column of the result, perhaps with a COLLATE.
pub(super) fn named_column(
    number: usize,
    expr: &Expr,
    columns: &[OutputColumn],
) -> Result<Option<(usize, Option<Collation>)>> {
    match expr {
        Expr::Collate(inner, name) => {
            let explicit = collation(name)?;
            Ok(named_column(number, inner, columns)?.map(|(at, _)| (at, Some(explicit))))
        }
        Expr::Literal(Value::Integer(position)) if is_position(*position) => {
            let at = usize::try_from(*position - 1).ok().filter(|&at| at < columns.len());
            let at = at.ok_or_else(|| out_of_range(number, "ORDER BY", columns.len()))?;
            Ok(Some((at, columns[at].collation)))
        }
        Expr::Column { table: None, name } => {
            let named = |column: &OutputColumn| column.name.eq_ignore_ascii_case(&name.text);
            let at = columns.iter().position(named);
            Ok(at.map(|at| (at, columns[at].collation)))
        }
        _ => Ok(None),
    }
}

/// Whether a number as a term is a place in the result. Beyond 31 bits it is a constant like others, as
/// in SQLite.
pub(super) fn is_position(number: i64) -> bool {
    number.unsigned_abs() < 1 << 31
}

/// The keys of a compound's ORDER BY, which sees nothing but the columns of the result: as the first
/// SELECT calls them, or else as one of the `others` does.
pub(super) fn compound_order(
    terms: &[OrderTerm],
    columns: &[OutputColumn],
    others: &[Vec<OutputColumn>],
) -> Result<Vec<SortKey>> {
    let mut keys = Vec::new();
    for (number, term) in terms.iter().enumerate() {
        let mut found = named_column(number, &term.expr, columns)?;
        for other in others.iter().filter(|_| !matches!(term.expr, Expr::Literal(_))) {
            found = match found {
                None => named_column(number, &term.expr, other)?,
                found => found,
            };
        }
        let Some((at, collation)) = found else {
            let text = "ORDER BY term does not match any column in the result set";
            return Err(Error::Sql(format!("{} {text}", ordinal(number))));
        };
        keys.push(sort_key(term, at, collation));
    }
    Ok(keys)
}

pub(super) fn out_of_range(number: usize, clause: &str, columns: usize) -> Error {
    let text = format!("{clause} term out of range - should be between 1 and {columns}");
    Error::Sql(format!("{} {text}", ordinal(number)))
}

fn ordinal(at: usize) -> String {
    let number = at + 1;
    let ending = match (number % 10, number % 100 / 10) {
        (1, tens) if tens != 1 => "st",
        (2, tens) if tens != 1 => "nd",
        (3, tens) if tens != 1 => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

#[cfg(test)]
mod tests {
    use super::super::super::Connection;

    #[test]
    fn a_number_is_a_place_unless_it_is_huge() {
        let db = Connection::memory().unwrap();
        db.execute_batch("CREATE TABLE t(a)").unwrap();
        for huge in [i64::MIN, -2_147_483_648, 2_147_483_648, i64::MAX] {
            for clause in ["ORDER", "GROUP"] {
                assert!(db.prepare(&format!("SELECT a FROM t {clause} BY {huge}")).is_ok());
            }
            let error = db.prepare(&format!("SELECT 1 UNION SELECT 2 ORDER BY {huge}"));
            let want = "1st ORDER BY term does not match any column in the result set";
            assert_eq!(error.unwrap_err().to_string(), want);
        }
        for place in [-2_147_483_647, 0, 2, 2_147_483_647] {
            for clause in ["ORDER", "GROUP"] {
                let error = db.prepare(&format!("SELECT a FROM t {clause} BY {place}"));
                let want = format!("1st {clause} BY term out of range - should be between 1 and 1");
                assert_eq!(error.unwrap_err().to_string(), want);
            }
        }
    }
}
