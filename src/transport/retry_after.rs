//! A server's statements about time: how long to wait, and what its own clock shows.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::DateTime;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// How long a server asks to wait: `Retry-After` in seconds, or as a date against the server's own `Date` (else
/// against `wall`, the local wall clock since the epoch). The longest one, if a proxy on the way has added another.
pub(crate) fn retry_after(headers: &HeaderMap, wall: Duration) -> Option<Duration> {
    let now = server_date(headers).unwrap_or(wall);
    let wait = |value: &str| seconds(value).or_else(|| Some(date(value)?.saturating_sub(now)));
    let values = headers.get_all(RETRY_AFTER).iter();
    let values = values.filter_map(|value| Some(value.to_str().ok()?.trim()));
    // A date contains a comma, so a list is split only if it is not one date.
    let waits = values.filter_map(|value| {
        wait(value).or_else(|| value.split(',').filter_map(|part| wait(part.trim())).max())
    });
    waits.max()
}

/// Seconds, which some servers write with a fraction. It is never truncated: that would be shorter than the server asked. More
/// than can be counted is as long as can be.
fn seconds(value: &str) -> Option<Duration> {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let whole: u64 = whole.parse().unwrap_or(u64::MAX);
    // Nine digits are nanoseconds. Further digits are rounded up.
    let (nanoseconds, rest) = fraction.split_at(fraction.len().min(9));
    let nanoseconds: u32 = format!("{nanoseconds:0<9}").parse().ok()?;
    let more = u64::from(rest.bytes().any(|byte| byte != b'0'));
    Some(Duration::from_secs(whole).saturating_add(Duration::from_nanos(u64::from(nanoseconds) + more)))
}

/// A date as HTTP writes it, or as other formats of the internet do.
fn date(value: &str) -> Option<Duration> {
    let http = httpdate::parse_http_date(value).ok();
    let other = || {
        // Some writers name the wrong day of the week.
        let without_day = value.split_once(", ").map_or(value, |(_, date)| date);
        let without_day = without_day.replace("UTC", "GMT");
        let date =
            DateTime::parse_from_rfc2822(&without_day).or_else(|_| DateTime::parse_from_rfc3339(value));
        date.ok().map(SystemTime::from)
    };
    http.or_else(other)?.duration_since(UNIX_EPOCH).ok()
}

/// The server's clock, since the epoch.
pub(crate) fn server_date(headers: &HeaderMap) -> Option<Duration> {
    date(headers.get(DATE)?.to_str().ok()?.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_of_the_servers_clock() {
        let read = |pairs: &[_]| retry_after(&headers(pairs), Duration::from_secs(784_111_777));
        assert_eq!(read(&[("retry-after", "120")]), Some(Duration::from_secs(120)));
        for (text, milliseconds) in [("1.5", 1500), ("0.25", 250), (" 2.0 ", 2000), ("007.100", 7100)] {
            assert_eq!(
                read(&[("retry-after", text)]),
                Some(Duration::from_millis(milliseconds)),
                "{text}"
            );
        }
        assert_eq!(
            read(&[("retry-after", "0.0000000001")]),
            Some(Duration::from_nanos(1))
        );
        assert_eq!(
            read(&[("retry-after", "Sun, 06 Nov 1994 08:49:47 GMT")]),
            Some(Duration::from_secs(10))
        );
        let skewed = [
            ("retry-after", "Sat, 06 Nov 2094 08:49:47 GMT"),
            ("date", "Sat, 06 Nov 2094 08:49:17 GMT"),
        ];
        assert_eq!(read(&skewed), Some(Duration::from_secs(30)));
        assert_eq!(
            read(&[("retry-after", "Fri, 06 Nov 1970 08:49:47 GMT")]),
            Some(Duration::ZERO)
        );
        assert_eq!(
            read(&[("retry-after", "99999999999999999999999")]),
            Some(Duration::from_secs(u64::MAX))
        );
        for nonsense in [
            "", "soon", "-1", "1e9", "1.", ".5", "1.5.2", "inf", "NaN", "1.5 s",
        ] {
            assert_eq!(read(&[("retry-after", nonsense)]), None, "{nonsense}");
        }
    }

    #[test]
    fn longest_of_several_waits_is_obeyed() {
        let read = |values: &[&str]| {
            let pairs: Vec<_> = values.iter().map(|value| ("retry-after", *value)).collect();
            retry_after(&headers(&pairs), Duration::from_secs(784_111_777))
        };
        let date = "Sun, 06 Nov 1994 08:49:47 GMT";
        for values in [
            &["soon", "7"][..],
            &["7", "soon"],
            &["1", "7"],
            &["7, 3"],
            &["3,7"],
            &["", "7"],
        ] {
            assert_eq!(read(values), Some(Duration::from_secs(7)), "{values:?}");
        }
        assert_eq!(read(&["7", date]), Some(Duration::from_secs(10)));
        assert_eq!(read(&[date, "12"]), Some(Duration::from_secs(12)));
    }

    #[test]
    fn dates_of_other_formats_are_read() {
        for date in [
            "Sunday, 06-Nov-94 08:49:47 GMT",
            "Sun Nov  6 08:49:47 1994",
            "Sun, 06 Nov 1994 08:49:47 UTC",
            "Sun, 06 Nov 1994 10:49:47 +0200",
            "sun, 6 nov 1994 08:49:47 gmt",
            "Mon, 06 Nov 1994 08:49:47 GMT",
            "06 Nov 1994 08:49:47 GMT",
            "1994-11-06T08:49:47Z",
        ] {
            let headers = headers(&[("retry-after", date)]);
            let wait = retry_after(&headers, Duration::from_secs(784_111_777));
            assert_eq!(wait, Some(Duration::from_secs(10)), "{date}");
        }
    }
}
