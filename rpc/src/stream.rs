//! Day 2: sockets - TCP or Unix, addresses, and reads and writes that end.
//!
//! std's sockets block. What keeps a thread from waiting for ever is the socket's own timeout: a
//! read or write then comes back with "not yet", and the caller looks at its deadline. A write is
//! woken every ten milliseconds for that, a read when its caller's deadline is due.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, ToSocketAddrs};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{fmt, str};

use crate::{Error, Result, Source};

/// How often a write that makes no progress looks at the clock.
const WRITE_TICK: Duration = Duration::from_millis(10);

/// When `within` is over. What no clock can count - [`Duration::MAX`] for "never" - is over in thirty
/// years.
pub(crate) fn from_now(within: Duration) -> Instant {
    let now = Instant::now();
    let far = Duration::from_secs(30 * 365 * 24 * 3600);
    now.checked_add(within).unwrap_or(now + far)
}

/// Where a server is: `tcp@host:port`, `http@host:port` (CONNECT first) or `unix@path`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// `tcp`, `http` or `unix`.
    pub protocol: String,
    /// `host:port`, or a path.
    pub place: String,
}

impl str::FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Address> {
        let parts = text.split_once('@').filter(|(_, place)| !place.contains('@'));
        let (protocol, place) = parts.ok_or_else(|| {
            Error::Invalid(format!("rpc client err: wrong format '{text}', expect protocol@addr"))
        })?;
        if !["tcp", "http", "unix"].contains(&protocol) || place.is_empty() {
            let what = "expect tcp@host:port, http@host:port or unix@path";
            return Err(Error::Invalid(format!("rpc client err: {text:?}: {what}")));
        }
        Ok(Address { protocol: protocol.to_owned(), place: place.to_owned() })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.protocol, self.place)
    }
}

/// A connected socket. Both directions are used through `&Stream`: one thread may write while
/// another reads.
#[derive(Debug)]
pub enum Stream {
    /// TCP.
    Tcp(TcpStream),
    /// A Unix socket.
    #[cfg(unix)]
    Unix(UnixStream),
}

/// Does the same to whichever socket it is.
macro_rules! each {
    ($stream:expr, $socket:ident => $do:expr) => {
        match $stream {
            Stream::Tcp($socket) => $do,
            #[cfg(unix)]
            Stream::Unix($socket) => $do,
        }
    };
}

impl Stream {
    /// Connects to `address`, trying every address of a name in turn until `within` is over; zero is
    /// no limit but the system's. The look-up of the name, and a Unix socket, take as long as they
    /// take.
    pub(crate) fn connect(address: &Address, within: Duration) -> Result<Stream> {
        let doing = format!("connect to {address}");
        #[cfg(unix)]
        if address.protocol == "unix" {
            let socket = UnixStream::connect(&address.place).map_err(Error::io(doing))?;
            return Ok(Stream::Unix(socket));
        }
        let addrs = address.place.to_socket_addrs().map_err(Error::io(doing.clone()))?;
        let addrs: Vec<SocketAddr> = addrs.collect();
        match first_of(&addrs, within, TcpStream::connect_timeout) {
            Ok(socket) => Ok(Stream::Tcp(socket)),
            Err(error) if error.kind() == io::ErrorKind::TimedOut && !within.is_zero() => {
                Err(Error::ConnectTimeout(within))
            }
            Err(error) => Err(Error::io(doing)(error)),
        }
    }

    /// Makes the socket ready for calls: small messages leave at once, writes look at the clock.
    pub(crate) fn prepare(&self) -> io::Result<()> {
        match self {
            Stream::Tcp(socket) => socket.set_nodelay(true)?,
            #[cfg(unix)]
            Stream::Unix(_) => {}
        }
        each!(self, socket => socket.set_write_timeout(Some(WRITE_TICK)))
    }

    /// Ends a direction, or both; whoever waits on it comes back.
    pub(crate) fn shutdown(&self, how: Shutdown) {
        // An error means that it is shut already.
        let _ = each!(self, socket => socket.shutdown(how));
    }

    /// The longest that a read waits; at least a microsecond, since zero would be for ever.
    pub(crate) fn set_read_timeout(&self, within: Duration) -> io::Result<()> {
        let within = Some(within.max(Duration::from_micros(1)));
        each!(self, socket => socket.set_read_timeout(within))
    }

    pub(crate) fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        each!(self, socket => (&mut &*socket).read(buf))
    }

    pub(crate) fn write(&self, buf: &[u8]) -> io::Result<usize> {
        each!(self, socket => (&mut &*socket).write(buf))
    }

    /// Whether the peer has hung up, without reading anything. Nobody else may be using the
    /// socket meanwhile: for a moment it does not block.
    pub(crate) fn is_hung_up(&self) -> bool {
        let socket = match self {
            Stream::Tcp(socket) => socket,
            // std cannot peek into a Unix socket; the next call finds out.
            #[cfg(unix)]
            Stream::Unix(_) => return false,
        };
        if socket.set_nonblocking(true).is_err() {
            return true;
        }
        let gone = match socket.peek(&mut [0]) {
            Ok(count) => count == 0,
            Err(error) => error.kind() != io::ErrorKind::WouldBlock,
        };
        socket.set_nonblocking(false).is_err() || gone
    }
}

/// What `connect` gives for the first address that can be had. Each has its share of the time that is
/// left, so that one that is silent leaves some for the others.
fn first_of<T>(
    addrs: &[SocketAddr],
    within: Duration,
    connect: impl Fn(&SocketAddr, Duration) -> io::Result<T>,
) -> io::Result<T> {
    let until = from_now(if within.is_zero() { Duration::MAX } else { within });
    let mut last = io::Error::other("the name has no address");
    for (addr, others) in addrs.iter().zip((1..=addrs.len()).rev()) {
        let share = until.saturating_duration_since(Instant::now()).div_f64(others as f64);
        // std takes no zero.
        match connect(addr, share.max(Duration::from_millis(1))) {
            Err(error) => last = error,
            connected => return connected,
        }
    }
    Err(last)
}

/// The reading end of a [`Stream`] as the source of an [`Input`](crate::Input).
pub(crate) struct Socket {
    stream: Arc<Stream>,
    /// Called before every read, which may wait: to send what was held back, wake who was served,
    /// look at a deadline. Its error is the read's.
    before_read: Box<dyn FnMut() -> io::Result<()> + Send>,
    /// From the first byte of a message, the time for the rest of it.
    message_timeout: Duration,
    /// The message of which a part is here: where it begins, and since when.
    partial: Option<(u64, Instant)>,
}

impl Socket {
    pub(crate) fn new(
        stream: &Arc<Stream>,
        message_timeout: Duration,
        before_read: impl FnMut() -> io::Result<()> + Send + 'static,
    ) -> Socket {
        let (stream, before_read) = (Arc::clone(stream), Box::new(before_read));
        Socket { stream, before_read, message_timeout, partial: None }
    }
}

impl Source for Socket {
    fn fetch(&mut self, buf: &mut [u8], begun: Option<u64>) -> io::Result<usize> {
        if let Some(begun) = begun {
            // On a busy connection there is always a part of *some* message here: what may not
            // take long is each of them.
            let same = self.partial.filter(|(message, _)| *message == begun);
            let (_, since) = *self.partial.insert(same.unwrap_or((begun, Instant::now())));
            if since.elapsed() > self.message_timeout {
                let stalled = Error::Stalled(self.message_timeout);
                return Err(io::Error::other(stalled));
            }
        }
        (self.before_read)()?;
        self.stream.read(buf)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_protocol_at_place() {
        let address: Address = "tcp@127.0.0.1:80".parse().unwrap();
        assert_eq!((address.protocol.as_str(), address.place.as_str()), ("tcp", "127.0.0.1:80"));
        assert_eq!(address.to_string(), "tcp@127.0.0.1:80");
        let wrong = "127.0.0.1:80".parse::<Address>().unwrap_err();
        assert_eq!(
            wrong.to_string(),
            "rpc client err: wrong format '127.0.0.1:80', expect protocol@addr"
        );
        assert!("ftp@x".parse::<Address>().is_err());
        assert!("tcp@".parse::<Address>().is_err());
    }

    #[test]
    fn nobody_there_is_an_error_that_says_where() {
        let address: Address = "tcp@127.0.0.1:1".parse().unwrap();
        let error = Stream::connect(&address, Duration::from_secs(1)).unwrap_err().to_string();
        assert!(error.starts_with("connect to tcp@127.0.0.1:1: "), "{error}");
    }

    #[test]
    fn a_silent_address_leaves_time_for_the_next() {
        let addrs = [1, 2, 3].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        let second = Duration::from_secs(1);
        // The first is silent for its whole share, the second refuses, the third is there.
        let connect = |addr: &SocketAddr, share: Duration| match addr.port() {
            1 => {
                assert!(share <= second / 2, "{share:?}");
                Err(io::ErrorKind::TimedOut.into())
            }
            2 => Err(io::ErrorKind::ConnectionRefused.into()),
            port => Ok((port, share)),
        };
        let (port, share) = first_of(&addrs, second, connect).unwrap();
        assert!(port == 3 && share > second / 3, "{share:?}");
        let error = first_of(&addrs[..2], second, connect).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        let (_, share) = first_of(&addrs[2..], Duration::ZERO, connect).unwrap();
        assert!(share > second * 3600, "no limit: {share:?}");
    }
}
