//! The end of a recursion that has none of its own: the rows of the step before are given out so many times only.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::TableType;
use datafusion::datasource::cte_worktable::CteWorkTable;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::Expr;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};

use crate::error::{ErrorClass, SparkError};

/// `spark.sql.cteRecursionLevelLimit`.
const MOST_STEPS: usize = 100;

/// The rows of the step before.
#[derive(Debug)]
pub(super) struct StepTable {
    rows: CteWorkTable,
    most_steps: usize,
}

impl StepTable {
    /// Counts how often the rows are read.
    pub(super) fn new(rows: CteWorkTable, most_steps: Option<usize>) -> Self {
        Self { rows, most_steps: most_steps.unwrap_or(MOST_STEPS) }
    }
}

#[async_trait]
impl TableProvider for StepTable {
    fn schema(&self) -> SchemaRef {
        self.rows.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let rows = self.rows.scan(state, projection, filters, limit).await?;
        Ok(Arc::new(StepExec { rows, most_steps: self.most_steps, steps: Arc::default() }))
    }
}

/// Passes its rows on, as often as a recursion may go.
#[derive(Debug)]
struct StepExec {
    rows: Arc<dyn ExecutionPlan>,
    most_steps: usize,
    /// Shared by what the engine makes of this node from step to step.
    steps: Arc<AtomicUsize>,
}

impl DisplayAs for StepExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StepExec: most={}", self.most_steps)
    }
}

impl ExecutionPlan for StepExec {
    fn name(&self) -> &'static str {
        "StepExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.rows.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.rows]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let [rows] =
            <[_; 1]>::try_from(children).map_err(|_| DataFusionError::Internal("StepExec has one input".to_owned()))?;
        Ok(Arc::new(Self { rows, most_steps: self.most_steps, steps: Arc::clone(&self.steps) }))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        // A step reads every partition once.
        if partition == 0 && self.steps.fetch_add(1, Ordering::Relaxed) >= self.most_steps {
            return Err(too_deep(self.most_steps).into());
        }
        self.rows.execute(partition, context)
    }
}

fn too_deep(most: usize) -> SparkError {
    let message = format!(
        "Recursion level limit {most} reached but the query has not exhausted. End the recursion with a condition, or try \
         WITH RECURSIVE t(col) MAX RECURSION LEVEL {}.",
        most.saturating_mul(2)
    );
    SparkError::new(ErrorClass::Internal, "RECURSION_LEVEL_LIMIT_EXCEEDED", "42836", message)
        .with("levelLimit", most.to_string())
}
