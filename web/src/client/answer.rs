//! What the client reads: the head of an answer. Its body is read as a request's is, by `body.rs`.

use std::io;
use std::time::Duration;

use crate::connection::{Connection, is_timeout};
use crate::head::{Facts, Lines, decimal};
use crate::headers::Headers;
use crate::{Error, Result};

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The status line's text after the version: `404 Not Found`.
    pub status_text: String,
    /// The header fields.
    pub headers: Headers,
    /// The body, decoded from its chunks.
    pub body: Vec<u8>,
}

impl Answer {
    /// Whether the server means to keep the connection, unless it said `close`.
    pub(super) fn keep_alive(&self, facts: &Facts) -> bool {
        self.headers.text.starts_with(b"HTTP/1.1") || facts.keep_alive
    }
}

pub(super) fn read_head(
    connection: &mut Connection,
    doing: &impl Fn() -> String,
) -> Result<(Answer, Facts)> {
    let refuse = |reason| Err(Error::Refused { status: 502, reason });
    let (mut lines, mut facts, mut headers) = (Lines::default(), Facts::default(), Headers::new());
    let mut status = None;
    loop {
        while let Some((line, bare)) = lines.next(connection.buffered()) {
            let text = &connection.buffered()[line.clone()];
            if bare {
                return refuse("a line of the answer ends in LF without CR");
            }
            if status.is_none() {
                status = Some(status_line(text).ok_or(Error::Refused {
                    status: 502,
                    reason: "the answer does not begin with HTTP/1.x and a status",
                })?);
            } else if text.is_empty() {
                headers.text = connection.buffered()[..lines.start].to_vec();
                connection.consume(lines.start);
                let (status, status_text) = status.unwrap_or_default();
                if facts.chunked && facts.content_length.is_some() {
                    return refuse("the answer has Transfer-Encoding beside Content-Length");
                }
                return Ok((Answer { status, status_text, headers, body: Vec::new() }, facts));
            } else if headers.len() == connection.limits.fields_max {
                return refuse("the answer has too many header fields");
            } else {
                facts.field(text, line.start, &mut headers).map_err(as_bad_answer)?;
            }
        }
        if connection.buffered().len() > connection.limits.head_bytes_max {
            return refuse("the answer's head is too large");
        }
        match connection.fill(Duration::MAX) {
            Ok(0) => return refuse("the answer ends inside its head"),
            Ok(_) => {}
            Err(error) => return Err(Error::io(doing(), timed_out(error))),
        }
    }
}

/// `HTTP/1.1 404 Not Found` as 404 and `404 Not Found`.
fn status_line(line: &[u8]) -> Option<(u16, String)> {
    let rest = line.strip_prefix(b"HTTP/1.")?;
    let text = rest.get(2..).filter(|_| rest[0].is_ascii_digit() && rest[1] == b' ')?;
    let code = decimal(text.get(..3)?)?;
    let known = (100..600).contains(&code) && matches!(text.get(3), None | Some(b' '));
    let code = u16::try_from(code).ok().filter(|_| known)?;
    Some((code, String::from_utf8_lossy(text).trim_end().to_owned()))
}

/// 502 in place of the code that a server would answer a client with.
pub(super) fn as_bad_answer(error: Error) -> Error {
    match error {
        Error::Refused { reason, .. } => Error::Refused { status: 502, reason },
        other => other,
    }
}

/// Linux says "would block" when a socket's timeout runs out.
pub(super) fn timed_out(error: io::Error) -> io::Error {
    if is_timeout(&error) { io::ErrorKind::TimedOut.into() } else { error }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Random, rounds};

    /// However an answer's head is changed: a refusal or an answer, whose fields are fields.
    #[test]
    fn no_change_of_bytes_brings_it_down() {
        const SEED: &[u8] =
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive, x\r\n\
            Transfer-Encoding: chunked\r\nA: \"b\"\r\n\r\nhello";
        const PIECES: &[&str] = &[
            "\r\n",
            "\n",
            "\r",
            "\0",
            ":",
            " ",
            "\t",
            "HTTP/1.0",
            "999",
            "Content-Length: 6\r\n",
            "\r\n\r\n",
            "\u{e9}",
            "chunked, ",
        ];
        let mut random = Random(5);
        for _ in 0..rounds(20_000) {
            let input = random.change(SEED, PIECES);
            let length = input.len();
            let mut connection = Connection::from_memory(input);
            let Ok((answer, _)) = read_head(&mut connection, &String::new) else { continue };
            assert!((100..600).contains(&answer.status) && connection.buffered().len() < length);
            for (name, value) in answer.headers.iter() {
                assert!(crate::http::is_token(name.as_bytes()));
                assert!(crate::http::is_field_value(value));
            }
        }
    }
}
