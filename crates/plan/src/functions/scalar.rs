//! Functions of one row, as a table: name, the types of the arguments, and what computes it.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use arrow::datatypes::{DataType, IntervalUnit};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::functions::expr_fn as df;
use datafusion::functions_nested::expr_fn as nested;
use datafusion::logical_expr::{Expr, ExprSchemable, ScalarUDF, lit};
use datafusion_spark::expr_fn as spark;

use super::call::{Call, Typed};
use super::interval::{fields_of, with_fields};
use super::interval_number::number_of;
use super::{
    bits, container, csv, json, math, misc, native, number_text, octets, printf, refused, regex, rounding, time_call,
    time_parts, vector, words, xml,
};
use crate::ddl::{sql_name, type_name};
use crate::error::{ErrorClass, Result, SparkError};
use crate::types::{is_integral, is_numeric, is_string, timestamp, timestamp_ntz};

/// Makes the expression of a call from its arguments, which have the types that the table says.
type Build = fn(Vec<Expr>) -> Expr;

/// The types of a function's arguments, a letter each: `s` text, `i` and `l` whole numbers of 32 and 64 bits, `d`
/// double, `t` date, `z` timestamp, `n` timestamp without a zone, `b` boolean, `y` bytes, `x` anything. From a `?` on they may be left out; a `*` repeats the
/// last one.
pub(super) type Arguments = &'static str;

/// Spark's name, arguments, and the expression.
const FUNCTIONS: &[(&str, Arguments, Build)] = &[
    // Text
    ("upper", "s", |a| df::upper(one(a))),
    ("ucase", "s", |a| df::upper(one(a))),
    ("lower", "s", |a| df::lower(one(a))),
    ("lcase", "s", |a| df::lower(one(a))),
    ("reverse", "s", |a| df::reverse(one(a))),
    ("ascii", "s", |a| spark::ascii(one(a))),
    ("char_length", "s", |a| spark::length(one(a))),
    ("character_length", "s", |a| spark::length(one(a))),
    ("octet_length", "s", |a| df::octet_length(one(a))),
    ("bit_length", "s", |a| df::bit_length(one(a))),
    ("substring", "si?i", |a| substring(a)),
    ("substr", "si?i", |a| substring(a)),
    // The characters come first here, as in `TRIM(BOTH 'x' FROM text)`.
    ("trim", "s?s", |a| trimmed(a, df::btrim)),
    ("btrim", "s?s", df::btrim),
    ("ltrim", "s?s", |a| trimmed(a, df::ltrim)),
    ("rtrim", "s?s", |a| trimmed(a, df::rtrim)),
    ("replace", "ss?s", |mut a| {
        if a.len() == 2 {
            a.push(lit(""));
        }
        three(a, df::replace)
    }),
    ("translate", "sss", |a| three(a, df::translate)),
    ("instr", "ss", |a| two(a, df::strpos)),
    ("contains", "ss", |a| two(a, df::contains)),
    ("startswith", "ss", |a| two(a, df::starts_with)),
    ("endswith", "ss", |a| two(a, df::ends_with)),
    ("md5", "s", |a| df::md5(one(a))),
    ("chr", "l", |a| datafusion_spark::function::string::char().call(a)),
    ("char", "l", |a| datafusion_spark::function::string::char().call(a)),
    ("substring_index", "ssl", |a| three(a, df::substr_index)),
    ("soundex", "s", |a| datafusion_spark::function::string::soundex().call(a)),
    // Numbers
    ("exp", "d", |a| df::exp(one(a))),
    ("pow", "dd", |a| two(a, spark::pow)),
    ("power", "dd", |a| two(a, spark::pow)),
    ("sin", "d", |a| df::sin(one(a))),
    ("cos", "d", |a| df::cos(one(a))),
    ("tan", "d", |a| df::tan(one(a))),
    ("atan", "d", |a| df::atan(one(a))),
    ("degrees", "d", |a| df::degrees(one(a))),
    ("radians", "d", |a| df::radians(one(a))),
    ("pi", "", |_| df::pi()),
    ("e", "", |_| lit(std::f64::consts::E)),
    ("cot", "d", |a| lit(1.0_f64) / df::tan(one(a))),
    ("width_bucket", "dddl", |a| datafusion_spark::function::math::width_bucket().call(a)),
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
    ("weekday", "t", |a| datafusion_spark::function::datetime::weekday().call(a)),
    ("monthname", "t", |a| datafusion_spark::function::datetime::monthname().call(a)),
    // Containers
    ("map_keys", "x", |a| nested::map_keys(one(a))),
    ("map_values", "x", |a| nested::map_values(one(a))),
    ("rand", "?l", |_| df::random()),
    ("random", "?l", |_| df::random()),
    ("uuid", "?l", |_| df::uuid()),
];

/// A scalar function of this name.
///
/// # Errors
/// `UNRESOLVED_ROUTINE` where there is none.
pub(super) fn resolve(call: Call<'_>) -> Result<Expr> {
    let mut call = call;
    let families = [
        octets::resolve,
        bits::resolve,
        container::resolve,
        json::resolve,
        csv::resolve,
        time_call::resolve,
        time_parts::resolve,
        number_text::resolve,
        words::resolve,
        vector::resolve,
        misc::resolve,
        xml::resolve,
        refused::resolve,
    ];
    for family in families {
        call = match family(call)? {
            Ok(expr) => return Ok(expr),
            Err(call) => call,
        };
    }
    match call.name.as_str() {
        "ceil" | "ceiling" | "floor" | "round" | "bround" => return rounding::resolve(call),
        "abs" => return absolute(call),
        "concat" => return concat(call),
        "concat_ws" => return concat_ws(call),
        "length" | "len" => return length(call),
        "format_string" | "printf" => return printf::resolve(call),
        "rlike" | "regexp" | "regexp_like" => return regexp_like(call),
        _ => {}
    }
    if let Some((_, arguments, build)) = FUNCTIONS.iter().find(|(name, ..)| *name == call.name) {
        let args = std::mem::take(&mut call.args);
        return Ok(build(typed_arguments(&call, arguments, args)?));
    }
    if let Some((name, arguments, result)) = native::find(&call.name) {
        let args = std::mem::take(&mut call.args);
        return Ok(native::native(name, result, call.time_zone, typed_arguments(&call, arguments, args)?));
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
        'n' => timestamp_ntz(),
        'y' => DataType::Binary,
        _ => return Ok(arg.expr),
    };
    let from = &arg.data_type;
    let fits = match letter {
        's' => !from.is_nested(),
        't' | 'z' | 'n' => is_string(from) || from.is_temporal() || *from == DataType::Null,
        'i' | 'l' | 'd' => is_string(from) || is_numeric(from) || *from == DataType::Null,
        'y' => is_string(from) || matches!(from, DataType::Binary | DataType::Null),
        _ => is_string(from) || matches!(from, DataType::Boolean | DataType::Null),
    };
    if !fits {
        return Err(call.wrong_type(position, &sql_name(&to), from));
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

/// Text is the last argument here, and the characters that go are the first.
fn trimmed(mut args: Vec<Expr>, trim: fn(Vec<Expr>) -> Expr) -> Expr {
    args.reverse();
    trim(args)
}

fn absolute(mut call: Call<'_>) -> Result<Expr> {
    let [value] = call.exactly()?;
    let data_type = value.data_type.clone();
    match &data_type {
        DataType::Interval(IntervalUnit::YearMonth) => {
            let fields = fields_of(&value.expr, call.schema)?;
            let months = number_of(value).expr;
            let positive = datafusion::logical_expr::cast(spark::abs(months), data_type);
            return Ok(match fields {
                Some(fields) => with_fields(positive, fields),
                None => positive,
            });
        }
        integral if is_integral(integral) => {}
        text if is_string(text) || *text == DataType::Null => {
            return Ok(spark::abs(call.cast(value, &DataType::Float64)?));
        }
        other if !is_numeric(other) && !other.is_temporal() => return Err(call.wrong_type(0, "NUMERIC", other)),
        _ => return Ok(spark::abs(value.expr)),
    }
    let zero = call.cast(Typed { expr: lit(0_i8), data_type: DataType::Int8 }, &data_type)?;
    let negated = native::native(math::NEGATIVE, data_type, "", vec![value.expr.clone()]);
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

/// A separator, and text or arrays of text.
fn concat_ws(mut call: Call<'_>) -> Result<Expr> {
    let args = std::mem::take(&mut call.args);
    if args.is_empty() {
        return Err(call.wrong_count("> 0", 0));
    }
    let texts = DataType::new_list(DataType::Utf8, true);
    let args = args.into_iter().enumerate().map(|(position, arg)| match &arg.data_type {
        DataType::List(_) if position > 0 => call.cast(arg, &texts),
        _ => argument(&call, 's', position, arg),
    });
    let args = args.collect::<Result<Vec<_>>>()?;
    match args.as_slice() {
        // Without text there is none, unless the separator is NULL.
        [separator] => Ok(datafusion::logical_expr::when(separator.clone().is_not_null(), lit("")).end()?),
        _ => Ok(datafusion_spark::function::string::concat_ws().call(args)),
    }
}

/// A pattern that is known is looked at now, for what is wrong with it.
fn regexp_like(mut call: Call<'_>) -> Result<Expr> {
    let [text, pattern] = call.exactly()?;
    let (text, pattern) = (argument(&call, 's', 0, text)?, argument(&call, 's', 1, pattern)?);
    if let Expr::Literal(ScalarValue::Utf8(Some(pattern)), _) = &pattern {
        regex::compile(pattern)?;
    }
    Ok(df::regexp_like(text, pattern, None))
}

fn length(mut call: Call<'_>) -> Result<Expr> {
    let [value] = call.exactly()?;
    match &value.data_type {
        DataType::Binary => Ok(spark::length(value.expr)),
        nested if nested.is_nested() => Err(call.wrong_type(0, "STRING\" or \"BINARY", nested)),
        _ => Ok(spark::length(call.cast(value, &DataType::Utf8)?)),
    }
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
