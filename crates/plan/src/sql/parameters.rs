//! The values of parameter markers: `:name` and `?`.

use std::collections::BTreeMap;

use sqlparser::tokenizer::Location;

use super::error;
use crate::error::{ErrorClass, Result, SparkError};
use crate::ir::Expr;

/// What stands in for the parameter markers of a text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parameters {
    /// The values of `:name` markers, by name without the colon.
    pub named: BTreeMap<String, Expr>,
    /// The values of `?` markers in the order of the text.
    pub positional: Vec<Expr>,
}

impl Parameters {
    /// The value of a marker as the tokeniser wrote it: `:name`, or `?` with its number from zero.
    pub(super) fn value(&self, marker: &str, text: &str, at: Location) -> Result<Expr> {
        if !marker.starts_with([':', '?']) {
            return Err(error::near_text(marker.get(..1).unwrap_or_default(), at));
        }
        if (marker.starts_with('?') && !self.named.is_empty())
            || (marker.starts_with(':') && !self.positional.is_empty())
        {
            return Err(mixed());
        }
        let (value, name) = match marker.strip_prefix('?') {
            Some(number) => {
                let value = number.parse().ok().and_then(|n: usize| self.positional.get(n));
                (value, format!("_{}", offset(text, at)))
            }
            None => {
                let name = marker.trim_start_matches(':');
                (self.named.get(name), name.to_owned())
            }
        };
        value.cloned().ok_or_else(|| unbound(&name))
    }
}

/// How many characters stand before a place: Spark calls a `?` without a value by it.
fn offset(text: &str, at: Location) -> usize {
    let lines = usize::try_from(at.line.saturating_sub(1)).unwrap_or_default();
    let before: usize = text.split_inclusive('\n').take(lines).map(|line| line.chars().count()).sum();
    before + usize::try_from(at.column.saturating_sub(1)).unwrap_or_default()
}

fn mixed() -> SparkError {
    let message = "Parameterized query must either use positional, or named parameters, but not both.";
    SparkError::new(ErrorClass::Analysis, "INVALID_QUERY_MIXED_QUERY_PARAMETERS", "42613", message)
}

fn unbound(name: &str) -> SparkError {
    SparkError::new(
        ErrorClass::Analysis,
        "UNBOUND_SQL_PARAMETER",
        "42P02",
        format!("Found the unbound parameter: {name}. Give it a value in `args`."),
    )
    .with("name", name)
}
