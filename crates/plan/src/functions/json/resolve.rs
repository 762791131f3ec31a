//! Calls whose types depend on a schema, or on the value that is written.

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, lit};

use super::schema::type_of;
use super::value::Json;
use super::{FROM_JSON, TO_JSON};
use crate::ddl::{parse_data_type, parse_schema, sql_name};
use crate::error::{ErrorClass, Result, SparkError};
use crate::functions::call::{Call, Outcome, Typed};
use crate::functions::native::native;
use crate::functions::options::Options;

/// A function of JSON of this name, if there is one.
pub(crate) fn resolve(mut call: Call<'_>) -> Outcome<'_> {
    let expr = match call.name.as_str() {
        "to_json" => {
            let (mut args, options) = with_options(&mut call, 1)?;
            let value = args.remove(0);
            match &value.data_type {
                DataType::Struct(_) | DataType::Map(..) | DataType::List(_) => {}
                other => return Err(call.wrong_type(0, "STRUCT\" or \"MAP\" or \"ARRAY", other)),
            }
            let args = vec![value.expr, pattern(&options), lit(options.get(&["sortkeys"]) == Some("true"))];
            native(TO_JSON, DataType::Utf8, call.time_zone, args)
        }
        "from_json" => {
            let (args, options) = with_options(&mut call, 2)?;
            let result = declared_type(&call, &args[1])?;
            let text = args.into_iter().next().ok_or_else(|| call.wrong_count("[2, 3]", 0))?;
            let args = vec![call.cast(text, &DataType::Utf8)?, pattern(&options)];
            native(FROM_JSON, result, call.time_zone, args)
        }
        "schema_of_json" => {
            let text = with_options(&mut call, 1)?.0.remove(0);
            let Expr::Literal(ScalarValue::Utf8(Some(text)), _) = &text.expr else {
                return Err(not_constant(&call, "json"));
            };
            let json = Json::parse(text).ok_or_else(|| malformed(text))?;
            lit(sql_name(&type_of(&json)))
        }
        _ => return Ok(Err(call)),
    };
    Ok(Ok(expr))
}

/// So many arguments, and the options that may come behind them.
fn with_options(call: &mut Call<'_>, count: usize) -> Result<(Vec<Typed>, Options)> {
    let mut args = std::mem::take(&mut call.args);
    if args.len() != count && args.len() != count + 1 {
        return Err(call.wrong_count(&format!("[{count}, {}]", count + 1), args.len()));
    }
    let options = Options::of(call, args.get(count))?;
    args.truncate(count);
    Ok((args, options))
}

/// The pattern of timestamps, or NULL.
fn pattern(options: &Options) -> Expr {
    lit(ScalarValue::Utf8(options.get(&["timestampformat"]).map(str::to_owned)))
}

/// The type that a schema says: a type, columns, or either as a client writes it in JSON.
pub(crate) fn declared_type(call: &Call<'_>, schema: &Typed) -> Result<DataType> {
    let Expr::Literal(ScalarValue::Utf8(Some(text)), _) = &schema.expr else {
        return Err(not_constant(call, "schema"));
    };
    let is_word = text.trim().chars().all(|c| c.is_alphanumeric() || c == '_');
    match parse_data_type(text) {
        Err(_) if !is_word => Ok(DataType::Struct(parse_schema(text)?.fields)),
        Err(error) => Err(SparkError { class: ErrorClass::Analysis, ..error }),
        parsed => parsed,
    }
}

fn not_constant(call: &Call<'_>, argument: &str) -> SparkError {
    let message = format!("The argument `{argument}` of `{}` must be a constant text.", call.name);
    SparkError::new(ErrorClass::Analysis, "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "42K09", message)
        .with("sqlExpr", format!("\"{}\"", call.written))
        .with("inputName", format!("`{argument}`"))
}

fn malformed(text: &str) -> SparkError {
    let message = format!("`{text}` is no JSON.");
    SparkError::new(ErrorClass::Analysis, "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "22023", message)
}
