//! Mutated documents, overlays and selections through the whole pipeline: each is a result or a one-line failure.
//!
//! An ordinary test runs a fixed number of rounds from a fixed start. With `XTASK_FUZZ_SECONDS` set, a run takes that
//! long from another start: `XTASK_FUZZ_SECONDS=600 cargo test --package xtask --bin xtask fuzz`. `XTASK_FUZZ_START` repeats
//! one round.

use std::panic::{self, AssertUnwindSafe};
use std::time::Duration;

use serde_json::{Value, json};

use super::pipeline::{self, Rules, Upstream};
use super::{build_script, compare, parse};

const DOCUMENT: &str = include_str!("../../tests/fixtures/seed/document.json");
const OVERLAY: &str = include_str!("../../tests/fixtures/seed/overlay.yaml");
const SELECTION: &str = include_str!("../../tests/fixtures/seed/selection.toml");

const ROUNDS: u32 = 250;

/// A small generator of pseudo-random numbers (xorshift): a failure is repeated by its start.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap_or_default()
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// Calls `round` with one start after the other.
#[expect(
    clippy::disallowed_methods,
    reason = "how long a run by hand lasts; nothing decides by it"
)]
fn rounds(mut round: impl FnMut(&mut Random)) {
    let seconds = std::env::var("XTASK_FUZZ_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok());
    let begin = std::time::Instant::now();
    let offset = seconds.map_or(0, |_| u64::from(std::process::id()) << 32);
    // A round that takes all the memory ends the process: its start is the last one that was printed.
    let repeat: Option<u64> = std::env::var("XTASK_FUZZ_START")
        .ok()
        .and_then(|text| text.parse().ok());
    if let Some(start) = repeat {
        return round(&mut Random(start));
    }
    let mut count = 0_u32;
    loop {
        let more = seconds.map_or(count < ROUNDS, |seconds| {
            begin.elapsed() < Duration::from_secs(seconds)
        });
        if !more {
            break;
        }
        count += 1;
        let start = offset + u64::from(count) * 0x9E37_79B9 + 1;
        if seconds.is_some() {
            eprintln!("start {start}");
        }
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| round(&mut Random(start))));
        assert!(
            outcome.is_ok(),
            "it panicked in the round that starts with {start}"
        );
    }
    if seconds.is_some() {
        eprintln!("{count} rounds");
    }
}

/// Values and keys that mean something to some stage.
fn odd_values() -> Vec<Value> {
    vec![
        json!(null),
        json!(true),
        json!(-1),
        json!(1e300),
        json!(""),
        json!("a\u{200b}b"),
        json!("#/components/schemas/Item"),
        json!({"$ref": "#/components/schemas/Item"}),
        json!({"$ref": "#/components/schemas/Mode"}),
        json!({"type": "string", "enum": ["a-b", "a_b", "", "Unknown"]}),
        json!({"type": "object", "nullable": true, "allOf": [{"$ref": "#/components/schemas/Mode"}]}),
        json!({"anyOf": [{"type": "string", "enum": ["x"]}, {"type": "string"}], "x-open": true}),
        json!({"oneOf": [{"type": "string"}, {"type": "null"}]}),
        json!([]),
        json!({}),
        json!(["get", "object", "object"]),
    ]
}

const ODD_KEYS: [&str; 14] = [
    "type",
    "enum",
    "allOf",
    "anyOf",
    "oneOf",
    "$ref",
    "nullable",
    "items",
    "properties",
    "required",
    "default",
    "Self",
    "x-open",
    "a-b",
];

/// Changes the value somewhere: another value, a key more or less, a part of it in place of another.
fn mutate(value: &mut Value, random: &mut Random) {
    let mut pointers = Vec::new();
    collect(value, &mut String::new(), &mut pointers);
    let donor = value
        .pointer(random.pick::<String>(&pointers))
        .cloned()
        .unwrap_or_default();
    let target = random.pick::<String>(&pointers).clone();
    let Some(target) = value.pointer_mut(&target) else {
        return;
    };
    match (random.below(5), target) {
        (0, target) => *target = random.pick(&odd_values()).clone(),
        (1, target) => *target = donor,
        (2, Value::Object(members)) => {
            let key = members.keys().nth(random.below(members.len())).cloned();
            key.map(|key| members.shift_remove(&key));
        }
        (2, Value::Array(items)) if !items.is_empty() => drop(items.remove(random.below(items.len()))),
        (3, Value::Object(members)) => {
            members.insert(
                ODD_KEYS[random.below(ODD_KEYS.len())].to_owned(),
                random.pick(&odd_values()).clone(),
            );
        }
        (3, Value::Array(items)) => items.push(donor),
        (_, Value::Object(members)) => {
            members.insert(ODD_KEYS[random.below(ODD_KEYS.len())].to_owned(), donor);
        }
        (_, Value::String(text)) => {
            const ODD: [&str; 7] = ["x", "-", "\u{0}", "\u{202e}", "é", "/", "}"];
            text.push_str(ODD[random.below(ODD.len())]);
        }
        _ => {}
    }
}

fn collect(value: &Value, pointer: &mut String, found: &mut Vec<String>) {
    found.push(pointer.clone());
    let members: Vec<(String, &Value)> = match value {
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| (index.to_string(), item))
            .collect(),
        _ => return,
    };
    for (key, value) in members {
        let length = pointer.len();
        pointer.push('/');
        pointer.push_str(&key);
        collect(value, pointer, found);
        pointer.truncate(length);
    }
}

fn has_several_parts(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.iter().any(|(key, value)| {
            (key == "allOf" && value.as_array().is_some_and(|parts| parts.len() > 1))
                || has_several_parts(value)
        }),
        Value::Array(items) => items.iter().any(has_several_parts),
        _ => false,
    }
}

/// Changes bytes of the text.
fn garble(text: &str, random: &mut Random) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        match random.below(4) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, u8::try_from(random.below(256)).unwrap_or_default()),
            2 => drop(bytes.drain(at..(at + random.below(40)).min(bytes.len()))),
            _ => bytes[at] = *random.pick(b"{}[]:,#&*'\"\\\n\t 0z\xff"),
        }
        if bytes.is_empty() {
            break;
        }
    }
    bytes
}

fn through(selection: Vec<u8>, overlay: Vec<u8>, document: Vec<u8>) -> Option<Vec<u8>> {
    let rules = Rules::parse(selection, overlay).ok()?;
    let upstream = [Upstream {
        name: "service".to_owned(),
        bytes: document,
    }];
    let outcome = pipeline::run(&rules, &upstream).ok()?;
    let again = pipeline::run(&rules, &upstream).map(|outcome| outcome.result);
    assert_eq!(
        again.ok().as_ref(),
        Some(&outcome.result),
        "another result from the same sources"
    );
    Some(outcome.result)
}

#[test]
fn fuzz_documents_are_taken_or_refused() {
    let seed = parse::bytes(DOCUMENT.as_bytes()).expect("the seed is a document");
    let good = through(SELECTION.into(), OVERLAY.into(), DOCUMENT.into()).expect("the seed is taken");
    let good = parse::bytes(&good).expect("a document");
    rounds(|random| {
        let mut document = seed.clone();
        for _ in 0..=random.below(4) {
            mutate(&mut document, random);
        }
        let Some(result) = through(SELECTION.into(), OVERLAY.into(), document.to_string().into()) else {
            return;
        };
        let text = String::from_utf8(result).expect("a result is text");
        let result = parse::bytes(text.as_bytes()).expect("a result can be read again");
        assert!(compare::compare(&result, &result).changes.is_empty(), "{text}");
        compare::compare(&good, &result);
        compare::compare(&result, &good);
        // typify ends on a part that holds its own type; `update-spec` runs it in a process of its own.
        if has_several_parts(&result) {
            return;
        }
        // It may refuse the document, but in words: progenitor's panics are caught inside.
        if let Ok(code) = build_script::generate(&text) {
            for code in &code {
                syn::parse_file(code).expect("generated code parses");
            }
        }
    });
}

#[test]
fn fuzz_overlays_are_taken_or_refused() {
    let seed = parse::bytes(OVERLAY.as_bytes()).expect("the seed is an overlay");
    rounds(|random| {
        let mut overlay = seed.clone();
        for _ in 0..=random.below(3) {
            mutate(&mut overlay, random);
        }
        through(SELECTION.into(), overlay.to_string().into(), DOCUMENT.into());
    });
}

#[test]
fn fuzz_bytes_are_taken_or_refused() {
    rounds(|random| {
        through(SELECTION.into(), OVERLAY.into(), garble(DOCUMENT, random));
        through(SELECTION.into(), garble(OVERLAY, random), DOCUMENT.into());
        through(garble(SELECTION, random), OVERLAY.into(), DOCUMENT.into());
        let _ = super::spec_lock::SpecLock::parse(&garble("format = 1\n[[source]]\nname = \"a\"\n", random));
    });
}
