//! Day 3: the server - listening, the table of services, limits, shutting down.
//!
//! # The parts
//! ```text
//! Server (being put together) ── start ──► Serving
//!                                            ├─ a thread per listener: accept
//!                                            ├─ the watch (day 4)
//!                                            └─ a pool (web's): a thread per connection,
//!                                               and one more for each call that takes long
//! ```
//!
//! A [`Server`] is changed, a [`Serving`] is shared: what is registered is fixed when it starts, so that
//! looking up a service takes no lock. Go's server may be changed while it runs, behind one.
//!
//! How it shuts down is told at [`Serving::shutdown`].
//!
//! # Where this differs from Go
//! - Dialects are recognised, connections and calls bounded, methods of a shut-down server awaited.
//! - A client that is refused is told why, in a header with the number 0 (RPC-11).

use std::collections::BTreeMap;
use std::fmt;
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use web::pool::{Pool, PoolLimits};

use crate::codec::Dialect;
use crate::connection::Connection;
use crate::deadline::Watch;
use crate::gate::Gate;
use crate::gob::MESSAGE_BYTES_MAX;
use crate::service::{Interceptor, Method, Service};
use crate::stream::Stream;
use crate::{Error, Result};

mod serving;

pub use serving::Serving;

/// The bounds of a server.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at the same time; one more is closed at once. 1,024 by default.
    pub connections_max: usize,
    /// Calls that run at the same time, over all connections; further requests are not read until
    /// one ends. 1,024 by default.
    pub calls_max: usize,
    /// Calls of one connection that run at the same time. 256 by default.
    pub calls_per_connection_max: usize,
    /// The longest message, in bytes: 4 MiB by default.
    pub message_bytes_max: usize,
    /// How long a message that has begun may take to arrive, and a reply to be taken. 30 seconds
    /// by default.
    pub message_timeout: Duration,
    /// What a call may take, unless the client's option says otherwise; zero, the default, is no
    /// limit.
    pub handle_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections_max: 1024,
            calls_max: 1024,
            calls_per_connection_max: 256,
            message_bytes_max: MESSAGE_BYTES_MAX,
            message_timeout: Duration::from_secs(30),
            handle_timeout: Duration::ZERO,
        }
    }
}

/// Where log lines go.
type Log = Arc<dyn Fn(&str) + Send + Sync>;

/// A server that is being put together.
///
/// ```
/// use rpc::{Client, Server, Service};
///
/// let service = Service::new("Foo").method("Double", |n: i64| Ok(2 * n));
/// let server = Server::new().register(service)?.start()?;
/// let addr = server.listen("127.0.0.1:0")?;
///
/// let client = Client::dial(&format!("tcp@{addr}"))?;
/// assert_eq!(client.call::<i64>("Foo.Double", &21i64)?, 42);
/// # Ok::<(), rpc::Error>(())
/// ```
pub struct Server {
    services: BTreeMap<String, Service>,
    limits: Limits,
    only: Option<Dialect>,
    interceptor: Option<Box<dyn Interceptor>>,
    log: Log,
}

impl Default for Server {
    fn default() -> Server {
        Server::new()
    }
}

impl Server {
    /// A server without services that recognises every dialect and logs to stderr.
    #[must_use]
    pub fn new() -> Server {
        Server {
            services: BTreeMap::new(),
            limits: Limits::default(),
            only: None,
            interceptor: None,
            log: Arc::new(|line| web::log::line(format_args!("{line}"))),
        }
    }

    /// Adds a service.
    ///
    /// # Errors
    /// [`Error::Duplicate`] when a service of this name, or a method twice, is there;
    /// [`Error::Invalid`] for a name that no client could call.
    pub fn register(mut self, service: Service) -> Result<Server> {
        service.check()?;
        if self.services.contains_key(service.name()) {
            return Err(Error::Duplicate(service.name().to_owned()));
        }
        for method in service.methods() {
            (self.log)(&format!("rpc server: register {}", method.full_name()));
        }
        self.services.insert(service.name().to_owned(), service);
        Ok(self)
    }

    /// Sets the limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Server {
        self.limits = limits;
        self
    }

    /// Speaks this dialect only; others are refused.
    #[must_use]
    pub fn only(mut self, dialect: Dialect) -> Server {
        self.only = Some(dialect);
        self
    }

    /// Has every call looked at.
    #[must_use]
    pub fn intercept(mut self, interceptor: impl Interceptor) -> Server {
        self.interceptor = Some(Box::new(interceptor));
        self
    }

    /// Sends log lines elsewhere.
    #[must_use]
    pub fn log(mut self, log: impl Fn(&str) + Send + Sync + 'static) -> Server {
        self.log = Arc::new(log);
        self
    }

    /// Starts the server's threads; it serves what it is told to listen on.
    ///
    /// # Errors
    /// [`Error::Io`] when no thread can be started.
    pub fn start(self) -> Result<Serving> {
        let Server { services, limits, only, interceptor, log } = self;
        let pool = Pool::new(PoolLimits {
            // A thread for each connection, and for each call that lets others past.
            threads_max: limits.connections_max + limits.calls_max,
            queue_max: limits.connections_max + limits.calls_max,
            stack_bytes: 1 << 20,
            idle_timeout: Duration::from_secs(10),
        });
        let core = Arc::new(Core {
            services,
            connections: Gate::new(limits.connections_max),
            calls: Gate::new(limits.calls_max),
            limits,
            only,
            interceptor,
            log,
            pool,
            watch: Watch::default(),
            open: Mutex::new(Vec::new()),
            stopping: AtomicBool::new(false),
        });
        // Joined by `Serving::shutdown`.
        let watch = thread::Builder::new().name("rpc-watch".to_owned());
        let watch = watch.spawn({
            let core = Arc::clone(&core);
            move || core.watch.run()
        });
        let watch = watch.map_err(Error::io("start a thread"))?;
        Ok(Serving::new(core, watch))
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("services", &self.services).finish_non_exhaustive()
    }
}

/// What the threads of a server share.
pub(crate) struct Core {
    services: BTreeMap<String, Service>,
    pub(crate) limits: Limits,
    only: Option<Dialect>,
    pub(crate) interceptor: Option<Box<dyn Interceptor>>,
    log: Log,
    pool: Pool,
    pub(crate) watch: Watch,
    pub(crate) connections: Gate,
    pub(crate) calls: Gate,
    /// The connections there are, for the shutdown.
    open: Mutex<Vec<Weak<Connection>>>,
    stopping: AtomicBool,
}

impl Core {
    /// The method of a full name, or the text that says why not; GeeRPC's differs from net/rpc's.
    pub(crate) fn find(
        &self,
        full_name: &str,
        gee: bool,
    ) -> std::result::Result<Arc<Method>, String> {
        let Some((service, method)) = full_name.rsplit_once('.') else {
            let who = if gee { "rpc server" } else { "rpc" };
            return Err(format!("{who}: service/method request ill-formed: {full_name}"));
        };
        let Some(found) = self.services.get(service) else {
            return Err(if gee {
                format!("rpc server: can't find service {service}")
            } else {
                format!("rpc: can't find service {full_name}")
            });
        };
        found.get(method).cloned().ok_or_else(|| {
            if gee {
                format!("rpc server: can't find method {method}")
            } else {
                format!("rpc: can't find method {full_name}")
            }
        })
    }

    /// That the server speaks this dialect.
    pub(crate) fn allow(&self, dialect: Dialect) -> Result<()> {
        match self.only {
            Some(only) if only != dialect => {
                Err(Error::Handshake(format!("rpc server: this server speaks {only:?} only")))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn log(&self, line: &str) {
        (self.log)(line);
    }

    /// Has some thread of the pool serve the connection; nothing is lost if there is none, since
    /// whoever runs a call of it comes back to it.
    pub(crate) fn serve(self: &Arc<Self>, connection: Arc<Connection>) {
        let core = Arc::clone(self);
        let job = move || {
            let desk = core.watch.desk();
            connection.serve(&desk);
            core.watch.leave(&desk);
        };
        if self.pool.execute(Box::new(job)).is_err() {
            self.log("rpc server: no thread is free");
        }
    }

    /// Takes over a connected stream.
    fn accept(self: &Arc<Self>, stream: Stream, already: Vec<u8>) {
        if self.stopping.load(Ordering::SeqCst) {
            return;
        }
        if !self.connections.try_enter() {
            return self.log("rpc server: too many connections; raise connections_max");
        }
        // A connection leaves the gate when it is dropped.
        match Connection::new(self, stream, already) {
            Ok(connection) => {
                let connection = Arc::new(connection);
                let mut open = self.open();
                // Makes room, now and then, of those that are gone.
                if open.len() == open.capacity() {
                    open.retain(|connection| connection.strong_count() > 0);
                }
                open.push(Arc::downgrade(&connection));
                drop(open);
                // A shutdown that came in between has not seen it.
                if self.stopping.load(Ordering::SeqCst) {
                    connection.stream.shutdown(Shutdown::Both);
                }
                self.serve(connection);
            }
            Err(error) => {
                // There was none to be dropped.
                self.connections.leave();
                self.log(&format!("rpc server: accept error: {error}"));
            }
        }
    }

    fn open(&self) -> MutexGuard<'_, Vec<Weak<Connection>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn a_socket_that_cannot_be_prepared_takes_no_place() {
        use std::net::TcpStream;
        use std::os::{fd::OwnedFd, unix::net::UnixStream};
        let limits = Limits { connections_max: 1, ..Limits::default() };
        let serving = Server::new().log(|_| {}).limits(limits).start().unwrap();
        // A Unix socket refuses what is asked of a TCP socket.
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let wrong = TcpStream::from(OwnedFd::from(ours));
        serving.serve_stream(Stream::Tcp(wrong), Vec::new());
        assert_eq!(serving.connections_open(), 0);
    }

    #[test]
    fn who_was_refused_and_stays_silent_is_let_go_after_a_second() {
        use std::io::{Read, Write};
        let serving = Server::new().log(|_| {}).start().unwrap();
        let mut client = std::net::TcpStream::connect(serving.listen("127.0.0.1:0").unwrap());
        let client = client.as_mut().unwrap();
        client.write_all(b"{\"MagicNumber\":1}").unwrap();
        client.read_to_end(&mut Vec::new()).unwrap();
        // Less than the server's reads wait otherwise, by default.
        let until = std::time::Instant::now() + Duration::from_secs(4);
        while serving.connections_open() > 0 {
            assert!(std::time::Instant::now() < until, "the server waits on");
            thread::park_timeout(Duration::from_millis(10));
        }
    }

    #[test]
    fn limits_may_be_longer_than_a_clock_counts() {
        let limits = Limits {
            message_timeout: Duration::MAX,
            handle_timeout: Duration::MAX,
            ..Limits::default()
        };
        let double = Service::new("Foo").method("Double", |n: i64| Ok(2 * n));
        let server = Server::new().log(|_| {}).limits(limits).register(double).unwrap();
        let serving = server.start().unwrap();
        let addr = serving.listen("127.0.0.1:0").unwrap();
        let options = crate::Options {
            connect_timeout: Duration::MAX,
            message_timeout: Duration::MAX,
            ..crate::Options::default()
        };
        for protocol in ["tcp", "http"] {
            let client = crate::Client::dial_with(&format!("{protocol}@{addr}"), &options);
            assert_eq!(client.unwrap().call::<i64>("Foo.Double", &21i64).unwrap(), 42);
        }
        serving.shutdown(Duration::MAX).unwrap();
    }
}
