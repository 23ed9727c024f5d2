//! A gin-like web framework in seven days, from the socket up, on the standard library alone.

pub mod beyond;
pub mod body;
pub mod cli;
pub mod client;
mod connection;
mod context;
mod error;
pub mod files;
pub mod form;
mod head;
pub mod headers;
pub mod http;
pub mod json;
pub mod log;
pub mod middleware;
pub mod pool;
mod preconditions;
pub mod recovery;
pub mod request;
pub mod response;
pub mod router;
pub mod server;
pub mod template;
pub mod trie;
pub mod url;

pub use client::{Answer, Client, Outgoing};
pub use context::{Context, TakenOver};
pub use error::{Error, Result};
pub use headers::Headers;
pub use json::Json;
pub use request::Request;
pub use response::{Content, Response};
pub use router::{Engine, Group};
pub use server::{Handler, Limits, Server, Stopper};
