//! Tests of the plan crate.

mod ddl;
mod resolver;
mod sql;
