//! A stateful Synerise authentication server on loopback, for tests and demos.
//!
//! It serves every authentication operation of the vendored document, keeps state, and refuses what the service would
//! refuse: it checks each request against the document, and each token for its kind, expiry and permissions. It also
//! checks its own responses ([`Emulator::violations`]). It shares no code with the client library that it tests.
//!
//! # Testing your service with it
//!
//! Start one per test: it starts in milliseconds, listens on its own port, and stops when it is dropped.
//!
//! ```
//! use std::time::{Duration, UNIX_EPOCH};
//!
//! use serde_json::{Value, json};
//! use synerise_auth_emulator::{Emulator, Fault};
//!
//! /// The service under test. To be testable, it only has to take its base URL from outside.
//! struct LoyaltyService { synerise: String, api_key: String }
//!
//! impl LoyaltyService {
//!     async fn log_in(&self) -> Result<String, reqwest::Error> {
//!         let url = format!("{}/uauth/v2/auth/login/profile", self.synerise);
//!         let login = reqwest::Client::new().post(url).json(&json!({ "apiKey": self.api_key })).send().await?;
//!         let login: Value = login.error_for_status()?.json().await?;
//!         Ok(login["token"].as_str().unwrap_or_default().to_owned())
//!     }
//!
//!     async fn members(&self, token: &str) -> Result<u64, reqwest::Error> {
//!         let url = format!("{}/v4/clients", self.synerise);
//!         let members = reqwest::Client::new().get(url).bearer_auth(token).send().await?;
//!         let members: Value = members.error_for_status()?.json().await?;
//!         Ok(members["count"].as_u64().unwrap_or_default())
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let noon = UNIX_EPOCH + Duration::from_secs(1_767_268_800);
//! let synerise = Emulator::builder().clock_at(noon).token_lifetime(Duration::from_secs(60)).start().await?;
//! synerise.stub("GET", "/v4/clients", json!({ "count": 3 })); // the rest of Synerise
//! let service = LoyaltyService {
//!     synerise: synerise.base_url().to_owned(),
//!     api_key: synerise.workspace().workspace_api_key.clone(),
//! };
//!
//! // The token works until it expires. Nothing sleeps.
//! let token = service.log_in().await?;
//! assert_eq!(service.members(&token).await?, 3);
//! synerise.clock().advance(Duration::from_secs(60));
//! assert_eq!(service.members(&token).await.unwrap_err().status().unwrap(), 401);
//!
//! // Faults happen on demand, and the requests can be inspected afterwards.
//! synerise.faults().on("workspaceLogin").then(Fault::status(503).retry_after(Duration::from_secs(1)));
//! assert!(service.log_in().await.is_err());
//! assert!(service.log_in().await.is_ok());
//! assert_eq!(synerise.count("workspaceLogin"), 3);
//! assert!(synerise.requests()[1].bearer_is(&token));
//! # Ok(())
//! # }
//! ```
//!
//! # What it offers
//!
//! - **Test data.** It starts with one workspace, with a key of each kind, and a user with an authenticator. More takes a
//!   line each: [`add_account`](Emulator::add_account), [`add_user`](Emulator::add_user),
//!   [`add_workspace`](Emulator::add_workspace), [`add_third_party_token`](Emulator::add_third_party_token),
//!   [`add_profile_api_key`](Emulator::add_profile_api_key), [`record_events`](Emulator::record_events).
//! - **Time.** Expiry, PINs, codes, delays and the `Date` header use one [`EmulatorClock`], which the clock of a client
//!   can follow.
//! - **E-mail.** PINs, codes and activation tokens are in the [`outbox`](Emulator::outbox).
//! - **Faults.** [`Faults`] by operation: statuses, delays, hangs, resets; truncated, oversized, slow and wrong bodies;
//!   unusual tokens; in sequence or permanently. A [`Gate`] holds requests until the test releases it.
//! - **Observation.** [`count`](Emulator::count) and [`requests`](Emulator::requests), with secrets redacted.
//! - **The rest of Synerise.** A [`Stub`] responds for an endpoint that is not in the document.
//!
//! # What is not documented
//!
//! The public references leave questions open. Where a client could depend on the answer, [`Assumptions`] has a field to
//! change it. The rest is fixed:
//!
//! - An expired token gets 401 with the `error` "Token expired.", as the service sends it for workspace tokens. Any other
//!   invalid token gets the usual `error`.
//! - The service requires a second factor of every user, and the first user has one. Users without one can log in and
//!   select a workspace here, as a shortcut for tests.
//! - Basic authentication works for a workspace's key for which it is switched on, with the workspace's GUID, and for the
//!   operations of which the document says so. It does not expire. Anything else about it gets 401.
//! - A token of the wrong kind or a missing permission gets 403. A missing or invalid token gets 401.
//! - A request that does not fit the document gets 400, with the fields in `errors`; a content type other than JSON gets
//!   415; a header of which one is allowed (`Authorization`, `Api-Version`, `Content-Type`) gets 400 when it is repeated.
//! - An e-mail address or customId that is in use gets 409. Confirming an account that does not wait for it gets 404,
//!   a wrong or expired PIN or activation token 400, and a PIN from a device other than the last one that requested it
//!   403.
//! - The identity provider `UNKNOWN` gets 406. Ten wrong passwords in a row, and a workspace that locks its users out,
//!   get 423.
//! - Settings and the IP policy are open to workspaces and to users in a workspace. Registration needs the token of an
//!   anonymous profile. The permission check is about the API key with which the caller's token was obtained.
//! - The IP policy restricts nobody: every request comes from loopback.
//! - E-mail addresses, customIds and UUIDs are compared as they are sent. Organizations are not supported as callers.
//! - Statistics cover at most 366 days; "other" counters are 0; events are retained forever.

mod assumptions;
mod authorize;
mod builder;
mod calendar;
mod clock;
mod consumer;
mod delivery;
mod document;
mod emulator;
mod errors;
mod fault;
mod fault_script;
mod fixtures;
mod gate;
mod log;
mod operations;
mod outbox;
mod pipeline;
mod request_context;
mod routes;
mod schema;
mod server;
mod signing;
mod state;
mod stub;
mod sync;
mod tokens;

pub use assumptions::{Assumptions, UnmetCondition};
pub use builder::EmulatorBuilder;
pub use clock::EmulatorClock;
pub use emulator::Emulator;
pub use fault::Fault;
pub use fault_script::{FaultScript, Faults};
pub use fixtures::{ProfileSnapshot, UserFixture, WorkspaceFixture};
pub use gate::Gate;
pub use log::RecordedRequest;
pub use outbox::{Message, MessageKind};
pub use stub::Stub;
pub use tokens::TokenShape;

/// The code on the crate's page in the registry compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
