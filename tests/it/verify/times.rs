//! What verified claims say, and when a token is valid.

use std::time::{Duration, UNIX_EPOCH};

use synerise_auth::Secret;
use synerise_auth::clock::ManualClock;
use synerise_auth::error::TokenProblem::{Expired, Malformed, NotYetValid};
use synerise_auth::model::TokenOrigin;

use super::{problem, token, verifier};
use crate::support::{START, millis, secs};

#[test]
fn claims_are_typed_and_times_have_their_units() {
    let claims = verifier().verify_now(token("valid")).unwrap();
    assert_eq!(
        claims.subject.as_deref(),
        Some("0123456789abcdef0123456789abcdef")
    );
    assert_eq!(claims.realm.as_deref(), Some("client"));
    assert_eq!(
        (claims.workspace_id, claims.profile_id),
        (Some(48), Some(433_230_288))
    );
    assert_eq!(claims.expires_at, UNIX_EPOCH + START + secs(3600));
    assert_eq!(
        claims.created_at,
        Some(UNIX_EPOCH + START.saturating_sub(millis(500)))
    );
    assert_eq!(claims.email, Some(Secret::new("jan@shop.example")));
    assert_eq!(claims.api_key, Some(Secret::new("not-a-real-api-key")));
    assert_eq!(claims.authorities().unwrap(), ["SETTINGS_READ", "CLIENTS_WRITE"]);
    assert!(claims.profile_uuid.is_none() && claims.custom_id.is_none() && claims.origin.is_none());

    let anonymous = verifier().verify_now(token("anonymous")).unwrap();
    let uuid = anonymous.profile_uuid.as_ref().unwrap();
    assert_eq!(uuid.as_str(), "622376f8-0000-2222-d7f9-070fa956e963");
    // As in the published sample.
    assert_eq!(anonymous.authorities().unwrap(), Vec::<String>::new());

    let odd = verifier().verify_now(token("custom id as a number")).unwrap();
    assert_eq!(
        (odd.custom_id, odd.origin),
        (Some(Secret::new("17")), Some(TokenOrigin::Synerise))
    );
    let text = verifier().verify_now(token("ids as text")).unwrap();
    assert_eq!(
        (text.workspace_id, text.profile_id),
        (Some(48), Some(433_230_288))
    );

    let null = verifier().verify_now(token("claims that are null")).unwrap();
    assert!(null.workspace_id.is_none() && null.api_key.is_none() && null.created_at.is_none());
    let least = verifier().verify_now(token("the least")).unwrap();
    assert!(least.realm.is_none() && least.authorities().unwrap().is_empty());
}

#[test]
fn debug_shows_no_secret_and_nothing_personal() {
    for name in ["valid", "anonymous", "custom id as a number"] {
        let verifier = verifier();
        let printed = format!("{:?} {verifier:?}", verifier.verify_now(token(name)).unwrap());
        for secret in [
            "not-a-real",
            "@",
            "0123456789abcdef",
            "622376f8",
            "17,",
            "H4s",
            "eyJ",
        ] {
            assert!(!printed.contains(secret), "{secret} in {printed}");
        }
        assert!(printed.contains("expires_at"), "{printed}");
    }
}

#[test]
fn authorities_that_cannot_be_unpacked_are_an_error_of_their_own() {
    for name in [
        "authorities not packed",
        "authorities bomb",
        "authorities cut short",
        "authorities of another type",
        "authorities not UTF-8",
        "authorities beyond the limit",
    ] {
        let claims = verifier().verify_now(token(name)).unwrap();
        let error = claims.authorities().unwrap_err();
        assert!(error.to_string().contains("`auth`"), "{error}");
        assert_eq!(problem(Err(error)), Some(Malformed), "{name}");
    }
    let longest = verifier().verify_now(token("authorities at the limit")).unwrap();
    assert_eq!(longest.authorities().unwrap()[0].len(), 250_000 - 4);
}

/// From when to when the token is accepted, with this leeway: the first and the first that is refused again.
#[track_caller]
fn assert_valid_between(name: &str, leeway: Duration, first: Duration, end: Duration) {
    let token = token(name);
    let at = |now| {
        let verifier = verifier()
            .with_clock(ManualClock::at(UNIX_EPOCH + now))
            .with_leeway(leeway);
        problem(verifier.verify_now(&token))
    };
    assert_eq!(at(first), None);
    assert_eq!(at(first.saturating_sub(millis(1))), Some(NotYetValid));
    assert_eq!(at(end.saturating_sub(millis(1))), None);
    assert_eq!(at(end), Some(Expired));
}

#[test]
fn a_token_is_valid_from_its_creation_until_it_expires() {
    let created = START.saturating_sub(millis(500));
    assert_valid_between("valid", Duration::ZERO, created, START + secs(3600));
    assert_valid_between(
        "valid",
        secs(60),
        created.saturating_sub(secs(60)),
        START + secs(3660),
    );
    // Half a second and three quarters of one are cut off.
    assert_valid_between(
        "ctd with a fraction",
        Duration::ZERO,
        START.saturating_sub(millis(1)),
        START + secs(3600),
    );
    for name in [
        "exp with a fraction",
        "exp as text",
        "exp as text with a fraction",
    ] {
        assert_valid_between(name, Duration::ZERO, created, START + secs(3600));
    }
}

#[test]
fn a_leeway_of_any_length_is_survived() {
    for name in ["valid", "expired", "created in the future", "exp is zero"] {
        let verifier = verifier().with_leeway(Duration::MAX);
        assert_eq!(problem(verifier.verify_now(token(name))), None, "{name}");
    }
    for wall in [Duration::ZERO, secs(1 << 60)] {
        let verifier = verifier().with_clock(ManualClock::at(UNIX_EPOCH + wall));
        assert!(problem(verifier.verify_now(token("valid"))).is_some());
    }
}

#[test]
fn the_default_leeway_is_a_minute() {
    let default = synerise_auth::verify::Verifier::from_pem(super::PEM).unwrap();
    for (now, expected) in [(secs(3659), None), (secs(3660), Some(Expired))] {
        let verifier = default
            .clone()
            .with_clock(ManualClock::at(UNIX_EPOCH + START + now));
        assert_eq!(problem(verifier.verify_now(token("valid"))), expected);
    }
}
