//! `cargo bench -p cache`: what the parts of the cache cost, in nanoseconds and rates.
//!
//! Each figure is the best of 200 short runs, the least disturbed one. Beside it stands, measured in the
//! same run, what std alone takes for the part of the work that nobody can leave out: a `HashMap` without an
//! order, one mutex, a bare binary search, a copy. Figures with two threads need two cores.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};
use std::hint::black_box;
use std::net::TcpListener;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Instant;

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

/// Nanoseconds per step of `count`: the best of 200 runs.
fn nanos(count: u32, run: impl FnMut()) -> f64 {
    nanos_of_both(count, run, || ()).0
}

/// [`nanos`] of two that are to be compared: they run in turn, so that a busy machine slows down both.
fn nanos_of_both(count: u32, mut one: impl FnMut(), mut other: impl FnMut()) -> (f64, f64) {
    let per_step = |run: &mut dyn FnMut()| {
        let start = Instant::now();
        run();
        start.elapsed().as_nanos() as f64 / f64::from(count)
    };
    (0..200).fold((f64::MAX, f64::MAX), |best, _| {
        (best.0.min(per_step(&mut one)), best.1.min(per_step(&mut other)))
    })
}

/// Does `step` for each of `all`, and hides from the compiler that nobody needs the results.
fn each<I: IntoIterator, R>(all: I, mut step: impl FnMut(I::Item) -> R) {
    all.into_iter().for_each(|one| {
        black_box(step(black_box(one)));
    });
}

fn show(what: &str, value: f64, unit: &str, aim: &str) {
    println!("{what:<52} {value:>10.1} {unit:<12} {:>28} {aim}", "");
}

/// [`show`] with the baseline, what that is, and how many times it ours is.
fn beside(what: &str, value: f64, unit: &str, (baseline, name): (f64, &str), aim: &str) {
    let ratio = value / baseline;
    let baseline = format!("{name} {baseline:.1}, x {ratio:.2}");
    println!("{what:<52} {value:>10.1} {unit:<12} {baseline:>28} {aim}");
}

fn main() {
    println!(
        "{:<52} {:>10} {:<12} {:>28} aim",
        "what", "measured", "unit", "std's, and how often that"
    );
    lru("Lru<u64, u64>, std's hasher", std::hash::RandomState::new());
    lru("Lru<u64, u64>, FxHash", FxBuild::default());
    group();
    ring();
    hashes();
    proto();
    hit_ratio();
    peers();
}

fn lru<S: BuildHasher + Clone>(name: &str, hasher: S) {
    const ENTRIES: u64 = 1000;
    const COUNT: u32 = 20_000;
    let mut lru = Lru::with_hasher(16 * 1000, hasher.clone());
    (0..ENTRIES).for_each(|key| drop(lru.add(key, key)));
    let mut map = HashMap::with_hasher(hasher);
    map.extend((0..ENTRIES).map(|key| (key, key)));
    let mut random = Random(1);
    let keys: Vec<u64> = (0..COUNT).map(|_| random.next() % ENTRIES).collect();
    let mut get = || each(&keys, |key| lru.get(key).copied());
    let map_get = || each(&keys, |key| map.get(key).copied());
    let (get, map_get) = nanos_of_both(COUNT, &mut get, map_get);
    beside(&format!("{name}: get, hit"), get, "ns", (map_get, "HashMap"), "");
    let (mut next, mut map_next) = (ENTRIES, ENTRIES);
    let add = || {
        for _ in 0..COUNT {
            drop(black_box(lru.add(next, next)));
            next += 1;
        }
    };
    let map_add = || {
        for _ in 0..COUNT {
            black_box(map.remove(&(map_next - ENTRIES)));
            black_box(map.insert(map_next, map_next));
            map_next += 1;
        }
    };
    let (add, map_add) = nanos_of_both(COUNT, add, map_add);
    beside(&format!("{name}: add, evicting one"), add, "ns", (map_add, "HashMap"), "");
}

fn group() {
    const COUNT: u32 = 20_000;
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
        // The tutorial's shape: one mutex around everything, and not even an order to keep.
        let entry = |key: &String| (key.clone(), Arc::<[u8]>::from(key.repeat(10).into_bytes()));
        let map: Mutex<HashMap<String, Arc<[u8]>>> = Mutex::new(keys.iter().map(entry).collect());
        let map_hits = || {
            for key in &order {
                if let Some(value) = map.lock().ok().and_then(|map| map.get(*key).cloned()) {
                    black_box(value.len());
                }
            }
        };
        println!("Group::get, hit, {count} keys of 11 bytes, {note}");
        let (one, map_one) = nanos_of_both(COUNT, hits, map_hits);
        beside("  one thread", one, "ns", (map_one, "Mutex<HashMap>"), "<= 60");
        let ten = |run: &dyn Fn()| (0..10).for_each(|_| run()); // starting a thread takes time as well
        let both = || in_two_threads(&|| ten(&hits));
        let (both, map_both) =
            nanos_of_both(20 * COUNT, both, || in_two_threads(&|| ten(&map_hits)));
        show("  one thread", 1e3 / one, "M/s", "");
        let map_rate = (1e3 / map_both, "Mutex<HashMap>");
        beside("  two threads together", 1e3 / both, "M/s", map_rate, ">= 15, and more than one");
    }
}

fn in_two_threads(run: &(impl Fn() + Sync)) {
    thread::scope(|scope| {
        scope.spawn(run);
        run();
    });
}

fn ring() {
    const COUNT: u32 = 20_000;
    let mut ring = Ring::new(50);
    ring.add((0..10).map(|i| format!("http://10.0.0.{i}:8001")));
    let mut random = Random(3);
    let points: Vec<u64> = (0..COUNT).map(|_| random.next() >> 32).collect();
    let look_up = || each(&points, |&point| ring.owner_of(point));
    let mut bare: Vec<u64> = (0..500).map(|_| random.next() >> 32).collect();
    bare.sort_unstable();
    let search = || each(&points, |point| bare.binary_search(point));
    let (look_up, search) = nanos_of_both(COUNT, look_up, search);
    let search = (search, "binary_search");
    beside("Ring of 500 points, look-up without the hash", look_up, "ns", search, "<= 30");
    let keys: Vec<String> = (0..COUNT).map(|i| format!("key-{i:012}")).collect();
    let get = nanos(COUNT, || {
        for key in &keys {
            black_box(ring.get(key.as_bytes()));
        }
    });
    show("Ring::get with 16-byte keys", get, "ns", "");
}

fn hashes() {
    const COUNT: u32 = 20_000;
    for (len, aim_ns, aim_rate) in [(16, "3.2", ""), (24, "", ">= 2"), (4096, "", "")] {
        let count = COUNT / (1 + len / 100);
        let bytes = vec![b'k'; len as usize];
        let sums = |sum: fn(&[u8]) -> u32| {
            let bytes = &bytes;
            move || each(0..count, |_| sum(black_box(bytes)))
        };
        let (time, plain) = nanos_of_both(count, sums(crc32), sums(crc32_by_definition));
        show(&format!("crc32 of {len} bytes"), time, "ns", aim_ns);
        let rate = |time: f64| f64::from(len) / time;
        let plain = (rate(plain), "its definition");
        beside(&format!("crc32 of {len} bytes"), rate(time), "GB/s", plain, aim_rate);
    }
    let time = nanos(COUNT, || {
        for _ in 0..COUNT {
            black_box(mix64(black_box(&[b'k'; 24])));
        }
    });
    show("mix64 of 24 bytes", time, "ns", "");
}

/// The definition, without a table.
fn crc32_by_definition(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), step))
}

fn proto() {
    const COUNT: u32 = 20_000;
    let response = Response { value: vec![b'v'; 100].into() };
    let mut out = Vec::new();
    let encode = || {
        for _ in 0..COUNT {
            out.clear();
            black_box(&response).encode(&mut out);
            black_box(&out);
        }
    };
    let mut copy = Vec::new();
    let copying = || {
        for _ in 0..COUNT {
            copy.clear();
            copy.extend_from_slice(black_box(&response.value));
            black_box(&copy);
        }
    };
    let (encode, copying) = nanos_of_both(COUNT, encode, copying);
    beside("Response of 100 bytes: encode", encode, "ns", (copying, "a copy"), "prost 16, <= 32");
    let decode = || each(0..COUNT, |_| Response::decode(black_box(&out)));
    let share = || each(0..COUNT, |_| Arc::<[u8]>::from(black_box(&*copy)));
    let (decode, sharing) = nanos_of_both(COUNT, decode, share);
    beside("Response of 100 bytes: decode", decode, "ns", (sharing, "an Arc"), "prost 31, <= 62");
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
    const COUNT: u32 = 4_000;
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
        let peer = asker.pick_peer(b"Tom").expect("the peer");
        let (mut bare, mut got) = (0.0_f64, 0.0_f64);
        for _ in 0..20 {
            bare = bare.max(rate(threads, COUNT, || drop(client.get(&hello_url))));
            got = got.max(rate(threads, COUNT, || drop(peer.get("bench", b"Tom"))));
        }
        let what = format!("peer get over loopback, {threads} at a time");
        beside(&what, got, "gets/s", (bare, "bare hello"), "x >= 0.8");
    }
}

/// So many times a second can `threads` threads ask.
fn rate(threads: u32, count: u32, ask: impl Fn() + Sync) -> f64 {
    let barrier = Barrier::new(threads as usize + 1);
    let start = thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                barrier.wait();
                (0..count / threads).for_each(|_| ask());
            });
        }
        barrier.wait();
        Instant::now()
    });
    f64::from(count) / start.elapsed().as_secs_f64()
}
