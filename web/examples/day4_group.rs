//! Day 4: routes under a common prefix.
//!
//! ```text
//! curl "http://127.0.0.1:9999/v1/hello?name=geektutu"   hello geektutu, you're at /v1/hello
//! curl http://127.0.0.1:9999/v2/hello/geektutu          hello geektutu, you're at /v2/hello/geektutu
//! curl http://127.0.0.1:9999/index                      <h1>Index Page</h1>
//! ```

use std::process::ExitCode;

use web::{Engine, Result, json};

fn engine() -> Result<Engine> {
    let mut engine = Engine::new();
    engine.get("/index", |c| c.html(200, "<h1>Index Page</h1>"))?;

    let mut v1 = engine.group("/v1");
    v1.get("/", |c| c.html(200, "<h1>Hello Gee</h1>"))?;
    v1.get("/hello", |c| {
        let text = format!("hello {}, you're at {}\n", c.query("name"), c.path());
        c.string(200, text);
    })?;

    let mut v2 = engine.group("/v2");
    v2.get("/hello/:name", |c| {
        let text = format!("hello {}, you're at {}\n", c.param("name"), c.path());
        c.string(200, text);
    })?;
    v2.post("/login", |c| {
        let (username, password) = (c.post_form("username"), c.post_form("password"));
        c.json(200, &json!({"username": username, "password": password}));
    })?;
    Ok(engine)
}

fn main() -> ExitCode {
    web::cli::serve("127.0.0.1:9999", engine())
}
