//! LIKE and GLOB (day 0, query it).
//!
//! Both go through text and pattern side by side and remember the last `%` (or `*`): where what
//! follows it does not fit, it swallows one more character and they try again from there. An
//! earlier one need never be reconsidered, so this takes no recursion and at most text times
//! pattern steps.

use super::super::affinity::{to_text, with_bytes};
use super::super::ast::LikeOp;
use super::super::{Error, Result, ValueRef};

/// SQLite's bound for patterns, because a long one may take long.
const PATTERN_MAX: usize = 50_000;

/// `text LIKE pattern ESCAPE escape`, or `text GLOB pattern`, of any values; `None` is NULL.
///
/// # Errors
/// An escape that is no single character, a pattern beyond 50,000 bytes.
pub(crate) fn matches(
    op: LikeOp,
    text: ValueRef<'_>,
    pattern: ValueRef<'_>,
    escape: Option<ValueRef<'_>>,
) -> Result<Option<bool>> {
    // As sqlite3 is usually built (SQLITE_LIKE_DOESNT_MATCH_BLOBS), a blob is like nothing.
    if let (ValueRef::Blob(_), _) | (_, ValueRef::Blob(_)) = (text, pattern) {
        return Ok(Some(false));
    }
    if escape.is_some_and(ValueRef::is_null) {
        return Ok(None);
    }
    let escape = escape.map(escape_character).transpose()?;
    if text.is_null() || pattern.is_null() {
        return Ok(None);
    }
    let found = with_bytes(text, |text| {
        with_bytes(pattern, |pattern| match op {
            LikeOp::Like => like(pattern, text, escape),
            LikeOp::Glob => glob(pattern, text),
        })
    });
    found.map(Some)
}

/// The character that `ESCAPE` names.
fn escape_character(value: ValueRef<'_>) -> Result<char> {
    let text = to_text(value);
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(escape), None) => Ok(escape),
        _ => Err(Error::Sql("ESCAPE expression must be a single character".into())),
    }
}

/// `%` any text, `_` any character; letters A to Z in either case.
fn like(pattern: &[u8], text: &[u8], escape: Option<char>) -> Result<bool> {
    check(pattern)?;
    let mut buffer = [0; 4];
    let escape = escape.map_or(&[][..], |c| c.encode_utf8(&mut buffer).as_bytes());
    let escaped = |at: usize| !escape.is_empty() && pattern[at..].starts_with(escape);
    let step = |at: usize, text: &[u8]| match pattern.get(at) {
        None => None,
        Some(_) if escaped(at) => {
            let literal = at + escape.len();
            let same = |p: &u8| text.first().is_some_and(|t| p.eq_ignore_ascii_case(t));
            pattern.get(literal).filter(|p| same(p)).map(|_| (literal + 1, 1))
        }
        Some(b'_') => Some((at + 1, character(text))).filter(|&(_, length)| length > 0),
        Some(p) => text.first().filter(|t| p.eq_ignore_ascii_case(t)).map(|_| (at + 1, 1)),
    };
    Ok(search(pattern, text, |at| pattern.get(at) == Some(&b'%') && !escaped(at), step))
}

/// `*` any text, `?` any character, `[a-z]` one of these, `[^a-z]` none of them.
fn glob(pattern: &[u8], text: &[u8]) -> Result<bool> {
    check(pattern)?;
    let step = |at: usize, text: &[u8]| match pattern.get(at) {
        None => None,
        Some(b'?') => Some((at + 1, character(text))).filter(|&(_, length)| length > 0),
        Some(b'[') => class(pattern, at, text),
        Some(p) => text.first().filter(|t| p == *t).map(|_| (at + 1, 1)),
    };
    Ok(search(pattern, text, |at| pattern.get(at) == Some(&b'*'), step))
}

fn check(pattern: &[u8]) -> Result<()> {
    if pattern.len() > PATTERN_MAX {
        return Err(Error::Sql("LIKE or GLOB pattern too complex".into()));
    }
    Ok(())
}

/// Matches step by step, with one place to go back to.
///
/// `step` is given a place in the pattern and the text from here on; it says how far both move.
fn search(
    pattern: &[u8],
    text: &[u8],
    is_star: impl Fn(usize) -> bool,
    step: impl Fn(usize, &[u8]) -> Option<(usize, usize)>,
) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if is_star(at) {
            at += 1;
            retry = Some((at, from));
            if at == pattern.len() {
                return true;
            }
            continue;
        }
        if at == pattern.len() && from == text.len() {
            return true;
        }
        if let Some((next, length)) = step(at, &text[from..]) {
            (at, from) = (next, from + length);
            continue;
        }
        let Some((star, swallowed)) = &mut retry else { return false };
        if *swallowed >= text.len() {
            return false;
        }
        *swallowed += character(&text[*swallowed..]);
        (at, from) = (*star, *swallowed);
    }
}

/// The length of the first character: a byte, and the UTF-8 continuation bytes behind it.
fn character(text: &[u8]) -> usize {
    match text.split_first() {
        None => 0,
        Some((first, _)) if *first < 0xc0 => 1,
        Some((_, rest)) => 1 + rest.iter().take_while(|&&b| b & 0xc0 == 0x80).count(),
    }
}

/// `[...]`: the first `]` is a member, but begins no range as in `a-z`. Without its end it matches
/// nothing.
fn class(pattern: &[u8], at: usize, text: &[u8]) -> Option<(usize, usize)> {
    let length = character(text);
    let wanted = text.get(..length).filter(|c| !c.is_empty())?;
    let mut at = at + 1;
    let inverted = pattern.get(at) == Some(&b'^');
    at += usize::from(inverted);
    let (mut found, mut first) = (false, true);
    while first || pattern.get(at) != Some(&b']') {
        let low = pattern.get(at..at + character(pattern.get(at..)?))?;
        if low.is_empty() {
            return None;
        }
        at += low.len();
        let mut high = low;
        let begins = !(first && low == b"]");
        let dash = pattern.get(at) == Some(&b'-') && pattern.get(at + 1) != Some(&b']');
        if begins && dash && at + 1 < pattern.len() {
            high = pattern.get(at + 1..at + 1 + character(&pattern[at + 1..]))?;
            at += 1 + high.len();
        }
        // UTF-8 sorts as the characters do.
        found |= low <= wanted && wanted <= high;
        first = false;
    }
    (found != inverted).then_some((at + 1, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_and_glob_match_as_sqlite_does() {
        const LIKE: &[(&str, &str, bool)] = &[
            ("abc", "ABC", true),
            ("a%", "a", true),
            ("%b%", "abc", true),
            ("a_c", "aéc", true),
            ("a%b%c", "aXbbYc", true),
            ("a%b", "acccb ", false),
            ("", "", true),
            ("_", "", false),
            ("É", "é", false),
            ("x\\%", "x%", true),
            ("x\\%", "xy", false),
        ];
        for &(pattern, text, want) in LIKE {
            assert_eq!(
                like(pattern.as_bytes(), text.as_bytes(), Some('\\')).unwrap(),
                want,
                "{pattern}"
            );
        }
        const GLOB: &[(&str, &str, bool)] = &[
            ("a*c", "abbc", true),
            ("A*", "a", false),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("[]]", "]", true),
            ("[a", "a", false),
            ("?", "é", true),
            ("[à-ü]", "é", true),
            ("[]-a]", "-", true),
            ("[]-a]", "_", false),
        ];
        for &(pattern, text, want) in GLOB {
            assert_eq!(glob(pattern.as_bytes(), text.as_bytes()).unwrap(), want, "{pattern}");
        }
    }

    #[test]
    fn a_hard_pattern_takes_no_exponential_time() {
        let pattern = "%a".repeat(1000) + "b";
        assert!(!like(pattern.as_bytes(), "a".repeat(5000).as_bytes(), None).unwrap());
        let text = like("%".repeat(50_001).as_bytes(), b"", None).unwrap_err().to_string();
        assert_eq!(text, "LIKE or GLOB pattern too complex");
    }
}
