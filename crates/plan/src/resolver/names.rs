//! The names that Spark gives to columns without one: `count(1)`, `(a + 1)`, `CAST(a AS STRING)`.

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use itertools::Itertools;
use recursive::recursive;

use crate::ddl::sql_name;
use crate::format::format_scalar;
use crate::functions::datetime::parse_timestamp_ntz;
use crate::ir::{CastMode, Expr, Function, NullOrdering, SortDirection, SortOrder, WindowFrame};

/// The name of the column that `expr` makes.
#[recursive]
pub(super) fn output_name(expr: &Expr) -> String {
    match expr {
        Expr::Literal(value) => literal(value),
        Expr::Attribute { parts, .. } => parts.last().cloned().unwrap_or_default(),
        Expr::Star { qualifier, .. } => qualifier.iter().map(String::as_str).chain(["*"]).join("."),
        Expr::Function(call) => function(call),
        Expr::Alias { expr, .. } => output_name(expr),
        // Casts of containers do not show.
        Expr::Cast { expr, to: DataType::List(_) | DataType::Map(..) | DataType::Struct(_), .. } => output_name(expr),
        Expr::Cast { expr, to, mode } => {
            let cast = if *mode == CastMode::Try { "TRY_CAST" } else { "CAST" };
            format!("{cast}({} AS {})", output_name(expr), sql_name(to))
        }
        Expr::Timestamp { text, without_zone } => timestamp(text, *without_zone),
        Expr::Ordinal(position) => position.to_string(),
        Expr::Extract { expr, key } => match &**key {
            Expr::Literal(ScalarValue::Utf8(Some(field))) => format!("{}.{field}", output_name(expr)),
            key => format!("{}[{}]", output_name(expr), output_name(key)),
        },
        Expr::SortOrder(order) => sort_order(order),
        Expr::Window { function, partition_by, order_by, frame } => {
            window(function, partition_by, order_by, frame.as_ref())
        }
        Expr::Text(text) => text.clone(),
        Expr::ScalarSubquery(_) => "scalarsubquery()".to_owned(),
        Expr::Exists { negated: false, .. } => "exists()".to_owned(),
        Expr::Exists { negated: true, .. } => "(NOT exists())".to_owned(),
        Expr::InSubquery { expr, negated: false, .. } => format!("({} IN (listquery()))", output_name(expr)),
        Expr::InSubquery { expr, negated: true, .. } => format!("(NOT ({} IN (listquery())))", output_name(expr)),
    }
}

fn literal(value: &ScalarValue) -> String {
    match value {
        _ if value.is_null() => "NULL".to_owned(),
        ScalarValue::Date32(_) => format!("DATE '{}'", format_scalar(value, "UTC")),
        ScalarValue::TimestampMicrosecond(_, Some(_)) => format!("TIMESTAMP '{}'", format_scalar(value, "UTC")),
        ScalarValue::TimestampMicrosecond(_, None) => format!("TIMESTAMP_NTZ '{}'", format_scalar(value, "UTC")),
        ScalarValue::Binary(Some(bytes)) => format!("X'{}'", bytes.iter().map(|byte| format!("{byte:02X}")).join("")),
        other => format_scalar(other, "UTC"),
    }
}

/// `TIMESTAMP '2024-01-01 00:00:00'`: the text as Spark would write it.
fn timestamp(text: &str, without_zone: bool) -> String {
    let micros = parse_timestamp_ntz(text).map(|micros| ScalarValue::TimestampMicrosecond(Some(micros), None));
    let text = micros.map_or_else(|| text.to_owned(), |micros| format_scalar(&micros, "UTC"));
    format!("TIMESTAMP{} '{text}'", if without_zone { "_NTZ" } else { "" })
}

/// Functions whose name Spark writes in capitals.
const CAPITALS: &[&str] = &[
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "ceil", "cos", "cosh", "cot", "degrees", "e",
    "exp", "expm1", "floor", "hypot", "log10", "log1p", "log2", "pi", "power", "radians", "rint", "sin", "sinh",
    "sqrt", "tan", "tanh",
];

fn function(call: &Function) -> String {
    let args: Vec<_> = call.args.iter().map(output_name).collect();
    let name = call.name.to_lowercase();
    match (name.as_str(), args.as_slice()) {
        ("==", [left, right]) => format!("({left} = {right})"),
        ("!=" | "<>", [left, right]) => format!("(NOT ({left} = {right}))"),
        ("+" | "-" | "*" | "/" | "%" | "<" | "<=" | ">" | ">=" | "<=>" | "&" | "|" | "^" | "div", [left, right]) => {
            format!("({left} {name} {right})")
        }
        ("and" | "or", [left, right]) => format!("({left} {} {right})", name.to_uppercase()),
        ("not" | "!", [operand]) => format!("(NOT {operand})"),
        ("-" | "+", [operand]) => format!("({name} {operand})"),
        ("~", [operand]) => format!("~{operand}"),
        ("log", [value]) => format!("LOG(E(), {value})"),
        ("log", [base, value]) => format!("LOG({base}, {value})"),
        ("first" | "last" | "any_value" | "first_value" | "last_value", [value, _]) => format!("{name}({value})"),
        ("round" | "bround", [value]) => format!("{name}({value}, 0)"),
        ("substring" | "substr", [text, start]) => format!("{name}({text}, {start}, {})", i32::MAX),
        ("sort_array", [array]) => format!("sort_array({array}, true)"),
        ("split", [text, pattern]) => format!("split({text}, {pattern}, -1)"),
        ("locate", [needle, text]) => format!("locate({needle}, {text}, 1)"),
        ("regexp_replace", [text, pattern, by]) => format!("regexp_replace({text}, {pattern}, {by}, 1)"),
        ("isnull", [operand]) => format!("({operand} IS NULL)"),
        ("isnotnull", [operand]) => format!("({operand} IS NOT NULL)"),
        ("in", [value, list @ ..]) => format!("({value} IN ({}))", list.join(", ")),
        ("like", [value, pattern]) => format!("{value} LIKE {pattern}"),
        ("ilike", [value, pattern]) => format!("ilike({value}, {pattern})"),
        ("rlike", [value, pattern]) => format!("RLIKE({value}, {pattern})"),
        ("when", _) => case_when(&args),
        ("if", [condition, yes, no]) => format!("(IF({condition}, {yes}, {no}))"),
        ("count", []) => "count(1)".to_owned(),
        ("count", [star]) if star == "*" => "count(1)".to_owned(),
        _ => {
            let distinct = if call.distinct { "DISTINCT " } else { "" };
            let name = if CAPITALS.contains(&name.as_str()) { name.to_uppercase() } else { name };
            let filter = call.filter.as_ref().map(|filter| format!(" FILTER (WHERE {})", output_name(filter)));
            format!("{name}({distinct}{}){}", args.join(", "), filter.unwrap_or_default())
        }
    }
}

fn case_when(args: &[String]) -> String {
    let branches = args.chunks_exact(2);
    let otherwise = branches.remainder().first().map(|value| format!(" ELSE {value}"));
    let branches = branches.map(|branch| format!(" WHEN {} THEN {}", branch[0], branch[1])).join("");
    format!("CASE{branches}{} END", otherwise.unwrap_or_default())
}

fn sort_order(order: &SortOrder) -> String {
    let direction = if order.direction == SortDirection::Ascending { "ASC" } else { "DESC" };
    let nulls = if order.nulls == NullOrdering::First { "FIRST" } else { "LAST" };
    format!("{} {direction} NULLS {nulls}", output_name(&order.expr))
}

fn window(function: &Expr, partition_by: &[Expr], order_by: &[SortOrder], frame: Option<&WindowFrame>) -> String {
    let partition =
        (!partition_by.is_empty()).then(|| format!("PARTITION BY {}", partition_by.iter().map(output_name).join(", ")));
    let order = (!order_by.is_empty()).then(|| format!("ORDER BY {}", order_by.iter().map(sort_order).join(", ")));
    let frame = match frame {
        Some(frame) => format!(
            "{} BETWEEN {} AND {}",
            if frame.rows { "ROWS" } else { "RANGE" },
            bound(frame.lower, "PRECEDING"),
            bound(frame.upper, "FOLLOWING")
        ),
        None if order_by.is_empty() => "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING".to_owned(),
        None => "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW".to_owned(),
    };
    let clauses = partition.into_iter().chain(order).chain([frame]).join(" ");
    format!("{} OVER ({clauses})", output_name(function))
}

fn bound(offset: Option<i64>, unbounded: &str) -> String {
    match offset {
        None => format!("UNBOUNDED {unbounded}"),
        Some(0) => "CURRENT ROW".to_owned(),
        Some(offset) if offset < 0 => format!("{} PRECEDING", offset.unsigned_abs()),
        Some(offset) => format!("{offset} FOLLOWING"),
    }
}
