//! The generic bridge: whatever a Python plug-in reads becomes a table of DataFusion.
//!
//! Knows DataFusion, pyo3 and Arrow. Knows no Spark, and no source by name.
//!
//! Data enters by [`format`], which makes a [`source::Source`] of a plug-in and its options and a [`provider`] of that.
//! [`scan`] settles with the plug-in what a query needs of it; the outcome is a [`exec::PythonExec`] over [`spec`]s; each of its partitions has a thread of its own (see
//! [`read`]) that calls the plug-in at its host, checks what comes and sends it through a channel to the query.
//! It leaves by [`write`](mod@write): a [`write::PythonWriteExec`] has such a thread a partition, too.

pub mod alone;
pub mod client_class;
pub mod client_format;
pub mod error;
pub mod exec;
pub mod format;
pub mod host;
mod ipc;
pub mod isolation;
pub mod part;
pub mod provider;
mod python;
pub mod python_format;
pub mod read;
pub mod recipe;
pub mod retype;
pub mod scan;
pub mod share;
pub mod source;
pub mod spec;
pub mod types;
pub mod wire;
pub mod worker;
pub mod write;

pub use python::interpreter::unattached;
