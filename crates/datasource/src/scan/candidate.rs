//! Scans in a logical plan, with as much of what is right above them as a plug-in may do.

use std::sync::Arc;

use arrow::datatypes::Schema;
use datafusion::catalog::Session;
use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::datasource::source_as_provider;
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan, Sort, TableScan};

use crate::provider::PythonTableProvider;
use crate::scan::aggregate;
use crate::scan::filter::Filter;
use crate::scan::request::{ScanRequest, SortKey};
use crate::scan::translate::{is_comparable, translate};
use crate::source::Source;

/// A part of a plan that one negotiation is about: a scan, or a sort or an aggregate over a scan.
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
            order_by: vec![],
            aggregate: None,
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
