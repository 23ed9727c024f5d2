//! Day 7: the heartbeat of a server - a thread that says "still here", and an owner that ends it.

use std::fmt;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use web::client::Outgoing;

use crate::registry::{REQUEST_TIMEOUT, SERVER, check_address, http_client};
use crate::{Error, Result};

/// How often a server says that it is there: a minute before it would be forgotten.
pub const HEARTBEAT_PERIOD: Duration = Duration::from_secs(4 * 60);

/// Tells a registry, again and again, that a server is there; stops, and takes it out, on drop.
#[derive(Debug)]
pub struct Heartbeat {
    shared: Arc<Beat>,
    thread: Option<JoinHandle<()>>,
}

struct Beat {
    url: String,
    address: String,
    token: Option<String>,
    period: Duration,
    stopping: Mutex<bool>,
    /// Whether the registry is to learn of the end by silence.
    silent: AtomicBool,
    stop: Condvar,
    http: web::Client,
}

impl fmt::Debug for Beat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Beat {{ {} to {} }}", self.address, self.url)
    }
}

impl Heartbeat {
    /// Registers `address` with the registry at `url`, now and every `period`; zero is
    /// [`HEARTBEAT_PERIOD`]. A registry that is down is asked again, ever less often, for ever.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an address that nobody could dial; [`Error::Io`] when no thread can
    /// be started.
    pub fn start(url: &str, address: &str, period: Duration) -> Result<Heartbeat> {
        Heartbeat::start_with(url, address, period, None)
    }

    /// [`Heartbeat::start`] with the registry's token.
    ///
    /// # Errors
    /// Those of [`Heartbeat::start`].
    pub fn start_with(
        url: &str,
        address: &str,
        period: Duration,
        token: Option<&str>,
    ) -> Result<Heartbeat> {
        check_address(address)?;
        let shared = Arc::new(Beat {
            url: url.to_owned(),
            address: address.to_owned(),
            token: token.map(|token| format!("Bearer {token}")),
            period: if period.is_zero() { HEARTBEAT_PERIOD } else { period },
            stopping: Mutex::new(false),
            silent: AtomicBool::new(false),
            stop: Condvar::new(),
            http: http_client(REQUEST_TIMEOUT),
        });
        let beat = Arc::clone(&shared);
        // Joined on drop, which it waits for.
        let thread = thread::Builder::new().name("rpc-heartbeat".to_owned());
        let thread = thread.spawn(move || beat.run()).map_err(Error::io("start a thread"))?;
        Ok(Heartbeat { shared, thread: Some(thread) })
    }

    /// Stops without a word to the registry, as a machine does that loses its power: there the
    /// server stays listed until its time is over.
    pub fn fall_silent(self) {
        self.shared.silent.store(true, Ordering::SeqCst);
    }

    /// The address that others can dial for a listener on `listening`: if that is `0.0.0.0` or
    /// `[::]`, the address by which this machine reaches the registry. (Connecting a UDP socket
    /// sends nothing, but makes the kernel choose.)
    ///
    /// # Errors
    /// [`Error::Io`] when the registry's name has no address, or there is no way to it.
    pub fn address_for(url: &str, listening: SocketAddr) -> Result<String> {
        if !listening.ip().is_unspecified() {
            return Ok(format!("tcp@{listening}"));
        }
        let authority = url.split("://").last().and_then(|rest| rest.split('/').next());
        let authority = authority.unwrap_or_default();
        let doing = || format!("find the way to {authority}");
        let socket = UdpSocket::bind("0.0.0.0:0").map_err(Error::io(doing()))?;
        socket.connect(authority).map_err(Error::io(doing()))?;
        let ours = socket.local_addr().map_err(Error::io(doing()))?;
        Ok(format!("tcp@{}", SocketAddr::new(ours.ip(), listening.port())))
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        *self.shared.stopping.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.shared.stop.notify_all();
        if let Some(thread) = self.thread.take() {
            // A panic in there was printed by the panic hook.
            let _ = thread.join();
        }
    }
}

impl Beat {
    fn run(&self) {
        let mut pause = Duration::ZERO;
        // Said once: those that follow are as good as silence in a log.
        let (address, url) = (&self.address, &self.url);
        web::log::line(format_args!("{address} send heart beat to registry {url}"));
        loop {
            pause = match self.send("POST") {
                Ok(()) => self.period,
                Err(error) => {
                    web::log::line(format_args!("rpc server: heart beat err: {error}"));
                    // Twice as long each time, but no longer than between two beats.
                    let longer = if pause == self.period { Duration::ZERO } else { 2 * pause };
                    longer.max(Duration::from_millis(100)).min(self.period)
                }
            };
            let stopping = self.stopping.lock().unwrap_or_else(PoisonError::into_inner);
            let rested = self.stop.wait_timeout_while(stopping, pause, |stopping| !*stopping);
            if *rested.unwrap_or_else(PoisonError::into_inner).0 {
                break;
            }
        }
        // If the registry is down it will forget us by itself.
        if !self.silent.load(Ordering::SeqCst) {
            let _ = self.send("DELETE");
        }
    }

    fn send(&self, method: &str) -> Result<()> {
        let mut request = Outgoing::new(method, &self.url).header(SERVER, &self.address);
        if let Some(token) = &self.token {
            request = request.header("Authorization", token);
        }
        let answer = self.http.send(request)?;
        if answer.status == 200 {
            return Ok(());
        }
        Err(Error::Handshake(format!("the registry answered {}", answer.status_text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_is_advertised_as_the_way_to_the_registry() {
        let url = "http://127.0.0.1:9999/_geerpc_/registry";
        let address = Heartbeat::address_for(url, "0.0.0.0:7001".parse().unwrap()).unwrap();
        assert_eq!(address, "tcp@127.0.0.1:7001");
        let address = Heartbeat::address_for(url, "127.0.0.1:7001".parse().unwrap()).unwrap();
        assert_eq!(address, "tcp@127.0.0.1:7001");
        assert!(Heartbeat::start(url, "tcp@[::]:7001", Duration::ZERO).is_err());
    }
}
