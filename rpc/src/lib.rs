//! A net/rpc-like framework (chapter)

pub mod error;
pub mod gob;
pub mod input;
pub mod macros;

pub use error::{Error, Result};
pub use input::{Input, Source};
