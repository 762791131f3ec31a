//! Casts by the name of a type, what is known of the session, and functions that fail on purpose.

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::functions::expr_fn as df;
use datafusion::functions_window::row_number::row_number_udwf;
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{Expr, ExprSchemable, WindowFunctionDefinition, cast, lit, when};

use super::call::{Call, Outcome, Typed};
use super::interval::fields_of;
use super::interval_number::{is_interval, number_of};
use super::native::native;
use crate::ddl::type_name;
use crate::error::Result;
use crate::types::{is_string, timestamp};

/// The type that can be called by this name: `int('3')`.
pub(super) fn type_called(name: &str) -> Option<DataType> {
    Some(match name {
        "boolean" => DataType::Boolean,
        "tinyint" => DataType::Int8,
        "smallint" => DataType::Int16,
        "int" => DataType::Int32,
        "bigint" => DataType::Int64,
        "float" => DataType::Float32,
        "double" => DataType::Float64,
        "decimal" => DataType::Decimal128(10, 0),
        "string" => DataType::Utf8,
        "binary" => DataType::Binary,
        "date" => DataType::Date32,
        "timestamp" => timestamp(),
        _ => return None,
    })
}

/// What does not depend on the data.
const CONSTANTS: &[(&str, &str)] = &[
    ("version", concat!("4.2.0 sheetbend-", env!("CARGO_PKG_VERSION"))),
    ("current_catalog", "spark_catalog"),
    ("current_path", "system.builtin,system.session,spark_catalog.default"),
    ("current_user", "sheetbend"),
    ("session_user", "sheetbend"),
    ("user", "sheetbend"),
    ("input_file_name", ""),
];

/// A function of this name, if there is one.
pub(super) fn resolve(mut call: Call<'_>) -> Outcome<'_> {
    if let Some(to) = type_called(&call.name) {
        let [value] = call.exactly()?;
        return call.cast(value, &to).map(Ok);
    }
    if let Some((_, value)) = CONSTANTS.iter().find(|(name, _)| *name == call.name) {
        call.exactly::<0>()?;
        return Ok(Ok(lit(*value)));
    }
    let expr = match call.name.as_str() {
        "current_database" | "current_schema" => {
            call.exactly::<0>()?;
            lit(call.database)
        }
        "typeof" => {
            let [value] = call.exactly()?;
            match fields_of(&value.expr, call.schema)? {
                Some(fields) => lit(fields.type_name(&value.data_type)),
                None => lit(type_name(&value.data_type)),
            }
        }
        "monotonically_increasing_id" | "distributed_sequence_id" => {
            call.exactly::<0>()?;
            let number = WindowFunctionDefinition::WindowUDF(row_number_udwf());
            cast(Expr::from(WindowFunction::new(number, vec![])), DataType::Int64) - lit(1_i64)
        }
        // Which partition a row is in, is the engine's affair: all are in the first one.
        "spark_partition_id" => {
            call.exactly::<0>()?;
            lit(0_i32)
        }
        "input_file_block_start" | "input_file_block_length" => {
            call.exactly::<0>()?;
            lit(-1_i64)
        }
        // Text has one collation here.
        "collation" => {
            let [text] = call.exactly()?;
            if !is_string(&text.data_type) && text.data_type != DataType::Null {
                return Err(call.wrong_type(0, "STRING", &text.data_type));
            }
            lit("SYSTEM.BUILTIN.UTF8_BINARY")
        }
        "pmod" => pmod(call)?,
        "to_binary" | "try_to_binary" => to_binary(call)?,
        "randn" => {
            let angle = lit(std::f64::consts::TAU) * df::random();
            df::sqrt(lit(-2.0_f64) * df::ln(lit(1.0_f64) - df::random())) * df::cos(angle)
        }
        "uniform" => uniform(call)?,
        "randstr" => {
            call.args.truncate(1);
            let [length] = call.exactly()?;
            let args = vec![call.cast(length, &DataType::Int32)?, df::random()];
            native("spark.randstr", DataType::Utf8, "", args)
        }
        "sign" | "signum" | "width_bucket" if call.args.first().is_some_and(|arg| is_interval(&arg.data_type)) => {
            let number = |arg: Typed| if is_interval(&arg.data_type) { number_of(arg) } else { arg };
            call.args = std::mem::take(&mut call.args).into_iter().map(number).collect();
            return super::scalar::resolve(call).map(Ok);
        }
        "assert_true" => assert_true(call)?,
        "decode" if call.args.len() > 2 => decode(call)?,
        _ => return Ok(Err(call)),
    };
    Ok(Ok(expr))
}

/// The call of another function with the same circumstances.
fn again<'a>(call: &Call<'a>, name: &str, args: Vec<Typed>) -> Result<Typed> {
    let call = Call {
        name: name.to_owned(),
        written: call.written.clone(),
        args,
        arg_names: vec![],
        distinct: false,
        filter: None,
        order_by: vec![],
        time_zone: call.time_zone,
        ansi: call.ansi,
        database: call.database,
        schema: call.schema,
    };
    let schema = call.schema;
    let expr = super::resolve(call)?;
    let data_type = expr.get_type(schema)?;
    Ok(Typed { expr, data_type })
}

/// The remainder with the sign of the divisor.
fn pmod(mut call: Call<'_>) -> Result<Expr> {
    let [value, divisor] = call.exactly()?;
    let remainder = again(&call, "%", vec![value, divisor.clone()])?;
    let moved = again(&call, "+", vec![remainder.clone(), divisor.clone()])?;
    let moved = again(&call, "%", vec![moved, divisor])?;
    let moved = call.cast(moved, &remainder.data_type)?;
    let zero = Typed { expr: lit(0_i32), data_type: DataType::Int32 };
    let negative = again(&call, "<", vec![remainder.clone(), zero])?;
    Ok(when(negative.expr, moved).otherwise(remainder.expr)?)
}

/// Bytes of text in a format, which must be known.
fn to_binary(mut call: Call<'_>) -> Result<Expr> {
    if call.args.len() == 1 {
        call.args.push(Typed { expr: lit("hex"), data_type: DataType::Utf8 });
    }
    let [text, format] = call.exactly()?;
    let tries = call.name == "try_to_binary";
    let args = vec![call.cast(text, &DataType::Utf8)?, call.cast(format, &DataType::Utf8)?, lit(tries)];
    Ok(native("spark.to_binary", DataType::Binary, "", args))
}

/// A number between two others, of their type.
fn uniform(mut call: Call<'_>) -> Result<Expr> {
    call.args.truncate(2);
    let [least, most] = call.exactly()?;
    let (bounds, of) = call.common(vec![least, most])?;
    let [least, most] = bounds.try_into().map_err(|_| call.wrong_count("2", 0))?;
    let double = |expr: Expr| cast(expr, DataType::Float64);
    Ok(cast(double(least.clone()) + df::random() * (double(most) - double(least)), of))
}

fn assert_true(mut call: Call<'_>) -> Result<Expr> {
    if call.args.len() == 1 {
        let written = call.written.strip_prefix("assert_true(").and_then(|rest| rest.strip_suffix(')'));
        let message = format!("'{}' is not true!", written.unwrap_or_default());
        call.args.push(Typed { expr: lit(message), data_type: DataType::Utf8 });
    }
    let [condition, message] = call.exactly()?;
    let args = vec![call.cast(condition, &DataType::Boolean)?, call.cast(message, &DataType::Utf8)?];
    Ok(native("spark.assert_true", DataType::Null, "", args))
}

/// `decode(value, search, result, ..., otherwise)`, where NULL finds NULL.
fn decode(mut call: Call<'_>) -> Result<Expr> {
    let mut args = std::mem::take(&mut call.args).into_iter();
    let Some(value) = args.next() else { return Err(call.wrong_count("> 1", 0)) };
    let mut pairs: Vec<_> = args.collect();
    let otherwise = if pairs.len() % 2 == 1 { pairs.pop() } else { None };
    let (mut searched, mut results) = (vec![], vec![]);
    for (at, arg) in pairs.into_iter().enumerate() {
        if at % 2 == 0 { searched.push(arg) } else { results.push(arg) }
    }
    results.extend(otherwise);
    let conditions = searched.into_iter().map(|search| {
        let (sides, _) = call.common(vec![value.clone(), search])?;
        let [left, right] = sides.try_into().map_err(|_| call.wrong_count("2", 0))?;
        let op = datafusion::logical_expr::Operator::IsNotDistinctFrom;
        Ok(datafusion::logical_expr::binary_expr(left, op, right))
    });
    let conditions = conditions.collect::<Result<Vec<_>>>()?;
    let (mut results, _) = call.common(results)?;
    let otherwise = if results.len() > conditions.len() { results.pop() } else { None };
    let branches = conditions.into_iter().zip(results);
    let branches = branches.map(|(when, then)| (Box::new(when), Box::new(then))).collect();
    let otherwise = otherwise.unwrap_or(Expr::Literal(ScalarValue::Null, None));
    Ok(Expr::Case(datafusion::logical_expr::Case::new(None, branches, Some(Box::new(otherwise)))))
}
