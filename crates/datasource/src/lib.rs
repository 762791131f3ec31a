//! The generic bridge: whatever a Python plug-in reads becomes a table of DataFusion.
//!
//! Knows DataFusion, pyo3 and Arrow. Knows no Spark, and no source by name.
//!
//! Data enters by [`format`], which makes a [`source::Source`] of a plug-in and its options and a [`provider`] of that.
//! A scan of the provider is a [`exec::PythonExec`] over [`spec`]s; each of its partitions has a [`reader`] thread that
//! calls the plug-in, checks what comes ([`conform`]) and sends it through a [`channel`] to the query.

pub mod channel;
pub mod conform;
pub mod error;
pub mod exec;
mod failure;
pub mod format;
mod import;
mod interpreter;
mod metrics;
mod plugin;
pub mod provider;
mod python;
pub mod python_format;
mod reader;
pub mod reads;
pub mod size;
pub mod source;
pub mod spec;
pub mod types;
