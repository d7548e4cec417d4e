//! Why a token that came in is refused.

/// What is wrong with a token that was verified; the error's text says which part of it.
///
/// Every one of them means that the caller is refused: `401` and `WWW-Authenticate: Bearer error="invalid_token"` in HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenProblem {
    /// It is not a signed token, or a claim is missing or has a value that can't be read.
    Malformed,
    /// It is encrypted, or signed with another algorithm than RS512, or has a header that must not be ignored (`crit`).
    Unsupported,
    /// Its signature was not made with a key of this issuer.
    Signature,
    /// Its life has ended (`exp`).
    Expired,
    /// Its life has not begun (`ctd`, `iat`, `nbf`): it is forged, or one of the clocks is wrong.
    NotYetValid,
    /// It was issued by somebody else (`iss`).
    Issuer,
    /// It is for somebody else (`aud`).
    Audience,
    /// It belongs to another kind of consumer than is let in (`rlm`).
    Realm,
}

impl TokenProblem {
    /// What to do about it, in one sentence.
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
