//! What EXPLAIN ANALYZE says of a read.

use std::time::Instant;

use datafusion::physical_plan::metrics::{Count, ExecutionPlanMetricsSet, MetricBuilder, Time};

/// The metrics of one partition of a [`crate::exec::PythonExec`], beside DataFusion's own.
#[derive(Debug, Clone)]
pub(crate) struct ReadMetrics {
    /// Batches and bytes as the plug-in gave them.
    pub(crate) batches: Count,
    pub(crate) bytes: Count,
    /// Time in the plug-in's code, and in the streams that it returned.
    pub(crate) plugin_time: Time,
    /// Time until the query took a batch that was ready.
    pub(crate) channel_wait: Time,
    interpreter_wait: Time,
    interpreter_entries: Count,
}

impl ReadMetrics {
    pub(crate) fn new(set: &ExecutionPlanMetricsSet, partition: usize) -> Self {
        let build = || MetricBuilder::new(set);
        Self {
            batches: build().counter("plugin_batches", partition),
            bytes: build().counter("plugin_bytes", partition),
            plugin_time: build().subset_time("plugin_time", partition),
            channel_wait: build().subset_time("channel_wait_time", partition),
            interpreter_wait: build().subset_time("interpreter_wait_time", partition),
            interpreter_entries: build().counter("interpreter_entries", partition),
        }
    }

    /// The interpreter was entered, after a wait that began at `since`.
    pub(crate) fn entered(&self, since: Instant) {
        self.interpreter_wait.add_elapsed(since);
        self.interpreter_entries.add(1);
    }
}
