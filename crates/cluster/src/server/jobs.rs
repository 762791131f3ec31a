//! The jobs of a cluster that run, and how those ended that do not.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use async_trait::async_trait;
use ballista_core::JobId;
use ballista_core::serde::protobuf::task_status::Status;
use ballista_scheduler::state::execution_graph::ExecutionGraphBox;
use ballista_scheduler::state::execution_stage::{ExecutionStage, TaskInfo};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::RwLock;

use super::scheduler::Scheduler;
use crate::reads::Reads;
use crate::runner::{Progress, Stage};

/// A job in a list of jobs.
#[derive(Debug, Clone, Serialize)]
pub struct JobInfo {
    /// Tells it from every other.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// The stage that it is at, from 1; 0 before it has some.
    pub stage: usize,
    /// All of its stages.
    pub stages: usize,
    /// Tasks that have ended well.
    pub done: usize,
    /// Tasks that run.
    pub running: usize,
    /// All tasks.
    pub tasks: usize,
    /// The rows that sources have given it.
    pub rows: usize,
    /// How long it has run.
    pub seconds: f64,
}

/// How a job may end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    Failed,
    Cancelled,
}

/// Every job that has been handed in.
#[derive(Default)]
pub(super) struct Jobs {
    running: Mutex<BTreeMap<String, Arc<Watch>>>,
    done: AtomicU64,
    failed: AtomicU64,
    cancelled: AtomicU64,
}

impl Jobs {
    /// Begins to watch a job.
    pub(super) fn add(&self, scheduler: &Arc<Scheduler>, id: &JobId, name: &str) -> Arc<Watch> {
        let watch = Arc::new(Watch {
            scheduler: Arc::clone(scheduler),
            id: id.clone(),
            name: name.to_owned(),
            began: Instant::now(),
            graph: Mutex::default(),
            reads: Mutex::default(),
        });
        self.running.lock().insert(id.to_string(), Arc::clone(&watch));
        watch
    }

    /// Writes down what a task of a job has read, by its stage and its number there.
    pub(super) fn read(&self, job: &str, stage: u32, task: u32, reads: Reads) {
        if let Some(watch) = self.running.lock().get(job) {
            watch.reads.lock().insert((stage as usize, task as usize), reads);
        }
    }

    /// Takes a job out that has ended.
    pub(super) fn end(&self, id: &JobId, outcome: Outcome) {
        let watch = self.running.lock().remove(id.as_str());
        drop(watch);
        self.counter(outcome).fetch_add(1, Ordering::Relaxed);
    }

    /// How many have ended so.
    pub(super) fn ended(&self, outcome: Outcome) -> u64 {
        self.counter(outcome).load(Ordering::Relaxed)
    }

    /// Those that run, in the order in which they began.
    pub(super) async fn list(&self) -> Vec<JobInfo> {
        let mut watches = self.watches();
        watches.sort_by_key(|watch| watch.began);
        let mut jobs = Vec::with_capacity(watches.len());
        for watch in watches {
            jobs.push(watch.info().await);
        }
        jobs
    }

    /// How many tasks each executor runs, by its id.
    pub(super) async fn tasks(&self) -> HashMap<String, usize> {
        let mut tasks = HashMap::new();
        for watch in self.watches() {
            let Some(graph) = watch.graph() else { continue };
            let graph = graph.read().await;
            for task in graph.stages().values().filter_map(ExecutionStage::task_infos).flatten() {
                if let Status::Running(running) = &task.task_status {
                    *tasks.entry(running.executor_id.clone()).or_default() += partitions(task);
                }
            }
        }
        tasks
    }

    fn watches(&self) -> Vec<Arc<Watch>> {
        self.running.lock().values().cloned().collect()
    }

    fn counter(&self, outcome: Outcome) -> &AtomicU64 {
        match outcome {
            Outcome::Done => &self.done,
            Outcome::Failed => &self.failed,
            Outcome::Cancelled => &self.cancelled,
        }
    }
}

type Graph = Arc<RwLock<ExecutionGraphBox>>;

/// The stages of a job that runs; none before it has been cut into some.
pub(super) fn graph(scheduler: &Scheduler, job: &str) -> Option<Graph> {
    let running = scheduler.state.task_manager.get_running_job_cache();
    running.get(job).map(|job| Arc::clone(&job.execution_graph))
}

/// Looks at a job.
pub(super) struct Watch {
    scheduler: Arc<Scheduler>,
    id: JobId,
    name: String,
    began: Instant,
    /// Kept, as the scheduler forgets it with the last task.
    graph: Mutex<Option<Graph>>,
    /// What tasks have read that have ended, by their stages and their numbers there.
    reads: Mutex<HashMap<(usize, usize), Reads>>,
}

impl Watch {
    /// The stages of the job; none before it has been cut into some.
    fn graph(&self) -> Option<Graph> {
        let mut kept = self.graph.lock();
        if kept.is_none() {
            *kept = graph(&self.scheduler, self.id.as_str());
        }
        kept.clone()
    }

    async fn info(&self) -> JobInfo {
        let stages = self.stages().await;
        let sum = |of: fn(&Stage) -> usize| stages.iter().map(of).sum();
        JobInfo {
            id: self.id.to_string(),
            name: self.name.clone(),
            stage: stages.iter().filter(|stage| stage.done >= stage.tasks).count().saturating_add(1).min(stages.len()),
            stages: stages.len(),
            done: sum(|stage| stage.done),
            running: sum(|stage| stage.running),
            tasks: sum(|stage| stage.tasks),
            rows: sum(|stage| stage.rows),
            seconds: self.began.elapsed().as_secs_f64(),
        }
    }
}

#[async_trait]
impl Progress for Watch {
    async fn stages(&self) -> Vec<Stage> {
        let Some(graph) = self.graph() else { return Vec::new() };
        let graph = graph.read().await;
        let reads = self.reads.lock();
        let mut stages: Vec<_> = graph.stages().iter().map(|(id, stage)| counted(*id, stage, &reads)).collect();
        stages.sort_by_key(|stage| stage.id);
        stages
    }
}

fn counted(id: usize, stage: &ExecutionStage, reads: &HashMap<(usize, usize), Reads>) -> Stage {
    let tasks = match stage {
        // What writes its rows has one input.
        ExecutionStage::UnResolved(stage) => inputs(stage.plan.as_ref()),
        ExecutionStage::Resolved(stage) => stage.partitions,
        ExecutionStage::Running(stage) => stage.partitions,
        ExecutionStage::Successful(stage) => stage.partitions,
        ExecutionStage::Failed(stage) => stage.partitions,
    };
    let (mut done, mut running, mut read) = (0, 0, Reads::default());
    for (number, task) in stage.task_infos().unwrap_or_default().iter().enumerate() {
        match task.task_status {
            Status::Successful(_) => {
                done += partitions(task);
                read = read + reads.get(&(id, number)).copied().unwrap_or_default();
            }
            Status::Running(_) => running += partitions(task),
            Status::Failed(_) => {}
        }
    }
    Stage {
        id,
        tasks,
        // A task may have run twice, where what it left was lost.
        done: done.min(tasks),
        running,
        rows: read.rows as usize,
        bytes: read.bytes as usize,
    }
}

fn inputs(plan: &dyn ExecutionPlan) -> usize {
    plan.children().first().map_or(1, |input| input.output_partitioning().partition_count())
}

/// One task of Ballista's runs one partition or more.
fn partitions(task: &TaskInfo) -> usize {
    task.global_input_partition_ids.len().max(1)
}
