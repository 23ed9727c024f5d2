//! Day 5: a logger around everything, and a group that always fails.
//!
//! ```text
//! curl http://127.0.0.1:9999/                    <h1>Hello Gee</h1>
//! curl http://127.0.0.1:9999/v2/hello/geektutu   {"message":"Internal Server Error"}
//! ```
//! The second logs two lines, the group's and the logger's:
//! ```text
//! 2026/11/23 22:50:00 [500] /v2/hello/geektutu in 92.8µs for group v2
//! 2026/11/23 22:50:00 [500] /v2/hello/geektutu in 112.5µs
//! ```

use std::process::ExitCode;
use std::time::Instant;

use web::log::go_duration;
use web::middleware::logger;
use web::{Context, Engine, Result};

fn only_for_v2(c: &mut Context) {
    let start = Instant::now();
    c.fail(500, "Internal Server Error");
    let (status, took) = (c.response.status(), go_duration(start.elapsed()));
    let target = String::from_utf8_lossy(c.request.target());
    web::log::line(format_args!("[{status}] {target} in {took} for group v2"));
}

fn engine() -> Result<Engine> {
    let mut engine = Engine::new();
    engine.middleware(logger());
    engine.get("/", |c| c.html(200, "<h1>Hello Gee</h1>"))?;

    let mut v2 = engine.group("/v2");
    v2.middleware(only_for_v2);
    v2.get("/hello/:name", |c| {
        let text = format!("hello {}, you're at {}\n", c.param("name"), c.path());
        c.string(200, text);
    })?;
    Ok(engine)
}

fn main() -> ExitCode {
    web::cli::serve("127.0.0.1:9999", engine())
}
