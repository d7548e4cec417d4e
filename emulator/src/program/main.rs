//! The emulator as a program. It prints its address and its test data, and serves until a signal stops it.

mod arguments;
mod input;
mod stop_signal;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use serde_json::json;
use synerise_auth_emulator::Emulator;

use arguments::Arguments;

#[expect(
    clippy::print_stderr,
    reason = "this is a program, and it reports errors on stderr"
)]
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = runtime
        .map_err(|error| format!("cannot start the runtime: {error}"))
        .and_then(|runtime| runtime.block_on(run(&arguments)));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), String> {
    // Before anything else, so that a signal stops the program at any time, also as PID 1.
    let stop_signal =
        stop_signal::listen().map_err(|error| format!("cannot install signal handlers: {error}"))?;
    let emulator = arguments
        .builder()?
        .start()
        .await
        .map_err(|error| error.to_string())?;
    print_first_line(&emulator).map_err(|error| format!("cannot write to stdout: {error}"))?;
    stop_signal.await;
    Ok(())
}

fn print_first_line(emulator: &Emulator) -> std::io::Result<()> {
    let user = emulator.user();
    let line = json!({
        "base_url": emulator.base_url(),
        "workspace_guid": emulator.workspace().guid,
        "workspace_api_key": emulator.workspace().workspace_api_key,
        "basic_api_key": emulator.workspace().basic_api_key,
        "profile_api_key": emulator.workspace().profile_api_key,
        "tracker_key": emulator.workspace().tracker_key,
        "user": { "username": user.username, "password": user.password, "totp_secret": user.totp_secret },
    });
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{line}")?;
    // Stdout is most often a pipe, and whoever started the program waits for this line.
    stdout.flush()
}
