//! Functions of one row, as a table: name, the types of the arguments, and what computes it.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::functions::expr_fn as df;
use datafusion::functions_nested::expr_fn as nested;
use datafusion::logical_expr::{Expr, ExprSchemable, ScalarUDF, lit};
use datafusion_spark::expr_fn as spark;

use super::arithmetic::{self, checked};
use super::call::{Call, Typed};
use crate::ddl::type_name;
use crate::error::{ErrorClass, Result, SparkError};
use crate::types::{is_integral, is_string, timestamp};

/// Makes the expression of a call from its arguments, which have the types that the table says.
type Build = fn(Vec<Expr>) -> Expr;

/// The types of a function's arguments, a letter each: `s` text, `i` and `l` whole numbers of 32 and 64 bits, `d`
/// double, `t` date, `z` timestamp, `b` boolean, `x` anything. From a `?` on they may be left out; a `*` repeats the
/// last one.
type Arguments = &'static str;

/// Spark's name, arguments, and the expression.
const FUNCTIONS: &[(&str, Arguments, Build)] = &[
    // Text
    ("upper", "s", |a| df::upper(one(a))),
    ("ucase", "s", |a| df::upper(one(a))),
    ("lower", "s", |a| df::lower(one(a))),
    ("lcase", "s", |a| df::lower(one(a))),
    ("initcap", "s", |a| df::initcap(one(a))),
    ("reverse", "s", |a| df::reverse(one(a))),
    ("ascii", "s", |a| spark::ascii(one(a))),
    ("char_length", "s", |a| spark::length(one(a))),
    ("character_length", "s", |a| spark::length(one(a))),
    ("octet_length", "s", |a| df::octet_length(one(a))),
    ("bit_length", "s", |a| df::bit_length(one(a))),
    ("substring", "si?i", |a| substring(a)),
    ("substr", "si?i", |a| substring(a)),
    ("left", "si", |a| two(a, df::left)),
    ("right", "si", |a| two(a, df::right)),
    ("trim", "s", df::btrim),
    ("btrim", "s?s", df::btrim),
    ("ltrim", "s", df::ltrim),
    ("rtrim", "s", df::rtrim),
    ("lpad", "sl?s", df::lpad),
    ("rpad", "sl?s", df::rpad),
    ("repeat", "sl", |a| two(a, df::repeat)),
    ("replace", "ss?s", |mut a| {
        if a.len() == 2 {
            a.push(lit(""));
        }
        three(a, df::replace)
    }),
    ("translate", "sss", |a| three(a, df::translate)),
    ("instr", "ss", |a| two(a, df::strpos)),
    ("position", "ss", |a| two(a, |needle, text| df::strpos(text, needle))),
    ("locate", "ss", |a| two(a, |needle, text| df::strpos(text, needle))),
    ("contains", "ss", |a| two(a, df::contains)),
    ("startswith", "ss", |a| two(a, df::starts_with)),
    ("endswith", "ss", |a| two(a, df::ends_with)),
    ("concat_ws", "ss*", spark_concat_ws),
    ("split_part", "ssl", |a| three(a, df::split_part)),
    ("levenshtein", "ss", |a| two(a, df::levenshtein)),
    ("rlike", "ss", |a| two(a, |text, pattern| df::regexp_like(text, pattern, None))),
    ("regexp", "ss", |a| two(a, |text, pattern| df::regexp_like(text, pattern, None))),
    ("regexp_like", "ss", |a| two(a, |text, pattern| df::regexp_like(text, pattern, None))),
    ("regexp_replace", "sss", |a| three(a, |text, pattern, by| df::regexp_replace(text, pattern, by, Some(lit("g"))))),
    ("md5", "s", |a| df::md5(one(a))),
    // Numbers
    ("sqrt", "d", |a| df::sqrt(one(a))),
    ("cbrt", "d", |a| df::cbrt(one(a))),
    ("exp", "d", |a| df::exp(one(a))),
    ("ln", "d", |a| log_of(one(a), df::ln)),
    ("log", "d?d", logarithm),
    ("log10", "d", |a| log_of(one(a), df::log10)),
    ("log2", "d", |a| log_of(one(a), df::log2)),
    ("pow", "dd", |a| two(a, spark::pow)),
    ("power", "dd", |a| two(a, spark::pow)),
    ("signum", "d", |a| df::signum(one(a))),
    ("sign", "d", |a| df::signum(one(a))),
    ("sin", "d", |a| df::sin(one(a))),
    ("cos", "d", |a| df::cos(one(a))),
    ("tan", "d", |a| df::tan(one(a))),
    ("asin", "d", |a| df::asin(one(a))),
    ("acos", "d", |a| df::acos(one(a))),
    ("atan", "d", |a| df::atan(one(a))),
    ("degrees", "d", |a| df::degrees(one(a))),
    ("radians", "d", |a| df::radians(one(a))),
    ("pi", "", |_| df::pi()),
    ("isnan", "d", |a| df::coalesce(vec![df::isnan(one(a)), lit(false)])),
    // Dates and times
    ("year", "t", |a| part("year", a)),
    ("month", "t", |a| part("month", a)),
    ("day", "t", |a| part("day", a)),
    ("dayofmonth", "t", |a| part("day", a)),
    ("quarter", "t", |a| part("quarter", a)),
    ("weekofyear", "t", |a| part("week", a)),
    ("dayofyear", "t", |a| part("doy", a)),
    ("dayofweek", "t", |a| part("dow", a) + lit(1)),
    ("date_add", "ti", |a| two(a, spark::date_add)),
    ("dateadd", "ti", |a| two(a, spark::date_add)),
    ("date_sub", "ti", |a| two(a, spark::date_sub)),
    ("datediff", "tt", |a| two(a, spark::date_diff)),
    ("date_diff", "tt", |a| two(a, spark::date_diff)),
    ("add_months", "ti", |a| two(a, spark::add_months)),
    ("last_day", "t", |a| spark::last_day(one(a))),
    ("to_date", "t", one),
    ("date", "t", one),
    ("to_timestamp", "z", one),
    ("current_date", "", |_| df::current_date()),
    ("curdate", "", |_| df::current_date()),
    ("current_timestamp", "", |_| df::now()),
    ("now", "", |_| df::now()),
    // Containers
    ("array_contains", "xx", |a| two(a, nested::array_has)),
    ("array_distinct", "x", |a| nested::array_distinct(one(a))),
    ("array_max", "x", |a| nested::array_max(one(a))),
    ("array_min", "x", |a| nested::array_min(one(a))),
    ("map_keys", "x", |a| nested::map_keys(one(a))),
    ("map_values", "x", |a| nested::map_values(one(a))),
    ("rand", "?l", |_| df::random()),
    ("random", "?l", |_| df::random()),
    ("uuid", "", |_| df::uuid()),
];

/// A scalar function of this name.
///
/// # Errors
/// `UNRESOLVED_ROUTINE` where there is none.
pub(super) fn resolve(mut call: Call<'_>) -> Result<Expr> {
    match call.name.as_str() {
        "ceil" | "ceiling" | "floor" => return rounded_to_whole(call),
        "round" | "bround" => return round(call),
        "abs" => return absolute(call),
        "concat" => return concat(call),
        "array" => return array(call),
        "struct" | "named_struct" => return structure(call),
        "typeof" => {
            let [value] = call.exactly()?;
            return Ok(lit(type_name(&value.data_type)));
        }
        "hour" | "minute" | "second" => {
            let [value] = call.exactly()?;
            let local = wall_clock(&call, value)?;
            return Ok(df::date_part(lit(call.name.clone()), local));
        }
        _ => {}
    }
    if let Some((_, arguments, build)) = FUNCTIONS.iter().find(|(name, ..)| *name == call.name) {
        let args = std::mem::take(&mut call.args);
        return Ok(build(typed_arguments(&call, arguments, args)?));
    }
    let Some(function) = datafusion_spark_function(&call.name) else {
        return Err(unresolved_routine(&call.name));
    };
    let expr = function.call(call.args.iter().map(|arg| arg.expr.clone()).collect());
    checked_types(expr, &call, call.schema)
}

fn typed_arguments(call: &Call<'_>, arguments: &str, args: Vec<Typed>) -> Result<Vec<Expr>> {
    let (required, optional) = arguments.split_once('?').unwrap_or((arguments, ""));
    let repeats = arguments.ends_with('*');
    let letters: Vec<_> = arguments.chars().filter(|c| !matches!(c, '?' | '*')).collect();
    let least = required.chars().filter(|c| *c != '*').count() - usize::from(repeats && optional.is_empty());
    if args.len() < least || (args.len() > letters.len() && !repeats) {
        let expected = if least == letters.len() { least.to_string() } else { format!("[{least}, {}]", letters.len()) };
        return Err(call.wrong_count(&expected, args.len()));
    }
    let letter = |position: usize| letters.get(position).or(letters.last()).copied().unwrap_or('x');
    args.into_iter().enumerate().map(|(position, arg)| argument(call, letter(position), position, arg)).collect()
}

fn argument(call: &Call<'_>, letter: char, position: usize, arg: Typed) -> Result<Expr> {
    let to = match letter {
        's' => DataType::Utf8,
        'i' => DataType::Int32,
        'l' => DataType::Int64,
        'd' => DataType::Float64,
        't' => DataType::Date32,
        'z' => timestamp(),
        'b' => DataType::Boolean,
        _ => return Ok(arg.expr),
    };
    let nested = matches!(arg.data_type, DataType::List(_) | DataType::Map(..) | DataType::Struct(_));
    if letter == 's' && nested {
        return Err(call.wrong_type(position, "STRING", &arg.data_type));
    }
    call.cast(arg, &to)
}

fn one(mut args: Vec<Expr>) -> Expr {
    args.pop().unwrap_or_default()
}

fn two(mut args: Vec<Expr>, build: impl Fn(Expr, Expr) -> Expr) -> Expr {
    let last = args.pop().unwrap_or_default();
    build(one(args), last)
}

fn three(mut args: Vec<Expr>, build: impl Fn(Expr, Expr, Expr) -> Expr) -> Expr {
    let last = args.pop().unwrap_or_default();
    two(args, |first, second| build(first, second, last.clone()))
}

fn part(name: &str, args: Vec<Expr>) -> Expr {
    df::date_part(lit(name), one(args))
}

fn substring(mut args: Vec<Expr>) -> Expr {
    if args.len() == 2 {
        args.push(lit(i32::MAX));
    }
    three(args, spark::substring)
}

fn spark_concat_ws(args: Vec<Expr>) -> Expr {
    datafusion_spark::function::string::concat_ws().call(args)
}

/// NULL where Spark has no logarithm: at zero and below.
fn log_of(value: Expr, log: fn(Expr) -> Expr) -> Expr {
    df::nullif(log(df::nullif(df::greatest(vec![value.clone(), lit(0.0)]), lit(0.0))), lit(f64::NAN))
}

fn logarithm(mut args: Vec<Expr>) -> Expr {
    let value = args.pop().unwrap_or_default();
    match args.pop() {
        Some(base) => log_of(value, df::ln) / log_of(base, df::ln),
        None => log_of(value, df::ln),
    }
}

/// The wall clock of the session's time zone.
fn wall_clock(call: &Call<'_>, value: Typed) -> Result<Expr> {
    let instant = Typed { expr: call.cast(value, &timestamp())?, data_type: timestamp() };
    call.cast(instant, &crate::types::timestamp_ntz())
}

/// `ceil` and `floor` of numbers: whole ones come back as 64 bits.
fn rounded_to_whole(mut call: Call<'_>) -> Result<Expr> {
    let [value] = call.exactly()?;
    let floor = call.name == "floor";
    match &value.data_type {
        integral if is_integral(integral) => call.cast(value, &DataType::Int64),
        DataType::Decimal128(precision, scale) => {
            let whole = (i16::from(*precision) - i16::from(*scale) + 1).clamp(1, 38) as u8;
            let expr = if floor { df::floor(value.expr) } else { df::ceil(value.expr) };
            let data_type = expr.get_type(call.schema)?;
            call.cast(Typed { expr, data_type }, &DataType::Decimal128(whole, 0))
        }
        _ => {
            let double = call.cast(value, &DataType::Float64)?;
            let expr = if floor { df::floor(double) } else { df::ceil(double) };
            call.cast(Typed { expr, data_type: DataType::Float64 }, &DataType::Int64)
        }
    }
}

fn round(mut call: Call<'_>) -> Result<Expr> {
    if call.args.len() == 1 {
        call.args.push(Typed { expr: lit(0_i32), data_type: DataType::Int32 });
    }
    let [value, digits] = call.exactly()?;
    let value = match &value.data_type {
        text if is_string(text) => call.cast(value, &DataType::Float64)?,
        _ => value.expr,
    };
    let digits = call.cast(digits, &DataType::Int32)?;
    Ok(spark::round(value, digits))
}

fn absolute(mut call: Call<'_>) -> Result<Expr> {
    let [value] = call.exactly()?;
    let data_type = value.data_type.clone();
    if !is_integral(&data_type) {
        return Ok(spark::abs(value.expr));
    }
    // The smallest number has no positive twin: subtracting from zero says so.
    let zero = call.cast(Typed { expr: lit(0_i8), data_type: DataType::Int8 }, &data_type)?;
    let negated = checked(arithmetic::Operator::Subtract, zero.clone(), value.expr.clone(), data_type);
    Ok(datafusion::logical_expr::when(value.expr.clone().lt(zero), negated).otherwise(value.expr)?)
}

/// Text, unless the arguments are arrays.
fn concat(mut call: Call<'_>) -> Result<Expr> {
    let args = std::mem::take(&mut call.args);
    if matches!(args.first().map(|arg| &arg.data_type), Some(DataType::List(_))) {
        return Ok(nested::array_concat(call.common(args)?.0));
    }
    let args = args.into_iter().map(|arg| call.cast(arg, &DataType::Utf8)).collect::<Result<Vec<_>>>()?;
    Ok(datafusion_spark::function::string::concat().call(args))
}

fn array(mut call: Call<'_>) -> Result<Expr> {
    let args = std::mem::take(&mut call.args);
    Ok(nested::make_array(call.common(args)?.0))
}

/// `struct(a, b)` takes the names of its columns, or `col1`, `col2`, ...; `named_struct` is given them.
fn structure(call: Call<'_>) -> Result<Expr> {
    if call.name == "named_struct" {
        return Ok(df::named_struct(call.args.into_iter().map(|arg| arg.expr).collect()));
    }
    Err(SparkError::unsupported("the function `struct`"))
}

fn datafusion_spark_function(name: &str) -> Option<Arc<ScalarUDF>> {
    static BY_NAME: OnceLock<HashMap<String, Arc<ScalarUDF>>> = OnceLock::new();
    let functions = BY_NAME.get_or_init(|| {
        let functions = datafusion_spark::all_default_scalar_functions();
        let names = |function: &Arc<ScalarUDF>| {
            let aliases = function.aliases().iter().cloned();
            aliases.chain([function.name().to_owned()]).collect::<Vec<_>>()
        };
        functions
            .into_iter()
            .flat_map(|function| names(&function).into_iter().map(move |n| (n, function.clone())))
            .collect()
    });
    functions.get(name).cloned()
}

/// The expression, if its arguments are of types that the function takes.
fn checked_types(expr: Expr, call: &Call<'_>, schema: &DFSchema) -> Result<Expr> {
    match expr.get_type(schema) {
        Ok(_) => Ok(expr),
        Err(error) => {
            let types: Vec<_> = call.args.iter().map(|arg| type_name(&arg.data_type)).collect();
            let message = format!(
                "Cannot resolve \"{}\" due to data type mismatch: `{}` does not take ({}): {}",
                call.written,
                call.name,
                types.join(", "),
                error.strip_backtrace()
            );
            Err(SparkError::new(ErrorClass::Analysis, "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "42K09", message)
                .with("sqlExpr", format!("\"{}\"", call.written)))
        }
    }
}

fn unresolved_routine(name: &str) -> SparkError {
    let message = format!(
        "Cannot resolve routine `{name}` on search path [`system`.`builtin`, `system`.`session`, \
         `spark_catalog`.`default`]."
    );
    SparkError::new(ErrorClass::Analysis, "UNRESOLVED_ROUTINE", "42883", message)
        .with("routineName", format!("`{name}`"))
        .with("searchPath", "[`system`.`builtin`, `system`.`session`, `spark_catalog`.`default`]")
}
