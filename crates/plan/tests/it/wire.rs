//! Functions that were bytes for a while.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{
    AggregateUDF, Expr, HigherOrderUDF, LogicalPlan, ScalarUDF, Volatility, WindowFunctionDefinition, WindowUDF,
};
use datafusion::physical_expr::{HigherOrderFunctionExpr, PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::{ExecutionPlan, collect};
use sheetbend_plan::session::session_state;
use sheetbend_plan::wire::{Function, decode, encode};

use super::resolver::resolved;

/// The bytes of functions that were sent.
type Sent = BTreeSet<Vec<u8>>;

/// What the function is after a journey.
fn send<F: Function + std::fmt::Debug>(function: &F, sent: &mut Sent) -> Arc<F> {
    let bytes = encode(function).unwrap();
    let back = decode::<F>(&bytes).unwrap();
    assert_eq!(*back, *function, "{}", String::from_utf8_lossy(&bytes));
    sent.insert(bytes);
    back
}

/// The same expression with functions that were sent.
fn with_sent(expr: Expr, sent: &mut Sent) -> Transformed<Expr> {
    let expr = expr.transform_up(|mut expr| {
        match &mut expr {
            Expr::ScalarFunction(call) => call.func = send(&*call.func, sent),
            Expr::AggregateFunction(call) => call.func = send(&*call.func, sent),
            Expr::HigherOrderFunction(call) => call.func = send(&*call.func, sent),
            Expr::WindowFunction(call) => match &mut call.fun {
                WindowFunctionDefinition::AggregateUDF(function) => *function = send(&**function, sent),
                WindowFunctionDefinition::WindowUDF(function) => *function = send(&**function, sent),
            },
            _ => return Ok(Transformed::no(expr)),
        }
        Ok(Transformed::yes(expr))
    });
    expr.unwrap()
}

/// Sends the functions of a plan that is ready to run.
fn send_all(plan: &Arc<dyn ExecutionPlan>, sent: &mut Sent) {
    plan.apply(|node| {
        for call in node.downcast_ref::<AggregateExec>().iter().flat_map(|aggregate| aggregate.aggr_expr()) {
            send(call.fun(), sent);
        }
        node.apply_expressions(&mut |expr: &Arc<dyn PhysicalExpr>| {
            expr.apply(|expr| {
                if let Some(call) = expr.downcast_ref::<ScalarFunctionExpr>() {
                    send(call.fun(), sent);
                } else if let Some(call) = expr.downcast_ref::<HigherOrderFunctionExpr>() {
                    send(call.fun(), sent);
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })
    .unwrap();
}

/// The rows in some order, or the error.
async fn rows(state: &SessionState, plan: &LogicalPlan, sent: &mut Sent) -> Result<Vec<String>, String> {
    let plan = state.create_physical_plan(plan).await.map_err(|error| error.to_string())?;
    send_all(&plan, sent);
    let batches = collect(plan, state.task_ctx()).await.map_err(|error| error.to_string())?;
    let text = arrow::util::pretty::pretty_format_batches(&batches).unwrap().to_string();
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines.sort();
    Ok(lines)
}

fn state() -> SessionState {
    let mut state = session_state(Some(1));
    let options = Arc::clone(state.config_options());
    state.execution_props_mut().mark_start_execution(options);
    state
}

/// Every example that Spark has of a function, and some that are here alone.
fn queries() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/spark/functions/examples.json");
    let text = std::fs::read_to_string(path).unwrap();
    let examples: BTreeMap<String, BTreeMap<String, serde_json::Value>> = serde_json::from_str(&text).unwrap();
    let own = [
        "SELECT id, first(name) OVER (ORDER BY id), lag(pay, 2, 0.5BD) OVER (PARTITION BY city ORDER BY id) FROM people",
        "SELECT first(name), last(name) FROM (SELECT * FROM people ORDER BY id)",
        "SELECT max_by(name, pay), min_by(name, pay, 2) FROM people",
        "SELECT product(id), collect_frequent_items(city, 2) FROM people",
        "SELECT array(INTERVAL '1' DAY), CAST(array(INTERVAL '1' DAY) AS STRING)",
    ];
    let examples = examples.into_values().flat_map(BTreeMap::into_keys);
    own.map(str::to_owned).into_iter().chain(examples).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_compute_the_same_after_a_journey() {
    let state = state();
    let (mut compared, mut sent) = (0, Sent::new());
    for query in queries() {
        let Ok(resolved) = resolved(&query, "America/Los_Angeles").await else { continue };
        let (plan, known, mut volatile) = (resolved.plan, sent.len(), false);
        let moved = plan.clone().transform_up_with_subqueries(|node| {
            node.map_expressions(|expr| {
                volatile |= expr.is_volatile();
                Ok(with_sent(expr, &mut sent))
            })
        });
        if volatile || sent.len() == known {
            continue;
        }
        let moved = moved.unwrap().data;
        assert_eq!(rows(&state, &plan, &mut sent).await, rows(&state, &moved, &mut sent).await, "{query}");
        compared += 1;
    }
    assert!(compared > 300, "only {compared} queries");
    let of = |bytes: &Vec<u8>| {
        serde_json::from_slice::<serde_json::Value>(bytes).unwrap()["of"].as_str().unwrap().to_owned()
    };
    let sent: BTreeSet<_> = sent.iter().map(of).collect();
    let all = "arithmetic bitmap cast datafusion datafusion-spark distinct extreme frequent histogram interval lambda mode \
               moment native percentile product quantile regression sum vectors";
    let missing: Vec<_> = all.split_whitespace().filter(|kind| !sent.contains(*kind)).collect();
    assert!(missing.is_empty(), "{missing:?} of {sent:?}");
}

#[tokio::test]
async fn a_cast_knows_the_fields_of_its_interval() {
    let query = "SELECT CAST(a AS STRING), CAST(b AS STRING) FROM \
                 (SELECT make_dt_interval(id) a, INTERVAL '1' DAY * id b FROM people)";
    let plan = state().optimize(&resolved(query, "UTC").await.unwrap().plan).unwrap();
    let mut casts = vec![];
    plan.apply(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                if let Expr::ScalarFunction(call) = expr {
                    casts.push(String::from_utf8(encode(&*call.func).unwrap()).unwrap());
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })
    .unwrap();
    casts.retain(|cast| cast.contains("Utf8"));
    assert_eq!(casts.len(), 2, "{casts:?}");
    assert!(casts.iter().all(|cast| cast.contains(r#""interval":{"first":0,"last":"#)), "{casts:?}");
}

#[test]
fn functions_of_libraries_are_told_apart() {
    fn check<F: Function + std::fmt::Debug>() {
        for function in F::libraries().iter().flat_map(|library| library.functions()) {
            send(&**function, &mut Sent::new());
        }
    }
    check::<ScalarUDF>();
    check::<AggregateUDF>();
    check::<WindowUDF>();
}

#[test]
fn a_check_of_a_write_is_what_it_was() {
    let check =
        r#"{"of":"assign","is":{"column":"a","from":{"Plain":"Int64"},"signature":{"count":2,"volatile":true}}}"#;
    let back = send(&*decode::<ScalarUDF>(check.as_bytes()).unwrap(), &mut Sent::new());
    assert_eq!((back.name(), back.signature().volatility), ("spark_assign", Volatility::Volatile));
}

#[test]
fn a_function_of_others_is_named() {
    let other = datafusion::logical_expr::create_udf(
        "theirs",
        vec![],
        arrow::datatypes::DataType::Int32,
        Volatility::Immutable,
        Arc::new(|_| unreachable!()),
    );
    let error = encode(&other).unwrap_err().to_string();
    assert!(error.contains("`theirs` cannot be sent"), "{error}");
}

#[test]
fn other_bytes_are_an_error() {
    let nested = format!("{}\"Int32\"{}", "List(".repeat(10_000), ")".repeat(10_000));
    let cases = [
        String::new(),
        "{}".to_owned(),
        r#"{"of": "datafusion", "is": "no such"}"#.to_owned(),
        r#"{"of": "datafusion", "is": {}}"#.to_owned(),
        r#"{"of": "native", "is": {"name": "no such"}}"#.to_owned(),
        r#"{"of": "interval", "is": {"fields": {"first": 300, "last": 1}, "signature": {"count": 1, "volatile": false}}}"#
            .to_owned(),
        r#"{"of": "assign", "is": {"column": "a", "from": null, "signature": {"count": 4294967295, "volatile": true}}}"#
            .to_owned(),
        format!(r#"{{"of": "assign", "is": {{"column": "a", "from": {{"Plain": {nested:?}}}, "signature": {{}}}}}}"#),
        "[".repeat(100_000),
    ];
    for case in cases {
        let error = decode::<ScalarUDF>(case.as_bytes()).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("bytes of a function"), "{case}: {error}");
        assert!(decode::<AggregateUDF>(case.as_bytes()).is_err());
        assert!(decode::<WindowUDF>(case.as_bytes()).is_err());
        assert!(decode::<HigherOrderUDF>(case.as_bytes()).is_err());
    }
}
