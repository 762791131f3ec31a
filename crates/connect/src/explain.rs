//! The plans of a query as `explain()` and `EXPLAIN` print them.

use std::fmt::Write;

use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use datafusion::physical_plan::{ExecutionPlan, displayable};
use futures::TryStreamExt;
use sheetbend_plan::environment::Resolved;
use sheetbend_plan::error::Result;
use spark_connect_proto::analyze_plan_request::explain::ExplainMode;

use crate::engine::{Engine, Query};
use crate::failure;

/// The plans of a query. Options of a source are no part of a plan, so none is shown.
///
/// # Errors
/// The query cannot be planned.
pub(crate) async fn text(resolved: &Resolved, mode: ExplainMode, engine: &Engine) -> Result<String> {
    let state = engine.state();
    let physical = state.create_physical_plan(&resolved.plan).await.map_err(|e| failure::from_engine(&e))?;
    let mut text = String::new();
    if mode == ExplainMode::Extended {
        section(&mut text, "Analyzed Logical Plan", &logical(&resolved.plan));
    }
    if matches!(mode, ExplainMode::Extended | ExplainMode::Cost) {
        let optimized = state.optimize(&resolved.plan).map_err(|e| failure::from_engine(&e))?;
        section(&mut text, "Optimized Logical Plan", &logical(&optimized));
    }
    section(&mut text, "Physical Plan", &indented(physical.as_ref(), mode));
    Ok(text)
}

/// A plan that is physical from the start.
pub(crate) fn physical(plan: &dyn ExecutionPlan, mode: ExplainMode) -> String {
    let mut text = String::new();
    section(&mut text, "Physical Plan", &indented(plan, mode));
    text
}

fn indented(plan: &dyn ExecutionPlan, mode: ExplainMode) -> String {
    let plan = displayable(plan);
    match mode {
        ExplainMode::Cost => plan.set_show_statistics(true).indent(false).to_string(),
        _ => plan.indent(false).to_string(),
    }
}

/// Runs a query to its end, and shows its physical plan with what each node has counted.
///
/// # Errors
/// The query fails.
pub(crate) async fn analyze(query: &Query) -> Result<String> {
    let mut rows = query.start().await?;
    while rows.try_next().await.map_err(|e| failure::from_engine(&e))?.is_some() {}
    drop(rows);
    Ok(measured(query.plan.as_ref()))
}

/// A plan that has been run, with what each node has counted.
pub(crate) fn measured(plan: &dyn ExecutionPlan) -> String {
    let mut text = String::new();
    let plan = DisplayableExecutionPlan::with_metrics(plan);
    section(&mut text, "Physical Plan with Metrics", &plan.indent(false).to_string());
    text
}

fn logical(plan: &LogicalPlan) -> String {
    format!("{}\n", plan.display_indent())
}

fn section(text: &mut String, title: &str, plan: &str) {
    let gap = if text.is_empty() { "" } else { "\n" };
    // Writing to a string does not fail.
    let _ = write!(text, "{gap}== {title} ==\n{plan}");
}
