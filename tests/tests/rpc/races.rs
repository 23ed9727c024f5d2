//! Races: who waits, reads - and must hand the right to read on, whatever happens to it.
//!
//! Most of these hung before the code they pin was right.

use std::io::{BufRead, BufReader, Lines, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rpc::{Client, Dialect, Error, Limits, Options, Service};
use tests::full;

use crate::watched;

/// The server's end of a jsonrpc connection that answers when the test says so.
struct Told {
    stream: TcpStream,
    lines: Lines<BufReader<TcpStream>>,
}

impl Told {
    fn start() -> (Client, Told) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let options = Options { dialect: Dialect::JsonRpc, ..Options::default() };
        let address = format!("tcp@{}", listener.local_addr().unwrap());
        let client = Client::dial_with(&address, &options).unwrap();
        let (stream, _) = listener.accept().unwrap();
        stream.set_nodelay(true).unwrap();
        let lines = BufReader::new(stream.try_clone().unwrap()).lines();
        (client, Told { stream, lines })
    }

    /// The id of the next request.
    fn request(&mut self) -> u64 {
        self.call().1
    }

    /// The method and the id of the next request.
    fn call(&mut self) -> (String, u64) {
        let request = web::json::parse(self.lines.next().unwrap().unwrap()).unwrap();
        (request["method"].as_str().unwrap().to_owned(), request["id"].as_u64().unwrap())
    }

    fn reply(&mut self, id: u64) {
        let line = format!("{{\"id\":{id},\"result\":{id},\"error\":null}}\n");
        self.stream.write_all(line.as_bytes()).unwrap();
    }
}

/// Counts rounds, the long count under `TESTS_FULL=1`; on a machine that is busy with other things,
/// as many as fit into some seconds.
fn rounds(short: u64, long: u64) -> impl Iterator<Item = u64> {
    let (count, seconds) = if full() { (long, 20) } else { (short, 5) };
    let until = Instant::now() + Duration::from_secs(seconds);
    (0..count).take_while(move |_| Instant::now() < until)
}

#[test]
fn who_gives_up_hands_the_right_to_read_on() {
    // One that reads gets its reply, stops, and wakes another. If that one's own time is over just
    // then, it must wake a third, or nobody reads and the patient one waits for ever.
    watched(|| {
        let (client, mut told) = Told::start();
        let client = &client;
        let limit = Duration::from_micros(500);
        thread::scope(|scope| {
            let caller = |method: &'static str, limit: Option<Duration>| {
                let (go, told_to) = mpsc::channel::<()>();
                let (sender, done) = mpsc::channel();
                scope.spawn(move || {
                    while told_to.recv().is_ok() {
                        let reply = match limit {
                            None => client.call::<u64>(method, &1i64),
                            Some(limit) => client.call_timeout(method, &1i64, limit),
                        };
                        sender.send(reply).unwrap();
                    }
                });
                (go, done)
            };
            let (reads, patient) = (caller("A.Reads", None), caller("A.Patient", None));
            let hasty: Vec<_> = (0..3).map(|_| caller("A.Hasty", Some(limit))).collect();
            for round in rounds(800, 4_000) {
                reads.0.send(()).unwrap();
                let reads_id = told.request();
                patient.0.send(()).unwrap();
                let patient_id = told.request();
                hasty.iter().for_each(|hasty| hasty.0.send(()).unwrap());
                hasty.iter().for_each(|_| assert!(told.request() > 0));
                let then = Instant::now() + limit - Duration::from_micros(round % 200);
                while Instant::now() < then {
                    thread::yield_now();
                }
                told.reply(reads_id);
                assert_eq!(reads.1.recv().unwrap().unwrap(), reads_id);
                for hasty in &hasty {
                    assert!(matches!(hasty.1.recv().unwrap(), Err(Error::Timeout)));
                }
                told.reply(patient_id);
                assert_eq!(patient.1.recv().unwrap().unwrap(), patient_id);
            }
            drop((reads, patient, hasty));
        });
    });
}

#[test]
fn asking_whether_a_client_is_available_keeps_nobody_from_reading() {
    watched(|| {
        let (_serving, address) = crate::start(crate::quiet());
        let client = Client::dial(&address).unwrap();
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    assert!(client.is_available());
                }
            });
            for number in rounds(5_000, 20_000) {
                let number = i64::try_from(number).unwrap();
                let sum = client.call::<i64>("Foo.Sum", &crate::args(number, 1)).unwrap();
                assert_eq!(sum, number + 1);
            }
            over.store(true, Ordering::Relaxed);
        });
    });
}

#[test]
fn who_gives_up_in_mid_write_leaves_the_stream_whole() {
    // Large requests with limits of a few milliseconds, small ones without, a server that reads
    // line by line: every line is whole, and every patient call is answered.
    watched(|| {
        let (client, mut told) = Told::start();
        let big = "x".repeat(400_000);
        thread::scope(|scope| {
            for caller in 0..4u64 {
                let (client, big) = (&client, &big);
                scope.spawn(move || {
                    for round in rounds(20, 200) {
                        let within = Duration::from_micros(300 * (caller + round % 9));
                        let late = client.call_timeout::<u64>("A.Hasty", big, within);
                        assert!(matches!(late, Err(Error::Timeout)), "{late:?}");
                    }
                });
            }
            let patient: Vec<_> = (0..2)
                .map(|_| {
                    scope.spawn(|| {
                        for _ in rounds(20, 200) {
                            client.call::<u64>("A.Patient", &7i64).unwrap();
                        }
                        client.call::<u64>("A.Bye", &7i64).unwrap();
                    })
                })
                .collect();
            let mut byes = 0;
            while byes < patient.len() {
                let (method, id) = told.call();
                if method != "A.Hasty" {
                    told.reply(id);
                }
                byes += usize::from(method == "A.Bye");
            }
        });
    });
}

#[test]
fn a_full_connection_and_a_full_server_read_on() {
    // Few calls at a time, slow and quick ones mixed: whoever ends one must take up the reading.
    watched(|| {
        for (calls_max, calls_per_connection_max) in [(1, 1), (2, 1), (3, 2), (2, 16)] {
            let limits = Limits { calls_max, calls_per_connection_max, ..Limits::default() };
            let nap = Service::new("Nap").method("Nap", |n: i64| {
                if n % 7 == 0 {
                    thread::park_timeout(Duration::from_millis(2));
                }
                Ok(n)
            });
            let (_serving, address) =
                crate::start(crate::quiet().limits(limits).register(nap).unwrap());
            thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| {
                        let client = Client::dial(&address).unwrap();
                        let go = |n: i64| client.go::<i64>("Nap.Nap", &n).unwrap();
                        for round in rounds(2, 20) {
                            let round = i64::try_from(round).unwrap();
                            let handles: Vec<_> = (0..70).map(|n| go(n + round)).collect();
                            for (n, handle) in (round..).zip(handles) {
                                assert_eq!(handle.wait().unwrap(), n);
                            }
                        }
                    });
                }
            });
        }
    });
}

#[test]
fn what_is_held_back_does_not_wait_behind_a_full_server() {
    watched(|| {
        let (gate, opened) = mpsc::channel::<()>();
        let opened = Mutex::new(opened);
        let service = Service::new("Gate").method("Wait", move |n: i64| {
            let _ = opened.lock().unwrap().recv();
            Ok(n)
        });
        let limits = Limits { calls_max: 2, ..Limits::default() };
        let (_serving, address) =
            crate::start(crate::quiet().limits(limits).register(service).unwrap());
        // One of two places is taken, and the method is known to be slow.
        let other = Client::dial(&address).unwrap();
        let waits = other.go::<i64>("Gate.Wait", &1i64).unwrap();
        assert_eq!(other.call::<i64>("Foo.Sum", &crate::args(1, 2)).unwrap(), 3);
        // In one packet: a quick call, one that takes the second place, one that finds none.
        let mut stream = crate::connect(&address);
        let sum = "{\"method\":\"Foo.Sum\",\"params\":[{\"Num1\":3,\"Num2\":4}],\"id\":0}\n";
        let wait = "{\"method\":\"Gate.Wait\",\"params\":[5],\"id\":1}\n";
        stream.write_all([sum, wait, sum].concat().as_bytes()).unwrap();
        let reply = "{\"id\":0,\"result\":7,\"error\":null}\n";
        assert_eq!(crate::read_exactly(&mut stream, reply.len()), reply.as_bytes());
        gate.send(()).unwrap();
        gate.send(()).unwrap();
        assert_eq!(waits.wait().unwrap(), 1);
    });
}

#[test]
fn a_shutdown_is_quick_whoever_comes_at_that_moment() {
    watched(|| {
        for _ in rounds(40, 400) {
            let (serving, address) = crate::start(crate::quiet());
            let over = AtomicBool::new(false);
            thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| {
                        while !over.load(Ordering::Relaxed) {
                            let Ok(client) = Client::dial(&address) else { continue };
                            let _ = client.call::<i64>("Foo.Sum", &crate::args(1, 2));
                        }
                    });
                }
                while serving.services().all(|foo| foo.methods().all(|sum| sum.calls() == 0)) {
                    thread::yield_now();
                }
                let began = Instant::now();
                serving.shutdown(Duration::from_secs(15)).unwrap();
                over.store(true, Ordering::Relaxed);
                assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
            });
            assert_eq!((serving.calls_running(), serving.connections_open()), (0, 0));
        }
    });
}

#[cfg(unix)]
#[test]
fn a_shutdown_ends_though_the_socket_s_file_is_gone() {
    watched(|| {
        let path = std::env::temp_dir().join(format!("rpc-gone-{}.sock", std::process::id()));
        let serving = crate::quiet().start().unwrap();
        serving.listen_unix(&path).unwrap();
        let client = Client::dial(&format!("unix@{}", path.display())).unwrap();
        assert_eq!(client.call::<i64>("Foo.Sum", &crate::args(3, 4)).unwrap(), 7);
        std::fs::remove_file(&path).unwrap();
        serving.shutdown(Duration::from_secs(5)).unwrap();
    });
}
