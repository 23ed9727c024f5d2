//! Day 1: where a JSON value ends, and base64 for the bytes in it.

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Appends base64 (RFC 4648 section 4): three bytes as four digits of six bits, `=` to fill.
pub fn base64(bytes: &[u8], out: &mut String) {
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0usize, |bits, &byte| bits << 8 | usize::from(byte));
        let bits = bits << (8 * (3 - group.len()));
        for digit in 0..4 {
            let filled = digit > group.len();
            let six = (bits >> (18 - 6 * digit)) & 63;
            out.push(if filled { '=' } else { char::from(DIGITS[six]) });
        }
    }
}

/// The bytes of base64 text; `None` if it is not that. ([`web::beyond::auth`] has a reader of its own:
/// a client that signs in may leave the `=` out, Go's JSON may not.)
#[must_use]
pub fn unbase64(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let digits = text.trim_end_matches('=');
    if text.len() - digits.len() > 2 {
        return None;
    }
    let mut out = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    for group in digits.as_bytes().chunks(4) {
        let mut bits = 0u32;
        for &byte in group {
            let six = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(six);
        }
        bits <<= 6 * (4 - group.len());
        out.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
    }
    Some(out)
}

/// Finds the end of the JSON value at the front of a growing buffer.
#[derive(Debug, Default)]
pub(crate) struct Scanner {
    /// How far it has looked.
    at: usize,
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// Whether a number or a word has begun; the next blank ends it, and counts as its last byte.
    in_word: bool,
}

impl Scanner {
    /// The length of the first value of `bytes`, blanks before it included, once it is there as a
    /// whole. `bytes` must begin with what it was before, until a length was returned.
    pub(crate) fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        while let Some(&byte) = bytes.get(self.at) {
            self.at += 1;
            let done = if self.in_string {
                let quote = byte == b'"' && !self.escaped;
                self.escaped = byte == b'\\' && !self.escaped;
                self.in_string = !quote;
                quote && self.depth == 0
            } else {
                match byte {
                    b'"' => {
                        self.in_string = true;
                        false
                    }
                    b'{' | b'[' => {
                        self.depth += 1;
                        false
                    }
                    b'}' | b']' => {
                        self.depth = self.depth.saturating_sub(1);
                        self.depth == 0
                    }
                    b' ' | b'\t' | b'\r' | b'\n' => self.in_word && self.depth == 0,
                    _ => {
                        self.in_word |= self.depth == 0;
                        false
                    }
                }
            };
            if done {
                let end = self.at;
                *self = Scanner::default();
                return Some(end);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_both_ways() {
        for (bytes, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            let mut out = String::new();
            base64(bytes.as_bytes(), &mut out);
            assert_eq!(out, text);
            assert_eq!(unbase64(text).unwrap(), bytes.as_bytes());
        }
        for bad in ["Zg=", "Z===", "Zm9v!", "ZmZ\u{e9}"] {
            assert_eq!(unbase64(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_value_ends_where_its_brackets_close() {
        for (text, value) in [
            (r#" {"a":"}\"{"} 2"#, r#" {"a":"}\"{"}"#),
            ("[1,[2]]x", "[1,[2]]"),
            ("\"a\\\\\" ", "\"a\\\\\""),
            ("12 3", "12 "),
            ("null\n", "null\n"),
        ] {
            assert_eq!(Scanner::default().end(text.as_bytes()), Some(value.len()), "{text}");
            // One byte more at a time, the same answer.
            let mut scanner = Scanner::default();
            let ends = (0..=text.len()).find_map(|here| scanner.end(&text.as_bytes()[..here]));
            assert_eq!(ends, Some(value.len()), "{text}");
        }
        assert_eq!(Scanner::default().end(br#"{"a":[1"#), None);
    }
}
