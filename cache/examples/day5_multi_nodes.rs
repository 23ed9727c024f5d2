//! Day 5: three nodes and an API server in one process, or one node with `--port`.
//!
//! `curl 'localhost:9999/api?key=Tom'` prints 630. The API asks node 8003; the log shows that it asks
//! the owner of Tom, `Pick peer http://localhost:8001`, which asks the slow database.
//!
//! As three processes, each in a terminal of its own:
//! ```text
//! P=http://localhost:8001,http://localhost:8002,http://localhost:8003
//! cargo run -p cache --example day5_multi_nodes -- --port 8001 --peers $P
//! cargo run -p cache --example day5_multi_nodes -- --port 8002 --peers $P
//! cargo run -p cache --example day5_multi_nodes -- --port 8003 --peers $P --api 127.0.0.1:9999
//! ```

mod demo;

fn main() {
    demo::cluster(cache::Dialect::raw())
}
