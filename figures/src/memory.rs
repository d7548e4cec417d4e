//! `figures-memory`: counts allocations and bytes, and prints them as JSON.
//!
//! `figures-memory cached-read` counts the allocations of a cached read, ours and the peers';
//! `figures-memory sessions [--count N] [--logged-in N]` shows so many live sessions.

#![expect(clippy::cast_precision_loss, reason = "counts here are far below 2^52")]
#![expect(
    clippy::disallowed_methods,
    reason = "nothing is injected here: the machine's own time is waited for"
)]

use std::alloc::System;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Duration;

use clap::Parser;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use synerise_auth_figures::cache::Cache;
use synerise_auth_figures::login_server::LoginServer;
use synerise_auth_figures::ours::Ours;
use synerise_auth_figures::peers::aws::Aws;
use synerise_auth_figures::peers::floor::Floor;
use synerise_auth_figures::peers::google::{Google, GoogleTagged};
use synerise_auth_figures::peers::rw_lock::TokioRwLock;
use synerise_auth_figures::{Result, report, sessions};
use tokio::task::unconstrained;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const READS: u32 = 100_000;

#[derive(Parser)]
#[command(about = "Counts allocations and bytes")]
enum What {
    /// The allocations of a cached read
    CachedRead,
    /// What many live sessions take
    Sessions {
        /// How many sessions are live
        #[arg(long, default_value_t = 1_000_000)]
        count: usize,
        /// How many of them log in
        #[arg(long, default_value_t = 20_000)]
        logged_in: usize,
    },
}

fn main() -> Result {
    // One thread: nobody else allocates while reads are counted.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let server = LoginServer::start()?;
    match What::parse() {
        What::CachedRead => {
            let counted = runtime.block_on(async {
                let mut counted = BTreeMap::new();
                count::<Ours>(&server, &mut counted).await?;
                count::<Floor>(&server, &mut counted).await?;
                count::<Google>(&server, &mut counted).await?;
                count::<GoogleTagged>(&server, &mut counted).await?;
                count::<Aws>(&server, &mut counted).await?;
                count::<TokioRwLock>(&server, &mut counted).await?;
                Result::<_>::Ok(counted)
            })?;
            report::print(&counted)
        }
        What::Sessions { count, logged_in } => {
            let taken = runtime.block_on(sessions::take(&server, count, logged_in, || {
                let stats = ALLOCATOR.stats();
                stats.bytes_allocated as f64 - stats.bytes_deallocated as f64
            }))?;
            report::print(&taken)
        }
    }
}

/// Counts the allocations of one read.
async fn count<C: Cache>(server: &LoginServer, counted: &mut BTreeMap<&'static str, f64>) -> Result {
    let cache = C::cold(server)?;
    cache.read().await?;
    // Until what the login leaves behind has come to rest.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let before = ALLOCATOR.stats();
    unconstrained(async {
        for _ in 0..READS {
            black_box(C::header(&cache.read().await?));
        }
        Result::<_>::Ok(())
    })
    .await?;
    let after = ALLOCATOR.stats();
    let allocations = (after.allocations + after.reallocations) - (before.allocations + before.reallocations);
    counted.insert(C::NAME, allocations as f64 / f64::from(READS));
    Ok(())
}
