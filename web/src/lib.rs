//! A gin-like web framework in seven days, from the socket up, on the standard library alone.
//!
//! What will stand at the end: this program, and every octet that it reads or writes explained.
//!
//! ```no_run
//! use web::{Engine, json};
//!
//! let mut engine = Engine::default(); // with a logger and panic recovery
//! engine.get("/hello/:name", |c| {
//!     let text = format!("hello {}", c.param("name"));
//!     c.string(200, text);
//! })?;
//! let mut v1 = engine.group("/v1");
//! v1.post("/login", |c| {
//!     let username = c.post_form("username");
//!     c.json(200, &json!({"username": username}));
//! })?;
//! engine.run("127.0.0.1:9999")?;
//! # Ok::<(), web::Error>(())
//! ```
//!
//! # The days
//! The course is this table, read from top to bottom and from left to right; each module's
//! documentation is its chapter. Below, the modules are declared in the same order.
//!
//! | day | what appears | read | example |
//! |---|---|---|---|
//! | 1 | HTTP/1.1 over sockets, a thread pool | [`server`]; [`http`], [`headers`], [`url`], [`request`], [`response`]; `head`, [`body`], `connection`; [`pool`], `server/open`, `server/exchange` | `day1_http_base` |
//! | 2 | one object per request; JSON; forms | [`context`], [`mod@json`], [`form`] | `day2_context` |
//! | 3 | the route tree | [`trie`] | `day3_router` |
//! | 4 | groups, and who answers what | [`router`] | `day4_group` |
//! | 5 | middleware | [`middleware`] | `day5_middleware` |
//! | 6 | templates, static files | [`template`], [`files`], `preconditions` | `day6_template` |
//! | 7 | panics | [`recovery`] | `day7_panic_recover` |
//! | + | what gin's users expect beyond the course | [`beyond`] | `echo` |
//! | + | a client, for the crates that stand on this one | [`client`] | |
//! | + | every rule and feature, the test that holds it; attacks and figures | [`promises`] | |
//!
//! `cargo run -p web --example NAME` starts an example; the tests that hold each day to the Go
//! tutorial's behaviour are in `tests/tests/web_days.rs`, HTTP's rules in `tests/tests/web_http.rs`.
//!
//! [`Error`], [`log`] and [`cli`] (the examples' flags) are read when they are met.
//!
//! # Words
//! *octet*: eight bits, what travels; the text says byte where the machine is meant. *head*: the
//! request or status line and the *fields* (`Host: x`) up to the empty line; *body*: what follows.
//! *framing*: how the end of a body is known. *target*: path and query as sent. `␍␊` is `\r\n`.
//! *minor*: the digit after the point in HTTP/1.1. *keep-alive*: the connection stays open for a
//! further request. *pipelined*: sent before the answer to the request in front has come.
//! *descriptor*: the number by which a process knows an open socket or file; the system gives out
//! so many and no more (`EMFILE`). `WEB-9` and the like number the defects of the Go tutorial's
//! programs that are done right here (the book's page `deviations` lists them); its framework is
//! called gee, its author geektutu, and its model [gin](https://github.com/gin-gonic/gin) is Go's
//! most used web framework.
//!
//! # One request from end to end
//! 1. [`Server::serve`] accepts a socket and gives it to a thread of the [`pool::Pool`].
//! 2. The thread reads into the connection's buffer until a head is whole; `head.rs` cuts it into
//!    lines, checks each, and notes in the [`Request`] where every part stands.
//! 3. [`Engine`] is a [`Handler`]: it asks the method's [`trie::Trie`] for the path's route.
//! 4. The route's chain - the middleware of its groups and its handler - runs on a [`Context`],
//!    each calling [`Context::next`] or not.
//! 5. A handler reads [`Context::param`], [`Context::query`], [`Context::body`]: the body leaves the
//!    socket only now, by its length or chunk by chunk.
//! 6. It answers with [`Context::json`] or the like, into the [`Response`]'s memory.
//! 7. The chain ends; the server adds Date and the framing and appends head and body to the
//!    connection's output.
//! 8. If another request is buffered already, it is served first. Else the output goes out, in one
//!    write unless it is large, and the thread waits for the client, 75 seconds at most.
//!
//! # From the tutorial's Go to this Rust
//! | Go | here | why |
//! |---|---|---|
//! | `http.ListenAndServe(addr, engine)` | [`Engine::run`], [`Server`] | std has no HTTP server |
//! | `http.Handler` | [`Handler`] | a trait, also for closures |
//! | `HandlerFunc` | `impl Fn(&mut Context) + Send + Sync + 'static` | shared by threads |
//! | `*gee.Context` | [`&mut Context`](Context) | owned by the server while the chain runs |
//! | `c.Next()`, `c.Fail()` | [`Context::next`], [`Context::fail`], [`Context::abort`] | |
//! | `gee.H{..}` | [`json!`] | a value, not a map of anything |
//! | `c.HTML(code, name, data)` | [`Context::render`]; text is [`Context::html`] | |
//! | `*RouterGroup` | [`Group`], which borrows the engine | no cycle of pointers |
//! | `group.Use(..)`, `Static`, `LoadHTMLGlob`, `SetFuncMap` | [`Group::middleware`], [`Group::static_dir`], [`Engine::load_templates`], [`Engine::template_func`] | `use` is a keyword |
//! | `defer`/`recover` | `catch_unwind` in [`recovery`] | |
//!
//! # What std cannot do here
//! - No epoll: a connection needs a thread while it lives. The pool's bound (1,024 at first, see
//!   [`pool::PoolLimits`]) is the bound of connections served at once; at the bound, idle ones are
//!   let go first.
//! - No signals: Ctrl-C ends the program at once. [`Stopper::shutdown`] is for programs that have a
//!   better occasion to stop.
//! - No TLS: put nginx or caddy in front, and read `X-Forwarded-For` only from them.
//! - No time zones: log lines are in UTC.
//! - A running handler cannot be stopped from outside; only its socket can be cut.

pub mod server;
pub mod http;
pub mod headers;
pub mod url;
pub mod request;
pub mod response;
mod head;
pub mod body;
mod connection;
pub mod pool;
mod error;
pub mod log;
pub mod cli;

pub mod context;
pub mod json;
pub mod form;

pub mod trie;

pub mod router;

pub mod middleware;

pub mod template;
pub mod files;
mod preconditions;

pub mod recovery;

pub mod client;

pub mod beyond;

pub mod promises;

#[cfg(test)]
mod random;

pub use client::{Answer, Client, Outgoing};
pub use context::{Context, TakenOver};
pub use error::{Error, Result};
pub use headers::Headers;
pub use json::Json;
pub use request::Request;
pub use response::{Content, Response};
pub use router::{Engine, Group};
pub use server::{Handler, Limits, Server, Stopper};
