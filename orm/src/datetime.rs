//! Dates of the calendar from a count of seconds, and back (days 1 and 2).
//!
//! The logger prints the time, and a field may be a [`SystemTime`]. `std` counts seconds and knows
//! neither years nor time zones, so all times here are UTC. The arithmetic is Howard Hinnant's
//! (<https://howardhinnant.github.io/date_algorithms.html>): a year begins on 1 March, so that the
//! leap day is its last, and 400 years always have 146,097 days. Crate `web` has the same ten lines for
//! the dates of HTTP: this crate stands alone.
//!
//! ```text
//!   2024-02-29 12:00:00.000000000      19 bytes, then 9 digits of the second
//! ```
//!
//! The text has one width, so that comparing texts compares times; SQLite's date functions read it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAY: u64 = 86_400;
const DAYS_OF_400_YEARS: u64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01.
const DAYS_TO_EPOCH: u64 = 719_468;
/// Seconds from 0000-03-01 to 1970-01-01.
const SECONDS_TO_EPOCH: u64 = DAYS_TO_EPOCH * DAY;

/// `2024-02-29 12:00:00.000000000`, or `None` outside of the years 0001 to 9999.
pub(crate) fn format(time: SystemTime) -> Option<String> {
    let (seconds, nanos) = since_year_0(time)?;
    let (year, month, day) = date(seconds / DAY);
    let second = seconds % DAY;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    (1..=9999).contains(&year).then(|| {
        format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{nanos:09}")
    })
}

/// Reads what [`format()`] writes; the time of day and the fraction may be missing.
pub(crate) fn parse(text: &str) -> Option<SystemTime> {
    let (date, time) = text.split_once([' ', 'T']).unwrap_or((text, "00:00:00"));
    let (clock, fraction) =
        time.trim_end_matches('Z').split_once('.').unwrap_or((time.trim_end_matches('Z'), "0"));
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(clock, ':')?;
    let in_range = (1..=9999).contains(&year) && (1..=12).contains(&month) && hour < 24;
    if !in_range || minute > 59 || second > 59 || fraction.len() > 9 {
        return None;
    }
    let days = days(year, month, day)?;
    let seconds = days * DAY + hour * 3600 + minute * 60 + second;
    let digits = fraction.bytes().all(|b| b.is_ascii_digit());
    let nanos: u32 = format!("{fraction:0<9}").parse().ok().filter(|_| digits)?;
    let whole = if seconds >= SECONDS_TO_EPOCH {
        UNIX_EPOCH.checked_add(Duration::from_secs(seconds - SECONDS_TO_EPOCH))
    } else {
        UNIX_EPOCH.checked_sub(Duration::from_secs(SECONDS_TO_EPOCH - seconds))
    };
    whole?.checked_add(Duration::from_nanos(nanos.into()))
}

fn since_year_0(time: SystemTime) -> Option<(u64, u32)> {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => Some((after.as_secs().checked_add(SECONDS_TO_EPOCH)?, after.subsec_nanos())),
        Err(error) => {
            let before = error.duration();
            let borrow = u64::from(before.subsec_nanos() > 0);
            let nanos = (1_000_000_000 - before.subsec_nanos()) % 1_000_000_000;
            Some((SECONDS_TO_EPOCH.checked_sub(before.as_secs())?.checked_sub(borrow)?, nanos))
        }
    }
}

/// Year, month and day of a count of days since 0000-03-01.
fn date(days: u64) -> (u64, u64, u64) {
    let (era, day) = (days / DAYS_OF_400_YEARS, days % DAYS_OF_400_YEARS);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    // The months from March on have 31, 30, 31, 30, 31 days, again and again: 153 in five.
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

/// Days since 0000-03-01, or `None` where there is no such day.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let (from_march, shifted) = if month > 2 { (month - 3, year) } else { (month + 9, year - 1) };
    let (era, year_of_era) = (shifted / 400, shifted % 400);
    let day_of_year = (153 * from_march + 2) / 5 + day.checked_sub(1)?;
    let count = era * DAYS_OF_400_YEARS + 365 * year_of_era + year_of_era / 4 - year_of_era / 100
        + day_of_year;
    (date(count) == (year, month, day)).then_some(count)
}

fn numbers(text: &str, separator: char) -> Option<[u64; 3]> {
    let mut parts = text.split(separator).map(|part| {
        let digits = (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        part.parse().ok().filter(|_| digits)
    });
    let three = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(three)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_dates_there_and_back() {
        let cases = [
            (0, "1970-01-01 00:00:00.000000000"),
            (951_782_400, "2000-02-29 00:00:00.000000000"),
            (1_709_208_000, "2024-02-29 12:00:00.000000000"),
            (253_402_300_799, "9999-12-31 23:59:59.000000000"),
        ];
        for (seconds, want) in cases {
            let time = UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(format(time).as_deref(), Some(want));
            assert_eq!(parse(want), Some(time));
        }
        let early = UNIX_EPOCH - Duration::from_nanos(1);
        assert_eq!(format(early).as_deref(), Some("1969-12-31 23:59:59.999999999"));
        assert_eq!(parse("1969-12-31 23:59:59.999999999"), Some(early));
        assert_eq!(parse("2024-02-29T12:00:00Z"), parse("2024-02-29 12:00:00"));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        let none = [
            "",
            "2023-02-29",
            "2024-13-01",
            "2024-00-10",
            "2024-01-00",
            "+2024-01-01",
            "2024-01-01 24:00:00",
            "2024-01-01 00:00:00.x",
        ];
        for text in none {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(format(UNIX_EPOCH + Duration::from_secs(253_402_300_800)), None);
    }
}
