//! The ring: by eye, and against groupcache's owners.

#![cfg(test)]

use cache::Ring;

const PEERS: [&str; 3] =
    ["http://localhost:8001", "http://localhost:8002", "http://localhost:8003"];

fn decimal(bytes: &[u8]) -> u64 {
    std::str::from_utf8(bytes).unwrap().parse().unwrap()
}

#[test]
fn a_hash_that_can_be_checked_by_eye() {
    let mut ring = Ring::with_hash(3, decimal);
    ring.add(["6", "4", "2"]);
    // The points are 2, 4, 6, 12, 14, 16, 22, 24 and 26.
    assert_eq!(ring.len(), 9);
    for (key, owner) in [("2", "2"), ("11", "2"), ("23", "4"), ("27", "2")] {
        assert_eq!(ring.get(key.as_bytes()), Some(owner), "{key}");
    }
    ring.add(["8"]);
    for (key, owner) in [("2", "2"), ("11", "2"), ("23", "4"), ("27", "8")] {
        assert_eq!(ring.get(key.as_bytes()), Some(owner), "{key}");
    }
    assert!(ring.remove("8") && !ring.remove("8"));
    assert_eq!(ring.get(b"27"), Some("2"));
}

#[test]
fn owners_are_those_of_groupcache() {
    let mut ring = Ring::new(50);
    assert_eq!(ring.get(b"Tom"), None);
    ring.add(PEERS);
    assert_eq!(ring.len(), 150);
    let keys = ["Tom", "Jack", "kkk", "a b", "x/y", "unknown", "", "你", "Sam", "hello"];
    let owner = |key: &str| ring.get(key.as_bytes()).unwrap().strip_prefix(&PEERS[0][..20]);
    let owners: Vec<_> = keys.iter().map(|key| owner(key).unwrap()).collect();
    assert_eq!(owners.concat(), "1111111233");
    for (prefix, want) in [("key-", [40904, 30135, 28961]), ("key", [41038, 30068, 28894])] {
        let mut shares = [0; 3];
        for i in 0..100_000 {
            let owner = ring.get(format!("{prefix}{i}").as_bytes());
            shares[PEERS.iter().position(|&peer| owner == Some(peer)).unwrap()] += 1;
        }
        assert_eq!(shares, want);
    }
}

#[test]
fn a_set_whose_order_does_not_matter() {
    let colliding = |_: &[u8]| 7;
    let mut ring = Ring::with_hash(2, colliding);
    ring.add(["b", "c", "a", "c"]);
    assert_eq!((ring.nodes().len(), ring.len(), ring.get(b"k")), (3, 1, Some("c")));
    ring.remove("c");
    assert_eq!(ring.get(b"k"), Some("b"));
    // "1" + "1x" and "11" + "x" are the same name, hence the same point: both nodes stay.
    let mut ring = Ring::new(12);
    ring.add(["1x", "x"]);
    assert_eq!((ring.nodes().len(), ring.len()), (2, 23));
}

#[test]
fn a_new_node_takes_keys_and_moves_no_others() {
    let mut ring = Ring::new(50);
    ring.add(PEERS);
    let mut grown = ring.clone();
    grown.add(["http://localhost:8004"]);
    let mut taken = 0;
    for i in 0..10_000 {
        let key = format!("key{i}");
        let (old, new) = (ring.get(key.as_bytes()), grown.get(key.as_bytes()));
        assert!(old == new || new == Some("http://localhost:8004"));
        taken += usize::from(old != new);
    }
    assert!((1_500..3_500).contains(&taken), "{taken} keys moved, a quarter expected");
}

#[test]
fn more_points_on_crc32_are_not_better() {
    for (replicas, want) in [(50, 16.0), (512, 29.0)] {
        let mut ring = Ring::new(replicas);
        ring.add(PEERS);
        assert_eq!(ring.deviation(32).round(), want, "{replicas}");
    }
}
