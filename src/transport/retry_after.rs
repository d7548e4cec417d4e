//! A server's statements about time: how long to wait, and what its own clock shows.

use std::time::{Duration, UNIX_EPOCH};

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// How long a server asks to wait: `Retry-After` in seconds, or as a date against the server's own `Date` (else
/// against `wall`, the local wall clock since the epoch).
pub(crate) fn retry_after(headers: &HeaderMap, wall: Duration) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Some(wait) = seconds(value) {
        return Some(wait);
    }
    let now = server_date(headers).unwrap_or(wall);
    let until = httpdate::parse_http_date(value)
        .ok()?
        .duration_since(UNIX_EPOCH)
        .ok()?;
    Some(until.saturating_sub(now))
}

/// Seconds, which some servers write with a fraction. It is never truncated: that would be shorter than the server asked.
fn seconds(value: &str) -> Option<Duration> {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    // Nine digits are nanoseconds. Further digits are rounded up.
    let (nanoseconds, rest) = fraction.split_at(fraction.len().min(9));
    let nanoseconds: u32 = format!("{nanoseconds:0<9}").parse().ok()?;
    let more = u64::from(rest.bytes().any(|byte| byte != b'0'));
    Duration::from_secs(whole).checked_add(Duration::from_nanos(u64::from(nanoseconds) + more))
}

/// The server's clock, since the epoch.
pub(crate) fn server_date(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(DATE)?.to_str().ok()?;
    httpdate::parse_http_date(value)
        .ok()?
        .duration_since(UNIX_EPOCH)
        .ok()
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
        for nonsense in [
            "",
            "soon",
            "-1",
            "1e9",
            "1.",
            ".5",
            "1,5",
            "1.5.2",
            "inf",
            "NaN",
            "1.5 s",
            "99999999999999999999999",
        ] {
            assert_eq!(read(&[("retry-after", nonsense)]), None, "{nonsense}");
        }
    }
}
