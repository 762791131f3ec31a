//! The planner of queries, which negotiates their scans first.

use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::datasource::provider_as_source;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{
    Expr, Limit, LogicalPlan, LogicalPlanBuilder, TableScan, TableScanBuilder, TableSource, Window, lit,
};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};

use crate::alone::together;
use crate::scan::aggregate::merged;
use crate::scan::answer::{Aggregation, Pushdown, ScanAnswer};
use crate::scan::candidate::{Candidate, offered, sample_of};
use crate::scan::finish::{name_columns, share_reads};
use crate::scan::request::ScanRequest;
use crate::scan::statistics::Pruner;
use crate::scan::table::PlannedTable;

/// Plans queries as DataFusion does, once every scan of a plug-in has been negotiated, to run in this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct ScanPlanner;

#[async_trait]
impl QueryPlanner for ScanPlanner {
    async fn create_physical_plan(&self, plan: &LogicalPlan, session: &dyn Session) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = negotiate(plan.clone(), session).await?;
        let is_spread = plan.exists(|node| Ok(matches!(node, LogicalPlan::Repartition(_))))?;
        let physical = DefaultPhysicalPlanner::default().create_physical_plan(&plan, session).await?;
        let physical = name_columns(physical)?;
        // Who asks for partitions wants them to be even, and not whoever is the fastest to have all rows.
        if is_spread { Ok(physical) } else { share_reads(physical) }
    }
}

/// `plan` with each scan of a plug-in as the plug-in answered for it.
///
/// # Errors
/// What a plug-in raises.
pub(crate) async fn negotiate(plan: LogicalPlan, session: &dyn Session) -> Result<LogicalPlan> {
    let mut candidates = vec![];
    visit(plan.clone(), session, |node, candidate| {
        candidates.push(candidate);
        Ok(node)
    })?;
    let answers = candidates.iter().map(|candidate| candidate.source.plan_scan(&candidate.request));
    let mut answers = together(answers).await?.into_iter();
    visit(plan, session, |node, candidate| {
        let missing = || DataFusionError::Internal("a scan was not negotiated".to_owned());
        rewrite(node, candidate, answers.next().ok_or_else(missing)?, session)
    })
}

/// Replaces each part of a plan that is negotiated, in the same order every time.
fn visit(
    plan: LogicalPlan,
    session: &dyn Session,
    mut replace: impl FnMut(LogicalPlan, Candidate) -> Result<LogicalPlan>,
) -> Result<LogicalPlan> {
    let visited = plan.transform_down_with_subqueries(|node| match Candidate::of(&node, session)? {
        Some(candidate) => Ok(Transformed::new(replace(node, candidate)?, true, TreeNodeRecursion::Jump)),
        None => Ok(Transformed::no(node)),
    });
    visited.data()
}

fn rewrite(node: LogicalPlan, candidate: Candidate, answer: ScanAnswer, session: &dyn Session) -> Result<LogicalPlan> {
    let Candidate { source, request, scan } = candidate;
    let partitions = pruned(&scan, &answer, session)?;
    let residual = residual(&scan, &request, &answer);
    let is_one_partition = partitions.num_rows() == 1;
    let aggregation = answer.aggregation;
    let table = provider_as_source(Arc::new(PlannedTable::try_new(source, &request, &answer, partitions)?));
    if let (LogicalPlan::Aggregate(over), Some(aggregate), Aggregation::Partial | Aggregation::Final) =
        (&node, &request.aggregate, aggregation)
    {
        let are_groups = aggregation == Aggregation::Final && is_one_partition && !aggregate.group_by.is_empty();
        return merged(over, aggregate, TableScanBuilder::new(scan.table_name, table).build()?, are_groups);
    }
    let planned = filtered(&scan, table, residual)?;
    let replaced = undone(node, &answer)?.transform_down(|node| match node {
        LogicalPlan::TableScan(_) => Ok(Transformed::new(planned.clone(), true, TreeNodeRecursion::Stop)),
        LogicalPlan::Window(numbered) if answer.sampled => Ok(Transformed::yes(unnumbered(&numbered)?)),
        other => Ok(Transformed::no(other)),
    });
    replaced.data()
}

/// `node` without the offset or the sample that the source has done.
fn undone(node: LogicalPlan, answer: &ScanAnswer) -> Result<LogicalPlan> {
    match node {
        LogicalPlan::Limit(limit) if answer.skipped => Ok(match limit.fetch {
            Some(_) => LogicalPlan::Limit(Limit { skip: None, ..limit }),
            None => Arc::unwrap_or_clone(limit.input),
        }),
        LogicalPlan::Filter(filter) if answer.sampled => {
            let others = split_conjunction_owned(filter.predicate).into_iter().filter(|expr| sample_of(expr).is_none());
            match conjunction(others) {
                Some(others) => LogicalPlanBuilder::from(Arc::unwrap_or_clone(filter.input)).filter(others)?.build(),
                None => Ok(Arc::unwrap_or_clone(filter.input)),
            }
        }
        other => Ok(other),
    }
}

/// The rows of a window with a number that nobody looks at any more.
fn unnumbered(window: &Window) -> Result<LogicalPlan> {
    let columns = window.input.schema().columns().into_iter().map(Expr::Column);
    let numbers = window.schema.iter().skip(window.input.schema().fields().len());
    let numbers = numbers.map(|(qualifier, field)| lit(0_u64).alias_qualified(qualifier.cloned(), field.name()));
    LogicalPlanBuilder::from(Arc::clone(&window.input)).project(columns.chain(numbers))?.build()
}

/// The partitions that may have rows that pass the filters of a scan.
fn pruned(scan: &TableScan, answer: &ScanAnswer, session: &dyn Session) -> Result<RecordBatch> {
    let Some(condition) = conjunction(scan.filters.iter().cloned()) else { return Ok(answer.partitions.clone()) };
    let schema = scan.source.schema();
    let columns = DFSchema::try_from_qualified_schema(scan.table_name.clone(), &schema)?;
    let predicate = session.create_physical_expr(condition, &columns)?;
    let kept = Pruner::new(predicate, Arc::clone(&schema)).kept(&answer.partitions, &schema);
    Ok(filter_record_batch(&answer.partitions, &BooleanArray::from(kept))?)
}

/// The filters of a scan that are left to the engine.
fn residual(scan: &TableScan, request: &ScanRequest, answer: &ScanAnswer) -> Vec<Expr> {
    let exact = offered(scan, &request.schema).zip(&answer.filters);
    let exact: Vec<_> =
        exact.filter(|(_, answer)| **answer == Some(Pushdown::Exact)).map(|((expr, _), _)| expr).collect();
    scan.filters.iter().filter(|filter| !exact.contains(filter)).cloned().collect()
}

/// `scan` of `table`, with the filters `residual` above it, whose columns go again.
fn filtered(scan: &TableScan, table: Arc<dyn TableSource>, residual: Vec<Expr>) -> Result<LogicalPlan> {
    let schema = table.schema();
    let scanned = TableScanBuilder::new(scan.table_name.clone(), table);
    let Some(condition) = conjunction(residual) else {
        let scanned = scanned.with_projection(scan.projection.clone()).with_fetch(scan.fetch);
        return Ok(LogicalPlan::TableScan(scanned.build()?));
    };
    let mut columns = scan.projection.clone();
    if let Some(columns) = &mut columns {
        let needed = condition.column_refs().into_iter().map(|column| schema.index_of(&column.name));
        let mut needed = needed.collect::<Result<Vec<_>, _>>()?;
        needed.retain(|index| !columns.contains(index));
        needed.sort_unstable();
        columns.extend(needed);
    }
    let is_wider = columns != scan.projection;
    let scanned = LogicalPlan::TableScan(scanned.with_projection(columns).build()?);
    let filtered = LogicalPlanBuilder::from(scanned).filter(condition)?;
    match is_wider {
        true => filtered.project(scan.projected_schema.columns().into_iter().map(Expr::Column))?.build(),
        false => filtered.build(),
    }
}
