//! `/cache`: real nodes of our cache on loopback, to be asked, added and taken away.
//!
//! | path | what |
//! |---|---|
//! | `GET /cache` | the page |
//! | `GET /cache/live` | its parts, again whenever they change ([`live`]) |
//! | `POST /cache/ask` | `key`, `node`: one get |
//! | `POST /cache/burst` | `key`: fifty gets at once, and one load |
//! | `POST /cache/add`, `/cache/remove` | a node more; node `node` less |
//!
//! Nothing here is a model of the cache: the nodes are [`cache::HttpPool`]s on [`web::Server`]s, what
//! is shown is asked of them ([`cache::beyond::look`]), and the message in the inspector is what a
//! node has sent. All who look see the same nodes.
//!
//! [`node`] is one of them, [`cluster`] all of them, [`picture`] draws.

pub mod cluster;
pub mod node;
pub mod picture;

use std::sync::Arc;
use std::time::Duration;

use cache::proto::Message;
use web::json::Json;
use web::{Context, Engine, Request, Result, json};

use crate::inspect;
use crate::live::{self, Parts, Refusal, Streams};
use cluster::{Asked, CALLERS, Cluster, KEY_BYTES_MAX, Moved, NODES_MAX, sample_key};
use node::{BUDGET_BYTES, Exchange, GROUP, Node};

/// The parts of the page that change: their ids and their templates.
const PARTS: &[(&str, &str)] =
    &[("ring", "cache_ring"), ("nodes", "cache_nodes"), ("wire", "cache_wire")];

/// How long the source takes for a value: long enough that fifty callers come meanwhile.
const LOAD_TIME: Duration = Duration::from_millis(200);

/// So many keys of the sample are shown one by one.
const CHIPS: usize = 40;

/// Registers the page and starts its nodes, which stop when the engine is dropped.
///
/// # Errors
/// As for [`Engine::get`] and [`Cluster::start`].
pub fn register(engine: &mut Engine, streams: &Streams) -> Result<()> {
    let source = include_str!("../pages/cache_parts.html");
    engine.add_template("cache_parts", source)?;
    engine.add_template("cache", include_str!("../pages/cache.html"))?;
    let cluster = Arc::new(Cluster::start(LOAD_TIME)?);
    let shown = Arc::clone(&cluster);
    engine.get("/cache", move |c| c.render(200, "cache", &as_json(&shown)))?;
    let (shown, streams) = (Arc::clone(&cluster), streams.clone());
    let parts = Arc::new(Parts::new(source, PARTS)?);
    engine.get("/cache/live", move |c| {
        let (bell, cluster) = (Arc::clone(&shown.bell), Arc::clone(&shown));
        live::watch(c, &streams, bell, Arc::clone(&parts), move || as_json(&cluster));
    })?;
    let mut action = |name, act: fn(&Cluster, &mut Context) -> std::result::Result<(), Refusal>| {
        let cluster = Arc::clone(&cluster);
        engine.post(&format!("/cache/{name}"), move |c| match act(&cluster, c) {
            Ok(()) => c.redirect(303, "/cache#answer"),
            Err((status, text)) => c.string(status, format!("{text}\n")),
        })
    };
    action("ask", |cluster, c| {
        let (node, key) = (number(c), c.post_form("key"));
        cluster.ask(node, &key)
    })?;
    action("burst", |cluster, c| cluster.burst(&c.post_form("key")))?;
    action("add", |cluster, _| cluster.add())?;
    action("remove", |cluster, c| cluster.remove(number(c)))
}

/// The form's `node`; 0, which no node has, for what is no number.
fn number(c: &mut Context) -> usize {
    c.post_form("node").parse().unwrap_or(0)
}

/// All that the page shows.
fn as_json(cluster: &Cluster) -> Json {
    let (ring, last, nodes) = (cluster.ring(), cluster.last(), cluster.nodes());
    let key_hash = last.asked.as_ref().map(|asked| cache::crc32(asked.key.as_bytes()).into());
    let picture = picture::ring(&ring, |url| cluster.number_of(Some(url)), key_hash);
    let owners = cluster.owners();
    let evicted = |node: &Node| last.evicted.get(&node.number).cloned().unwrap_or_default();
    let share =
        |number| owners.iter().filter(|owner| **owner == number).count() * 100 / owners.len();
    let nodes_json: Vec<Json> = nodes
        .iter()
        .map(|node| node_json(node, share(node.number), &evicted(node), nodes.len() > 1))
        .collect();
    let burst = last.burst.as_ref().map(|burst| {
        json!({
            "key": (&*burst.key), "callers": CALLERS, "answered": (burst.answered),
            "loads": (burst.loads), "hits": (burst.hits), "peers": (burst.peers),
            "once": (burst.loads == 1), "took": (millis(burst.took)),
        })
    });
    json!({
        "picture": picture, "asked": (last.asked.as_ref().map(asked_json)), "burst": burst,
        "nodes": nodes_json, "room": (nodes.len() < NODES_MAX), "nodes_max": NODES_MAX,
        "sample": (sample_json(&owners, last.moved.as_ref())),
        "budget": BUDGET_BYTES, "key_bytes_max": KEY_BYTES_MAX, "callers": CALLERS,
        "source_loads": (cluster.source_loads()), "load_time": (millis(LOAD_TIME)),
        "wire": (wire_json(last.asked.as_ref())), "points": (ring.len()), "group": GROUP,
    })
}

fn node_json(node: &Node, share: usize, evicted: &[String], can_go: bool) -> Json {
    let (stats, caches) = (node.group.stats(), node.group.cache_stats());
    let (_, main) = caches[0];
    let keys = node.group.keys();
    let keys: Vec<_> = keys.iter().map(|key| String::from_utf8_lossy(key).into_owned()).collect();
    json!({
        "number": (node.number), "url": (&*node.url), "share": share, "can_go": can_go,
        "list": (picture::list(&keys)), "items": (main.items), "bytes": (main.bytes),
        "budget": BUDGET_BYTES, "evictions": (main.evictions), "evicted": (evicted.to_vec()),
        "stats": [
            {"name": "gets", "value": (stats.gets), "about": "of users and of peers"},
            {"name": "cache_hits", "value": (stats.cache_hits), "about": "answered from the list below"},
            {"name": "loads", "value": (stats.loads), "about": "gets that missed and came to a flight"},
            {"name": "loads_deduped", "value": (stats.loads_deduped), "about": "flights: loads that were really made"},
            {"name": "peer_loads", "value": (stats.peer_loads), "about": "of these, answered by the owner"},
            {"name": "local_loads", "value": (stats.local_loads), "about": "of these, loaded from the source"},
            {"name": "server_requests", "value": (stats.server_requests), "about": "gets that came from a peer"},
        ],
    })
}

fn asked_json(asked: &Asked) -> Json {
    let (here, there) = asked.had;
    let (node, owner) = (asked.node, asked.owner);
    let way = match (here, there, node == owner) {
        (true, ..) => format!("Hit: node {node} has it."),
        (_, _, true) => format!("Miss: node {node} owns it and asked the source."),
        (_, true, _) => format!("Miss: node {node} asked its owner, node {owner}, which has it."),
        _ => format!("Miss: node {node} asked its owner, node {owner}, which asked the source."),
    };
    let hash = cache::crc32(asked.key.as_bytes());
    json!({
        "key": (&*asked.key), "hash": (format!("{hash:08x}")), "decimal": hash, "owner": owner,
        "node": node, "value": (asked.answer.as_ref().ok().cloned()),
        "error": (asked.answer.as_ref().err().cloned()), "way": way, "hit": here,
        "took": (millis(asked.took)),
    })
}

/// The sample: the share that moved last, and the first keys one by one.
fn sample_json(owners: &[usize], moved: Option<&Moved>) -> Json {
    let before = |key: usize| moved.and_then(|moved| moved.keys.get(&key).copied());
    let chip = |key: usize| json!({"key": (sample_key(key)), "short": key, "node": (owners[key]), "from": (before(key))});
    let chips: Vec<Json> = (0..CHIPS).map(chip).collect();
    let moved = moved.map(|moved| {
        let (count, all) = (moved.keys.len(), owners.len());
        json!({
            "what": (&*moved.what), "count": count, "all": all, "percent": (count * 100 / all),
            "fair": (100 / moved.most), "modulo": (100 - 100 / moved.most),
        })
    });
    json!({"chips": chips, "moved": moved, "all": (owners.len())})
}

/// The last get's exchange as the bytes were; if nobody had to be asked, the messages as they
/// would be.
fn wire_json(asked: Option<&Asked>) -> Json {
    let Some(asked) = asked else { return Json::Null };
    let request = cache::proto::Request { group: GROUP.to_owned(), key: asked.key.clone().into() };
    let mut asks = Vec::new();
    request.encode(&mut asks);
    let fields = [(1, "group"), (2, "key")];
    let asks = inspect::as_json(&asks, &inspect::protobuf::pieces(&asks, &fields));
    let sent = asked.exchange.as_ref().map(exchange_json);
    let would = asked.answer.as_ref().ok().filter(|_| asked.exchange.is_none()).map(|value| {
        let mut body = Vec::new();
        cache::Dialect::geecache().encode(value.as_str().into(), &mut body);
        answer_json(&body)
    });
    json!({"asks": asks, "sent": sent, "would": would, "owner": (asked.owner), "node": (asked.node)})
}

fn exchange_json(exchange: &Exchange) -> Json {
    let mut request = Request::default();
    // The node's server has read these bytes before, with the same parser.
    let _ = request.parse(&exchange.head, &web::Limits::default());
    let head = inspect::as_json(request.head(), &inspect::request::pieces(&request, b""));
    let ok = exchange.status == 200;
    let body = if ok { answer_json(&exchange.body) } else { Json::Null };
    let text = String::from_utf8_lossy(&exchange.body).into_owned();
    json!({
        "node": (exchange.node), "head": head, "status": (exchange.status), "body": body,
        "text": text, "ok": ok, "empty": (exchange.body.is_empty()),
    })
}

fn answer_json(body: &[u8]) -> Json {
    inspect::as_json(body, &inspect::protobuf::pieces(body, &[(1, "value")]))
}

fn millis(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
}
