//! Partition specs as rows: the input of a [`crate::exec::PythonExec`].
//!
//! A distributed engine slices the leaves that it knows by partition, and leaves any other whole, so that every task
//! would read all of it. So specs are the rows of a leaf that every engine knows: a table in memory.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt64Type};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::ExecutionPlan;
use futures::TryStreamExt;

/// How many partitions of a source may be read at the same time, where the session wants no more.
pub const MIN_CONCURRENCY: usize = 16;

/// One unit of reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// The position in what the plug-in planned.
    pub position: usize,
    /// A JSON object.
    pub json: String,
}

/// A leaf of one row a spec, in at most `max(target, 16)` partitions, so that a source of a thousand partitions does not
/// get a thousand connections. Without specs it has one partition of no rows: some engines lose a plan of no partitions.
pub fn source(specs: &[String], target: usize) -> Result<Arc<dyn ExecutionPlan>> {
    let partitions = target.max(MIN_CONCURRENCY).min(specs.len()).max(1);
    let batches: Result<Vec<_>> = (0..partitions)
        .map(|first| {
            let positions: Vec<_> = (first..specs.len()).step_by(partitions).collect();
            Ok(vec![batch(specs, &positions)?])
        })
        .collect();
    let config = MemorySourceConfig::try_new(&batches?, schema(), None)?.with_show_sizes(false);
    Ok(DataSourceExec::from_data_source(config))
}

/// How many specs `input` has; none where that is no leaf made here.
pub fn count(input: &Arc<dyn ExecutionPlan>) -> Option<usize> {
    let leaf = input.downcast_ref::<DataSourceExec>()?;
    let memory = leaf.data_source().downcast_ref::<MemorySourceConfig>()?;
    Some(memory.partitions().iter().flatten().map(RecordBatch::num_rows).sum())
}

/// The JSON texts in the column `spec` of what a plug-in has planned; none where there is no such column.
pub(crate) fn texts(planned: &RecordBatch) -> Option<Vec<String>> {
    let texts = planned.column_by_name("spec")?.as_string_opt::<i32>()?;
    Some(texts.iter().flatten().map(str::to_owned).collect())
}

/// The specs that a partition of the leaf has.
pub(crate) async fn collect(rows: SendableRecordBatchStream) -> Result<Vec<Spec>> {
    let batches: Vec<_> = rows.try_collect().await?;
    batches.iter().map(specs).collect::<Option<Vec<_>>>().map(|specs| specs.concat()).ok_or_else(|| {
        DataFusionError::Internal("the input of PythonExec must have the columns spec and position".to_owned())
    })
}

fn batch(specs: &[String], positions: &[usize]) -> Result<RecordBatch> {
    let json: StringArray = positions.iter().filter_map(|&position| specs.get(position)).map(Some).collect();
    let position: UInt64Array = positions.iter().map(|&position| Some(position as u64)).collect();
    Ok(RecordBatch::try_new(schema(), vec![Arc::new(json) as ArrayRef, Arc::new(position)])?)
}

fn specs(batch: &RecordBatch) -> Option<Vec<Spec>> {
    let json = batch.column_by_name("spec")?.as_string_opt::<i32>()?;
    let position = batch.column_by_name("position")?.as_primitive_opt::<UInt64Type>()?;
    let spec = |(json, position): (&str, &u64)| Spec { position: *position as usize, json: json.to_owned() };
    Some(json.iter().flatten().zip(position.values()).map(spec).collect())
}

fn schema() -> SchemaRef {
    let column = |name, data_type| Field::new(name, data_type, false);
    Arc::new(Schema::new(vec![column("spec", DataType::Utf8), column("position", DataType::UInt64)]))
}
