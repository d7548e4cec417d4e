//! Starts the service: `SYNERISE_API_KEY=… cargo run -p cookie-sessions`, with a profile API key.

use axum_extra::extract::cookie::Key;
use cookie_sessions::{Shop, routes};
use synerise_auth::{ApiKey, Client};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let shop = Shop {
        client: Client::from_env()?,
        profile_key: ApiKey::from_env("SYNERISE_API_KEY")?,
        // A new one logs everybody out. A real service reads it from where its other secrets are.
        cookie_key: Key::generate(),
    };
    let listener = TcpListener::bind("127.0.0.1:8080").await?;
    axum::serve(listener, routes(shop)).await?;
    Ok(())
}
