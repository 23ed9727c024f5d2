//! `cargo bench -p cache`: what the parts of the cache cost, in nanoseconds and rates.
//!
//! Each figure is the best of fifty short runs, the least disturbed one. Figures with two threads need two cores.

use std::hash::{BuildHasher, BuildHasherDefault, Hasher};
use std::hint::black_box;
use std::net::TcpListener;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use cache::beyond::mix64;
use cache::proto::{Message, Response};
use cache::{Dialect, Group, Groups, HttpPool, Lru, PeerPicker, Ring, crc32};
use web::{Client, Request, Server};

/// The multiply-and-rotate hasher of the Rust compiler (`FxHash`): fast, and no defence against chosen keys.
#[derive(Default)]
struct Fx(u64);

impl Hasher for Fx {
    fn finish(&self) -> u64 {
        self.0.rotate_left(26)
    }
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u64(byte.into()));
    }
    fn write_u64(&mut self, n: u64) {
        self.0 = (self.0.rotate_left(5) ^ n).wrapping_mul(0xf135_7aea_2e62_a9c5);
    }
}

type FxBuild = BuildHasherDefault<Fx>;

/// xorshift64: random enough for keys.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let at = self.next() % from.len() as u64;
        &from[usize::try_from(at).unwrap_or_default()]
    }
}

/// The best time of fifty for `count` steps, per step.
fn best(count: u32, mut run: impl FnMut()) -> Duration {
    let time = |run: &mut dyn FnMut()| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    (0..50).map(|_| time(&mut run)).min().unwrap_or_default() / count.max(1)
}

/// [`best`] in nanoseconds with fractions.
fn nanos(count: u32, run: impl FnMut()) -> f64 {
    let total = best(1, run);
    total.as_nanos() as f64 / f64::from(count)
}

fn show(what: &str, value: f64, unit: &str, aim: &str) {
    println!("{what:<52} {value:>10.1} {unit:<12} {aim}");
}

fn main() {
    println!("{:<52} {:>10} {:<12} aim", "what", "measured", "unit");
    lru("Lru<u64, u64>, std's hasher", std::hash::RandomState::new(), "");
    lru("Lru<u64, u64>, FxHash", FxBuild::default(), "lru crate: 7.2 and 9.5 ns with its hasher");
    group();
    ring();
    hashes();
    proto();
    hit_ratio();
    peers();
}

fn lru<S: BuildHasher + Clone>(name: &str, hasher: S, aim: &str) {
    const ENTRIES: u64 = 1000;
    const COUNT: u32 = 200_000;
    let mut lru = Lru::with_hasher(16 * 1000, hasher);
    (0..ENTRIES).for_each(|key| drop(lru.add(key, key)));
    let mut random = Random(1);
    let keys: Vec<u64> = (0..COUNT).map(|_| random.next() % ENTRIES).collect();
    let get = nanos(COUNT, || {
        for key in &keys {
            black_box(lru.get(key));
        }
    });
    show(&format!("{name}: get, hit"), get, "ns", aim);
    let mut next = ENTRIES;
    let add = nanos(COUNT, || {
        for _ in 0..COUNT {
            drop(black_box(lru.add(next, next)));
            next += 1;
        }
    });
    show(&format!("{name}: add, evicting one"), add, "ns", aim);
}

fn group() {
    const COUNT: u32 = 100_000;
    for (count, budget, note) in [
        (1_000_u32, 64 << 20, "16 shards"),
        (10_000, 64 << 20, "16 shards, larger than the core's cache"),
        (1_000, 1 << 20, "one shard"),
    ] {
        let group = Group::new("bench", budget, |key: &[u8]| Ok(key.repeat(10)));
        let keys: Vec<String> = (0..count).map(|i| format!("user:{i:06}")).collect();
        keys.iter().for_each(|key| drop(group.get(key)));
        let mut random = Random(7);
        let order: Vec<&str> = (0..COUNT).map(|_| random.pick(&keys).as_str()).collect();
        let hits = || {
            for key in &order {
                if let Ok(value) = group.get(key) {
                    black_box(value.len());
                }
            }
        };
        let one = nanos(COUNT, hits);
        println!("Group::get, hit, {count} keys of 11 bytes, {note}");
        show("  one thread", one, "ns", "<= 60");
        show("  one thread", 1e3 / one, "M/s", "");
        let both = nanos(2 * COUNT, || {
            thread::scope(|scope| {
                scope.spawn(hits);
                hits();
            });
        });
        show("  two threads together", 1e3 / both, "M/s", ">= 15, and more than one thread");
    }
}

fn ring() {
    const COUNT: u32 = 100_000;
    let mut ring = Ring::new(50);
    ring.add((0..10).map(|i| format!("http://10.0.0.{i}:8001")));
    let mut random = Random(3);
    let points: Vec<u64> = (0..COUNT).map(|_| random.next() >> 32).collect();
    let look_up = nanos(COUNT, || {
        for &point in &points {
            black_box(ring.owner_of(black_box(point)));
        }
    });
    show("Ring of 500 points, look-up without the hash", look_up, "ns", "<= 30");
    let keys: Vec<String> = (0..COUNT).map(|i| format!("key-{i:012}")).collect();
    let get = nanos(COUNT, || {
        for key in &keys {
            black_box(ring.get(key.as_bytes()));
        }
    });
    show("Ring::get with 16-byte keys", get, "ns", "");
}

fn hashes() {
    const COUNT: u32 = 100_000;
    for (len, aim) in [(16, "3.2 ns"), (24, ">= 2 GB/s"), (4096, "")] {
        let count = COUNT / (1 + len / 100);
        let bytes = vec![b'k'; len as usize];
        let time = nanos(count, || {
            for _ in 0..count {
                black_box(crc32(black_box(&bytes)));
            }
        });
        show(&format!("crc32 of {len} bytes"), time, "ns", aim);
        show(&format!("crc32 of {len} bytes"), f64::from(len) / time, "GB/s", "");
    }
    let time = nanos(COUNT, || {
        for _ in 0..COUNT {
            black_box(mix64(black_box(&[b'k'; 24])));
        }
    });
    show("mix64 of 24 bytes", time, "ns", "");
}

fn proto() {
    const COUNT: u32 = 100_000;
    let response = Response { value: vec![b'v'; 100].into() };
    let mut out = Vec::new();
    let encode = nanos(COUNT, || {
        for _ in 0..COUNT {
            out.clear();
            black_box(&response).encode(&mut out);
            black_box(&out);
        }
    });
    show("Response of 100 bytes: encode", encode, "ns", "prost 16, <= 32");
    let decode = nanos(COUNT, || {
        for _ in 0..COUNT {
            let _ = black_box(Response::decode(black_box(&out)));
        }
    });
    show("Response of 100 bytes: decode", decode, "ns", "prost 31, <= 62");
}

/// Zipf 0.9 over 100,000 keys and room for 1,000: Che's approximation of LRU says 0.342.
fn hit_ratio() {
    let weights: Vec<f64> = (1..=100_000_u32).map(|rank| f64::from(rank).powf(-0.9)).collect();
    let mut sum = 0.0;
    let cumulated: Vec<f64> = weights.iter().map(|weight| (sum += weight, sum).1).collect();
    let mut lru: Lru<u64, u64> = Lru::new(16 * 1000);
    let (mut random, mut hits) = (Random(42), 0);
    for step in 0..1_200_000 {
        let at = random.next() as f64 / u64::MAX as f64 * sum;
        let key = cumulated.partition_point(|&c| c < at) as u64;
        if lru.get(&key).is_some() {
            hits += u32::from(step >= 200_000);
        } else {
            drop(lru.add(key, key));
        }
    }
    show("hit ratio, Zipf 0.9, 100k keys, room for 1000", f64::from(hits) / 1e4, "%", "34.2");
}

/// Gets of one peer by another over loopback, beside a bare HTTP hello asked by the same client.
fn peers() {
    const COUNT: u32 = 20_000;
    let listener = || TcpListener::bind("127.0.0.1:0").expect("a free port");
    let hello = listener();
    let hello_url = format!("http://{}/", hello.local_addr().expect("an address"));
    thread::spawn(move || {
        let answer = |_: &mut Request, response: &mut web::Response| {
            response.body().extend_from_slice(b"hello world");
        };
        Server::new(answer).serve(hello)
    });
    let node = listener();
    let url = format!("http://{}", node.local_addr().expect("an address"));
    let groups = Arc::new(Groups::default());
    groups.add(Group::new("bench", 0, |key: &[u8]| Ok(key.to_vec()))).expect("a new name");
    let owner = Arc::new(HttpPool::new(&url, Dialect::geecache()));
    thread::spawn(move || Server::new(owner.handler(&groups)).serve(node));
    let asker = HttpPool::new("http://localhost:1", Dialect::geecache());
    asker.set_peers([&url]).expect("a URL");

    for threads in [1, 2] {
        let client = Client::new();
        let bare = rate(threads, COUNT, || drop(client.get(&hello_url)));
        show(&format!("bare hello over loopback, {threads} at a time"), bare, "requests/s", "");
        let peer = asker.pick_peer(b"Tom").expect("the peer");
        let got = rate(threads, COUNT, || drop(peer.get("bench", b"Tom")));
        show(&format!("peer get over loopback, {threads} at a time"), got, "gets/s", "");
        show("  as a share of the bare hello", got / bare, "", ">= 0.8");
    }
}

fn rate(threads: u32, count: u32, ask: impl Fn() + Sync) -> f64 {
    let run = || {
        let barrier = Barrier::new(threads as usize + 1);
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    barrier.wait();
                    (0..count / threads).for_each(|_| ask());
                });
            }
            barrier.wait();
            Instant::now()
        })
        .elapsed()
    };
    let best = (0..3).map(|_| run()).min().unwrap_or_default();
    f64::from(count) / best.as_secs_f64()
}
