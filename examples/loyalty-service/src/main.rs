//! Starts the service: `SYNERISE_API_KEY=… cargo run -p loyalty-service`.

use synerise_auth::{ApiKey, Client, Region};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::builder()
        .region(Region::AzureEu)
        .app("loyalty/1.0")
        .build()?;
    let synerise = client.workspace(ApiKey::from_env("SYNERISE_API_KEY")?);
    // A wrong key is noticed now, and not by the first customer.
    synerise.token().await?;
    let listener = TcpListener::bind("127.0.0.1:8080").await?;
    axum::serve(listener, loyalty_service::routes(synerise)).await?;
    Ok(())
}
