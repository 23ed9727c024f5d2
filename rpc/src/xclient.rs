//! Day 6: a client for many servers.
//!
//! **At the end** one value calls any server of a list, keeps a connection to each, and leaves those alone
//! that cannot be reached. Ten minutes.
//!
//! # Why
//! [`discovery`](crate::discovery) knows the servers and takes one. What is left are the connections: each is
//! made when it is first needed, by one of many callers; and somebody must remember who did not answer.
//!
//! # The picture
//! ```text
//! call ─► discovery: [A, B, C] ─► not in trouble: [A, C] ─► select: C ─► host C ─► client ─► call
//!                                                                        └ dialled here, by one
//! ```
//!
//! Go's client dials while it holds the lock of *all* addresses: one dead server blocks the calls to
//! every other for ten seconds (RPC-15). Here no lock is held while dialling: one caller dials an
//! address, those that need the same one wait for the outcome, each as long as it likes. A server
//! that cannot be reached is left alone for a while, twice as long each time, if there are others.
//!
//! # The idea alone
//! However many need a connection, one of them dials, and no lock is held meanwhile:
//!
//! ```
//! use std::sync::atomic::{AtomicUsize, Ordering};
//! use std::sync::{Condvar, Mutex};
//!
//! #[derive(Default)]
//! struct Link { client: Option<&'static str>, dialling: bool }
//!
//! let (link, dialled, dials) = (Mutex::new(Link::default()), Condvar::new(), AtomicUsize::new(0));
//! let client = || {
//!     let mut held = link.lock().unwrap();
//!     loop {
//!         if let Some(client) = held.client { return client; }
//!         if !held.dialling { break; }
//!         held = dialled.wait(held).unwrap(); // without the lock, until the one who dials is done
//!     }
//!     held.dialling = true;
//!     drop(held);
//!     dials.fetch_add(1, Ordering::Relaxed);
//!     let made = "a connection"; // may take ten seconds
//!     *link.lock().unwrap() = Link { client: Some(made), dialling: false };
//!     dialled.notify_all();
//!     made
//! };
//! std::thread::scope(|scope| {
//!     for _ in 0..8 { scope.spawn(|| assert_eq!(client(), "a connection")); }
//! });
//! assert_eq!(dials.into_inner(), 1);
//! ```
//! Above, dialling cannot fail. Below it can, and those who wait are told how.
//!
//! # The walk
//! [`XClient::call`] has `choose` ask the [`Discovery`] for the list and the [`Select`] for one of it, without
//! those who are in trouble. `call_on` takes the address's `Host`, whose `client` is the idea above, calls with
//! what is left of the time, and has `learn` note whether the server could be reached.
//!
//! # Fail modes
//! - [`XClient::call`]: one server; its error is yours.
//! - [`XClient::broadcast`]: all at once; the first error wins and the rest is given up.
//! - [`XClient::broadcast_all`]: all at once; every result is kept.
//! - [`XClient::call_failover`]: another server when one cannot be reached (beyond).
//!
//! # Assigning through a pointer, or replacing it? (asked most often)
//! In Go a broadcast fills `reply`, a pointer that all calls share; the text spends a page on which of
//! them may write through it, and when (RPC-16). Here each call *returns* its reply, and the first one
//! is kept: an `Option` that is filled once.
//!
//! # What the borrow checker says
//! Broadcasting borrows the arguments in many threads. `thread::spawn` wants `'static`: "borrowed data
//! escapes". `thread::scope` promises that all threads end before it returns, and so may lend them.
//!
//! # Where this differs from Go
//! - No servers is an error, not a success without a reply.
//! - Dialling counts against the deadline of the call.
//!
//! # Try it
//! `cargo run -p rpc --example day6_load_balance`; the day's exercises are those of [`discovery`](crate::discovery).

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::codec::Body;
use crate::discovery::{Candidate, Discovery, Select};
use crate::options::Options;
use crate::{Error, Result};

/// How long a server that could not be reached is left alone, at first and at most.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// How soon a broadcast notices that it is over.
const CANCEL_TICK: Duration = Duration::from_millis(20);

/// A client that chooses a server for each call and keeps one connection to each.
///
/// ```
/// use rpc::discovery::{MultiServers, RoundRobin};
/// use rpc::{Server, Service, XClient};
///
/// # fn main() -> rpc::Result<()> {
/// let double = || Service::new("Foo").method("Double", |n: i64| Ok(2 * n));
/// let (a, b) = (Server::new().register(double())?.start()?, Server::new().register(double())?.start()?);
/// let addresses = [a.listen("127.0.0.1:0")?, b.listen("127.0.0.1:0")?].map(|a| format!("tcp@{a}"));
///
/// let client = XClient::new(MultiServers::new(addresses), RoundRobin::new());
/// assert_eq!(client.call::<i64>("Foo.Double", &1i64)?, 2);
/// assert_eq!(client.broadcast::<i64>("Foo.Double", &4i64, None)?, 8);
/// # Ok(())
/// # }
/// ```
pub struct XClient {
    discovery: Box<dyn Discovery>,
    select: Box<dyn Select>,
    options: Options,
    /// By address. The lock is held to look one up, never to dial or to call.
    hosts: Mutex<HashMap<String, Arc<Host>>>,
}

/// What is known of one address.
#[derive(Debug, Default)]
struct Host {
    link: Mutex<Link>,
    /// Signalled when dialling has ended, either way.
    dialled: Condvar,
    pending: AtomicUsize,
    trouble: Mutex<Trouble>,
}

/// Guarded by [`Host::link`], which is not held while dialling.
#[derive(Debug, Default)]
struct Link {
    client: Option<Arc<Client>>,
    /// Whether somebody is dialling; who needs the address meanwhile waits, and dials not as well.
    dialling: bool,
    /// How often it has been dialled, and how the last attempt failed.
    attempts: u64,
    failed: Option<Error>,
}

/// Guarded by [`Host::trouble`].
#[derive(Debug, Default)]
struct Trouble {
    failures: u32,
    /// Until when it is left alone, if there are others.
    until: Option<Instant>,
}

impl Host {
    fn trouble(&self) -> MutexGuard<'_, Trouble> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_left_alone(&self, now: Instant) -> bool {
        self.trouble().until.is_some_and(|until| now < until)
    }

    fn link(&self) -> MutexGuard<'_, Link> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection there is, or a new one; how an attempt ends is told to all that wait for it.
    fn client(
        &self,
        address: &str,
        options: &Options,
        until: Option<Instant>,
    ) -> Result<Arc<Client>> {
        let mut link = self.link();
        loop {
            if let Some(client) = link.client.as_ref().filter(|client| client.is_available()) {
                return Ok(Arc::clone(client));
            }
            if !link.dialling {
                break;
            }
            let attempt = link.attempts;
            while link.dialling && link.attempts == attempt {
                let left = until.map(|until| until.saturating_duration_since(Instant::now()));
                if left == Some(Duration::ZERO) {
                    return Err(Error::Timeout);
                }
                let waited = self.dialled.wait_timeout(link, left.unwrap_or(BACK_OFF.1));
                link = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
            match &link.failed {
                // It had less time than we have.
                Some(Error::ConnectTimeout(limit)) if *limit != options.connect_timeout => {}
                Some(error) if link.attempts == attempt => return Err(error.clone()),
                _ => {}
            }
        }
        let mut options = options.clone();
        if let Some(until) = until {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::Timeout);
            }
            let limit = options.connect_timeout;
            options.connect_timeout = if limit.is_zero() { left } else { limit.min(left) };
        }
        (link.dialling, link.attempts) = (true, link.attempts + 1);
        drop(link);
        let dialled = Client::dial_with(address, &options).map(Arc::new);
        let mut link = self.link();
        link.dialling = false;
        link.failed = dialled.as_ref().err().cloned();
        link.client = dialled.as_ref().ok().cloned();
        self.dialled.notify_all();
        dialled
    }

    /// Learns from how a call went whether the server can be reached.
    fn learn(&self, error: Option<&Error>) {
        let mut trouble = self.trouble();
        if error.is_some_and(is_unreachable) {
            let pause = BACK_OFF.0.saturating_mul(1 << trouble.failures.min(10)).min(BACK_OFF.1);
            trouble.failures += 1;
            trouble.until = Some(Instant::now() + pause);
        } else {
            *trouble = Trouble::default();
        }
    }
}

/// Whether the call may not have reached the server, so that another may be tried.
pub(crate) fn is_unreachable(error: &Error) -> bool {
    matches!(error, Error::Io { .. } | Error::ConnectTimeout(_) | Error::Handshake(_))
        || error.is_connection_lost()
}

/// Counts a call as pending for as long as it lives.
struct Pending<'a>(&'a Host);

impl<'a> Pending<'a> {
    fn new(host: &'a Host) -> Pending<'a> {
        host.pending.fetch_add(1, Ordering::Relaxed);
        Pending(host)
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        self.0.pending.fetch_sub(1, Ordering::Relaxed);
    }
}

impl XClient {
    /// A client for the servers of `discovery`, chosen by `select`.
    pub fn new(discovery: impl Discovery + 'static, select: impl Select + 'static) -> XClient {
        XClient::with_options(discovery, select, Options::default())
    }

    /// [`XClient::new`] with options for each connection.
    pub fn with_options(
        discovery: impl Discovery + 'static,
        select: impl Select + 'static,
        options: Options,
    ) -> XClient {
        XClient {
            discovery: Box::new(discovery),
            select: Box::new(select),
            options,
            hosts: Mutex::default(),
        }
    }

    /// Calls one server; if that fails, the call has failed.
    ///
    /// # Errors
    /// [`Error::NoServers`], and those of dialling and calling.
    pub fn call<R: Body + 'static>(&self, method: &str, args: &dyn Body) -> Result<R> {
        self.call_on(&self.choose(None, &[], None)?, method, args, None)
    }

    /// [`XClient::call`] that takes `within` at most, dialling included.
    ///
    /// # Errors
    /// Those of [`XClient::call`], and [`Error::Timeout`].
    pub fn call_timeout<R: Body + 'static>(
        &self,
        method: &str,
        args: &dyn Body,
        within: Duration,
    ) -> Result<R> {
        let until = Instant::now().checked_add(within);
        self.call_on(&self.choose(None, &[], until)?, method, args, until)
    }

    /// Chooses a server, leaving out those in `tried`, and those in trouble if there are others.
    pub(crate) fn choose(
        &self,
        key: Option<&str>,
        tried: &[String],
        until: Option<Instant>,
    ) -> Result<String> {
        let mut servers = self.discovery.get_all_by(until)?;
        self.forget_others(&servers);
        servers.retain(|server| !tried.contains(server));
        let now = Instant::now();
        let well: Vec<&String> =
            servers.iter().filter(|server| !self.host(server).is_left_alone(now)).collect();
        let pool = if well.is_empty() { servers.iter().collect() } else { well };
        let hosts: Vec<_> = pool.iter().map(|server| self.host(server)).collect();
        let candidates: Vec<_> = pool
            .iter()
            .zip(&hosts)
            .map(|(address, host)| Candidate {
                address,
                pending: host.pending.load(Ordering::Relaxed),
            })
            .collect();
        if candidates.is_empty() {
            return Err(Error::NoServers);
        }
        let index = self.select.select(&candidates, key).min(candidates.len() - 1);
        Ok(candidates[index].address.to_owned())
    }

    fn hosts(&self) -> MutexGuard<'_, HashMap<String, Arc<Host>>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Servers come and go; of those that are gone nothing is kept, their connections included.
    fn forget_others(&self, servers: &[String]) {
        let gone = {
            let mut hosts = self.hosts();
            if hosts.len() <= servers.len() {
                return;
            }
            hosts.extract_if(|address, _| !servers.contains(address)).collect::<Vec<_>>()
        };
        // Closes their connections, without the lock.
        drop(gone);
    }

    fn host(&self, address: &str) -> Arc<Host> {
        let mut hosts = self.hosts();
        match hosts.get(address) {
            Some(host) => Arc::clone(host),
            None => Arc::clone(hosts.entry(address.to_owned()).or_default()),
        }
    }

    /// Calls this server.
    pub(crate) fn call_on<R: Body + 'static>(
        &self,
        address: &str,
        method: &str,
        args: &dyn Body,
        until: Option<Instant>,
    ) -> Result<R> {
        let host = self.host(address);
        let _pending = Pending::new(&host);
        let result = host.client(address, &self.options, until).and_then(|client| match until {
            Some(until) => {
                client.call_timeout(method, args, until.saturating_duration_since(Instant::now()))
            }
            None => client.call(method, args),
        });
        host.learn(result.as_ref().err());
        result
    }

    /// Calls every server at once. The first error is the result, and the other calls are given
    /// up; without one, the first reply is.
    ///
    /// Dialling cannot be given up: after an error this still waits for the servers that are being
    /// dialled, for [`Options::connect_timeout`] at most (and `within`).
    ///
    /// # Errors
    /// [`Error::NoServers`], [`Error::Timeout`] after `within`, and those of calling.
    pub fn broadcast<R: Body + 'static>(
        &self,
        method: &str,
        args: &(dyn Body + Sync),
        within: Option<Duration>,
    ) -> Result<R> {
        let mut first = None;
        for (_, result) in self.every::<R>(method, args, within, true)? {
            match result {
                // The others were given up because of an error that came before.
                Err(Error::Canceled) => {}
                Err(error) => return Err(error),
                Ok(reply) => first = first.or(Some(reply)),
            }
        }
        first.ok_or(Error::Canceled)
    }

    /// Calls every server at once and gives every result, in the order in which they came.
    ///
    /// # Errors
    /// [`Error::NoServers`]; those of the calls are in the results.
    pub fn broadcast_all<R: Body + 'static>(
        &self,
        method: &str,
        args: &(dyn Body + Sync),
        within: Option<Duration>,
    ) -> Result<Vec<(String, Result<R>)>> {
        self.every(method, args, within, false)
    }

    /// One thread for each server, all joined before this returns.
    fn every<R: Body + 'static>(
        &self,
        method: &str,
        args: &(dyn Body + Sync),
        within: Option<Duration>,
        fail_fast: bool,
    ) -> Result<Vec<(String, Result<R>)>> {
        let until = within.and_then(|within| Instant::now().checked_add(within));
        let servers = self.discovery.get_all_by(until)?;
        let over = AtomicBool::new(false);
        let (sender, results) = mpsc::channel();
        thread::scope(|scope| {
            for address in servers {
                let (sender, over) = (sender.clone(), &over);
                scope.spawn(move || {
                    let result = self.call_unless::<R>(&address, method, args, until, over);
                    if fail_fast && result.is_err() {
                        over.store(true, Ordering::Relaxed);
                    }
                    // The receiver outlives the scope.
                    let _ = sender.send((address, result));
                });
            }
        });
        drop(sender);
        Ok(results.into_iter().collect())
    }

    /// Calls this server, until the call is over because another failed.
    fn call_unless<R: Body + 'static>(
        &self,
        address: &str,
        method: &str,
        args: &dyn Body,
        until: Option<Instant>,
        over: &AtomicBool,
    ) -> Result<R> {
        let host = self.host(address);
        let _pending = Pending::new(&host);
        let wait = || {
            let client = host.client(address, &self.options, until)?;
            let mut handle = client.start::<R>(method, args, until)?;
            loop {
                let left = until.map(|until| until.saturating_duration_since(Instant::now()));
                if let Some(result) =
                    handle.wait_timeout(left.unwrap_or(CANCEL_TICK).min(CANCEL_TICK))
                {
                    return result;
                }
                if over.load(Ordering::Relaxed) {
                    return handle.cancel();
                }
                if left == Some(Duration::ZERO) {
                    return Err(Error::Timeout);
                }
            }
        };
        let result = wait();
        host.learn(result.as_ref().err());
        result
    }

    /// Closes every connection; the next call dials anew.
    pub fn close(&self) {
        let hosts = std::mem::take(&mut *self.hosts());
        drop(hosts);
    }
}

impl fmt::Debug for XClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts = self.hosts();
        f.debug_struct("XClient").field("hosts", &*hosts).finish_non_exhaustive()
    }
}
