//! The book: what belongs to no single day.
//!
//! The chapters stand in the modules that they explain. These pages stand apart:
//!
//! | page | read it |
//! |---|---|
//! | [`glossary`] | when a word is not clear |
//! | [`deviations`] | when you know the Go tutorial and something is otherwise here |
//! | [`figures`] | before you believe that this is fast, or slow |
//! | [`deployment`] | before you run any of it for others |

pub mod glossary;
pub mod deviations;
pub mod figures;
pub mod deployment;
