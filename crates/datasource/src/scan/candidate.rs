//! Scans in a logical plan, with as much of what is right above them as a plug-in may do.

use std::sync::Arc;

use arrow::datatypes::Schema;
use datafusion::catalog::Session;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Column, ScalarValue};
use datafusion::datasource::source_as_provider;
use datafusion::error::Result;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr, FetchType, Limit, LogicalPlan, SkipType, Sort, TableScan, logical_plan as plan};

use crate::provider::PythonTableProvider;
use crate::scan::aggregate;
use crate::scan::filter::Filter;
use crate::scan::request::{Sample, ScanRequest, SortKey};
use crate::scan::translate::{is_comparable, translate};
use crate::source::Source;

/// The call that keeps the rows of a sample: of its seed, the number of a row, and between which shares of chance they
/// are. It is always over a window that numbers the rows.
const SAMPLED: &str = "spark.sampled";

/// A part of a plan that one negotiation is about: a scan, or a sort, an offset, a sample or an aggregate over a scan.
pub(crate) struct Candidate {
    pub(crate) source: Arc<Source>,
    pub(crate) request: ScanRequest,
    pub(crate) scan: TableScan,
}

impl Candidate {
    /// The negotiation that `node` is to have; none where it is no such part.
    pub(crate) fn of(node: &LogicalPlan, session: &dyn Session) -> Result<Option<Self>> {
        match node {
            LogicalPlan::TableScan(scan) => Self::of_scan(scan, session),
            LogicalPlan::Sort(sort) => Self::of_sort(sort, session),
            LogicalPlan::Limit(limit) => Self::of_limit(limit, session),
            LogicalPlan::Filter(filter) => Self::of_filter(filter, session),
            LogicalPlan::Aggregate(over) => {
                let Some((scan, exprs)) = aggregate::expressions(over).and_then(|exprs| scan_below(&over.input, exprs))
                else {
                    return Ok(None);
                };
                let Some(mut candidate) = Self::of_scan(scan, session)? else { return Ok(None) };
                candidate.request.aggregate = aggregate::request(over, &exprs, &candidate.request.schema);
                Ok(candidate.request.aggregate.is_some().then_some(candidate))
            }
            _ => Ok(None),
        }
    }

    fn of_scan(scan: &TableScan, session: &dyn Session) -> Result<Option<Self>> {
        let Ok(provider) = source_as_provider(&scan.source) else { return Ok(None) };
        let Some(provider) = provider.downcast_ref::<PythonTableProvider>() else { return Ok(None) };
        let schema = scan.source.schema();
        let mut projection = scan.projection.clone().unwrap_or_else(|| (0..schema.fields().len()).collect());
        projection.sort_unstable();
        let request = ScanRequest {
            projection,
            filters: offered(scan, &schema).map(|(_, filter)| filter).collect(),
            limit: scan.fetch,
            offset: None,
            order_by: vec![],
            aggregate: None,
            sample: None,
            target_partitions: session.config().target_partitions(),
            batch_size: session.config().batch_size(),
            schema,
        };
        Ok(Some(Self { source: Arc::clone(provider.source()), request, scan: scan.clone() }))
    }

    /// The first rows in an order.
    fn of_sort(sort: &Sort, session: &dyn Session) -> Result<Option<Self>> {
        let keys = sort.expr.iter().map(|key| key.expr.clone()).collect();
        let (Some(fetch), Some((scan, keys))) = (sort.fetch, scan_below(&sort.input, keys)) else { return Ok(None) };
        let Some(mut candidate) = Self::of_scan(scan, session)? else { return Ok(None) };
        let schema = &candidate.request.schema;
        let order_by = keys.iter().zip(&sort.expr).map(|(key, sort)| {
            let column = plain_column(key).filter(|name| is_comparable(schema, name))?;
            Some(SortKey { column, descending: !sort.asc, nulls_first: sort.nulls_first })
        });
        let Some(order_by) = order_by.collect() else { return Ok(None) };
        candidate.request.order_by = order_by;
        candidate.request.limit = Some(fetch);
        Ok(Some(candidate))
    }

    /// Rows of which the first are passed over. One that passes over none is as its input.
    fn of_limit(limit: &Limit, session: &dyn Session) -> Result<Option<Self>> {
        let (SkipType::Literal(skip @ 1..), FetchType::Literal(fetch)) =
            (limit.get_skip_type()?, limit.get_fetch_type()?)
        else {
            return Ok(None);
        };
        let candidate = match unprojected(&limit.input) {
            LogicalPlan::TableScan(scan) => Self::of_scan(scan, session)?,
            LogicalPlan::Sort(sort) if fetch.is_some() => Self::of_sort(sort, session)?,
            _ => None,
        };
        // The optimiser has told what is below how many rows are needed of it.
        let needed = fetch.map(|fetch| fetch.saturating_add(skip));
        let Some(mut candidate) = candidate.filter(|candidate| candidate.request.limit == needed) else {
            return Ok(None);
        };
        candidate.request.offset = Some(skip);
        Ok(Some(candidate))
    }

    /// Rows by chance.
    fn of_filter(filter: &plan::Filter, session: &dyn Session) -> Result<Option<Self>> {
        let Some(sample) = split_conjunction(&filter.predicate).into_iter().find_map(sample_of) else {
            return Ok(None);
        };
        let LogicalPlan::Window(numbered) = unprojected(&filter.input) else { return Ok(None) };
        let [Expr::WindowFunction(number)] = numbered.window_expr.as_slice() else { return Ok(None) };
        let is_free = number.params.order_by.is_empty() && number.params.partition_by.is_empty();
        let Some((scan, _)) = scan_below(&numbered.input, vec![]).filter(|_| is_free) else { return Ok(None) };
        let Some(mut candidate) = Self::of_scan(scan, session)? else { return Ok(None) };
        candidate.request.sample = Some(sample);
        Ok(Some(candidate))
    }
}

/// The sample whose rows an expression keeps. A part of all rows that others share, as those of a split do, is none.
pub(crate) fn sample_of(expr: &Expr) -> Option<Sample> {
    let Expr::ScalarFunction(call) = expr else { return None };
    let value = |at: usize| match call.args.get(at) {
        Some(Expr::Literal(value, _)) => Some(value),
        _ => None,
    };
    match (call.func.name(), value(0)?, value(2)?, value(3)?) {
        (
            SAMPLED,
            ScalarValue::Int64(Some(seed)),
            ScalarValue::Float64(Some(lower)),
            ScalarValue::Float64(Some(upper)),
        ) if *lower == 0.0 => Some(Sample { fraction: *upper, seed: *seed }),
        _ => None,
    }
}

/// What is below the projections at the top of `plan`.
fn unprojected(plan: &LogicalPlan) -> &LogicalPlan {
    match plan {
        LogicalPlan::Projection(projection) => unprojected(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => unprojected(&alias.input),
        other => other,
    }
}

/// The filters of a scan that a plug-in is offered, as the engine and as the plug-in know them.
pub(crate) fn offered<'a>(scan: &'a TableScan, schema: &'a Schema) -> impl Iterator<Item = (&'a Expr, Filter)> {
    scan.filters.iter().filter_map(|expr| Some((expr, translate(expr, schema)?)))
}

/// The name of the column that an expression is.
pub(crate) fn plain_column(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Column(column) => Some(column.name.clone()),
        _ => None,
    }
}

/// The scan that has nothing but projections above it in `plan`, and `exprs` over `plan` as expressions over the scan. A
/// scan with a limit of its own is none: what is above it counts only some of its rows.
fn scan_below(plan: &LogicalPlan, exprs: Vec<Expr>) -> Option<(&TableScan, Vec<Expr>)> {
    match plan {
        LogicalPlan::TableScan(scan) if scan.fetch.is_none() => Some((scan, exprs)),
        LogicalPlan::Projection(projection) => {
            let below = |column: &Column| {
                let index = projection.schema.maybe_index_of_column(column)?;
                Some(projection.expr.get(index)?.clone().unalias())
            };
            scan_below(&projection.input, replaced(exprs, below)?)
        }
        LogicalPlan::SubqueryAlias(alias) => {
            let below = |column: &Column| {
                let index = alias.schema.maybe_index_of_column(column)?;
                Some(Expr::Column(Column::from(alias.input.schema().qualified_field(index))))
            };
            scan_below(&alias.input, replaced(exprs, below)?)
        }
        _ => None,
    }
}

fn replaced(exprs: Vec<Expr>, below: impl Fn(&Column) -> Option<Expr>) -> Option<Vec<Expr>> {
    let mut known = true;
    let replace = |expr: Expr, known: &mut bool| {
        expr.transform_up(|expr| match &expr {
            Expr::Column(column) => match below(column) {
                Some(replacement) => Ok(Transformed::yes(replacement)),
                None => {
                    *known = false;
                    Ok(Transformed::no(expr))
                }
            },
            _ => Ok(Transformed::no(expr)),
        })
        .data()
    };
    let replaced: Result<Vec<_>> = exprs.into_iter().map(|expr| replace(expr, &mut known)).collect();
    replaced.ok().filter(|_| known)
}
