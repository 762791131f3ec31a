//! A part of a plan that runs by itself, and the partitions of the whole that it has.

use datafusion::execution::TaskContext;

/// The numbers that the partitions of a part have in the whole. It stands among the extensions of a task's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partitions(Vec<usize>);

impl Partitions {
    /// The numbers of the first partition of the part, of the second and so on.
    pub fn new(numbers: Vec<usize>) -> Self {
        Self(numbers)
    }

    /// The number in the whole of a partition of what runs in `context`.
    pub(crate) fn number(context: &TaskContext, partition: usize) -> usize {
        let part = context.session_config().get_extension::<Self>();
        part.and_then(|part| part.0.get(partition).copied()).unwrap_or(partition)
    }
}
