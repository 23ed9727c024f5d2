//! Day 3: one node that answers over HTTP.
//!
//! `curl localhost:9999/_geecache/scores/Tom` prints 630; `.../scores/kkk` prints `kkk not exist`.

#[allow(dead_code, reason = "days 5 to 7 use the rest")]
mod demo;

use std::process::ExitCode;
use std::sync::Arc;

use cache::{Dialect, Groups, HttpPool};
use web::Server;

fn main() -> ExitCode {
    let groups = Arc::new(Groups::default());
    if let Err(error) = groups.add(demo::scores(2048, false)) {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    let pool = Arc::new(HttpPool::new("localhost:9999", Dialect::raw()).log(demo::log));
    demo::log("geecache is running at localhost:9999");
    web::cli::serve("127.0.0.1:9999", Ok(Server::new(pool.handler(&groups))))
}
