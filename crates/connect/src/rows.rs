//! A relation that is to be executed: a query, or one of the forms that end a query and are rendered here.

use std::collections::VecDeque;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::common::ScalarValue;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{TryStreamExt, stream};
use sheetbend_plan::error::Result;
use sheetbend_plan::ir::{Expr, Relation, RelationKind};
use spark_connect_proto as proto;
use spark_connect_proto::relation::RelType;

use crate::engine::Query;
use crate::lower::Lowering;
use crate::observe::{Observation, Observing};
use crate::operation::Task;
use crate::progress::Progress;
use crate::show::{self, Show};
use crate::{arrow_out, catalog, failure, observe, stack};

/// The rows of a relation.
pub(crate) struct Rows {
    /// The columns as the client is to see them; those of a batch may be of other names and types.
    pub(crate) schema: SchemaRef,
    /// What makes the rows, and ends when it is dropped.
    pub(crate) batches: SendableRecordBatchStream,
    /// Tells how far it is.
    pub(crate) progress: Progress,
    /// Aggregates over rows that pass on the way, known when the last batch has come.
    pub(crate) observing: Vec<Observing>,
}

/// What is done with the rows of a query.
enum End {
    /// They go to the client.
    Rows,
    /// `show()`.
    Show(Show),
    /// `tail()`: the last ones only.
    Tail(usize),
}

/// Makes `relation` ready.
pub(crate) async fn prepare(relation: proto::Relation, task: &Task) -> Result<Rows> {
    let asked = task.clone();
    let (query, end, observations) = stack::run(move || async move {
        let Task { session, engine, time, .. } = &asked;
        let acted = match &relation.rel_type {
            Some(RelType::Catalog(request)) => catalog::act(request, &asked).await?,
            _ => None,
        };
        let relation = match acted {
            Some(relation) => relation,
            None => Lowering::new(session).relation(relation)?,
        };
        let (mut relation, end) = unwrap_end(relation);
        let observations = observe::prepare(&mut relation, &asked).await?;
        Ok((engine.plan(&relation, session, time.map(|time| time.deadline)).await?, end, observations))
    })
    .await?;
    let observing = observations.into_iter().map(Observation::start).collect();
    let rows = match end {
        End::Rows => {
            let running = query.run().await?;
            let progress = running.progress.map_or(Progress::Here(query.plan), Progress::Cluster);
            Rows { batches: running.rows, schema: query.schema, progress, observing: Vec::new() }
        }
        End::Show(show) => {
            let zone = task.session.config.read().settings().time_zone;
            let shown = show::render(&query.schema, &last(&query, usize::MAX).await?, &show, &zone)?;
            ready(shown.schema(), vec![shown])
        }
        End::Tail(limit) => ready(query.schema.clone(), last(&query, limit).await?),
    };
    Ok(Rows { observing, ..rows })
}

/// Rows that are there.
fn ready(schema: SchemaRef, batches: Vec<RecordBatch>) -> Rows {
    let batches = RecordBatchStreamAdapter::new(schema.clone(), stream::iter(batches.into_iter().map(Ok)));
    Rows { schema, batches: Box::pin(batches), progress: Progress::default(), observing: Vec::new() }
}

/// Takes the form that ends a query off it.
fn unwrap_end(relation: Relation) -> (Relation, End) {
    match relation.kind {
        RelationKind::ShowString { input, rows, truncate, form } => {
            // One row more than is shown tells whether there are more.
            let fetch = i64::try_from(rows.saturating_add(1)).unwrap_or(i64::MAX);
            let fetch = Some(Expr::literal(ScalarValue::Int64(Some(fetch))));
            let kind = RelationKind::Limit { input, skip: None, fetch };
            (kind.into(), End::Show(Show { rows, truncate, form }))
        }
        RelationKind::Tail { input, limit } => (*input, End::Tail(limit)),
        kind => (Relation { kind, ..relation }, End::Rows),
    }
}

/// The last `limit` rows of a query.
async fn last(query: &Query, limit: usize) -> Result<Vec<RecordBatch>> {
    let mut stream = query.start().await?;
    let schema = arrow_out::with_nulls(&query.schema);
    let mut kept = VecDeque::new();
    let mut rows = 0;
    while let Some(batch) = stream.try_next().await.map_err(|e| failure::from_engine(&e))? {
        rows += batch.num_rows();
        kept.push_back(arrow_out::conform(&batch, &schema)?);
        while let Some(first) = kept.front().map(RecordBatch::num_rows).filter(|first| rows - first >= limit) {
            kept.pop_front();
            rows -= first;
        }
    }
    if let Some(first) = kept.front_mut() {
        let surplus = rows.saturating_sub(limit);
        *first = first.slice(surplus, first.num_rows() - surplus);
    }
    Ok(kept.into())
}
