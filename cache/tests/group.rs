//! One node, with peers that are played by the test.

#![cfg(test)]

use cache::peers::{PeerGetter, PeerPicker};
use cache::{ByteView, CacheStats, Error, Getter, Group, Groups, Result, Stats};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::Duration;

const SCORES: [(&str, &str); 3] = [("Tom", "630"), ("Jack", "589"), ("Sam", "567")];

/// The source of all demos, and how often it was asked.
fn scores() -> (Group, Arc<AtomicUsize>) {
    let loads = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&loads);
    let group = Group::new("scores", 2048, move |key: &[u8]| {
        counter.fetch_add(1, Relaxed);
        let found = SCORES.iter().find(|(name, _)| name.as_bytes() == key);
        found.map(|(_, score)| *score).ok_or_else(|| Error::not_found(key))
    });
    (group, loads)
}

/// Runs `body` on a thread of its own; a hang is a failure after twenty seconds, not for ever.
fn watched(body: impl FnOnce() + Send + 'static) {
    let (sender, done) = mpsc::channel();
    thread::spawn(move || {
        body();
        let _ = sender.send(());
    });
    done.recv_timeout(Duration::from_secs(20)).expect("hangs, or failed above");
}

fn balanced(stats: Stats) -> Stats {
    assert_eq!(
        stats.loads_deduped,
        stats.peer_loads + stats.local_loads + stats.local_load_errs,
        "{stats:?}"
    );
    stats
}

#[test]
fn a_closure_is_a_getter() {
    let identity: &dyn Getter = &|key: &[u8]| Ok(key.to_vec());
    assert_eq!(&identity.get(b"key").unwrap()[..], b"key");
}

#[test]
fn loads_once_then_answers_from_the_cache() {
    let (group, loads) = scores();
    for (at, (name, score)) in SCORES.into_iter().enumerate() {
        assert_eq!(group.get(name).unwrap().to_string(), score);
        assert_eq!(group.get(name).unwrap().to_string(), score);
        assert_eq!(loads.load(Relaxed), at + 1);
    }
    for _ in 0..2 {
        let error = group.get("unknown").unwrap_err();
        assert!(error.is_not_found());
        assert_eq!(error.to_string(), "unknown not exist");
    }
    assert_eq!(group.get("").unwrap_err().to_string(), "key is required");
    let want = Stats {
        gets: 9,
        cache_hits: 3,
        loads: 5,
        loads_deduped: 5,
        local_loads: 3,
        local_load_errs: 2,
        ..Stats::default()
    };
    assert_eq!(balanced(group.stats()), want);
    let main = CacheStats { bytes: 19, items: 3, gets: 9, hits: 3, evictions: 0 };
    assert_eq!(group.cache_stats(), [("main", main)]);
}

#[test]
fn groups_are_found_by_name_and_names_are_unique() {
    let groups = Groups::default();
    groups.add(scores().0).unwrap();
    assert_eq!(groups.get("scores").unwrap().name(), "scores");
    assert!(groups.get("scores111").is_none());
    let error = groups.add(scores().0).unwrap_err();
    assert_eq!(error.to_string(), "there is a group \"scores\" already; names are unique");
    groups.add(Group::new("a", 0, |key: &[u8]| Ok(key.to_vec()))).unwrap();
    let names: Vec<_> = groups.all().iter().map(|group| group.name().to_owned()).collect();
    assert_eq!(names, ["a", "scores"]);
}

#[test]
fn logs_when_asked_to() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    let group = scores().0.log(move |line| sink.lock().unwrap().push(line.to_owned()));
    group.get("Tom").unwrap();
    assert!(lines.lock().unwrap().is_empty());
    group.get("Tom").unwrap();
    assert_eq!(*lines.lock().unwrap(), ["[GeeCache] hit"]);
}

#[test]
fn a_source_that_fails_is_asked_again() {
    let up = Arc::new(AtomicUsize::new(0));
    let switch = Arc::clone(&up);
    let group = Group::new("g", 0, move |_: &[u8]| match switch.fetch_add(1, Relaxed) {
        0 => Err(Error::load("connection refused")),
        _ => Ok("up"),
    });
    assert_eq!(group.get("k").unwrap_err().to_string(), "connection refused");
    assert_eq!(group.get("k").unwrap().to_string(), "up");
}

#[test]
fn a_value_larger_than_the_budget_is_served_and_not_kept() {
    let group = Group::new("g", 10, |_: &[u8]| Ok("0123456789"));
    assert_eq!(group.get("k").unwrap().len(), 10);
    assert_eq!(group.cache_stats()[0].1.items, 0);
}

#[test]
fn what_does_not_exist_is_the_key_that_was_asked_for() {
    let group = Group::new("g", 0, |_: &[u8]| Err::<&str, _>(Error::not_found(b"row 7")));
    assert_eq!(group.get("7").unwrap_err().to_string(), "7 not exist");
}

#[test]
fn an_empty_value_is_a_value() {
    let group = Group::new("g", 10, |_: &[u8]| Ok(""));
    assert!(group.get("k").unwrap().is_empty() && group.get("k").unwrap().is_empty());
    assert_eq!(group.stats().local_loads, 1);
}

#[test]
fn two_hundred_keys_and_fifty_callers_are_two_hundred_loads() {
    watched(|| {
        for _ in 0..100 {
            let loads = Arc::new(AtomicUsize::new(0));
            let counter = Arc::clone(&loads);
            let group = Group::new("g", 0, move |key: &[u8]| {
                counter.fetch_add(1, Relaxed);
                Ok(key.to_vec())
            });
            let barrier = Barrier::new(50);
            thread::scope(|scope| {
                for _ in 0..50 {
                    scope.spawn(|| {
                        barrier.wait();
                        for key in 0..200_u32 {
                            let key = key.to_le_bytes();
                            assert_eq!(&group.get(key).unwrap()[..], key);
                        }
                    });
                }
            });
            assert_eq!(loads.load(Relaxed), 200);
            let stats = balanced(group.stats());
            assert_eq!((stats.gets, stats.local_loads), (10_000, 200));
        }
    });
}

#[test]
fn a_panicking_loader_is_an_error_for_all_who_wait() {
    watched(|| {
        let group = Group::new("g", 0, |key: &[u8]| match key {
            b"bad" => panic!("no such table"),
            _ => Ok("good"),
        });
        let barrier = Barrier::new(20);
        thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| {
                    barrier.wait();
                    let error = group.get("bad").unwrap_err();
                    let want = "the loader panicked at key \"bad\": no such table";
                    assert_eq!(error.to_string(), want);
                });
            }
        });
        assert_eq!(group.get("other").unwrap().to_string(), "good");
        assert_eq!(balanced(group.stats()).local_loads, 1);
    });
}

#[test]
fn what_is_removed_is_loaded_anew_even_from_a_load_under_way() {
    watched(|| {
        let (loading, was_loading) = mpsc::channel();
        let (go_on, may_go_on) = mpsc::channel();
        let (may_go_on, version) = (Mutex::new(may_go_on), AtomicUsize::new(0));
        let group = Group::new("g", 0, move |_: &[u8]| {
            let version = version.fetch_add(1, Relaxed);
            loading.send(()).unwrap();
            may_go_on.lock().unwrap().recv().unwrap();
            Ok(format!("v{version}"))
        });
        thread::scope(|scope| {
            let early = scope.spawn(|| group.get("k").unwrap());
            was_loading.recv().unwrap();
            group.remove("k");
            go_on.send(()).unwrap();
            assert_eq!(early.join().unwrap().to_string(), "v0", "it had asked before");
            go_on.send(()).unwrap();
            assert_eq!(group.get("k").unwrap().to_string(), "v1");
            assert_eq!(group.get("k").unwrap().to_string(), "v1");
            group.remove("k");
            go_on.send(()).unwrap();
            assert_eq!(group.get("k").unwrap().to_string(), "v2");
        });
    });
}

/// A peer that answers as the key says, and a picker that gives it every key but `mine`.
#[derive(Debug)]
struct Peer(AtomicUsize);

impl PeerGetter for Peer {
    fn get(&self, group: &str, key: &[u8]) -> Result<ByteView> {
        self.0.fetch_add(1, Relaxed);
        match key {
            b"absent" => Err(Error::not_found(key)),
            b"Tom" => Ok(format!("{group} of the peer").into()),
            b"panics" => panic!("a bug in the client"),
            _ => Err(Error::load("connection reset")),
        }
    }
}

#[derive(Debug)]
struct Picker(Arc<Peer>);

impl PeerPicker for Picker {
    fn pick_peer(&self, key: &[u8]) -> Option<Arc<dyn PeerGetter>> {
        (key != b"Jack").then(|| Arc::clone(&self.0) as _)
    }
}

#[test]
fn the_owner_is_asked_first_and_its_not_found_is_final() {
    let (group, loads) = scores();
    let peer = Arc::new(Peer(AtomicUsize::new(0)));
    group.register_peers(Arc::new(Picker(Arc::clone(&peer)))).unwrap();
    let error = group.register_peers(Arc::new(Picker(Arc::clone(&peer)))).unwrap_err();
    let want = "group \"scores\" has its peers already; change the pool's list instead";
    assert_eq!(error.to_string(), want);
    for _ in 0..2 {
        assert_eq!(group.get("Tom").unwrap().to_string(), "scores of the peer");
    }
    assert_eq!(group.get("absent").unwrap_err().to_string(), "absent not exist");
    assert_eq!(loads.load(Relaxed), 0, "no answer of the owner is doubted");
    assert_eq!(group.get("Jack").unwrap().to_string(), "589");
    assert_eq!(group.get("Sam").unwrap().to_string(), "567", "the peer fails: loaded here");
    assert_eq!(group.get("panics").unwrap_err().to_string(), "panics not exist");
    assert_eq!((loads.load(Relaxed), peer.0.load(Relaxed)), (3, 5));
    let want = Stats {
        gets: 6,
        peer_loads: 3,
        peer_errors: 2,
        loads: 6,
        loads_deduped: 6,
        local_loads: 2,
        local_load_errs: 1,
        ..Stats::default()
    };
    assert_eq!(balanced(group.stats()), want);
}

#[test]
fn a_peers_request_is_never_passed_on() {
    let (group, loads) = scores();
    let peer = Arc::new(Peer(AtomicUsize::new(0)));
    group.register_peers(Arc::new(Picker(Arc::clone(&peer)))).unwrap();
    assert_eq!(group.get_for_peer(b"Tom").unwrap().to_string(), "630");
    assert_eq!(group.get_for_peer(b"Tom").unwrap().to_string(), "630");
    assert!(group.get_for_peer(b"absent").unwrap_err().is_not_found());
    assert_eq!(group.get_for_peer(b"").unwrap_err().to_string(), "key is required");
    assert_eq!((loads.load(Relaxed), peer.0.load(Relaxed)), (2, 0));
    let stats = balanced(group.stats());
    assert_eq!((stats.server_requests, stats.gets, stats.cache_hits), (4, 4, 1));
}

/// Two nodes, each sure that the other owns every key: the circle that a shared flight would close.
#[test]
fn nodes_that_disagree_about_the_owner_do_not_wait_for_each_other() {
    #[derive(Debug)]
    struct Other(Arc<Group>, Arc<Barrier>);
    impl PeerPicker for Other {
        fn pick_peer(&self, _: &[u8]) -> Option<Arc<dyn PeerGetter>> {
            Some(Arc::new(Other(Arc::clone(&self.0), Arc::clone(&self.1))))
        }
    }
    impl PeerGetter for Other {
        fn get(&self, _: &str, key: &[u8]) -> Result<ByteView> {
            self.1.wait(); // both nodes lead a flight for the key now
            self.0.get_for_peer(key)
        }
    }
    watched(|| {
        let (one, two) = (Arc::new(scores().0), Arc::new(scores().0));
        let barrier = Arc::new(Barrier::new(2));
        one.register_peers(Arc::new(Other(Arc::clone(&two), Arc::clone(&barrier)))).unwrap();
        two.register_peers(Arc::new(Other(Arc::clone(&one), barrier))).unwrap();
        thread::scope(|scope| {
            for node in [&one, &two] {
                scope.spawn(|| assert_eq!(node.get("Tom").unwrap().to_string(), "630"));
            }
        });
        let stats = balanced(one.stats());
        assert_eq!((stats.peer_loads, stats.local_loads, stats.server_requests), (1, 1, 1));
    });
}
