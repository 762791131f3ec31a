//! Which functions make a `SELECT` without `GROUP BY` an aggregate.

use crate::ir::Expr;

const AGGREGATES: &[&str] = &[
    "any",
    "any_value",
    "approx_count_distinct",
    "approx_percentile",
    "array_agg",
    "avg",
    "bit_and",
    "bit_or",
    "bit_xor",
    "bitmap_and_agg",
    "bitmap_construct_agg",
    "bitmap_or_agg",
    "bool_and",
    "bool_or",
    "collect_list",
    "collect_set",
    "corr",
    "count",
    "count_if",
    "covar_pop",
    "covar_samp",
    "every",
    "first",
    "first_value",
    "grouping",
    "grouping_id",
    "histogram_numeric",
    "kurtosis",
    "last",
    "last_value",
    "listagg",
    "max",
    "max_by",
    "mean",
    "median",
    "min",
    "min_by",
    "mode",
    "percentile",
    "percentile_approx",
    "percentile_cont",
    "percentile_disc",
    "product",
    "regr_avgx",
    "regr_avgy",
    "regr_count",
    "regr_intercept",
    "regr_r2",
    "regr_slope",
    "regr_sxx",
    "regr_sxy",
    "regr_syy",
    "skewness",
    "some",
    "std",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "string_agg",
    "sum",
    "try_avg",
    "try_sum",
    "var_pop",
    "var_samp",
    "variance",
    "vector_avg",
    "vector_sum",
];

/// Whether an aggregate function is called, other than over a window and in a subquery.
pub(super) fn has_aggregate(expr: &Expr) -> bool {
    match expr {
        Expr::Function(function) if AGGREGATES.binary_search(&function.name.to_ascii_lowercase().as_str()).is_ok() => {
            true
        }
        // `sum(sum(x)) OVER ()`: the outer one is no aggregate, what it is given may be.
        Expr::Window { function, partition_by, order_by, .. } => {
            function.children().into_iter().any(has_aggregate)
                || partition_by.iter().any(has_aggregate)
                || order_by.iter().any(|order| has_aggregate(&order.expr))
        }
        other => other.children().into_iter().any(has_aggregate),
    }
}
