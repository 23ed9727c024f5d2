//! The server (day 1): accept, lend a thread, serve request after request, stop in good order.
//!
//! # What you will have at the end
//! A program that answers `curl`, browsers and `wrk`, keeps connections alive, and cannot be held
//! up by a client that is slow, silent or hostile. About two hours with all its files; half an
//! hour for this page, `head.rs` and `server/exchange.rs`, which is enough to go on to day 2.
//!
//! # Why
//! Go's tutorial begins with `http.ListenAndServe(":9999", nil)` and gets all of this for free.
//! std has sockets and threads but no HTTP, so our day 1 is longer, and you see every byte. hyper
//! does the same over an event loop; we lend each connection a thread from a bounded pool.
//!
//! # The picture
//! ```text
//!          accept thread                     a thread of the pool, per connection
//!  client ──────► accept ──► Pool::execute ──► ┌► read a head ──► handler ──► answer ─┐
//!                   │            │             └────────── keep-alive ◄───────────────┘
//!                   │            └ Queued: let an idle one go; busy ones close after this answer
//!                   │            └ Refused: 503
//!                   └ an error (EMFILE): say so, back off, go on
//! ```
//!
//! # The idea alone
//! ```
//! use std::io::{BufRead, BufReader, Read, Write};
//! use std::net::{TcpListener, TcpStream};
//!
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! let addr = listener.local_addr()?;
//! let server = std::thread::spawn(move || -> std::io::Result<()> {
//!     let (mut stream, _) = listener.accept()?;
//!     let mut lines = BufReader::new(&stream).lines();
//!     let request_line = lines.next().unwrap()?;
//!     while !lines.next().unwrap()?.is_empty() {} // header fields, up to the empty line
//!     let path = request_line.split(' ').nth(1).unwrap();
//!     let body = format!("URL.Path = {path:?}\n");
//!     write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
//! });
//! let mut client = TcpStream::connect(addr)?;
//! client.write_all(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")?;
//! let mut answer = String::new();
//! client.read_to_string(&mut answer)?;
//! assert!(answer.ends_with("\r\n\r\nURL.Path = \"/hello\"\n"));
//! server.join().unwrap()?;
//! # Ok::<(), std::io::Error>(())
//! ```
//! Everything else in day 1 is what this program gets wrong: one request per connection, no limit
//! on a line, no deadline, one client and then the end, a panic on a line without a space.
//!
//! # The walk
//! [`Server::serve`] accepts and gives each connection to a [`Pool`]; `exchange.rs` is the loop on
//! the right of the picture. The `read_head` of `connection.rs` fills a [`Request`], a [`Handler`]
//! fills a [`Response`], which is sent when the next read would block. The list of open
//! connections is in `open.rs`: through its `Control` the accept thread ends one that is idle, and
//! a [`Stopper`] every one, those at work not before its deadline.
//!
//! # What the borrow checker says
//! Go passes `w` and `r` to a function value. Here a handler is shared by every thread, so it is
//! `Fn` (not `FnMut`), [`Sync`], [`Send`], and `'static` because no one knows when the last
//! connection ends:
//!
//! ```compile_fail
//! let mut hits = 0;
//! web::Server::new(|_: &mut web::Request, _: &mut web::Response| hits += 1);
//! // error: expected a closure that implements the `Fn` trait, but this closure only
//! //        implements `FnMut` - and `hits` would not live long enough either
//! ```
//! ```
//! use std::sync::atomic::{AtomicU64, Ordering};
//! let hits = AtomicU64::new(0); // moved into the closure, shared by its threads
//! web::Server::new(move |_: &mut web::Request, _: &mut web::Response| {
//!     hits.fetch_add(1, Ordering::Relaxed);
//! });
//! ```
//!
//! # Where this differs from the Go tutorial
//! Unknown paths are 404 (base2 and base3 answer 200, WEB-9). There are limits and deadlines, all
//! in [`Limits`], and a graceful stop (WEB-20). A port in use is an error with exit code 1
//! (WEB-18). A request that a strict reader would doubt is refused, where Go is lenient in places.
//!
//! # Try it
//! `cargo run -p web --example day1_http_base`, then `curl http://127.0.0.1:9999/hello` prints one
//! line per header field: `Header["Accept"] = ["*/*"]`. Exercises (`cargo test -p web
//! server::tests::exercise -- --ignored`): `exercise_hello_by_name` and `exercise_only_get` at the
//! end of this file.

mod exchange;
mod limits;
#[cfg(test)]
mod mutations;
mod open;

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

pub use limits::Limits;
use open::{Control, Tracked};

use crate::connection::{Connection, moment};
use crate::pool::{Placed, Pool, PoolLimits};
use crate::request::Request;
use crate::response::Response;
use crate::{Error, Result};

/// What answers requests. Every `Fn(&mut Request, &mut Response)` that threads may share is one.
pub trait Handler: Send + Sync + 'static {
    /// Answers one request. A panic costs the connection, not the server.
    fn serve(&self, request: &mut Request, response: &mut Response);
}

impl<F: Fn(&mut Request, &mut Response) + Send + Sync + 'static> Handler for F {
    fn serve(&self, request: &mut Request, response: &mut Response) {
        self(request, response);
    }
}

/// An HTTP/1.1 server.
///
/// ```
/// use std::net::TcpListener;
/// use std::time::Duration;
/// use web::{Request, Response, Server};
///
/// let server = Server::new(|request: &mut Request, response: &mut Response| {
///     *response.body() = format!("you asked for {}\n", request.path()).into_bytes();
/// });
/// let stop = server.stopper();
/// let listener = TcpListener::bind("127.0.0.1:0").unwrap();
/// let thread = std::thread::spawn(move || server.serve(listener));
/// // ... requests come and are answered ...
/// assert!(stop.shutdown(Duration::from_secs(5)));
/// thread.join().unwrap().unwrap();
/// ```
pub struct Server {
    /// What one connection may take.
    pub limits: Limits,
    /// How many connections are served at once, and how many wait.
    pub pool: PoolLimits,
    handler: Arc<dyn Handler>,
    /// The open connections; shared with them and with every [`Stopper`].
    control: Arc<Control>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("limits", &self.limits).field("pool", &self.pool).finish()
    }
}

/// Stops a server from another thread.
#[derive(Debug, Clone)]
pub struct Stopper {
    control: Arc<Control>,
}

impl Server {
    /// A server with the default limits.
    pub fn new(handler: impl Handler) -> Self {
        Server {
            limits: Limits::default(),
            pool: PoolLimits::default(),
            handler: Arc::new(handler),
            control: Arc::default(),
        }
    }

    /// A handle that stops this server.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        Stopper { control: Arc::clone(&self.control) }
    }

    /// Binds `addr` and serves until stopped.
    ///
    /// # Errors
    /// [`Error::Io`] if the address cannot be bound: in use, malformed, or not ours.
    pub fn run(self, addr: &str) -> Result<()> {
        self.serve(bind(addr)?)
    }

    /// Serves until stopped. An error of one `accept` is reported on stderr and survived.
    ///
    /// # Errors
    /// [`Error::Io`] if the listener has no address.
    #[allow(clippy::needless_pass_by_value)] // the listener is closed when serving ends
    pub fn serve(self, listener: TcpListener) -> Result<()> {
        let addr =
            listener.local_addr().map_err(|error| Error::io("ask for the address", error))?;
        {
            // Under one lock with a stopper: it sees this address, or we see that it stops.
            let mut open = self.control.lock();
            (open.listener, open.serving) = (Some(addr), true);
        }
        let pool = Pool::new(self.pool);
        while !self.control.stopping.load(SeqCst) {
            match listener.accept() {
                Ok((stream, peer)) => {
                    self.control.starved.store(false, SeqCst);
                    self.admit(&pool, stream, peer);
                }
                Err(error) => self.survive(&error),
            }
        }
        self.control.lock().listener = None;
        // Whoever waits in the kernel's queue was told that the connection stands. Those who keep
        // coming are not waited for.
        if listener.set_nonblocking(true).is_ok() {
            for (stream, peer) in (0..KERNEL_QUEUE_MAX).map_while(|_| listener.accept().ok()) {
                let _ = stream.set_nonblocking(false);
                self.admit(&pool, stream, peer);
            }
        }
        drop(listener);
        let deadline = self.control.lock().deadline.unwrap_or_else(Instant::now);
        if pool.close(deadline) > 0 {
            // Out of time: cut the connections, then give the threads a moment to see it.
            self.control.cut_all();
            pool.close(Instant::now() + Duration::from_millis(200));
        }
        self.control.lock().serving = false;
        self.control.stopped.notify_all();
        Ok(())
    }

    /// Hands a connection to the pool, or turns it away.
    fn admit(&self, pool: &Pool, stream: TcpStream, peer: SocketAddr) {
        // Without Nagle's delay the second answer need not wait for the first's acknowledgement.
        let _ = stream.set_nodelay(true);
        let (tracked, socket) = Tracked::new(stream, Arc::clone(&self.control), pool.backlog());
        let (handler, limits) = (Arc::clone(&self.handler), self.limits);
        let job = Box::new(move || {
            if let Ok(connection) = Connection::new(Box::new(tracked), limits) {
                exchange::serve(connection, Some(peer), &*handler);
            }
        });
        match pool.execute(job) {
            Ok(Placed::Running) => {}
            Ok(Placed::Queued) => self.control.release_idle(false),
            Err(_) => turn_away(&socket.stream),
        }
    }

    /// `accept` fails for reasons that pass: out of descriptors, a client that is gone already.
    fn survive(&self, error: &io::Error) {
        let transient = [ErrorKind::ConnectionAborted, ErrorKind::Interrupted];
        if self.control.stopping.load(SeqCst) || transient.contains(&error.kind()) {
            return;
        }
        // Said once, not fifty times a second.
        if !self.control.starved.swap(true, SeqCst) {
            crate::log::line(format_args!("accept: {error}; trying again"));
        }
        self.control.release_idle(false);
        thread::sleep(Duration::from_millis(20));
    }
}

impl Stopper {
    /// Stops accepting, lets running requests finish until `grace` has passed, closes idle
    /// connections, and waits for all threads, a second longer than `grace` at most. `false`: some
    /// request was cut off or still runs.
    pub fn shutdown(&self, grace: Duration) -> bool {
        let deadline = moment(Instant::now(), grace);
        let mut open = self.control.lock();
        open.deadline = Some(deadline);
        self.control.stopping.store(true, SeqCst);
        drop(open);
        self.control.release_idle(true);
        open = self.control.lock();
        while open.serving {
            let end = deadline + Duration::from_secs(1);
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            // Again and again, since waking needs a descriptor and there may be none.
            if let Some(addr) = open.listener {
                drop(open);
                wake(addr);
                open = self.control.lock();
            }
            let wait = left.min(Duration::from_millis(50));
            let waited = self.control.stopped.wait_timeout_while(open, wait, |open| open.serving);
            open = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        open.connections.is_empty() && !open.cut
    }
}

/// A listener on `addr`, or why there is none.
pub(crate) fn bind(addr: &str) -> Result<TcpListener> {
    TcpListener::bind(addr).map_err(|error| Error::io(format!("listen on {addr}"), error))
}

/// More connections than any usual kernel holds for `accept`.
const KERNEL_QUEUE_MAX: usize = 4096;

/// std cannot interrupt `accept`, but a connection can.
fn wake(mut addr: SocketAddr) {
    if addr.ip().is_unspecified() {
        addr.set_ip(match addr {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        });
    }
    let _ = TcpStream::connect_timeout(&addr, Duration::from_millis(100));
}

/// Says 503 without waiting for anything.
fn turn_away(mut stream: &TcpStream) {
    const ANSWER: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n\
        Content-Length: 0\r\nConnection: close\r\n\r\n";
    if stream.set_nonblocking(true).is_ok() {
        let _ = stream.write(ANSWER);
        let _ = stream.shutdown(Shutdown::Write);
        // What has arrived and is not read would make the close a reset.
        let _ = stream.read(&mut [0; 4096]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client that is gone before it was accepted says nothing about us; being out of
    /// descriptors asks the open connections to end.
    #[test]
    fn an_aborted_accept_is_passed_over_and_starvation_is_noted() {
        let server = Server::new(|_: &mut Request, _: &mut Response| {});
        let starved = || server.control.starved.load(SeqCst);
        server.survive(&ErrorKind::ConnectionAborted.into());
        assert!(!starved());
        server.survive(&io::Error::other("too many open files"));
        assert!(starved());
    }

    /// No limit on time: every wait is for ever, and none of them overflows.
    #[test]
    fn a_limit_may_be_for_ever() {
        let ever = Duration::MAX;
        let handler = |request: &mut Request, response: &mut Response| {
            let body = crate::body::Body::bytes(&mut request.body);
            *response.body() = body.unwrap_or_default().to_vec();
        };
        let mut server = Server::new(handler);
        server.limits.head_timeout = ever;
        server.limits.body_timeout = ever;
        server.limits.idle_timeout = ever;
        server.limits.write_timeout = ever;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let stop = server.stopper();
        let serving = thread::spawn(move || server.serve(listener));
        let mut client = crate::Client::new();
        client.total_timeout = ever;
        let answer = client.send(crate::Outgoing::new("POST", &url).body("ping")).unwrap();
        assert_eq!((answer.status, &*answer.body), (200, &b"ping"[..]));
        assert!(stop.shutdown(ever));
        serving.join().unwrap().unwrap();
    }

    fn hello_by_name(_: &mut Request, response: &mut Response) {
        response.set_status(404); // your handler here
    }

    fn only_get(inner: impl Handler) -> impl Handler {
        inner // your wrapper here
    }

    fn ask(handler: &impl Handler, method: &str, target: &str) -> Response {
        let mut response = Response::new();
        handler.serve(&mut Request::new(method, target), &mut response);
        response
    }

    /// Answer `/hello/NAME` with `hello NAME` and anything else with 404: no router yet.
    #[test]
    #[ignore = "an exercise: hello by name"]
    fn exercise_hello_by_name() {
        let response = ask(&hello_by_name, "GET", "/hello/gee%20tutu");
        assert_eq!(
            (response.status(), response.into_bytes().unwrap()),
            (200, b"hello gee tutu".to_vec())
        );
        let status = |target| ask(&hello_by_name, "GET", target).status();
        assert_eq!([status("/"), status("/hello/"), status("/hello/a/b")], [404, 404, 404]);
    }

    /// Wrap a handler: GET and HEAD reach it, all else is 405 with `Allow: GET, HEAD`.
    #[test]
    #[ignore = "an exercise: only GET"]
    fn exercise_only_get() {
        let handler = only_get(|_: &mut Request, r: &mut Response| *r.body() = b"ok".to_vec());
        assert_eq!(ask(&handler, "GET", "/").into_bytes().unwrap(), b"ok");
        assert_eq!(ask(&handler, "HEAD", "/").status(), 200);
        let refused = ask(&handler, "POST", "/");
        assert_eq!((refused.status(), refused.headers.get("Allow")), (405, Some("GET, HEAD")));
    }
}
