//! What a connection needs of a socket (day 1), so that a test can put memory in its place.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// A socket, or something that behaves like one.
pub(crate) trait Stream: Read + Write + Send {
    fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()>;
    fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()>;
    fn shutdown(&self, how: Shutdown) -> io::Result<()>;
    /// Told before (`true`) and after a wait for a further request. While it is marked the server
    /// may end that wait.
    fn idle(&self, _waiting: bool) {}
    /// Whether the server wants this connection's thread or descriptor back: it is stopping, or
    /// others wait for theirs. The next answer is then the last.
    fn wanted(&self) -> bool {
        false
    }
    /// The socket itself, for a handler that takes the connection over.
    fn socket(&self) -> Option<TcpStream> {
        None
    }
}

/// The client's connections are plain sockets.
impl Stream for TcpStream {
    fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        TcpStream::set_read_timeout(self, timeout)
    }
    fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        TcpStream::set_write_timeout(self, timeout)
    }
    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        TcpStream::shutdown(self, how)
    }
}

/// The stream of a request that never saw a socket: at its end, and swallowing writes.
pub(crate) struct Memory;

impl Read for Memory {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Memory {
    fn set_read_timeout(&self, _: Option<Duration>) -> io::Result<()> {
        Ok(())
    }
    fn set_write_timeout(&self, _: Option<Duration>) -> io::Result<()> {
        Ok(())
    }
    fn shutdown(&self, _: Shutdown) -> io::Result<()> {
        Ok(())
    }
}
