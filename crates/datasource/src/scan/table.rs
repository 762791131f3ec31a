//! A table whose scan has been negotiated.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;

use crate::exec::PythonExec;
use crate::scan::answer::{Aggregation, Pushdown, ScanAnswer};
use crate::scan::request::{ScanRequest, SortKey};
use crate::source::Source;
use crate::spec;

/// The rows that a plug-in has agreed to give: those of the table, or those of an aggregate of it.
#[derive(Debug)]
pub(crate) struct PlannedTable {
    source: Arc<Source>,
    schema: SchemaRef,
    partitions: RecordBatch,
    pushed: Arc<Pushed>,
}

/// What a source does beside reading, as a plan shows it.
#[derive(Debug, Default)]
pub struct Pushed {
    exact: Vec<String>,
    inexact: Vec<String>,
    order_by: Vec<SortKey>,
    limit: Option<usize>,
    aggregate: Option<String>,
    /// The order in which each partition spec's rows come.
    pub(crate) ordering: Vec<SortKey>,
    snapshot: Option<String>,
}

impl PlannedTable {
    pub(crate) fn try_new(source: Arc<Source>, request: &ScanRequest, answer: ScanAnswer) -> Result<Self> {
        let schema = match (&request.aggregate, answer.aggregation) {
            (Some(aggregate), Aggregation::Partial | Aggregation::Final) => {
                Arc::new(aggregate.schema(&request.schema)?)
            }
            _ => Arc::clone(&request.schema),
        };
        let pushed = Arc::new(Pushed::of(request, &answer));
        Ok(Self { source, schema, partitions: answer.partitions, pushed })
    }
}

#[async_trait]
impl TableProvider for PlannedTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = spec::source(&self.partitions, state.config().target_partitions())?;
        let (source, schema) = (Arc::clone(&self.source), Arc::clone(&self.schema));
        let pushed = Arc::clone(&self.pushed);
        Ok(Arc::new(PythonExec::try_new(source, schema, projection.cloned(), limit, pushed, input)?))
    }
}

impl Pushed {
    fn of(request: &ScanRequest, answer: &ScanAnswer) -> Self {
        let answered = |as_asked: Pushdown| {
            let filters = request.filters.iter().zip(&answer.filters);
            filters.filter(|(_, answer)| **answer == Some(as_asked)).map(|(filter, _)| filter.to_string()).collect()
        };
        let aggregate = request.aggregate.as_ref().filter(|_| answer.aggregation != Aggregation::None);
        Self {
            exact: answered(Pushdown::Exact),
            inexact: answered(Pushdown::Inexact),
            order_by: if answer.limited { request.order_by.clone() } else { vec![] },
            limit: request.limit.filter(|_| answer.limited),
            aggregate: aggregate.map(|aggregate| aggregate.to_string()),
            ordering: answer.ordering.clone(),
            snapshot: answer.snapshot.clone(),
        }
    }

    /// The parts of the line that a plan has.
    pub(crate) fn parts(&self) -> Vec<String> {
        let list =
            |name: &str, items: Vec<String>| (!items.is_empty()).then(|| format!("{name}=[{}]", items.join(", ")));
        let keys = |keys: &[SortKey]| keys.iter().map(ToString::to_string).collect();
        let parts = [
            list("filters", self.exact.clone()),
            list("inexact", self.inexact.clone()),
            list("sort", keys(&self.order_by)),
            self.limit.map(|limit| format!("pushed_limit={limit}")),
            self.aggregate.as_ref().map(|aggregate| format!("aggregate=[{aggregate}]")),
            list("ordering", keys(&self.ordering)),
            self.snapshot.as_ref().map(|snapshot| format!("snapshot={snapshot}")),
        ];
        parts.into_iter().flatten().collect()
    }
}
