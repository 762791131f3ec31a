//! Schemas as text.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3_arrow::PySchema;
use sheetbend_plan::ddl::{parse_data_type, parse_schema, sql_name};
use sheetbend_plan::error::{ErrorClass, SparkError};

/// The schema of DDL text, as Spark reads it.
#[pyfunction]
pub(crate) fn parse_ddl<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    let schema = schema(text).map_err(|error| to_python(py, &error))?;
    PySchema::new(Arc::new(schema)).into_pyarrow(py)
}

fn schema(text: &str) -> Result<Schema, SparkError> {
    if text.trim().is_empty() {
        let message = "Syntax error, unexpected empty statement.";
        return Err(SparkError::new(ErrorClass::Parse, "PARSE_EMPTY_STATEMENT", "42617", message));
    }
    match parse_data_type(text) {
        Ok(DataType::Struct(fields)) => Ok(Schema::new(fields)),
        Ok(other) => Err(SparkError::new(
            ErrorClass::Analysis,
            "INVALID_SCHEMA.NON_STRUCT_TYPE",
            "42K07",
            format!(
                "The input schema {text} is not a valid schema string. The input expression should be evaluated to struct \
                 type, but got \"{}\".",
                sql_name(&other)
            ),
        )),
        Err(_) => parse_schema(text),
    }
}

/// `SparkError` of `sheetbend.errors`, which carries what a client is to see.
fn to_python(py: Python<'_>, error: &SparkError) -> PyErr {
    let raised = || {
        let keywords = PyDict::new(py);
        keywords.set_item("condition", &error.condition)?;
        keywords.set_item("sql_state", &error.sql_state)?;
        let class = py.import("sheetbend.errors")?.getattr("SparkError")?;
        class.call((&error.message,), Some(&keywords))
    };
    raised().map_or_else(|error| error, PyErr::from_value)
}
