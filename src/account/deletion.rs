//! The deletion of an account by its owner.

use std::fmt;

use crate::bindings::types;
use crate::error::Result;
use crate::lifecycle::EndCause;
use crate::model::input::required_secret;
use crate::model::{IdentityProvider, check_issues_tokens};
use crate::secret::Secret;
use crate::session::Session;
use crate::session::kind::Profile;

use super::identifiers::{Checked, Identifiers, identifier_setters};

/// The deletion of the customer's own account, which a credential has to confirm.
///
/// ```no_run
/// # async fn run(profile: synerise_auth::ProfileSession) -> synerise_auth::Result<()> {
/// use synerise_auth::account::AccountDeletion;
///
/// let deletion = AccountDeletion::by_password("not-a-real-Password-1").device_id("device-1");
/// profile.delete_account(deletion).await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct AccountDeletion {
    credential: Credential,
    identifiers: Identifiers,
}

#[derive(Clone)]
enum Credential {
    Password(Secret),
    Token(IdentityProvider, Secret),
}

impl AccountDeletion {
    /// Creates a deletion that the account's password confirms.
    pub fn by_password(password: impl Into<Secret>) -> Self {
        Self::new(Credential::Password(password.into()))
    }

    /// Creates a deletion that a token of the account's identity provider confirms.
    pub fn by_provider_token(provider: impl Into<IdentityProvider>, token: impl Into<Secret>) -> Self {
        Self::new(Credential::Token(provider.into(), token.into()))
    }

    fn new(credential: Credential) -> Self {
        Self {
            credential,
            identifiers: Identifiers::default(),
        }
    }

    identifier_setters!();

    fn body(&self) -> Result<types::AccountDeletionRequest> {
        let (provider, password, token) = match &self.credential {
            Credential::Password(password) => (
                IdentityProvider::Synerise,
                Some(required_secret("password", password)?),
                None,
            ),
            Credential::Token(provider, token) => {
                check_issues_tokens(provider, "use AccountDeletion::by_password")?;
                let token = required_secret("identity provider's token", token)?;
                (provider.clone(), None, Some(token))
            }
        };
        let Checked {
            custom_id,
            uuid,
            device_id,
        } = self.identifiers.checked()?;
        Ok(types::AccountDeletionRequest {
            identity_provider: provider,
            password,
            identity_provider_token: token,
            custom_id,
            uuid,
            device_id,
        })
    }
}

impl fmt::Debug for AccountDeletion {
    /// Omits the identifier, which is personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountDeletion")
            .field("uuid", &self.identifiers.uuid)
            .field("device_id", &self.identifiers.device_id)
            .finish_non_exhaustive()
    }
}

impl Session<Profile> {
    /// Deletes the customer's account. The request is never sent twice, whatever happens: if the response is lost, the
    /// account may be deleted.
    ///
    /// Afterwards this session has ended, as after [`log_out`](Self::log_out). Accounts that were made by simple
    /// authentication can't be deleted by the customer.
    ///
    /// Operation [`deleteAccount`](crate::raw::Client::delete_account) (`POST /sauth/v2/my-account/delete`, observed).
    ///
    /// # Errors
    /// Returns [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when the password or token is empty, or when the
    /// provider issues no tokens, before anything is sent, and [`ErrorKind::Api`](crate::ErrorKind::Api) when the password
    /// or token is wrong (Synerise does not publish with which status). The session then goes on.
    pub async fn delete_account(&self, deletion: AccountDeletion) -> Result<()> {
        let body = deletion.body()?;
        self.raw().delete_account(&body).response().await?;
        self.end(EndCause::AccountDeleted).await;
        Ok(())
    }
}
