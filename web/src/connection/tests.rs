//! The waits of a connection, one schedule of threads at a time.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{Connection, FRESH_WAIT, LAST_LOOK, Stream};
use crate::{Limits, Request};

/// A peer that sends one request and is then silent, while `wanted` changes between two looks.
#[derive(Clone, Default)]
struct Peer {
    input: Arc<Mutex<Vec<u8>>>,
    /// The timeout of each wait.
    waits: Arc<Mutex<Vec<Duration>>>,
    /// Set when the connection is marked idle, as another thread might in that moment.
    wanted: Arc<Mutex<bool>>,
    timeout: Arc<Mutex<Duration>>,
}

impl Read for Peer {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.waits.lock().unwrap().push(*self.timeout.lock().unwrap());
        let input = std::mem::take(&mut *self.input.lock().unwrap());
        out[..input.len()].copy_from_slice(&input);
        if input.is_empty() { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(input.len()) }
    }
}

impl Write for Peer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Peer {
    fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        *self.timeout.lock().unwrap() = timeout.unwrap();
        Ok(())
    }
    fn set_write_timeout(&self, _: Option<Duration>) -> io::Result<()> {
        Ok(())
    }
    fn shutdown(&self, _: Shutdown) -> io::Result<()> {
        Ok(())
    }
    fn idle(&self, waiting: bool) {
        *self.wanted.lock().unwrap() |= waiting;
    }
    fn wanted(&self) -> bool {
        *self.wanted.lock().unwrap()
    }
}

/// The accept thread has looked for idle connections just before this one became idle: nobody will
/// wake it, so it must see by itself that it is wanted.
#[test]
fn a_connection_that_has_marked_itself_idle_looks_whether_it_is_wanted() {
    let peer = Peer::default();
    *peer.input.lock().unwrap() = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec();
    let mut connection = Connection::new(Box::new(peer.clone()), Limits::default()).unwrap();
    let mut request = Request::default();
    assert!(connection.read_head(&mut request).unwrap());
    assert!(!connection.read_head(&mut request).unwrap());
    assert_eq!(*peer.waits.lock().unwrap(), [FRESH_WAIT, LAST_LOOK]);
}

#[test]
fn a_fresh_connection_that_is_not_wanted_waits_its_whole_time() {
    let peer = Peer::default();
    let limits = Limits { head_timeout: Duration::from_millis(1), ..Limits::default() };
    let mut connection = Connection::new(Box::new(peer.clone()), limits).unwrap();
    assert!(!connection.read_head(&mut Request::default()).unwrap());
    let waits = peer.waits.lock().unwrap();
    assert!(waits.len() > 1 && waits.iter().all(|wait| *wait <= limits.head_timeout), "{waits:?}");
}
