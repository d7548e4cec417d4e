//! What a response's times come to.

use super::*;
use crate::clock::{Clock, ManualClock};

const LONGEST: Duration = Duration::from_secs(3660 * 24 * 3600);
/// Where the local wall clock stands.
const WALL: i64 = 1_767_225_600;

fn response(expiration: Option<i64>, created: Option<i64>, date: Option<u64>) -> TokenResponse {
    let sent = ManualClock::new().now();
    let time = |time: Option<i64>| time.map_or(Timestamp::Absent, Timestamp::from_secs);
    TokenResponse {
        operation: "userLogin",
        token: Secret::new("opaque"),
        times: TokenTimes {
            expiration: time(expiration),
            created: time(created),
        },
        details: None,
        stored: false,
        shared_as: None,
        age: Duration::ZERO,
        server_date: date.map(Duration::from_secs),
        sent,
        arrived: sent.after(Duration::from_secs(2)),
    }
}

/// How long the token lives, from when the request was sent.
fn seconds(response: &TokenResponse) -> Option<f64> {
    let Lifetime { start, length, .. } = response.lifetime(LONGEST).ok()?;
    Some((start.monotonic.saturating_sub(response.sent.monotonic) + length).as_secs_f64())
}

#[test]
fn response_decides_and_not_the_local_clock() {
    // The server's clock is decades behind the local one in most of these.
    for (expiration, created, date, expected, what) in [
        (Some(4600), Some(1_000_000), Some(1002), 3600.0, "all agree"),
        (
            Some(4600),
            Some(1_000_000),
            None,
            3600.0,
            "counted from when it was sent",
        ),
        (Some(4600), Some(1_000_000), Some(3000), 1602.0, "an older token"),
        (Some(4600), None, Some(1000), 3602.0, "no created"),
        (
            Some(4600),
            Some(9_000_000),
            Some(1000),
            3602.0,
            "created after its expiry",
        ),
        (None, None, Some(1000), 3602.0, "the documented default"),
        (Some(WALL + 602), None, None, 602.0, "only the local clock"),
        (
            Some(WALL + 602 + 315_360_000),
            None,
            None,
            3602.0,
            "a local clock that may be years behind",
        ),
        (Some(1), Some(900), None, 0.1, "milliseconds count"),
        (
            Some(1000 + 315_360_000),
            Some(1_000_000),
            Some(1000),
            315_360_002.0,
            "ten years",
        ),
    ] {
        assert_eq!(
            seconds(&response(expiration, created, date)),
            Some(expected),
            "{what}"
        );
    }
}

#[test]
fn token_that_arrives_expired_is_an_error_that_names_the_operation() {
    for response in [
        response(Some(1000), Some(1), Some(1000)),
        response(Some(-5), None, None),
        response(Some(5), Some(6000), None),
    ] {
        let error = response.lifetime(LONGEST).unwrap_err();
        assert_eq!(error.operation(), Some("userLogin"), "{error}");
    }
}

#[test]
fn contradicting_date_neither_locks_out_nor_extends() {
    let created = Some(WALL * 1000);
    let now = u64::try_from(WALL).unwrap();
    for (expiration, created, date, expected, what) in [
        (
            WALL + 60,
            created,
            now + 61,
            60.0,
            "61 s ahead of a token of 60 s",
        ),
        (WALL + 60, created, now + 3600, 60.0, "an hour ahead"),
        (WALL + 60, created, now + 86_400 * 365, 60.0, "a year ahead"),
        (WALL + 3600, created, 0, 3602.0, "1970"),
        (WALL + 3600, None, now + 3600, 62.0, "at its end, and no created"),
        (
            WALL + 3600,
            None,
            now + 86_400,
            62.0,
            "a day ahead, and no created",
        ),
        (
            WALL + 30,
            None,
            now + 86_400,
            30.0,
            "a day ahead, a short token, and no created",
        ),
        (
            WALL + 3600,
            Some((WALL + 7200) * 1000),
            now + 86_400,
            62.0,
            "a day ahead, and created after its end",
        ),
        (WALL + 3600, None, 0, 3600.0, "1970, and no created"),
        (
            WALL + 3600,
            None,
            now - 86_400 * 365,
            3600.0,
            "a year behind, and no created",
        ),
    ] {
        let seconds = seconds(&response(Some(expiration), created, Some(date)));
        assert_eq!(seconds, Some(expected), "{what}");
    }
}

#[test]
fn wrong_units_are_recognized_or_capped() {
    let now = u64::try_from(WALL).unwrap();
    for (expiration, created, date, expected, what) in [
        (
            (WALL + 3600) * 1000,
            Some(WALL * 1000),
            Some(now),
            3602.0,
            "exp in milliseconds",
        ),
        (
            (WALL + 3600) * 1000,
            None,
            Some(now),
            3600.0,
            "exp in milliseconds, and no created",
        ),
        (
            (WALL + 3600) * 1000,
            None,
            None,
            3600.0,
            "exp in milliseconds, alone",
        ),
        (WALL + 3600, Some(WALL), Some(now), 3602.0, "created in seconds"),
        (
            WALL + 3600,
            Some(WALL),
            None,
            3600.0,
            "created in seconds, and no date",
        ),
        (WALL + 3600, Some(0), None, 3600.0, "created at the epoch"),
        (
            WALL + 3600,
            Some(0),
            Some(now),
            3600.0,
            "created at the epoch, with a date",
        ),
        (
            i64::MAX,
            Some(WALL * 1000),
            Some(now),
            LONGEST.as_secs_f64() + 2.0,
            "forever",
        ),
        (
            253_402_300_799,
            Some(WALL * 1000),
            Some(now),
            LONGEST.as_secs_f64() + 2.0,
            "the year 9999",
        ),
    ] {
        let seconds = seconds(&response(Some(expiration), created, date)).unwrap();
        assert!((seconds - expected).abs() < 0.001, "{what}: {seconds}");
    }
}

#[test]
fn unreadable_expiry_gets_the_shorter_life() {
    let mut response = response(None, None, None);
    response.times = TokenTimes::of_body(br#"{"expiration":"soon","created":true}"#);
    let lifetime = response.lifetime(LONGEST).unwrap();
    assert_eq!((lifetime.length, lifetime.guessed), (UNREADABLE_LIFETIME, true));
    // The claims may be readable where the body is not.
    response.token = Secret::new("e30.eyJleHAiOjE3NjcyMjU3MDIuOX0.x");
    assert_eq!(seconds(&response), Some(102.0));
    response.times = TokenTimes::default();
    response.token = Secret::new("e30.eyJleHAiOnt9fQ.x");
    assert_eq!(response.lifetime(LONGEST).unwrap().length, UNREADABLE_LIFETIME);
}

#[test]
fn longest_lifetime_is_the_callers() {
    let day = Duration::from_secs(86_400);
    let response = response(Some(4600), Some(1_000_000), Some(1000));
    assert_eq!(response.lifetime(day).unwrap().length.as_secs(), 3600);
    let minute = Duration::from_secs(60);
    assert_eq!(response.lifetime(minute).unwrap().length, minute);
}

#[test]
fn absurd_times_are_survived() {
    for time in [i64::MIN, -1, 0, 1, i64::MAX] {
        for created in [None, Some(i64::MIN), Some(0), Some(i64::MAX)] {
            let _ = response(Some(time), created, None).lifetime(LONGEST);
            let _ = response(Some(time), created, Some(u64::MAX)).lifetime(LONGEST);
        }
    }
}

#[test]
fn scheme_and_blanks_around_a_token_are_trimmed() {
    for (given, token) in [
        ("tok", Some("tok")),
        ("Bearer tok", Some("tok")),
        ("bearer  tok\r\n", Some("tok")),
        (" BEARER\ttok ", Some("tok")),
        ("\u{feff}tok\n", Some("tok")),
        ("bearertok", Some("bearertok")),
        ("", None),
        ("Bearer ", None),
        ("Bearer", None),
        ("to k", None),
        ("t\u{f6}k", None),
        ("tok\u{200b}", None),
        ("Bearer bearer tok", Some("tok")),
        ("Bearer: tok", Some("tok")),
        ("\"tok\"", Some("tok")),
        ("{\"token\":\"tok\"}", None),
        ("tok,tik", None),
        ("tok;a=b", None),
        ("<tok>", None),
    ] {
        let mut response = response(None, None, None);
        response.token = Secret::new(given);
        let now = response.arrived;
        let validity = Validity {
            issued_at: now,
            refresh_at: now,
            expires_at: now,
        };
        assert_eq!(response.is_exact(), token == Some(given), "{given:?}");
        let made = response.into_token(1, validity);
        assert_eq!(made.as_ref().ok().map(Token::expose), token, "{given:?}");
        if let Err(error) = made {
            assert_eq!(error.operation(), Some("userLogin"), "{error}");
        }
    }
}
