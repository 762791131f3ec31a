//! When a query ends that has not ended by itself.

use std::time::Instant;

use datafusion::execution::TaskContext;

/// An extension of the session's configuration that a query runs with. Plug-ins are told of it; whoever runs the query
/// has to end it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(pub Instant);

impl Deadline {
    /// The deadline of the query that `context` belongs to.
    pub(crate) fn of(context: &TaskContext) -> Option<Instant> {
        context.session_config().get_extension::<Self>().map(|deadline| deadline.0)
    }
}
