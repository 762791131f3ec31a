//! Options of a function: a constant map of text.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray};
use datafusion::common::ScalarValue;

use super::call::{Call, Typed, constant};
use crate::error::{ErrorClass, Result, SparkError};

/// Options by name in lower case.
#[derive(Debug, Default)]
pub(super) struct Options(BTreeMap<String, String>);

impl Options {
    /// What an argument says; none is no options.
    pub(super) fn of(call: &Call<'_>, argument: Option<&Typed>) -> Result<Self> {
        let Some(argument) = argument else { return Ok(Self::default()) };
        let Some(ScalarValue::Map(map)) = constant(&argument.expr) else { return Err(no_map(call)) };
        let texts = |values: &dyn Array| -> Option<Vec<String>> {
            let texts = values.as_string_opt::<i32>()?;
            Some(texts.iter().map(|text| text.unwrap_or_default().to_owned()).collect())
        };
        let (Some(keys), Some(values)) = (texts(map.keys()), texts(map.values())) else { return Err(no_map(call)) };
        Ok(Self(keys.into_iter().map(|key| key.to_lowercase()).zip(values).collect()))
    }

    /// The value of the first of these names that is given.
    pub(super) fn get(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.0.get(*name)).map(String::as_str)
    }
}

fn no_map(call: &Call<'_>) -> SparkError {
    let message = format!("The options of `{}` must be a constant map of text: map('sep', ';').", call.name);
    SparkError::new(ErrorClass::Analysis, "INVALID_OPTIONS.NON_MAP_FUNCTION", "42K06", message)
}
