//! The cluster that the page looks at: its nodes, and what was last done with it.
//!
//! Locks: `nodes` is held for moments only, never over the network or a load. Who adds or removes a
//! node holds `changing` meanwhile, so that changes come one after the other; a second one at the
//! same time is told to wait, and no thread does.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use cache::{Ring, Stats};

use super::node::{Exchange, Node, Source, Wire};
use crate::live::{Bell, Refusal, busy, lock};

/// As many nodes as there are colours.
pub const NODES_MAX: usize = 8;

/// Longer keys are refused.
pub const KEY_BYTES_MAX: usize = 64;

/// Callers of a burst.
pub const CALLERS: usize = 50;

/// Keys that are looked at when the ring changes.
const SAMPLE: usize = 1000;

/// So many keys that were evicted are remembered for each node.
const EVICTED_MAX: usize = 3;

/// What the last get did.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The key.
    pub key: String,
    /// The number of the node that was asked.
    pub node: usize,
    /// The number of its owner.
    pub owner: usize,
    /// The value, or the error's text.
    pub answer: Result<String, String>,
    /// Whether the asked node had it, and whether the owner had it.
    pub had: (bool, bool),
    /// How long it took.
    pub took: Duration,
    /// What the asked node said to the owner and heard, if it had to ask.
    pub exchange: Option<Exchange>,
}

/// What the last burst did.
#[derive(Debug, Clone)]
pub struct Burst {
    /// The key.
    pub key: String,
    /// How many of the callers got a value.
    pub answered: usize,
    /// How often the source was asked meanwhile.
    pub loads: u64,
    /// How many found the value in a cache, being late.
    pub hits: u64,
    /// How often the owner was asked by a peer.
    pub peers: u64,
    /// How long it took.
    pub took: Duration,
}

/// What the last change of the ring did to the keys of the sample.
#[derive(Debug, Clone)]
pub struct Moved {
    /// What happened: `node 4 came`.
    pub what: String,
    /// How many nodes there were before or afterwards, whichever is more.
    pub most: usize,
    /// For each key that has another owner now: its number in the sample, and the owner before.
    pub keys: BTreeMap<usize, usize>,
}

/// Guarded by [`Cluster::last`].
#[derive(Debug, Default, Clone)]
pub struct Last {
    /// The last get.
    pub asked: Option<Asked>,
    /// The last burst.
    pub burst: Option<Burst>,
    /// The last change.
    pub moved: Option<Moved>,
    /// What each node evicted last, by its number, the newest first.
    pub evicted: BTreeMap<usize, Vec<String>>,
}

/// The nodes and what was done with them.
#[derive(Debug)]
pub struct Cluster {
    /// Sorted by number.
    nodes: Mutex<Vec<Arc<Node>>>,
    /// Held by whoever adds or removes a node.
    changing: Mutex<()>,
    last: Mutex<Last>,
    /// Held during a burst.
    bursting: Mutex<()>,
    source: Arc<Source>,
    wire: Arc<Wire>,
    /// Rung on every change.
    pub bell: Arc<Bell>,
}

impl Cluster {
    /// Starts three nodes whose source takes `load_time` for a value.
    ///
    /// # Errors
    /// As for [`Node::start`].
    pub fn start(load_time: Duration) -> web::Result<Cluster> {
        let cluster = Cluster {
            nodes: Mutex::default(),
            changing: Mutex::default(),
            last: Mutex::default(),
            bursting: Mutex::default(),
            source: Arc::new(Source::new(load_time)),
            wire: Arc::default(),
            bell: Arc::default(),
        };
        for number in 1..=3 {
            let node = Node::start(number, &cluster.source, &cluster.wire)?;
            lock(&cluster.nodes).push(Arc::new(node));
        }
        cluster.tell_peers();
        Ok(cluster)
    }

    /// The nodes there are, sorted by number.
    #[must_use]
    pub fn nodes(&self) -> Vec<Arc<Node>> {
        lock(&self.nodes).clone()
    }

    /// What was last done.
    #[must_use]
    pub fn last(&self) -> Last {
        lock(&self.last).clone()
    }

    /// How often the source was asked.
    #[must_use]
    pub fn source_loads(&self) -> u64 {
        self.source.loads()
    }

    /// Has every node know all nodes.
    fn tell_peers(&self) {
        let nodes = self.nodes();
        for node in &nodes {
            let urls = nodes.iter().map(|node| &node.url);
            node.pool.set_peers(urls).expect("invariant: the URLs are our own");
        }
    }

    /// Adds a node, if there is a colour left for it.
    ///
    /// # Errors
    /// A [`Refusal`].
    pub fn add(&self) -> Result<(), Refusal> {
        let _changing = self.changing.try_lock().map_err(|_| busy())?;
        let (nodes, before) = (self.nodes(), self.owners());
        let free = |number: &usize| nodes.iter().all(|node| node.number != *number);
        let Some(number) = (1..=NODES_MAX).find(free) else {
            return Err((409, format!("{NODES_MAX} nodes are the most that are drawn here")));
        };
        let node = Node::start(number, &self.source, &self.wire);
        let node = node.map_err(|error| (503, error.to_string()))?;
        let mut all = lock(&self.nodes);
        all.push(Arc::new(node));
        all.sort_by_key(|node| node.number);
        drop(all);
        self.changed(format!("node {number} came"), nodes.len() + 1, &before);
        Ok(())
    }

    /// Stops a node and takes it out of all lists.
    ///
    /// # Errors
    /// A [`Refusal`].
    pub fn remove(&self, number: usize) -> Result<(), Refusal> {
        let _changing = self.changing.try_lock().map_err(|_| busy())?;
        let before = self.owners();
        let mut all = lock(&self.nodes);
        let Some(at) = all.iter().position(|node| node.number == number) else {
            return Err((404, format!("there is no node {number}")));
        };
        if all.len() == 1 {
            return Err((409, "the last node stays".to_owned()));
        }
        let most = all.len();
        let gone = all.remove(at);
        drop(all);
        lock(&self.last).evicted.remove(&number);
        self.changed(format!("node {number} went"), most, &before);
        // Its peers do not ask it any more. Its thread is joined by the last who looks at it.
        drop(gone);
        Ok(())
    }

    fn changed(&self, what: String, most: usize, before: &[usize]) {
        self.tell_peers();
        let pairs = before.iter().zip(self.owners()).enumerate();
        let keys = pairs.filter(|(_, (before, now))| *before != now);
        let keys = keys.map(|(key, (before, _))| (key, *before)).collect();
        lock(&self.last).moved = Some(Moved { what, most, keys });
        self.bell.ring();
    }

    /// The ring as the nodes have it.
    #[must_use]
    pub fn ring(&self) -> Ring {
        self.nodes().first().map_or_else(|| Ring::new(0), |node| node.pool.ring())
    }

    /// The number of the node with this URL; 0 if it is gone.
    #[must_use]
    pub fn number_of(&self, url: Option<&str>) -> usize {
        let nodes = self.nodes();
        let found = nodes.iter().find(|node| Some(&*node.url) == url);
        found.map_or(0, |node| node.number)
    }

    /// The owners of the sample's keys, by number.
    #[must_use]
    pub fn owners(&self) -> Vec<usize> {
        let (ring, nodes) = (self.ring(), self.nodes());
        let number = |url: Option<&str>| {
            nodes.iter().find(|node| Some(&*node.url) == url).map_or(0, |node| node.number)
        };
        (0..SAMPLE).map(|key| number(ring.get(sample_key(key).as_bytes()))).collect()
    }

    /// Gets `key` from a node.
    ///
    /// # Errors
    /// A [`Refusal`].
    pub fn ask(&self, number: usize, key: &str) -> Result<(), Refusal> {
        check_key(key)?;
        let nodes = self.nodes();
        let node = nodes.iter().find(|node| node.number == number);
        let node = node.ok_or_else(|| (404, format!("there is no node {number}")))?;
        let owner = self.number_of(node.pool.ring().get(key.as_bytes()));
        let owner_node = nodes.iter().find(|node| node.number == owner);
        let had = (node.holds(key.as_bytes()), owner_node.is_some_and(|o| o.holds(key.as_bytes())));
        let held: Vec<_> = nodes.iter().map(|node| (node.number, node.group.keys())).collect();
        let heard = self.wire.listen(key);
        let start = Instant::now();
        let answer = node.group.get(key).map(|value| value.to_string());
        let asked = Asked {
            key: key.to_owned(),
            node: node.number,
            owner,
            answer: answer.map_err(|error| error.to_string()),
            had,
            took: start.elapsed(),
            exchange: heard.get().cloned(),
        };
        lock(&self.last).asked = Some(asked);
        self.note_evictions(&nodes, held);
        self.bell.ring();
        Ok(())
    }

    /// Remembers what the nodes no longer hold.
    fn note_evictions(&self, nodes: &[Arc<Node>], held: Vec<(usize, Vec<Box<[u8]>>)>) {
        let mut last = lock(&self.last);
        for (node, (number, before)) in nodes.iter().zip(held) {
            let now = node.group.keys();
            let gone = before.iter().rev().filter(|key| !now.contains(key));
            let evicted = last.evicted.entry(number).or_default();
            for key in gone {
                evicted.insert(0, String::from_utf8_lossy(key).into_owned());
            }
            evicted.truncate(EVICTED_MAX);
        }
    }

    /// Forgets `key` on all nodes, then has [`CALLERS`] ask for it at once, spread over the nodes.
    ///
    /// # Errors
    /// A [`Refusal`].
    pub fn burst(&self, key: &str) -> Result<(), Refusal> {
        check_key(key)?;
        let _bursting = self.bursting.try_lock().map_err(|_| busy())?;
        let nodes = self.nodes();
        nodes.iter().for_each(|node| node.group.remove(key));
        let held: Vec<_> = nodes.iter().map(|node| (node.number, node.group.keys())).collect();
        let total = |count: fn(Stats) -> u64| -> u64 {
            nodes.iter().map(|node| count(node.group.stats())).sum()
        };
        let counts =
            || (self.source.loads(), total(|s| s.cache_hits), total(|s| s.server_requests));
        let (loads, hits, peers) = counts();
        let (start, answered) = (Instant::now(), AtomicUsize::new(0));
        thread::scope(|scope| {
            for node in nodes.iter().cycle().take(CALLERS) {
                let call = || {
                    let got = node.group.get(key).is_ok();
                    answered.fetch_add(usize::from(got), Relaxed);
                };
                // All are joined at the end of the scope. One that cannot be started is missing.
                let _ = thread::Builder::new().spawn_scoped(scope, call);
            }
        });
        let (loads_now, hits_now, peers_now) = counts();
        let burst = Burst {
            key: key.to_owned(),
            answered: answered.into_inner(),
            loads: loads_now - loads,
            hits: hits_now - hits,
            peers: peers_now - peers,
            took: start.elapsed(),
        };
        lock(&self.last).burst = Some(burst);
        self.note_evictions(&nodes, held);
        self.bell.ring();
        Ok(())
    }
}

/// The key of the sample with this number.
#[must_use]
pub fn sample_key(number: usize) -> String {
    format!("user:{number}")
}

fn check_key(key: &str) -> Result<(), Refusal> {
    match key.len() {
        0 => Err((400, "a key has a letter at least".to_owned())),
        1..=KEY_BYTES_MAX => Ok(()),
        bytes => Err((413, format!("the key is {bytes} bytes, the limit is {KEY_BYTES_MAX}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visitors_who_ask_at_once_each_see_their_own_exchange() {
        let cluster = Cluster::start(Duration::ZERO).unwrap();
        thread::scope(|scope| {
            for visitor in 0..4 {
                let cluster = &cluster;
                scope.spawn(move || {
                    for n in 0..50 {
                        cluster.ask(1 + n % 3, &format!("{visitor}-{n}")).unwrap();
                        let Asked { key, node, owner, exchange, .. } =
                            cluster.last().asked.unwrap();
                        assert_eq!(
                            exchange.is_some(),
                            node != owner,
                            "{key}: no key is asked twice"
                        );
                        if let Some(Exchange { node, head, body, .. }) = exchange {
                            let (head, body) = (text(&head), text(&body));
                            assert!(head.contains(&format!("/scores/{key} ")), "{key}: {head}");
                            assert!(body.contains(&format!("value of {key}")), "{key}: {body}");
                            assert_eq!(node, owner);
                        }
                    }
                });
            }
        });
    }

    fn text(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).into_owned()
    }
}
