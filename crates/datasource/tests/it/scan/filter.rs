//! What of the engine's expressions a plug-in is told.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::functions::expr_fn::{contains, ends_with, random, starts_with, upper};
use datafusion::logical_expr::Operator;
use datafusion::logical_expr::expr::{Between, InList, Like};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, binary_expr, cast, col,
    create_udf, in_list, lit, not, when,
};
use serde_json::json;
use sheetbend_datasource::scan::translate;

fn schema() -> Schema {
    let fields = [
        ("a", DataType::Int64),
        ("b", DataType::Int64),
        ("small", DataType::Int32),
        ("text", DataType::Utf8),
        ("flag", DataType::Boolean),
        ("real", DataType::Float64),
        ("other", DataType::Float64),
        ("price", DataType::Decimal128(10, 2)),
        ("day", DataType::Date32),
        ("at", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))),
        ("wall", DataType::Timestamp(TimeUnit::Microsecond, None)),
        ("bytes", DataType::Binary),
        ("list", DataType::new_list(DataType::Int64, true)),
    ];
    Schema::new(fields.map(|(name, of)| Field::new(name, of, true)).to_vec())
}

fn told(expr: &Expr) -> Option<String> {
    translate(expr, &schema()).map(|filter| filter.to_string())
}

/// The function of the engine that makes all zeros one, and all NaNs.
fn normal(argument: Expr) -> Expr {
    #[derive(Debug, PartialEq, Eq, Hash)]
    struct Normal(Signature);
    impl ScalarUDFImpl for Normal {
        fn name(&self) -> &str {
            "spark.normal_float"
        }
        fn signature(&self) -> &Signature {
            &self.0
        }
        fn return_type(&self, _: &[DataType]) -> Result<DataType> {
            Ok(DataType::Float64)
        }
        fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
            Ok(args.args[0].clone())
        }
    }
    ScalarUDF::new_from_impl(Normal(Signature::any(1, Volatility::Immutable))).call(vec![argument])
}

fn like(pattern: &str, escape: Option<char>, ignore_case: bool) -> Expr {
    Expr::Like(Like::new(false, Box::new(col("text")), Box::new(lit(pattern)), escape, ignore_case))
}

#[test]
fn comparisons_are_told_from_both_sides() {
    let decimal = Expr::Literal(ScalarValue::Decimal128(Some(1250), 10, 2), None);
    let date = Expr::Literal(ScalarValue::Date32(Some(19_753)), None);
    let instant = Expr::Literal(ScalarValue::TimestampMicrosecond(Some(0), Some("UTC".into())), None);
    let cases = [
        (col("a").gt(lit(10_i64)), "a > 10"),
        (lit(10_i64).lt_eq(col("a")), "10 <= a"),
        (col("a").not_eq(col("b")), "a != b"),
        (col("text").eq(lit("it's")), "text = 'it''s'"),
        (col("price").lt(decimal), "price < 12.50"),
        (col("day").eq(date), "day = '2024-01-31'"),
        (col("at").gt_eq(instant), "at >= '1970-01-01T00:00:00Z'"),
        (col("bytes").eq(lit(b"\x01\xff".as_slice())), "bytes = X'01FF'"),
        (col("flag"), "flag = true"),
        (not(col("flag")), "NOT (flag = true)"),
        (binary_expr(col("a"), Operator::IsNotDistinctFrom, lit(1_i64)), "a <=> 1"),
        (binary_expr(col("a"), Operator::IsDistinctFrom, lit(1_i64)), "NOT (a <=> 1)"),
        (col("list").is_null(), "list IS NULL"),
        (col("a").is_not_null(), "a IS NOT NULL"),
        (col("t.a").gt(lit(1_i64)), "a > 1"),
    ];
    for (expr, expected) in cases {
        assert_eq!(told(&expr).as_deref(), Some(expected), "{expr}");
    }
}

#[test]
fn sets_ranges_and_logic_are_told() {
    let values = || vec![lit(1_i64), lit(2_i64)];
    let between =
        |negated| Expr::Between(Between::new(Box::new(col("a")), negated, Box::new(lit(1_i64)), Box::new(lit(5_i64))));
    let many = (0..2000_i64).map(|value| col("a").eq(lit(value))).reduce(Expr::or).unwrap();
    assert_eq!(told(&many).unwrap().matches(" OR ").count(), 1999);
    let cases = [
        (in_list(col("a"), values(), false), "a IN (1, 2)"),
        (in_list(col("a"), values(), true), "NOT (a IN (1, 2))"),
        (between(false), "a >= 1 AND a <= 5"),
        (between(true), "NOT (a >= 1 AND a <= 5)"),
        (col("a").eq(lit(1_i64)).or(col("b").is_null()).and(col("flag")), "(a = 1 OR b IS NULL) AND flag = true"),
    ];
    for (expr, expected) in cases {
        assert_eq!(told(&expr).as_deref(), Some(expected), "{expr}");
    }
}

#[test]
fn patterns_without_wildcards_inside_are_told_as_what_they_are() {
    let cases = [
        (like("x%", None, false), "startswith(text, 'x')"),
        (like("%x", None, false), "endswith(text, 'x')"),
        (like("%x%", None, false), "contains(text, 'x')"),
        (like("a_c", None, false), "text LIKE 'a_c'"),
        (like("a%c", None, false), "text LIKE 'a%c'"),
        (like("abc", None, false), "text LIKE 'abc'"),
        (like("x%", None, true), "text ILIKE 'x%'"),
        (like(r"100\%%", None, false), "startswith(text, '100%')"),
        (like("100!%%", Some('!'), false), "startswith(text, '100%')"),
        (like(r"x\", None, false), r"text LIKE 'x\'"),
        (starts_with(col("text"), lit("x")), "startswith(text, 'x')"),
        (ends_with(col("text"), lit("x")), "endswith(text, 'x')"),
        (contains(col("text"), lit("x")), "contains(text, 'x')"),
    ];
    for (expr, expected) in cases {
        assert_eq!(told(&expr).as_deref(), Some(expected), "{expr}");
    }
}

#[test]
fn floats_are_told_where_the_engine_means_the_same() {
    let cases = [
        (col("real").gt(lit(1.5)), Some("real > 1.5")),
        // The engine tells -0.0 from 0.0, the filter does not.
        (col("real").gt(lit(0.0)), None),
        (col("real").eq(lit(f64::NAN)), None),
        (col("real").lt(col("other")), None),
        (normal(col("real")).gt(lit(0.0)), Some("real > 0.0")),
        (normal(col("real")).eq(lit(f64::NAN)), Some("real = NaN")),
        (normal(col("real")).lt(normal(col("other"))), Some("real < other")),
        (normal(col("real")).lt(col("other")), None),
        (in_list(col("real"), vec![lit(1.0), lit(2.0)], false), Some("real IN (1.0, 2.0)")),
        (in_list(col("real"), vec![lit(1.0), lit(0.0)], false), None),
    ];
    for (expr, expected) in cases {
        assert_eq!(told(&expr).as_deref(), expected, "{expr}");
    }
}

#[test]
fn what_the_tree_cannot_say_is_not_told() {
    let null = || Expr::Literal(ScalarValue::Int64(None), None);
    let deep = (0..200).fold(col("flag"), |expr, at| not(expr.and(col("a").eq(lit(i64::from(at))))));
    let cases = [
        cast(col("small"), DataType::Int64).gt(lit(10_i64)),
        cast(col("text"), DataType::Int64).eq(lit(10_i64)),
        col("small").gt(lit(10_i64)),
        col("a").eq(null()),
        Expr::InList(InList::new(Box::new(col("a")), vec![lit(1_i64), null()], false)),
        in_list(col("a"), vec![col("b")], false),
        (col("a") + lit(1_i64)).gt(lit(10_i64)),
        (lit(1_i64) / col("a")).gt(lit(0_i64)),
        random().lt(lit(0.5)),
        upper(col("text")).eq(lit("X")),
        col("list").eq(col("list")),
        lit(true),
        lit(1_i64).eq(lit(1_i64)),
        col("missing").is_null(),
        col("a"),
        Expr::Like(Like::new(false, Box::new(col("text")), Box::new(col("text")), None, false)),
        // One part that cannot be said, below a NOT or an OR, leaves nothing of it.
        col("a").eq(lit(1_i64)).or(random().lt(lit(0.5))),
        not(col("a").eq(lit(1_i64)).and(random().lt(lit(0.5)))),
        deep,
    ];
    for expr in cases {
        assert_eq!(told(&expr), None, "{expr}");
    }
}

#[test]
fn on_the_wire_literals_are_named_by_position() {
    let expr = not(col("a").gt(lit(10_i64)).and(in_list(col("text"), vec![lit("x"), lit("y")], false)));
    let filter = translate(&expr.or(like("a_c", None, true)), &schema()).unwrap();
    let mut literals = vec![];
    let expected = json!({"op": "or", "args": [
        {"op": "not", "arg": {"op": "and", "args": [
            {"op": ">", "left": {"column": "a"}, "right": {"literal": 0}},
            {"op": "in", "arg": {"column": "text"}, "values": [{"literal": 1}, {"literal": 2}]},
        ]}},
        {"op": "like", "arg": {"column": "text"}, "pattern": "a_c", "escape": "\\", "ignore_case": true},
    ]});
    assert_eq!(filter.to_json(&mut literals), expected);
    let values: Vec<ArrayRef> = literals.iter().map(|literal| literal.to_array().unwrap()).collect();
    assert_eq!(values.len(), 3);
    assert_eq!(literals[0], ScalarValue::Int64(Some(10)));
    assert_eq!(literals[2], ScalarValue::Utf8(Some("y".to_owned())));
}

/// A function of the engine by its name, of any arguments.
fn call(name: &str, result: &DataType, args: Vec<Expr>) -> Expr {
    let types = args.iter().map(|_| DataType::Date32).collect();
    let none = |_: &[ColumnarValue]| Ok(ColumnarValue::Scalar(ScalarValue::Null));
    create_udf(name, types, result.clone(), Volatility::Immutable, Arc::new(none)).call(args)
}

fn part(name: &str, of: Expr) -> Expr {
    call("date_part", &DataType::Int32, vec![lit(name), of])
}

#[test]
fn parts_of_dates_are_told_as_the_numbers_that_they_may_be() {
    let to_date = |of: Expr| call("spark_cast_ansi", &DataType::Date32, vec![of]);
    let month = |of: Expr| part("month", of);
    let cases = [
        (month(col("day")).eq(lit(2_i32)), Some("month(day) IN (2)")),
        (lit(10_i32).lt(month(col("day"))), Some("month(day) IN (11, 12)")),
        (month(col("day")).not_eq(lit(2_i32)), Some("month(day) IN (1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)")),
        (in_list(month(col("day")), vec![lit(1_i32), lit(13_i32)], true), Some("NOT (month(day) IN (1))")),
        (part("quarter", to_date(col("wall"))).lt_eq(lit(1_i32)), Some("quarter(wall) IN (1)")),
        (part("hour", col("wall")).gt_eq(lit(23_i32)), Some("hour(wall) IN (23)")),
        // No number is left, the time of a day that was cut off, a zone that a plug-in does not know.
        (month(col("day")).gt(lit(12_i32)), None),
        (part("hour", to_date(col("wall"))).eq(lit(0_i32)), None),
        (part("hour", col("day")).eq(lit(0_i32)), None),
        (month(to_date(col("at"))).eq(lit(1_i32)), None),
        (part("century", col("day")).eq(lit(1_i32)), None),
        (binary_expr(month(col("day")), Operator::IsNotDistinctFrom, lit(1_i32)), None),
        (month(col("day")).eq(col("small")), None),
    ];
    for (expr, expected) in cases {
        assert_eq!(told(&expr).as_deref(), expected, "{expr}");
    }
}

#[test]
fn dates_some_days_later_are_told_as_dates() {
    let date = |day| Expr::Literal(ScalarValue::Date32(Some(day)), None);
    let later = |days: i32| call("date_add", &DataType::Date32, vec![col("day"), lit(days)]);
    let earlier = |days: i32| call("date_sub", &DataType::Date32, vec![col("day"), lit(days)]);
    let cases = [
        (later(1).gt(date(19_754)), Some("day > '2024-01-31'")),
        (date(19_754).gt_eq(earlier(-1)), Some("day <= '2024-01-31'")),
        (earlier(2).eq(date(19_751)), Some("day = '2024-01-31'")),
        (later(1_000_000).gt(date(19_754)), None),
        (later(1).gt(date(i32::MIN)), None),
    ];
    for (expr, expected) in cases {
        assert_eq!(told(&expr).as_deref(), expected, "{expr}");
    }
}

#[test]
fn a_value_in_the_place_of_null_is_told() {
    let filled = |name: &str, with: Expr| when(col(name).is_not_null(), col(name)).otherwise(with).unwrap();
    let cases = [
        (filled("a", lit(0_i64)).lt(lit(5_i64)), Some("a IS NULL OR a < 5")),
        (filled("a", lit(0_i64)).gt(lit(5_i64)), Some("a IS NOT NULL AND a > 5")),
        (lit(5_i64).gt(filled("a", lit(0_i64))), Some("a IS NULL OR a < 5")),
        (filled("text", lit("none")).not_eq(lit("a")), Some("text IS NULL OR text != 'a'")),
        (filled("real", lit(0.0)).lt(lit(5.0)), None),
        (filled("a", col("b")).lt(lit(5_i64)), None),
        (when(col("b").is_not_null(), col("a")).otherwise(lit(0_i64)).unwrap().lt(lit(5_i64)), None),
    ];
    for (expr, expected) in cases {
        assert_eq!(told(&expr).as_deref(), expected, "{expr}");
    }
}
