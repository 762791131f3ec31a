//! Tests of the files crate.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod wire;
mod write;
