//! What one partition has to read, and where its batches go.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::error::DataFusionError;

use crate::error::{BridgeError, Result};
use crate::python::failure::Site;
use crate::read::channel::{Lost, Sender};
use crate::read::conform::Conform;
use crate::read::metrics::ReadMetrics;
use crate::read::order::Order;
use crate::read::size;
use crate::read::under_way::Read;
use crate::spec::Spec;

/// How large a batch goes on. The queues of the engine count batches, not bytes: with large ones they hold far more than
/// is needed to keep it busy.
const PIECE_BYTES: usize = 2 << 20;

/// Whether to go on.
pub(crate) type Flow = ControlFlow<()>;

/// A read that is under way, on its thread.
pub(crate) struct Job {
    pub(crate) specs: Vec<Spec>,
    /// Where it reads, but for the partition.
    pub(crate) site: Site,
    pub(crate) batch_size: usize,
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
    pub(crate) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Sends a batch as the plug-in gave it; waits for room. To be called detached from the interpreter.
    ///
    /// # Errors
    /// A batch that is not as promised.
    pub(crate) fn send(&mut self, batch: &RecordBatch, site: &Site) -> Result<Flow> {
        let mut batch = self
            .conform
            .apply(batch)
            .map_err(|mismatch| site.broke(format!("gave a batch that is not as promised: {mismatch}")))?;
        self.order.check(&batch).map_err(|what| site.broke(what))?;
        let bytes = size::bytes(&batch);
        self.metrics.batches.add(1);
        self.metrics.bytes.add(bytes);
        if batch.num_rows() == 0 {
            return Ok(if self.is_closed() { Flow::Break(()) } else { Flow::Continue(()) });
        }
        if let Some(left) = &mut self.left {
            batch = batch.slice(0, batch.num_rows().min(*left));
            *left -= batch.num_rows();
        }
        let waiting = self.metrics.channel_wait.timer();
        let sent =
            size::pieces(&batch, bytes, PIECE_BYTES).try_for_each(|(piece, bytes)| self.sender.send(piece, bytes));
        drop(waiting);
        Ok(if sent.is_err() || self.left == Some(0) { Flow::Break(()) } else { Flow::Continue(()) })
    }
}

impl From<Lost> for BridgeError {
    fn from(lost: Lost) -> Self {
        Self::Engine(DataFusionError::Internal(lost.to_string()))
    }
}
