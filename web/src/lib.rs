//! A gin-like web framework in seven days, from the socket up, on the standard library alone.

pub mod url;
