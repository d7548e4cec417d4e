//! `cold_stampede`: many tasks want a token that nobody has yet, when the login works and when it is refused.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::Result;
use crate::cache::Cache;
use crate::login_server::{Answer, LoginServer};
use crate::ours::Ours;
use crate::peers::aws::Aws;
use crate::peers::google::Google;
use crate::peers::rw_lock::TokioRwLock;
use crate::report::{Row, progress};
use crate::stopwatch::Summary;

use super::{Effort, runtime};

const TASKS: usize = 10_000;
const LOGIN_TIME: Duration = Duration::from_millis(200);

/// Fewer and shorter when it is refused: caches that let each waiter try in turn need the product of the two.
const REFUSED_TASKS: usize = 1000;
const REFUSAL_TIME: Duration = Duration::from_millis(50);

/// How long a cache may take to find out that the login works again: longer than the longest backoff after a first
/// refusal, which is ours, of 10 s.
const RECOVERY: Duration = Duration::from_secs(15);

pub(super) fn measure(effort: Effort) -> Result<Vec<Row>> {
    let server = Arc::new(LoginServer::start()?);
    runtime()?.block_on(async {
        let mut rows = served(&server, effort).await?;
        rows.extend(refused(&server, effort).await?);
        Ok(rows)
    })
}

/// What came of a stampede.
struct Stampede {
    logins: u64,
    /// How many tasks heard the outcome in time.
    told: usize,
    /// How many got a token.
    served: usize,
    /// When the last one heard.
    last: Duration,
}

async fn stampede<C: Cache>(
    server: &LoginServer,
    cache: &Arc<C>,
    tasks: usize,
    limit: Duration,
) -> Result<Stampede> {
    let before = server.logins(C::LOGIN);
    let start = Instant::now();
    let mut running = JoinSet::new();
    for _ in 0..tasks {
        let cache = Arc::clone(cache);
        running.spawn(async move { (cache.read().await.is_ok(), start.elapsed()) });
    }
    let (mut told, mut with_token, mut last) = (0, 0, Duration::ZERO);
    let _ = timeout(limit, async {
        while let Some(Ok((ok, elapsed))) = running.join_next().await {
            told += 1;
            with_token += usize::from(ok);
            last = last.max(elapsed);
        }
    })
    .await;
    let logins = server.logins(C::LOGIN) - before;
    Ok(Stampede {
        logins,
        told,
        served: with_token,
        last,
    })
}

/// How long one caller alone waits for a login.
async fn alone<C: Cache>(server: &LoginServer) -> Result<Duration> {
    let mut times = Vec::new();
    for _ in 0..3 {
        let cache = C::cold(server)?;
        let start = Instant::now();
        cache.read().await?;
        times.push(start.elapsed().as_secs_f64());
    }
    Ok(Duration::from_secs_f64(
        Summary::of(times).ok_or("nothing was measured")?.median,
    ))
}

async fn served(server: &LoginServer, effort: Effort) -> Result<Vec<Row>> {
    let what = format!("{TASKS} tasks on a cold session");
    let mut logins = Row::new("cold_stampede", format!("{what}: logins"), "logins");
    let mut times = Row::new(
        "cold_stampede",
        format!("{what}: until the last is served, over a login alone"),
        "ratio",
    );
    let rounds = effort.of(5, 2);
    let (count, ratio) = served_by::<Ours>(server, rounds).await?;
    logins = logins.ours(count as f64).target("1", count == 1);
    times = times
        .ours(ratio.median)
        .ratio(ratio)
        .target("≤ 1.5× the login's own time", ratio.median <= 1.5)
        .note(format!("a login takes the server {LOGIN_TIME:?}"));
    for (name, (count, ratio)) in [
        (Google::NAME, served_by::<Google>(server, rounds).await?),
        (Aws::NAME, served_by::<Aws>(server, rounds).await?),
        (TokioRwLock::NAME, served_by::<TokioRwLock>(server, rounds).await?),
    ] {
        logins = logins.peer(name, count as f64);
        times = times.peer(name, ratio.median);
    }
    Ok(vec![logins, times])
}

/// The logins of the worst stampede, and how long the last task waited, over a login alone.
async fn served_by<C: Cache>(server: &LoginServer, rounds: usize) -> Result<(u64, Summary)> {
    progress(&format!("cold_stampede: {}", C::NAME));
    server.answer(
        C::LOGIN,
        Answer {
            delay: LOGIN_TIME,
            ..Answer::default()
        },
    );
    let (mut worst, mut ratios) = (0, Vec::new());
    for _ in 0..rounds {
        let alone = alone::<C>(server).await?;
        let cache = Arc::new(C::cold(server)?);
        let stampede = stampede(server, &cache, TASKS, Duration::from_secs(30)).await?;
        if stampede.served < TASKS {
            return Err(format!("{} served {} of {TASKS} tasks", C::NAME, stampede.served).into());
        }
        worst = worst.max(stampede.logins);
        ratios.push(stampede.last.as_secs_f64() / alone.as_secs_f64());
    }
    let summary = Summary::of(ratios).ok_or("nothing was measured")?;
    Ok((worst, summary))
}

/// What a refused login comes to.
struct Refusal {
    stampede: Stampede,
    /// From when the login works again to the first token, and how many logins that took.
    recovery: Option<(Duration, u64)>,
}

async fn refused(server: &Arc<LoginServer>, effort: Effort) -> Result<Vec<Row>> {
    let limit = Duration::from_secs(effort.of(30, 3));
    progress("cold_stampede: a login that is refused, and then works again");
    // One after the other, so that they don't take the processor from each other; each finds out by itself that its login
    // works again, while the next one's is refused.
    let ours = refused_by::<Ours>(server, limit).await?;
    let google = refused_by::<Google>(server, limit).await?;
    let aws = refused_by::<Aws>(server, limit).await?;
    let rw_lock = refused_by::<TokioRwLock>(server, limit).await?;
    let (ours, google, aws, rw_lock) = (ours.await?, google.await?, aws.await?, rw_lock.await?);

    let what = format!("{REFUSED_TASKS} tasks, the login refused");
    let mut logins = Row::new("cold_stampede", format!("{what}: logins"), "logins")
        .ours(ours.stampede.logins as f64)
        .target("1", ours.stampede.logins == 1);
    let at_once = REFUSAL_TIME + Duration::from_secs(1);
    let mut told = Row::new("cold_stampede", format!("{what}: until the last is told"), "s")
        .ours(ours.stampede.last.as_secs_f64())
        .target(
            "all at once",
            ours.stampede.told == REFUSED_TASKS && ours.stampede.last <= at_once,
        );
    let mut recovery = Row::new(
        "cold_stampede",
        "from when the refused key is taken again to the first token",
        "s",
    )
    .target(
        "the first call after the backoff succeeds (backoff ≤ 10 s)",
        ours.recovery
            .is_some_and(|(after, logins)| logins == 1 && after <= Duration::from_secs(11)),
    );
    recovery.ours = ours.recovery.map(|(after, _)| after.as_secs_f64());
    let mut cut = Vec::new();
    for (name, refusal) in [
        (Google::NAME, &google),
        (Aws::NAME, &aws),
        (TokioRwLock::NAME, &rw_lock),
    ] {
        logins = logins.peer(name, refusal.stampede.logins as f64);
        told = told.peer(name, refusal.stampede.last.as_secs_f64());
        recovery.peers.insert(
            name.to_owned(),
            refusal.recovery.map(|(after, _)| after.as_secs_f64()),
        );
        if refusal.stampede.told < REFUSED_TASKS {
            cut.push(format!(
                "{name} was stopped after {limit:?}, when {} of {REFUSED_TASKS} had been told",
                refusal.stampede.told
            ));
        }
    }
    let mut note = format!("a refusal takes the server {REFUSAL_TIME:?}");
    for cut in cut {
        note = format!("{note}; {cut}");
    }
    let never = format!("— : not within {RECOVERY:?}");
    Ok(vec![logins.note(note), told, recovery.note(never)])
}

/// Refuses the login while many wait for it, and lets it work again as soon as they have been told.
async fn refused_by<C: Cache>(server: &Arc<LoginServer>, limit: Duration) -> Result<JoinHandle<Refusal>> {
    let answer = Answer {
        delay: REFUSAL_TIME,
        ..Answer::default()
    };
    server.answer(
        C::LOGIN,
        Answer {
            refused: true,
            ..answer
        },
    );
    let cache = Arc::new(C::cold(server)?);
    let stampede = stampede(server, &cache, REFUSED_TASKS, limit).await?;
    server.answer(C::LOGIN, answer);
    let server = Arc::clone(server);
    Ok(tokio::spawn(async move {
        let (start, before) = (Instant::now(), server.logins(C::LOGIN));
        let recovery = timeout(RECOVERY, async {
            while cache.read().await.is_err() {
                sleep(Duration::from_millis(20)).await;
            }
            (start.elapsed(), server.logins(C::LOGIN) - before)
        });
        Refusal {
            recovery: recovery.await.ok(),
            stampede,
        }
    }))
}
