//! Every byte named: a request's octets, cut where the real parser saw parts.
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

use web::json::Json;
use web::{Request, json};

/// A run of bytes with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Where it stands.
    pub range: Range<usize>,
    /// What it is.
    pub kind: Kind,
}

/// What a run of bytes in a request can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
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
    /// A class for the style sheet, a name, and what a reader may want to know.
    #[must_use]
    pub fn describe(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Kind::Method => (
                "method",
                "method",
                "What to do with the target. A token: capitals count, and any word is allowed.",
            ),
            Kind::Space => ("gap", "space", "Exactly one space between the parts of this line."),
            Kind::Target => (
                "target",
                "target",
                "What is asked for. %20 and the like are decoded once, and then routed.",
            ),
            Kind::QueryMark => ("gap", "question mark", "Ends the path and begins the query."),
            Kind::Query => {
                ("query", "query", "name=value pairs, joined by &. The router never sees them.")
            }
            Kind::Version => (
                "version",
                "version",
                "With 1.1 the connection stays open for the next request, and Host is required.",
            ),
            Kind::Name => ("name", "field name", "A token; capitals and small letters are equal."),
            Kind::Colon => ("gap", "colon", "Follows the name at once: `Host :` is refused."),
            Kind::Padding => ("gap", "white space", "Not part of the value."),
            Kind::Value => {
                ("value", "field value", "Any bytes but control characters; the tab is allowed.")
            }
            Kind::LineEnd => (
                "end",
                "line end",
                "CR LF, bytes 0d 0a. An LF alone is refused: a proxy might read it otherwise.",
            ),
            Kind::HeadEnd => ("end", "end of the head", "An empty line. What follows is the body."),
            Kind::Body => ("body", "body", "As many bytes as Content-Length says, or chunks."),
        }
    }
}

/// Cuts the head of `request`, and `body_bytes` after it, into pieces without a gap.
#[must_use]
pub fn pieces(request: &Request, body_bytes: usize) -> Vec<Piece> {
    let head = request.head();
    let mut pieces = Vec::new();
    let mut at = 0;
    for (range, name) in request.parts() {
        between(head, at..range.start, &mut pieces);
        at = at.max(range.end);
        let kind = match name {
            "method" => Kind::Method,
            "target" => Kind::Target,
            "query" => Kind::Query,
            "version" => Kind::Version,
            "name" => Kind::Name,
            _ => Kind::Value,
        };
        push(&mut pieces, range, kind);
    }
    between(head, at..head.len(), &mut pieces);
    if let Some(last) = pieces.last_mut() {
        last.kind = Kind::HeadEnd;
    }
    push(&mut pieces, head.len()..head.len() + body_bytes, Kind::Body);
    pieces
}

/// Names what stands between two parts, byte by byte; CR and LF stay together.
fn between(head: &[u8], gap: Range<usize>, pieces: &mut Vec<Piece>) {
    let mut at = gap.start;
    while at < gap.end {
        let (kind, length) = match head[at] {
            b'\r' => (Kind::LineEnd, 2.min(gap.end - at)),
            b'\n' => (Kind::LineEnd, 1),
            b':' => (Kind::Colon, 1),
            b'?' => (Kind::QueryMark, 1),
            _ => match pieces.last().map(|piece| piece.kind) {
                Some(Kind::Colon | Kind::Padding | Kind::Value) => (Kind::Padding, 1),
                _ => (Kind::Space, 1),
            },
        };
        push(pieces, at..at + length, kind);
        at += length;
    }
}

fn push(pieces: &mut Vec<Piece>, range: Range<usize>, kind: Kind) {
    if !range.is_empty() {
        pieces.push(Piece { range, kind });
    }
}

/// No more bytes than this are shown; a head may have 64 KiB.
const SHOWN_BYTES_MAX: usize = 4096;

/// The pieces as the template draws them: lines of text, and rows of sixteen bytes.
#[must_use]
pub fn as_json(bytes: &[u8], pieces: &[Piece]) -> Json {
    let shown = bytes.len().min(SHOWN_BYTES_MAX);
    let mut lines: Vec<Vec<Json>> = vec![Vec::new()];
    let mut rows: Vec<Vec<Json>> = vec![Vec::new(); shown.div_ceil(ROW_BYTES)];
    for (id, piece) in pieces.iter().enumerate() {
        let range = piece.range.start..piece.range.end.min(shown);
        if range.is_empty() {
            continue;
        }
        let (class, name, about) = piece.kind.describe();
        let text = visible(&bytes[range.clone()]);
        let place = match range.len() {
            1 => format!("byte {}", range.start),
            n => format!("bytes {} to {}, {n} of them", range.start, range.end - 1),
        };
        if let Some(line) = lines.last_mut() {
            line.push(json!({"id": id, "class": class, "name": name, "about": about, "text": text, "place": place}));
        }
        if matches!(piece.kind, Kind::LineEnd | Kind::HeadEnd) {
            lines.push(Vec::new());
        }
        let mut start = range.start;
        while start < range.end {
            let row = start / ROW_BYTES;
            let end = range.end.min((row + 1) * ROW_BYTES);
            rows[row].push(hex_run(id, class, &bytes[start..end]));
            start = end;
        }
    }
    lines.retain(|line| !line.is_empty());
    let rows: Vec<Json> = rows
        .into_iter()
        .enumerate()
        .map(|(row, runs)| json!({"offset": (format!("{:04x}", row * ROW_BYTES)), "runs": runs}))
        .collect();
    json!({"lines": lines, "rows": rows, "bytes": bytes.len(), "hidden": bytes.len() - shown})
}

const ROW_BYTES: usize = 16;

/// Some bytes of one piece within one row: in hex, and as characters.
fn hex_run(id: usize, class: &str, bytes: &[u8]) -> Json {
    let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let char = |b: &u8| if b.is_ascii_graphic() || *b == b' ' { char::from(*b) } else { '.' };
    let chars: String = bytes.iter().map(char).collect();
    json!({"id": id, "class": class, "hex": (hex.join(" ")), "chars": chars})
}

/// Bytes as text in which line ends can be seen.
fn visible(bytes: &[u8]) -> String {
    let mut text = String::new();
    for c in String::from_utf8_lossy(bytes).chars() {
        match c {
            '\r' => text.push_str("\\r"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            c if c.is_control() => text.push(char::REPLACEMENT_CHARACTER),
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Name and text of each piece.
    fn named(request: &Request, body: &[u8]) -> Vec<(&'static str, String)> {
        let bytes = [request.head(), body].concat();
        let pieces = pieces(request, body.len());
        let mut at = 0;
        for piece in &pieces {
            assert_eq!(piece.range.start, at, "a gap or an overlap in {pieces:?}");
            at = piece.range.end;
        }
        assert_eq!(at, bytes.len(), "bytes without a name");
        pieces.into_iter().map(|p| (p.kind.describe().1, visible(&bytes[p.range]))).collect()
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
        let got: Vec<_> = got.iter().map(|(name, text)| (*name, &**text)).collect();
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

    #[test]
    fn what_is_long_is_cut_and_rows_hold_sixteen_bytes() {
        let request = Request::new("GET", &format!("/{}", "a".repeat(5000)));
        let shown = as_json(request.head(), &pieces(&request, 0));
        assert_eq!(shown["bytes"].as_u64().unwrap() - shown["hidden"].as_u64().unwrap(), 4096);
        let rows = shown["rows"].as_array().unwrap();
        assert_eq!(rows.len(), 256);
        assert_eq!(rows[0]["runs"][0]["hex"].as_str(), Some("47 45 54"));
        assert_eq!(rows[255]["runs"][0]["chars"].as_str(), Some(&*"a".repeat(16)));
        assert_eq!(shown["lines"].as_array().unwrap().len(), 1);
    }
}
