//! The state of the generated client.

use std::fmt;
use std::sync::Arc;

use crate::transport::{Authenticator, Transport};

use super::Client;

/// The state that carries the calls of a [`Client`]: the transport, and the authenticator.
#[derive(Clone)]
pub struct ClientState {
    pub(super) transport: Arc<Transport>,
    pub(super) authenticator: Option<Arc<dyn Authenticator>>,
}

impl Client {
    /// A client whose calls are authenticated by `authenticator`, if their operation requires it.
    pub(crate) fn open(transport: &Arc<Transport>, authenticator: Option<Arc<dyn Authenticator>>) -> Self {
        let state = ClientState {
            transport: Arc::clone(transport),
            authenticator,
        };
        Self::new_with_client(transport.base().as_str(), transport.http().clone(), state)
    }
}

impl fmt::Debug for ClientState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientState")
            .field("authenticated", &self.authenticator.is_some())
            .finish_non_exhaustive()
    }
}
