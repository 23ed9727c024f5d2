//! A request (day 1): the head's octets, and where its parts stand in them.
//!
//! ```
//! let mut request = web::Request::new("POST", "/hello%20you?name=gee").with_body("age=7");
//! assert_eq!((request.method(), request.path()), ("POST", "/hello you"));
//! assert_eq!(request.query(), "name=gee");
//! assert_eq!(request.body.bytes()?, b"age=7");
//! # Ok::<(), web::Error>(())
//! ```
//!
//! Nothing is copied out but the decoded path. Method, target and every field are ranges into
//! [`Request::head`], and the request itself is used again for the next one on its connection, so
//! that in steady state a request allocates nothing.

use std::net::SocketAddr;
use std::ops::Range;

use crate::body::Body;
use crate::connection::Connection;
use crate::head::{Facts, HeadParser, refuse, request_line, split_target};
use crate::headers::Headers;
use crate::{Limits, Result, url};

/// One request, as a handler sees it.
#[derive(Debug, Default)]
pub struct Request {
    /// Its text is the whole head; the ranges below are places in it.
    pub(crate) headers: Headers,
    method: Range<usize>,
    target: Range<usize>,
    /// The host and port of an absolute target.
    authority: Option<Range<usize>>,
    query: Range<usize>,
    pub(crate) minor: u8,
    /// The path with `%XX` decoded.
    path: String,
    /// Whether the client wants the connection to stay open.
    pub(crate) keep_alive: bool,
    /// Where the route's wildcards stand in `path`; filled by the router.
    pub(crate) params: Vec<Range<usize>>,
    pub(crate) peer: Option<SocketAddr>,
    /// The body, read when asked for.
    pub body: Body,
}

impl Request {
    /// A request that never saw a socket, for tests and for `Engine::handle`: HTTP/1.1, with
    /// `Host: localhost` and no body.
    ///
    /// # Panics
    /// If the server would refuse such a request: a method that is no token, a target without a
    /// leading slash, one with a space in it.
    #[must_use]
    pub fn new(method: &str, target: &str) -> Self {
        Request::from_head(&format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
    }

    fn from_head(head: &str) -> Self {
        let mut request = Request::default();
        let mut connection = Connection::from_memory(head.as_bytes().to_vec());
        match connection.read_head(&mut request) {
            Ok(true) => {}
            other => panic!("a server would refuse this request ({other:?}): {head:?}"),
        }
        request.body.lend(Box::new(connection));
        request
    }

    /// This request with one more header field.
    ///
    /// # Panics
    /// If the field could not be sent.
    #[must_use]
    pub fn with_header(self, name: &str, value: &str) -> Self {
        let head = String::from_utf8_lossy(self.head());
        let head = head.strip_suffix("\r\n").unwrap_or_default();
        Request::from_head(&format!("{head}{name}: {value}\r\n\r\n"))
    }

    /// This request with a body and its Content-Length. Add headers first.
    #[must_use]
    pub fn with_body(self, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let mut request = self.with_header("Content-Length", &body.len().to_string());
        request.body.lend(Box::new(Connection::from_memory(body)));
        request
    }

    /// Reads a head from the beginning of `input`, in place of what this request was before.
    /// `Ok(Some(length))` when it was whole, `Ok(None)` when more octets are needed. The body is not
    /// attached; a [`Server`](crate::Server) does that.
    ///
    /// # Errors
    /// [`crate::Error::Refused`] if a server would refuse it.
    pub fn parse(&mut self, input: &[u8], limits: &Limits) -> Result<Option<usize>> {
        self.reset();
        HeadParser::default().advance(input, limits, self)
    }

    /// The method, case kept: `GET`.
    #[must_use]
    pub fn method(&self) -> &str {
        self.text(&self.method)
    }

    /// The path, decoded once, without the query: `/a%2Fb` and `/a/b` are both `/a/b` (Go's
    /// servers route so too). Octets that are not UTF-8 became U+FFFD; [`Request::target`] has
    /// them as sent.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Path and query as the client sent them: `/hello%20you?name=gee`.
    #[must_use]
    pub fn target(&self) -> &[u8] {
        &self.headers.text[self.target.clone()]
    }

    /// The query as sent, without its `?`; empty if there is none.
    #[must_use]
    pub fn query(&self) -> &str {
        self.text(&self.query)
    }

    /// The host that was asked for, with its port if it was given: that of an absolute target,
    /// else of the Host field; empty for a 1.0 request without one.
    #[must_use]
    pub fn host(&self) -> &str {
        match &self.authority {
            Some(range) => self.text(range),
            None => self.headers.get("Host").unwrap_or_default(),
        }
    }

    /// `HTTP/1.1` or `HTTP/1.0`; a later 1.x counts as 1.1.
    #[must_use]
    pub fn version(&self) -> &'static str {
        if self.minor == 0 { "HTTP/1.0" } else { "HTTP/1.1" }
    }

    /// The header fields.
    #[must_use]
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The whole head as received: request line, fields, and the empty line.
    #[must_use]
    pub fn head(&self) -> &[u8] {
        &self.headers.text[self.method.start..]
    }

    /// Where the parser saw what in [`Request::head`], in order: `method`, `target` (up to its
    /// query), `query`, `version`, then `name` and `value` of each field. What stands between them
    /// is spaces, a question mark, colons and line ends.
    ///
    /// ```
    /// let request = web::Request::new("GET", "/hello?name=gee");
    /// let parts = request.parts();
    /// assert_eq!(parts[1..3], [(4..10, "target"), (11..19, "query")]);
    /// assert_eq!(&request.head()[parts[5].0.clone()], b"localhost");
    /// ```
    #[must_use]
    pub fn parts(&self) -> Vec<(Range<usize>, &'static str)> {
        // One space ends the target, and every version that is accepted is as long as this one.
        let version = self.target.end + 1..self.target.end + 1 + "HTTP/1.1".len();
        let asked = self.headers.text[self.target.clone()].contains(&b'?');
        let path_end = if asked { self.query.start - 1 } else { self.target.end };
        let line = [
            (self.method.clone(), "method"),
            (self.target.start..path_end, "target"),
            (self.query.clone(), "query"),
            (version, "version"),
        ];
        let fields = self.headers.fields.iter();
        let fields = fields.flat_map(|f| [(f.name.clone(), "name"), (f.value.clone(), "value")]);
        // An empty line may come before a request; the head begins after it.
        let start = self.method.start;
        line.into_iter()
            .chain(fields)
            .map(|(range, what)| (range.start - start..range.end - start, what))
            .collect()
    }

    /// The address the request came from; `None` if it never saw a socket.
    #[must_use]
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.peer
    }

    fn text(&self, range: &Range<usize>) -> &str {
        std::str::from_utf8(&self.headers.text[range.clone()]).unwrap_or_default()
    }

    /// Forgets the request before, keeping its memory unless its body was large.
    pub(crate) fn reset(&mut self) {
        self.headers.clear();
        self.params.clear();
        self.body.forget();
    }

    /// Takes the request line, which stands at `at` of the head.
    pub(crate) fn start(&mut self, line: &[u8], at: usize) -> Result<()> {
        let (method, target, minor) = request_line(line)?;
        self.method = at + method.start..at + method.end;
        self.target = at + target.start..at + target.end;
        self.minor = minor;
        Ok(())
    }

    /// Takes the complete head and checks what only the whole can tell.
    pub(crate) fn finish(&mut self, head: &[u8], facts: &Facts) -> Result<()> {
        if facts.hosts > 1 || (facts.hosts == 0 && self.minor == 1) {
            return refuse(400, "there must be exactly one Host");
        }
        if facts.chunked && (facts.content_length.is_some() || self.minor == 0) {
            return refuse(400, "Transfer-Encoding beside Content-Length, or in HTTP/1.0");
        }
        let (path, authority) =
            split_target(&head[self.method.clone()], &head[self.target.clone()])?;
        let target = &head[self.target.clone()][path.clone()];
        let end = target.iter().position(|&b| b == b'?').unwrap_or(target.len());
        let base = self.target.start + path.start;
        self.query = (base + end + 1).min(self.target.end)..self.target.end;
        self.authority = authority.map(|r| self.target.start + r.start..self.target.start + r.end);
        self.headers.text.clear();
        self.headers.text.extend_from_slice(head);
        self.set_path(base..base + end);
        self.keep_alive = !facts.close && (self.minor == 1 || facts.keep_alive);
        let expects = facts.expect_continue && self.minor == 1;
        self.body.start(facts.content_length, facts.chunked, expects);
        Ok(())
    }

    fn set_path(&mut self, range: Range<usize>) {
        let raw = &self.headers.text[range];
        let mut bytes = std::mem::take(&mut self.path).into_bytes();
        bytes.clear();
        if raw.contains(&b'%') {
            url::decode_into(raw, false, &mut bytes);
        } else if raw.is_empty() {
            bytes.push(b'/'); // `http://host` asks for the root
        } else {
            bytes.extend_from_slice(raw);
        }
        self.path = match String::from_utf8(bytes) {
            Ok(path) => path,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        };
    }
}
