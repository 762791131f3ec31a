//! Parts of files as rows: the input of a [`crate::exec::FileScanExec`].
//!
//! A distributed engine slices by partition the leaves that it knows, and a table in memory is one of them.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, RecordBatch, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt64Type};
use datafusion::common::ScalarValue;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::ExecutionPlan;
use futures::TryStreamExt;

use crate::scan::Part;

/// The columns before those of the partitions: the path, and the first byte and the one behind the last; NULL for all.
const OWN: usize = 3;

/// A leaf with a row a part, and a partition a group.
pub(crate) fn source(groups: &[Vec<Part>], partitions: &SchemaRef) -> EngineResult<Arc<dyn ExecutionPlan>> {
    let own = [("path", DataType::Binary, false), ("start", DataType::UInt64, true), ("end", DataType::UInt64, true)];
    let own = own.map(|(name, of, nullable)| Arc::new(Field::new(name, of, nullable)));
    let fields: Vec<_> = own.into_iter().chain(partitions.fields().iter().cloned()).collect();
    let schema = Arc::new(Schema::new(fields));
    let batches = groups.iter().map(|parts| match parts.as_slice() {
        [] => Ok(vec![]),
        parts => Ok(vec![rows(parts, &schema)?]),
    });
    let batches = batches.collect::<EngineResult<Vec<_>>>()?;
    let config = MemorySourceConfig::try_new(&batches, schema, None)?.with_show_sizes(false);
    Ok(DataSourceExec::from_data_source(config))
}

fn rows(parts: &[Part], schema: &SchemaRef) -> EngineResult<RecordBatch> {
    let paths = BinaryArray::from_iter_values(parts.iter().map(|part| part.path.as_os_str().as_bytes()));
    let starts: UInt64Array = parts.iter().map(|part| part.range.map(|(start, _)| start)).collect();
    let ends: UInt64Array = parts.iter().map(|part| part.range.map(|(_, end)| end)).collect();
    let mut columns: Vec<ArrayRef> = vec![Arc::new(paths), Arc::new(starts), Arc::new(ends)];
    for at in 0..schema.fields().len() - OWN {
        columns.push(ScalarValue::iter_to_array(parts.iter().map(|part| part.values[at].clone()))?);
    }
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

/// The parts that a partition of the leaf has.
pub(crate) async fn collect(rows: SendableRecordBatchStream) -> EngineResult<Vec<Part>> {
    let batches: Vec<_> = rows.try_collect().await?;
    let mut parts = vec![];
    for batch in &batches {
        for row in 0..batch.num_rows() {
            parts.push(part(batch, row)?);
        }
    }
    Ok(parts)
}

fn part(batch: &RecordBatch, row: usize) -> EngineResult<Part> {
    let own = || {
        let path = batch.columns().first()?.as_binary_opt::<i32>()?.value(row);
        let byte = |column: usize| {
            let bytes = batch.columns().get(column)?.as_primitive_opt::<UInt64Type>()?;
            Some(bytes.is_valid(row).then(|| bytes.value(row)))
        };
        Some((PathBuf::from(OsString::from_vec(path.to_vec())), byte(1)?.zip(byte(2)?)))
    };
    let (path, range) = own().ok_or_else(|| {
        DataFusionError::Internal("the input of FileScanExec must have the columns path, start and end".to_owned())
    })?;
    let values = batch.columns()[OWN..].iter().map(|column| ScalarValue::try_from_array(column, row));
    Ok(Part { path, range, values: values.collect::<EngineResult<_>>()? })
}
