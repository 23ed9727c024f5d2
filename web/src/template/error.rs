//! What can go wrong with a template (day 6), always with the place in its source.

use std::fmt;
use std::sync::Arc;

/// Where: `students.tmpl:4:7`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The name that the template was added under.
    pub file: Arc<str>,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

impl Place {
    /// The place after `text`, which begins here.
    pub(super) fn after(&self, text: &str) -> Self {
        let lines = text.matches('\n').count();
        let last = text.rsplit('\n').next().unwrap_or_default().chars().count();
        let column = if lines == 0 { self.column + last } else { last + 1 };
        Self { file: self.file.clone(), line: self.line + lines, column }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Why a template could not be loaded or rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TemplateError {
    /// At load: the text between `{{` and `}}` is no action, or `{{end}}` is missing.
    Syntax {
        /// Of the mistake.
        at: Place,
        /// What was expected, and what to do.
        message: String,
    },
    /// At load: a value stands where no escaping makes it safe, or the HTML around it is unclear.
    Context {
        /// Of the action or the HTML.
        at: Place,
        /// Why, and what to do.
        message: String,
    },
    /// At rendering: a function failed, a value is of the wrong kind, a bound was reached.
    Run {
        /// Of the action.
        at: Place,
        /// What failed.
        message: String,
    },
    /// At rendering: no template has this name.
    Unknown {
        /// The name.
        name: String,
    },
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { at, message }
            | Self::Context { at, message }
            | Self::Run { at, message } => write!(f, "{at}: {message}"),
            Self::Unknown { name } => write!(f, "no template is named {name:?}; add it first"),
        }
    }
}

impl std::error::Error for TemplateError {}
