//! Which answer a method and a path get, and what runs on the way.

use crate::{Engine, Error, Request, Response};

/// An engine whose middleware marks every answer that it saw.
fn engine() -> Engine {
    let mut engine = Engine::new();
    engine.middleware(|c| {
        c.next();
        c.set_header("Seen", "yes");
    });
    engine
}

fn ask(engine: &Engine, method: &str, target: &str) -> Response {
    let response = engine.handle(Request::new(method, target));
    assert_eq!(response.headers.get("Seen"), Some("yes"), "{method} {target}");
    response
}

fn told(response: Response) -> (u16, String) {
    (response.status(), String::from_utf8(response.into_bytes().unwrap()).unwrap())
}

#[test]
fn head_options_and_other_methods_are_answered_by_what_is_routed() {
    let mut engine = engine();
    engine.get("/a", |c| c.string(200, "get")).unwrap();
    engine.put("/a", |c| c.string(200, "put")).unwrap();
    engine.head("/own", |c| c.set_header("Own", "1")).unwrap();
    engine.get("/own", |c| c.string(200, "get")).unwrap();
    engine.route("PURGE", "/cache", |c| c.status(204)).unwrap();
    assert_eq!(told(ask(&engine, "HEAD", "/a")), (200, "get".to_owned()), "the server cuts it off");
    assert_eq!(ask(&engine, "HEAD", "/own").headers.get("Own"), Some("1"));
    for (method, target, status, allow) in [
        ("OPTIONS", "/a", 204, "GET, HEAD, OPTIONS, PUT"),
        ("POST", "/a", 405, "GET, HEAD, OPTIONS, PUT"),
        ("get", "/a", 405, "GET, HEAD, OPTIONS, PUT"),
        ("GET", "/cache", 405, "OPTIONS, PURGE"),
        ("HEAD", "/cache", 405, "OPTIONS, PURGE"),
        ("OPTIONS", "*", 204, "GET, HEAD, OPTIONS, PURGE, PUT"),
    ] {
        let response = ask(&engine, method, target);
        assert_eq!((response.status(), response.headers.get("Allow")), (status, Some(allow)));
    }
    assert_eq!(ask(&engine, "PURGE", "/cache").status(), 204);
}

#[test]
fn any_takes_seven_methods_and_no_route_the_rest() {
    let mut engine = engine();
    engine
        .group("/v1")
        .any("/x", |c| {
            let method = c.method().to_owned();
            c.string(200, method);
        })
        .unwrap();
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        assert_eq!(told(ask(&engine, method, "/v1/x")), (200, method.to_owned()));
    }
    assert_eq!(ask(&engine, "TRACE", "/v1/x").status(), 405);
    assert_eq!(told(ask(&engine, "GET", "/none")), (404, "404 NOT FOUND: /none\n".to_owned()));
    engine.no_route(|c| c.json(404, &crate::json!({"lost": (c.path())})));
    assert_eq!(told(ask(&engine, "GET", "/none")), (404, "{\"lost\":\"/none\"}\n".to_owned()));
}

#[test]
fn a_slash_is_redirected_only_when_asked_and_never_to_another_host() {
    let mut engine = engine();
    engine.post("/b", |_| {}).unwrap();
    assert_eq!(ask(&engine, "POST", "/b/").status(), 404, "off at first");
    engine.redirect_slash = true;
    engine.get("/a/:name/", |_| {}).unwrap();
    engine.get("/:any", |_| {}).unwrap();
    for (method, target, status, location) in [
        ("GET", "/a/x%20y?q=1&r", 301, Some("/a/x%20y/?q=1&r")),
        ("HEAD", "/a/x", 301, Some("/a/x/")),
        ("POST", "/b/?q", 308, Some("/b?q")),
        ("GET", "/c/", 301, Some("/c")),
        ("GET", "//evil.example/", 404, None),
        ("GET", "/%2Fevil.example/", 404, None),
        ("GET", "/%5Cevil.example/", 404, None),
        ("GET", "/none/at/all", 404, None),
    ] {
        let response = ask(&engine, method, target);
        let found = (response.status(), response.headers.get("Location"));
        assert_eq!(found, (status, location), "{method} {target}");
    }
}

#[test]
fn what_cannot_be_registered_says_why() {
    let mut engine = Engine::new();
    engine.get("/a/:id", |_| {}).unwrap();
    let mut group = engine.group("/a");
    let why = |result: crate::Result<()>| result.unwrap_err().to_string();
    assert_eq!(
        why(group.get("/:name", |_| {})),
        r#"route GET "/a/:name" matches the same paths as "/a/:id""#
    );
    assert_eq!(why(group.route("G T", "/x", |_| {})), r#"route "/a/x": the method is not a token"#);
    assert_eq!(why(engine.get("x", |_| {})), r#"route "x": it must begin with a slash"#);
    // Another method is another tree.
    engine.put("/a/:name", |_| {}).unwrap();
    assert!(matches!(engine.static_file("/f", "no/such/file"), Err(Error::Io { .. })));
    engine.static_file("/f", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).unwrap();
    let file = engine.handle(Request::new("GET", "/f")).into_bytes().unwrap();
    assert!(file.starts_with(b"[package]"));
}

fn route_table(_: &Engine) -> String {
    String::new() // your table here
}

fn versioned(_: &mut Engine) {
    // your group here
}

/// Write the table that a server prints at its start, one route per line, the methods to the right.
#[test]
#[ignore = "an exercise: the route table"]
fn exercise_route_table() {
    let mut engine = Engine::new();
    engine.get("/", |_| {}).unwrap();
    engine.group("/v1").delete("/users/:id", |_| {}).unwrap();
    assert_eq!(route_table(&engine), "   GET /\nDELETE /v1/users/:id\n");
}

/// Make a group `/v1` with `GET /ping` answering `pong`, all of whose answers have `Api-Version: 1`.
#[test]
#[ignore = "an exercise: a group with a version"]
fn exercise_versioned_group() {
    let mut engine = Engine::new();
    engine.get("/ping", |c| c.string(200, "bare")).unwrap();
    versioned(&mut engine);
    let ping = engine.handle(Request::new("GET", "/v1/ping"));
    assert_eq!(ping.headers.get("Api-Version"), Some("1"));
    assert_eq!(told(ping), (200, "pong".to_owned()));
    let bare = engine.handle(Request::new("GET", "/ping"));
    assert_eq!(bare.headers.get("Api-Version"), None);
}
