//! Functions that fail on purpose.

use arrow::array::{ArrayRef, new_null_array};
use arrow::datatypes::DataType;
use datafusion::error::Result as EngineResult;

use super::native::{Args, Table};
use crate::error::{ErrorClass, SparkError};

pub(super) const TABLE: Table = &[
    ("raise_error", "s", 'v', |a| match (0..a.rows).find_map(|row| a.text(0, row)) {
        Some(message) => Err(raised(message).into()),
        None => nothing(a),
    }),
    // The condition, and what is said where it does not hold.
    ("spark.assert_true", "bs", ' ', |a| {
        let failed = (0..a.rows).find(|row| a.boolean(0, *row) != Some(true));
        match failed.map(|row| a.text(1, row).unwrap_or_default()) {
            Some(message) => Err(raised(message).into()),
            None => nothing(a),
        }
    }),
];

fn nothing(args: &Args<'_>) -> EngineResult<ArrayRef> {
    Ok(new_null_array(&DataType::Null, args.rows))
}

fn raised(message: &str) -> SparkError {
    SparkError::new(ErrorClass::Runtime, "USER_RAISED_EXCEPTION", "P0001", message).with("errorMessage", message)
}
