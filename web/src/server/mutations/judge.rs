//! The second reader: strict, slow, and given the whole input at once.

use super::{LIMITS, Served};
use crate::http::is_token;

/// What the strict reader makes of an input: the requests to be served, and whether something is
/// refused behind them.
pub(super) fn judge(mut rest: &[u8]) -> (Vec<Served>, bool) {
    let mut served = Vec::new();
    while !rest.is_empty() {
        let text = rest.strip_prefix(b"\r\n").unwrap_or(rest);
        let Some(end) = find(text, b"\r\n\r\n") else { return (served, true) };
        let skipped = rest.len() - text.len();
        let Some(head) = Head::read(&text[..end], skipped) else { return (served, true) };
        let after = &text[end + 4..];
        let is_connect = head.method == "CONNECT";
        if head.length.is_some_and(|length| length > LIMITS().body_bytes_max) {
            return (served, true);
        }
        let body = if head.chunked { chunks(after) } else { sized(after, head.length) };
        let skips = head.target.ends_with(b"skip");
        match body {
            // A body that nobody reads is not judged before the answer.
            _ if skips => served.push((head.method, head.target, Vec::new())),
            Some((ref content, _)) => served.push((head.method, head.target, content.clone())),
            None => return (served, true),
        }
        if is_connect {
            served.pop();
            return (served, true);
        }
        // Whether a body follows that was announced but not asked for, nobody knows.
        let unasked = skips && head.expects && (head.chunked || head.length.unwrap_or(0) > 0);
        match body {
            Some((_, used)) if !head.close && !unasked => rest = &after[used..],
            _ => return (served, false),
        }
    }
    (served, false)
}

struct Head {
    method: String,
    target: Vec<u8>,
    length: Option<u64>,
    chunked: bool,
    close: bool,
    expects: bool,
}

impl Head {
    fn read(head: &[u8], skipped: usize) -> Option<Head> {
        let limits = LIMITS();
        let lines = split(head, b"\r\n");
        let control = |b: &u8| (*b < b' ' && *b != b'\t') || *b == 0x7f;
        if lines.iter().any(|line| line.iter().any(control)) {
            return None;
        }
        let (line, fields) = lines.split_first()?;
        let too_large = skipped + head.len() + 4 > limits.head_bytes_max;
        if too_large
            || line.len() > limits.request_line_bytes_max
            || fields.len() > limits.fields_max
        {
            return None;
        }
        let words = split(line, b" ");
        let [method, target, version] = words[..] else { return None };
        let minor = version.strip_prefix(b"HTTP/1.").filter(|m| m.len() == 1)?[0];
        if !is_token(method) || !minor.is_ascii_digit() || !Self::target_ok(method, target) {
            return None;
        }
        let mut values = Vec::new();
        for field in fields {
            let colon = find(field, b":")?;
            let name = std::str::from_utf8(&field[..colon]).ok()?.to_ascii_lowercase();
            is_token(name.as_bytes()).then(|| values.push((name, trim(&field[colon + 1..]))))?;
        }
        let all = |name: &str| {
            let found =
                values.iter().filter(|(n, _)| n == name).map(|(_, v)| v.to_ascii_lowercase());
            found.collect::<Vec<_>>()
        };
        let (hosts, codings, lengths) =
            (all("host"), all("transfer-encoding"), all("content-length"));
        let one = minor != b'0';
        let host_ok =
            hosts.iter().all(|h| host_ok(h)) && (hosts.len() == 1 || (hosts.is_empty() && !one));
        let coding_ok =
            codings.is_empty() || (codings == [b"chunked"] && lengths.is_empty() && one);
        let number = |v: &Vec<u8>| {
            let text =
                std::str::from_utf8(v).ok().filter(|t| t.bytes().all(|b| b.is_ascii_digit()));
            text?.parse::<u64>().ok()
        };
        let numbers: Vec<Option<u64>> = lengths.iter().map(number).collect();
        let length_ok = numbers.iter().all(|n| n.is_some() && *n == numbers[0]);
        let expects = all("expect");
        let expect_ok = expects.iter().all(|e| e == b"100-continue");
        let options = all("connection").join(&b","[..]);
        let has = |want: &[u8]| split(&options, b",").into_iter().any(|o| trim(o) == want);
        (host_ok && coding_ok && length_ok && expect_ok).then(|| Head {
            method: String::from_utf8_lossy(method).into_owned(),
            target: target.to_vec(),
            length: numbers.first().copied().flatten(),
            chunked: !codings.is_empty(),
            expects: one && !expects.is_empty(),
            close: has(b"close") || (!one && !has(b"keep-alive")),
        })
    }

    fn target_ok(method: &[u8], target: &[u8]) -> bool {
        if target.contains(&b'#') || target.contains(&b'\t') {
            return false;
        }
        let lower = target.to_ascii_lowercase();
        let absolute = lower.strip_prefix(b"http://").or(lower.strip_prefix(b"https://"));
        match (method, target, absolute) {
            (b"CONNECT", _, _) => target.starts_with(b"/") || host_ok(target),
            (b"OPTIONS", b"*", _) | (_, [b'/', ..], _) => true,
            (_, _, Some(rest)) => host_ok(split(split(rest, b"/")[0], b"?")[0]),
            _ => false,
        }
    }
}

fn host_ok(host: &[u8]) -> bool {
    let Ok(host) = std::str::from_utf8(host) else { return false };
    let (name, port) = match host.rfind(']') {
        Some(end) => host.split_at(end + 1),
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let port_ok = port.is_empty()
        || (port.starts_with(':')
            && port.len() <= 6
            && port[1..].bytes().all(|b| b.is_ascii_digit()));
    let name_ok = match name.strip_prefix('[') {
        Some(v6) => {
            v6.contains(':')
                && v6[..v6.len() - 1]
                    .bytes()
                    .all(|b| b.is_ascii_hexdigit() || b == b':' || b == b'.')
        }
        None => name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(&b)),
    };
    !name.is_empty() && name_ok && port_ok
}

/// A body of known length: its content, and how many octets it takes. `None`: refuse.
fn sized(input: &[u8], length: Option<u64>) -> Option<(Vec<u8>, usize)> {
    let length = usize::try_from(length.unwrap_or(0)).ok()?;
    Some((input.get(..length)?.to_vec(), length))
}

/// A chunked body: its content, and how many octets it takes. `None`: refuse.
fn chunks(input: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut content, mut at) = (Vec::new(), 0);
    let line = |at: &mut usize| {
        let end = find(&input[*at..], b"\n")?;
        let line = input[*at..*at + end].strip_suffix(b"\r")?;
        *at += end + 1;
        let control = |b: &u8| (*b < b' ' && *b != b'\t') || *b == 0x7f;
        (!line.iter().any(control)).then_some(line)
    };
    loop {
        let size = line(&mut at)?;
        let digits = split(size, b";")[0];
        let hex = digits.iter().all(u8::is_ascii_hexdigit);
        if size.len() > 254 || digits.is_empty() || digits.len() > 16 || !hex {
            return None;
        }
        let size = u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        if size == 0 {
            break;
        }
        let size = usize::try_from(size).ok()?;
        content.extend_from_slice(input.get(at..at.checked_add(size)?)?);
        at += size;
        if line(&mut at)? != b"" || content.len() as u64 > LIMITS().body_bytes_max {
            return None;
        }
    }
    loop {
        let trailer = line(&mut at)?;
        if trailer.is_empty() {
            return Some((content, at));
        }
        is_token(&trailer[..find(trailer, b":")?]).then_some(())?;
    }
}

pub(super) fn find(input: &[u8], what: &[u8]) -> Option<usize> {
    input.windows(what.len()).position(|window| window == what)
}

fn split<'a>(mut input: &'a [u8], by: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    while let Some(at) = find(input, by) {
        parts.push(&input[..at]);
        input = &input[at + by.len()..];
    }
    parts.push(input);
    parts
}

fn trim(value: &[u8]) -> &[u8] {
    let blank = |b: &u8| *b == b' ' || *b == b'\t';
    let start = value.iter().position(|b| !blank(b)).unwrap_or(value.len());
    let end = value.iter().rposition(|b| !blank(b)).map_or(start, |last| last + 1);
    &value[start..end]
}
