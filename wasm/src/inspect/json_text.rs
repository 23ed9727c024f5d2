//! JSON text, token by token, as the parser that reads it says: [`web::json::parse_first`].
//!
//! ```text
//! {"ServiceMethod":"Foo.Sum","Seq":1}     bracket, name, colon, text, comma, name, colon, number
//! ```

use std::ops::Range;

use web::json::{Token, parse_first};

use super::{Class, Piece, visible};

/// The pieces of a row of JSON values.
#[must_use]
pub fn pieces(text: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    // Where the last piece ends.
    let mut at = 0;
    while at < text.len() {
        let value = at;
        let read = parse_first(&text[value..], |token, place| {
            let place = value + place.start..value + place.end;
            white_space(text, at..place.start, &mut pieces);
            at = place.end;
            let (class, name, about) = describe(token);
            pieces.push(piece(text, place, class, name, about.to_owned()));
        });
        if let Err(error) = read {
            let blank = text[at..].iter().take_while(|byte| b" \t\r\n".contains(byte)).count();
            white_space(text, at..at + blank, &mut pieces);
            let rest = at + blank..text.len();
            at = text.len();
            if !rest.is_empty() {
                pieces.push(piece(text, rest, Class::Gap, "not JSON", error.to_string()));
            }
        }
    }
    pieces
}

/// A colour, a name, and what a reader may want to know of a token.
fn describe(token: Token) -> (Class, &'static str, &'static str) {
    match token {
        Token::Brace => (Class::Kind, "bracket", "An object: names and values."),
        Token::Bracket => (Class::Kind, "bracket", "A list."),
        Token::Colon => (Class::Gap, "colon", "Between a name and its value."),
        Token::Comma => (Class::Gap, "comma", "Between two values."),
        Token::Key => (Class::Name, "name", "Every value carries its name, every time."),
        Token::Text => (Class::Value, "text", "In quotes; UTF-8."),
        Token::Number => (Class::Value, "number", "In decimal digits."),
        Token::Word => (Class::Value, "word", "true, false or null."),
    }
}

/// What stands between two tokens, byte by byte.
fn white_space(text: &[u8], gap: Range<usize>, pieces: &mut Vec<Piece>) {
    for at in gap {
        let (class, name, about) = match text[at] {
            b'\n' => (Class::End, "line end", "Means nothing; it is there for readers."),
            _ => (Class::Gap, "white space", "Means nothing."),
        };
        pieces.push(piece(text, at..at + 1, class, name, about.to_owned()));
    }
}

fn piece(
    text: &[u8],
    range: Range<usize>,
    class: Class,
    name: &'static str,
    about: String,
) -> Piece {
    let ends_line = class == Class::End;
    let shown = visible(&text[range.clone()]);
    Piece { range, class, name: name.into(), about: about.into(), text: shown, ends_line }
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
    fn every_token_of_a_row_has_its_name() {
        let got = told("{\"a\\\"b\" : [-1.5e3,true,\"x\"]}\n 7");
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
            ("white space", " "),
            ("number", "7"),
        ];
        assert_eq!(got, WANT);
    }

    #[test]
    fn what_the_parser_refuses_is_named_so() {
        for (text, rest) in [
            ("{\"a\":01}", "1}"),
            ("[nul]", "nul]"),
            ("\"open", "\"open"),
            ("1 }", "}"),
            (" [ \u{a0}", "\u{a0}"),
        ] {
            let want = ("not JSON".to_owned(), rest.to_owned());
            assert_eq!(told(text).last(), Some(&want), "{text}");
        }
        assert_eq!(pieces(b"[nul]")[1].about, "line 1, column 2: expected a value, found 'n'");
        assert_eq!(told("").len(), 0);
        assert_eq!(told(" \n").len(), 2);
    }
}
