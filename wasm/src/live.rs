//! Parts of a page that change while you look, and a bound for those who look.
//!
//! ```text
//! a page        <div id="ring" data-renew> .. </div>      made by the template `cache_ring`
//! a form        POST /cache/add                           changes something, and rings the bell
//! a stream      GET /cache/live                           a thread of the server's pool each:
//!                 loop: make every part again,            the same templates, so that a page
//!                       send those that differ,           without scripts shows the same
//!                       wait for the bell, or a second
//! the browser   event: ring, data: the part's HTML        static/live.js puts it into the div
//! ```
//! A stream keeps a thread for as long as its page is open, so that there are only so many:
//! [`Streams`]. One more is told 503, in a sentence. That its page is gone a stream learns when it
//! writes, which it does every second at least.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use web::json::Json;
use web::template::{TemplateError, Templates};
use web::{Context, Error, Result};

/// Streams at the same time, over all pages.
pub const STREAMS_MAX: usize = 32;

/// How long a stream waits for the bell before it looks by itself.
const LOOK_PERIOD: Duration = Duration::from_secs(1);

/// Why something was not done: a status, and a text for the visitor.
pub type Refusal = (u16, String);

/// What a second one at the same time is told.
#[must_use]
pub fn busy() -> Refusal {
    (409, "what was asked for before is still under way; try again".to_owned())
}

/// Takes a lock. Under those of the pages no code of others runs: a poisoned one is as good as new.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts the streams of a playground.
#[derive(Debug, Clone, Default)]
pub struct Streams {
    open: Arc<AtomicUsize>,
}

/// The right to one stream, given back when it is dropped.
#[derive(Debug)]
pub struct Seat {
    open: Arc<AtomicUsize>,
}

impl Streams {
    /// A seat, or `None` once the answer has been made: 503.
    pub fn enter(&self, c: &mut Context) -> Option<Seat> {
        let more = |open| (open < STREAMS_MAX).then_some(open + 1);
        if self.open.fetch_update(SeqCst, SeqCst, more).is_err() {
            c.set_header("Retry-After", "5");
            let text =
                format!("{STREAMS_MAX} pages are being kept up to date already; close one\n");
            c.string(503, text);
            return None;
        }
        Some(Seat { open: Arc::clone(&self.open) })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.open.fetch_sub(1, SeqCst);
    }
}

/// Rung on every change. The count makes sure that nobody sleeps through a ring.
#[derive(Debug, Default)]
pub struct Bell {
    /// Guards how often it has been rung.
    rings: Mutex<u64>,
    rung: Condvar,
}

impl Bell {
    /// Tells all streams to look.
    pub fn ring(&self) {
        *lock(&self.rings) += 1;
        self.rung.notify_all();
    }

    /// How often it has been rung.
    #[must_use]
    pub fn rings(&self) -> u64 {
        *lock(&self.rings)
    }

    /// Waits until it has been rung more often than `heard`, a second at most.
    fn wait(&self, heard: u64) {
        let rings = lock(&self.rings);
        drop(self.rung.wait_timeout_while(rings, LOOK_PERIOD, |rings| *rings == heard));
    }
}

/// The templates of the parts of one page.
#[derive(Debug)]
pub struct Parts {
    templates: Templates,
    /// For each part its id on the page, and its template.
    parts: &'static [(&'static str, &'static str)],
}

impl Parts {
    /// The parts in `source`, which may use those of the layout.
    ///
    /// # Errors
    /// [`Error::Template`] for a mistake in a template.
    pub fn new(source: &str, parts: &'static [(&'static str, &'static str)]) -> Result<Parts> {
        let mut templates = Templates::new();
        for (name, source) in [("layout", crate::pages::LAYOUT), ("parts", source)] {
            templates.add(name, source).map_err(Error::Template)?;
        }
        Ok(Parts { templates, parts })
    }

    /// Every part as HTML.
    fn make(&self, data: &Json) -> std::result::Result<Vec<String>, TemplateError> {
        let make = |(_, template): &(&str, &str)| {
            let mut html = String::new();
            self.templates.render(template, data, &mut html).map(|()| html)
        };
        self.parts.iter().map(make).collect()
    }
}

/// Answers with a stream of the parts: all of them at first, then those that have changed.
pub fn watch(
    c: &mut Context,
    streams: &Streams,
    bell: Arc<Bell>,
    parts: Arc<Parts>,
    data: impl Fn() -> Json + Send + 'static,
) {
    let Some(seat) = streams.enter(c) else { return };
    c.sse(move |events| {
        let _seat = seat;
        let mut sent = vec![String::new(); parts.parts.len()];
        loop {
            let heard = bell.rings();
            let made = parts.make(&data()).map_err(std::io::Error::other)?;
            let mut silent = true;
            for ((old, new), (id, _)) in sent.iter_mut().zip(made).zip(parts.parts) {
                if *old != new {
                    events.send(id, "", &new)?;
                    *old = new;
                    silent = false;
                }
            }
            if silent {
                events.ping()?;
            }
            bell.wait(heard);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use web::{Content, Engine, Request};

    #[test]
    fn there_are_only_so_many_streams_and_a_seat_is_given_back() {
        let streams = Streams::default();
        let mut engine = Engine::new();
        let entered = streams.clone();
        engine
            .get("/", move |c| {
                let Some(seat) = entered.enter(c) else { return };
                c.sse(move |_| {
                    let _seat = seat;
                    Ok(())
                });
            })
            .unwrap();
        let ask = || engine.handle(Request::new("GET", "/"));
        let mut open: Vec<_> = (0..STREAMS_MAX).map(|_| ask()).collect();
        assert!(open.iter().all(|answer| answer.status() == 200));
        let refused = ask();
        assert_eq!(refused.status(), 503);
        assert_eq!(refused.headers.get("Retry-After"), Some("5"));
        let text = String::from_utf8(refused.into_bytes().unwrap()).unwrap();
        assert!(text.contains("32 pages are being kept up to date already; close one"), "{text}");
        // One ends by itself, another is dropped before it has begun.
        open.pop().unwrap().into_bytes().unwrap();
        open.pop();
        open.extend([ask(), ask()]);
        assert!(open.iter().all(|answer| answer.status() == 200));
        assert_eq!(ask().status(), 503);
    }

    /// Gives up after some events, as a client does that goes.
    struct Going {
        text: String,
        left: usize,
        bell: Arc<Bell>,
    }

    impl io::Write for Going {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.text += &String::from_utf8_lossy(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            self.bell.ring();
            self.left -= 1;
            if self.left == 0 { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
        }
    }

    #[test]
    fn a_stream_sends_what_has_changed_and_nothing_twice() {
        const SOURCE: &str = r#"{{define "a"}}<b>{{.n}}</b>{{end}}{{define "z"}}same{{end}}"#;
        let parts = Arc::new(Parts::new(SOURCE, &[("one", "a"), ("two", "z")]).unwrap());
        let (bell, streams) = (Arc::new(Bell::default()), Streams::default());
        let mut engine = Engine::new();
        let rung = Arc::clone(&bell);
        engine
            .get("/", move |c| {
                let (rung, asked) = (Arc::clone(&rung), AtomicUsize::new(0));
                watch(
                    c,
                    &streams,
                    rung,
                    Arc::clone(&parts),
                    move || web::json!({"n": (asked.fetch_add(1, SeqCst) / 2)}),
                );
            })
            .unwrap();
        let response = engine.handle(Request::new("GET", "/"));
        let Content::Stream(run) = response.content else { panic!("no stream") };
        let mut client = Going { text: String::new(), left: 5, bell };
        assert!(run(&mut client).is_err());
        let want = "event: one\ndata: <b>0</b>\n\nevent: two\ndata: same\n\n:\n\n\
                    event: one\ndata: <b>1</b>\n\n:\n\n";
        assert_eq!(client.text, want);
    }
}
