//! Calls: what may go wrong with one without harm to the others, and the limits.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rpc::{
    CallInfo, Client, CodecType, Dialect, Error, Interceptor, Limits, Options, Outcome, Reply,
    Server, Service,
};

use crate::{Blob, args, connect, quiet, service, start, watched};

const DIALECTS: [Dialect; 4] = [
    Dialect::Gee(CodecType::Gob),
    Dialect::Gee(CodecType::Json),
    Dialect::NetRpc,
    Dialect::JsonRpc,
];

fn dial(address: &str, dialect: Dialect) -> Client {
    Client::dial_with(address, &Options { dialect, ..Options::default() }).unwrap()
}

#[test]
fn a_typo_does_not_cost_the_connection() {
    // RPC-2: eight callers, every second call to nowhere.
    watched(|| {
        let (_serving, address) = start(quiet());
        for dialect in DIALECTS {
            let client = dial(&address, dialect);
            thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        for number in 0..25 {
                            let sum = client.call::<i64>("Foo.Sum", &args(number, 1)).unwrap();
                            assert_eq!(sum, number + 1);
                            let error = client.call::<i64>("Foo.Sun", &args(1, 1)).unwrap_err();
                            assert!(error.to_string().contains("can't find method"), "{error}");
                        }
                    });
                }
            });
        }
    });
}

#[test]
fn a_reply_of_another_type_fails_its_call_alone() {
    // RPC-3.
    watched(|| {
        let (_serving, address) = start(quiet());
        let client = Client::dial(&address).unwrap();
        let error = client.call::<String>("Foo.Sum", &args(3, 4)).unwrap_err();
        let want = "reading body gob: decoding into local type *string, received remote type int";
        assert_eq!(error.to_string(), want);
        assert_eq!(client.call::<i64>("Foo.Sum", &args(3, 4)).unwrap(), 7);
    });
}

#[test]
fn a_panic_in_a_method_is_an_error_of_its_call() {
    // RPC-4; its other half, a method of the wrong shape, does not compile.
    watched(|| {
        let (serving, address) = start(quiet());
        let client = Client::dial(&address).unwrap();
        for _ in 0..3 {
            let error = client.call::<i64>("Foo.Panic", &args(3, 4)).unwrap_err();
            assert_eq!(error.to_string(), "rpc: panic: on purpose");
        }
        assert_eq!(client.call::<i64>("Foo.Sum", &args(3, 4)).unwrap(), 7);
        drop(client);
        serving.shutdown(Duration::from_secs(5)).unwrap();
        assert_eq!(serving.calls_running(), 0);
    });
}

#[test]
fn a_late_method_is_answered_for_once() {
    // RPC-5 and RPC-7: the reply comes at the limit, and the method learns that it is over.
    watched(|| {
        let (serving, address) = start(quiet());
        let handle_timeout = Duration::from_millis(50);
        let options = Options { handle_timeout, ..Options::default() };
        let client = Client::dial_with(&address, &options).unwrap();
        let go = |_| client.go::<i64>("Foo.Slow", &args(1, 2)).unwrap();
        for handle in (0..20).map(go).collect::<Vec<_>>() {
            let error = handle.wait().unwrap_err().to_string();
            assert_eq!(error, "rpc server: request handle timeout: expect within 50ms");
        }
        assert_eq!(client.call::<i64>("Foo.Sum", &args(3, 4)).unwrap(), 7);
        drop(client);
        serving.shutdown(Duration::from_secs(5)).unwrap();
    });
}

#[test]
fn one_slow_call_holds_up_nobody() {
    watched(|| {
        let (gate, opened) = mpsc::channel::<()>();
        let opened = Mutex::new(opened);
        let service = Service::new("Gate").method("Wait", move |n: i64| {
            let _ = opened.lock().unwrap().recv();
            Ok(n)
        });
        let (_serving, address) = start(quiet().register(service).unwrap());
        let client = Client::dial(&address).unwrap();
        let slow = client.go::<i64>("Gate.Wait", &5i64).unwrap();
        // On the same connection, behind it.
        for number in 0..100 {
            assert_eq!(client.call::<i64>("Foo.Sum", &args(number, 1)).unwrap(), number + 1);
        }
        gate.send(()).unwrap();
        assert_eq!(slow.wait().unwrap(), 5);
    });
}

#[test]
fn a_handle_can_wait_give_up_and_be_dropped() {
    // RPC-10: a caller that does not fetch its reply holds up no other.
    watched(|| {
        let (_serving, address) = start(quiet());
        let client = Client::dial(&address).unwrap();
        let mut slow = client.go::<i64>("Foo.Slow", &args(1, 2)).unwrap();
        assert!(slow.wait_timeout(Duration::from_millis(20)).is_none());
        assert!(matches!(slow.cancel(), Err(Error::Canceled)));
        let go = |n| client.go::<i64>("Foo.Sum", &args(n, 1)).unwrap();
        let unfetched: Vec<_> = (0..50).map(go).collect();
        assert_eq!(client.call::<i64>("Foo.Sum", &args(3, 4)).unwrap(), 7);
        for (number, mut handle) in (0..).zip(unfetched).step_by(2) {
            let reply = handle.wait_timeout(Duration::from_secs(5)).unwrap();
            assert_eq!(reply.unwrap(), number + 1);
            assert!(matches!(handle.wait(), Err(Error::Canceled)), "taken already");
        }
        assert_eq!(client.call::<i64>("Foo.Sum", &args(3, 4)).unwrap(), 7);
    });
}

#[test]
fn services_are_checked_when_they_are_registered() {
    let twice = Service::new("Foo").method("A", |n: i64| Ok(n)).method("A", |n: i64| Ok(n));
    let error = Server::new().log(|_| {}).register(twice).unwrap_err();
    assert_eq!(error.to_string(), "rpc: service already defined: Foo.A");
    let error = quiet().register(service()).unwrap_err();
    assert_eq!(error.to_string(), "rpc: service already defined: Foo");
    assert!(quiet().register(Service::new("")).is_err());
}

#[test]
fn large_and_nested_values_travel() {
    watched(|| {
        let (_serving, address) = start(quiet());
        let blob = Blob {
            data: (0..1u32 << 20).map(|n| n.to_le_bytes()[1]).collect(),
            words: (0..1000).map(|n| format!("word {n}")).collect(),
            table: (0..1000).map(|n| (n.to_string(), n)).collect(),
        };
        for dialect in DIALECTS {
            let client = dial(&address, dialect);
            assert_eq!(client.call::<Blob>("Foo.Blob", &blob).unwrap(), blob);
        }
    });
}

#[test]
fn limits_on_calls_and_connections_hold() {
    watched(|| {
        let busy = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
        let counter = Arc::clone(&busy);
        let service = Service::new("Busy").method("Work", move |n: i64| {
            let now = counter.0.fetch_add(1, Ordering::SeqCst) + 1;
            counter.1.fetch_max(now, Ordering::SeqCst);
            let until = Instant::now() + Duration::from_millis(10);
            while Instant::now() < until {
                thread::yield_now();
            }
            counter.0.fetch_sub(1, Ordering::SeqCst);
            Ok(n)
        });
        let limits = Limits {
            connections_max: 2,
            calls_max: 3,
            calls_per_connection_max: 2,
            ..Limits::default()
        };
        let (_serving, address) = start(quiet().register(service).unwrap().limits(limits));
        let clients = [Client::dial(&address).unwrap(), Client::dial(&address).unwrap()];
        let go = |n: usize| {
            let n = i64::try_from(n).unwrap();
            clients[usize::from(n % 2 == 0)].go::<i64>("Busy.Work", &n).unwrap()
        };
        let handles: Vec<_> = (0..40).map(go).collect();
        let mut third = connect(&address);
        let got = std::io::Read::read(&mut third, &mut [0; 1]).unwrap_or(0);
        assert_eq!(got, 0, "one connection too many");
        for (number, handle) in (0..).zip(handles) {
            assert_eq!(handle.wait().unwrap(), number);
        }
        assert!(busy.1.load(Ordering::SeqCst) <= 3, "{:?}", busy.1);
    });
}

#[test]
fn a_shutdown_lets_calls_end() {
    watched(|| {
        let (started, has_started) = mpsc::channel();
        let (gate, opened) = mpsc::channel::<()>();
        let opened = Mutex::new(opened);
        let service = Service::new("Gate").method("Wait", move |n: i64| {
            let _ = started.send(());
            let _ = opened.lock().unwrap().recv();
            Ok(n)
        });
        let (serving, address) = start(quiet().register(service).unwrap());
        let client = Client::dial(&address).unwrap();
        let first = client.go::<i64>("Gate.Wait", &1i64).unwrap();
        has_started.recv().unwrap();
        thread::scope(|scope| {
            let shutdown = scope.spawn(|| serving.shutdown(Duration::from_secs(10)));
            // Its reply is sent although the server is going down.
            gate.send(()).unwrap();
            assert_eq!(first.wait().unwrap(), 1);
            shutdown.join().unwrap().unwrap();
        });
        assert!(client.call::<i64>("Foo.Sum", &args(1, 2)).is_err());
        assert!(Client::dial(&address).is_err(), "nobody listens");
    });
}

#[test]
fn a_shutdown_says_what_does_not_end() {
    watched(|| {
        let (gate, opened) = mpsc::channel::<()>();
        let (started, has_started) = mpsc::channel();
        let opened = Mutex::new(opened);
        let service = Service::new("Gate").method("Wait", move |n: i64| {
            let _ = started.send(());
            let _ = opened.lock().unwrap().recv();
            Ok(n)
        });
        let (serving, address) = start(quiet().register(service).unwrap());
        let client = Client::dial(&address).unwrap();
        let stuck = client.go::<i64>("Gate.Wait", &1i64).unwrap();
        has_started.recv().unwrap();
        let error = serving.shutdown(Duration::from_millis(50)).unwrap_err();
        assert!(matches!(error, Error::StillRunning(1)), "{error}");
        assert!(stuck.wait().unwrap_err().is_connection_lost());
        gate.send(()).unwrap();
    });
}

/// Refuses `Foo.Echo`, and tells of every call.
struct Guard(mpsc::Sender<String>);

impl Interceptor for Guard {
    fn before(&self, call: &CallInfo<'_>) -> Reply<()> {
        if call.method() == "Foo.Echo" { Err("not today".into()) } else { Ok(()) }
    }

    fn after(&self, call: &CallInfo<'_>, _took: Duration, outcome: Outcome<'_>) {
        let _ = self.0.send(format!("{} {outcome:?}", call.method()));
    }
}

#[test]
fn an_interceptor_sees_every_call_and_may_refuse() {
    watched(|| {
        let (sender, seen) = mpsc::channel();
        let chain = rpc::beyond::intercept::Chain::new().and(Guard(sender));
        let (_serving, address) = start(quiet().intercept(chain));
        let client = Client::dial(&address).unwrap();
        assert_eq!(client.call::<i64>("Foo.Sum", &args(3, 4)).unwrap(), 7);
        assert_eq!(seen.recv().unwrap(), "Foo.Sum Replied");
        let error = client.call::<String>("Foo.Echo", &"x".to_owned()).unwrap_err();
        assert_eq!(error.to_string(), "not today");
        assert_eq!(seen.recv().unwrap(), "Foo.Echo Failed(\"not today\")");
    });
}
