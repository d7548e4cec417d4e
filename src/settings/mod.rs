//! A workspace's settings: read, changed in place, and written back with everything that was there.
//!
//! The service resets whatever it is not sent, so there is no way to send a part: [`update`](Settings::update) reads the
//! whole document, changes what you change, and writes the rest back byte for byte.
//!
//! ```no_run
//! # async fn run(workspace: synerise_auth::WorkspaceSession) -> synerise_auth::Result<()> {
//! use std::time::Duration;
//!
//! let settings = workspace.profile_settings();
//! println!("{:?}", settings.get().await?.registration);
//! let changes = settings.update(|settings| settings.token_lifetime = Some(Duration::from_secs(1800))).await?;
//! for change in changes {
//!     println!("{}: {} is now {}", change.field, change.before, change.after);
//! }
//! # Ok(()) }
//! ```

mod change;
mod document;
mod ip_policy;
mod profile_settings;
mod registration;

pub use change::Change;
pub use document::{Settings, SettingsDocument};
pub use ip_policy::{IpPolicy, IpPolicyApi};
pub use profile_settings::{ProfileSettings, ProfileSettingsApi};
pub use registration::{Pin, Registration};

#[cfg(fuzzing)]
pub(crate) use document::rewritten;
