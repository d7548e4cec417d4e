//! The refresh lease: which of the clients that share a store logs in for all of them.

use std::fmt;
use std::time::Duration;

use crate::random::unique_bytes;

use super::{StoredToken, hexadecimal};

/// Names one attempt to get a lease. It is random, so that nobody gives up a lease that another client has by now.
///
/// ```
/// use synerise_auth::store::LeaseOwner;
///
/// let owner = LeaseOwner::random();
/// assert_eq!(owner.as_str().len(), 32);
/// assert_ne!(owner, LeaseOwner::random());
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct LeaseOwner(String);

impl LeaseOwner {
    /// Creates a name that no other attempt has, in any process.
    pub fn random() -> Self {
        Self(hexadecimal(&unique_bytes()))
    }

    /// The name as 32 lower-case hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for LeaseOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LeaseOwner({}…)", self.0.get(..8).unwrap_or_default())
    }
}

/// What a client asks of [`TokenStore::take`](super::TokenStore::take).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseRequest {
    /// Who asks. A client whose request failed or timed out may ask again with the same owner: the lease may be its own by
    /// now.
    pub owner: LeaseOwner,
    /// The generation that the client can't use any more, and those before it; 0 if it has had none.
    pub after: u64,
    /// How long the lease lasts unless it is given up, by the store's clock. Longer than a login may take.
    pub ttl: Duration,
}

impl LeaseRequest {
    /// Creates a request, for tests of stores.
    pub fn new(owner: LeaseOwner, after: u64, ttl: Duration) -> Self {
        Self { owner, after, ttl }
    }
}

/// The answer to a [`LeaseRequest`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lease {
    /// The store has a token later than the generation that the client named. Nobody got a lease.
    Newer(StoredToken),
    /// The client has the lease: it logs in for all.
    Acquired {
        /// The generation to save the new token with. It is later than the stored one's, than the client's, and than any
        /// that the store gave out before: a client that slept until its lease ran out can't replace a later token.
        generation: u64,
    },
    /// Another client has the lease.
    Held {
        /// How long at most.
        remaining: Duration,
        /// The generation to save a token with if the client logs in all the same, as it does after having waited for
        /// long. As late as that of [`Acquired`](Self::Acquired), so that its token counts as later than the other
        /// client's.
        generation: u64,
    },
    /// The store can't give a lease: the client logs in without one.
    Unavailable {
        /// The generation to save the new token with.
        generation: u64,
    },
}
