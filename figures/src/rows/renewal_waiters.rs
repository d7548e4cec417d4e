//! `renewal_waiters`: callers that have to wait while a valid token is being refreshed.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use synerise_auth::Client;
use tokio::sync::mpsc;
use tokio::task::{JoinSet, unconstrained};
use tokio::time::{sleep, timeout};

use crate::Result;
use crate::cache::Cache;
use crate::login_server::{Answer, LoginServer};
use crate::ours::{FiguresClock, Ours};
use crate::peers::aws::Aws;
use crate::peers::google::Google;
use crate::peers::rw_lock::{MARGIN, TokioRwLock};
use crate::report::{Row, progress};

use super::{Effort, runtime};

const CALLERS: usize = 1000;

/// A token's life, and where in it its refresh is due, but its end has not come: for those whose clock can be moved.
const LIFETIME: Duration = Duration::from_hours(1);
const NEAR_THE_END: u64 = 3597;

pub(super) fn measure(_: Effort) -> Result<Vec<Row>> {
    let server = LoginServer::start()?;
    runtime()?.block_on(async {
        let clock = FiguresClock::default();
        let ours = Ours::of(Client::builder().base_url(server.base_url()).clock(clock.clone()))?;
        let ours = waiters(&server, ours, LIFETIME, async |_| clock.advance(NEAR_THE_END)).await?;
        // It refreshes a token of less than 4 minutes every 10 s, by Tokio's clock, whether anybody asks or not.
        let google = waiters(
            &server,
            Google::cold(&server)?,
            Duration::from_mins(1),
            async |_| {},
        )
        .await?;
        let aws = waiters(&server, Aws::cold(&server)?, LIFETIME, async |aws| {
            aws.advance(NEAR_THE_END);
        })
        .await?;
        let lifetime = MARGIN + Duration::from_secs(1);
        let rw_lock = waiters(&server, TokioRwLock::cold(&server)?, lifetime, async |_| {
            sleep(Duration::from_millis(1100)).await;
        })
        .await?;
        Ok(vec![
            Row::new(
                "renewal_waiters",
                format!("of {CALLERS} callers, those that wait while a valid token is being refreshed"),
                "callers",
            )
            .ours(ours)
            .peer(Google::NAME, google)
            .peer(Aws::NAME, aws)
            .peer(TokioRwLock::NAME, rw_lock)
            .target("0", ours == 0.0),
        ])
    })
}

/// Brings a token near its end by `age`, holds its refresh at the server, and counts the callers that aren't served at
/// once.
async fn waiters<C: Cache>(
    server: &LoginServer,
    cache: C,
    lifetime: Duration,
    age: impl AsyncFnOnce(&C),
) -> Result<f64> {
    progress(&format!("renewal_waiters: {}", C::NAME));
    server.answer(
        C::LOGIN,
        Answer {
            lifetime,
            ..Answer::default()
        },
    );
    let cache = Arc::new(cache);
    cache.read().await?;
    let seen = server.logins(C::LOGIN);
    server.hold(true);
    age(&cache).await;
    let (report, mut waiting) = mpsc::unbounded_channel();
    let mut callers = JoinSet::new();
    // The first caller makes a lazy cache refresh; the others come while that is under way.
    callers.spawn(call(Arc::clone(&cache), report.clone()));
    timeout(Duration::from_secs(20), server.login_after(C::LOGIN, seen))
        .await
        .map_err(|_| format!("{} did not refresh its token", C::NAME))?;
    for _ in 1..CALLERS {
        callers.spawn(call(Arc::clone(&cache), report.clone()));
    }
    let mut waiters = 0;
    for _ in 0..CALLERS {
        waiters += usize::from(waiting.recv().await.ok_or("a caller panicked")?);
    }
    server.hold(false);
    while let Some(outcome) = callers.join_next().await {
        outcome??;
    }
    Ok(waiters as f64)
}

/// Reads the token, and reports whether the caller has to wait for it.
async fn call<C: Cache>(cache: Arc<C>, report: mpsc::UnboundedSender<bool>) -> Result {
    let mut read = pin!(unconstrained(cache.read()));
    let first = poll_fn(|context| Poll::Ready(read.as_mut().poll(context))).await;
    report.send(first.is_pending())?;
    if first.is_pending() {
        read.await?;
    }
    Ok(())
}
