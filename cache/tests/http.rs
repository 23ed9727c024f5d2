//! What a node answers to what requests, without a socket.

#![cfg(test)]

use std::sync::{Arc, Mutex};

use cache::{Dialect, Error, Group, Groups, HttpPool};
use web::{Request, Response};

/// Status, type, nosniff and body of the answer to one request.
fn ask(dialect: Dialect, method: &str, target: &str) -> (u16, String, bool, Vec<u8>) {
    let groups = Groups::default();
    let getter = |key: &[u8]| match key {
        b"Tom" => Ok(b"630".to_vec()),
        b"empty" => Ok(Vec::new()),
        b"kkk" => Err(Error::not_found(key)),
        b"broken" => Err(Error::load("the source is down")),
        _ => Ok(key.to_vec()),
    };
    groups.add(Group::new("scores", 2048, getter)).unwrap();
    let pool = HttpPool::new("http://localhost:8001", dialect);
    let mut response = Response::new();
    pool.serve(&groups, &Request::new(method, target), &mut response);
    let kind = response.headers.get("Content-Type").unwrap_or_default().to_owned();
    let nosniff = response.headers.get("X-Content-Type-Options") == Some("nosniff");
    (response.status(), kind, nosniff, response.into_bytes().unwrap())
}

#[test]
fn the_table_of_the_chapter() {
    const TEXT: &str = "text/plain; charset=utf-8";
    const OCTETS: &str = "application/octet-stream";
    const CASES: &[(&str, u16, &str, &[u8])] = &[
        ("/_geecache/scores/Tom", 200, OCTETS, b"630"),
        ("/_geecache/scores/Tom?x=1", 200, OCTETS, b"630"),
        ("/_geecache/scores/a%20b%2Fc+d/e", 200, OCTETS, b"a b/c+d/e"),
        ("/_geecache/scores/%FF%00", 200, OCTETS, b"\xff\0"),
        ("/_geecache/scores%2FTom", 200, OCTETS, b"630"),
        ("/_geecache/scores/kkk", 404, TEXT, b"kkk not exist\n"),
        ("/_geecache/scores/broken", 500, TEXT, b"the source is down\n"),
        ("/_geecache/scores/", 500, TEXT, b"key is required\n"),
        ("/_geecache/other/Tom", 404, TEXT, b"no such group: other\n"),
        ("/_geecache/scores", 400, TEXT, b"bad request\n"),
        ("/", 404, TEXT, b"404 page not found; peers ask under /_geecache/\n"),
    ];
    for &(target, status, kind, body) in CASES {
        for method in ["GET", "POST"] {
            let answer = ask(Dialect::raw(), method, target);
            assert_eq!(answer, (status, kind.into(), status != 200, body.into()), "{target}");
        }
    }
}

#[test]
fn bodies_of_day_seven() {
    let body = |key| ask(Dialect::geecache(), "GET", &format!("/_geecache/scores/{key}")).3;
    assert_eq!(body("Tom"), [0x0a, 3, 0x36, 0x33, 0x30]);
    assert_eq!(body("empty"), []);
}

#[test]
fn the_groupcache_dialect_answers_as_go_does() {
    const TEXT: &str = "text/plain; charset=utf-8";
    const PROTOBUF: &str = "application/x-protobuf";
    const CASES: &[(&str, u16, &str, &[u8])] = &[
        ("scores/Tom", 200, PROTOBUF, b"\x0a\x03630"),
        ("scores/empty", 200, PROTOBUF, b"\x0a\x00"),
        ("scores/kkk", 500, TEXT, b"kkk not exist\n"),
        ("other/Tom", 404, TEXT, b"no such group: other\n"),
        ("scores", 400, TEXT, b"bad request\n"),
    ];
    for &(path, status, kind, body) in CASES {
        let answer = ask(Dialect::groupcache(), "GET", &format!("/_groupcache/{path}"));
        assert_eq!(answer, (status, kind.into(), status != 200, body.into()), "{path}");
    }
}

#[test]
fn a_key_from_outside_cannot_write_lines_of_the_log() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    let pool = HttpPool::new("http://localhost:8001", Dialect::raw())
        .log(move |line| sink.lock().unwrap().push(line.to_owned()));
    for target in ["/_geecache/scores/Tom", "/_geecache/scores/%E4%BD%A0%0A[Server]%20forged%FF"] {
        pool.serve(&Groups::default(), &Request::new("GET", target), &mut Response::new());
    }
    let start = "[Server http://localhost:8001] GET /_geecache/scores/";
    let want = ["Tom", "你\u{fffd}[Server] forged\u{fffd}"].map(|key| format!("{start}{key}"));
    assert_eq!(*lines.lock().unwrap(), want);
}

#[test]
fn the_statistics_are_one_json_object() {
    let groups = Groups::default();
    let getter = |key: &[u8]| match key {
        b"kkk" => Err(Error::not_found(key)),
        _ => Ok("630"),
    };
    let scores = Group::new("scores", 2048, getter);
    let scores = groups.add(scores.hot_cache(10)).unwrap();
    scores.get("Tom").unwrap();
    scores.get("Tom").unwrap();
    scores.get_for_peer(b"kkk").unwrap_err();
    let pool = HttpPool::new("http://localhost:8001", Dialect::geecache());
    let mut response = Response::new();
    pool.serve(&groups, &Request::new("GET", "/stats"), &mut response);
    assert_eq!(response.headers.get("Content-Type"), Some("application/json"));
    // Names in order. The hot cache is also asked by the leaders of flights, once more: 2 + 2 + 1 times.
    let want = concat!(
        r#"{"scores":{"cache_hits":1,"caches":{"#,
        r#""hot":{"bytes":0,"evictions":0,"gets":5,"hits":0,"items":0},"#,
        r#""main":{"bytes":6,"evictions":0,"gets":3,"hits":1,"items":1}},"#,
        r#""gets":3,"loads":2,"loads_deduped":2,"local_load_errs":1,"local_loads":1,"#,
        r#""peer_errors":0,"peer_loads":0,"server_requests":1}}"#,
    );
    assert_eq!(String::from_utf8(response.into_bytes().unwrap()).unwrap(), want);
}
