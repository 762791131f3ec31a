//! A relation that is to be executed: a query, or a table that `show()` renders.

use arrow::record_batch::RecordBatch;
use futures::TryStreamExt;
use sheetbend_plan::error::Result;
use sheetbend_plan::ir::{Relation, RelationKind};
use spark_connect_proto as proto;

use crate::engine::Query;
use crate::lower::Lowering;
use crate::operation::Task;
use crate::show::{self, Show};
use crate::{arrow_out, failure, stack};

/// Where the rows of a relation come from.
pub(crate) enum Rows {
    /// A query that makes them.
    Query(Query),
    /// They are there.
    Batch(RecordBatch),
}

/// Makes `relation` ready.
pub(crate) async fn prepare(relation: proto::Relation, task: &Task) -> Result<Rows> {
    let (session, engine) = (task.session.clone(), task.engine.clone());
    let (query, show) = stack::run(move || async move {
        let relation = Lowering::new(&session).relation(relation)?;
        let (relation, show) = unwrap_show(relation);
        let query = engine.plan(&relation, &session).await?;
        Ok((query, show))
    })
    .await?;
    let Some(show) = show else { return Ok(Rows::Query(query)) };
    let batches: Vec<RecordBatch> = query.start()?.try_collect().await.map_err(|e| failure::from_engine(&e))?;
    let batches = batches.iter().map(|batch| arrow_out::conform(batch, &query.schema)).collect::<Result<Vec<_>>>()?;
    let zone = task.session.config.read().settings().time_zone;
    show::render(&query.schema, &batches, &show, &zone).map(Rows::Batch)
}

/// What `show()` shows of which relation: one row more than it prints tells whether there are more.
fn unwrap_show(relation: Relation) -> (Relation, Option<Show>) {
    match relation {
        Relation { kind: RelationKind::ShowString { input, rows, truncate, vertical }, .. } => {
            let kind = RelationKind::Limit { input, skip: 0, fetch: Some(rows.saturating_add(1)) };
            (kind.into(), Some(Show { rows, truncate, vertical }))
        }
        other => (other, None),
    }
}
