//! Answers that are written while they are sent: streams, and server-sent events.
//!
//! ```text
//! event: move␊           a name, if there is one
//! data: line one␊        a line of the text
//! data: line two␊
//! id: 7␊                 what a browser says in Last-Event-ID when it comes back
//! ␊                      an empty line ends the event
//! ```
//! The function that writes runs after the chain has ended, on the connection's thread. Once the
//! client has gone, each write is an error: return it. Any error or panic of the function cuts the
//! connection off, so the client sees that the answer is not whole. A stream holds a thread of the
//! pool while it lasts.
//! Reference: WHATWG HTML, "Server-sent events".

use std::io::{self, Write};

use crate::{Content, Context};

/// Writes events; made by [`Context::sse`].
pub struct Events<'a> {
    out: &'a mut dyn Write,
}

impl std::fmt::Debug for Events<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Events")
    }
}

impl Events<'_> {
    /// Sends an event now. A line end in `name` or `id` would begin another field and is dropped.
    ///
    /// # Errors
    /// The connection's: the client has gone.
    pub fn send(&mut self, name: &str, id: &str, data: &str) -> io::Result<()> {
        let mut text = String::new();
        for (field, value) in [("event", name), ("id", id)] {
            if !value.is_empty() {
                text += &format!("{field}: {}\n", value.replace(['\r', '\n', '\0'], ""));
            }
        }
        for line in data.replace("\r\n", "\n").split(['\r', '\n']) {
            text += &format!("data: {line}\n");
        }
        self.out.write_all(format!("{text}\n").as_bytes())?;
        self.out.flush()
    }

    /// Sends a comment, which clients ignore: it shows whether they are still there.
    ///
    /// # Errors
    /// The connection's: the client has gone.
    pub fn ping(&mut self) -> io::Result<()> {
        self.out.write_all(b":\n\n")?;
        self.out.flush()
    }
}

impl Context {
    /// Answers what `write` writes, in chunks; its `flush` sends what there is.
    pub fn stream(
        &mut self,
        status: u16,
        content_type: &str,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send + 'static,
    ) {
        self.status(status);
        self.set_header("Content-Type", content_type);
        self.response.content = Content::Stream(Box::new(write));
    }

    /// Answers a stream of events, until `run` returns or the client goes.
    pub fn sse(&mut self, run: impl FnOnce(&mut Events<'_>) -> io::Result<()> + Send + 'static) {
        self.set_header("Cache-Control", "no-store");
        self.stream(200, "text/event-stream", |out| run(&mut Events { out }));
    }
}

#[cfg(test)]
mod tests {
    use crate::{Engine, Request};

    #[test]
    fn events_are_framed_line_by_line() {
        let mut engine = Engine::new();
        engine
            .get("/", |c| {
                c.sse(|events| {
                    events.send("", "", "one")?;
                    events.send("mo\nve", "7", "two\r\nthree\rfour")?;
                    events.ping()
                });
            })
            .unwrap();
        let response = engine.handle(Request::new("GET", "/"));
        assert_eq!(response.headers.get("Content-Type"), Some("text/event-stream"));
        let want = "data: one\n\nevent: move\nid: 7\ndata: two\ndata: three\ndata: four\n\n:\n\n";
        assert_eq!(String::from_utf8(response.into_bytes().unwrap()).unwrap(), want);
    }
}
