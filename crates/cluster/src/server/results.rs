//! Fetches what the last tasks of a job have left on their executors.

use std::collections::HashMap;
use std::sync::Arc;

use ballista_core::client::BallistaClient;
use ballista_core::extension::BallistaConfigGrpcEndpoint;
use ballista_core::serde::protobuf::PartitionLocation;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;
use parking_lot::Mutex;

use super::job::engine;
use crate::link::{self, MESSAGE_BYTES};
use crate::trust::Trust;

/// How often a connection is tried, and how long is waited in between.
const ATTEMPTS: u8 = 3;
const PAUSE_MILLIS: u64 = 250;

/// Fetches partitions, with one connection an executor.
#[derive(Clone)]
pub(super) struct Fetcher {
    endpoint: Arc<BallistaConfigGrpcEndpoint>,
    clients: Arc<Mutex<HashMap<(String, u16), BallistaClient>>>,
}

impl Fetcher {
    pub(super) fn new(trust: &Trust) -> Self {
        let endpoint = BallistaConfigGrpcEndpoint::new(link::endpoints(trust));
        Self { endpoint: Arc::new(endpoint), clients: Arc::default() }
    }

    /// The rows of a partition, as they come over.
    pub(super) async fn fetch(&self, location: PartitionLocation) -> Result<SendableRecordBatchStream> {
        let layout = location.layout();
        let (Some(executor), Some(partition)) = (location.executor_meta, location.partition_id) else {
            return Err(DataFusionError::Internal("a partition is nowhere".to_owned()));
        };
        let port = u16::try_from(executor.port).map_err(|error| DataFusionError::External(error.into()))?;
        let mut client = self.client(&executor.host, port).await?;
        let fetched = client.fetch_partition(&executor.id, &partition.into(), location.file_id, layout, true).await;
        fetched.map_err(engine)
    }

    async fn client(&self, host: &str, port: u16) -> Result<BallistaClient> {
        let key = (host.to_owned(), port);
        if let Some(client) = self.clients.lock().get(&key) {
            return Ok(client.clone());
        }
        let endpoint = Some(Arc::clone(&self.endpoint));
        let client =
            BallistaClient::try_new(host, port, MESSAGE_BYTES, false, endpoint, ATTEMPTS, PAUSE_MILLIS, 0, 0).await;
        let client = client.map_err(engine)?;
        self.clients.lock().insert(key, client.clone());
        Ok(client)
    }
}
