//! Day 7: a bug in a handler is a 500 and a log entry.
//!
//! ```text
//! curl http://127.0.0.1:9999/        Hello Geektutu
//! curl http://127.0.0.1:9999/panic   {"message":"Internal Server Error"}
//! curl http://127.0.0.1:9999/        Hello Geektutu
//! ```

use std::process::ExitCode;

use web::{Engine, Result};

fn engine() -> Result<Engine> {
    let mut engine = Engine::default();
    engine.get("/", |c| c.string(200, "Hello Geektutu\n"))?;
    engine.get("/panic", |c| {
        let names: Vec<&str> = "geektutu".split(' ').collect();
        c.string(200, names[100]);
    })?;
    Ok(engine)
}

fn main() -> ExitCode {
    web::cli::serve("127.0.0.1:9999", engine())
}
