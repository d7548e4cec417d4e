//! Settings of a workspace. A POST replaces: what it does not send goes back to its default.

use std::net::IpAddr;

use serde_json::{Map, Value};

use crate::errors::Refusal;
use crate::state::workspaces::{check_settings, default_ip_policy, default_settings, overlaid};
use crate::visit::{Answer, Visit};

/// `getProfileSettings`.
pub(crate) fn get(visit: &mut Visit<'_>) -> Result<Answer, Refusal> {
    let workspace = visit.workspace()?;
    Ok(answer(&visit.state.workspaces[workspace].settings))
}

/// `replaceProfileSettings`.
pub(crate) fn replace(visit: &mut Visit<'_>) -> Result<Answer, Refusal> {
    let workspace = visit.workspace()?;
    let defaults = default_settings(visit.state.lifetimes.profile, visit.choices);
    let settings = overlaid(defaults, &visit.body);
    check(visit, &settings)?;
    visit.state.workspaces[workspace].settings = settings;
    get(visit)
}

/// `getIpPolicy`.
pub(crate) fn get_ip_policy(visit: &mut Visit<'_>) -> Result<Answer, Refusal> {
    let workspace = visit.workspace()?;
    Ok(answer(&visit.state.workspaces[workspace].ip_policy))
}

/// `replaceIpPolicy`: the list that is sent is the whole list.
pub(crate) fn replace_ip_policy(visit: &mut Visit<'_>) -> Result<Answer, Refusal> {
    let workspace = visit.workspace()?;
    let policy = overlaid(default_ip_policy(), &visit.body);
    let entries = policy
        .get("ipPolicy")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    if let Some(wrong) = entries
        .filter_map(Value::as_str)
        .find(|entry| !is_address_or_subnet(entry))
    {
        return Err(Refusal::bad_request("The IP policy is not valid").with_field(
            "ipPolicy",
            format!("{wrong} is neither an IP address nor a subnet"),
        ));
    }
    visit.state.workspaces[workspace].ip_policy = policy;
    get_ip_policy(visit)
}

fn answer(settings: &Map<String, Value>) -> Answer {
    Answer::json(&Value::Object(settings.clone()))
}

fn check(visit: &Visit<'_>, settings: &Map<String, Value>) -> Result<(), Refusal> {
    check_settings(settings, visit.choices).map_err(|(field, message)| {
        Refusal::bad_request("The settings are not valid").with_field(field, message)
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
    fn addresses_and_subnets_are_told_from_other_text() {
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
