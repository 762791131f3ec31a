//! The parts of the bridge that need no interpreter.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod channel;
mod conform;
mod format;
mod scan;
mod size;
mod spec;
mod types;
