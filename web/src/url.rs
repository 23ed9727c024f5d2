//! Percent-encoding and query strings (day 1): how a URL carries any byte.
//!
//! It carries it as `%` and two hex digits. A path keeps `+` as it is; only in a query or
//! a form does `+` mean a space (the HTML rule, not RFC 3986's). Decoding is on bytes: `%FF` is
//! one byte that no UTF-8 text holds, and callers who want text say so with [`decode_lossy`].
//!
//! ```
//! use web::url::{decode, decode_lossy, encode_segment, pairs};
//!
//! assert_eq!(decode(b"a%20b+c", false), b"a b+c");
//! assert_eq!(decode_lossy(b"a%20b+c", true), "a b c");
//! assert_eq!(encode_segment(b"a b/c"), "a%20b%2Fc");
//! let all: Vec<_> = pairs(b"name=gee+tutu&x=&y").collect();
//! assert_eq!(all, [("name".into(), "gee tutu".into()), ("x".into(), "".into()), ("y".into(), "".into())]);
//! ```
//!
//! A `%` that two hex digits do not follow stands for itself, as browsers and most servers read
//! it (Go answers 400). References: RFC 3986 section 2.1, WHATWG URL "application/x-www-form-urlencoded".

/// Decodes `%XX`; with `plus_is_space` also `+`, the rule of queries and forms.
#[must_use]
pub fn decode(input: &[u8], plus_is_space: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(input.len());
    decode_into(input, plus_is_space, &mut out);
    out
}

/// Like [`decode`], appending to a buffer that the caller reuses.
pub fn decode_into(input: &[u8], plus_is_space: bool, out: &mut Vec<u8>) {
    let mut rest = input;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match (byte, tail) {
            (b'%', [hi, lo, after @ ..]) if hex_pair(*hi, *lo).is_some() => {
                out.extend(hex_pair(*hi, *lo));
                rest = after;
            }
            (b'+', _) if plus_is_space => out.push(b' '),
            _ => out.push(byte),
        }
    }
}

/// [`decode`] as text; bytes that are not UTF-8 become U+FFFD.
#[must_use]
pub fn decode_lossy(input: &[u8], plus_is_space: bool) -> String {
    match String::from_utf8(decode(input, plus_is_space)) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    }
}

/// Encodes bytes as one path segment: RFC 3986's unreserved characters stay, all else is `%XX`.
///
/// A space is `%20` and a slash `%2F`, so the text also fits a query value.
#[must_use]
pub fn encode_segment(input: &[u8]) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(input.len());
    for &byte in input {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    out
}

/// The `name=value` pairs of a query string or an urlencoded form, decoded, in their order.
///
/// A pair without `=` has an empty value; empty pairs (`a=1&&b=2`) are skipped.
pub fn pairs(input: &[u8]) -> impl Iterator<Item = (String, String)> + '_ {
    input.split(|&b| b == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = match pair.iter().position(|&b| b == b'=') {
            Some(at) => (&pair[..at], &pair[at + 1..]),
            None => (pair, &b""[..]),
        };
        (decode_lossy(name, true), decode_lossy(value, true))
    })
}

fn hex_pair(hi: u8, lo: u8) -> Option<u8> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    Some(digit(hi)? << 4 | digit(lo)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Random, rounds};

    #[test]
    fn decodes_what_is_encoded_and_leaves_the_rest() {
        const CASES: &[(&str, bool, &str)] = &[
            ("", false, ""),
            ("/hello/a%2Fb", false, "/hello/a/b"),
            ("100%", false, "100%"),
            ("%4", false, "%4"),
            ("%zz%41", false, "%zzA"),
            ("%e4%bd%a0", false, "你"),
            ("a+b", false, "a+b"),
            ("a+b%2B", true, "a b+"),
            ("%FF", false, "\u{fffd}"),
        ];
        for &(input, plus, want) in CASES {
            assert_eq!(decode_lossy(input.as_bytes(), plus), want, "{input}");
        }
    }

    #[test]
    fn every_byte_survives_a_round_trip() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(encode_segment(&all).as_bytes(), true), all);
    }

    /// However it is changed, what is decoded can be encoded and comes back the same; no decoding
    /// makes more of its input, and pairs are what stands between the `&`.
    #[test]
    fn no_change_of_bytes_brings_it_down() {
        const SEED: &[u8] = b"/hello%20you/%e4%bd%a0?name=gee+tutu&x=%26%3D&&y&%zz=100%";
        const PIECES: &[&str] = &["%", "%2", "%2F", "%00", "+", "&", "=", "/", "%c3%28", "\u{e9}"];
        let mut random = Random(2);
        for _ in 0..rounds(20_000) {
            let input = random.change(SEED, PIECES);
            for plus in [false, true] {
                let decoded = decode(&input, plus);
                assert!(decoded.len() <= input.len());
                assert_eq!(decode(encode_segment(&decoded).as_bytes(), plus), decoded);
            }
            let between = input.split(|&b| b == b'&').filter(|pair| !pair.is_empty()).count();
            assert_eq!(pairs(&input).count(), between);
        }
    }
}
