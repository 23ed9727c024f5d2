//! `rpc` from outside: sessions captured from Go programs, live Go programs, faults, and the
//! examples. RPC-1 to RPC-23, the known defects of the Go tutorial, are named where each is tested.

#![allow(clippy::unwrap_used, reason = "these are tests, their helpers included")]

use std::collections::HashMap;
use std::io::Read;
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rpc::{Server, Service, Serving};

#[path = "rpc/calls.rs"]
mod calls;
#[path = "rpc/examples.rs"]
mod examples;
#[path = "rpc/faults.rs"]
mod faults;
#[path = "rpc/go.rs"]
mod go;
#[path = "rpc/http.rs"]
mod http;
#[path = "rpc/many.rs"]
mod many;
#[path = "rpc/panics.rs"]
mod panics;
#[path = "rpc/races.rs"]
mod races;
#[path = "rpc/sessions.rs"]
mod sessions;
#[path = "rpc/slow.rs"]
mod slow;

rpc::message! {
    #[derive(Debug, Clone, PartialEq)]
    struct Args {
        num1: i64,
        num2: i64,
    }

    #[derive(Debug, Clone, PartialEq)]
    struct Quotient {
        quo: i64,
        rem: i64,
    }

    #[derive(Debug, Clone, PartialEq)]
    struct Blob {
        data: Vec<u8>,
        words: Vec<String>,
        table: HashMap<String, i64>,
    }
}

fn args(num1: i64, num2: i64) -> Args {
    Args { num1, num2 }
}

/// Runs `test` in a thread; panics when it takes longer than 20 seconds (60 for the long counts),
/// instead of hanging.
fn watched(test: impl FnOnce() + Send + 'static) {
    let (sender, done) = mpsc::channel();
    let thread = thread::spawn(move || {
        test();
        let _ = sender.send(());
    });
    match done.recv_timeout(Duration::from_secs(if tests::full() { 60 } else { 20 })) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("hangs"),
        _ => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
    }
}

/// Waits until `done`; the watchdog has the clock.
fn until(done: impl Fn() -> bool) {
    while !done() {
        thread::yield_now();
    }
}

/// The service of the captured sessions, and a few methods that misbehave.
fn service() -> Service {
    Service::new("Foo")
        .method("Sum", |args: Args| Ok(args.num1 + args.num2))
        .method("Div", |args: Args| {
            if args.num2 == 0 {
                return Err("divide by zero".into());
            }
            Ok(Quotient { quo: args.num1 / args.num2, rem: args.num1 % args.num2 })
        })
        .method("Fail", |_: Args| -> rpc::Reply<i64> { Err("boom 100%s".into()) })
        .method("Echo", |text: String| Ok(text))
        .method("Keys", |map: HashMap<String, i64>| Ok(map.into_keys().collect::<Vec<_>>()))
        .method("Panic", |_: Args| -> rpc::Reply<i64> { panic!("on purpose") })
        .method("Blob", |blob: Blob| Ok(blob))
        .method_with("Slow", |args: Args, call| {
            let until = Instant::now() + Duration::from_secs(2);
            while !call.is_over() && Instant::now() < until {
                thread::park_timeout(Duration::from_millis(1));
            }
            Ok(args.num1 + args.num2)
        })
}

fn quiet() -> Server {
    Server::new().log(|_| {}).register(service()).unwrap()
}

fn start(server: Server) -> (Serving, String) {
    let serving = server.start().unwrap();
    let addr = serving.listen("127.0.0.1:0").unwrap();
    (serving, format!("tcp@{addr}"))
}

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address.split('@').nth(1).unwrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

fn read_exactly(stream: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}
