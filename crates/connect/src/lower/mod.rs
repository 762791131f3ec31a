//! Lowers the messages of a plan into the unresolved plan of `sheetbend_plan::ir`.
//!
//! Nothing is resolved here. What Spark has and the unresolved plan has not is refused by its name in the client's API.
//! Walking is recursive: the codec bounds the depth, and `stack` gives room for it.

mod expression;
mod literal;
mod local;
mod relation;
mod reshape;
mod source;
mod statistic;
pub(crate) mod types;

use std::collections::HashMap;

use sheetbend_plan::ir;

use crate::session::Session;

/// Lowers the plans of a session.
pub(crate) struct Lowering<'a> {
    session: &'a Session,
    /// Relations that subquery expressions refer to, by plan id.
    subqueries: HashMap<i64, ir::Relation>,
}

impl<'a> Lowering<'a> {
    /// A lowering for one plan.
    pub(crate) fn new(session: &'a Session) -> Self {
        Self { session, subqueries: HashMap::new() }
    }
}
