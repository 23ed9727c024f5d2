//! Many servers: dead ones, silent ones, broadcasts; dialling, and other sockets than TCP.

use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use rpc::discovery::{MultiServers, Random, RoundRobin};
use rpc::{Client, Error, Options, Server, Service, XClient};

use crate::{Args, args, quiet, start, watched};

#[test]
fn options_are_not_changed_and_dialling_fails_in_time() {
    // RPC-12, RPC-6 and RPC-22.
    watched(|| {
        let (_serving, address) = start(quiet());
        let options = Options::default();
        let before = format!("{options:?}");
        Client::dial_with(&address, &options).unwrap();
        assert_eq!(format!("{options:?}"), before);
        let error = Client::dial("tcp@127.0.0.1:1").unwrap_err();
        assert!(error.to_string().starts_with("connect to tcp@127.0.0.1:1"), "{error}");
        // Accepted by the kernel, never answered.
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let options = Options { connect_timeout: Duration::from_millis(100), ..options };
        let address = format!("http@{}", silent.local_addr().unwrap());
        let error = Client::dial_with(&address, &options).unwrap_err();
        assert_eq!(error.to_string(), "rpc client: connect timeout: expect within 100ms");
        for wrong in ["tcp", "127.0.0.1:1", "tcp@a@b", "quic@a:1"] {
            assert!(matches!(Client::dial(wrong), Err(Error::Invalid(_))), "{wrong}");
        }
    });
}

#[test]
fn a_dead_server_is_left_alone_and_another_takes_the_call() {
    // RPC-15.
    watched(|| {
        let (_serving, live) = start(quiet());
        let dead = {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            format!("tcp@{}", listener.local_addr().unwrap())
        };
        let both = || MultiServers::new([dead.clone(), live.clone()]);
        let client = XClient::new(both(), RoundRobin::new());
        for number in 0..20 {
            let sum: i64 = client.call_failover("Foo.Sum", &args(number, 1), 2, None).unwrap();
            assert_eq!(sum, number + 1);
        }
        let client = XClient::new(both(), RoundRobin::new());
        let call = |_: &i32| client.call::<i64>("Foo.Sum", &args(1, 2)).is_err();
        let failed = (0..20).filter(call).count();
        assert!(failed <= 3, "a dead server is tried again only after a while: {failed}");
        let empty = XClient::new(MultiServers::default(), Random::new());
        let error = empty.call::<i64>("Foo.Sum", &args(1, 2)).unwrap_err();
        assert_eq!(error.to_string(), "rpc discovery: no available servers");
    });
}

#[test]
fn a_silent_address_does_not_hold_up_the_others() {
    // RPC-15: it accepts, and never answers the CONNECT.
    watched(|| {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let (_serving, live) = start(quiet());
        let servers = MultiServers::new([format!("http@{}", silent.local_addr().unwrap()), live]);
        let options = Options { connect_timeout: Duration::from_secs(1), ..Options::default() };
        let client = XClient::with_options(servers, RoundRobin::new(), options);
        let began = Instant::now();
        let call = || (client.call::<i64>("Foo.Sum", &args(1, 2)).is_ok(), began.elapsed());
        thread::scope(|scope| {
            let calls = [scope.spawn(call), scope.spawn(call)];
            let results = calls.map(|call| call.join().unwrap());
            let quick = |&(ok, took): &(bool, Duration)| ok && took < Duration::from_millis(900);
            assert!(results.iter().any(quick), "{results:?}");
        });
    });
}

#[test]
fn who_waits_for_another_s_dialling_waits_no_longer_than_it_wants() {
    // RPC-15: one caller dials an address that accepts and never answers; another needs the same.
    watched(|| {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http@{}", silent.local_addr().unwrap());
        let options = Options { connect_timeout: Duration::from_secs(2), ..Options::default() };
        let servers = MultiServers::new([address]);
        let client = XClient::with_options(servers, RoundRobin::new(), options);
        thread::scope(|scope| {
            let call = || client.call::<i64>("Foo.Sum", &args(1, 2)).unwrap_err().to_string();
            let patient = [scope.spawn(call), scope.spawn(call)];
            // The first of them has been accepted, so somebody is dialling.
            let accepted = silent.accept().unwrap();
            let began = Instant::now();
            let within = Duration::from_millis(100);
            let error = client.call_timeout::<i64>("Foo.Sum", &args(1, 2), within).unwrap_err();
            assert!(matches!(error, Error::Timeout), "{error}");
            assert!(began.elapsed() < Duration::from_millis(1200), "{:?}", began.elapsed());
            // The two share one attempt, and its end.
            for patient in patient {
                let error = patient.join().unwrap();
                assert_eq!(error, "rpc client: connect timeout: expect within 2s");
            }
            assert!(began.elapsed() < Duration::from_millis(3800), "{:?}", began.elapsed());
            drop(accepted);
        });
    });
}

#[test]
fn a_broadcast_keeps_every_result() {
    // RPC-16.
    watched(|| {
        let (_one, first) = start(quiet());
        let refuse = |_: Args| -> rpc::Reply<i64> { Err("no".into()) };
        let other = Service::new("Foo").method("Sum", refuse);
        let (_two, second) = start(Server::new().log(|_| {}).register(other).unwrap());
        let both = || MultiServers::new([first.clone(), second.clone()]);
        let client = XClient::new(both(), Random::new());
        let mut all = client.broadcast_all::<i64>("Foo.Sum", &args(3, 4), None).unwrap();
        all.sort_by_key(|(address, _)| *address == second);
        assert_eq!(all[0].1.as_ref().unwrap(), &7);
        assert_eq!(all[1].1.as_ref().unwrap_err().to_string(), "no");
        let error = client.broadcast::<i64>("Foo.Sum", &args(3, 4), None).unwrap_err();
        assert_eq!(error.to_string(), "no");
        let empty = XClient::new(MultiServers::default(), Random::new());
        let error = empty.broadcast::<i64>("Foo.Sum", &args(3, 4), None).unwrap_err();
        assert!(matches!(error, Error::NoServers));
        // The first error gives up the slow one.
        let (client, began) = (XClient::new(both(), Random::new()), Instant::now());
        assert!(client.broadcast::<i64>("Foo.Slow", &args(3, 4), None).is_err());
        assert!(began.elapsed() < Duration::from_millis(1900));
    });
}

#[cfg(unix)]
#[test]
fn unix_sockets_and_streams_of_one_s_own() {
    use rpc::Stream;
    use std::os::unix::net::UnixStream;
    watched(|| {
        let path = std::env::temp_dir().join(format!("rpc-{}.sock", std::process::id()));
        let serving = quiet().start().unwrap();
        serving.listen_unix(&path).unwrap();
        let client = Client::dial(&format!("unix@{}", path.display())).unwrap();
        assert_eq!(client.call::<i64>("Foo.Sum", &args(3, 4)).unwrap(), 7);
        let (ours, theirs) = UnixStream::pair().unwrap();
        serving.serve_stream(Stream::Unix(theirs), Vec::new());
        let options = Options::default();
        let pair = Client::with_stream(Stream::Unix(ours), Vec::new(), &options).unwrap();
        assert_eq!(pair.call::<i64>("Foo.Sum", &args(3, 5)).unwrap(), 8);
        drop(serving);
        assert!(!path.exists(), "the socket's file is removed");
    });
}
