//! `web` under load and abuse: peers that are slow, silent or gone, more of them than there are
//! threads or descriptors, and a stop in the middle of it all.

#![cfg(test)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use tests::raw::{Raw, Serving, WATCHDOG};
use tests::{Running, example};
use web::{Content, Request, Response, Server};

const GET: &str = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const GET_CLOSE: &str = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

fn ok(_: &mut Request, response: &mut Response) {
    *response.body() = b"ok".to_vec();
}

/// A server with so many threads and places in the queue.
fn small(threads: usize, queue: usize, handler: impl web::Handler) -> Server {
    let mut server = Server::new(handler);
    (server.pool.threads_max, server.pool.queue_max) = (threads, queue);
    server
}

/// Handlers that wait: each tells that it has begun, then waits for leave to go on.
struct Gate {
    begun: mpsc::Receiver<()>,
    go: mpsc::Sender<()>,
}

impl Gate {
    fn new() -> (Gate, impl Fn(&mut Request, &mut Response) + Send + Sync + 'static) {
        let (tell, begun) = mpsc::channel();
        let (go, wait) = mpsc::channel::<()>();
        let (tell, wait) = (Mutex::new(tell), Mutex::new(wait));
        let handler = move |request: &mut Request, response: &mut Response| {
            if request.path() == "/wait" {
                tell.lock().unwrap().send(()).unwrap();
                // An error: the test is over.
                let _ = wait.lock().unwrap().recv();
            }
            ok(request, response);
        };
        (Gate { begun, go }, handler)
    }

    fn begun(&self) {
        self.begun.recv_timeout(WATCHDOG).expect("a handler begins");
    }
}

const WAIT: &str = "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n";

fn served(raw: &mut Raw) -> bool {
    raw.answer().text() == "ok"
}

#[test]
fn slow_and_silent_peers_hold_nobody_up() {
    let large = |request: &mut Request, response: &mut Response| {
        let _ = web::body::Body::bytes(&mut request.body);
        *response.body() = vec![b'x'; if request.path() == "/large" { 32 << 20 } else { 2 }];
    };
    let serving = Serving::start(Server::new(large));
    let mut peers = Vec::new();
    for bytes in [
        "GET / HT",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\na",
        "GET /large HTTP/1.1\r\nHost: x\r\n\r\n", // and never reads
        "",
    ] {
        peers.extend((0..8).map(|_| serving.send(bytes)));
    }
    let started = Instant::now();
    for _ in 0..100 {
        assert_eq!(serving.send(GET).answer().body.len(), 2);
    }
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
}

/// In a process of its own, for each side needs a thousand descriptors.
#[test]
fn a_thousand_idle_connections_hold_nobody_up() {
    let server = Running::start(&example("web", "hello"), &["--addr", "127.0.0.1:0"], 1);
    let connect = || TcpStream::connect(server.addr()).map(Raw::new);
    let Ok(mut idle) = (0..1000).map(|_| connect()).collect::<std::io::Result<Vec<Raw>>>() else {
        return tests::missing("1,000 connections need more descriptors: ulimit -n 4096");
    };
    idle.iter_mut().take(500).for_each(|raw| raw.send(GET));
    for raw in idle.iter_mut().take(500) {
        assert_eq!(raw.answer().text(), "hello world");
    }
    let started = Instant::now();
    let mut fresh = connect().unwrap();
    fresh.send(GET);
    assert_eq!(fresh.answer().text(), "hello world");
    assert!(started.elapsed() < WATCHDOG, "{:?}", started.elapsed());
    // Those that were idle are alive, too.
    idle[0].send(GET);
    assert_eq!(idle[0].answer().text(), "hello world");
}

#[test]
fn a_reader_that_takes_nothing_is_given_up() {
    let (tell, told) = mpsc::channel();
    let tell = Mutex::new(tell);
    let endless = move |_: &mut Request, response: &mut Response| {
        let tell = tell.lock().unwrap().clone();
        response.content = Content::Stream(Box::new(move |out| {
            let block = [b'x'; 64 * 1024];
            let error = loop {
                if let Err(error) = out.write_all(&block) {
                    break error;
                }
            };
            tell.send(()).unwrap();
            Err(error)
        }));
    };
    let mut server = Server::new(endless);
    server.limits.write_timeout = Duration::from_millis(50);
    let serving = Serving::start(server);
    let _silent = serving.send(GET);
    told.recv_timeout(WATCHDOG).expect("the writer is cut off");
}

#[test]
fn at_capacity_answers_close_then_connections_queue_then_503() {
    let (gate, handler) = Gate::new();
    let serving = Serving::start(small(1, 1, handler));
    let mut first = serving.send(WAIT);
    gate.begun();
    let mut second = serving.send(GET);
    let mut third = serving.connect();
    let refused = third.answer();
    assert_eq!((refused.status, refused.header("connection")), (503, Some("close")));
    third.ends();
    // The third was refused, so the second is in the queue, and the next answer is the last.
    gate.go.send(()).unwrap();
    let answer = first.answer();
    assert_eq!((&*answer.text(), answer.header("connection")), ("ok", Some("close")));
    first.ends();
    let answer = second.answer();
    assert_eq!((&*answer.text(), answer.header("connection")), ("ok", None));
}

#[test]
fn idle_connections_make_room_for_new_ones() {
    let serving = Serving::start(small(2, 100, ok));
    let mut kept: Vec<Raw> = (0..2).map(|_| serving.send(GET)).collect();
    assert!(kept.iter_mut().all(served));
    // Idle for up to 75 seconds; a fresh connection must not wait for that.
    for _ in 0..10 {
        let mut fresh = serving.send(GET);
        assert!(served(&mut fresh));
        kept.push(fresh);
    }
    // Nor for those who have connected and say nothing.
    let serving = Serving::start(small(2, 100, ok));
    let _silent: Vec<Raw> = (0..2).map(|_| serving.connect()).collect();
    assert!(served(&mut serving.send(GET)));
}

/// A storm of fresh connections at capacity: all of them wait, none of them is let go before it
/// was served. Half a second of silence is allowed for; a round that a busy machine makes longer
/// proves nothing and is played again.
#[test]
fn nobody_who_has_just_connected_is_let_go_unserved() {
    for _ in 0..50 {
        let serving = Serving::start(small(2, 1000, ok));
        let started = Instant::now();
        let mut storm: Vec<Raw> = (0..100).map(|_| serving.connect()).collect();
        let sent =
            storm.iter_mut().rev().all(|raw| raw.stream.write_all(GET_CLOSE.as_bytes()).is_ok());
        if started.elapsed() < Duration::from_millis(400) {
            assert!(sent && storm.iter_mut().all(served));
            return;
        }
    }
    panic!("this machine takes half a second to open 100 connections");
}

/// The mark and the look of `wait_for_request`: a connection that turns idle just when another
/// one is queued must not sleep on.
#[test]
fn more_keep_alive_clients_than_threads_all_get_their_turn() {
    let serving = Serving::start(small(2, 1000, ok));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let (mut raw, mut answers) = (serving.connect(), 0);
                let started = Instant::now();
                while answers < 500 {
                    // A kept connection may be let go at any moment: then the client tries again.
                    let sent = raw.stream.write_all(GET.as_bytes());
                    if let Some(answer) = sent.ok().and_then(|()| raw.try_answer(false)) {
                        answers += 1;
                        if answer.header("connection").is_none() {
                            continue;
                        }
                    }
                    raw = serving.connect();
                    assert!(started.elapsed() < WATCHDOG, "starved after {answers}");
                }
            });
        }
    });
}

#[test]
fn slow_heads_hold_their_threads_for_their_timeout_only() {
    let mut server = small(2, 100, ok);
    server.limits.head_timeout = Duration::from_millis(50);
    let serving = Serving::start(server);
    let slow: Vec<Raw> = (0..3).map(|_| serving.send("GET / HTTP/1.1\r\nSlow: ")).collect();
    assert!(served(&mut serving.send(GET)));
    drop(slow);
}

/// One octet every few milliseconds is no silence, and still too slow: both deadlines are absolute.
#[test]
fn a_trickle_of_octets_is_cut_off_all_the_same() {
    let reads = |request: &mut Request, response: &mut Response| {
        let _ = web::body::Body::bytes(&mut request.body);
        ok(request, response);
    };
    let mut server = Server::new(reads);
    server.limits.head_timeout = Duration::from_millis(200);
    server.limits.body_timeout = Duration::from_millis(200);
    let serving = Serving::start(server);
    let post = "POST / HTTP/1.1\r\nHost: x\r\n";
    for start in [
        "GET / HTTP/1.1\r\nA: ".to_owned(),
        format!("{post}Content-Length: 100000\r\n\r\n"),
        format!("{post}Transfer-Encoding: chunked\r\n\r\n186a0\r\n"),
        format!("{post}Transfer-Encoding: chunked\r\n\r\n0\r\nTrailer: "),
    ] {
        let mut raw = serving.send(&start);
        let started = Instant::now();
        raw.stream.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
        // Waits for an answer, and sends an octet whenever there is none.
        while raw.stream.peek(&mut [0]).is_err() {
            let _ = raw.stream.write_all(b"x");
            assert!(started.elapsed() < WATCHDOG, "{start:?} goes on for ever");
        }
        raw.stream.set_read_timeout(Some(WATCHDOG)).unwrap();
        assert_eq!(raw.answer().status, 408, "{start:?}");
        raw.ends();
    }
}

/// `accept` fails, again and again, and the server goes on; its idle connections make room.
#[cfg(unix)]
#[test]
fn running_out_of_descriptors_is_survived() {
    let hello = example("web", "hello");
    let script = "ulimit -n 40; exec \"$0\" --addr 127.0.0.1:0";
    let server = Running::start("sh".as_ref(), &["-c", script, hello.to_str().expect("a path")], 1);
    let connect = || Raw::new(TcpStream::connect(server.addr()).unwrap());
    let mut kept = Vec::new();
    for _ in 0..100 {
        let mut raw = connect();
        raw.send(GET);
        assert_eq!(raw.answer().text(), "hello world");
        kept.push(raw);
    }
    // Silent ones too, after a moment.
    let silent: Vec<Raw> = (0..60).map(|_| connect()).collect();
    let mut raw = connect();
    raw.send(GET);
    assert_eq!(raw.answer().text(), "hello world");
    drop(silent);
}

#[test]
fn a_flood_of_connect_and_close_is_survived() {
    let serving = Serving::start(small(8, 16, ok));
    thread::scope(|scope| {
        for n in 0..4 {
            let serving = &serving;
            scope.spawn(move || {
                for _ in 0..500 {
                    let mut stream = TcpStream::connect(serving.addr).unwrap();
                    let _ = stream.write_all(&GET.as_bytes()[..n * 9]);
                }
            });
        }
    });
    // Once the queue has run dry.
    let started = Instant::now();
    while serving.send(GET).try_answer(false).is_none_or(|answer| answer.status != 200) {
        assert!(started.elapsed() < WATCHDOG, "no answer after the flood");
    }
}

#[test]
fn a_stop_answers_all_that_was_sent() {
    let (gate, handler) = Gate::new();
    let serving = Serving::start(small(5, 1000, handler));
    let mut running: Vec<Raw> = (0..5).map(|_| serving.send(WAIT)).collect();
    running.iter().for_each(|_| gate.begun());
    // All threads are busy: these are in the pool's queue, or not even accepted yet.
    let mut sent: Vec<Raw> = (0..50).map(|_| serving.send(GET)).collect();
    let stopper = serving.stopper.clone();
    let stop = thread::spawn(move || stopper.shutdown(WATCHDOG));
    let started = Instant::now();
    while TcpStream::connect(serving.addr).is_ok() {
        assert!(started.elapsed() < WATCHDOG, "the stop does not begin");
    }
    running.iter().for_each(|_| gate.go.send(()).unwrap());
    for raw in running.iter_mut().chain(&mut sent) {
        let answer = raw.answer();
        assert_eq!((&*answer.text(), answer.header("connection")), ("ok", Some("close")));
        raw.ends();
    }
    assert!(stop.join().unwrap(), "nothing was cut off");
}

#[test]
fn a_stop_wakes_the_idle_and_does_not_wait_for_the_silent() {
    let mut server = Server::new(ok);
    server.limits.head_timeout = Duration::from_secs(75);
    let serving = Serving::start(server);
    let mut idle: Vec<Raw> = (0..20).map(|_| serving.send(GET)).collect();
    assert!(idle.iter_mut().all(served));
    let mut silent: Vec<Raw> = (0..20).map(|_| serving.connect()).collect();
    let started = Instant::now();
    assert!(serving.stopper.shutdown(Duration::from_secs(60)));
    assert!(started.elapsed() < WATCHDOG, "{:?}", started.elapsed());
    idle.iter_mut().chain(&mut silent).for_each(Raw::ends);
    assert!(TcpStream::connect(serving.addr).is_err(), "the port is free");
}

/// Whatever a handler has begun reaches its client, whole.
#[test]
fn a_stop_under_load_loses_no_answer() {
    let begun = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&begun);
    let handler = move |request: &mut Request, response: &mut Response| {
        count.fetch_add(1, SeqCst);
        ok(request, response);
    };
    let serving = Serving::start(small(4, 1000, handler));
    let (answered, stopping) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        for n in 0..6 {
            let (serving, answered, stopping) = (&serving, &answered, &stopping);
            scope.spawn(move || {
                let request = if n % 2 == 0 { GET } else { GET_CLOSE };
                let mut raw = None;
                loop {
                    let fresh = || TcpStream::connect(serving.addr).ok().map(Raw::new);
                    let Some(mut open) = raw.take().or_else(fresh) else { return };
                    let sent = open.stream.write_all(request.as_bytes());
                    let answer = sent.ok().and_then(|()| open.try_answer(false));
                    let Some(answer) = answer else {
                        if stopping.load(SeqCst) {
                            return;
                        }
                        continue; // a kept connection that was let go
                    };
                    assert_eq!(answer.text(), "ok");
                    answered.fetch_add(1, SeqCst);
                    if answer.header("connection").is_none() {
                        raw = Some(open);
                    }
                }
            });
        }
        while answered.load(SeqCst) < 2000 {
            thread::yield_now();
        }
        stopping.store(true, SeqCst);
        assert!(serving.stopper.shutdown(WATCHDOG));
    });
    assert_eq!(begun.load(SeqCst), answered.load(SeqCst));
}

#[test]
fn a_stop_keeps_its_deadline_whatever_a_handler_does() {
    let (gate, handler) = Gate::new();
    let serving = Serving::start(Server::new(handler));
    let mut stuck = serving.send(WAIT);
    gate.begun();
    let started = Instant::now();
    assert!(!serving.stopper.shutdown(Duration::from_millis(50)), "a request was cut off");
    assert!(started.elapsed() < WATCHDOG, "{:?}", started.elapsed());
    assert!(stuck.try_answer(false).is_none());

    // A client that does not take its answer is cut off, and that is said.
    let large = |_: &mut Request, response: &mut Response| *response.body() = vec![0; 64 << 20];
    let serving = Serving::start(Server::new(large));
    let mut slow = serving.send(GET);
    slow.take(1);
    assert!(!serving.stopper.shutdown(Duration::from_millis(50)), "an answer was cut off");
}

#[test]
fn a_stop_may_come_at_any_moment() {
    for _ in 0..200 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Server::new(ok);
        let stopper = server.stopper();
        let (done, ended) = mpsc::channel();
        thread::spawn(move || done.send(server.serve(listener).is_ok()));
        assert!(stopper.shutdown(WATCHDOG));
        assert!(ended.recv_timeout(WATCHDOG).expect("serve returns"));
    }
}

/// A connection that was kept, asked again, and stopped in between: what has come is answered.
#[test]
fn a_request_that_crosses_the_stop_is_answered_or_cleanly_refused() {
    for _ in 0..50 {
        let serving = Serving::start(Server::new(ok));
        let mut raw = serving.send(GET);
        assert!(served(&mut raw));
        let stopper = serving.stopper.clone();
        let stop = thread::spawn(move || stopper.shutdown(WATCHDOG));
        let sent = raw.stream.write_all(GET.as_bytes());
        if let Some(answer) = sent.ok().and_then(|()| raw.try_answer(false)) {
            assert_eq!(answer.text(), "ok");
        }
        assert!(stop.join().unwrap());
        let mut rest = Vec::new();
        let _ = raw.stream.read_to_end(&mut rest);
        assert!(rest.is_empty());
    }
}
