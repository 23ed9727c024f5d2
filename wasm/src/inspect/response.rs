//! An answer's octets, as the server has sent them.
//!
//! ```text
//! HTTP/1.1 200 OK␍␊                version · space · status · space · reason · line end
//! Content-Length: 3␍␊              field name · colon · space · field value · line end
//! ␍␊                               end of the head
//! 630                              body; or chunks: size · line end · data · line end
//! ```
//! [`web::Answer::parts`] has the places that the client's parsers found, so the picture cannot drift
//! from what a client does. What lies between two of them is told by its first byte.

use web::Answer;

use super::{Class, Piece, visible};

/// The pieces of an answer, without a gap.
#[must_use]
pub fn pieces(answer: &[u8]) -> Vec<Piece> {
    let mut cuts = Cuts { bytes: answer, at: 0, in_body: false, pieces: Vec::new() };
    let parts = Answer::parts(answer);
    for (range, part) in &parts {
        cuts.between(range.start);
        cuts.in_body |= *part == "size";
        let (class, name, about) = describe(part);
        cuts.to(range.end, class, name, about);
    }
    cuts.between(answer.len());
    let (name, about) = match parts.is_empty() {
        true => ("not an answer", "A client refuses it."),
        false => ("after the body", "A client reads no further."),
    };
    cuts.to(answer.len(), Class::Body, name, about);
    cuts.pieces
}

fn describe(part: &str) -> (Class, &'static str, &'static str) {
    match part {
        "version" => (Class::Format, "version", "What the server speaks."),
        "status" => (
            Class::Kind,
            "status",
            "From 200 on it went well; from 300, look elsewhere; from 400, the asker's fault; from 500, ours.",
        ),
        "reason" => (Class::Value, "reason", "For people; programs go by the number."),
        "name" => (Class::Name, "field name", "A token; capitals and small letters are equal."),
        "value" => (Class::Value, "field value", "Any bytes but control characters."),
        "size" => (Class::Length, "chunk size", "In hexadecimal; 0 ends the body."),
        "trailer" => (Class::Value, "trailer", "A field that came too late: it is dropped."),
        _ => (Class::Body, "body", "As many bytes as Content-Length or the chunk's size says."),
    }
}

/// Goes through the bytes of an answer from front to back.
struct Cuts<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Among chunks an empty line is no end of the head.
    in_body: bool,
    pieces: Vec<Piece>,
}

impl Cuts<'_> {
    fn to(&mut self, end: usize, class: Class, name: &'static str, about: &'static str) {
        let range = self.at..end;
        self.at = end;
        if !range.is_empty() {
            let text = visible(&self.bytes[range.clone()]);
            let ends_line = class == Class::End || class == Class::Body;
            let (name, about) = (name.into(), about.into());
            self.pieces.push(Piece { range, class, name, about, text, ends_line });
        }
    }

    /// Names what no parser keeps, up to `end` or the first byte that is something else.
    fn between(&mut self, end: usize) {
        while self.at < end {
            let last = self.pieces.last().map_or("", |piece| &*piece.name);
            let (length, class, name, about) = match &self.bytes[self.at..end] {
                [b'\r', b'\n', ..] if last == "line end" && !self.in_body => {
                    (2, Class::End, "end of the head", "An empty line. What follows is the body.")
                }
                [b'\r', b'\n', ..] => (2, Class::End, "line end", "CR LF, bytes 0d 0a."),
                [b':', ..] => (1, Class::Gap, "colon", "Follows the name at once."),
                [b' ' | b'\t', ..] if ["version", "status"].contains(&last) => {
                    (1, Class::Gap, "space", "Exactly one space between the parts of this line.")
                }
                [b' ' | b'\t', ..] => (1, Class::Gap, "white space", "Not part of the value."),
                _ => return,
            };
            self.to(self.at + length, class, name, about);
        }
    }
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
            ("body", "abc"),
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
