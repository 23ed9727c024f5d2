//! HTTP/1.1 from the outside, octet by octet: a server in this process, and a client that sends
//! what it is told and reads answers more strictly than any browser.
//!
//! It shares no code with `web`, so that the two cannot be wrong together. Every read has a
//! deadline: a test that would hang fails instead.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use web::{Server, Stopper};

/// How long anything here is waited for.
pub const WATCHDOG: Duration = Duration::from_secs(20);

/// A server in this process; stopped and joined when dropped.
#[derive(Debug)]
pub struct Serving {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Stops it earlier.
    pub stopper: Stopper,
    thread: Option<JoinHandle<()>>,
}

impl Serving {
    /// Starts a server.
    ///
    /// # Panics
    /// If there is no port to be had.
    #[must_use]
    pub fn start(server: Server) -> Serving {
        Serving::start_on(TcpListener::bind("127.0.0.1:0").expect("a free port"), server)
    }

    /// Starts a server on this listener.
    ///
    /// # Panics
    /// If the listener has no address.
    #[must_use]
    pub fn start_on(listener: TcpListener, server: Server) -> Serving {
        let (addr, stopper) = (listener.local_addr().expect("its address"), server.stopper());
        // Joined on drop; ended by the stopper.
        let thread = Some(thread::spawn(move || server.serve(listener).expect("it serves")));
        Serving { addr, stopper, thread }
    }

    /// A connection to it.
    ///
    /// # Panics
    /// If it does not accept.
    #[must_use]
    pub fn connect(&self) -> Raw {
        Raw::new(TcpStream::connect(self.addr).expect("the server accepts"))
    }

    /// Sends `bytes` on a fresh connection.
    #[must_use]
    pub fn send(&self, bytes: impl AsRef<[u8]>) -> Raw {
        let mut raw = self.connect();
        raw.send(bytes);
        raw
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stopper.shutdown(Duration::from_secs(5));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Names, in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body, decoded from its chunks.
    pub body: Vec<u8>,
}

impl Reply {
    /// The one field of that (lower case) name.
    ///
    /// # Panics
    /// If there are two.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(n, _)| n == name).map(|(_, v)| &**v);
        let first = found.next();
        assert_eq!(found.next(), None, "two {name} fields: {self:?}");
        first
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A client's side of a connection.
#[derive(Debug)]
pub struct Raw {
    /// The socket.
    pub stream: TcpStream,
    buffered: Vec<u8>,
}

impl Raw {
    /// Takes a socket and gives it deadlines.
    ///
    /// # Panics
    /// If the socket is not one.
    #[must_use]
    pub fn new(stream: TcpStream) -> Raw {
        stream.set_read_timeout(Some(WATCHDOG)).expect("a timeout");
        stream.set_write_timeout(Some(WATCHDOG)).expect("a timeout");
        stream.set_nodelay(true).expect("no delay");
        Raw { stream, buffered: Vec::new() }
    }

    /// Sends octets.
    ///
    /// # Panics
    /// If the server takes none for long, or has closed.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).expect("the server reads");
    }

    /// Says that nothing more will be sent.
    ///
    /// # Panics
    /// If the connection is gone.
    pub fn finish(&mut self) {
        self.stream.shutdown(Shutdown::Write).expect("the connection stands");
    }

    /// The answer to a GET or anything else but HEAD.
    ///
    /// # Panics
    /// If what comes is not an answer that RFC 9112 would have a server send, or nothing comes.
    pub fn answer(&mut self) -> Reply {
        self.try_answer(false).expect("an answer, not the end")
    }

    /// The answer to a HEAD.
    ///
    /// # Panics
    /// As [`Raw::answer`].
    pub fn answer_to_head(&mut self) -> Reply {
        self.try_answer(true).expect("an answer, not the end")
    }

    /// One answer, or `None` if the connection ends, in good order or by a reset, before its first
    /// octet.
    ///
    /// # Panics
    /// As [`Raw::answer`].
    pub fn try_answer(&mut self, head_only: bool) -> Option<Reply> {
        let end = loop {
            if let Some(at) = self.buffered.windows(4).position(|w| w == b"\r\n\r\n") {
                break at;
            }
            match self.fill() {
                Ok(0) | Err(ErrorKind::ConnectionReset) if self.buffered.is_empty() => return None,
                Ok(1..) => {}
                other => panic!("{other:?} inside a head: {:?}", self.shown()),
            }
        };
        let head: Vec<u8> = self.buffered.drain(..end + 4).collect();
        let mut reply = strict_head(&head[..end]);
        let (length, chunked) = (reply.header("content-length"), reply.header("transfer-encoding"));
        let (status, none) = (reply.status, length.is_none() && chunked.is_none());
        assert!(length.is_none() || chunked.is_none(), "both framings: {reply:?}");
        if status < 200 || status == 204 {
            assert!(none, "{status} has a framing field: {reply:?}");
        }
        if (200..500).contains(&status) {
            let date = reply.header("date").unwrap_or_default();
            let time = web::http::parse_date(date).expect("a date");
            assert!(time.elapsed().is_ok_and(|age| age < Duration::from_secs(3)), "{date}");
        }
        if !head_only && status >= 200 && status != 204 && status != 304 {
            reply.body = if let Some(length) = length {
                self.take(length.parse().expect("a length"))
            } else if chunked == Some("chunked") {
                self.chunks()
            } else {
                assert_eq!(reply.header("connection"), Some("close"), "no framing: {reply:?}");
                self.rest()
            };
        }
        Some(reply)
    }

    /// Everything up to the end of the connection.
    ///
    /// # Panics
    /// If the connection is reset: then the end is not known to be the end.
    pub fn rest(&mut self) -> Vec<u8> {
        loop {
            match self.fill() {
                Ok(0) => return std::mem::take(&mut self.buffered),
                Ok(_) => {}
                Err(error) => panic!("{error:?} after {:?}", self.shown()),
            }
        }
    }

    /// Asserts that the server has closed in good order and has sent nothing more.
    ///
    /// # Panics
    /// If it has not.
    pub fn ends(&mut self) {
        let rest = self.rest();
        assert!(rest.is_empty(), "after the end: {:?}", String::from_utf8_lossy(&rest));
    }

    /// Exactly so many octets.
    ///
    /// # Panics
    /// If the connection ends before.
    pub fn take(&mut self, count: usize) -> Vec<u8> {
        while self.buffered.len() < count {
            let got = self.fill();
            assert!(matches!(got, Ok(1..)), "{got:?} after {} of {count}", self.buffered.len());
        }
        self.buffered.drain(..count).collect()
    }

    fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let mut line = Vec::new();
            while !line.ends_with(b"\r\n") {
                line.extend(self.take(1));
            }
            let size = std::str::from_utf8(&line[..line.len() - 2]).expect("a chunk size");
            let size = usize::from_str_radix(size, 16).expect("a hexadecimal chunk size");
            body.extend(self.take(size));
            assert_eq!(self.take(2), b"\r\n", "a chunk's end");
            if size == 0 {
                return body;
            }
        }
    }

    fn fill(&mut self) -> Result<usize, ErrorKind> {
        let mut block = vec![0; 64 * 1024];
        let got = self.stream.read(&mut block).map_err(|error| error.kind())?;
        self.buffered.extend_from_slice(&block[..got]);
        Ok(got)
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.buffered).into_owned()
    }
}

/// Reads a head without its last line end; anything odd is a panic.
fn strict_head(head: &[u8]) -> Reply {
    let text = String::from_utf8(head.to_vec()).expect("our heads are ASCII");
    assert!(!text.replace("\r\n", "").contains(char::is_control), "a stray control: {text:?}");
    let mut lines = text.split("\r\n");
    let status_line = lines.next().unwrap_or_default();
    let status = status_line.strip_prefix("HTTP/1.1 ").expect("a status line");
    let (code, reason) = status.split_once(' ').expect("a status and its reason");
    assert!(code.len() == 3 && !reason.is_empty(), "{status_line:?}");
    let headers = lines
        .map(|line| {
            let (name, value) = line.split_once(": ").expect("a field");
            assert!(web::http::is_token(name.as_bytes()), "{line:?}");
            (name.to_ascii_lowercase(), value.to_owned())
        })
        .collect();
    Reply { status: code.parse().expect("a status"), headers, body: Vec::new() }
}
