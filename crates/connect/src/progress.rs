//! How far a query is, for `spark.registerProgressHandler`.

use std::sync::Arc;

use datafusion::physical_plan::metrics::MetricValue;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use sheetbend_cluster::{Progress as Remote, Stage};
use sheetbend_datasource::read::PLUGIN_BYTES;
use spark_connect_proto::execute_plan_response::ExecutionProgress;
use spark_connect_proto::execute_plan_response::execution_progress::StageInfo;

/// What tells how far a query is.
#[derive(Default)]
pub(crate) enum Progress {
    /// Nothing: its rows are there already.
    #[default]
    Ready,
    /// The plan that runs here.
    Here(Arc<dyn ExecutionPlan>),
    /// What looks at the executors that run it.
    Cluster(Arc<dyn Remote>),
}

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
    /// How far the query is. Here it has one stage, whose tasks are the partitions that are read.
    pub(crate) async fn report(&self, done: bool) -> ExecutionProgress {
        let mut stages = match self {
            Self::Ready => vec![Stage::default()],
            Self::Here(plan) => vec![here(plan.as_ref())],
            Self::Cluster(remote) => remote.stages().await,
        };
        if done {
            stages.iter_mut().for_each(|stage| (stage.done, stage.running) = (stage.tasks, 0));
        }
        let running = stages.iter().map(|stage| stage.running).sum();
        let stages = stages.into_iter().map(|stage| info(stage, done)).collect();
        ExecutionProgress { stages, num_inflight_tasks: number(running) }
    }
}

fn here(plan: &dyn ExecutionPlan) -> Stage {
    let mut counts = Counts::default();
    counts.add(plan);
    let done = counts.ended.min(counts.tasks);
    Stage { tasks: counts.tasks, done, running: counts.tasks - done, bytes: counts.bytes, ..Stage::default() }
}

fn info(stage: Stage, done: bool) -> StageInfo {
    StageInfo {
        stage_id: number(stage.id),
        num_tasks: number(stage.tasks),
        num_completed_tasks: number(stage.done),
        input_bytes_read: number(stage.bytes),
        done: done || (stage.tasks > 0 && stage.done == stage.tasks),
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
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
    matches!(name, PLUGIN_BYTES | "bytes_scanned")
}
