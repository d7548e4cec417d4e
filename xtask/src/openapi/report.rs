//! A comparison for people: a table for the terminal, Markdown for a pull request.

use std::fmt::Write;

use comfy_table::{ContentArrangement, Table, presets};

use super::compare::{Change, Comparison, Severity, Side};
use super::failure::{Failure, Result, one_line};
use super::plain_text;

/// More than these in one table help nobody; the rest is counted.
const MAX_NAMES: usize = 4;

/// The changes as a table of plain characters.
pub(crate) fn table(comparison: &Comparison) -> String {
    if comparison.changes.is_empty() {
        return "No changes.".to_owned();
    }
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Disabled);
    table.set_header([
        "verdict",
        "in",
        "operation",
        "change",
        "where (- before, + after)",
    ]);
    for change in &comparison.changes {
        table.add_row([
            verdict(change.severity).to_owned(),
            side(change.side).to_owned(),
            operations(change),
            one_line(&change.what),
            places(change),
        ]);
    }
    table.trim_fmt()
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
    let text = serde_json::to_string_pretty(&comparison.changes)
        .map_err(|error| Failure::failed(error.to_string()))?;
    // Said as JSON says it, before the terminal's own way of saying it makes it something else.
    let mut json = String::with_capacity(text.len());
    for character in text.chars() {
        if character != '\n' && (character.is_control() || plain_text::is_invisible(character)) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(json, "\\u{unit:04x}");
            }
        } else {
            json.push(character);
        }
    }
    Ok(json)
}

fn places(change: &Change) -> String {
    let place = |pointer: &Option<String>| pointer.as_deref().map(one_line);
    match (place(&change.before), place(&change.after)) {
        (Some(before), Some(after)) if before == after => format!("  {before}"),
        (Some(before), Some(after)) => format!("- {before}\n+ {after}"),
        (Some(before), None) => format!("- {before}"),
        (None, Some(after)) => format!("+ {after}"),
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

/// What a vendor wrote may not become a link, a mention or a row of its own. Code is the one place where GitHub makes
/// nothing of an address, an `@name` or a `#number`, however it is spelt.
fn code(text: &str) -> String {
    let harmless = text.chars().filter_map(|character| match character {
        '`' => Some('\''),
        // Both mean something to a table even in code; no name that is meant well has them.
        '|' => Some('¦'),
        '\\' => Some('⧵'),
        other => (!other.is_control() && !plain_text::is_invisible(other)).then_some(other),
    });
    format!("`{}`", harmless.collect::<String>())
}
