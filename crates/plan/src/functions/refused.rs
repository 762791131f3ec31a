//! Functions that Spark has and refuses, unless it is set up otherwise.

use super::call::{Call, Outcome};
use crate::error::{ErrorClass, SparkError};

/// A function that is refused, if there is one of this name.
pub(super) fn resolve(call: Call<'_>) -> Outcome<'_> {
    match call.name.as_str() {
        "current_time" | "make_time" | "time" | "time_diff" | "time_from_micros" | "time_from_millis"
        | "time_from_seconds" | "time_to_micros" | "time_to_millis" | "time_to_seconds" | "time_trunc" | "to_time"
        | "try_to_time" => Err(unsupported_time()),
        "from_avro" | "schema_of_avro" | "to_avro" => {
            let name = call.name.to_uppercase();
            let message = format!("Cannot call the {name} SQL function because the Avro data source is not loaded.");
            let condition = "AVRO_NOT_LOADED_SQL_FUNCTIONS_UNUSABLE";
            Err(SparkError::new(ErrorClass::Analysis, condition, "22KD3", message).with("functionName", name))
        }
        _ => Ok(Err(call)),
    }
}

/// What is said of the type `TIME`, which is off unless Spark is told otherwise.
pub(super) fn unsupported_time() -> SparkError {
    let message = "The data type TIME is not supported.";
    SparkError::new(ErrorClass::Analysis, "UNSUPPORTED_TIME_TYPE", "0A000", message)
}
