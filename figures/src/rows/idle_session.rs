//! `idle_session`: what a session takes that nobody uses just now.

use std::process::Command;

use crate::Result;
use crate::report::{Row, progress};
use crate::sessions::Taken;

use super::{Effort, output_of, sibling};

const LIMIT: f64 = 512.0;

pub(super) fn measure(effort: Effort) -> Result<Vec<Row>> {
    progress("idle_session: live sessions");
    let taken: Taken = output_of(
        Command::new(sibling("figures-memory")?)
            .arg("sessions")
            .args(["--count", effort.of("1000000", "100000")])
            .args(["--logged-in", effort.of("50000", "5000")]),
    )?;
    let live = format!("{} sessions live", taken.sessions);
    let resident = taken.resident.map_or_else(
        || "the operating system's count could not be read".to_owned(),
        |bytes| format!("{bytes:.0} by the operating system's count, the allocator's own included"),
    );
    Ok(vec![
        Row::new("idle_session", format!("{live}: each, with its handle"), "bytes")
            .ours(taken.bytes)
            .target("≤ 512 bytes", taken.bytes <= LIMIT)
            .note(resident),
        Row::new(
            "idle_session",
            format!("{} of them logged in: each beside its token", taken.logged_in),
            "bytes",
        )
        .ours(taken.bytes_logged_in)
        .target("≤ 512 bytes beside its token", taken.bytes_logged_in <= LIMIT)
        .note(format!("the token itself: {:.0} bytes", taken.bytes_of_token)),
        Row::new("idle_session", format!("{live}: tasks"), "tasks")
            .ours(taken.tasks as f64)
            .target("0", taken.tasks == 0),
        Row::new("idle_session", format!("{live}: timers"), "timers")
            .ours(taken.timers as f64)
            .target("0", taken.timers == 0),
    ])
}
