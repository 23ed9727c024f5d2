//! Day 3: a server that serves - its listeners, and how it is shut down.
//!
//! # Shutting down
//! [`Serving::shutdown`] goes in four steps: no more connections; no more requests (the reading half of
//! every socket is shut, so that readers find the end of their stream); wait for the calls that run;
//! close and join. std's `accept` cannot be interrupted, so the listener's thread is woken by a
//! connection to itself.

use std::fmt;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
#[cfg(unix)]
use std::os::fd::OwnedFd;
#[cfg(unix)]
use std::os::unix::net::{UnixListener, UnixStream};
#[cfg(unix)]
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::Core;
use crate::service::Service;
use crate::stream::{Stream, from_now};
use crate::{Error, Result};

/// How a thread of the server is told to end.
#[derive(Debug)]
enum Wake {
    Watch,
    /// By a connection: std has no other way out of `accept`.
    Tcp(SocketAddr),
    /// The same; and, should the file be gone, by shutting the listener itself, which ends an
    /// `accept` on Linux.
    #[cfg(unix)]
    Unix(PathBuf, UnixStream),
}

impl Wake {
    /// Has the thread look whether it is to end.
    fn wake(&self) {
        match self {
            Wake::Watch => {}
            Wake::Tcp(addr) => drop(TcpStream::connect_timeout(addr, Duration::from_secs(1))),
            #[cfg(unix)]
            Wake::Unix(path, listener) => {
                drop(UnixStream::connect(path));
                let _ = listener.shutdown(Shutdown::Both);
            }
        }
    }

    /// Removes what its thread has left.
    fn clear(&self) {
        #[cfg(unix)]
        if let Wake::Unix(path, _) = self {
            // Somebody may have been quicker.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// A server that serves. Dropping it shuts it down, giving calls that run five seconds.
pub struct Serving {
    core: Arc<Core>,
    threads: Mutex<Vec<(JoinHandle<()>, Wake)>>,
}

impl Serving {
    pub(super) fn new(core: Arc<Core>, watch: JoinHandle<()>) -> Serving {
        Serving { core, threads: Mutex::new(vec![(watch, Wake::Watch)]) }
    }

    /// Listens on a TCP address, `host:port`, port 0 for any; gives the one it got.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be listened on.
    pub fn listen(&self, addr: &str) -> Result<SocketAddr> {
        let doing = format!("listen on {addr}");
        let addrs = addr.to_socket_addrs().map_err(Error::io(doing.clone()))?;
        let addrs: Vec<SocketAddr> = addrs.collect();
        self.serve_listener(TcpListener::bind(&addrs[..]).map_err(Error::io(doing))?)
    }

    /// Serves a listener that is there already.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn serve_listener(&self, listener: TcpListener) -> Result<SocketAddr> {
        let mut addr = listener.local_addr().map_err(Error::io("ask for the address"))?;
        let local = addr;
        self.accept_loop(move || listener.accept().map(|(socket, _)| Stream::Tcp(socket)), {
            if addr.ip().is_unspecified() {
                addr.set_ip(match addr {
                    SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                    SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
                });
            }
            Wake::Tcp(addr)
        })?;
        Ok(local)
    }

    /// Listens on a Unix socket; a file of this name must not exist, and is removed in the end.
    ///
    /// # Errors
    /// [`Error::Io`].
    #[cfg(unix)]
    pub fn listen_unix(&self, path: &Path) -> Result<()> {
        let doing = || format!("listen on {}", path.display());
        let listener = UnixListener::bind(path).map_err(Error::io(doing()))?;
        let same = listener.try_clone().map_err(Error::io(doing()))?;
        self.accept_loop(
            move || listener.accept().map(|(socket, _)| Stream::Unix(socket)),
            Wake::Unix(path.to_owned(), UnixStream::from(OwnedFd::from(same))),
        )
    }

    /// Serves a stream that is connected already, `already` read from it: how an HTTP server hands
    /// over what was asked for with CONNECT. Returns at once.
    pub fn serve_stream(&self, stream: Stream, already: Vec<u8>) {
        self.core.accept(stream, already);
    }

    /// The services, sorted by name.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.core.services.values()
    }

    /// Calls that run at this moment.
    #[must_use]
    pub fn calls_running(&self) -> usize {
        self.core.calls.inside()
    }

    /// Connections that are open at this moment.
    #[must_use]
    pub fn connections_open(&self) -> usize {
        self.core.connections.inside()
    }

    /// One thread per listener, joined by [`Serving::shutdown`].
    fn accept_loop(
        &self,
        mut accept: impl FnMut() -> std::io::Result<Stream> + Send + 'static,
        wake: Wake,
    ) -> Result<()> {
        let core = Arc::clone(&self.core);
        let thread = thread::Builder::new().name("rpc-accept".to_owned()).spawn(move || {
            while !core.stopping.load(Ordering::SeqCst) {
                match accept() {
                    Ok(stream) => core.accept(stream, Vec::new()),
                    Err(_) if core.stopping.load(Ordering::SeqCst) => break,
                    Err(error) => {
                        core.log(&format!("rpc server: accept error: {error}"));
                        // Out of descriptors, most likely: some must be closed first.
                        thread::park_timeout(Duration::from_millis(50));
                    }
                }
            }
        });
        let thread = thread.map_err(Error::io("start a thread"))?;
        self.threads().push((thread, wake));
        Ok(())
    }

    fn threads(&self) -> MutexGuard<'_, Vec<(JoinHandle<()>, Wake)>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops listening, reads no more requests, lets the calls that run end and send their
    /// replies for `grace` at most, then closes every connection and joins every thread.
    ///
    /// # Errors
    /// [`Error::StillRunning`] when methods still ran then: a thread cannot be ended from outside.
    /// Their connections are closed; the threads end with them.
    pub fn shutdown(&self, grace: Duration) -> Result<()> {
        let until = from_now(grace);
        self.core.stopping.store(true, Ordering::SeqCst);
        let threads = std::mem::take(&mut *self.threads());
        threads.iter().for_each(|(_, wake)| wake.wake());
        // A reader finds the end of its stream; a writer goes on.
        self.each_connection(Shutdown::Read);
        let mut still = self.core.pool.close(until);
        if still > 0 {
            self.each_connection(Shutdown::Both);
            still = self.core.pool.close(Instant::now() + Duration::from_millis(200));
        }
        self.core.watch.stop();
        for (thread, wake) in threads {
            // Without a free descriptor the first attempt went nowhere; some are free by now.
            while !thread.is_finished() {
                wake.wake();
                thread::park_timeout(Duration::from_millis(1));
            }
            // A panic in there was printed by the panic hook.
            let _ = thread.join();
            wake.clear();
        }
        if still > 0 { Err(Error::StillRunning(still)) } else { Ok(()) }
    }

    fn each_connection(&self, how: Shutdown) {
        let open: Vec<_> = self.core.open().iter().filter_map(Weak::upgrade).collect();
        open.iter().for_each(|connection| connection.stream.shutdown(how));
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if !self.threads().is_empty() {
            // What still runs then has been told, and keeps nothing open.
            let _ = self.shutdown(Duration::from_secs(5));
        }
    }
}

impl fmt::Debug for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let services: Vec<_> = self.core.services.keys().collect();
        let connections = self.connections_open();
        f.debug_struct("Serving")
            .field("services", &services)
            .field("connections", &connections)
            .finish_non_exhaustive()
    }
}
