//! The path of an operation that the builder gives in place of the document's.

use url::Url;

use crate::error::{Error, Result};
use crate::operation::Operation;

use super::base_url::BaseUrl;

/// The path of an operation that the builder gives in place of the document's, with the same parameters.
#[derive(Debug)]
pub(crate) struct OperationPath {
    operation: &'static Operation,
    template: String,
}

impl OperationPath {
    /// A path with the parameters of the operation's own, each of them once, as in `/clients/{clientID}/logout`.
    pub(crate) fn new(base: &BaseUrl, operation: &'static Operation, template: String) -> Result<Self> {
        let named = |error: Error| error.in_input(&format!("path of {}", operation.id));
        let (mut expected, mut found) = (parameters(operation.path), parameters(&template));
        expected.sort_unstable();
        found.sort_unstable();
        if expected != found {
            let remedy = if expected.is_empty() {
                "write it without braces".to_owned()
            } else {
                format!("write each of these once: {{{}}}", expected.join("}, {"))
            };
            let problem = "has other parameters than the operation";
            return Err(named(Error::invalid_input("path", problem, remedy)));
        }
        let path = Self { operation, template };
        path.joined(base, |_| "0").map_err(named)?;
        Ok(path)
    }

    pub(crate) fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// The URL of a request to the operation's own path, with this one in its place.
    pub(super) fn replace(&self, base: &BaseUrl, url: &Url) -> Result<Url> {
        let below = url.path().strip_prefix(base.url().path().trim_end_matches('/'));
        let values: Vec<(&str, &str)> = self
            .operation
            .path
            .split('/')
            .zip(below.unwrap_or_default().split('/'))
            .filter_map(|(name, value)| Some((name.strip_prefix('{')?.strip_suffix('}')?, value)))
            .collect();
        let value = |name: &str| {
            let found = values.iter().find(|(known, _)| *known == name);
            found.map_or("", |(_, value)| value)
        };
        let mut replaced = self.joined(base, value)?;
        if replaced.query().is_none() {
            replaced.set_query(url.query());
        }
        Ok(replaced)
    }

    fn joined<'a>(&self, base: &BaseUrl, value: impl Fn(&str) -> &'a str) -> Result<Url> {
        let mut path = self.template.clone();
        for name in parameters(self.operation.path) {
            path = path.replace(&format!("{{{name}}}"), value(name));
        }
        base.join(&path)
    }
}

/// The names in braces.
fn parameters(path: &str) -> Vec<&str> {
    let after_braces = path.split('{').skip(1);
    after_braces
        .filter_map(|rest| Some(rest.split_once('}')?.0))
        .collect()
}
