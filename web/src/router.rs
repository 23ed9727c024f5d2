//! The engine and its groups (day 4): routes with a prefix in common, and who answers.
//!
//! # What you will have at the end
//! `engine.group("/v1")`, groups inside groups, a tree of routes per method, and 404, 405 and
//! `OPTIONS` answered without being asked for. About fifteen minutes.
//!
//! # Why
//! An API has parts - `/v1`, `/admin` - that share a prefix and, from day 5 on, middleware. axum
//! nests routers as values; gin keeps one engine and hands out groups that remember a prefix. We
//! do as gin does: one place holds all routes, so a conflict is seen when it is made.
//!
//! # The picture
//! ```text
//! groups   0 ""          middleware [logger]                  routes
//!          │                                                    GET /        group 0
//!          └─ 1 "/v1"    middleware [auth]                      GET /v1/x    group 1 ──► Arc<Route>
//!             └─ 2 "/v1/admin"  middleware []                                             pattern, names,
//!                                                                                         chain: logger, auth, handler
//! trees    GET ── "v1" ── "x"  = route 1         (the tree leads to the route's number)
//! ```
//! A route's chain is the middleware of the groups it was made in, outermost first, then its
//! handler. It is worked out when something is registered, not when a request comes; what a
//! request path looks like has no say in it, so `/v1`'s middleware can never run for `/v10`.
//!
//! # The idea alone
//! ```
//! struct Engine {
//!     routes: Vec<(String, fn() -> &'static str)>,
//! }
//! struct Group<'e> {
//!     engine: &'e mut Engine,
//!     prefix: String,
//! }
//! impl Engine {
//!     fn group(&mut self, prefix: &str) -> Group<'_> {
//!         Group { engine: self, prefix: prefix.to_owned() }
//!     }
//! }
//! impl Group<'_> {
//!     fn group(&mut self, prefix: &str) -> Group<'_> {
//!         let prefix = self.prefix.clone() + prefix;
//!         Group { engine: self.engine, prefix }
//!     }
//!     fn get(&mut self, path: &str, handler: fn() -> &'static str) {
//!         self.engine.routes.push((self.prefix.clone() + path, handler));
//!     }
//! }
//! let mut engine = Engine { routes: Vec::new() };
//! let mut v1 = engine.group("/v1");
//! v1.group("/v2").get("/hello", || "hello");
//! v1.get("/", || "index"); // the inner group's loan of v1 has ended
//! let paths: Vec<_> = engine.routes.iter().map(|(path, _)| &**path).collect();
//! assert_eq!(paths, ["/v1/v2/hello", "/v1/"]);
//! ```
//!
//! # The walk
//! [`Engine::get`] and its like register through the root [`Group`]; [`Group::route`] puts the
//! prefix before the pattern, inserts it into the method's [`Trie`] and fixes the chain.
//! `dispatch.rs` asks the tree for each request, and for what stands in when there is no route.
//! [`Engine::handle`] runs the chain without a socket, [`Engine::run`] behind a [`Server`].
//!
//! # What the borrow checker says
//! In Go every group points to the engine and the engine lists every group: a cycle. Here a
//! [`Group`] *borrows* the engine while you register, and a borrow cannot outlive its owner or be
//! used beside it. So groups are used one after another, as their routes are written down anyway:
//!
//! ```compile_fail
//! let mut engine = web::Engine::new();
//! let v1 = engine.group("/v1");
//! let v2 = engine.group("/v2"); // error: cannot borrow `engine` as mutable more than once
//! drop((v1, v2));
//! ```
//!
//! When registration is over the engine is moved into the server and only shared from then on:
//! no lock is needed to find a route.
//!
//! # Where this differs from the Go tutorial
//! Any method can be registered, HEAD is answered through GET, a known path with another method is
//! 405 with Allow (WEB-10). Bad and conflicting patterns are errors at registration (WEB-2, WEB-8,
//! WEB-19). A 404 or 405 runs the engine's middleware and no group's (WEB-4, WEB-5, WEB-6).
//!
//! # Try it
//! `cargo run -p web --example day4_group`, then `curl http://127.0.0.1:9999/v1/` prints
//! `<h1>Hello Gee</h1>`. Exercises (`cargo test -p web router::tests::exercise -- --ignored`):
//! `exercise_route_table` and `exercise_versioned_group` at the end of `router/tests.rs`.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use crate::template::Templates;
use crate::trie::Trie;
use crate::{Context, Error, Handler, Json, Request, Response, Result, Server};

mod group;
mod dispatch;

use dispatch::Fallback;
pub use group::Group;
use group::{Entry, GroupData, methods};

/// Anything that handles a context: route handlers and middleware alike.
pub type HandlerFn = Arc<dyn Fn(&mut Context) + Send + Sync>;

/// A pattern with everything that a request to it needs.
pub struct Route {
    pub(crate) pattern: String,
    /// The wildcards' names, in order.
    pub(crate) names: Vec<String>,
    /// The groups' middleware, outermost first, and the handler.
    pub(crate) chain: Vec<HandlerFn>,
    pub(crate) templates: Arc<Templates>,
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Route({:?}, {} handlers)", self.pattern, self.chain.len())
    }
}

/// A web application: routes, middleware, templates.
///
/// ```
/// use web::{Engine, Request};
///
/// let mut engine = Engine::new();
/// engine.get("/hello/:name", |c| {
///     let text = format!("hello {}", c.param("name"));
///     c.string(200, text);
/// })?;
/// let response = engine.handle(Request::new("GET", "/hello/gee"));
/// assert_eq!(response.status(), 200);
/// assert_eq!(response.into_bytes().unwrap(), b"hello gee");
/// # Ok::<(), web::Error>(())
/// ```
pub struct Engine {
    /// Whether [`Engine::serve`] lists the routes on stderr. On at first.
    pub log_routes: bool,
    /// Whether `/a` is redirected to `/a/`, or the other way round, where only the other is a
    /// route. Off at first: a path is what it is.
    pub redirect_slash: bool,
    /// The root group comes first.
    groups: Vec<GroupData>,
    /// In the order of registration.
    routes: Vec<Entry>,
    /// One tree per method, leading to places in `routes`.
    trees: Vec<(String, Trie<usize>)>,
    not_found: HandlerFn,
    templates: Arc<Templates>,
    /// The chains of the answers without a route, rebuilt like the routes'.
    fallback: Fallback,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.routes().map(|(m, p)| format!("{m} {p}"))).finish()
    }
}

impl Engine {
    /// An engine without routes or middleware.
    #[must_use]
    pub fn new() -> Self {
        let root = GroupData { prefix: String::new(), parent: None, middleware: Vec::new() };
        let not_found: HandlerFn = Arc::new(dispatch::not_found);
        let templates = Arc::new(Templates::new());
        let fallback = Fallback::new(&[], &not_found, &templates);
        Engine {
            log_routes: true,
            redirect_slash: false,
            groups: vec![root],
            routes: Vec::new(),
            trees: Vec::new(),
            not_found,
            templates,
            fallback,
        }
    }

    /// A group of routes under `prefix`, which is put before their patterns as it is.
    pub fn group(&mut self, prefix: &str) -> Group<'_> {
        self.root().into_group(prefix)
    }

    /// Adds middleware for every route, those registered before included, and for whatever stands
    /// in for one: 404, 405, the answer to OPTIONS, redirects.
    pub fn middleware(&mut self, handler: impl Fn(&mut Context) + Send + Sync + 'static) {
        self.root().middleware(handler);
    }

    /// Registers a handler for any method, one of your own too.
    ///
    /// # Errors
    /// [`Error::Pattern`] or [`Error::RouteConflict`].
    pub fn route(
        &mut self,
        method: &str,
        pattern: &str,
        handler: impl Fn(&mut Context) + Send + Sync + 'static,
    ) -> Result<()> {
        self.root().route(method, pattern, handler)
    }

    methods! { get "GET", post "POST", put "PUT", patch "PATCH", delete "DELETE", head "HEAD", options "OPTIONS" }

    /// Replaces what answers a path that no pattern matches.
    pub fn no_route(&mut self, handler: impl Fn(&mut Context) + Send + Sync + 'static) {
        self.not_found = Arc::new(handler);
        self.rebuild();
    }

    /// Registers a handler for GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS.
    ///
    /// # Errors
    /// As for [`Engine::route`].
    pub fn any(
        &mut self,
        pattern: &str,
        handler: impl Fn(&mut Context) + Send + Sync + 'static,
    ) -> Result<()> {
        self.root().any(pattern, handler)
    }

    /// Registers a function for templates that are loaded after it.
    pub fn template_func(
        &mut self,
        name: &str,
        function: impl Fn(&[Json]) -> std::result::Result<Json, String> + Send + Sync + 'static,
    ) {
        self.templates_mut().func(name, function);
        self.rebuild();
    }

    /// Loads every file that matches `directory/*.suffix` as a template by its file name.
    ///
    /// # Errors
    /// [`Error::Io`] if nothing matches or a file cannot be read; [`Error::Template`], with file,
    /// line and column, for one that is wrong.
    pub fn load_templates(&mut self, glob: impl AsRef<Path>) -> Result<()> {
        for path in crate::files::glob(glob.as_ref())? {
            let doing = || format!("read the template {}", path.display());
            let source = fs::read_to_string(&path).map_err(|error| Error::io(doing(), error))?;
            self.add_template(&path.file_name().unwrap_or_default().to_string_lossy(), &source)?;
        }
        Ok(())
    }

    /// Adds a template from memory.
    ///
    /// # Errors
    /// [`Error::Template`], with name, line and column.
    pub fn add_template(&mut self, name: &str, source: &str) -> Result<()> {
        self.templates_mut().add(name, source).map_err(Error::Template)?;
        self.rebuild();
        Ok(())
    }

    /// Methods and patterns in the order of their registration.
    pub fn routes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.routes.iter().map(|entry| (&*entry.method, &*entry.route.pattern))
    }

    /// Answers one request without a socket.
    #[must_use]
    pub fn handle(&self, mut request: Request) -> Response {
        let mut response = Response::new();
        self.serve_one(&mut request, &mut response);
        response
    }

    /// Binds `addr` and serves until stopped.
    ///
    /// # Errors
    /// As for [`Server::run`].
    pub fn run(self, addr: &str) -> Result<()> {
        self.serve(crate::server::bind(addr)?)
    }

    /// Serves with default limits until stopped; [`Server::new`] takes an engine too and has the
    /// settings.
    ///
    /// # Errors
    /// As for [`Server::serve`].
    pub fn serve(self, listener: TcpListener) -> Result<()> {
        if self.log_routes {
            for (method, pattern) in self.routes() {
                crate::log::line(format_args!("Route {method:>4} - {pattern}"));
            }
        }
        Server::new(self).serve(listener)
    }

    /// The templates to be changed: a clone, since the routes share them; `rebuild` after it.
    fn templates_mut(&mut self) -> &mut Templates {
        Arc::make_mut(&mut self.templates)
    }

    fn root(&mut self) -> Group<'_> {
        Group { engine: self, id: 0 }
    }

    fn serve_one(&self, request: &mut Request, response: &mut Response) {
        let route = self.find(request, response);
        let (taken, empty) = (std::mem::take(request), std::mem::take(response));
        let mut context = Context::new(taken, empty, route);
        context.next();
        context.finish();
        (*request, *response) = (context.request, context.response);
    }
}

impl Default for Engine {
    /// An engine with [`crate::middleware::logger`] around [`crate::recovery::recovery`].
    fn default() -> Self {
        let mut engine = Engine::new();
        engine.middleware(crate::middleware::logger());
        engine.middleware(crate::recovery::recovery());
        engine
    }
}

impl Handler for Engine {
    fn serve(&self, request: &mut Request, response: &mut Response) {
        self.serve_one(request, response);
    }
}

#[cfg(test)]
mod tests;
