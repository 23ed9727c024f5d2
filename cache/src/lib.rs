//! A groupcache-like distributed read-through cache in seven days, on the standard library alone.

pub mod bytes;
pub mod error;
pub mod lru;
pub mod proto;

pub use bytes::ByteView;
pub use error::{Error, Result};
pub use lru::Lru;
