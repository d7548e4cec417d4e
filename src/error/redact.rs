//! Removes secrets and personal data from foreign text. Some servers quote what they were sent, and each escapes it in its
//! own way.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::Value;
use url::form_urlencoded;
use zeroize::{Zeroize, Zeroizing};

use crate::foreign_json::plain;

use super::beginning::cut;
use super::names::{is_personal_name, is_secret_in_response, is_secret_name};
use super::normal::{Form, Layer, is_invisible, layers};
use super::patterns;

pub(super) const REDACTED: &str = "[redacted]";

/// The longest foreign text that is kept, in bytes.
const LIMIT: usize = 300;

/// How much of a foreign text is searched, in bytes.
const LOOKED_AT: usize = 32 * 1024;

/// How much is dropped at the end of a truncated text, because a secret that begins there is not recognized.
const CUT_MARGIN: usize = 4 * 1024;

/// The number of letters and digits from which a text is removed wherever it stands. A shorter one is removed only as a
/// whole word.
const DISTINCTIVE: usize = 4;

/// How many leading letters and digits identify a long secret, because servers and size limits truncate.
const BEGINNING: usize = 12;

/// How many levels of JSON inside JSON strings are read.
const NESTED_JSON: usize = 6;

/// Knows what a request carried, and removes it from the response's text. Its copies are wiped from memory on drop.
#[derive(Default)]
pub(crate) struct Redactor {
    needles: Vec<Needle>,
}

/// The characters by which a secret is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compared {
    /// All but white space.
    Tight,
    /// Letters and digits.
    Loose,
    /// ASCII's letters and digits.
    Ascii,
}

/// One form of one secret.
struct Needle {
    text: Zeroizing<String>,
    form: Compared,
    whole_word: bool,
    /// It is part of a longer encoded run, all of which is removed.
    encoded: bool,
}

impl Redactor {
    /// Collects what a request carried: its bearer token, headers that are marked as sensitive or named like a secret, and
    /// the secrets and personal data in its query and body, found by name.
    pub(crate) fn for_request(request: &reqwest::Request) -> Self {
        let mut redactor = Self::default();
        for (name, value) in request.headers() {
            if value.is_sensitive() || is_secret_name(name.as_str()) {
                redactor.add_header(&String::from_utf8_lossy(value.as_bytes()));
            }
        }
        for (name, value) in request.url().query_pairs() {
            redactor.add_named(&name, &value);
        }
        if let Some(body) = request.body().and_then(reqwest::Body::as_bytes) {
            match serde_json::from_slice::<Value>(body) {
                Ok(mut value) => {
                    redactor.collect(&value, Sensitivity::None, NESTED_JSON);
                    wipe(&mut value);
                }
                Err(_) => {
                    for (name, value) in form_urlencoded::parse(body) {
                        redactor.add_named(&name, &value);
                    }
                }
            }
        }
        redactor
    }

    /// A whole header, and each part of it that can stand alone: the text after a scheme, and the values of cookies.
    fn add_header(&mut self, value: &str) {
        self.add(value);
        for part in value.split([' ', ';', ',']) {
            let part = part.split_once('=').map_or(part, |(_, value)| value);
            if part.len() >= DISTINCTIVE && !["Bearer", "Basic", "Digest"].contains(&part) {
                self.add(part.trim_matches('"'));
            }
        }
        if let Some(basic) = value.strip_prefix("Basic ")
            && let Ok(pair) = STANDARD_NO_PAD.decode(basic.trim_end_matches('='))
            && let Ok(pair) = str::from_utf8(&Zeroizing::new(pair))
            && let Some((_, password)) = pair.split_once(':')
        {
            self.add(password);
        }
    }

    fn add_named(&mut self, name: &str, value: &str) {
        if is_secret_name(name) {
            self.add(value);
        } else if is_personal_name(name) {
            self.add_personal(value);
        }
    }

    fn collect(&mut self, value: &Value, inherited: Sensitivity, depth: usize) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let named = if is_secret_name(name) {
                        Sensitivity::Secret
                    } else if is_personal_name(name) {
                        Sensitivity::Personal
                    } else {
                        Sensitivity::None
                    };
                    self.collect(value, named.max(inherited), depth);
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.collect(item, inherited, depth);
                }
            }
            Value::String(text) => {
                match inherited {
                    Sensitivity::Secret => self.add(text),
                    Sensitivity::Personal => self.add_personal(text),
                    Sensitivity::None => {}
                }
                if let Some(mut nested) = nested_json(text, depth) {
                    self.collect(&nested, inherited, depth - 1);
                    wipe(&mut nested);
                }
            }
            Value::Number(number) => match inherited {
                Sensitivity::Secret => self.add(&Zeroizing::new(number.to_string())),
                Sensitivity::Personal => self.add_personal(&Zeroizing::new(number.to_string())),
                Sensitivity::None => {}
            },
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// Adds a secret to remove, in every form that a server may write it in.
    pub(crate) fn add(&mut self, secret: &str) {
        self.add_forms(secret, DISTINCTIVE);
        if secret.len() < DISTINCTIVE {
            return;
        }
        // The Base64 of a longer text holds the secret at one of three offsets. The characters at either end depend on its
        // neighbours.
        for offset in 0..3 {
            let mut bytes = Zeroizing::new(vec![0; offset]);
            bytes.extend_from_slice(secret.as_bytes());
            let encoded = Zeroizing::new(STANDARD_NO_PAD.encode(&*bytes));
            let end = encoded.len() - usize::from(bytes.len() % 3 != 0);
            let inner = encoded.get([0, 2, 3][offset]..end).unwrap_or_default();
            self.add_encoded(inner, if offset == 0 { 5 } else { 8 });
        }
        let digits = |byte: u8| [byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16));
        let hexadecimal: Zeroizing<String> =
            Zeroizing::new(secret.bytes().flat_map(digits).flatten().collect());
        self.add_encoded(&hexadecimal, 8);
        // A list of bytes: `[112, 97, 115]`.
        let numbers = secret.bytes().map(|byte| byte.to_string());
        let numbers: Zeroizing<String> = Zeroizing::new(numbers.collect());
        self.add_encoded(&numbers, 10);
    }

    /// Adds personal data to remove, as whole words only, because names are parts of ordinary words.
    fn add_personal(&mut self, text: &str) {
        self.add_forms(text, usize::MAX);
    }

    fn add_forms(&mut self, secret: &str, distinctive: usize) {
        for layer in layers(secret) {
            let mut text = layer.loose().text;
            let loose_length = text.len();
            let loose = text.chars().count() >= DISTINCTIVE;
            if !loose {
                text = layer.tight().text;
            }
            self.push(Needle {
                whole_word: text.chars().count() < distinctive,
                text,
                form: if loose { Compared::Loose } else { Compared::Tight },
                encoded: false,
            });
            let ascii = layer.ascii().text;
            if ascii.len() > DISTINCTIVE && ascii.len() < loose_length {
                self.push(Needle {
                    whole_word: ascii.len() < distinctive,
                    text: ascii,
                    form: Compared::Ascii,
                    encoded: false,
                });
            }
        }
    }

    fn add_encoded(&mut self, text: &str, distinctive: usize) {
        let text: Zeroizing<String> = Zeroizing::new(plain(text).collect());
        if text.len() >= distinctive {
            self.push(Needle {
                text,
                form: Compared::Loose,
                whole_word: false,
                encoded: true,
            });
        }
    }

    fn push(&mut self, needle: Needle) {
        let known = |known: &Needle| *known.text == *needle.text && known.form == needle.form;
        if !needle.text.is_empty() && !self.needles.iter().any(known) {
            self.needles.push(needle);
        }
    }

    /// The text on one line, truncated, without secrets, personal data and invisible characters.
    pub(crate) fn clean(&self, text: &str) -> String {
        let quoted = match nested_json(text, NESTED_JSON) {
            Some(mut value) => {
                let hidden = hide_named(&mut value, NESTED_JSON);
                let quoted = hidden.then(|| Zeroizing::new(value.to_string()));
                wipe(&mut value);
                quoted
            }
            None => None,
        };
        let text = quoted.as_ref().map_or(text, |quoted| quoted.as_str());
        let looked_at = cut(text, LOOKED_AT);
        let hidden = self.hidden(looked_at);
        let end = if looked_at.len() < text.len() {
            looked_at.len() - CUT_MARGIN
        } else {
            looked_at.len()
        };
        line(looked_at, &hidden, end)
    }

    /// The places in a text to remove, sorted and without overlaps.
    fn hidden(&self, text: &str) -> Vec<(usize, usize)> {
        let mut places = Vec::new();
        for layer in layers(text) {
            let (loose, tight, ascii) = (layer.loose(), layer.tight(), layer.ascii());
            for needle in &self.needles {
                find(
                    needle,
                    &layer,
                    match needle.form {
                        Compared::Loose => &loose,
                        Compared::Tight => &tight,
                        Compared::Ascii => &ascii,
                    },
                    text,
                    &mut places,
                );
            }
            patterns::find(&layer, &mut places);
        }
        places.sort_unstable();
        places.dedup_by(|next, first| {
            let overlap = next.0 <= first.1;
            if overlap {
                first.1 = first.1.max(next.1);
            }
            overlap
        });
        places
    }
}

/// What a field's name says about its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sensitivity {
    None,
    Personal,
    Secret,
}

/// The places of a secret in a text.
fn find(needle: &Needle, layer: &Layer, form: &Form, text: &str, places: &mut Vec<(usize, usize)>) {
    let known_by = needle
        .text
        .char_indices()
        .nth(BEGINNING)
        .map_or(needle.text.len(), |(at, _)| at);
    let mut from = 0;
    while let Some(found) = form
        .text
        .get(from..)
        .and_then(|rest| rest.find(&needle.text[..known_by]))
    {
        let start = from + found;
        let common = form.text[start..].chars().zip(needle.text.chars());
        let length: usize = common
            .take_while(|(a, b)| a == b)
            .map(|(a, _)| a.len_utf8())
            .sum();
        from = start + length.max(1);
        if needle.whole_word && !layer.is_whole_word(form, start, start + length) {
            continue;
        }
        let (mut first, mut last) = layer.place(form, start, start + length);
        if needle.encoded {
            let in_run = |c: char| c.is_ascii_alphanumeric() || "+/-_=%\\".contains(c);
            first -= text[..first].chars().rev().take_while(|c| in_run(*c)).count();
            last += text[last..].chars().take_while(|c| in_run(*c)).count();
        }
        places.push((first, last));
    }
}

/// The text on one line, truncated. Hidden places are marked.
fn line(text: &str, hidden: &[(usize, usize)], end: usize) -> String {
    let mut line = String::new();
    let mut hidden = hidden.iter().copied().peekable();
    let mut skip_to = 0;
    for (at, c) in text.char_indices() {
        while let Some((_, to)) = hidden.next_if(|(from, _)| *from <= at) {
            if skip_to < to {
                skip_to = to;
                line.push_str(REDACTED);
            }
        }
        if at >= end || line.len() > LIMIT {
            line.truncate(cut(&line, LIMIT).len());
            line.push('…');
            return line;
        }
        if at < skip_to || is_invisible(c) && !c.is_whitespace() {
            continue;
        }
        if c.is_whitespace() || c.is_control() {
            if !line.is_empty() && !line.ends_with(' ') {
                line.push(' ');
            }
        } else {
            line.push(c);
        }
    }
    line.truncate(line.trim_end().len());
    if line.len() > LIMIT {
        line.truncate(cut(&line, LIMIT).len());
        line.push('…');
    }
    line
}

/// The JSON in a text. A longer text is cut before its end, and what is left is not JSON.
pub(super) fn nested_json(text: &str, depth: usize) -> Option<Value> {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let is_candidate = depth > 0 && text.len() <= LOOKED_AT && text.starts_with(['{', '[', '"']);
    is_candidate.then(|| serde_json::from_str(text).ok()).flatten()
}

/// Hides the values that a server sent under a secret's name, and returns whether there were any.
fn hide_named(value: &mut Value, depth: usize) -> bool {
    let mut hidden = false;
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if is_secret_in_response(name) && !matches!(value, Value::Null | Value::Bool(_)) {
                    wipe(value);
                    *value = REDACTED.into();
                    hidden = true;
                } else {
                    hidden |= hide_named(value, depth);
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                hidden |= hide_named(item, depth);
            }
        }
        Value::String(text) => {
            if let Some(mut nested) = nested_json(text, depth) {
                if hide_named(&mut nested, depth - 1) {
                    text.zeroize();
                    *text = nested.to_string();
                    hidden = true;
                }
                wipe(&mut nested);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    hidden
}

/// Wipes a value's texts from memory.
pub(super) fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(fields) => fields.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
#[path = "redact_tests.rs"]
mod tests;
