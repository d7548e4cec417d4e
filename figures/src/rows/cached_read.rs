//! `cached_read`: a token that is there, its header ready to send.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::process::Command;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::unconstrained;

use crate::Result;
use crate::cache::Cache;
use crate::login_server::LoginServer;
use crate::ours::Ours;
use crate::peers::aws::Aws;
use crate::peers::floor::{CoarseFloor, Floor};
use crate::peers::google::{Google, GoogleTagged};
use crate::peers::rw_lock::TokioRwLock;
use crate::report::{Row, progress};
use crate::stopwatch::{Summary, thread_time};

use super::{Effort, output_of, runtime, sibling};

/// How long one cache is read before it is the next one's turn: long enough for the clock, short enough that all of a
/// round sees the same machine.
const TURN: Duration = Duration::from_millis(2);

/// The share of a turn's time that its thread must have had a processor.
const UNDISTURBED: f64 = 0.95;

/// How often a turn of several threads is tried before an interrupted one is taken.
const ATTEMPTS: u32 = 8;

/// Reads a cache that often.
type Turn = Box<dyn Fn(u32) -> Result<Pace> + Send + Sync>;

/// How fast a turn was.
#[derive(Clone, Copy)]
struct Pace {
    /// The nanoseconds of one read.
    nanoseconds: f64,
    /// Whether the thread had a processor for itself all the time.
    undisturbed: bool,
}

pub(super) fn measure(effort: Effort) -> Result<Vec<Row>> {
    let server = LoginServer::start()?;
    let runtime = runtime()?;
    let caches = runtime.block_on(async {
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>([
            warm::<Ours>(&server).await?,
            warm::<Floor>(&server).await?,
            warm::<CoarseFloor>(&server).await?,
            warm::<Google>(&server).await?,
            warm::<GoogleTagged>(&server).await?,
            warm::<Aws>(&server).await?,
            warm::<TokioRwLock>(&server).await?,
        ])
    })?;
    let mut rows = vec![allocations()?];
    for threads in [1, 2] {
        progress(&format!("cached_read: {threads} thread(s)"));
        rows.extend(race(&caches, threads, effort.of(300, 60))?);
    }
    Ok(rows)
}

async fn warm<C: Cache>(server: &LoginServer) -> Result<(&'static str, Turn)> {
    let cache = C::cold(server)?;
    let first = cache.read().await?;
    if C::header(&first).is_none_or(|header| !header.as_bytes().starts_with(b"Bearer ")) {
        return Err(format!("{} gives no header", C::NAME).into());
    }
    let runtime = Handle::current();
    Ok((
        C::NAME,
        Box::new(move |reads| {
            // Unconstrained: Tokio's budget would make a lock yield after so many reads of one task.
            runtime.block_on(unconstrained(async {
                let (start, begin) = (thread_time(), Instant::now());
                for _ in 0..reads {
                    let ready = cache.read().await?;
                    black_box(C::header(&ready));
                }
                let (used, passed) = (thread_time().saturating_sub(start), begin.elapsed());
                Ok(Pace {
                    nanoseconds: used.as_nanos() as f64 / f64::from(reads),
                    undisturbed: used >= passed.mul_f64(UNDISTURBED),
                })
            }))
        }),
    ))
}

fn race(caches: &[(&'static str, Turn)], threads: usize, rounds: usize) -> Result<Vec<Row>> {
    let mut counts = Vec::new();
    for (_, turn) in caches {
        let nanoseconds = turn(1000)?.nanoseconds.max(1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between a thousand and a few millions"
        )]
        counts.push((TURN.as_nanos() as f64 / nanoseconds).max(1000.0) as u32);
    }
    let mut times: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for _ in 0..rounds {
        for ((name, turn), reads) in caches.iter().zip(&counts) {
            times
                .entry(name)
                .or_default()
                .push(together(threads, turn, *reads)?);
        }
    }
    let ratios = |above: &str, below: &str| {
        let ratios = times[above].iter().zip(&times[below]).map(|(a, b)| a / b);
        Summary::of(ratios.collect()).ok_or("nothing was measured")
    };
    let median = |name: &str| {
        Summary::of(times[name].clone())
            .map(|summary| summary.median)
            .ok_or("nothing was measured")
    };

    let over_floor = ratios(Ours::NAME, Floor::NAME)?;
    let name = if threads == 1 { "one thread" } else { "two threads" };
    let mut row = Row::new("cached_read", format!("a cached read, {name}"), "ns")
        .ours(median(Ours::NAME)?)
        .ratio(over_floor)
        .target("≤ 1.3× the floor", over_floor.median <= 1.3);
    for (peer, _) in &caches[1..] {
        row = row.peer(peer, median(peer)?);
    }
    let mut fastest = Google::NAME;
    for peer in [GoogleTagged::NAME, Aws::NAME] {
        if median(peer)? < median(fastest)? {
            fastest = peer;
        }
    }
    let advantage = ratios(fastest, Ours::NAME)?;
    let against = Row::new(
        "cached_read",
        format!("a cached read against the fastest of google-cloud-auth and AWS, {name}"),
        "ns",
    )
    .ours(median(Ours::NAME)?)
    .peer(fastest, median(fastest)?)
    .ratio(advantage)
    .target("≥ 5× faster", advantage.median >= 5.0);
    Ok(vec![row, against])
}

/// A turn of as many threads at the same time, and the nanoseconds of a read in the mean of them.
///
/// Threads that take turns on one processor don't get in each other's way, and would look as fast as one alone. So a turn
/// in which one of them was interrupted is taken again; on a machine too busy for that, the last one counts.
fn together(threads: usize, turn: &Turn, reads: u32) -> Result<f64> {
    if threads == 1 {
        return Ok(turn(reads)?.nanoseconds);
    }
    let mut mean = 0.0;
    for _ in 0..ATTEMPTS {
        let start = Arc::new(Barrier::new(threads));
        let paces = std::thread::scope(|scope| {
            let running: Vec<_> = (0..threads)
                .map(|_| {
                    let start = Arc::clone(&start);
                    scope.spawn(move || {
                        start.wait();
                        turn(reads)
                    })
                })
                .collect();
            running
                .into_iter()
                .map(|thread| thread.join().map_err(|_| "a reader panicked")?)
                .collect::<Result<Vec<Pace>>>()
        })?;
        mean = paces.iter().map(|pace| pace.nanoseconds).sum::<f64>() / threads as f64;
        if paces.iter().all(|pace| pace.undisturbed) {
            break;
        }
    }
    Ok(mean)
}

fn allocations() -> Result<Row> {
    progress("cached_read: allocations");
    let counted: BTreeMap<String, f64> =
        output_of(Command::new(sibling("figures-memory")?).arg("cached-read"))?;
    let mut row = Row::new("cached_read", "allocations of a cached read", "allocations");
    for (name, count) in counted {
        row = if name == Ours::NAME {
            row.ours(count).target("0", count == 0.0)
        } else {
            row.peer(&name, count)
        };
    }
    Ok(row)
}
