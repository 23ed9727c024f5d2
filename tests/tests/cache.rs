//! Nodes of the cache on real sockets: among each other, and on bad networks.

#![cfg(test)]

use std::collections::HashMap;
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Barrier, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use cache::{
    ByteView, Dialect, Error, Group, Groups, HttpPool, PeerLimits, PeerPicker, Result, Ring,
};
use tests::fault_proxy::{Fault, FaultProxy};
use tests::{full, root, watched};
use web::{Client, Server, Stopper};

/// How often each key was loaded.
type Loads = Arc<Mutex<HashMap<Vec<u8>, u32>>>;

/// A node in this process. Its value of a key is the key itself; keys that begin with `missing` are not.
struct Node {
    group: Arc<Group>,
    groups: Arc<Groups>,
    pool: Arc<HttpPool>,
    loads: Loads,
    serving: Option<(Stopper, JoinHandle<web::Result<()>>)>,
}

impl Node {
    fn start(listener: TcpListener, self_url: &str, dialect: Dialect, limits: PeerLimits) -> Node {
        let loads = Loads::default();
        let counter = Arc::clone(&loads);
        let getter = move |key: &[u8]| {
            *counter.lock().unwrap().entry(key.to_vec()).or_default() += 1;
            if key.starts_with(b"missing") { Err(Error::not_found(key)) } else { Ok(key.to_vec()) }
        };
        let groups = Arc::new(Groups::default());
        let group = groups.add(Group::new("scores", 0, getter)).unwrap();
        let pool = Arc::new(HttpPool::new(self_url, dialect).limits(limits));
        group.register_peers(Arc::clone(&pool) as _).unwrap();
        let mut node = Node { group, groups, pool, loads, serving: None };
        node.serve(listener);
        node
    }

    fn serve(&mut self, listener: TcpListener) {
        let server = Server::new(self.pool.handler(&self.groups));
        let stopper = server.stopper();
        self.serving = Some((stopper, thread::spawn(move || server.serve(listener))));
    }

    /// Ends the server; its port is free afterwards.
    fn kill(&mut self) {
        if let Some((stopper, thread)) = self.serving.take() {
            stopper.shutdown(Duration::ZERO);
            thread.join().unwrap().unwrap();
        }
    }

    fn loads_of(&self, key: &[u8]) -> u32 {
        self.loads.lock().unwrap().get(key).copied().unwrap_or(0)
    }

    /// No key was loaded twice, and the books agree.
    fn check(&self) {
        let twice: Vec<_> = self
            .loads
            .lock()
            .unwrap()
            .iter()
            .filter(|(_, n)| **n > 1)
            .map(|(k, _)| k.clone())
            .collect();
        assert!(twice.is_empty(), "loaded more than once: {twice:?}");
        let s = self.group.stats();
        assert_eq!(s.loads_deduped, s.peer_loads + s.local_loads + s.local_load_errs, "{s:?}");
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

/// Three nodes that know each other.
fn cluster(dialect: &Dialect) -> (Vec<Node>, Vec<String>) {
    let (listeners, urls): (Vec<_>, Vec<_>) = (0..3).map(|_| listener()).unzip();
    let start = |(listener, url): (_, &String)| {
        Node::start(listener, url, dialect.clone(), PeerLimits::default())
    };
    let nodes: Vec<_> = listeners.into_iter().zip(&urls).map(start).collect();
    nodes.iter().for_each(|node| node.pool.set_peers(&urls).unwrap());
    (nodes, urls)
}

#[test]
fn every_node_gives_every_value_and_only_the_owner_loads_it() {
    watched(|| {
        for dialect in [Dialect::raw(), Dialect::geecache(), Dialect::groupcache()] {
            let (nodes, urls) = cluster(&dialect);
            let mut ring = Ring::new(50);
            ring.add(urls.iter().map(String::as_str));
            let mut keys: Vec<Vec<u8>> = (0..100).map(|i| format!("key{i}").into_bytes()).collect();
            let odd: [&[u8]; 7] =
                [b"a b", b"a+b", b"x/y//z", b"\xff\0\r\n", "你".as_bytes(), b"%41", b"?q=1#f"];
            keys.extend(odd.map(<[u8]>::to_vec));
            for key in &keys {
                let owner = ring.get(key).unwrap();
                for (node, url) in nodes.iter().zip(&urls) {
                    assert_eq!(&node.group.get(key).unwrap()[..], key, "at {url}");
                }
                for (node, url) in nodes.iter().zip(&urls) {
                    assert_eq!(node.loads_of(key), u32::from(url == owner), "{key:?} at {url}");
                }
            }
            nodes.iter().for_each(Node::check);
            let asked: u64 = nodes.iter().map(|node| node.group.stats().server_requests).sum();
            assert_eq!(asked, 2 * keys.len() as u64);
        }
    });
}

#[test]
fn the_owners_not_found_is_final_and_costs_one_query() {
    let (nodes, urls) = cluster(&Dialect::geecache());
    let mut ring = Ring::new(50);
    ring.add(urls.iter().map(String::as_str));
    // Lines and octets that are no text too: the answer is the same for every kind of key.
    for (count, odd) in
        [&b""[..], b"\nno such group: x\n", b"\xff\0", " 你".as_bytes()].iter().enumerate()
    {
        let key = |i: u32| [format!("missing {i}").as_bytes(), odd].concat();
        let key = (0..).map(key).find(|key| ring.get(key) != Some(&urls[0])).unwrap();
        let want = format!("{} not exist", String::from_utf8_lossy(&key));
        assert_eq!(nodes[0].group.get(&key).unwrap_err().to_string(), want);
        assert_eq!(nodes.iter().map(|node| node.loads_of(&key)).sum::<u32>(), 1, "{want:?}");
        let stats = nodes[0].group.stats();
        let counts = (stats.peer_loads, stats.peer_errors, stats.local_load_errs);
        assert_eq!(counts, (1 + count as u64, 0, 0), "{want:?}");
    }
}

#[test]
fn a_key_too_long_for_a_request_is_loaded_here_and_its_owner_does_not_rest() {
    watched(|| {
        let (nodes, urls) = cluster(&Dialect::geecache());
        nodes[0].pool.set_peers([&urls[1]]).unwrap();
        for (len, fits) in [(7_000, true), (20_000, false), (300_000, false)] {
            let peer = nodes[0].pool.pick_peer(b"Tom").expect("it does not rest");
            let key = vec![b'k'; len];
            match peer.get("scores", &key) {
                Ok(value) => assert!(fits && value[..] == key),
                Err(Error::PeerStatus { status, .. }) => {
                    assert_eq!((fits, &*status), (false, "414 URI Too Long"));
                }
                Err(other) => panic!("{other}"),
            }
            assert_eq!(nodes[0].group.get(&key).unwrap().len(), len);
        }
        assert!(nodes[0].pool.pick_peer(b"Tom").is_some(), "it does not rest");
    });
}

/// A node whose only peer is behind a proxy and owns every key.
fn behind(limits: PeerLimits) -> (Node, Node, FaultProxy, String) {
    let (at, own) = listener();
    let upstream = at.local_addr().unwrap();
    let proxy = FaultProxy::start(upstream);
    let url = format!("http://{}", proxy.addr());
    let owner = Node::start(at, &own, Dialect::geecache(), limits);
    owner.pool.set_peers([&own]).unwrap();
    let (at, self_url) = listener();
    let asker = Node::start(at, &self_url, Dialect::geecache(), limits);
    asker.pool.set_peers([&url]).unwrap();
    (asker, owner, proxy, url)
}

/// Short times, so that a test can wait for them; the peer hardly rests.
fn impatient() -> PeerLimits {
    PeerLimits {
        connect_timeout: Duration::from_millis(200),
        total_timeout: Duration::from_millis(200),
        body_bytes_max: 1 << 20,
        rest_first: Duration::from_nanos(1),
        rest_max: Duration::from_nanos(1),
    }
}

/// Everything that a peer can do wrong, and what the asker says then: URL is the peer, K the key.
#[allow(clippy::too_many_lines, reason = "one flat table")]
fn bad_answers() -> Vec<(Fault, &'static str)> {
    let reply = |head: &str, body: &[u8]| {
        Fault::Reply([format!("HTTP/1.1 {head}\r\n\r\n").as_bytes(), body].concat())
    };
    let whole = |status: &str, body: &str| {
        reply(&format!("{status}\r\nContent-Length: {}", body.len()), body.as_bytes())
    };
    let flood = |head: &str| Fault::Flood(format!("HTTP/1.1 {head}").into_bytes());
    // What comes after "URL: " is the client's of crate `web`.
    let timed_out = "URL: GET URL/_geecache/scores/K: timed out";
    let reset = "URL: GET URL/_geecache/scores/K: Connection reset by peer (os error 104)";
    let too_long = "URL: 502: the body is over its limit; raise body_bytes_max";
    vec![
        (Fault::Refuse, "URL: GET URL/_geecache/scores/K: Connection refused (os error 111)"),
        (Fault::Reset { after: 0 }, reset),
        (Fault::Reset { after: 20 }, reset),
        (Fault::Stall { after: 0 }, timed_out),
        (Fault::Stall { after: 20 }, timed_out),
        (Fault::Stall { after: 117 }, timed_out), // in the body
        (Fault::Trickle { pause: Duration::from_millis(20) }, timed_out),
        (Fault::Truncate { after: 0 }, "URL: GET URL/_geecache/scores/K: unexpected end of file"),
        (Fault::Truncate { after: 20 }, "URL: 502: the answer ends inside its head"),
        (Fault::Reply(vec![0xff; 5000]), "URL: 502: the answer ends inside its head"),
        (
            Fault::Reply(b"garbage\r\n\r\n".to_vec()),
            "URL: 502: the answer does not begin with HTTP/1.x and a status",
        ),
        (
            reply("200 OK\r\nContent-Length: 10", b"0a"),
            "URL: 502: the connection ended inside the body",
        ),
        (
            reply("200 OK\r\nContent-Length: +5", b"\x0a\x03630"),
            "URL: 502: Content-Length is not a number of octets",
        ),
        (flood("200 OK\r\nContent-Length: 100000000\r\n\r\n"), too_long),
        (flood("200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5f5e100\r\n"), too_long),
        (flood("200 OK\r\n\r\n"), too_long),
        (
            whole("200 OK", "\x0a\x04630"),
            "URL: decoding response body: the message is cut off at byte 0",
        ),
        (
            whole("200 OK", "<html>"),
            "URL: decoding response body: a group ends that was not started at byte 0",
        ),
        (
            whole("500 Internal Server Error", "the source is down\n"),
            "URL: server returned: 500 Internal Server Error: the source is down",
        ),
        (whole("503 Service Unavailable", ""), "URL: server returned: 503 Service Unavailable"),
        (
            whole("404 Not Found", "no such group: scores\n"),
            "URL has no group \"scores\"; start every node with the same groups",
        ),
        (
            whole("404 Not Found", "404 page not found\n"),
            "URL: server returned: 404 Not Found: 404 page not found",
        ),
        (whole("302 Found", ""), "URL: server returned: 302 Found"),
    ]
}

#[test]
fn every_bad_answer_is_its_own_error_and_the_value_is_loaded_here() {
    watched(|| {
        let (asker, owner, proxy, url) = behind(impatient());
        for (at, (fault, want)) in bad_answers().into_iter().enumerate() {
            proxy.set(fault);
            let (key, started) = (format!("k{at}"), Instant::now());
            let peer = asker.pool.pick_peer(key.as_bytes()).expect("it has rested");
            let error = peer.get("scores", key.as_bytes()).unwrap_err();
            assert_eq!(
                error.to_string(),
                want.replace("URL", &url).replace('K', &key),
                "case {at}"
            );
            assert_eq!(asker.group.get(&key).unwrap().to_string(), key, "case {at}");
            assert!(
                started.elapsed() < Duration::from_secs(5),
                "case {at}: {:?}",
                started.elapsed()
            );
        }
        proxy.set(Fault::Pass);
        assert_eq!(asker.group.get("well again").unwrap().to_string(), "well again");
        assert_eq!((owner.loads_of(b"well again"), asker.loads_of(b"well again")), (1, 0));
        asker.check();
    });
}

/// Reads `keys` keys at every one of 8 threads, each from another one on, and calls `progress` with the
/// number of gets so far. Every get must give the right value within `limit`.
fn read_by_eight(group: &Group, keys: usize, limit: Duration, progress: impl Fn(usize) + Sync) {
    let done = AtomicUsize::new(0);
    thread::scope(|scope| {
        for reader in 0..8 {
            let (done, progress) = (&done, &progress);
            scope.spawn(move || {
                for i in 0..keys {
                    let key = format!("key-{}", (i + reader * keys / 8) % keys);
                    let started = Instant::now();
                    assert_eq!(group.get(&key).unwrap().to_string(), key);
                    assert!(started.elapsed() < limit, "{key} took {:?}", started.elapsed());
                    progress(done.fetch_add(1, Relaxed) + 1);
                }
            });
        }
    });
}

#[test]
fn in_every_weather_each_get_is_right_and_in_time_and_no_key_is_loaded_twice() {
    let keys = if full() { 10_000 } else { 2_000 };
    watched(move || {
        // All readers may come to wait for one get of a stalled peer, and then for that of the next key:
        // a short deadline, and rest in between, bound how long that goes on.
        let limits = PeerLimits {
            connect_timeout: Duration::from_millis(100),
            total_timeout: Duration::from_millis(100),
            rest_first: Duration::from_millis(1),
            rest_max: Duration::from_millis(20),
            ..impatient()
        };
        let (listeners, own): (Vec<_>, Vec<_>) = (0..3).map(|_| listener()).unzip();
        // The first is asked directly; the two others are reached through proxies.
        let proxies: Vec<_> =
            listeners[1..].iter().map(|l| FaultProxy::start(l.local_addr().unwrap())).collect();
        let mut urls = vec![own[0].clone()];
        urls.extend(proxies.iter().map(|proxy| format!("http://{}", proxy.addr())));
        let nodes: Vec<_> = listeners
            .into_iter()
            .zip(&urls)
            .map(|(at, url)| Node::start(at, url, Dialect::geecache(), limits))
            .collect();
        nodes.iter().for_each(|node| node.pool.set_peers(&urls).unwrap());
        let weather = [
            Fault::Pass,
            Fault::Stall { after: 0 },
            Fault::Reset { after: 30 },
            Fault::Refuse,
            Fault::Pass,
            Fault::Truncate { after: 100 },
            Fault::Trickle { pause: Duration::from_millis(5) },
            Fault::Stall { after: 60 },
            Fault::Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n\x0a\x01x".to_vec()),
            Fault::Flood(b"HTTP/1.1 200 OK\r\n\r\n".to_vec()),
            Fault::Reset { after: 0 },
            Fault::Pass,
        ];
        let each = keys * 8 / weather.len();
        let limit = limits.total_timeout + limits.connect_timeout + Duration::from_secs(5);
        read_by_eight(&nodes[0].group, keys, limit, |done| {
            if done % each == 0 {
                let at = done / each;
                proxies[at % 2].set(weather[at % weather.len()].clone());
                proxies[(at + 1) % 2].set(weather[(at + 3) % weather.len()].clone());
            }
        });
        nodes.iter().for_each(Node::check);
        let stats = nodes[0].group.stats();
        assert!(stats.peer_errors > 3 && stats.peer_loads > 100, "the weather was felt: {stats:?}");
    });
}

#[test]
fn peers_die_and_come_back_under_load() {
    let keys = if full() { 10_000 } else { 2_000 };
    watched(move || {
        let limits = PeerLimits { rest_max: Duration::from_millis(5), ..PeerLimits::default() };
        let (listeners, urls): (Vec<_>, Vec<_>) = (0..3).map(|_| listener()).unzip();
        let addrs: Vec<_> = listeners.iter().map(|l| l.local_addr().unwrap()).collect();
        let mut nodes: Vec<_> = listeners
            .into_iter()
            .zip(&urls)
            .map(|(at, url)| Node::start(at, url, Dialect::geecache(), limits))
            .collect();
        nodes.iter().for_each(|node| node.pool.set_peers(&urls).unwrap());
        let asked = Arc::clone(&nodes[0].group);
        let others = Mutex::new(nodes.split_off(1));
        read_by_eight(&asked, keys, limits.total_timeout + Duration::from_secs(5), |done| {
            // A sixth of the way: kill one. Another sixth: it is back. And so on, in turn.
            if done % (keys * 8 / 6) == 0 {
                let (turn, mut others) = (done / (keys * 8 / 6), others.lock().unwrap());
                let node = turn / 2 % 2;
                if turn % 2 == 1 {
                    others[node].kill();
                } else {
                    let node = if node == 0 { 1 } else { 0 };
                    others[node].serve(TcpListener::bind(addrs[node + 1]).unwrap());
                }
            }
        });
        nodes.iter().chain(others.into_inner().unwrap().iter()).for_each(Node::check);
        let stats = asked.stats();
        assert!(stats.peer_errors > 0 && stats.peer_loads > 100, "{stats:?}");
    });
}

#[test]
fn the_list_of_peers_changes_under_load() {
    watched(|| {
        let (nodes, urls) = cluster(&Dialect::geecache());
        read_by_eight(&nodes[0].group, 500, Duration::from_secs(5), |done| {
            if done % 20 == 0 {
                nodes[0].pool.set_peers(&urls[..1 + done / 20 % 3]).unwrap();
            }
        });
        nodes.iter().for_each(Node::check);
        assert_eq!(nodes[0].group.stats().peer_errors, 0);
    });
}

#[test]
fn nodes_whose_lists_disagree_answer_each_other_and_do_not_wait_in_a_circle() {
    watched(|| {
        let (nodes, urls) = cluster(&Dialect::geecache());
        // Each is sure that the next one owns everything.
        for (at, node) in nodes.iter().enumerate() {
            node.pool.set_peers([&urls[(at + 1) % 3]]).unwrap();
        }
        let barrier = Barrier::new(3);
        thread::scope(|scope| {
            for node in &nodes {
                scope.spawn(|| {
                    for i in 0..200 {
                        barrier.wait(); // all three ask for the same key at the same time
                        let key = format!("key-{i}");
                        assert_eq!(node.group.get(&key).unwrap().to_string(), key);
                    }
                });
            }
        });
        for node in &nodes {
            node.check();
            // A key that a neighbour asked us for first is a hit, so the loads need not be 200.
            let s = node.group.stats();
            assert!(s.peer_errors == 0 && s.server_requests > 0 && s.peer_loads > 0, "{s:?}");
        }
    });
}

#[test]
fn a_node_that_spells_its_own_url_otherwise_asks_itself_and_answers() {
    watched(|| {
        let (at, url) = listener();
        let misspelt = url.replace("127.0.0.1", "localhost");
        let node = Node::start(at, &misspelt, Dialect::geecache(), PeerLimits::default());
        node.pool.set_peers([&url]).unwrap();
        read_by_eight(&node.group, 50, Duration::from_secs(5), |_| ());
        node.check();
        assert_eq!(node.group.stats().peer_errors, 0);
    });
}

#[test]
fn a_panicking_loader_is_a_500_to_peers_and_an_error_to_all_who_wait() {
    watched(|| {
        let groups = Arc::new(Groups::default());
        let getter = |_: &[u8]| -> Result<ByteView> { panic!("no such table") };
        groups.add(Group::new("scores", 0, getter)).unwrap();
        let (at, url) = listener();
        let pool = Arc::new(HttpPool::new(&url, Dialect::geecache()));
        let server = Server::new(pool.handler(&groups));
        let stopper = server.stopper();
        let serving = thread::spawn(move || server.serve(at));
        let client = Client::new();
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let answer = client.get(&format!("{url}/_geecache/scores/Tom")).unwrap();
                    let text = String::from_utf8(answer.body).unwrap();
                    let want = "the loader panicked at key \"Tom\": no such table\n";
                    assert_eq!((answer.status, text.as_str()), (500, want));
                });
            }
        });
        stopper.shutdown(Duration::from_secs(5));
        serving.join().unwrap().unwrap();
    });
}

/// The crate's front page compares it with groupcache, feature by feature; each row names its test.
#[test]
fn every_feature_of_the_front_page_has_its_test() {
    let read = |path: &std::path::Path| std::fs::read_to_string(path).unwrap();
    let page = read(&root().join("cache/src/lib.rs"));
    let (_, table) = page.split_once("# Beside groupcache").unwrap();
    let mut code = String::new();
    for folder in ["cache/src", "cache/src/beyond", "cache/tests", "tests/tests"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            code += &if path.is_file() { read(&path) } else { String::new() };
        }
    }
    let rows = table.lines().skip(1).take_while(|line| line.starts_with("//! |")).skip(2);
    let mut count = 0;
    for row in rows.filter(|row| !row.ends_with("| yes | no | |")) {
        let test = row.rsplit('`').nth(1).unwrap_or_else(|| panic!("no test: {row}"));
        assert!(
            code.contains(&format!("#[test]\nfn {test}()"))
                || code.contains(&format!("    fn {test}()")),
            "{row}"
        );
        count += 1;
    }
    assert!(count >= 15, "{count} rows");
}
