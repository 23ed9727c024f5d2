//! Reading JSON (day 2, second reading): octets in, a [`Json`] or the place of the first mistake out.
//!
//! One function per rule of RFC 8259's grammar, each beginning where the last one stopped:
//! ```text
//! value  = "null" | "true" | "false" | number | string | array | object
//! array  = "[" [ value *( "," value ) ] "]"
//! object = "{" [ string ":" value *( "," string ":" value ) ] "}"
//! number = [ "-" ] ( "0" | digit1-9 *digit ) [ "." 1*digit ] [ ( "e" | "E" ) [ "+" | "-" ] 1*digit ]
//! string = '"' *( any but '"', "\" and controls | "\" one of "\/bfnrt | "\u" 4 hex digits ) '"'
//! ```
//! The text is checked to be UTF-8 once, at the start; after that a piece of it is a `&str`.
//!
//! What the RFC leaves open: nesting ends at [`DEPTH_MAX`] (each level costs stack, and a request
//! must not choose how much); whole numbers are exact up to 64 bits, others are the nearest `f64`,
//! and one too big for it is an error; of equal keys the last wins; half a surrogate pair (`\ud800`)
//! becomes U+FFFD, as in Go; a byte order mark is refused. Memory grows with what has arrived, never
//! with what is announced.
//!
//! Who shows a text and not only its value wants to know what the parser took each piece for:
//! [`parse_first`] says it, [`Token`] by [`Token`]. The parser is generic over the function that
//! listens; for [`parse`] that is one which does nothing, and the compiler leaves it out.

mod string;

use super::{Json, JsonError, ToJson, to_string};
use std::collections::BTreeMap;
use std::ops::Range;

/// How deep [`parse`] lets lists and maps nest.
pub const DEPTH_MAX: usize = 128;

/// Reads one JSON value and nothing after it but white space.
///
/// ```
/// use web::json;
///
/// let value = json::parse(r#"{"name": "Jack", "age": 22, "tags": []}"#)?;
/// assert_eq!(value, json!({"name": "Jack", "age": 22, "tags": []}));
///
/// let error = json::parse("{\n  \"name\": Jack}").unwrap_err();
/// assert_eq!(error.to_string(), "line 2, column 11: expected a value, found 'J'");
/// # Ok::<(), json::JsonError>(())
/// ```
///
/// # Errors
/// [`JsonError::Syntax`] with the place, [`JsonError::TooDeep`] beyond [`DEPTH_MAX`] levels.
pub fn parse(text: impl AsRef<[u8]>) -> Result<Json, JsonError> {
    parse_to_depth(text.as_ref(), DEPTH_MAX)
}

/// [`parse`] with a bound of your own; a level costs about 600 bytes of stack.
///
/// # Errors
/// As [`parse`].
pub fn parse_to_depth(text: &[u8], depth_max: usize) -> Result<Json, JsonError> {
    let (valid, rest) = valid_part(text);
    let mut parser = Parser { text: valid, at: 0, levels_left: depth_max, heard: |_, _| {} };
    let fault = match parser.document() {
        Ok(value) if rest.is_empty() => return Ok(value),
        Ok(_) => Fault { at: valid.len(), expected: Some("UTF-8") },
        Err(fault) => fault,
    };
    Err(fault.describe(valid, rest, depth_max))
}

/// What the parser takes a piece of the text for. What stands between two tokens is white space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    /// `{` or `}`
    Brace,
    /// `[` or `]`
    Bracket,
    /// `:`
    Colon,
    /// `,`
    Comma,
    /// A string before a colon, with its quotes.
    Key,
    /// Any other string, with its quotes.
    Text,
    /// `-1.5e3`
    Number,
    /// `true`, `false` or `null`
    Word,
}

/// Reads the value at the beginning of `text`, whatever follows it, and says where it ends. On the
/// way `heard` is told of each token and its place.
///
/// ```
/// use web::json::{self, Token};
///
/// let text = "[1, true] and more";
/// let mut tokens = Vec::new();
/// let (value, end) = json::parse_first(text.as_bytes(), |token, place| tokens.push((token, place)))?;
/// assert_eq!((value, &text[end..]), (web::json!([1, true]), " and more"));
/// assert_eq!(tokens[1..4], [(Token::Number, 1..2), (Token::Comma, 2..3), (Token::Word, 4..8)]);
/// # Ok::<(), json::JsonError>(())
/// ```
///
/// # Errors
/// As [`parse`]; `heard` has been told of the tokens before the mistake.
pub fn parse_first(
    text: &[u8],
    heard: impl FnMut(Token, Range<usize>),
) -> Result<(Json, usize), JsonError> {
    let (valid, rest) = valid_part(text);
    let mut parser = Parser { text: valid, at: 0, levels_left: DEPTH_MAX, heard };
    match parser.value() {
        Ok(value) => Ok((value, parser.at)),
        Err(fault) => Err(fault.describe(valid, rest, DEPTH_MAX)),
    }
}

/// The text up to the first byte that is no UTF-8, and what follows.
fn valid_part(text: &[u8]) -> (&str, &[u8]) {
    match std::str::from_utf8(text) {
        Ok(valid) => (valid, &[]),
        Err(error) => {
            let (valid, rest) = text.split_at(error.valid_up_to());
            (std::str::from_utf8(valid).unwrap_or_default(), rest)
        }
    }
}

impl Json {
    /// The tree of any value that can write itself: written once, and read again.
    ///
    /// # Errors
    /// [`JsonError::NotFinite`] as [`to_string`]; those of [`parse`] if a [`ToJson`] writes no JSON.
    pub fn of<T: ToJson + ?Sized>(value: &T) -> Result<Self, JsonError> {
        parse(to_string(value)?)
    }
}

impl std::str::FromStr for Json {
    type Err = JsonError;

    fn from_str(text: &str) -> Result<Self, JsonError> {
        parse(text)
    }
}

/// A mistake before it is put into words: small, because every rule returns it.
#[derive(Debug)]
struct Fault {
    at: usize,
    /// `None`: too deep.
    expected: Option<&'static str>,
}

impl Fault {
    /// The mistake in words; `rest` is what follows `text` and is no UTF-8.
    fn describe(&self, text: &str, rest: &[u8], depth_max: usize) -> JsonError {
        let (line, column) = place(text, self.at);
        let Some(expected) = self.expected else {
            return JsonError::TooDeep { line, column, depth_max };
        };
        let (expected, found) = match (text[self.at..].chars().next(), rest) {
            // The grammar may have been content up to here.
            (None, [byte, ..]) => ("UTF-8", format!("byte 0x{byte:02x}")),
            (None, []) => (expected, "the end of the text".to_owned()),
            (Some('\u{feff}'), _) => (expected, "a byte order mark".to_owned()),
            (Some(c), _) => (expected, format!("{c:?}")),
        };
        JsonError::Syntax { line, column, expected, found }
    }
}

/// Line and column, from 1, columns in characters.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

type Parsed<T> = Result<T, Fault>;

/// `at` is always at a character's first byte: it only steps over ASCII or whole runs.
struct Parser<'a, H> {
    text: &'a str,
    at: usize,
    levels_left: usize,
    /// Is told of each token.
    heard: H,
}

impl<H: FnMut(Token, Range<usize>)> Parser<'_, H> {
    fn document(&mut self) -> Parsed<Json> {
        let value = self.value()?;
        self.skip_space();
        if self.at == self.text.len() { Ok(value) } else { self.expected("the end of the text") }
    }

    fn value(&mut self) -> Parsed<Json> {
        self.skip_space();
        let start = self.at;
        let (token, value) = match self.peek() {
            Some(b'{') => return self.object(),
            Some(b'[') => return self.array(),
            Some(b'"') => (Token::Text, Json::String(self.string()?)),
            Some(b'-' | b'0'..=b'9') => (Token::Number, self.number()?),
            Some(b't') => (Token::Word, self.word("true", Json::Bool(true))?),
            Some(b'f') => (Token::Word, self.word("false", Json::Bool(false))?),
            Some(b'n') => (Token::Word, self.word("null", Json::Null)?),
            _ => return self.expected("a value"),
        };
        (self.heard)(token, start..self.at);
        Ok(value)
    }

    fn object(&mut self) -> Parsed<Json> {
        self.enter(Token::Brace)?;
        let mut fields = BTreeMap::new();
        let mut more = !self.eat(b'}', Token::Brace);
        while more {
            self.skip_space();
            let start = self.at;
            let key = match self.peek() {
                Some(b'"') => self.string()?,
                _ => return self.expected("a key in double quotes"),
            };
            (self.heard)(Token::Key, start..self.at);
            if !self.eat(b':', Token::Colon) {
                return self.expected("':'");
            }
            fields.insert(key, self.value()?);
            more = self.eat(b',', Token::Comma);
            if !more && !self.eat(b'}', Token::Brace) {
                return self.expected("',' or '}'");
            }
        }
        self.levels_left += 1;
        Ok(Json::Object(fields))
    }

    fn array(&mut self) -> Parsed<Json> {
        self.enter(Token::Bracket)?;
        let mut items = Vec::new();
        let mut more = !self.eat(b']', Token::Bracket);
        while more {
            items.push(self.value()?);
            more = self.eat(b',', Token::Comma);
            if !more && !self.eat(b']', Token::Bracket) {
                return self.expected("',' or ']'");
            }
        }
        self.levels_left += 1;
        Ok(Json::Array(items))
    }

    /// Steps over the opening bracket, one level down.
    fn enter(&mut self, token: Token) -> Parsed<()> {
        let fault = Fault { at: self.at, expected: None };
        self.levels_left = self.levels_left.checked_sub(1).ok_or(fault)?;
        self.at += 1;
        (self.heard)(token, self.at - 1..self.at);
        Ok(())
    }

    /// Whether a token of one byte comes next, after white space; if so, steps over it.
    fn eat(&mut self, byte: u8, token: Token) -> bool {
        self.skip_space();
        let yes = self.next_is(byte);
        if yes {
            (self.heard)(token, self.at - 1..self.at);
        }
        yes
    }
}

/// The rules inside of a token: nobody needs to hear of these.
impl<H> Parser<'_, H> {
    fn number(&mut self) -> Parsed<Json> {
        let start = self.at;
        let negative = self.next_is(b'-');
        // The number as a whole one; `None` if its digits do not fit, or more follows them.
        let mut whole = Some(0_u64);
        if !self.next_is(b'0') {
            let first = self.at;
            while let Some(digit @ b'0'..=b'9') = self.peek() {
                let digit = u64::from(digit - b'0');
                whole = whole.and_then(|n| n.checked_mul(10)?.checked_add(digit));
                self.at += 1;
            }
            if self.at == first {
                return self.expected("a digit");
            }
        }
        if self.next_is(b'.') {
            self.digits()?;
            whole = None;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            let _ = self.next_is(b'+') || self.next_is(b'-');
            self.digits()?;
            whole = None;
        }
        let exact = match (whole, negative) {
            (Some(0), true) => None, // -0 is a float, or it would come back as 0
            (Some(n), true) => 0_i64.checked_sub_unsigned(n).map(Json::Int),
            (Some(n), false) => Some(Json::from(n)),
            (None, _) => None,
        };
        if let Some(json) = exact {
            return Ok(json);
        }
        match self.text[start..self.at].parse() {
            Ok(number) if f64::is_finite(number) => Ok(Json::Float(number)),
            _ => Err(Fault { at: start, expected: Some("a number that fits 64 bits") }),
        }
    }

    fn digits(&mut self) -> Parsed<()> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return self.expected("a digit");
        }
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        Ok(())
    }

    fn word(&mut self, word: &'static str, value: Json) -> Parsed<Json> {
        if !self.text[self.at..].starts_with(word) {
            return self.expected("a value");
        }
        self.at += word.len();
        Ok(value)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next_is(&mut self, byte: u8) -> bool {
        let yes = self.peek() == Some(byte);
        self.at += usize::from(yes);
        yes
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn expected<T>(&self, expected: &'static str) -> Parsed<T> {
        Err(Fault { at: self.at, expected: Some(expected) })
    }
}

#[cfg(test)]
mod suite;
#[cfg(test)]
mod tests;
