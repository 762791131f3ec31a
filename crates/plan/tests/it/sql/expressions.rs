//! Operators, literals, functions.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::ScalarValue;
use sheetbend_plan::interval::IntervalFields;
use sheetbend_plan::ir::{CastMode, Expr, Function, SortDirection, SortOrder, WindowFrame};

use super::{ascending, assert_expressions, call, col, int, not, star, text};

fn literal(value: ScalarValue) -> Expr {
    Expr::Literal(value)
}

fn decimal(value: i128, precision: u8, scale: i8) -> Expr {
    literal(ScalarValue::Decimal128(Some(value), precision, scale))
}

fn cast(expr: Expr, to: DataType, mode: CastMode) -> Expr {
    Expr::Cast { expr: Box::new(expr), to, mode }
}

fn element(expr: Expr, key: Expr) -> Expr {
    Expr::Extract { expr: Box::new(expr), key: Box::new(key) }
}

fn lambda(params: &[&str], body: Expr) -> Expr {
    Expr::Lambda { params: params.iter().map(ToString::to_string).collect(), body: Box::new(body) }
}

#[test]
fn numbers() {
    assert_expressions([
        ("1", int(1)),
        ("-1", int(-1)),
        ("- 1", int(-1)),
        ("-2147483648", int(i32::MIN)),
        ("2147483648", literal(ScalarValue::Int64(Some(2_147_483_648)))),
        ("-9223372036854775808", literal(ScalarValue::Int64(Some(i64::MIN)))),
        ("9223372036854775808", decimal(9_223_372_036_854_775_808, 19, 0)),
        ("1.5", decimal(15, 2, 1)),
        ("-1.50", decimal(-150, 3, 2)),
        ("0.01", decimal(1, 2, 2)),
        (".5", decimal(5, 1, 1)),
        ("1.", decimal(1, 1, 0)),
        ("1e3", literal(ScalarValue::Float64(Some(1000.0)))),
        ("1.5E-1", literal(ScalarValue::Float64(Some(0.15)))),
        ("1L", literal(ScalarValue::Int64(Some(1)))),
        ("1l", literal(ScalarValue::Int64(Some(1)))),
        ("2S", literal(ScalarValue::Int16(Some(2)))),
        ("-128Y", literal(ScalarValue::Int8(Some(-128)))),
        ("1D", literal(ScalarValue::Float64(Some(1.0)))),
        ("1.5D", literal(ScalarValue::Float64(Some(1.5)))),
        ("1.5f", literal(ScalarValue::Float32(Some(1.5)))),
        ("4BD", decimal(4, 1, 0)),
        ("1.5BD", decimal(15, 2, 1)),
        ("1e2BD", decimal(100, 3, 0)),
        ("1 L", int(1).alias("L")),
        ("- -1", call("-", [int(-1)])),
        ("-(1)", call("-", [int(1)])),
        ("1-1", call("-", [int(1), int(1)])),
    ]);
}

#[test]
fn strings() {
    assert_expressions([
        (r"'it\'s'", text("it's")),
        ("'it''s'", text("it's")),
        ("\"double 'quotes'\"", text("double 'quotes'")),
        ("\"it''s\"", text("it''s")),
        (r"'a\nb\tc\\d'", text("a\nb\tc\\d")),
        (r"'\u0041\U00000042\103'", text("ABC")),
        (r"'50\% of a\_b'", text(r"50\% of a\_b")),
        (r"'\q\0'", text("q\0")),
        ("'a' 'b'\n\"c\"", text("abc")),
        (r"r'a\nb'", text(r"a\nb")),
        (r#"R"\d+""#, text(r"\d+")),
        ("''", text("")),
        ("'größe → 漢字'", text("größe → 漢字")),
        ("X'1F'", literal(ScalarValue::Binary(Some(vec![0x1f])))),
        ("x'1ff'", literal(ScalarValue::Binary(Some(vec![0x01, 0xff])))),
        ("NULL", literal(ScalarValue::Null)),
        ("TRUE", literal(ScalarValue::Boolean(Some(true)))),
        ("false", literal(ScalarValue::Boolean(Some(false)))),
    ]);
}

#[test]
fn dates_times_intervals() {
    let timestamp = |text: &str, without_zone| Expr::Timestamp { text: text.to_owned(), without_zone };
    let interval = |value, (first, last): (u8, u8)| Expr::Interval { value, fields: IntervalFields { first, last } };
    let micros = |n: i64, fields| interval(ScalarValue::DurationMicrosecond(Some(n)), fields);
    let months = |n: i32, fields| interval(ScalarValue::IntervalYearMonth(Some(n)), fields);
    let date = |n: i32| literal(ScalarValue::Date32(Some(n)));
    const DAY: i64 = 86_400_000_000;
    assert_expressions([
        ("DATE '1970-01-01'", date(0)),
        ("date '2024-02-29'", date(19_782)),
        ("DATE '1969-12-31'", date(-1)),
        ("DATE '2024'", date(19_723)),
        ("DATE '0001-01-01'", date(-719_162)),
        ("TIMESTAMP '2024-01-01 10:00:00'", timestamp("2024-01-01 10:00:00", false)),
        ("TIMESTAMP_LTZ '2024-01-01'", timestamp("2024-01-01", false)),
        ("TIMESTAMP_NTZ '2024-01-01'", timestamp("2024-01-01", true)),
        ("INTERVAL '1' DAY", micros(DAY, (0, 0))),
        ("INTERVAL 1 DAY", micros(DAY, (0, 0))),
        ("INTERVAL -1 DAYS", micros(-DAY, (0, 0))),
        ("INTERVAL '-1' DAY", micros(-DAY, (0, 0))),
        ("INTERVAL 1 DAY 2 HOURS", micros(DAY + 7_200_000_000, (0, 1))),
        ("INTERVAL '1 week 3 days'", micros(10 * DAY, (0, 0))),
        ("INTERVAL '1.5' SECOND", micros(1_500_000, (3, 3))),
        ("INTERVAL '2-3' YEAR TO MONTH", months(27, (0, 1))),
        ("INTERVAL 2 YEARS", months(24, (0, 0))),
        ("INTERVAL '1 02:03:04.5' DAY TO SECOND", micros(DAY + 7_384_500_000, (0, 3))),
        ("INTERVAL '-1:30' HOUR TO MINUTE", micros(-5_400_000_000, (1, 2))),
        ("d + INTERVAL '1' MONTH", call("+", [col("d"), months(1, (1, 1))])),
        ("interval", col("interval")),
        ("date", col("date")),
        ("timestamp + 1", call("+", [col("timestamp"), int(1)])),
    ]);
}

#[test]
fn operators() {
    let (a, b, c) = (|| col("a"), || col("b"), || col("c"));
    assert_expressions([
        ("a + b * c", call("+", [a(), call("*", [b(), c()])])),
        ("(a + b) * c", call("*", [call("+", [a(), b()]), c()])),
        ("a - b - c", call("-", [call("-", [a(), b()]), c()])),
        ("a DIV b + c", call("+", [call("div", [a(), b()]), c()])),
        ("a / b % c", call("%", [call("/", [a(), b()]), c()])),
        ("div", col("div")),
        ("a || b + c", call("+", [call("concat", [a(), b()]), c()])),
        ("a = b", call("==", [a(), b()])),
        ("a == b", call("==", [a(), b()])),
        ("a <=> b", call("<=>", [a(), b()])),
        ("a <> b", not(call("==", [a(), b()]))),
        ("a != b", not(call("==", [a(), b()]))),
        ("a >= b", call(">=", [a(), b()])),
        ("NOT a = b", not(call("==", [a(), b()]))),
        ("!a", not(a())),
        ("~a * b", call("*", [call("~", [a()]), b()])),
        ("-a * b", call("*", [call("-", [a()]), b()])),
        ("+a", call("+", [a()])),
        ("a & b | c", call("|", [call("&", [a(), b()]), c()])),
        ("a ^ b & c", call("^", [a(), call("&", [b(), c()])])),
        ("a << b & c", call("&", [call("<<", [a(), b()]), c()])),
        ("a >>> b & c", call("&", [call(">>>", [a(), b()]), c()])),
        ("a IS NULL AND b IS NOT NULL", call("and", [call("isnull", [a()]), call("isnotnull", [b()])])),
        ("a IS DISTINCT FROM b AND c", call("and", [not(call("<=>", [a(), b()])), c()])),
        ("a IS NOT DISTINCT FROM b", call("<=>", [a(), b()])),
        ("a IS NOT TRUE", not(call("<=>", [a(), literal(ScalarValue::Boolean(Some(true)))]))),
        ("a IN (1, 2)", call("in", [a(), int(1), int(2)])),
        ("a NOT IN (1)", not(call("in", [a(), int(1)]))),
        ("a BETWEEN 1 AND 2", call("between", [a(), int(1), int(2)])),
        ("a NOT BETWEEN 1 AND 2", not(call("between", [a(), int(1), int(2)]))),
        ("a LIKE 'x%'", call("like", [a(), text("x%")])),
        ("a NOT ILIKE b", not(call("ilike", [a(), b()]))),
        ("a LIKE b ESCAPE '/'", call("like", [a(), b(), text("/")])),
        ("a LIKE ANY ('x', 'y')", call("likeany", [a(), text("x"), text("y")])),
        ("a NOT LIKE ALL ('x', 'y')", call("notlikeall", [a(), text("x"), text("y")])),
        ("a RLIKE b", call("rlike", [a(), b()])),
        ("a REGEXP b", call("rlike", [a(), b()])),
    ]);
}

#[test]
fn logical_chains_are_balanced_as_in_spark() {
    let and = |l, r| call("and", [l, r]);
    let [a, b, c, d] = [col("a"), col("b"), col("c"), col("d")];
    assert_expressions([
        ("a AND b AND c", and(and(a.clone(), b.clone()), c.clone())),
        ("a AND b AND c AND d", and(and(a.clone(), b.clone()), and(c.clone(), d.clone()))),
        ("a OR b AND c OR d", call("or", [call("or", [a.clone(), and(b.clone(), c.clone())]), d.clone()])),
        ("a AND (b AND (c AND d))", and(a, and(b, and(c, d)))),
    ]);
}

#[test]
fn names_and_elements() {
    let qualified =
        |q: &str| Expr::Star { qualifier: q.split('.').map(str::to_owned).collect(), plan_id: None, except: vec![] };
    assert_expressions([
        ("a.b.c", col("a.b.c")),
        ("a.`b.c`", Expr::column(["a", "b.c"])),
        ("`a``b`", Expr::column(["a`b"])),
        ("größe", col("größe")),
        ("1st", col("1st")),
        ("a[0]", element(col("a"), int(0))),
        ("m['k'].x", element(element(col("m"), text("k")), text("x"))),
        ("t.a[0][1]", element(element(col("t.a"), int(0)), int(1))),
        ("f(x).y", element(call("f", [col("x")]), text("y"))),
        ("a AS b", col("a").alias("b")),
        ("a b", col("a").alias("b")),
        (
            "explode(m) AS (k, v)",
            Expr::Alias { expr: Box::new(call("explode", [col("m")])), names: vec!["k".to_owned(), "v".to_owned()] },
        ),
        ("*", star()),
        ("t.*", qualified("t")),
        ("s.t.*", qualified("s.t")),
    ]);
}

#[test]
fn casts_and_cases() {
    let structure = DataType::Struct(vec![arrow::datatypes::Field::new("x", DataType::Int32, true)].into());
    let list = |element| DataType::List(arrow::datatypes::Field::new_list_field(element, true).into());
    assert_expressions([
        ("CAST(a AS BIGINT)", cast(col("a"), DataType::Int64, CastMode::Ansi)),
        ("cast(a as timestamp_ntz)", cast(col("a"), DataType::Timestamp(TimeUnit::Microsecond, None), CastMode::Ansi)),
        ("TRY_CAST('x' AS decimal(10, 2))", cast(text("x"), DataType::Decimal128(10, 2), CastMode::Try)),
        ("a::string", cast(col("a"), DataType::Utf8, CastMode::Ansi)),
        ("CAST(a AS struct<x:int>)", cast(col("a"), structure, CastMode::Ansi)),
        ("CAST(a AS array<array<long>>)", cast(col("a"), list(list(DataType::Int64)), CastMode::Ansi)),
        (
            "CAST(a AS INTERVAL DAY TO SECOND)",
            cast(col("a"), DataType::Duration(TimeUnit::Microsecond), CastMode::Ansi),
        ),
        ("CASE WHEN a THEN 1 ELSE 2 END", call("when", [col("a"), int(1), int(2)])),
        (
            "CASE a WHEN 1 THEN 'x' WHEN 2 THEN 'y' END",
            call("when", [call("==", [col("a"), int(1)]), text("x"), call("==", [col("a"), int(2)]), text("y")]),
        ),
    ]);
}

#[test]
fn functions() {
    let function = |name: &str, args: Vec<Expr>, distinct, filter: Option<Expr>| {
        Expr::Function(Function {
            name: name.to_owned(),
            args,
            distinct,
            filter: filter.map(Box::new),
            order_by: vec![],
        })
    };
    assert_expressions([
        ("count(*)", call("count", [int(1)])),
        ("COUNT(1)", call("COUNT", [int(1)])),
        ("count(DISTINCT a, b)", function("count", vec![col("a"), col("b")], true, None)),
        ("sum(a) FILTER (WHERE b > 1)", function("sum", vec![col("a")], false, Some(call(">", [col("b"), int(1)])))),
        ("current_date", call("current_date", [])),
        ("CURRENT_DATE()", call("CURRENT_DATE", [])),
        ("current_timestamp", call("current_timestamp", [])),
        ("first(a) IGNORE NULLS", call("first", [col("a"), literal(ScalarValue::Boolean(Some(true)))])),
        ("if(a, 1, 2)", call("if", [col("a"), int(1), int(2)])),
        ("left(a, 2)", call("left", [col("a"), int(2)])),
        ("array(1, 2)", call("array", [int(1), int(2)])),
        ("map('a', 1)", call("map", [text("a"), int(1)])),
        ("struct(a, 1 AS x)", call("struct", [col("a"), int(1).alias("x")])),
        ("struct(a x)", call("struct", [col("a").alias("x")])),
        ("(a, 1)", call("named_struct", [text("a"), col("a"), text("col2"), int(1)])),
        ("exists(a, x -> x)", call("exists", [col("a"), lambda(&["x"], col("x"))])),
        ("f(a, (x, y) -> x + y)", call("f", [col("a"), lambda(&["x", "y"], call("+", [col("x"), col("y")]))])),
        ("dateadd(month, 1, a)", call("timestampadd", [text("month"), int(1), col("a")])),
        ("date('2024-01-01')", call("date", [text("2024-01-01")])),
        ("int('1')", call("int", [text("1")])),
        ("EXTRACT(YEAR FROM d)", call("extract", [text("YEAR"), col("d")])),
        ("extract('week' FROM d)", call("extract", [text("week"), col("d")])),
        ("SUBSTRING(a FROM 2 FOR 3)", call("substring", [col("a"), int(2), int(3)])),
        ("substring(a, 2)", call("substring", [col("a"), int(2)])),
        ("TRIM(a)", call("trim", [col("a")])),
        ("TRIM(BOTH 'x' FROM a)", call("trim both", [text("x"), col("a")])),
        ("TRIM(LEADING FROM a)", call("ltrim", [col("a")])),
        ("trim('x', a)", call("trim", [text("x"), col("a")])),
        ("POSITION('a' IN b)", call("locate", [text("a"), col("b")])),
        ("position('a', b)", call("position", [text("a"), col("b")])),
        ("ceil(a)", call("ceil", [col("a")])),
        ("floor(a, 2)", call("floor", [col("a"), int(2)])),
        ("replace(a, 'x', 'y')", call("replace", [col("a"), text("x"), text("y")])),
        ("OVERLAY(a PLACING b FROM 2)", call("overlay", [col("a"), col("b"), int(2)])),
    ]);
}

#[test]
fn windows() {
    let window = |function, partition_by: &[&str], order_by, frame| Expr::Window {
        function: Box::new(function),
        partition_by: partition_by.iter().map(|name| col(name)).collect(),
        order_by,
        frame,
    };
    let row_number = || call("row_number", []);
    let sum = || call("sum", [col("x")]);
    let rows = |lower, upper| Some(WindowFrame { rows: true, lower, upper });
    assert_expressions([
        ("row_number() OVER ()", window(row_number(), &[], vec![], None)),
        (
            "row_number() OVER (PARTITION BY a, b ORDER BY c DESC)",
            window(row_number(), &["a", "b"], vec![SortOrder::new(col("c"), SortDirection::Descending, None)], None),
        ),
        (
            "sum(x) OVER (ORDER BY c ROWS BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING)",
            window(sum(), &[], vec![ascending(col("c"))], rows(None, Some(1))),
        ),
        (
            "sum(x) OVER (ORDER BY c ROWS 2 PRECEDING)",
            window(sum(), &[], vec![ascending(col("c"))], rows(Some(-2), Some(0))),
        ),
        (
            "sum(x) OVER (ORDER BY c RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)",
            window(
                sum(),
                &[],
                vec![ascending(col("c"))],
                Some(WindowFrame { rows: false, lower: Some(0), upper: None }),
            ),
        ),
    ]);
}
