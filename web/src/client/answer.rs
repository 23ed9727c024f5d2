//! What the client reads: the head of an answer. Its body is read as a request's is, by `body.rs`.

use std::io::{self, Read};
use std::ops::Range;
use std::time::Duration;

use crate::body::Body;
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
    /// Where the client's parsers see what in an answer as it came, in order: `version`, `status` and
    /// `reason`, then `name` and `value` of each field, then the body, as `data`. A chunked body has
    /// each chunk's `size` before its `data`; a `trailer` may follow the last. Between them are spaces,
    /// colons and line ends. It ends where a parser refuses to read on.
    ///
    /// ```
    /// let octets = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
    /// let parts = web::Answer::parts(octets);
    /// let seen: Vec<_> = parts.iter().map(|(place, name)| (*name, &octets[place.clone()])).collect();
    /// assert_eq!(seen[1..3], [("status", &b"200"[..]), ("reason", b"OK")]);
    /// assert_eq!(seen[5..], [("size", &b"2"[..]), ("data", b"hi"), ("size", b"0")]);
    /// ```
    #[must_use]
    pub fn parts(octets: &[u8]) -> Vec<(Range<usize>, &'static str)> {
        let mut connection = Connection::from_memory(octets.to_vec());
        let Ok((answer, facts)) = read_head(&mut connection, &String::new) else {
            return Vec::new();
        };
        // The places are those that `status_line` checks.
        let (line, _) = Lines::default().next(octets).unwrap_or_default();
        let mut parts = vec![(0..8, "version"), (9..12, "status")];
        if line.end > 13 {
            parts.push((13..line.end, "reason"));
        }
        let fields = answer.headers.fields.iter();
        parts.extend(fields.flat_map(|f| [(f.name.clone(), "name"), (f.value.clone(), "value")]));
        let mut body = answer.frame(&facts, false);
        let mut at = octets.len() - connection.buffered().len();
        body.lend(Box::new(connection));
        let mut data = [0; 4096];
        loop {
            let got = body.read(&mut data);
            let left = body.connection.as_ref().map_or(0, |c| c.buffered().len());
            let data_at = octets.len() - left - *got.as_ref().unwrap_or(&0);
            // What has gone by without being data is the lines of the chunked framing.
            let (mut lines, start) = (Lines::default(), at);
            while let Some((line, _)) = lines.next(&octets[start..data_at]) {
                let name = if matches!(parts.last(), Some((_, "size" | "trailer"))) {
                    "trailer"
                } else {
                    "size"
                };
                if !line.is_empty() {
                    parts.push((start + line.start..start + line.end, name));
                }
            }
            at = octets.len() - left;
            match (got, parts.last_mut()) {
                (Ok(0) | Err(_), _) => return parts,
                (Ok(_), Some((place, "data"))) if place.end == data_at => place.end = at,
                (Ok(_), _) => parts.push((data_at..at, "data")),
            }
        }
    }

    /// The body that follows, ready to be read. An answer to HEAD, a 204 and a 304 have none.
    pub(super) fn frame(&self, facts: &Facts, to_head: bool) -> Body {
        let mut body = Body::default();
        if to_head || self.status == 204 || self.status == 304 {
            body.start(None, false, false);
        } else if facts.chunked || facts.content_length.is_some() {
            body.start(facts.content_length, facts.chunked, false);
        } else {
            body.start_until_close();
        }
        body
    }

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
        const SEEDS: [&[u8]; 2] = [
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive, x\r\nA: \"b\"\r\n\r\nhello",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a\r\nabc\r\n0\r\nX: y\r\n\r\n",
        ];
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
            "Transfer-Encoding: chunked\r\n",
            "2\r\nxy\r\n",
        ];
        let mut random = Random(5);
        for (_, seed) in (0..rounds(20_000)).zip(SEEDS.iter().cycle()) {
            let input = random.change(seed, PIECES);
            let length = input.len();
            let parts = Answer::parts(&input);
            let places = parts.iter().flat_map(|(place, _)| [place.start, place.end]);
            assert!(places.clone().is_sorted() && places.last().unwrap_or(0) <= length);
            let mut connection = Connection::from_memory(input);
            let Ok((answer, _)) = read_head(&mut connection, &String::new) else {
                assert_eq!(parts, []);
                continue;
            };
            assert!((100..600).contains(&answer.status) && connection.buffered().len() < length);
            for (name, value) in answer.headers.iter() {
                assert!(crate::http::is_token(name.as_bytes()));
                assert!(crate::http::is_field_value(value));
            }
        }
    }
}
