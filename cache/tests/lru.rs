//! The LRU: the tests of the Go tutorial, and a model too slow to be wrong.

#![cfg(test)]

use std::sync::mpsc;

use cache::Lru;

#[test]
fn get_finds_what_was_added() {
    let mut lru = Lru::new(0);
    lru.add("key1", "1234").unwrap();
    assert_eq!(lru.get("key1"), Some(&"1234"));
    assert_eq!(lru.get("key2"), None);
    assert_eq!(Lru::<String, String>::new(0).get("never filled"), None);
}

#[test]
fn the_oldest_is_removed_at_the_budget() {
    let mut lru = Lru::new("key1key2value1value2".len());
    for (key, value) in [("key1", "value1"), ("key2", "value2"), ("k3", "v3")] {
        lru.add(key, value).unwrap();
    }
    assert_eq!((lru.peek("key1"), lru.len(), lru.evictions()), (None, 2, 1));
    assert_eq!(lru.keys().collect::<Vec<_>>(), [&"k3", &"key2"]);
    lru.remove_oldest();
    lru.remove_oldest();
    lru.remove_oldest();
    assert_eq!((lru.len(), lru.bytes(), lru.evictions()), (0, 0, 3));
}

#[test]
fn the_callback_hears_of_evictions_in_order() {
    let (sender, evicted) = mpsc::channel();
    let mut lru = Lru::new(10).on_evicted(move |key, _| sender.send(key).unwrap());
    for (key, value) in [("key1", "123456"), ("k2", "k2"), ("k3", "k3"), ("k4", "k4")] {
        lru.add(key, value).unwrap();
    }
    lru.add("k4", "4").unwrap();
    lru.remove("k3");
    assert_eq!(evicted.try_iter().collect::<Vec<_>>(), ["key1", "k2"]);
}

#[test]
fn an_overwrite_changes_the_cost() {
    let mut lru = Lru::new(0);
    lru.add("key", "1").unwrap();
    lru.add("key", "111").unwrap();
    assert_eq!((lru.bytes(), lru.len()), (6, 1));
    assert_eq!(lru.remove("key"), Some("111"));
    assert_eq!((lru.bytes(), lru.remove("key")), (0, None));
}

#[test]
fn an_overwrite_that_grows_evicts_others_only() {
    let mut lru = Lru::new(12);
    lru.add("a", "1111").unwrap();
    lru.add("b", "1111").unwrap();
    lru.add("a", "1111111").unwrap();
    assert_eq!((lru.keys().collect::<Vec<_>>(), lru.bytes()), (vec![&"a"], 8));
}

#[test]
fn an_oversize_entry_is_refused_and_ends_the_old_value() {
    let mut lru = Lru::new(10);
    lru.add("a", "1").unwrap();
    lru.add("b", "1").unwrap();
    let error = lru.add("a", "0123456789").unwrap_err();
    assert_eq!(error.to_string(), "the entry is 11 bytes, the budget is 10; raise budget_bytes");
    assert_eq!((lru.peek("a"), lru.peek("b"), lru.bytes()), (None, Some(&"1"), 2));
}

/// An LRU so slow that it cannot be wrong: a vector in order of use.
#[test]
fn agrees_with_a_slow_model_step_by_step() {
    let mut lru = Lru::new(200);
    let mut model: Vec<(u64, String)> = Vec::new();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    for step in 0..20_000_u64 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let key = random % 40;
        let at = model.iter().position(|(held, _)| *held == key);
        match random >> 60 {
            0 => {
                let removed = at.map(|at| model.remove(at).1);
                assert_eq!(lru.remove(&key), removed, "step {step}");
            }
            1..7 => {
                let value = "x".repeat((random >> 32) as usize % 30);
                at.map(|at| model.remove(at));
                model.insert(0, (key, value.clone()));
                while model.iter().map(|(_, value)| 8 + value.len()).sum::<usize>() > 200 {
                    model.pop();
                }
                lru.add(key, value).unwrap();
            }
            _ => {
                let hit = at.map(|at| model.remove(at));
                assert_eq!(lru.get(&key), hit.as_ref().map(|(_, v)| v), "step {step}");
                model.splice(0..0, hit);
            }
        }
        assert!(lru.keys().eq(model.iter().map(|(key, _)| key)), "step {step}");
        assert_eq!(lru.bytes(), model.iter().map(|(_, v)| 8 + v.len()).sum::<usize>());
    }
}

/// Ranks 0 to 99,999 drawn by Zipf's law with exponent 0.9, the same ones each time.
fn zipf(count: usize) -> impl Iterator<Item = u64> {
    let mut sum = 0.0;
    let mut cumulated = Vec::new();
    for rank in 1..=100_000_u32 {
        sum += f64::from(rank).powf(-0.9);
        cumulated.push(sum);
    }
    let mut random = 42_u64;
    (0..count).map(move |_| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let at = random as f64 / u64::MAX as f64 * sum;
        cumulated.partition_point(|&cumulated| cumulated < at) as u64
    })
}

/// Popularity as on the web, room for a hundredth of the keys. Che's approximation solves
/// `sum(1 - exp(-p_i t)) = 1000` for t, the time that an entry stays, and predicts a third of hits.
#[test]
fn the_hit_ratio_is_that_of_a_slow_model_and_of_ches_approximation() {
    let (warm_up, count, room) = (50_000, 250_000, 1000);
    let mut lru: Lru<u64, u64> = Lru::new(16 * room);
    let mut model: Vec<u64> = Vec::new();
    let mut hits = 0;
    for (step, key) in zipf(warm_up + count).enumerate() {
        let in_model = model.iter().position(|&held| held == key);
        match in_model {
            Some(at) => model[..=at].rotate_right(1),
            None => {
                model.truncate(room - 1);
                model.insert(0, key);
            }
        }
        let hit = lru.get(&key).is_some();
        assert_eq!(hit, in_model.is_some(), "step {step}");
        if !hit {
            lru.add(key, key).unwrap();
        }
        hits += usize::from(hit && step >= warm_up);
    }
    let ratio = hits as f64 / count as f64;
    assert!((ratio - 0.342).abs() < 0.005, "{ratio}, and 0.342 expected");
}
