//! Who answers a request (day 4): a route, or what stands in for one.
//!
//! ```text
//! the method's tree has a route ─────────────────► its chain
//! it is HEAD, and GET's tree has one ────────────► its chain; the body is not sent
//! another method's tree has one ── OPTIONS ──────► 204 with Allow
//!                               └─ else ─────────► 405 with Allow
//! the path with or without its last slash is one ► 301 or 308, if the engine was told to
//! it asks OPTIONS * ─────────────────────────────► 204 with Allow for the whole server
//! none ──────────────────────────────────────────► 404
//! ```
//! What stands in is a chain as well: the engine's own middleware and a handler, so that a logger
//! sees a 404 too.

use std::ops::Range;
use std::sync::Arc;

use super::{Engine, HandlerFn, Route};
use crate::template::Templates;
use crate::trie::Trie;
use crate::{Context, Request, Response, url};

/// The chains of the answers without a route.
#[derive(Debug)]
pub(super) struct Fallback {
    pub(super) not_found: Arc<Route>,
    not_allowed: Arc<Route>,
    options: Arc<Route>,
    moved: Arc<Route>,
    moved_as_is: Arc<Route>,
}

impl Engine {
    /// The route that answers a request, or what stands in for one.
    pub(super) fn find(&self, request: &mut Request, response: &mut Response) -> Arc<Route> {
        let mut params = std::mem::take(&mut request.params);
        let found = self.lookup(request.method(), request.path(), &mut params);
        request.params = params;
        if let Some(route) = found {
            return Arc::clone(route);
        }
        let allow = self.allow(request.path());
        if allow.is_empty() {
            // A client may repeat a 301 as GET; 308 keeps method and body.
            if let Some(location) = self.other_slash(request) {
                response.headers.push("Location", &location);
                let is_get = matches!(request.method(), "GET" | "HEAD");
                let fallback = &self.fallback;
                let route = if is_get { &fallback.moved } else { &fallback.moved_as_is };
                return Arc::clone(route);
            }
            return Arc::clone(&self.fallback.not_found);
        }
        response.headers.push("Allow", &allow);
        let asks = request.method() == "OPTIONS";
        Arc::clone(if asks { &self.fallback.options } else { &self.fallback.not_allowed })
    }

    fn lookup(
        &self,
        method: &str,
        path: &str,
        params: &mut Vec<Range<usize>>,
    ) -> Option<&Arc<Route>> {
        let tree = self.trees.iter().find(|(name, _)| name == method);
        let found = tree.and_then(|(_, tree)| tree.find(path, params));
        match found {
            Some(&at) => Some(&self.routes[at].route),
            None if method == "HEAD" => self.lookup("GET", path, params),
            None => None,
        }
    }

    /// The methods that `path` can be asked with, for the Allow field; empty if none.
    fn allow(&self, path: &str) -> String {
        let mut params = Vec::new();
        let mut known = |tree: &Trie<usize>| path == "*" || tree.find(path, &mut params).is_some();
        let mut names: Vec<&str> =
            self.trees.iter().filter(|(_, tree)| known(tree)).map(|(name, _)| &**name).collect();
        if names.contains(&"GET") {
            names.push("HEAD");
        }
        if !names.is_empty() {
            names.push("OPTIONS");
        }
        names.sort_unstable();
        names.dedup();
        names.join(", ")
    }

    /// The same path with or without its last slash, if that is a route; with the query.
    fn other_slash(&self, request: &Request) -> Option<String> {
        if !self.redirect_slash {
            return None;
        }
        let path = request.path();
        let other = path.strip_suffix('/').map_or_else(|| format!("{path}/"), str::to_owned);
        // `//evil.example/` would be read as another host.
        if other.len() < 2 || other[1..].starts_with(['/', '\\']) {
            return None;
        }
        self.lookup(request.method(), &other, &mut Vec::new())?;
        let encoded: Vec<String> =
            other.split('/').map(|s| url::encode_segment(s.as_bytes())).collect();
        let query = if request.query().is_empty() { "" } else { "?" };
        Some(format!("{}{query}{}", encoded.join("/"), request.query()))
    }
}

impl Fallback {
    pub(super) fn new(
        middleware: &[HandlerFn],
        not_found: &HandlerFn,
        templates: &Arc<Templates>,
    ) -> Self {
        let route = |handler: HandlerFn| {
            let mut chain = middleware.to_vec();
            chain.push(handler);
            let templates = Arc::clone(templates);
            Arc::new(Route { pattern: String::new(), names: Vec::new(), chain, templates })
        };
        Fallback {
            not_found: route(Arc::clone(not_found)),
            not_allowed: route(Arc::new(not_allowed)),
            options: route(Arc::new(|c| c.status(204))),
            moved: route(Arc::new(|c| c.status(301))),
            moved_as_is: route(Arc::new(|c| c.status(308))),
        }
    }
}

pub(super) fn not_found(c: &mut Context) {
    let text = format!("404 NOT FOUND: {}\n", c.path());
    c.string(404, text);
}

fn not_allowed(c: &mut Context) {
    let text = format!("405 METHOD NOT ALLOWED: {} {}\n", c.method(), c.path());
    c.string(405, text);
}
