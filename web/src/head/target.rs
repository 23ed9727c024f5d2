//! The request line (day 1): method, target and version, and what a target is made of.
//!
//! ```text
//! GET /hello?name=gee HTTP/1.1            origin form: a path, perhaps a query
//! GET http://host/hello HTTP/1.1          absolute form, for proxies; its host wins over Host
//! OPTIONS * HTTP/1.1                      about the server as a whole
//! CONNECT host:80 HTTP/1.1                a tunnel
//! ```
//!
//! Reference: RFC 9112 section 3.

use std::ops::Range;

use super::refuse;
use crate::Result;
use crate::http::is_token;

/// Splits a request line into method, target and minor version.
pub(crate) fn request_line(line: &[u8]) -> Result<(Range<usize>, Range<usize>, u8)> {
    let Some(first) = line.iter().position(|&b| b == b' ') else {
        return refuse(400, "the request line is not `method target version`");
    };
    let last = line.iter().rposition(|&b| b == b' ').unwrap_or(first);
    if !is_token(&line[..first]) {
        return refuse(400, "the method is not a token");
    }
    let minor = match &line[last + 1..] {
        b"HTTP/1.1" => 1,
        b"HTTP/1.0" => 0,
        [b'H', b'T', b'T', b'P', b'/', major @ b'0'..=b'9', b'.', b'0'..=b'9'] => {
            // A later 1.x is answered as 1.1, RFC 9110 section 2.5.
            if *major != b'1' {
                return refuse(505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
            }
            1
        }
        _ => return refuse(400, "the version is not HTTP/1.x"),
    };
    let target = &line[(first + 1).min(last)..last];
    if target.is_empty() || target.iter().any(|&b| b <= b' ' || b == 0x7f || b == b'#') {
        return refuse(400, "the target is empty or has a space, a control character or a #");
    }
    Ok((0..first, first + 1..last, minor))
}

/// Where path and query stand in a target, and the authority of an absolute one.
pub(crate) fn split_target(
    method: &[u8],
    target: &[u8],
) -> Result<(Range<usize>, Option<Range<usize>>)> {
    if method == b"CONNECT" {
        // `host:port` from a proxy's client, a path from Go's RPC client.
        let known = target.starts_with(b"/") || is_authority(target);
        return if known {
            Ok((0..target.len(), None))
        } else {
            refuse(400, "the target of CONNECT is not host:port")
        };
    }
    if target == b"*" {
        return match method {
            b"OPTIONS" => Ok((0..1, None)),
            _ => refuse(400, "`*` is a target for OPTIONS only"),
        };
    }
    if target.starts_with(b"/") {
        return Ok((0..target.len(), None));
    }
    let scheme = [&b"http://"[..], b"https://"]
        .into_iter()
        .find(|s| target.len() > s.len() && target[..s.len()].eq_ignore_ascii_case(s));
    let Some(scheme) = scheme else {
        return refuse(400, "the target is neither a path nor an http URL");
    };
    let end = target[scheme.len()..]
        .iter()
        .position(|&b| b == b'/' || b == b'?')
        .map_or(target.len(), |at| scheme.len() + at);
    if !is_authority(&target[scheme.len()..end]) {
        return refuse(400, "the target's authority is not host[:port]");
    }
    Ok((end..target.len(), Some(scheme.len()..end)))
}

/// Whether `value` is a host name, an IPv4 address or `[IPv6]`, with an optional port.
pub(crate) fn is_authority(value: &[u8]) -> bool {
    let (host, port) = match value {
        [b'[', rest @ ..] => match rest.iter().position(|&b| b == b']') {
            Some(end) => {
                let inside = &rest[..end];
                let literal = inside.iter().all(|b| b.is_ascii_hexdigit() || b":.".contains(b));
                if !literal || !inside.contains(&b':') {
                    return false;
                }
                (inside, &rest[end + 1..])
            }
            None => return false,
        },
        _ => {
            let end = value.iter().position(|&b| b == b':').unwrap_or(value.len());
            (&value[..end], &value[end..])
        }
    };
    let in_name = |b: &u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%:".contains(b);
    let port_ok = match port {
        [] => true,
        [b':', digits @ ..] => digits.iter().all(u8::is_ascii_digit) && digits.len() <= 5,
        _ => false,
    };
    !host.is_empty() && host.iter().all(in_name) && port_ok
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_from_nonsense() {
        for good in ["localhost", "a.b:80", "127.0.0.1:9999", "[::1]", "[::1]:80", "x:"] {
            assert!(is_authority(good.as_bytes()), "{good}");
        }
        for bad in
            ["", ":80", "a:xx", "[::1", "a b", "u@h", "[]", "[x]", "a:80:80", "[::1]x", "h/", "é"]
        {
            assert!(!is_authority(bad.as_bytes()), "{bad}");
        }
    }
}
