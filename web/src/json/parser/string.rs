//! Strings and their escapes (day 2, second reading): runs of plain bytes are found with a table
//! and copied in one piece.

use super::{Parsed, Parser};

/// What a string may hold as it is: all but `"`, `\` and control characters.
const PLAIN: [bool; 256] = {
    let mut plain = [true; 256];
    let mut i = 0;
    while i < 0x20 {
        plain[i] = false;
        i += 1;
    }
    plain[b'"' as usize] = false;
    plain[b'\\' as usize] = false;
    plain
};

impl<H> Parser<'_, H> {
    /// `at` is at the opening quote.
    pub(super) fn string(&mut self) -> Parsed<String> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let run = self.text.as_bytes()[self.at..].iter();
            let len = run.take_while(|&&byte| PLAIN[usize::from(byte)]).count();
            out.push_str(&self.text[self.at..self.at + len]);
            self.at += len;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    let c = self.escape()?;
                    out.push(c);
                }
                Some(_) => return self.expected("no raw control character in a string"),
                None => return self.expected("'\"'"),
            }
        }
    }

    /// `at` is at a backslash.
    fn escape(&mut self) -> Parsed<char> {
        self.at += 1;
        let c = match self.peek() {
            Some(c @ (b'"' | b'\\' | b'/')) => char::from(c),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.code_unit_or_pair();
            }
            _ => return self.expected("one of \" \\ / b f n r t u after a backslash"),
        };
        self.at += 1;
        Ok(c)
    }

    /// Four hex digits, and after a high surrogate `\u` and the low one. A half alone is U+FFFD,
    /// and what follows it is read as if it stood alone.
    fn code_unit_or_pair(&mut self) -> Parsed<char> {
        let high = self.hex4()?;
        let after_high = self.at;
        if (0xD800..0xDC00).contains(&high) && self.text[self.at..].starts_with("\\u") {
            self.at += 2;
            let low = self.hex4()?;
            if (0xDC00..0xE000).contains(&low) {
                let c = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                return Ok(char::from_u32(c).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = after_high;
        }
        Ok(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex4(&mut self) -> Parsed<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            let Some(digit) = self.peek().and_then(|byte| char::from(byte).to_digit(16)) else {
                return self.expected("four hex digits after \\u");
            };
            unit = unit << 4 | digit;
            self.at += 1;
        }
        Ok(unit)
    }
}
