//! Panic recovery (day 7): a bug in one handler costs one answer.
//!
//! # What you will have at the end
//! A 500 for the client, a message and a place in the log, and a server that goes on. About ten
//! minutes.
//!
//! # Why
//! Errors are values in Rust, and a handler that can fail says so with `?`. A panic is a *bug*: an
//! index out of range, an `unwrap` of nothing. It unwinds this thread's stack and would end the
//! thread. [`Server`](crate::Server) catches it at the bottom and drops the connection, so others
//! never notice; but this client sees an empty reply, and nobody learns why. A middleware can do
//! better, because it stands between the bug and the connection.
//!
//! # The picture
//! ```text
//! logger ─► recovery ─► handler
//!              │           ✗ panic: the hook notes message and place, then the stack unwinds,
//!              │ ◄─────────┘ running every `drop` on the way
//!              │ catch_unwind gives Err: log, answer 500
//! logger ◄─────┘ logs [500] like any other
//! ```
//!
//! # The idea alone
//! ```
//! use std::panic::{AssertUnwindSafe, catch_unwind};
//!
//! let mut answers = Vec::new();
//! for request in [0, 9, 1] {
//!     let handler = AssertUnwindSafe(|| ["a", "b"][request]);
//!     match catch_unwind(handler) {
//!         Ok(body) => answers.push((200, body)),
//!         Err(_) => answers.push((500, "Internal Server Error")),
//!     }
//! }
//! assert_eq!(answers, [(200, "a"), (500, "Internal Server Error"), (200, "b")]);
//! ```
//!
//! # The walk
//! [`recovery`] sets the hook once, then runs [`Context::next`] inside [`catch_unwind`]. A panic calls
//! the hook, which leaves its note; then the stack unwinds to us, the note is logged, the response
//! is emptied and [`Context::fail`] answers.
//!
//! # What the borrow checker says
//! `catch_unwind(|| c.next())` alone is refused: "the type `&mut Context` may not be safely
//! transferred across an unwind boundary". The compiler asks whether somebody could later see a
//! half-changed value. [`AssertUnwindSafe`] is our answer: the response is reset, the chain is
//! over. What *you* share between requests must look after itself; a [`Mutex`](std::sync::Mutex)
//! does, it is poisoned by a panic of its holder, and `lock` then returns an error.
//!
//! Go's `recover` gives the panic's value where it is called. In Rust the place of a panic is known
//! only to the panic *hook*, which runs first, on the same thread: so it leaves a note in a
//! thread-local and the middleware picks it up.
//!
//! # What it cannot catch
//! A stack overflow and a second panic while the first unwinds end the whole process, and so does
//! every panic if the program is built with `panic = "abort"`. Threads of the pool have 256 KiB of
//! stack ([`PoolLimits::stack_bytes`](crate::pool::PoolLimits::stack_bytes)): bound your recursion.
//!
//! # Where this differs from the Go tutorial
//! Frames are listed when `RUST_BACKTRACE` is set; the place of the panic always is. Recovery
//! stands inside the logger, so a panic of the logger itself is the server's to catch, and costs
//! the connection (WEB-23). An answer is never half sent when a handler panics, so no error text
//! is appended to it (WEB-16); a [`Content::Stream`](crate::Content) that panics is cut off.
//!
//! # Try it
//! `cargo run -p web --example day7_panic_recover`, then `curl http://127.0.0.1:9999/panic` prints
//! `{"message":"Internal Server Error"}`, and `curl http://127.0.0.1:9999/` works as before. The
//! log has:
//! ```text
//! index out of bounds: the len is 1 but the index is 100
//! Traceback:
//!     web/examples/day7_panic_recover.rs:18
//! ```
//! Exercises (`cargo test -p web recovery::tests::exercise -- --ignored`): `exercise_first_that_works`
//! and `exercise_lamp` at the end of this file.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::{Cell, RefCell};
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use crate::Context;
use crate::log::line;

thread_local! {
    /// Recoveries that are running on this thread.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    /// What the hook noted about the panic that is unwinding.
    static NOTE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Frames of a backtrace that are logged at most.
const FRAMES_MAX: usize = 32;

/// Turns a panic in the rest of the chain into a log entry and a 500.
///
/// The log has the panic's message and place and nothing of the request: its fields may hold
/// secrets. The logger around it names the target.
pub fn recovery() -> impl Fn(&mut Context) + Send + Sync + 'static {
    static HOOK: Once = Once::new();
    // Other panics, on this thread or another, go where they went before.
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(
            move |info| {
                if DEPTH.get() > 0 { NOTE.set(describe(info)) } else { before(info) }
            },
        ));
    });
    |c| {
        DEPTH.set(DEPTH.get() + 1);
        let ran = catch_unwind(AssertUnwindSafe(|| c.next()));
        DEPTH.set(DEPTH.get() - 1);
        if ran.is_err() {
            line(format_args!("{}\n", NOTE.take()));
            c.response.start_over();
            c.fail(500, "Internal Server Error");
        }
    }
}

/// The message, then `Traceback:` and one line for the place and each known frame.
fn describe(info: &PanicHookInfo<'_>) -> String {
    let mut text = message(info).unwrap_or("a panic without a message").to_owned();
    text.push_str("\nTraceback:");
    if let Some(place) = info.location() {
        let _ = write!(text, "\n\t{}:{}", place.file(), place.line());
    }
    let trace = Backtrace::capture();
    if trace.status() == BacktraceStatus::Captured {
        let trace = trace.to_string();
        let frames = trace.lines().filter_map(|l| l.trim().strip_prefix("at "));
        for frame in frames.filter(|f| !f.starts_with("/rustc/")).take(FRAMES_MAX) {
            let _ = write!(text, "\n\t{frame}");
        }
    }
    text
}

/// `panic!("text")` carries a `&str`, `panic!("{x}")` a `String`.
fn message<'a>(info: &'a PanicHookInfo<'_>) -> Option<&'a str> {
    let payload = info.payload();
    payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Engine, Request};

    #[test]
    fn a_panic_is_a_500_and_the_next_request_is_fine() {
        let mut engine = Engine::new();
        engine.middleware(recovery());
        engine.get("/", |c| c.string(200, "ok")).unwrap();
        engine
            .get("/panic", |c| {
                c.set_header("Half", "done");
                c.string(200, ["geektutu"][c.path().len() + 94]);
            })
            .unwrap();
        for _ in 0..2 {
            let response = engine.handle(Request::new("GET", "/panic"));
            assert_eq!((response.status(), response.headers.get("Half")), (500, None));
            let body = response.into_bytes().unwrap();
            assert_eq!(body, b"{\"message\":\"Internal Server Error\"}\n");
            assert_eq!(engine.handle(Request::new("GET", "/")).into_bytes().unwrap(), b"ok");
        }
        assert_eq!(DEPTH.get(), 0);
    }

    fn first_that_works(tasks: &[fn() -> u8]) -> Option<u8> {
        tasks.first().map(|task| task()) // your code here
    }

    fn lit_while(lamp: &Cell<bool>, work: impl FnOnce()) {
        lamp.set(true); // your code here
        work();
        lamp.set(false);
    }

    /// A panic without the hook's message.
    fn fails() -> u8 {
        std::panic::resume_unwind(Box::new("part of the exercise"))
    }

    /// Run tasks one after another until one does not panic, and give its result.
    #[test]
    #[ignore = "an exercise: the first that works"]
    fn exercise_first_that_works() {
        assert_eq!(first_that_works(&[fails, || 7, || 8]), Some(7));
        assert_eq!(first_that_works(&[fails, fails]), None);
    }

    /// The lamp is on while `work` runs and off afterwards, whatever `work` does.
    #[test]
    #[ignore = "an exercise: a lamp that goes off"]
    fn exercise_lamp() {
        let lamp = Cell::new(false);
        lit_while(&lamp, || assert!(lamp.get()));
        assert!(!lamp.get());
        let work = || {
            fails();
        };
        let ended = catch_unwind(AssertUnwindSafe(|| lit_while(&lamp, work)));
        assert!(ended.is_err() && !lamp.get());
    }
}
