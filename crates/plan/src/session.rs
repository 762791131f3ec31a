//! The one DataFusion session that every query plans and runs with, on any machine.

use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::functions_aggregate::first_last::first_value_udaf;
use datafusion::optimizer::Optimizer;
use datafusion::prelude::SessionConfig;

/// Rules that compute fields of structs as far down as can be. A column may then be in a plan twice, which is an error.
const FIELDS_FIRST: [&str; 2] = ["extract_leaf_expressions", "push_down_leaf_projections"];

/// A session state with Spark's settings and functions.
///
/// `parallelism` is the number of partitions that a query runs in; none for one a core.
pub fn session_state(parallelism: Option<usize>) -> SessionState {
    let mut config = SessionConfig::new();
    if let Some(parallelism) = parallelism {
        config = config.with_target_partitions(parallelism.max(1));
    }
    let options = config.options_mut();
    options.execution.enable_ansi_mode = true;
    // Names come from the resolver; what DataFusion would make of them does not matter.
    options.catalog.information_schema = false;
    // None of DataFusion's functions by name, but for one that its optimizer asks for: every query copies the state.
    let functions = vec![first_value_udaf()];
    let rules = Optimizer::new().rules.into_iter().filter(|rule| !FIELDS_FIRST.contains(&rule.name())).collect();
    SessionStateBuilder::new()
        .with_config(config)
        .with_aggregate_functions(functions)
        .with_optimizer_rules(rules)
        .build()
}
