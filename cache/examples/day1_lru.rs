//! Day 1: a cache of 20 bytes fills up, and the entry that was used longest ago leaves.

use cache::Lru;

fn main() -> cache::Result<()> {
    web::cli::no_flags();
    let mut lru = Lru::new(20).on_evicted(|key, value: String| println!("evicted {key}={value}"));
    for (key, value) in [("key1", "value1"), ("key2", "value2"), ("k3", "v3"), ("k4", "v4")] {
        println!("add {key}={value}");
        lru.add(key, value.to_owned())?;
    }
    println!("get key2: {:?}", lru.get("key2"));
    println!("get key1: {:?}", lru.get("key1"));
    println!("add k5=12345678901234567890");
    if let Err(error) = lru.add("k5", "12345678901234567890".to_owned()) {
        println!("refused: {error}");
    }
    println!("add k6=v6");
    lru.add("k6", "v6".to_owned())?;
    println!(
        "{} bytes, most recently used first: {:?}",
        lru.bytes(),
        lru.keys().collect::<Vec<_>>()
    );
    Ok(())
}
