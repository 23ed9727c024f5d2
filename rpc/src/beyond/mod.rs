//! Beyond the seven days: what users of the real thing expect on top. The course uses none of it.
//!
//! - [`dynamic`]: calls without Rust types, JSON in and JSON out; what the `call` tool is made of.
//! - [`select`]: weighted, consistent hashing by a key, least pending.
//! - [`failover`]: trying another server; choosing by a key.
//! - [`intercept`]: interceptors in a row, and a log of every call.
//! - [`trace`]: names for the bytes of a gob stream.

pub mod dynamic;
pub mod failover;
pub mod intercept;
pub mod select;
pub mod trace;
