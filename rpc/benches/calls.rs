//! Calls per second and CPU per call, ours beside Go's net/rpc, server and client in processes of
//! their own: `cargo bench -p rpc --bench calls`. Needs `go` for the comparison; without it only
//! ours are measured. `BENCH_PEER=PROGRAM` measures another one as well: `PROGRAM serve` prints
//! `tcp ADDR` and serves until its stdin ends; `PROGRAM client ADDR CONNECTIONS CALLERS SECONDS`
//! prints the number of calls and the seconds they took. `BENCH_SECONDS` is 2 unless given.
//!
//! Also: a raw 64-byte TCP echo for the latency, and gob's cost for a small struct.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use rpc::gob::{Decoder, Encoder};
use rpc::{Client, Dialect, Options, Server, Service};

rpc::message! {
    #[derive(Debug, Clone, PartialEq)]
    struct Args { num1: i64, num2: i64 }
}

fn main() {
    let args: Vec<String> = env::args().collect();
    let arg = |index: usize| args.get(index).map(String::as_str).unwrap_or_default();
    match arg(1) {
        "serve" => serve(),
        "echo-serve" => echo_serve(),
        "client" => client(arg(2), number(arg(3)), number(arg(4)), seconds(arg(5))),
        "echo" => echo(arg(2), seconds(arg(3))),
        _ => compare(),
    }
}

fn number(text: &str) -> usize {
    text.parse().unwrap_or(1)
}

fn seconds(text: &str) -> f64 {
    text.parse().unwrap_or(1.0)
}

fn serve() {
    let service = Service::new("Foo").method("Sum", |args: Args| Ok(args.num1 + args.num2));
    let server =
        Server::new().log(|_| {}).register(service).expect("registers").start().expect("starts");
    println!("tcp {}", server.listen("127.0.0.1:0").expect("listens"));
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

/// Prints the calls made and the seconds they took.
fn client(addr: &str, connections: usize, callers: usize, length: f64) {
    let options = Options { dialect: Dialect::NetRpc, ..Options::default() };
    let total = Arc::new(AtomicU64::new(0));
    let start = Arc::new(Barrier::new(connections * callers + 1));
    let mut threads = Vec::new();
    for _ in 0..connections {
        let client = Arc::new(Client::dial_with(&format!("tcp@{addr}"), &options).expect("dials"));
        for _ in 0..callers {
            let (client, total) = (Arc::clone(&client), Arc::clone(&total));
            let start = Arc::clone(&start);
            threads.push(thread::spawn(move || {
                start.wait();
                let until = Instant::now() + Duration::from_secs_f64(length);
                let mut count = 0u32;
                while !count.is_multiple_of(16) || Instant::now() < until {
                    let sum: i64 = client
                        .call("Foo.Sum", &Args { num1: 3, num2: count.into() })
                        .expect("calls");
                    assert_eq!(sum, 3 + i64::from(count));
                    count += 1;
                }
                total.fetch_add(count.into(), Ordering::Relaxed);
            }));
        }
    }
    start.wait();
    let began = Instant::now();
    threads.into_iter().for_each(|thread| thread.join().expect("ends"));
    println!("{} {:.3}", total.load(Ordering::Relaxed), began.elapsed().as_secs_f64());
}

fn echo_serve() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("listens");
    println!("tcp {}", listener.local_addr().expect("has an address"));
    let (mut socket, _) = listener.accept().expect("accepts");
    socket.set_nodelay(true).expect("sets");
    let mut buf = [0; 64];
    while socket.read_exact(&mut buf).is_ok() && socket.write_all(&buf).is_ok() {}
}

fn echo(addr: &str, length: f64) {
    let mut socket = TcpStream::connect(addr).expect("connects");
    socket.set_nodelay(true).expect("sets");
    let (began, mut count, mut buf) = (Instant::now(), 0u32, [7; 64]);
    while !count.is_multiple_of(16) || began.elapsed().as_secs_f64() < length {
        socket.write_all(&buf).expect("writes");
        socket.read_exact(&mut buf).expect("reads");
        count += 1;
    }
    println!("{count} {:.3}", began.elapsed().as_secs_f64());
}

/// User and system time of a process and of the children it has waited for, in seconds.
fn cpu_seconds(pid: &str) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split(' ').collect();
    let ticks = |index: usize| fields.get(index).and_then(|text| text.parse::<f64>().ok());
    // utime and stime are the 14th and 15th field, counted with the name; children behind them.
    (ticks(12).unwrap_or(0.0) + ticks(13).unwrap_or(0.0)) / 100.0
}

fn children_cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split(' ').collect();
    let ticks = |index: usize| fields.get(index).and_then(|text| text.parse::<f64>().ok());
    (ticks(14).unwrap_or(0.0) + ticks(15).unwrap_or(0.0)) / 100.0
}

fn start_server(program: &Path, arg: &str) -> (Child, String) {
    let mut child = Command::new(program)
        .arg(arg)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the server starts");
    let mut line = String::new();
    let stdout = child.stdout.as_mut().expect("invariant: stdout is piped");
    BufReader::new(stdout).read_line(&mut line).expect("the server says where it is");
    (child, line.trim().trim_start_matches("tcp ").to_owned())
}

/// One figure: calls per second, and microseconds of CPU per call on both sides.
fn measure(name: &str, server: (&Path, &str), client: (&Path, &[&str])) -> f64 {
    let (mut child, addr) = start_server(server.0, server.1);
    let pid = child.id().to_string();
    let before = (cpu_seconds(&pid), children_cpu_seconds());
    let mut args: Vec<String> = client.1.iter().map(|arg| (*arg).to_owned()).collect();
    args.insert(1, addr);
    let output = Command::new(client.0).args(&args).output().expect("the client runs");
    let server_cpu = cpu_seconds(&pid) - before.0;
    let client_cpu = children_cpu_seconds() - before.1;
    let _ = child.kill();
    let _ = child.wait();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut numbers = text.split_whitespace().map(|word| word.parse::<f64>().unwrap_or(0.0));
    let (calls, took) = (numbers.next().unwrap_or(0.0), numbers.next().unwrap_or(1.0));
    let rate = calls / took;
    println!(
        "{name:<28} {rate:>9.0} calls/s  {:>6.2} us/call latency x callers  CPU {:>5.2} us/call (server {:.2}, client {:.2})",
        1e6 / rate,
        (server_cpu + client_cpu) * 1e6 / calls,
        server_cpu * 1e6 / calls,
        client_cpu * 1e6 / calls,
    );
    rate
}

fn compare() {
    gob();
    let length = env::var("BENCH_SECONDS").unwrap_or("2".to_owned());
    let me = env::current_exe().expect("has a path");
    let echo = measure("raw 64-byte TCP echo", (&me, "echo-serve"), (&me, &["echo", &length]));
    let go = go_peer();
    let peer = env::var_os("BENCH_PEER").map(std::path::PathBuf::from);
    for (connections, callers) in [("1", "64"), ("64", "1"), ("1", "1")] {
        let args = ["client", connections, callers, &length];
        let name = format!("ours {connections} x {callers}");
        let ours = measure(&name, (&me, "serve"), (&me, &args));
        if let Some(go) = &go {
            let args = ["bench", connections, callers, &length];
            let name = format!("Go net/rpc {connections} x {callers}");
            let theirs = measure(&name, (go, "bench-serve"), (go, &args));
            println!("    ours / Go = {:.2}", ours / theirs);
        }
        if let Some(peer) = &peer {
            let name = format!("peer {connections} x {callers}");
            let theirs = measure(&name, (peer, "serve"), (peer, &args));
            println!("    ours / peer = {:.2}", ours / theirs);
        }
        if connections == callers {
            println!("    latency / raw echo = {:.2}", echo / ours);
        }
    }
}

/// Builds the Go program of the tests, if there is a Go.
fn go_peer() -> Option<std::path::PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/go");
    let program = env::temp_dir().join(format!("rpc-bench-peer-{}", std::process::id()));
    let built = Command::new("go")
        .arg("build")
        .arg("-o")
        .arg(&program)
        .arg(".")
        .current_dir(source)
        .status();
    if built.is_ok_and(|status| status.success()) {
        return Some(program);
    }
    println!("skipped: no `go` to compare with");
    None
}

/// Nanoseconds per small struct, once its type is known.
fn gob() {
    const ROUNDS: u32 = 2_000_000;
    let args = Args { num1: 3, num2: 4_000 };
    let (mut encoder, mut out) = (Encoder::new(), Vec::new());
    encoder.encode(&args, &mut out);
    let definition = out.clone();
    let began = Instant::now();
    for _ in 0..ROUNDS {
        out.clear();
        encoder.encode(std::hint::black_box(&args), &mut out);
    }
    let encode = began.elapsed() / ROUNDS;
    let mut stream = definition;
    for _ in 0..ROUNDS {
        stream.extend_from_slice(&out);
    }
    let mut decoder = Decoder::new(std::io::Cursor::new(stream));
    let mut got = Args { num1: 0, num2: 0 };
    let began = Instant::now();
    for _ in 0..ROUNDS {
        decoder.decode(&mut got).expect("reads").expect("fits");
    }
    let decode = began.elapsed() / ROUNDS;
    assert_eq!(got, args);
    println!("gob, struct of two ints        encode {encode:?}, decode {decode:?}");
}
