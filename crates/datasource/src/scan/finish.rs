//! What is done with a physical plan when all else is settled.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::error::Result;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::{ExecutionPlan, Partitioning};

use crate::exec::PythonExec;
use crate::share::SharedReadExec;

/// `plan` without projections that only rename the columns of a source: it has them so itself. What is
/// pushed into a source later would not find its columns.
///
/// # Errors
/// None that the plan itself does not have.
pub(crate) fn name_columns(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let named = plan.transform_up(|node| {
        let named = node.downcast_ref::<ProjectionExec>().and_then(|projection| {
            let exec = projection.input().downcast_ref::<PythonExec>()?;
            let kept = |(at, of): (usize, &ProjectionExpr)| {
                of.expr.downcast_ref::<Column>().is_some_and(|of| of.index() == at)
            };
            let is_rename = projection.expr().len() == exec.schema().fields().len();
            let is_rename = is_rename && projection.expr().iter().enumerate().all(kept);
            is_rename.then(|| Arc::new(exec.renamed(projection.schema())) as Arc<dyn ExecutionPlan>)
        });
        Ok(named.map_or_else(|| Transformed::no(node), Transformed::yes))
    });
    named.data()
}

/// `plan` with shared reads where batches of a source would be spread round robin.
///
/// For plans whose partitions all run in this process.
///
/// # Errors
/// None that the plan itself does not have.
pub(crate) fn share_reads(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let shared = plan.transform_up(|node| {
        let Some(spread) = node.downcast_ref::<RepartitionExec>() else { return Ok(Transformed::no(node)) };
        let partitions = match spread.partitioning() {
            Partitioning::RoundRobinBatch(partitions) if !spread.preserve_order() => *partitions,
            _ => return Ok(Transformed::no(node)),
        };
        Ok(match shared(spread.input(), partitions)? {
            Some(shared) => Transformed::yes(shared),
            None => Transformed::no(node),
        })
    });
    shared.data()
}

/// The same rows in more partitions; none where they are not those of a source, renamed or computed at the most.
fn shared(plan: &Arc<dyn ExecutionPlan>, partitions: usize) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(projection) = plan.downcast_ref::<ProjectionExec>() else {
        let shared = SharedReadExec::new(Arc::clone(plan), partitions);
        return Ok(shared.map(|shared| Arc::new(shared) as Arc<dyn ExecutionPlan>));
    };
    let input = shared(projection.input(), partitions)?;
    let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
    input.map(|input| Arc::clone(plan).replace_children(vec![input], options)).transpose()
}
