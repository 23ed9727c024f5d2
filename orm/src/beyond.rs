//! Beyond the course: what users of gorm and xorm expect on top of the seven days.
//!
//! | module | what |
//! |---|---|
//! | [`columns`] | some columns into tuples: scan, pluck; last, take, exists |
//! | [`upsert`] | insert, or update what is there |
//! | [`related`] | the records of another table that belong to these, in one query |

pub mod columns;
pub mod related;
pub mod upsert;
