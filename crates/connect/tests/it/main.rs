//! The service over the wire: a server on loopback, and the client of Apache Spark's own crate.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod artifacts;
mod compressed;
mod errors;
mod hostile;
mod limits;
mod operations;
mod raw;
mod sessions;
mod show;
mod support;
