//! `overlay.yaml`: our corrections and additions, as `OpenAPI` Overlay 1.0 actions.

use serde_json::{Map, Value};
use serde_json_path::JsonPath;

use super::failure::{self, Result, fail};
use super::parse;

/// What the project requires of an action beyond the Overlay specification: its evidence.
const EVIDENCE: &str = "x-evidence";

/// One action of the overlay.
#[derive(Debug)]
pub(crate) struct Action {
    target: String,
    change: Change,
}

#[derive(Debug)]
enum Change {
    Update(Value),
    Remove,
}

/// Reads the overlay and checks that each action says why it exists and how we know.
pub(crate) fn parse(bytes: &[u8]) -> Result<Vec<Action>> {
    let overlay = parse::bytes(bytes).map_err(|failure| failure.within("overlay.yaml"))?;
    let version = overlay.get("overlay").and_then(Value::as_str).unwrap_or_default();
    if !version.starts_with("1.0.") {
        fail!("overlay.yaml: `overlay: {version}`: only OpenAPI Overlay 1.0 is understood");
    }
    let Some(list) = overlay.get("actions").and_then(Value::as_array) else {
        fail!("overlay.yaml: `actions` must be a list");
    };
    let mut problems = Vec::new();
    let mut actions = Vec::new();
    for (index, action) in list.iter().enumerate() {
        match self::action(action) {
            Ok(action) => actions.push(action),
            Err(problem) => problems.push(format!("action {} {problem}", index + 1)),
        }
    }
    failure::all("overlay.yaml", &problems)?;
    Ok(actions)
}

fn action(action: &Value) -> Result<Action, String> {
    let Some(members) = action.as_object() else {
        return Err("is not an object".to_owned());
    };
    let known = ["target", "description", "update", "remove", EVIDENCE];
    if let Some(unknown) = members.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(format!("has the unknown member `{unknown}`"));
    }
    let text = |key: &str| {
        members
            .get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.trim().is_empty())
    };
    let Some(target) = text("target") else {
        return Err("has no `target`".to_owned());
    };
    if text("description").is_none() {
        return Err(format!("({target}) does not say why: give it a `description`"));
    }
    if text(EVIDENCE).is_none() {
        return Err(format!(
            "({target}) does not say how we know: give it `{EVIDENCE}`"
        ));
    }
    let change = match (members.get("update"), members.get("remove")) {
        (Some(update), None) => Change::Update(update.clone()),
        (None, Some(Value::Bool(true))) => Change::Remove,
        _ => return Err(format!("({target}) must have either `update` or `remove: true`")),
    };
    Ok(Action {
        target: target.to_owned(),
        change,
    })
}

/// Applies the actions in order. One that matches nothing, or changes nothing, is an error, because it is no longer needed.
pub(crate) fn apply(document: &mut Value, actions: &[Action]) -> Result<()> {
    let mut problems = Vec::new();
    for (index, action) in actions.iter().enumerate() {
        if let Err(problem) = action.apply(document) {
            problems.push(format!("action {} ({}) {problem}", index + 1, action.target));
        }
    }
    failure::all("overlay.yaml", &problems)
}

impl Action {
    fn apply(&self, document: &mut Value) -> Result<(), String> {
        let path =
            JsonPath::parse(&self.target).map_err(|error| format!("has no valid JSONPath: {error}"))?;
        let mut pointers: Vec<String> = path
            .query_located(document)
            .locations()
            .map(serde_json_path::NormalizedPath::to_json_pointer)
            .collect();
        if pointers.is_empty() {
            return Err(
                "matches nothing: vendor fixed it? Then delete the action; otherwise fix its target"
                    .to_owned(),
            );
        }
        let before = document.clone();
        // From the last to the first, so that removing an item of a list does not move the next one.
        pointers.reverse();
        for pointer in &pointers {
            match &self.change {
                Change::Remove => remove(document, pointer)?,
                Change::Update(update) => match document.pointer_mut(pointer) {
                    Some(target @ (Value::Object(_) | Value::Array(_))) => merge(target, update)?,
                    _ => {
                        return Err(format!(
                            "cannot update {pointer}: only objects and lists can be updated"
                        ));
                    }
                },
            }
        }
        if *document == before {
            return Err("changes nothing: vendor fixed it? Then delete the action".to_owned());
        }
        Ok(())
    }
}

fn remove(document: &mut Value, pointer: &str) -> Result<(), String> {
    let Some((parent, key)) = pointer.rsplit_once('/') else {
        return Err("would remove the document".to_owned());
    };
    let key = key.replace("~1", "/").replace("~0", "~");
    match document.pointer_mut(parent) {
        Some(Value::Object(members)) => {
            members.shift_remove(&key);
        }
        Some(Value::Array(items)) => {
            let index = key.parse::<usize>().ok().filter(|index| *index < items.len());
            index.map(|index| items.remove(index));
        }
        // An action that matches a node and its child removed the node first.
        _ => {}
    }
    Ok(())
}

/// The merge of the Overlay specification: objects recursively, lists by concatenation, the rest by replacement.
fn merge(target: &mut Value, update: &Value) -> Result<(), String> {
    match (target, update) {
        (Value::Array(items), Value::Array(more)) => items.extend(more.iter().cloned()),
        (Value::Array(items), item) => items.push(item.clone()),
        (Value::Object(members), Value::Object(update)) => merge_members(members, update),
        (Value::Object(_), _) => return Err("updates an object with something else".to_owned()),
        (target, update) => *target = update.clone(),
    }
    Ok(())
}

fn merge_members(members: &mut Map<String, Value>, update: &Map<String, Value>) {
    for (key, value) in update {
        match (members.get_mut(key), value) {
            (Some(Value::Object(inner)), Value::Object(update)) => merge_members(inner, update),
            (Some(Value::Array(items)), Value::Array(more)) => items.extend(more.iter().cloned()),
            _ => {
                members.insert(key.clone(), value.clone());
            }
        }
    }
}
