//! Day 2: handlers that speak of text, HTML and JSON instead of octets.
//!
//! ```text
//! curl http://127.0.0.1:9999/                      <h1>Hello Gee</h1>
//! curl "http://127.0.0.1:9999/hello?name=geektutu" hello geektutu, you're at /hello
//! curl http://127.0.0.1:9999/login -d "username=geektutu&password=1234"
//!                                                  {"password":"1234","username":"geektutu"}
//! curl http://127.0.0.1:9999/xxx                   404 NOT FOUND: /xxx
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
    engine.post("/login", |c| {
        let (username, password) = (c.post_form("username"), c.post_form("password"));
        c.json(200, &json!({"username": username, "password": password}));
    })?;
    Ok(engine)
}

fn main() -> ExitCode {
    web::cli::serve("127.0.0.1:9999", engine())
}
