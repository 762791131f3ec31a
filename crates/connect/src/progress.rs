//! How far a query is, for `spark.registerProgressHandler`.

use std::sync::Arc;

use datafusion::physical_plan::metrics::MetricValue;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use spark_connect_proto::execute_plan_response::ExecutionProgress;
use spark_connect_proto::execute_plan_response::execution_progress::StageInfo;

/// The plan of a query that runs; none where its rows are there already.
#[derive(Debug, Default)]
pub(crate) struct Progress(Option<Arc<dyn ExecutionPlan>>);

/// The node that reads a source: what is below it is no data.
const READS_SPECS: &str = "PythonExec";

/// Counts over the nodes of a plan that read.
#[derive(Debug, Default)]
struct Counts {
    tasks: usize,
    ended: usize,
    bytes: usize,
}

impl Progress {
    /// How far `plan` is.
    pub(crate) fn of(plan: Arc<dyn ExecutionPlan>) -> Self {
        Self(Some(plan))
    }

    /// One stage whose tasks are the partitions that are read.
    pub(crate) fn report(&self, done: bool) -> ExecutionProgress {
        let mut counts = Counts::default();
        if let Some(plan) = &self.0 {
            counts.add(plan.as_ref());
        }
        let completed = if done { counts.tasks } else { counts.ended.min(counts.tasks) };
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let stage = StageInfo {
            stage_id: 0,
            num_tasks: number(counts.tasks),
            num_completed_tasks: number(completed),
            input_bytes_read: number(counts.bytes),
            done,
        };
        ExecutionProgress { stages: vec![stage], num_inflight_tasks: number(counts.tasks - completed) }
    }
}

impl Counts {
    fn add(&mut self, plan: &dyn ExecutionPlan) {
        let reads = plan.children().is_empty() || plan.name() == READS_SPECS;
        if !reads {
            plan.children().into_iter().for_each(|child| self.add(child.as_ref()));
        }
        let metrics = plan.metrics();
        let values = metrics.iter().flat_map(|metrics| metrics.iter()).map(|metric| metric.value());
        let mut ended = 0;
        for value in values {
            match value {
                MetricValue::EndTimestamp(end) if end.value().is_some() => ended += 1,
                MetricValue::Count { name, count } if is_bytes_read(name) => self.bytes += count.value(),
                _ => {}
            }
        }
        if reads {
            self.tasks += plan.output_partitioning().partition_count();
            self.ended += ended;
        }
    }
}

/// The names that nodes which read count their bytes by.
fn is_bytes_read(name: &str) -> bool {
    matches!(name, "plugin_bytes" | "bytes_scanned")
}
