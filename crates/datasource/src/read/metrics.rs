//! What EXPLAIN ANALYZE says of a read.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::physical_plan::metrics::{Count, ExecutionPlanMetricsSet, MetricBuilder, Time};
use parking_lot::Mutex;

/// The metric of the bytes that a plug-in gave.
pub const PLUGIN_BYTES: &str = "plugin_bytes";

/// The metrics of one partition of a [`crate::exec::PythonExec`], beside DataFusion's own.
#[derive(Debug, Clone)]
pub(crate) struct ReadMetrics {
    /// Batches and bytes as the plug-in gave them.
    pub(crate) batches: Count,
    pub(crate) bytes: Count,
    /// Partition specs that need not be read, by their statistics and what the query found out while it ran.
    pub(crate) pruned_partitions: Count,
    /// Time in the plug-in's code, and in the streams that it returned.
    pub(crate) plugin_time: Time,
    channel_full: Count,
    channel_wait: Time,
    interpreter_wait: Time,
    interpreter_entries: Count,
    own: Arc<Own>,
}

/// What the plug-in counts itself.
#[derive(Debug)]
struct Own {
    set: ExecutionPlanMetricsSet,
    partition: usize,
    counts: Mutex<HashMap<String, Count>>,
}

impl ReadMetrics {
    pub(crate) fn new(set: &ExecutionPlanMetricsSet, partition: usize) -> Self {
        let build = || MetricBuilder::new(set);
        Self {
            batches: build().counter("plugin_batches", partition),
            bytes: build().counter(PLUGIN_BYTES, partition),
            pruned_partitions: build().counter("pruned_partitions", partition),
            plugin_time: build().subset_time("plugin_time", partition),
            channel_full: build().counter("channel_full", partition),
            channel_wait: build().subset_time("channel_wait_time", partition),
            interpreter_wait: build().subset_time("interpreter_wait_time", partition),
            interpreter_entries: build().counter("interpreter_entries", partition),
            own: Arc::new(Own { set: set.clone(), partition, counts: Mutex::default() }),
        }
    }

    /// The interpreter was entered, after a wait that began at `since`.
    pub(crate) fn entered(&self, since: Instant) {
        self.interpreter_wait.add_elapsed(since);
        self.interpreter_entries.add(1);
    }

    /// A batch that was ready has waited for the query to take those before it.
    pub(crate) fn channel_was_full(&self, waited: Duration) {
        self.channel_full.add(1);
        self.channel_wait.add_duration(waited);
    }

    /// Adds to what the plug-in counts under `name`.
    pub(crate) fn add(&self, name: &str, count: usize) {
        let mut counts = self.own.counts.lock();
        if let Some(known) = counts.get(name) {
            return known.add(count);
        }
        let new = MetricBuilder::new(&self.own.set).counter(name.to_owned(), self.own.partition);
        new.add(count);
        counts.insert(name.to_owned(), new);
    }
}
