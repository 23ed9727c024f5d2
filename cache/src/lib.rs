//! A groupcache-like cache.

pub mod beyond;
pub mod bytes;
pub mod crc32;
pub mod error;
pub mod flight;
pub mod group;
pub mod lru;
pub mod peers;
pub mod proto;
pub mod ring;
pub mod shards;

pub use bytes::ByteView;
pub use crc32::crc32;
pub use flight::Flight;
pub use error::{Error, Result};
pub use group::{Getter, Group, Groups, Stats};
pub use lru::Lru;
pub use ring::Ring;
pub use shards::{CacheStats, Shards};
