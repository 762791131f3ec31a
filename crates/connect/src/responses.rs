//! The responses of one operation, between the query that makes them and the client that reads them.
//!
//! The query waits when the client is slow. What was sent is kept for a while, so that a client whose connection broke
//! can go on where it was (`ReattachExecute`).

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::Stream;
use parking_lot::Mutex;
use sheetbend_plan::error::{ErrorClass, SparkError};
use spark_connect_proto::ExecutePlanResponse;
use tokio::sync::{Notify, watch};
use tonic::Status;
use uuid::Uuid;

use crate::error;

/// The query waits when so many bytes are not sent yet.
const UNSENT_BYTES: usize = 4 << 20;

/// So many bytes of what was sent are kept, and what it takes to the next response; Spark's `spark.connect.execute.reattachable.observerRetryBufferSize`.
const SENT_BYTES: usize = 10 << 20;

/// What a response weighs beside its data.
const RESPONSE_BYTES: usize = 256;

/// Whose responses these are. Copied into each.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub(crate) session_id: String,
    pub(crate) server_side_session_id: String,
    pub(crate) operation_id: String,
    /// Without it, nothing that was sent is kept.
    pub(crate) reattachable: bool,
}

/// The responses of one operation.
#[derive(Debug)]
pub(crate) struct ResponseLog {
    origin: Origin,
    /// The id of the first response; the others count up from it, so an id tells its position.
    first_id: u128,
    state: Mutex<State>,
    /// Wakes readers.
    news: watch::Sender<()>,
    /// Wakes the query.
    room: Notify,
}

#[derive(Debug)]
struct State {
    /// The responses that are kept; positions are contiguous.
    kept: VecDeque<Entry>,
    /// The position of the first that is kept.
    first: u64,
    /// The position of the first that was never sent.
    unsent: u64,
    unsent_bytes: usize,
    sent_bytes: usize,
    end: Option<End>,
    /// The reader that is allowed to read: the last that came.
    reader: u64,
    /// Since when nobody reads; none while somebody does.
    detached: Option<Instant>,
}

#[derive(Debug)]
struct Entry {
    response: ExecutePlanResponse,
    bytes: usize,
}

#[derive(Debug, Clone)]
enum End {
    Complete,
    Failed(Status),
}

impl ResponseLog {
    /// An empty log that nobody reads yet.
    pub(crate) fn new(origin: Origin) -> Arc<Self> {
        let state = State {
            kept: VecDeque::new(),
            first: 0,
            unsent: 0,
            unsent_bytes: 0,
            sent_bytes: 0,
            end: None,
            reader: 0,
            detached: Some(Instant::now()),
        };
        Arc::new(Self {
            origin,
            // Half of the bits, so that counting up does not run over.
            first_id: Uuid::new_v4().as_u128() >> 1,
            state: Mutex::new(state),
            news: watch::Sender::new(()),
            room: Notify::new(),
        })
    }

    /// Adds a response, and waits before that while too much is not sent. `response` needs no ids.
    ///
    /// The reader learns of it by [`Self::announce`], or where the next one has to wait: so what comes together goes out
    /// together. Responses after the end are dropped. There is one writer.
    pub(crate) async fn append(&self, mut response: ExecutePlanResponse, data_bytes: usize) {
        loop {
            {
                let mut state = self.state.lock();
                if state.end.is_some() {
                    return;
                }
                if state.unsent_bytes < UNSENT_BYTES {
                    let position = state.first + state.kept.len() as u64;
                    self.stamp(&mut response, position);
                    let bytes = data_bytes + RESPONSE_BYTES;
                    state.unsent_bytes += bytes;
                    state.kept.push_back(Entry { response, bytes });
                    break;
                }
            }
            self.announce();
            self.room.notified().await;
        }
    }

    /// Tells the reader of what was added.
    pub(crate) fn announce(&self) {
        self.news.send_replace(());
    }

    /// Says that no response follows.
    pub(crate) fn complete(&self) {
        self.end(End::Complete);
    }

    /// Ends with an error, which goes out at once: what is not sent yet is dropped.
    pub(crate) fn fail(&self, status: Status) {
        {
            let mut state = self.state.lock();
            if state.end.is_none() {
                let keep = usize::try_from(state.unsent - state.first).unwrap_or(usize::MAX);
                state.kept.truncate(keep);
                state.unsent_bytes = 0;
            }
        }
        self.end(End::Failed(status));
    }

    /// Whether it ended, and well.
    pub(crate) fn outcome(&self) -> Option<Result<(), Status>> {
        self.state.lock().end.as_ref().map(|end| match end {
            End::Complete => Ok(()),
            End::Failed(status) => Err(status.clone()),
        })
    }

    /// For how long nobody has read.
    pub(crate) fn detached_for(&self) -> Option<Duration> {
        self.state.lock().detached.map(|since| since.elapsed())
    }

    /// Whether sent responses are kept.
    pub(crate) fn reattachable(&self) -> bool {
        self.origin.reattachable
    }

    /// The responses after `last_response_id`, or all. A reader that was there before is disconnected.
    ///
    /// # Errors
    /// `INVALID_CURSOR` if the position is unknown or no longer kept.
    pub(crate) fn read(
        self: &Arc<Self>,
        last_response_id: Option<&str>,
    ) -> Result<impl Stream<Item = Result<ExecutePlanResponse, Status>> + Send + 'static, SparkError> {
        let mut state = self.state.lock();
        let position = match last_response_id {
            Some(id) => self.position(&state, id)? + 1,
            None => 0,
        };
        if position < state.first {
            return Err(invalid_cursor(
                "POSITION_NOT_AVAILABLE",
                "The cursor position is no longer available: the response was released.",
            ));
        }
        state.reader += 1;
        state.detached = None;
        let reader = Reader { log: self.clone(), number: state.reader, position, news: self.news.subscribe() };
        drop(state);
        self.announce();
        Ok(futures::stream::unfold(Some(reader), |reader| async {
            let mut reader = reader?;
            match reader.next().await? {
                Ok(response) => Some((Ok(response), Some(reader))),
                Err(status) => Some((Err(status), None)),
            }
        }))
    }

    /// Forgets the responses up to and with `response_id`. An id that is not known is passed over.
    pub(crate) fn release_until(&self, response_id: &str) {
        let mut state = self.state.lock();
        if let Ok(position) = self.position(&state, response_id) {
            while state.first <= position && state.drop_sent() {}
        }
    }

    fn end(&self, end: End) {
        self.state.lock().end.get_or_insert(end);
        self.announce();
        self.room.notify_one();
    }

    fn stamp(&self, response: &mut ExecutePlanResponse, position: u64) {
        response.session_id.clone_from(&self.origin.session_id);
        response.server_side_session_id.clone_from(&self.origin.server_side_session_id);
        response.operation_id.clone_from(&self.origin.operation_id);
        response.response_id = Uuid::from_u128(self.first_id + u128::from(position)).to_string();
    }

    fn position(&self, state: &State, response_id: &str) -> Result<u64, SparkError> {
        Uuid::parse_str(response_id)
            .ok()
            .and_then(|id| u64::try_from(id.as_u128().checked_sub(self.first_id)?).ok())
            .filter(|position| *position < state.unsent)
            .ok_or_else(|| invalid_cursor("POSITION_NOT_FOUND", "The cursor position is not found."))
    }
}

impl State {
    /// Forgets the oldest response if it was sent.
    fn drop_sent(&mut self) -> bool {
        if self.first >= self.unsent {
            return false;
        }
        let Some(entry) = self.kept.pop_front() else { return false };
        self.first += 1;
        self.sent_bytes -= entry.bytes;
        true
    }

    /// Takes note that the response at `position` goes out. Where `keep` is set, no less than [`SENT_BYTES`] stay of
    /// what was sent: a response larger than that may be the very one that the client does not get.
    fn sent(&mut self, position: u64, bytes: usize, keep: bool) {
        if position < self.unsent {
            return;
        }
        self.unsent = position + 1;
        self.unsent_bytes -= bytes;
        self.sent_bytes += bytes;
        while let Some(oldest) = self.kept.front()
            && (!keep || self.sent_bytes.saturating_sub(oldest.bytes) >= SENT_BYTES)
            && self.drop_sent()
        {}
    }
}

/// One client's reading of a log.
struct Reader {
    log: Arc<ResponseLog>,
    number: u64,
    position: u64,
    news: watch::Receiver<()>,
}

impl Reader {
    async fn next(&mut self) -> Option<Result<ExecutePlanResponse, Status>> {
        loop {
            // Before the look, so that nothing which comes after it is missed.
            self.news.mark_unchanged();
            if let Some(step) = self.step() {
                return step;
            }
            // The sender lives in the log, which this reader holds.
            self.news.changed().await.ok()?;
        }
    }

    /// What is to be said now; none to wait.
    fn step(&mut self) -> Option<Option<Result<ExecutePlanResponse, Status>>> {
        let mut state = self.log.state.lock();
        if state.reader != self.number {
            let error = invalid_cursor("DISCONNECTED", "Another reader of the operation took this one's place.");
            return Some(Some(Err(error::status(&error, None))));
        }
        let Some(offset) = self.position.checked_sub(state.first) else {
            let error = invalid_cursor("POSITION_NOT_AVAILABLE", "The response was released before it was read.");
            return Some(Some(Err(error::status(&error, None))));
        };
        let found = usize::try_from(offset).ok().and_then(|at| state.kept.get(at));
        if let Some(entry) = found {
            let (response, bytes) = (entry.response.clone(), entry.bytes);
            state.sent(self.position, bytes, self.log.origin.reattachable);
            self.position += 1;
            self.log.room.notify_one();
            return Some(Some(Ok(response)));
        }
        match &state.end {
            Some(End::Complete) => Some(None),
            Some(End::Failed(status)) => Some(Some(Err(status.clone()))),
            None => None,
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut state = self.log.state.lock();
        if state.reader == self.number {
            state.detached = Some(Instant::now());
        }
    }
}

fn invalid_cursor(kind: &str, message: &str) -> SparkError {
    SparkError::new(ErrorClass::Internal, &format!("INVALID_CURSOR.{kind}"), "HY109", message)
}
