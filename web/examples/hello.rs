//! The README's first program: three routes, no log lines.
//!
//! ```text
//! curl http://127.0.0.1:9999/           hello world
//! curl http://127.0.0.1:9999/user/7     7
//! curl http://127.0.0.1:9999/json       {"id":42,"message":"hello world","ok":true}
//! ```

use std::process::ExitCode;

use web::{Engine, Result, json};

fn engine() -> Result<Engine> {
    let mut engine = Engine::new();
    engine.log_routes = false;
    engine.get("/", |c| c.string(200, "hello world"))?;
    engine.get("/user/:id", |c| {
        let id = c.param("id").to_owned();
        c.string(200, id);
    })?;
    engine.get("/json", |c| {
        c.json(200, &json!({"id": 42, "message": "hello world", "ok": true}));
    })?;
    Ok(engine)
}

fn main() -> ExitCode {
    web::cli::serve("127.0.0.1:9999", engine())
}
