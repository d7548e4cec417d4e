//! What happens to a session's token: its refreshes, their failures, its end.

use std::time::Duration;

use tracing::Span;
use tracing::field::Empty;

use crate::api_key::ApiKey;
use crate::error::{Error, ErrorKind};

use super::{SESSION, fingerprint};

/// Says which session an event is about.
#[derive(Debug, Clone)]
pub(crate) struct SessionLabel {
    kind: &'static str,
    key: String,
}

impl SessionLabel {
    pub(crate) fn new(kind: &'static str, key: Option<&ApiKey>) -> Self {
        Self {
            kind,
            key: fingerprint(key),
        }
    }

    /// Whether a service has few of these sessions. There may be a million visitors and customers.
    fn is_one_of_few(&self) -> bool {
        !matches!(self.kind, "anonymous" | "profile")
    }
}

/// Why a token is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The session has had none yet.
    First,
    /// The refresh of a valid token is due, or a caller needs a longer one.
    Due,
    /// The token has expired.
    Expired,
    /// A server refused the token, or its owner discarded it.
    Invalidated,
    /// The session's owner asked for a new one.
    Requested,
    /// None was: the session goes on with a token that was saved.
    Resumed,
}

impl Cause {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Due => "due",
            Self::Expired => "expired",
            Self::Invalidated => "invalidated",
            Self::Requested => "requested",
            Self::Resumed => "resumed",
        }
    }
}

/// The span of one refresh, for all callers that wait for it. `parent` is the span of the caller that started it.
pub(crate) fn refresh_span(parent: &Span, session: &SessionLabel, cause: Cause) -> Span {
    tracing::info_span!(
        target: SESSION,
        parent: parent,
        "synerise.refresh",
        otel.kind = "internal",
        otel.status_code = Empty,
        session.kind = session.kind,
        session.key = session.key,
        refresh.cause = cause.as_str(),
        token.generation = Empty,
        token.lifetime_seconds = Empty,
        error.type = Empty,
    )
}

/// A token that a session got.
#[derive(Debug)]
pub(crate) struct Refreshed {
    pub(crate) cause: Cause,
    pub(crate) generation: u64,
    pub(crate) lifetime: Duration,
    /// By the wall clock, since the Unix epoch.
    #[cfg_attr(not(feature = "metrics"), expect(dead_code, reason = "it is for metrics"))]
    pub(crate) expires_at: Duration,
    /// It came from the store, without a login.
    pub(crate) stored: bool,
    /// How many refreshes failed before this one.
    pub(crate) failures: u32,
    /// How long the refresh took, unless it was none.
    #[cfg_attr(not(feature = "metrics"), expect(dead_code, reason = "it is for metrics"))]
    pub(crate) took: Option<Duration>,
}

impl Refreshed {
    pub(crate) fn report(&self, session: &SessionLabel, span: &Span) {
        let lifetime = self.lifetime.as_secs();
        span.record("token.generation", self.generation);
        span.record("token.lifetime_seconds", lifetime);
        macro_rules! event {
            ($level:ident, $text:literal) => {
                tracing::$level!(
                    target: SESSION,
                    {
                        session.kind = session.kind,
                        session.key = session.key,
                        refresh.cause = self.cause.as_str(),
                        refresh.failures = self.failures,
                        token.generation = self.generation,
                        token.lifetime_seconds = lifetime,
                    },
                    $text
                )
            };
        }
        if self.cause == Cause::Resumed {
            event!(debug, "a saved session is resumed");
            return;
        }
        match (self.failures, self.generation) {
            (1.., _) => event!(info, "the session has recovered: it has a token again"),
            (0, _) if self.stored => event!(debug, "token loaded from the store"),
            (0, 1) if session.is_one_of_few() => event!(info, "logged in: the session has its first token"),
            (0, 1) => event!(debug, "logged in: the customer's session has its first token"),
            _ => event!(debug, "token refreshed"),
        }
        #[cfg(feature = "metrics")]
        {
            super::metrics::refreshed(session.kind, self);
            if has_expiry(session.kind) && !session.key.is_empty() {
                super::metrics::expires_at(session.kind, &session.key, self.expires_at);
            }
        }
    }
}

/// A refresh that failed.
#[derive(Debug)]
pub(crate) struct Failed<'a> {
    pub(crate) cause: Cause,
    pub(crate) error: &'a Error,
    /// How many have failed in a row, with this one.
    pub(crate) failures: u32,
    /// How long the current token is still served.
    pub(crate) left: Duration,
    /// How long no other refresh starts.
    pub(crate) quiet: Duration,
    #[cfg_attr(not(feature = "metrics"), expect(dead_code, reason = "it is for metrics"))]
    pub(crate) took: Duration,
}

impl Failed<'_> {
    pub(crate) fn report(&self, session: &SessionLabel, span: &Span) {
        let error = self.error;
        span.record("error.type", error.kind().as_str());
        span.record("otel.status_code", "ERROR");
        if error.kind() == ErrorKind::SessionExpired {
            ended(session, error);
        } else {
            tracing::warn!(
                target: SESSION,
                {
                    session.kind = session.kind,
                    session.key = session.key,
                    refresh.cause = self.cause.as_str(),
                    refresh.failures = self.failures,
                    refresh.retry_in_seconds = self.quiet.as_secs(),
                    token.left_seconds = self.left.as_secs(),
                    error.type = error.kind().as_str(),
                },
                "token refresh failed: {error}"
            );
        }
        #[cfg(feature = "metrics")]
        super::metrics::refresh_failed(session.kind, error.kind().as_str(), self.took);
    }
}

/// A session that had a token was dropped. Its expiry is set to zero, so that an alert does not see a token that expired.
#[cfg(feature = "metrics")]
pub(crate) fn dropped(kind: &'static str, key: impl FnOnce() -> Option<ApiKey>) {
    if has_expiry(kind)
        && let Some(key) = key()
    {
        super::metrics::expires_at(kind, &key.fingerprint(), Duration::ZERO);
    }
}

/// Whether the expiry of each such session is a metric.
#[cfg(feature = "metrics")]
fn has_expiry(kind: &str) -> bool {
    kind == "workspace"
}

/// The session can get no more tokens.
pub(crate) fn ended(session: &SessionLabel, error: &Error) {
    macro_rules! event {
        ($level:ident, $text:literal) => {
            tracing::$level!(
                target: SESSION,
                {
                    session.kind = session.kind,
                    session.key = session.key,
                    error.type = error.kind().as_str(),
                },
                $text,
                error
            )
        };
    }
    if session.is_one_of_few() {
        event!(info, "the session has ended: {}");
    } else {
        event!(debug, "the customer's session has ended: {}");
    }
}

/// A customer logged in with the UUID that another customer had.
pub(crate) fn shared_uuid(session: &SessionLabel) {
    tracing::warn!(
        target: SESSION,
        {
            session.kind = session.kind,
            session.key = session.key,
        },
        "two accounts have logged in with one UUID: give each its own, for example by ProfileUuid::derived"
    );
}

/// The token was discarded before it expired: the server refused it, or said that it has expired.
pub(crate) fn rejected(session: &SessionLabel, generation: u64, expired: bool) {
    macro_rules! event {
        ($text:literal) => {
            tracing::debug!(
                target: SESSION,
                {
                    session.kind = session.kind,
                    session.key = session.key,
                    token.generation = generation,
                },
                $text
            )
        };
    }
    if expired {
        event!("the server says that the token has expired; it is discarded");
        return;
    }
    event!("the server refused the token; it is discarded");
    #[cfg(feature = "metrics")]
    super::metrics::token_rejected(session.kind);
}
