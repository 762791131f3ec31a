//! Tests of the plan crate.

mod ddl;
mod sql;
