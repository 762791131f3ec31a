//! Offsets and samples, which a source may be asked for.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch};
use arrow::datatypes::DataType;
use datafusion::dataframe::DataFrame;
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::{ColumnarValue, Expr, Volatility, cast, col, create_udf, lit};
use datafusion::physical_plan::displayable;
use datafusion::prelude::SessionContext;
use serde_json::{Value, json};

use super::support::{Known, Numbers, context};

/// How many rows come, what was asked, and the plan.
async fn run(frame: DataFrame, numbers: &Numbers) -> (usize, Value, String) {
    let plan = frame.clone().create_physical_plan().await.unwrap();
    let request = numbers.requests.lock().pop().unwrap();
    let rows = frame.collect().await.unwrap().iter().map(RecordBatch::num_rows).sum();
    (rows, request, displayable(plan.as_ref()).indent(false).to_string())
}

fn read(context: &SessionContext, numbers: &Arc<Numbers>) -> DataFrame {
    context.read_table(numbers.table()).unwrap()
}

fn one(claims: &[&'static str]) -> (SessionContext, Arc<Numbers>) {
    (context(), Numbers::claiming(1, Known::Nothing, Some("exact"), claims))
}

#[tokio::test]
async fn an_offset_is_asked_for_with_the_rows_that_it_needs() {
    let (context, numbers) = one(&[]);
    let (rows, request, plan) = run(read(&context, &numbers).limit(2, Some(3)).unwrap(), &numbers).await;
    assert_eq!((&request["limit"], &request["offset"]), (&json!(5), &json!(2)));
    assert_eq!(rows, 3);
    assert!(plan.contains("skip=2") && !plan.contains("pushed_offset"), "{plan}");

    let (rows, request, _) = run(read(&context, &numbers).limit(7, None).unwrap(), &numbers).await;
    assert_eq!((&request["limit"], &request["offset"]), (&json!(null), &json!(7)));
    assert_eq!(rows, 3);

    let sorted = read(&context, &numbers).select(vec![col("v").alias("w")]).unwrap();
    let sorted = sorted.sort(vec![col("w").sort(true, true)]).unwrap().limit(2, Some(3)).unwrap();
    let (_, request, _) = run(sorted, &numbers).await;
    assert_eq!((&request["limit"], &request["offset"]), (&json!(5), &json!(2)));
    assert_eq!(request["order_by"][0]["column"], "v");
}

#[tokio::test]
async fn an_offset_that_the_source_has_applied_is_not_applied_again() {
    let (context, numbers) = one(&["skipped", "limited"]);
    // The source gives all of its ten rows, whatever it says.
    for (skip, fetch, expected) in [(2, Some(3), 3), (7, None, 10)] {
        let (numbers, claims) = match fetch {
            Some(_) => (Arc::clone(&numbers), "pushed_limit=5, pushed_offset=2"),
            None => (one(&["skipped"]).1, "pushed_offset=7"),
        };
        let (rows, _, plan) = run(read(&context, &numbers).limit(skip, fetch).unwrap(), &numbers).await;
        assert_eq!(rows, expected, "{plan}");
        assert!(plan.contains(claims) && !plan.contains("skip="), "{plan}");
    }
}

#[tokio::test]
async fn no_offset_is_asked_for_above_what_drops_rows_here() {
    let (context, numbers) = one(&[]);
    let filtered = read(&context, &numbers).filter((col("k") % lit(2_i64)).eq(lit(0_i64))).unwrap();
    let (rows, request, _) = run(filtered.limit(1, Some(2)).unwrap(), &numbers).await;
    assert_eq!((request["offset"].clone(), rows), (json!(null), 2));
    let distinct = read(&context, &numbers).distinct().unwrap();
    let (rows, request, _) = run(distinct.limit(1, Some(20)).unwrap(), &numbers).await;
    assert_eq!((request["offset"].clone(), rows), (json!(null), 9));
}

#[tokio::test]
async fn several_partitions_pass_over_no_rows() {
    let (context, numbers) = (context(), Numbers::claiming(3, Known::Nothing, Some("exact"), &["skipped"]));
    let error = read(&context, &numbers).limit(2, None).unwrap().create_physical_plan().await.unwrap_err();
    assert!(error.to_string().contains("an offset applied in 3 partitions"), "{error}");
}

/// Rows by chance, of which the function that is told by its name keeps none.
fn sampled(frame: DataFrame, lower: f64) -> DataFrame {
    let types = vec![DataType::Int64, DataType::Int64, DataType::Float64, DataType::Float64];
    let none = |args: &[ColumnarValue]| {
        let rows = ColumnarValue::values_to_arrays(args)?[0].len();
        Ok(ColumnarValue::Array(Arc::new(BooleanArray::from(vec![false; rows])) as ArrayRef))
    };
    let keep = create_udf("spark.sampled", types, DataType::Boolean, Volatility::Immutable, Arc::new(none));
    let numbered = frame.window(vec![row_number()]).unwrap();
    let number = numbered.schema().columns().pop().unwrap();
    let number = cast(Expr::Column(number), DataType::Int64);
    numbered.filter(keep.call(vec![lit(7_i64), number, lit(lower), lit(0.5)])).unwrap()
}

#[tokio::test]
async fn a_sample_is_asked_for_and_left_to_the_source() {
    let columns = || [col("k"), col("v")].map(Expr::from);
    for (claims, lower, expected) in [(&[][..], 0.0, 0), (&["sampled"], 0.0, 10)] {
        let (context, numbers) = one(claims);
        let sample = sampled(read(&context, &numbers), lower).select(columns()).unwrap();
        let (rows, request, plan) = run(sample, &numbers).await;
        assert_eq!(request["sample"], json!({"fraction": 0.5, "seed": 7}));
        assert_eq!((rows, plan.contains("Window")), (expected, claims.is_empty()), "{plan}");
        assert_eq!(plan.contains("sample=[0.5 of seed 7]"), !claims.is_empty(), "{plan}");
    }
}

#[tokio::test]
async fn filters_stay_on_their_side_of_a_sample() {
    let (context, numbers) = one(&["sampled"]);
    let below = read(&context, &numbers).filter(col("k").gt(lit(3_i64))).unwrap();
    let above = sampled(below, 0.0).filter(col("v").lt(lit(-5_i64))).unwrap().select(vec![col("k")]).unwrap();
    let (rows, request, plan) = run(above, &numbers).await;
    assert_eq!(request["filters"].as_array().unwrap().len(), 1);
    assert_eq!(rows, 4, "{plan}");
}

#[tokio::test]
async fn a_part_of_a_split_and_a_sample_of_a_sample_are_the_engine_s() {
    let (context, numbers) = one(&[]);
    let part = sampled(read(&context, &numbers), 0.25);
    let (_, request, _) = run(part, &numbers).await;
    assert_eq!(request["sample"], json!(null));
    let (_, request, _) = run(sampled(read(&context, &numbers).limit(0, Some(5)).unwrap(), 0.0), &numbers).await;
    assert_eq!(request["sample"], json!(null));
}
