//! One request, one object (day 2): what a handler reads and what it answers.
//!
//! # What you will have at the end
//! Handlers that say `c.string(200, "hello")` or `c.json(200, &json!({"id": 7}))` and nothing
//! about headers, encodings or order. About fifteen minutes, with `json.rs` and `form.rs`.
//!
//! # Why
//! Day 1's handler gets a [`Request`] and a [`Response`], and each answer takes four lines: status,
//! type, encode, write. Worse, what a framework knows about a request - route parameters, parsed
//! forms, whether the chain goes on - has no place to live. gin puts it all into one `Context`.
//!
//! # The picture
//! ```text
//!   request ──► Context ─────────────────────────────────┐
//!                 request    method, path, fields, body   │   handler(&mut Context)
//!                 response   status, fields, content      │   handler(&mut Context)
//!                 route      the chain and its names      │   ...
//!                 index      who is next (day 5)          │
//!   answer  ◄────────────────────────────────────────────┘  sent when the chain has ended
//! ```
//!
//! # The idea alone
//! ```
//! struct Context {
//!     query: Vec<(&'static str, &'static str)>,
//!     status: u16,
//!     content_type: &'static str,
//!     body: String,
//! }
//!
//! impl Context {
//!     fn query(&self, key: &str) -> &str {
//!         self.query.iter().find(|(k, _)| *k == key).map_or("", |(_, value)| value)
//!     }
//!     fn string(&mut self, status: u16, text: String) {
//!         (self.status, self.content_type, self.body) = (status, "text/plain", text);
//!     }
//! }
//!
//! let hello = |c: &mut Context| {
//!     let name = c.query("name").to_owned();
//!     c.string(200, format!("hello {name}"));
//! };
//! let mut c = Context { query: vec![("name", "gee")], status: 404, content_type: "", body: String::new() };
//! hello(&mut c);
//! assert_eq!((c.status, &*c.body), (200, "hello gee"));
//! ```
//!
//! # The walk
//! The engine makes a [`Context`] of a [`Request`], an empty [`Response`] and the route that was
//! found. [`Context::query`] and [`Context::post_form`] read; [`Context::form`] reads the body when
//! it is first asked ([`crate::form`]). [`Context::string`], [`Context::html`], [`Context::data`] and
//! [`Context::json`] ([`mod@crate::json`]) write into the response's memory. [`Context::fail`] ends
//! the chain. A broken form, or a value that cannot be written, is noted on the way and makes the
//! answer at the end, whatever handlers said after it ([`Context::final_status`]).
//!
//! # What the borrow checker says
//! Why `.to_owned()` above? A `&str` from `c.query(..)` is a loan of `c`, and `c.string(..)` wants
//! `c` for itself while the loan lives. [`Context::query`] and [`Context::post_form`] therefore
//! return owned text (they decode it anyway); [`Context::param`] lends, and says so.
//!
//! # Why any order will do
//! Status, fields, body: in Go the first octet of the body freezes the rest. Here nothing is sent
//! until the chain has ended, so they may be set in any order, and a [`Context::json`] that fails
//! in the middle becomes a clean 500 (WEB-14, WEB-15). One exception: `string`, `html`, `json` and
//! `render` set the Content-Type; to send another one, set it after them or use
//! [`Context::data`].
//!
//! # Where this differs from the Go tutorial
//! Text is not a format string; say `format!` where you want one (WEB-17). Text types carry
//! `; charset=utf-8`, as gin's do. A value that cannot be encoded is a 500, not half a 200.
//!
//! # Try it
//! `cargo run -p web --example day2_context`, then
//! `curl "http://127.0.0.1:9999/login" -d "username=geektutu&password=1234"` prints
//! `{"password":"1234","username":"geektutu"}`. The day's exercises are those of [`mod@crate::json`].

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::net::TcpStream;
use std::sync::Arc;

use crate::form::Form;
use crate::json::ToJson;
use crate::router::Route;
use crate::{Error, Json, Request, Response, Result, json, url};

/// One request on its way through its chain of handlers.
#[derive(Debug)]
pub struct Context {
    /// What was asked.
    pub request: Request,
    /// What will be answered.
    pub response: Response,
    pub(crate) route: Arc<Route>,
    /// The next handler of the chain.
    pub(crate) index: usize,
    /// The parsed body, once somebody asked.
    form: Option<Form>,
    /// What went wrong and outranks what handlers say: status and message.
    failure: Option<(u16, &'static str)>,
    /// What middleware left for those after it, one value per type.
    pub(crate) values: Vec<Box<dyn Any + Send>>,
}

impl Context {
    pub(crate) fn new(request: Request, response: Response, route: Arc<Route>) -> Self {
        Context {
            request,
            response,
            route,
            index: 0,
            form: None,
            failure: None,
            values: Vec::new(),
        }
    }

    /// The method: `GET`.
    #[must_use]
    pub fn method(&self) -> &str {
        self.request.method()
    }

    /// The decoded path, without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.request.path()
    }

    /// The first header field of that name; `None` too if it is not UTF-8.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.request.headers().get(name)
    }

    /// What the wildcard `name` of the route stands for in this path; empty if there is none.
    ///
    /// `/hello/:name` with the path `/hello/gee%20tutu` gives `gee tutu`.
    #[must_use]
    pub fn param(&self, name: &str) -> &str {
        let at = self.route.names.iter().position(|n| n == name);
        let range = at.and_then(|at| self.request.params.get(at).cloned());
        range.map_or("", |range| &self.request.path()[range])
    }

    /// The first query value of that name, decoded; empty if there is none.
    #[must_use]
    pub fn query(&self, name: &str) -> String {
        let found = url::pairs(self.request.query().as_bytes()).find(|(key, _)| key == name);
        found.map(|(_, value)| value).unwrap_or_default()
    }

    /// The first value of that name in the body's form, else in the query; empty if there is none.
    ///
    /// Understands `application/x-www-form-urlencoded` and `multipart/form-data`. A body that is
    /// neither has no form; one that breaks its own rules is answered 400, whatever the handler
    /// says then.
    #[must_use]
    pub fn post_form(&mut self, name: &str) -> String {
        let found = self.form().ok().and_then(|form| form.value(name).map(str::to_owned));
        found.unwrap_or_else(|| self.query(name))
    }

    /// The body's form, parsed on the first call.
    ///
    /// # Errors
    /// [`Error::Form`] if the body is not what its Content-Type says, or the body's own error.
    /// The answer is then 400, or what the body's error says.
    pub fn form(&mut self) -> Result<&Form> {
        if self.form.is_none() {
            let parsed = Form::read(&mut self.request);
            if let Err(Error::Form(reason)) = &parsed {
                self.failure = Some((400, reason));
            }
            self.form = Some(parsed?);
        }
        self.form.as_ref().ok_or(Error::Form("there is none"))
    }

    /// The whole body.
    ///
    /// # Errors
    /// As for [`crate::body::Body::bytes`].
    pub fn body(&mut self) -> Result<&[u8]> {
        self.request.body.bytes()
    }

    /// Sets the status code and nothing else.
    ///
    /// # Panics
    /// Outside 200-599.
    pub fn status(&mut self, status: u16) {
        self.response.set_status(status);
    }

    /// Sets a response header field. One that must not be sent - a line end in its value - makes
    /// the answer a 500, whatever the handler says then, and the reason a log line.
    pub fn set_header(&mut self, name: &str, value: &str) {
        if let Err(error) = self.response.headers.set(name, value) {
            self.server_error(&error);
        }
    }

    /// Answers text.
    ///
    /// # Panics
    /// Outside status 200-599, as all that follow.
    pub fn string(&mut self, status: u16, text: impl AsRef<str>) {
        self.answer(status, "text/plain; charset=utf-8", text.as_ref().as_bytes());
    }

    /// Answers HTML that is there already; [`Context::render`] fills in a template.
    pub fn html(&mut self, status: u16, text: impl AsRef<str>) {
        self.answer(status, "text/html; charset=utf-8", text.as_ref().as_bytes());
    }

    /// Answers a page made of the template `name` and `data` (day 6). A template that is missing or
    /// fails makes the answer a 500 and the reason a log line; nothing of the page is sent then.
    pub fn render(&mut self, status: u16, name: &str, data: &Json) {
        let mut page = String::from_utf8(std::mem::take(self.response.body())).unwrap_or_default();
        let rendered = self.route.templates.render(name, data, &mut page);
        *self.response.body() = page.into_bytes();
        match rendered {
            Ok(()) => {
                self.response.set_status(status);
                self.content_type("text/html; charset=utf-8");
            }
            Err(error) => self.server_error(&error),
        }
    }

    /// Answers octets; the type, unless set, is told from what they look like.
    pub fn data(&mut self, status: u16, bytes: impl AsRef<[u8]>) {
        self.response.set_status(status);
        self.response.body().extend_from_slice(bytes.as_ref());
    }

    /// Answers a value as JSON and a newline; see [`crate::json!`] for values made on the spot.
    pub fn json<T: ToJson + ?Sized>(&mut self, status: u16, value: &T) {
        // An emptied Vec becomes an empty String without allocating.
        let mut text = String::from_utf8(std::mem::take(self.response.body())).unwrap_or_default();
        let written = value.write_json(&mut text);
        text.push('\n');
        *self.response.body() = text.into_bytes();
        match written {
            Ok(()) => {
                self.response.set_status(status);
                self.content_type("application/json");
            }
            Err(error) => self.server_error(&error),
        }
    }

    /// Answers `{"message":"<text>"}` and ends the chain; what runs after `next` still runs.
    pub fn fail(&mut self, status: u16, text: impl AsRef<str>) {
        self.abort();
        self.json(status, &json!({"message": (text.as_ref())}));
    }

    /// Hands the connection over: the socket, without timeouts, and what has been read from it
    /// but not used. Answers due are sent first; this request's answer is the taker's business.
    ///
    /// # Errors
    /// [`Error::Refused`] with 501 if the request did not come over a socket, or somebody has
    /// taken it already.
    pub fn take_over(&mut self) -> Result<TakenOver> {
        let taken = self.request.body.connection.take().and_then(|c| c.into_socket());
        let (stream, buffered) = taken
            .ok_or(Error::Refused { status: 501, reason: "there is no connection to take over" })?;
        Ok(TakenOver { stream, buffered })
    }

    /// A failure that is ours: the reason for the log, a plain 500 for the client, whatever the
    /// handler says from now on.
    pub(crate) fn server_error(&mut self, error: &dyn fmt::Display) {
        crate::log::line(format_args!("{} {}: {error}", self.method(), self.sent_target()));
        self.failure = Some((500, "Internal Server Error"));
        self.abort();
    }

    /// The target for a log line: as sent, since a decoded one may hold a line end, and with it a
    /// line of the client's own.
    pub(crate) fn sent_target(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.request.target())
    }

    /// The status that will be sent as things stand: a broken body, form or header field decides
    /// before the handler does.
    #[must_use]
    pub fn final_status(&self) -> u16 {
        let refused = self.request.body.refused().or(self.failure);
        refused.map_or(self.response.status(), |(status, _)| status)
    }

    /// To be called when the chain has ended: puts the answer to a failure in place of the handler's.
    pub(crate) fn finish(&mut self) {
        if let Some((status, text)) = self.failure {
            self.response.start_over();
            self.fail(status, text);
        }
    }

    pub(crate) fn answer(&mut self, status: u16, content_type: &str, bytes: &[u8]) {
        self.response.set_status(status);
        self.content_type(content_type);
        self.response.body().extend_from_slice(bytes);
    }

    fn content_type(&mut self, value: &str) {
        self.response.headers.remove("Content-Type");
        self.response.headers.push("Content-Type", value);
    }
}

/// A connection that a handler has taken over.
#[derive(Debug)]
pub struct TakenOver {
    /// The socket.
    pub stream: TcpStream,
    /// What the client sent after the request's head; read this before the socket.
    pub buffered: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use crate::{Engine, Request};

    /// The answer and the status that the engine's middleware saw, after a handler that goes on
    /// as if nothing had happened.
    fn ask(request: Request) -> (u16, u16) {
        use std::sync::Arc;
        use std::sync::atomic::{AtomicU16, Ordering};
        let seen = Arc::new(AtomicU16::new(0));
        let kept = Arc::clone(&seen);
        let mut engine = Engine::new();
        engine.middleware(move |c| {
            c.next();
            kept.store(c.final_status(), Ordering::Relaxed);
        });
        engine
            .post("/", |c| {
                let (field, number) = (c.post_form("field"), c.query("number"));
                c.set_header("X-Field", &field);
                c.json(200, &number.parse::<f64>().unwrap_or_default());
                c.string(200, "fine");
            })
            .unwrap();
        (engine.handle(request).status(), seen.load(Ordering::Relaxed))
    }

    #[test]
    fn a_request_cannot_write_a_log_line() {
        let mut engine = Engine::new();
        engine
            .get("/*all", |c| c.string(200, format!("{} {}", c.path(), c.sent_target())))
            .unwrap();
        let text = engine.handle(Request::new("GET", "/a%0ab")).into_bytes().unwrap();
        assert_eq!(text, b"/a\nb /a%0ab");
    }

    #[test]
    fn what_goes_wrong_decides_whatever_the_handler_says_then() {
        let form = |kind, body: &str| {
            Request::new("POST", "/").with_header("Content-Type", kind).with_body(body)
        };
        let urlencoded = "application/x-www-form-urlencoded";
        assert_eq!(ask(form(urlencoded, "field=a")), (200, 200));
        assert_eq!(ask(form(urlencoded, "field=a%0d%0ab")), (500, 500));
        assert_eq!(ask(form("multipart/form-data", "")), (400, 400));
        assert_eq!(ask(Request::new("POST", "/?number=NaN").with_body("")), (500, 500));
    }
}
