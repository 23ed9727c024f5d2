//! Preconditions and ranges (day 6): must the file be sent, and all of it?
//!
//! A client that has a copy asks to be spared the file; one that was cut off asks for the rest; one
//! that edits asks that nobody else did. The order of the questions is fixed by RFC 9110 section
//! 13.2.2, since a request may ask several:
//!
//! ```text
//! If-Match ─── no tag of mine ──────────────► 412
//!   absent: If-Unmodified-Since ── changed ─► 412
//! If-None-Match ── one is the file's ───────► 304
//!   absent: If-Modified-Since ── unchanged ─► 304
//! Range ─── and If-Range, if there, holds ──► 206 with Content-Range, or 416
//! none of these ────────────────────────────► 200
//! ```
//! A field that cannot be read counts as absent; several ranges at once are answered with the
//! whole file, as a server may (RFC 9110 section 14.2), because a multipart answer is bait for
//! attackers and of use to nobody.

use std::ops::Range;
use std::time::SystemTime;

use crate::head::decimal;
use crate::headers::Headers;
use crate::http::parse_date;

/// What to do about a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Send all of it.
    Whole,
    /// Send these octets, 206.
    Part(Range<u64>),
    /// 304, no body.
    NotModified,
    /// 412.
    Failed,
    /// 416.
    OutOfRange,
}

/// Answers a GET's or HEAD's conditional fields for a file of `length` octets.
pub(crate) fn judge(headers: &Headers, etag: &str, modified: SystemTime, length: u64) -> Verdict {
    let time = |name| headers.get(name).and_then(parse_date);
    if let Some(tags) = headers.get("If-Match") {
        if !lists(tags, etag, true) {
            return Verdict::Failed;
        }
    } else if time("If-Unmodified-Since").is_some_and(|since| modified > since) {
        return Verdict::Failed;
    }
    if let Some(tags) = headers.get("If-None-Match") {
        if lists(tags, etag, false) {
            return Verdict::NotModified;
        }
    } else if time("If-Modified-Since").is_some_and(|since| modified <= since) {
        return Verdict::NotModified;
    }
    let Some(range) = headers.get("Range") else { return Verdict::Whole };
    let same = headers.get("If-Range").is_none_or(|tag| {
        // A date must be exact; a weak tag is never good enough for joining pieces.
        if tag.starts_with('"') { tag == etag } else { parse_date(tag) == Some(modified) }
    });
    if same { single_range(range, length) } else { Verdict::Whole }
}

/// Whether a list of entity tags, or `*`, has this one. `strong`: weak tags match nothing.
fn lists(tags: &str, etag: &str, strong: bool) -> bool {
    tags.trim() == "*"
        || tags.split(',').map(str::trim).any(|tag| {
            let opaque = if strong { tag } else { tag.strip_prefix("W/").unwrap_or(tag) };
            opaque == etag
        })
}

/// Reads `bytes=first-last`, `bytes=first-` or `bytes=-count`.
fn single_range(field: &str, length: u64) -> Verdict {
    let Some((unit, spec)) = field.split_once('=') else { return Verdict::Whole };
    let Some((first, last)) = spec.trim().split_once('-') else { return Verdict::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Verdict::Whole;
    }
    let range = match (decimal(first.as_bytes()), decimal(last.as_bytes())) {
        (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(length),
        (Some(first), None) if last.is_empty() => first..length,
        (None, Some(count)) if first.is_empty() => length.saturating_sub(count)..length,
        _ => return Verdict::Whole, // several ranges, or not a range
    };
    if range.start < range.end { Verdict::Part(range) } else { Verdict::OutOfRange }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Random, rounds};
    use std::time::{Duration, UNIX_EPOCH};

    const OLD: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const SAME: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const NEW: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

    #[test]
    fn the_questions_are_asked_in_the_order_of_the_rfc() {
        use Verdict::{Failed, NotModified, OutOfRange, Part, Whole};
        let cases: &[(&[(&str, &str)], Verdict)] = &[
            (&[], Whole),
            (&[("If-Match", "\"x\"")], Failed),
            (&[("If-Match", "\"x\", \"tag\"")], Whole),
            (&[("If-Match", "*")], Whole),
            (&[("If-Match", "W/\"tag\"")], Failed),
            (&[("If-Match", "\"tag\""), ("If-Unmodified-Since", OLD)], Whole),
            (&[("If-Unmodified-Since", OLD)], Failed),
            (&[("If-Unmodified-Since", SAME)], Whole),
            (&[("If-None-Match", "W/\"tag\"")], NotModified),
            (&[("If-None-Match", "*")], NotModified),
            (&[("If-None-Match", "\"x\""), ("If-Modified-Since", NEW)], Whole),
            (&[("If-Modified-Since", SAME)], NotModified),
            (&[("If-Modified-Since", OLD)], Whole),
            (&[("If-Modified-Since", "yesterday")], Whole),
            (&[("If-Match", "\"x\""), ("If-None-Match", "\"tag\"")], Failed),
            (&[("Range", "bytes=0-4")], Part(0..5)),
            (&[("Range", "bytes=5-")], Part(5..10)),
            (&[("Range", "bytes=-3")], Part(7..10)),
            (&[("Range", "bytes=-30")], Part(0..10)),
            (&[("Range", "bytes=0-18446744073709551615")], Part(0..10)),
            (&[("Range", "bytes=10-")], OutOfRange),
            (&[("Range", "bytes=-0")], OutOfRange),
            (&[("Range", "bytes=4-2")], Whole),
            (&[("Range", "bytes=0-1,3-4")], Whole),
            (&[("Range", "bytes=+1-2")], Whole),
            (&[("Range", "lines=0-4")], Whole),
            (&[("Range", "bytes")], Whole),
            (&[("Range", "bytes=0-4"), ("If-Range", "\"tag\"")], Part(0..5)),
            (&[("Range", "bytes=0-4"), ("If-Range", "\"x\"")], Whole),
            (&[("Range", "bytes=0-4"), ("If-Range", "W/\"tag\"")], Whole),
            (&[("Range", "bytes=0-4"), ("If-Range", SAME)], Part(0..5)),
            (&[("Range", "bytes=0-4"), ("If-Range", NEW)], Whole),
            (&[("Range", "bytes=0-4"), ("If-None-Match", "\"tag\"")], NotModified),
        ];
        let modified = UNIX_EPOCH + Duration::from_secs(784_111_777);
        for (fields, want) in cases {
            let mut headers = Headers::new();
            fields.iter().for_each(|(name, value)| headers.append(name, value).unwrap());
            assert_eq!(judge(&headers, "\"tag\"", modified, 10), *want, "{fields:?}");
        }
    }

    /// However the fields are changed: an answer, and a part that lies in the file.
    #[test]
    fn no_change_of_bytes_brings_it_down() {
        const SEEDS: &[(&str, &str)] = &[
            ("Range", "bytes=0-4"),
            ("Range", "bytes=-3, 5-"),
            ("If-Range", "\"tag\""),
            ("If-Match", "W/\"x\", \"tag\", *"),
            ("If-None-Match", "\"y\", W/\"tag\""),
            ("If-Modified-Since", SAME),
            ("If-Unmodified-Since", NEW),
        ];
        const PIECES: &[&str] = &[
            "-",
            "=",
            ",",
            "bytes",
            "18446744073709551615",
            "9",
            "\"",
            "W/",
            "*",
            " ",
            "GMT",
            "é",
        ];
        let mut random = Random(4);
        let modified = UNIX_EPOCH + Duration::from_secs(784_111_777);
        for _ in 0..rounds(20_000) {
            let mut headers = Headers::new();
            for _ in 0..=random.below(3) {
                let (name, value) = random.of(SEEDS);
                let value = random.change(value.as_bytes(), PIECES);
                let _ = headers.append(name, &String::from_utf8_lossy(&value));
            }
            if let Verdict::Part(part) = judge(&headers, "\"tag\"", modified, 10) {
                assert!(part.start < part.end && part.end <= 10, "{headers:?}");
            }
        }
    }
}
