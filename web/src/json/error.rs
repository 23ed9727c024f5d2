//! What can go wrong with JSON (day 2): a number it has no form for, text that is not JSON, a
//! value of another shape than asked for.

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
        }
    }
}

impl std::error::Error for JsonError {}
