//! Aggregates that a source computes give what the engine would.

use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::util::pretty::pretty_format_batches;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::error::Result;
use datafusion::functions_aggregate::expr_fn::{avg, count, count_distinct, max, min, sum};
use datafusion::logical_expr::{
    Aggregate as Over, Expr, ExprFunctionExt, LogicalPlan, LogicalPlanBuilder, TableScanBuilder, cast, col, lit,
};
use datafusion::prelude::SessionContext;
use sheetbend_datasource::scan::aggregate::{expressions, merged, request};
use sheetbend_datasource::scan::merge::{decode, encode};
use sheetbend_datasource::scan::request::Aggregate;

/// The parts of a table, of which one has no rows and one has only NULLs.
fn parts() -> Vec<RecordBatch> {
    let part = |groups: Vec<&str>, a: Vec<Option<i64>>, small: Vec<Option<i32>>, real: Vec<Option<f64>>| {
        let price = a.iter().map(|value| value.map(i128::from)).collect::<Decimal128Array>();
        let price = price.with_precision_and_scale(10, 2).unwrap();
        let columns: Vec<(&str, ArrayRef, bool)> = vec![
            ("g", Arc::new(StringArray::from(groups)), true),
            ("a", Arc::new(Int64Array::from(a)), true),
            ("small", Arc::new(Int32Array::from(small)), true),
            ("real", Arc::new(Float64Array::from(real)), true),
            ("price", Arc::new(price), true),
        ];
        RecordBatch::try_from_iter_with_nullable(columns).unwrap()
    };
    vec![
        part(
            vec!["x", "y", "x"],
            vec![Some(1), Some(2), None],
            vec![Some(7), None, Some(9)],
            vec![Some(0.5), None, None],
        ),
        part(vec![], vec![], vec![], vec![]),
        part(vec!["x", "z"], vec![Some(-5), None], vec![None, None], vec![Some(4.0), None]),
        part(vec!["z"], vec![None], vec![None], vec![None]),
    ]
}

fn table(batches: &[RecordBatch], schema: &SchemaRef) -> Arc<MemTable> {
    let partitions = batches.iter().map(|batch| vec![batch.clone()]).collect();
    Arc::new(MemTable::try_new(Arc::clone(schema), partitions).unwrap())
}

fn aggregated(batches: &[RecordBatch], keys: Vec<Expr>, functions: Vec<Expr>) -> LogicalPlan {
    let schema = batches[0].schema();
    let scan = LogicalPlanBuilder::scan("t", provider_as_source(table(batches, &schema)), None).unwrap();
    scan.aggregate(keys, functions).unwrap().build().unwrap()
}

fn over(plan: &LogicalPlan) -> &Over {
    let LogicalPlan::Aggregate(over) = plan else { panic!("{plan} is no aggregate") };
    over
}

fn requested(plan: &LogicalPlan) -> Option<Aggregate> {
    let exprs = expressions(over(plan))?;
    request(over(plan), &exprs, &parts()[0].schema())
}

async fn rows(plan: LogicalPlan) -> Result<Vec<RecordBatch>> {
    SessionContext::new().execute_logical_plan(plan).await?.collect().await
}

/// What a plug-in that computes `aggregate` of each part gives.
async fn partial_results(aggregate: &Aggregate, parts: &[RecordBatch]) -> Vec<RecordBatch> {
    let schema = Arc::new(aggregate.schema(&parts[0].schema()).unwrap());
    let mut results = vec![];
    for part in parts {
        let keys = aggregate.group_by.iter().map(col).collect();
        let functions = aggregate.functions.iter().map(|function| {
            let column = function.column.as_deref().map_or(lit(1), col);
            let result = match function.function {
                "count" => count(column),
                "sum" => sum(column),
                "min" => min(column),
                _ => max(column),
            };
            result.alias(&function.name)
        });
        let plan = aggregated(std::slice::from_ref(part), keys, functions.collect());
        for batch in rows(plan).await.unwrap() {
            results.push(RecordBatch::try_new(Arc::clone(&schema), batch.columns().to_vec()).unwrap());
        }
    }
    results
}

/// The rows of a plan over the results that a source gives, and its schema.
async fn merged_rows(plan: &LogicalPlan, results: &[RecordBatch], are_groups: bool) -> Result<Vec<RecordBatch>> {
    let aggregate = requested(plan).unwrap();
    let schema = Arc::new(aggregate.schema(&parts()[0].schema()).unwrap());
    let scan = TableScanBuilder::new("t", provider_as_source(table(results, &schema))).build().unwrap();
    let rewritten = merged(over(plan), &aggregate, scan, are_groups).unwrap();
    assert!(same_schema(rewritten.schema(), plan.schema()), "{} is not {}", rewritten.schema(), plan.schema());
    rows(sent(rewritten)).await
}

/// The same plan with functions that were bytes for a while.
fn sent(plan: LogicalPlan) -> LogicalPlan {
    let state = SessionContext::new().state();
    let sent = plan.transform_up(|node| {
        node.map_expressions(|expr| {
            expr.transform_up(|mut expr| {
                let Expr::AggregateFunction(call) = &mut expr else { return Ok(Transformed::no(expr)) };
                let bytes = encode(&call.func, |inner| Ok(inner.name().as_bytes().to_vec()))?.unwrap();
                let named = |name: &[u8]| Ok(Arc::clone(&state.aggregate_functions()[str::from_utf8(name).unwrap()]));
                let back = decode(&bytes, named)?;
                assert_eq!(back, call.func);
                call.func = back;
                Ok(Transformed::yes(expr))
            })
        })
    });
    sent.unwrap().data
}

fn same_schema(one: &DFSchema, other: &DFSchema) -> bool {
    one.iter().eq(other.iter())
}

fn sorted(batches: &[RecordBatch]) -> Vec<String> {
    let text = pretty_format_batches(batches).unwrap().to_string();
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn functions() -> Vec<Expr> {
    vec![
        count(lit(1)).alias("rows"),
        count(col("a")),
        sum(col("a")),
        sum(cast(col("small"), DataType::Int64)),
        sum(col("real")),
        sum(col("price")),
        min(col("a")),
        max(col("price")),
        min(col("g")),
    ]
}

#[tokio::test]
async fn partial_results_are_merged() {
    for keys in [vec![], vec![col("g")], vec![col("g"), col("small")]] {
        let plan = aggregated(&parts(), keys, functions());
        let results = partial_results(&requested(&plan).unwrap(), &parts()).await;
        let expected = rows(plan.clone()).await.unwrap();
        assert_eq!(sorted(&merged_rows(&plan, &results, false).await.unwrap()), sorted(&expected));
    }
}

#[tokio::test]
async fn complete_groups_are_left_as_they_are() {
    let whole = arrow::compute::concat_batches(&parts()[0].schema(), &parts()).unwrap();
    let plan = aggregated(&parts(), vec![col("g")], functions());
    let results = partial_results(&requested(&plan).unwrap(), &[whole]).await;
    let expected = rows(plan.clone()).await.unwrap();
    assert_eq!(sorted(&merged_rows(&plan, &results, true).await.unwrap()), sorted(&expected));
}

#[tokio::test]
async fn no_results_at_all_count_zero() {
    let plan = aggregated(&parts(), vec![], vec![count(lit(1)), sum(col("a")), min(col("a"))]);
    let schema = Arc::new(requested(&plan).unwrap().schema(&parts()[0].schema()).unwrap());
    let merged = merged_rows(&plan, &[RecordBatch::new_empty(schema)], false).await.unwrap();
    let cells = pretty_format_batches(&merged).unwrap().to_string();
    assert!(cells.contains("| 0               |          |          |"), "{cells}");
}

#[tokio::test]
async fn keys_alone_are_a_distinct() {
    let plan = aggregated(&parts(), vec![col("g")], vec![]);
    assert_eq!(requested(&plan).unwrap().to_string(), "by g");
    let results = partial_results(&requested(&plan).unwrap(), &parts()).await;
    assert_eq!(merged_rows(&plan, &results, false).await.unwrap().iter().map(RecordBatch::num_rows).sum::<usize>(), 3);
}

#[test]
fn a_request_names_columns_functions_and_types() {
    let asked = requested(&aggregated(&parts(), vec![col("g")], functions())).unwrap();
    assert_eq!(
        asked.to_string(),
        "count(*), count(a), sum(a), sum(small), sum(real), sum(price), min(a), max(price), min(g) by g"
    );
    let types: Vec<_> = asked.functions.iter().map(|function| function.data_type.to_string()).collect();
    assert_eq!(types[3], "Int64");
    assert_eq!(types[5], "Decimal128(20, 2)");
}

#[test]
fn what_no_source_is_asked_for() {
    let cases = [
        (vec![], count_distinct(col("a"))),
        (vec![], avg(col("a"))),
        (vec![], sum(col("a") + lit(1_i64))),
        (vec![], sum(cast(col("real"), DataType::Int64))),
        (vec![], sum(col("a")).filter(col("a").gt(lit(1_i64))).build().unwrap()),
        (vec![col("a") + lit(1_i64)], count(lit(1))),
        // Of floating-point numbers there are two zeros, and sources group them as they like.
        (vec![col("real")], count(lit(1))),
    ];
    for (keys, function) in cases {
        let shown = format!("{keys:?} {function}");
        assert_eq!(requested(&aggregated(&parts(), keys, vec![function])), None, "{shown}");
    }
}

#[test]
fn other_bytes_are_no_merge() {
    let by_name = |_: &[u8]| Ok(datafusion::functions_aggregate::sum::sum_udaf());
    let cases = [
        "",
        "{}",
        r#"{"function": [], "fields": []}"#,
        r#"{"function": [1], "fields": [255, 255, 255, 255, 9, 0, 0, 0]}"#,
    ];
    for bytes in cases {
        assert!(decode(bytes.as_bytes(), by_name).is_err(), "{bytes}");
    }
    let sum = datafusion::functions_aggregate::sum::sum_udaf();
    assert_eq!(encode(&sum, |_| Ok(vec![])).unwrap(), None);
}
