//! Every rule of HTTP/1.1 that `web` keeps, over a real socket: what goes in, which status comes
//! out, and whether the connection then lives.
//!
//! "Lives" is proved by a second request on the same connection. "Closes" is proved with a further
//! request sent right behind: it gets no answer, and the end is an end and no reset.

#![cfg(test)]

use std::io::Write as _;
use std::time::Duration;

use tests::raw::{Raw, Serving};
use web::{Content, Engine, Limits, Request, Response, Server};

/// Answers method, target and body; some targets do something else.
fn handler(request: &mut Request, response: &mut Response) {
    let target = String::from_utf8_lossy(request.target()).into_owned();
    match &*target {
        "/unread" => *response.body() = b"unread".to_vec(),
        "/204" => response.set_status(204),
        "/204-stream" => {
            response.set_status(204);
            response.content = Content::Stream(Box::new(|out| out.write_all(b"dropped")));
        }
        "/304" => {
            response.set_status(304);
            response.headers.set("ETag", "\"1\"").unwrap();
            *response.body() = b"dropped".to_vec();
        }
        "/stream" => {
            response.content = Content::Stream(Box::new(|out| {
                out.write_all(b"one ")?;
                out.flush()?;
                out.write_all(&[b'x'; 10_000])?;
                out.write_all(b" two")
            }));
        }
        "/stream-panics" => {
            response.content = Content::Stream(Box::new(|out| {
                out.write_all(b"the beginning")?;
                out.flush()?;
                panic!("this panic is part of the test")
            }));
        }
        "/lies" => {
            for (name, value) in [
                ("Content-Length", "1"),
                ("Transfer-Encoding", "chunked"),
                ("Date", "yesterday"),
                ("Connection", "upgrade"),
            ] {
                response.headers.set(name, value).unwrap();
            }
            *response.body() = b"the truth".to_vec();
        }
        "/close" => {
            response.headers.set("Connection", "close").unwrap();
            *response.body() = b"bye".to_vec();
        }
        "/small" => {
            request.body.limit(3);
            let _ = request.body.bytes();
        }
        "/panic" => panic!("this panic is part of the test"),
        _ => {
            let mut text = format!("{} {} {}|", request.method(), request.path(), request.host());
            if let Ok(body) = request.body.bytes() {
                text.push_str(&String::from_utf8_lossy(body));
            }
            *response.body() = text.into_bytes();
        }
    }
}

fn serving(change: impl FnOnce(&mut Limits)) -> Serving {
    let mut server = Server::new(handler);
    change(&mut server.limits);
    Serving::start(server)
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Then {
    Lives,
    Closes,
    /// The client half-closes behind its request: all the answers come, then the end.
    Ends,
}
use Then::{Closes, Ends, Lives};

/// What is sent, the statuses that come, and what becomes of the connection.
type Row = (&'static str, &'static [u16], Then);

fn check(serving: &Serving, rows: &[Row]) {
    for &(input, statuses, then) in rows {
        check_one(serving, input.as_bytes(), statuses, then);
    }
}

fn check_one(serving: &Serving, input: &[u8], statuses: &[u16], then: Then) {
    let shown = String::from_utf8_lossy(&input[..input.len().min(300)]).into_owned();
    let mut raw = serving.connect();
    if then == Closes {
        raw.send([input, ALIVE].concat());
    } else {
        raw.send(input);
    }
    if then == Ends {
        raw.finish();
    }
    for &status in statuses {
        let reply = raw.try_answer(input.starts_with(b"HEAD"));
        let reply = reply.unwrap_or_else(|| panic!("no answer to {shown:?}"));
        assert_eq!(reply.status, status, "{shown:?}: {}", reply.text());
        let last = then == Closes && Some(&status) == statuses.last();
        if status >= 200 && last {
            assert_eq!(reply.header("connection"), Some("close"), "{shown:?}");
        }
    }
    match then {
        Lives => assert!(alive(&mut raw), "{shown:?} ended the connection"),
        Closes | Ends => raw.ends(),
    }
}

const ALIVE: &[u8] = b"GET /alive HTTP/1.1\r\nHost: x\r\n\r\n";

fn alive(raw: &mut Raw) -> bool {
    raw.stream.write_all(ALIVE).is_ok()
        && raw.try_answer(false).is_some_and(|reply| reply.text() == "GET /alive x|")
}

#[test]
fn head_lines_end_in_crlf_and_hold_no_controls() {
    check(
        &serving(|_| {}),
        &[
            ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", &[200], Lives),
            ("GET / HTTP/1.1\nHost: x\n\n", &[400], Closes),
            ("GET / HTTP/1.1\nHost: x\r\n\r\n", &[400], Closes),
            ("GET / HTTP/1.1\r\nHost: x\n\r\n", &[400], Closes),
            ("GET / HTTP/1.1\r\nHost: x\r\n\n", &[400], Closes),
            ("GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n", &[400], Closes),
            ("GET / HTTP/1.1\r\nHost: x\r\nA: b\r\r\n\r\n", &[400], Closes),
            ("GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n", &[400], Closes),
            ("GET / HTTP/1.1\r\nHost: x\r\nA: b\x0bc\r\n\r\n", &[400], Closes),
            ("GET / HTTP/1.1\r\nHost: x\r\nA: b\x7fc\r\n\r\n", &[400], Closes),
            ("GET / HTTP/1.1\r\nHost: x\r\nA: \tb \t c\t \r\n\r\n", &[200], Lives),
            ("GET / HTTP/1.1\r\nHost: x\r\nA:\r\n\r\n", &[200], Lives),
            ("GET / HTTP/1.1\r\nHost: x\r\nA: é\r\n\r\n", &[200], Lives),
            ("GET /\r HTTP/1.1\r\nHost: x\r\n\r\n", &[400], Closes),
            ("GET / HTTP/1.1\r\r\nHost: x\r\n\r\n", &[400], Closes),
            // White space before the first header, obs-fold, before a colon.
            ("GET / HTTP/1.1\r\n Host: x\r\n\r\n", &[400], Closes),
            ("GET / HTTP/1.1\r\n\tA: b\r\nHost: x\r\n\r\n", &[400], Closes),
            ("GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", &[400], Closes),
            ("GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n", &[400], Closes),
            ("GET / HTTP/1.1\r\nHost : x\r\n\r\n", &[400], Closes),
            // Names are tokens.
            ("GET / HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n", &[400], Closes),
            ("GET / HTTP/1.1\r\nHost: x\r\nA\r\n\r\n", &[400], Closes),
            ("GET / HTTP/1.1\r\nHost: x\r\nA(b: c\r\n\r\n", &[400], Closes),
            ("GET / HTTP/1.1\r\nHost: x\r\nÄ: c\r\n\r\n", &[400], Closes),
            ("GET / HTTP/1.1\r\nHost: x\r\nA!#$%&'*+-.^_`|~9: c\r\n\r\n", &[200], Lives),
            // An end inside a head.
            ("GET / HTTP/1.1\r\nHost: x\r\n", &[400], Ends),
            ("GE", &[400], Ends),
            ("", &[], Ends),
        ],
    );
}

#[test]
fn the_request_line_is_method_target_version() {
    check(
        &serving(|_| {}),
        &[
            ("\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", &[200], Lives),
            ("\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", &[400], Closes),
            ("\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", &[400], Closes),
            ("BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n", &[200], Lives),
            ("get / HTTP/1.1\r\nHost: x\r\n\r\n", &[200], Lives),
            ("G(T / HTTP/1.1\r\nHost: x\r\n\r\n", &[400], Closes),
            (" GET / HTTP/1.1\r\nHost: x\r\n\r\n", &[400], Closes),
            ("GET  / HTTP/1.1\r\nHost: x\r\n\r\n", &[400], Closes),
            ("GET /  HTTP/1.1\r\nHost: x\r\n\r\n", &[400], Closes),
            ("GET / HTTP/1.1 \r\nHost: x\r\n\r\n", &[400], Closes),
            ("GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", &[400], Closes),
            ("GET\t/\tHTTP/1.1\r\nHost: x\r\n\r\n", &[400], Closes),
            ("GET HTTP/1.1\r\nHost: x\r\n\r\n", &[400], Closes),
            ("GET /\r\n\r\n", &[400], Closes),
            ("GET / http/1.1\r\nHost: x\r\n\r\n", &[400], Closes),
            ("GET / HTTP/1\r\nHost: x\r\n\r\n", &[400], Closes),
            ("GET / HTTP/11.1\r\nHost: x\r\n\r\n", &[400], Closes),
            ("GET / HTTP/+1.1\r\nHost: x\r\n\r\n", &[400], Closes),
            ("GET / HTTP/0.9\r\nHost: x\r\n\r\n", &[505], Closes),
            ("GET / HTTP/2.0\r\nHost: x\r\n\r\n", &[505], Closes),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &[505], Closes),
            ("GET / HTTP/1.2\r\nHost: x\r\n\r\n", &[200], Lives),
            // Targets.
            ("GET /a?b#c HTTP/1.1\r\nHost: x\r\n\r\n", &[400], Closes),
            ("GET hello HTTP/1.1\r\nHost: x\r\n\r\n", &[400], Closes),
            ("GET * HTTP/1.1\r\nHost: x\r\n\r\n", &[400], Closes),
            ("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", &[200], Lives),
            ("GET http://y/ HTTP/1.1\r\nHost: x\r\n\r\n", &[200], Lives),
            ("GET http:///a HTTP/1.1\r\nHost: x\r\n\r\n", &[400], Closes),
            ("GET http://u@y/ HTTP/1.1\r\nHost: x\r\n\r\n", &[400], Closes),
            ("GET ftp://y/ HTTP/1.1\r\nHost: x\r\n\r\n", &[400], Closes),
            ("GET /\x07 HTTP/1.1\r\nHost: x\r\n\r\n", &[400], Closes),
        ],
    );
}

#[test]
fn an_absolute_target_wins_over_host() {
    let serving = serving(|_| {});
    for (head, want) in [
        ("GET http://y:8/a?b HTTP/1.1\r\nHost: x\r\n\r\n", "GET /a y:8|"),
        ("GET HTTP://y HTTP/1.1\r\nHost: x\r\n\r\n", "GET / y|"),
        ("GET http://y?b HTTP/1.1\r\nHost: x\r\n\r\n", "GET / y|"),
        ("GET /a%20b HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "GET /a b [::1]:80|"),
        ("GET / HTTP/1.0\r\n\r\n", "GET / |"),
    ] {
        assert_eq!(serving.send(head).answer().text(), want);
    }
}

#[test]
fn there_is_one_host_and_it_is_a_host() {
    let serving = serving(|_| {});
    check(
        &serving,
        &[
            ("GET / HTTP/1.1\r\n\r\n", &[400], Closes),
            ("GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", &[400], Closes),
            ("GET / HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n", &[400], Closes),
            ("GET http://x/ HTTP/1.1\r\n\r\n", &[400], Closes),
        ],
    );
    for bad in ["", "a:xx", "[::1", "::1", "a b", "u@h", "a/b", "a:1:2", "[x]", "é", "a:-1"] {
        let head = format!("GET / HTTP/1.1\r\nHost: {bad}\r\n\r\n");
        check_one(&serving, head.as_bytes(), &[400], Closes);
    }
    for good in ["x", "x:", "x:80", "127.0.0.1:9", "[::1]", "[::1]:80", "a-b.c_d", "%41"] {
        let head = format!("GET / HTTP/1.1\r\nHost: {good}\r\n\r\n");
        check_one(&serving, head.as_bytes(), &[200], Lives);
    }
}

#[test]
fn heads_have_limits() {
    let serving = serving(|_| {});
    let line = |length: usize| {
        let path = "a".repeat(length - "GET / HTTP/1.1".len());
        format!("GET /{path} HTTP/1.1\r\nHost: x\r\n\r\n").into_bytes()
    };
    check_one(&serving, &line(8 * 1024), &[200], Lives);
    check_one(&serving, &line(8 * 1024 + 1), &[414], Closes);
    // Also when no line end ever comes.
    check_one(&serving, &[b'a'; 9 * 1024], &[414], Closes);
    let fields = |count: usize| {
        format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "A: b\r\n".repeat(count - 1)).into_bytes()
    };
    check_one(&serving, &fields(100), &[200], Lives);
    check_one(&serving, &fields(101), &[431], Closes);
    let head = |length: usize| {
        let start = "GET / HTTP/1.1\r\nHost: x\r\nA: ";
        format!("{start}{}\r\n\r\n", "b".repeat(length - start.len() - 4)).into_bytes()
    };
    check_one(&serving, &head(64 * 1024), &[200], Lives);
    check_one(&serving, &head(64 * 1024 + 1), &[431], Closes);
    check_one(&serving, &[&head(64 * 1024)[..65_000], &[b'b'; 5000]].concat(), &[431], Closes);
}

/// However the octets are cut into packets, they are read the same.
#[test]
fn a_line_may_come_in_pieces() {
    let serving = serving(|limits| limits.request_line_bytes_max = 16);
    let whole = b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\
        3\r\nabc\r\n2\r\nde\r\n0\r\nT: v\r\n\r\n";
    for cut in 1..whole.len() {
        let mut raw = serving.connect();
        raw.send(&whole[..cut]);
        // The pieces may still meet in the kernel; over all cuts most do not.
        std::thread::yield_now();
        raw.send(&whole[cut..]);
        assert_eq!(raw.answer().text(), "POST /a x|abcde", "cut at {cut}");
    }
}

#[test]
fn a_length_is_digits_and_there_is_one_framing() {
    let serving = serving(|_| {});
    check(
        &serving,
        &[
            ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", &[200], Lives),
            ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 003\r\n\r\nabc", &[200], Lives),
            ("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", &[200], Lives),
            ("POST / HTTP/1.1\r\nHost: x\r\n\r\n", &[200], Lives),
            (
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
                &[200],
                Lives,
            ),
            (
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
                &[400],
                Closes,
            ),
            ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nab", &[400], Ends),
            (
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                &[400],
                Closes,
            ),
            (
                "POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                &[400],
                Closes,
            ),
            (
                "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                &[400],
                Closes,
            ),
        ],
    );
    for bad in ["+5", "-1", "5,5", "5, 5", "0x5", "5 5", "", "a", "1e1", "18446744073709551616"] {
        let text = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {bad}\r\n\r\nabcde");
        check_one(&serving, text.as_bytes(), &[400], Closes);
    }
    for (coding, status) in [
        ("CHUNKED", 200),
        ("gzip, chunked", 501),
        ("chunked, chunked", 400),
        ("chunked, gzip", 400),
        ("gzip", 400),
        ("identity", 400),
        ("xchunked", 400),
        ("chunked;q=1", 400),
        ("\"chunked\"", 400),
        ("", 400),
    ] {
        let text =
            format!("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: {coding}\r\n\r\n0\r\n\r\n");
        let then = if status == 200 { Lives } else { Closes };
        check_one(&serving, text.as_bytes(), &[status], then);
    }
}

#[test]
fn chunks_are_exact() {
    let serving = serving(|_| {});
    let long_extension = format!("3;{}\r\nabc\r\n0\r\n\r\n", "e".repeat(300));
    let long_trailer = format!("0\r\nT: {}\r\n\r\n", "v".repeat(9000));
    let many_trailers = format!("0\r\n{}\r\n", "Trailer-Field: value\r\n".repeat(600));
    let good = [
        ("0\r\n\r\n", ""),
        ("3\r\nabc\r\n0\r\n\r\n", "abc"),
        ("00000003\r\nabc\r\n000\r\n\r\n", "abc"),
        ("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789"),
        ("3;name=value;x=\"y\"\r\nabc\r\n0;z\r\n\r\n", "abc"),
        ("3\r\nabc\r\n0\r\nTrailer: dropped\r\nContent-Length: 9\r\n\r\n", "abc"),
    ];
    for (body, want) in good {
        let head = "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
        let mut raw = serving.send(format!("{head}{body}"));
        assert_eq!(raw.answer().text(), format!("POST /c x|{want}"));
        assert!(alive(&mut raw), "{body:?}");
    }
    let bad = [
        "+3\r\nabc\r\n0\r\n\r\n",
        "-3\r\nabc\r\n0\r\n\r\n",
        " 3\r\nabc\r\n0\r\n\r\n",
        "3 \r\nabc\r\n0\r\n\r\n",
        "3\t;x\r\nabc\r\n0\r\n\r\n",
        "3\x0c;x\r\nabc\r\n0\r\n\r\n",
        "3\r;x\r\nabc\r\n0\r\n\r\n",
        "0x3\r\nabc\r\n0\r\n\r\n",
        "3g\r\nabc\r\n0\r\n\r\n",
        "\r\n3\r\nabc\r\n0\r\n\r\n",
        ";x\r\nabc\r\n0\r\n\r\n",
        "10000000000000000\r\nabc\r\n0\r\n\r\n",
        "00000000000000003\r\nabc\r\n0\r\n\r\n",
        "3;a\x01b\r\nabc\r\n0\r\n\r\n",
        "3;a\rb\r\nabc\r\n0\r\n\r\n",
        "3\nabc\r\n0\r\n\r\n",
        "3\r\nabc\n0\r\n\r\n",
        "3\r\nabc\r0\r\n\r\n",
        "3\r\nabcd\r\n0\r\n\r\n",
        "3\r\nab\r\n0\r\n\r\n",
        "3\r\nabc\r\n0\n\r\n",
        "3\r\nabc\r\n0\r\n\n",
        "3\r\nabc\r\n0\r\n folded\r\n\r\n",
        "3\r\nabc\r\n0\r\nno colon\r\n\r\n",
        "3\r\nabc\r\n0\r\nA: b\0\r\n\r\n",
        &long_extension,
        &long_trailer,
        &many_trailers,
    ];
    for body in bad {
        let head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
        let mut raw = serving.send(format!("{head}{body}"));
        raw.send(ALIVE);
        let reply = raw.answer();
        assert!(matches!(reply.status, 400 | 431), "{body:?}: {reply:?}");
        assert_eq!(reply.header("connection"), Some("close"));
        raw.ends();
    }
    let cut = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n";
    check_one(&serving, cut.as_bytes(), &[400], Ends);
}

#[test]
fn a_body_over_its_limit_is_413_and_the_answer_arrives() {
    let serving = serving(|limits| limits.body_bytes_max = 1000);
    let chunked = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let exact = format!("{chunked}3e8\r\n{}\r\n0\r\n\r\n", "a".repeat(1000));
    check_one(&serving, exact.as_bytes(), &[200], Lives);
    let over = format!("{chunked}3e9\r\n{}\r\n0\r\n\r\n", "a".repeat(1001));
    check_one(&serving, over.as_bytes(), &[413], Closes);
    check(
        &serving,
        &[
            // Before any of it was read, and without a "continue".
            ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n", &[413], Closes),
            (
                "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n",
                &[413],
                Closes,
            ),
            ("HEAD / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n", &[413], Closes),
            ("POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", &[200], Lives),
            ("POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nabcd", &[413], Closes),
        ],
    );
}

/// Without the half-close and the drain the kernel would answer the megabytes with a reset, and
/// the client would never see why.
#[test]
fn an_early_refusal_survives_a_client_that_has_sent_megabytes() {
    let serving = serving(|_| {});
    let megabytes = vec![b'a'; 8 * 1024 * 1024];
    for (head, status) in [
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8388608\r\n\r\n", 413),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +8388608\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: x\r\nBad Name: x\r\n\r\n", 400),
        ("POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n", 200),
        ("POST /close HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n", 200),
    ] {
        let mut raw = serving.connect();
        raw.send(head);
        raw.send(&megabytes); // all of it is taken, and only then do we read
        let reply = raw.answer();
        assert_eq!((reply.status, reply.header("connection")), (status, Some("close")), "{head}");
        raw.ends();
    }
}

#[test]
fn an_unread_body_is_skipped_within_a_bound() {
    let serving = serving(|_| {});
    let small = format!(
        "POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n{}",
        "a".repeat(200_000)
    );
    check_one(&serving, small.as_bytes(), &[200], Lives);
    check(
        &serving,
        &[
            ("POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", &[200], Lives),
            (
                "POST /unread HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                &[200],
                Lives,
            ),
        ],
    );
    // What cannot be skipped ends the connection; it never gets a second answer.
    let mut raw = serving.send(
        "POST /unread HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n\r\n",
    );
    assert_eq!(raw.answer().text(), "unread");
    raw.ends();
}

#[test]
fn continue_is_said_when_the_body_is_wanted() {
    let serving = serving(|_| {});
    let head = "POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n";
    let mut raw = serving.send(head);
    assert_eq!(raw.answer().status, 100);
    raw.send("abc");
    assert_eq!(raw.answer().text(), "POST /a x|abc");
    assert!(alive(&mut raw));

    // A client that does not wait needs none.
    let mut raw = serving.send(format!("{head}abc"));
    assert_eq!(raw.answer().text(), "POST /a x|abc");

    // A handler that does not read says no: the final answer comes alone, and since nobody knows
    // whether a body follows the connection ends.
    let mut raw = serving.send(head.replace("/a", "/unread"));
    let reply = raw.answer();
    assert_eq!((reply.status, reply.header("connection")), (200, Some("close")));
    raw.finish();
    raw.ends();

    // HTTP/1.0 knows no continue.
    let mut raw = serving.send(head.replace("1.1", "1.0"));
    raw.send("abc");
    assert_eq!(raw.answer().text(), "POST /a x|abc");

    check(
        &serving,
        &[
            (
                "POST / HTTP/1.1\r\nHost: x\r\nExpect: a miracle\r\nContent-Length: 1\r\n\r\na",
                &[417],
                Closes,
            ),
            ("GET / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n", &[200], Lives),
        ],
    );
}

#[test]
fn pipelined_requests_are_answered_in_order_and_none_after_a_close() {
    let serving = serving(|_| {});
    let mut all = String::new();
    for n in 0..100 {
        let (method, path) = if n % 3 == 0 { ("POST", "/unread") } else { ("PUT", "/x") };
        all += &format!("{method} {path} HTTP/1.1\r\nHost: {n}\r\nContent-Length: 2\r\n\r\nhi");
    }
    let mut raw = serving.send(&all);
    for n in 0..100 {
        let want = if n % 3 == 0 { "unread".to_owned() } else { format!("PUT /x {n}|hi") };
        assert_eq!(raw.answer().text(), want);
    }
    assert!(alive(&mut raw));
    check(
        &serving,
        &[
            ("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", &[200], Closes),
            ("GET / HTTP/1.1\r\nHost: x\r\nConnection: x, CLOSE\r\n\r\n", &[200], Closes),
            ("GET /close HTTP/1.1\r\nHost: x\r\n\r\n", &[200], Closes),
            (
                "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\nbad\r\n",
                &[200, 200, 400],
                Closes,
            ),
            (
                "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
                &[200, 200],
                Ends,
            ),
        ],
    );
}

/// More requests than one read takes stand behind the one whose answer is the last: they must not
/// turn that answer into a reset.
#[test]
fn the_last_answer_survives_the_requests_behind_it() {
    let serving = serving(|_| {});
    for padding in [4096 - 35, 4096, 10_000] {
        let last = format!("GET /close HTTP/1.1\r\nHost: x\r\nP: {}\r\n\r\n", "p".repeat(padding));
        let mut raw = serving.send([last.as_bytes(), &ALIVE.repeat(1000)].concat());
        let reply = raw.answer();
        assert_eq!((&*reply.text(), reply.header("connection")), ("bye", Some("close")));
        raw.ends();
    }
}

/// The answers to the requests before it still come.
#[test]
fn a_panicking_handler_costs_one_response() {
    let serving = serving(|_| {});
    let panics = "GET /panic HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut raw = serving.send([ALIVE, panics.as_bytes(), ALIVE].concat());
    assert_eq!(raw.answer().text(), "GET /alive x|");
    raw.ends();
    assert!(alive(&mut serving.connect()));
}

/// What was sent stays sent, and nothing makes it look whole.
#[test]
fn a_panic_after_streaming_began_cuts_the_connection() {
    let serving = serving(|_| {});
    let mut raw = serving.send("GET /stream-panics HTTP/1.1\r\nHost: x\r\n\r\n");
    let sent = String::from_utf8(raw.rest()).unwrap();
    assert!(sent.starts_with("HTTP/1.1 200 OK\r\n"), "{sent}");
    assert!(sent.ends_with("\r\n\r\nd\r\nthe beginning\r\n"), "{sent}");
    assert!(alive(&mut serving.connect()));
}

#[test]
fn connections_are_kept_as_the_version_and_the_client_say() {
    let serving = serving(|_| {});
    check(
        &serving,
        &[
            ("GET / HTTP/1.0\r\n\r\n", &[200], Closes),
            ("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", &[200], Lives),
            ("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", &[200], Closes),
            ("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", &[200], Closes),
            ("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n", &[200], Lives),
        ],
    );
    let mut raw = serving.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_eq!(raw.answer().header("connection"), Some("keep-alive"));
    let mut raw = serving.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(raw.answer().header("connection"), None);
}

#[test]
fn answers_are_framed_once() {
    let serving = serving(|_| {});
    let ask = |method: &str, target: &str| {
        let mut raw = serving.send(format!("{method} {target} HTTP/1.1\r\nHost: x\r\n\r\n"));
        let reply = if method == "HEAD" { raw.answer_to_head() } else { raw.answer() };
        assert!(alive(&mut raw), "{method} {target}");
        reply
    };
    let framing = |reply: &tests::raw::Reply| {
        let field = |name| reply.header(name).map(str::to_owned);
        (field("content-length"), field("transfer-encoding"))
    };
    for target in ["/", "/stream", "/lies", "/204", "/304"] {
        let (get, head) = (ask("GET", target), ask("HEAD", target));
        let told = |headers: &[(String, String)]| {
            let fields = headers.iter().filter(|(n, _)| n != "date").cloned();
            fields.collect::<Vec<_>>()
        };
        if target != "/" {
            assert_eq!(told(&get.headers), told(&head.headers), "{target}");
        }
        assert!(head.body.is_empty());
    }
    assert_eq!(framing(&ask("GET", "/204")), (None, None));
    assert_eq!(framing(&ask("GET", "/204-stream")), (None, None));
    assert_eq!(framing(&ask("HEAD", "/204-stream")), (None, None));
    assert_eq!(ask("GET", "/304").header("etag"), Some("\"1\""));
    assert_eq!(framing(&ask("GET", "/stream")), (None, Some("chunked".to_owned())));
    assert_eq!(ask("GET", "/stream").body.len(), 10_008);
    let lies = ask("GET", "/lies");
    assert_eq!((lies.text(), lies.header("connection")), ("the truth".to_owned(), None));
    let mut raw = serving.send("GET /stream HTTP/1.0\r\n\r\n");
    let reply = raw.answer();
    assert_eq!((framing(&reply), reply.body.len()), ((None, None), 10_008));
}

#[test]
fn methods_are_answered_by_what_is_routed() {
    let mut engine = Engine::new();
    engine.log_routes = false;
    engine.get("/thing", |c| c.string(200, "thing")).unwrap();
    engine.delete("/thing", |c| c.string(200, "gone")).unwrap();
    let serving = Serving::start(Server::new(engine));
    let ask = |method: &str, target: &str| {
        let mut raw = serving.send(format!("{method} {target} HTTP/1.1\r\nHost: x\r\n\r\n"));
        raw.try_answer(method == "HEAD").unwrap()
    };
    let refused = ask("POST", "/thing");
    assert_eq!(
        (refused.status, refused.header("allow")),
        (405, Some("DELETE, GET, HEAD, OPTIONS"))
    );
    assert_eq!(ask("BREW", "/thing").status, 405);
    assert_eq!(ask("GET", "/nothing").status, 404);
    assert_eq!(ask("HEAD", "/thing").header("content-length"), Some("5"));
    for target in ["/thing", "*"] {
        let told = ask("OPTIONS", target);
        assert_eq!((told.status, told.header("allow").is_some()), (204, true), "{target}");
    }
    assert!(matches!(ask("CONNECT", "/thing").status, 405 | 501));
    assert_eq!(ask("CONNECT", "example.com:80").status, 501);
    assert_eq!(ask("CONNECT", "nonsense?").status, 400);
}

/// Go's RPC client ends the lines of this one head in bare line feeds.
#[test]
fn a_connect_of_http_1_0_may_end_its_lines_in_line_feeds_and_get_the_connection() {
    let mut engine = Engine::new();
    engine.log_routes = false;
    let take = |c: &mut web::Context| {
        let mut taken = c.take_over().unwrap();
        let ready = [b"HTTP/1.0 200 Connected\n\n", &taken.buffered[..]].concat();
        taken.stream.write_all(&ready).unwrap();
    };
    engine.route("CONNECT", "/_rpc", take).unwrap();
    let serving = Serving::start(Server::new(engine));
    let mut raw = serving.send("CONNECT /_rpc HTTP/1.0\n\nfirst bytes");
    assert_eq!(raw.rest(), b"HTTP/1.0 200 Connected\n\nfirst bytes");
    check_one(&serving, b"CONNECT /_rpc HTTP/1.1\nHost: x\n\n", &[400], Closes);
    check_one(&serving, b"CONNECT /other HTTP/1.0\n\n", &[501], Closes);
}

/// Timeouts are long beside what a busy machine needs between a connect and a send.
#[test]
fn what_is_slow_is_408_and_silence_is_just_the_end() {
    const SHORT: Duration = Duration::from_millis(50);
    let slow_head = serving(|limits| limits.head_timeout = Duration::from_secs(1));
    let slow_body = serving(|limits| limits.body_timeout = SHORT);
    let chunked = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut slow = vec![
        slow_head.send("GET / HTTP/1.1\r\nHo"),
        slow_head.send("GET / HTTP/1.1\r\nHost: x\r\n"),
        slow_body.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nab"),
        slow_body.send(format!("{chunked}3\r\na")),
        slow_body.send(format!("{chunked}3")),
        slow_body.send(format!("{chunked}0\r\n")),
    ];
    let mut kept = slow_head.send(ALIVE);
    assert_eq!(kept.answer().status, 200);
    kept.send("GET");
    slow.push(kept);
    let mut silent = slow_head.connect();
    for raw in &mut slow {
        assert_eq!(raw.answer().status, 408);
        raw.ends();
    }
    silent.ends();
    let short_idle = serving(|limits| limits.idle_timeout = SHORT);
    let mut idle = short_idle.send(ALIVE);
    assert_eq!(idle.answer().status, 200);
    idle.ends();
}
