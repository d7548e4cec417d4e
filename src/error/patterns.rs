//! Recognizes secrets and personal data by their looks, whoever sent them: tokens, e-mail addresses, phone numbers,
//! `password=…`.

use super::names::is_secret_in_response;
use super::normal::Layer;

/// A shorter run is an ordinary word.
const SHORTEST_TOKEN: usize = 16;

/// The fewest digits that a phone number has.
const PHONE_DIGITS: usize = 8;

/// The places in the original text.
pub(super) fn find(layer: &Layer, places: &mut Vec<(usize, usize)>) {
    let form = layer.exact();
    let text = form.text.as_str();
    let mut found = Vec::new();
    tokens(text, &mut found);
    after_schemes(text, &mut found);
    user_info(text, &mut found);
    addresses(text, &mut found);
    phones(text, &mut found);
    named_values(text, &mut found);
    places.extend(found.into_iter().map(|(from, to)| layer.place(&form, from, to)));
}

/// The number of bytes of this kind at the start.
fn run(text: &str, mut is_part: impl FnMut(char) -> bool) -> usize {
    text.find(|c| !is_part(c)).unwrap_or(text.len())
}

/// Like [`run`], backwards from the end.
fn run_back(text: &str, is_part: impl Fn(char) -> bool) -> usize {
    let end = text.char_indices().rev().find(|(_, c)| !is_part(*c));
    text.len() - end.map_or(0, |(at, c)| at + c.len_utf8())
}

/// A JWT or JWE begins with the Base64 of `{"`. Nothing else in a server's text does.
fn tokens(text: &str, found: &mut Vec<(usize, usize)>) {
    for (start, _) in text.match_indices("eyJ") {
        let length = run(&text[start..], |c| {
            c.is_ascii_alphanumeric() || "-_.=+/".contains(c)
        });
        if length >= SHORTEST_TOKEN {
            found.push((start, start + length));
        }
    }
}

/// The user name and password in a URL.
fn user_info(text: &str, found: &mut Vec<(usize, usize)>) {
    for (scheme, separator) in text.match_indices("://") {
        let start = scheme + separator.len();
        let length = run(&text[start..], |c| !c.is_whitespace() && !"/?#\"'<>".contains(c));
        if let Some(at) = text[start..start + length].rfind('@') {
            found.push((start, start + at));
        }
    }
}

/// A credential after `Bearer` or `Basic`.
fn after_schemes(text: &str, found: &mut Vec<(usize, usize)>) {
    let lower = text.to_ascii_lowercase();
    for scheme in ["bearer", "basic"] {
        for (start, _) in lower.match_indices(scheme) {
            let after = start + scheme.len();
            let blank = run(&text[after..], char::is_whitespace);
            let length = run(&text[after + blank..], |c| {
                c.is_ascii_alphanumeric() || "-._~+/=".contains(c)
            });
            if blank > 0 && length >= SHORTEST_TOKEN {
                found.push((after + blank, after + blank + length));
            }
        }
    }
}

fn addresses(text: &str, found: &mut Vec<(usize, usize)>) {
    for (at, _) in text.match_indices('@') {
        let local = run_back(&text[..at], |c| c.is_alphanumeric() || "._%+-".contains(c));
        let domain = &text[at + 1..];
        let domain = &domain[..run(domain, |c| c.is_alphanumeric() || ".-".contains(c))];
        let domain = domain.trim_end_matches(['.', '-']);
        if local > 0 && domain.contains('.') {
            found.push((at - local, at + 1 + domain.len()));
        }
    }
}

fn phones(text: &str, found: &mut Vec<(usize, usize)>) {
    for (start, _) in text.match_indices('+') {
        let rest = &text[start + 1..];
        let rest = &rest[..run(rest, |c| c.is_ascii_digit() || " ()-./\u{a0}".contains(c))];
        let rest = rest.trim_end_matches(|c: char| !c.is_ascii_digit());
        if rest.bytes().filter(u8::is_ascii_digit).count() >= PHONE_DIGITS {
            found.push((start, start + 1 + rest.len()));
        }
    }
}

/// `apiKey: "abc123"`, `token=abc123`. A value without a digit may be a word (`token: expired`).
fn named_values(text: &str, found: &mut Vec<(usize, usize)>) {
    const SHORTEST: usize = 6;
    for (at, _) in text.match_indices([':', '=']) {
        let before = text[..at].trim_end().trim_end_matches(['"', '\'']);
        let name =
            &before[before.len() - run_back(before, |c| c.is_ascii_alphanumeric() || "-_".contains(c))..];
        if !is_secret_in_response(name) {
            continue;
        }
        let after = text[at + 1..].trim_start().trim_start_matches(['"', '\'']);
        let start = text.len() - after.len();
        let length = run(after, |c| !(c.is_whitespace() || "\"'&,;}])<>".contains(c)));
        if length >= SHORTEST && after[..length].bytes().any(|byte| byte.is_ascii_digit()) {
            found.push((start, start + length));
        }
    }
}
