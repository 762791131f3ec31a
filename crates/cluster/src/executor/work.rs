//! What an executor has: its room for tasks, its memory, its folder.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ballista_core::BALLISTA_PROTOCOL_VERSION;
use ballista_core::extension::SessionConfigExt;
use ballista_core::serde::protobuf::executor_resource::Resource;
use ballista_core::serde::protobuf::{
    CleanJobDataParams, ExecutorOperatingSystemSpecification, ExecutorRegistration, ExecutorResource,
    ExecutorSpecification, TaskDefinition, TaskStatus,
};
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::prelude::SessionConfig;
use parking_lot::Mutex;
use sheetbend_plan::error::SparkError;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::tasks;
use super::{ExecutorConfig, Vitals};
use crate::codec::Codec;
use crate::control::Attach;
use crate::link;
use crate::trust::Trust;

/// One machine, as far as tasks see it.
pub(super) struct Machine {
    registration: ExecutorRegistration,
    vcores: usize,
    taken: AtomicUsize,
    folder: PathBuf,
    pub(super) runtime: Arc<RuntimeEnv>,
    pub(super) codec: Codec,
    pub(super) failure: fn(&DataFusionError) -> SparkError,
    pub(super) vitals: Arc<Vitals>,
    trust: Trust,
    running: Mutex<HashMap<tasks::Key, CancellationToken>>,
}

impl Machine {
    pub(super) fn new(config: &ExecutorConfig, id: String, address: SocketAddr, folder: &Path) -> io::Result<Self> {
        let spill = folder.join("spill");
        std::fs::create_dir_all(&spill)?;
        let runtime = RuntimeEnvBuilder::new().with_temp_file_path(spill);
        let runtime = match config.memory {
            Some(bytes) => runtime.with_memory_pool(Arc::new(FairSpillPool::new(bytes))),
            None => runtime,
        };
        let vcores = config.vcores.max(1);
        config.vitals.vcores.store(vcores, Ordering::Relaxed);
        let resource = ExecutorResource { resource: Some(Resource::Vcores(vcores as u32)) };
        let registration = ExecutorRegistration {
            id,
            host: Some(address.ip().to_string()),
            port: address.port().into(),
            grpc_port: 0,
            specification: Some(ExecutorSpecification { resources: vec![resource] }),
            os_info: Some(ExecutorOperatingSystemSpecification::default()),
            ballista_protocol_version: BALLISTA_PROTOCOL_VERSION,
        };
        Ok(Self {
            registration,
            vcores,
            taken: AtomicUsize::new(0),
            folder: folder.to_owned(),
            runtime: Arc::new(runtime.build().map_err(io::Error::other)?),
            codec: Codec::default(),
            failure: config.failure,
            vitals: Arc::clone(&config.vitals),
            trust: config.trust.clone(),
            running: Mutex::default(),
        })
    }

    /// What it says when it joins.
    pub(super) fn attach(&self, config: &ExecutorConfig) -> Attach {
        Attach {
            id: self.registration.id.clone(),
            host: self.registration.host.clone().unwrap_or_default(),
            port: self.registration.port as u16,
            vcores: self.vcores,
            installation: config.installation.clone(),
        }
    }

    pub(super) fn registration(&self) -> &ExecutorRegistration {
        &self.registration
    }

    /// Where tasks leave their rows.
    pub(super) fn folder(&self) -> &str {
        self.folder.to_str().unwrap_or_default()
    }

    /// The settings that a task begins with; its job has others.
    pub(super) fn settings(&self) -> SessionConfig {
        SessionConfig::new_with_ballista()
            .with_ballista_override_create_grpc_client_endpoint(link::endpoints(&self.trust))
    }

    /// How many partitions more can be run.
    pub(super) fn free(&self) -> usize {
        self.vcores.saturating_sub(self.taken.load(Ordering::Acquire))
    }

    pub(super) fn is_idle(&self) -> bool {
        self.running.lock().is_empty()
    }

    /// Runs a task; its end goes to `finished`.
    pub(super) fn start(self: &Arc<Self>, task: TaskDefinition, finished: mpsc::UnboundedSender<TaskStatus>) {
        let key = tasks::Key::of(&task);
        let vcores = task.vcores_consumed.max(1) as usize;
        self.taken.fetch_add(vcores, Ordering::AcqRel);
        self.vitals.running.fetch_add(1, Ordering::Relaxed);
        let stop = CancellationToken::new();
        self.running.lock().insert(key.clone(), stop.clone());
        let seat = Seat { machine: Arc::clone(self), key, vcores };
        tokio::spawn(tasks::run(seat, task, stop, finished));
    }

    /// Ends the tasks of a job.
    pub(super) fn cancel(&self, job: &str) {
        self.end(|key| key.job == job);
    }

    /// Ends all tasks, and removes what they have left.
    pub(super) fn forget(&self) {
        self.end(|_| true);
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return };
        for entry in entries.flatten().filter(|entry| entry.file_name() != "spill") {
            remove(&entry.path());
        }
    }

    /// Removes what a job, or some stages of it, have left.
    pub(super) fn clean(&self, job: CleanJobDataParams) {
        let folder = self.folder.join(&job.job_id);
        tokio::task::spawn_blocking(move || match job.remove_stage_ids.as_slice() {
            [] => remove(&folder),
            stages => stages.iter().for_each(|stage| remove(&folder.join(stage.to_string()))),
        });
    }

    fn end(&self, is_meant: impl Fn(&tasks::Key) -> bool) {
        let running = self.running.lock();
        running.iter().filter(|(key, _)| is_meant(key)).for_each(|(_, task)| task.cancel());
    }
}

fn remove(folder: &Path) {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(%error, folder = %folder.display(), "data of a job could not be removed");
        }
        _ => {}
    }
}

/// The room that a task takes, until it is dropped.
pub(super) struct Seat {
    pub(super) machine: Arc<Machine>,
    key: tasks::Key,
    vcores: usize,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.machine.running.lock().remove(&self.key);
        self.machine.taken.fetch_sub(self.vcores, Ordering::AcqRel);
        self.machine.vitals.running.fetch_sub(1, Ordering::Relaxed);
    }
}
