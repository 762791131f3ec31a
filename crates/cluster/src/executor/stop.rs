//! The end of a task that is cancelled.
//!
//! Ballista's writers run their input on tasks of their own, which go on when the one that waits for them is dropped. So
//! what they read ends instead.

use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::execution_plan::ReplaceChildrenOptions;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::{StreamExt, stream};
use tokio_util::sync::CancellationToken;

/// The part of a plan that `writer` writes, with an end when `stop` is cancelled.
pub(super) fn stoppable(writer: Arc<dyn ExecutionPlan>, stop: CancellationToken) -> Result<Arc<dyn ExecutionPlan>> {
    let children = writer.children().into_iter().cloned();
    let children = children.map(|input| Arc::new(StopExec { input, stop: stop.clone() }) as Arc<dyn ExecutionPlan>);
    let children = children.collect();
    writer.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
}

/// The rows of its input until they are to end.
#[derive(Debug)]
struct StopExec {
    input: Arc<dyn ExecutionPlan>,
    stop: CancellationToken,
}

impl StopExec {
    fn with_input(&self, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.pop();
        let input = input.ok_or_else(|| DataFusionError::Internal("StopExec has one child".to_owned()))?;
        Ok(Arc::new(Self { input, stop: self.stop.clone() }))
    }
}

impl ExecutionPlan for StopExec {
    fn name(&self) -> &str {
        "StopExec"
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
        let rows = self.input.execute(partition, context)?;
        let stopped = self.stop.clone().cancelled_owned();
        let end = stream::once(async { Err(DataFusionError::Execution("the task was cancelled".to_owned())) });
        let (ended, stop) = (stopped, self.stop.clone());
        // The rows are dropped with what took them, and with them whatever makes them.
        let rows = rows.take_until(ended).chain(end.filter(move |_| {
            let is_stopped = stop.is_cancelled();
            async move { is_stopped }
        }));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }
}

impl DisplayAs for StopExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StopExec")
    }
}
