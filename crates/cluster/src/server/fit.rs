//! Plans as executors can run them: each partition may run by itself, in another process than those beside it.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{JoinType, Result, not_impl_err};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::joins::{HashJoinExec, NestedLoopJoinExec};
use datafusion::physical_plan::memory::LazyMemoryExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, Partitioning, replace_children_if_necessary};

/// Whether the scheduler can cut `plan` by its leaves, and knows what it sends of them.
///
/// # Errors
/// A leaf that each task would read whole, or of which a limit or the columns would be lost.
pub(super) fn check(plan: &Arc<dyn ExecutionPlan>) -> Result<()> {
    let is_lost = match plan.downcast_ref::<DataSourceExec>() {
        Some(leaf) => leaf.data_source().is::<MemorySourceConfig>() && leaf.fetch().is_some(),
        None => {
            let is_whole = plan.output_partitioning().partition_count() > 1 || plan.schema().fields().is_empty();
            plan.is::<LazyMemoryExec>() && is_whole
        }
    };
    match is_lost {
        true => not_impl_err!("{} on a cluster", plan.name()),
        false => plan.children().into_iter().try_for_each(check),
    }
}

/// The same rows, where nothing is shared between partitions.
pub(super) fn fit(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    plan.transform_up(|node| match fitting(&node)? {
        Some(fitting) => Ok(Transformed::yes(fitting)),
        None => Ok(Transformed::no(node)),
    })
    .data()
}

/// As [`fit`], and in as many partitions as it says. The scheduler chooses anew how a join is run, and with it the number
/// of partitions up to the next exchange.
pub(super) fn fixed(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let plan = fit(plan)?;
    match ends_in_join(&plan) {
        true => by_hash(&plan, plan.output_partitioning().partition_count()),
        false => Ok(plan),
    }
}

fn fitting(node: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>() {
        return knows_unmatched(*join.join_type()).then(|| in_one(node)).transpose();
    }
    if let Some(spread) = node.downcast_ref::<RepartitionExec>()
        && let Partitioning::RoundRobinBatch(partitions) = spread.partitioning()
    {
        return by_hash(spread.input(), *partitions).map(Some);
    }
    Ok(None)
}

/// Whether what is left over on the left side is known when all partitions of the right side have been seen.
fn knows_unmatched(join: JoinType) -> bool {
    matches!(join, JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark | JoinType::Full)
}

/// A join whose right side is one partition.
fn in_one(join: &Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let mut children: Vec<_> = join.children().into_iter().cloned().collect();
    if let Some(right) = children.last_mut()
        && right.output_partitioning().partition_count() > 1
    {
        *right = Arc::new(CoalescePartitionsExec::new(Arc::clone(right)));
    }
    replace_children_if_necessary(Arc::clone(join), children)
}

/// The rows by what is in them. The scheduler leaves out an exchange of any other kind; and a task that runs once more
/// sends each row where it went before.
fn by_hash(input: &Arc<dyn ExecutionPlan>, partitions: usize) -> Result<Arc<dyn ExecutionPlan>> {
    if partitions == 1 {
        return Ok(Arc::new(CoalescePartitionsExec::new(Arc::clone(input))));
    }
    let schema = input.schema();
    let columns = schema.fields().iter().enumerate();
    let columns = columns.map(|(at, field)| Arc::new(Column::new(field.name(), at)) as Arc<dyn PhysicalExpr>).collect();
    let spread = RepartitionExec::try_new(Arc::clone(input), Partitioning::Hash(columns, partitions))?;
    Ok(Arc::new(spread))
}

/// Whether there is a join between the end of a plan and its last exchange.
fn ends_in_join(plan: &Arc<dyn ExecutionPlan>) -> bool {
    if plan.is::<RepartitionExec>() || plan.is::<CoalescePartitionsExec>() || plan.is::<SortPreservingMergeExec>() {
        return false;
    }
    plan.is::<HashJoinExec>() || plan.children().into_iter().any(ends_in_join)
}
