//! What can go wrong with JSON (day 2): a number it has no form for, text that is not JSON, a
//! value of another shape than asked for.

use super::Json;
use std::fmt;

/// Why a value could not be written, read, or turned into a Rust type.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum JsonError {
    /// NaN or an infinity was to be written.
    NotFinite(f64),
    /// The text is not JSON.
    Syntax {
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// What the grammar asks for here.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// The text nests deeper than the parser was told to follow.
    TooDeep {
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// The bound.
        depth_max: usize,
    },
    /// A value is of another shape than the Rust type it is read into.
    Shape {
        /// The way to it from the top: `.students[3].age`; empty at the top itself.
        path: String,
        /// What the type asks for.
        expected: String,
        /// What is there: the start of its text, or `nothing` for a missing field.
        found: String,
    },
}

impl JsonError {
    /// A [`JsonError::Shape`] at the value itself; who called for it adds the way there.
    pub fn shape(expected: impl Into<String>, value: &Json) -> Self {
        const SHOWN: usize = 40;
        // Only as much is written as is shown; a value from outside may be large.
        let mut found = match value {
            Json::Array(_) => "a list".to_owned(),
            Json::Object(_) => "an object".to_owned(),
            Json::String(s) => Json::from(s.chars().take(SHOWN).collect::<String>()).to_string(),
            _ => value.to_string(),
        };
        if matches!(value, Json::String(s) if s.chars().nth(SHOWN).is_some()) {
            found.push_str("...");
        }
        Self::Shape { path: String::new(), expected: expected.into(), found }
    }

    /// The same error seen from one level further out: `step` is `.field` or `[3]`.
    #[must_use]
    pub fn within(mut self, step: &str) -> Self {
        if let Self::Shape { path, .. } = &mut self {
            path.insert_str(0, step);
        }
        self
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFinite(number) => {
                write!(f, "{number} is not a JSON number; write null or a string in its place")
            }
            Self::Syntax { line, column, expected, found } => {
                write!(f, "line {line}, column {column}: expected {expected}, found {found}")
            }
            Self::TooDeep { line, column, depth_max } => write!(
                f,
                "line {line}, column {column}: nested deeper than {depth_max} levels; \
                 flatten the text or raise the bound of parse_to_depth"
            ),
            Self::Shape { path, expected, found } => {
                let path = if path.is_empty() { "the value" } else { path };
                write!(f, "{path}: expected {expected}, got {found}")
            }
        }
    }
}

impl std::error::Error for JsonError {}
