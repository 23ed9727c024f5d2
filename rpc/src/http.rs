//! Day 5: calls through an HTTP server, and a page to look at.
//!
//! **At the end** RPC and web pages share a port, and a page shows what was called. Ten minutes.
//!
//! # Why: what is CONNECT for? (asked most often)
//! An HTTP server owns its connections. CONNECT, made for proxies, is HTTP's own way to ask for the
//! connection itself: after the answer the two sides speak what they like. So an RPC server can live
//! beside web pages, behind one address.
//!
//! ```text
//! client                                   web server
//! CONNECT /_geeprc_ HTTP/1.0 LF LF  ─────►  a route like any other: its handler
//! HTTP/1.0 200 Connected to Gee RPC ◄─────  takes the connection over, with the bytes
//! option, header, body ...          ─────►  that came behind the request, and gives both to
//!                                           Serving::serve_stream
//! ```
//!
//! Go calls taking over "hijack", and hands out the socket *and* a buffered reader, which the
//! tutorial ignores: bytes in it are lost (RPC-13). [`Context::take_over`](web::Context::take_over)
//! gives both, and both go into one [`Input`](crate::Input).
//!
//! # The idea alone
//! ```
//! // What a bare listener does with a request line, and what is left for the codec.
//! fn connect(bytes: &[u8]) -> Option<(&str, &[u8])> {
//!     let end = bytes.windows(2).position(|pair| pair == b"\n\n")? + 2;
//!     let line = std::str::from_utf8(&bytes[..end]).ok()?.lines().next()?;
//!     let path = line.strip_prefix("CONNECT ")?.strip_suffix(" HTTP/1.0")?;
//!     Some((path, &bytes[end..]))
//! }
//! let got = connect(b"CONNECT /_goRPC_ HTTP/1.0\n\n\x2f\xff\x81");
//! assert_eq!(got, Some(("/_goRPC_", &b"\x2f\xff\x81"[..])));
//! assert_eq!(connect(b"CONNECT /_goRPC_ HTTP/1.0\n"), None); // more is to come
//! ```
//!
//! # The walk
//! [`mount`] adds the routes to a [`web::Engine`]: CONNECT on three paths, 405 for every other method,
//! and the [debug page](debug_page). A bare RPC listener understands CONNECT too (`handshake`), so
//! that `http@` addresses work with any server. Either line end is accepted; we send LF LF as Go does.
//!
//! # What the borrow checker says
//! In Go the page ranges over the live map of services while calls change their counters. Here the
//! table is fixed and shared behind an `Arc`; the counters are atomics: changed through `&`.
//!
//! # Where this differs from Go
//! - Sorted, as Go's page says it is and is not; per server, not per process (RPC-14).
//! - `/_geerpc_`, as the tutorial's text spells its path, works beside `/_geeprc_` of its code.
//!
//! # Try it
//! `cargo run -p rpc --example day5_http_debug`, then open `http://127.0.0.1:9999/debug/geerpc`: it
//! shows `Sum(main.Args, *int) error` and 5. Exercises, at the end of this file:
//! - `exercise_http_page_as_json`: `?format=json` gives the same as JSON.
//! - `exercise_http_says_what_is_allowed`: an answer 405 is to say in `Allow` what would be taken
//!   (RFC 9110 section 15.5.6); Go's does not.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use web::{Context, Engine};

use crate::codec::Dialect;
use crate::handshake::end_of_head;
use crate::options::Options;
use crate::server::Serving;
use crate::stream::Stream;
use crate::{Error, Result};

/// Where `CONNECT` asks for GeeRPC. The Go tutorial's code transposes two letters of its text; we
/// take both.
pub const RPC_PATH: &str = "/_geeprc_";
/// As the text of the tutorial spells it.
pub const RPC_PATH_IN_TEXT: &str = "/_geerpc_";
/// Where `CONNECT` asks for net/rpc.
pub const GO_RPC_PATH: &str = "/_goRPC_";
/// Where the page is that shows services and calls.
pub const DEBUG_PATH: &str = "/debug/geerpc";

/// The status line of a server that lets us through, after the version.
fn connected(path: &str) -> &'static str {
    if path == GO_RPC_PATH { "200 Connected to Go RPC" } else { "200 Connected to Gee RPC" }
}

/// The longest answer to CONNECT that is read.
const HEAD_BYTES_MAX: usize = 4096;

/// Asks an HTTP server for the connection; gives what it sent after its answer.
pub(crate) fn connect(stream: &Stream, options: &Options, until: Instant) -> Result<Vec<u8>> {
    let path = if matches!(options.dialect, Dialect::Gee(_)) { RPC_PATH } else { GO_RPC_PATH };
    let within = options.connect_timeout;
    stream.prepare().map_err(Error::io("prepare the socket"))?;
    let request = format!("CONNECT {path} HTTP/1.0\n\n");
    stream.write(request.as_bytes()).map_err(Error::io("CONNECT"))?;
    let (mut answer, mut buf) = (Vec::new(), [0; 512]);
    let head = loop {
        if let Some(head) = end_of_head(&answer) {
            break head;
        }
        if answer.len() > HEAD_BYTES_MAX {
            let (size, limit) = (answer.len() as u64, HEAD_BYTES_MAX as u64);
            let what = "the answer to CONNECT";
            return Err(Error::TooLarge { what, size, limit, setting: None });
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() && !within.is_zero() {
            return Err(Error::ConnectTimeout(within));
        }
        let left = if within.is_zero() { Duration::from_secs(60) } else { left };
        stream.set_read_timeout(left).map_err(Error::io("CONNECT"))?;
        match stream.read(&mut buf) {
            Ok(0) => return Err(Error::UnexpectedEof),
            Ok(count) => answer.extend_from_slice(&buf[..count]),
            Err(error) => match Error::io("CONNECT")(error) {
                error if error.is_not_yet() => {}
                error => return Err(error),
            },
        }
    };
    let line = String::from_utf8_lossy(&answer[..head]).into_owned();
    let line = line.lines().next().unwrap_or_default();
    let status = line.split_once(' ').map_or(line, |(_, status)| status);
    if status != connected(path) {
        return Err(Error::Handshake(format!("unexpected HTTP response: {status}")));
    }
    Ok(answer.split_off(head))
}

/// What a bare RPC listener answers to a CONNECT for `path`, and whether the connection goes on.
pub(crate) fn answer(path: &str) -> (String, bool) {
    if [RPC_PATH, RPC_PATH_IN_TEXT, GO_RPC_PATH].contains(&path) {
        return (format!("HTTP/1.0 {}\n\n", connected(path)), true);
    }
    let body = "404 page not found\n";
    let length = body.len();
    let kind = "text/plain; charset=utf-8";
    let head =
        format!("HTTP/1.0 404 Not Found\r\nContent-Type: {kind}\r\nContent-Length: {length}");
    (format!("{head}\r\n\r\n{body}"), false)
}

/// Adds to an HTTP server what RPC needs: CONNECT on its paths, and the debug page.
///
/// ```no_run
/// # use std::sync::Arc;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let serving = Arc::new(rpc::Server::new().start()?);
/// let mut engine = web::Engine::new();
/// rpc::http::mount(&mut engine, &serving)?;
/// engine.run("127.0.0.1:9999")?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Http`] when one of the paths has a route already.
pub fn mount(engine: &mut Engine, serving: &Arc<Serving>) -> Result<()> {
    for path in [RPC_PATH, RPC_PATH_IN_TEXT, GO_RPC_PATH] {
        let taker = Arc::clone(serving);
        engine.route("CONNECT", path, move |context: &mut Context| hand_over(context, &taker))?;
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            engine.route(method, path, |context: &mut Context| {
                context.string(405, "405 must CONNECT\n");
            })?;
        }
    }
    let shown = Arc::clone(serving);
    engine.route("GET", DEBUG_PATH, move |context: &mut Context| {
        context.html(200, debug_page(&shown));
    })?;
    Ok(())
}

/// Takes the connection from the HTTP server and gives it to the RPC server.
fn hand_over(context: &mut Context, serving: &Serving) {
    let answer = format!("HTTP/1.0 {}\n\n", connected(context.path()));
    let mut taken = match context.take_over() {
        Ok(taken) => taken,
        Err(error) => return context.string(501, format!("{error}\n")),
    };
    if taken.stream.write_all(answer.as_bytes()).is_ok() {
        serving.serve_stream(Stream::Tcp(taken.stream), taken.buffered);
    }
}

/// The debug page: every service and method with its types, sorted, and how often it was called.
#[must_use]
pub fn debug_page(serving: &Serving) -> String {
    let mut page = "<html>\n\t<body>\n\t<title>GeeRPC Services</title>\n\t".to_owned();
    for service in serving.services() {
        let name = escape(service.name());
        // Writing to a String cannot fail.
        let _ = write!(
            page,
            "\n\t<hr>\n\tService {name}\n\t<hr>\n\t\t<table>\n\
             \t\t<th align=center>Method</th><th align=center>Calls</th>\n\t\t"
        );
        for method in service.methods() {
            let (signature, calls) = (escape(method.signature()), method.calls());
            let _ = write!(
                page,
                "\n\t\t\t<tr>\n\t\t\t<td align=left font=fixed>{signature}</td>\n\
                 \t\t\t<td align=center>{calls}</td>\n\t\t\t</tr>\n\t\t"
            );
        }
        page.push_str("\n\t\t</table>\n\t");
    }
    page.push_str("\n\t</body>\n\t</html>");
    page
}

/// Text that HTML shows as it is.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Server, Service};
    use std::collections::HashMap;

    crate::message! {
        struct Args { num1: i64, num2: i64 }
    }

    #[test]
    fn the_page_is_go_s_byte_for_byte() {
        // Captured from Go; see tests/vectors/rpc/SOURCE.md.
        let captured = include_str!("../../tests/vectors/rpc/http-registry-debug.txt");
        let (_, captured) = captured.split_once("### debug geerpc").unwrap();
        let start = captured.find("<html>").unwrap();
        let end = captured.find("</html>").unwrap() + "</html>".len();
        let service = Service::new("Foo")
            .method("Sum", |args: Args| Ok(args.num1 + args.num2))
            .method("Keys", |map: HashMap<String, i64>| Ok(map.into_keys().collect::<Vec<_>>()));
        let serving = Server::new().log(|_| {}).register(service).unwrap().start().unwrap();
        assert_eq!(debug_page(&serving), captured[start..end]);
    }

    #[test]
    fn names_are_shown_and_not_obeyed() {
        let evil = Service::new("<b>").method("a&b", |n: i64| Ok(n));
        let serving = Server::new().log(|_| {}).register(evil).unwrap().start().unwrap();
        let page = debug_page(&serving);
        assert!(page.contains("Service &lt;b&gt;"), "{page}");
        assert!(page.contains("a&amp;b(int, *int) error"), "{page}");
    }

    #[test]
    fn a_connect_to_nowhere_is_404() {
        assert_eq!(answer("/_goRPC_"), ("HTTP/1.0 200 Connected to Go RPC\n\n".to_owned(), true));
        let (text, known) = answer("/nope");
        assert!(text.starts_with("HTTP/1.0 404 Not Found\r\n") && !known);
    }

    #[test]
    #[ignore = "an exercise: see the end of the chapter"]
    fn exercise_http_says_what_is_allowed() {
        let serving = Server::new().log(|_| {}).start().unwrap();
        let mut engine = Engine::new();
        mount(&mut engine, &Arc::new(serving)).unwrap();
        let answer = engine.handle(web::Request::new("GET", RPC_PATH));
        assert_eq!((answer.status(), answer.headers.get("Allow")), (405, Some("CONNECT")));
    }

    #[test]
    #[ignore = "an exercise: see the end of the chapter"]
    fn exercise_http_page_as_json() {
        let service = Service::new("Foo").method("Sum", |args: Args| Ok(args.num1 + args.num2));
        let serving = Server::new().log(|_| {}).register(service).unwrap().start().unwrap();
        let mut engine = Engine::new();
        mount(&mut engine, &Arc::new(serving)).unwrap();
        let request = web::Request::new("GET", "/debug/geerpc?format=json");
        let page = engine.handle(request).into_bytes().unwrap();
        let page = web::json::parse(page).unwrap();
        assert_eq!(page["Foo"]["Sum"].as_i64(), Some(0));
    }
}
