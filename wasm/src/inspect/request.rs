//! A request's octets, cut where the real parser saw parts.
//!
//! ```text
//! GET /web?x=1 HTTP/1.1␍␊          method · space · target · ? · query · space · version · line end
//! Host: 127.0.0.1:9999␍␊           field name · colon · space · field value · line end
//! ␍␊                               end of the head
//! ```
//!
//! [`web::Request::parts`] has the ranges that the parser found and works with; nothing is parsed
//! a second time here, so the picture cannot drift from what the server does. What lies between
//! two parts has only few forms, told by their first byte. Together the pieces cover every byte,
//! which a test holds for thousands of requests.

use std::ops::Range;

use web::Request;

use super::{Class, Piece, visible};

/// What a run of bytes in a request can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `GET`
    Method,
    /// A space of the request line.
    Space,
    /// `/web`
    Target,
    /// `?`
    QueryMark,
    /// `x=1`
    Query,
    /// `HTTP/1.1`
    Version,
    /// `Host`
    Name,
    /// `:`
    Colon,
    /// White space around a value, no part of it.
    Padding,
    /// `localhost`
    Value,
    /// CR LF.
    LineEnd,
    /// The CR LF of the empty line.
    HeadEnd,
    /// What follows the head.
    Body,
}

impl Kind {
    /// A colour, a name, and what a reader may want to know.
    fn describe(self) -> (Class, &'static str, &'static str) {
        match self {
            Kind::Method => (
                Class::Kind,
                "method",
                "What to do with the target. A token: capitals count, and any word is allowed.",
            ),
            Kind::Space => {
                (Class::Gap, "space", "Exactly one space between the parts of this line.")
            }
            Kind::Target => (
                Class::Place,
                "target",
                "What is asked for. %20 and the like are decoded once, and then routed.",
            ),
            Kind::QueryMark => (Class::Gap, "question mark", "Ends the path and begins the query."),
            Kind::Query => (
                Class::Extra,
                "query",
                "name=value pairs, joined by &. The router never sees them.",
            ),
            Kind::Version => (
                Class::Format,
                "version",
                "With 1.1 the connection stays open for the next request, and Host is required.",
            ),
            Kind::Name => {
                (Class::Name, "field name", "A token; capitals and small letters are equal.")
            }
            Kind::Colon => (Class::Gap, "colon", "Follows the name at once: `Host :` is refused."),
            Kind::Padding => (Class::Gap, "white space", "Not part of the value."),
            Kind::Value => (
                Class::Value,
                "field value",
                "Any bytes but control characters; the tab is allowed.",
            ),
            Kind::LineEnd => (
                Class::End,
                "line end",
                "CR LF, bytes 0d 0a. An LF alone is refused: a proxy might read it otherwise.",
            ),
            Kind::HeadEnd => {
                (Class::End, "end of the head", "An empty line. What follows is the body.")
            }
            Kind::Body => (Class::Body, "body", "As many bytes as Content-Length says, or chunks."),
        }
    }
}

/// Cuts the head of `request`, and `body` after it, into pieces without a gap.
#[must_use]
pub fn pieces(request: &Request, body: &[u8]) -> Vec<Piece> {
    let head = request.head();
    let mut cuts = Vec::new();
    let mut at = 0;
    for (range, name) in request.parts() {
        between(head, at..range.start, &mut cuts);
        at = at.max(range.end);
        let kind = match name {
            "method" => Kind::Method,
            "target" => Kind::Target,
            "query" => Kind::Query,
            "version" => Kind::Version,
            "name" => Kind::Name,
            _ => Kind::Value,
        };
        push(&mut cuts, range, kind);
    }
    between(head, at..head.len(), &mut cuts);
    if let Some((_, last)) = cuts.last_mut() {
        *last = Kind::HeadEnd;
    }
    push(&mut cuts, head.len()..head.len() + body.len(), Kind::Body);
    let named = |(range, kind): (Range<usize>, Kind)| {
        let (class, name, about) = kind.describe();
        let bytes = if kind == Kind::Body { body } else { &head[range.clone()] };
        let ends_line = matches!(kind, Kind::LineEnd | Kind::HeadEnd);
        let text = visible(bytes);
        Piece { range, class, name: name.into(), about: about.into(), text, ends_line }
    };
    cuts.into_iter().map(named).collect()
}

/// Names what stands between two parts, byte by byte; CR and LF stay together.
fn between(head: &[u8], gap: Range<usize>, cuts: &mut Vec<(Range<usize>, Kind)>) {
    let mut at = gap.start;
    while at < gap.end {
        let (kind, length) = match head[at] {
            b'\r' => (Kind::LineEnd, 2.min(gap.end - at)),
            b'\n' => (Kind::LineEnd, 1),
            b':' => (Kind::Colon, 1),
            b'?' => (Kind::QueryMark, 1),
            _ => match cuts.last() {
                Some((_, Kind::Colon | Kind::Padding | Kind::Value)) => (Kind::Padding, 1),
                _ => (Kind::Space, 1),
            },
        };
        push(cuts, at..at + length, kind);
        at += length;
    }
}

fn push(cuts: &mut Vec<(Range<usize>, Kind)>, range: Range<usize>, kind: Kind) {
    if !range.is_empty() {
        cuts.push((range, kind));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Name and text of each piece.
    fn named(request: &Request, body: &[u8]) -> Vec<(String, String)> {
        let pieces = pieces(request, body);
        let mut at = 0;
        for piece in &pieces {
            assert_eq!(piece.range.start, at, "a gap or an overlap in {pieces:?}");
            at = piece.range.end;
        }
        assert_eq!(at, request.head().len() + body.len(), "bytes without a name");
        pieces.into_iter().map(|piece| (piece.name.into_owned(), piece.text)).collect()
    }

    fn parse(head: &str) -> Request {
        let mut request = Request::default();
        let length = request.parse(head.as_bytes(), &web::Limits::default()).unwrap();
        assert!(length.is_some(), "not a whole head: {head:?}");
        request
    }

    #[test]
    fn every_byte_of_a_request_has_its_name() {
        let request = parse("POST /a?x=1 HTTP/1.1\r\nHost: h\r\nContent-Length:2 \r\n\r\n");
        const WANT: &[(&str, &str)] = &[
            ("method", "POST"),
            ("space", " "),
            ("target", "/a"),
            ("question mark", "?"),
            ("query", "x=1"),
            ("space", " "),
            ("version", "HTTP/1.1"),
            ("line end", r"\r\n"),
            ("field name", "Host"),
            ("colon", ":"),
            ("white space", " "),
            ("field value", "h"),
            ("line end", r"\r\n"),
            ("field name", "Content-Length"),
            ("colon", ":"),
            ("field value", "2"),
            ("white space", " "),
            ("line end", r"\r\n"),
            ("end of the head", r"\r\n"),
            ("body", "hi"),
        ];
        let got = named(&request, b"hi");
        let got: Vec<_> = got.iter().map(|(name, text)| (&**name, &**text)).collect();
        assert_eq!(got, WANT);
    }

    #[test]
    fn odd_requests_leave_no_byte_without_a_name() {
        let targets = ["/", "/?", "/?a?b", "http://h", "http://h?x", "http://h/a:b?c:d", "/%2Fé"];
        let fields = ["", "X:\r\n", "X: \t \r\n", "X:a b : c\t\r\n", "X: é\r\nX: ?\r\n"];
        for before in ["", "\r\n"] {
            for target in targets {
                for field in fields {
                    for version in ["HTTP/1.0", "HTTP/1.1", "HTTP/1.7"] {
                        let head =
                            format!("{before}GET {target} {version}\r\n{field}Host: h\r\n\r\n");
                        let all = named(&parse(&head), b"");
                        assert_eq!(all[2].1, target.split('?').next().unwrap(), "{head:?}");
                        assert_eq!(all.last().unwrap().0, "end of the head");
                    }
                }
            }
        }
    }
}
