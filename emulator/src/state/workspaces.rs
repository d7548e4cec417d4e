//! Workspaces, their settings and their events.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};

use crate::assumptions::Assumptions;

/// A workspace ("business profile" in the paths).
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) number: u64,
    pub(crate) guid: String,
    pub(crate) name: String,
    pub(crate) created: SystemTime,
    pub(crate) settings: Map<String, Value>,
    pub(crate) ip_policy: Map<String, Value>,
    /// Whether a profile that logs in by password must send a device id.
    pub(crate) device_control: bool,
    /// Whether a user needs a confirmed second factor to select this workspace.
    pub(crate) mfa_required: bool,
    /// Whether users are locked out by the IP policy.
    pub(crate) locked: bool,
    /// Events added, by day (`2025-05-29`) and action.
    pub(crate) events: BTreeMap<String, BTreeMap<String, u64>>,
}

impl Workspace {
    pub(crate) fn new(number: u64, guid: String, name: &str, created: SystemTime) -> Self {
        Self {
            number,
            guid,
            name: name.to_owned(),
            created,
            settings: Map::new(),
            ip_policy: default_ip_policy(),
            device_control: false,
            mfa_required: false,
            locked: false,
            events: BTreeMap::new(),
        }
    }

    pub(crate) fn subdomain(&self) -> String {
        self.name
            .to_lowercase()
            .replace(|letter: char| !letter.is_ascii_alphanumeric(), "-")
    }

    pub(crate) fn setting_flag(&self, name: &str) -> bool {
        self.settings
            .get(name)
            .and_then(Value::as_bool)
            .unwrap_or_default()
    }

    pub(crate) fn setting_number(&self, name: &str) -> u64 {
        self.settings
            .get(name)
            .and_then(Value::as_u64)
            .unwrap_or_default()
    }

    pub(crate) fn setting_text(&self, name: &str) -> &str {
        self.settings
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    pub(crate) fn profile_token_lifetime(&self) -> Duration {
        Duration::from_secs(self.setting_number("tokenLifetimeInSeconds"))
    }
}

/// The settings when nothing is sent. Only the default of the PIN mode is documented. The others are the values of the
/// published example.
pub(crate) fn default_settings(token_lifetime: Duration, assumptions: &Assumptions) -> Map<String, Value> {
    let Value::Object(mut settings) = json!({
        "registrationType": "AUTOMATIC",
        "tokenLifetimeInSeconds": token_lifetime.as_secs(),
        "confirmationRedirectLink": null,
        "voucherPoolUuid": null,
        "allowOverwriteCustomIdentify": false,
        "allowEmailChangeFromWebForm": false,
        "pinConfirmationType": "ON_CONFLICT_WITH_EXTERNAL_ACCOUNT",
        "pinConfirmationLength": 6,
        "pinConfirmationValidInSeconds": 300,
        "allowPinResendFromDifferentDeviceId": false,
    }) else {
        return Map::new();
    };
    settings.extend(assumptions.settings_defaults.clone());
    settings
}

pub(crate) fn default_ip_policy() -> Map<String, Value> {
    let Value::Object(policy) = json!({ "enabled": false, "enableSupportSubnets": false, "ipPolicy": [] })
    else {
        return Map::new();
    };
    policy
}

/// The settings that were sent, with defaults for the others. `null` means the default.
pub(crate) fn merged_with_defaults(mut defaults: Map<String, Value>, sent: &Value) -> Map<String, Value> {
    for (name, value) in sent
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, value)| !value.is_null())
    {
        defaults.insert(name.clone(), value.clone());
    }
    defaults
}

/// Checks the settings, or names the invalid one. The ranges are not documented.
pub(crate) fn check_settings(
    settings: &Map<String, Value>,
    assumptions: &Assumptions,
) -> Result<(), (&'static str, &'static str)> {
    let text = |name: &str| settings.get(name).and_then(Value::as_str).unwrap_or_default();
    let number = |name: &str| settings.get(name).and_then(Value::as_i64).unwrap_or_default();
    let modes = [
        "AUTOMATIC",
        "REQUIRE_PIN_CONFIRMATION",
        assumptions.email_confirmation_literal.as_str(),
        assumptions.email_activation_literal.as_str(),
    ];
    if !modes.contains(&text("registrationType")) {
        return Err(("registrationType", "is not a valid registration mode"));
    }
    if !matches!(
        text("pinConfirmationType"),
        "EVERYONE" | "ON_CONFLICT_WITH_EXTERNAL_ACCOUNT"
    ) {
        return Err(("pinConfirmationType", "is not a valid PIN mode"));
    }
    if number("tokenLifetimeInSeconds") < 1 {
        return Err(("tokenLifetimeInSeconds", "must be at least 1"));
    }
    if !(1..=32).contains(&number("pinConfirmationLength")) {
        return Err(("pinConfirmationLength", "must be between 1 and 32"));
    }
    if number("pinConfirmationValidInSeconds") < 1 {
        return Err(("pinConfirmationValidInSeconds", "must be at least 1"));
    }
    Ok(())
}
