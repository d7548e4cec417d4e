//! What progenitor 0.15 cannot take, found before it panics, with the operation and the remedy.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::openapi::grammar::operations;
use crate::openapi::reference::resolved;

/// What the generator can't take of a document's operations.
pub(super) fn check(document: &Value, problems: &mut Vec<String>) {
    let mut ids: BTreeMap<String, String> = BTreeMap::new();
    for (path, method, operation) in operations(document) {
        let name = format!("{} {path}", method.to_ascii_uppercase());
        let mut check = Operation {
            document,
            name: &name,
            about: operation,
            problems,
        };
        check.id(&mut ids);
        check.path(path);
        check.parameters(path);
        check.body();
        check.responses();
    }
}

struct Operation<'a> {
    document: &'a Value,
    name: &'a str,
    about: &'a Value,
    problems: &'a mut Vec<String>,
}

impl<'a> Operation<'a> {
    fn problem(&mut self, text: impl AsRef<str>) {
        self.problems.push(format!("{}: {}", self.name, text.as_ref()));
    }

    fn id(&mut self, ids: &mut BTreeMap<String, String>) {
        let Some(id) = self.about.get("operationId").and_then(Value::as_str) else {
            return self.problem("it has no `operationId`; add one in the overlay");
        };
        let shaped =
            id.starts_with(|c: char| c.is_ascii_lowercase()) && id.bytes().all(|b| b.is_ascii_alphanumeric());
        if !shaped || id.len() > 64 {
            let id = id.escape_debug();
            return self.problem(format!(
                "`operationId: {id}` is not a camelCase name; name it in the overlay"
            ));
        }
        // Two ids that differ only in case become one function.
        if let Some(other) = ids.insert(id.to_ascii_lowercase(), self.name.to_owned()) {
            self.problem(format!(
                "`operationId: {id}` is that of {other} too; rename one in the overlay"
            ));
        }
    }

    fn path(&mut self, path: &str) {
        let plain = path
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"/{}._~-".contains(&b));
        if !path.starts_with('/') || !plain {
            self.problem("the path holds characters that a URL's path does not");
        }
    }

    fn parameters(&mut self, path: &str) {
        let document = self.document;
        let list = self
            .about
            .get("parameters")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let mut in_path = BTreeSet::new();
        for parameter in list.map(|parameter| resolved(document, parameter)) {
            let text = |key: &str| parameter.get(key).and_then(Value::as_str).unwrap_or_default();
            let name = text("name");
            let shown = name.escape_debug().to_string();
            if name.is_empty()
                || !name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
            {
                self.problem(format!(
                    "the parameter name `{shown}` is not a plain name; rename or remove it in the overlay"
                ));
            }
            match text("in") {
                "path" => {
                    in_path.insert(name.to_owned());
                    if parameter.get("required") != Some(&Value::Bool(true)) {
                        self.problem(format!(
                            "the path parameter `{shown}` is not `required: true`; fix it in the overlay"
                        ));
                    }
                }
                "header"
                    if name.eq_ignore_ascii_case("api-version")
                        || name.eq_ignore_ascii_case("authorization") =>
                {
                    self.problem(format!(
                        "the header parameter `{shown}` would be sent twice, because the client sends it itself; remove it in the overlay"
                    ));
                }
                "query" | "header" => {}
                "cookie" => self.problem(format!(
                    "the generator has no cookie parameters (`{shown}`); remove it in the overlay"
                )),
                _ => self.problem(format!(
                    "the parameter `{shown}` is neither in path, query nor header"
                )),
            }
            if text("style") == "deepObject" || parameter.get("content").is_some() {
                self.problem(format!(
                    "the generator has no parameters with `deepObject` or `content` (`{shown}`); say it with a plain schema in the overlay"
                ));
            } else if parameter.get("schema").is_none() {
                self.problem(format!(
                    "the parameter `{shown}` has no schema; add one in the overlay"
                ));
            }
        }
        let template: BTreeSet<String> = path
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split_once('}'))
            .map(|(name, _)| name.to_owned())
            .collect();
        for name in template.symmetric_difference(&in_path) {
            self.problem(format!(
                "the path and its parameters disagree about `{}`; fix it in the overlay",
                name.escape_debug()
            ));
        }
    }

    fn body(&mut self) {
        let Some(body) = self.about.get("requestBody") else {
            return;
        };
        let body = resolved(self.document, body);
        if body.get("required") != Some(&Value::Bool(true)) {
            self.problem(
                "the body is optional, which the generator ignores; set `required: true` in the overlay",
            );
        }
        match media_types(body)[..] {
            [("application/json", media)] if media.get("schema").is_some() => {}
            [("application/json", _)] => self.problem("the body has no schema; add one in the overlay"),
            [(other, _)] => {
                let other = other.escape_debug().to_string();
                self.problem(format!(
                    "the body is `{other}`, not `application/json`; fix it in the overlay"
                ));
            }
            [] => self.problem("the body has no content; add it in the overlay"),
            _ => self.problem("the body has two media types; keep one in the overlay"),
        }
    }

    fn responses(&mut self) {
        let document = self.document;
        let Some(responses) = self.about.get("responses").and_then(Value::as_object) else {
            return self.problem("it has no responses; add them in the overlay");
        };
        let mut success: Vec<(&str, Option<&Value>)> = Vec::new();
        let mut errors: Vec<(&str, Option<&Value>)> = Vec::new();
        for (status, response) in responses {
            let schema = self.response_schema(status, resolved(document, response));
            match status.as_bytes() {
                [b'2', ..] => success.push((status, schema)),
                [b'4' | b'5', ..] => errors.push((status, schema)),
                b"default" => self.problem(
                    "`default` is an answer of every kind; replace it by `4XX` and `5XX` (and a success) in the overlay",
                ),
                _ => {
                    let status = status.escape_debug().to_string();
                    self.problem(format!("the generator has no use for the status {status}; remove it in the overlay"));
                }
            }
        }
        if success.is_empty() {
            self.problem("no success is listed; add one in the overlay");
        }
        self.one_shape("success", &success, "keep one, or say `2XX`, in the overlay");
        self.one_shape(
            "error",
            &errors,
            "give every 4xx and 5xx the schema `ErrorBody` in the overlay",
        );
    }

    fn one_shape(&mut self, what: &str, answers: &[(&str, Option<&Value>)], remedy: &str) {
        let Some(((first, shape), others)) = answers.split_first() else {
            return;
        };
        for (status, other) in others {
            if other != shape {
                self.problem(format!(
                    "{what}: {first} and {status} differ in shape, and the generator takes only one; {remedy}"
                ));
                return;
            }
        }
    }

    fn response_schema(&mut self, status: &str, response: &'a Value) -> Option<&'a Value> {
        let error = status.starts_with(['4', '5']);
        match media_types(response)[..] {
            [] => None,
            [("application/json", media)] => {
                if media.get("schema").is_none() {
                    self.problem(format!("{status} is JSON without a schema, which the generator panics on; add one in the overlay"));
                }
                media.get("schema")
            }
            [(other, media)] => {
                if error || other.contains('*') || other.contains("json") {
                    let other = other.escape_debug().to_string();
                    self.problem(format!("{status} is `{other}`, which the generator leaves untyped; say `application/json` in the overlay"));
                }
                media.get("schema")
            }
            _ => {
                self.problem(format!("{status} has two media types; keep one in the overlay"));
                None
            }
        }
    }
}

fn media_types(owner: &Value) -> Vec<(&str, &Value)> {
    let content = owner.get("content").and_then(Value::as_object);
    content
        .into_iter()
        .flatten()
        .map(|(name, media)| (name.as_str(), media))
        .collect()
}
