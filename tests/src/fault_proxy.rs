//! A TCP proxy that misbehaves on demand, for testing clients against bad servers and networks.
//!
//! It stands between a client and a real server and does to the *answers* what a [`Fault`] says.
//! [`FaultProxy::set`] cuts the connections there are, so that a kept one does not escape the new fault.
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::{TcpListener, TcpStream};
//! use tests::fault_proxy::{Fault, FaultProxy};
//!
//! let server = TcpListener::bind("127.0.0.1:0").unwrap();
//! let proxy = FaultProxy::start(server.local_addr().unwrap());
//! proxy.set(Fault::Truncate { after: 3 });
//! let answering = std::thread::spawn(move || {
//!     let (mut stream, _) = server.accept().unwrap();
//!     stream.read_exact(&mut [0; 4]).unwrap();
//!     stream.write_all(b"hello").unwrap();
//! });
//! let mut client = TcpStream::connect(proxy.addr()).unwrap();
//! client.write_all(b"ask\n").unwrap();
//! let mut answer = String::new();
//! client.read_to_string(&mut answer).unwrap();
//! assert_eq!(answer, "hel");
//! answering.join().unwrap();
//! ```
//!
//! std cannot ask for a reset, but Linux sends one when a socket is closed with octets unread. So for
//! [`Fault::Reset`] the request is only *peeked* at, and lies unread when the socket is dropped.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

/// What becomes of answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: they are passed on.
    Pass,
    /// Nobody listens: connections are refused.
    Refuse,
    /// The connection is reset after so many octets.
    Reset {
        /// Octets passed on before.
        after: usize,
    },
    /// Nothing comes after so many octets, and the connection stays open.
    Stall {
        /// Octets passed on before.
        after: usize,
    },
    /// The connection ends after so many octets.
    Truncate {
        /// Octets passed on before.
        after: usize,
    },
    /// One octet at a time, with a pause between.
    Trickle {
        /// How long each octet waits.
        pause: Duration,
    },
    /// The server is not asked; these octets are the answer, and the connection ends.
    Reply(Vec<u8>),
    /// The server is not asked; these octets are the answer's beginning, and there is no end.
    Flood(Vec<u8>),
}

/// A running proxy; dropping it stops it.
#[derive(Debug)]
pub struct FaultProxy {
    addr: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<thread::JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    upstream: SocketAddr,
    state: Mutex<State>,
    /// Signalled when the fault changes, and when the change is adopted.
    changed: Condvar,
}

/// Guarded by [`Shared::state`].
#[derive(Debug)]
struct State {
    fault: Fault,
    /// Counts the changes: what began under another number is over.
    epoch: u64,
    /// The number that the accepting thread works under.
    adopted: u64,
    /// Weak, so that a connection ends when its threads drop it: a clone here would keep it open.
    open: Vec<Weak<TcpStream>>,
    /// Our own connections, made to wake the accept.
    wakes: Vec<SocketAddr>,
    accepted: usize,
    stopping: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn adopt(&self, epoch: u64) {
        self.lock().adopted = epoch;
        self.changed.notify_all();
    }

    /// Waits until `epoch` is over, or so long. Whether it is over.
    fn wait(&self, epoch: u64, timeout: Duration) -> bool {
        let state = self.lock();
        let waited = self
            .changed
            .wait_timeout_while(state, timeout, |state| state.epoch == epoch)
            .map_err(|_| ());
        !waited.is_ok_and(|(state, _)| state.epoch == epoch)
    }
}

impl FaultProxy {
    /// A proxy on a port of its own that passes everything on to `upstream`.
    ///
    /// # Panics
    /// When no port is to be had.
    #[must_use]
    pub fn start(upstream: SocketAddr) -> FaultProxy {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let addr = listener.local_addr().expect("a bound listener has an address");
        let (open, wakes) = (Vec::new(), Vec::new());
        let state = State {
            fault: Fault::Pass,
            epoch: 0,
            adopted: 0,
            open,
            wakes,
            accepted: 0,
            stopping: false,
        };
        let shared =
            Arc::new(Shared { upstream, state: Mutex::new(state), changed: Condvar::new() });
        let accepting = {
            let shared = Arc::clone(&shared);
            Some(thread::spawn(move || accept(listener, addr, &shared)))
        };
        FaultProxy { addr, shared, accepting }
    }

    /// Where clients connect.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Misbehaves in another way from now on, and cuts all connections.
    pub fn set(&self, fault: Fault) {
        self.change(|state| state.fault = fault);
    }

    /// How many connections have been accepted.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.shared.lock().accepted
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.shared.lock();
        change(&mut state);
        state.epoch += 1;
        for stream in state.open.drain(..).filter_map(|stream| stream.upgrade()) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        // Wakes the accept, which then looks at the new state; while the lock is held, so that it finds
        // this connection among the wakes.
        let wake = TcpStream::connect_timeout(&self.addr, Duration::from_secs(1));
        state.wakes.extend(wake.and_then(|wake| wake.local_addr()));
        self.shared.changed.notify_all();
        let adopted = |state: &mut State| state.adopted < state.epoch && !state.stopping;
        let _ = self.shared.changed.wait_timeout_while(state, Duration::from_secs(5), adopted);
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.change(|state| state.stopping = true);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

/// Accepts until the proxy stops. While the fault is [`Fault::Refuse`] there is no listener.
fn accept(listener: TcpListener, addr: SocketAddr, shared: &Arc<Shared>) {
    let mut listener = Some(listener);
    let mut serving = Vec::new();
    loop {
        let (fault, epoch, stopping) = {
            let state = shared.lock();
            (state.fault.clone(), state.epoch, state.stopping)
        };
        if stopping {
            break;
        }
        if fault == Fault::Refuse {
            listener = None;
            shared.adopt(epoch);
            shared.wait(epoch, Duration::from_secs(3600));
            continue;
        }
        let listening = match listener.take().map_or_else(|| TcpListener::bind(addr), Ok) {
            Ok(listening) => listener.insert(listening),
            Err(_) => {
                shared.wait(epoch, Duration::from_millis(10));
                continue;
            }
        };
        shared.adopt(epoch);
        let Ok((client, from)) = listening.accept() else { continue };
        let mut state = shared.lock();
        if let Some(wake) = state.wakes.iter().position(|wake| *wake == from) {
            state.wakes.swap_remove(wake);
            continue;
        }
        if state.epoch != epoch {
            continue; // it came before the change, and is cut as the others were
        }
        state.accepted += 1;
        state.open.retain(|stream| stream.strong_count() > 0);
        let client = Arc::new(client);
        state.open.push(Arc::downgrade(&client));
        drop(state);
        let shared = Arc::clone(shared);
        serving.push(thread::spawn(move || serve(&client, &fault, epoch, &shared)));
        serving.retain(|thread| !thread.is_finished());
    }
    for thread in serving {
        let _ = thread.join();
    }
}

/// Serves one connection under one fault.
fn serve(client: &Arc<TcpStream>, fault: &Fault, epoch: u64, shared: &Shared) {
    if let Fault::Reply(answer) | Fault::Flood(answer) = fault {
        let mut client = &**client;
        let _ = client.read(&mut [0; 16 << 10]);
        let mut sent = client.write_all(answer);
        while sent.is_ok() && matches!(fault, Fault::Flood(_)) {
            sent = client.write_all(&[b'x'; 16 << 10]);
        }
        return;
    }
    let Ok(upstream) = TcpStream::connect(shared.upstream).map(Arc::new) else { return };
    {
        let mut state = shared.lock();
        if state.epoch != epoch {
            return;
        }
        state.open.push(Arc::downgrade(&upstream));
    }
    if let Fault::Reset { after } = *fault {
        let _ = peek_and_reset(client, &upstream, after);
        return;
    }
    let (from, to) = (Arc::clone(client), Arc::clone(&upstream));
    let upward = thread::spawn(move || {
        let _ = std::io::copy(&mut &*from, &mut &*to);
        let _ = to.shutdown(Shutdown::Write);
    });
    answer(client, &upstream, fault, epoch, shared);
    let _ = client.shutdown(Shutdown::Both);
    let _ = upward.join();
}

/// Passes the upstream's octets on to the client, as the fault has it.
fn answer(
    mut client: &TcpStream,
    mut upstream: &TcpStream,
    fault: &Fault,
    epoch: u64,
    shared: &Shared,
) {
    let mut left = match *fault {
        Fault::Stall { after } | Fault::Truncate { after } => after,
        _ => usize::MAX,
    };
    let mut buffer = [0; 16 << 10];
    while left > 0 {
        let wanted =
            if matches!(fault, Fault::Trickle { .. }) { 1 } else { buffer.len().min(left) };
        let count = match upstream.read(&mut buffer[..wanted]) {
            Ok(0) => return,
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => return,
        };
        if let Fault::Trickle { pause } = *fault
            && shared.wait(epoch, pause)
        {
            return;
        }
        if client.write_all(&buffer[..count]).is_err() {
            return;
        }
        left -= count;
    }
    if matches!(fault, Fault::Stall { .. }) {
        shared.wait(epoch, Duration::from_secs(3600));
    }
    let _ = upstream.shutdown(Shutdown::Both);
}

/// Forwards a request without taking it from the socket, and drops the socket with it unread.
fn peek_and_reset(
    mut client: &TcpStream,
    mut upstream: &TcpStream,
    after: usize,
) -> std::io::Result<()> {
    let mut request = [0; 16 << 10];
    let mut seen = 0;
    if after > 0 {
        while !request[..seen].ends_with(b"\r\n\r\n") {
            thread::yield_now();
            seen = match client.peek(&mut request)? {
                0 => return Ok(()),
                count => count,
            };
        }
        upstream.write_all(&request[..seen])?;
        let mut answer = vec![0; after];
        let mut got = 0;
        while got < after {
            match upstream.read(&mut answer[got..])? {
                0 => break,
                count => got += count,
            }
        }
        client.write_all(&answer[..got])?;
    } else {
        client.peek(&mut request)?;
    }
    Ok(())
}
