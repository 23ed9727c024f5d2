//! Beyond the course: what users of a real cache expect on top, as additions to the course's types.
//!
//! Nothing in days 1 to 7 needs this folder, and no file of the course imports it. It shows instead
//! where the course left room: an LRU of values with an expiry date is an [`Lru`](crate::Lru) of another
//! value type; the hot and the negative cache are two [`SideCache`](crate::group::SideCache)s; a dialect
//! is a value.
//!
//! | module | what it adds | real-world counterpart |
//! |---|---|---|
//! | [`ttl`] | a time to live per entry | `groupcache` forks (mailgun), memcached |
//! | [`hot`] | a small cache of other nodes' popular values | groupcache's `hotCache` |
//! | [`numbers`] | protobuf's other scalars, packed and not | prost, protobuf |
//! | [`negative`] | remembering that a key does not exist | DNS (RFC 2308) |
//! | [`groupcache`] | the dialect of Go's groupcache | itself |
//! | [`trace`] | names for the bytes of a message | protoscope, Wireshark |
//! | [`look`] | a node's ring and its keys in their order, to be looked at | groupcache's `/stats`, and further |
//! | [`mix`] | [`mix64`], a ring hash without crc32's clusters | xxHash, SipHash in other rings |

pub mod groupcache;
pub mod hot;
pub mod look;
pub mod mix;
pub mod negative;
pub mod numbers;
pub mod trace;
pub mod ttl;

pub use groupcache::GetResponse;
pub use hot::HotCache;
pub use mix::mix64;
pub use negative::NegativeCache;
pub use ttl::Expiring;
