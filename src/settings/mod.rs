//! A workspace's settings: read, changed in place, and written back completely.
//!
//! The service resets every field that is not sent, so a part can't be sent alone. [`update`](Settings::update) reads the
//! whole document, applies your changes, and writes the rest back byte for byte.
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
