//! What a plug-in is told of filters that become known while a query runs: at most too little.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::cast;
use datafusion::physical_expr::expressions::{binary, col, in_list, is_not_null, lit, not};
use sheetbend_datasource::scan::weakened;

type Expr = Arc<dyn PhysicalExpr>;

fn schema() -> Schema {
    let column = |(name, of)| Field::new(name, of, true);
    Schema::new([("k", DataType::Int64), ("text", DataType::Utf8), ("real", DataType::Float64)].map(column).to_vec())
}

fn compare(column: &str, operator: Operator, value: impl datafusion::logical_expr::Literal) -> Expr {
    let datafusion::logical_expr::Expr::Literal(value, _) = value.lit() else { panic!("no literal") };
    binary(col(column, &schema()).unwrap(), operator, lit(value), &schema()).unwrap()
}

fn both(left: Expr, operator: Operator, right: Expr) -> Expr {
    binary(left, operator, right, &schema()).unwrap()
}

fn said(predicate: &Expr) -> Option<String> {
    weakened(predicate, &schema()).map(|filter| filter.to_string())
}

#[test]
fn of_a_conjunction_what_can_be_said_is_said() {
    let (low, high) = (compare("k", Operator::GtEq, 3_i64), compare("k", Operator::LtEq, 9_i64));
    let unsaid = compare("real", Operator::Gt, 0.5);
    assert_eq!(said(&both(low.clone(), Operator::And, high.clone())).unwrap(), "k >= 3 AND k <= 9");
    assert_eq!(said(&both(low.clone(), Operator::And, unsaid.clone())).unwrap(), "k >= 3");
    assert_eq!(said(&both(unsaid.clone(), Operator::And, unsaid.clone())), None);
    // Not of a disjunction.
    assert_eq!(said(&both(low.clone(), Operator::Or, unsaid)), None);
    assert_eq!(said(&both(low, Operator::Or, high)).unwrap(), "k >= 3 OR k <= 9");
}

#[test]
fn keys_are_said_without_null() {
    let values = |of: &[Option<i64>]| of.iter().map(|value| lit(ScalarValue::Int64(*value))).collect();
    let keys = |of: &[Option<i64>], negated: bool| {
        in_list(col("k", &schema()).unwrap(), values(of), &negated, &schema()).unwrap()
    };
    assert_eq!(said(&keys(&[Some(1), None, Some(2)], false)).unwrap(), "k IN (1, 2)");
    assert_eq!(said(&keys(&[None], false)), None);
    assert_eq!(said(&keys(&[Some(1)], true)), None);
}

#[test]
fn what_would_say_too_much_is_not_said() {
    let widened = cast(col("k", &schema()).unwrap(), &schema(), DataType::Int32).unwrap();
    let cases = [
        // The engine orders zeros and NaNs in its own way.
        compare("real", Operator::LtEq, 0.0),
        binary(widened, Operator::Eq, lit(1_i32), &schema()).unwrap(),
        not(compare("k", Operator::Eq, 1_i64)).unwrap(),
        compare("k", Operator::NotEq, 1_i64),
        lit(true),
        lit(false),
    ];
    for case in cases {
        assert_eq!(said(&case), None, "{case}");
    }
    assert_eq!(said(&is_not_null(col("real", &schema()).unwrap()).unwrap()).unwrap(), "real IS NOT NULL");
    assert_eq!(said(&compare("text", Operator::Lt, "m")).unwrap(), "text < 'm'");
}
