//! A stateful Synerise authentication server on loopback, for tests and demos.
//!
//! It serves every authentication operation of the vendored document, keeps state, and refuses what the service would
//! refuse: each request is checked against the document, each token for its kind, its expiry and its permissions. Its
//! own answers are checked too ([`Emulator::violations`]). It shares no code with the client library that it tests.
//!
//! # Testing your service with it
//!
//! Start one per test: it takes milliseconds, listens on a port of its own, and stops when it is dropped.
//!
//! ```
//! use std::time::{Duration, UNIX_EPOCH};
//!
//! use serde_json::{Value, json};
//! use synerise_auth_emulator::{Emulator, Fault};
//!
//! /// The service under test. It gets its base URL from outside, which is all that it takes to be tested.
//! struct LoyaltyService { synerise: String, api_key: String }
//!
//! impl LoyaltyService {
//!     async fn log_in(&self) -> Result<String, reqwest::Error> {
//!         let url = format!("{}/uauth/v2/auth/login/profile", self.synerise);
//!         let login = reqwest::Client::new().post(url).json(&json!({ "apiKey": self.api_key })).send().await?;
//!         let answer: Value = login.error_for_status()?.json().await?;
//!         Ok(answer["token"].as_str().unwrap_or_default().to_owned())
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
//!     api_key: synerise.workspace_api_key().to_owned(),
//! };
//!
//! // It works while the token lives, and is told when it does not: without a sleep.
//! let token = service.log_in().await?;
//! assert_eq!(service.members(&token).await?, 3);
//! synerise.clock().advance(Duration::from_secs(60));
//! assert_eq!(service.members(&token).await.unwrap_err().status().unwrap(), 401);
//!
//! // Things go wrong on demand, and what was sent can be looked at afterwards.
//! synerise.faults().on("workspaceLogin").then(Fault::status(503).retry_after(Duration::from_secs(1)));
//! assert!(service.log_in().await.is_err());
//! assert!(service.log_in().await.is_ok());
//! assert_eq!(synerise.count("workspaceLogin"), 3);
//! assert!(synerise.requests()[1].bearer_is(&token));
//! # Ok(())
//! # }
//! ```
//!
//! # What it knows
//!
//! - **Fixtures.** One workspace with a key of each kind and a user with an authenticator are there from the start. More
//!   is one line each: [`add_account`](Emulator::add_account), [`add_user`](Emulator::add_user),
//!   [`add_workspace`](Emulator::add_workspace), [`add_third_party_token`](Emulator::add_third_party_token),
//!   [`add_profile_api_key`](Emulator::add_profile_api_key), [`record_events`](Emulator::record_events).
//! - **Time.** Everything goes by one [`EmulatorClock`]: expiry, PINs, codes, delays, the `Date` header.
//! - **Mail.** PINs, codes and activation tokens end up in the [`outbox`](Emulator::outbox).
//! - **Trouble.** [`Faults`] by operation: statuses, delays, hangs, resets, torn, oversized, dripping and wrong bodies,
//!   odd tokens; in sequences or for good; and a [`Gate`] that holds requests until the test lets them go.
//! - **Observation.** [`count`](Emulator::count) and [`requests`](Emulator::requests), secrets redacted.
//!
//! # What is not published
//!
//! The public references leave questions open. The answers that a client could depend on are in [`Assumptions`], to be set
//! otherwise. These are fixed:
//!
//! - A token of the wrong kind and a missing permission are answered 403; no token, and one that is not good, 401.
//! - What does not fit the document is answered 400 with the fields in `errors`, another content type than JSON 415,
//!   and a header of which one is enough (`Authorization`, `Api-Version`, `Content-Type`) 400 when sent twice.
//! - An e-mail address or customId that is taken is answered 409, an account that nothing is awaited from 404, a PIN or
//!   an activation token that is wrong or expired 400, a PIN from another device than the one that asked last 403.
//! - The identity provider `UNKNOWN` is answered 406; ten refused passwords in a row, and a workspace that locks its
//!   users out, 423.
//! - Settings and the IP policy are open to users in a workspace and to workspaces; registration needs the token of an
//!   anonymous profile; the permission check is about the key that the caller's token was got with.
//! - The IP policy restricts nobody here: every request comes from loopback.
//! - E-mail addresses, customIds and UUIDs are compared as they are sent. Organizations, as callers, are not modelled.
//! - Statistics cover at most 366 days; "other" counters are 0; retention never ends.

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
