//! The connections that are open (day 1), so that the server can ask one of them to end.
//!
//! A thread that waits in a read cannot be told anything, in std. But its socket can be shut down
//! for reading from another thread: the read then ends as if the peer had closed.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::connection::Stream;

/// What the accept thread, the connections and the stoppers share. The flags need no lock: every
/// connection looks at them before it waits for a request and when it answers one.
#[derive(Debug, Default)]
pub(super) struct Control {
    pub(super) stopping: AtomicBool,
    /// `accept` fails for want of descriptors: each connection that ends helps.
    pub(super) starved: AtomicBool,
    state: Mutex<Open>,
    /// Signalled when `serve` has returned.
    pub(super) stopped: Condvar,
}

/// Protected by [`Control::state`].
#[derive(Debug, Default)]
pub(super) struct Open {
    /// By the key that each connection got when it was accepted.
    pub(super) connections: HashMap<u64, Arc<Socket>>,
    /// The key given out last.
    last: u64,
    /// Where `accept` waits, while it does.
    pub(super) listener: Option<SocketAddr>,
    /// Some `serve` is running.
    pub(super) serving: bool,
    /// When running requests are cut off; set by a stopper.
    pub(super) deadline: Option<Instant>,
    /// Some request was cut off at the deadline.
    pub(super) cut: bool,
}

impl Control {
    pub(super) fn lock(&self) -> MutexGuard<'_, Open> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the wait of one connection, or of every one, that has been served and waits for a
    /// further request. Its thread answers what has already arrived before it goes.
    pub(super) fn release_idle(&self, all: bool) {
        for socket in self.lock().connections.values() {
            if socket.idle.load(SeqCst) && socket.idle.swap(false, SeqCst) {
                let _ = socket.stream.shutdown(Shutdown::Read);
                if !all {
                    return;
                }
            }
        }
    }

    /// Ends every connection, in the middle of whatever it is doing.
    pub(super) fn cut_all(&self) {
        let mut open = self.lock();
        open.cut = true;
        for socket in open.connections.values() {
            let _ = socket.stream.shutdown(Shutdown::Both);
        }
    }
}

/// A connection's socket, as the accept thread and the stoppers see it.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) stream: TcpStream,
    /// Its thread waits for a further request.
    idle: AtomicBool,
}

/// The same socket as its thread sees it; listed in [`Open::connections`] while it lives.
pub(super) struct Tracked {
    socket: Arc<Socket>,
    control: Arc<Control>,
    /// Accepted connections that wait for a thread: each wants another to end.
    backlog: Arc<AtomicUsize>,
    key: u64,
}

impl Tracked {
    pub(super) fn new(
        stream: TcpStream,
        control: Arc<Control>,
        backlog: Arc<AtomicUsize>,
    ) -> (Self, Arc<Socket>) {
        let socket = Arc::new(Socket { stream, idle: AtomicBool::new(false) });
        let key = {
            let mut open = control.lock();
            open.last += 1;
            let key = open.last;
            open.connections.insert(key, Arc::clone(&socket));
            key
        };
        (Tracked { socket: Arc::clone(&socket), control, backlog, key }, socket)
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
    fn set_read_timeout(&self, timeout: Option<std::time::Duration>) -> io::Result<()> {
        self.socket.stream.set_read_timeout(timeout)
    }
    fn set_write_timeout(&self, timeout: Option<std::time::Duration>) -> io::Result<()> {
        self.socket.stream.set_write_timeout(timeout)
    }
    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.socket.stream.shutdown(how)
    }

    fn idle(&self, waiting: bool) {
        self.socket.idle.store(waiting, SeqCst);
    }

    fn wanted(&self) -> bool {
        self.backlog.load(SeqCst) > 0
            || self.control.stopping.load(SeqCst)
            || self.control.starved.load(SeqCst)
    }

    fn socket(&self) -> Option<TcpStream> {
        self.socket.stream.try_clone().ok()
    }
}
