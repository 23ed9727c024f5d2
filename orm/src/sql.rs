//! A small SQL engine whose files are SQLite files (day 0), read in this order.
//!
//! | stop | modules |
//! |---|---|
//! | the words | [`value`], [`error`] |

pub mod error;
pub mod value;

pub use error::{Error, Result};
pub use value::{Collation, Value, ValueRef};
