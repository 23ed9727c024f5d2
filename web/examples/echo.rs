//! Answers every request with itself: the request line, the fields as received, an empty line,
//! and the decoded body. Point clients at it to see what they really send.

use std::process::ExitCode;

use web::{Request, Response, Server};

fn echo(request: &mut Request, response: &mut Response) {
    if request.method() == "CONNECT" {
        response.set_status(405);
        response.headers.set("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE").ok();
        return;
    }
    let mut text = request.head().to_vec();
    // A body that breaks the rules is answered by the server: 400, 408 or 413.
    if let Ok(body) = request.body.bytes() {
        text.extend_from_slice(body);
    }
    response.headers.set("Content-Type", "text/plain; charset=utf-8").ok();
    *response.body() = text;
}

fn main() -> ExitCode {
    web::cli::serve("127.0.0.1:9999", Ok(Server::new(echo)))
}
