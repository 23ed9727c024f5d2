//! Day 3: a node that answers over HTTP. *You will have* a cache that `curl` can ask. About 10 minutes.
//!
//! # Why
//! Nodes must ask each other, and HTTP is what every language, proxy and debugging tool already speaks.
//! A protocol of one's own would be faster by some microseconds; groupcache chose HTTP as well. What a
//! node serves to peers lies under a path of its own, so that the same port can serve other pages.
//!
//! # The bytes
//! ```text
//! > GET /_geecache/scores/Tom HTTP/1.1        base path, group, key; the rest is plain HTTP
//! > Host: localhost:8001
//! >
//! < HTTP/1.1 200 OK
//! < Content-Length: 3
//! < Content-Type: application/octet-stream
//! <
//! < 630                                       on day 7: 0a 03 36 33 30
//! ```
//! | request | answer |
//! |---|---|
//! | `/_geecache/scores/Tom` | 200 and the value |
//! | `/_geecache/scores/kkk`, and there is none | 404 `kkk not exist` |
//! | `/_geecache/scores/`, or the source fails | 500 `key is required`, or what failed |
//! | `/_geecache/other/Tom` | 404 `no such group: other` |
//! | `/_geecache/scores` | 400 `bad request` |
//! | `/stats` | 200 and the [statistics](stats_json) as JSON |
//! | anything else | 404 |
//!
//! # The idea alone
//! ```
//! fn split<'a>(path: &'a str, base: &str) -> Option<(&'a str, &'a str)> {
//!     path.strip_prefix(base)?.split_once('/')        // the first slash only: keys may hold more
//! }
//!
//! assert_eq!(split("/_geecache/scores/a/b", "/_geecache/"), Some(("scores", "a/b")));
//! assert_eq!(split("/_geecache/scores", "/_geecache/"), None);
//! ```
//!
//! # The walk
//! [`HttpPool`] is this node's side of the wire; [`HttpPool::serve`] answers one request out of the
//! [`Groups`] that it is given. What differs between kinds of clusters (base path, form of the body) is a
//! value, the [`Dialect`]. The half that asks others is [day 5's](crate::peers).
//!
//! - *Why is the path taken from the raw target?* A key is any bytes, `%FF%00` too; a decoded `String`
//!   could not hold them. It is decoded once, then split: `a%2Fb` is the key `a/b`, and `+` is a plus.
//! - *Why does the base path end in a slash?* So that what is left after it begins with the group, and
//!   `/_geecacheX/..` is another path. Requests are built as base + group + `/` + key.
//! - *How do globals work across packages?* They need not: whoever builds the server passes the groups.
//!
//! # What the borrow checker says
//! In Go the pool finds groups in a global, and groups hold the pool. Give each an `Arc` of the other and
//! neither is ever freed. So the pool does *not* own the groups: the server's closure owns both.
//!
//! # Differences from the Go tutorial
//! - Another path is a 404; in Go it panics. A key that does not exist is a 404 as well; in Go a 500.
//! - `/stats` is ours.
//!
//! # Try it
//! `cargo run -p cache --example day3_http_server`, then `curl localhost:9999/_geecache/scores/Tom` prints
//! 630, and `.../scores/kkk` prints `kkk not exist`.
//!
//! The program (those of days 3 to 7 share `examples/demo/mod.rs`):
//! ~~~~text
#![doc = include_str!("../examples/day3_http_server.rs")]
//! ~~~~
//! Exercises (in `cache/tests/exercises.rs`): `cargo test -p cache exercise_http -- --ignored`.

use std::fmt;
use std::sync::{Arc, RwLock};

use web::json::Json;
use web::{Request, Response, json, url};

use crate::error::one_line;
use crate::group::Log;
use crate::peers::{Members, PeerLimits};
use crate::proto::{self, Message};
use crate::{ByteView, CacheStats, Group, Groups, Result};

/// How the nodes of a cluster talk: all of them must use the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialect {
    /// What the paths of requests begin with, slashes at both ends included.
    pub base_path: String,
    /// The type of a value's body.
    pub content_type: &'static str,
    /// How a value becomes a body.
    pub body: BodyForm,
    /// The status that says that a key does not exist: 404, or 500 as in groupcache.
    pub not_found_status: u16,
}

/// How a value becomes a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyForm {
    /// The value itself (days 3 to 6).
    Raw,
    /// A [`Response`](proto::Response) as proto3 has it: the empty value is the empty body (day 7).
    Proto3,
    /// The same as proto2 has it: the empty value is written out, `0a 00`.
    Proto2,
}

impl Dialect {
    /// `GeeCache` of days 3 to 6: bodies are the bare values.
    #[must_use]
    pub fn raw() -> Dialect {
        Dialect { body: BodyForm::Raw, ..Dialect::geecache() }
    }

    /// `GeeCache` of day 7: bodies are protobuf.
    #[must_use]
    pub fn geecache() -> Dialect {
        Dialect {
            base_path: "/_geecache/".to_owned(),
            content_type: "application/octet-stream",
            body: BodyForm::Proto3,
            not_found_status: 404,
        }
    }

    /// The body that carries `value`.
    pub fn encode(&self, value: ByteView, body: &mut Vec<u8>) {
        match self.body {
            BodyForm::Raw => body.extend_from_slice(&value),
            BodyForm::Proto3 => proto::Response { value }.encode(body),
            BodyForm::Proto2 => proto::put_bytes(1, &value, body),
        }
    }

    /// The value that a body carries.
    ///
    /// # Errors
    /// [`Error::Proto`](crate::Error::Proto) when it is not the message that it should be.
    pub fn decode(&self, body: Vec<u8>) -> Result<ByteView> {
        match self.body {
            BodyForm::Raw => Ok(body.into()),
            BodyForm::Proto3 | BodyForm::Proto2 => Ok(proto::Response::decode(&body)?.value),
        }
    }
}

/// This node among its peers: it answers them here, and picks them in [`crate::peers`].
///
/// ```
/// use std::sync::Arc;
/// use cache::{Dialect, Group, Groups, HttpPool};
///
/// let groups = Groups::default();
/// groups.add(Group::new("echo", 2048, |key: &[u8]| Ok(key.to_vec())))?;
/// let pool = HttpPool::new("http://localhost:8001", Dialect::raw());
///
/// let request = web::Request::new("GET", "/_geecache/echo/a%20b%2Fc+d");
/// let mut response = web::Response::new();
/// pool.serve(&groups, &request, &mut response);
/// assert_eq!(response.into_bytes().unwrap(), b"a b/c+d");
/// # Ok::<(), cache::Error>(())
/// ```
pub struct HttpPool {
    pub(crate) self_url: String,
    pub(crate) dialect: Dialect,
    pub(crate) limits: PeerLimits,
    /// Replaced as a whole when the list of peers changes; a request works on the one it began with.
    pub(crate) members: RwLock<Arc<Members>>,
    pub(crate) log: Option<Log>,
}

impl HttpPool {
    /// The node `self_url`, spelt as in every other node's list of peers. It knows no peers yet.
    #[must_use]
    pub fn new(self_url: &str, dialect: Dialect) -> HttpPool {
        HttpPool {
            self_url: self_url.to_owned(),
            dialect,
            limits: PeerLimits::default(),
            members: RwLock::default(),
            log: None,
        }
    }

    /// Sends log lines to `log`: `[Server <self>] GET /...` and `[Server <self>] Pick peer ...`.
    #[must_use]
    pub fn log(mut self, log: impl Fn(&str) + Send + Sync + 'static) -> HttpPool {
        self.log = Some(Box::new(log));
        self
    }

    /// This node's URL.
    #[must_use]
    pub fn self_url(&self) -> &str {
        &self.self_url
    }

    /// A handler for [`web::Server`] that answers out of `groups`.
    pub fn handler(self: &Arc<Self>, groups: &Arc<Groups>) -> impl web::Handler + use<> {
        let (pool, groups) = (Arc::clone(self), Arc::clone(groups));
        move |request: &mut Request, response: &mut Response| {
            pool.serve(&groups, request, response);
        }
    }

    /// Answers one request, whatever its method.
    pub fn serve(&self, groups: &Groups, request: &Request, response: &mut Response) {
        let target = request.target();
        let path = target.split(|&byte| byte == b'?').next().unwrap_or_default();
        let path = url::decode(path, false);
        self.note(|| format!("{} {}", request.method(), String::from_utf8_lossy(&path)));
        if path == b"/stats" {
            let _ = response.headers.set("Content-Type", "application/json");
            *response.body() = stats_json(groups).to_string().into_bytes();
            return;
        }
        let Some(place) = path.strip_prefix(self.dialect.base_path.as_bytes()) else {
            let text = format!("404 page not found; peers ask under {}", self.dialect.base_path);
            return fail(response, 404, &text);
        };
        let Some(slash) = place.iter().position(|&byte| byte == b'/') else {
            return fail(response, 400, "bad request");
        };
        let (name, key) = (String::from_utf8_lossy(&place[..slash]), &place[slash + 1..]);
        let Some(group) = groups.get(&name) else {
            return fail(response, 404, &format!("no such group: {name}"));
        };
        match group.get_for_peer(key) {
            Ok(value) => {
                let _ = response.headers.set("Content-Type", self.dialect.content_type);
                self.dialect.encode(value, response.body());
            }
            Err(error) if error.is_not_found() => {
                fail(response, self.dialect.not_found_status, &error.to_string());
            }
            Err(error) => fail(response, 500, &error.to_string()),
        }
    }

    pub(crate) fn note(&self, line: impl FnOnce() -> String) {
        if let Some(log) = &self.log {
            log(&one_line(&format!("[Server {}] {}", self.self_url, line())));
        }
    }
}

impl fmt::Debug for HttpPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let HttpPool { self_url, dialect, members, .. } = self;
        let mut debug = f.debug_struct("HttpPool");
        debug.field("self_url", self_url).field("dialect", dialect).field("members", members);
        debug.finish_non_exhaustive()
    }
}

/// An error as Go's `http.Error` sends it: the text and a line feed, not to be taken for HTML.
/// (Setting a header can fail only for names and values that are no HTTP; these are constants.)
fn fail(response: &mut Response, status: u16, text: &str) {
    response.set_status(status);
    let _ = response.headers.set("Content-Type", "text/plain; charset=utf-8");
    let _ = response.headers.set("X-Content-Type-Options", "nosniff");
    *response.body() = format!("{text}\n").into_bytes();
}

/// The statistics of every group, one object each, its caches within.
///
/// ```
/// let groups = cache::Groups::default();
/// groups.add(cache::Group::new("echo", 2048, |key: &[u8]| Ok(key.to_vec())))?.get("Tom")?;
/// let stats = cache::http::stats_json(&groups);
/// assert_eq!(stats["echo"]["local_loads"].as_i64(), Some(1));
/// assert_eq!(stats["echo"]["caches"]["main"]["bytes"].as_i64(), Some(6));
/// # Ok::<(), cache::Error>(())
/// ```
#[must_use]
pub fn stats_json(groups: &Groups) -> Json {
    let of_cache = |(name, stats): (&'static str, CacheStats)| {
        let CacheStats { bytes, items, gets, hits, evictions } = stats;
        let stats = json!({
            "bytes": bytes, "items": items, "gets": gets, "hits": hits, "evictions": evictions
        });
        (name.to_owned(), stats)
    };
    let of_group = |group: Arc<Group>| {
        let (s, caches) = (group.stats(), group.cache_stats().into_iter().map(of_cache));
        let stats = json!({
            "gets": s.gets, "cache_hits": s.cache_hits, "loads": s.loads,
            "loads_deduped": s.loads_deduped, "local_loads": s.local_loads,
            "local_load_errs": s.local_load_errs, "peer_loads": s.peer_loads,
            "peer_errors": s.peer_errors, "server_requests": s.server_requests,
            "caches": (Json::Object(caches.collect()))
        });
        (group.name().to_owned(), stats)
    };
    Json::Object(groups.all().into_iter().map(of_group).collect())
}
