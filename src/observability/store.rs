//! What token stores do.

/// How a call of a store ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoreOutcome {
    /// It had a token that the session uses.
    Hit,
    /// It had no token, or none that the session can use.
    Miss,
    /// Another client has the lease, and is logging in.
    Held,
    /// It saved a token.
    Done,
    /// It had a later token already.
    Outdated,
    /// It failed.
    Error,
    /// It took too long.
    Timeout,
    /// It panicked.
    Panic,
}

impl StoreOutcome {
    #[cfg(feature = "metrics")]
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Held => "held",
            Self::Done => "done",
            Self::Outdated => "outdated",
            Self::Error => "error",
            Self::Timeout => "timeout",
            Self::Panic => "panic",
        }
    }
}

/// Counts a call of a store, by its method and how it ended. Events are the caller's.
#[cfg_attr(not(feature = "metrics"), allow(clippy::missing_const_for_fn))]
pub(crate) fn store_called(method: &'static str, outcome: StoreOutcome) {
    #[cfg(feature = "metrics")]
    super::metrics::store_called(method, outcome.as_str());
    #[cfg(not(feature = "metrics"))]
    let _ = (method, outcome);
}
