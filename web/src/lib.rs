//! A gin-like web framework in seven days, from the socket up, on the standard library alone.

pub mod body;
mod connection;
mod error;
mod head;
pub mod headers;
pub mod http;
pub mod log;
pub mod json;
pub mod pool;
pub mod request;
pub mod response;
pub mod server;
pub mod url;

pub use error::{Error, Result};
pub use headers::Headers;
pub use request::Request;
pub use response::{Content, Response};
pub use server::{Handler, Limits, Server, Stopper};
