//! demos placeholder
pub mod fib;
