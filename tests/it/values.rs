//! What a value was given can be read from it again, and a name that is cut is still a name.

use std::time::{Duration, SystemTime};

use synerise_auth::client::RetryPolicy;
use synerise_auth::store::{LeaseOwner, StorePolicy, StoredToken};
use synerise_auth::{ApiKey, Client, ErrorKind, Region};

use crate::support::{millis, secs};

#[test]
fn policies_tell_what_they_were_given() {
    let retry = RetryPolicy::default()
        .with_max_attempts(7)
        .with_initial_backoff(millis(11))
        .with_max_backoff(millis(13))
        .with_max_retry_after(millis(17));
    assert_eq!(
        (
            retry.max_attempts(),
            retry.initial_backoff(),
            retry.max_backoff(),
            retry.max_retry_after()
        ),
        (7, millis(11), millis(13), millis(17))
    );
    let store = StorePolicy::default()
        .with_timeout(millis(19))
        .with_max_wait(millis(23));
    assert_eq!((store.timeout(), store.max_wait()), (millis(19), millis(23)));
}

#[test]
fn region_sets_the_base_url() {
    for region in Region::ALL.iter().copied() {
        let client = Client::builder().region(region).build().unwrap();
        assert_eq!(client.base_url().trim_end_matches('/'), region.base_url());
    }
}

#[test]
fn stored_token_tells_how_long_it_was_valid() {
    let at = |seconds| SystemTime::UNIX_EPOCH + secs(seconds);
    let stored = |from, to| StoredToken::new("not-a-real-token", 1, at(from), at(to));
    assert_eq!(stored(1_000, 4_600).lifetime(), secs(3600));
    assert_eq!(stored(4_600, 1_000).lifetime(), Duration::ZERO);
}

#[test]
fn names_are_shown_whole_or_by_their_beginning() {
    let owner = LeaseOwner::random();
    assert!(owner.as_str().bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(
        format!("{owner:?}"),
        format!("LeaseOwner({}…)", &owner.as_str()[..8])
    );
    assert_eq!(ErrorKind::InvalidInput.to_string(), "invalid_input");
    let key = "not-a-real-key-0001";
    assert_eq!(ApiKey::new(key).unwrap().expose(), key);
}
