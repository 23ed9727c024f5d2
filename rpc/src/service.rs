//! Day 3: services - functions by name, checked by the compiler.
//!
//! **At the end** `Service::new("Foo").method("Sum", |args: Args| ...)` can be called by name.
//! Fifteen minutes.
//!
//! # Why
//! A name and some bytes arrive; a function with types of its own is to be run. Go finds methods by
//! reflection, looks whether each has the right shape, and calls it with values made at run time. In
//! Rust the shape *is* the bound of a generic function: a method of the wrong shape does not compile
//! (RPC-4), and there is nothing to look for at run time.
//!
//! ```text
//! "Foo.Sum" ─► services["Foo"] ─► methods["Sum"] ─► Typed<Args, i64, closure>
//!                                                     args: Args ◄─ read body
//!                                                     reply: i64 ─► line up
//! ```
//!
//! # The idea alone
//! Functions of different types in one table:
//!
//! ```
//! use std::collections::HashMap;
//! use std::str::FromStr;
//!
//! type Erased = Box<dyn Fn(&str) -> Result<String, String>>;
//!
//! fn method<A: FromStr, R: ToString>(function: impl Fn(A) -> R + 'static) -> Erased {
//!     Box::new(move |text| {
//!         let args = text.parse().map_err(|_| format!("bad arguments: {text}"))?;
//!         Ok(function(args).to_string())
//!     })
//! }
//!
//! let mut methods: HashMap<&str, Erased> = HashMap::new();
//! methods.insert("Double", method(|n: i64| 2 * n));
//! methods.insert("Length", method(|text: String| text.len()));
//! methods.insert("Not", method(|b: bool| !b));
//!
//! assert_eq!(methods["Double"]("21"), Ok("42".to_owned()));
//! assert_eq!(methods["Length"]("four"), Ok("4".to_owned()));
//! assert_eq!(methods["Not"]("maybe"), Err("bad arguments: maybe".to_owned()));
//! ```
//!
//! # The walk
//! [`Service::method`] wraps the function in a `Typed` that knows its types, and forgets them behind a
//! trait object. When a request comes, `Typed::serve` reads an `A`, begins the call - from there on
//! another thread may read on - runs the function inside `catch_unwind`, and lines up the `R` or the
//! text of the error.
//!
//! # Where is the receiver? (asked most often)
//! In Go a method's receiver is its argument 0, found by reflection. Here there is none: a closure
//! *captures* what it works on.
//!
//! ```
//! use std::sync::{Arc, Mutex};
//! use rpc::Service;
//!
//! let total = Arc::new(Mutex::new(0i64));
//! let counter = Service::new("Counter").method("Add", move |n: i64| {
//!     let mut total = total.lock().map_err(|_| "a call panicked")?;
//!     *total += n;
//!     Ok(*total)
//! });
//! ```
//!
//! # What the borrow checker says
//! - `Box<dyn Fn(A) -> R>` in a map: of which `A`? The types must be hidden *behind* the `dyn`.
//! - `Fn`, not `FnMut`: two threads may call at once. `Send + Sync + 'static` says the same of what is
//!   captured; a `Rc` in there: "`Rc<..>` cannot be sent between threads safely".
//! - `catch_unwind` wants `UnwindSafe`: after a panic, half-done work may be visible. A `Mutex` shows it
//!   by being poisoned, which is why the closure above has an error for it.
//!
//! # Where this differs from Go
//! - A panic is an error of its call, `rpc: panic: ...`; in Go it ends the process (RPC-4).
//! - The text of an error travels as it is; Go's took it for a format (RPC-8).
//!
//! # Try it
//! `cargo run -p rpc --example day3_service`. Exercises, at the end of this file:
//! - `exercise_service_by_default`: a name without a dot, `Sum`, is ill-formed; let it mean
//!   `Default.Sum` where there is a service of that name.
//! - `exercise_service_refuses_what_nobody_could_call`: a method named `A.B`, or not at all, can never
//!   be found; let [`Server::register`](crate::Server::register) say so.

use std::collections::BTreeMap;
use std::error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::codec::Body;
use crate::connection::Request;
use crate::deadline::Desk;
use crate::gob::{Gob, go_name};
use crate::{Error, Result};

/// What a method returns: a value, or any error, whose text goes to the caller.
pub type Reply<R> = std::result::Result<R, Box<dyn error::Error + Send + Sync>>;

/// A named set of methods.
///
/// ```
/// use rpc::Service;
///
/// rpc::message! {
///     pub struct Args { pub num1: i64, pub num2: i64 }
/// }
///
/// let arith = Service::new("Foo")
///     .method("Sum", |args: Args| Ok(args.num1 + args.num2))
///     .method("Fail", |_: Args| -> rpc::Reply<i64> { Err("boom 100%s".into()) });
/// assert_eq!(arith.methods().count(), 2);
/// ```
#[derive(Debug, Default)]
pub struct Service {
    name: String,
    methods: BTreeMap<String, Arc<Method>>,
    /// The first name that was given twice; told on registration.
    duplicate: Option<String>,
}

impl Service {
    /// A service without methods.
    #[must_use]
    pub fn new(name: &str) -> Service {
        Service { name: name.to_owned(), ..Service::default() }
    }

    /// Adds a method: a function or closure from arguments to a reply. What it needs besides, it
    /// captures; it is called by many threads at once.
    #[must_use]
    pub fn method<A, R, F>(self, name: &str, function: F) -> Service
    where
        A: Body + Gob + 'static,
        R: Body + Gob + 'static,
        F: Fn(A) -> Reply<R> + Send + Sync + 'static,
    {
        self.method_with(name, move |args, _: &CallInfo<'_>| function(args))
    }

    /// Adds a method that is also told about its call: who calls, how long it may take, whether
    /// anybody still waits.
    #[must_use]
    pub fn method_with<A, R, F>(mut self, name: &str, function: F) -> Service
    where
        A: Body + Gob + 'static,
        R: Body + Gob + 'static,
        F: Fn(A, &CallInfo<'_>) -> Reply<R> + Send + Sync + 'static,
    {
        let method = Method {
            full_name: format!("{}.{name}", self.name),
            signature: format!("{name}({}, *{}) error", A::go_type(), go_name::<R>()),
            calls: AtomicU64::new(0),
            slow: AtomicBool::new(false),
            quick_in_a_row: AtomicU32::new(0),
            function: Box::new(Typed { function, types: std::marker::PhantomData }),
        };
        if self.methods.insert(name.to_owned(), Arc::new(method)).is_some() {
            self.duplicate.get_or_insert(format!("{}.{name}", self.name));
        }
        self
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its methods, sorted by name.
    pub fn methods(&self) -> impl Iterator<Item = &Arc<Method>> {
        self.methods.values()
    }

    /// The method of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Arc<Method>> {
        self.methods.get(name)
    }

    /// That it can be registered.
    pub(crate) fn check(&self) -> Result<()> {
        if let Some(name) = &self.duplicate {
            return Err(Error::Duplicate(name.clone()));
        }
        if self.name.is_empty() || self.name.contains('.') {
            return Err(Error::Invalid(format!("rpc: no name for a service: {:?}", self.name)));
        }
        Ok(())
    }
}

/// A method of a service.
pub struct Method {
    full_name: String,
    signature: String,
    calls: AtomicU64,
    /// Whether its last calls took long enough that others had to be let past.
    slow: AtomicBool,
    quick_in_a_row: AtomicU32,
    function: Box<dyn Erased>,
}

impl Method {
    /// `Service.Method`.
    #[must_use]
    pub fn full_name(&self) -> &str {
        &self.full_name
    }

    /// As Go would declare it: `Sum(main.Args, *int) error`.
    #[must_use]
    pub fn signature(&self) -> &str {
        &self.signature
    }

    /// How often it has been called.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    pub(crate) fn is_slow(&self) -> bool {
        self.slow.load(Ordering::Relaxed)
    }

    /// A call took so long that the reading of its connection was given to another thread.
    pub(crate) fn was_slow(&self) {
        self.slow.store(true, Ordering::Relaxed);
        self.quick_in_a_row.store(0, Ordering::Relaxed);
    }

    /// A call of a slow method was quick: after 16 of them it is slow no more.
    pub(crate) fn was_quick(&self) {
        if self.quick_in_a_row.fetch_add(1, Ordering::Relaxed) >= 15 {
            self.slow.store(false, Ordering::Relaxed);
        }
    }

    /// Reads the arguments, runs the function, sends the reply.
    pub(crate) fn serve(&self, request: Request<'_>) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.function.serve(request);
    }
}

impl fmt::Debug for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} calls)", self.full_name, self.calls())
    }
}

/// A typed function with its types hidden: what all methods have in common.
trait Erased: Send + Sync {
    fn serve(&self, request: Request<'_>);
}

struct Typed<A, R, F> {
    function: F,
    types: std::marker::PhantomData<fn(A) -> R>,
}

impl<A, R, F> Erased for Typed<A, R, F>
where
    A: Body + 'static,
    R: Body + 'static,
    F: Fn(A, &CallInfo<'_>) -> Reply<R> + Send + Sync + 'static,
{
    fn serve(&self, request: Request<'_>) {
        let mut args = A::empty();
        let Some(running) = request.begin(&mut args) else { return };
        let info = running.info();
        // The function is called by many threads; what it leaves half done when it panics is its
        // own affair, as in Go.
        let called = catch_unwind(AssertUnwindSafe(|| {
            running.admit().and_then(|()| (self.function)(args, &info))
        }));
        match called {
            Ok(Ok(reply)) => running.reply(&reply),
            Ok(Err(error)) => running.fail(&error.to_string()),
            Err(panic) => {
                let text = panic.downcast_ref::<&str>().copied();
                let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
                running.fail(&format!("rpc: panic: {}", text.unwrap_or("no text")));
            }
        }
    }
}

/// What a method can learn about the call it serves.
#[derive(Debug)]
pub struct CallInfo<'a> {
    pub(crate) method: &'a str,
    pub(crate) deadline: Option<Instant>,
    pub(crate) desk: &'a Desk,
}

impl CallInfo<'_> {
    /// `Service.Method`.
    #[must_use]
    pub fn method(&self) -> &str {
        self.method
    }

    /// When the handle timeout ends; a long method may pass it on.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Whether the answer has been given for us: a timeout was sent, and the result will be
    /// dropped. A long method asks now and then, and returns.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.desk.is_empty()
    }
}

/// Looks at every call, before and after.
pub trait Interceptor: Send + Sync + 'static {
    /// Before the method runs, on its thread.
    ///
    /// # Errors
    /// An error is sent instead of running the method.
    fn before(&self, call: &CallInfo<'_>) -> Reply<()> {
        let _ = call;
        Ok(())
    }

    /// After it ran and the reply was lined up; `took` is the time between.
    fn after(&self, call: &CallInfo<'_>, took: Duration, outcome: Outcome<'_>) {
        let _ = (call, took, outcome);
    }
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// With a reply.
    Replied,
    /// With an error, of this text.
    Failed(&'a str),
    /// The handle timeout came first; the method's result was dropped.
    TimedOut,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Client, Server};

    #[test]
    fn a_method_looks_as_go_would_declare_it() {
        let service = Service::new("Foo").method("Keys", |list: Vec<String>| Ok(list.len() as u64));
        let method = service.get("Keys").unwrap();
        assert_eq!(method.signature(), "Keys([]string, *uint) error");
        assert_eq!((method.full_name(), method.calls()), ("Foo.Keys", 0));
    }

    #[test]
    fn sixteen_quick_calls_clear_a_slow_method_s_name() {
        let service = Service::new("Foo").method("Sum", |n: i64| Ok(n));
        let method = service.get("Sum").unwrap();
        method.was_slow();
        for _ in 0..15 {
            method.was_quick();
        }
        assert!(method.is_slow());
        method.was_quick();
        assert!(!method.is_slow());
    }

    #[test]
    #[ignore = "an exercise: see the end of the chapter"]
    fn exercise_service_refuses_what_nobody_could_call() {
        for name in ["", "A.B"] {
            let service = Service::new("Foo").method(name, |n: i64| Ok(n));
            assert!(Server::new().log(|_| {}).register(service).is_err(), "{name:?}");
        }
    }

    #[test]
    #[ignore = "an exercise: see the end of the chapter"]
    fn exercise_service_by_default() {
        let service = Service::new("Default").method("Double", |n: i64| Ok(2 * n));
        let serving = Server::new().log(|_| {}).register(service).unwrap().start().unwrap();
        let addr = serving.listen("127.0.0.1:0").unwrap();
        let client = Client::dial(&format!("tcp@{addr}")).unwrap();
        assert_eq!(client.call::<i64>("Double", &21i64).unwrap(), 42);
    }
}
