//! What the project requires of its document beyond what the generator needs: evidence, consumers, idempotence, secrets.

use serde_json::{Map, Value};

use crate::openapi::failure::Result;
use crate::openapi::grammar::{self, Kind, operations};
use crate::openapi::sanitize::SECRETS;

const CONSUMERS: [&str; 7] = [
    "none",
    "workspace",
    "profile",
    "anonymous",
    "user",
    "user-in-workspace",
    "organization",
];

/// What a 403 can refuse.
const FORBIDDEN: [&str; 4] = ["consumer", "old-password", "password-or-token", "sent-token"];

/// Reports what the document must say and does not.
pub(super) fn check(document: &mut Value, problems: &mut Vec<String>) -> Result<()> {
    let snapshot = document.clone();
    for (path, method, operation) in operations(&snapshot) {
        let name = format!("{} {path}", method.to_ascii_uppercase());
        for problem in operation_problems(&snapshot, operation) {
            problems.push(format!("{name}: {problem}; say it in the overlay"));
        }
    }
    schemas(document, problems)
}

fn operation_problems(document: &Value, operation: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let text = |key: &str| operation.get(key).and_then(Value::as_str).unwrap_or_default();
    if !["stated", "observed", "inferred"].contains(&text("x-evidence")) {
        problems.push("`x-evidence` must be `stated`, `observed` or `inferred`".to_owned());
    }
    for key in ["x-source", "summary", "description"] {
        if text(key).trim().is_empty() {
            problems.push(format!("`{key}` is missing"));
        }
    }
    if !operation.get("x-idempotent").is_some_and(Value::is_boolean) {
        problems.push("`x-idempotent` must be true or false".to_owned());
    }
    if let Some(once) = operation.get("x-send-once") {
        if !once.is_boolean() {
            problems.push("`x-send-once` must be true or false".to_owned());
        } else if *once == true && operation.get("x-idempotent") == Some(&Value::Bool(true)) {
            problems.push("`x-send-once` and `x-idempotent` contradict each other".to_owned());
        }
    }
    if let Some(refused) = operation.get("x-unauthorized")
        && !["token", "consumer", "credentials"]
            .map(Value::from)
            .contains(refused)
    {
        problems.push("`x-unauthorized` must be `token`, `consumer` or `credentials`".to_owned());
    }
    if let Some(refused) = operation.get("x-forbidden")
        && !FORBIDDEN.map(Value::from).contains(refused)
    {
        problems.push(format!("`x-forbidden` must be one of {}", FORBIDDEN.join(", ")));
    }
    let consumers: Option<Vec<&str>> = operation
        .get("x-consumers")
        .and_then(Value::as_array)
        .map(|list| {
            list.iter()
                .map(|consumer| consumer.as_str().unwrap_or_default())
                .collect()
        });
    match &consumers {
        Some(list) if !list.is_empty() && list.iter().all(|consumer| CONSUMERS.contains(consumer)) => {}
        _ => problems.push(format!(
            "`x-consumers` must be a list out of {}",
            CONSUMERS.join(", ")
        )),
    }
    match operation.get("security").and_then(Value::as_array) {
        None => problems.push("`security` is missing (`[]` says that none is needed)".to_owned()),
        Some(security) => {
            let accepts_basic = security.iter().any(|one| one.get("basicAuth").is_some());
            let graded = ["stated", "observed", "inferred"].contains(&text("x-basic-evidence"));
            if accepts_basic && !graded {
                problems.push(
                    "`basicAuth` needs an `x-basic-evidence`: `stated`, `observed` or `inferred`".to_owned(),
                );
            } else if !accepts_basic && operation.get("x-basic-evidence").is_some() {
                problems.push("`x-basic-evidence` is there without `basicAuth`".to_owned());
            }
            let open = security.is_empty()
                || security
                    .iter()
                    .any(|one| one.as_object().is_some_and(Map::is_empty));
            if consumers.is_some_and(|list| list.contains(&"none") != open) {
                problems.push("`security` and `x-consumers` disagree about calls without a token".to_owned());
            }
            let schemes = document.pointer("/components/securitySchemes");
            for scheme in security.iter().filter_map(Value::as_object).flat_map(Map::keys) {
                if schemes.and_then(|schemes| schemes.get(scheme)).is_none() {
                    problems.push(format!(
                        "the security scheme `{}` is not declared",
                        scheme.escape_debug()
                    ));
                }
            }
        }
    }
    let statuses = operation.get("responses").and_then(Value::as_object);
    for range in ["4XX", "5XX"] {
        if !statuses.is_some_and(|statuses| statuses.contains_key(range)) {
            problems.push(format!("the answer `{range}` is missing"));
        }
    }
    problems
}

/// The units that the crate can convert.
const UNITS: [&str; 2] = ["seconds", "milliseconds"];

/// A secret that is a plain string would be printed by the generated `Debug`; a unit that is not known would be ignored.
fn schemas(document: &mut Value, problems: &mut Vec<String>) -> Result<()> {
    let mut visit = |kind: Kind, pointer: &str, object: &mut Map<String, Value>| -> Result<()> {
        if let Some(unit) = object.get("x-unit")
            && !UNITS.iter().any(|known| unit == known)
        {
            problems.push(format!("{pointer}: `x-unit` must be one of {}", UNITS.join(", ")));
        }
        let properties = (kind == Kind::Schema).then(|| object.get("properties")).flatten();
        for (name, schema) in properties.and_then(Value::as_object).into_iter().flatten() {
            if SECRETS.contains(&name.as_str())
                && schema.get("format").and_then(Value::as_str) != Some("password")
            {
                problems.push(format!(
                    "{pointer}/properties/{name}: a secret must be `format: password`; say it in the overlay"
                ));
            }
        }
        Ok(())
    };
    grammar::walk(document, Kind::Document, "", &mut visit)
}
