//! A token from a response, and its lifetime.

use std::time::Duration;

use crate::clock::Reading;
use crate::error::{Error, Result};
use crate::secret::Secret;

use super::timestamp::{Timestamp, TokenTimes, UNREADABLE_LIFETIME, as_milliseconds, as_seconds};
use super::{Details, Token, Validity, check_text};

/// The lifetime of a token that does not state one: Synerise's documented default.
const UNKNOWN_LIFETIME: Duration = Duration::from_secs(3600);

/// Differences between clocks below this are normal.
const CLOCK_SKEW: Duration = Duration::from_secs(300);

/// A token from a response, or from a store.
#[derive(Debug)]
pub(crate) struct TokenResponse {
    /// The operation that returned it, for errors.
    pub(crate) operation: &'static str,
    pub(crate) token: Secret,
    /// What the response says besides the token's own claims.
    pub(crate) times: TokenTimes,
    pub(crate) details: Option<Box<Details>>,
    /// Whether it comes from a store rather than from a server.
    pub(crate) stored: bool,
    /// Its number for all clients that share its session.
    pub(crate) shared_as: Option<u64>,
    /// How much of its lifetime was over before it arrived, for a token that was kept elsewhere.
    pub(crate) age: Duration,
    /// The server's clock when it answered, since the epoch.
    pub(crate) server_date: Option<Duration>,
    /// The local clocks when the request was sent.
    pub(crate) sent: Reading,
    /// The local clocks when the response arrived.
    pub(crate) arrived: Reading,
}

/// How long a token lives, on the local clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lifetime {
    pub(crate) start: Reading,
    pub(crate) length: Duration,
    /// Whether the expiry can't be read or contradicts the server's clock, so the length is a guess.
    pub(crate) guessed: bool,
}

impl TokenResponse {
    /// The token itself, trimmed: servers also send it with its scheme, blanks, a line end or quotation marks.
    pub(crate) fn text(&self) -> &str {
        trimmed(self.token.expose())
    }

    /// The session's token with this number.
    pub(crate) fn into_token(self, generation: u64, validity: Validity) -> Result<Token> {
        let operation = self.operation;
        Token::new(trimmed(self.token.expose()), generation, validity, self.details)
            .map_err(|problem| Error::unexpected_response(operation.into(), 200, problem))
    }

    /// Whether the token's text needs no trimming.
    pub(crate) fn is_exact(&self) -> bool {
        self.text() == self.token.expose() && check_text(self.text()).is_ok()
    }

    /// Returns an error if the token has expired already.
    pub(crate) fn expired_on_arrival(&self) -> Error {
        Error::unexpected_response(
            self.operation.into(),
            200,
            "its token was already expired on arrival",
        )
    }

    /// How long the token lives, but no longer than `longest`.
    ///
    /// The response decides, because the local wall clock may be wrong by years. `created` and `expiration` give the whole
    /// lifetime. It is counted from when the request was sent, so it ends too early rather than too late. The server's
    /// `Date` says how much of it is left.
    ///
    /// Where these contradict each other, the local wall clock decides which of them is wrong, and the shorter lifetime
    /// counts:
    /// - a `Date` after the expiry only shows that the clocks differ, if the token was created just now,
    /// - a `created` that is not before the expiry, or is further before it than any token lives, is ignored,
    /// - a `Date` after the expiry of a token without a creation time is either wrong or right, and the local clock that
    ///   contradicts it too: the token is used, but only for as long as one with an unreadable expiry,
    /// - a token with an expiry but no creation time is not trusted for longer than the documented default, unless a `Date`
    ///   and the local clock agree on it.
    pub(crate) fn lifetime(&self, longest: Duration) -> Result<Lifetime> {
        let times = match self.times.expiration {
            Timestamp::Value(_) => self.times,
            Timestamp::Absent | Timestamp::Unreadable => {
                let claims = TokenTimes::of_token(self.text());
                TokenTimes {
                    expiration: self.times.expiration.or(claims.expiration),
                    created: self.times.created.or(claims.created),
                }
            }
        };
        let end = match times.expiration {
            Timestamp::Value(end) => as_seconds(end),
            Timestamp::Absent | Timestamp::Unreadable => {
                let guessed = times.expiration == Timestamp::Unreadable;
                let length = if guessed {
                    UNREADABLE_LIFETIME
                } else {
                    UNKNOWN_LIFETIME
                };
                return Ok(Lifetime {
                    start: self.arrived,
                    length: length.min(longest),
                    guessed,
                });
            }
        };
        let lifetime = match whole_life(times.created, end, longest) {
            Some((created, whole)) => self.left_of(whole, created, end),
            None => self.left_until(end),
        }
        .ok_or_else(|| self.expired_on_arrival())?;
        Ok(Lifetime {
            length: lifetime.length.min(longest),
            ..lifetime
        })
    }

    /// The rest of a lifetime whose length is known.
    fn left_of(&self, whole: Duration, created: Duration, end: Duration) -> Option<Lifetime> {
        let Some(date) = self.server_date else {
            return Some(Lifetime::stated(self.sent, whole));
        };
        if date < end {
            let left = whole.min(end.saturating_sub(date));
            return Some(Lifetime::stated(self.arrived, left));
        }
        if date.saturating_sub(created) <= CLOCK_SKEW {
            return Some(Lifetime::stated(self.sent, whole));
        }
        let wall = self.arrived.wall;
        let credible = wall.saturating_add(CLOCK_SKEW) >= created && wall < end;
        credible.then(|| Lifetime::stated(self.arrived, whole.min(end.saturating_sub(wall))))
    }

    /// The time until the expiry, by the clocks alone.
    fn left_until(&self, end: Duration) -> Option<Lifetime> {
        let left = |now| end.checked_sub(now).filter(|left| !left.is_zero());
        let by_wall = left(self.arrived.wall);
        let length = match (self.server_date.map(left), by_wall) {
            (Some(Some(date)), Some(wall)) => date.min(wall),
            (Some(Some(date)), None) => date.min(UNKNOWN_LIFETIME),
            (Some(None), Some(wall)) => {
                return Some(Lifetime {
                    start: self.arrived,
                    length: wall.min(UNREADABLE_LIFETIME),
                    guessed: true,
                });
            }
            (Some(None), None) => return None,
            (None, wall) => wall?.min(UNKNOWN_LIFETIME),
        };
        Some(Lifetime::stated(self.arrived, length))
    }
}

impl Lifetime {
    fn stated(start: Reading, length: Duration) -> Self {
        Self {
            start,
            length,
            guessed: false,
        }
    }
}

/// When the token was created and the length of its whole lifetime, if both are credible.
fn whole_life(created: Timestamp, end: Duration, longest: Duration) -> Option<(Duration, Duration)> {
    let created = created.value()?;
    // Seconds in a field for milliseconds would make it decades old.
    [as_milliseconds(created), Duration::from_secs(created)]
        .into_iter()
        .find_map(|created| {
            let whole = end.checked_sub(created)?;
            (!whole.is_zero() && whole <= longest).then_some((created, whole))
        })
}

/// A token, trimmed of what servers write around it.
fn trimmed(mut text: &str) -> &str {
    let around = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '\u{feff}' | '"' | '\'');
    let after_scheme = |c: char| around(c) || c == ':';
    loop {
        text = text.trim_matches(around);
        match text.split_at_checked("bearer".len()) {
            Some((scheme, rest))
                if scheme.eq_ignore_ascii_case("bearer")
                    && (rest.is_empty() || rest.starts_with(after_scheme)) =>
            {
                text = rest.trim_start_matches(after_scheme);
            }
            _ => return text,
        }
    }
}

#[cfg(test)]
mod tests;
