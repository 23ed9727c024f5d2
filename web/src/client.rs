//! An HTTP client (used by the cache's and the RPC's nodes): one request, one answer, connections
//! kept for the next.
//!
//! ```
//! use web::{Client, Engine};
//!
//! let mut engine = Engine::new();
//! engine.log_routes = false;
//! engine.get("/hello", |c| c.string(200, "hello"))?;
//! let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
//! let url = format!("http://{}/hello", listener.local_addr().unwrap());
//! std::thread::spawn(move || engine.serve(listener)); // ends with the program
//!
//! let client = Client::new();
//! let answer = client.get(&url)?;
//! assert_eq!((answer.status, &answer.body[..]), (200, &b"hello"[..]));
//! # Ok::<(), web::Error>(())
//! ```
//!
//! The same `head.rs`, `body.rs` and `connection.rs` that serve requests read answers: HTTP is
//! nearly the same in both directions. What is different: an answer may have no length and then
//! ends with the connection; and an answer's body depends on the *request* (none for HEAD).
//!
//! # A kept connection may be dead
//! A server may close a kept connection at any time, also while our request is on its way. If it
//! ends before the first octet of an answer, a request that may be repeated without harm (GET,
//! HEAD, PUT, DELETE, OPTIONS) is sent once more on a fresh connection; a POST is not, since the
//! server may have acted upon it (RFC 9110 section 9.2.2).
//!
//! # Limits
//! No redirects are followed, no cookies kept, no proxies asked, and there is no TLS in std:
//! `https://` is refused. Real clients: `ureq`, `reqwest`.

use std::collections::HashMap;
use std::io;
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::connection::{Connection, Stream, is_timeout, left};
use crate::head::{Facts, Lines, decimal};
use crate::headers::Headers;
use crate::{Error, Limits, Request, Result};

/// Sends requests and keeps connections. Share one between threads.
#[derive(Debug)]
pub struct Client {
    /// For one address; a name may have several, which are tried in turn. 3 s.
    pub connect_timeout: Duration,
    /// From the call to the end of the answer. 30 s.
    pub total_timeout: Duration,
    /// A longer answer is an error. 64 MiB.
    pub body_bytes_max: u64,
    /// Connections kept for each host. 64.
    pub idle_max: usize,
    /// Kept connections by `host:port`, the most recently used last.
    idle: Mutex<HashMap<String, Vec<Connection>>>,
}

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The status line's text after the version: `404 Not Found`.
    pub status_text: String,
    /// The header fields.
    pub headers: Headers,
    /// The body, decoded from its chunks.
    pub body: Vec<u8>,
}

/// A request to be sent by [`Client::send`].
#[derive(Debug)]
pub struct Outgoing {
    method: String,
    url: String,
    headers: Headers,
    body: Vec<u8>,
    error: Option<Error>,
}

impl Outgoing {
    /// A request without fields or body; `url` is `http://host[:port]/path?query`.
    #[must_use]
    pub fn new(method: &str, url: &str) -> Self {
        let (method, url) = (method.to_owned(), url.to_owned());
        Outgoing { method, url, headers: Headers::new(), body: Vec::new(), error: None }
    }

    /// Adds a header field. One that must not be sent is [`Client::send`]'s error.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Err(error) = self.headers.append(name, value) {
            self.error = Some(error);
        }
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

impl Default for Client {
    fn default() -> Self {
        Client {
            connect_timeout: Duration::from_secs(3),
            total_timeout: Duration::from_secs(30),
            body_bytes_max: 64 * 1024 * 1024,
            idle_max: 64,
            idle: Mutex::default(),
        }
    }
}

impl Client {
    /// A client with the default limits.
    #[must_use]
    pub fn new() -> Self {
        Client::default()
    }

    /// Asks for a URL.
    ///
    /// # Errors
    /// As for [`Client::send`].
    pub fn get(&self, url: &str) -> Result<Answer> {
        self.send(Outgoing::new("GET", url))
    }

    /// Sends a request and waits for the whole answer, whatever its status.
    ///
    /// # Errors
    /// [`Error::Url`] for a URL that is not `http://host…`; [`Error::InvalidHeader`];
    /// [`Error::Io`] if the server cannot be reached, is too slow ([`io::ErrorKind::TimedOut`]) or
    /// ends too early; [`Error::Refused`] if the answer is not HTTP or too large.
    pub fn send(&self, outgoing: Outgoing) -> Result<Answer> {
        let deadline = Instant::now() + self.total_timeout;
        let (authority, target) = split_url(&outgoing.url)?;
        if let Some(error) = outgoing.error {
            return Err(error);
        }
        let head = head(&outgoing, &authority, target)?;
        let doing = || format!("{} {}", outgoing.method, outgoing.url);
        let repeatable = matches!(&*outgoing.method, "GET" | "HEAD" | "PUT" | "DELETE" | "OPTIONS");
        let mut kept = self.take_idle(&authority);
        loop {
            let was_kept = kept.is_some();
            let mut connection = match kept.take() {
                Some(connection) => Box::new(connection),
                None => self.connect(&authority, deadline).map_err(|e| Error::io(doing(), e))?,
            };
            connection.deadline = Some(deadline);
            let sent =
                connection.write(head.as_bytes()).and_then(|()| connection.write(&outgoing.body));
            // A server may answer before it has read all, and then stop reading: look for that.
            let first =
                connection.flush().and(sent).and_then(|()| connection.fill(self.total_timeout));
            match first {
                Ok(1..) => return self.read_answer(connection, &outgoing.method, authority, doing),
                Ok(0) | Err(_) if was_kept && repeatable && left(deadline).is_some() => {}
                Ok(0) => {
                    let ended = io::Error::from(io::ErrorKind::UnexpectedEof);
                    return Err(Error::io(doing(), ended));
                }
                Err(error) => return Err(Error::io(doing(), timed_out(error))),
            }
        }
    }

    /// Reads an answer whose first octets are buffered, and keeps the connection if it can be.
    fn read_answer(
        &self,
        mut connection: Box<Connection>,
        method: &str,
        authority: String,
        doing: impl Fn() -> String,
    ) -> Result<Answer> {
        let mut answer = loop {
            let (answer, facts) = read_head(&mut connection, &doing)?;
            // 100 Continue and 103 Early Hints come before the answer.
            if answer.status >= 200 {
                break (answer, facts);
            }
        };
        let (status, facts) = (answer.0.status, &answer.1);
        let bodyless = method == "HEAD" || status == 204 || status == 304;
        let framed = bodyless || facts.chunked || facts.content_length.is_some();
        // The body is read by the code that reads a request's.
        let mut request = Request::default();
        if bodyless {
            request.body.start(None, false, false);
        } else if framed {
            request.body.start(facts.content_length, facts.chunked, false);
        } else {
            request.body.start_until_close();
        }
        connection.limits.body_bytes_max = self.body_bytes_max;
        request.body.lend(connection);
        let body = request.body.bytes().map_err(|error| match error {
            Error::Io { source, .. } => Error::io(doing(), timed_out(source)),
            Error::Refused { status: 408, .. } => {
                Error::io(doing(), io::ErrorKind::TimedOut.into())
            }
            other => other,
        });
        answer.0.body = body?.to_vec();
        let keep = framed && !answer.1.close && answer.0.keep_alive(&answer.1);
        if let (true, Some(connection)) = (keep, request.body.connection.take()) {
            self.keep(authority, *connection);
        }
        Ok(answer.0)
    }

    fn take_idle(&self, authority: &str) -> Option<Connection> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).get_mut(authority)?.pop()
    }

    fn keep(&self, authority: String, connection: Connection) {
        if connection.buffered().is_empty() {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            let kept = idle.entry(authority).or_default();
            if kept.len() < self.idle_max {
                kept.push(connection);
            }
        }
    }

    /// Tries every address of the name: `localhost` may be `::1` first and the server only on
    /// `127.0.0.1`.
    fn connect(&self, authority: &str, deadline: Instant) -> io::Result<Box<Connection>> {
        let with_port = match authority.rsplit_once(':') {
            Some((_, port)) if port.bytes().all(|b| b.is_ascii_digit()) => authority.to_owned(),
            _ => format!("{authority}:80"),
        };
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        for addr in with_port.to_socket_addrs()? {
            let Some(left) = left(deadline) else { return Err(io::ErrorKind::TimedOut.into()) };
            match TcpStream::connect_timeout(&addr, left.min(self.connect_timeout)) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    let limits = Limits { write_timeout: left, ..Limits::default() };
                    return Connection::new(Box::new(stream), limits).map(Box::new);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

impl Answer {
    fn keep_alive(&self, facts: &Facts) -> bool {
        !self.status_text.is_empty()
            && (self.headers.text.starts_with(b"HTTP/1.1") || facts.keep_alive)
    }
}

/// The host (with its port) and the target of `http://host:port/path?query#fragment`.
fn split_url(url: &str) -> Result<(String, &str)> {
    let bad = |reason| Error::Url { url: url.to_owned(), reason };
    let rest = match url.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("https") => {
            return Err(bad("std has no TLS; only http:// can be asked"));
        }
        _ => return Err(bad("it does not begin with http://")),
    };
    let rest = rest.split('#').next().unwrap_or_default();
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at(end);
    if !crate::head::is_authority(authority.as_bytes()) {
        return Err(bad("the host is not host[:port]"));
    }
    if target.bytes().any(|b| b <= b' ' || b == 0x7f) {
        return Err(bad("a space or control character must be written as %XX"));
    }
    Ok((authority.to_owned(), target))
}

fn head(outgoing: &Outgoing, authority: &str, target: &str) -> Result<String> {
    let Outgoing { method, body, headers, .. } = outgoing;
    if !crate::http::is_token(method.as_bytes()) {
        return Err(Error::Url { url: outgoing.url.clone(), reason: "the method is not a token" });
    }
    let slash = if target.starts_with('/') { "" } else { "/" };
    let mut head =
        format!("{method} {slash}{target} HTTP/1.1\r\nHost: {authority}\r\n").into_bytes();
    headers.write_to(&mut head);
    if !body.is_empty() || matches!(&**method, "POST" | "PUT" | "PATCH") {
        head.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
    }
    head.extend_from_slice(b"\r\n");
    String::from_utf8(head).map_err(|_| Error::Form("a header is not UTF-8"))
}

fn read_head(connection: &mut Connection, doing: &impl Fn() -> String) -> Result<(Answer, Facts)> {
    let refuse = |reason| Err(Error::Refused { status: 502, reason });
    let (mut lines, mut facts, mut headers) = (Lines::default(), Facts::default(), Headers::new());
    let mut status = None;
    loop {
        while let Some((line, bare)) = lines.next(connection.buffered()) {
            let text = &connection.buffered()[line.clone()];
            if bare {
                return refuse("a line of the answer ends in LF without CR");
            }
            if status.is_none() {
                status = Some(status_line(text).ok_or(Error::Refused {
                    status: 502,
                    reason: "the answer does not begin with HTTP/1.x and a status",
                })?);
            } else if text.is_empty() {
                headers.text = connection.buffered()[..lines.start].to_vec();
                connection.consume(lines.start);
                let (status, status_text) = status.unwrap_or_default();
                if facts.chunked && facts.content_length.is_some() {
                    return refuse("the answer has Transfer-Encoding beside Content-Length");
                }
                return Ok((Answer { status, status_text, headers, body: Vec::new() }, facts));
            } else if headers.len() == connection.limits.fields_max {
                return refuse("the answer has too many header fields");
            } else {
                facts.field(text, line.start, &mut headers).map_err(as_bad_answer)?;
            }
        }
        if connection.buffered().len() > connection.limits.head_bytes_max {
            return refuse("the answer's head is too large");
        }
        match connection.fill(Duration::MAX) {
            Ok(0) => return refuse("the answer ends inside its head"),
            Ok(_) => {}
            Err(error) => return Err(Error::io(doing(), timed_out(error))),
        }
    }
}

/// `HTTP/1.1 404 Not Found` as 404 and `404 Not Found`.
fn status_line(line: &[u8]) -> Option<(u16, String)> {
    let rest = line.strip_prefix(b"HTTP/1.")?;
    let text = rest.get(2..).filter(|_| rest[0].is_ascii_digit() && rest[1] == b' ')?;
    let code = decimal(text.get(..3)?)?;
    let known = (100..600).contains(&code) && matches!(text.get(3), None | Some(b' '));
    let code = u16::try_from(code).ok().filter(|_| known)?;
    Some((code, String::from_utf8_lossy(text).trim_end().to_owned()))
}

fn as_bad_answer(error: Error) -> Error {
    match error {
        Error::Refused { reason, .. } => Error::Refused { status: 502, reason },
        other => other,
    }
}

/// Linux says "would block" when a socket's timeout runs out.
fn timed_out(error: io::Error) -> io::Error {
    if is_timeout(&error) { io::ErrorKind::TimedOut.into() } else { error }
}

impl Stream for TcpStream {
    fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        TcpStream::set_read_timeout(self, timeout)
    }
    fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        TcpStream::set_write_timeout(self, timeout)
    }
    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        TcpStream::shutdown(self, how)
    }
}
