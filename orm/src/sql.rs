//! A small SQL engine whose files are SQLite files (day 0), read in this order.
//!
//! | stop | modules |
//! |---|---|
//! | the words | [`value`], [`error`] |
//! | read a file | [`varint`], [`record`], [`vfs`], [`disk`], [`header`], [`page`] |
//! | write and journal it | [`journal`], [`cache`], [`pager`], [`savepoint`], [`freelist`], [`btree`] |
//! | check it, look at it | [`check`], [`inspect`] |

pub mod error;
pub mod value;

pub mod disk;
pub mod header;
pub mod page;
pub mod record;
pub mod varint;
pub mod vfs;

pub mod btree;
pub mod cache;
pub mod freelist;
pub mod journal;
pub mod pager;
pub mod savepoint;

pub mod check;
pub mod inspect;

pub use error::{Error, Result};
pub use pager::{Options, Pager};
pub use value::{Collation, Value, ValueRef};
