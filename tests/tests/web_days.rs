//! The seven days of `web` from outside: each example is started as a reader would start it and
//! asked what the Go tutorial's program was asked. Deviations carry the number of the defect that
//! they mend.

#![cfg(test)]

use std::io::{Read, Write};
use std::net::TcpStream;

use tests::{Running, example};
use web::{Answer, Client, Outgoing};

fn start(name: &str) -> Running {
    Running::start(&example("web", name), &["--addr", "127.0.0.1:0"], 1)
}

fn ask(server: &Running, method: &str, target: &str, form: &str) -> Answer {
    let mut request = Outgoing::new(method, &format!("http://{}{target}", server.addr()));
    if !form.is_empty() {
        request = request.header("Content-Type", "application/x-www-form-urlencoded").body(form);
    }
    Client::new().send(request).unwrap()
}

/// Status, Content-Type and body, as text.
fn get(server: &Running, target: &str) -> (u16, String, String) {
    told(ask(server, "GET", target, ""))
}

fn told(answer: Answer) -> (u16, String, String) {
    let content_type = answer.headers.get("Content-Type").unwrap_or_default().to_owned();
    (answer.status, content_type, String::from_utf8(answer.body).unwrap())
}

const TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";

/// Asserts a table of GETs: target, status, type, body.
fn check(server: &Running, rows: &[(&str, u16, &str, &str)]) {
    for &(target, status, content_type, body) in rows {
        let want = (status, content_type.to_owned(), body.to_owned());
        assert_eq!(get(server, target), want, "GET {target}");
    }
}

/// The log's `Route` lines, times cut off.
fn routes(log: &str) -> Vec<&str> {
    log.lines().filter_map(|line| Some(&line[line.find("Route")?..])).collect()
}

#[test]
fn day1_every_request_comes_through_one_door() {
    let server = start("day1_http_base");
    let not_found = "404 NOT FOUND: /world?x=1\n";
    check(&server, &[("/", 200, TEXT, "URL.Path = \"/\"\n"), ("/world?x=1", 404, TEXT, not_found)]);
    let post = ask(&server, "POST", "/", "");
    assert_eq!(told(post), (404, TEXT.to_owned(), "404 NOT FOUND: /\n".to_owned()), "WEB-9");
    let request = Outgoing::new("GET", &format!("http://{}/hello", server.addr()));
    let request = request.header("Accept", "*/*").header("X-A", "1").header("X-A", "say \"2\"");
    let body = told(Client::new().send(request).unwrap()).2;
    assert_eq!(
        body,
        "Header[\"Accept\"] = [\"*/*\"]\nHeader[\"X-A\"] = [\"1\" \"say \\\"2\\\"\"]\n"
    );
    let log = server.log_with("/hello");
    assert_eq!(routes(&log), ["Route  GET - /", "Route  GET - /hello"]);
}

#[test]
fn day2_a_context_answers_text_html_and_json() {
    let server = start("day2_context");
    check(
        &server,
        &[
            ("/", 200, HTML, "<h1>Hello Gee</h1>"),
            ("/hello?name=geektutu", 200, TEXT, "hello geektutu, you're at /hello\n"),
            ("/hello?name=a+b%26c&name=second", 200, TEXT, "hello a b&c, you're at /hello\n"),
            ("/hello", 200, TEXT, "hello , you're at /hello\n"),
            ("/xxx?y", 404, TEXT, "404 NOT FOUND: /xxx\n"),
        ],
    );
    let login = |target, form| told(ask(&server, "POST", target, form));
    let json = |text: &str| (200, JSON.to_owned(), text.to_owned());
    let want = json("{\"password\":\"1234\",\"username\":\"geektutu\"}\n");
    assert_eq!(login("/login", "username=geektutu&password=1234"), want);
    let mixed = json("{\"password\":\"z\",\"username\":\"q\"}\n");
    assert_eq!(login("/login?username=q", "password=z"), mixed);
    let escaped = json("{\"password\":\"\",\"username\":\"\\u003cb\\u003e\"}\n");
    assert_eq!(login("/login", "username=%3Cb%3E"), escaped);
    let log = server.log_with("/login");
    assert_eq!(routes(&log), ["Route  GET - /", "Route  GET - /hello", "Route POST - /login"]);
}

#[test]
fn day3_wildcards_match_a_segment_or_the_rest() {
    let server = start("day3_router");
    check(
        &server,
        &[
            ("/hello/geektutu", 200, TEXT, "hello geektutu, you're at /hello/geektutu\n"),
            ("/hello/gee%20tutu", 200, TEXT, "hello gee tutu, you're at /hello/gee tutu\n"),
            ("/assets/css/geektutu.css", 200, JSON, "{\"filepath\":\"css/geektutu.css\"}\n"),
            ("/assets/*x/b", 200, JSON, "{\"filepath\":\"*x/b\"}\n"), // WEB-7
            ("/assets/", 404, TEXT, "404 NOT FOUND: /assets/\n"),
            ("//hello///x", 404, TEXT, "404 NOT FOUND: //hello///x\n"), // WEB-8
        ],
    );
    // WEB-10: HEAD through GET, 405 with Allow.
    let head = ask(&server, "HEAD", "/", "");
    assert_eq!(
        (head.status, head.headers.get("Content-Length"), &*head.body),
        (200, Some("18"), &b""[..])
    );
    let put = ask(&server, "PUT", "/", "");
    assert_eq!((put.status, put.headers.get("Allow")), (405, Some("GET, HEAD, OPTIONS")));
    let options = ask(&server, "OPTIONS", "/", "");
    assert_eq!((options.status, options.headers.get("Allow")), (204, Some("GET, HEAD, OPTIONS")));
}

#[test]
fn day4_groups_share_a_prefix() {
    let server = start("day4_group");
    check(
        &server,
        &[
            ("/index", 200, HTML, "<h1>Index Page</h1>"),
            ("/v1/", 200, HTML, "<h1>Hello Gee</h1>"),
            ("/v1/hello?name=geektutu", 200, TEXT, "hello geektutu, you're at /v1/hello\n"),
            ("/v2/hello/geektutu", 200, TEXT, "hello geektutu, you're at /v2/hello/geektutu\n"),
            ("/hello", 404, TEXT, "404 NOT FOUND: /hello\n"),
            ("/v1", 404, TEXT, "404 NOT FOUND: /v1\n"), // WEB-8: slashes count
        ],
    );
    let login = told(ask(&server, "POST", "/v2/login", "username=geektutu&password=1234"));
    assert_eq!(login.2, "{\"password\":\"1234\",\"username\":\"geektutu\"}\n");
    let log = server.log_with("/v2/login");
    let want = ["GET - /index", "GET - /v1/", "GET - /v1/hello", "GET - /v2/hello/:name"];
    let want: Vec<_> = want.iter().map(|line| format!("Route  {line}")).collect();
    assert_eq!(routes(&log)[..4], want);
    assert_eq!(routes(&log)[4..], ["Route POST - /v2/login"]);
}

#[test]
fn day5_a_group_fails_and_the_logger_says_what_was_sent() {
    let server = start("day5_middleware");
    check(
        &server,
        &[
            ("/", 200, HTML, "<h1>Hello Gee</h1>"),
            ("/v2/hello/geektutu", 500, JSON, "{\"message\":\"Internal Server Error\"}\n"),
            ("/v20/x", 404, TEXT, "404 NOT FOUND: /v20/x\n"), // WEB-4
        ],
    );
    let log = server.log_with("[404] /v20/x in ");
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("] /")).collect();
    let starts = [
        "[200] / in ",
        "[500] /v2/hello/geektutu in ",
        "[500] /v2/hello/geektutu in ",
        "[404] /v20/x in ",
    ];
    for (line, want) in lines.iter().zip(starts) {
        assert!(line[20..].starts_with(want), "{line} does not say {want}");
    }
    assert!(lines[1].ends_with(" for group v2") && !lines[2].ends_with("v2"), "{lines:?}");
}

#[test]
fn day6_templates_and_static_files_are_the_tutorials_to_the_byte() {
    let server = start("day6_template");
    let css = "<html>\n    <link rel=\"stylesheet\" href=\"/assets/css/geektutu.css\">\n    \
        <p>geektutu.css is loaded</p>\n</html>";
    let students = "\n<html>\n<body>\n    <p>hello, gee</p>\n    \n    \
        <p>0: Geektutu is 20 years old</p>\n    \n    <p>1: Jack is 22 years old</p>\n    \n</body>\n</html>";
    let date = "\n<html>\n<body>\n    <p>hello, gee</p>\n    <p>Date: 2019-08-17</p>\n</body>\n</html>\n\n";
    assert_eq!([css.len(), students.len(), date.len()], [108, 141, 82]);
    let style = "p {\n    color: orange;\n    font-weight: 700;\n    font-size: 20px;\n}\n";
    check(
        &server,
        &[
            ("/", 200, HTML, css),
            ("/students", 200, HTML, students),
            ("/date", 200, HTML, date),
            ("/assets/css/geektutu.css", 200, "text/css; charset=utf-8", style),
            ("/assets/file1.txt", 200, TEXT, "I'm file1\nI'm file1\nI'm file1\n"),
            ("/assets/none.txt", 404, "", ""),
            ("/assets/css/", 404, "", ""), // WEB-13: no listing
            ("/assets/../main.rs", 404, "", ""),
            ("/assets/%2e%2e/main.rs", 404, "", ""),
        ],
    );
    let style = ask(&server, "GET", "/assets/css/geektutu.css", "");
    let modified = style.headers.get("Last-Modified").unwrap();
    assert_eq!(style.headers.get("Content-Length"), Some("68"));
    let url = format!("http://{}/assets/css/geektutu.css", server.addr());
    let again = Client::new()
        .send(Outgoing::new("GET", &url).header("If-Modified-Since", modified))
        .unwrap();
    assert_eq!((again.status, again.body.len()), (304, 0));
    let directory = ask(&server, "GET", "/assets/css", "");
    assert_eq!((directory.status, directory.headers.get("Location")), (301, Some("css/")));
    let log = server.log_with("[301] /assets/css in ");
    assert!(log.contains("Route  GET - /assets/*filepath"));
    assert!(log.contains("[200] /assets/css/geektutu.css in "), "WEB-11: {log}");
    // WEB-12: Go's server kept one descriptor open for each of these.
    #[cfg(target_os = "linux")]
    {
        let open = || std::fs::read_dir(format!("/proc/{}/fd", server.id())).unwrap().count();
        let client = Client::new();
        let before = open();
        (0..50).for_each(|_| assert_eq!(client.get(&url).unwrap().status, 200));
        assert!(open() <= before + 2, "{} descriptors, {before} before", open());
    }
}

#[test]
fn day7_a_panic_costs_one_answer() {
    let server = start("day7_panic_recover");
    let failed = "{\"message\":\"Internal Server Error\"}\n";
    check(
        &server,
        &[
            ("/", 200, TEXT, "Hello Geektutu\n"),
            ("/panic", 500, JSON, failed),
            ("/panic", 500, JSON, failed),
            ("/", 200, TEXT, "Hello Geektutu\n"),
        ],
    );
    let log = server.log_with("[500] /panic in ");
    assert!(log.contains("index out of bounds: the len is 1 but the index is 100\nTraceback:\n\t"));
    assert!(log.contains("day7_panic_recover.rs:"), "{log}");
}

#[test]
fn hello_and_echo_keep_their_contract() {
    let hello = start("hello");
    check(
        &hello,
        &[
            ("/", 200, TEXT, "hello world"),
            ("/user/7", 200, TEXT, "7"),
            ("/json", 200, JSON, "{\"id\":42,\"message\":\"hello world\",\"ok\":true}\n"),
        ],
    );
    let echo = start("echo");
    let mut stream = TcpStream::connect(echo.addr()).unwrap();
    let head = "PURGE /a%20b?c=+d HTTP/1.1\r\nHost:   x \r\nConnection: close\r\n";
    let body = "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200 OK\r\n")
            && answer.contains(&format!("Content-Type: {TEXT}\r\n"))
    );
    let (_, said) = answer.split_once("\r\n\r\n").unwrap();
    assert_eq!(said, format!("{head}Transfer-Encoding: chunked\r\n\r\nabc"));
    let refused = ask(&echo, "CONNECT", "/x", "");
    assert!(matches!(refused.status, 405 | 501), "{}", refused.status);
}
