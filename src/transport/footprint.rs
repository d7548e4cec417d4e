//! Decides from a body's bytes how much memory its JSON can take, before any of it is parsed.
//!
//! `[0,0,0]` takes more than ten times its length once it is a list of values. The limit for a body would limit little if
//! parsing could multiply it.

/// What a value takes at most, in bytes, in addition to its text: as an element of a growing list, as an entry of a map, or
/// as a generated type with many empty fields.
const PER_VALUE: usize = 128;

/// What an object takes in addition, counted in values: a map has room for several entries as soon as it has one.
const PER_OBJECT: usize = 5;

/// Whether a body and what it becomes when it is parsed as JSON take no more than `memory`, in bytes.
///
/// Text is counted twice, as it is copied. Every comma, colon and bracket counts as a value, also one inside of a text,
/// which may be JSON in JSON.
pub(super) fn is_affordable(body: &[u8], memory: usize) -> bool {
    let budget = memory.saturating_sub(body.len().saturating_mul(2)) / PER_VALUE;
    // Most bodies are so short that nothing needs to be counted.
    body.len() <= budget / PER_OBJECT || {
        let values = body.iter().map(|byte| match byte {
            b'{' => PER_OBJECT,
            b',' | b':' | b'[' => 1,
            _ => 0,
        });
        values.sum::<usize>() <= budget
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 1024 * 1024;
    const MEMORY: usize = 2 * LIMIT;

    #[test]
    fn values_count_and_not_the_length_alone() {
        let long = format!(r#"{{"token":"{}"}}"#, "x".repeat(LIMIT - 4096));
        assert!(is_affordable(long.as_bytes(), MEMORY));
        let list = |count: usize| format!("[{}0]", "0,".repeat(count));
        assert!(is_affordable(list(10_000).as_bytes(), MEMORY));
        assert!(!is_affordable(list(20_000).as_bytes(), MEMORY));
        assert!(!is_affordable("{}".repeat(20_000).as_bytes(), MEMORY));
        assert!(!is_affordable("[".repeat(20_000).as_bytes(), MEMORY));
        let nested = serde_json::to_string(&list(20_000)).unwrap();
        assert!(!is_affordable(nested.as_bytes(), MEMORY));
        assert!(is_affordable(b"", 0));
        assert!(!is_affordable(b"{}", 4));
    }
}
