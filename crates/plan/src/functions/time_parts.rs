//! Fields of intervals, intervals and timestamps made of their fields, and buckets of time.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, StructArray, TimestampMicrosecondArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{
    DataType, Decimal128Type, DurationMicrosecondType, Field, Fields, Int8Type, Int32Type, IntervalUnit,
    IntervalYearMonthType, TimestampMicrosecondType,
};
use chrono::{DateTime, Datelike};
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::{Expr, cast, lit};

use super::call::{Call, Outcome, Typed};
use super::native::{Args, Table, native};
use super::time::{added, zone};
use crate::error::{ErrorClass, Result, SparkError};
use crate::types::{is_string, timestamp};

pub(super) const TABLE: Table = &[
    (YEARS, "", ' ', |a| of_months(a, |months| months / 12)),
    (MONTHS, "", ' ', |a| {
        let months = a.columns[0].as_primitive::<IntervalYearMonthType>();
        a.numbers::<Int8Type>(|row| Ok(months.is_valid(row).then(|| (months.value(row) % 12) as i8)))
    }),
    (DAYS, "", ' ', |a| a.numbers::<Int32Type>(|row| Ok(length(a, row).map(|micros| (micros / DAY) as i32)))),
    (HOURS, "", ' ', |a| a.numbers::<Int8Type>(|row| Ok(length(a, row).map(|micros| (micros % DAY / HOUR) as i8)))),
    (MINUTES, "", ' ', |a| {
        a.numbers::<Int8Type>(|row| Ok(length(a, row).map(|micros| (micros % HOUR / MINUTE) as i8)))
    }),
    (SECONDS, "", ' ', |a| {
        a.numbers::<Decimal128Type>(|row| Ok(length(a, row).map(|micros| i128::from(micros % MINUTE))))
    }),
    (BUCKET, "", ' ', bucket),
    (WINDOWS, "", ' ', windows),
    (SESSION, "", ' ', session),
    (WINDOW_TIME, "", ' ', |a| {
        let ends = a.columns[0].as_struct().column(1).as_primitive::<TimestampMicrosecondType>();
        a.numbers::<TimestampMicrosecondType>(|row| {
            Ok((a.columns[0].is_valid(row) && ends.is_valid(row)).then(|| ends.value(row) - 1))
        })
    }),
];

const MINUTE: i64 = 60_000_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

const YEARS: &str = "spark.interval_years";
const MONTHS: &str = "spark.interval_months";
const DAYS: &str = "spark.interval_days";
const HOURS: &str = "spark.interval_hours";
const MINUTES: &str = "spark.interval_minutes";
const SECONDS: &str = "spark.interval_seconds";
const BUCKET: &str = "spark.time_bucket";
const WINDOWS: &str = "spark.time_windows";
const SESSION: &str = "spark.session";
const WINDOW_TIME: &str = "spark.window_time";

/// A function of this name, if there is one. The resolver makes calls of the two whose names have a space.
pub(super) fn resolve(mut call: Call<'_>) -> Outcome<'_> {
    let expr = match call.name.as_str() {
        "make_interval" | "try_make_interval" => make_interval(call)?,
        "time_bucket" => time_bucket(call)?,
        "window" if call.args.len() == 2 => {
            let slices = window(&mut call)?;
            datafusion::functions_nested::expr_fn::array_element(slices, lit(1_i64))
        }
        "window" => return Err(SparkError::unsupported("`window` with a slide other than in GROUP BY")),
        "window slices" => window(&mut call)?,
        "session of" => {
            let [time, gap] = call.exactly()?;
            let (time, of) = time_of(&call, time)?;
            let gap = call.cast(gap, &DataType::Utf8)?;
            native(SESSION, slice(&of), call.time_zone, vec![time, gap])
        }
        "window_time" => {
            let [window] = call.exactly()?;
            match &window.data_type {
                DataType::Struct(fields) if fields.len() == 2 => match fields[1].data_type() {
                    of @ DataType::Timestamp(..) => native(WINDOW_TIME, of.clone(), "", vec![window.expr]),
                    other => return Err(call.wrong_type(0, "STRUCT", other)),
                },
                other => return Err(call.wrong_type(0, "STRUCT", other)),
            }
        }
        _ => return Ok(Err(call)),
    };
    Ok(Ok(expr))
}

/// A field of an interval; none where it has no such field.
pub(super) fn interval_field(field: &str, interval: &Typed) -> Option<Expr> {
    let months = matches!(interval.data_type, DataType::Interval(IntervalUnit::YearMonth));
    let (function, result) = match (field, months) {
        ("year", true) => (YEARS, DataType::Int32),
        ("month", true) => (MONTHS, DataType::Int8),
        ("day", false) => (DAYS, DataType::Int32),
        ("hour", false) => (HOURS, DataType::Int8),
        ("minute", false) => (MINUTES, DataType::Int8),
        ("second", false) => (SECONDS, DataType::Decimal128(8, 6)),
        _ => return None,
    };
    Some(native(function, result, "", vec![interval.expr.clone()]))
}

fn of_months(args: &Args<'_>, compute: fn(i32) -> i32) -> EngineResult<ArrayRef> {
    let months = args.columns[0].as_primitive::<IntervalYearMonthType>();
    args.numbers::<Int32Type>(|row| Ok(months.is_valid(row).then(|| compute(months.value(row)))))
}

fn length(args: &Args<'_>, row: usize) -> Option<i64> {
    let lengths = args.columns[0].as_primitive_opt::<DurationMicrosecondType>()?;
    lengths.is_valid(row).then(|| lengths.value(row))
}

fn make_interval(mut call: Call<'_>) -> Result<Expr> {
    let args = std::mem::take(&mut call.args);
    if args.len() > 7 {
        return Err(call.wrong_count("[0, 7]", args.len()));
    }
    let zero = Typed { expr: lit(0_i32), data_type: DataType::Int32 };
    let args = args.into_iter().chain(std::iter::repeat(zero)).take(7).enumerate();
    let args =
        args.map(|(position, arg)| call.cast(arg, if position == 6 { &DataType::Float64 } else { &DataType::Int32 }));
    Ok(datafusion_spark::function::datetime::make_interval().call(args.collect::<Result<_>>()?))
}

/// An instant or a wall clock, and which of them.
fn time_of(call: &Call<'_>, time: Typed) -> Result<(Expr, DataType)> {
    match &time.data_type {
        of @ DataType::Timestamp(..) => {
            let of = of.clone();
            Ok((time.expr, of))
        }
        other if is_string(other) || matches!(other, DataType::Date32 | DataType::Null) => {
            Ok((call.cast(time, &timestamp())?, timestamp()))
        }
        other => Err(call.wrong_type(0, "TIMESTAMP", other)),
    }
}

fn time_bucket(mut call: Call<'_>) -> Result<Expr> {
    if call.args.len() == 2 {
        call.args.push(Typed { expr: cast(lit(0_i64), timestamp()), data_type: timestamp() });
    }
    let [width, time, origin] = call.exactly()?;
    let (time, of) = time_of(&call, time)?;
    let origin = call.cast(origin, &of)?;
    let width = match &width.data_type {
        DataType::Interval(IntervalUnit::YearMonth) | DataType::Duration(_) => width.expr,
        other => return Err(call.wrong_type(0, "INTERVAL", other)),
    };
    Ok(native(BUCKET, of, call.time_zone, vec![width, time, origin]))
}

fn bucket(args: &Args<'_>) -> EngineResult<ArrayRef> {
    let months = args.columns[0].as_primitive_opt::<IntervalYearMonthType>();
    let zone = if matches!(args.result, DataType::Timestamp(_, None)) { zone("UTC")? } else { zone(args.zone)? };
    args.numbers::<TimestampMicrosecondType>(|row| {
        let Some((time, origin)) = args.micros(1, row).zip(args.micros(2, row)) else { return Ok(None) };
        let Some(months) = months else {
            let width = length(args, row).map(positive).transpose()?;
            return Ok(width.map(|width| time - (time - origin).rem_euclid(width)));
        };
        let width = months.is_valid(row).then(|| positive(months.value(row).into())).transpose()?;
        let Some(width) = width else { return Ok(None) };
        let calendar = |micros: i64| {
            let local = DateTime::from_timestamp_micros(micros)?.with_timezone(&zone);
            Some(i64::from(local.year()) * 12 + i64::from(local.month0()))
        };
        let Some((here, there)) = calendar(time).zip(calendar(origin)) else { return Ok(None) };
        let start = |number: i64| added("MONTH", number * width, origin, zone);
        let number = (here - there).div_euclid(width);
        match start(number)? {
            Some(begin) if begin > time => start(number - 1),
            begin => Ok(begin),
        }
    })
}

fn positive(width: i64) -> EngineResult<i64> {
    if width > 0 {
        return Ok(width);
    }
    let message = "The width of a bucket of time must be greater than zero.";
    Err(SparkError::new(ErrorClass::Runtime, "INVALID_PARAMETER_VALUE.TIME_BUCKET_WIDTH", "22023", message).into())
}

/// The type of a window: where it starts, and where it ends.
fn slice(of: &DataType) -> DataType {
    DataType::Struct(["start", "end"].map(|name| Field::new(name, of.clone(), true)).to_vec().into())
}

/// `window(time, width, slide, start)`: the windows that a time lies in, as an array.
fn window(call: &mut Call<'_>) -> Result<Expr> {
    let args = std::mem::take(&mut call.args);
    if !(2..=4).contains(&args.len()) {
        return Err(call.wrong_count("[2, 4]", args.len()));
    }
    let mut args = args.into_iter();
    let Some(time) = args.next() else { return Err(call.wrong_count("[2, 4]", 0)) };
    let (time, of) = time_of(call, time)?;
    let texts = args.map(|arg| call.cast(arg, &DataType::Utf8)).collect::<Result<Vec<_>>>()?;
    let result = DataType::new_list(slice(&of), true);
    Ok(native(WINDOWS, result, call.time_zone, [vec![time], texts].concat()))
}

fn windows(args: &Args<'_>) -> EngineResult<ArrayRef> {
    let DataType::List(item) = args.result else { return Err(SparkError::internal("windows are an array").into()) };
    let DataType::Struct(fields) = item.data_type() else {
        return Err(SparkError::internal("a window is a struct").into());
    };
    let rows = (0..args.rows).map(|row| {
        let (Some(time), Some(width)) = (args.micros(0, row), args.text(1, row)) else { return Ok(vec![]) };
        let width = positive(micros_of(width)?)?;
        let slide = args.text(2, row).filter(|_| args.columns.len() > 2).map(micros_of).transpose()?;
        let slide = positive(slide.unwrap_or(width))?;
        let start = if args.columns.len() > 3 { args.text(3, row).map(micros_of).transpose()? } else { None };
        let last = time - (time - start.unwrap_or(0)).rem_euclid(slide);
        let count = (width + slide - 1) / slide;
        let starts = (0..count).map(|number| last - number * slide).filter(|start| time < start + width);
        Ok(starts.map(|start| (start, start + width)).collect())
    });
    let rows = rows.collect::<EngineResult<Vec<Vec<(i64, i64)>>>>()?;
    let offsets = OffsetBuffer::from_lengths(rows.iter().map(Vec::len));
    let nulls: NullBuffer = rows.iter().map(|row| !row.is_empty()).collect();
    let structs = slices(&rows.concat().into_iter().map(Some).collect::<Vec<_>>(), fields)?;
    Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets, structs, Some(nulls))?))
}

/// A time and the end of the gap behind it.
fn session(args: &Args<'_>) -> EngineResult<ArrayRef> {
    let DataType::Struct(fields) = args.result else {
        return Err(SparkError::internal("a session is a struct").into());
    };
    let rows = (0..args.rows).map(|row| {
        let Some((time, gap)) = args.micros(0, row).zip(args.text(1, row)) else { return Ok(None) };
        let gap = micros_of(gap)?;
        Ok((gap > 0).then_some((time, time + gap)))
    });
    slices(&rows.collect::<EngineResult<Vec<_>>>()?, fields)
}

fn slices(rows: &[Option<(i64, i64)>], fields: &Fields) -> EngineResult<ArrayRef> {
    let column = |at: fn(&(i64, i64)) -> i64| -> ArrayRef {
        let times: TimestampMicrosecondArray = rows.iter().map(|row| row.as_ref().map(at)).collect();
        Arc::new(times.with_data_type(fields[0].data_type().clone()))
    };
    let nulls: NullBuffer = rows.iter().map(Option::is_some).collect();
    let columns = vec![column(|slice| slice.0), column(|slice| slice.1)];
    Ok(Arc::new(StructArray::try_new(fields.clone(), columns, Some(nulls))?))
}

/// The length that `5 minutes` or `1 hour 30 minutes` says. Months have none.
fn micros_of(text: &str) -> EngineResult<i64> {
    let lower = text.trim().to_lowercase();
    let words: Vec<_> = lower.strip_prefix("interval").unwrap_or(&lower).split_whitespace().collect();
    let length = words.chunks(2).map(|pair| {
        let [number, unit] = pair else { return None };
        let number: f64 = number.parse().ok()?;
        let unit = match unit.strip_suffix('s').unwrap_or(unit) {
            "week" => 7 * DAY,
            "day" => DAY,
            "hour" => HOUR,
            "minute" => MINUTE,
            "second" => 1_000_000,
            "millisecond" => 1_000,
            "microsecond" => 1,
            _ => return None,
        };
        Some((number * unit as f64) as i64)
    });
    match length.sum::<Option<i64>>() {
        Some(micros) if !words.is_empty() => Ok(micros),
        _ => {
            let message = format!("'{text}' is no length of time such as '5 minutes'.");
            let condition = "CANNOT_PARSE_INTERVAL";
            Err(SparkError::new(ErrorClass::Analysis, condition, "22006", message)
                .with("intervalString", format!("'{text}'"))
                .into())
        }
    }
}
