//! How a value is written into each place of a page (day 6). Which place it is, `context.rs` finds.

use crate::json::{Json, JsonError, to_string};
use std::borrow::Cow;

/// What is done to a value before it enters the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escape {
    /// Dropped: inside a comment, which is removed.
    Nothing,
    /// Text and quoted attributes: no markup, no end of the quotes.
    Html,
    /// Part of a URL in a quoted attribute. `filter` at its beginning, where a scheme may hide;
    /// `keep` are the reserved characters that stay.
    Url { filter: bool, keep: &'static [u8] },
    /// A value in a script, as JSON, whose `<`, `>`, `&` and line ends are escaped.
    Script,
}

/// Where a URL's structure may come from the value.
pub(super) const URL: &[u8] = b"!#$&*+,/:;=?@[]%";
/// As [`URL`], where a colon would end a scheme.
pub(super) const URL_WITHOUT_SCHEME: &[u8] = b"!#$&*+,/;=?@[]%";

/// What stands for a URL with another scheme than http, https, mailto. The name is Go's.
const REFUSED_URL: &str = "#ZgotmplZ";

/// Writes `value`, made harmless for its place.
pub(super) fn write(escape: Escape, value: &Json, out: &mut String) -> Result<(), JsonError> {
    match escape {
        Escape::Nothing => {}
        Escape::Html => html(&text(value)?, out),
        Escape::Url { filter, keep } => {
            let url = text(value)?;
            if filter && !has_safe_scheme(&url) {
                out.push_str(REFUSED_URL);
            } else {
                let mut encoded = String::with_capacity(url.len());
                percent_encode(&url, keep, &mut encoded);
                html(&encoded, out);
            }
        }
        Escape::Script => {
            let json = to_string(value)?;
            // Between spaces, `return{{.n}}` and `{{.n}}in` stay two words each.
            let pad = if json.starts_with(['"', '[', '{']) { "" } else { " " };
            out.extend([pad, &json, pad]);
        }
    }
    Ok(())
}

/// A value as a person reads it: texts as they are, null as nothing, all else as JSON.
fn text(value: &Json) -> Result<Cow<'_, str>, JsonError> {
    match value {
        Json::Null => Ok("".into()),
        Json::String(s) => Ok(s.as_str().into()),
        other => to_string(other).map(Cow::Owned),
    }
}

fn html(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find(['<', '>', '&', '\'', '"', '+', '\0']) {
        out.push_str(&rest[..at]);
        out.push_str(match rest.as_bytes()[at] {
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'&' => "&amp;",
            b'\'' => "&#39;",
            b'"' => "&#34;",
            b'+' => "&#43;", // Internet Explorer once read +ADw- as <, in UTF-7
            _ => "\u{fffd}",
        });
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}

/// A URL without a scheme, or with one that runs no script. A colon after `/`, `?` or `#` ends no
/// scheme.
fn has_safe_scheme(url: &str) -> bool {
    match url.find([':', '/', '?', '#']) {
        Some(at) if url.as_bytes()[at] == b':' => {
            ["http", "https", "mailto"].iter().any(|safe| url[..at].eq_ignore_ascii_case(safe))
        }
        _ => true,
    }
}

/// `%xx` for all but RFC 3986's unreserved characters and `keep`. A `%` that is kept must begin
/// an escape already.
fn percent_encode(url: &str, keep: &[u8], out: &mut String) {
    let bytes = url.as_bytes();
    for (at, &byte) in bytes.iter().enumerate() {
        let escaped = || {
            matches!(bytes.get(at + 1..at + 3), Some([hi, lo])
                if hi.is_ascii_hexdigit() && lo.is_ascii_hexdigit())
        };
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if plain || keep.contains(&byte) && (byte != b'%' || escaped()) {
            out.push(char::from(byte));
        } else {
            let digit = |n: u8| char::from_digit(n.into(), 16).unwrap_or('0');
            out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}
