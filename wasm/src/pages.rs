//! The playground's routes and pages.
//!
//! | path | what |
//! |---|---|
//! | `/` | the five systems and their days ([`systems`]) |
//! | `/web` | your request and an answer, every byte named ([`inspect`], [`answer`](crate::answer)); the route tree ([`tree`]) |
//! | `/orm` and below | a database, every byte named ([`orm_page`]) |
//! | `/cache` | nodes of the cache, live ([`cache_page`]) |
//! | `/rpc` | a registry and servers, live ([`rpc_page`]) |
//! | `/wasm`, `/wasm/:page` | the four demos and the state of their build ([`demos`](crate::demos)) |
//! | `/hello/:name`, `/hello/b/c` | the tutorial's routes, so that the tree has something to choose |
//! | `/source/*file` | the sources that pages name ([`source`]) |
//! | `/static/*file` | style and scripts ([`assets`]) |
//!
//! Pages are templates of ours (`wasm/pages/*.html`), compiled into the program like all files.
//! They are checked when the engine is made: a page with a mistake never starts the server.

use std::sync::{Arc, OnceLock};

use web::{Context, Engine, Result, json};

use crate::answer::Answerer;
use crate::demos::Demos;
use crate::live::Streams;
use crate::{assets, cache_page, inspect, orm_page, rpc_page, source, systems, tree};

/// What all pages share.
pub(crate) const LAYOUT: &str = include_str!("../pages/layout.html");

/// Name and source of each page, and of the parts that all share.
const PAGES: &[(&str, &str)] = &[
    ("layout", LAYOUT),
    ("home", include_str!("../pages/home.html")),
    ("web", include_str!("../pages/web.html")),
    ("orm", include_str!("../pages/orm.html")),
    ("wasm", include_str!("../pages/wasm.html")),
    ("missing", include_str!("../pages/missing.html")),
];

/// Methods and patterns of an engine, known once all are registered.
type Routes = Arc<OnceLock<Vec<(String, String)>>>;

/// The whole playground, ready to be served.
///
/// # Errors
/// [`web::Error`] for a page with a mistake or a pattern that cannot be registered; the tests make
/// every page, so none of ours is.
pub fn engine(demos: &Demos) -> Result<Engine> {
    let mut engine = Engine::default();
    engine.log_routes = false;
    for (name, source) in PAGES {
        engine.add_template(name, source)?;
    }
    engine.get("/", |c| c.render(200, "home", &json!({"systems": (systems::as_json())})))?;
    // A handler cannot look into the engine that owns it, so the list is handed in afterwards.
    let routes = Routes::default();
    let answerer = Arc::new(Answerer::start()?);
    for method in ["GET", "POST"] {
        let (routes, answerer) = (Arc::clone(&routes), Arc::clone(&answerer));
        engine.route(method, "/web", move |c| web_page(c, &routes, &answerer))?;
    }
    let streams = Streams::default();
    cache_page::register(&mut engine, &streams)?;
    orm_page::register(&mut engine, &streams)?;
    rpc_page::register(&mut engine, &streams)?;
    demos.register(&mut engine, &streams)?;
    engine.get("/hello/:name", hello)?;
    engine.get("/hello/b/c", hello)?;
    source::register(&mut engine, demos.repository())?;
    engine.get("/static/*file", assets::answer)?;
    engine.no_route(|c| {
        let data = json!({"path": (c.path())});
        c.render(404, "missing", &data);
    });
    let all = engine.routes().map(|(method, pattern)| (method.to_owned(), pattern.to_owned()));
    routes.get_or_init(|| all.collect());
    Ok(engine)
}

/// The request as it came, the answer to `?ask=`, and the tree with the way of `?path=`.
fn web_page(c: &mut Context, routes: &Routes, answerer: &Answerer) {
    // A body that breaks its framing has been answered for; the head can be shown all the same.
    let body = c.body().map(<[u8]>::to_vec).unwrap_or_default();
    let pieces = inspect::request::pieces(&c.request, &body);
    let bytes = [c.request.head(), &body].concat();
    let all = routes.get().map(Vec::as_slice).unwrap_or_default();
    let patterns: Vec<&str> =
        all.iter().filter(|(method, _)| method == "GET").map(|(_, pattern)| &**pattern).collect();
    let data = json!({
        "request": (inspect::as_json(&bytes, &pieces)),
        "answer": (answerer.as_json(&c.query("ask"))),
        "tree": (tree::as_json("GET", &patterns, &c.query("path"))),
    });
    c.render(200, "web", &data);
}

fn hello(c: &mut Context) {
    let name = if c.param("name").is_empty() { "b and c" } else { c.param("name") };
    let text = format!("hello {name}, you're at {}\n", c.path());
    c.string(200, text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::Places;
    use web::Request;

    fn playground() -> Engine {
        let places = Places { sources: "none".into(), out: "none".into(), offline: true };
        engine(&Demos::new(places, true)).unwrap()
    }

    fn get(path: &str) -> (u16, String) {
        let response = playground().handle(Request::new("GET", path));
        (response.status(), String::from_utf8(response.into_bytes().unwrap()).unwrap())
    }

    #[test]
    fn every_page_is_whole_and_refers_to_nothing_outside() {
        for (path, status) in [
            ("/", 200),
            ("/web", 200),
            ("/web?path=/hello/x", 200),
            ("/orm", 200),
            ("/orm?page=1&sql=%3C/textarea%3E", 200),
            ("/cache", 200),
            ("/rpc", 200),
            ("/wasm", 200),
            ("/no", 404),
        ] {
            let (got, page) = get(path);
            assert_eq!(got, status, "{path}");
            assert!(
                page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"),
                "{path}"
            );
            for attribute in ["src=\"", "href=\""] {
                for url in page.split(attribute).skip(1) {
                    assert!(url.starts_with(['/', '#']), "{path}: {attribute}{url:.60}");
                }
            }
        }
    }

    #[test]
    fn a_path_and_a_query_are_text_on_the_page() {
        let (_, page) = get("/web?path=/hello/%3Ci%3E%22");
        assert!(!page.contains("<i>") && page.contains("/hello/&lt;i&gt;&#34;"), "{page}");
        assert!(get("/%3Cscript%3E").1.contains("&lt;script&gt;"));
    }

    #[test]
    fn static_files_have_their_types() {
        for (path, content_type) in [
            ("/static/style.css", "text/css; charset=utf-8"),
            ("/static/inspect.js", "text/javascript; charset=utf-8"),
            ("/static/icon.svg", "image/svg+xml"),
        ] {
            let response = playground().handle(Request::new("GET", path));
            assert_eq!(response.headers.get("Content-Type"), Some(content_type));
            assert!(!response.into_bytes().unwrap().is_empty());
        }
        assert_eq!(get("/static/../Cargo.toml").0, 404);
    }

    #[test]
    fn the_tree_shows_the_routes_that_answer() {
        let (_, page) = get("/web?path=/hello/gee");
        assert!(page.contains("GET /hello /:name"), "{page}");
        assert_eq!(get("/hello/gee").1, "hello gee, you're at /hello/gee\n");
        assert_eq!(get("/hello/b/c").1, "hello b and c, you're at /hello/b/c\n");
    }
}
