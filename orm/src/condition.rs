//! Conditions as values: `Age >= 18 AND (Name = 'Tom' OR Name = 'Sam')` (day 4).
//!
//! ```
//! use orm::{Condition, col, raw};
//!
//! let grown: Condition = col("Age").ge(18).and(col("Name").eq("Tom").or(col("Name").eq("Sam")));
//! let other = !grown.clone();
//! let by_hand: Condition = raw("length(Name) > ?").bind(3).into();
//! # let _ = (other, by_hand);
//! ```
//!
//! Values are always arguments, never part of the text. Names of columns are checked against the model and
//! quoted. Only [`raw`] puts text into the statement, and it takes a `&'static str`: text that
//! came from a user is a `String`, and does not compile there:
//!
//! ```compile_fail,E0597
//! let from_user = String::from("1=1; DROP TABLE User");
//! orm::raw(&from_user); // `from_user` does not live long enough
//! ```

use crate::clause::Sql;
use crate::{Error, Result, Schema, ToValue, Value};

/// What a row must fulfil.
#[derive(Clone, Debug)]
pub enum Condition {
    /// `column operator value`
    Compare(&'static str, String, Operand),
    /// `column IN (values)`; no row fulfils an empty list.
    In(String, Vec<Operand>),
    /// `column IS NULL`
    Null(String),
    /// Text, with its arguments.
    Raw(Raw),
    /// All of these.
    And(Vec<Condition>),
    /// At least one of these.
    Or(Vec<Condition>),
    /// Not this one.
    Not(Box<Condition>),
}

/// A value in a condition, or what is wrong with it: reported when the statement is to run.
#[derive(Clone, Debug)]
pub struct Operand(std::result::Result<Value, String>);

impl Operand {
    pub(crate) fn new(value: &impl ToValue) -> Operand {
        Operand(value.to_value().map_err(|error| match error {
            Error::TypeMismatch { what, .. } => what,
            other => other.to_string(),
        }))
    }

    pub(crate) fn value(&self, column: &str) -> Result<Value> {
        self.0.clone().map_err(|what| Error::mismatch(column, what))
    }
}

/// SQL text of the programmer's, with arguments.
#[derive(Clone, Debug)]
pub struct Raw {
    pub(crate) text: &'static str,
    pub(crate) args: Vec<Operand>,
}

/// SQL text that goes into the statement as it is; `?` stands for an argument, in each dialect.
#[must_use]
pub fn raw(text: &'static str) -> Raw {
    Raw { text, args: Vec::new() }
}

impl Raw {
    /// The value of the next `?`.
    #[must_use]
    pub fn bind(mut self, value: impl ToValue) -> Raw {
        self.args.push(Operand::new(&value));
        self
    }
}

/// A column of the model, to compare.
#[derive(Clone, Debug)]
pub struct Col(String);

/// The column of this name.
#[must_use]
pub fn col(name: impl Into<String>) -> Col {
    Col(name.into())
}

macro_rules! comparisons {
    ($($name:ident $operator:literal $doc:literal),*) => { $(
        #[doc = $doc]
        #[must_use]
        pub fn $name(self, value: impl ToValue) -> Condition {
            Condition::Compare($operator, self.0, Operand::new(&value))
        }
    )* };
}

impl Col {
    comparisons!(
        eq "=" "Equals; nothing equals NULL, see [`Col::is_null`].",
        ne "<>" "Differs; NULL neither equals nor differs.",
        lt "<" "Is less.",
        le "<=" "Is less or equal.",
        gt ">" "Is more.",
        ge ">=" "Is more or equal.",
        like "LIKE" "Fits a pattern: `%` is any text, `_` any character."
    );

    /// Is one of these; an empty list fits no row.
    #[must_use]
    pub fn is_in<T: ToValue>(self, values: impl IntoIterator<Item = T>) -> Condition {
        Condition::In(self.0, values.into_iter().map(|value| Operand::new(&value)).collect())
    }

    /// Is NULL.
    #[must_use]
    pub fn is_null(self) -> Condition {
        Condition::Null(self.0)
    }
}

impl Condition {
    /// Both conditions.
    #[must_use]
    pub fn and(self, other: impl Into<Condition>) -> Condition {
        let mut list = match self {
            Condition::And(list) => list,
            one => vec![one],
        };
        list.push(other.into());
        Condition::And(list)
    }

    /// At least one of the two.
    #[must_use]
    pub fn or(self, other: impl Into<Condition>) -> Condition {
        let mut list = match self {
            Condition::Or(list) => list,
            one => vec![one],
        };
        list.push(other.into());
        Condition::Or(list)
    }

    /// Writes the condition. `tight`: others stand beside it, so that an OR, or a text that may have one, needs parentheses.
    pub(crate) fn write(&self, schema: &Schema, tight: bool, sql: &mut Sql<'_>) -> Result<()> {
        match self {
            Condition::Compare(operator, column, value) => {
                sql.column(schema, column)?;
                sql.push(&[" ", operator, " "]);
                sql.arg(value.value(column)?);
            }
            // Standard SQL has no empty list. `IN (NULL)` would fit no row, but neither would its NOT.
            Condition::In(column, values) if values.is_empty() => {
                schema.field(column)?;
                sql.push(&["1 = 0"]);
            }
            Condition::In(column, values) => {
                sql.column(schema, column)?;
                sql.push(&[" IN ("]);
                for (at, value) in values.iter().enumerate() {
                    sql.push(&[if at > 0 { ", " } else { "" }]);
                    sql.arg(value.value(column)?);
                }
                sql.push(&[")"]);
            }
            Condition::Null(column) => {
                sql.column(schema, column)?;
                sql.push(&[" IS NULL"]);
            }
            Condition::Raw(raw) if tight => {
                sql.push(&["("]);
                sql.raw(raw)?;
                sql.push(&[")"]);
            }
            Condition::Raw(raw) => sql.raw(raw)?,
            Condition::And(list) => write_list(list, " AND ", schema, sql)?,
            Condition::Or(list) if tight => {
                sql.push(&["("]);
                write_list(list, " OR ", schema, sql)?;
                sql.push(&[")"]);
            }
            Condition::Or(list) => write_list(list, " OR ", schema, sql)?,
            Condition::Not(inner) => {
                sql.push(&["NOT ("]);
                inner.write(schema, false, sql)?;
                sql.push(&[")"]);
            }
        }
        Ok(())
    }
}

fn write_list(list: &[Condition], word: &str, schema: &Schema, sql: &mut Sql<'_>) -> Result<()> {
    for (at, condition) in list.iter().enumerate() {
        sql.push(&[if at > 0 { word } else { "" }]);
        condition.write(schema, true, sql)?;
    }
    Ok(())
}

impl std::ops::Not for Condition {
    type Output = Condition;

    fn not(self) -> Condition {
        Condition::Not(Box::new(self))
    }
}

impl From<Raw> for Condition {
    fn from(raw: Raw) -> Condition {
        Condition::Raw(raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Field, Sqlite};

    const USER: Schema =
        Schema::new("User", &[Field::of::<String>("Name"), Field::of::<i32>("Age")]);

    fn text(condition: impl Into<Condition>) -> Result<(String, Vec<Value>)> {
        let mut sql = Sql::new(&Sqlite);
        condition.into().write(&USER, false, &mut sql)?;
        Ok((sql.text, sql.args))
    }

    #[test]
    fn conditions_combine_as_they_are_nested() {
        let (tom, grown) = (|| col("Name").eq("Tom"), || col("Age").ge(18));
        let cases = [
            (tom(), r#""Name" = ?"#),
            (tom().and(grown()), r#""Name" = ? AND "Age" >= ?"#),
            (tom().and(tom().or(grown())), r#""Name" = ? AND ("Name" = ? OR "Age" >= ?)"#),
            (tom().or(grown().and(tom())), r#""Name" = ? OR "Age" >= ? AND "Name" = ?"#),
            (!tom().or(grown()), r#"NOT ("Name" = ? OR "Age" >= ?)"#),
            (tom().and(raw("1 = 1 OR 2 = 2")), r#""Name" = ? AND (1 = 1 OR 2 = 2)"#),
            (col("Age").is_in([1, 2]), r#""Age" IN (?, ?)"#),
            (col("Age").is_in([0; 0]), "1 = 0"),
            (!col("Age").is_in([0; 0]), "NOT (1 = 0)"),
            (!col("Age").is_null(), r#"NOT ("Age" IS NULL)"#),
            (col("Name").like("T%"), r#""Name" LIKE ?"#),
        ];
        for (condition, want) in cases {
            assert_eq!(text(condition).unwrap().0, want);
        }
        assert_eq!(text(tom().and(grown())).unwrap().1, ["Tom".into(), 18.into()]);
    }

    #[test]
    fn a_bad_name_value_or_number_of_values_is_an_error() {
        assert!(matches!(text(col("Age\" = 1 --").eq(1)), Err(Error::NoSuchColumn { .. })));
        assert!(
            matches!(text(col("Age").eq(u64::MAX)), Err(Error::TypeMismatch { column, .. }) if column == "Age")
        );
        assert!(matches!(text(raw("Age = ?")), Err(Error::Misuse(_))));
        assert!(matches!(text(raw("Age = 1").bind(1)), Err(Error::Misuse(_))));
    }

    #[test]
    #[ignore = "an exercise: passes when you have solved it"]
    fn exercise_two_nots_are_none() {
        assert_eq!(text(!!col("Age").eq(1)).unwrap().0, r#""Age" = ?"#);
        assert_eq!(text(!!!col("Age").eq(1)).unwrap().0, r#"NOT ("Age" = ?)"#);
    }
}
