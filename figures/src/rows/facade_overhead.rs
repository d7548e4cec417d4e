//! `facade_overhead`: a call through the library, over the same call by hand.

use std::process::{Command, Stdio};
use std::time::Instant;

use crate::Result;
use crate::call::{ByHand, Facade};
use crate::login_server::LoginServer;
use crate::report::{Row, progress};
use crate::stopwatch::Summary;

use super::{Effort, sibling};

/// How many calls are one turn.
const TURN: u32 = 50;

const BY_HAND: &str = "reqwest by hand";

pub(super) fn measure(effort: Effort) -> Result<Vec<Row>> {
    let server = LoginServer::start()?;
    Ok(vec![time(&server, effort)?, instructions(&server, effort)])
}

fn time(server: &LoginServer, effort: Effort) -> Result<Row> {
    progress("facade_overhead: time");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (mut facade_times, mut hand_times, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    runtime.block_on(async {
        let (facade, by_hand) = (
            Facade::new(&server.base_url())?,
            ByHand::new(&server.base_url()).await?,
        );
        for round in 0..effort.of(200, 60) {
            let start = Instant::now();
            facade.call(TURN).await?;
            let middle = Instant::now();
            by_hand.call(TURN).await?;
            // The first round warms up.
            if round > 0 {
                let times =
                    [middle - start, middle.elapsed()].map(|time| time.as_secs_f64() / f64::from(TURN));
                facade_times.push(times[0]);
                hand_times.push(times[1]);
                ratios.push(times[0] / times[1]);
            }
        }
        Result::<()>::Ok(())
    })?;
    let microseconds =
        |times| Summary::of(times).map_or(f64::NAN, |summary: Summary| summary.median * 1_000_000.0);
    let ratio = Summary::of(ratios).ok_or("nothing was measured")?;
    Ok(Row::new("facade_overhead", "a call of the facade, time", "µs")
        .ours(microseconds(facade_times))
        .peer(BY_HAND, microseconds(hand_times))
        .ratio(ratio)
        .target("≤ 1.05×", ratio.median <= 1.05))
}

fn instructions(server: &LoginServer, effort: Effort) -> Row {
    const WHAT: &str = "a call of the facade, instructions";
    const TARGET: &str = "≤ 1.10×";
    progress("facade_overhead: instructions");
    let found = Command::new("valgrind")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !found.is_ok_and(|status| status.success()) {
        return Row::not_measured("facade_overhead", WHAT, TARGET, "valgrind is not installed");
    }
    let calls = effort.of(200, 60);
    let counted = instructions_of(server, "facade", calls)
        .and_then(|facade| Ok((facade, instructions_of(server, "by-hand", calls)?)));
    let (facade, by_hand) = match counted {
        Ok(counted) => counted,
        Err(error) => {
            return Row::not_measured("facade_overhead", WHAT, TARGET, &error.to_string());
        }
    };
    let ratio = facade / by_hand;
    let mut row = Row::new("facade_overhead", WHAT, "instructions")
        .ours(facade)
        .peer(BY_HAND, by_hand)
        .target(TARGET, ratio <= 1.10);
    row.ratio = Some(ratio);
    row.note("the client's side; the server is another process")
}

/// The instructions of one call: those of two runs, one three times as long, without what they have in common.
fn instructions_of(server: &LoginServer, kind: &str, calls: u32) -> Result<f64> {
    let count = |calls: u32| -> Result<f64> {
        let output = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(sibling("figures-call")?)
            .args([kind, &server.base_url(), &calls.to_string()])
            .stdin(Stdio::null())
            .output()?;
        let log = String::from_utf8_lossy(&output.stderr);
        let collected = log
            .lines()
            .find_map(|line| line.split_once("Collected :"))
            .and_then(|(_, count)| count.trim().parse::<f64>().ok());
        match collected {
            Some(count) if output.status.success() => Ok(count),
            _ => Err(format!(
                "valgrind: {}: {}",
                output.status,
                log.lines().last().unwrap_or_default()
            )
            .into()),
        }
    };
    Ok((count(3 * calls)? - count(calls)?) / f64::from(2 * calls))
}
