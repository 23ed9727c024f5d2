//! What the pieces cost: `cargo bench -p web`. std only; prints a table with units.
//!
//! Loopback rows run client and server in this process, so their figures are for comparing rows of
//! one run: "bare" is a thread per connection that does `read; write` of the same octets and
//! nothing else, the ceiling for any server that lends a thread to a connection.

use std::hint::black_box;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use web::trie::Trie;
use web::{Engine, Json, Limits, Request, json};

const SHORT: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost:9999\r\nA: b\r\n\r\n";
const BROWSER: &str = include_str!("browser_request.txt");
const ROUTES: &str = include_str!("github_routes.txt");
const DOCUMENT: &str = include_str!("document.json");

fn main() {
    println!("{:<46} {:>12}  unit", "what", "figure");
    parse();
    route();
    document();
    loopback();
}

fn row(what: &str, figure: f64, unit: &str) {
    println!("{what:<46} {figure:>12.1}  {unit}");
}

/// Nanoseconds per call: the best of five rounds of a tenth of a second.
fn time(mut call: impl FnMut()) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..5 {
        let (start, mut calls) = (Instant::now(), 0u32);
        while start.elapsed() < Duration::from_millis(100) {
            (0..64).for_each(|_| call());
            calls += 64;
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e9 / f64::from(calls));
    }
    best
}

fn parse() {
    let browser = BROWSER.replace("\r\n", "\n").replace('\n', "\r\n").into_bytes();
    let (mut request, limits) = (Request::default(), Limits::default());
    for (name, head) in [("short", SHORT), ("browser", &browser)] {
        let nanos = time(|| {
            black_box(request.parse(black_box(head), &limits).expect("a valid request"));
        });
        row(&format!("parse a request head, {name}, {} octets", head.len()), nanos, "ns");
    }
}

fn route() {
    let mut trie = Trie::default();
    let mut paths = Vec::new();
    for pattern in ROUTES.lines() {
        trie.insert(pattern, ()).expect("no conflicts");
        let words = pattern.split('/').map(|part| part.strip_prefix([':', '*']).unwrap_or(part));
        paths.push(words.collect::<Vec<_>>().join("/"));
    }
    let mut params = Vec::new();
    let nanos = time(|| {
        for path in &paths {
            assert!(trie.find(black_box(path), &mut params).is_some());
        }
    });
    let count = u32::try_from(paths.len()).unwrap_or(1);
    row(&format!("find one of {count} routes"), nanos / f64::from(count), "ns");
}

fn document() {
    let value: Json = json::parse(DOCUMENT.as_bytes()).expect("valid JSON");
    let text = value.to_string();
    let nanos = time(|| drop(black_box(json::parse(black_box(DOCUMENT.as_bytes())))));
    row(&format!("parse JSON, {} octets", DOCUMENT.len()), nanos / 1e3, "µs");
    let nanos = time(|| drop(black_box(json::to_string(black_box(&value)))));
    row(&format!("print JSON, {} octets", text.len()), nanos / 1e3, "µs");
    let nanos = time(|| drop(black_box(json::to_string(&json!({"id": 42, "ok": true})))));
    row("make and print json!({\"id\": 42, \"ok\": true})", nanos, "ns");
}

/// Where `hello` listens, and where the bare loop does.
fn servers() -> (SocketAddr, SocketAddr) {
    let mut engine = Engine::new();
    engine.log_routes = false;
    engine.get("/", |c| c.string(200, "hello world")).expect("a valid pattern");
    let (hello, bare) = (bind(), bind());
    let addrs = (hello.local_addr().expect("bound"), bare.local_addr().expect("bound"));
    // Both end with the process.
    thread::spawn(move || engine.serve(hello));
    thread::spawn(move || {
        for stream in bare.incoming().flatten() {
            thread::spawn(move || bare_loop(stream));
        }
    });
    addrs
}

fn bind() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").expect("a free port")
}

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
    Content-Length: 11\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nhello world";

/// One answer per request, told apart by their length, without looking at them.
fn bare_loop(mut stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let mut input = [0; 4096];
    let mut output = Vec::new();
    while let Ok(got @ 1..) = stream.read(&mut input) {
        output.clear();
        (0..got / SHORT.len()).for_each(|_| output.extend_from_slice(ANSWER));
        if stream.write_all(&output).is_err() {
            return;
        }
    }
}

fn loopback() {
    let (hello, bare) = servers();
    for (connections, pipelined) in [(1, 1), (64, 1), (64, 16)] {
        // In turn, so that both see the same noise.
        let (mut ours, mut ceiling) = (0f64, 0f64);
        for _ in 0..3 {
            ours = ours.max(load(hello, connections, pipelined));
            ceiling = ceiling.max(load(bare, connections, pipelined));
        }
        let name = format!("{connections} connections x {pipelined} pipelined");
        row(&format!("hello, {name}"), ours, "requests/s");
        row(&format!("bare read/write loop, {name}"), ceiling, "requests/s");
        row("  hello / bare", ours / ceiling * 100.0, "%");
    }
}

/// Requests per second: one thread sends on every connection, then reads from every connection.
fn load(addr: SocketAddr, connections: usize, pipelined: usize) -> f64 {
    let request = SHORT.repeat(pipelined);
    let mut streams: Vec<TcpStream> = (0..connections)
        .map(|_| {
            let stream = TcpStream::connect(addr).expect("the server listens");
            stream.set_nodelay(true).expect("a socket");
            stream
        })
        .collect();
    let mut answers = vec![0; ANSWER.len() * pipelined];
    let (start, mut rounds) = (Instant::now(), 0u32);
    while start.elapsed() < Duration::from_millis(700) {
        for stream in &mut streams {
            stream.write_all(&request).expect("sent");
        }
        for stream in &mut streams {
            stream.read_exact(&mut answers).expect("answered");
        }
        rounds += 1;
    }
    assert!(answers.ends_with(b"hello world"), "both servers answer the same number of octets");
    let all = u32::try_from(connections * pipelined).unwrap_or(u32::MAX);
    f64::from(rounds) * f64::from(all) / start.elapsed().as_secs_f64()
}
