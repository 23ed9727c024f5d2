//! Day 5 (chapter)
use crate::client::Options;
use crate::codec::Dialect;
use crate::stream::Stream;
use crate::{Error, Result};
use std::time::Instant;

pub(crate) fn connect(_stream: &Stream, _options: &Options, _until: Instant) -> Result<Vec<u8>> {
    let _ = Dialect::NetRpc;
    Err(Error::Handshake("not yet".to_owned()))
}

/// What a CONNECT for `path` is answered, and whether the connection goes on.
pub(crate) fn answer(path: &str) -> (String, bool) {
    match path {
        "/_geeprc_" | "/_geerpc_" => ("HTTP/1.0 200 Connected to Gee RPC\n\n".to_owned(), true),
        "/_goRPC_" => ("HTTP/1.0 200 Connected to Go RPC\n\n".to_owned(), true),
        _ => ("HTTP/1.0 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 19\r\n\r\n404 page not found\n".to_owned(), false),
    }
}
