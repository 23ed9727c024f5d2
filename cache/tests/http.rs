//! What a node answers to what requests, without a socket.

#![cfg(test)]

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
