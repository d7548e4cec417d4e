//! Reads keys and settings from environment variables. Errors name the variable, never its value.

use std::ffi::OsString;

use zeroize::Zeroizing;

use crate::error::{Error, Result};

use super::ApiKey;
use super::file::KeyFile;

/// Where variables are looked up. Tests pass their own.
#[derive(Clone, Copy)]
pub(crate) struct Variables<'a>(&'a dyn Fn(&str) -> Option<OsString>);

impl<'a> Variables<'a> {
    pub(crate) fn new(lookup: &'a dyn Fn(&str) -> Option<OsString>) -> Self {
        Self(lookup)
    }

    pub(crate) fn of_the_process() -> Variables<'static> {
        Variables(&|name| std::env::var_os(name))
    }

    /// The value of a variable. `None` when it is not set or empty: `NAME=` and `${NAME:-}` mean that nobody chose a value.
    pub(crate) fn get(self, name: &str) -> Result<Option<Zeroizing<String>>> {
        let Some(value) = self.0(name).filter(|value| !value.is_empty()) else {
            return Ok(None);
        };
        value
            .into_string()
            .map(|value| Some(Zeroizing::new(value)))
            .map_err(|_| not_set(name))
    }

    fn is_set(self, name: &str) -> bool {
        self.0(name).is_some()
    }
}

/// Where a variable says that the key is.
pub(crate) enum Found {
    Key(ApiKey),
    File(KeyFile),
}

/// Finds the key of `variable`: in it, or in the file that `{variable}_FILE` names.
pub(crate) fn find(variable: &str, variables: Variables<'_>) -> Result<Found> {
    let by_file = format!("{variable}_FILE");
    match (variables.get(variable)?, variables.get(&by_file)?) {
        (Some(_), Some(_)) => Err(Error::invalid_input(
            format!("environment variable {variable}"),
            format!("is set, and so is {by_file}"),
            "set one of them, so that it is clear which key counts",
        )),
        (Some(key), None) => ApiKey::new(key.as_str())
            .map(Found::Key)
            .map_err(|error| error.in_input(&in_variable(variable))),
        (None, Some(path)) => Ok(Found::File(KeyFile::named(
            path.as_str(),
            format!("the file that {by_file} names"),
        ))),
        (None, None) if variables.is_set(variable) => ApiKey::new("")
            .map(Found::Key)
            .map_err(|error| error.in_input(&in_variable(variable))),
        (None, None) => Err(not_set(variable)),
    }
}

fn in_variable(variable: &str) -> String {
    format!("the API key in environment variable {variable}")
}

fn not_set(name: &str) -> Error {
    Error::invalid_input(
        format!("environment variable {name}"),
        "is not set, or is not UTF-8",
        "set it, and export it to the process (for an API key in a file, set the same name with _FILE at its end to the path)",
    )
}
