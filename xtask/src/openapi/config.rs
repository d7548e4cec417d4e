//! `selection.toml`: which documents are read, and what is taken from each.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use serde_json::{Value, json};

use super::failure::{Result, fail};
use super::parse;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Selection {
    pub(crate) document: About,
    #[serde(default)]
    pub(crate) rename: BTreeMap<String, String>,
    #[serde(rename = "source")]
    pub(crate) sources: Vec<SourceEntry>,
    #[serde(default)]
    pub(crate) left_out: Vec<LeftOut>,
}

/// The head of the resulting document, which no source could provide.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct About {
    title: String,
    version: String,
    description: String,
    contact: BTreeMap<String, String>,
    license: BTreeMap<String, String>,
    servers: Vec<BTreeMap<String, String>>,
    /// Components that stay although no operation reaches them.
    #[serde(default)]
    pub(crate) keep_security_schemes: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourceEntry {
    pub(crate) name: String,
    pub(crate) url: String,
    #[serde(default)]
    pub(crate) operations: Vec<OperationKey>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LeftOut {
    /// `METHOD /path`; a `*` in it stands for anything.
    pub(crate) operation: String,
    pub(crate) reason: String,
}

/// An operation by its method and path.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(try_from = "String")]
pub(crate) struct OperationKey {
    pub(crate) method: String,
    pub(crate) path: String,
}

impl FromStr for OperationKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(' ') {
            Some((method, path))
                if path.starts_with('/') && method.chars().all(|c| c.is_ascii_uppercase()) =>
            {
                Ok(Self {
                    method: method.to_ascii_lowercase(),
                    path: path.to_owned(),
                })
            }
            _ => Err(format!("`{text}` is not an operation: write it as `POST /path`")),
        }
    }
}

impl TryFrom<String> for OperationKey {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for OperationKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.method.to_ascii_uppercase(), self.path)
    }
}

impl Selection {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self> {
        let selection: Self = parse::toml(bytes).map_err(|failure| failure.within("selection.toml"))?;
        selection.check()?;
        Ok(selection)
    }

    fn check(&self) -> Result<()> {
        let mut names = BTreeSet::new();
        let mut operations = BTreeSet::new();
        for source in &self.sources {
            if !is_source_name(&source.name) {
                fail!(
                    "selection.toml: the source name `{}` may hold only a-z, 0-9 and `-`",
                    source.name
                );
            }
            if !names.insert(&source.name) {
                fail!("selection.toml: two sources are called `{}`", source.name);
            }
            for operation in &source.operations {
                if !operations.insert(operation) {
                    fail!("selection.toml: {operation} is taken twice");
                }
            }
        }
        if let Some(entry) = self.left_out.iter().find(|entry| entry.reason.trim().is_empty()) {
            fail!(
                "selection.toml: `{}` is left out without a reason",
                entry.operation
            );
        }
        Ok(())
    }

    /// The operations to take, in the order in which the result lists them, with the source each is expected in.
    pub(crate) fn operations(&self) -> impl Iterator<Item = (&OperationKey, &str)> {
        self.sources.iter().flat_map(|source| {
            source
                .operations
                .iter()
                .map(|operation| (operation, source.name.as_str()))
        })
    }

    /// The name that a component of a source has in the result.
    pub(crate) fn component_name<'a>(&'a self, source: &str, name: &'a str) -> &'a str {
        self.rename
            .get(&format!("{source}:{name}"))
            .or_else(|| self.rename.get(name))
            .map_or(name, String::as_str)
    }

    /// Whether selection.toml leaves this operation out.
    pub(crate) fn leaves_out(&self, operation: &OperationKey) -> bool {
        self.left_out
            .iter()
            .any(|entry| matches(&entry.operation, &operation.to_string()))
    }

    /// The members of the result that come from no source.
    pub(crate) fn head(&self) -> (Value, Value) {
        let about = &self.document;
        let info = json!({
            "title": about.title,
            "version": about.version,
            "description": about.description,
            "contact": about.contact,
            "license": about.license,
        });
        (info, json!(about.servers))
    }
}

/// Whether a source's name can be a file's name in `upstream/`.
pub(crate) fn is_source_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && !name.starts_with('-')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let mut open = false;
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
        open = part.is_empty();
    }
    rest.is_empty() || open
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_in_a_left_out_operation_stands_for_anything() {
        assert!(matches(
            "* /sauth/my-account/*",
            "POST /sauth/my-account/email-change/request"
        ));
        assert!(matches("GET /a", "GET /a"));
        assert!(!matches("GET /a", "GET /a/b"));
        assert!(!matches("GET /a*", "POST /a"));
        assert!(matches("GET /a/*/c", "GET /a/b/c"));
        assert!(!matches("GET /a/*/c", "GET /a/b/c/d"));
    }
}
