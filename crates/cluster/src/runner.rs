//! Where plans run.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SessionConfig;

/// A plan that is ready to run.
#[derive(Debug, Clone)]
pub struct Work {
    /// What it is called in a list of jobs.
    pub name: String,
    /// What is run.
    pub plan: Arc<dyn ExecutionPlan>,
    /// What it is run in.
    pub context: Arc<TaskContext>,
}

/// A plan that runs.
pub struct Running {
    /// The rows of all partitions, as they are ready. The work ends when this is dropped.
    pub rows: SendableRecordBatchStream,
    /// How far it is; none where the plan's own metrics tell.
    pub progress: Option<Arc<dyn Progress>>,
}

/// How far a stage of work is that runs somewhere else. A task is one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stage {
    /// Its number in the work.
    pub id: usize,
    /// All of its tasks.
    pub tasks: usize,
    /// Those that have ended well.
    pub done: usize,
    /// Those that run.
    pub running: usize,
    /// The rows that sources have given it, as far as tasks have ended.
    pub rows: usize,
    /// The bytes of them.
    pub bytes: usize,
}

/// How far work is that runs somewhere else.
#[async_trait]
pub trait Progress: Send + Sync {
    /// Its stages, by number; none before it has been cut into some.
    async fn stages(&self) -> Vec<Stage>;
}

/// Runs plans.
#[async_trait]
pub trait Runner: Send + Sync + Debug {
    /// The settings that plans for it are made with, from those for this machine.
    fn settings(&self, settings: SessionConfig) -> SessionConfig {
        settings
    }

    /// Whether it can run `plan`.
    ///
    /// # Errors
    /// Why it cannot.
    fn check(&self, _plan: &Arc<dyn ExecutionPlan>) -> Result<()> {
        Ok(())
    }

    /// `plan` as it can run it, with the same rows.
    ///
    /// # Errors
    /// The plan is at odds with itself.
    fn fit(&self, plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(plan)
    }

    /// As [`Runner::fit`], for a plan whose partitions are counted: it runs in as many as it says.
    ///
    /// # Errors
    /// As of [`Runner::fit`].
    fn fixed(&self, plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(plan)
    }

    /// Starts `work`.
    ///
    /// # Errors
    /// The work cannot be started. What fails later comes with its rows.
    async fn run(&self, work: Work) -> Result<Running>;
}

/// Runs plans on the threads of this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalRunner;

#[async_trait]
impl Runner for LocalRunner {
    async fn run(&self, work: Work) -> Result<Running> {
        Ok(Running { rows: execute_stream(work.plan, work.context)?, progress: None })
    }
}
