//! A token that was kept outside of its session, judged by the clock of whoever reads it.

use std::time::Duration;

use crate::clock::Reading;
use crate::model::ProfileUuid;
use crate::secret::Secret;

use super::{Claims, Details, Timestamp, TokenResponse, TokenTimes};

/// A token that was kept outside of its session.
pub(crate) struct SavedToken {
    pub(crate) token: Secret,
    /// Since the epoch, by the wall clock of whoever saved it. So is the end.
    pub(crate) issued_at: Duration,
    pub(crate) expires_at: Duration,
    pub(crate) details: Option<Box<Details>>,
}

impl SavedToken {
    /// The length of its whole lifetime.
    pub(crate) fn whole(&self) -> Duration {
        self.expires_at.saturating_sub(self.issued_at)
    }

    /// How long it is still valid, by this process's clock.
    pub(crate) fn left(&self, now: Reading) -> Duration {
        // If this wall clock is behind the writer's, the token still can't be valid for longer than it was. If the writer's
        // clock was ahead, it can't be valid for longer than its own claims say.
        let left = self.expires_at.saturating_sub(now.wall).min(self.whole());
        match TokenTimes::of_token(self.token.expose()).left(now.wall) {
            Some(claimed) => left.min(claimed),
            None => left,
        }
    }

    /// The token as a login would return it now. `None` when it has expired, or is not a token.
    pub(crate) fn response(self, operation: &'static str, now: Reading) -> Option<TokenResponse> {
        let left = self.left(now);
        // A response's times are whole seconds.
        if left < Duration::from_secs(1) {
            return None;
        }
        let whole = self.whole();
        let response = TokenResponse {
            operation,
            token: self.token,
            times: TokenTimes {
                expiration: Timestamp::Value(now.wall.saturating_add(left).as_secs()),
                created: Timestamp::Absent,
            },
            details: self.details,
            stored: true,
            shared_as: None,
            age: whole.saturating_sub(left),
            server_date: Some(now.wall),
            sent: now,
            arrived: now,
        };
        // Times that no server can mean give no lifetime.
        let is_usable = response.is_exact() && response.lifetime(Duration::MAX).is_ok();
        is_usable.then_some(response)
    }

    /// Whether its text can be a token, without anything around it.
    pub(crate) fn is_exact(&self) -> bool {
        super::check_text(self.token.expose()).is_ok()
    }

    /// The profile that the token names in its claims, if they can be read.
    pub(crate) fn claimed_uuid(&self) -> Option<ProfileUuid> {
        Claims::decode(self.token.expose())?.profile_uuid
    }
}
