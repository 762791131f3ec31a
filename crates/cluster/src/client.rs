//! Asks a server about its cluster.

use std::time::Duration;

use arrow_flight::Action;
use arrow_flight::flight_service_client::FlightServiceClient;
use futures::TryStreamExt;
use tokio::time::timeout;
use tonic::Status;

use crate::control::{EXECUTORS, JOBS};
use crate::link::connect;
use crate::trust::Trust;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// The jobs that run.
    Jobs,
    /// The executors that have joined.
    Executors,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[error("the server at {scheduler} does not tell: {reason}")]
pub struct Unanswered {
    scheduler: String,
    reason: String,
}

/// The answer of the server whose scheduler is at `scheduler`, `host:port`: a JSON object for each item.
///
/// # Errors
/// It cannot be reached, or has another token or authority.
pub async fn ask(scheduler: &str, trust: &Trust, question: Question) -> Result<Vec<String>, Unanswered> {
    let unanswered = |reason: String| Unanswered { scheduler: scheduler.to_owned(), reason };
    match timeout(PATIENCE, answer(scheduler, trust, question)).await {
        Ok(answer) => answer.map_err(|status| unanswered(status.message().to_owned())),
        Err(_) => Err(unanswered(format!("no answer within {PATIENCE:?}"))),
    }
}

async fn answer(scheduler: &str, trust: &Trust, question: Question) -> Result<Vec<String>, Status> {
    let channel = connect(scheduler, trust).await?;
    let kind = match question {
        Question::Jobs => JOBS,
        Question::Executors => EXECUTORS,
    };
    let action = Action { r#type: kind.to_owned(), ..Action::default() };
    let items = FlightServiceClient::new(channel).do_action(action).await?.into_inner();
    items.map_ok(|item| String::from_utf8_lossy(&item.body).into_owned()).try_collect().await
}
