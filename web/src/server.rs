//! The server (day 1): accept, lend a thread, serve request after request, stop in good order.
//!
//! # What you will have at the end
//! A program that answers `curl`, browsers and `wrk`, keeps connections alive, and cannot be held
//! up by a client that is slow, silent or hostile. About half an hour, with `head.rs`, `body.rs`,
//! `connection.rs` and `pool.rs`.
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
//!                   │            └ Queued: ask busy connections to close, let an idle one go
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
//! on a line, no deadline, one client at a time, a panic on the first odd byte.
//!
//! # The walk
//! [`Server::serve`] accepts; `serve_connection` is the loop on the right of the picture. The
//! `read_head` of `connection.rs` fills a [`Request`], a [`Handler`] fills a [`Response`], which
//! is sent when the next read would block.
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
//! line per header field: `Header["Accept"] = ["*/*"]`.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::connection::{Connection, Stream};
use crate::pool::{Placed, Pool, PoolLimits};
use crate::request::Request;
use crate::response::{Content, Response};
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

/// What one connection may take, in octets and in time.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// A longer request line is answered 414. 8 KiB.
    pub request_line_bytes_max: usize,
    /// A longer head is answered 431. 64 KiB.
    pub head_bytes_max: usize,
    /// More header fields are answered 431. 100.
    pub fields_max: usize,
    /// A longer body is answered 413. 2 MiB.
    pub body_bytes_max: u64,
    /// From a head's first octet, or from the connection's start, to the head's end. 10 s.
    pub head_timeout: Duration,
    /// How long a connection may be silent between two requests. 75 s.
    pub idle_timeout: Duration,
    /// How long one answer may take to send, beyond what the minimum rate earns. 30 s.
    pub write_timeout: Duration,
    /// Octets per second a body must keep up, in either direction, after some grace. 1 KiB.
    pub rate_min: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            request_line_bytes_max: 8 * 1024,
            head_bytes_max: 64 * 1024,
            fields_max: 100,
            body_bytes_max: 2 * 1024 * 1024,
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            write_timeout: Duration::from_secs(30),
            rate_min: 1024,
        }
    }
}

impl Limits {
    /// How long so many octets may take at the minimum rate.
    pub(crate) fn transfer_time(&self, octets: u64) -> Duration {
        Duration::from_secs(octets / self.rate_min.max(1))
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
/// assert!(stop.stop(Duration::from_secs(5)));
/// thread.join().unwrap().unwrap();
/// ```
pub struct Server {
    /// What one connection may take.
    pub limits: Limits,
    /// How many connections are served at once, and how many wait.
    pub pool: PoolLimits,
    handler: Arc<dyn Handler>,
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

/// What the accept thread, the connections and the stoppers share.
#[derive(Debug, Default)]
struct Control {
    stopping: AtomicBool,
    state: Mutex<Open>,
    /// Signalled when `serve` has returned.
    stopped: Condvar,
}

/// Protected by [`Control::state`].
#[derive(Debug, Default)]
struct Open {
    connections: HashMap<u64, Arc<Socket>>,
    next: u64,
    listener: Option<SocketAddr>,
    /// Some `serve` is running.
    serving: usize,
    deadline: Option<Instant>,
}

impl Control {
    fn lock(&self) -> MutexGuard<'_, Open> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes one connection, or every one, that waits for a next request. Its thread reads what
    /// has already arrived, if anything, and answers that before it goes.
    fn release_idle(&self, all: bool) {
        let sockets: Vec<_> = self.lock().connections.values().cloned().collect();
        for socket in sockets {
            if socket.idle.swap(false, SeqCst) {
                let _ = socket.stream.shutdown(Shutdown::Read);
                if !all {
                    return;
                }
            }
        }
    }
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
        let listener = TcpListener::bind(addr)
            .map_err(|error| Error::io(format!("listening on {addr}"), error))?;
        self.serve(listener)
    }

    /// Serves until stopped. An error of one `accept` is reported on stderr and survived.
    ///
    /// # Errors
    /// [`Error::Io`] if the listener has no address.
    #[allow(clippy::needless_pass_by_value)] // the listener is closed when serving ends
    pub fn serve(self, listener: TcpListener) -> Result<()> {
        let addr = listener.local_addr().map_err(|error| Error::io("listening", error))?;
        {
            let mut open = self.control.lock();
            open.listener = Some(addr);
            open.serving += 1;
        }
        let pool = Pool::new(self.pool);
        while !self.control.stopping.load(SeqCst) {
            match listener.accept() {
                Ok((stream, peer)) => self.admit(&pool, stream, peer),
                Err(error) => self.survive(&error),
            }
        }
        // Whoever is in the backlog was told by the kernel that the connection stands.
        if listener.set_nonblocking(true).is_ok() {
            while let Ok((stream, peer)) = listener.accept() {
                let _ = stream.set_nonblocking(false);
                self.admit(&pool, stream, peer);
            }
        }
        drop(listener);
        let deadline = self.control.lock().deadline.unwrap_or_else(Instant::now);
        if pool.close(deadline) > 0 {
            // Out of time: cut the connections, then give the threads a moment to see it.
            let sockets: Vec<_> = self.control.lock().connections.values().cloned().collect();
            for socket in sockets {
                let _ = socket.stream.shutdown(Shutdown::Both);
            }
            pool.close(Instant::now() + Duration::from_millis(200));
        }
        self.control.lock().serving -= 1;
        self.control.stopped.notify_all();
        Ok(())
    }

    /// Hands a connection to the pool, or turns it away.
    fn admit(&self, pool: &Pool, stream: TcpStream, peer: SocketAddr) {
        // Without Nagle's delay the second answer need not wait for the first's acknowledgement.
        let _ = stream.set_nodelay(true);
        let socket = Arc::new(Socket { stream, idle: AtomicBool::new(false) });
        let tracked = Tracked::new(Arc::clone(&socket), Arc::clone(&self.control), pool.backlog());
        let (handler, limits) = (Arc::clone(&self.handler), self.limits);
        let job = Box::new(move || {
            if let Ok(connection) = Connection::new(Box::new(tracked), limits) {
                serve_connection(connection, Some(peer), &*handler);
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
        crate::log::line(format_args!("accept: {error}; trying again"));
        self.control.release_idle(false);
        thread::sleep(Duration::from_millis(20));
    }
}

impl Stopper {
    /// Stops accepting, lets running requests finish until `within` has passed, closes idle
    /// connections, and waits for all threads. `false`: some request was cut off or still runs.
    pub fn stop(&self, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        let listener = {
            let mut open = self.control.lock();
            open.deadline = Some(deadline);
            open.listener
        };
        self.control.stopping.store(true, SeqCst);
        self.control.release_idle(true);
        if let Some(addr) = listener {
            wake(addr, within);
        }
        let mut open = self.control.lock();
        while open.serving > 0 {
            let left =
                (deadline + Duration::from_secs(1)).saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            open = self
                .control
                .stopped
                .wait_timeout(open, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        open.connections.is_empty()
    }
}

/// std cannot interrupt `accept`, but a connection can.
fn wake(mut addr: SocketAddr, within: Duration) {
    if addr.ip().is_unspecified() {
        addr.set_ip(match addr {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        });
    }
    let _ = TcpStream::connect_timeout(&addr, within.max(Duration::from_millis(100)));
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

/// A connection's socket, as the accept thread and the stoppers see it.
#[derive(Debug)]
struct Socket {
    stream: TcpStream,
    /// Its thread waits for a next request.
    idle: AtomicBool,
}

/// The same socket as its thread sees it; listed in [`Open::connections`] while it lives.
struct Tracked {
    socket: Arc<Socket>,
    control: Arc<Control>,
    /// Accepted connections that wait for a thread: each wants another to end.
    backlog: Arc<AtomicUsize>,
    key: u64,
}

impl Tracked {
    fn new(socket: Arc<Socket>, control: Arc<Control>, backlog: Arc<AtomicUsize>) -> Self {
        let key = {
            let mut open = control.lock();
            open.next += 1;
            let key = open.next;
            open.connections.insert(key, Arc::clone(&socket));
            key
        };
        Tracked { socket, control, backlog, key }
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.control.lock().connections.remove(&self.key);
    }
}

impl Read for Tracked {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        (&self.socket.stream).read(out)
    }
}

impl Write for Tracked {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&self.socket.stream).write(bytes)
    }
    fn write_vectored(&mut self, parts: &[io::IoSlice<'_>]) -> io::Result<usize> {
        (&self.socket.stream).write_vectored(parts)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Tracked {
    fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.socket.stream.set_read_timeout(timeout)
    }
    fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.socket.stream.set_write_timeout(timeout)
    }
    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.socket.stream.shutdown(how)
    }

    /// Marks first, looks second; [`Stopper::stop`] does it the other way round. Whatever the
    /// order in which the two run, one of them sees the other:
    ///
    /// ```text
    /// this thread                 the stopper
    /// idle = true                 stopping = true
    /// stopping? -> do not wait    idle? -> wake it
    /// ```
    fn idle(&self, waiting: bool) -> bool {
        self.socket.idle.store(waiting, SeqCst);
        !(waiting && self.control.stopping.load(SeqCst))
    }

    fn last_answer(&self) -> bool {
        self.control.stopping.load(SeqCst) || self.backlog.load(SeqCst) > 0
    }

    fn socket(&self) -> Option<TcpStream> {
        self.socket.stream.try_clone().ok()
    }
}

/// Serves request after request until one side is done. Ends with the connection closed.
pub(crate) fn serve_connection(
    connection: Connection,
    peer: Option<SocketAddr>,
    handler: &dyn Handler,
) {
    let mut connection = Box::new(connection);
    let (mut request, mut response) = (Request::default(), Response::new());
    request.peer = peer;
    loop {
        match connection.read_head(&mut request) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => return answer_refusal(*connection, &error),
        }
        if request.body.announced() > connection.limits.body_bytes_max {
            let reason = crate::body::TOO_LARGE;
            return answer_refusal(*connection, &Error::Refused { status: 413, reason });
        }
        response.reset();
        request.body.lend(connection);
        let ran = catch_unwind(AssertUnwindSafe(|| handler.serve(&mut request, &mut response)));
        if ran.is_err() {
            return; // as in Go: the client gets no answer, and the connection ends
        }
        let Some(lent) = request.body.connection.take() else {
            return; // the handler has taken the connection over
        };
        connection = lent;
        connection.deadline = None;
        if let Some((status, reason)) = request.body.refused() {
            return answer_refusal(*connection, &Error::Refused { status, reason });
        }
        let asked =
            response.headers.get("Connection").is_some_and(|v| v.eq_ignore_ascii_case("close"));
        let unframed = request.minor == 0 && matches!(response.content, Content::Stream(_));
        let can_drain = request.body.can_drain();
        let closing =
            !request.keep_alive || asked || unframed || !can_drain || connection.last_answer();
        let head_only = request.method() == "HEAD";
        if response.send(&mut connection, head_only, request.minor, closing).is_err() {
            return;
        }
        if closing {
            let clean = request.body.is_done() && connection.buffered().is_empty();
            if !clean {
                return connection.close_gently();
            }
            return;
        }
        if !request.body.is_done() {
            request.body.connection = Some(connection);
            let drained = request.body.drain();
            let Some(lent) = request.body.connection.take() else { return };
            connection = lent;
            if !drained {
                return connection.close_gently();
            }
        }
    }
}

/// Answers a request that cannot be served, in plain words, and closes.
fn answer_refusal(mut connection: Connection, error: &Error) {
    let Error::Refused { status, reason } = error else {
        return; // the socket failed: there is nobody to answer
    };
    let mut response = Response::new();
    response.set_status(*status);
    response.headers.push("Content-Type", "text/plain; charset=utf-8");
    *response.body() =
        format!("{status} {}: {reason}\n", crate::http::reason(*status)).into_bytes();
    if response.send(&mut connection, false, 1, true).is_ok() {
        connection.close_gently();
    }
}
