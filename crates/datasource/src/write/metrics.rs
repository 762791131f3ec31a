//! What EXPLAIN ANALYZE says of a write.

use datafusion::physical_plan::metrics::{Count, ExecutionPlanMetricsSet, MetricBuilder, Time};

/// The metrics of one partition of a [`crate::write::PythonWriteExec`].
#[derive(Debug, Clone)]
pub(crate) struct WriteMetrics {
    /// Rows, batches and bytes that the plug-in took.
    pub(crate) rows: Count,
    pub(crate) batches: Count,
    pub(crate) bytes: Count,
    /// Time in `write_partition`, waits for rows with it.
    pub(crate) write_time: Time,
    /// Time until the query gave the rows that the plug-in asked for.
    pub(crate) input_wait: Time,
}

impl WriteMetrics {
    pub(crate) fn new(set: &ExecutionPlanMetricsSet, partition: usize) -> Self {
        let build = || MetricBuilder::new(set);
        Self {
            rows: build().counter("written_rows", partition),
            batches: build().counter("written_batches", partition),
            bytes: build().counter("written_bytes", partition),
            write_time: build().subset_time("write_time", partition),
            input_wait: build().subset_time("input_wait_time", partition),
        }
    }
}
