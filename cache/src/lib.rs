//! A groupcache-like distributed read-through cache in seven days, on the standard library alone.

pub mod bytes;
pub mod crc32;
pub mod error;
pub mod lru;
pub mod proto;
pub mod ring;

pub use bytes::ByteView;
pub use crc32::crc32;
pub use error::{Error, Result};
pub use lru::Lru;
pub use ring::Ring;
