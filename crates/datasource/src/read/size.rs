//! How much memory rows take, and batches of a size.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::DataType;

/// About how many bytes the rows of `batch` take. A slice shares its buffers with others; only its own part counts.
pub fn bytes(batch: &RecordBatch) -> usize {
    batch.columns().iter().map(|column| column_bytes(column)).sum()
}

/// `batch`, of `bytes`, in slices of about `target` bytes each, with the bytes of each; no row is divided or copied.
///
/// A batch without rows is one slice.
pub fn pieces(batch: &RecordBatch, bytes: usize, target: usize) -> impl Iterator<Item = (RecordBatch, usize)> {
    let rows = batch.num_rows().max(1);
    let count = bytes.div_ceil(target).clamp(1, rows);
    let step = rows.div_ceil(count);
    (0..rows).step_by(step).map(move |start| {
        let piece = batch.slice(start, step.min(batch.num_rows() - start));
        (piece, bytes / count)
    })
}

/// Arrow's own count of a slice takes in all the elements of a list, also those of rows outside it.
fn column_bytes(column: &dyn Array) -> usize {
    match column.data_type() {
        DataType::List(_) => {
            let list = column.as_list::<i32>();
            elements_bytes(list.values(), list.offsets())
        }
        DataType::Map(..) => {
            let map = column.as_map();
            elements_bytes(&(Arc::new(map.entries().clone()) as ArrayRef), map.offsets())
        }
        DataType::Struct(_) => column.as_struct().columns().iter().map(|field| column_bytes(field)).sum(),
        _ => column.to_data().get_slice_memory_size().unwrap_or_else(|_| column.get_buffer_memory_size()),
    }
}

fn elements_bytes(elements: &ArrayRef, offsets: &[i32]) -> usize {
    let at = |offset: Option<&i32>| offset.and_then(|offset| usize::try_from(*offset).ok()).unwrap_or(0);
    let (first, last) = (at(offsets.first()), at(offsets.last()));
    size_of_val(offsets) + column_bytes(&elements.slice(first, last.saturating_sub(first)))
}
