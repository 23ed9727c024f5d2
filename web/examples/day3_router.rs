//! Day 3: `:name` for one segment, `*filepath` for the rest.
//!
//! ```text
//! curl http://127.0.0.1:9999/hello/geektutu             hello geektutu, you're at /hello/geektutu
//! curl http://127.0.0.1:9999/assets/css/geektutu.css    {"filepath":"css/geektutu.css"}
//! ```

use std::process::ExitCode;

use web::{Engine, Result, json};

fn engine() -> Result<Engine> {
    let mut engine = Engine::new();
    engine.get("/", |c| c.html(200, "<h1>Hello Gee</h1>"))?;
    engine.get("/hello", |c| {
        let text = format!("hello {}, you're at {}\n", c.query("name"), c.path());
        c.string(200, text);
    })?;
    engine.get("/hello/:name", |c| {
        let text = format!("hello {}, you're at {}\n", c.param("name"), c.path());
        c.string(200, text);
    })?;
    engine.get("/assets/*filepath", |c| {
        let filepath = c.param("filepath").to_owned();
        c.json(200, &json!({"filepath": filepath}));
    })?;
    Ok(engine)
}

fn main() -> ExitCode {
    web::cli::serve("127.0.0.1:9999", engine())
}
