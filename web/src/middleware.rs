//! Middleware (day 5): code around handlers, and the order in which it runs.
//!
//! # What you will have at the end
//! A logger that times every request without any handler knowing. About fifteen minutes.
//!
//! # Why
//! Logging, sign-in, panics: what every route needs is written once, around all of them. A tower
//! of types (axum, tower) checks the stack at compile time; gin's list of functions is simpler
//! to see through: a middleware *is* a handler that may call [`Context::next`] in its middle.
//!
//! # The picture
//! ```text
//! chain    [ A,            B,            H ]
//! index      0             1             2
//!
//! A-before ─ next() ─► B-before ─ next() ─► H
//!                                           │
//! A-after  ◄────────── B-after  ◄───────────┘
//! ```
//!
//! # The idea alone
//! ```
//! use std::sync::Arc;
//!
//! type Handler = Arc<dyn Fn(&mut Context)>;
//! struct Context {
//!     chain: Arc<[Handler]>,
//!     index: usize,
//!     log: String,
//! }
//! impl Context {
//!     fn next(&mut self) {
//!         let chain = Arc::clone(&self.chain);
//!         while let Some(handler) = chain.get(self.index) {
//!             self.index += 1;
//!             handler(self);
//!         }
//!     }
//! }
//! fn around(name: &'static str) -> Handler {
//!     Arc::new(move |c| {
//!         c.log += &format!("{name}( ");
//!         c.next();
//!         c.log += &format!("){name} ");
//!     })
//! }
//! let chain = Arc::new([around("A"), around("B"), Arc::new(|c: &mut Context| c.log += "H ") as Handler]);
//! let mut c = Context { chain, index: 0, log: String::new() };
//! c.next();
//! assert_eq!(c.log, "A( B( H )B )A ");
//! ```
//! Does the loop call things twice? No: the index is shared. When `next` inside A returns, the
//! inner loop has used up the chain, and the outer one finds nothing left. The loop is there for
//! middleware that does *not* call `next`: the chain goes on without it. Only
//! [`Context::abort`] ends the chain.
//!
//! # The walk
//! [`Engine::middleware`](crate::Engine::middleware) and
//! [`Group::middleware`](crate::Group::middleware) work the chains out anew. For a request the
//! engine calls [`Context::next`] once; each middleware calls it again, or does not, or calls
//! [`Context::abort`] or [`Context::fail`]. [`logger`] is the whole of it in a few lines.
//!
//! # What the borrow checker says
//! The chain cannot be borrowed from the context while a handler gets the context as `&mut`:
//!
//! ```compile_fail
//! struct Context { chain: Vec<Box<dyn Fn(&mut Context)>>, index: usize }
//! impl Context {
//!     fn next(&mut self) {
//!         while let Some(handler) = self.chain.get(self.index) {
//!             self.index += 1;
//!             handler(self); // error: cannot borrow `*self` as mutable because `self.chain` is
//!         }                  //        also borrowed as immutable
//!     }
//! }
//! ```
//! A clone of the [`Arc`] ends the loan for the price of a counter. What the compiler fears is real:
//! a handler could change the chain that is being walked. In Go it can.
//!
//! # Where this differs from the Go tutorial
//! Middleware belongs to routes, not to text prefixes: `/v2` does not run for `/v20` (WEB-4), and
//! a group with a parameter in its prefix works (WEB-5). The logged status is the one that is
//! sent (WEB-11). A request whose head is refused never gets to a chain and is not logged.
//!
//! # Try it
//! `cargo run -p web --example day5_middleware`, then
//! `curl http://127.0.0.1:9999/v2/hello/geektutu` prints `{"message":"Internal Server Error"}` (the
//! example's middleware for `/v2` fails on purpose) and the server logs
//! `[500] /v2/hello/geektutu in 15.2µs for group v2` and the same line without the group.
//! Exercises (`cargo test -p web middleware::tests::exercise -- --ignored`): `exercise_request_id`
//! and `exercise_only_once` at the end of this file.

use std::sync::Arc;
use std::time::Instant;

use crate::Context;
use crate::log::{go_duration, line};

impl Context {
    /// Runs the rest of the chain, then returns.
    pub fn next(&mut self) {
        let route = Arc::clone(&self.route);
        while let Some(handler) = route.chain.get(self.index) {
            self.index += 1;
            handler(self);
        }
    }

    /// Skips the handlers that have not begun. What stands after `next` in those that have still
    /// runs, this one's rest included.
    pub fn abort(&mut self) {
        self.index = self.route.chain.len();
    }

    /// Whether no further handler will begin: the chain was cut short by [`Context::abort`], or its
    /// last handler has begun.
    #[must_use]
    pub fn is_aborted(&self) -> bool {
        self.index >= self.route.chain.len()
    }
}

/// Logs `[200] /path?query in 92.8µs` after the rest of the chain has run.
pub fn logger() -> impl Fn(&mut Context) + Send + Sync + 'static {
    |c| {
        let start = Instant::now();
        c.next();
        let took = go_duration(start.elapsed());
        line(format_args!("[{}] {} in {took}", c.final_status(), c.sent_target()));
    }
}

#[cfg(test)]
mod tests {
    use crate::{Context, Engine, Request};

    /// A handler that leaves `text` in the `Trace` field.
    fn trace(c: &mut Context, text: &str) {
        let before = c.response.headers.get("Trace").unwrap_or_default().to_owned();
        c.set_header("Trace", &(before + text));
    }

    fn around(name: &'static str) -> impl Fn(&mut Context) + Send + Sync {
        move |c| {
            trace(c, &format!("{name}( "));
            c.next();
            trace(c, &format!("){name} "));
        }
    }

    fn run(engine: &Engine, path: &str) -> (u16, String) {
        let response = engine.handle(Request::new("GET", path));
        (response.status(), response.headers.get("Trace").unwrap_or_default().trim().to_owned())
    }

    /// Groups /v1 (v1, later v1b) and /v1/adm (adm), the root's middleware added last.
    #[test]
    fn the_onion_has_the_order_of_the_groups_whenever_middleware_is_added() {
        let mut engine = Engine::new();
        let mut v1 = engine.group("/v1");
        v1.middleware(around("v1"));
        let mut adm = v1.group("/adm");
        adm.middleware(around("adm"));
        adm.get("/x", |c| trace(c, "H ")).unwrap();
        v1.middleware(around("v1b"));
        engine.get("/v10/x", |c| trace(c, "H ")).unwrap();
        engine.middleware(around("root"));
        let want = "root( v1( v1b( adm( H )adm )v1b )v1 )root";
        assert_eq!(run(&engine, "/v1/adm/x"), (200, want.to_owned()));
        assert_eq!(run(&engine, "/v10/x"), (200, "root( H )root".to_owned()), "WEB-4");
        assert_eq!(run(&engine, "/v1/none"), (404, "root( )root".to_owned()), "WEB-6");
    }

    #[test]
    fn a_group_with_a_parameter_runs_its_middleware() {
        let mut engine = Engine::new();
        let mut user = engine.group("/user/:id");
        user.middleware(|c| {
            let id = c.param("id").to_owned();
            trace(c, &id);
        });
        user.get("/books", |_| {}).unwrap();
        assert_eq!(run(&engine, "/user/7/books"), (200, "7".to_owned()), "WEB-5");
    }

    #[test]
    fn only_abort_stops_the_chain() {
        let mut engine = Engine::new();
        engine.middleware(around("outer"));
        engine.middleware(|c| trace(c, "no-next; "));
        engine.get("/", |c| trace(c, "H ")).unwrap();
        let mut closed = engine.group("/closed");
        closed.middleware(|c| {
            c.fail(401, "no");
            trace(c, "rest ");
        });
        closed.get("/", |c| trace(c, "H ")).unwrap();
        assert_eq!(run(&engine, "/"), (200, "outer( no-next; H )outer".to_owned()));
        assert_eq!(run(&engine, "/closed/"), (401, "outer( no-next; rest )outer".to_owned()));
    }

    fn number_the_requests() -> impl Fn(&mut Context) + Send + Sync {
        |c: &mut Context| c.next() // your middleware here
    }

    fn once_per_path() -> impl Fn(&mut Context) + Send + Sync {
        |c: &mut Context| c.next() // and here
    }

    /// Write a middleware that answers with a `Request-Id` field, counting from 1.
    #[test]
    #[ignore = "an exercise: number the requests"]
    fn exercise_request_id() {
        let mut engine = Engine::new();
        engine.middleware(number_the_requests());
        engine.get("/", |c| c.string(200, "")).unwrap();
        for want in ["1", "2", "3"] {
            let response = engine.handle(Request::new("GET", "/"));
            assert_eq!(response.headers.get("Request-Id"), Some(want));
        }
    }

    /// Write a middleware that lets a path through once and answers 429 from then on.
    #[test]
    #[ignore = "an exercise: once and no more"]
    fn exercise_only_once() {
        let mut engine = Engine::new();
        engine.middleware(once_per_path());
        engine.get("/:any", |c| c.string(200, "")).unwrap();
        let status = |path| engine.handle(Request::new("GET", path)).status();
        assert_eq!([status("/a"), status("/a"), status("/b"), status("/b")], [200, 429, 200, 429]);
    }
}
