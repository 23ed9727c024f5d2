//! A groupcache-like cache.

pub mod beyond;
pub mod bytes;
pub mod crc32;
pub mod error;
pub mod flight;
pub mod group;
pub mod http;
pub mod lru;
pub mod peers;
pub mod proto;
pub mod ring;
pub mod shards;

pub use bytes::ByteView;
pub use crc32::crc32;
pub use error::{Error, Result};
pub use flight::Flight;
pub use group::{Getter, Group, Groups, Stats};
pub use http::{BodyForm, Dialect, HttpPool};
pub use lru::Lru;
pub use peers::{PeerGetter, PeerLimits, PeerPicker};
pub use ring::Ring;
pub use shards::{CacheStats, Shards};
