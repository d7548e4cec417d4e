//! A service of several replicas that share their tokens through Redis or Valkey.
//!
//! ```sh
//! redis-server --port 6379 &   # or your own, in REDIS_URL
//! cargo run -p synerise-auth-redis --example shared_tokens_axum
//! ```
//!
//! Without `SYNERISE_API_KEY`, it starts the emulator in place of Synerise, and two replicas in one process: both serve
//! data of Synerise, and there was one login. Without Redis, they do the same with two. `compose.yaml` has three replicas
//! and a Valkey, for your own key.

#![allow(clippy::print_stdout, reason = "a program for a terminal")]

use std::env;
use std::error::Error;
use std::net::Ipv4Addr;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use serde_json::json;
use synerise_auth::{ApiKey, Client, WorkspaceSession};
use synerise_auth_emulator::Emulator;
use synerise_auth_redis::{EncryptionKey, RedisStore};
use tokio::net::TcpListener;

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// One replica. Whatever Redis does, it starts: nothing is sent here.
fn replica(base_url: &str, api_key: &ApiKey, redis_url: &str) -> Result<Router> {
    // These two lines turn it on.
    let store = RedisStore::connect(redis_url, EncryptionKey::derive(api_key))?;
    let client = Client::builder().base_url(base_url).store(store).build()?;
    let synerise = client.workspace(api_key.clone());
    Ok(Router::new()
        .route("/customers", get(customers))
        .with_state(synerise))
}

async fn customers(State(synerise): State<WorkspaceSession>) -> (StatusCode, String) {
    match synerise.get("/v4/clients").await {
        Ok(answer) => (
            StatusCode::OK,
            format!("{} bytes of customers\n", answer.bytes().len()),
        ),
        Err(error) => (StatusCode::BAD_GATEWAY, format!("{error}\n")),
    }
}

#[tokio::main]
async fn main() -> Result {
    let redis_url = env::var("REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".to_owned());
    if env::var_os("SYNERISE_API_KEY").is_some() {
        let base_url =
            env::var("SYNERISE_BASE_URL").unwrap_or_else(|_| "https://api.synerise.com".to_owned());
        let router = replica(&base_url, &ApiKey::from_env("SYNERISE_API_KEY")?, &redis_url)?;
        let port = env::var("PORT").map_or(Ok(8080), |port| port.parse())?;
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await?;
        println!("http://{}/customers", listener.local_addr()?);
        return Ok(axum::serve(listener, router).await?);
    }

    let synerise = Emulator::start().await?;
    synerise.stub("GET", "/v4/clients", json!({ "data": [] }));
    let api_key = ApiKey::new(&synerise.workspace().workspace_api_key)?;
    for number in 1..=2 {
        let router = replica(synerise.base_url(), &api_key, &redis_url)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}/customers", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, router).await });
        let answer = reqwest::get(url).await?.error_for_status()?.text().await?;
        print!("replica {number}: {answer}");
    }
    println!("logins: {}", synerise.count("workspaceLogin"));
    Ok(())
}
