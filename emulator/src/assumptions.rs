//! What the public references do not document, and what the emulator assumes.

use std::collections::BTreeMap;

/// What the emulator assumes where the public documentation is silent.
///
/// Each field says what is unknown. Change a value to test a program against a service that behaves differently.
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
    /// The status for an invalid or expired token: 401 or 403, as the documents allow both. Default: 401.
    pub expired_token_status: u16,
    /// The status of a login for an account that does not exist. Default: 404; the description also mentions 401.
    pub unknown_account_status: u16,
    /// The status of a success that has no documented body (registration and activation). Default: 200.
    pub empty_success_status: u16,
    /// Whether a login returns only the token, as one published example does, without its expiration, creation, origin and
    /// realm. Default: false.
    pub profile_token_alone: bool,
    /// Whether profile tokens are encrypted, so that a client cannot read them. Default: false.
    pub encrypted_profile_tokens: bool,
    /// How the conditional login reports a condition that is not met.
    pub unmet_condition: UnmetCondition,
    /// The `registrationType` of the mode in which an account is usable at once and its address is confirmed later.
    /// Default: `REQUIRE_EMAIL_CONFIRMATION`.
    pub email_confirmation_literal: String,
    /// The `registrationType` of the mode in which an account is usable only after its address is confirmed.
    /// Default: `REQUIRE_EMAIL_ACTIVATION`.
    pub email_activation_literal: String,
    /// The value of `ipRestriction` and `mfaRestriction` when there is a restriction; only `OFF` is published. Default: `ON`.
    pub restriction_literal: String,
    /// How long the token of an activation e-mail is valid, in seconds. Default: a day.
    pub activation_token_valid_in_seconds: u64,
    /// How long the token of a password reset e-mail is valid, in seconds. Default: an hour.
    pub password_reset_token_valid_in_seconds: u64,
    /// How long the token of an e-mail that confirms a new address is valid, in seconds. Default: an hour.
    pub email_change_token_valid_in_seconds: u64,
    /// How long the code of an SMS that confirms a new telephone number is valid, in seconds. Default: 300.
    pub phone_change_code_valid_in_seconds: u64,
    /// How long a code sent to a user by e-mail is valid, in seconds. Default: 300.
    pub email_code_valid_in_seconds: u64,
    /// The status of a login without a password whose `X-Simple-Auth-Hash` is missing or wrong, by a key with a salt.
    /// Default: 403.
    pub wrong_simple_auth_hash_status: u16,
    /// How many wrong passwords in a row lock an account or a user (status 423). Default: 10.
    pub wrong_passwords_before_lock: u32,
    /// Whether a profile's password must follow the documented default policy: six characters, including an upper-case
    /// letter, a lower-case letter, a digit and another character. Default: false, as the published examples do not.
    pub password_policy: bool,
    /// Values for settings that are not sent, in place of the emulator's own defaults.
    pub settings_defaults: BTreeMap<String, serde_json::Value>,
}

/// How the conditional login reports a condition that is not met. The description and the error codes disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnmetCondition {
    /// Status 200 with `status` and `conditions`, as the description says. The default.
    Status200,
    /// Status 403 with `SAU-302` or `SAU-303`, as the other login returns.
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
            password_reset_token_valid_in_seconds: 3600,
            email_change_token_valid_in_seconds: 3600,
            phone_change_code_valid_in_seconds: 300,
            email_code_valid_in_seconds: 300,
            wrong_simple_auth_hash_status: 403,
            wrong_passwords_before_lock: 10,
            password_policy: false,
            settings_defaults: BTreeMap::new(),
        }
    }
}
