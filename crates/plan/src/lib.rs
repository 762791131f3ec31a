//! Spark semantics on DataFusion: one unresolved plan ([`ir`]), and the resolver that turns it into a DataFusion
//! `LogicalPlan` ([`resolver`]).
//!
//! This crate knows no gRPC and no Python. What it needs from outside (tables, sources, settings) it asks through
//! [`environment::Environment`].

pub mod environment;
pub mod error;
pub mod ir;
pub mod resolver;
