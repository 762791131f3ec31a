//! Scans and writes of files as bytes, for engines that run a plan in several processes.
//!
//! Bytes hold what a node is, without its input: which files are read is in the rows of that, or in DataFusion's own scan of
//! Parquet, which every engine knows how to send and to slice.

use std::any::Any;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::ScalarUDF;
use datafusion::physical_plan::ExecutionPlan;
use serde::{Deserialize, Serialize};
use sheetbend_plan::error::SparkError;
use sheetbend_plan::wire;

use crate::exec::{FileScanExec, Scan};
use crate::parquet::{ParquetScanExec, ParquetTable, adapters};
use crate::parse::Sent;
use crate::scan::{Reading, RowTable};
use crate::write::{FileWriteExec, Target};

/// A plan whose scans of files are all nodes that can be sent: those of Parquet would forget by which rules columns are
/// found.
///
/// # Errors
/// None that a plan which runs here could have.
pub fn distributed(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let marked = plan.transform_down(|node| {
        if node.is::<ParquetScanExec>() {
            return Ok(Transformed::new(node, false, TreeNodeRecursion::Jump));
        }
        let Some(adapters) = adapters(&node) else { return Ok(Transformed::no(node)) };
        let marked: Arc<dyn ExecutionPlan> = Arc::new(ParquetScanExec::new(adapters, node));
        Ok(Transformed::new(marked, true, TreeNodeRecursion::Jump))
    });
    marked.data()
}

/// Whether a table is one of files.
pub fn is_table(table: &dyn TableProvider) -> bool {
    let table: &dyn Any = table;
    table.is::<ParquetTable>() || table.is::<RowTable>()
}

#[derive(Serialize, Deserialize)]
enum Node {
    Rows {
        reading: Reading,
        #[serde(with = "wire::types::schema")]
        partitions: SchemaRef,
        output: Vec<usize>,
        limit: Option<usize>,
    },
    Parquet {
        case_sensitive: bool,
    },
    Write(Target),
}

/// A node of this crate as bytes; none for any other node.
///
/// # Errors
/// Columns of types that have no text, a path that is no text.
pub fn encode(node: &Arc<dyn ExecutionPlan>) -> Result<Option<Vec<u8>>> {
    let node = if let Some(scan) = node.downcast_ref::<FileScanExec>() {
        let Scan { reading, partitions, .. } = scan.scan();
        let (reading, partitions) = (Reading::clone(reading), Arc::clone(partitions));
        Node::Rows { reading, partitions, output: scan.output().to_vec(), limit: scan.fetch() }
    } else if let Some(scan) = node.downcast_ref::<ParquetScanExec>() {
        Node::Parquet { case_sensitive: scan.adapters().case_sensitive }
    } else if let Some(write) = node.downcast_ref::<FileWriteExec>() {
        Node::Write(write.target().clone())
    } else {
        return Ok(None);
    };
    serde_json::to_vec(&node).map(Some).map_err(|error| DataFusionError::External(Box::new(error)))
}

/// The node that [`encode`] made `bytes` of, over its input.
///
/// # Errors
/// Other bytes, those of another version, or an input that is not that of such a node.
pub fn decode(bytes: &[u8], inputs: &[Arc<dyn ExecutionPlan>]) -> Result<Arc<dyn ExecutionPlan>> {
    let [input] = inputs else { return Err(unreadable("a node of files has one input")) };
    let node = serde_json::from_slice(bytes).map_err(unreadable)?;
    Ok(match node {
        Node::Rows { reading, partitions, output, limit } => {
            let scan = Scan { format: reading.row_format()?, reading: Arc::new(reading), partitions };
            Arc::new(FileScanExec::try_new(scan, output, limit, Arc::clone(input))?)
        }
        Node::Write(target) => Arc::new(FileWriteExec::try_new(target, Arc::clone(input))?),
        Node::Parquet { case_sensitive } => Arc::new(ParquetScanExec::restored(case_sensitive, input)?),
    })
}

/// A part of a plan whose writes know which of the partitions of the whole they have.
///
/// # Errors
/// None that the part would not have anyway.
pub fn numbered(part: Arc<dyn ExecutionPlan>, numbers: &[usize]) -> Result<Arc<dyn ExecutionPlan>> {
    let numbered = part.transform_down(|node| {
        let Some(write) = node.downcast_ref::<FileWriteExec>() else { return Ok(Transformed::no(node)) };
        Ok(Transformed::new(Arc::new(write.numbered(numbers)), true, TreeNodeRecursion::Stop))
    });
    numbered.data()
}

/// A function of this crate as bytes; none for any other function.
///
/// # Errors
/// Columns of types that have no text.
pub fn encode_function(function: &ScalarUDF) -> Result<Option<Vec<u8>>> {
    let sent = Sent::of(function).map(|sent| serde_json::to_vec(&sent)).transpose();
    sent.map_err(|error| DataFusionError::External(Box::new(error)))
}

/// The function that [`encode_function`] made `bytes` of.
///
/// # Errors
/// Other bytes, or those of another version.
pub fn decode_function(bytes: &[u8]) -> Result<Arc<ScalarUDF>> {
    let sent: Sent = serde_json::from_slice(bytes).map_err(unreadable)?;
    Ok(Arc::new(sent.function()?))
}

fn unreadable(why: impl std::fmt::Display) -> DataFusionError {
    SparkError::internal(format_args!(
        "The bytes of a node or function of files are those of another version, or none: {why}."
    ))
    .into()
}
