//! Where a query runs: in this process, or on the executors of a cluster.

use std::any::Any;
use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use sheetbend_datasource::exec::PythonExec;
use sheetbend_datasource::provider::PythonTableProvider;
use sheetbend_files::wire;
use sheetbend_plan::error::{ErrorClass, Result, SparkError};

/// The setting by which a session says it.
pub(crate) const RUNNER: &str = "spark.sheetbend.runner";

/// So few rows are read faster than a task is handed out.
const SMALL: usize = 10_000;

/// What a session says of where its queries run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Place {
    /// On the cluster, where there is one and the query is worth it.
    #[default]
    Auto,
    /// In this process.
    Here,
    /// On the cluster.
    Cluster,
}

impl Place {
    /// The place of this name.
    ///
    /// # Errors
    /// `INVALID_CONF_VALUE` for a name that is none.
    pub(crate) fn named(name: &str) -> Result<Self> {
        match name.to_ascii_lowercase().as_str() {
            "auto" => Ok(Self::Auto),
            "local" => Ok(Self::Here),
            "cluster" => Ok(Self::Cluster),
            _ => Err(invalid(
                name,
                format!("The value '{name}' in the config \"{RUNNER}\" is invalid. It is one of auto, local, cluster."),
            )),
        }
    }
}

/// The error of a place that cannot be had; `message` says why.
pub(crate) fn invalid(name: &str, message: String) -> SparkError {
    SparkError::new(ErrorClass::IllegalArgument, "INVALID_CONF_VALUE.DEFAULT", "22022", message)
        .with("confName", RUNNER)
        .with("confValue", name)
}

/// Whether a query reads sources, and no files, which only this machine is known to have.
pub(crate) fn reads_sources(plan: &LogicalPlan) -> bool {
    let (mut sources, mut files) = (false, false);
    // The visitor itself does not fail.
    let _ = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node
            && let Ok(table) = source_as_provider(&scan.source)
        {
            files |= wire::is_table(table.as_ref());
            let table: &dyn Any = table.as_ref();
            sources |= table.is::<PythonTableProvider>();
        }
        Ok(if files { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    sources && !files
}

/// Whether all sources of a plan are known to have few rows.
pub(crate) fn is_small(plan: &Arc<dyn ExecutionPlan>) -> bool {
    if plan.is::<PythonExec>() {
        let known = StatisticsContext::new().compute(plan.as_ref(), &StatisticsArgs::new());
        return known.is_ok_and(|known| known.num_rows.get_value().is_some_and(|rows| *rows <= SMALL));
    }
    plan.children().into_iter().all(is_small)
}

/// What a plan is called in a list of jobs: the sources that it reads.
pub(crate) fn name(plan: &Arc<dyn ExecutionPlan>) -> String {
    let mut sources = BTreeSet::new();
    add_sources(plan, &mut sources);
    match sources.is_empty() {
        true => "query".to_owned(),
        false => format!("query of {}", sources.into_iter().collect::<Vec<_>>().join(", ")),
    }
}

fn add_sources(plan: &Arc<dyn ExecutionPlan>, sources: &mut BTreeSet<String>) {
    if let Some(exec) = plan.downcast_ref::<PythonExec>() {
        sources.insert(exec.source().format().to_owned());
    }
    plan.children().into_iter().for_each(|child| add_sources(child, sources));
}
