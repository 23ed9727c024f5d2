//! What can go wrong with JSON (day 2): a number it has no form for, text that is not JSON, a
//! value of another shape than asked for.

use std::fmt;

/// Why a value could not be written, read, or turned into a Rust type.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum JsonError {
    /// NaN or an infinity was to be written.
    NotFinite(f64),
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFinite(number) => {
                write!(f, "{number} is not a JSON number; write null or a string in its place")
            }
        }
    }
}

impl std::error::Error for JsonError {}
