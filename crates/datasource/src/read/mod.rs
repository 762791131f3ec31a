//! Reading: from a plug-in's batches to the stream of a query.

pub mod channel;
pub mod conform;
pub(crate) mod import;
mod job;
mod metrics;
pub(crate) mod order;
mod reader;
pub mod size;
pub mod under_way;

pub(crate) use job::{Flow, Job};
pub(crate) use metrics::ReadMetrics;
pub(crate) use reader::Reader;
