//! Window functions.

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::functions_window as df;
use datafusion::logical_expr::expr::{Sort, WindowFunction};
use datafusion::logical_expr::{Expr, WindowFrame, WindowFrameBound, WindowFrameUnits, WindowFunctionDefinition};

use super::call::{Call, Outcome};
use crate::error::{ErrorClass, Result, SparkError};
use crate::ir;

/// Whether the function of this name, in lower case, needs an `OVER` clause.
pub(crate) fn needs_window(name: &str) -> bool {
    let ranks = ["row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile"];
    ranks.contains(&name) || ["lag", "lead", "nth_value"].contains(&name)
}

/// A function that makes sense over a window alone, if there is one of this name. [`over`] gives it its window.
pub(super) fn resolve(mut call: Call<'_>) -> Outcome<'_> {
    let function = match call.name.as_str() {
        "row_number" => df::row_number::row_number_udwf(),
        "rank" => df::rank::rank_udwf(),
        "dense_rank" => df::rank::dense_rank_udwf(),
        "percent_rank" => df::rank::percent_rank_udwf(),
        "cume_dist" => df::cume_dist::cume_dist_udwf(),
        "ntile" => df::ntile::ntile_udwf(),
        "lag" => df::lead_lag::lag_udwf(),
        "lead" => df::lead_lag::lead_udwf(),
        "nth_value" => df::nth_value::nth_value_udwf(),
        _ => return Ok(Err(call)),
    };
    let mut args: Vec<_> = std::mem::take(&mut call.args);
    if matches!(call.name.as_str(), "rank" | "dense_rank" | "percent_rank") {
        // Whatever they are given, they rank by the order of the window.
        args.clear();
    }
    let args = args.into_iter().enumerate().map(|(position, arg)| match position {
        // Offsets and counts.
        1 => call.cast(arg, &DataType::Int64),
        0 if call.name == "ntile" => call.cast(arg, &DataType::Int64),
        _ => Ok(arg.expr),
    });
    let args = args.collect::<Result<Vec<_>>>()?;
    let ranks = matches!(call.name.as_str(), "row_number" | "rank" | "dense_rank" | "ntile");
    let expr = Expr::from(WindowFunction::new(WindowFunctionDefinition::WindowUDF(function), args));
    Ok(Ok(if ranks { datafusion::logical_expr::cast(expr, DataType::Int32) } else { expr }))
}

/// A frame, and the type of the first key that its rows are ordered by.
pub(crate) type Frame<'a> = (&'a ir::WindowFrame, Option<&'a DataType>);

/// `function OVER (...)`; the function is one of [`resolve`] or an aggregate, maybe inside what brings its result to
/// Spark's type.
pub(crate) fn over(
    function: Expr,
    partition_by: Vec<Expr>,
    order_by: Vec<Sort>,
    frame: Option<Frame<'_>>,
) -> Result<Expr> {
    let mut found = false;
    let windowed = function.transform_down(|expr| {
        let mut window = match expr {
            Expr::WindowFunction(window) => *window,
            Expr::AggregateFunction(aggregate) => {
                let params = aggregate.params;
                if !params.order_by.is_empty() {
                    let what = "an aggregate that chooses among its rows, such as `max_by`, over a window";
                    return Err(SparkError::unsupported(what).into());
                }
                let definition = WindowFunctionDefinition::AggregateUDF(aggregate.func);
                let mut window = WindowFunction::new(definition, params.args);
                window.params.distinct = params.distinct;
                window.params.filter = params.filter;
                window.params.null_treatment = params.null_treatment;
                window
            }
            other => return Ok(Transformed::no(other)),
        };
        found = true;
        set_window(&mut window, &partition_by, &order_by, frame);
        Ok(Transformed::new(Expr::from(window), true, TreeNodeRecursion::Jump))
    })?;
    if found {
        return Ok(windowed.data);
    }
    let message = "Only an aggregate or a window function can stand before OVER.";
    Err(SparkError::new(ErrorClass::Analysis, "UNSUPPORTED_EXPR_FOR_WINDOW", "42P20", message))
}

fn set_window(window: &mut WindowFunction, partition_by: &[Expr], order_by: &[Sort], frame: Option<Frame<'_>>) {
    window.params.window_frame = match frame {
        Some((frame, key)) => {
            let units = if frame.rows { WindowFrameUnits::Rows } else { WindowFrameUnits::Range };
            let before = |offset| WindowFrameBound::Preceding(offset);
            let after = |offset| WindowFrameBound::Following(offset);
            let lower =
                frame.lower.map_or_else(|| before(unbounded(frame.rows)), |offset| bound(offset, frame.rows, key));
            let upper =
                frame.upper.map_or_else(|| after(unbounded(frame.rows)), |offset| bound(offset, frame.rows, key));
            WindowFrame::new_bounds(units, lower, upper)
        }
        None => WindowFrame::new((!order_by.is_empty()).then_some(false)),
    };
    window.params.partition_by = partition_by.to_vec();
    window.params.order_by = order_by.to_vec();
}

fn unbounded(rows: bool) -> ScalarValue {
    if rows { ScalarValue::UInt64(None) } else { ScalarValue::Int64(None) }
}

/// The bound at an offset. In a range the engine adds it to the key, whose type it must have.
fn bound(offset: i64, rows: bool, key: Option<&DataType>) -> WindowFrameBound {
    let distance = offset.unsigned_abs();
    let value = match i64::try_from(distance) {
        Ok(distance) if !rows => {
            let value = ScalarValue::Int64(Some(distance));
            key.and_then(|key| value.cast_to(key).ok()).unwrap_or(value)
        }
        _ => ScalarValue::UInt64(Some(distance)),
    };
    match offset {
        0 => WindowFrameBound::CurrentRow,
        offset if offset < 0 => WindowFrameBound::Preceding(value),
        _ => WindowFrameBound::Following(value),
    }
}
