//! Options of readers and writers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sheetbend_plan::error::{ErrorClass, Result, SparkError};

use crate::error::bad_option;

/// Options by name without regard to case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options(BTreeMap<String, String>);

impl Options {
    /// Options with their keys as written.
    pub fn new(options: BTreeMap<String, String>) -> Self {
        Self(options.into_iter().map(|(key, value)| (key.to_lowercase(), value)).collect())
    }

    /// The value of an option.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(&name.to_lowercase()).map(String::as_str)
    }

    /// The value of the first of some options that is there.
    pub(crate) fn first(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.get(name))
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// Any other value.
    pub(crate) fn flag(&self, name: &str, default: bool) -> Result<bool> {
        match self.get(name).map(str::to_lowercase).as_deref() {
            None => Ok(default),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(_) => Err(SparkError::new(
                ErrorClass::Internal,
                "_LEGACY_ERROR_TEMP_2147",
                "",
                format!("{name} flag can be true or false."),
            )
            .with("paramName", name)),
        }
    }

    /// A whole number.
    ///
    /// # Errors
    /// Any other value.
    pub(crate) fn number(&self, name: &str, default: usize) -> Result<usize> {
        let Some(value) = self.get(name) else { return Ok(default) };
        value.trim().parse().map_err(|_| bad_option(name, "a whole number", value))
    }

    /// At the most one character.
    ///
    /// # Errors
    /// More than one.
    pub(crate) fn character(&self, name: &str, default: Option<char>) -> Result<Option<char>> {
        let Some(value) = self.get(name) else { return Ok(default) };
        let mut chars = value.chars();
        match (chars.next(), chars.next()) {
            (None, _) | (Some('\0'), None) => Ok(None),
            (Some(only), None) => Ok(Some(only)),
            _ => Err(SparkError::new(
                ErrorClass::Runtime,
                "_LEGACY_ERROR_TEMP_2149",
                "",
                format!("{name} cannot be more than one character."),
            )
            .with("paramName", name)),
        }
    }

    /// Refuses options that would change the rows and are not supported; `names` are some of one format.
    ///
    /// # Errors
    /// `UNSUPPORTED_OPERATION` with the first of them that is set.
    pub(crate) fn refuse(&self, format: &str, names: &[&str]) -> Result<()> {
        match names.iter().find(|name| self.get(name).is_some()) {
            Some(name) => Err(SparkError::unsupported(format_args!("the option `{name}` of {format} files"))),
            None => Ok(()),
        }
    }
}
