//! A response (day 1): status, fields and a body that is held back until all is well.
//!
//! ```text
//! HTTP/1.1 200 OK␍␊                          status line
//! Date: Sun, 06 Nov 1994 08:49:37 GMT␍␊      the server's own fields: Date, and one of
//! Content-Length: 5␍␊                        Content-Length or Transfer-Encoding
//! Content-Type: text/plain; charset=utf-8␍␊  the handler's fields
//! ␍␊
//! hello
//! ```
//!
//! Go's `ResponseWriter` sends the status with the first body byte, and from then on a failure can
//! no longer be told to the client. Here nothing is sent while handlers run, so that a template
//! that fails half-way becomes a clean 500. What is too large to hold is a [`Content::File`] or a
//! [`Content::Stream`], which run after the chain.
//!
//! Framing is the server's business: Content-Length, Transfer-Encoding, Date and Connection that a
//! handler sets are dropped, and `Connection: close` is obeyed first. References: RFC 9110 sections
//! 6.6.1, 8.6, 15; RFC 9112 section 6.

use std::fs::File;
use std::io::{self, Read, Write};

use crate::connection::Connection;
use crate::headers::Headers;
use crate::http::{reason, write_date_line};

/// What a handler answers.
#[derive(Debug)]
pub struct Response {
    status: u16,
    /// The fields, but for those that the server adds.
    pub headers: Headers,
    /// The body.
    pub content: Content,
}

/// A stream's writer function: called once, after the chain, with the body to write to.
pub type StreamFn = Box<dyn FnOnce(&mut dyn Write) -> io::Result<()> + Send>;

/// What a body is made of.
pub enum Content {
    /// Octets in memory; the usual case.
    Bytes(Vec<u8>),
    /// The next so many octets of an open file.
    File(File, u64),
    /// Written while it is sent, in chunks; `flush` sends what has been written so far. An error
    /// cuts the connection off, so that the client sees that the answer is not whole.
    Stream(StreamFn),
}

impl Default for Content {
    fn default() -> Self {
        Content::Bytes(Vec::new())
    }
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Content::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Content::File(_, length) => write!(f, "File({length})"),
            Content::Stream(_) => f.write_str("Stream"),
        }
    }
}

impl Default for Response {
    fn default() -> Self {
        Response::new()
    }
}

impl Response {
    /// An empty 200.
    #[must_use]
    pub fn new() -> Self {
        Response { status: 200, headers: Headers::new(), content: Content::default() }
    }

    /// The status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Sets the status code.
    ///
    /// # Panics
    /// Outside 200-599: a final answer is none of the 1xx.
    pub fn set_status(&mut self, status: u16) {
        assert!((200..600).contains(&status), "{status} is not a final status code");
        self.status = status;
    }

    /// The body in memory, emptied of what was there before, to be written into. A file or a stream
    /// that was there is let go.
    pub fn body(&mut self) -> &mut Vec<u8> {
        if let Content::Bytes(bytes) = &mut self.content {
            bytes.clear();
        } else {
            self.content = Content::default();
        }
        match &mut self.content {
            Content::Bytes(bytes) => bytes,
            _ => unreachable!("invariant: set above"),
        }
    }

    /// The body as it would be sent; a file or stream is run to its end.
    ///
    /// # Errors
    /// Those of the file or the stream.
    pub fn into_bytes(self) -> io::Result<Vec<u8>> {
        match self.content {
            Content::Bytes(bytes) => Ok(bytes),
            Content::File(file, length) => {
                let mut bytes = Vec::new();
                file.take(length).read_to_end(&mut bytes).map(|_| bytes)
            }
            Content::Stream(run) => {
                let mut bytes = Vec::new();
                run(&mut bytes).map(|()| bytes)
            }
        }
    }

    /// Back to an empty 200, keeping the memory.
    pub fn reset(&mut self) {
        self.status = 200;
        self.headers.clear();
        self.body();
    }

    /// [`Response::reset`] for an answer that failed on the way. What says whom an answer is for
    /// stays: without `Access-Control-Allow-Origin` a browser would hide the failure from the page.
    pub fn start_over(&mut self) {
        self.status = 200;
        self.headers.retain(|name| {
            let cors = name.get(..15).is_some_and(|n| n.eq_ignore_ascii_case("Access-Control-"));
            cors || name.eq_ignore_ascii_case("Vary")
        });
        self.body();
    }

    /// Writes head and body to the connection. `closing` says that it is the last answer.
    /// `Err` means that the answer is not whole and the connection must be cut.
    pub(crate) fn send(
        &mut self,
        connection: &mut Connection,
        head_only: bool,
        minor: u8,
        closing: bool,
    ) -> io::Result<()> {
        let bodyless = self.status == 204 || self.status == 304;
        self.write_head(&mut connection.output, minor, closing, bodyless);
        if head_only || bodyless {
            self.body(); // lets go of a file now, not when the next request comes
            return Ok(());
        }
        match std::mem::take(&mut self.content) {
            Content::Bytes(bytes) => {
                let result = connection.write(&bytes);
                if bytes.capacity() <= KEPT_BYTES_MAX {
                    self.content = Content::Bytes(bytes);
                }
                result
            }
            Content::File(file, length) => {
                let copied = copy(&mut file.take(length), connection)?;
                // The file shrank: the promised length cannot be kept.
                if copied == length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
            }
            Content::Stream(run) => {
                let mut writer =
                    BodyWriter { connection, chunked: minor == 1, pending: Vec::new() };
                run(&mut writer)?;
                writer.finish()
            }
        }
    }

    fn write_head(&mut self, out: &mut Vec<u8>, minor: u8, closing: bool, bodyless: bool) {
        if self.status == 200 {
            out.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
        } else {
            out.extend_from_slice(b"HTTP/1.1 ");
            push_decimal(out, u64::from(self.status));
            out.push(b' ');
            out.extend_from_slice(reason(self.status).as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        write_date_line(out);
        let length = match &self.content {
            Content::Bytes(bytes) => Some(bytes.len() as u64),
            Content::File(_, length) => Some(*length),
            Content::Stream(_) => None,
        };
        if let (Some(length), false) = (length, bodyless) {
            out.extend_from_slice(b"Content-Length: ");
            push_decimal(out, length);
            out.extend_from_slice(b"\r\n");
        } else if length.is_none() && minor == 1 && !bodyless {
            out.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
        }
        if closing {
            out.extend_from_slice(b"Connection: close\r\n");
        } else if minor == 0 {
            out.extend_from_slice(b"Connection: keep-alive\r\n");
        }
        for name in ["Content-Length", "Transfer-Encoding", "Date", "Connection"] {
            self.headers.remove(name);
        }
        if length.unwrap_or(1) > 0 && !bodyless && self.headers.get_bytes("Content-Type").is_none()
        {
            let bytes = if let Content::Bytes(bytes) = &self.content { &bytes[..] } else { b"\0" };
            self.headers.push("Content-Type", sniff(bytes));
        }
        self.headers.write_to(out);
        out.extend_from_slice(b"\r\n");
    }
}

/// A body's memory larger than this is not kept for the next request or response.
pub(crate) const KEPT_BYTES_MAX: usize = 64 * 1024;

/// The type of a body that came without one: HTML by its first tag, text if it is UTF-8 without
/// control characters, else octets. (Go and the browsers know more signatures.)
fn sniff(bytes: &[u8]) -> &'static str {
    let start = bytes.trim_ascii_start();
    let is_html = [&b"<!doctype html"[..], b"<html", b"<head", b"<body", b"<h1", b"<p>", b"<div"]
        .iter()
        .any(|tag| start.len() >= tag.len() && start[..tag.len()].eq_ignore_ascii_case(tag));
    let binary = |b: &u8| *b < 0x20 && !b"\t\n\x0c\r\x1b".contains(b);
    if is_html {
        "text/html; charset=utf-8"
    } else if std::str::from_utf8(bytes).is_ok() && !bytes.iter().any(binary) {
        "text/plain; charset=utf-8"
    } else {
        "application/octet-stream"
    }
}

/// Appends the digits without allocating; a length is written for every answer.
fn push_decimal(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [b'0'; 20];
    let mut at = digits.len();
    while at == digits.len() || number > 0 {
        at -= 1;
        digits[at] += (number % 10).to_le_bytes()[0];
        number /= 10;
    }
    out.extend_from_slice(&digits[at..]);
}

/// Sends the file block by block; how many octets it had.
fn copy(file: &mut impl Read, connection: &mut Connection) -> io::Result<u64> {
    let mut block = vec![0; 64 * 1024];
    let mut copied = 0;
    loop {
        let got = file.read(&mut block)?;
        if got == 0 {
            return Ok(copied);
        }
        connection.write(&block[..got])?;
        copied += got as u64;
    }
}

/// Frames what a stream writes: chunks for 1.1, bare octets up to the close for 1.0.
struct BodyWriter<'a> {
    connection: &'a mut Connection,
    chunked: bool,
    pending: Vec<u8>,
}

/// Small writes are gathered into chunks of this size.
const CHUNK_BYTES: usize = 8 * 1024;

impl BodyWriter<'_> {
    fn send_chunk(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(()); // an empty chunk would end the body
        }
        if self.chunked {
            self.connection.write(format!("{:x}\r\n", bytes.len()).as_bytes())?;
        }
        self.connection.write(bytes)?;
        if self.chunked { self.connection.write(b"\r\n") } else { Ok(()) }
    }

    fn send_pending(&mut self) -> io::Result<()> {
        let mut pending = std::mem::take(&mut self.pending);
        let result = self.send_chunk(&pending);
        pending.clear();
        self.pending = pending;
        result
    }

    fn finish(mut self) -> io::Result<()> {
        self.send_pending()?;
        if self.chunked { self.connection.write(b"0\r\n\r\n") } else { Ok(()) }
    }
}

impl Write for BodyWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.pending.len() + bytes.len() > CHUNK_BYTES {
            self.send_pending()?;
        }
        if bytes.len() > CHUNK_BYTES {
            self.send_chunk(bytes)?;
        } else {
            self.pending.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send_pending()?;
        self.connection.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    /// The connection may be idle for long after it: a file must not stay open so long.
    #[test]
    fn an_answer_without_its_body_lets_go_of_what_it_would_have_sent() {
        let file = Arc::new(());
        let lent = Arc::clone(&file);
        let mut response = Response::new();
        response.content = Content::Stream(Box::new(move |out| write!(out, "{lent:?}")));
        let mut connection = Connection::from_memory(Vec::new());
        response.send(&mut connection, true, 1, false).unwrap();
        assert_eq!(Arc::strong_count(&file), 1);
    }
}
