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

mod string;

use super::{Json, JsonError, ToJson, to_string};
use std::collections::BTreeMap;

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
    let (valid, rest) = match std::str::from_utf8(text) {
        Ok(valid) => (valid, &[][..]),
        Err(error) => {
            let (valid, rest) = text.split_at(error.valid_up_to());
            (std::str::from_utf8(valid).unwrap_or_default(), rest)
        }
    };
    let mut parser = Parser { text: valid, at: 0, levels_left: depth_max };
    let fault = match parser.document() {
        Ok(value) if rest.is_empty() => return Ok(value),
        Ok(_) => Fault { at: valid.len(), expected: Some("UTF-8") },
        Err(fault) => fault,
    };
    let mut error = fault.describe(valid, depth_max);
    // The grammar may have been content up to the bytes that are no UTF-8.
    if let (JsonError::Syntax { expected, found, .. }, [byte, ..]) = (&mut error, rest)
        && fault.at == valid.len()
    {
        (*expected, *found) = ("UTF-8", format!("byte 0x{byte:02x}"));
    }
    Err(error)
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
    fn describe(&self, text: &str, depth_max: usize) -> JsonError {
        let (line, column) = place(text, self.at);
        let Some(expected) = self.expected else {
            return JsonError::TooDeep { line, column, depth_max };
        };
        let found = match text[self.at..].chars().next() {
            None => "the end of the text".to_owned(),
            Some('\u{feff}') => "a byte order mark".to_owned(),
            Some(c) => format!("{c:?}"),
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
struct Parser<'a> {
    text: &'a str,
    at: usize,
    levels_left: usize,
}

impl Parser<'_> {
    fn document(&mut self) -> Parsed<Json> {
        let value = self.value()?;
        self.skip_space();
        if self.at == self.text.len() { Ok(value) } else { self.expected("the end of the text") }
    }

    fn value(&mut self) -> Parsed<Json> {
        self.skip_space();
        match self.peek() {
            Some(b'"') => Ok(Json::String(self.string()?)),
            Some(b'{') => self.object(),
            Some(b'[') => self.array(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            _ => self.expected("a value"),
        }
    }

    fn object(&mut self) -> Parsed<Json> {
        self.enter()?;
        let mut fields = BTreeMap::new();
        let mut more = !self.eat(b'}');
        while more {
            self.skip_space();
            let key = match self.peek() {
                Some(b'"') => self.string()?,
                _ => return self.expected("a key in double quotes"),
            };
            if !self.eat(b':') {
                return self.expected("':'");
            }
            fields.insert(key, self.value()?);
            more = self.eat(b',');
            if !more && !self.eat(b'}') {
                return self.expected("',' or '}'");
            }
        }
        self.levels_left += 1;
        Ok(Json::Object(fields))
    }

    fn array(&mut self) -> Parsed<Json> {
        self.enter()?;
        let mut items = Vec::new();
        let mut more = !self.eat(b']');
        while more {
            items.push(self.value()?);
            more = self.eat(b',');
            if !more && !self.eat(b']') {
                return self.expected("',' or ']'");
            }
        }
        self.levels_left += 1;
        Ok(Json::Array(items))
    }

    /// Steps over the opening bracket, one level down.
    fn enter(&mut self) -> Parsed<()> {
        let fault = Fault { at: self.at, expected: None };
        self.levels_left = self.levels_left.checked_sub(1).ok_or(fault)?;
        self.at += 1;
        Ok(())
    }

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

    /// [`Parser::next_is`] after white space.
    fn eat(&mut self, byte: u8) -> bool {
        self.skip_space();
        self.next_is(byte)
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
