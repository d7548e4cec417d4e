//! Words and phrases that the project does not use: each has a plainer or a more usual one.

use std::fs;
use std::path::Path;

use crate::command::{Failed, Result, output, program, root};

/// What is not written, and what is written instead. A phrase is found across line ends and in any case.
const BANNED: [(&str, &str); 27] = [
    ("mend", "fix"),
    ("mends", "fixes"),
    ("mended", "fixed"),
    ("prolong", "refresh"),
    ("prolongs", "refreshes"),
    ("prolonged", "refreshed"),
    ("renewal", "refresh"),
    ("renewals", "refreshes"),
    ("renew", "refresh"),
    ("renews", "refreshes"),
    ("renewed", "refreshed"),
    ("renewing", "refreshing"),
    ("is no", "is not a"),
    ("are no", "are not"),
    ("was no", "was not a"),
    ("is over", "has expired"),
    ("are over", "have expired"),
    ("for who", "for those who"),
    ("no good any more", "no longer valid"),
    ("be it that", "whether"),
    ("is at hand", "is available"),
    ("as who", "as"),
    ("second truth", "second source of truth"),
    ("is none of it", "is not part of it"),
    ("to whom it may", "to those who"),
    ("makes nothing of", "ignores"),
    ("an emulator to be", "the configuration of an emulator"),
];

/// What may stand around `is no` and `is over`: "there is no token", "it is no longer valid", "until the backoff is over".
const BEFORE: [&str; 2] = ["there", "backoff"];
const AFTER: [&str; 3] = ["longer", "more", "one"];

/// Texts of others, and this list.
const EXEMPT: [&str; 7] = [
    "openapi/upstream/",
    "openapi/synerise-auth.json",
    "emulator/openapi/",
    "xtask/tests/fixtures/",
    "xtask/src/ci/phrases.rs",
    "Cargo.lock",
    "LICENSE-",
];

/// Looks through every text file that is under version control, or would be.
pub(super) fn check() -> Result {
    let list = output(program("git").args(["ls-files", "--cached", "--others", "--exclude-standard"]))?;
    let mut found = Vec::new();
    for path in list.lines().filter(|path| !is_exempt(path)) {
        let Ok(text) = fs::read_to_string(root().join(path)) else {
            continue;
        };
        found.extend(
            phrases(&text)
                .into_iter()
                .map(|(line, phrase, instead)| format!("{path}:{line}: `{phrase}`: write `{instead}`")),
        );
    }
    if found.is_empty() {
        return Ok(());
    }
    Err(Failed::new(found.join("\n  ")))
}

fn is_exempt(path: &str) -> bool {
    let name = Path::new(path)
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    EXEMPT
        .iter()
        .any(|exempt| path.starts_with(exempt) || name.starts_with(exempt))
}

/// The banned phrases of a text, each with its line.
fn phrases(text: &str) -> Vec<(usize, &'static str, &'static str)> {
    let words = words(text);
    let is = |index: usize, word: &str| words.get(index).is_some_and(|(_, found)| found == word);
    let mut found = Vec::new();
    for (index, (line, _)) in words.iter().enumerate() {
        for (phrase, instead) in BANNED {
            let parts: Vec<&str> = phrase.split(' ').collect();
            let here = parts
                .iter()
                .enumerate()
                .all(|(offset, part)| is(index + offset, part));
            let usual = (phrase.ends_with(" no") || phrase.ends_with(" over"))
                && (BEFORE.iter().any(|word| index > 0 && is(index - 1, word))
                    || AFTER.iter().any(|word| is(index + parts.len(), word)));
            if here && !usual {
                found.push((*line, phrase, instead));
            }
        }
    }
    found
}

/// The words in lower case with their lines. A name such as `renewal_waiters` is one word.
fn words(text: &str) -> Vec<(usize, String)> {
    let mut words = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line_words = line.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '\''));
        let line_words = line_words
            .map(|word| word.trim_matches('\''))
            .filter(|word| !word.is_empty());
        words.extend(line_words.map(|word| (index + 1, word.to_ascii_lowercase())));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::phrases;

    fn found(text: &str) -> Vec<&'static str> {
        phrases(text).into_iter().map(|(_, phrase, _)| phrase).collect()
    }

    #[test]
    fn phrase_is_found_across_lines_and_cases() {
        assert_eq!(found("/// This is\n/// no URL. Mend it"), ["is no", "mend"]);
        assert_eq!(phrases("a\nmend")[0].0, 2);
    }

    #[test]
    fn usual_english_is_left_alone() {
        assert!(found("There is no token; it is no longer valid, and renewal_waiters amends it.").is_empty());
    }
}
