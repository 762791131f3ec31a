//! A table whose scan has been negotiated.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Statistics;
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;

use crate::exec::PythonExec;
use crate::scan::answer::{Aggregation, Pushdown, ScanAnswer};
use crate::scan::request::{ScanRequest, SortKey};
use crate::scan::statistics;
use crate::source::Source;
use crate::spec::{self, Spread};

/// More statements are only counted, when a plan is shown.
const MOST_STATEMENTS: usize = 8;

/// The rows that a plug-in has agreed to give.
#[derive(Debug)]
pub(crate) struct PlannedTable {
    scan: Arc<PlannedScan>,
    partitions: RecordBatch,
}

/// What all partitions of a scan have in common.
#[derive(Debug)]
pub struct PlannedScan {
    /// The source that is read.
    pub(crate) source: Arc<Source>,
    /// The schema of its table.
    pub(crate) table: SchemaRef,
    /// What the rows are promised to be: those of the table, or those of an aggregate of it.
    pub(crate) schema: SchemaRef,
    pub(crate) pushed: Pushed,
    /// What is known of the table's rows, filters and limits left aside.
    statistics: Statistics,
}

/// A scan that was negotiated in another process.
pub(crate) struct Settled {
    pub(crate) source: Arc<Source>,
    pub(crate) table: SchemaRef,
    pub(crate) schema: SchemaRef,
    pub(crate) ordering: Vec<SortKey>,
    /// The parts of the line that a plan has.
    pub(crate) shown: Vec<String>,
}

/// What a source does beside reading, as a plan shows it.
#[derive(Debug, Default)]
pub(crate) struct Pushed {
    /// What another process says of it, where that has negotiated.
    told: Vec<String>,
    exact: Vec<String>,
    inexact: Vec<String>,
    order_by: Vec<SortKey>,
    limit: Option<usize>,
    offset: Option<usize>,
    aggregate: Option<String>,
    sample: Option<String>,
    /// The order in which each partition spec's rows come.
    pub(crate) ordering: Vec<SortKey>,
    snapshot: Option<String>,
    statements: Vec<String>,
    /// How many partitions have no rows that pass the filters, by their statistics.
    pruned: usize,
}

impl PlannedTable {
    /// The table of an answer, of which only `partitions` are read.
    pub(crate) fn try_new(
        source: Arc<Source>,
        request: &ScanRequest,
        answer: &ScanAnswer,
        partitions: RecordBatch,
    ) -> Result<Self> {
        let table = Arc::clone(&request.schema);
        let pruned = answer.partitions.num_rows() - partitions.num_rows();
        let known_of_all = answer.table.as_ref().filter(|_| pruned == 0);
        let statistics = statistics::of_table(&partitions, known_of_all, &table)?;
        let schema = match (&request.aggregate, answer.aggregation) {
            (Some(aggregate), Aggregation::Partial | Aggregation::Final) => Arc::new(aggregate.schema(&table)?),
            _ => Arc::clone(&table),
        };
        let pushed = Pushed::of(request, answer, pruned);
        Ok(Self { scan: Arc::new(PlannedScan { source, table, schema, pushed, statistics }), partitions })
    }
}

impl PlannedScan {
    /// A scan that was negotiated in another process. Nothing is known of its rows: plans are not made of it.
    pub(crate) fn settled(scan: Settled) -> Self {
        let Settled { source, table, schema, ordering, shown } = scan;
        let statistics = Statistics::new_unknown(&table);
        let pushed = Pushed { ordering, told: shown, ..Pushed::default() };
        Self { source, table, schema, pushed, statistics }
    }

    /// What is known of the rows of `specs`, or of all rows: before the columns are projected, after what is pushed.
    pub(crate) fn statistics(&self, specs: Option<&RecordBatch>) -> Result<Statistics> {
        if self.pushed.aggregate.is_some() {
            return Ok(Statistics::new_unknown(&self.schema));
        }
        let known = match specs {
            Some(specs) => statistics::of_rows(specs, &self.table)?,
            None => self.statistics.clone(),
        };
        Ok(if self.pushed.drops_rows() { known.to_inexact() } else { known })
    }
}

#[async_trait]
impl TableProvider for PlannedTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.scan.schema)
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
        let input = spec::source(&self.partitions, Spread::of(state.config()))?;
        Ok(Arc::new(PythonExec::try_new(Arc::clone(&self.scan), projection.cloned(), limit, input)?))
    }
}

impl Pushed {
    fn of(request: &ScanRequest, answer: &ScanAnswer, pruned: usize) -> Self {
        let answered = |as_asked: Pushdown| {
            let filters = request.filters.iter().zip(&answer.filters);
            filters.filter(|(_, answer)| **answer == Some(as_asked)).map(|(filter, _)| filter.to_string()).collect()
        };
        let aggregate = request.aggregate.as_ref().filter(|_| answer.aggregation != Aggregation::None);
        Self {
            told: vec![],
            exact: answered(Pushdown::Exact),
            inexact: answered(Pushdown::Inexact),
            order_by: if answer.limited || answer.skipped { request.order_by.clone() } else { vec![] },
            limit: request.limit.filter(|_| answer.limited),
            offset: request.offset.filter(|_| answer.skipped),
            aggregate: aggregate.map(|aggregate| aggregate.to_string()),
            sample: request.sample.filter(|_| answer.sampled).map(|sample| sample.to_string()),
            ordering: answer.ordering.clone(),
            snapshot: answer.snapshot.clone(),
            statements: shown(&answer.statements),
            pruned,
        }
    }

    /// Whether fewer rows come than the table has.
    fn drops_rows(&self) -> bool {
        let is_cut = self.limit.is_some() || self.offset.is_some() || self.sample.is_some();
        is_cut || !self.exact.is_empty() || !self.inexact.is_empty()
    }

    /// The parts of the line that a plan has.
    pub(crate) fn parts(&self) -> Vec<String> {
        if !self.told.is_empty() {
            return self.told.clone();
        }
        let list =
            |name: &str, items: Vec<String>| (!items.is_empty()).then(|| format!("{name}=[{}]", items.join(", ")));
        let keys = |keys: &[SortKey]| keys.iter().map(ToString::to_string).collect();
        let parts = [
            (self.pruned > 0).then(|| format!("pruned={}", self.pruned)),
            list("filters", self.exact.clone()),
            list("inexact", self.inexact.clone()),
            list("sort", keys(&self.order_by)),
            self.limit.map(|limit| format!("pushed_limit={limit}")),
            self.offset.map(|offset| format!("pushed_offset={offset}")),
            self.sample.as_ref().map(|sample| format!("sample=[{sample}]")),
            self.aggregate.as_ref().map(|aggregate| format!("aggregate=[{aggregate}]")),
            list("ordering", keys(&self.ordering)),
            self.snapshot.as_ref().map(|snapshot| format!("snapshot={snapshot}")),
            list("statements", self.statements.clone()),
        ];
        parts.into_iter().flatten().collect()
    }
}

/// The statements that a plan has room for, each on one line.
fn shown(statements: &[String]) -> Vec<String> {
    let line = |statement: &String| statement.replace(['\r', '\n'], " ");
    let rest = statements.len().saturating_sub(MOST_STATEMENTS);
    let more = (rest > 0).then(|| format!("{rest} more"));
    statements.iter().take(MOST_STATEMENTS).map(line).chain(more).collect()
}
