//! A description of a request, with what sending needs to know.

use std::borrow::Cow;

use crate::operation::{Evidence, Operation, Security, Unauthorized};

/// A description of a request, with what sending needs to know.
#[derive(Debug, Clone)]
pub(crate) struct RequestInfo {
    pub(super) label: Cow<'static, str>,
    pub(super) template: Cow<'static, str>,
    pub(super) operation: Option<&'static Operation>,
    pub(super) idempotent: bool,
    pub(super) send_once: bool,
}

impl RequestInfo {
    pub(crate) fn operation(operation: &'static Operation) -> Self {
        Self {
            label: operation.id.into(),
            template: operation.path.into(),
            operation: Some(operation),
            idempotent: operation.idempotent,
            send_once: operation.send_once,
        }
    }

    /// Any other endpoint. Errors and traces omit its query, because it may contain a tracker key.
    pub(crate) fn endpoint(method: &reqwest::Method, path: &str) -> Self {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        Self {
            label: format!("{method} {path}").into(),
            template: path.to_owned().into(),
            operation: None,
            idempotent: method.is_idempotent(),
            send_once: false,
        }
    }

    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    /// Whether the response carries a secret, such as a token, so that its bytes are wiped after use.
    pub(super) fn answers_a_secret(&self) -> bool {
        self.operation
            .is_some_and(|operation| operation.response.holds_secret())
    }

    /// What a 401 refuses, if that is documented.
    pub(super) fn refused(&self) -> Option<Unauthorized> {
        self.operation.map(|operation| operation.unauthorized)
    }

    /// What to do about a status. `basic` says that the request had a Basic credential.
    pub(super) fn hint(&self, status: u16, basic: bool) -> Option<Cow<'static, str>> {
        if status == 401 && basic {
            return Some(self.basic_hint().into());
        }
        let operation = self.operation?;
        if let (403, Some(permission)) = (status, operation.permission) {
            let hint = format!(
                "give the API key the permission {permission} (Settings > API Keys in Synerise), or call it as a consumer \
                 that has it"
            );
            return Some(hint.into());
        }
        Self::fixed_hint(operation, status).map(Cow::Borrowed)
    }

    /// There is no token to refresh, so somebody has to look.
    fn basic_hint(&self) -> &'static str {
        if self.operation.and_then(|operation| operation.basic) == Some(Evidence::Stated) {
            "check the workspace's GUID and API key, and that Basic authentication is switched on for the key (Settings > API \
             Keys in Synerise)"
        } else {
            "check the workspace's GUID and API key, and that Basic authentication is switched on for the key (Settings > API \
             Keys in Synerise); if it is, the endpoint may take a token only, which Client::workspace sends"
        }
    }

    fn fixed_hint(operation: &Operation, status: u16) -> Option<&'static str> {
        match (status, operation.evidence, operation.security) {
            (404, Evidence::Observed, _) => Some(
                "check that the account exists; the path is not published and was observed in Synerise's own apps: if it is \
                 another one, give it to ClientBuilder::operation_path",
            ),
            (404, Evidence::Inferred, _) => Some(
                "its path is not published and was inferred: give the right one to ClientBuilder::operation_path",
            ),
            (400 | 422, _, Security::None) => Some(
                "check what this login or request was given: the key or password, and every id, against what the server says",
            ),
            (401, _, Security::None) => Some(
                "check that the key or password is right, active, of the kind that this login takes, and of this region",
            ),
            (403, _, Security::None) => Some(
                "check that the key or user may log in here: its permissions, the addresses that it is allowed from, and its kind",
            ),
            (404, _, Security::None) => Some(
                "check that the account exists, and that the base URL is that of the account's region, without a path of its own",
            ),
            _ => None,
        }
    }
}
