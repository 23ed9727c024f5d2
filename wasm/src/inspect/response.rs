//! An answer's octets, as the server has sent them.
//!
//! ```text
//! HTTP/1.1 200 OK␍␊                version · space · status · space · reason · line end
//! Content-Length: 3␍␊              field name · colon · space · field value · line end
//! ␍␊                               end of the head
//! 630                              body; or chunks: size · line end · data · line end
//! ```
//! Header fields are the same in requests and in answers, so the places of theirs are what the
//! parser of requests finds when they are put under a request line ([`request`]).

use std::ops::Range;

use web::{Limits, Request};

use super::{Class, Piece, request, visible};

/// What stands in for the status line while the fields are parsed.
const STAND_IN: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n";

/// The pieces of an answer, without a gap.
#[must_use]
pub fn pieces(answer: &[u8]) -> Vec<Piece> {
    let mut cuts = Cuts { bytes: answer, at: 0, pieces: Vec::new() };
    let Some(line) = find(answer, b"\r\n") else {
        cuts.rest("not an answer", "There is no status line.");
        return cuts.pieces;
    };
    let status_line = &answer[..line];
    let spaces = status_line.iter().enumerate().filter(|(_, byte)| **byte == b' ');
    let mut spaces = spaces.map(|(at, _)| at);
    if let (Some(first), Some(second)) = (spaces.next(), spaces.next()) {
        cuts.to(first, Class::Format, "version", "What the server speaks.");
        cuts.to(first + 1, Class::Gap, "space", "");
        cuts.to(
            second,
            Class::Kind,
            "status",
            "From 200 on it went well; from 300, look elsewhere; from 400, the asker's fault; from 500, ours.",
        );
        cuts.to(second + 1, Class::Gap, "space", "");
    }
    cuts.to(line, Class::Value, "reason", "For people; programs go by the number.");
    cuts.line_end();

    let mut head = Request::default();
    let parsed = head.parse(&[STAND_IN, &answer[line + 2..]].concat(), &Limits::default());
    let Ok(Some(_)) = parsed else {
        cuts.rest("not a head", "The parser refuses these fields.");
        return cuts.pieces;
    };
    let moved = |at: usize| at + line + 2 - STAND_IN.len();
    let fields = request::pieces(&head, b"").into_iter();
    for mut piece in fields.filter(|piece| piece.range.start >= STAND_IN.len()) {
        piece.range = moved(piece.range.start)..moved(piece.range.end);
        cuts.at = piece.range.end;
        cuts.pieces.push(piece);
    }
    let chunked = |value: &str| value.eq_ignore_ascii_case("chunked");
    if head.headers().get("Transfer-Encoding").is_some_and(chunked) {
        cuts.chunks();
    } else {
        cuts.rest("body", "As many bytes as Content-Length says.");
    }
    cuts.pieces
}

/// Goes through the bytes of an answer from front to back.
struct Cuts<'a> {
    bytes: &'a [u8],
    at: usize,
    pieces: Vec<Piece>,
}

impl Cuts<'_> {
    fn push(&mut self, range: Range<usize>, class: Class, name: &'static str, about: &'static str) {
        self.at = range.end;
        if !range.is_empty() {
            let text = visible(&self.bytes[range.clone()]);
            let ends_line = class == Class::End || class == Class::Body;
            let (name, about) = (name.into(), about.into());
            self.pieces.push(Piece { range, class, name, about, text, ends_line });
        }
    }

    fn to(&mut self, end: usize, class: Class, name: &'static str, about: &'static str) {
        self.push(self.at..end, class, name, about);
    }

    fn line_end(&mut self) {
        let end = self.bytes.len().min(self.at + 2);
        self.to(end, Class::End, "line end", "CR LF, bytes 0d 0a.");
    }

    fn rest(&mut self, name: &'static str, about: &'static str) {
        self.to(self.bytes.len(), Class::Body, name, about);
    }

    /// Chunks up to the one of size 0.
    fn chunks(&mut self) {
        while let Some(line) = find(&self.bytes[self.at..], b"\r\n") {
            let end = self.at + line;
            let digits = String::from_utf8_lossy(&self.bytes[self.at..end]).into_owned();
            let Ok(size) = usize::from_str_radix(&digits, 16) else { break };
            self.to(end, Class::Length, "chunk size", "In hexadecimal; 0 ends the body.");
            self.line_end();
            let data_end = self.at.saturating_add(size).min(self.bytes.len());
            self.to(data_end, Class::Body, "chunk", "As many bytes as its size says.");
            self.line_end();
            if size == 0 {
                break;
            }
        }
        self.rest("after the body", "");
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(answer: &[u8]) -> Vec<(String, String)> {
        let pieces = pieces(answer);
        let mut at = 0;
        for piece in &pieces {
            assert_eq!(piece.range.start, at, "a gap or an overlap in {pieces:?}");
            at = piece.range.end;
        }
        assert_eq!(at, answer.len(), "bytes without a name");
        pieces.into_iter().map(|piece| (piece.name.into_owned(), piece.text)).collect()
    }

    #[test]
    fn every_byte_of_an_answer_has_its_name() {
        let got = named(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nhi");
        let got: Vec<_> = got.iter().map(|(name, text)| (&**name, &**text)).collect();
        const WANT: &[(&str, &str)] = &[
            ("version", "HTTP/1.1"),
            ("space", " "),
            ("status", "404"),
            ("space", " "),
            ("reason", "Not Found"),
            ("line end", r"\r\n"),
            ("field name", "Content-Length"),
            ("colon", ":"),
            ("white space", " "),
            ("field value", "2"),
            ("line end", r"\r\n"),
            ("end of the head", r"\r\n"),
            ("body", "hi"),
        ];
        assert_eq!(got, WANT);
    }

    #[test]
    fn chunks_are_told_apart() {
        let got =
            named(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
        let body: Vec<_> = got[12..].iter().map(|(name, text)| (&**name, &**text)).collect();
        const WANT: &[(&str, &str)] = &[
            ("chunk size", "3"),
            ("line end", r"\r\n"),
            ("chunk", "abc"),
            ("line end", r"\r\n"),
            ("chunk size", "0"),
            ("line end", r"\r\n"),
            ("line end", r"\r\n"),
        ];
        assert_eq!(body, WANT);
    }

    #[test]
    fn odd_answers_leave_no_byte_without_a_name() {
        let whole =
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        for cut in 0..=whole.len() {
            named(&whole[..cut]);
        }
        for odd in [
            &b"\r\n\r\n"[..],
            b"HTTP/1.1\r\n\r\n",
            b"x y z\r\nbad field\r\n\r\nbody",
            b"a b \r\n\r\n",
        ] {
            named(odd);
        }
    }
}
