//! The service over the wire: a server on loopback, and the client of Apache Spark's own crate.

mod artifacts;
mod errors;
mod limits;
mod operations;
mod sessions;
mod show;
mod support;
