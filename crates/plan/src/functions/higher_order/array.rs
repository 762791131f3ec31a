//! Functions of arrays.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int32Array, UInt32Array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{cast, filter as select, interleave, prep_null_mask_filter, take};
use datafusion::error::Result as EngineResult;

use super::{Elements, Invocation};

pub(super) fn transform(call: &Invocation<'_>) -> EngineResult<ArrayRef> {
    let elements = call.elements(0)?;
    let arguments = [Arc::clone(elements.values()), positions(&elements)];
    let items = call.evaluate(0, &elements.rows, &arguments)?;
    call.list(elements.list.offsets().clone(), items, &elements.list)
}

pub(super) fn filter(call: &Invocation<'_>) -> EngineResult<ArrayRef> {
    let elements = call.elements(0)?;
    let arguments = [Arc::clone(elements.values()), positions(&elements)];
    let kept = call.evaluate(0, &elements.rows, &arguments)?;
    let kept = chosen(&kept);
    call.list(kept_offsets(&elements, &kept), select(elements.values(), &kept)?, &elements.list)
}

/// Where a condition holds; NULL is as good as no.
pub(super) fn chosen(condition: &ArrayRef) -> BooleanArray {
    let condition = condition.as_boolean();
    if condition.null_count() == 0 { condition.clone() } else { prep_null_mask_filter(condition) }
}

/// Where the lists lie when only some elements are kept.
pub(super) fn kept_offsets(elements: &Elements, kept: &BooleanArray) -> OffsetBuffer<i32> {
    let lengths = (0..elements.list.len()).map(|row| {
        let kept = kept.slice(elements.start(row), elements.length(row));
        kept.true_count()
    });
    OffsetBuffer::from_lengths(lengths)
}

/// Whether the condition holds for one element, or for all: NULL where that depends on an element without an answer.
pub(super) fn quantified(call: &Invocation<'_>, decides: bool) -> EngineResult<ArrayRef> {
    let elements = call.elements(0)?;
    let holds = call.evaluate(0, &elements.rows, &[Arc::clone(elements.values())])?;
    let holds = holds.as_boolean();
    let answers = (0..call.rows).map(|row| {
        if elements.list.is_null(row) {
            return None;
        }
        let answers = holds.slice(elements.start(row), elements.length(row));
        if answers.iter().any(|answer| answer == Some(decides)) {
            Some(decides)
        } else if answers.null_count() > 0 {
            None
        } else {
            Some(!decides)
        }
    });
    Ok(Arc::new(answers.collect::<BooleanArray>()))
}

/// All rows go forward together: the n-th step takes the n-th element of each row that has one.
pub(super) fn aggregate(call: &Invocation<'_>) -> EngineResult<ArrayRef> {
    let elements = call.elements(0)?;
    let mut state = Arc::clone(&call.values[1]);
    let longest = (0..call.rows).map(|row| elements.length(row)).max().unwrap_or(0);
    for step in 0..longest {
        let active: Vec<usize> = (0..call.rows).filter(|row| elements.length(*row) > step).collect();
        let rows = indices(active.iter().copied());
        let places = indices(active.iter().map(|row| elements.start(*row) + step));
        let arguments = [take(&state, &rows, None)?, take(elements.values(), &places, None)?];
        let merged = cast(&call.evaluate(0, &rows, &arguments)?, state.data_type())?;
        let mut origins: Vec<_> = (0..call.rows).map(|row| (0, row)).collect();
        for (place, row) in active.into_iter().enumerate() {
            origins[row] = (1, place);
        }
        state = interleave(&[&state, &merged], &origins)?;
    }
    if call.lambdas.len() > 1 {
        state = call.evaluate(1, &indices(0..call.rows), &[state])?;
    }
    let known: BooleanArray = (0..call.rows).map(|row| Some(elements.list.is_null(row))).collect();
    Ok(arrow::compute::nullif(&cast(&state, call.result)?, &known)?)
}

/// Pairs of elements; the shorter array ends with NULLs.
pub(super) fn zip_with(call: &Invocation<'_>) -> EngineResult<ArrayRef> {
    let (left, right) = (call.elements(0)?, call.elements(1)?);
    let known = |row: usize| left.list.is_valid(row) && right.list.is_valid(row);
    let length = |row: usize| if known(row) { left.length(row).max(right.length(row)) } else { 0 };
    let side = |elements: &Elements| {
        let places = (0..call.rows).flat_map(|row| {
            let (start, own) = (elements.start(row), elements.length(row));
            (0..length(row)).map(move |at| (at < own).then(|| u32::try_from(start + at).ok()).flatten())
        });
        take(elements.values(), &places.collect::<UInt32Array>(), None)
    };
    let rows = indices((0..call.rows).flat_map(|row| std::iter::repeat_n(row, length(row))));
    let items = call.evaluate(0, &rows, &[side(&left)?, side(&right)?])?;
    let item = call.item()?;
    let nulls = (0..call.rows).map(known).collect();
    let offsets = OffsetBuffer::from_lengths((0..call.rows).map(length));
    let items = cast(&items, item.data_type())?;
    Ok(Arc::new(arrow::array::ListArray::try_new(item, offsets, items, Some(nulls))?))
}

/// The position of each element in its list, from zero.
fn positions(elements: &Elements) -> ArrayRef {
    let positions = elements.list.offsets().lengths().flat_map(|length| (0_i32..).take(length));
    Arc::new(Int32Array::from_iter_values(positions))
}

/// Rows or places, of which a batch has fewer than 2^32.
pub(super) fn indices(rows: impl Iterator<Item = usize>) -> UInt32Array {
    UInt32Array::from_iter_values(rows.map(|row| u32::try_from(row).unwrap_or(u32::MAX)))
}
