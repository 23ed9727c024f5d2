//! Reading a message's head (day 1): lines, fields, and what they say about the body.
//!
//! ```text
//! GET /hello?name=gee HTTP/1.1␍␊      request line: method, target, version
//! Host: localhost:9999␍␊              header fields, each `name: value`
//! Content-Length: 4␍␊
//! ␍␊                                  an empty line ends the head
//! ping                                the body: here 4 octets, see `body.rs`
//! ```
//!
//! TCP knows no messages: one `read` may bring half a line or three requests. So the parser is
//! given all that is buffered, again and again, and remembers how far it has looked: a peer that
//! sends one byte at a time costs linear work, not quadratic.
//!
//! Everything doubtful is refused. Two servers that read the same bytes differently are how
//! requests are smuggled past a proxy, and nearly every such attack lives in one of these rules:
//!
//! | rule | else | source |
//! |---|---|---|
//! | lines end in CR LF, values hold no control character | 400 | RFC 9112 2.2, 9110 5.5 |
//! | no space before a colon, no line that begins with a space | 400 | RFC 9112 5.1, 5.2 |
//! | Content-Length is digits, once or always the same | 400 | RFC 9112 6.3 |
//! | Transfer-Encoding is `chunked` alone, not beside Content-Length, not in 1.0 | 400, 501 | RFC 9112 6.1 |
//! | one Host, and it is host\[:port\] | 400 | RFC 9112 3.2 |
//! | 8 KiB request line; 64 KiB, 100 fields | 414; 431 | ours |
//!
//! `"+5".parse::<u64>()` is `Ok(5)` in Rust, so digits are checked first.

mod target;

use std::ops::Range;

pub(crate) use target::{is_authority, request_line, split_target};

use crate::headers::{Field, Headers};
use crate::http::{TCHAR, is_field_value};
use crate::request::Request;
use crate::server::Limits;
use crate::{Error, Result};

/// A refusal, in one line.
pub(crate) fn refuse<T>(status: u16, reason: &'static str) -> Result<T> {
    Err(Error::Refused { status, reason })
}

/// Cuts lines out of a growing buffer.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// Where the current line begins.
    pub(crate) start: usize,
    /// No line feed stands before this place.
    scanned: usize,
}

impl Lines {
    /// The next line without its line end, and whether that was a lone LF.
    pub(crate) fn next(&mut self, input: &[u8]) -> Option<(Range<usize>, bool)> {
        let Some(found) = find_line_feed(&input[self.scanned..]) else {
            self.scanned = input.len();
            return None;
        };
        let (start, end) = (self.start, self.scanned + found);
        (self.start, self.scanned) = (end + 1, end + 1);
        let bare = end == start || input[end - 1] != b'\r';
        Some((start..end - usize::from(!bare), bare))
    }
}

/// The place of the first LF. Blocks of 32 without an early exit compile to vector compares.
fn find_line_feed(input: &[u8]) -> Option<usize> {
    let mut at = 0;
    for block in input.chunks_exact(32) {
        if block.iter().fold(false, |hit, &b| hit | (b == b'\n')) {
            break;
        }
        at += 32;
    }
    input[at..].iter().position(|&b| b == b'\n').map(|found| at + found)
}

/// What the fields say about framing and the connection; shared by requests and responses.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// How many Host fields there are.
    pub(crate) hosts: usize,
    pub(crate) content_length: Option<u64>,
    pub(crate) chunked: bool,
    /// `Connection: close`, which wins over `keep-alive`.
    pub(crate) close: bool,
    pub(crate) keep_alive: bool,
    pub(crate) expect_continue: bool,
}

impl Facts {
    /// Reads one field line that begins at `base`, records its place and what it means to us.
    pub(crate) fn field(&mut self, line: &[u8], base: usize, headers: &mut Headers) -> Result<()> {
        let colon = line.iter().position(|&b| !TCHAR[usize::from(b)]).unwrap_or(line.len());
        if colon == 0 || line.get(colon) != Some(&b':') {
            return refuse(
                400,
                match line.first() {
                    Some(b' ' | b'\t') => "a header line begins with white space",
                    _ => "a header name is not a token followed by a colon",
                },
            );
        }
        let blank = |b: &u8| *b == b' ' || *b == b'\t';
        let rest = &line[colon + 1..];
        let start = rest.iter().position(|b| !blank(b)).unwrap_or(rest.len());
        let end = rest.iter().rposition(|b| !blank(b)).map_or(start, |last| last + 1);
        let value = &rest[start..end];
        if !is_field_value(value) {
            return refuse(400, "a header value has a control character");
        }
        let value_at = base + colon + 1 + start;
        headers
            .fields
            .push(Field { name: base..base + colon, value: value_at..value_at + value.len() });
        self.learn(&line[..colon], value)
    }

    /// Notes what a field means to the framing. Lengths first: they tell most names apart.
    fn learn(&mut self, name: &[u8], value: &[u8]) -> Result<()> {
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => {
                self.hosts += 1;
                if !is_authority(value) {
                    return refuse(400, "Host is not host[:port]");
                }
            }
            6 if name.eq_ignore_ascii_case(b"expect") => {
                if !value.eq_ignore_ascii_case(b"100-continue") {
                    return refuse(417, "the only expectation known is 100-continue");
                }
                self.expect_continue = true;
            }
            10 if name.eq_ignore_ascii_case(b"connection") => {
                for option in value.split(|&b| b == b',').map(<[u8]>::trim_ascii) {
                    self.close |= option.eq_ignore_ascii_case(b"close");
                    self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
                }
            }
            14 if name.eq_ignore_ascii_case(b"content-length") => {
                let Some(length) = decimal(value) else {
                    return refuse(400, "Content-Length is not a number of octets");
                };
                if self.content_length.is_some_and(|first| first != length) {
                    return refuse(400, "two Content-Lengths that differ");
                }
                self.content_length = Some(length);
            }
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                if !value.eq_ignore_ascii_case(b"chunked") {
                    let last = value.rsplit(|&b| b == b',').next().unwrap_or_default();
                    let known = last.trim_ascii().eq_ignore_ascii_case(b"chunked");
                    let twice =
                        value.to_ascii_lowercase().windows(7).filter(|w| w == b"chunked").count()
                            > 1;
                    return if known && !twice {
                        refuse(501, "a transfer coding other than chunked")
                    } else {
                        refuse(400, "Transfer-Encoding does not end in one chunked")
                    };
                }
                if self.chunked {
                    return refuse(400, "chunked twice");
                }
                self.chunked = true;
            }
            _ => {}
        }
        Ok(())
    }
}

/// Parses digits and nothing else; `None` also past 2^64-1.
pub(crate) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |sum, &b| {
        let digit = b.wrapping_sub(b'0');
        (digit < 10).then(|| sum.checked_mul(10)?.checked_add(u64::from(digit)))?
    })
}

/// The parser of one request's head.
#[derive(Debug, Default)]
pub(crate) struct HeadParser {
    lines: Lines,
    /// The request line has been read; header fields follow.
    in_fields: bool,
    /// Go's RPC client ends the head of `CONNECT … HTTP/1.0` in bare line feeds.
    bare_lf_ok: bool,
    facts: Facts,
}

impl HeadParser {
    /// Reads on in `input`, all that is buffered; `Some(length)` once the head is complete, and
    /// `request` then describes it.
    pub(crate) fn advance(
        &mut self,
        input: &[u8],
        limits: &Limits,
        request: &mut Request,
    ) -> Result<Option<usize>> {
        while let Some((line, bare)) = self.lines.next(input) {
            if line == (0..0) && !bare {
                continue; // one empty line before a request is skipped, RFC 9112 section 2.2
            }
            if !self.in_fields {
                if line.len() > limits.request_line_bytes_max {
                    return refuse(
                        414,
                        "the request line is over its limit; raise request_line_bytes_max",
                    );
                }
                request.start(&input[line.clone()], line.start)?;
                self.bare_lf_ok = request.minor == 0 && input[line].starts_with(b"CONNECT ");
                self.in_fields = true;
            } else if line.is_empty() && (!bare || self.bare_lf_ok) {
                let length = self.lines.start;
                if length > limits.head_bytes_max {
                    return refuse(
                        431,
                        "the header section is over its limit; raise head_bytes_max",
                    );
                }
                request.finish(&input[..length], &self.facts)?;
                *self = HeadParser::default();
                return Ok(Some(length));
            } else {
                if request.headers.len() == limits.fields_max {
                    return refuse(431, "too many header fields; raise fields_max");
                }
                if !bare || self.bare_lf_ok {
                    let base = line.start;
                    self.facts.field(&input[line], base, &mut request.headers)?;
                }
            }
            if bare && !self.bare_lf_ok {
                return refuse(400, "a line ends in LF without CR");
            }
        }
        // One more, for a CR whose LF has not come yet: the line end is no part of the line.
        if !self.in_fields && input.len() > self.lines.start + limits.request_line_bytes_max + 1 {
            return refuse(414, "the request line is over its limit; raise request_line_bytes_max");
        }
        if input.len() > limits.head_bytes_max {
            return refuse(431, "the header section is over its limit; raise head_bytes_max");
        }
        Ok(None)
    }

    /// Whether part of a head has been seen, so that silence now is a slow request.
    pub(crate) fn has_begun(&self) -> bool {
        self.in_fields || self.lines.scanned > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_digits_and_nothing_else() {
        assert_eq!(decimal(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(decimal(b"007"), Some(7));
        for bad in [&b""[..], b"+5", b"-1", b" 5", b"5,5", b"0x5", b"18446744073709551616"] {
            assert_eq!(decimal(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn lines_are_found_however_the_bytes_arrive() {
        let text = b"first\r\n\r\nbare\nand a line that is longer than thirty-two bytes\r\nrest";
        let mut whole = Lines::default();
        let all: Vec<_> = std::iter::from_fn(|| whole.next(text)).collect();
        assert_eq!(all, [(0..5, false), (7..7, false), (9..13, true), (14..61, false)]);
        let (mut lines, mut seen) = (Lines::default(), Vec::new());
        for end in 0..=text.len() {
            seen.extend(lines.next(&text[..end]));
        }
        assert_eq!(seen, all);
    }
}
