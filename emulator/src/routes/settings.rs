//! Settings of a workspace. A POST replaces all of them: a setting that is not sent returns to its default.

use std::net::IpAddr;

use serde_json::{Map, Value};

use crate::errors::ApiError;
use crate::request_context::{ApiResponse, RequestContext};
use crate::state::workspaces::{check_settings, default_ip_policy, default_settings, merged_with_defaults};

/// `getProfileSettings`.
pub(crate) fn get(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    let workspace = context.workspace()?;
    Ok(response(&context.state.workspaces[workspace].settings))
}

/// `replaceProfileSettings`.
pub(crate) fn replace(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    let workspace = context.workspace()?;
    let defaults = default_settings(context.state.lifetimes.profile, context.assumptions);
    let settings = merged_with_defaults(defaults, &context.body);
    check(context, &settings)?;
    context.state.workspaces[workspace].settings = settings;
    get(context)
}

/// `getIpPolicy`.
pub(crate) fn get_ip_policy(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    let workspace = context.workspace()?;
    Ok(response(&context.state.workspaces[workspace].ip_policy))
}

/// `replaceIpPolicy`. The list that is sent replaces the whole list.
pub(crate) fn replace_ip_policy(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    let workspace = context.workspace()?;
    let policy = merged_with_defaults(default_ip_policy(), &context.body);
    let entries = policy
        .get("ipPolicy")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    if let Some(wrong) = entries
        .filter_map(Value::as_str)
        .find(|entry| !is_address_or_subnet(entry))
    {
        return Err(ApiError::bad_request("The IP policy is not valid").with_field(
            "ipPolicy",
            format!("{wrong} is neither an IP address nor a subnet"),
        ));
    }
    context.state.workspaces[workspace].ip_policy = policy;
    get_ip_policy(context)
}

fn response(settings: &Map<String, Value>) -> ApiResponse {
    ApiResponse::json(&Value::Object(settings.clone()))
}

fn check(context: &RequestContext<'_>, settings: &Map<String, Value>) -> Result<(), ApiError> {
    check_settings(settings, context.assumptions).map_err(|(field, message)| {
        ApiError::bad_request("The settings are not valid").with_field(field, message)
    })
}

fn is_address_or_subnet(entry: &str) -> bool {
    let (address, prefix) = entry
        .split_once('/')
        .map_or((entry, None), |(address, prefix)| (address, Some(prefix)));
    let Ok(address) = address.parse::<IpAddr>() else {
        return false;
    };
    let longest = if address.is_ipv4() { 32 } else { 128 };
    prefix.is_none_or(|prefix| prefix.parse::<u8>().is_ok_and(|prefix| prefix <= longest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_and_subnets_are_accepted() {
        for good in ["203.0.113.7", "203.0.113.0/24", "2001:db8::1", "2001:db8::/32"] {
            assert!(is_address_or_subnet(good), "{good}");
        }
        for bad in [
            "",
            "example.com",
            "203.0.113.0/33",
            "203.0.113.0/",
            "203.0.113.7/24/24",
        ] {
            assert!(!is_address_or_subnet(bad), "{bad}");
        }
    }
}
