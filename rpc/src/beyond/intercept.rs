//! Interceptors at work: several in a row, and a log of every call.

use std::time::Duration;

use web::log::go_duration;

use crate::service::{CallInfo, Interceptor, Outcome, Reply};

/// Several interceptors: asked in order, told in reverse. The first that refuses ends the asking;
/// all are told.
#[derive(Default)]
pub struct Chain {
    links: Vec<Box<dyn Interceptor>>,
}

impl Chain {
    /// An empty chain.
    #[must_use]
    pub fn new() -> Chain {
        Chain::default()
    }

    /// Adds a link, inside of those before it.
    #[must_use]
    pub fn and(mut self, interceptor: impl Interceptor) -> Chain {
        self.links.push(Box::new(interceptor));
        self
    }
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Chain of {}", self.links.len())
    }
}

impl Interceptor for Chain {
    fn before(&self, call: &CallInfo<'_>) -> Reply<()> {
        self.links.iter().try_for_each(|link| link.before(call))
    }

    fn after(&self, call: &CallInfo<'_>, took: Duration, outcome: Outcome<'_>) {
        self.links.iter().rev().for_each(|link| link.after(call, took, outcome));
    }
}

/// Writes a line for every call: `Foo.Sum in 12.3µs: ok`.
#[derive(Debug, Default)]
pub struct CallLog;

impl Interceptor for CallLog {
    fn after(&self, call: &CallInfo<'_>, took: Duration, outcome: Outcome<'_>) {
        let outcome = match outcome {
            Outcome::Replied => "ok",
            Outcome::Failed(text) => text,
            Outcome::TimedOut => "timed out",
        };
        web::log::line(format_args!("{} in {}: {outcome}", call.method(), go_duration(took)));
    }
}
