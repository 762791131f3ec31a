//! What one partition has to read, and where its batches go.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::RecordBatch;
use datafusion::error::DataFusionError;

use crate::error::{BridgeError, Result};
use crate::host::Message;
use crate::python::failure::Site;
use crate::read::channel::{Lost, Sender};
use crate::read::conform::Conform;
use crate::read::metrics::ReadMetrics;
use crate::read::order::Order;
use crate::read::size::{self, Limits};
use crate::read::under_way::Read;
use crate::scan::DynamicFilters;
use crate::spec::Spec;

/// What a column of a batch weighs in the channel beside its rows: batches of a few rows are mostly that.
const COLUMN_BYTES: usize = 256;

/// Whether to go on.
pub type Flow = ControlFlow<()>;

/// A read that is under way, on its thread.
pub struct Job {
    pub(crate) specs: VecDeque<Spec>,
    pub(crate) dynamic_filters: DynamicFilters,
    /// Where it reads, but for the partition.
    pub(crate) site: Site,
    /// How large a batch goes on.
    pub(crate) limits: Limits,
    /// When the query ends, if it has not by then.
    pub(crate) deadline: Option<Instant>,
    pub(crate) metrics: ReadMetrics,
    pub(crate) read: Arc<Read>,
    pub(crate) conform: Conform,
    pub(crate) order: Order,
    /// How many rows are still wanted.
    pub(crate) left: Option<usize>,
    pub(crate) sender: Sender<RecordBatch, BridgeError>,
}

impl Job {
    /// Whether nobody waits for rows any more.
    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Runs a step of the plug-in: its time is counted, and the watchdog looks at it.
    pub(crate) fn step<T>(&self, site: &Site, work: impl FnOnce() -> T) -> T {
        let since = Instant::now();
        self.read.step.begin(since, site.partition);
        let value = work();
        self.read.step.end();
        self.metrics.plugin_time.add_elapsed(since);
        value
    }

    /// The next spec to read; none at the end. What cannot have a row that is wanted is passed over.
    ///
    /// # Errors
    /// A dynamic filter that cannot be looked at.
    pub fn next_spec(&mut self) -> Result<Option<Spec>> {
        while let Some(spec) = self.specs.pop_front() {
            if !self.dynamic_filters.prune(&spec)? {
                return Ok(Some(spec));
            }
            self.metrics.pruned_partitions.add(1);
        }
        Ok(None)
    }

    /// A filter that all rows pass that are wanted now; none where nothing is known of them.
    ///
    /// # Errors
    /// A dynamic filter that cannot be looked at.
    pub fn wanted(&mut self) -> Result<Option<Message>> {
        Ok(self.dynamic_filters.message()?)
    }

    /// Sends a batch as the plug-in gave it; waits for room. To be called detached from the interpreter.
    ///
    /// # Errors
    /// A batch that is not as promised.
    pub fn send(&mut self, batch: &RecordBatch, site: &Site) -> Result<Flow> {
        self.metrics.batches.add(1);
        let wanted = self.left.map_or(batch.num_rows(), |left| batch.num_rows().min(left));
        // In slices from the first: values that are the same take next to nothing, until a cast writes each of them.
        let slices = wanted.div_ceil(self.limits.rows).max(1);
        let step = wanted.div_ceil(slices).max(1);
        if slices == 1 && wanted == batch.num_rows() {
            return self.send_slice(batch, site);
        }
        for start in (0..wanted).step_by(step) {
            if self.send_slice(&batch.slice(start, step.min(wanted - start)), site)?.is_break() {
                return Ok(Flow::Break(()));
            }
        }
        Ok(Flow::Continue(()))
    }

    fn send_slice(&mut self, batch: &RecordBatch, site: &Site) -> Result<Flow> {
        let batch = self
            .conform
            .apply(batch)
            .map_err(|mismatch| site.broke(format!("gave a batch that is not as promised: {mismatch}")))?;
        self.order.check(&batch).map_err(|what| site.broke(what))?;
        let bytes = size::bytes(&batch);
        self.metrics.bytes.add(bytes);
        if batch.num_rows() == 0 {
            return Ok(if self.is_closed() { Flow::Break(()) } else { Flow::Continue(()) });
        }
        if let Some(left) = &mut self.left {
            *left -= batch.num_rows();
        }
        let own = COLUMN_BYTES * (1 + batch.num_columns());
        for (piece, bytes) in size::pieces(batch, bytes, self.limits) {
            match self.sender.send(piece, bytes + own) {
                Ok(None) => {}
                Ok(Some(waited)) => self.metrics.channel_was_full(waited),
                Err(_unwanted) => return Ok(Flow::Break(())),
            }
        }
        Ok(if self.left == Some(0) { Flow::Break(()) } else { Flow::Continue(()) })
    }
}

impl From<Lost> for BridgeError {
    fn from(lost: Lost) -> Self {
        Self::Engine(DataFusionError::Internal(lost.to_string()))
    }
}
