//! A comparison for people: lines for the terminal, Markdown for a pull request.

use super::compare::{Change, Comparison, Severity, Side};
use super::failure::{Failure, Result, one_line};
use super::invisible::{for_json, is_invisible};

/// The rest is counted.
const MAX_NAMES: usize = 4;

/// The changes, a line each with the places below it: `-` in the old document, `+` in the new one.
pub(crate) fn lines(comparison: &Comparison) -> String {
    if comparison.changes.is_empty() {
        return "No changes.".to_owned();
    }
    let line = |change: &Change| {
        let (verdict, side) = (verdict(change.severity), side(change.side));
        let of = operations(change);
        let of = if of.is_empty() { of } else { format!("  ({of})") };
        let line = format!("{verdict:<13} {side:<8} {}{of}", one_line(&change.what));
        [line, places(change)].concat()
    };
    comparison.changes.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The changes and notices as the text of a pull request.
pub(crate) fn markdown(comparison: &Comparison, notices: &[String]) -> String {
    let mut text = format!(
        "# Changes of the vendored document\n\n{}.\n",
        comparison.summary()
    );
    for severity in [Severity::Breaking, Severity::Additive, Severity::Documentation] {
        let changes: Vec<&Change> = comparison
            .changes
            .iter()
            .filter(|change| change.severity == severity)
            .collect();
        if changes.is_empty() {
            continue;
        }
        text.push_str("\n## ");
        text.push_str(heading(severity));
        text.push_str("\n\n");
        text.push_str("| in | operation | change | before | after |\n|---|---|---|---|---|\n");
        for change in changes {
            let place = |pointer: &Option<String>| pointer.as_deref().map(code).unwrap_or_default();
            let cells = [
                side(change.side).to_owned(),
                operations(change),
                code(&change.what),
                place(&change.before),
                place(&change.after),
            ];
            text.push_str(&["| ", &cells.join(" | "), " |\n"].concat());
        }
    }
    if !notices.is_empty() {
        text.push_str("\n## To look at\n\n");
        for notice in notices {
            text.push_str(&["- ", &code(notice), "\n"].concat());
        }
    }
    text
}

/// The changes for another program.
pub(crate) fn json(comparison: &Comparison) -> Result<String> {
    let json = serde_json::to_string_pretty(&comparison.changes)
        .map_err(|error| Failure::failed(error.to_string()))?;
    // Escaped as JSON does it, before the terminal's own way of escaping makes it something else.
    Ok(for_json(&json))
}

fn places(change: &Change) -> String {
    let place = |pointer: &Option<String>| pointer.as_deref().map(one_line);
    match (place(&change.before), place(&change.after)) {
        (Some(before), Some(after)) if before == after => format!("\n    {before}"),
        (Some(before), Some(after)) => format!("\n  - {before}\n  + {after}"),
        (Some(before), None) => format!("\n  - {before}"),
        (None, Some(after)) => format!("\n  + {after}"),
        (None, None) => String::new(),
    }
}

fn verdict(severity: Severity) -> &'static str {
    match severity {
        Severity::Breaking => "BREAKING",
        Severity::Additive => "additive",
        Severity::Documentation => "documentation",
    }
}

fn heading(severity: Severity) -> &'static str {
    match severity {
        Severity::Breaking => "Breaking",
        Severity::Additive => "Additive",
        Severity::Documentation => "Documentation",
    }
}

fn side(side: Side) -> &'static str {
    match side {
        Side::Call => "call",
        Side::Request => "request",
        Side::Response => "response",
        Side::Text => "text",
    }
}

fn operations(change: &Change) -> String {
    let names: Vec<&str> = change
        .operations
        .iter()
        .take(MAX_NAMES)
        .map(String::as_str)
        .collect();
    let more = change.operations.len().saturating_sub(MAX_NAMES);
    let list = names.join(", ");
    if more > 0 {
        format!("{list} and {more} more")
    } else {
        list
    }
}

/// What a vendor wrote may not become a link, a mention or a row of its own. Only in code does GitHub ignore an
/// address, an `@name` or a `#number`, however it is spelt.
fn code(text: &str) -> String {
    let harmless = text.chars().filter_map(|character| match character {
        '`' => Some('\''),
        // Both mean something to a table even in code; no honest name has them.
        '|' => Some('¦'),
        '\\' => Some('⧵'),
        other => (!other.is_control() && !is_invisible(other)).then_some(other),
    });
    format!("`{}`", harmless.collect::<String>())
}
