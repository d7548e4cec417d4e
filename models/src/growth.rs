//! How the work of a fleet grows with its size, as a table and as a picture.

use std::fmt::Write;

use crate::simulation::{Fleet, Outcome, Sharing};

const SIZES: [usize; 5] = [10, 100, 1_000, 10_000, 100_000];

/// A line of the picture: its name, how tokens are shared, whether there is jitter.
const FLEETS: [(&str, Sharing, bool); 5] = [
    ("no store", Sharing::None, true),
    ("asking", Sharing::Asking, true),
    ("asking, no jitter", Sharing::Asking, false),
    ("told", Sharing::Told, true),
    ("told, no jitter", Sharing::Told, false),
];

/// What a curve of the picture shows.
type Value = fn(&Outcome) -> u64;

/// The table, and the picture of its commands.
pub(crate) fn table_and_picture() -> (String, String) {
    let mut table =
        "processes,sharing,logins,commands,kilobytes,most commands in a second,longest cold start (ms)\n"
            .to_owned();
    let mut lines: Vec<Vec<Outcome>> = FLEETS.iter().map(|_| Vec::new()).collect();
    for size in SIZES {
        for ((name, sharing, jitter), line) in FLEETS.iter().zip(&mut lines) {
            let outcome = Fleet::run(size, *sharing, *jitter);
            let Outcome {
                logins,
                commands,
                bytes,
                peak,
                longest_wait,
            } = &outcome;
            let (kilobytes, wait) = (bytes / 1000, longest_wait.as_millis());
            // Writing to a String can't fail.
            let _ = writeln!(
                table,
                "{size},\"{name}\",{logins},{commands},{kilobytes},{peak},{wait}"
            );
            line.push(outcome);
        }
    }
    (table, picture(&lines))
}

/// Powers of ten on both axes, so that a straight line is growth in proportion.
fn picture(lines: &[Vec<Outcome>]) -> String {
    let mut svg = r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 680 370" width="680" role="img" aria-labelledby="growth-title growth-desc" style="max-width:100%;height:auto" font-family="system-ui,-apple-system,Segoe UI,Helvetica,Arial,sans-serif" font-size="13">
<title id="growth-title">How the work of a fleet grows</title>
<desc id="growth-desc">Logins and store commands in one token lifetime, for 10 to 100,000 processes, both in powers of ten. Without a store, logins grow with the fleet. With one, they stay at two, and the commands grow with the fleet.</desc>
<style>
.plate{fill:#f6f8fa;stroke:#d0d7de}text{fill:#24292f}.axis{stroke:#8c959f;stroke-width:.5}polyline{fill:none;stroke-width:2}.logins{stroke:#cf222e}.asking{stroke:#0969da}.told{stroke:#1a7f37}.shared{stroke:#8250df}
@media (prefers-color-scheme:dark){.plate{fill:#161b22;stroke:#30363d}text{fill:#e6edf3}.logins{stroke:#ff7b72}.asking{stroke:#58a6ff}.told{stroke:#3fb950}.shared{stroke:#d2a8ff}}
</style>
<rect class="plate" width="680" height="370" rx="10"/>
"#
    .to_owned();
    for power in 0_u32..=6 {
        let y = 320 - 48 * power;
        let _ = writeln!(
            svg,
            r#"<line class="axis" x1="70" x2="470" y1="{y}" y2="{y}"/><text x="62" y="{}" text-anchor="end">{}</text>"#,
            y + 4,
            10_u64.pow(power)
        );
    }
    for (place, size) in (0_u32..).zip(SIZES) {
        let x = 70 + 100 * place;
        let _ = writeln!(svg, r#"<text x="{x}" y="340" text-anchor="middle">{size}</text>"#);
    }
    let _ = writeln!(
        svg,
        r#"<text x="270" y="356" text-anchor="middle">processes</text>"#
    );
    let curves: [(&str, &str, &[Outcome], Value); 4] = [
        ("logins", "logins without a store", &lines[0], |outcome| {
            outcome.logins
        }),
        ("shared", "logins with a store", &lines[1], |outcome| {
            outcome.logins
        }),
        ("asking", "commands", &lines[1], |outcome| outcome.commands),
        ("told", "commands, no jitter", &lines[2], |outcome| {
            outcome.commands
        }),
    ];
    for (row, (class, name, line, value)) in (0_u32..).zip(curves) {
        let mut points = String::new();
        for (place, outcome) in (0_u32..).zip(line) {
            #[allow(clippy::cast_precision_loss, reason = "the values are far below 2^52")]
            let height = 48.0 * (value(outcome).max(1) as f64).log10();
            let _ = write!(points, "{},{:.1} ", 70 + 100 * place, 320.0 - height);
        }
        let y = 40 + 20 * row;
        let _ = writeln!(
            svg,
            r#"<polyline class="{class}" points="{}"/><polyline class="{class}" points="484,{y} 502,{y}"/><text x="508" y="{}">{name}</text>"#,
            points.trim_end(),
            y + 4
        );
    }
    svg.push_str("</svg>\n");
    svg
}
