//! Tests of the plan crate.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod ddl;
mod resolver;
mod sql;
mod wire;
