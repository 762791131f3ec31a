//! stub
use crate::error::{Result, SparkError};
use arrow::datatypes::{DataType, Schema};
pub(super) fn schema(_: &str) -> Result<Schema> {
    Err(SparkError::unsupported("DDL"))
}
pub(super) fn data_type(_: &str) -> Result<DataType> {
    Err(SparkError::unsupported("DDL"))
}
