//! Plug-ins in processes of their own.
//!
//! A [`host`] leases a [`process`] from the [`pool`] for each partition that is read and for each other call. Requests
//! and answers are frames of the [`protocol`] on a Unix socket ([`connection`]); batches lie in memory that both map
//! ([`segment`]). `python/sheetbend/worker` is the other side.

mod cancel;
mod connection;
pub(crate) mod host;
pub(crate) mod ipc;
mod launch;
mod output;
pub mod pool;
mod process;
mod protocol;
mod segment;
#[expect(clippy::module_inception, reason = "the worker is what this room is about")]
mod worker;
