//! The vocabulary of HTTP (day 1): tokens, status codes, dates.
//!
//! A *token* is what methods and header names are made of (RFC 9110 section 5.6.2). A header
//! *value* is any octet but the control characters, so that nobody can smuggle a line end into
//! it. Dates are always GMT and always 29 bytes: `Sun, 06 Nov 1994 08:49:37 GMT`.

use std::cell::RefCell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Whether `bytes` is a token: one or more of RFC 9110's `tchar`.
#[must_use]
pub fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|&b| TCHAR[usize::from(b)])
}

/// Whether `bytes` may stand as a header value: no control character but the tab.
///
/// Written without an early exit, so that the compiler checks sixteen bytes at a time.
#[must_use]
pub fn is_field_value(bytes: &[u8]) -> bool {
    !bytes.iter().fold(false, |bad, &b| bad | ((b < 0x20) & (b != b'\t')) | (b == 0x7f))
}

/// `true` for the bytes of a token.
pub(crate) static TCHAR: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0u8;
    while byte < 0x80 {
        table[byte as usize] = byte.is_ascii_alphanumeric()
            || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~');
        byte += 1;
    }
    table
};

/// The reason phrase of a status code, empty for an unknown one.
#[must_use]
pub fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        418 => "I'm a teapot",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}

/// A point in time as year, month, day, hour, minute, second (UTC) and weekday (0 = Sunday).
///
/// The day count is turned into a date by the usual trick: years that begin in March have their
/// leap day at the end, and 400 such years always have 146,097 days. (Crate `orm` knows no other crate
/// and has the same ten lines in its `datetime`.)
#[must_use]
pub fn civil(time: SystemTime) -> ([u64; 6], usize) {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let days = seconds / 86_400 + 719_468; // since 0000-03-01
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let weekday = usize::try_from((seconds / 86_400 + 4) % 7).unwrap_or(0);
    ([year, month, day, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60], weekday)
}

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A point in time as HTTP writes it: `Sun, 06 Nov 1994 08:49:37 GMT`.
#[must_use]
pub fn date(time: SystemTime) -> String {
    let ([year, month, day, hour, minute, second], weekday) = civil(time);
    let month = MONTHS[usize::try_from(month - 1).unwrap_or(0)];
    let weekday = DAYS[weekday];
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

/// Reads a date in the form that [`date`] writes, the only one modern senders use.
#[must_use]
pub fn parse_date(text: &str) -> Option<SystemTime> {
    // With 29 octets in all no number is long enough to overflow below.
    let rest = text.get(5..).filter(|_| text.len() == 29)?.strip_suffix(" GMT")?;
    let mut parts = rest.split([' ', ':']);
    let number = |parts: &mut std::str::Split<'_, [char; 2]>| -> Option<u64> {
        let part = parts.next()?;
        part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())?
    };
    let day = number(&mut parts)?;
    let name = parts.next()?;
    let month = MONTHS.iter().position(|m| *m == name)? as u64 + 1;
    let year = number(&mut parts)?;
    let (hour, minute, second) = (number(&mut parts)?, number(&mut parts)?, number(&mut parts)?);
    let year_from_march = year.checked_sub(u64::from(month <= 2))?;
    let (era, year_of_era) = (year_from_march / 400, year_from_march % 400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day.checked_sub(1)?;
    let days =
        era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let seconds = days.checked_sub(719_468)? * 86_400 + hour * 3_600 + minute * 60 + second;
    let time = UNIX_EPOCH + Duration::from_secs(seconds);
    // 31 February, 25 o'clock or the wrong weekday do not come back as they were written.
    (date(time) == text).then_some(time)
}

/// Appends `Date: …` and a line end; each thread formats the date once a second.
pub(crate) fn write_date_line(out: &mut Vec<u8>) {
    thread_local! {
        static LINE: RefCell<(u64, String)> = const { RefCell::new((0, String::new())) };
    }
    let now = SystemTime::now();
    let second = now.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    LINE.with_borrow_mut(|(cached, line)| {
        if *cached != second {
            *cached = second;
            *line = format!("Date: {}\r\n", date(now));
        }
        out.extend_from_slice(line.as_bytes());
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_and_read_back() {
        const CASES: &[(u64, &str)] = &[
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
        ];
        for &(seconds, text) in CASES {
            let time = UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(date(time), text);
            assert_eq!(parse_date(text), Some(time));
        }
        for bad in [
            "",
            "Sun, 06 Nov 1994 08:49:37",
            "Mon, 06 Nov 1994 08:49:37 GMT",
            "Fri, 31 Feb 2025 00:00:00 GMT",
            "Sun, 06 Nov 1994 +8:49:37 GMT",
            "Sun, 99999999999999999999 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 999999999999999999 08:49:37 GMT",
            "Sun, 06 Nov 1994 9999999999999999:49:37 GMT",
            "Sat, 01 Jan 0000 00:00:00 GMT",
        ] {
            assert_eq!(parse_date(bad), None, "{bad}");
        }
    }

    #[test]
    fn tokens_and_values_are_told_by_their_octets() {
        assert!(is_token(b"M-SEARCH") && is_token(b"!#$%&'*+-.^_`|~09azAZ"));
        for bad in [&b""[..], b"a b", b"a:b", b"\"", b"(", b"a\x7f", "é".as_bytes()] {
            assert!(!is_token(bad), "{bad:?}");
        }
        assert!(is_field_value("tab\tand é".as_bytes()));
        for bad in [&b"\r"[..], b"\n", b"\0", b"\x7f"] {
            assert!(!is_field_value(bad), "{bad:?}");
        }
    }
}
