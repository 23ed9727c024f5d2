//! Beyond the seven days: what users of the real thing expect on top.
//!
//! - [`dynamic`]: calls without Rust types, JSON in and JSON out; the `call` tool.

pub mod dynamic;
