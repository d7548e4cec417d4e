//! From whole documents to the chosen operations and the components that they reach.

use serde_json::{Map, Value, json};

use super::config::{OperationKey, Selection};
use super::failure::{self, Result, fail};
use super::merge::Merger;
use super::reference::{self, Reference};
use super::{downgrade, sanitize};

/// A document as it was read, under the name that its copy in `upstream/` has.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) document: Value,
}

const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// Words in a path or an operation's name that suggest authentication: a maintainer should decide about the operation.
const AUTHENTICATION: [&str; 25] = [
    "/auth",
    "auth/",
    "login",
    "logout",
    "token",
    "/sauth/",
    "/uauth/",
    "mfa",
    "password",
    "activation",
    "registered",
    "api-key",
    "permission",
    "session",
    "sign-in",
    "signin",
    "/sso",
    "saml",
    "oidc",
    "/otp",
    "passkey",
    "webauthn",
    "jwks",
    "jwt",
    "credential",
];

/// The rest is counted.
const MAX_UNDECIDED: usize = 30;

/// Takes the chosen operations out of the sources and joins them into one `OpenAPI` 3.0 document.
pub(crate) fn select(
    sources: Vec<Source>,
    selection: &Selection,
    notices: &mut Vec<String>,
) -> Result<Value> {
    let located = locate(&sources, selection)?;
    let mut merger = Merger::new(selection);
    for (index, mut source) in sources.into_iter().enumerate() {
        report_undecided(&source, selection, notices);
        let chosen: Vec<&OperationKey> = located
            .iter()
            .filter(|(_, home)| *home == index)
            .map(|(operation, _)| *operation)
            .collect();
        if chosen.is_empty() {
            continue;
        }
        let name = source.name.clone();
        let part = part(&mut source, &chosen, selection)
            .and_then(|part| merger.add(part, &name, notices))
            .map_err(|failure| failure.within(&name));
        part?;
    }
    Ok(merger.finish(&located))
}

/// Finds the source of each operation: the one that the selection names, else the only one that has it.
fn locate<'a>(sources: &[Source], selection: &'a Selection) -> Result<Vec<(&'a OperationKey, usize)>> {
    let offers: Vec<Vec<OperationKey>> = sources
        .iter()
        .map(|source| operations(&source.document))
        .collect();
    let mut missing = Vec::new();
    let mut located = Vec::new();
    for (operation, expected) in selection.operations() {
        let holders: Vec<usize> = (0..sources.len())
            .filter(|index| offers[*index].contains(operation))
            .collect();
        let named = holders.iter().find(|index| sources[**index].name == expected);
        match (named, &holders[..]) {
            (Some(index), _) | (None, [index]) => located.push((operation, *index)),
            (None, []) => missing.push(format!(
                "{operation} is in none of the documents (truncated, moved or removed? if it is gone for good, take it out of selection.toml)"
            )),
            (None, _) => missing.push(format!(
                "{operation} is in several documents: say in selection.toml which one it is taken from"
            )),
        }
    }
    failure::all("select", &missing)?;
    Ok(located)
}

/// The operations of a document, with the path prefix that all of its servers share.
fn operations(document: &Value) -> Vec<OperationKey> {
    let prefix = server_path(document);
    let paths = document
        .get("paths")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    paths
        .flat_map(|(path, item)| {
            let methods = METHODS.iter().filter(|method| item.get(**method).is_some());
            methods
                .map(|method| OperationKey {
                    method: (*method).to_owned(),
                    path: format!("{prefix}{path}"),
                })
                .collect::<Vec<_>>()
        })
        .collect()
}

fn server_path(document: &Value) -> String {
    let path = |server: &Value| {
        let url = server.get("url").and_then(Value::as_str).unwrap_or_default();
        let after_host = url
            .split_once("://")
            .map_or(url, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
        after_host.trim_matches('/').to_owned()
    };
    let mut paths: Vec<String> = document
        .get("servers")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(path)
        .collect();
    paths.dedup();
    match &paths[..] {
        [one] if !one.is_empty() => format!("/{one}"),
        _ => String::new(),
    }
}

fn report_undecided(source: &Source, selection: &Selection, notices: &mut Vec<String>) {
    let prefix = server_path(&source.document);
    let undecided: Vec<String> = operations(&source.document)
        .into_iter()
        .filter(|operation| {
            let own = operation.path.strip_prefix(&prefix).unwrap_or(&operation.path);
            let name = source.document["paths"][own][&operation.method]["operationId"].as_str();
            let said = [&operation.path, name.unwrap_or_default()].map(str::to_ascii_lowercase);
            AUTHENTICATION
                .iter()
                .any(|word| said.iter().any(|text| text.contains(word)))
                && !selection.leaves_out(operation)
                && !selection.operations().any(|(taken, _)| taken == operation)
        })
        .map(|operation| {
            operation
                .to_string()
                .chars()
                .take(200)
                .collect::<String>()
                .escape_debug()
                .to_string()
        })
        .collect();
    for operation in undecided.iter().take(MAX_UNDECIDED) {
        notices.push(format!(
            "{}: {operation} looks like authentication and is neither taken nor left out: decide in selection.toml",
            source.name
        ));
    }
    if undecided.len() > MAX_UNDECIDED {
        notices.push(format!(
            "{}: and {} more like it",
            source.name,
            undecided.len() - MAX_UNDECIDED
        ));
    }
}

/// The part of a source that is taken, in `OpenAPI` 3.0, with nothing in it that the grammar does not know.
fn part(source: &mut Source, chosen: &[&OperationKey], selection: &Selection) -> Result<Value> {
    let version = source
        .document
        .get("openapi")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let newer = match version.split('.').collect::<Vec<_>>()[..] {
        ["3", "0", _] => false,
        ["3", "1", _] => true,
        _ => fail!(
            "`openapi: {}`: only 3.0 and 3.1 are understood",
            version.escape_debug()
        ),
    };
    let mut paths = chosen_paths(&source.document, chosen)?;
    let mut reached = reference::reachable(&mut source.document, &mut paths)?;
    for scheme in &selection.document.keep_security_schemes {
        let reference = Reference::new("securitySchemes", scheme);
        if reference.get(&source.document).is_some() && !reached.contains(&reference) {
            reached.push(reference);
        }
    }
    let mut components: Map<String, Value> = Map::new();
    for reference in reached {
        let component = reference.get(&source.document).cloned().unwrap_or_default();
        let section = components.entry(&reference.section).or_insert_with(|| json!({}));
        section[&reference.name] = component;
    }
    let tags = source.document.get("tags").cloned().unwrap_or_else(|| json!([]));
    let mut part = json!({"tags": tags, "paths": paths, "components": components});
    if newer {
        downgrade::to_3_0(&mut part)?;
    }
    Ok(part)
}

fn chosen_paths(document: &Value, chosen: &[&OperationKey]) -> Result<Value> {
    let prefix = server_path(document);
    let mut paths = Map::new();
    for key in chosen {
        let own = key.path.strip_prefix(&prefix).unwrap_or(&key.path);
        let item = &document["paths"][own];
        if item.get("$ref").is_some() {
            fail!("{key}: the path is a `$ref`, which the generator cannot follow");
        }
        let Some(mut operation) = item[&key.method].as_object().cloned() else {
            fail!("{key}: an object is expected here");
        };
        share_parameters(document, item, &mut operation)?;
        operation.remove(sanitize::VENDOR_ID);
        // What a document requires of all its operations has to be stated by each operation that is taken out of it.
        if !operation.contains_key("security")
            && let Some(security) = document.get("security")
        {
            operation.insert("security".to_owned(), security.clone());
        }
        if let Some(id) = operation
            .get("operationId")
            .and_then(Value::as_str)
            .map(str::to_owned)
        {
            operation.insert(sanitize::VENDOR_ID.to_owned(), json!(id));
        }
        let entry = paths.entry(&key.path).or_insert_with(|| json!({}));
        entry[&key.method] = Value::Object(operation);
    }
    Ok(Value::Object(paths))
}

/// Gives an operation the parameters of its path, unless it has its own of the same name.
fn share_parameters(document: &Value, item: &Value, operation: &mut Map<String, Value>) -> Result<()> {
    let Some(shared) = item.get("parameters").and_then(Value::as_array) else {
        return Ok(());
    };
    let identity = |parameter: &Value| -> Result<Option<(Value, Value)>> {
        let Some(object) = parameter.as_object() else {
            return Ok(None);
        };
        let target = Reference::of(object, "a parameter")?;
        let resolved = target
            .as_ref()
            .and_then(|target| target.get(document))
            .unwrap_or(parameter);
        Ok(Some((resolved["name"].clone(), resolved["in"].clone())))
    };
    let own = operation.entry("parameters").or_insert_with(|| json!([]));
    let Value::Array(own) = own else {
        fail!("`parameters` must be a list")
    };
    let taken = own.iter().map(&identity).collect::<Result<Vec<_>>>()?;
    for parameter in shared {
        if !taken.contains(&identity(parameter)?) {
            own.push(parameter.clone());
        }
    }
    Ok(())
}
