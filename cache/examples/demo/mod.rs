//! What the serving examples share: the slow database, and a node or three on their ports.

use std::net::TcpListener;
use std::process::exit;
use std::sync::Arc;
use std::thread;

use cache::{Dialect, Error, Group, Groups, HttpPool};
use web::cli::Flags;
use web::{Request, Response, Server, url};

/// Writes one line to the log.
pub(crate) fn log(line: &str) {
    web::log::line(format_args!("{line}"));
}

/// The group `scores` on top of a database that is slow enough to log each query.
pub(crate) fn scores(cache_bytes: usize, echo: bool) -> Group {
    let slow_db = move |key: &[u8]| {
        log(&format!("[SlowDB] search key {}", String::from_utf8_lossy(key)));
        match key {
            b"Tom" => Ok(b"630".to_vec()),
            b"Jack" => Ok(b"589".to_vec()),
            b"Sam" => Ok(b"567".to_vec()),
            _ if echo && !key.starts_with(b"missing") => Ok(key.to_vec()),
            _ => Err(Error::not_found(key)),
        }
    };
    Group::new("scores", cache_bytes, slow_db).log(log)
}

/// Listens on `addr` and says so, or says why not and ends with status 1.
fn listen(addr: &str) -> TcpListener {
    web::cli::listen("http", addr).unwrap_or_else(|error| {
        eprintln!("{error}");
        exit(1)
    })
}

/// Serves in a thread that lives as long as the program.
fn serve(listener: TcpListener, handler: impl web::Handler) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        if let Err(error) = Server::new(handler).serve(listener) {
            eprintln!("{error}");
            exit(1)
        }
    })
}

const CLUSTER_USAGE: &str = "[--addr HOST:PORT] [--port PORT --peers URL,URL,... [--self URL] \
     [--api HOST:PORT]] [--cache-bytes N] [--source echo] [--dialect geecache|groupcache]";

/// Days 5 to 7. Without `--port`, three nodes and the API in one process; with it, one node.
pub(crate) fn cluster(dialect: Dialect) -> ! {
    let flags = Flags::read(CLUSTER_USAGE);
    let dialect = match flags.get("--dialect") {
        None => dialect,
        Some("geecache") => Dialect::geecache(),
        Some("groupcache") => Dialect::groupcache(),
        Some(other) => flags.fail(&format!("no dialect {other}")),
    };
    let cache_bytes = match flags.get("--cache-bytes").map(str::parse) {
        None => 2048,
        Some(Ok(bytes)) => bytes,
        Some(Err(error)) => flags.fail(&format!("--cache-bytes: {error}")),
    };
    let echo = match flags.get("--source") {
        None => false,
        Some("echo") => true,
        Some(other) => flags.fail(&format!("no source {other}")),
    };
    let nodes = match flags.get("--port") {
        Some(port) => one_node(&flags, port),
        None => three_nodes(&flags),
    };
    let mut serving = Vec::new();
    for (listener, api, self_url) in nodes.listeners {
        let groups = Arc::new(Groups::default());
        let pool = Arc::new(HttpPool::new(&self_url, dialect.clone()).log(log));
        let started = groups.add(scores(cache_bytes, echo)).and_then(|group| {
            pool.set_peers(&nodes.peers)?;
            group.register_peers(Arc::clone(&pool) as _)?;
            Ok(group)
        });
        let group = started.unwrap_or_else(|error| flags.fail(&error.to_string()));
        log(&format!("geecache is running at {self_url}"));
        serving.push(serve(listener, pool.handler(&groups)));
        if let Some(api) = api {
            let port = api.local_addr().map_or(0, |addr| addr.port());
            log(&format!("frontend server is running at http://localhost:{port}"));
            serving.push(serve(api, move |request: &mut Request, response: &mut Response| {
                answer_api(&group, request, response);
            }));
        }
    }
    for thread in serving {
        let _ = thread.join();
    }
    exit(1)
}

struct Nodes {
    peers: Vec<String>,
    /// Each node's listener, that of its API if it has one, and its URL.
    listeners: Vec<(TcpListener, Option<TcpListener>, String)>,
}

/// One node of a cluster whose others are started by hand.
fn one_node(flags: &Flags, port: &str) -> Nodes {
    let Some(peers) = flags.get("--peers") else { flags.fail("--port needs --peers") };
    if port.parse::<u16>().is_err() {
        flags.fail(&format!("--port: {port} is not a port"));
    }
    let peers: Vec<String> = peers.split(',').map(str::to_owned).collect();
    let localhost = format!("http://localhost:{port}");
    let self_url = flags.get("--self").unwrap_or(&localhost);
    if !peers.iter().any(|url| url == self_url) {
        flags.fail(&format!("this node's URL {self_url} is not among --peers"));
    }
    let peer_port = listen(flags.get("--addr").unwrap_or(&format!("127.0.0.1:{port}")));
    let api = flags.get("--api").map(listen);
    Nodes { listeners: vec![(peer_port, api, self_url.to_owned())], peers }
}

/// Three nodes, the API on the last; on ports of the system's choice if the API's is 0.
fn three_nodes(flags: &Flags) -> Nodes {
    for name in ["--peers", "--self", "--api"] {
        if flags.get(name).is_some() {
            flags.fail(&format!("{name} needs --port"));
        }
    }
    let api = flags.get("--addr").unwrap_or("127.0.0.1:9999");
    let ports = if api.ends_with(":0") { [0; 3] } else { [8001, 8002, 8003] };
    let mut nodes = Nodes { peers: Vec::new(), listeners: Vec::new() };
    for (at, port) in ports.into_iter().enumerate() {
        let listener = listen(&format!("127.0.0.1:{port}"));
        let port = listener.local_addr().map_or(port, |addr| addr.port());
        let self_url = format!("http://localhost:{port}");
        nodes.peers.push(self_url.clone());
        nodes.listeners.push((listener, (at == 2).then(|| listen(api)), self_url));
    }
    nodes
}

/// `GET /api?key=Tom`: what users ask, as opposed to peers.
fn answer_api(group: &Group, request: &Request, response: &mut Response) {
    if request.path() != "/api" {
        return fail(response, 404, "404 page not found");
    }
    let pairs = request.query().split('&').filter_map(|pair| pair.split_once('='));
    let key = pairs.into_iter().find(|(name, _)| *name == "key").map_or("", |(_, key)| key);
    match group.get(url::decode(key.as_bytes(), true)) {
        Ok(value) => {
            let _ = response.headers.set("Content-Type", "application/octet-stream");
            response.body().extend_from_slice(&value);
        }
        Err(error) if error.is_not_found() => fail(response, 404, &error.to_string()),
        Err(error) => fail(response, 500, &error.to_string()),
    }
}

fn fail(response: &mut Response, status: u16, text: &str) {
    response.set_status(status);
    let _ = response.headers.set("Content-Type", "text/plain; charset=utf-8");
    let _ = response.headers.set("X-Content-Type-Options", "nosniff");
    *response.body() = format!("{text}\n").into_bytes();
}
