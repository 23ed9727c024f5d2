//! JSON text, token by token. What is a value the real parser says, [`web::json::parse`]: a token
//! that it refuses is named so.
//!
//! ```text
//! {"ServiceMethod":"Foo.Sum","Seq":1}     bracket, name, colon, text, comma, name, colon, number
//! ```

use std::ops::Range;

use web::Json;
use web::json::parse;

use super::{Class, Piece, visible};

/// The pieces of a row of JSON values.
#[must_use]
pub fn pieces(text: &[u8]) -> Vec<Piece> {
    let tokens = tokens(text);
    let next = |at: usize| {
        tokens[at + 1..]
            .iter()
            .map(|range| text[range.start])
            .find(|byte| !byte.is_ascii_whitespace())
    };
    let piece = |(at, range): (usize, &Range<usize>)| {
        let token = &text[range.clone()];
        let (class, name, about) = match (token[0], parse(token)) {
            (b'{' | b'}', _) => (Class::Kind, "bracket", "An object: names and values."),
            (b'[' | b']', _) => (Class::Kind, "bracket", "A list."),
            (b':', _) => (Class::Gap, "colon", "Between a name and its value."),
            (b',', _) => (Class::Gap, "comma", "Between two values."),
            (b' ' | b'\t' | b'\r', _) => (Class::Gap, "white space", "Means nothing."),
            (b'\n', _) => (Class::End, "line end", "Means nothing; it is there for readers."),
            (b'"', Ok(_)) if next(at) == Some(b':') => {
                (Class::Name, "name", "Every value carries its name, every time.")
            }
            (_, Ok(Json::String(_))) => (Class::Value, "text", "In quotes; UTF-8."),
            (_, Ok(Json::Bool(_) | Json::Null)) => (Class::Value, "word", "true, false or null."),
            (_, Ok(_)) => (Class::Value, "number", "In decimal digits."),
            (_, Err(_)) => (Class::Gap, "not JSON", "The parser refuses this."),
        };
        let ends_line = token == b"\n";
        Piece {
            range: range.clone(),
            class,
            name: name.into(),
            about: about.into(),
            text: visible(token),
            ends_line,
        }
    };
    tokens.iter().enumerate().map(piece).collect()
}

/// Where one token ends, the next begins.
fn tokens(text: &[u8]) -> Vec<Range<usize>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let length = match rest[0] {
            b'"' => {
                let mut escaped = false;
                let closing = |byte: &u8| {
                    let closes = *byte == b'"' && !escaped;
                    escaped = *byte == b'\\' && !escaped;
                    closes
                };
                rest[1..].iter().position(closing).map_or(rest.len(), |end| end + 2)
            }
            b'{' | b'}' | b'[' | b']' | b':' | b',' | b' ' | b'\t' | b'\r' | b'\n' => 1,
            _ => {
                let ends = |byte: &u8| b"{}[]:, \t\r\n\"".contains(byte);
                rest.iter().position(ends).unwrap_or(rest.len())
            }
        };
        tokens.push(at..at + length);
        at += length;
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<(String, String)> {
        let pieces = pieces(text.as_bytes());
        let mut at = 0;
        for piece in &pieces {
            assert_eq!(piece.range.start, at, "{text}");
            at = piece.range.end;
        }
        assert_eq!(at, text.len(), "{text}");
        pieces.into_iter().map(|piece| (piece.name.into_owned(), piece.text)).collect()
    }

    #[test]
    fn every_token_has_its_name() {
        let got = told("{\"a\\\"b\" : [-1.5e3,true,\"x\"]}\n");
        let got: Vec<_> = got.iter().map(|(name, text)| (&**name, &**text)).collect();
        const WANT: &[(&str, &str)] = &[
            ("bracket", "{"),
            ("name", "\"a\\\"b\""),
            ("white space", " "),
            ("colon", ":"),
            ("white space", " "),
            ("bracket", "["),
            ("number", "-1.5e3"),
            ("comma", ","),
            ("word", "true"),
            ("comma", ","),
            ("text", "\"x\""),
            ("bracket", "]"),
            ("bracket", "}"),
            ("line end", "\\n"),
        ];
        assert_eq!(got, WANT);
    }

    #[test]
    fn what_the_parser_refuses_is_named_so() {
        for (text, token) in [("{\"a\":01}", "01"), ("[nul]", "nul"), ("\"open", "\"open")] {
            assert!(told(text).contains(&("not JSON".to_owned(), token.to_owned())), "{text}");
        }
        assert_eq!(told("").len(), 0);
    }
}
