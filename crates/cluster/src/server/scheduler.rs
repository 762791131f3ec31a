//! Ballista's scheduler in this process, and the port where executors reach it.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use arrow_flight::flight_service_server::FlightServiceServer;
use async_trait::async_trait;
use ballista_core::config::TaskSchedulingPolicy;
use ballista_core::extension::SessionConfigExt;
use ballista_core::serde::protobuf::ExecutorStoppedParams;
use ballista_core::serde::protobuf::scheduler_grpc_server::{SchedulerGrpc, SchedulerGrpcServer};
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::{SchedulerConfig, TaskDistributionPolicy};
use ballista_scheduler::scheduler_process::create_scheduler;
use ballista_scheduler::scheduler_server::SchedulerServer;
use datafusion::error::Result;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionConfig;
use datafusion_proto::physical_plan::AsExecutionPlan;
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use sheetbend_datasource::spec::Spread;
use sheetbend_files::wire as files;
use sheetbend_plan::error::{ErrorClass, SparkError};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::Request;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::server::TcpIncoming;

use super::attach::{Control, Lost};
use super::desk::Desk;
use super::executors::Executors;
use super::fit;
use super::job::Floor;
use super::jobs::Jobs;
use super::ledger::Ledger;
use crate::codec::Codec;
use crate::control::{Event, Installation};
use crate::link::{self, MESSAGE_BYTES};
use crate::runner::{Runner, Running, Work};
use crate::trust::Trust;

/// How long an executor may be silent. It asks for tasks every second, and its connection is probed as often as
/// [`link::PROBE`]: only a machine that hangs comes to this.
const SILENCE: Duration = Duration::from_secs(15);

/// How long what is known of an ended job is kept, and with it what its sources hold, such as a snapshot.
const KEPT: Duration = Duration::from_secs(5);

/// How many tasks a source is cut into for each vcore, where it has as many partitions: so few vcores wait for the last
/// task, and what is lost with an executor is small.
const TASKS_PER_VCORE: usize = 4;

/// In how many partitions rows are put at the least where a query spreads them: more machines may join.
const FEWEST_PARTITIONS: usize = 4;

pub(super) type Scheduler = SchedulerServer<LogicalPlanNode, PhysicalPlanNode>;

/// How a cluster is set up.
#[derive(Debug, Clone)]
pub struct ClusterConfig {
    /// Where executors reach the scheduler; port 0 picks a free one.
    pub address: SocketAddr,
    /// What they show.
    pub trust: Trust,
    /// What is installed here.
    pub installation: Installation,
    /// How long a query waits for the first executor.
    pub patience: Duration,
}

/// A scheduler that listens, until it is dropped.
pub struct Cluster {
    pub(super) floor: Floor,
    config: ClusterConfig,
    address: SocketAddr,
    _serving: DropGuard,
}

impl Cluster {
    /// Starts a scheduler. To be called within a runtime.
    ///
    /// # Errors
    /// An address that cannot be had, or certificates that cannot be used.
    pub async fn start(config: ClusterConfig) -> io::Result<Self> {
        let listener = TcpListener::bind(config.address).await?;
        let address = listener.local_addr()?;
        let executors = Arc::new(Executors::default());
        let scheduler = scheduler(address, &config.trust, &executors).await.map_err(io::Error::other)?;
        let scheduler = Arc::new(scheduler);
        let (jobs, ledger) = (Arc::new(Jobs::default()), Arc::new(Ledger::default()));
        let lost = lost(&scheduler, &ledger);
        let control = Control {
            executors: Arc::clone(&executors),
            jobs: Arc::clone(&jobs),
            installation: config.installation.clone(),
            lost: Arc::clone(&lost),
        };
        let desk = Desk {
            scheduler: Arc::clone(&scheduler),
            executors: Arc::clone(&executors),
            jobs: Arc::clone(&jobs),
            ledger: Arc::clone(&ledger),
            lost,
        };
        let guard = config.trust.token.guard();
        let tasks = SchedulerGrpcServer::new(desk)
            .max_decoding_message_size(MESSAGE_BYTES)
            .max_encoding_message_size(MESSAGE_BYTES);
        let server = link::server(&config.trust)
            .map_err(io::Error::other)?
            .add_service(InterceptedService::new(tasks, guard.clone()))
            .add_service(InterceptedService::new(FlightServiceServer::new(control), guard));
        let serving = CancellationToken::new();
        let ended = serving.clone();
        tokio::spawn(async move {
            let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
            if let Err(error) = server.serve_with_incoming_shutdown(incoming, ended.cancelled()).await {
                tracing::error!(%error, "the cluster's port ended");
            }
        });
        let address = SocketAddr::new(announced(address.ip()), address.port());
        let floor = Floor { scheduler, executors, jobs, ledger, trust: config.trust.clone() };
        Ok(Self { floor, config, address, _serving: serving.drop_guard() })
    }

    /// Where executors reach the scheduler, from other machines too where it listens on every address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The executors that have joined.
    pub fn executors(&self) -> &Arc<Executors> {
        &self.floor.executors
    }
}

#[async_trait]
impl Runner for Cluster {
    fn settings(&self, settings: SessionConfig) -> SessionConfig {
        let vcores = self.floor.executors.vcores();
        let mut settings = settings
            .upgrade_for_ballista()
            .with_ballista_adaptive_query_planner(false)
            .with_target_partitions(vcores.max(FEWEST_PARTITIONS))
            .with_extension(Arc::new(Spread(vcores * TASKS_PER_VCORE)));
        // As on one machine.
        settings.options_mut().optimizer.prefer_hash_join = true;
        settings
    }

    fn check(&self, plan: &Arc<dyn ExecutionPlan>) -> Result<()> {
        fit::check(plan)?;
        PhysicalPlanNode::try_from_physical_plan(Arc::clone(plan), &Codec::default()).map(drop)
    }

    fn fit(&self, plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
        fit::fit(files::distributed(plan)?)
    }

    fn fixed(&self, plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
        fit::fixed(plan)
    }

    async fn run(&self, work: Work) -> Result<Running> {
        if tokio::time::timeout(self.config.patience, self.floor.executors.any()).await.is_err() {
            let message = format!(
                "No executor has joined the cluster within {:?}. Start some with 'sheetbend executor --scheduler {}', or \
                 run the query on the server with spark.sheetbend.runner=local.",
                self.config.patience, self.address
            );
            return Err(SparkError::new(ErrorClass::Runtime, "NO_EXECUTORS", "58000", message).into());
        }
        self.floor.clone().start(work).await
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("address", &self.address).finish_non_exhaustive()
    }
}

/// A scheduler whose executors come and ask for tasks: so they need no port for them, and are counted by none but
/// themselves.
async fn scheduler(
    address: SocketAddr,
    trust: &Trust,
    executors: &Arc<Executors>,
) -> ballista_core::error::Result<Scheduler> {
    let wakened = Arc::clone(executors);
    let config = SchedulerConfig {
        external_host: address.ip().to_string(),
        bind_host: address.ip().to_string(),
        bind_port: address.port(),
        scheduling_policy: TaskSchedulingPolicy::PullStaged,
        task_distribution: TaskDistributionPolicy::RoundRobin,
        executor_timeout_seconds: SILENCE.as_secs(),
        expire_dead_executor_interval_seconds: 2,
        no_executors_grace_period_seconds: SILENCE.as_secs(),
        // The job that has its results says when its data may go.
        finished_job_data_clean_up_interval_seconds: 0,
        finished_job_state_clean_up_interval_seconds: KEPT.as_secs(),
        override_physical_codec: Some(Arc::new(Codec::default())),
        override_create_grpc_client_endpoint: Some(link::endpoints(trust)),
        on_work_available: Some(Arc::new(move |_| wakened.tell(&Event::Wake))),
        ..SchedulerConfig::default()
    };
    let config = Arc::new(config);
    create_scheduler(BallistaCluster::new_from_config(&config).await?, config).await
}

/// The address by which others reach `bound`, which may be every address of this machine.
fn announced(bound: IpAddr) -> IpAddr {
    if !bound.is_unspecified() {
        return bound;
    }
    // No packet is sent: this asks which address would reach a machine that is not of this network.
    let reaching = || {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9))?;
        socket.local_addr()
    };
    reaching().map_or(Ipv4Addr::LOCALHOST.into(), |address| address.ip())
}

/// Has the tasks of a lost executor run by others at once.
fn lost(scheduler: &Arc<Scheduler>, ledger: &Arc<Ledger>) -> Lost {
    let (scheduler, ledger) = (Arc::downgrade(scheduler), Arc::clone(ledger));
    Arc::new(move |executor_id| {
        ledger.leave(&executor_id);
        let Some(scheduler) = scheduler.upgrade() else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            let params = ExecutorStoppedParams { executor_id, reason: "its connection has ended".to_owned() };
            if let Err(error) = scheduler.executor_stopped(Request::new(params)).await {
                tracing::warn!(%error, "an executor that has left could not be taken out");
            }
        });
    })
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    use super::announced;

    #[test]
    fn others_are_told_an_address_that_reaches_this_machine() {
        for bound in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
            assert_eq!(announced(bound), bound);
        }
        for bound in [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)] {
            assert!(!announced(bound).is_unspecified());
        }
    }
}
