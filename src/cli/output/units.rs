//! Sizes, durations and times in the words that docker uses (its Go module `units`).

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::error::{Context as _, Error, Result};

/// `8.09 MB`: decimal units, three significant digits, as in `images`.
pub(crate) fn human_size(bytes: u64) -> String {
    let (number, unit) = scale(bytes);
    format!("{number} {unit}")
}

fn scale(bytes: u64) -> (String, &'static str) {
    const UNITS: [&str; 7] = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    let mut unit = 0;
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut number = bytes as f64;
    while number >= 1000.0 && unit + 1 < UNITS.len() {
        number /= 1000.0;
        unit += 1;
    }
    let decimals = match number {
        n if n < 10.0 => 2,
        n if n < 100.0 => 1,
        _ => 0,
    };
    let mut text = format!("{number:.decimals$}");
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    (text, UNITS[unit])
}

/// `About a minute`, `2 hours`, `3 weeks`.
pub(crate) fn human_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let minutes = seconds / 60;
    // Hours are rounded, all else is cut off.
    let hours = (seconds + 1800) / 3600;
    match (seconds, minutes, hours) {
        (0, ..) => "Less than a second".into(),
        (1, ..) => "1 second".into(),
        (..60, ..) => format!("{seconds} seconds"),
        (_, 1, _) => "About a minute".into(),
        (_, ..60, _) => format!("{minutes} minutes"),
        (_, _, 1) => "About an hour".into(),
        (_, _, ..48) => format!("{hours} hours"),
        (_, _, ..336) => format!("{} days", hours / 24),
        (_, _, ..1440) => format!("{} weeks", hours / 24 / 7),
        (_, _, ..17520) => format!("{} months", hours / 24 / 30),
        _ => format!("{} years", seconds / 3600 / 24 / 365),
    }
}

/// `3 weeks ago`; `Less than a second ago` for times that lie ahead.
pub(crate) fn ago(then: Timestamp, now: Timestamp) -> String {
    format!("{} ago", human_duration(elapsed(then, now)))
}

/// The time from `then` to `now`, none if `then` lies ahead.
pub(crate) fn elapsed(then: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(then)).unwrap_or_default()
}

/// A point in time as `--since` and `--until` take it: RFC 3339 or a part of it (then in the local time zone), seconds
/// since 1970, or a Go duration (`1h30m`) before `now`.
pub(crate) fn parse_time(text: &str, now: Timestamp) -> Result<Timestamp> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    if let Some(time) = seconds_since_1970(text) {
        return Ok(time);
    }
    if let Ok(duration) = parse_duration(text) {
        return now.checked_sub(duration).context(|| format!("{text:?} lies too far back"));
    }
    text.parse::<DateTime>().and_then(|time| TimeZone::system().to_timestamp(time)).map_err(|_| {
        Error::usage(format!("{text:?} is no point in time"))
            .hint("give a date such as 2026-01-31T15:04:05, seconds since 1970, or how long ago, such as 90m")
    })
}

fn seconds_since_1970(text: &str) -> Option<Timestamp> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Timestamp::new(seconds.parse().ok()?, format!("{fraction:0<9}").parse().ok()?).ok()
}

/// A Go duration (`1h30m`, `500ms`, `1.5s`).
pub(crate) fn parse_duration(text: &str) -> Result<Duration> {
    const NANOSECONDS: [(&str, f64); 8] = [
        ("ns", 1.0),
        ("us", 1e3),
        ("µs", 1e3),
        ("μs", 1e3),
        ("ms", 1e6),
        ("s", 1e9),
        ("m", 60e9),
        ("h", 3600e9),
    ];
    let wrong = || {
        Error::usage(format!("{text:?} is no duration")).hint("a duration is written as 1h30m, 90s or 500ms")
    };
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    let mut total = 0.0;
    loop {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
        let number: f64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let (_, unit) = NANOSECONDS.iter().find(|(name, _)| *name == &rest[..end]).ok_or_else(wrong)?;
        total += number * unit;
        rest = &rest[end..];
        if rest.is_empty() {
            break;
        }
    }
    Duration::try_from_secs_f64(total / 1e9).map_err(|_| wrong())
}

/// Go's `time.Time.String()` in UTC: `2026-01-02 03:04:05.123456789 +0000 UTC`.
pub(crate) fn go_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S%.f +0000 UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_three_digits() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1 kB"),
            (1234, "1.23 kB"),
            (11_100, "11.1 kB"),
            (1_762_958, "1.76 MB"),
            (4_681_359, "4.68 MB"),
            (8_100_000, "8.1 MB"),
            (999_400_000, "999 MB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(human_size(bytes), text);
        }
    }

    #[test]
    fn durations_use_dockers_words() {
        const DAY: u64 = 86_400;
        for (seconds, text) in [
            (0, "Less than a second"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "About a minute"),
            (120, "2 minutes"),
            (3599, "59 minutes"),
            (3600, "About an hour"),
            (2 * 3600 + 1800, "3 hours"),
            (2 * DAY, "2 days"),
            (13 * DAY, "13 days"),
            (14 * DAY, "2 weeks"),
            (60 * DAY, "2 months"),
            (730 * DAY, "2 years"),
        ] {
            assert_eq!(human_duration(Duration::from_secs(seconds)), text, "{seconds}");
        }
    }

    #[test]
    fn points_in_time_come_in_four_forms() {
        let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let parse = |text| parse_time(text, now).unwrap().to_string();
        assert_eq!(parse("2026-01-01T00:00:00.5+01:00"), "2025-12-31T23:00:00.5Z");
        assert_eq!(parse("1795449395.25"), "2026-11-23T15:56:35.25Z");
        assert_eq!(parse("1h4m5s"), "2026-01-02T02:00:00Z");
        let local: Timestamp = parse_time("2026-01-01", now).unwrap();
        assert!(local.duration_since(now).as_hours().abs() < 48);
        assert!(parse_time("2026-01-01T10:30", now).is_ok());
        for wrong in ["", "yesterday", "1h4", "-5", "2026-13-01", "1.x", "5 m"] {
            // "-5" is five seconds before 1970.
            assert_eq!(parse_time(wrong, now).is_ok(), wrong == "-5", "{wrong}");
        }
    }

    #[test]
    fn durations_are_gos() {
        assert_eq!(parse_duration("1.5s").unwrap(), Duration::from_millis(1500));
        assert_eq!(parse_duration("1h30m").unwrap(), Duration::from_secs(5400));
        assert_eq!(parse_duration("0").unwrap(), Duration::ZERO);
        assert_eq!(parse_duration("0s").unwrap(), Duration::ZERO);
        for wrong in ["", "5", "s", "1d", "1h 2m", "-1s"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_print_as_go_prints_them() {
        let time: Timestamp = "2026-11-23T15:56:35.372246277Z".parse().unwrap();
        assert_eq!(go_time(time), "2026-11-23 15:56:35.372246277 +0000 UTC");
        let whole: Timestamp = "2026-05-13T02:21:49Z".parse().unwrap();
        assert_eq!(go_time(whole), "2026-05-13 02:21:49 +0000 UTC");
    }
}
