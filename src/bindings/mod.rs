//! The generated bindings: every operation and type of the vendored document, as progenitor generates them.
//!
//! This is the escape hatch below the facade. [`Session::raw`](crate::Session::raw) returns a [`Client`] whose methods each
//! create a [`Call`]. When awaited, a call authenticates, retries, times out and traces like the facade, and fails with the
//! facade's [`Error`](crate::Error).
//!
//! The types here follow the document and change with it. The facade's types do not. Their `Debug` shows no text, because
//! any text may be personal: print a field itself where you know what it holds.
//!
//! ```no_run
//! # async fn run(workspace: synerise_auth::WorkspaceSession) -> synerise_auth::Result<()> {
//! let current = workspace.raw().get_current_workspace().await?;
//! println!("{:?} {:?}", current.status(), current.selected);
//! # Ok(()) }
//! ```

#![allow(
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    unreachable_patterns,
    unreachable_pub,
    unused_qualifications,
    rustdoc::bare_urls,
    rustdoc::invalid_html_tags,
    rustdoc::broken_intra_doc_links,
    reason = "generated code"
)]

mod call;
mod client;
pub(crate) mod coerce;
pub(crate) mod conversions;
mod raw_object;
mod redacted;
mod scalar;
mod unique;

mod generated {
    include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
}

pub use call::{Call, ResponseValue};
pub use client::ClientState;
pub use generated::{Client, types};

pub use raw_object::RawObject;

pub(crate) use redacted::Redacted;

pub(crate) use call::{json_body, read_as_field, secret_json_body};
