//! What an executor tells of itself over HTTP.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use async_trait::async_trait;

use crate::health::{Health, Metric};
use crate::reads::Reads;

/// The state of an executor, and what it has done so far.
#[derive(Debug, Default)]
pub struct Vitals {
    pub(super) vcores: AtomicUsize,
    pub(super) joined: AtomicBool,
    pub(super) draining: AtomicBool,
    pub(super) running: AtomicUsize,
    done: AtomicU64,
    failed: AtomicU64,
    rows: AtomicU64,
    bytes: AtomicU64,
}

impl Vitals {
    /// Counts a task that has ended, by what it has read; none of one that failed.
    pub(super) fn ended(&self, reads: Option<Reads>) {
        let Some(Reads { rows, bytes }) = reads else {
            self.failed.fetch_add(1, Ordering::Relaxed);
            return;
        };
        self.done.fetch_add(1, Ordering::Relaxed);
        self.rows.fetch_add(rows, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

#[async_trait]
impl Health for Vitals {
    fn obstacle(&self) -> Option<String> {
        let is = |state: &AtomicBool| state.load(Ordering::Relaxed);
        match (is(&self.draining), is(&self.joined)) {
            (true, _) => Some("the executor drains: it takes no more tasks".to_owned()),
            (_, false) => Some("the executor has not joined a server".to_owned()),
            _ => None,
        }
    }

    async fn metrics(&self) -> Vec<Metric> {
        let flag = |state: &AtomicBool| usize::from(state.load(Ordering::Relaxed));
        let size = |state: &AtomicUsize| state.load(Ordering::Relaxed);
        let count = |state: &AtomicU64| state.load(Ordering::Relaxed);
        let outcomes = [("done", count(&self.done)), ("failed", count(&self.failed))];
        vec![
            Metric::gauge(
                "sheetbend_executor_joined",
                "Whether a server has taken the executor in.",
                flag(&self.joined),
            ),
            Metric::gauge("sheetbend_executor_draining", "Whether it takes no more tasks.", flag(&self.draining)),
            Metric::gauge("sheetbend_executor_vcores", "Tasks that it runs at a time.", size(&self.vcores)),
            Metric::gauge("sheetbend_executor_tasks_running", "Tasks that it runs.", size(&self.running)),
            Metric::outcomes("sheetbend_executor_tasks_ended_total", "Tasks that have ended.", &outcomes),
            Metric::counter("sheetbend_source_rows_total", "Rows that sources gave to ended tasks.", count(&self.rows)),
            Metric::counter("sheetbend_source_bytes_total", "Bytes of these rows.", count(&self.bytes)),
        ]
    }
}
