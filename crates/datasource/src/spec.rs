//! Partition specs as rows: the input of a [`crate::exec::PythonExec`].
//!
//! A distributed engine slices the leaves that it knows by partition, and leaves any other whole, so that every task
//! would read all of it. So specs are the rows of a leaf that every engine knows: a table in memory.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, UInt64Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::{DataType, Field, Schema, UInt64Type};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionConfig;
use futures::TryStreamExt;

/// How many partitions of a source may be read at the same time, where the session wants no more.
pub const MIN_CONCURRENCY: usize = 16;

/// Over how many plan partitions the specs of a source are spread at the most: an extension of the session's
/// configuration, for an engine whose partitions are tasks that wait for a place to run. Without it, as many as are run at
/// the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spread(pub usize);

impl Spread {
    /// As the session says.
    pub(crate) fn of(config: &SessionConfig) -> usize {
        config.get_extension::<Self>().map_or_else(|| config.target_partitions(), |spread| spread.0)
    }
}

/// The column of the JSON texts.
pub(crate) const COLUMN: &str = "spec";

/// The column of the positions in what the plug-in planned.
const POSITION: &str = "position";

/// One unit of reading.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// The position in what the plug-in planned.
    pub position: usize,
    /// A JSON object.
    pub json: String,
    /// All that is known of it, in one row.
    pub row: RecordBatch,
}

/// A leaf with the rows of `planned`, in at most `max(target, 16)` partitions, so that a source of a thousand partitions
/// does not get a thousand connections. Without rows it has one partition: some engines lose a plan of no partitions.
///
/// `planned` comes of [`numbered`].
pub fn source(planned: &RecordBatch, target: usize) -> Result<Arc<dyn ExecutionPlan>> {
    let specs = planned.num_rows();
    let partitions = target.max(MIN_CONCURRENCY).min(specs).max(1);
    let batches: Result<Vec<_>> = (0..partitions)
        .map(|first| {
            let rows: UInt64Array = (first..specs).step_by(partitions).map(|row| Some(row as u64)).collect();
            Ok(vec![take_record_batch(planned, &rows)?])
        })
        .collect();
    let config = MemorySourceConfig::try_new(&batches?, planned.schema(), None)?.with_show_sizes(false);
    Ok(DataSourceExec::from_data_source(config))
}

/// How many specs `input` has; none where that is no leaf made here.
pub fn count(input: &Arc<dyn ExecutionPlan>) -> Option<usize> {
    Some(partitions(input)?.iter().flatten().map(RecordBatch::num_rows).sum())
}

/// The specs of a partition of `input`, in rows; none where that is no leaf made here.
pub(crate) fn partition(input: &Arc<dyn ExecutionPlan>, partition: usize) -> Result<Option<RecordBatch>> {
    let Some(batches) = partitions(input).and_then(|partitions| partitions.get(partition)) else { return Ok(None) };
    Ok(Some(concat_batches(&input.schema(), batches)?))
}

fn partitions(input: &Arc<dyn ExecutionPlan>) -> Option<&[Vec<RecordBatch>]> {
    let leaf = input.downcast_ref::<DataSourceExec>()?;
    Some(leaf.data_source().downcast_ref::<MemorySourceConfig>()?.partitions())
}

/// The specs that a partition of the leaf has.
pub(crate) async fn collect(rows: SendableRecordBatchStream) -> Result<Vec<Spec>> {
    let batches: Vec<_> = rows.try_collect().await?;
    batches.iter().map(specs).collect::<Option<Vec<_>>>().map(|specs| specs.concat()).ok_or_else(|| {
        DataFusionError::Internal("the input of PythonExec must have the columns spec and position".to_owned())
    })
}

/// What a plug-in planned, a row a partition, with the positions. It has the column `spec`, and may have others that say
/// more of a partition.
pub fn numbered(planned: &RecordBatch) -> Result<RecordBatch> {
    let position: UInt64Array = (0..planned.num_rows()).map(|row| Some(row as u64)).collect();
    let mut fields: Vec<_> = planned.schema().fields().iter().cloned().collect();
    fields.push(Arc::new(Field::new(POSITION, DataType::UInt64, false)));
    let mut columns = planned.columns().to_vec();
    columns.push(Arc::new(position) as ArrayRef);
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}

fn specs(batch: &RecordBatch) -> Option<Vec<Spec>> {
    let json = batch.column_by_name(COLUMN)?.as_string_opt::<i32>()?;
    let position = batch.column_by_name(POSITION)?.as_primitive_opt::<UInt64Type>()?;
    let spec = |row| Spec {
        position: position.value(row) as usize,
        json: json.value(row).to_owned(),
        row: batch.slice(row, 1),
    };
    Some((0..batch.num_rows()).map(spec).collect())
}
