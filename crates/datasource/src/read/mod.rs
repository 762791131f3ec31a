//! Reading: from a plug-in's batches to the stream of a query.

pub(crate) mod capsule;
pub mod channel;
mod columns;
pub mod conform;
mod deadline;
pub(crate) mod import;
mod job;
pub mod merge;
mod metrics;
pub(crate) mod order;
mod reader;
pub mod release;
pub mod size;
pub mod under_way;
mod watchdog;

pub use deadline::Deadline;
pub use job::{Flow, Job};
pub use metrics::PLUGIN_BYTES;
pub(crate) use metrics::ReadMetrics;
pub(crate) use reader::{ReadStream, Reader, abandon, spawn};
