//! Nodes of ours and of Go's groupcache in one ring, each asked for every key.

#![cfg(test)]

use std::collections::HashMap;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use cache::{Dialect, Error, Group, Groups, HttpPool, Ring};
use tests::{Running, missing, peer, root};
use web::url::encode_segment;
use web::{Client, Server};

/// Where Debian's golang-github-golang-groupcache-dev puts its sources.
const GOPATH: &str = "/usr/share/gocode";

type Loads = HashMap<String, i64>;

/// The Go node of `tests/go`, built; or `None`, said on one line.
fn go_node() -> Option<std::path::PathBuf> {
    let go = peer("go")?;
    if !Path::new(GOPATH).join("src/github.com/golang/groupcache").is_dir() {
        missing(
            "groupcache is not under /usr/share/gocode: apt install golang-github-golang-groupcache-dev",
        );
        return None;
    }
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("groupcache_node");
    let built = Command::new(go)
        .args(["build", "-o"])
        .arg(&out)
        .arg(".")
        .current_dir(root().join("tests/go/groupcache_node"))
        .envs([("GO111MODULE", "off"), ("GOPATH", GOPATH), ("GOFLAGS", ""), ("CGO_ENABLED", "0")])
        .status()
        .expect("go starts");
    assert!(built.success(), "the Go node does not build");
    Some(out)
}

/// The same rules as the Go node's getter.
fn value(key: &str) -> String {
    match key {
        _ if key.starts_with("empty") => String::new(),
        _ if key.starts_with("large") => key.repeat(10_000),
        _ => format!("value of {key}"),
    }
}

struct Node {
    url: String,
    pool: Arc<HttpPool>,
    group: Arc<Group>,
    loads: Arc<Mutex<Loads>>,
}

/// A node of ours that speaks groupcache.
fn rust_node() -> Node {
    let loads = Arc::new(Mutex::new(Loads::new()));
    let counter = Arc::clone(&loads);
    let getter = move |key: &[u8]| {
        let text = String::from_utf8(key.to_vec()).map_err(Error::load)?;
        *counter.lock().unwrap().entry(text.clone()).or_default() += 1;
        if text.starts_with("missing") { Err(Error::not_found(key)) } else { Ok(value(&text)) }
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let groups = Arc::new(Groups::default());
    let group = groups.add(Group::new("scores", 64 << 20, getter)).unwrap();
    let pool = Arc::new(HttpPool::new(&url, Dialect::groupcache()));
    group.register_peers(Arc::clone(&pool) as _).unwrap();
    let server = Server::new(pool.handler(&groups));
    thread::spawn(move || server.serve(listener)); // ends with the test
    Node { url, pool, group, loads }
}

/// A thousand keys of all kinds, but for spaces: see [`where_go_differs`].
fn keys() -> Vec<String> {
    let kinds = ["key-", "path/to/", "100%", "你", "q?x#y&z=", "a+b", "empty", "\"quoted\""];
    let mut keys: Vec<String> =
        (0..990).map(|i| format!("{}{i}", kinds[i % kinds.len()])).collect();
    keys.extend((0..10).map(|i| format!("large{i}")));
    keys
}

#[test]
fn go_and_rust_nodes_share_one_ring() {
    let Some(program) = go_node() else { return };
    let go = [Running::start(&program, &[], 1), Running::start(&program, &[], 1)];
    let go_urls = [0, 1].map(|at: usize| format!("http://{}", go[at].addr()));
    let rust = [rust_node(), rust_node()];
    let urls: Vec<_> =
        go_urls.iter().cloned().chain(rust.iter().map(|node| node.url.clone())).collect();
    let client = Client::new();
    for url in &go_urls {
        let list = encode_segment(urls.join(",").as_bytes());
        assert_eq!(client.get(&format!("{url}/peers?urls={list}")).unwrap().status, 200);
    }
    rust.iter().for_each(|node| node.pool.set_peers(&urls).unwrap());
    let mut ring = Ring::new(50);
    ring.add(urls.iter().map(String::as_str));

    let keys = keys();
    let ask_go = |url: &str, key: &str| {
        let answer =
            client.get(&format!("{url}/api?key={}", encode_segment(key.as_bytes()))).unwrap();
        (answer.status, String::from_utf8(answer.body).unwrap())
    };
    for key in &keys {
        for url in &go_urls {
            assert_eq!(ask_go(url, key), (200, value(key)), "{key} at the Go node {url}");
        }
        for node in &rust {
            assert_eq!(
                node.group.get(key).unwrap().to_string(),
                value(key),
                "{key} at {}",
                node.url
            );
        }
    }

    let mut loads: HashMap<&str, Loads> = HashMap::new();
    for url in &go_urls {
        let answer = client.get(&format!("{url}/loads")).unwrap();
        loads.insert(url, web::json::from_text(&answer.body).unwrap());
    }
    for node in &rust {
        loads.insert(&node.url, node.loads.lock().unwrap().clone());
    }
    let mut owned = HashMap::new();
    for key in &keys {
        let owner = ring.get(key.as_bytes()).unwrap();
        *owned.entry(owner).or_insert(0) += 1;
        for url in &urls {
            let count = loads[url.as_str()].get(key).copied().unwrap_or(0);
            assert_eq!(count, i64::from(url == owner), "loads of {key} at {url}, owner {owner}");
        }
    }
    assert_eq!(owned.len(), 4, "every node owns some keys: {owned:?}");
    for node in &rust {
        let stats = node.group.stats();
        assert_eq!((stats.peer_errors, stats.local_load_errs), (0, 0), "{stats:?}");
        assert_eq!(stats.loads_deduped, stats.peer_loads + stats.local_loads, "{stats:?}");
    }
    where_go_differs(&go_urls[0], &rust[0], &ring, ask_go);
}

/// What a mixed cluster does not get right, on Go's side of it.
fn where_go_differs(
    go: &str,
    rust: &Node,
    ring: &Ring,
    ask_go: impl Fn(&str, &str) -> (u16, String),
) {
    // Where it differs: a key that does not exist is a failure to Go, so that asker and owner both load it.
    for i in 0..20 {
        let key = format!("missing{i}");
        let (status, body) = ask_go(go, &key);
        assert_eq!((status, body), (500, format!("{key} not exist\n")));
        assert_eq!(rust.group.get(&key).unwrap_err().to_string(), format!("{key} not exist"));
    }
    assert!(rust.group.stats().peer_errors > 0);

    // And Go's client turns a space into a plus, which its servers do not turn back. Ours sends %20.
    let spaced = (0..1000).map(|i| format!("a b{i}"));
    let for_go = spaced.clone().find(|key| ring.get(key.as_bytes()) == Some(go)).unwrap();
    assert_eq!(rust.group.get(&for_go).unwrap().to_string(), value(&for_go));
    let for_rust = spaced.clone().find(|key| ring.get(key.as_bytes()) == Some(&rust.url)).unwrap();
    assert_eq!(ask_go(go, &for_rust), (200, value(&for_rust.replace(' ', "+"))));
}
