//! Several partitions of a plan that share the reads of a source.
//!
//! Where a source has fewer partitions than the query has threads, the engine spreads the batches round robin: a task
//! takes each and puts it into the queue of the partition whose turn it is. Here the partitions take them from where the
//! reading thread puts them, whoever has time: no task, queue or thread to be woken lies between.

use std::fmt;
use std::sync::Arc;

use datafusion::common::Statistics;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::execution_plan::{ReplaceChildrenOptions, SchedulingType};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties,
};
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use parking_lot::Mutex;

use crate::exec::PythonExec;
use crate::read::ReadStream;

/// More partitions than its input, a [`PythonExec`], has. Each takes batches of one partition of the input.
#[derive(Debug)]
pub struct SharedReadExec {
    input: Arc<dyn ExecutionPlan>,
    /// What the partitions of the input still have to hand out.
    reads: Vec<Mutex<Option<Handout>>>,
    properties: Arc<PlanProperties>,
}

/// A read that starts when one of its partitions asks for a batch.
type SharedRead = Shared<BoxFuture<'static, std::result::Result<ReadStream, Arc<DataFusionError>>>>;

struct Handout {
    read: SharedRead,
    /// How many partitions have not got it yet. The read ends when all of them have, and have dropped it.
    left: usize,
}

impl SharedReadExec {
    /// None where `input` is no such read, or has as many partitions already.
    pub(crate) fn new(input: Arc<dyn ExecutionPlan>, partitions: usize) -> Option<Self> {
        let count = input.output_partitioning().partition_count();
        // What merges ordered partitions leaves one alone until it has rows of another.
        let is_ordered = input.output_ordering().is_some();
        if !input.is::<PythonExec>() || is_ordered || count == 0 || count >= partitions {
            return None;
        }
        let properties = PlanProperties::new(
            input.equivalence_properties().clone(),
            Partitioning::UnknownPartitioning(partitions),
            input.pipeline_behavior(),
            input.boundedness(),
        )
        .with_scheduling_type(SchedulingType::Cooperative);
        let reads = (0..count).map(|_| Mutex::default()).collect();
        Some(Self { input, reads, properties: Arc::new(properties) })
    }

    fn partitions(&self) -> usize {
        self.properties.partitioning.partition_count()
    }

    fn with_input(&self, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.pop();
        let input = input.ok_or_else(|| DataFusionError::Internal("SharedReadExec has one child".to_owned()))?;
        Ok(match Self::new(Arc::clone(&input), self.partitions()) {
            Some(shared) => Arc::new(shared),
            // An optimizer has put something between.
            None => Arc::new(RepartitionExec::try_new(input, Partitioning::RoundRobinBatch(self.partitions()))?),
        })
    }
}

impl ExecutionPlan for SharedReadExec {
    fn name(&self) -> &str {
        "SharedReadExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.with_input(children)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.with_input(children)
    }

    fn statistics_from_inputs(&self, inputs: &[Arc<Statistics>], args: &StatisticsArgs) -> Result<Arc<Statistics>> {
        match (args.partition(), inputs) {
            (None, [input]) => Ok(Arc::clone(input)),
            _ => Ok(Arc::new(Statistics::new_unknown(&self.schema()))),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let exec = self.input.downcast_ref::<PythonExec>();
        let exec = exec.ok_or_else(|| DataFusionError::Internal("SharedReadExec shares a PythonExec".to_owned()))?;
        let number = partition % self.reads.len();
        let mut handout = self.reads[number].lock();
        let Handout { read, left } = match handout.take() {
            Some(handout) => handout,
            None => {
                let read = exec.read(number, context)?.map(|read| read.map_err(Arc::new)).boxed().shared();
                Handout { read, left: (number..self.partitions()).step_by(self.reads.len()).count() }
            }
        };
        if left > 1 {
            *handout = Some(Handout { read: read.clone(), left: left - 1 });
        }
        Ok(exec.stream(number, async move { read.await.map_err(DataFusionError::Shared) }))
    }
}

impl DisplayAs for SharedReadExec {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match format {
            DisplayFormatType::TreeRender => write!(f, "partitions={}", self.partitions()),
            _ => write!(f, "SharedReadExec: partitions={}, input_partitions={}", self.partitions(), self.reads.len()),
        }
    }
}

impl fmt::Debug for Handout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handout").field("left", &self.left).finish_non_exhaustive()
    }
}
