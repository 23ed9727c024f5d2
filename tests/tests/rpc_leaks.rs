//! Threads and descriptors return to where they were: after timeouts, disconnects, shutdowns.
//! A binary of its own with one test, since it counts what the whole process has.

#![allow(clippy::unwrap_used, reason = "these are tests, their helpers included")]

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use rpc::{Client, Error, Options, Server, Service};
use tests::full;

fn count(what: &str) -> usize {
    fs::read_dir(format!("/proc/self/{what}")).map_or(0, Iterator::count)
}

/// Waits until the counts are as before: the kernel lets go of a joined thread a moment later.
fn settled(before: (usize, usize), after: &str) {
    let until = Instant::now() + Duration::from_secs(20);
    while (count("task"), count("fd")) != before {
        let now = (count("task"), count("fd"));
        assert!(Instant::now() < until, "after {after}: {before:?} became {now:?}");
        thread::yield_now();
    }
}

fn server() -> Server {
    let service = Service::new("Foo").method("Sum", |n: i64| Ok(n + 1)).method_with(
        "Slow",
        |n: i64, call| {
            while !call.is_over() {
                thread::park_timeout(Duration::from_millis(1));
            }
            Ok(n)
        },
    );
    Server::new().log(|_| {}).register(service).unwrap()
}

const GRACE: Duration = Duration::from_secs(10);

/// Calls that the server gives up (RPC-5), and calls that the caller gives up.
fn timeouts(rounds: usize) {
    let serving = server().start().unwrap();
    let address = format!("tcp@{}", serving.listen("127.0.0.1:0").unwrap());
    let options = Options { handle_timeout: Duration::from_millis(2), ..Options::default() };
    let client = Client::dial_with(&address, &options).unwrap();
    for _ in 0..rounds / 20 {
        let calls = (0..20).map(|n| client.go::<i64>("Foo.Slow", &n).unwrap());
        for call in calls.collect::<Vec<_>>() {
            let error = call.wait().unwrap_err().to_string();
            assert_eq!(error, "rpc server: request handle timeout: expect within 2ms");
        }
    }
    for n in 0..20i64 {
        let within = Duration::from_micros(200);
        assert!(client.call_timeout::<i64>("Foo.Slow", &n, within).is_err());
    }
    assert_eq!(client.call::<i64>("Foo.Sum", &1i64).unwrap(), 2);
    drop(client);
    serving.shutdown(GRACE).unwrap();
}

/// Connections that come and go, in the middle of everything.
fn disconnects(rounds: usize) {
    let serving = server().start().unwrap();
    let addr = serving.listen("127.0.0.1:0").unwrap();
    for round in 0..rounds {
        if round % 2 == 0 {
            drop(TcpStream::connect(addr).unwrap());
            continue;
        }
        let client = Client::dial(&format!("tcp@{addr}")).unwrap();
        let call = client.go::<i64>("Foo.Sum", &1i64).unwrap();
        if round % 4 == 1 {
            assert_eq!(call.wait().unwrap(), 2);
        }
    }
    serving.shutdown(GRACE).unwrap();
    assert_eq!(serving.connections_open(), 0);
}

/// Dialling that gives up (RPC-6): accepted by the kernel, and the CONNECT is never answered.
fn dials(rounds: usize) {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http@{}", silent.local_addr().unwrap());
    let options = Options { connect_timeout: Duration::from_millis(5), ..Options::default() };
    for _ in 0..rounds / 10 {
        let error = Client::dial_with(&address, &options).unwrap_err();
        assert!(matches!(error, Error::ConnectTimeout(_)), "{error}");
        drop(silent.accept().unwrap());
    }
}

/// Servers that start and stop.
fn shutdowns(rounds: usize) {
    for _ in 0..rounds {
        let serving = server().start().unwrap();
        let addr = serving.listen("127.0.0.1:0").unwrap();
        let client = Client::dial(&format!("tcp@{addr}")).unwrap();
        assert_eq!(client.call::<i64>("Foo.Sum", &1i64).unwrap(), 2);
        serving.shutdown(GRACE).unwrap();
    }
}

#[test]
fn nothing_is_left_behind() {
    if !cfg!(target_os = "linux") {
        return tests::missing("threads can be counted on Linux only");
    }
    let rounds = if full() { 5000 } else { 1000 };
    let before = (count("task"), count("fd"));
    timeouts(rounds);
    settled(before, "timeouts");
    disconnects(rounds);
    settled(before, "disconnects");
    dials(rounds);
    settled(before, "dials");
    shutdowns(rounds);
    settled(before, "shutdowns");
}
