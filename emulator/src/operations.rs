//! The operations: their paths, who may call them, and their handlers.

use axum::http::Method;

use crate::assumptions::Assumptions;
use crate::consumer::Kind::{self, Anonymous, PendingUser, Profile, User, UserInWorkspace, Workspace};
use crate::errors::ApiError;
use crate::request_context::{ApiResponse, RequestContext};
use crate::routes::{
    activation, contact, endings, keys, passwords, profiles, registration, settings, usage, users, workspaces,
};

/// One operation of the document.
#[derive(Debug)]
pub(crate) struct Operation {
    /// Its `operationId`.
    pub(crate) id: &'static str,
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) access: Access,
    /// The permission that the API key needs.
    pub(crate) permission: Option<&'static str>,
    /// Whether a workspace may call it by Basic authentication.
    pub(crate) basic: bool,
    pub(crate) serve: fn(&mut RequestContext<'_>) -> Result<ApiResponse, ApiError>,
}

impl Operation {
    const fn requiring(mut self, permission: &'static str) -> Self {
        self.permission = Some(permission);
        self
    }

    const fn or_by_basic(mut self) -> Self {
        self.basic = true;
        self
    }

    pub(crate) fn path_for<'a>(&'a self, assumptions: &'a Assumptions) -> &'a str {
        if self.id == SERVER_SIDE_LOGIN {
            &assumptions.server_side_login_path
        } else {
            self.path
        }
    }

    pub(crate) fn takes_body(&self) -> bool {
        self.method == Method::POST
    }
}

/// The operation whose path is not published.
const SERVER_SIDE_LOGIN: &str = "authenticateProfileServerSide";

/// Checks the path of the server-side login.
pub(crate) fn check_server_side_login_path(path: &str) -> Result<(), String> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/-_.".contains(letter);
    if !path.starts_with('/') || !path.chars().all(plain) {
        return Err(format!(
            "server_side_login_path {path:?} must start with / and consist of letters, digits, -, _, . and /"
        ));
    }
    match OPERATIONS
        .iter()
        .find(|operation| operation.path == path && operation.id != SERVER_SIDE_LOGIN)
    {
        Some(other) => Err(format!(
            "server_side_login_path {path:?} is the path of {}",
            other.id
        )),
        None => Ok(()),
    }
}

/// Who may call an operation.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Access {
    /// Everyone. A token is ignored.
    Open,
    /// Callers with a token of one of these kinds.
    Bearer(&'static [Kind]),
    /// Callers without a token, or with one of these kinds.
    OpenOrBearer(&'static [Kind]),
}

const USERS: Access = Access::Bearer(&[User, UserInWorkspace]);
const PROFILES: Access = Access::Bearer(&[Anonymous, Profile]);
const ADMINISTRATORS: Access = Access::Bearer(&[UserInWorkspace, Workspace]);

const fn operation(
    id: &'static str,
    method: Method,
    path: &'static str,
    access: Access,
    serve: fn(&mut RequestContext<'_>) -> Result<ApiResponse, ApiError>,
) -> Operation {
    Operation {
        id,
        method,
        path,
        access,
        permission: None,
        basic: false,
        serve,
    }
}

/// Every operation of the document, in the document's order.
#[rustfmt::skip] // one line each reads as the table that it is
pub(crate) static OPERATIONS: [Operation; 38] = [
    operation("userLogin", Method::POST, "/uauth/auth/login/user", Access::Open, users::log_in),
    operation("userMfaLogin", Method::POST, "/uauth/auth/login/user/mfa/verification", Access::Bearer(&[PendingUser, User]), users::verify_second_factor),
    operation("selectWorkspace", Method::POST, "/uauth/auth/login/user/profile/{businessProfileUUID}", USERS, users::select_workspace),
    operation("listWorkspaces", Method::GET, "/uauth/business-profile/", USERS, workspaces::list),
    operation("listWorkspaceIds", Method::GET, "/uauth/business-profile/ids", USERS, workspaces::list_ids),
    operation("getCurrentWorkspace", Method::GET, "/uauth/business-profile/current", Access::Bearer(&[User, UserInWorkspace, Workspace]), workspaces::current).or_by_basic(),
    operation("workspaceLogin", Method::POST, "/uauth/v2/auth/login/profile", Access::Open, workspaces::log_in),
    operation("refreshProfileToken", Method::POST, "/sauth/v3/auth/refresh/client", PROFILES, profiles::refresh),
    operation("authenticateProfile", Method::POST, "/sauth/v3/auth/login/client", Access::OpenOrBearer(&[Anonymous]), profiles::authenticate),
    operation(SERVER_SIDE_LOGIN, Method::POST, "/sauth/v3/auth/login/client/server", Access::Bearer(&[Workspace]), profiles::authenticate_server_side).requiring("SAUTH_SERVER_LOGIN_CLIENT_CREATE").or_by_basic(),
    operation("authenticateProfileConditionally", Method::POST, "/sauth/v3/auth/login/client/conditional", Access::OpenOrBearer(&[Anonymous]), profiles::authenticate_conditionally),
    operation("authenticateAnonymously", Method::POST, "/sauth/v3/auth/login/client/anonymous", Access::Open, profiles::authenticate_anonymously),
    operation("newDataPointsStats", Method::POST, "/business-profile-service/organizations/usage/stats/newDataPoints", USERS, usage::new_data_points),
    operation("retentionDataPointsStats", Method::POST, "/business-profile-service/organizations/usage/stats/retentionDataPoints", USERS, usage::retention_data_points),
    operation("registerProfile", Method::POST, "/sauth/clients/registered", Access::Bearer(&[Anonymous]), registration::register).requiring("SAUTH_REGISTER_CLIENT_CREATE"),
    operation("confirmActivationByPin", Method::POST, "/sauth/clients/activation/by-pin-code/confirmation", PROFILES, activation::confirm_by_pin),
    operation("requestActivationPin", Method::POST, "/sauth/clients/activation/by-pin-code/request", PROFILES, activation::request_pin),
    operation("confirmActivationByToken", Method::POST, "/sauth/clients/activation/confirmation", PROFILES, activation::confirm_by_token),
    operation("requestActivationToken", Method::POST, "/sauth/clients/activation/request", PROFILES, activation::request_token),
    operation("getProfileSettings", Method::GET, "/sauth/settings/general", ADMINISTRATORS, settings::get).or_by_basic(),
    operation("replaceProfileSettings", Method::POST, "/sauth/settings/general", ADMINISTRATORS, settings::replace).or_by_basic(),
    operation("getIpPolicy", Method::GET, "/uauth/settings/user-bp-ip-policy", ADMINISTRATORS, settings::get_ip_policy).or_by_basic(),
    operation("replaceIpPolicy", Method::POST, "/uauth/settings/user-bp-ip-policy", ADMINISTRATORS, settings::replace_ip_policy).or_by_basic(),
    operation("checkPermissions", Method::POST, "/uauth/api-key/permission-check", Access::Bearer(&[Workspace]), keys::check_permissions).or_by_basic(),
    operation("refreshWorkspaceToken", Method::GET, "/v4/auth/refresh/profile", Access::Bearer(&[Workspace]), workspaces::refresh),
    operation("requestPasswordReset", Method::POST, "/v4/clients/password-reset/request", PROFILES, passwords::request_reset),
    operation("confirmPasswordReset", Method::POST, "/v4/clients/password-reset/confirmation", PROFILES, passwords::confirm_reset),
    operation("changePassword", Method::POST, "/v4/my-account/change-password", Access::Bearer(&[Profile]), passwords::change),
    operation("requestEmailChange", Method::POST, "/sauth/v2/my-account/email-change/request", PROFILES, contact::request_email_change),
    operation("confirmEmailChange", Method::POST, "/sauth/my-account/email-change/confirmation", PROFILES, contact::confirm_email_change),
    operation("requestPhoneChange", Method::POST, "/v4/my-account/phone-update/request", PROFILES, contact::request_phone_change),
    operation("confirmPhoneChange", Method::POST, "/v4/my-account/phone-update/confirmation", PROFILES, contact::confirm_phone_change),
    operation("logOut", Method::POST, "/sauth/v3/my-account/logout", PROFILES, endings::log_out).requiring("SAUTH_LOGOUT_CLIENT_CREATE"),
    operation("deleteAccount", Method::POST, "/sauth/v2/my-account/delete", Access::Bearer(&[Profile]), endings::delete_account),
    operation("logOutProfile", Method::POST, "/sauth/management/client/{clientID}/logout", ADMINISTRATORS, endings::log_out_profile).or_by_basic(),
    operation("authenticateSimply", Method::POST, "/sauth/v3/auth/login/client/simple-auth", Access::Bearer(&[Anonymous]), profiles::authenticate_simply).requiring("SAUTH_SIMPLE_AUTH_CREATE"),
    operation("authenticateIncognito", Method::POST, "/sauth/v3/auth/login/client/incognito", Access::Open, profiles::authenticate_incognito),
    operation("getPublicKey", Method::GET, "/v4/public.pem", Access::Open, keys::public_key),
];

/// Panics if no request can ever have this name: it is neither an operation nor `METHOD /path`.
#[track_caller]
pub(crate) fn assert_known(name: &str) {
    let is_path = name
        .split_once(' ')
        .is_some_and(|(_, path)| path.starts_with('/'));
    assert!(
        is_path || OPERATIONS.iter().any(|operation| operation.id == name),
        "{name:?} is not an operation: use an operationId of the document, or \"METHOD /path\" for another path"
    );
}
