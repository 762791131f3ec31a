//! The physical node that tells a scan of Parquet files how columns are found.

use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::physical_plan::{FileScanConfig, FileScanConfigBuilder};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::execution_plan::ReplaceChildrenOptions;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};

use super::adapter::SparkAdapterFactory;

/// DataFusion's scan of Parquet files, whose rows it gives as they are. Where the scan is sent somewhere it loses the rules
/// by which columns are found, and this node, which goes with it, gives them back.
#[derive(Debug)]
pub(crate) struct ParquetScanExec {
    adapters: SparkAdapterFactory,
    input: Arc<dyn ExecutionPlan>,
}

/// The rules by which a scan of Parquet files finds columns; none of another node.
pub(crate) fn adapters(node: &Arc<dyn ExecutionPlan>) -> Option<SparkAdapterFactory> {
    let config = config(node)?;
    config.file_groups.iter().flat_map(|group| group.files()).find_map(|file| file.extension().copied())
}

fn config(node: &Arc<dyn ExecutionPlan>) -> Option<&FileScanConfig> {
    node.downcast_ref::<DataSourceExec>()?.data_source().downcast_ref::<FileScanConfig>()
}

impl ParquetScanExec {
    /// Over a scan that knows the rules.
    pub(crate) fn new(adapters: SparkAdapterFactory, input: Arc<dyn ExecutionPlan>) -> Self {
        Self { adapters, input }
    }

    /// Over a scan that has lost them.
    ///
    /// # Errors
    /// An input that is no scan of files.
    pub(crate) fn restored(case_sensitive: bool, input: &Arc<dyn ExecutionPlan>) -> Result<Self> {
        let adapters = SparkAdapterFactory { case_sensitive };
        let config = config(input).ok_or_else(|| other_input(input))?;
        let config = FileScanConfigBuilder::from(config.clone()).with_expr_adapter(Some(Arc::new(adapters))).build();
        Ok(Self { adapters, input: DataSourceExec::from_data_source(config) })
    }

    pub(crate) fn adapters(&self) -> SparkAdapterFactory {
        self.adapters
    }

    fn with_input(&self, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.is_empty()) {
            (Some(input), true) => Ok(Arc::new(Self::new(self.adapters, input))),
            _ => Err(DataFusionError::Internal("ParquetScanExec has one child".to_owned())),
        }
    }
}

fn other_input(input: &Arc<dyn ExecutionPlan>) -> DataFusionError {
    DataFusionError::Internal(format!("the input of ParquetScanExec is a scan of files, not {}", input.name()))
}

impl ExecutionPlan for ParquetScanExec {
    fn name(&self) -> &str {
        "ParquetScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.with_input(children)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.with_input(children)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        self.input.execute(partition, context)
    }
}

impl DisplayAs for ParquetScanExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ParquetScanExec: case_sensitive={}", self.adapters.case_sensitive)
    }
}
