//! The exercises of the chapters: each test passes when its exercise is solved.
//!
//! Run those of a chapter with `cargo test -p cache --test exercises exercise_lru -- --ignored`. Where a line
//! is commented out, it is a call of what you are to write.

#![cfg(test)]
#![allow(clippy::single_match, reason = "solutions have more arms")]
#![allow(unused_mut, unused_variables, reason = "what is unused is used by solutions")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use cache::beyond::mix64;
use cache::peers::Rest;
use cache::proto::{Field, Malformed, Message, put_bytes_unless_empty};
use cache::{
    ByteView, Dialect, Error, Flight, Group, Groups, HttpPool, Lru, PeerLimits, Result, Ring,
};

/// Day 1: `Lru::resize(budget)` evicts at once when the budget shrinks.
#[test]
#[ignore = "exercise: write Lru::resize, then call it here"]
fn exercise_lru_resize() {
    let mut lru = Lru::new(0);
    (0..10_u64).for_each(|key| lru.add(key, key).unwrap());
    // lru.resize(48);
    assert_eq!(lru.keys().collect::<Vec<_>>(), [&9, &8, &7]);
}

/// Day 1: an entry costs more than its bytes. `Lru::memory_bytes()` counts the nodes and buckets as well.
#[test]
#[ignore = "exercise: write Lru::memory_bytes, then call it here"]
fn exercise_lru_overhead() {
    let mut lru = Lru::new(0);
    (0..100_u64).for_each(|key| lru.add(key, key).unwrap());
    let memory = lru.bytes(); // lru.memory_bytes();
    assert!(memory > 100 * (16 + 3 * 4 + 4), "{memory} bytes: numbers, and no node or bucket");
}

/// Day 2: `Group::get_many(&[keys])` looks all up, then loads what is missing.
#[test]
#[ignore = "exercise: write Group::get_many, then call it here"]
fn exercise_group_get_many() {
    let group = Group::new("g", 0, |key: &[u8]| match key {
        b"unknown" => Err(Error::not_found(key)),
        _ => Ok(key.to_vec()),
    });
    let all: Vec<Result<ByteView>> = Vec::new(); // group.get_many(&["Tom", "unknown", "Sam"]);
    let texts: Vec<_> = all.into_iter().map(|value| value.map(|v| v.to_string()).ok()).collect();
    assert_eq!(texts, [Some("Tom".to_owned()), None, Some("Sam".to_owned())]);
}

/// Day 2: a value that its user already has need not be loaded: `Group::put(key, value)`.
#[test]
#[ignore = "exercise: write Group::put, then call it here"]
fn exercise_group_put() {
    let group = Group::new("g", 0, |key: &[u8]| Ok("from the source"));
    // group.put("Tom", "given".into());
    assert_eq!(group.get("Tom").unwrap().to_string(), "given");
}

fn status(method: &str, target: &str) -> u16 {
    let groups = Groups::default();
    groups.add(Group::new("scores", 0, |key: &[u8]| Ok(key.to_vec()))).unwrap();
    let mut response = web::Response::new();
    let pool = HttpPool::new("http://localhost:8001", Dialect::raw());
    pool.serve(&groups, &web::Request::new(method, target), &mut response);
    response.status()
}

/// Day 3: `DELETE /_geecache/scores/Tom` removes the key on this node and answers 204.
#[test]
#[ignore = "exercise: let HttpPool::serve look at the method"]
fn exercise_http_delete() {
    assert_eq!(status("DELETE", "/_geecache/scores/Tom"), 204);
}

/// Day 3: `/stats/scores` answers the statistics of one group.
#[test]
#[ignore = "exercise: let HttpPool::serve know one more path"]
fn exercise_http_stats_of_one_group() {
    assert_eq!((status("GET", "/stats/scores"), status("GET", "/stats/other")), (200, 404));
}

/// Day 4: a machine twice as large should own twice as many keys. Add `Ring::add_weighted`.
#[test]
#[ignore = "exercise: write Ring::add_weighted(node, weight), then call it here"]
fn exercise_ring_weights() {
    let mut ring = Ring::with_hash(200, mix64);
    ring.add(["small", "large"]);
    // ring.add_weighted("large", 2);
    let large = (0..30_000_u32).filter(|i| ring.get(&i.to_le_bytes()) == Some("large")).count();
    assert!((18_000..22_000).contains(&large), "{large} of 30000, two thirds expected");
}

/// Day 4: who takes over when the owner is down? `Ring::owners(key, 2)`: the next *different* node too.
#[test]
#[ignore = "exercise: write Ring::owners, then call it here"]
fn exercise_ring_second_owner() {
    let mut ring = Ring::new(50);
    ring.add(["a", "b", "c"]);
    let owners: Vec<&str> = Vec::new(); // ring.owners(b"Tom", 2);
    let first = ring.get(b"Tom").unwrap();
    let mut without = ring.clone();
    without.remove(first);
    assert_eq!(owners, [first, without.get(b"Tom").unwrap()]);
}

/// Day 5: a peer can also be *slow*. `Rest::was_slow` counts as half a failure: two make the peer rest.
#[test]
#[ignore = "exercise: write Rest::was_slow, then call it here twice"]
fn exercise_peers_slow() {
    let (mut rest, limits, now) = (Rest::default(), PeerLimits::default(), Instant::now());
    // rest.was_slow(now, &limits); rest.was_slow(now, &limits);
    assert!(!rest.may_try(now, &limits));
}

/// Day 5: show who rests: `HttpPool::resting()` lists the URLs, for a page such as `/stats`.
#[test]
#[ignore = "exercise: write HttpPool::resting, then call it here after a failed get"]
fn exercise_peers_resting() {
    let pool = HttpPool::new("http://localhost:8001", Dialect::geecache());
    pool.set_peers(["http://127.0.0.1:1"]).unwrap(); // nobody listens there
    let resting: Vec<String> = Vec::new(); // pool.pick_peer(b"k").unwrap().get("g", b"k"); pool.resting();
    assert_eq!(resting, ["http://127.0.0.1:1"]);
}

/// Day 6: two loaders that ask for each other's keys wait for ever. Give those who wait a deadline:
/// `Flight::run_until(key, deadline, load, keep)`.
#[test]
#[ignore = "exercise: write Flight::run_until, then call it in the inner thread"]
fn exercise_flight_deadline() {
    let flight: Arc<Flight<u32>> = Arc::default();
    let other = Arc::clone(&flight);
    let waited = flight.run(
        b"k",
        || {
            let deadline = Instant::now() + Duration::from_millis(10);
            // std::thread::spawn(move || other.run_until(b"k", deadline, || Ok(1), |_| ())).join().unwrap()
            Ok(1)
        },
        |_| (),
    );
    assert!(waited.is_err(), "the leader is handed the error of the one that waited in vain");
}

/// Day 6: `Flight::len()`, how many loads are under way, for the statistics.
#[test]
#[ignore = "exercise: write Flight::len, then call it in the loader"]
fn exercise_flight_len() {
    let flight: Flight<usize> = Flight::default();
    let inside = flight.run(b"k", || Ok(/* flight.len() */ 0), |_| ()).unwrap();
    assert_eq!(inside, 1);
}

/// Day 7: sint32 maps 0, -1, 1, -2 to 0, 1, 2, 3 (zigzag), so that small negatives stay short.
#[test]
#[ignore = "exercise: write zigzag"]
fn exercise_proto_zigzag() {
    let zigzag = |n: i32| i64::from(n).cast_unsigned();
    assert_eq!([0, -1, 1, -2, i32::MIN].map(zigzag), [0, 1, 2, 3, u64::from(u32::MAX)]);
}

/// A `Response` as a relay needs it.
#[derive(Default)]
struct Relay {
    value: ByteView,
}

impl Message for Relay {
    fn encode(&self, out: &mut Vec<u8>) {
        put_bytes_unless_empty(1, &self.value, out);
    }

    fn merge(&mut self, number: u32, field: Field<'_>) -> Result<(), Malformed> {
        match (number, field) {
            (1, Field::Bytes(bytes)) => self.value = bytes.into(),
            _ => {}
        }
        Ok(())
    }
}

/// Day 7: a relay should not lose what it does not know. Let `Relay` keep unknown fields, in order.
#[test]
#[ignore = "exercise: let Relay write unknown fields again, after the known one"]
fn exercise_proto_unknown_fields() {
    let bytes = b"\x0a\x03630\x11\0\0\0\0\0\0\xf8\x3f\x1a\x01x\x20\x96\x01";
    let mut out = Vec::new();
    Relay::decode(bytes).unwrap().encode(&mut out);
    assert_eq!(out, bytes);
}
