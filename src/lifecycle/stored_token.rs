//! A store's tokens, judged as a login's responses are: by this process's clock, and by their own claims.

use std::time::{Duration, UNIX_EPOCH};

use crate::clock::{Reading, since_epoch};
use crate::observability::STORE;
use crate::secret::Secret;
use crate::store::StoredToken;
use crate::token::{SavedToken, Token, TokenResponse};

use super::LifecycleConfig;
use super::shared_store::HeldToken;
use super::source::{Previous, PreviousTokenState};

/// The lifetime of an ended session's entry. Not zero, which some stores refuse.
const ENDED_LIFETIME: Duration = Duration::from_secs(1);

/// Returns the stored token as a login's response, if it is valid, differs from the session's token, and is not about to
/// expire.
pub(super) fn usable(
    config: &LifecycleConfig,
    stored: &StoredToken,
    previous: Option<&Previous>,
    held: HeldToken,
) -> Option<TokenResponse> {
    let issued_at = since_epoch(stored.issued_at);
    let is_outdated = |previous: &Previous| {
        // The generations say nothing about a token that the store does not know. So for once the times do, although they
        // may come from two clocks: the token that was refused was the later one.
        let was_later = held.is_unknown_to_store
            && previous.state == PreviousTokenState::Rejected
            && issued_at < previous.token.validity().issued_at.wall;
        was_later || previous.token.expose() == stored.token.expose()
    };
    if previous.is_some_and(is_outdated) {
        return None;
    }
    let LifecycleConfig { clock, policy, .. } = config;
    let now = clock.now();
    let saved = saved(stored);
    if !saved.is_exact() {
        tracing::warn!(target: STORE, "the token store returned something that is not a token; it is replaced");
        return None;
    }
    // With less lifetime left, it would be refreshed at once.
    if saved.left(now) <= policy.margin_of(saved.whole()) {
        return None;
    }
    saved.response("TokenStore::take", now)
}

/// Returns the stored token as one to refresh, and as a login's response in case that fails, although it is about to expire.
/// For a session that has no valid token and can't log in by itself.
pub(super) fn refreshable(
    config: &LifecycleConfig,
    stored: &StoredToken,
    previous: Option<&Previous>,
) -> Option<(Previous, TokenResponse)> {
    let has_own = |previous: &Previous| {
        previous.state == PreviousTokenState::Active || previous.token.expose() == stored.token.expose()
    };
    if previous.is_some_and(has_own) {
        return None;
    }
    let now = config.clock.now();
    let response = || saved(stored).response("TokenStore::take", now);
    let lifetime = response()?.lifetime(config.policy.max_lifetime()).ok()?;
    let validity = config
        .policy
        .plan(lifetime.start, Duration::ZERO, lifetime.length, 0.0);
    let previous = Previous {
        token: response()?.into_token(stored.generation, validity).ok()?,
        state: PreviousTokenState::Active,
    };
    Some((previous, response()?))
}

fn saved(stored: &StoredToken) -> SavedToken {
    SavedToken {
        token: stored.token.clone(),
        issued_at: since_epoch(stored.issued_at),
        expires_at: since_epoch(stored.expires_at),
        details: None,
    }
}

/// The entry of a session that its owner ended: it replaces the stored token, and no session takes it.
pub(super) fn expired_token(now: Reading) -> Option<StoredToken> {
    let expires_at = UNIX_EPOCH.checked_add(now.wall)?;
    let issued_at = expires_at.checked_sub(ENDED_LIFETIME)?;
    // Not the token itself: nobody needs it any more.
    Some(StoredToken::new("ended", 0, issued_at, expires_at))
}

/// The entry of a token that the session got without the store. `None` when its refresh is due, so that nobody would take it.
pub(super) fn unshared_entry(config: &LifecycleConfig, token: &Token) -> Option<StoredToken> {
    let validity = token.validity();
    let time = |reading: Reading| UNIX_EPOCH.checked_add(reading.wall);
    let (issued_at, expires_at) = (time(validity.issued_at)?, time(validity.expires_at)?);
    let is_due = config.clock.now().reached(validity.refresh_at);
    (!is_due).then(|| StoredToken::new(token.expose(), 0, issued_at, expires_at))
}

/// The entry for a login's response. `None` when the response has no lifetime: the lifecycle refuses it.
pub(super) fn entry_of(
    config: &LifecycleConfig,
    response: &TokenResponse,
    generation: u64,
) -> Option<StoredToken> {
    let lifetime = response.lifetime(config.policy.max_lifetime()).ok()?;
    let issued_at = lifetime.start.wall;
    let time = |since_epoch| UNIX_EPOCH.checked_add(since_epoch);
    Some(StoredToken {
        token: Secret::new(response.text()),
        generation,
        issued_at: time(issued_at)?,
        expires_at: time(issued_at.saturating_add(lifetime.length))?,
    })
}
