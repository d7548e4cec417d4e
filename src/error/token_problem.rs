//! The reasons to refuse a token that your service received.

/// The reason why a verified token must not be accepted. The error's text says which part of the token is affected.
///
/// In every case, refuse the caller: in HTTP, with `401` and `WWW-Authenticate: Bearer error="invalid_token"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenProblem {
    /// It is not a signed token, or a claim is missing or has an unreadable value.
    Malformed,
    /// It is encrypted, or signed with another algorithm than RS512, or has a header that must not be ignored (`crit`).
    Unsupported,
    /// Its signature was not made with a key of this issuer.
    Signature,
    /// It has expired (`exp`).
    Expired,
    /// It is not valid yet (`ctd`, `iat`, `nbf`): it is forged, or one of the clocks is wrong.
    NotYetValid,
    /// It was issued by somebody else (`iss`).
    Issuer,
    /// It is for somebody else (`aud`).
    Audience,
    /// It belongs to a kind of consumer that is not accepted (`rlm`).
    Realm,
}

impl TokenProblem {
    /// Returns what to do about it, in one sentence.
    pub(super) fn advice(self) -> &'static str {
        match self {
            Self::Malformed | Self::Issuer | Self::Audience | Self::Realm => "refuse the caller",
            Self::Unsupported => {
                "refuse the caller; only Synerise can read an encrypted token, so ask Synerise about it"
            }
            Self::Signature => {
                "refuse the caller; if this happens to every token, check that they come from this client's region"
            }
            Self::Expired => "refuse the caller, who has to get a new token",
            Self::NotYetValid => {
                "refuse the caller; if this happens to every token, check this machine's clock"
            }
        }
    }
}
