//! The server's part: it plans, cuts plans into tasks, hands them out, and streams what comes of them.

mod attach;
mod desk;
mod executors;
mod fit;
mod job;
mod jobs;
mod ledger;
mod metrics;
mod rests;
mod results;
mod scheduler;

pub use executors::{ExecutorInfo, Executors};
pub use jobs::JobInfo;
pub use metrics::Alone;
pub use scheduler::{Cluster, ClusterConfig};
