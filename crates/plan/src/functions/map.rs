//! Maps from their keys and values.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, MapArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::compute::interleave;
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::ScalarValue;
use datafusion::error::Result as EngineResult;

use super::native::{Args, Table};
use crate::error::{ErrorClass, SparkError};
use crate::format::format_scalar;

pub(super) const TABLE: Table = &[(MAP, "", ' ', map)];

/// A map of keys and values in turn.
pub(super) const MAP: &str = "spark.map";

/// The type of a map.
pub(crate) fn map_type(key: DataType, value: DataType) -> DataType {
    let fields = Fields::from(vec![Field::new("key", key, false), Field::new("value", value, true)]);
    DataType::Map(Arc::new(Field::new("entries", DataType::Struct(fields), false)), false)
}

fn map(args: &Args<'_>) -> EngineResult<ArrayRef> {
    let DataType::Map(entries, _) = args.result else {
        return Err(SparkError::internal("a map has the type of one").into());
    };
    let DataType::Struct(fields) = entries.data_type() else {
        return Err(SparkError::internal("a map has entries").into());
    };
    let entry_count = args.columns.len() / 2;
    let column = |which: usize| -> EngineResult<ArrayRef> {
        let columns: Vec<&dyn Array> = args.columns.iter().skip(which).step_by(2).map(AsRef::as_ref).collect();
        if columns.is_empty() {
            return Ok(arrow::array::new_empty_array(fields[which].data_type()));
        }
        let places: Vec<_> = (0..args.rows).flat_map(|row| (0..entry_count).map(move |at| (at, row))).collect();
        Ok(interleave(&columns, &places)?)
    };
    let (keys, values) = (column(0)?, column(1)?);
    for row in 0..args.rows {
        check_keys(&keys, row * entry_count..(row + 1) * entry_count)?;
    }
    let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(entry_count, args.rows));
    let structs = StructArray::try_new(fields.clone(), vec![keys, values], None)?;
    Ok(Arc::new(MapArray::try_new(Arc::clone(entries), offsets, structs, None, false)?))
}

/// Fails where the keys of one map are not unique, or one of them is NULL.
pub(super) fn check_keys(keys: &ArrayRef, entries: Range<usize>) -> EngineResult<()> {
    let mut seen = HashSet::new();
    for at in entries {
        let key = ScalarValue::try_from_array(keys, at)?;
        if key.is_null() {
            let message = "Cannot use null as map key.";
            return Err(SparkError::new(ErrorClass::Runtime, "NULL_MAP_KEY", "2200E", message).into());
        }
        if let Some(key) = seen.replace(key) {
            return Err(duplicate(&format_scalar(&key, "UTC")).into());
        }
    }
    Ok(())
}

fn duplicate(key: &str) -> SparkError {
    let message = format!("Duplicate map key {key} was found, please check the input data.");
    SparkError::new(ErrorClass::Runtime, "DUPLICATED_MAP_KEY", "23505", message)
        .with("key", key)
        .with("mapKeyDedupPolicy", "\"spark.sql.mapKeyDedupPolicy\"")
}
