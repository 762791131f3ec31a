//! stub
use crate::error::{Result, SparkError};
use crate::ir::{Expr, Relation};
use std::collections::BTreeMap;
pub struct Parameters {
    pub named: BTreeMap<String, Expr>,
    pub positional: Vec<Expr>,
}
pub fn parse_query(_: &str, _: &Parameters) -> Result<Relation> {
    Err(SparkError::unsupported("SQL"))
}
pub fn parse_expression(_: &str) -> Result<Expr> {
    Err(SparkError::unsupported("SQL"))
}
