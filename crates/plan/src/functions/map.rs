//! Maps from their keys and values.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, MapArray, StructArray, UInt64Array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{interleave, take};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::ScalarValue;
use datafusion::error::Result as EngineResult;

use super::native::{Args, Table};
use crate::error::{ErrorClass, SparkError};
use crate::format::format_scalar;

pub(super) const TABLE: Table = &[(MAP, "", ' ', map), (OF_ENTRIES, "", ' ', of_entries)];

/// A map of keys and values in turn.
pub(crate) const MAP: &str = "spark.map";

/// A map of an array of structs of a key and a value.
pub(super) const OF_ENTRIES: &str = "spark.map_from_entries";

/// The type of a map.
pub(crate) fn map_type(key: DataType, value: DataType) -> DataType {
    map_of(key, value, true)
}

/// The type of a map, and whether values may be NULL.
pub(crate) fn map_of(key: DataType, value: DataType, nullable: bool) -> DataType {
    let fields = Fields::from(vec![Field::new("key", key, false), Field::new("value", value, nullable)]);
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

/// NULL where an entry is.
fn of_entries(args: &Args<'_>) -> EngineResult<ArrayRef> {
    let DataType::Map(entries, _) = args.result else {
        return Err(SparkError::internal("a map has the type of one").into());
    };
    let DataType::Struct(fields) = entries.data_type() else {
        return Err(SparkError::internal("a map has entries").into());
    };
    let lists = args.columns[0].as_list::<i32>();
    let structs = lists.values().as_struct();
    let bounds = |row: usize| lists.value_offsets()[row] as usize..lists.value_offsets()[row + 1] as usize;
    let present = |row: usize| lists.is_valid(row) && bounds(row).all(|at| structs.is_valid(at));
    let rows: Vec<_> = (0..args.rows).map(|row| present(row).then(|| bounds(row))).collect();
    for entries in rows.iter().flatten() {
        check_keys(structs.column(0), entries.clone())?;
    }
    let places = UInt64Array::from_iter_values(rows.iter().flatten().cloned().flatten().map(|at| at as u64));
    let columns = structs.columns().iter().map(|column| take(column, &places, None)).collect::<Result<_, _>>()?;
    let offsets = OffsetBuffer::from_lengths(rows.iter().map(|row| row.as_ref().map_or(0, ExactSizeIterator::len)));
    let nulls: NullBuffer = rows.iter().map(Option::is_some).collect();
    let structs = StructArray::try_new(fields.clone(), columns, None)?;
    Ok(Arc::new(MapArray::try_new(Arc::clone(entries), offsets, structs, Some(nulls), false)?))
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
