//! Calls about dates and times whose meaning depends on the types of their arguments, or on the session.

use arrow::datatypes::{DataType, IntervalUnit, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::functions::expr_fn as df;
use datafusion::logical_expr::{Expr, lit};

use super::call::{Call, Outcome, Typed};
use super::cast::cast;
use super::native::native;
use super::refused::unsupported_time;
use super::time_parts::interval_field;
use super::time_text::DEFAULT_PATTERN;
use crate::error::{ErrorClass, Result, SparkError};
use crate::ir::CastMode;
use crate::types::{is_numeric, is_string, timestamp, timestamp_ntz};

/// A function of time of this name, if there is one.
pub(super) fn resolve(mut call: Call<'_>) -> Outcome<'_> {
    let expr = match call.name.as_str() {
        "to_date" => parsed(call, &DataType::Date32, "spark.parse_date", CastMode::Ansi)?,
        "try_to_date" => parsed(call, &DataType::Date32, "spark.try_parse_date", CastMode::Try)?,
        "to_timestamp" | "to_timestamp_ltz" => parsed(call, &timestamp(), "spark.parse_timestamp", CastMode::Ansi)?,
        "try_to_timestamp" => parsed(call, &timestamp(), "spark.try_parse_timestamp", CastMode::Try)?,
        "unix_timestamp" | "to_unix_timestamp" => unix_timestamp(call)?,
        "date_format" => {
            let [value, pattern] = call.exactly()?;
            let args = vec![call.cast(value, &timestamp())?, call.cast(pattern, &DataType::Utf8)?];
            native("date_format", DataType::Utf8, call.time_zone, args)
        }
        "from_unixtime" => {
            if call.args.len() == 1 {
                call.args.push(text(DEFAULT_PATTERN));
            }
            let [seconds, pattern] = call.exactly()?;
            let args = vec![call.cast(seconds, &DataType::Int64)?, call.cast(pattern, &DataType::Utf8)?];
            native("from_unixtime", DataType::Utf8, call.time_zone, args)
        }
        "timestamp_seconds" => {
            let [seconds] = call.exactly()?;
            match &seconds.data_type {
                number if is_numeric(number) => call.cast(seconds, &timestamp())?,
                other => return Err(call.wrong_type(0, "NUMERIC", other)),
            }
        }
        "current_date" | "curdate" => {
            call.exactly::<0>()?;
            call.cast(now(), &DataType::Date32)?
        }
        "current_timestamp" | "now" => {
            call.exactly::<0>()?;
            now().expr
        }
        "localtimestamp" => {
            call.exactly::<0>()?;
            call.cast(now(), &timestamp_ntz())?
        }
        "current_timezone" => {
            call.exactly::<0>()?;
            lit(call.time_zone)
        }
        "hour" | "minute" | "second" => {
            let [value] = call.exactly()?;
            let local = wall_clock(&call, value)?;
            df::date_part(lit(call.name.clone()), local)
        }
        "date_part" | "datepart" | "extract" => date_part(call)?,
        "make_timestamp" | "make_timestamp_ltz" | "try_make_timestamp" | "try_make_timestamp_ltz" => {
            make_timestamp(call, timestamp())?
        }
        "make_timestamp_ntz" | "try_make_timestamp_ntz" => make_timestamp(call, timestamp_ntz())?,
        "to_timestamp_ntz" => parsed(call, &timestamp_ntz(), "spark.parse_timestamp", CastMode::Ansi)?,
        "make_ym_interval" => {
            let args = filled(&mut call, &[DataType::Int32, DataType::Int32])?;
            native("spark.make_ym_interval", DataType::Interval(IntervalUnit::YearMonth), "", args)
        }
        "make_dt_interval" => {
            let int = DataType::Int32;
            let args = filled(&mut call, &[int.clone(), int.clone(), int, DataType::Float64])?;
            native("spark.make_dt_interval", DataType::Duration(TimeUnit::Microsecond), "", args)
        }
        "convert_timezone" if call.args.len() == 2 => {
            call.args.insert(0, text(call.time_zone));
            return Ok(Err(call));
        }
        _ => return Ok(Err(call)),
    };
    Ok(Ok(expr))
}

fn text(value: &str) -> Typed {
    Typed { expr: lit(value), data_type: DataType::Utf8 }
}

/// The time at which the query began.
fn now() -> Typed {
    Typed { expr: datafusion::logical_expr::cast(df::now(), timestamp()), data_type: timestamp() }
}

/// The wall clock of the session's time zone.
fn wall_clock(call: &Call<'_>, value: Typed) -> Result<Expr> {
    match value.data_type {
        DataType::Time64(_) => return Err(unsupported_time()),
        DataType::Timestamp(_, None) => return Ok(value.expr),
        _ => {}
    }
    let instant = Typed { expr: call.cast(value, &timestamp())?, data_type: timestamp() };
    call.cast(instant, &timestamp_ntz())
}

/// A cast where no pattern is given.
fn parsed(mut call: Call<'_>, to: &DataType, function: &'static str, mode: CastMode) -> Result<Expr> {
    if call.args.len() == 1 {
        let [value] = call.exactly()?;
        return cast(value.expr, &value.data_type, to, mode, call.time_zone);
    }
    let [value, pattern] = call.exactly()?;
    if !is_string(&value.data_type) {
        return call.cast(value, to);
    }
    let args = vec![value.expr, call.cast(pattern, &DataType::Utf8)?];
    let zone = if *to == timestamp_ntz() { "UTC" } else { call.time_zone };
    Ok(native(function, to.clone(), zone, args))
}

fn unix_timestamp(mut call: Call<'_>) -> Result<Expr> {
    if call.args.is_empty() && call.name == "unix_timestamp" {
        return call.cast(now(), &DataType::Int64);
    }
    if call.args.len() == 1 {
        call.args.push(text(DEFAULT_PATTERN));
    }
    let [value, pattern] = call.exactly()?;
    if is_string(&value.data_type) {
        let args = vec![value.expr, call.cast(pattern, &DataType::Utf8)?];
        return Ok(native("spark.parse_seconds", DataType::Int64, call.time_zone, args));
    }
    let instant = Typed { expr: call.cast(value, &timestamp())?, data_type: timestamp() };
    call.cast(instant, &DataType::Int64)
}

/// `date_part('month', x)`.
fn date_part(mut call: Call<'_>) -> Result<Expr> {
    let [field, value] = call.exactly()?;
    let Expr::Literal(ScalarValue::Utf8(Some(name)), _) = &field.expr else {
        return Err(SparkError::unsupported("`date_part` of a field that is no constant"));
    };
    let unit = match name.to_ascii_uppercase().as_str() {
        "YEAR" | "Y" | "YEARS" | "YR" | "YRS" => "year",
        "YEAROFWEEK" => "isoyear",
        "QUARTER" | "QTR" => "quarter",
        "MONTH" | "MON" | "MONS" | "MONTHS" => "month",
        "WEEK" | "W" | "WEEKS" => "week",
        "DAY" | "D" | "DAYS" => "day",
        "DAYOFWEEK" | "DOW" => "dow",
        "DAYOFWEEK_ISO" | "DOW_ISO" => "isodow",
        "DOY" | "DAYOFYEAR" => "doy",
        "HOUR" | "H" | "HOURS" | "HR" | "HRS" => "hour",
        "MINUTE" | "M" | "MIN" | "MINS" | "MINUTES" => "minute",
        "SECOND" | "S" | "SEC" | "SECONDS" | "SECS" => "second",
        _ => return Err(no_field(name)),
    };
    if matches!(value.data_type, DataType::Duration(_) | DataType::Interval(_)) {
        return interval_field(unit, &value).ok_or_else(|| no_field(name));
    }
    if unit == "second" && !matches!(value.data_type, DataType::Time64(_)) {
        let instant = call.cast(value, &timestamp())?;
        return Ok(native("spark.seconds", DataType::Decimal128(8, 6), call.time_zone, vec![instant]));
    }
    let local = match &value.data_type {
        DataType::Date32 => value.expr,
        _ => wall_clock(&call, value)?,
    };
    let part = df::date_part(lit(unit), local);
    Ok(match unit {
        "dow" => part + lit(1_i32),
        _ => part,
    })
}

fn no_field(name: &str) -> SparkError {
    let message = format!("There is no field `{name}` of a date or a time.");
    SparkError::new(ErrorClass::Analysis, "INVALID_EXTRACT_FIELD", "42601", message).with("field", format!("`{name}`"))
}

fn make_timestamp(mut call: Call<'_>, result: DataType) -> Result<Expr> {
    let found = call.args.len();
    if let [Typed { data_type: DataType::Date32, expr }] = call.args.as_slice() {
        return call.cast(Typed { expr: expr.clone(), data_type: DataType::Date32 }, &result);
    }
    if let [Typed { data_type: DataType::Date32, .. }, Typed { data_type: DataType::Time64(_), .. }, ..] =
        call.args.as_slice()
    {
        let args = std::mem::take(&mut call.args).into_iter();
        let args = args.map(|arg| match arg.data_type {
            DataType::Date32 => Ok(arg.expr),
            DataType::Time64(_) => Ok(datafusion::logical_expr::cast(arg.expr, DataType::Int64)),
            _ => call.cast(arg, &DataType::Utf8),
        });
        return Ok(native("spark.date_with_time", result, call.time_zone, args.collect::<Result<_>>()?));
    }
    let function = if call.name.starts_with("try_") { "spark.try_make_timestamp" } else { "spark.make_timestamp" };
    if !(6..=7).contains(&found) {
        return Err(call.wrong_count("[6, 7]", found));
    }
    let types = [DataType::Int32, DataType::Int32, DataType::Int32, DataType::Int32, DataType::Int32];
    let types = types.into_iter().chain([DataType::Float64, DataType::Utf8]);
    let args = std::mem::take(&mut call.args).into_iter().zip(types).map(|(arg, to)| call.cast(arg, &to));
    let args = args.collect::<Result<_>>()?;
    Ok(native(function, result, call.time_zone, args))
}

/// Arguments of these types; those that are left out are zero.
fn filled(call: &mut Call<'_>, types: &[DataType]) -> Result<Vec<Expr>> {
    let args = std::mem::take(&mut call.args);
    if args.len() > types.len() {
        return Err(call.wrong_count(&format!("[0, {}]", types.len()), args.len()));
    }
    let zero = Typed { expr: lit(0_i32), data_type: DataType::Int32 };
    let args = args.into_iter().chain(std::iter::repeat(zero)).zip(types);
    args.map(|(arg, to)| call.cast(arg, to)).collect()
}

/// The days of an interval that has no hours.
pub(super) fn whole_days(call: &Call<'_>, step: Typed) -> Result<Expr> {
    const MICROS_PER_DAY: i64 = 86_400_000_000;
    match step.expr {
        Expr::Literal(ScalarValue::DurationMicrosecond(Some(micros)), _) if micros % MICROS_PER_DAY == 0 => {
            let days = i32::try_from(micros / MICROS_PER_DAY).unwrap_or(i32::MAX);
            Ok(lit(days))
        }
        _ => Err(call.wrong_type(2, "INTERVAL DAY", &step.data_type)),
    }
}
