//! Takes secrets out of text that a server sent: some servers quote what they were sent.

use serde_json::Value;
use url::form_urlencoded;

use crate::operation::SECRET_FIELDS;

const REDACTED: &str = "[redacted]";

/// How much of a server's text is kept.
const LIMIT: usize = 300;

/// A shorter value is likely to be a part of ordinary words, and is no secret worth the name.
const SHORTEST_SECRET: usize = 4;

/// Knows the secrets that a request carried, and takes them out of the answer's text.
#[derive(Default)]
pub(crate) struct Redactor {
    secrets: Vec<String>,
}

impl Redactor {
    /// Collects what a request carried: its bearer token, headers that are marked as sensitive, a tracker key or other
    /// secret in its query, and the secret fields of its JSON body.
    pub(crate) fn for_request(request: &reqwest::Request) -> Self {
        let mut redactor = Self::default();
        if let Some(value) = request.headers().get(reqwest::header::AUTHORIZATION) {
            let value = value.to_str().unwrap_or_default();
            redactor.add(value.rsplit(' ').next().unwrap_or_default());
        }
        let sensitive = request.headers().values().filter(|value| value.is_sensitive());
        for value in sensitive {
            redactor.add(value.to_str().unwrap_or_default());
        }
        for (name, value) in request.url().query_pairs() {
            if SECRET_FIELDS.contains(&&*name) {
                redactor.add(&value);
            }
        }
        if let Some(body) = request.body().and_then(reqwest::Body::as_bytes)
            && let Ok(body) = serde_json::from_slice::<Value>(body)
        {
            redactor.collect(&body);
        }
        redactor
    }

    fn collect(&mut self, value: &Value) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    match value {
                        Value::String(text) if SECRET_FIELDS.contains(&name.as_str()) => self.add(text),
                        other => self.collect(other),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.collect(item)),
            _ => {}
        }
    }

    /// One more secret to take out: as it is, and as it stands in a request that is quoted whole.
    pub(crate) fn add(&mut self, secret: &str) {
        if secret.len() < SHORTEST_SECRET {
            return;
        }
        let in_json = Value::from(secret).to_string();
        let in_json = in_json
            .trim_start_matches('"')
            .strip_suffix('"')
            .unwrap_or(secret);
        let in_query: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        for form in [in_json, &in_query] {
            if form != secret {
                self.secrets.push(form.to_owned());
            }
        }
        self.secrets.push(secret.to_owned());
        // The longest first: one that begins another would leave the rest of it behind.
        self.secrets
            .sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
    }

    /// The text on one line, no longer than it helps, and without secrets.
    pub(crate) fn clean(&self, text: &str) -> String {
        let mut clean = text.to_owned();
        for secret in &self.secrets {
            clean = clean.replace(secret.as_str(), REDACTED);
        }
        let mut line = String::new();
        for word in clean
            .split(|c: char| c.is_whitespace() || c.is_control())
            .filter(|word| !word.is_empty())
        {
            let word = if looks_like_token(word) { REDACTED } else { word };
            if line.len() + word.len() > LIMIT {
                line.extend(word.chars().take(LIMIT.saturating_sub(line.len())));
                line.push('…');
                break;
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        line
    }
}

/// A JWT or JWE begins with the Base64 of `{"`, and nothing else that a server says does.
fn looks_like_token(word: &str) -> bool {
    word.find("eyJ").is_some_and(|start| word.len() - start >= 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_request_carried_is_taken_out_of_the_answer() {
        let mut marked = reqwest::header::HeaderValue::from_static("fake-header");
        marked.set_sensitive(true);
        let request = reqwest::Client::new()
            .post("http://127.0.0.1/?q=1&token=fake-tracker")
            .header("x-own-key", marked)
            .bearer_auth("fake-bearer")
            .json(&serde_json::json!({ "password": "hunter22", "deep": [{ "apiKey": "fake-key" }], "email": "a@b.example" }))
            .build()
            .unwrap();
        let text = "a@b.example:\nhunter22 with fake-key, fake-tracker, fake-header and fake-bearer or eyJhbGciOiJub25lIn0.e30.";
        let clean = Redactor::for_request(&request).clean(text);
        assert_eq!(
            clean,
            "a@b.example: [redacted] with [redacted], [redacted], [redacted] and [redacted] or [redacted]"
        );
    }

    #[test]
    fn a_secret_is_known_in_its_escaped_forms() {
        let mut redactor = Redactor::default();
        redactor.add(r#"pass"word\1"#);
        let text = format!(
            r#"{{"password":"pass\"word\\1"}} pass%22word%5C1 {}"#,
            r#"pass"word\1"#
        );
        assert_eq!(
            redactor.clean(&text),
            r#"{"password":"[redacted]"} [redacted] [redacted]"#
        );
    }

    #[test]
    fn a_token_longer_than_what_is_kept_is_no_excerpt() {
        let token = format!("eyJ{}", "A".repeat(2 * LIMIT));
        for text in [
            token.clone(),
            format!("{{\"token\":\"{token}\"}}"),
            format!("said {token}"),
        ] {
            let clean = Redactor::default().clean(&text);
            assert!(!clean.contains("eyJ") && clean.ends_with(REDACTED), "{clean}");
        }
    }

    #[test]
    fn a_secret_is_taken_out_in_the_spelling_of_json_and_whole_where_another_begins_it() {
        let request = reqwest::Client::new()
            .post("http://127.0.0.1/")
            .json(&serde_json::json!({ "apiKey": "fake", "password": "fake\"pass\\word" }))
            .build()
            .unwrap();
        let redactor = Redactor::for_request(&request);
        assert_eq!(redactor.clean(r#"no fake"pass\word"#), "no [redacted]");
        assert_eq!(
            redactor.clean(r#"{"seen":"fake\"pass\\word"}"#),
            r#"{"seen":"[redacted]"}"#
        );
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        let clean = Redactor::default().clean(&"ż".repeat(1000));
        assert!(clean.len() <= 2 * LIMIT + 3 && clean.ends_with('…'));
    }
}
