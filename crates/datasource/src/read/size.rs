//! How much memory rows take, and batches of a size.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::DataType;

/// How large a batch may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most rows.
    pub rows: usize,
    /// The most bytes, about; one row may take more.
    pub bytes: usize,
}

/// About how many bytes the rows of `batch` take. A slice shares its buffers with others; only its own part counts.
pub fn bytes(batch: &RecordBatch) -> usize {
    batch.columns().iter().map(|column| column_bytes(column)).sum()
}

/// `batch`, of `bytes`, in slices of about the same size within `limits`, with the bytes of each; no row is divided or
/// copied.
///
/// A batch without rows is one slice.
pub fn pieces(batch: RecordBatch, bytes: usize, limits: Limits) -> impl Iterator<Item = (RecordBatch, usize)> {
    let rows = batch.num_rows();
    let count = bytes.div_ceil(limits.bytes).max(rows.div_ceil(limits.rows)).clamp(1, rows.max(1));
    let step = rows.div_ceil(count).max(1);
    // Not even a slice where the whole fits: that has a cost for each column.
    let whole = (count == 1).then(|| (batch.clone(), bytes));
    let starts = if count == 1 { 0..0 } else { 0..rows };
    let slices = starts.step_by(step).map(move |start| (batch.slice(start, step.min(rows - start)), bytes / count));
    whole.into_iter().chain(slices)
}

/// Arrow's own count of a slice takes in all the elements of a list, also those of rows outside it, and it builds the
/// description of an array for each that it counts.
fn column_bytes(column: &dyn Array) -> usize {
    let nulls = column.nulls().map_or(0, |nulls| nulls.len().div_ceil(8));
    let type_width = column.data_type().primitive_width();
    match column.data_type() {
        _ if type_width.is_some() => nulls + type_width.unwrap_or_default() * column.len(),
        DataType::Boolean => nulls + column.len().div_ceil(8),
        DataType::Utf8 => nulls + span(column.as_string::<i32>().offsets()),
        DataType::Binary => nulls + span(column.as_binary::<i32>().offsets()),
        DataType::List(_) => {
            let list = column.as_list::<i32>();
            nulls + elements_bytes(list.values(), list.offsets())
        }
        DataType::Map(..) => {
            let map = column.as_map();
            nulls + elements_bytes(&(Arc::new(map.entries().clone()) as ArrayRef), map.offsets())
        }
        DataType::Struct(_) => {
            nulls + column.as_struct().columns().iter().map(|field| column_bytes(field)).sum::<usize>()
        }
        _ => column.to_data().get_slice_memory_size().unwrap_or_else(|_| column.get_buffer_memory_size()),
    }
}

/// What offsets take, and the bytes that they span.
fn span(offsets: &[i32]) -> usize {
    let (first, last) = ends(offsets);
    size_of_val(offsets) + last.saturating_sub(first)
}

fn elements_bytes(elements: &ArrayRef, offsets: &[i32]) -> usize {
    let (first, last) = ends(offsets);
    size_of_val(offsets) + column_bytes(&elements.slice(first, last.saturating_sub(first)))
}

fn ends(offsets: &[i32]) -> (usize, usize) {
    let at = |offset: Option<&i32>| offset.and_then(|offset| usize::try_from(*offset).ok()).unwrap_or(0);
    (at(offsets.first()), at(offsets.last()))
}
