//! Day 4: the ring, printed; then day 3's server, since nobody is asked yet.

#[allow(dead_code, reason = "days 5 to 7 use the rest")]
mod demo;

use std::process::ExitCode;
use std::sync::Arc;

use cache::{Dialect, Groups, HttpPool, Ring, crc32};
use web::Server;

fn main() -> ExitCode {
    let mut ring = Ring::new(50);
    ring.add(["http://localhost:8001", "http://localhost:8002", "http://localhost:8003"]);
    eprintln!("{} points, shares deviate by {:.0} % of their mean", ring.len(), ring.deviation(32));
    for key in ["Tom", "Jack", "Sam", "kkk", "a b", "x/y", "你"] {
        let owner = ring.get(key.as_bytes()).unwrap_or("nobody");
        eprintln!("{key:>4} {:08x} -> {owner}", crc32(key.as_bytes()));
    }
    ring.remove("http://localhost:8003");
    eprintln!("without 8003: Sam -> {}", ring.get(b"Sam").unwrap_or("nobody"));

    let groups = Arc::new(Groups::default());
    if let Err(error) = groups.add(demo::scores(2048, false)) {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    let pool = Arc::new(HttpPool::new("localhost:9999", Dialect::raw()).log(demo::log));
    demo::log("geecache is running at localhost:9999");
    web::cli::serve("127.0.0.1:9999", Ok(Server::new(pool.handler(&groups))))
}
