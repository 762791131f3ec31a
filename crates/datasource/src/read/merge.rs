//! Small batches that wait are put together: to put batches together is to copy them, and the engine's cost of a batch is
//! worth more than the copy only where they are small.

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::error::ArrowError;

use crate::read::size::Limits;

/// A batch is small up to so many parts of the largest.
const SMALL_PARTS: usize = 4;

/// Chooses the batches that become one.
#[derive(Debug)]
pub struct Merge {
    limits: Limits,
    rows: usize,
    bytes: usize,
}

impl Merge {
    /// For one batch within `limits`.
    pub fn new(limits: Limits) -> Self {
        Self { limits, rows: 0, bytes: 0 }
    }

    /// Whether a batch of so many rows and bytes may stand with those before it.
    pub fn takes(&mut self, rows: usize, bytes: usize) -> bool {
        let small = rows <= self.limits.rows / SMALL_PARTS && bytes <= self.limits.bytes / SMALL_PARTS;
        self.rows += rows;
        self.bytes += bytes;
        small && self.rows <= self.limits.rows && self.bytes <= self.limits.bytes
    }
}

/// Batches of one schema as one; none of none. A single one is not copied.
///
/// # Errors
/// Columns that cannot be put together.
pub fn merged(mut batches: Vec<RecordBatch>) -> Result<Option<RecordBatch>, ArrowError> {
    if batches.len() < 2 {
        return Ok(batches.pop());
    }
    let schema = batches.first().map(RecordBatch::schema);
    schema.map(|schema| concat_batches(&schema, &batches)).transpose()
}
