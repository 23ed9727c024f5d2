//! Day 7: the cluster of day 5, whose nodes speak protobuf, and with `--dialect groupcache` Go's.
//!
//! `curl -s localhost:8001/_geecache/scores/Tom | od -An -tx1` prints `0a 03 36 33 30`. (The other flags
//! are those of day 5.)

mod demo;

fn main() {
    demo::cluster(cache::Dialect::geecache())
}
