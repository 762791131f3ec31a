//! The generic bridge: whatever a Python plug-in reads becomes a table of DataFusion.
//!
//! Knows DataFusion, pyo3 and Arrow. Knows no Spark, and no source by name.

pub mod error;
pub mod format;
