//! Spark semantics on DataFusion: one unresolved plan ([`ir`]), and the resolver that turns it into a DataFusion
//! `LogicalPlan` ([`resolver`]). SQL text lowers into the same plan through [`sql`]; [`ddl`] reads and writes Spark's
//! names of types.
//!
//! This crate knows no gRPC and no Python. What it needs from outside (tables, sources, settings) it asks through
//! [`environment::Environment`].

pub mod ddl;
pub mod environment;
pub mod error;
pub mod format;
mod functions;
pub mod interval;
pub mod ir;
pub mod resolver;
pub mod session;
pub mod sql;
pub mod text;
pub mod types;
pub mod wire;

pub use functions::names as function_names;
