//! One real node of the cache, on a port of its own: what `day7_protobuf` runs, in this process.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::thread;
use std::time::Duration;

use cache::{Dialect, Error, Group, Groups, HttpPool};
use web::{Content, Handler, Request, Response, Result};

use crate::beside::{self, Beside};
use crate::live::lock;

/// The one group of all nodes.
pub const GROUP: &str = "scores";

/// What stands before the key in the path of a peer's request.
const KEYS_PATH: &str = "/_geecache/scores/";

/// A node's budget: so small that a few keys fill it.
pub const BUDGET_BYTES: usize = 120;

/// Threads and waiting connections of a node: enough for its peers, and a bound.
const CONNECTIONS_MAX: usize = 64;

/// An exchange with more bytes than this is not kept.
const EXCHANGE_BYTES_MAX: usize = 4096;

/// Where the values come from, and how often it was asked: a slow database.
#[derive(Debug)]
pub struct Source {
    loads: AtomicU64,
    load_time: Duration,
}

impl Source {
    /// A source that takes so long for a value.
    #[must_use]
    pub fn new(load_time: Duration) -> Source {
        Source { loads: AtomicU64::new(0), load_time }
    }

    /// How often it was asked.
    pub fn loads(&self) -> u64 {
        self.loads.load(Relaxed)
    }

    /// The tutorial's three scores, nothing for `kkk`, and a text for every other key.
    fn load(&self, key: &[u8]) -> cache::Result<String> {
        self.loads.fetch_add(1, Relaxed);
        thread::sleep(self.load_time);
        match key {
            b"Tom" => Ok("630".to_owned()),
            b"Jack" => Ok("589".to_owned()),
            b"Sam" => Ok("567".to_owned()),
            b"kkk" => Err(Error::not_found(key)),
            other => Ok(format!("value of {}", String::from_utf8_lossy(other))),
        }
    }
}

/// What a node was asked by a peer and answered, as the bytes were.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The number of the node that answered.
    pub node: usize,
    /// The head of the request.
    pub head: Vec<u8>,
    /// The status of the answer.
    pub status: u16,
    /// The body of the answer.
    pub body: Vec<u8>,
}

/// Who waits for the exchange about which key. Several visitors may ask at the same time, and each
/// is to see their own; who has left is dropped by the next who comes.
#[derive(Debug, Default)]
pub struct Wire {
    waiting: Mutex<Vec<Visitor>>,
}

#[derive(Debug)]
struct Visitor {
    key: Vec<u8>,
    found: Weak<OnceLock<Exchange>>,
}

impl Wire {
    /// Where the first exchange about `key` from now on will be found.
    #[must_use]
    pub fn listen(&self, key: &str) -> Arc<OnceLock<Exchange>> {
        let found = Arc::default();
        let mut waiting = lock(&self.waiting);
        waiting.retain(|visitor| visitor.found.strong_count() > 0);
        waiting.push(Visitor { key: key.into(), found: Arc::downgrade(&found) });
        found
    }

    fn heard(&self, key: &[u8], exchange: &Exchange) {
        for visitor in lock(&self.waiting).iter().filter(|visitor| visitor.key == key) {
            if let Some(found) = visitor.found.upgrade() {
                found.get_or_init(|| exchange.clone());
            }
        }
    }
}

/// A node that serves its peers. Dropping it ends that.
#[derive(Debug)]
pub struct Node {
    /// 1, 2, ..: its name on the page, and its colour.
    pub number: usize,
    /// Its URL, as the peers' lists have it.
    pub url: String,
    /// Its side of the cluster.
    pub pool: Arc<HttpPool>,
    /// Its cache.
    pub group: Arc<Group>,
    /// Serves the peers.
    _serving: Beside,
}

impl Node {
    /// Starts a node on a free port of the loopback interface. It knows no peers yet.
    ///
    /// # Errors
    /// [`web::Error::Io`] when there is no port, or no thread.
    pub fn start(number: usize, source: &Arc<Source>, wire: &Arc<Wire>) -> Result<Node> {
        let name = format!("node {number}");
        let (listener, addr) = beside::listener(&name)?;
        let url = format!("http://{addr}");
        let pool = Arc::new(HttpPool::new(&url, Dialect::geecache()));
        let source = Arc::clone(source);
        let load = move |key: &[u8]| source.load(key);
        let groups = Arc::new(Groups::default());
        let group = groups.add(Group::new(GROUP, BUDGET_BYTES, load));
        // The group is the first of its name, and has no picker yet: neither can be refused.
        let taken = |error: Error| web::Error::Io {
            doing: format!("start the {name}"),
            source: io::Error::other(error),
        };
        let group = group.map_err(taken)?;
        group.register_peers(Arc::clone(&pool) as _).map_err(taken)?;
        let handler = overheard(number, pool.handler(&groups), Arc::clone(wire));
        let serving = Beside::start(&name, listener, CONNECTIONS_MAX, handler)?;
        Ok(Node { number, url, pool, group, _serving: serving })
    }

    /// Whether its cache holds `key`; looking does not change the order.
    #[must_use]
    pub fn holds(&self, key: &[u8]) -> bool {
        self.group.keys().iter().any(|held| **held == *key)
    }
}

/// A node's handler that tells the wire what it was asked, and what it answered.
fn overheard(node: usize, handler: impl Handler, wire: Arc<Wire>) -> impl Handler {
    move |request: &mut Request, response: &mut Response| {
        handler.serve(request, response);
        let (head, status) = (request.head(), response.status());
        if let Content::Bytes(body) = &response.content
            && head.len() + body.len() <= EXCHANGE_BYTES_MAX
        {
            let exchange = Exchange { node, head: head.to_vec(), status, body: body.clone() };
            let path = request.path();
            wire.heard(path.strip_prefix(KEYS_PATH).unwrap_or(path).as_bytes(), &exchange);
        }
    }
}
