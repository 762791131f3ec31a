//! Spark semantics on DataFusion: one unresolved plan ([`ir`]), the SQL text that lowers into it ([`sql`]), and the
//! resolver that turns it into a DataFusion `LogicalPlan` ([`resolver`]).
//!
//! This crate knows no gRPC and no Python. What it needs from outside (tables, sources, settings) it asks through
//! [`environment::Environment`].

pub mod ddl;
pub mod environment;
pub mod error;
pub mod format;
mod functions;
pub mod ir;
pub mod resolver;
pub mod session;
pub mod sql;
mod types;
