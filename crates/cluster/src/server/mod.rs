//! The server's part: it plans, cuts plans into tasks, hands them out, and streams what comes of them.

mod attach;
mod desk;
mod executors;
mod job;
mod ledger;
mod results;
mod scheduler;

pub use executors::{ExecutorInfo, Executors};
pub(crate) use scheduler::MESSAGE_BYTES;
pub use scheduler::{Cluster, ClusterConfig};
