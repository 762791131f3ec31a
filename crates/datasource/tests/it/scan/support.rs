//! A source whose plug-in is in Rust: it answers as it is told, and counts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::execution::SessionState;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::{SessionConfig, SessionContext};
use parking_lot::Mutex;
use serde_json::{Value, json};
use sheetbend_datasource::error::Result;
use sheetbend_datasource::format::SourceInfo;
use sheetbend_datasource::host::{Host, Job, Message, Site, WriteJob};
use sheetbend_datasource::provider::PythonTableProvider;
use sheetbend_datasource::recipe::Recipe;
use sheetbend_datasource::scan::ScanPlanner;
use sheetbend_datasource::source::Source;

/// Partition `p` of the table has `k` from `10 * p` to `10 * p + 9`, and `v = -k`.
pub(super) const ROWS: i64 = 10;

/// What the plug-in says of the rows of its partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// Nothing.
    Nothing,
    /// How many there are, and the bounds of `k`, as estimates.
    Estimates,
    /// The same, exact.
    Exact,
    /// The bounds alone, exact.
    Bounds,
}

/// A plug-in of `partitions` partitions.
pub(super) struct Numbers {
    pub(super) partitions: i64,
    pub(super) known: Known,
    /// How each filter is answered.
    pub(super) pushdown: Option<&'static str>,
    /// What else is answered.
    pub(super) claims: Vec<&'static str>,
    pub(super) requests: Mutex<Vec<Value>>,
    pub(super) read: AtomicUsize,
    /// What the reads were told of the wanted rows.
    pub(super) dynamic_filters: Mutex<Vec<Option<String>>>,
}

impl Numbers {
    pub(super) fn new(partitions: i64, known: Known) -> Arc<Self> {
        Self::pushing(partitions, known, None)
    }

    pub(super) fn pushing(partitions: i64, known: Known, pushdown: Option<&'static str>) -> Arc<Self> {
        Self::claiming(partitions, known, pushdown, &[])
    }

    pub(super) fn claiming(
        partitions: i64,
        known: Known,
        pushdown: Option<&'static str>,
        claims: &[&'static str],
    ) -> Arc<Self> {
        let (requests, read, dynamic_filters) = Default::default();
        Arc::new(Self { partitions, known, pushdown, claims: claims.to_vec(), requests, read, dynamic_filters })
    }

    pub(super) fn table(self: &Arc<Self>) -> Arc<PythonTableProvider> {
        let host = Arc::new(Hosted(Arc::clone(self)));
        let (name, site) = ("numbers".to_owned(), Site::load("numbers".to_owned()));
        let recipe = Recipe::named(&name, "module", "Class", SourceInfo::default());
        let source = Source::new(name, host, site, vec!["plan_scan".to_owned()], recipe);
        Arc::new(PythonTableProvider::new(Arc::new(source), schema()))
    }

    pub(super) fn reads(&self) -> usize {
        self.read.swap(0, Ordering::SeqCst)
    }
}

struct Hosted(Arc<Numbers>);

impl Host for Hosted {
    fn write(&self, _: &WriteJob) -> Result<Message> {
        panic!("not asked in these tests")
    }

    fn call(&self, site: &Site, input: Message) -> Result<Message> {
        assert_eq!(site.method, "plan_scan");
        let request: Value = serde_json::from_str(&input.json).unwrap();
        let answers = request["filters"].as_array().unwrap().iter().enumerate();
        let answers: BTreeMap<_, _> =
            answers.filter_map(|(at, _)| Some((at.to_string(), self.0.pushdown?.to_owned()))).collect();
        self.0.requests.lock().push(request);
        let specs = (0..self.0.partitions).map(|at| Some(at.to_string())).chain([None]);
        let mut columns: Vec<(&str, ArrayRef)> = vec![("spec", Arc::new(specs.collect::<StringArray>()))];
        if self.0.known != Known::Nothing {
            let exact = self.0.known != Known::Estimates;
            for (name, exact_name, of) in [
                ("rows", "rows_exact", (|_| ROWS) as fn(i64) -> i64),
                ("0.min", "0.min_exact", |at| ROWS * at),
                ("0.max", "0.max_exact", |at| ROWS * at + ROWS - 1),
                ("0.nulls", "0.nulls_exact", |_| 0),
            ] {
                if name == "rows" && self.0.known == Known::Bounds {
                    continue;
                }
                let figures = (0..self.0.partitions).map(|at| Some(of(at))).chain([None]);
                let marks = (0..self.0.partitions).map(|_| Some(exact)).chain([None]);
                columns.push((name, Arc::new(figures.collect::<Int64Array>())));
                columns.push((exact_name, Arc::new(marks.collect::<BooleanArray>())));
            }
        }
        let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, of)| (name, of, true)));
        let mut answer = json!({"filters": answers});
        for claim in &self.0.claims {
            answer[claim] = json!(true);
        }
        Ok(Message { json: answer.to_string(), schema: None, batch: Some(batch.unwrap()) })
    }

    /// Gives all rows, whatever was asked: a filter that is answered exact had better be one of whole partitions.
    fn read(&self, job: &mut Job) -> Result<()> {
        while let Some(spec) = job.next_spec()? {
            self.0.read.fetch_add(1, Ordering::SeqCst);
            self.0.dynamic_filters.lock().push(job.wanted()?.map(|message| message.json));
            let first = ROWS * spec.json.parse::<i64>().unwrap();
            let keys: Int64Array = (first..first + ROWS).collect();
            let values: Int64Array = (first..first + ROWS).map(|key| -key).collect();
            let batch = RecordBatch::try_new(schema(), vec![Arc::new(keys), Arc::new(values)]).unwrap();
            if job.send(&batch, &Site::load("numbers".to_owned()))?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

pub(super) fn schema() -> SchemaRef {
    let column = |name| Field::new(name, DataType::Int64, true);
    Arc::new(Schema::new(vec![column("k"), column("v")]))
}

/// A session that negotiates scans in the planner.
pub(super) fn context() -> SessionContext {
    SessionContext::new_with_state(state().with_query_planner(Arc::new(ScanPlanner)).build())
}

/// One that does not.
pub(super) fn plain_context() -> SessionContext {
    SessionContext::new_with_state(state().build())
}

fn state() -> SessionStateBuilder {
    let config = SessionConfig::new().with_target_partitions(2);
    SessionStateBuilder::new().with_config(config).with_default_features()
}

/// `plan` once more through all rules of the physical optimiser.
pub(super) fn optimized_again(state: &SessionState, mut plan: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
    for rule in state.physical_optimizers() {
        plan = rule.optimize(plan, state.config_options()).unwrap();
    }
    plan
}
