//! `array_sort` with a function that compares.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::take;
use arrow::datatypes::Int32Type;
use datafusion::error::Result as EngineResult;

use super::array::indices;
use super::{Elements, Invocation};
use crate::error::{ErrorClass, SparkError};

/// Two runs of places that are in order, and how far they have been merged.
struct Merge {
    row: usize,
    left: std::vec::IntoIter<usize>,
    right: std::vec::IntoIter<usize>,
    merged: Vec<usize>,
}

/// A merge sort of all rows at once: one call of the function compares a pair of every merge that is under way.
pub(super) fn array_sort(call: &Invocation<'_>) -> EngineResult<ArrayRef> {
    let elements = call.elements(0)?;
    // Each row's elements as runs in order, at first of one element each.
    let mut rows: Vec<Vec<Vec<usize>>> = (0..call.rows)
        .map(|row| (elements.start(row)..elements.start(row) + elements.length(row)).map(|at| vec![at]).collect())
        .collect();
    while rows.iter().any(|runs| runs.len() > 1) {
        let mut merges = vec![];
        for (row, runs) in rows.iter_mut().enumerate() {
            let mut pairs = std::mem::take(runs).into_iter();
            while let Some(left) = pairs.next() {
                let right = pairs.next().unwrap_or_default();
                merges.push(Merge { row, left: left.into_iter(), right: right.into_iter(), merged: vec![] });
            }
        }
        merge(call, &elements, &mut merges)?;
        for merge in merges {
            rows[merge.row].push(merge.merged);
        }
    }
    let places = indices(rows.into_iter().flatten().flatten());
    call.list(elements.list.offsets().clone(), take(elements.values(), &places, None)?, &elements.list)
}

fn merge(call: &Invocation<'_>, elements: &Elements, merges: &mut [Merge]) -> EngineResult<()> {
    loop {
        let mut active: Vec<_> = merges
            .iter_mut()
            .filter_map(|merge| {
                let pair = merge.left.as_slice().first().copied().zip(merge.right.as_slice().first().copied());
                pair.map(|pair| (merge, pair))
            })
            .collect();
        if active.is_empty() {
            break;
        }
        let side = |side: fn((usize, usize)) -> usize| {
            let places = indices(active.iter().map(|(_, pair)| side(*pair)));
            take(elements.values(), &places, None)
        };
        let (left, right) = (side(|(left, _)| left)?, side(|(_, right)| right)?);
        let order = call.evaluate(0, &indices(active.iter().map(|(merge, _)| merge.row)), &[left, right])?;
        let order = order.as_primitive::<Int32Type>();
        for (at, (merge, _)) in active.iter_mut().enumerate() {
            if order.is_null(at) {
                return Err(null_comparison().into());
            }
            // Equal elements stay in their order.
            let next = if order.value(at) > 0 { merge.right.next() } else { merge.left.next() };
            merge.merged.extend(next);
        }
    }
    for merge in merges {
        merge.merged.extend(merge.left.by_ref());
        merge.merged.extend(merge.right.by_ref());
    }
    Ok(())
}

fn null_comparison() -> SparkError {
    let message = "The comparison result is null. Return 0 for equal elements, or sort without a function.";
    SparkError::new(ErrorClass::Runtime, "COMPARATOR_RETURNS_NULL", "22004", message)
}
