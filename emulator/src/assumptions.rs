//! What the references leave open, and what the emulator does about it.

use std::collections::BTreeMap;

/// The questions that the public documentation does not answer, with the emulator's answers.
///
/// Each field says what is unknown. The default is the emulator's choice; set another to see how a program copes
/// with a service that behaves in the other way.
///
/// ```
/// use synerise_auth_emulator::Assumptions;
///
/// let mut assumptions = Assumptions::default();
/// assumptions.expired_token_status = 403;
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Assumptions {
    /// The path of the server-side login, which is not published.
    /// Default: `/sauth/v3/auth/login/client/server`. It must start with `/`.
    pub server_side_login_path: String,
    /// Whether an invalid or expired token is answered 401 or 403: the documents allow both. Default: 401.
    pub expired_token_status: u16,
    /// The status of a login for an account that does not exist. Default: 404; the description has 401 too.
    pub unknown_account_status: u16,
    /// The status of a success that has no documented body (registration and activation). Default: 200.
    pub empty_success_status: u16,
    /// Whether a login answers with the token alone, as one published example does, instead of its expiration,
    /// creation, origin and realm beside it. Default: false.
    pub profile_token_alone: bool,
    /// Whether profile tokens are encrypted, so that a client cannot read them. Default: false.
    pub encrypted_profile_tokens: bool,
    /// How the conditional login reports a condition that is not met.
    pub unmet_condition: UnmetCondition,
    /// The `registrationType` of the mode in which an account works at once and its address is confirmed later.
    /// Default: `REQUIRE_EMAIL_CONFIRMATION`.
    pub email_confirmation_literal: String,
    /// The `registrationType` of the mode in which an account works only once its address is confirmed.
    /// Default: `REQUIRE_EMAIL_ACTIVATION`.
    pub email_activation_literal: String,
    /// What `ipRestriction` and `mfaRestriction` say when there is one; only `OFF` is published. Default: `ON`.
    pub restriction_literal: String,
    /// How long the token of an activation e-mail is good for, in seconds. Default: a day.
    pub activation_token_valid_in_seconds: u64,
    /// How long a code sent to a user by e-mail is good for, in seconds. Default: 300.
    pub email_code_valid_in_seconds: u64,
    /// How many refused passwords in a row lock an account or a user (status 423). Default: 10.
    pub refused_passwords_before_lock: u32,
    /// Whether a profile's password has to keep the documented default policy: six characters, one of each of
    /// upper case, lower case, digit and others. Default: false, as the published examples break it.
    pub password_policy: bool,
    /// Values of settings that are not sent, over the emulator's own defaults.
    pub settings_defaults: BTreeMap<String, serde_json::Value>,
}

/// How the conditional login says that a condition is not met: the documents say one thing, the codes another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnmetCondition {
    /// Status 200 with `status` and `conditions`, as the description says. The default.
    Status200,
    /// Status 403 with `SAU-302` or `SAU-303`, as the plain login does.
    Refused,
}

impl Default for Assumptions {
    fn default() -> Self {
        Self {
            server_side_login_path: "/sauth/v3/auth/login/client/server".to_owned(),
            expired_token_status: 401,
            unknown_account_status: 404,
            empty_success_status: 200,
            profile_token_alone: false,
            encrypted_profile_tokens: false,
            unmet_condition: UnmetCondition::Status200,
            email_confirmation_literal: "REQUIRE_EMAIL_CONFIRMATION".to_owned(),
            email_activation_literal: "REQUIRE_EMAIL_ACTIVATION".to_owned(),
            restriction_literal: "ON".to_owned(),
            activation_token_valid_in_seconds: 86_400,
            email_code_valid_in_seconds: 300,
            refused_passwords_before_lock: 10,
            password_policy: false,
            settings_defaults: BTreeMap::new(),
        }
    }
}
