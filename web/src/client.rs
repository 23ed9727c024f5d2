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
//! server may have acted upon it (RFC 9110 section 9.2.2). So a connection is used again only
//! within [`Client::idle_timeout`], which is less than servers commonly wait.
//!
//! # Limits
//! No redirects are followed, no cookies kept, no proxies asked, and there is no TLS in std:
//! `https://` is refused. Looking up a name has no timeout in std; where the deadline must hold, give
//! an address. No thread looks after kept connections: one that is too old is closed when the client
//! is next used, not before. The number of hosts has no bound: this is a client for a few known
//! servers. Real clients: `ureq`, `reqwest`.

mod answer;
mod outgoing;

use std::collections::HashMap;
use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use answer::Answer;
use answer::{as_bad_answer, read_head, timed_out};
pub use outgoing::Outgoing;
use outgoing::split_url;

use crate::connection::{Connection, left, moment};
use crate::{Error, Limits, Result};

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
    /// For how long a kept connection may be used again. 60 s; nginx and our own
    /// [`Server`](crate::Server) close theirs after 75.
    pub idle_timeout: Duration,
    /// Kept connections by `host:port`, the most recently used last.
    idle: Mutex<HashMap<String, Vec<Idle>>>,
}

/// A connection, and since when it has waited.
type Idle = (Connection, Instant);

/// A server that sends more of these 1xx answers is not about to come to the real one.
const INTERIM_MAX: usize = 16;

impl Default for Client {
    fn default() -> Self {
        Client {
            connect_timeout: Duration::from_secs(3),
            total_timeout: Duration::from_secs(30),
            body_bytes_max: 64 * 1024 * 1024,
            idle_max: 64,
            idle_timeout: Duration::from_secs(60),
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
    /// ends before its answer begins; [`Error::Refused`] if the answer is not HTTP, not whole or too
    /// large.
    pub fn send(&self, mut outgoing: Outgoing) -> Result<Answer> {
        let deadline = moment(Instant::now(), self.total_timeout);
        let url = outgoing.url.clone();
        let (authority, target) = split_url(&url)?;
        let head = outgoing.head(&authority, target)?;
        let doing = || format!("{} {}", outgoing.method, url);
        let repeatable = matches!(&*outgoing.method, "GET" | "HEAD" | "PUT" | "DELETE" | "OPTIONS");
        let mut kept = self.take_idle(&authority);
        loop {
            let was_kept = kept.is_some();
            let mut connection = match kept.take() {
                Some(connection) => Box::new(connection),
                None => self.connect(&authority, deadline).map_err(|e| Error::io(doing(), e))?,
            };
            connection.finish_by(deadline).map_err(|e| Error::io(doing(), e))?;
            let sent = connection
                .write(&head)
                .and_then(|()| connection.write(&outgoing.body))
                .and_then(|()| connection.flush());
            // A server may answer before it has read all, and stop reading: look for that too.
            let first = match (connection.fill(self.total_timeout), sent) {
                (Ok(0) | Err(_), Err(error)) => Err(error),
                (first, _) => first,
            };
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
        let (mut answer, mut facts) = read_head(&mut connection, &doing)?;
        // 100 Continue and 103 Early Hints come before the answer.
        for _ in 0..INTERIM_MAX {
            if answer.status >= 200 || answer.status == 101 {
                break;
            }
            (answer, facts) = read_head(&mut connection, &doing)?;
        }
        let status = answer.status;
        if status < 200 {
            let reason = "the answer is 101 unasked, or only ever 1xx";
            return Err(Error::Refused { status: 502, reason });
        }
        // The body is read by the code that reads a request's.
        let mut body = answer.frame(&facts, method == "HEAD");
        let framed = !body.lasts_until_close();
        connection.limits.body_bytes_max = self.body_bytes_max;
        body.lend(connection);
        let content = body.take_bytes().map_err(|error| match error {
            Error::Io { source, .. } => Error::io(doing(), timed_out(source)),
            Error::Refused { status: 408, .. } => {
                Error::io(doing(), io::ErrorKind::TimedOut.into())
            }
            other => as_bad_answer(other),
        });
        answer.body = content?;
        let keep = framed && !facts.close && answer.keep_alive(&facts);
        if let (true, Some(connection)) = (keep, body.connection.take()) {
            self.keep(authority, *connection);
        }
        Ok(answer)
    }

    fn take_idle(&self, authority: &str) -> Option<Connection> {
        let (connection, since) = self.idle().get_mut(authority)?.pop()?;
        // The others have waited longer than the last: `keep` closes them.
        (since.elapsed() < self.idle_timeout).then_some(connection)
    }

    fn keep(&self, authority: String, connection: Connection) {
        if connection.buffered().is_empty() {
            let mut idle = self.idle();
            // A host that nobody asks any more must not keep its descriptors.
            idle.retain(|_, kept| {
                kept.retain(|(_, since)| since.elapsed() < self.idle_timeout);
                !kept.is_empty()
            });
            let kept = idle.entry(authority).or_default();
            if kept.len() < self.idle_max {
                kept.push((connection, Instant::now()));
            }
        }
    }

    fn idle(&self) -> MutexGuard<'_, HashMap<String, Vec<Idle>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tries every address of the name: `localhost` may be `::1` first and the server only on
    /// `127.0.0.1`.
    fn connect(&self, authority: &str, deadline: Instant) -> io::Result<Box<Connection>> {
        let with_port = match authority.rsplit_once(':') {
            Some((host, "")) => format!("{host}:80"),
            Some((_, port)) if port.bytes().all(|b| b.is_ascii_digit()) => authority.to_owned(),
            _ => format!("{authority}:80"),
        };
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        for addr in with_port.to_socket_addrs()? {
            let Some(left) = left(deadline) else { return Err(io::ErrorKind::TimedOut.into()) };
            match TcpStream::connect_timeout(&addr, left.min(self.connect_timeout)) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    // The total deadline is all that an answer has to keep.
                    let (body_timeout, rate_min) = (self.total_timeout, u64::MAX);
                    let limits = Limits { body_timeout, rate_min, ..Limits::default() };
                    return Connection::new(Box::new(stream), limits).map(Box::new);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}
