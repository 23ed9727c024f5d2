//! Day 6: the cluster of day 5, asked by many at once.
//!
//! `for i in 1 2 3 4 5 6 7; do curl -s 'localhost:9999/api?key=Tom' & done; wait` prints 630 seven times
//! and the log has one line `[SlowDB] search key Tom`. Gets that overlap also share one `Pick peer`; seven
//! curls do not always overlap. (The flags are those of day 5.)

mod demo;

fn main() {
    demo::cluster(cache::Dialect::raw())
}
