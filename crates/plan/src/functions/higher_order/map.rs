//! Functions of maps.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, MapArray, StructArray, UInt32Array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{cast, filter as select, take};
use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::error::Result as EngineResult;

use super::array::{chosen, indices, kept_offsets};
use super::{Elements, Invocation};
use crate::error::SparkError;
use crate::functions::map::check_keys;

/// What of an entry is made anew.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Keys,
    Values,
}

pub(super) fn filter(call: &Invocation<'_>) -> EngineResult<ArrayRef> {
    let elements = call.elements(0)?;
    let (keys, values) = entries(&elements);
    let kept = call.evaluate(0, &elements.rows, &[Arc::clone(&keys), Arc::clone(&values)])?;
    let kept = chosen(&kept);
    let offsets = kept_offsets(&elements, &kept);
    map(call, offsets, select(&keys, &kept)?, select(&values, &kept)?, elements.list.nulls())
}

pub(super) fn transform(call: &Invocation<'_>, part: Part) -> EngineResult<ArrayRef> {
    let elements = call.elements(0)?;
    let (keys, values) = entries(&elements);
    let made = call.evaluate(0, &elements.rows, &[Arc::clone(&keys), Arc::clone(&values)])?;
    let offsets = elements.list.offsets().clone();
    match part {
        Part::Values => map(call, offsets, keys, made, elements.list.nulls()),
        Part::Keys => {
            for row in 0..call.rows {
                check_keys(&made, elements.start(row)..elements.start(row) + elements.length(row))?;
            }
            map(call, offsets, made, values, elements.list.nulls())
        }
    }
}

/// The keys of both maps, those of the first one first; a map without the key has NULL there.
pub(super) fn zip_with(call: &Invocation<'_>) -> EngineResult<ArrayRef> {
    let (left, right) = (call.elements(0)?, call.elements(1)?);
    let ((left_keys, left_values), (right_keys, right_values)) = (entries(&left), entries(&right));
    let known = |row: usize| left.list.is_valid(row) && right.list.is_valid(row);
    let (mut lengths, mut rows, mut pairs) = (vec![], vec![], vec![]);
    for row in (0..call.rows).map(|row| known(row).then_some(row)) {
        let before = pairs.len();
        if let Some(row) = row {
            let mut at = HashMap::new();
            for place in left.start(row)..left.start(row) + left.length(row) {
                at.insert(ScalarValue::try_from_array(&left_keys, place)?, pairs.len());
                pairs.push((Some(place), None));
            }
            for place in right.start(row)..right.start(row) + right.length(row) {
                match at.get(&ScalarValue::try_from_array(&right_keys, place)?) {
                    Some(pair) => pairs[*pair].1 = Some(place),
                    None => pairs.push((None, Some(place))),
                }
            }
            rows.extend(std::iter::repeat_n(row, pairs.len() - before));
        }
        lengths.push(pairs.len() - before);
    }
    let place = |place: Option<usize>| place.and_then(|place| u32::try_from(place).ok());
    let left_places: UInt32Array = pairs.iter().map(|(left, _)| place(*left)).collect();
    let right_places: UInt32Array = pairs.iter().map(|(_, right)| place(*right)).collect();
    let in_left = (take(&left_keys, &left_places, None)?, take(&right_keys, &right_places, None)?);
    let keys = arrow::compute::kernels::zip::zip(&arrow::compute::is_not_null(&left_places)?, &in_left.0, &in_left.1)?;
    let arguments =
        [Arc::clone(&keys), take(&left_values, &left_places, None)?, take(&right_values, &right_places, None)?];
    let values = call.evaluate(0, &indices(rows.into_iter()), &arguments)?;
    let nulls: NullBuffer = (0..call.rows).map(known).collect();
    map(call, OffsetBuffer::from_lengths(lengths), keys, values, Some(&nulls))
}

fn entries(elements: &Elements) -> (ArrayRef, ArrayRef) {
    let entries = elements.values().as_struct();
    (Arc::clone(entries.column(0)), Arc::clone(entries.column(1)))
}

fn map(
    call: &Invocation<'_>,
    offsets: OffsetBuffer<i32>,
    keys: ArrayRef,
    values: ArrayRef,
    nulls: Option<&NullBuffer>,
) -> EngineResult<ArrayRef> {
    let DataType::Map(entries, _) = call.result else {
        return Err(SparkError::internal("a map has the type of one").into());
    };
    let DataType::Struct(fields) = entries.data_type() else {
        return Err(SparkError::internal("a map has entries").into());
    };
    let columns = vec![cast(&keys, fields[0].data_type())?, cast(&values, fields[1].data_type())?];
    let structs = StructArray::try_new(fields.clone(), columns, None)?;
    Ok(Arc::new(MapArray::try_new(Arc::clone(entries), offsets, structs, nulls.cloned(), false)?))
}
