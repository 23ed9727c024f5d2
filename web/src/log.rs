//! Log lines (day 1): Go's `log` form on stderr, in UTC because std knows no time zones.
//!
//! `2026/11/23 22:11:04 [200] / in 92.8µs`

use std::fmt;
use std::io::Write;
use std::time::{Duration, SystemTime};

/// Writes one line to stderr, the time before it. A stderr that is gone is not worth dying for.
pub fn line(message: fmt::Arguments<'_>) {
    let ([year, month, day, hour, minute, second], _) = crate::http::civil(SystemTime::now());
    // One buffer, one write: lines of several threads do not mix.
    let text = format!("{year}/{month:02}/{day:02} {hour:02}:{minute:02}:{second:02} {message}\n");
    if cfg!(test) {
        eprint!("{text}"); // shown for a test that fails, and for no other
    } else {
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
}

/// A duration as Go prints it: `92.8µs`, `1.5s`, `1m30.5s`.
#[must_use]
pub fn go_duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let trimmed = |unit: u128, name: &str| {
        let (whole, part) = (nanos / unit, nanos % unit);
        if part == 0 {
            return format!("{whole}{name}");
        }
        let width = unit.ilog10() as usize;
        let digits = format!("{part:0width$}");
        format!("{whole}.{}{name}", digits.trim_end_matches('0'))
    };
    match nanos {
        0 => "0s".to_owned(),
        1..1_000 => format!("{nanos}ns"),
        1_000..1_000_000 => trimmed(1_000, "µs"),
        1_000_000..1_000_000_000 => trimmed(1_000_000, "ms"),
        1_000_000_000..60_000_000_000 => trimmed(1_000_000_000, "s"),
        _ => {
            let minutes = duration.as_secs() / 60;
            let rest = if duration.as_secs().is_multiple_of(60) {
                seconds_below_one(duration)
            } else {
                go_duration(duration - Duration::from_secs(minutes * 60))
            };
            match minutes / 60 {
                0 => format!("{minutes}m{rest}"),
                hours => format!("{hours}h{}m{rest}", minutes % 60),
            }
        }
    }
}

/// The seconds part of a longer duration, which Go writes in seconds even when it is below one.
fn seconds_below_one(duration: Duration) -> String {
    let nanos = duration.subsec_nanos();
    if nanos == 0 {
        return "0s".to_owned();
    }
    format!("0.{}s", format!("{nanos:09}").trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_go_writes_them() {
        const CASES: &[(u64, &str)] = &[
            (0, "0s"),
            (999, "999ns"),
            (92_800, "92.8µs"),
            (1_000_000, "1ms"),
            (112_500_001, "112.500001ms"),
            (3_000_000_000, "3s"),
            (60_000_000_000, "1m0s"),
            (60_500_000_000, "1m0.5s"),
            (90_500_000_000, "1m30.5s"),
            (3_661_000_000_000, "1h1m1s"),
        ];
        for &(nanos, want) in CASES {
            assert_eq!(go_duration(Duration::from_nanos(nanos)), want);
        }
    }
}
