//! Queries over a source, planned and run.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use datafusion::dataframe::DataFrame;
use datafusion::functions_aggregate::expr_fn::{count, sum};
use datafusion::logical_expr::{JoinType, col, lit};
use datafusion::physical_plan::{ExecutionPlan, collect, displayable};
use datafusion::prelude::SessionContext;
use serde_json::json;

use super::support::{Known, Numbers, context, optimized_again, plain_context};

fn read(context: &SessionContext, numbers: &Arc<Numbers>) -> DataFrame {
    context.read_table(numbers.table()).unwrap()
}

async fn planned(frame: DataFrame) -> Arc<dyn ExecutionPlan> {
    frame.create_physical_plan().await.unwrap()
}

fn shown(plan: &Arc<dyn ExecutionPlan>) -> String {
    displayable(plan.as_ref()).indent(false).to_string()
}

/// The numbers of the first column, in order.
async fn run(plan: &Arc<dyn ExecutionPlan>, context: &SessionContext) -> Vec<i64> {
    let batches = collect(Arc::clone(plan), context.task_ctx()).await.unwrap();
    let numbers = |batch: &RecordBatch| batch.column(0).as_primitive::<Int64Type>().values().to_vec();
    let mut found: Vec<_> = batches.iter().flat_map(numbers).collect();
    found.sort_unstable();
    found
}

#[tokio::test]
async fn without_the_planner_a_scan_negotiates_by_itself() {
    for pushdown in [None, Some("inexact"), Some("exact")] {
        let (context, numbers) = (plain_context(), Numbers::pushing(3, Known::Nothing, pushdown));
        let frame = read(&context, &numbers).filter(col("v").lt_eq(lit(-5_i64))).unwrap();
        let plan = planned(frame.select_columns(&["k"]).unwrap()).await;
        let request = numbers.requests.lock().pop().unwrap();
        assert_eq!(request["projection"], json!(["k"]));
        assert_eq!(request["filters"].as_array().unwrap().len(), 1);
        assert!(numbers.requests.lock().is_empty());
        // The source applies nothing: what is believed to be exact comes through.
        let expected = if pushdown == Some("exact") { 0..30 } else { 5..30 };
        assert_eq!(run(&plan, &context).await, expected.collect::<Vec<_>>(), "{pushdown:?}");
        assert_eq!(plan.schema().fields().len(), 1);
    }
}

#[tokio::test]
async fn every_scan_of_a_query_is_negotiated_once() {
    let (context, numbers) = (context(), Numbers::new(2, Known::Nothing));
    let left = read(&context, &numbers).filter(col("k").lt(lit(5_i64))).unwrap();
    let right = read(&context, &numbers).select_columns(&["k"]).unwrap();
    let plan = planned(left.select_columns(&["k"]).unwrap().union(right).unwrap()).await;
    assert_eq!(numbers.requests.lock().len(), 2);
    assert_eq!(run(&plan, &context).await.len(), 25);
}

#[tokio::test]
async fn partitions_are_pruned_by_exact_statistics_alone() {
    for (known, left) in [(Known::Nothing, 4), (Known::Estimates, 4), (Known::Exact, 2), (Known::Bounds, 2)] {
        let (context, numbers) = (context(), Numbers::new(4, known));
        let frame = read(&context, &numbers).filter(col("k").gt_eq(lit(25_i64))).unwrap();
        let plan = planned(frame).await;
        assert!(shown(&plan).contains(&format!("specs={left}")), "{}", shown(&plan));
        assert_eq!(shown(&plan).contains("pruned=2"), left == 2);
        assert_eq!(run(&plan, &context).await, (25..40).collect::<Vec<_>>());
        assert_eq!(numbers.reads(), left);
    }
}

#[tokio::test]
async fn pruning_may_leave_nothing() {
    let (context, numbers) = (context(), Numbers::new(4, Known::Exact));
    let frame = read(&context, &numbers).filter(col("k").gt(lit(100_i64))).unwrap();
    let counted = frame.aggregate(vec![], vec![count(lit(1)), sum(col("k"))]).unwrap();
    let plan = planned(counted).await;
    assert_eq!(run(&plan, &context).await, [0]);
    assert_eq!(numbers.reads(), 0);
}

#[tokio::test]
async fn exact_row_counts_answer_a_count_without_a_read() {
    for (known, reads) in [(Known::Nothing, 4), (Known::Estimates, 4), (Known::Exact, 0)] {
        let (context, numbers) = (context(), Numbers::new(4, known));
        let counted = read(&context, &numbers).aggregate(vec![], vec![count(lit(1_i64)), count(col("k"))]).unwrap();
        let plan = planned(counted).await;
        assert_eq!(run(&plan, &context).await, [40]);
        assert_eq!(numbers.reads(), reads, "{known:?}");
    }
}

#[tokio::test]
async fn a_count_of_the_first_rows_is_read() {
    let (context, numbers) = (context(), Numbers::new(4, Known::Exact));
    for (limit, expected) in [(15, 15), (100, 40)] {
        let frame = read(&context, &numbers).limit(0, Some(limit)).unwrap();
        let plan = planned(frame.aggregate(vec![], vec![count(lit(1_i64))]).unwrap()).await;
        assert_eq!(run(&plan, &context).await, [expected]);
    }
}

#[tokio::test]
async fn a_count_of_filtered_rows_is_read() {
    for pushdown in [Some("inexact"), None] {
        let (context, numbers) = (context(), Numbers::pushing(4, Known::Exact, pushdown));
        let frame = read(&context, &numbers).filter(col("k").gt_eq(lit(25_i64))).unwrap();
        let plan = planned(frame.aggregate(vec![], vec![count(lit(1))]).unwrap()).await;
        assert_eq!(run(&plan, &context).await, [15], "{pushdown:?}");
        assert_eq!(numbers.reads(), 2);
    }
}

#[tokio::test]
async fn the_smaller_side_of_a_join_is_built() {
    for small_first in [true, false] {
        let (context, small) = (context(), Numbers::new(1, Known::Estimates));
        let large = Numbers::new(40, Known::Estimates);
        let (left, right) = if small_first { (&small, &large) } else { (&large, &small) };
        let right = read(&context, right).select(vec![col("k").alias("other")]).unwrap();
        let joined = read(&context, left).join(right, JoinType::Inner, &["k"], &["other"], None).unwrap();
        let plan = planned(joined).await;
        let text = shown(&plan);
        let at = |specs: &str| text.find(specs).unwrap();
        assert!(at("specs=1,") < at("specs=40,"), "the side that is built comes first: {text}");
        assert_eq!(run(&plan, &context).await, (0..10).collect::<Vec<_>>());
    }
}

/// The rows of the large table whose key is in the small one, which is read first.
async fn joined(context: &SessionContext, large: &Arc<Numbers>) -> Arc<dyn ExecutionPlan> {
    let small = read(context, &Numbers::new(1, Known::Estimates)).filter(col("v").gt(lit(-4_i64))).unwrap();
    let small = small.select(vec![(col("k") + lit(20_i64)).alias("other")]).unwrap();
    planned(read(context, large).join(small, JoinType::Inner, &["k"], &["other"], None).unwrap()).await
}

#[tokio::test]
async fn a_join_prunes_partitions_of_its_other_side() {
    for (known, reads) in [(Known::Estimates, 20), (Known::Exact, 1)] {
        let (context, large) = (context(), Numbers::new(20, known));
        let plan = joined(&context, &large).await;
        assert!(shown(&plan).contains("dynamic_filters=[DynamicFilter [ empty ]]"), "{}", shown(&plan));
        assert_eq!(run(&plan, &context).await, (20..24).collect::<Vec<_>>());
        assert_eq!(large.reads(), reads, "{known:?}");
        let pruned = metric(&plan, "pruned_partitions");
        assert_eq!(pruned, 20 - reads);
    }
}

#[tokio::test]
async fn a_join_in_partitions_prunes_too() {
    let (context, large) = (context(), Numbers::new(20, Known::Bounds));
    // Of unknown size, so that both sides are divided by the hash of the key; the filter then depends on that.
    let small = read(&context, &Numbers::new(1, Known::Nothing)).filter(col("v").gt(lit(-4_i64))).unwrap();
    let small = small.select(vec![(col("k") + lit(20_i64)).alias("other")]).unwrap();
    let plan = planned(small.join(read(&context, &large), JoinType::Inner, &["other"], &["k"], None).unwrap()).await;
    assert!(shown(&plan).contains("mode=Partitioned"), "{}", shown(&plan));
    assert_eq!(run(&plan, &context).await, (20..24).collect::<Vec<_>>());
    assert_eq!(large.reads(), 1);
    let told = large.dynamic_filters.lock().pop().flatten().unwrap();
    assert!(told.contains(r#""op":"or""#) && told.contains(r#""op":"in""#), "{told}");
}

#[tokio::test]
async fn a_join_tells_the_plug_in_which_keys_are_wanted() {
    let (context, large) = (context(), Numbers::new(3, Known::Estimates));
    let plan = joined(&context, &large).await;
    run(&plan, &context).await;
    let told = large.dynamic_filters.lock().clone();
    assert_eq!(told.len(), 3);
    for filter in told {
        let filter = filter.unwrap();
        assert!(filter.contains(r#"{"column":"k"}"#) && filter.contains(r#""op":"in""#), "{filter}");
    }
}

#[tokio::test]
async fn nothing_is_told_where_there_is_no_dynamic_filter() {
    let (context, numbers) = (context(), Numbers::new(2, Known::Exact));
    run(&planned(read(&context, &numbers)).await, &context).await;
    assert_eq!(*numbers.dynamic_filters.lock(), [None, None]);
}

#[tokio::test]
async fn a_plan_may_be_optimised_twice() {
    let (context, large) = (context(), Numbers::new(20, Known::Exact));
    let once = joined(&context, &large).await;
    let twice = optimized_again(&context.state(), Arc::clone(&once));
    assert_eq!(shown(&twice), shown(&once));
    assert_eq!(run(&twice, &context).await, (20..24).collect::<Vec<_>>());
    assert_eq!(large.reads(), 1);
    assert_eq!(run(&optimized_again(&context.state(), twice), &context).await.len(), 4);
}

#[tokio::test]
async fn the_first_rows_prune_what_cannot_be_among_them() {
    // One partition of the plan at a time, so that the first rows are known before the last partitions are read.
    let (context, numbers) = (context(), Numbers::new(200, Known::Exact));
    let frame = read(&context, &numbers).sort(vec![col("k").sort(true, false)]).unwrap().limit(0, Some(3)).unwrap();
    let plan = planned(frame).await;
    assert_eq!(run(&plan, &context).await, [0, 1, 2]);
    let request = numbers.requests.lock().pop().unwrap();
    assert_eq!(request["order_by"], json!([{"column": "k", "descending": false, "nulls_first": false}]));
    assert_eq!(request["limit"], json!(3));
    assert_eq!(numbers.read.load(Ordering::SeqCst) + metric(&plan, "pruned_partitions"), 200);
}

fn metric(plan: &Arc<dyn ExecutionPlan>, name: &str) -> usize {
    let own = plan.metrics().and_then(|metrics| metrics.sum_by_name(name)).map_or(0, |value| value.as_usize());
    own + plan.children().into_iter().map(|child| metric(child, name)).sum::<usize>()
}
