//! Limits for some routes only. The server's own, in [`Limits`](crate::Limits), hold for all.

use std::time::{Duration, Instant};

use crate::Context;
use crate::connection::moment;

/// Middleware under which a body may have so many octets; more are answered 413. It can only
/// lower the server's limit.
pub fn body_limit(bytes_max: u64) -> impl Fn(&mut Context) + Send + Sync + 'static {
    move |c| {
        if c.request.body.announced() > bytes_max {
            return c.fail(413, "the body is too large for this route");
        }
        c.request.body.limit(bytes_max);
    }
}

/// When the request must be done; set by [`timeout`].
struct Deadline(Instant);

/// Middleware under which a request must be done in time. A running handler cannot be stopped in
/// safe Rust; what can be done is done: reading the body ends in time, [`Context::time_left`]
/// tells handlers, and an answer that is late is replaced by 503.
pub fn timeout(limit: Duration) -> impl Fn(&mut Context) + Send + Sync + 'static {
    move |c| {
        let deadline = moment(Instant::now(), limit);
        c.set(Deadline(deadline));
        c.request.body.finish_by(deadline);
        c.next();
        if Instant::now() > deadline {
            c.response.start_over();
            c.fail(503, "the request took too long");
        }
    }
}

impl Context {
    /// How long this request may still take; `None` without a [`timeout`].
    #[must_use]
    pub fn time_left(&self) -> Option<Duration> {
        self.get::<Deadline>().map(|end| end.0.saturating_duration_since(Instant::now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Engine, Request};

    #[test]
    fn a_group_may_allow_less_than_the_server() {
        let mut engine = Engine::new();
        let mut small = engine.group("/small");
        small.middleware(body_limit(4));
        small
            .post("/", |c| {
                let length = c.body().map(<[u8]>::len);
                c.string(200, format!("{length:?}"));
            })
            .unwrap();
        let status =
            |body: &str| engine.handle(Request::new("POST", "/small/").with_body(body)).status();
        assert_eq!([status("1234"), status("12345")], [200, 413]);
    }

    #[test]
    fn a_late_answer_is_a_503_and_handlers_can_see_it_coming() {
        let mut engine = Engine::new();
        let mut late = engine.group("/late");
        late.middleware(timeout(Duration::ZERO));
        late.get("/", |c| {
            // Not a sleep: waits until the clock has moved on.
            while c.time_left() != Some(Duration::ZERO) {}
            c.string(200, "too late");
        })
        .unwrap();
        let mut soon = engine.group("/soon");
        soon.middleware(timeout(Duration::from_secs(3600)));
        soon.get("/", |c| {
            let left = c.time_left().is_some_and(|left| left > Duration::from_secs(3000));
            c.string(200, left.to_string());
        })
        .unwrap();
        assert_eq!(engine.handle(Request::new("GET", "/late/")).status(), 503);
        assert_eq!(engine.handle(Request::new("GET", "/soon/")).into_bytes().unwrap(), b"true");
    }
}
