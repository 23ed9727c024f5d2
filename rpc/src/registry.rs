//! Day 7: a registry - servers say that they are there, clients ask who is.
//!
//! **At the end** servers come and go, and clients find those that are there. Fifteen minutes.
//!
//! # Why
//! A list of servers in the program is wrong as soon as one moves. A registry turns it round: servers
//! say that they are there, and say it again; who falls silent is forgotten. etcd, Consul and Zookeeper
//! do this with replicas and watches; ours is one table behind HTTP, and shows what they are for.
//!
//! ```text
//! server ── POST X-Geerpc-Server: tcp@10.0.0.7:7001 ──► registry   now, and every 4 minutes
//! server ── DELETE X-Geerpc-Server: ...             ──►            when it stops
//! client ── GET ──► X-Geerpc-Servers: tcp@10.0.0.7:7001,...        every 10 seconds at most
//! ```
//!
//! All bodies are empty; a POST without the header is answered 500, another method 405, as in Go.
//!
//! # The idea alone
//! ```
//! use std::collections::BTreeMap;
//! use std::time::{Duration, Instant};
//!
//! struct Registry { timeout: Duration, seen: BTreeMap<String, Instant> }
//!
//! impl Registry {
//!     fn beat(&mut self, server: &str, now: Instant) {
//!         self.seen.insert(server.to_owned(), now);
//!     }
//!     fn alive(&mut self, now: Instant) -> Vec<&str> {
//!         self.seen.retain(|_, seen| now - *seen < self.timeout);
//!         self.seen.keys().map(String::as_str).collect()
//!     }
//! }
//!
//! let (start, minute) = (Instant::now(), Duration::from_secs(60));
//! let mut registry = Registry { timeout: 5 * minute, seen: BTreeMap::new() };
//! registry.beat("tcp@a:1", start);
//! registry.beat("tcp@b:1", start);
//! registry.beat("tcp@a:1", start + 4 * minute); // b falls silent
//! assert_eq!(registry.alive(start + 4 * minute), ["tcp@a:1", "tcp@b:1"]);
//! assert_eq!(registry.alive(start + 6 * minute), ["tcp@a:1"]);
//! ```
//!
//! # The walk
//! [`Registry::mount`] puts the table behind a [`web::Engine`]. [`Heartbeat`](crate::Heartbeat) is a
//! thread that sends, rests and sends; it rests on a condition, not in a sleep, so that dropping the
//! handle ends the rest at once.
//! [`RegistryDiscovery`] is a [`Discovery`] that asks, and keeps the last good answer.
//!
//! # How to deploy on several machines? (asked most often)
//! `[::]:7001` is where a server *listens*; nobody can dial it.
//! [`Heartbeat::address_for`](crate::Heartbeat::address_for) finds the address by which this machine
//! reaches the registry, and the registry refuses addresses that nobody could dial. Behind NAT, pass
//! the public address yourself.
//!
//! # What the borrow checker says
//! Go's heartbeat goroutine runs until the process ends, its ticker never stopped (RPC-18). A
//! [`Heartbeat`](crate::Heartbeat) *owns* its thread: `Drop` tells it to stop, and joins it. `let _ = Heartbeat::start(..)`
//! drops it at once - `_` binds nothing; `let _beat = ...` keeps it.
//!
//! # Where this differs from Go
//! - A heartbeat that fails is tried again, for ever, less and less often (RPC-17); its status is
//!   looked at (RPC-18).
//! - DELETE, a token, validation, a bound of 1,024 servers and of 60 KiB for the list (RPC-20).
//! - The list's lock is not held while the registry is asked, which takes 3 seconds at most (RPC-19).
//! - etcd would be another [`Discovery`]: its gateway speaks HTTP and JSON. It is not here yet.
//!
//! # Try it
//! `cargo run -p rpc --example day7_registry`. Exercises, at the end of this file:
//! - `exercise_registry_answers_head`: HEAD is answered 405; let it be GET without a body.
//! - `exercise_registry_tells_when_it_heard`: let GET send `X-Geerpc-Seen` as well, how many seconds ago
//!   each server was heard of.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use web::{Context, Engine};

use crate::discovery::Discovery;
use crate::stream::Address;
use crate::{Error, Result};

/// Where the registry is, on its server.
pub const REGISTRY_PATH: &str = "/_geerpc_/registry";

/// The header that lists the servers in an answer.
const SERVERS: &str = "X-Geerpc-Servers";

/// The header that names one server in a request.
pub(crate) const SERVER: &str = "X-Geerpc-Server";

/// After how long a server that has not been heard of is forgotten, unless said otherwise.
const TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// How many servers a registry keeps.
const SERVERS_MAX: usize = 1024;

/// How long all addresses together may be, commas included. They travel in one header field, and
/// a head of more than 64 KiB is refused by whoever asks.
const LIST_BYTES_MAX: usize = 60 * 1024;

/// The longest time for one request to the registry.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(3);

/// The table of servers that are there.
#[derive(Debug)]
pub struct Registry {
    timeout: Duration,
    token: Option<String>,
    /// When each server was last heard of, by address.
    servers: Mutex<BTreeMap<String, Instant>>,
}

impl Default for Registry {
    /// Forgets after five minutes; anybody may register.
    fn default() -> Registry {
        Registry::new(TIMEOUT)
    }
}

impl Registry {
    /// A registry that forgets servers after `timeout`; zero is never.
    #[must_use]
    pub fn new(timeout: Duration) -> Registry {
        Registry { timeout, token: None, servers: Mutex::default() }
    }

    /// Lets only those register who send `Authorization: Bearer TOKEN`.
    #[must_use]
    pub fn token(mut self, token: &str) -> Registry {
        self.token = Some(format!("Bearer {token}"));
        self
    }

    fn servers(&self) -> MutexGuard<'_, BTreeMap<String, Instant>> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a server, or notes that it is still there.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what is no `protocol@host:port` that others could dial, and when
    /// the registry is full.
    pub fn put(&self, address: &str) -> Result<()> {
        check_address(address)?;
        let mut servers = self.servers();
        self.forget(&mut servers);
        if !servers.contains_key(address) {
            if servers.len() >= SERVERS_MAX {
                return Err(Error::Invalid(format!("the registry is full: {SERVERS_MAX} servers")));
            }
            let bytes: usize = servers.keys().map(|known| known.len() + 1).sum();
            if bytes + address.len() > LIST_BYTES_MAX {
                let why = format!("the registry is full: {LIST_BYTES_MAX} bytes of addresses");
                return Err(Error::Invalid(why));
            }
        }
        servers.insert(address.to_owned(), Instant::now());
        Ok(())
    }

    /// Takes a server out; whether it was there.
    pub fn remove(&self, address: &str) -> bool {
        self.servers().remove(address).is_some()
    }

    /// The servers that are there, sorted, and how long ago each was heard of.
    #[must_use]
    pub fn snapshot(&self) -> Vec<(String, Duration)> {
        let mut servers = self.servers();
        self.forget(&mut servers);
        servers.iter().map(|(address, seen)| (address.clone(), seen.elapsed())).collect()
    }

    fn forget(&self, servers: &mut BTreeMap<String, Instant>) {
        if !self.timeout.is_zero() {
            servers.retain(|_, seen| seen.elapsed() < self.timeout);
        }
    }

    /// Adds the registry to an HTTP server, at [`REGISTRY_PATH`].
    ///
    /// # Errors
    /// [`Error::Http`] when the path has a route already.
    pub fn mount(self: &Arc<Self>, engine: &mut Engine) -> Result<()> {
        for method in ["GET", "POST", "DELETE", "HEAD", "PUT", "PATCH", "OPTIONS", "CONNECT"] {
            let registry = Arc::clone(self);
            engine.route(method, REGISTRY_PATH, move |context: &mut Context| {
                let status = registry.handle(context);
                context.status(status);
            })?;
        }
        Ok(())
    }

    /// Answers a request: the status. Every body is empty.
    fn handle(&self, context: &mut Context) -> u16 {
        let method = context.method().to_owned();
        if method == "GET" {
            let list: Vec<_> = self.snapshot().into_iter().map(|(address, _)| address).collect();
            context.set_header(SERVERS, &list.join(","));
            return 200;
        }
        if method != "POST" && method != "DELETE" {
            return 405;
        }
        if self.token.is_some() && context.header("Authorization") != self.token.as_deref() {
            return 401;
        }
        match (context.header(SERVER), method.as_str()) {
            // What Go answers.
            (None | Some(""), _) => 500,
            (Some(address), "POST") if self.put(address).is_ok() => 200,
            (Some(address), "DELETE") if self.remove(address) => 200,
            (Some(_), "DELETE") => 404,
            _ => 400,
        }
    }
}

/// That others could dial `address`: a comma in it would be two servers, and `0.0.0.0` is nowhere.
pub(crate) fn check_address(text: &str) -> Result<()> {
    let address: Address = text.parse()?;
    let invalid = |why: &str| Err(Error::Invalid(format!("rpc registry: {text:?}: {why}")));
    if text.len() > 256 || text.bytes().any(|byte| byte == b',' || !byte.is_ascii_graphic()) {
        return invalid("not an address");
    }
    if address.protocol == "unix" {
        return Ok(());
    }
    let Some((host, port)) = address.place.rsplit_once(':') else { return invalid("no port") };
    if port.parse::<u16>().is_ok_and(|port| port > 0) && !host.is_empty() {
        let unspecified =
            address.place.parse::<SocketAddr>().is_ok_and(|addr| addr.ip().is_unspecified());
        if unspecified { invalid("an address that nobody can dial") } else { Ok(()) }
    } else {
        invalid("no host and port")
    }
}

/// A client for one request to a registry, whose answers have no body to speak of.
pub(crate) fn http_client(within: Duration) -> web::Client {
    let mut client = web::Client::new();
    client.total_timeout = within.min(REQUEST_TIMEOUT);
    client.connect_timeout = client.total_timeout;
    client.body_bytes_max = 64 * 1024;
    client
}

/// The servers that a registry knows of, asked again when the answer is old.
pub struct RegistryDiscovery {
    url: String,
    max_age: Duration,
    known: Mutex<Known>,
    /// Signalled when whoever asked has an answer, or none.
    answered: Condvar,
}

/// Guarded by [`RegistryDiscovery::known`].
#[derive(Debug, Default)]
struct Known {
    servers: Vec<String>,
    /// When the registry was last asked, whatever it said.
    asked: Option<Instant>,
    /// Whether somebody is asking now, which is done without the lock.
    asking: bool,
}

impl RegistryDiscovery {
    /// The servers of the registry at `url`; an answer is good for ten seconds.
    #[must_use]
    pub fn new(url: &str) -> RegistryDiscovery {
        RegistryDiscovery::with_max_age(url, Duration::from_secs(10))
    }

    /// [`RegistryDiscovery::new`] with another age.
    #[must_use]
    pub fn with_max_age(url: &str, max_age: Duration) -> RegistryDiscovery {
        RegistryDiscovery {
            url: url.to_owned(),
            max_age,
            known: Mutex::default(),
            answered: Condvar::new(),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks, unless the answer there is fresh enough, or somebody is asking and there is a list to
    /// go on with. Takes half of the time until `deadline`: the rest is for the call.
    fn refresh_by(&self, deadline: Option<Instant>) -> Result<()> {
        let left = |deadline: Instant| deadline.saturating_duration_since(Instant::now()) / 2;
        let within = deadline.map_or(REQUEST_TIMEOUT, left);
        let until = Instant::now() + within.min(REQUEST_TIMEOUT);
        let mut known = self.known();
        loop {
            if known.asked.is_some_and(|asked| asked.elapsed() < self.max_age) {
                return Ok(());
            }
            if !known.asking {
                break;
            }
            let left = until.saturating_duration_since(Instant::now());
            if !known.servers.is_empty() || left.is_zero() {
                return Ok(());
            }
            let waited = self.answered.wait_timeout(known, left);
            known = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        known.asking = true;
        drop(known);
        web::log::line(format_args!("rpc registry: refresh servers from registry {}", self.url));
        let answer = self.ask(within);
        let mut known = self.known();
        known.asking = false;
        // A registry that is down is not asked for every call either.
        known.asked = Some(Instant::now());
        let result = match answer {
            Ok(servers) => {
                known.servers = servers;
                Ok(())
            }
            Err(error) => {
                web::log::line(format_args!("rpc registry refresh err: {error}"));
                Err(error)
            }
        };
        self.answered.notify_all();
        result
    }

    fn ask(&self, within: Duration) -> Result<Vec<String>> {
        let answer = http_client(within).get(&self.url)?;
        if answer.status != 200 {
            let status = &answer.status_text;
            return Err(Error::Handshake(format!("the registry answered {status}")));
        }
        let Some(list) = answer.headers.get(SERVERS) else {
            return Err(Error::Handshake(format!("the registry sent no {SERVERS}")));
        };
        let servers = list.split(',').map(str::trim).filter(|server| !server.is_empty());
        Ok(servers.filter(|server| check_address(server).is_ok()).map(str::to_owned).collect())
    }
}

impl Discovery for RegistryDiscovery {
    fn refresh(&self) -> Result<()> {
        self.refresh_by(None)
    }

    fn update(&self, servers: Vec<String>) {
        let mut known = self.known();
        (known.servers, known.asked) = (servers, Some(Instant::now()));
    }

    fn get_all(&self) -> Result<Vec<String>> {
        self.get_all_by(None)
    }

    /// The last good list, however old, when the registry cannot be asked.
    fn get_all_by(&self, deadline: Option<Instant>) -> Result<Vec<String>> {
        let refreshed = self.refresh_by(deadline);
        let servers = self.known().servers.clone();
        match refreshed {
            Err(error) if servers.is_empty() => Err(error),
            _ if servers.is_empty() => Err(Error::NoServers),
            _ => Ok(servers),
        }
    }
}

impl fmt::Debug for RegistryDiscovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RegistryDiscovery {{ {}, {:?} }}", self.url, self.known())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_others_can_dial_are_kept() {
        let registry = Registry::default();
        for bad in [
            "x",
            "tcp@a",
            "tcp@[::]:80",
            "tcp@0.0.0.0:80",
            "tcp@a:0",
            "tcp@a:1,tcp@b:2",
            "tcp@a b:1",
        ] {
            assert!(registry.put(bad).is_err(), "{bad}");
        }
        registry.put("tcp@b:2").unwrap();
        registry.put("http@a:1").unwrap();
        let list: Vec<_> = registry.snapshot().into_iter().map(|(address, _)| address).collect();
        assert_eq!(list, ["http@a:1", "tcp@b:2"]);
        assert!(registry.remove("tcp@b:2") && !registry.remove("tcp@b:2"));
    }

    #[test]
    fn a_full_registry_can_still_be_asked() {
        for length in [20, 256] {
            let registry = Arc::new(Registry::default());
            let address = |n: usize| {
                let port = format!(":{}", n + 1);
                format!("tcp@{}{port}", "a".repeat(length - port.len() - 4))
            };
            let kept = (0..2000).take_while(|&n| registry.put(&address(n)).is_ok()).count();
            assert_eq!(kept, if length == 20 { SERVERS_MAX } else { LIST_BYTES_MAX / 257 });
            registry.put(&address(0)).unwrap(); // who is there may go on being there
            let mut engine = Engine::new();
            engine.log_routes = false;
            registry.mount(&mut engine).unwrap();
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let url = format!("http://{}{REGISTRY_PATH}", listener.local_addr().unwrap());
            // Ends with the process.
            std::thread::spawn(move || engine.serve(listener));
            assert_eq!(RegistryDiscovery::new(&url).get_all().unwrap().len(), kept);
        }
    }

    #[test]
    fn silence_is_forgotten() {
        let registry = Registry::new(Duration::from_nanos(1));
        registry.put("tcp@a:1").unwrap();
        assert!(registry.snapshot().is_empty());
        let registry = Registry::new(Duration::ZERO);
        registry.put("tcp@a:1").unwrap();
        assert_eq!(registry.snapshot().len(), 1);
    }

    #[test]
    #[ignore = "an exercise: see the end of the chapter"]
    fn exercise_registry_tells_when_it_heard() {
        let registry = Arc::new(Registry::default());
        registry.put("tcp@a:1").unwrap();
        registry.put("tcp@b:1").unwrap();
        let mut engine = Engine::new();
        registry.mount(&mut engine).unwrap();
        let answer = engine.handle(web::Request::new("GET", REGISTRY_PATH));
        assert_eq!(answer.headers.get("X-Geerpc-Seen"), Some("0,0"));
    }

    #[test]
    #[ignore = "an exercise: see the end of the chapter"]
    fn exercise_registry_answers_head() {
        let registry = Arc::new(Registry::default());
        let mut engine = Engine::new();
        registry.mount(&mut engine).unwrap();
        let answer = engine.handle(web::Request::new("HEAD", REGISTRY_PATH));
        assert_eq!(answer.status(), 200);
    }
}
