//! A job without async code: it logs in, calls an endpoint, and its worker threads share the token.
//!
//! It starts the emulator in this process.

#![allow(clippy::print_stdout, reason = "it shows what it does")]

use std::error::Error;
use std::ops::Range;
use std::thread;

use serde_json::json;
use synerise_auth::{ApiKey, Client, Result, WorkspaceSession, blocking};
use synerise_auth_emulator::Emulator;

fn main() -> std::result::Result<(), Box<dyn Error>> {
    // The server's part of the example, in a runtime of its own.
    let server = tokio::runtime::Runtime::new()?;
    let emulator = server.block_on(Emulator::start())?;
    emulator.stub(
        "GET",
        "/v4/clients/{id}",
        json!({ "email": "customer@shop.example" }),
    );

    let runtime = blocking::Runtime::new()?;
    let client = Client::builder().base_url(emulator.base_url()).build()?;
    let workspace = client.workspace(ApiKey::new(&emulator.workspace().workspace_api_key)?);

    let token = runtime.block_on(workspace.token())?;
    println!("1. logged in: a token that is valid for {:?}", token.lifetime());

    let shared = (&runtime, &workspace);
    let exported = thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|worker| scope.spawn(move || export(shared, worker * 10..worker * 10 + 10)))
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or(Ok(0)))
            .sum::<Result<usize>>()
    })?;
    println!("2. exported {exported} customers with 4 threads");
    println!("3. logins: {}", emulator.count("workspaceLogin"));

    // The same call in async code is an error, and not a deadlock.
    let error = server.block_on(async { runtime.block_on(workspace.token()) });
    if let Err(error) = error {
        println!("4. in async code: {error}");
    }
    Ok(())
}

fn export((runtime, workspace): (&blocking::Runtime, &WorkspaceSession), ids: Range<u32>) -> Result<usize> {
    let mut exported = 0;
    for id in ids {
        let request = workspace.get("/v4/clients/{id}").path_param("id", id);
        let customer: serde_json::Value = runtime.block_on(request)?.json()?;
        exported += usize::from(customer.get("email").is_some());
    }
    Ok(exported)
}
