//! One task of a write: what a host has to do for it.

use std::sync::Arc;

use arrow::array::RecordBatch;

use crate::error::BridgeError;
use crate::host::Message;
use crate::python::failure::Site;
use crate::read::channel::Sender;
use crate::read::under_way::Read;
use crate::write::rows::Rows;

/// A task that is under way, on its thread.
pub struct WriteJob {
    /// Where it writes.
    pub(crate) site: Site,
    /// JSON of an object with `handle` and `task`.
    pub(crate) input: Message,
    pub(crate) rows: Rows,
    /// Where to say what a cancel does.
    pub(crate) under_way: Arc<Read>,
    pub(crate) partition: usize,
    /// Where its message goes.
    pub(crate) sender: Sender<RecordBatch, BridgeError>,
}

impl WriteJob {
    /// Whether nobody waits for the message any more.
    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }
}
