//! The executors that have joined.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::{mpsc, watch};

use crate::control::{Attach, Event};

/// What is known of one executor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExecutorInfo {
    /// Tells it from every other.
    pub id: String,
    /// Where its data is fetched.
    pub address: String,
    /// How many partitions it runs at a time.
    pub vcores: usize,
}

/// The executors of a cluster, and the way to each of them.
#[derive(Debug)]
pub struct Executors {
    joined: Mutex<BTreeMap<String, Joined>>,
    /// The vcores of all.
    vcores: watch::Sender<usize>,
}

#[derive(Debug)]
struct Joined {
    info: ExecutorInfo,
    events: mpsc::UnboundedSender<Event>,
}

impl Default for Executors {
    fn default() -> Self {
        Self { joined: Mutex::default(), vcores: watch::Sender::new(0) }
    }
}

impl Executors {
    /// Those that are here, in order of their names.
    pub fn list(&self) -> Vec<ExecutorInfo> {
        self.joined.lock().values().map(|joined| joined.info.clone()).collect()
    }

    /// Their ids.
    pub(super) fn ids(&self) -> Vec<String> {
        self.joined.lock().keys().cloned().collect()
    }

    /// How many partitions all of them run at a time.
    pub fn vcores(&self) -> usize {
        *self.vcores.borrow()
    }

    /// Returns when there is an executor.
    pub(super) async fn any(&self) {
        // The sender is a part of this, so it cannot be gone.
        drop(self.vcores.subscribe().wait_for(|vcores| *vcores > 0).await);
    }

    /// Whether an executor is here.
    pub(super) fn has(&self, id: &str) -> bool {
        self.joined.lock().contains_key(id)
    }

    /// Takes an executor in, and gives what it is told from now on.
    pub(super) fn join(self: &Arc<Self>, attach: &Attach) -> (mpsc::UnboundedReceiver<Event>, Membership) {
        let (events, told) = mpsc::unbounded_channel();
        let info = ExecutorInfo {
            id: attach.id.clone(),
            address: format!("{}:{}", attach.host, attach.port),
            vcores: attach.vcores,
        };
        tracing::info!(executor = info.id, address = info.address, vcores = info.vcores, "an executor has joined");
        self.joined.lock().insert(attach.id.clone(), Joined { info, events });
        self.count();
        (told, Membership { executors: Arc::clone(self), id: attach.id.clone() })
    }

    /// Tells all of them.
    pub(super) fn tell(&self, event: &Event) {
        for joined in self.joined.lock().values() {
            // One that is gone is taken out by its membership.
            drop(joined.events.send(event.clone()));
        }
    }

    fn count(&self) {
        // Under the lock, so that the last one to join or leave says the last word.
        let joined = self.joined.lock();
        self.vcores.send_replace(joined.values().map(|joined| joined.info.vcores).sum());
    }
}

/// Being one of the executors, until it is dropped.
#[derive(Debug)]
pub(super) struct Membership {
    executors: Arc<Executors>,
    id: String,
}

impl Drop for Membership {
    fn drop(&mut self) {
        tracing::info!(executor = self.id, "an executor has left");
        self.executors.joined.lock().remove(&self.id);
        self.executors.count();
    }
}
