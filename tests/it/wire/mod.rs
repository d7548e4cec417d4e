//! What happens on the wire: broken responses, dead connections, proxies, runtimes; and what the client makes of it.

mod any_response;
mod builder;
mod connections;
mod faults;
mod once;
mod own_client;
mod runtimes;
mod status_counts;

pub(crate) use faults::error_of_an_untrusted_server;

use synerise_auth::client::RetryPolicy;
use synerise_auth::clock::ManualClock;
use synerise_auth::random::FixedRandom;
use synerise_auth::{Client, ClientBuilder};

/// A client with a clock that stands, and backoffs of no length.
fn builder(url: &str, clock: &ManualClock) -> ClientBuilder {
    Client::builder()
        .base_url(url)
        .clock(clock.clone())
        .random(FixedRandom(0.0))
        .retry_policy(RetryPolicy::default())
}
