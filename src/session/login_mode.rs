//! The kinds of customer logins: the type parameter of [`ProfileLoginRequest`](super::ProfileLoginRequest).

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::error::Result;
use crate::transport::Authenticator;

/// A login of a customer by themselves.
pub struct Direct {
    pub(super) visitor: Option<Result<Arc<dyn Authenticator>>>,
}

/// A login of a customer who has an account.
pub struct Conditional {
    pub(super) visitor: Option<Result<Arc<dyn Authenticator>>>,
}

/// A login of a customer by a backend.
pub struct ServerSide {
    pub(super) workspace: Arc<dyn Authenticator>,
    pub(super) device: IpAddr,
}

impl fmt::Debug for Direct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Direct")
            .field("as_anonymous", &self.visitor.is_some())
            .finish()
    }
}

impl fmt::Debug for Conditional {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conditional")
            .field("as_anonymous", &self.visitor.is_some())
            .finish()
    }
}

impl fmt::Debug for ServerSide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerSide")
            .field("device", &self.device)
            .finish_non_exhaustive()
    }
}
