//! Groups (day 4): registration under a prefix, and which middleware a route gets.
//!
//! A group is a number in the engine's list. What is registered through it is put under its prefix
//! and gets the middleware of the group and of those it lies in, outermost first. Middleware that
//! is added later reaches the routes that are there already: every chain is worked out anew, which
//! costs nothing that matters before the first request.

use std::sync::Arc;

use super::dispatch::Fallback;
use super::{Engine, HandlerFn, Route};
use crate::trie::{self, Segment, Trie};
use crate::{Context, Error, Result};

/// What an engine knows of a group.
pub(super) struct GroupData {
    pub(super) prefix: String,
    pub(super) parent: Option<usize>,
    pub(super) middleware: Vec<HandlerFn>,
}

/// What an engine knows of a route.
pub(super) struct Entry {
    pub(super) method: String,
    group: usize,
    handler: HandlerFn,
    pub(super) route: Arc<Route>,
}

/// Part of an [`Engine`] under one prefix; see [`Engine::group`].
pub struct Group<'e> {
    pub(super) engine: &'e mut Engine,
    pub(super) id: usize,
}

impl std::fmt::Debug for Group<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Group({:?})", self.prefix())
    }
}

/// Registers one method; the same for [`Engine`] and [`Group`].
macro_rules! methods {
    ($($name:ident $method:literal),*) => {$(
        #[doc = concat!("Registers a handler for `", $method, "` on a pattern.")]
        ///
        /// # Errors
        /// [`Error::Pattern`] or [`Error::RouteConflict`].
        pub fn $name(
            &mut self,
            pattern: &str,
            handler: impl Fn(&mut Context) + Send + Sync + 'static,
        ) -> Result<()> {
            self.route($method, pattern, handler)
        }
    )*};
}
pub(super) use methods;

impl Group<'_> {
    /// What stands before the patterns of this group: `/v1/admin`.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.engine.groups[self.id].prefix
    }

    /// A group inside this one; its prefix is this one's and its own.
    pub fn group(&mut self, prefix: &str) -> Group<'_> {
        Group { engine: self.engine, id: self.id }.into_group(prefix)
    }

    /// Adds middleware for the routes of this group and of the groups in it, those that are
    /// registered already included.
    pub fn middleware(&mut self, handler: impl Fn(&mut Context) + Send + Sync + 'static) {
        self.engine.groups[self.id].middleware.push(Arc::new(handler));
        self.engine.rebuild();
    }

    /// Registers a handler for a method and a pattern.
    ///
    /// # Errors
    /// [`Error::Pattern`] or [`Error::RouteConflict`].
    pub fn route(
        &mut self,
        method: &str,
        pattern: &str,
        handler: impl Fn(&mut Context) + Send + Sync + 'static,
    ) -> Result<()> {
        let pattern = self.prefix().to_owned() + pattern;
        if !crate::http::is_token(method.as_bytes()) {
            return Err(Error::Pattern { pattern, reason: "the method is not a token" });
        }
        let names = trie::parse(&pattern)?
            .into_iter()
            .filter_map(|segment| match segment {
                Segment::Param(name) | Segment::Rest(name) => Some(name.to_owned()),
                Segment::Text(_) => None,
            })
            .collect();
        let at = self.engine.routes.len();
        self.engine.tree(method).insert(&pattern, at).map_err(|error| match error {
            Error::RouteConflict { pattern, existing, .. } => {
                Error::RouteConflict { method: method.to_owned(), pattern, existing }
            }
            other => other,
        })?;
        let handler: HandlerFn = Arc::new(handler);
        let mut chain = self.engine.groups_chain(self.id);
        chain.push(Arc::clone(&handler));
        let templates = Arc::clone(&self.engine.templates);
        let route = Arc::new(Route { pattern, names, chain, templates });
        let (method, group) = (method.to_owned(), self.id);
        self.engine.routes.push(Entry { method, group, handler, route });
        Ok(())
    }

    methods! { get "GET", post "POST", put "PUT", patch "PATCH", delete "DELETE", head "HEAD", options "OPTIONS" }

    /// As [`Engine::any`], below this group's prefix.
    ///
    /// # Errors
    /// As for [`Engine::route`].
    pub fn any(
        &mut self,
        pattern: &str,
        handler: impl Fn(&mut Context) + Send + Sync + 'static,
    ) -> Result<()> {
        let shared = Arc::new(handler);
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            let handler = Arc::clone(&shared);
            self.route(method, pattern, move |c: &mut Context| handler(c))?;
        }
        Ok(())
    }
}

impl<'e> Group<'e> {
    pub(super) fn into_group(self, prefix: &str) -> Group<'e> {
        let prefix = self.prefix().to_owned() + prefix;
        let data = GroupData { prefix, parent: Some(self.id), middleware: Vec::new() };
        self.engine.groups.push(data);
        let id = self.engine.groups.len() - 1;
        Group { engine: self.engine, id }
    }
}

impl Engine {
    /// The tree of a method.
    fn tree(&mut self, method: &str) -> &mut Trie<usize> {
        let at = self.trees.iter().position(|(name, _)| name == method).unwrap_or_else(|| {
            self.trees.push((method.to_owned(), Trie::default()));
            self.trees.len() - 1
        });
        &mut self.trees[at].1
    }

    /// Works out every chain anew, after middleware was added.
    pub(super) fn rebuild(&mut self) {
        for at in 0..self.routes.len() {
            let mut chain = self.groups_chain(self.routes[at].group);
            let entry = &mut self.routes[at];
            chain.push(Arc::clone(&entry.handler));
            let (pattern, names) = (entry.route.pattern.clone(), entry.route.names.clone());
            let templates = Arc::clone(&self.templates);
            entry.route = Arc::new(Route { pattern, names, chain, templates });
        }
        self.fallback = Fallback::new(&self.groups[0].middleware, &self.not_found, &self.templates);
    }

    /// The middleware of a group and of those it lies in, outermost first.
    fn groups_chain(&self, group: usize) -> Vec<HandlerFn> {
        let GroupData { parent, middleware, .. } = &self.groups[group];
        let mut chain = parent.map(|parent| self.groups_chain(parent)).unwrap_or_default();
        chain.extend(middleware.iter().cloned());
        chain
    }
}
