//! An embedded SQL engine whose files are SQLite's, and an ORM on top of it, on `std` alone.
//!
//! [`sql`] is day 0, the engine: it knows nothing of the ORM above it.

pub mod sql;
