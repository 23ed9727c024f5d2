//! Requests, mutated by the hundred thousand, against the whole loop from octets to octets - in
//! memory, so that a second is enough for tens of thousands.
//!
//! The judge is a second reader, written from the RFC for strictness and not for speed: it works
//! on a complete input, cuts at `\r\n`, and shares nothing with `head.rs` and `body.rs` but the
//! table of token characters. Both must serve the same requests with the same bodies, refuse at
//! the same place, and the answers must be exactly as many. Every case is printed with the seed
//! that makes it again.

mod judge;

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::panic::catch_unwind;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use judge::{find, judge};

use super::{Limits, exchange};
use crate::body::Body;
use crate::connection::{Connection, Stream};
use crate::random::Random;
use crate::{Request, Response};

/// Small, so that mutations run into them.
const LIMITS: fn() -> Limits = || Limits {
    request_line_bytes_max: 120,
    head_bytes_max: 300,
    fields_max: 6,
    body_bytes_max: 60,
    ..Limits::default()
};

const SEEDS: &[&str] = &[
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /read?a=%20b HTTP/1.1\r\nHost: a.example:80\r\nAccept: */*\r\nX: \"y\"\r\n\r\n",
    "HEAD /read HTTP/1.1\r\nHost: [::1]:80\r\nConnection: keep-alive\r\n\r\n",
    "POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    "POST /skip HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\nhello, world",
    "POST /read HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
    "POST /read HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "PUT /skip HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\nA\r\n0123456789\r\n0\r\nT: v\r\n\r\n",
    "POST /read HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi",
    "GET http://b.example/read HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "\r\nDELETE /read HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
];

/// What a mutation may put in: the words and octets that framing hangs on.
const PIECES: &[&str] = &[
    "\r\n",
    "\n",
    "\r",
    " ",
    "\t",
    "\0",
    ":",
    ",",
    ";",
    "0",
    "5",
    "-",
    "+",
    "0x",
    "ffffffffffffffff",
    "Content-Length: 5\r\n",
    "Content-Length: 6\r\n",
    "Transfer-Encoding: chunked\r\n",
    "chunked",
    "Transfer-Encoding: gzip, chunked\r\n",
    "Connection: close\r\n",
    "Host: b\r\n",
    "HTTP/1.0",
    "HTTP/1.1",
    "Expect: 100-continue\r\n",
    "\r\n\r\n",
    "0\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "\u{e9}",
    "#",
    "*",
    "/",
    "?",
    "%",
    "@",
    "X: y\r\n",
    "a-very-long-word-that-runs-into-the-limits-of-lines-and-bodies-and-heads-if-it-comes-twice",
];

/// One to four requests, with none to four mutations.
fn input(random: &mut Random) -> Vec<u8> {
    let mut input = Vec::new();
    for _ in 0..=random.below(4) {
        input.extend_from_slice(random.of(SEEDS).as_bytes());
    }
    for _ in 0..random.below(5) {
        let at = random.below(input.len());
        let end = (at + random.below(8)).min(input.len());
        match random.below(6) {
            0 => input[at] = random.next().to_le_bytes()[0],
            1 => drop(input.splice(at..end, [])),
            2 => input.truncate(at.max(1)),
            3 => {
                let copy = input[at..end].to_vec();
                drop(input.splice(at..at, copy));
            }
            4 => input[at] ^= 0x20,
            _ => drop(input.splice(at..at, random.of(PIECES).bytes())),
        }
        if input.is_empty() {
            input.push(b'G');
        }
    }
    input
}

/// A peer that sends its input in pieces and then closes.
struct Peer {
    input: Vec<u8>,
    at: usize,
    random: Random,
    output: Arc<Mutex<Vec<u8>>>,
}

impl Read for Peer {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let rest = self.input.len() - self.at;
        let piece = if self.random.below(2) == 0 { rest } else { 1 + self.random.below(30) };
        let count = piece.min(rest).min(out.len());
        out[..count].copy_from_slice(&self.input[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

impl Write for Peer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = 1 + self.random.below(bytes.len());
        self.output.lock().unwrap().extend_from_slice(&bytes[..count]);
        Ok(count)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Peer {
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

/// What is served: the request line's parts and the body.
type Served = (String, Vec<u8>, Vec<u8>);

/// What our server does with an input: what it served, and every octet it answered.
fn ours(input: &[u8], seed: u64) -> (Vec<Served>, Vec<u8>) {
    let served = Arc::new(Mutex::new(Vec::new()));
    let output = Arc::new(Mutex::new(Vec::new()));
    let peer =
        Peer { input: input.to_vec(), at: 0, random: Random(seed), output: Arc::clone(&output) };
    let seen = Arc::clone(&served);
    let handler = move |request: &mut Request, response: &mut Response| {
        let (method, target) = (request.method().to_owned(), request.target().to_vec());
        let skips = target.ends_with(b"skip");
        let body = if skips { Ok(&b""[..]) } else { Body::bytes(&mut request.body) };
        if let Ok(body) = body {
            *response.body() = b"ok".to_vec();
            seen.lock().unwrap().push((method, target, body.to_vec()));
        }
    };
    exchange::serve(Connection::new(Box::new(peer), LIMITS()).unwrap(), None, &handler);
    let served = std::mem::take(&mut *served.lock().unwrap());
    let output = std::mem::take(&mut *output.lock().unwrap());
    (served, output)
}

/// The final statuses in an output, in order; every octet must belong to an answer.
fn statuses(mut output: &[u8], served: &[Served]) -> Vec<u16> {
    let mut statuses = Vec::new();
    while !output.is_empty() {
        let end = find(output, b"\r\n\r\n").expect("a whole head");
        let head = std::str::from_utf8(&output[..end]).expect("ASCII");
        output = &output[end + 4..];
        let status = head.strip_prefix("HTTP/1.1 ").and_then(|s| s[..3].parse().ok()).unwrap();
        if status == 100 {
            continue;
        }
        let length = head.split("Content-Length: ").nth(1).expect("a length");
        let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
        let is_head = served.get(statuses.len()).is_some_and(|(method, ..)| method == "HEAD");
        // A refusal of something that looked like a HEAD has no body either.
        let has_body = !is_head && (status < 400 || !output.is_empty());
        output = &output[if has_body { length } else { 0 }..];
        statuses.push(status);
        let closes = head.contains("\r\nConnection: close");
        assert!(!closes || output.is_empty(), "an answer after the last");
    }
    statuses
}

fn check(seed: u64) {
    let mut random = Random(seed);
    let input = input(&mut random);
    let (wanted, refused) = judge(&input);
    let (served, output) = ours(&input, random.next());
    assert_eq!(served, wanted);
    let statuses = statuses(&output, &served);
    let (ok, bad) = statuses.split_at(served.len().min(statuses.len()));
    assert!(ok.iter().all(|&status| status == 200) && ok.len() == served.len(), "{statuses:?}");
    assert!(
        bad.iter().all(|&status| status >= 400) && bad.len() == usize::from(refused),
        "{statuses:?}"
    );
}

#[test]
fn mutated_requests_are_served_or_refused_once_as_a_strict_reader_would() {
    let count = match std::env::var("MUTATIONS") {
        Ok(count) => count.parse().unwrap(),
        Err(_) if std::env::var_os("TESTS_FULL").is_some_and(|value| value == "1") => 100_000,
        Err(_) => 20_000,
    };
    let (done, finished) = mpsc::channel();
    // Joined below, unless it hangs, which is the one thing that cannot be joined.
    let worker = std::thread::spawn(move || {
        for seed in 0..count {
            done.send(seed).unwrap();
            if catch_unwind(|| check(seed)).is_err() {
                let input = input(&mut Random(seed));
                panic!(
                    "seed {seed}: {:?}\njudge: {:?}",
                    String::from_utf8_lossy(&input),
                    judge(&input)
                );
            }
        }
    });
    let mut last = 0;
    loop {
        match finished.recv_timeout(Duration::from_secs(20)) {
            Ok(seed) => last = seed,
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("seed {last} hangs"),
        }
    }
    worker.join().unwrap();
}
