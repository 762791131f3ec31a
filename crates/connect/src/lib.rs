//! The Spark Connect service: gRPC in, unresolved plans out to `sheetbend_plan`, record batches back.
//!
//! A call enters in `service`, finds its `session`, and is either answered at once (`config`, `analyze`, `artifacts`)
//! or becomes an `operation`: a task that lowers the plan (`lower`), has it resolved and planned (`engine`), and writes
//! batches (`arrow_out`) to a log (`responses`) that the client reads.

mod analyze;
mod arrow_out;
mod artifacts;
mod cache;
mod catalog;
pub mod clients;
mod codec;
mod command;
mod compressed;
mod config;
mod engine;
mod environment;
mod error;
mod explain;
pub mod failure;
mod functions;
mod lower;
mod managed;
mod memory;
mod names;
mod observe;
mod operation;
mod place;
mod progress;
mod responses;
mod rows;
mod save;
mod server;
mod service;
mod session;
mod sessions;
mod show;
mod sql;
mod stack;
mod tables;
mod tree;
mod value;
mod variables;
mod views;
mod write;

pub use server::{Server, ServerConfig};
pub use stack::STACK_BYTES;
