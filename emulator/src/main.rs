//! The emulator as a program: it prints where it is and what it was seeded with, and serves until it is stopped.

use std::io::Write as _;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use serde_json::{Value, json};
use synerise_auth_emulator::Emulator;

/// A stateful Synerise authentication server for tests and demos.
///
/// Its first line on stdout is a JSON object: `base_url`, `workspace_guid`, `workspace_api_key`, `profile_api_key`,
/// `tracker_key`, and `user` (`username`, `password`, `totp_secret`).
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,

    /// The address to listen on; any other than loopback opens the emulator to the network
    #[arg(long, default_value = "127.0.0.1")]
    address: IpAddr,

    /// How long tokens live, for instance 60s or 1h
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    token_lifetime: Option<Duration>,

    /// How long profile tokens live, if not as long as the others
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    profile_token_lifetime: Option<Duration>,

    /// How long user tokens live, if not as long as the others
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    user_token_lifetime: Option<Duration>,

    /// A JSON file with the settings that the workspace starts with, as POST /sauth/settings/general takes them
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
#[expect(
    clippy::print_stderr,
    reason = "this is a program, and stderr is where it says what is wrong"
)]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), String> {
    let mut builder = Emulator::builder()
        .port(arguments.port)
        .address(arguments.address);
    if let Some(lifetime) = arguments.token_lifetime {
        builder = builder.token_lifetime(lifetime);
    }
    if let Some(lifetime) = arguments.profile_token_lifetime {
        builder = builder.profile_token_lifetime(lifetime);
    }
    if let Some(lifetime) = arguments.user_token_lifetime {
        builder = builder.user_token_lifetime(lifetime);
    }
    if let Some(file) = &arguments.settings {
        let text = std::fs::read(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
        let settings: Value = serde_json::from_slice(&text)
            .map_err(|error| format!("{} is not JSON: {error}", file.display()))?;
        builder = builder.profile_settings(settings);
    }
    let emulator = builder
        .start()
        .await
        .map_err(|error| format!("cannot start: {error}"))?;
    let user = emulator.user();
    let fixtures = json!({
        "base_url": emulator.base_url(),
        "workspace_guid": emulator.workspace_guid(),
        "workspace_api_key": emulator.workspace_api_key(),
        "profile_api_key": emulator.profile_api_key(),
        "tracker_key": emulator.tracker_key(),
        "user": { "username": user.username, "password": user.password, "totp_secret": user.totp_secret },
    });
    let mut stdout = std::io::stdout().lock();
    // Flushed, because whoever started the program waits for this line, most often through a pipe.
    writeln!(stdout, "{fixtures}")
        .and_then(|()| stdout.flush())
        .map_err(|error| format!("cannot write: {error}"))?;
    drop(stdout);
    std::future::pending().await
}
