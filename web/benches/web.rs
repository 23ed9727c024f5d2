//! What the pieces cost: `cargo bench -p web`. std only; prints a table with units.
//!
//! Loopback rows start this program twice more: as `hello`, and as "bare", a thread per connection
//! that does `read; write` of the same octets and nothing else - the ceiling for any server that
//! lends a thread to a connection. The two are asked in turn, so that both see the same noise.
//! Their CPU time per request is fairer than requests per second, for the client is slow, too.

use std::hint::black_box;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use web::trie::Trie;
use web::{Engine, Json, Limits, Request, Server, json};

const SHORT: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost:9999\r\nA: b\r\n\r\n";
const BROWSER: &str = include_str!("browser_request.txt");
const ROUTES: &str = include_str!("github_routes.txt");
const DOCUMENT: &str = include_str!("document.json");

fn main() {
    match env::args().nth(1).as_deref() {
        Some("--serve-hello") => return serve_hello(),
        Some("--serve-bare") => return serve_bare(),
        _ => {}
    }
    println!("{:<46} {:>12}  unit", "what", "figure");
    parse();
    route();
    document();
    loopback();
    idle();
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

/// This program as a server, in a process of its own.
struct Served {
    child: Child,
    addr: SocketAddr,
}

impl Served {
    fn start(role: &str) -> Served {
        let this = env::current_exe().expect("this program has a path");
        let mut command = Command::new(this);
        let mut child = command.arg(role).stdout(Stdio::piped()).spawn().expect("it starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("it tells its address");
        Served { child, addr: line.trim().parse().expect("an address") }
    }

    /// Microseconds of CPU it has used so far; `/proc` counts hundredths of a second.
    fn cpu(&self) -> Option<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
        // After the name in parentheses: state is 0, user time 11, system time 12.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks: f64 =
            fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
        Some(ticks * 10_000.0)
    }

    /// Its resident memory in MB.
    fn memory(&self) -> Option<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? * 1024.0 / 1e6)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn bind() -> TcpListener {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    println!("{}", listener.local_addr().expect("bound"));
    listener
}

fn serve_hello() {
    let mut engine = Engine::new();
    engine.get("/", |c| c.string(200, "hello world")).expect("a valid pattern");
    let mut server = Server::new(engine);
    server.pool.threads_max = 6_000;
    server.serve(bind()).expect("it serves");
}

fn serve_bare() {
    for stream in bind().incoming().flatten() {
        thread::spawn(move || bare_loop(stream));
    }
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
    let (hello, bare) = (Served::start("--serve-hello"), Served::start("--serve-bare"));
    for (connections, pipelined) in [(1, 1), (64, 1), (64, 16)] {
        let name = format!("{connections} connections x {pipelined} pipelined");
        compare(&name, &hello, &bare, |addr| load(addr, connections, pipelined));
    }
    compare("a connection per request", &hello, &bare, connect_each);
}

/// Requests per second and CPU per request of both, the best of three rounds in turn.
fn compare(name: &str, hello: &Served, bare: &Served, load: impl Fn(SocketAddr) -> (f64, f64)) {
    let mut best = [(0f64, f64::MAX); 2];
    for _ in 0..3 {
        for (served, best) in [hello, bare].into_iter().zip(&mut best) {
            let before = served.cpu();
            let (requests, seconds) = load(served.addr);
            let cpu = served.cpu().zip(before).map_or(f64::NAN, |(now, then)| now - then);
            *best = (best.0.max(requests / seconds), best.1.min(cpu / requests));
        }
    }
    for ((rate, cpu), who) in best.into_iter().zip(["hello", "bare read/write loop"]) {
        row(&format!("{who}, {name}"), rate, "requests/s");
        row("  its CPU per request", cpu, "µs");
    }
    row("  hello / bare, requests per second", best[0].0 / best[1].0 * 100.0, "%");
}

fn connect(addr: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(addr)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

const ROUND: Duration = Duration::from_secs(1);

/// Requests and seconds: one thread sends on every connection, then reads from every connection.
fn load(addr: SocketAddr, connections: u32, pipelined: u32) -> (f64, f64) {
    let request = SHORT.repeat(pipelined as usize);
    let mut streams: Vec<TcpStream> =
        (0..connections).map(|_| connect(addr).expect("the server listens")).collect();
    let mut answers = vec![0; ANSWER.len() * pipelined as usize];
    let (start, mut rounds) = (Instant::now(), 0u32);
    while start.elapsed() < ROUND {
        for stream in &mut streams {
            stream.write_all(&request).expect("sent");
        }
        for stream in &mut streams {
            stream.read_exact(&mut answers).expect("answered");
        }
        rounds += 1;
    }
    assert!(answers.ends_with(b"hello world"), "both servers answer the same number of octets");
    let seconds = start.elapsed().as_secs_f64();
    (f64::from(rounds) * f64::from(connections * pipelined), seconds)
}

/// Requests and seconds: connect, ask, read, close, one after another.
fn connect_each(addr: SocketAddr) -> (f64, f64) {
    let (start, mut requests) = (Instant::now(), 0u32);
    let mut answer = [0; ANSWER.len()];
    while start.elapsed() < ROUND {
        let mut stream = connect(addr).expect("the server listens");
        stream.write_all(SHORT).expect("sent");
        stream.read_exact(&mut answer).expect("answered");
        requests += 1;
    }
    (f64::from(requests), start.elapsed().as_secs_f64())
}

/// Idle connections, and what is left beside them.
fn idle() {
    const IDLE: usize = 5_000;
    let hello = Served::start("--serve-hello");
    let mut streams = Vec::new();
    let mut answer = [0; ANSWER.len()];
    for _ in 0..IDLE {
        let Ok(mut stream) = connect(hello.addr) else {
            return println!("{IDLE} idle connections need more descriptors: ulimit -n 6000");
        };
        stream.write_all(SHORT).expect("sent");
        stream.read_exact(&mut answer).expect("answered");
        streams.push(stream);
    }
    row("hello's memory, 5000 idle connections", hello.memory().unwrap_or(f64::NAN), "MB");
    let (requests, seconds) = load(hello.addr, 64, 1);
    row("hello, 64 connections beside them", requests / seconds, "requests/s");
    row("  its memory then", hello.memory().unwrap_or(f64::NAN), "MB");
}
