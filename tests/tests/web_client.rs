//! The client against servers that lie, dawdle, break off or die.

#![cfg(test)]

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use web::{Answer, Client, Error, Outgoing, Result};

/// Reads one request and gives its octets.
fn request(stream: &mut TcpStream) -> String {
    stream.set_read_timeout(Some(tests::raw::WATCHDOG)).unwrap();
    let mut seen = Vec::new();
    let mut block = [0; 4096];
    while !seen.windows(4).any(|w| w == b"\r\n\r\n") {
        match stream.read(&mut block) {
            Ok(got @ 1..) => seen.extend_from_slice(&block[..got]),
            _ => break,
        }
    }
    String::from_utf8(seen).unwrap()
}

/// A server that runs `script` once for each connection, and its URL. The thread ends with the
/// process: a hostile server does not stop when asked.
fn server(mut script: impl FnMut(usize, TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        for (n, stream) in listener.incoming().enumerate() {
            script(n, stream.unwrap());
        }
    });
    url
}

/// A server that answers the first request of each connection with these octets, then closes.
fn says(answer: impl Into<Vec<u8>>) -> String {
    let answer = answer.into();
    server(move |_, mut stream| {
        request(&mut stream);
        let _ = stream.write_all(&answer);
    })
}

fn get(answer: impl Into<Vec<u8>>) -> Result<Answer> {
    Client::new().get(&says(answer))
}

fn client(change: impl FnOnce(&mut Client)) -> Client {
    let mut client = Client::new();
    change(&mut client);
    client
}

/// Why an answer was not taken.
fn reason(result: Result<Answer>) -> String {
    match result {
        Err(Error::Refused { status: 502, reason }) => reason.to_owned(),
        Err(Error::Refused { status, reason }) => panic!("status {status}: {reason}"),
        Err(Error::Io { source, .. }) => format!("{:?}", source.kind()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_not_an_answer_is_refused() {
    const ENDED: &str = "the connection ended inside the body";
    const CASES: &[(&str, &str)] = &[
        ("", "UnexpectedEof"),
        ("hello\r\n\r\n", "the answer does not begin with HTTP/1.x and a status"),
        ("HTTP/2 200\r\n\r\n", "the answer does not begin with HTTP/1.x and a status"),
        ("HTTP/1.1 2000 OK\r\n\r\n", "the answer does not begin with HTTP/1.x and a status"),
        ("HTTP/1.1 +20 OK\r\n\r\n", "the answer does not begin with HTTP/1.x and a status"),
        ("HTTP/1.1 700 OK\r\n\r\n", "the answer does not begin with HTTP/1.x and a status"),
        ("HTTP/1.1 200 OK\n\n", "a line of the answer ends in LF without CR"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5", "the answer ends inside its head"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", ENDED),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello",
            "Content-Length is not a number of octets",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
            "two Content-Lengths that differ",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "the answer has Transfer-Encoding beside Content-Length",
        ),
        (
            "HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n",
            "a header name is not a token followed by a colon",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            "the connection ended inside a chunked body",
        ),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", ENDED),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
            "a chunk size is not 1 to 16 hexadecimal digits",
        ),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nhello", ENDED),
        ("HTTP/1.1 101 Switching Protocols\r\n\r\n", "the answer is 101 unasked, or only ever 1xx"),
    ];
    for (answer, want) in CASES {
        assert_eq!(reason(get(*answer)), *want, "{answer:?}");
    }
}

#[test]
fn what_never_ends_is_ended() {
    let endless = |start: &'static str, more: &'static str| {
        let url = server(move |_, mut stream| {
            request(&mut stream);
            let _ = stream.write_all(start.as_bytes());
            while stream.write_all(more.as_bytes()).is_ok() {}
        });
        let client = client(|c| c.body_bytes_max = 100_000);
        reason(client.get(&url))
    };
    assert_eq!(endless("HTTP/1.1 200 ", "OK"), "the answer's head is too large");
    assert_eq!(endless("HTTP/1.1 200 OK\r\n", "A: b\r\n"), "the answer has too many header fields");
    assert_eq!(
        endless("", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"),
        "the answer is 101 unasked, or only ever 1xx"
    );
    let large = "the body is over its limit; raise body_bytes_max";
    assert_eq!(endless("HTTP/1.1 200 OK\r\n\r\n", "for ever"), large);
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(endless(chunked, "5\r\nhello\r\n"), large);
    // Refused by what it says; nothing of it is read or reserved.
    assert_eq!(
        endless("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n", ""),
        large
    );
}

#[test]
fn bodies_end_where_they_say_and_no_later() {
    let body = |answer: &str| get(answer).unwrap().body;
    assert_eq!(body("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more"), b"hello");
    assert_eq!(body("HTTP/1.1 200 OK\r\n\r\nup to the end"), b"up to the end");
    assert_eq!(body("HTTP/1.0 200 OK\r\n\r\n"), b"");
    assert_eq!(
        body(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n0\r\nT: v\r\n\r\n"
        ),
        b"hello"
    );
    assert_eq!(body("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"), b"");
    assert_eq!(body("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"), b"");
    let url = says("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    let answer = Client::new().send(Outgoing::new("HEAD", &url)).unwrap();
    assert_eq!((&*answer.body, answer.headers.get("Content-Length")), (&b""[..], Some("5")));
    // Exactly as large as is allowed, whatever the framing.
    for head in ["", "Content-Length: 5\r\n"] {
        let url = says(format!("HTTP/1.1 200 OK\r\n{head}\r\nhello"));
        let sized = |body_bytes_max| client(|c| c.body_bytes_max = body_bytes_max).get(&url);
        assert_eq!(sized(5).unwrap().body, b"hello");
        assert_eq!(reason(sized(4)), "the body is over its limit; raise body_bytes_max");
    }
}

#[test]
fn answers_before_the_answer_are_skipped() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
    let answer = get(format!("{interim}HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno"));
    let answer = answer.unwrap();
    assert_eq!(
        (answer.status, &*answer.status_text, &*answer.body),
        (404, "404 Not Found", &b"no"[..])
    );
    assert!(answer.headers.get("Link").is_none());
}

/// One octet now and then keeps no client longer than its total timeout.
#[test]
fn a_trickle_is_cut_off_at_the_total_timeout() {
    let total_timeout = Duration::from_millis(150);
    for start in [
        "",
        "HTTP/1.1 200 OK\r\nA: ",
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n",
    ] {
        let url = server(move |_, mut stream| {
            request(&mut stream);
            let _ = stream.write_all(start.as_bytes());
            stream.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
            // Every 10 ms an octet - or nothing - until the client is gone.
            while stream.read(&mut [0; 1]).is_err_and(|e| e.kind() == ErrorKind::WouldBlock) {
                let _ = stream.write_all(if start.is_empty() { b"" } else { b"x" });
            }
        });
        let started = Instant::now();
        let client = client(|c| c.total_timeout = total_timeout);
        assert_eq!(reason(client.get(&url)), "TimedOut", "{start:?}");
        assert!(started.elapsed() >= total_timeout && started.elapsed() < tests::raw::WATCHDOG);
    }
    // Nor does a server that does not read.
    let (keep, kept) = mpsc::channel();
    let url = server(move |_, stream| keep.send(stream).unwrap());
    let client = client(|c| c.total_timeout = total_timeout);
    let started = Instant::now();
    let sent = client.send(Outgoing::new("POST", &url).body(vec![0; 64 << 20]));
    assert_eq!(reason(sent), "TimedOut");
    assert!(started.elapsed() < tests::raw::WATCHDOG);
    drop(kept);
}

/// Closing a socket with unread octets resets the connection.
#[test]
fn a_reset_is_an_error() {
    let url = server(|_, stream| drop(stream.peek(&mut [0; 1])));
    let why = reason(Client::new().get(&url));
    assert!(matches!(&*why, "ConnectionReset" | "UnexpectedEof" | "BrokenPipe"), "{why}");
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let why = reason(Client::new().get(&format!("http://{nobody}/")));
    assert_eq!(why, "ConnectionRefused");
}

#[test]
fn an_early_answer_to_a_large_body_is_found() {
    let url = server(|_, mut stream| {
        request(&mut stream);
        let answer =
            "HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlarge";
        stream.write_all(answer.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Both).unwrap();
    });
    let answer = Client::new().send(Outgoing::new("POST", &url).body(vec![0; 32 << 20])).unwrap();
    assert_eq!((answer.status, &*answer.body), (413, &b"large"[..]));
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Answers once on each connection, as if it were to be kept, and closes; tells what was asked.
fn forgetful() -> (String, mpsc::Receiver<String>) {
    let (tell, told) = mpsc::channel();
    let url = server(move |n, mut stream| {
        tell.send(format!("{n} {}", request(&mut stream).split(' ').next().unwrap())).unwrap();
        stream.write_all(OK.as_bytes()).unwrap();
    });
    (url, told)
}

#[test]
fn a_dead_kept_connection_costs_a_get_nothing_and_a_post_an_error() {
    for method in ["GET", "PUT", "DELETE", "HEAD", "OPTIONS"] {
        let (url, told) = forgetful();
        let client = Client::new();
        client.get(&url).unwrap();
        assert_eq!(client.send(Outgoing::new(method, &url)).unwrap().status, 200, "{method}");
        assert_eq!(told.try_iter().collect::<Vec<_>>(), ["0 GET", &format!("1 {method}")]);
    }
    for method in ["POST", "PATCH"] {
        let (url, told) = forgetful();
        let client = Client::new();
        client.get(&url).unwrap();
        let why = reason(client.send(Outgoing::new(method, &url).body("x")));
        assert!(matches!(&*why, "UnexpectedEof" | "ConnectionReset" | "BrokenPipe"), "{why}");
        assert_eq!(told.try_iter().collect::<Vec<_>>(), ["0 GET"], "asked once");
        // The dead one is gone, the next try connects.
        client.send(Outgoing::new(method, &url).body("x")).unwrap();
    }
}

#[test]
fn a_fresh_connection_that_dies_is_not_asked_twice() {
    let (tell, told) = mpsc::channel();
    let url = server(move |n, mut stream| {
        request(&mut stream);
        tell.send(n).unwrap();
    });
    assert_eq!(reason(Client::new().get(&url)), "UnexpectedEof");
    assert_eq!(told.try_iter().collect::<Vec<_>>(), [0]);
}

#[test]
fn a_connection_that_waited_too_long_is_closed_and_not_used_again() {
    let (end, ended) = mpsc::channel();
    let url = server(move |n, mut stream| {
        let end = end.clone();
        thread::spawn(move || {
            while !request(&mut stream).is_empty() {
                let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{n}");
                stream.write_all(answer.as_bytes()).unwrap();
            }
            end.send(n).unwrap();
        });
    });
    let got = |client: &Client| client.get(&url).unwrap().body;
    let fresh = client(|client| client.idle_timeout = Duration::from_secs(60));
    assert_eq!([got(&fresh), got(&fresh)], [b"0", b"0"]);
    let other = client(|client| client.idle_timeout = Duration::ZERO);
    assert_eq!([got(&other), got(&other)], [b"1", b"2"]);
    assert_eq!(ended.recv_timeout(tests::raw::WATCHDOG), Ok(1));
}

#[test]
fn connections_are_kept_when_the_answer_allows_it() {
    let connections = |answer: &'static str| {
        let (tell, told) = mpsc::channel();
        let url = server(move |n, mut stream| {
            tell.send(n).unwrap();
            thread::spawn(move || {
                while !request(&mut stream).is_empty()
                    && stream.write_all(answer.as_bytes()).is_ok()
                {}
            });
        });
        let client = Client::new();
        (0..3).for_each(|_| assert_eq!(client.get(&url).unwrap().body, b"ok"));
        told.try_iter().count()
    };
    assert_eq!(connections(OK), 1);
    assert_eq!(
        connections("HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok"),
        1
    );
    assert_eq!(connections("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"), 3);
    assert_eq!(
        connections("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"),
        3
    );
    // More than was announced: whose is it? Nobody's.
    assert_eq!(connections("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more"), 3);
}

/// `localhost` is `::1` first on many machines; this server is on `127.0.0.1` only.
#[test]
fn every_address_of_a_name_is_tried() {
    let url = says(OK).replace("127.0.0.1", "localhost");
    assert_eq!(Client::new().get(&url).unwrap().body, b"ok");
}

#[test]
fn a_request_is_framed_by_the_client_alone() {
    let (tell, told) = mpsc::channel();
    let url = server(move |_, mut stream| {
        tell.send(request(&mut stream)).unwrap();
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .unwrap();
    });
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    let client = Client::new();
    let sent = |outgoing: Outgoing| {
        client.send(outgoing).unwrap();
        told.recv().unwrap()
    };
    assert_eq!(sent(Outgoing::new("GET", &url)), format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"));
    assert_eq!(
        sent(Outgoing::new("POST", &url)),
        format!("POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n")
    );
    assert_eq!(
        sent(Outgoing::new("GET", &format!("http://{host}?a=b#c")).header("Host", "other")),
        "GET /?a=b HTTP/1.1\r\nHost: other\r\n\r\n"
    );
    for (name, value) in [
        ("Content-Length", "5"),
        ("transfer-encoding", "chunked"),
        ("A b", "c"),
        ("A", "b\r\nC: d"),
        ("A", "b\0"),
    ] {
        let error = client.send(Outgoing::new("GET", &url).header(name, value)).unwrap_err();
        assert!(matches!(error, Error::InvalidHeader { .. }), "{name}: {error}");
    }
    for bad in [
        "https://x/",
        "ftp://x/",
        "x",
        "http://",
        "http:///a",
        "http://u@x/",
        "http://x/a b",
        "http://x:y/",
        "http://x/\r\nA: b",
    ] {
        assert!(matches!(client.get(bad), Err(Error::Url { .. })), "{bad}");
    }
    assert!(matches!(client.send(Outgoing::new("G T", &url)), Err(Error::Url { .. })));
    assert!(told.try_recv().is_err(), "none of these was sent");
}

#[test]
fn an_error_says_what_was_asked() {
    let url = says("");
    let Err(error) = Client::new().get(&url) else { panic!("no error") };
    let Error::Io { source, .. } = &error else { panic!("{error}") };
    assert_eq!(source.kind(), ErrorKind::UnexpectedEof);
    assert!(error.to_string().starts_with(&format!("GET {url}: ")), "{error}");
}
