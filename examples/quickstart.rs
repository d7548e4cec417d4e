//! A backend logs in as a workspace, calls an endpoint with the token, and gets a new token before that one expires.
//!
//! With `SYNERISE_API_KEY` (and, optionally, `SYNERISE_BASE_URL`) it talks to that server; with neither, it starts the
//! emulator in this process. On failure, it prints one line.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it shows what it does")]

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use synerise_auth::clock::{Clock, ManualClock, SystemClock};
use synerise_auth::kind::Workspace;
use synerise_auth::{ApiKey, Client, Session, Token};
use synerise_auth_emulator::Emulator;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quickstart: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<()> {
    if env::var_os("SYNERISE_API_KEY").is_some() || env::var_os("SYNERISE_BASE_URL").is_some() {
        let key = ApiKey::from_env("SYNERISE_API_KEY")?;
        let base_url = env::var("SYNERISE_BASE_URL").ok();
        return on_a_server(key, base_url).await;
    }
    on_the_emulator().await
}

/// The complete flow of a service: a key, a session, a token, an authenticated call.
async fn on_a_server(key: ApiKey, base_url: Option<String>) -> Result<()> {
    let workspace = session(key, base_url, SystemClock::default())?;
    let first = log_in_and_call(&workspace).await?;

    // A service doesn't need this: a token is refreshed before it expires. Here, the refresh is forced.
    workspace.invalidate();
    show_refresh(&first, &workspace.token().await?);
    Ok(())
}

/// The same against the emulator, where an hour passes at once.
async fn on_the_emulator() -> Result<()> {
    let lifetime = Duration::from_secs(3600);
    let passed = Duration::from_secs(3600 - 60);
    let emulator = Emulator::builder().token_lifetime(lifetime).start().await?;
    println!(
        "no SYNERISE_API_KEY is set: using the emulator at {}",
        emulator.base_url()
    );

    let clock = ManualClock::new();
    let key = ApiKey::new(&emulator.workspace().workspace_api_key)?;
    let workspace = session(key, Some(emulator.base_url().to_owned()), clock.clone())?;
    let first = log_in_and_call(&workspace).await?;

    clock.advance(passed);
    emulator.clock().advance(passed);
    println!(
        "{} minutes later, the token is about to expire",
        passed.as_secs() / 60
    );
    let mut events = workspace.subscribe();
    let served = workspace.token().await?;
    println!(
        "   it is still served, without waiting: generation {}",
        served.generation()
    );
    events.next().await;
    show_refresh(&first, &workspace.token().await?);
    Ok(())
}

fn session(key: ApiKey, base_url: Option<String>, clock: impl Clock) -> Result<Session<Workspace>> {
    let mut builder = Client::builder().app("quickstart").clock(clock);
    if let Some(base_url) = base_url {
        builder = builder.base_url(base_url);
    }
    let client = builder.build()?;
    println!("1. a client of {}", client.base_url());
    Ok(client.workspace(key))
}

async fn log_in_and_call(workspace: &Session<Workspace>) -> Result<Token> {
    let token = workspace.token().await?;
    println!("2. logged in: a token that lives for {:?}", token.lifetime());
    if token.claims().is_none() {
        println!("   (its claims can't be read, and need not be)");
    }
    let current = workspace.get("/uauth/business-profile/current").await?;
    let current: serde_json::Value = current.json()?;
    let name = current
        .pointer("/data/name")
        .and_then(serde_json::Value::as_str)
        .unwrap_or("without a name");
    println!("3. called an endpoint with it: the workspace is {name:?}");
    Ok(token)
}

fn show_refresh(first: &Token, second: &Token) {
    let which = if first.expose() == second.expose() {
        "the same"
    } else {
        "a new"
    };
    println!(
        "4. refreshed: {which} token, generation {} after {}",
        second.generation(),
        first.generation()
    );
}
