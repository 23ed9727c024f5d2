//! One connection's life (day 1): read a head, run the handler, send the answer, again.
//!
//! ```text
//!   ┌─► read_head ──► lend the connection ──► handler ──► take it back ──► send ──► drain ─┐
//!   │      │          to the request's body                                 │              │
//!   │      └ refused: answer so, close                         last answer: close          │
//!   └──────────────────────────────────────────────────────────────────────────────────────┘
//! ```
//! The body is read through the connection and only if the handler asks, hence the lending. What
//! the handler left of it is *drained*, read and dropped, because the next request stands behind
//! it; where that is too much, or nobody knows whether it will come, this answer is the last.

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Handler;
use crate::Error;
use crate::connection::{Connection, LINGER, LINGER_BRIEFLY};
use crate::request::Request;
use crate::response::{Content, Response};

/// Serves request after request until one side is done. Ends with the connection closed.
pub(crate) fn serve(connection: Connection, peer: Option<SocketAddr>, handler: &dyn Handler) {
    let mut connection = Box::new(connection);
    let (mut request, mut response) = (Request::default(), Response::new());
    request.peer = peer;
    loop {
        match connection.read_head(&mut request) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => return answer_refusal(*connection, &error, false),
        }
        let head_only = request.method() == "HEAD";
        if request.body.announced() > connection.limits.body_bytes_max {
            let reason = crate::body::TOO_LARGE;
            let error = Error::Refused { status: 413, reason };
            return answer_refusal(*connection, &error, head_only);
        }
        response.reset();
        request.body.lend(connection);
        let ran = catch_unwind(AssertUnwindSafe(|| handler.serve(&mut request, &mut response)));
        if ran.is_err() {
            return; // as in Go: the client gets no answer, and the connection ends
        }
        let Some(lent) = request.body.connection.take() else {
            return; // the handler has taken the connection over
        };
        connection = lent;
        connection.deadline = None;
        if let Some((status, reason)) =
            request.body.refused().or_else(|| untaken(&request, &response))
        {
            return answer_refusal(*connection, &Error::Refused { status, reason }, head_only);
        }
        let asked =
            response.headers.get("Connection").is_some_and(|v| v.eq_ignore_ascii_case("close"));
        let unframed = request.minor == 0 && matches!(response.content, Content::Stream(_));
        let can_drain = request.body.can_drain();
        let closing = !request.keep_alive || asked || unframed || !can_drain || connection.wanted();
        if response.send(&mut connection, head_only, request.minor, closing).is_err() {
            return;
        }
        if closing {
            if !request.body.is_done() || !connection.buffered().is_empty() {
                connection.close_gently(LINGER); // the peer is sending what we will not read
            } else if request.keep_alive {
                connection.close_gently(LINGER_BRIEFLY); // it may be: it did not ask for the end
            }
            return; // dropping the connection sends what is due
        }
        if !request.body.is_done() {
            request.body.connection = Some(connection);
            let drained = request.body.drain();
            let Some(lent) = request.body.connection.take() else { return };
            connection = lent;
            if !drained {
                return connection.close_gently(LINGER);
            }
        }
    }
}

/// CONNECT asks for a tunnel. If nobody has taken the connection over, a 2xx would say that the
/// tunnel stands, and a 404 would suggest that another target has one.
fn untaken(request: &Request, response: &Response) -> Option<(u16, &'static str)> {
    let untaken = request.method() == "CONNECT" && matches!(response.status(), ..400 | 404);
    untaken.then_some((501, "there is no tunnel here"))
}

/// Answers a request that cannot be served, in plain words, and closes.
fn answer_refusal(mut connection: Connection, error: &Error, head_only: bool) {
    let Error::Refused { status, reason } = error else {
        return; // the socket failed: there is nobody to answer
    };
    let mut response = Response::new();
    response.set_status(*status);
    response.headers.push("Content-Type", "text/plain; charset=utf-8");
    *response.body() =
        format!("{status} {}: {reason}\n", crate::http::reason(*status)).into_bytes();
    if response.send(&mut connection, head_only, 1, true).is_ok() {
        connection.close_gently(LINGER);
    }
}
