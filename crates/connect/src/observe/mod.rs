//! `df.observe`: aggregates over the rows that pass a place of a query, which the client is told at its end.
//!
//! The rows are handed on as they are, and to a second query that aggregates them while the first one runs.

mod table;

use std::sync::Arc;

use futures::TryStreamExt;
use sheetbend_plan::environment::Resolved;
use sheetbend_plan::error::{Result, SparkError};
use sheetbend_plan::ir::{Aggregate, Expr, GroupKind, Kept, Relation, RelationKind};
use spark_connect_proto::execute_plan_response::ObservedMetrics;
use tokio::task::JoinHandle;

use self::table::Observed;
use crate::engine::Query;
use crate::operation::Task;
use crate::{arrow_out, failure};

/// The aggregates of one place of a query.
pub(crate) struct Observation {
    name: String,
    plan_id: i64,
    query: Query,
}

/// Aggregates that are being computed.
pub(crate) struct Observing(JoinHandle<Result<ObservedMetrics>>);

/// Has the rows observed where `relation` says so; the aggregates, which are computed once they are started.
///
/// # Errors
/// As the resolver.
pub(crate) async fn prepare(relation: &mut Relation, task: &Task) -> Result<Vec<Observation>> {
    let mut found = Vec::new();
    let mut places = vec![relation];
    while let Some(place) = places.pop() {
        if let RelationKind::Observe { input, name, metrics } = &mut place.kind {
            let (input, name, metrics) = (std::mem::replace(&mut **input, nothing()), name.clone(), metrics.clone());
            found.push(observe(place, input, name, metrics, task).await?);
            continue;
        }
        places.extend(place.inputs_mut());
    }
    Ok(found)
}

/// What stands for a relation that is taken out of its place.
fn nothing() -> Relation {
    RelationKind::Values(Vec::new()).into()
}

/// Puts the observed rows in place of what is observed. Observations below it are none of their own.
async fn observe(
    place: &mut Relation,
    input: Relation,
    name: String,
    metrics: Vec<Expr>,
    task: &Task,
) -> Result<Observation> {
    let Resolved { plan, schema } = task.session.resolve(&input).await?;
    let (observed, passed) = Observed::new(plan);
    let rows = |table| RelationKind::Kept {
        rows: Kept { table, schema: Arc::clone(&schema) },
        of: Some(Box::new(input.clone())),
    };
    let aggregate = RelationKind::Aggregate(Aggregate {
        input: Box::new(rows(Arc::new(passed)).into()),
        kind: GroupKind::GroupBy,
        keys: Vec::new(),
        list: metrics,
        keys_in_front: false,
        having: None,
    });
    let query = task.engine.plan(&aggregate.into(), &task.session, None).await?;
    let plan_id = place.plan_id.unwrap_or_default();
    place.kind = rows(Arc::new(observed));
    Ok(Observation { name, plan_id, query })
}

impl Observation {
    /// Computes the aggregates of what passes from now on.
    pub(crate) fn start(self) -> Observing {
        Observing(tokio::spawn(async move {
            let Self { name, plan_id, query } = self;
            let batches: Vec<_> = query.start().await?.try_collect().await.map_err(|e| failure::from_engine(&e))?;
            let (mut keys, mut values) = (Vec::new(), Vec::new());
            for batch in batches.iter().filter(|batch| batch.num_rows() == 1) {
                let batch = arrow_out::conform(batch, &arrow_out::with_nulls(&query.schema))?;
                for (field, column) in query.schema.fields().iter().zip(batch.columns()) {
                    keys.push(field.name().clone());
                    values.push(crate::value::literal(column)?);
                }
            }
            Ok(ObservedMetrics { name, keys, values, plan_id, ..ObservedMetrics::default() })
        }))
    }
}

impl Observing {
    /// The aggregates; the query that they observe has ended.
    pub(crate) async fn end(self) -> Result<ObservedMetrics> {
        self.0.await.map_err(SparkError::internal)?
    }
}
