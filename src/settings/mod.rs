//! A workspace's settings: read, changed in place, and written back with everything that was there.

mod changes;
mod ip_policy;
mod profile_settings;

pub use changes::Change;
pub use ip_policy::{IpPolicy, IpPolicyApi};
pub use profile_settings::{Pin, ProfileSettings, ProfileSettingsApi, Registration};
