//! The storage half of `orm::sql` against a model, against power cuts, and against the `sqlite3`
//! program.
//!
//! - [`model`]: random changes agree with a map, and sqlite3 finds the file in order.
//! - [`crash`]: the power fails at every moment, and any unsynced sectors are lost.
//! - [`faults`]: each single operation on the disk fails in turn.
//! - [`foreign`]: files that sqlite3 made are read, written on, recovered.
//! - [`hostile`]: broken files give an error or an answer.
//! - [`kill`]: `kill -9` loses no acknowledged commit.
//! - [`processes`]: two processes write the same file.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too, may fail a test")]

mod crash;
mod faults;
mod foreign;
mod hostile;
mod kill;
mod model;
mod processes;
mod support;
