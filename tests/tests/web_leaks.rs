//! What thousands of connections leave behind: nothing. The counts are read from `/proc`, so this
//! runs on Linux only, and alone in its process, where nobody else opens anything.

#![cfg(test)]
#![cfg(target_os = "linux")]

use std::fs;
use std::io::Write;
use std::time::{Duration, Instant};

use tests::raw::{Serving, WATCHDOG};
use web::{Client, Request, Response, Server};

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

fn threads() -> usize {
    fs::read_dir("/proc/self/task").unwrap().count()
}

/// Resident memory, in KiB.
fn memory() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn until(what: &str, done: impl Fn() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(
            started.elapsed() < WATCHDOG,
            "{what}: {} fds, {} threads",
            descriptors(),
            threads()
        );
        std::thread::yield_now();
    }
}

fn handler(request: &mut Request, response: &mut Response) {
    match request.path() {
        "/panic" => panic!("this panic is part of the test"),
        "/large" => *response.body() = vec![b'x'; 1 << 20],
        _ => *response.body() = b"ok".to_vec(),
    }
}

/// Connections of every fate, a few at a time.
fn round(serving: &Serving, client: &Client) {
    const HEAD: &str = "HTTP/1.1\r\nHost: x\r\n";
    let requests = [
        format!("GET / {HEAD}\r\n"),
        format!("GET /large {HEAD}\r\n"),
        format!("GET /panic {HEAD}\r\n"),
        format!("POST / {HEAD}Content-Length: 100000\r\n\r\nnot all of it"),
        "GET / nonsense\r\n\r\n".to_owned(),
        "GET / HT".to_owned(),
        String::new(),
    ];
    let all: Vec<_> = requests.iter().map(|request| serving.send(request)).collect();
    let url = format!("http://{}/", serving.addr);
    assert_eq!(client.get(&url).unwrap().body, b"ok");
    drop(all);
    // And one that reads its answer, and pipelines.
    let mut raw = serving.connect();
    raw.stream.write_all(requests[0].repeat(3).as_bytes()).unwrap();
    (0..3).for_each(|_| assert_eq!(raw.answer().text(), "ok"));
}

#[test]
fn descriptors_threads_and_memory_return_to_where_they_were() {
    std::panic::set_hook(Box::new(|_| {})); // hundreds of panics are part of the test
    let rounds = if tests::full() { 2000 } else { 400 };
    let (fds, tasks) = (descriptors(), threads());
    let mut server = Server::new(handler);
    server.pool.idle_timeout = Duration::from_millis(10);
    server.pool.threads_max = 16;
    let serving = Serving::start(server);
    let client = Client::new();
    let mut warm = 0;
    for n in 0..rounds {
        round(&serving, &client);
        if n == rounds / 4 {
            warm = memory();
        }
    }
    drop(client);
    // The listener and the accept thread are all that is left: connections closed, threads retired.
    until("at rest", || descriptors() == fds + 1 && threads() == tasks + 1);
    let now = memory();
    assert!(now < warm + 8 * 1024, "memory grew from {warm} to {now} KiB");
    drop(serving);
    until("stopped", || descriptors() == fds && threads() == tasks);
}
