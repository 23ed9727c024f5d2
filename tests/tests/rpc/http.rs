//! HTTP: CONNECT, the debug page, the registry, heartbeats, and discovery when it is down.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rpc::discovery::{Discovery, MultiServers, RoundRobin};
use rpc::{
    Client, Dialect, Error, Heartbeat, Options, Registry, RegistryDiscovery, Service, XClient,
};
use tests::browser::Browser;
use tests::raw::Serving;
use web::Engine;

use crate::sessions::session;
use crate::{args, connect, quiet, read_exactly, start, until, watched};

/// An HTTP server for an engine, stopped and joined when dropped.
fn serve(listener: TcpListener, engine: Engine) -> Serving {
    Serving::start_on(listener, web::Server::new(engine))
}

fn any_port() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

#[test]
fn two_servers_share_a_process_and_each_has_its_http() {
    // RPC-13 and RPC-14.
    watched(|| {
        for _ in 0..2 {
            let serving = Arc::new(quiet().start().unwrap());
            let mut engine = Engine::new();
            rpc::http::mount(&mut engine, &serving).unwrap();
            let http = serve(any_port(), engine);
            for dialect in [Dialect::default(), Dialect::NetRpc] {
                let options = Options { dialect, ..Options::default() };
                let client = Client::dial_with(&format!("http@{}", http.addr), &options).unwrap();
                assert_eq!(client.call::<i64>("Foo.Sum", &args(3, 4)).unwrap(), 7);
            }
            let get = |path| {
                let answer =
                    web::Client::new().get(&format!("http://{}{path}", http.addr)).unwrap();
                (answer.status, String::from_utf8(answer.body).unwrap())
            };
            let (_, page) = get("/debug/geerpc");
            assert!(
                page.contains("Sum(main.Args, *int) error</td>\n\t\t\t<td align=center>2</td>")
            );
            assert_eq!(get("/_geeprc_"), (405, "405 must CONNECT\n".to_owned()));
            // Head, option and request in one write; both spellings; either line end.
            let mut sent = session("gee-basic").into_iter().filter(|line| line.kind == "C>S");
            let both = [sent.next().unwrap().bytes, sent.next().unwrap().bytes].concat();
            for head in
                ["CONNECT /_geerpc_ HTTP/1.0\n\n", "CONNECT /_geeprc_ HTTP/1.1\r\nHost: x\r\n\r\n"]
            {
                let mut stream = connect(&format!("tcp@{}", http.addr));
                stream.write_all(&[head.as_bytes(), &both].concat()).unwrap();
                let answer = read_exactly(&mut stream, 35 + 76);
                assert!(answer.starts_with(b"HTTP/1.0 200 Connected to Gee RPC\n\n"));
            }
        }
    });
}

#[test]
fn a_browser_shows_the_debug_page() {
    // RPC-14: sorted, and what it shows is text.
    let Some(browser) = Browser::open("rpc-debug") else { return };
    let serving = Arc::new(quiet().register(Service::new("<i>Bar")).unwrap().start().unwrap());
    let mut engine = Engine::new();
    rpc::http::mount(&mut engine, &serving).unwrap();
    let http = serve(any_port(), engine);
    let client = Client::dial(&format!("http@{}", http.addr)).unwrap();
    for number in 0..5 {
        client.call::<i64>("Foo.Sum", &args(number, 1)).unwrap();
    }
    browser.go(&format!("http://{}/debug/geerpc", http.addr));
    assert_eq!(browser.text("return document.title"), "GeeRPC Services");
    let shown = browser.text("return document.body.innerText");
    let lines: Vec<&str> = shown.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let services = lines.iter().filter(|line| line.starts_with("Service "));
    assert_eq!(services.collect::<Vec<_>>(), [&"Service <i>Bar", &"Service Foo"], "{shown}");
    assert!(lines.contains(&"Sum(main.Args, *int) error\t5"), "{shown}");
    let methods: Vec<_> = lines.iter().filter(|line| line.contains(") error")).collect();
    assert!(methods.is_sorted(), "{shown}");
    browser.picture("rpc_debug");
}

#[test]
fn an_http_server_that_is_no_rpc_server_is_told_from_one() {
    watched(|| {
        let http = serve(any_port(), Engine::new());
        let error = Client::dial(&format!("http@{}", http.addr)).unwrap_err().to_string();
        assert!(error.starts_with("unexpected HTTP response: 501"), "{error}");
    });
}

fn registry() -> (Arc<Registry>, Serving, String) {
    let registry = Arc::new(Registry::default());
    let mut engine = Engine::new();
    registry.mount(&mut engine).unwrap();
    let http = serve(any_port(), engine);
    let url = format!("http://{}/_geerpc_/registry", http.addr);
    (registry, http, url)
}

#[test]
fn the_registry_speaks_as_go_s() {
    // RPC-18 and RPC-20.
    watched(|| {
        let (registry, _http, url) = registry();
        let http = web::Client::new();
        let ask = |method: &str, server: Option<&str>| {
            let mut request = web::Outgoing::new(method, &url);
            if let Some(server) = server {
                request = request.header("X-Geerpc-Server", server);
            }
            let answer = http.send(request).unwrap();
            assert!(answer.body.is_empty());
            (answer.status, answer.headers.get("X-Geerpc-Servers").map(str::to_owned))
        };
        assert_eq!(ask("GET", None), (200, Some(String::new())));
        assert_eq!(ask("POST", Some("tcp@127.0.0.1:7002")), (200, None));
        assert_eq!(ask("POST", Some("http@127.0.0.1:7001")), (200, None));
        let both = "http@127.0.0.1:7001,tcp@127.0.0.1:7002".to_owned();
        assert_eq!(ask("GET", None), (200, Some(both)));
        assert_eq!(ask("POST", None).0, 500);
        assert_eq!(ask("PUT", None).0, 405);
        assert_eq!(ask("POST", Some("tcp@a:1,tcp@b:2")).0, 400);
        assert_eq!(ask("POST", Some("tcp@[::]:1")).0, 400);
        assert_eq!(ask("DELETE", Some("http@127.0.0.1:7001")).0, 200);
        assert_eq!(ask("DELETE", Some("http@127.0.0.1:7001")).0, 404);
        assert_eq!(registry.snapshot().len(), 1);
    });
}

#[test]
fn a_token_keeps_strangers_out() {
    // RPC-20.
    watched(|| {
        let registry = Arc::new(Registry::default().token("secret"));
        let mut engine = Engine::new();
        registry.mount(&mut engine).unwrap();
        let http = serve(any_port(), engine);
        let url = format!("http://{}/_geerpc_/registry", http.addr);
        let request = web::Outgoing::new("POST", &url).header("X-Geerpc-Server", "tcp@a:1");
        assert_eq!(web::Client::new().send(request).unwrap().status, 401);
        let period = Duration::from_secs(60);
        let beat = Heartbeat::start_with(&url, "tcp@a:1", period, Some("secret")).unwrap();
        until(|| registry.snapshot().len() == 1);
        drop(beat);
        assert!(registry.snapshot().is_empty());
    });
}

#[test]
fn a_heartbeat_outlives_its_registry_and_ends_with_its_handle() {
    // RPC-17 and RPC-18.
    watched(|| {
        // Down at first: the port is known, and nobody listens.
        let addr = any_port().local_addr().unwrap();
        let url = format!("http://{addr}/_geerpc_/registry");
        let period = Duration::from_millis(150);
        let beat = Heartbeat::start(&url, "tcp@127.0.0.1:7001", period).unwrap();
        let registry = Arc::new(Registry::default());
        let mut engine = Engine::new();
        registry.mount(&mut engine).unwrap();
        let http = serve(TcpListener::bind(addr).unwrap(), engine);
        until(|| registry.snapshot().len() == 1);
        // Forgotten, it comes again.
        registry.remove("tcp@127.0.0.1:7001");
        until(|| registry.snapshot().len() == 1);
        drop(beat);
        assert!(registry.snapshot().is_empty(), "taken out on drop");
        drop(http);
    });
}

#[test]
fn a_heartbeat_that_is_refused_says_so_and_goes_on() {
    // RPC-18: a 404 is no success, and RPC-17: nor the end.
    watched(|| {
        let registry = Arc::new(Registry::default().token("secret"));
        let asked = Arc::new(AtomicUsize::new(0));
        let mut engine = Engine::new();
        engine.middleware({
            let asked = Arc::clone(&asked);
            move |context: &mut web::Context| {
                asked.fetch_add(1, Ordering::SeqCst);
                context.next();
            }
        });
        registry.mount(&mut engine).unwrap();
        let http = serve(any_port(), engine);
        let url = format!("http://{}/_geerpc_/registry", http.addr);
        let beat = Heartbeat::start(&url, "tcp@a:1", Duration::from_secs(60)).unwrap();
        // A beat that was taken would be followed by the next one in a minute.
        until(|| asked.load(Ordering::SeqCst) >= 3);
        assert!(registry.snapshot().is_empty());
        drop(beat);
    });
}

/// A registry that answers its first two requests with `answer`.
fn fake_registry(answer: &'static [u8]) -> (String, thread::JoinHandle<()>) {
    let listener = any_port();
    let url = format!("http://{}/_geerpc_/registry", listener.local_addr().unwrap());
    let thread = thread::spawn(move || {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer);
        }
    });
    (url, thread)
}

#[test]
fn a_registry_that_fails_leaves_the_last_good_list() {
    // RPC-19.
    watched(|| {
        for answer in [
            &b"HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
            b"garbage\r\n\r\n",
            b"",
        ] {
            let (url, thread) = fake_registry(answer);
            let discovery = RegistryDiscovery::with_max_age(&url, Duration::ZERO);
            assert!(discovery.get_all().is_err());
            discovery.update(vec!["tcp@127.0.0.1:1".to_owned()]);
            assert_eq!(discovery.get_all().unwrap(), ["tcp@127.0.0.1:1"]);
            // A request may have been tried twice; let the thread go in any case.
            let _ = TcpStream::connect(url.split('/').nth(2).unwrap());
            drop(thread);
        }
    });
}

#[test]
fn a_registry_that_says_nothing_costs_three_seconds() {
    watched(|| {
        let listener = any_port();
        let url = format!("http://{}/_geerpc_/registry", listener.local_addr().unwrap());
        let (discovery, began) = (RegistryDiscovery::new(&url), Instant::now());
        assert!(discovery.get_all().is_err());
        assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
        // It is not asked again for every call.
        let again = Instant::now();
        assert!(matches!(discovery.get_all(), Err(Error::NoServers)));
        assert!(again.elapsed() < Duration::from_secs(1));
    });
}

#[test]
fn a_silent_registry_does_not_eat_a_call_s_time() {
    // A list is known, and old. Half of the call's time goes to asking, the rest to the call.
    watched(|| {
        let silent = any_port();
        let url = format!("http://{}/_geerpc_/registry", silent.local_addr().unwrap());
        let (_serving, address) = start(quiet());
        let discovery = RegistryDiscovery::with_max_age(&url, Duration::ZERO);
        discovery.update(vec![address]);
        let client = XClient::new(discovery, RoundRobin::new());
        let began = Instant::now();
        let within = Duration::from_secs(1);
        assert_eq!(client.call_timeout::<i64>("Foo.Sum", &args(3, 4), within).unwrap(), 7);
        assert!(began.elapsed() < within, "{:?}", began.elapsed());
    });
}

#[test]
fn servers_that_are_gone_are_forgotten() {
    watched(|| {
        let (_serving, address) = start(quiet());
        let servers = Arc::new(MultiServers::new([address.clone()]));
        /// The same list for the client and the test.
        struct Shared(Arc<MultiServers>);
        impl Discovery for Shared {
            fn refresh(&self) -> rpc::Result<()> {
                Ok(())
            }
            fn update(&self, servers: Vec<String>) {
                self.0.update(servers);
            }
            fn get_all(&self) -> rpc::Result<Vec<String>> {
                self.0.get_all()
            }
        }
        let client = XClient::new(Shared(Arc::clone(&servers)), RoundRobin::new());
        for port in 1..50 {
            servers.update(vec![address.clone(), format!("tcp@127.0.0.1:{port}")]);
            let _ = client.call::<i64>("Foo.Sum", &args(3, 4));
        }
        let kept = format!("{client:?}").matches("Host {").count();
        assert!(kept <= 2, "{client:?}");
    });
}

#[test]
fn servers_are_found_through_the_registry() {
    watched(|| {
        let (registry, _http, url) = registry();
        let (one, first) = start(quiet());
        let (_two, second) = start(quiet());
        let beats = [&first, &second].map(|at| Heartbeat::start(&url, at, Duration::ZERO).unwrap());
        until(|| registry.snapshot().len() == 2);
        let client = XClient::new(RegistryDiscovery::new(&url), RoundRobin::new());
        for number in 0..10 {
            assert_eq!(client.call::<i64>("Foo.Sum", &args(number, 1)).unwrap(), number + 1);
        }
        let all = client.broadcast_all::<i64>("Foo.Sum", &args(3, 4), None).unwrap();
        assert_eq!(all.len(), 2);
        // One goes: its connection is found dead, and the other serves.
        one.shutdown(Duration::from_secs(2)).unwrap();
        for _ in 0..10 {
            let sum = client.call_failover::<i64>("Foo.Sum", &args(3, 4), 2, None);
            assert_eq!(sum.unwrap(), 7);
        }
        drop(beats);
    });
}
