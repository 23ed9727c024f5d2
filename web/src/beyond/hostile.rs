//! Requests whose fields and queries were changed by chance, against everything that reads them;
//! and what comes of it must be an answer with exactly the header fields that we meant to send.

use std::time::Duration;

use super::auth::basic_auth;
use super::client_ip::trust_proxies;
use super::cookies::{Cookie, SameSite};
use super::cors::Cors;
use crate::connection::Connection;
use crate::random::{Random, rounds};
use crate::{Engine, Limits, Request, Response};

const SEEDS: &[&str] = &[
    "GET /go?to=/there HTTP/1.1\r\nHost: a\r\nCookie: a=1; b=\"x=y\"\r\nAuthorization: Basic Z2VlOnR1dHU=\r\n\r\n",
    "GET /cookie?value=a3fWa&path=/x HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.2.3.4, ::1\r\nAuthorization: Basic Z2VlOnR1dHU=\r\n\r\n",
    "GET /save?name=report.pdf HTTP/1.1\r\nHost: a\r\nOrigin: https://a.example\r\nAuthorization: basic Z2VlOnR1dHU\r\n\r\n",
    "OPTIONS /save HTTP/1.1\r\nHost: a\r\nOrigin: https://a.example\r\nAccess-Control-Request-Method: PUT\r\n\r\n",
    "GET /set?name=X-Mine&value=%e4%bd%a0 HTTP/1.1\r\nHost: a\r\nAuthorization: Basic Z2VlOnR1dHU=\r\n\r\n",
    "GET /nowhere HTTP/1.1\r\nHost: a\r\nAuthorization: Basic Z2VlOnR1dHU=\r\n\r\n",
];

/// What hurts: line ends raw and encoded, separators, quotes, numbers that overflow.
const PIECES: &[&str] = &[
    "%0d%0aX-Evil:%201",
    "%0a",
    "%0D",
    "%00",
    "%3b",
    "%22",
    "%5c",
    "%7f",
    "%c3",
    "%",
    "&",
    "=",
    ";",
    ",",
    "\"",
    "\\",
    "é",
    "\t",
    "%2f%2f",
    "..",
    ":",
    "999999999999",
    "::ffff:1.1.1.1",
    "/",
    "+",
    " ",
    "a=",
    "Cookie: a=2\r\n",
];

fn engine() -> Engine {
    let mut engine = Engine::new();
    engine.redirect_slash = true;
    engine.middleware(trust_proxies(&["10.0.0.0/8", "::1"]).unwrap());
    engine.middleware(Cors::origins(&["https://a.example"]).credentials().middleware());
    engine.middleware(basic_auth("house", &[("gee", "tutu")]));
    engine
        .get("/go", |c| {
            let to = c.query("to");
            c.redirect(302, &to);
        })
        .unwrap();
    engine
        .get("/cookie", |c| {
            let (value, path, name) =
                (c.query("value"), c.query("path"), c.default_query("name", "n"));
            let ip = c.client_ip().map(|ip| ip.to_string()).unwrap_or_default();
            let seen = format!("{ip} {:?} {:?}", c.cookie("a"), c.query_array("value"));
            let cookie = Cookie::new(&name, &value).path(&path).domain(&value);
            c.set_cookie(&cookie.max_age(Duration::from_secs(1)).same_site(SameSite::Lax));
            c.string(200, seen);
        })
        .unwrap();
    engine
        .get("/save", |c| {
            let name = c.query("name");
            c.attachment(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"), &name);
        })
        .unwrap();
    engine
        .get("/set", |c| {
            let (name, value) = (c.query("name"), c.query("value"));
            c.set_header(&name, &value);
            c.string(200, value);
        })
        .unwrap();
    engine
}

/// The answer's head as it would be sent: a status line, then fields that are tokens and values.
fn check(mut response: Response) {
    let wanted: Vec<String> = response.headers.iter().map(|(name, _)| name.to_owned()).collect();
    let mut connection = Connection::from_memory(Vec::new());
    // HEAD: what a file holds does not matter here.
    response.send(&mut connection, true, 1, false).unwrap();
    let head = String::from_utf8(std::mem::take(&mut connection.output)).unwrap();
    let mut lines = head.strip_suffix("\r\n\r\n").unwrap().split("\r\n");
    assert!(lines.next().unwrap().starts_with("HTTP/1.1 "));
    let added = ["Date", "Content-Length", "Content-Type"];
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        assert!(crate::http::is_field_value(value.as_bytes()), "{head:?}");
        assert!(added.contains(&name) || wanted.iter().any(|n| n == name), "{head:?}");
        assert!(!name.eq_ignore_ascii_case("X-Evil") || wanted.iter().any(|n| n == name));
    }
}

#[test]
fn no_request_writes_a_header_of_its_own() {
    let (engine, limits) = (engine(), Limits::default());
    let (mut random, mut answered) = (Random(6), 0);
    for _ in 0..rounds(20_000) {
        let seed = random.of(SEEDS);
        let input = random.change(seed.as_bytes(), PIECES);
        let mut request = Request::default();
        if let Ok(Some(_)) = request.parse(&input, &limits) {
            request.peer = Some("10.0.0.2:5".parse().unwrap());
            check(engine.handle(request));
            answered += 1;
        }
    }
    assert!(answered > 5_000, "only {answered} requests got that far");
}
