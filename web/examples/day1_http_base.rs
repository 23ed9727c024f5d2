//! Day 1: one entry point for every request, and a flat table of routes.
//!
//! ```text
//! curl http://127.0.0.1:9999/          URL.Path = "/"
//! curl http://127.0.0.1:9999/hello     Header["Accept"] = ["*/*"]    and so on, a line per field
//! curl http://127.0.0.1:9999/world     404 NOT FOUND: /world
//! ```

use std::collections::HashMap;
use std::process::ExitCode;

use web::{Handler, Request, Response, Server};

type HandlerFn = fn(&Request, &mut Response);

/// The tutorial's first engine: handlers by `METHOD-path`.
#[derive(Default)]
struct Routes {
    table: HashMap<String, HandlerFn>,
}

impl Routes {
    fn add(&mut self, method: &str, path: &str, handler: HandlerFn) {
        web::log::line(format_args!("Route {method:>4} - {path}"));
        self.table.insert(format!("{method}-{path}"), handler);
    }
}

impl Handler for Routes {
    fn serve(&self, request: &mut Request, response: &mut Response) {
        let key = format!("{}-{}", request.method(), request.path());
        if let Some(handler) = self.table.get(&key) {
            return handler(request, response);
        }
        response.set_status(404);
        let target = String::from_utf8_lossy(request.target());
        *response.body() = format!("404 NOT FOUND: {target}\n").into_bytes();
    }
}

fn index(request: &Request, response: &mut Response) {
    *response.body() = format!("URL.Path = {:?}\n", request.path()).into_bytes();
}

/// One line per field name: `Header["Accept"] = ["*/*"]`. Like Go, without Host.
fn hello(request: &Request, response: &mut Response) {
    let mut text = String::new();
    let mut seen: Vec<String> = vec!["host".to_owned()];
    for (name, _) in request.headers().iter() {
        if !seen.contains(&name.to_ascii_lowercase()) {
            seen.push(name.to_ascii_lowercase());
            let values: Vec<_> =
                request.headers().get_all(name).map(|value| format!("{value:?}")).collect();
            text += &format!("Header[{name:?}] = [{}]\n", values.join(" "));
        }
    }
    *response.body() = text.into_bytes();
}

fn main() -> ExitCode {
    let mut routes = Routes::default();
    routes.add("GET", "/", index);
    routes.add("GET", "/hello", hello);
    web::cli::serve("127.0.0.1:9999", Ok(Server::new(routes)))
}
